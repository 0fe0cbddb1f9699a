"""What becomes of a message outside: accepted, refused or returned; and the duties that this meets or opens again.

Clause 3.1: a duty to tell a customer is met when the first server outside our control accepts the mail.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Min, QuerySet, Value
from django.db.models.functions import Greatest

from csp import agreement, batches, deadlines, notices, trail
from csp.events import Act
from csp.models import Address, Deadline, Notice, OutboundMessage
from tickets.conversation import (
    ANSWERING,
    Purpose,
    addressed,
    derive,
    family,
    inbound,
    lock,
    obligations,
    running,
    subject_of,
)
from tickets.models import Delivery, Interaction, Ticket

State = Ticket.State
# The obligations that a mail can keep.
TOLD = ("acknowledge", *ANSWERING)


def settle(at: dt.datetime, *, limit: int = 200) -> int:
    """Act on each outgoing message whose fate is known and that has not been acted on. Returns how many.

    Accepted outside: what it meets is met at the instant of acceptance. Refused for good: the duty stays open and
    people are asked to try another channel.
    """
    known = (OutboundMessage.State.ACCEPTED, OutboundMessage.State.FAILED, OutboundMessage.State.BOUNCED)
    waiting = (
        Delivery.objects.filter(settled_at__isnull=True, message__state__in=known)
        .order_by("message__ended_at", "pk")
        .values_list("pk", "interaction__ticket")
    )
    return batches.each(list(waiting[: batches.FAR]), functools.partial(_settle_one, at=at), limit=limit)


def _unsettled() -> QuerySet[Delivery]:
    """Accepted outside, and not acted on yet."""
    return Delivery.objects.filter(settled_at__isnull=True, message__accepted_at__isnull=False)


def unsettled_since() -> dt.datetime | None:
    """The oldest acceptance that has not been acted on; a busy moment leaves some, a fault leaves them for good."""
    oldest: dt.datetime | None = _unsettled().aggregate(oldest=Min("message__accepted_at"))["oldest"]
    return oldest


def perhaps_kept(at: dt.datetime) -> list[int]:
    """Overdue deadlines that a mail may have kept, which was accepted in time and is not acted on yet.

    Nobody can say yet that these were broken. A mail that cannot be acted on holds back its own tickets' clocks alone.
    """
    since: dict[str, dt.datetime] = {}
    for number, accepted_at in _unsettled().values_list("interaction__ticket", "message__accepted_at"):
        for member in family(Ticket(pk=number)):
            since[f"#{member}"] = min(accepted_at, since.get(f"#{member}", accepted_at))
    if not since:
        return []
    overdue = Deadline.objects.due_before(at).filter(
        subject_ref__in=since, obligation__in=TOLD, due_at__gte=min(since.values())
    )
    return [row.pk for row in overdue.only("subject_ref", "due_at") if row.due_at >= since[row.subject_ref]]


@transaction.atomic(durable=True)
def _settle_one(which: tuple[int, int], *, at: dt.datetime) -> int:
    pk, number = which
    try:
        root = lock(Ticket(pk=number), if_free=True)
    except Ticket.DoesNotExist:
        return 0  # somebody works on it at this moment; the clock waits for nobody, and comes back
    delivery = (
        Delivery.objects.select_for_update(of=("self",), no_key=True)
        .select_related("interaction", "message")
        .filter(pk=pk, settled_at__isnull=True)
        .first()
    )
    if delivery is None:
        return 0
    delivery.settled_at = at
    delivery.save(update_fields=["settled_at"])
    if delivery.message.accepted_at is not None:
        _accepted(root, delivery, delivery.message.accepted_at)
    else:
        _failed(root, delivery, at)
    return 1


def _accepted(root: Ticket, delivery: Delivery, accepted_at: dt.datetime) -> None:
    """The first server outside took the message: the duties that it does are met at that instant."""
    row = delivery.interaction
    numbers = family(root)
    heard = inbound(root, numbers)
    met = [clock for clock in running(root, numbers=numbers) if _does(row, clock, addressed(row), heard)]
    by: trail.Actor = row.author or "acknowledgements"
    deadlines.meet(met, at=accepted_at, by=by, how=f"interaction:{row.pk}")
    if row.purpose == Purpose.ANSWER:
        answered = Greatest("answered_through", Value(row.seen_through))
        Ticket.objects.filter(pk__in=addressed(row)).update(answered_through=answered)
        _start_follow_up_of_unanswered(root, numbers, heard, accepted_at)
    derive(root)
    trail.record(
        Act.MESSAGE_ACCEPTED,
        root.trail_subject,
        by="outbox",
        at=accepted_at,
        facts={
            "interaction": row.pk,
            "message": delivery.message_id,
            "written": row.occurred_at,
            "met": [clock.pk for clock in met],
        },
    )


def _does(row: Interaction, clock: Deadline, numbers: Sequence[int], heard: Sequence[Interaction]) -> bool:
    """Whether this outgoing interaction, once accepted outside, does what this clock asks (CLAUSES 3.1).

    `numbers` are the tickets that it speaks to, `heard` what the customer said in the family.
    """
    speaks_to_it = clock.subject_ref in {f"#{number}" for number in numbers}
    if clock.obligation == "acknowledge":
        if row.purpose != Purpose.ACKNOWLEDGEMENT:
            return speaks_to_it  # a person's words always count
        automatic_counts = agreement.reading(clock.version, "automatic_acknowledgement_counts") == "yes"
        return automatic_counts and clock.subject_ref == f"#{row.ticket_id}"
    if row.purpose != Purpose.ANSWER:
        return False
    if clock.obligation == "respond":
        return speaks_to_it
    if clock.obligation == "follow_up":
        begun_by = _begun_by(clock, heard)
        if begun_by is None:
            return speaks_to_it
        return begun_by.ticket_id in numbers and begun_by.pk <= row.seen_through
    return False


def _begun_by(clock: Deadline, heard: Sequence[Interaction]) -> Interaction | None:
    """The customer's message whose receipt started this follow-up clock."""
    begun = [row for row in heard if row.occurred_at == clock.starts_at]
    own = [row for row in begun if f"#{row.ticket_id}" == clock.subject_ref]
    return min(own or begun, key=lambda row: row.pk, default=None)


def _start_follow_up_of_unanswered(
    root: Ticket, numbers: Sequence[int], heard: Sequence[Interaction], at: dt.datetime
) -> None:
    """One running clock from the oldest unanswered message, where an answer left later ones behind."""
    through = dict(Ticket.objects.filter(pk__in=numbers).values_list("pk", "answered_through"))
    behind = [row for row in heard if row.pk > through[row.ticket_id]]
    if not behind or running(root, *ANSWERING, numbers=numbers):
        return
    oldest = min(behind, key=lambda row: (row.occurred_at, row.pk))
    version = agreement.in_force(root.contract, oldest.occurred_at)
    deadlines.start(
        [deadlines.draft("follow_up", subject_of(root), version, starts_at=oldest.occurred_at)], at=at
    )  # fmt: skip
    if not root.is_unfinished or root.state == State.WAITING:
        _open_again(root)


def _open_again(root: Ticket) -> None:
    """Somebody has to act: no state may hide it."""
    root.state, root.resolved_at, root.closed_at = State.OPEN, None, None
    root.save()


def _failed(root: Ticket, delivery: Delivery, at: dt.datetime) -> None:
    if not root.is_unfinished or root.state == State.WAITING:
        _open_again(root)
    _tell_undelivered(root, delivery, at)
    trail.record(
        Act.MESSAGE_FAILED,
        root.trail_subject,
        by="outbox",
        at=at,
        facts={"interaction": delivery.interaction_id, "message": delivery.message_id},
    )


def _tell_undelivered(root: Ticket, delivery: Delivery, at: dt.datetime) -> None:
    rungs = notices.Rungs(at)
    author = delivery.interaction.author or root.assignee
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.DELIVERY,
            key=f"undelivered:{delivery.pk}",
            to=[author] if author and author.is_active else rungs.supervisors(root.team_id),
            subject_ref=root.reference,
            path=root.path,
        ),
        at=at,
    )


@transaction.atomic
def bounce(delivery: Delivery, *, at: dt.datetime, status: str) -> None:
    """A message that had been accepted came back for good: what it met is owed again, with the first due time.

    Where something else did arrive meanwhile that does the same, the duty is met by that, at its own time.
    """
    root = lock(Ticket(pk=delivery.interaction.ticket_id))
    delivery = (
        Delivery.objects.select_for_update(of=("self",), no_key=True)
        .select_related("interaction", "message")
        .get(pk=delivery.pk)
    )
    if delivery.bounced_at is not None:
        return
    delivery.bounced_at, delivery.bounce_status = at, status[:100]
    delivery.settled_at = delivery.settled_at or at
    delivery.save(update_fields=["bounced_at", "bounce_status", "settled_at"])
    OutboundMessage.objects.filter(pk=delivery.message_id, state=OutboundMessage.State.ACCEPTED).update(
        state=OutboundMessage.State.BOUNCED, answer=status[:500]
    )
    again = _owed_again(root, delivery.interaction, at)
    root.refresh_from_db()
    if again and (not root.is_unfinished or root.state == State.WAITING):
        _open_again(root)
    derive(root)
    Address.objects.filter(kind=Address.Kind.MAIL, value__in=delivery.message.to).update(bounced_at=at)
    _tell_undelivered(root, delivery, at)
    trail.record(
        Act.MESSAGE_BOUNCED,
        root.trail_subject,
        by="bounces",
        at=at,
        facts={
            "interaction": delivery.interaction_id,
            "message": delivery.message_id,
            "status": status[:100],
            "reopened": [clock.pk for clock in again],
        },
    )


def _owed_again(root: Ticket, row: Interaction, at: dt.datetime) -> list[Deadline]:
    """Open again what this interaction met; returns what is still owed after all that did arrive."""
    numbers = family(root)
    heard = inbound(root, numbers)
    arrived = [
        (way.message.accepted_at, way.interaction, addressed(way.interaction))
        for way in Delivery.objects.filter(
            interaction__ticket__in=numbers,
            settled_at__isnull=False,
            bounced_at__isnull=True,
            message__accepted_at__isnull=False,
        )
        .select_related("interaction__author", "message")
        .order_by("message__accepted_at", "pk")
    ]
    owed = []
    for clock in obligations(root, numbers):
        if clock.met_how != f"interaction:{row.pk}":
            continue
        met_after_all = next((item for item in arrived if _does(item[1], clock, item[2], heard)), None)
        fresh = deadlines.reopen(
            clock, at=at, by="bounces", reason="bounced", owed_until=met_after_all[0] if met_after_all else None
        )
        Ticket.objects.filter(acknowledge=clock).update(acknowledge=fresh)
        Ticket.objects.filter(respond=clock).update(respond=fresh)
        if met_after_all:
            accepted_at, other, _numbers = met_after_all
            by: trail.Actor = other.author or "acknowledgements"
            deadlines.meet([fresh], at=accepted_at, by=by, how=f"interaction:{other.pk}")
        else:
            owed.append(fresh)
    if row.purpose == Purpose.ANSWER:
        for number in addressed(row):
            seen = [other.seen_through for _at, other, spoken_to in arrived if number in spoken_to]
            Ticket.objects.filter(pk=number).update(answered_through=max(seen, default=0))
    return owed
