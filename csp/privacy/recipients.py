"""To whom personal data was given, so that a correction or an erasure can be passed on (GDPR article 19)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from csp import outbox, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Customer, DataRecipient, DataRequest, DataRequestStep, OutboundMessage, User
from csp.privacy import requests, terms


@transaction.atomic
def record(
    contract: Contract, *, name: str, what: str, given_at: dt.datetime, by: User, at: dt.datetime,
    customer: Customer | None = None, mail: str = "",
) -> DataRecipient:  # fmt: skip
    """Record that data was given to somebody outside: one person's, or that of every customer. Raises Refused."""
    terms.check_may_act(by, contract.pk)
    return exported(contract, name=name, what=what, given_at=given_at, by=by, at=at, customer=customer, mail=mail)


def exported(
    contract: Contract, *, name: str, what: str, given_at: dt.datetime, by: User, at: dt.datetime,
    customer: Customer | None = None, mail: str = "",
) -> DataRecipient:  # fmt: skip
    """The same, for a verb that gives data out and has asked for permission itself."""
    if given_at > at:
        raise Refused(_("It cannot have been given in the future. Check date and time."))
    if not name.strip() or not what.strip():
        raise Refused(_("Say who received what."))
    row = DataRecipient.objects.create(
        contract=contract, customer=customer, name=name.strip()[:200], mail=mail.strip().lower(),
        what=what.strip()[:300], given_at=given_at, recorded_at=at, recorded_by=by,
    )  # fmt: skip
    trail.record(
        Act.RECIPIENT_RECORDED, f"data-recipient:{row.pk}", by=by, at=at,
        context=f"customer:{customer.pk}" if customer else f"contract:{contract.pk}",
        facts={"customer": customer.pk if customer else None, "given": given_at},
        personal={"name": row.name, "what": row.what}, evidence=[row],
    )  # fmt: skip
    return row


def of(contract: Contract, customer: Customer | None) -> QuerySet[DataRecipient]:
    """Who holds data of this customer from us: by name, or because they were given everybody's."""
    own = Q(customer=customer) if customer is not None else Q(pk__in=[])
    return DataRecipient.objects.filter(own | Q(customer__isnull=True), contract=contract).order_by("given_at", "pk")


def pass_on(request: DataRequest, says: str, *, by: User, at: dt.datetime) -> tuple[int, int]:
    """Tell each recipient what has changed about a person; the caller holds the request's lock.

    Returns how many are written to, and how many have to be told by hand. One address is written to once.
    """
    written = by_hand = 0
    addresses: set[str] = set()
    for row in of(request.contract, request.customer):
        if row.mail and row.mail in addresses:
            continue
        message = _mail(request, row, says, at=at) if row.mail else None
        addresses.add(row.mail)
        words = (
            row.name if message else _("%(name)s has no mail address and has to be told by hand.") % {"name": row.name}
        )
        requests.record_step(
            request, DataRequestStep.Kind.PASSED_ON, by=by, at=at, words=words, message=message,
            facts={"recipient": row.pk, "by_hand": message is None},
        )  # fmt: skip
        written, by_hand = written + bool(message), by_hand + (not message)
    return written, by_hand


def _mail(request: DataRequest, row: DataRecipient, says: str, *, at: dt.datetime) -> OutboundMessage:
    with translation.override("en-gb"):
        subject = _("%(reference)s: data that you received from us has changed") % {"reference": request.reference}
        about = _("On %(day)s you received from us: %(what)s.") % {
            "day": row.given_at.astimezone(request.contract.zoneinfo).date().isoformat(), "what": row.what
        }  # fmt: skip
    return outbox.post(
        kind=OutboundMessage.Kind.PRIVACY, dedupe_key=f"data-request:{request.pk}:recipient:{row.pk}", to=[row.mail],
        subject=subject, body="\n\n".join(filter(None, [about, says, request.contract.company])) + "\n", at=at,
    )  # fmt: skip
