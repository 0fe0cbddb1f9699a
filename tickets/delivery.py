"""What becomes of a message outside: accepted, refused or returned; and the duties that this meets or opens again.

Clause 3.1: a duty to tell a customer is met when the first server outside our control accepts the mail.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Max

from csp import agreement, deadlines, notices, trail
from csp.events import Act
from csp.models import Address, Deadline, Notice, OutboundMessage
from tickets.conversation import ANSWERING, Purpose, derive, family, inbound, lock, obligations, running, subject_of
from tickets.models import Delivery, Interaction, Ticket

State = Ticket.State


def settle(at: dt.datetime, *, limit: int = 200) -> int:
    """Act on each outgoing message whose fate is known and that has not been acted on. Returns how many.

    Accepted outside: what it meets is met at the instant of acceptance. Refused for good: the duty stays open and
    people are asked to try another channel.
    """
    known = (OutboundMessage.State.ACCEPTED, OutboundMessage.State.FAILED, OutboundMessage.State.BOUNCED)
    waiting = (
        Delivery.objects.filter(settled_at__isnull=True, message__state__in=known)
        .order_by("message__ended_at", "pk")
        .values_list("pk", "interaction__ticket")[:limit]
    )
    return sum(_settle_one(pk, number, at) for pk, number in list(waiting))


@transaction.atomic(durable=True)
def _settle_one(pk: int, number: int, at: dt.datetime) -> int:
    root = lock(Ticket(pk=number))
    delivery = (
        Delivery.objects.select_for_update(of=("self",))
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
    open_rows = running(root)
    met = [clock for clock in open_rows if clock.obligation == "acknowledge"]
    if row.purpose == Purpose.ANSWER:
        starters: dict[int | None, int] = {
            interaction.follow_up_id: interaction.pk
            for interaction in inbound(root)
            if interaction.follow_up_id is not None
        }
        met += [
            clock
            for clock in open_rows
            if clock.obligation == "respond"
            or (clock.obligation == "follow_up" and _starter(clock, starters) <= row.seen_through)
        ]
    by: trail.Actor = row.author or "acknowledgements"
    deadlines.meet(met, at=accepted_at, by=by, how=f"interaction:{row.pk}")
    if row.purpose == Purpose.ANSWER:
        root.answered_through = max(root.answered_through, row.seen_through)
        Ticket.objects.filter(pk=root.pk).update(answered_through=root.answered_through)
        _start_follow_up_of_unanswered(root, accepted_at)
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


def _starter(clock: Deadline, starters: dict[int | None, int]) -> int:
    """The interaction whose receipt started this follow-up clock; 0 for a clock that names none (it is the oldest)."""
    return starters.get(clock.pk) or starters.get(clock.reopens_id) or 0


def _start_follow_up_of_unanswered(root: Ticket, at: dt.datetime) -> None:
    """One running clock from the oldest unanswered message, where an answer left later ones behind."""
    behind = [row for row in inbound(root) if row.pk > root.answered_through]
    if not behind or running(root, *ANSWERING):
        return
    oldest = min(behind, key=lambda row: row.occurred_at)
    version = agreement.in_force(root.contract, oldest.occurred_at)
    deadlines.start(
        [deadlines.draft("follow_up", subject_of(root), version, starts_at=oldest.occurred_at)], at=at
    )  # fmt: skip


def _failed(root: Ticket, delivery: Delivery, at: dt.datetime) -> None:
    if root.state in (State.WAITING, State.RESOLVED):
        root.state, root.resolved_at = State.OPEN, None
        root.save()
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
    """A message that had been accepted came back for good: what it met is owed again, with the first due time."""
    root = lock(Ticket(pk=delivery.interaction.ticket_id))
    delivery = (
        Delivery.objects.select_for_update(of=("self",)).select_related("interaction", "message").get(pk=delivery.pk)
    )
    if delivery.bounced_at is not None:
        return
    delivery.bounced_at, delivery.bounce_status = at, status[:100]
    delivery.settled_at = delivery.settled_at or at
    delivery.save(update_fields=["bounced_at", "bounce_status", "settled_at"])
    OutboundMessage.objects.filter(pk=delivery.message_id, state=OutboundMessage.State.ACCEPTED).update(
        state=OutboundMessage.State.BOUNCED, answer=status[:500]
    )
    again = []
    for clock in obligations(root):
        if clock.met_how == f"interaction:{delivery.interaction_id}":
            fresh = deadlines.reopen(clock, at=at, by="bounces", reason="bounced")
            again.append(fresh.pk)
            Ticket.objects.filter(acknowledge=clock).update(acknowledge=fresh)
            Ticket.objects.filter(respond=clock).update(respond=fresh)
    sound = Interaction.objects.filter(
        ticket__in=family(root),
        purpose=Purpose.ANSWER,
        delivery__settled_at__isnull=False,
        delivery__bounced_at__isnull=True,
        delivery__message__accepted_at__isnull=False,
    )
    root.refresh_from_db()
    root.answered_through = sound.aggregate(last=Max("seen_through"))["last"] or 0
    if again and root.state in (State.WAITING, State.RESOLVED, State.CLOSED):
        root.state, root.resolved_at, root.closed_at = State.OPEN, None, None
    root.save()
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
            "reopened": again,
        },
    )
