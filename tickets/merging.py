"""Joining what belongs together: merge and its undo, links between tickets.

A merge moves nothing. The merged ticket points at the one that speaks for it from now on and keeps its interactions,
receipt and deadlines, so that undoing is taking the pointer away.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, deadlines, trail
from csp.access import Refused
from csp.events import Act
from csp.models import User
from csp.roles import Permission
from tickets import complaints, confidence, finishing
from tickets.conversation import ANSWERING, derive, family, inbound, lock, root_number, running
from tickets.delivery import start_follow_up_of_unanswered
from tickets.handling import check_can_work
from tickets.models import Escalation, Ticket, TicketLink
from tickets.reach import check_is_real


def _lock_both(one: Ticket, other: Ticket) -> tuple[Ticket, Ticket]:
    """Both roots, locked in the order of their numbers so that two merges cannot wait for each other."""
    first, second = root_number(one.pk), root_number(other.pk)
    rows = {number: lock(Ticket(pk=number)) for number in sorted({first, second})}
    if (root_number(one.pk), root_number(other.pk)) != (rows[first].pk, rows[second].pk):
        raise Refused(_("Somebody has just merged or separated one of these. Look again."))
    return rows[first], rows[second]


@transaction.atomic
def merge(ticket: Ticket, *, into: Ticket, by: User, at: dt.datetime) -> Ticket:
    """Let `into` speak for `ticket`. Only one customer's tickets; every deadline and the earliest receipt survive."""
    source, target = _lock_both(ticket, into)
    check_can_work(source, by)
    check_can_work(target, by)
    check_is_real(source, target)
    access.check(by, Permission.MERGE_TICKETS, team_id=target.team_id)
    if source.pk == target.pk:
        raise Refused(_("These are one ticket already."))
    if source.contract_id != target.contract_id:
        raise Refused(_("Tickets of different contracts are not merged."))
    if source.customer_id is None or source.customer_id != target.customer_id:
        raise Refused(_("Only tickets of one customer are merged. Link these instead; each customer is answered."))
    if target.state == Ticket.State.CLOSED:
        raise Refused(_("%(ref)s is closed. Open it again first.") % {"ref": target.reference})
    confidence.check_can_join(source, target)
    if source.escalations.filter(closed_at__isnull=True).exists():
        _carry_escalation(source, target, by, at)
    before = source.state
    unanswered = running(source, *ANSWERING)
    source.merged_into, source.merged_at, source.state = target, at, Ticket.State.MERGED
    source.save()
    confidence.joined(source, target, at=at)
    stands = target.escalations.filter(closed_at__isnull=True).first()
    if stands is not None:  # clause 3.3 of both is done by the one that is before a supervisor
        deadlines.meet(running(target, "escalate"), at=at, by=by, how=f"escalation:{stands.pk}")
    complaints.merged(source, target, at=at, by=by)
    waiting = running(target)
    deadlines.hand_over(waiting, responsible=target.assignee, team=target.team, at=at)
    if (waiting and not target.is_unfinished) or (unanswered and target.state == Ticket.State.WAITING):
        if not target.is_unfinished:
            finishing.opened_again(target, at=at)
        target.state, target.resolved_at = Ticket.State.OPEN, None
        target.save()
    derive(source, rows=())
    derive(target, rows=waiting)
    trail.record(
        Act.TICKET_MERGED,
        source.trail_subject,
        by=by,
        at=at,
        facts={"into": target.pk, "state": before, "received": source.received_at},
    )
    trail.record(Act.TICKET_MERGED, target.trail_subject, by=by, at=at, facts={"from": source.pk})
    return target


def _carry_escalation(source: Ticket, target: Ticket, by: User, at: dt.datetime) -> None:
    """What stood before a supervisor still does: with the ticket that speaks now, or joined to its open escalation."""
    moving = source.escalations.select_related("take_up").get(closed_at__isnull=True)
    clock, next_rung_at, moving.take_up = moving.take_up, moving.next_rung_at, None
    moving.next_rung_at = None
    moving.save(update_fields=["take_up", "next_rung_at"])
    if not target.escalations.filter(closed_at__isnull=True).exists():
        Escalation.objects.create(
            ticket=target,
            team=target.team,
            origin=moving.origin,
            reason=moving.reason,
            authority_needed=moving.authority_needed,
            raised_at=moving.raised_at,
            raised_by=moving.raised_by,
            from_user=moving.from_user,
            to_user=moving.to_user,
            accepted_at=moving.accepted_at,
            accepted_by=moving.accepted_by,
            take_up=clock,
            next_rung_at=next_rung_at,
        )
    elif clock is not None:
        deadlines.meet([clock], at=at, by=by, how="joined to what is open")
    moving.closed_at, moving.closed_by, moving.outcome = at, by, Escalation.Outcome.CLOSED
    moving.outcome_note = _("Merged into %(ref)s.") % {"ref": target.reference}
    moving.save()


@transaction.atomic
def unmerge(ticket: Ticket, *, by: User, at: dt.datetime) -> Ticket:
    """Take a merge back: the ticket speaks for itself again, with its own clocks."""
    target = lock(ticket)
    source = Ticket.objects.select_related("contract", "team", "assignee").get(pk=ticket.pk)
    check_can_work(source, by)
    if source.merged_into_id is None:
        raise Refused(_("This ticket is not merged."))
    source.merged_into, source.merged_at, source.state = None, None, Ticket.State.OPEN
    finishing.opened_again(source, at=at)
    source.save()
    waiting = running(source)
    deadlines.hand_over(waiting, responsible=source.assignee, team=source.team, at=at)
    for apart in (source, target):  # what waited under a clock of the other has one of its own again
        numbers = family(apart)
        start_follow_up_of_unanswered(apart, numbers, inbound(apart, numbers), at)
        derive(apart)
    trail.record(Act.TICKET_UNMERGED, source.trail_subject, by=by, at=at, facts={"from": target.pk})
    trail.record(Act.TICKET_UNMERGED, target.trail_subject, by=by, at=at, facts={"out": source.pk})
    return source


@transaction.atomic
def link(ticket: Ticket, *, other: Ticket, kind: TicketLink.Kind, by: trail.Actor, at: dt.datetime) -> TicketLink:
    """Note that two tickets have to do with each other; linking twice is one link. It is written on both of them."""
    root = lock(ticket)
    if isinstance(by, User):
        check_can_work(root, by)
        check_can_work(other, by)
    check_is_real(root, other)
    if root.pk == other.pk:
        raise Refused(_("A ticket is not linked to itself."))
    row, is_new = TicketLink.objects.get_or_create(
        ticket=root,
        other=other,
        kind=kind,
        defaults={"linked_by": by if isinstance(by, User) else None, "linked_at": at},
    )
    if is_new:
        trail.record(
            Act.TICKET_LINKED, root.trail_subject, by=by, at=at, facts={"other": other.pk, "kind": kind}
        )  # fmt: skip
    return row


@transaction.atomic
def join_stranger(ticket: Ticket, *, by: User, at: dt.datetime) -> Ticket:
    """Somebody else who quoted a ticket's reference does belong to it: one customer from now on, and one ticket.

    The stranger's ticket gets the customer of the ticket that was quoted and is merged into it.
    """
    number = root_number(ticket.pk)
    bond = TicketLink.objects.filter(ticket=number, kind=TicketLink.Kind.STRANGER).select_related("other").first()
    if bond is None:
        raise Refused(_("This ticket is not linked to one that its sender quoted."))
    root, quoted = _lock_both(ticket, bond.other)
    check_can_work(root, by)
    if quoted.state == Ticket.State.CLOSED:
        raise Refused(_("%(ref)s is closed. Open it again first.") % {"ref": quoted.reference})
    before = root.customer_id
    root.customer = quoted.customer
    root.save()
    trail.record(
        Act.TICKET_JOINED,
        root.trail_subject,
        by=by,
        at=at,
        facts={"to": quoted.pk, "customer_before": before, "customer": quoted.customer_id},
    )
    return merge(root, into=quoted, by=by, at=at)
