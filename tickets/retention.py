"""What the desk keeps and for how long: tickets with all that was said in them; mail that became none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from csp import disposing, removing, trail
from csp.disposing import Routine
from csp.events import Act
from csp.models import Address, Customer, Hold
from csp.privacy import blanking
from csp.records import Kept
from csp.retention import Root
from tickets.models import Draft, InboundMessage, Interaction, Presence, Ticket

# Whatever has these parts goes with whoever needed it last.
OWNS = {
    "csp.deadline": frozenset({"csp.breach", "csp.held", "csp.notice", "csp.deadline"}),
    "csp.outboundmessage": frozenset({"csp.outboundattachment"}),
    "csp.blob": frozenset({"csp.blobkey", "csp.maskedsource"}),
}


def erase_strangers(customers: Collection[int], at: dt.datetime, by: trail.Actor) -> int:
    """Blank the customers of whom no ticket is left, unless a hold is on them. The number stays, the person goes."""
    tickets = Ticket.objects.filter(customer=OuterRef("pk"))
    said = Interaction.objects.filter(customer=OuterRef("pk"))
    held = Hold.objects.standing().filter(kind=Hold.Kind.CUSTOMER, number=OuterRef("pk"))
    gone = list(
        Customer.objects.filter(pk__in=Customer.known_as(customers), erased_at__isnull=True)
        .exclude(Exists(tickets)).exclude(Exists(said)).exclude(Exists(held)).order_by("pk")
    )  # fmt: skip
    numbers = [row.pk for row in gone]
    Address.objects.filter(customer__in=numbers).delete()
    Address.history.filter(customer_id__in=numbers).delete()  # the removal has left one more
    Customer.history.filter(id__in=numbers).delete()
    Customer.objects.filter(pk__in=numbers).update(
        name="", organisation="", note="", language="", zone="", erased_at=at
    )  # fmt: skip
    blanking.forget_earlier(Customer, numbers)
    removing.blank_trail([f"customer:{number}" for number in numbers])
    trail.record_all(trail.Entry(Act.ERASED, f"customer:{number}", by=by, at=at) for number in numbers)
    return len(numbers)


TICKETS = Root(
    kind="ticket",
    model=Ticket,
    kept=Kept.TICKET,
    ended=Q(state=Ticket.State.CLOSED),
    ended_at="closed_at",
    prefix="#",
    joined_by="merged_into",
    customer="customer_id",
    owns={**OWNS, "tickets.inboundmessage": frozenset({"tickets.inboundmessage", "tickets.ruling"})},
    along=frozenset({Kept.SPAM}),  # a ruling that its mail was genuine
    named={"tickets.inboundmessage": "mail"},
    afterwards=erase_strangers,
)


def _spam(at: dt.datetime) -> QuerySet[Any]:
    return InboundMessage.objects.filter(
        state=InboundMessage.State.SPAM, ticket__isnull=True, rulings__undone_at__isnull=True,
        rulings__ruled_at__lt=_before(Kept.SPAM, at),
    )  # fmt: skip


def _unsorted(at: dt.datetime) -> QuerySet[Any]:
    """What nobody ruled on, and automatic mail that nothing is owed for."""
    states = (InboundMessage.State.UNSORTED, InboundMessage.State.IGNORED, InboundMessage.State.DUPLICATE)
    return InboundMessage.objects.filter(
        state__in=states, ticket__isnull=True, received_at__lt=_before(Kept.UNSORTED, at)
    ).exclude(Exists(InboundMessage.objects.filter(duplicate_of=OuterRef("pk"), ticket__isnull=False)))  # fmt: skip


def _before(kept: Kept, at: dt.datetime) -> dt.datetime:
    after = kept.value[2]
    return at - dt.timedelta(days=after.days if after else 0)


MAIL = Root(
    kind="mail", model=InboundMessage, kept=Kept.TICKET, ended=Q(), ended_at="received_at", prefix="mail ",
    owns=OWNS, named={"tickets.inboundmessage": "mail"}, along=frozenset({Kept.SPAM}), is_kept_by_its_own=False,
)  # fmt: skip


def _remove_mail(rows: QuerySet[Any], limit: int, at: dt.datetime) -> dict[str, int]:
    numbers = list(
        InboundMessage.objects.filter(pk__in=rows.values("pk")).select_for_update(skip_locked=True).order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )  # fmt: skip
    found = removing.closure(MAIL, numbers)
    subjects = removing.subjects_of(MAIL, found)
    counts: dict[str, int] = {}
    for of_root in removing.remove(MAIL, found).values():
        for label, n in of_root.items():
            counts[label] = counts.get(label, 0) + n
    trail.record_all(trail.Entry(Act.DISPOSED, name, by="routine", at=at) for name in subjects)
    return counts


def _machinery(model: type[Draft | Presence], column: str) -> Routine:
    return Routine(
        model._meta.label_lower, Kept.MACHINERY,
        lambda at: model.objects.filter(**{f"{column}__lt": _before(Kept.MACHINERY, at)}),
        lambda rows, limit, at: disposing.delete_some(rows, limit),
    )  # fmt: skip


ROUTINES = (
    Routine("spam", Kept.SPAM, _spam, _remove_mail),
    Routine("unsorted mail", Kept.UNSORTED, _unsorted, _remove_mail),
    _machinery(Draft, "saved_at"),
    _machinery(Presence, "seen_at"),
)
