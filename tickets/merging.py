"""Joining what belongs together: merge and its undo, links between tickets.

A merge moves nothing. The merged ticket points at the one that speaks for it from now on and keeps its interactions,
receipt and deadlines, so that undoing is taking the pointer away.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, deadlines, trail
from csp.access import Refused
from csp.events import Act
from csp.models import TrailEntry, User
from csp.roles import Permission
from tickets import complaints, confidence, escalation, finishing, reopening, taking_up
from tickets.conversation import ANSWERING, clocks_of, derive, family, inbound, lock, root_number, running
from tickets.delivery import start_follow_up_of_unanswered
from tickets.handling import check_can_work
from tickets.models import Ticket, TicketLink
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
    check_can_work(source, by, at=at)
    check_can_work(target, by, at=at)
    check_is_real(source, target)
    access.check(by, Permission.MERGE_TICKETS, team_id=target.team_id, at=at)
    if source.pk == target.pk:
        raise Refused(_("These are one ticket already."))
    if source.contract_id != target.contract_id:
        raise Refused(_("Tickets of different contracts are not merged."))
    if source.customer_id is None or source.customer_id != target.customer_id:
        raise Refused(_("Only tickets of one customer are merged. Link these instead; each customer is answered."))
    if target.state == Ticket.State.CLOSED:
        raise Refused(_("%(ref)s is closed. Open it again first.") % {"ref": target.reference})
    confidence.check_can_join(source, target)
    carried = _carry_escalation(source, target, by, at)
    before, kind, category = source.state, target.kind, target.category_id
    unanswered = running(source, *ANSWERING)
    source.merged_into, source.merged_at, source.state = target, at, Ticket.State.MERGED
    source.save()
    confidence.joined(source, target, at=at)
    stands = target.escalations.filter(closed_at__isnull=True).first()
    if stands is not None:  # clause 3.3 of both is done by the one that is before a supervisor
        deadlines.meet(running(target, "escalate"), at=at, by=by, how=f"escalation:{stands.pk}")
    begun = complaints.merged(source, target, at=at, by=by)
    waiting = running(target)
    deadlines.hand_over(waiting, responsible=target.assignee, team=target.team, at=at)
    if (waiting and not target.is_unfinished) or (unanswered and target.state == Ticket.State.WAITING):
        reopening.bring_back(target, at=at, by=by)
        target.save()
    derive(source, rows=())
    derive(target)
    trail.record(
        Act.TICKET_MERGED,
        source.trail_subject,
        by=by,
        at=at,
        # what undoing it has to restore
        facts={
            "into": target.pk,
            "state": before,
            "received": source.received_at,
            "escalation": carried,
            "complaint": {"checklist": begun.pk, "kind": kind, "category": category} if begun else None,
        },
    )
    trail.record(Act.TICKET_MERGED, target.trail_subject, by=by, at=at, facts={"from": source.pk})
    return target


def _carry_escalation(source: Ticket, target: Ticket, by: User, at: dt.datetime) -> dict[str, int] | None:
    """What stood before a supervisor still does: with the ticket that speaks now, or joined to its open escalation.

    Returns which row it was, which one goes on with it, or which it was joined to; None where nothing stood there.
    """
    moving = source.escalations.select_related("take_up").filter(closed_at__isnull=True).first()
    if moving is None:
        return None
    stands = target.escalations.filter(closed_at__isnull=True).first()
    clock, next_rung_at = escalation.end_here(moving, by, at, _("Merged into %(ref)s.") % {"ref": target.reference})
    if stands is None:
        new = escalation.go_on(moving, target, clock=clock, next_rung_at=next_rung_at)
        return {"from": moving.pk, "to": new.pk}
    if clock is not None:
        deadlines.meet([clock], at=at, by=by, how="joined to what is open")
    return {"from": moving.pk, "joined": stands.pk}


@transaction.atomic
def unmerge(ticket: Ticket, *, by: User, at: dt.datetime) -> Ticket:
    """Take a merge back: the ticket speaks for itself again, with its own clocks, in the state that it had.

    What the merge took along goes back with it: what stands before a supervisor, and the complaint that it made of the
    other ticket. What was decided meanwhile stays decided.
    """
    target = lock(ticket)
    source = Ticket.objects.select_related("contract", "team", "assignee").get(pk=ticket.pk)
    check_can_work(source, by, at=at)
    if source.merged_into_id is None:
        raise Refused(_("This ticket is not merged."))
    merged_at, did = _what_merging_did(source)
    state = Ticket.State(did.get("state", Ticket.State.OPEN))
    source.merged_into, source.merged_at = None, None
    source.state = Ticket.State.OPEN if state == Ticket.State.NEW else state  # somebody has had it in hand
    if source.is_unfinished:
        finishing.opened_again(source, at=at)
    source.save()
    _restore_escalation(did.get("escalation") or {}, source, target, merged_at, by=by, at=at)
    if begun := did.get("complaint"):
        complaints.parted(
            target, begun["checklist"], kind=begun["kind"], category=begun["category"], at=at, by=by
        )  # fmt: skip
    deadlines.hand_over(running(source), responsible=source.assignee, team=source.team, at=at)
    for apart in (source, target):  # what waited under a clock of the other has one of its own again
        numbers = family(apart)
        start_follow_up_of_unanswered(apart, numbers, inbound(apart, numbers), at, by=by)
    ends = () if source.is_unfinished else ("escalate", "resolve")
    if source.state != Ticket.State.OPEN and running(source, *ANSWERING, *ends):
        reopening.bring_back(source, at=at, by=by)  # no state hides what came meanwhile
        source.save()
    for apart in (source, target):
        derive(apart)
    trail.record(
        Act.TICKET_UNMERGED, source.trail_subject, by=by, at=at, facts={"from": target.pk, "state": source.state}
    )
    trail.record(Act.TICKET_UNMERGED, target.trail_subject, by=by, at=at, facts={"out": source.pk})
    return source


def _what_merging_did(source: Ticket) -> tuple[dt.datetime, dict[str, Any]]:
    """When it was merged, and what the trail says of that."""
    assert source.merged_at is not None
    entries = TrailEntry.objects.filter(act=Act.TICKET_MERGED, subject=source.trail_subject).order_by("-pk")
    for entry in entries:
        facts: dict[str, Any] = json.loads(entry.facts)
        if facts.get("into") is not None:  # else another was merged into this one
            return source.merged_at, facts
    return source.merged_at, {}


def _restore_escalation(
    moved: dict[str, int], source: Ticket, target: Ticket, merged_at: dt.datetime, *, by: User, at: dt.datetime
) -> None:
    """What had stood before a supervisor stands there for the ticket itself again, unless it is decided."""
    if "to" in moved:
        row = target.escalations.select_related("take_up").filter(pk=moved["to"], closed_at__isnull=True).first()
        if row is None:
            return
        note = _("Separated: it goes on with %(ref)s.") % {"ref": source.reference}
        clock, next_rung_at = escalation.end_here(row, by, at, note)
        escalation.go_on(row, source, clock=clock, next_rung_at=next_rung_at)
        # What the merge alone had met: the target's own case is before nobody any more.
        alone = clocks_of(family(target)).filter(
            obligation="escalate", met_how=f"escalation:{row.pk}", met_at=merged_at
        )
        for each in alone:
            fresh = deadlines.reopen(each, at=at, by=by, reason="separated")
            Ticket.objects.filter(escalate=each).update(escalate=fresh)
            if target.escalate_id == each.pk:
                target.escalate = fresh
    elif "joined" in moved:
        first = source.escalations.filter(pk=moved["from"]).first()
        if first is None or not target.escalations.filter(pk=moved["joined"], closed_at__isnull=True).exists():
            return
        again = escalation.go_on(first, source)
        taking_up.start([again], at=at)


@transaction.atomic
def link(ticket: Ticket, *, other: Ticket, kind: TicketLink.Kind, by: trail.Actor, at: dt.datetime) -> TicketLink:
    """Note that two tickets have to do with each other; linking twice is one link. It is written on both of them."""
    root = lock(ticket)
    if isinstance(by, User):
        check_can_work(root, by, at=at)
        check_can_work(other, by, at=at)
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
    check_can_work(root, by, at=at)
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
