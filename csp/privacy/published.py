"""Privacy notices: published with a date, in a language, as the next version; and which one stood before whom."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from csp import trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, NoticeSeen, PrivacyNotice, User
from csp.privacy import terms


@transaction.atomic
def publish(contract: Contract, *, language: str, text: str, by: User, at: dt.datetime) -> PrivacyNotice:
    """Publish the next version in a language; it holds from now on. Raises Refused."""
    terms.check_may_act(by, contract.pk, at=at)
    Contract.objects.select_for_update().get(pk=contract.pk)
    text = text.replace("\r\n", "\n").strip()
    if language not in dict(settings.LANGUAGES):
        raise Refused(_("Choose one of the languages of the product."))
    if len(text) < 40:
        raise Refused(_("Write who is responsible, what is kept, why, how long, and which rights there are."))
    last = contract.privacy_notices.filter(language=language).order_by("-number").first()
    if last is not None and last.text == text:
        raise Refused(_("This is the text that is published already."))
    number = (contract.privacy_notices.aggregate(last=Max("number"))["last"] or 0) + 1
    row = PrivacyNotice.objects.create(
        contract=contract, language=language, number=number, text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(), published_at=at, published_by=by,
    )  # fmt: skip
    trail.record(
        Act.NOTICE_PUBLISHED, f"privacy-notice:{row.pk}", by=by, at=at,
        facts={"contract": contract.pk, "language": language, "number": number, "digest": row.digest}, evidence=[row],
    )  # fmt: skip
    return row


def current(contract: Contract, language: str) -> PrivacyNotice | None:
    """The notice that holds, in this language or else in another one."""
    rows = list(contract.privacy_notices.order_by("-number")[:50])
    mine = (row for row in rows if row.language.partition("-")[0] == language.partition("-")[0])
    return next(mine, rows[0] if rows else None)


def seen(notice: PrivacyNotice, ref: str, *, at: dt.datetime) -> None:
    """Record that this version stood before whoever sent that thing in; twice is once."""
    NoticeSeen.objects.bulk_create([NoticeSeen(notice=notice, ref=ref[:60], at=at)], ignore_conflicts=True)
