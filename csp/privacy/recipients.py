"""To whom personal data was given, so that a correction or an erasure can be passed on (GDPR article 19).

Either somebody wrote it down (DataRecipient), or records were taken as a file that was handed on (Export).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable

from django.apps import apps
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from csp import outbox, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Customer, DataRecipient, DataRequest, DataRequestStep, Export, OutboundMessage, User
from csp.privacy import requests, terms


@dataclasses.dataclass(frozen=True, slots=True)
class Given:
    """Somebody outside who holds data from us: what, since when, and which record says so."""

    ref: str  # "data-recipient:5", "export:5"
    name: str
    mail: str
    what: str
    given_at: dt.datetime


@transaction.atomic
def record(
    contract: Contract, *, name: str, what: str, given_at: dt.datetime, by: User, at: dt.datetime,
    customer: Customer | None = None, mail: str = "",
) -> DataRecipient:  # fmt: skip
    """Record that data was given to somebody outside: one person's, or that of every customer. Raises Refused."""
    terms.check_may_act(by, contract.pk, at=at)
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


def of(contract: Contract, customer: Customer | None) -> list[Given]:
    """Who holds data of this customer from us: by name, or because they were given everybody's; the earliest first."""
    numbers = Customer.known_as([customer.pk]) if customer is not None else []
    rows = DataRecipient.objects.filter(Q(customer__in=numbers) | Q(customer__isnull=True), contract=contract)
    exports = holding(f"customer:{number}" for number in numbers)
    return _given(rows, exports.filter(Q(contract=contract) | Q(contract__isnull=True)))


def of_anybody(customer: Customer, about: Iterable[str]) -> list[Given]:
    """Who holds data of this customer from any of us; `about` is what the trail calls the customer's matters."""
    rows = DataRecipient.objects.filter(Q(customer__in=Customer.known_as([customer.pk])) | Q(customer__isnull=True))
    return _given(rows, holding(about))


def holding(about: Iterable[str]) -> QuerySet[Export]:
    """The exports that hold something about one of these, as the trail names it, or that may be about anybody."""
    return Export.objects.filter(Q(about__overlap=list(about)) | Q(is_listed=False))


def handed_on(contract: Contract) -> QuerySet[Export]:
    """The exports that went outside, the latest first."""
    rows = Export.objects.exclude(recipient="").filter(Q(contract=contract) | Q(contract__isnull=True))
    return rows.select_related("by").order_by("-pk")


def _given(rows: QuerySet[DataRecipient], exports: QuerySet[Export]) -> list[Given]:
    found = [Given(f"data-recipient:{row.pk}", row.name, row.mail, row.what, row.given_at) for row in rows]
    found += [
        Given(f"export:{row.pk}", row.recipient, row.mail, name_of_records(row.what), row.begun_at)
        for row in exports.exclude(recipient="")
    ]
    return sorted(found, key=lambda one: (one.given_at, one.ref))


def name_of_records(what: str) -> str:
    """What an export is of, in words: the name of its model, or of its list."""
    try:
        return str(apps.get_model(what)._meta.verbose_name_plural)
    except (LookupError, ValueError):
        return _("list of tickets: %(what)s") % {"what": what.removeprefix("list.").removeprefix("metrics-")}


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
            facts={"recipient": row.ref, "by_hand": message is None},
        )  # fmt: skip
        written, by_hand = written + bool(message), by_hand + (not message)
    return written, by_hand


def _mail(request: DataRequest, row: Given, says: str, *, at: dt.datetime) -> OutboundMessage:
    with translation.override("en-gb"):
        subject = _("%(reference)s: data that you received from us has changed") % {"reference": request.reference}
        about = _("On %(day)s you received from us: %(what)s.") % {
            "day": row.given_at.astimezone(request.contract.zoneinfo).date().isoformat(), "what": row.what
        }  # fmt: skip
    return outbox.post(
        kind=OutboundMessage.Kind.PRIVACY, dedupe_key=f"data-request:{request.pk}:{row.ref}", to=[row.mail],
        subject=subject, body="\n\n".join(filter(None, [about, says, request.contract.company])) + "\n", at=at,
    )  # fmt: skip
