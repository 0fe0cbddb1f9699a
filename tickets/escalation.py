"""Handing a ticket to a supervisor (clause 3.3): by a person, or by the product where a promise was broken.

Nothing blocks an escalation: no step, field or gate. At most one is open for a ticket; a further cause joins it.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from csp import access, batches, deadlines, notices, trail
from csp.access import Refused
from csp.contract import OBLIGATIONS
from csp.events import Act
from csp.models import Breach, Deadline, Notice, RoleGrant, User
from csp.roles import TABLE, Permission
from tickets import complexity, taking_up
from tickets.conversation import derive, lock, running
from tickets.handling import check_can_work
from tickets.models import Escalation, EscalationCause, Interaction, Ticket

Origin, Decision, Outcome = Escalation.Origin, Escalation.Decision, Escalation.Outcome

# The two-second loop looks back this far, which is an index range; the hourly one looks at everything.
RECENT = dt.timedelta(days=2)
ESCALATING = [code for code, rule in OBLIGATIONS.items() if rule.escalates]


def _reached(root: Ticket, row: Escalation, *, by: trail.Actor, at: dt.datetime) -> None:
    """The ticket is before a supervisor through this escalation: clause 3.3 asks no more."""
    deadlines.meet(running(root, "escalate"), at=at, by=by, how=f"escalation:{row.pk}")


@transaction.atomic
def escalate(
    ticket: Ticket,
    *,
    by: User,
    at: dt.datetime,
    reason: str,
    to: User | None = None,
    authority_needed: str = "",
    carried_by: Interaction | None = None,
) -> Escalation:
    """Hand a ticket up. Marks it complex if it is not yet, and meets clause 3.3. Raises Refused.

    What is before a supervisor already gets the reason added; a finished ticket is opened again.
    """
    root = lock(ticket)
    check_can_work(root, by, at=at)
    reason = reason.strip()
    if not reason:
        raise Refused(_("Say why it needs a supervisor; one sentence is enough."))
    if to is not None and to.pk == root.about_id:
        raise Refused(_("%(name)s cannot decide this ticket. Choose somebody else.") % {"name": to.name})
    if to is not None and not access.may(to, Permission.DECIDE_ESCALATIONS, team_id=root.team_id, at=at):
        raise Refused(_("%(name)s is not a supervisor of %(team)s.") % {"name": to.name, "team": root.team})
    was = root.state
    complexity.start_clock(root, at, carried_by)
    root.complex_reason = root.complex_reason or reason[:500]
    complexity.bring_back(root, by=by, at=at)
    if root.state == Ticket.State.NEW:
        root.state = Ticket.State.OPEN
    root.save()
    row = root.escalations.filter(closed_at__isnull=True).first()
    key = f"escalation:{row.pk}:{at.timestamp()}" if row else ""
    if row is None:
        row = Escalation.objects.create(
            ticket=root,
            team=root.team,
            origin=Origin.PERSON,
            reason=reason[:500],
            authority_needed=authority_needed.strip()[:200],
            raised_at=at,
            raised_by=by,
            from_user=root.assignee or by,
            to_user=to,
        )
        taking_up.start([row], at=at)
    else:
        _add_reason(row, reason, to=to, authority_needed=authority_needed.strip())
    complexity.said_complex(root, by=by, at=at, reason=reason)
    _reached(root, row, by=by, at=at)
    derive(root)
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.ESCALATION,
            key=key or f"escalation:{row.pk}",
            to=_told(row, at),
            subject_ref=root.reference,
            path=root.path,
        ),
        at=at,
    )
    trail.record(
        Act.ESCALATED,
        root.trail_subject,
        by=by,
        at=at,
        facts={"escalation": row.pk, "to": to.pk if to else None, "deadline": root.escalate_id, "was": was},
        personal={"reason": reason},
    )
    return row


def _add_reason(row: Escalation, reason: str, *, to: User | None, authority_needed: str) -> None:
    """A person's reason joins the escalation that is open, which the product may have opened."""
    if reason not in row.reason:
        row.reason = f"{row.reason} · {reason}"[:500]
    row.authority_needed = authority_needed[:200] or row.authority_needed
    row.to_user = to or row.to_user
    row.save(update_fields=["reason", "authority_needed", "to_user"])


def _told(row: Escalation, at: dt.datetime) -> Sequence[User]:
    """Whoever has it in hand, else the one it was handed to, else every supervisor of the team."""
    person = row.accepted_by or row.to_user
    person = taking_up.in_place_of(person, at) if person is not None else None
    return [person] if person is not None and person.is_active else notices.Rungs(at).supervisors(row.team_id)


def pull(at: dt.datetime, *, limit: int = 200) -> int:
    """Hand up each ticket whose breach, detected lately, lacks its escalation. Returns how many breaches got one.

    A ticket that a person is writing on at the moment is left for the next round, two seconds later.
    """
    return _pull_some(_lacking().filter(detected_at__gte=at - RECENT), at, limit)


def pull_all(at: dt.datetime, *, limit: int = 200) -> int:
    """The same for every breach there is, however old."""
    return _pull_some(_lacking(), at, limit)


def _lacking() -> QuerySet[Breach]:
    return Breach.objects.filter(escalation_cause__isnull=True, obligation__in=ESCALATING).order_by("detected_at", "pk")


def _pull_some(lacking: QuerySet[Breach], at: dt.datetime, limit: int) -> int:
    return batches.work_off(lacking, functools.partial(_pull, at=at), limit=limit)


@transaction.atomic(durable=True)
def _pull(lacking: QuerySet[Breach], limit: int, *, at: dt.datetime) -> int:
    breaches = list(lacking.select_related("deadline")[:limit])
    return _pull_batch(breaches, at) if breaches else 0


def _pull_batch(breaches: list[Breach], at: dt.datetime) -> int:
    by_ticket: dict[int, list[Breach]] = defaultdict(list)
    for breach in breaches:
        by_ticket[_number_of(breach)].append(breach)
    roots = _lock_roots(set(by_ticket))
    # Another worker may have been faster while we waited for nothing: look again under the locks.
    done = set(EscalationCause.objects.filter(breach__in=breaches).values_list("breach", flat=True))
    causes: dict[int, list[Breach]] = defaultdict(list)
    for number, rows in by_ticket.items():
        if number in roots:
            causes[roots[number].pk] += [row for row in rows if row.pk not in done]
    tickets = {root.pk: root for root in roots.values()}
    open_ones = {
        row.ticket_id: row for row in Escalation.objects.filter(ticket__in=list(tickets), closed_at__isnull=True)
    }
    fresh = [
        Escalation(
            ticket=tickets[pk],
            team_id=tickets[pk].team_id,
            origin=_origin(rows),
            reason=_reason(rows[0]),
            raised_at=at,
            from_user_id=tickets[pk].assignee_id,
        )
        for pk, rows in causes.items()
        if rows and pk not in open_ones
    ]
    for row in Escalation.objects.bulk_create(fresh):
        open_ones[row.ticket_id] = row
    # The database dates every change of a ticket; now it stands in another list, which open pages are to learn.
    Ticket.objects.filter(pk__in=[row.ticket_id for row in fresh]).update(changed_at=at)
    taking_up.start(fresh, at=at)
    _reached_by_product(causes, tickets, at)
    written = EscalationCause.objects.bulk_create(
        EscalationCause(escalation=open_ones[pk], breach=breach, added_at=at)
        for pk, rows in causes.items()
        for breach in rows
    )
    trail.record_all(
        trail.Entry(
            Act.ESCALATED,
            tickets[pk].trail_subject,
            by="escalation",
            at=at,
            facts={"escalation": open_ones[pk].pk, "breaches": [breach.pk for breach in rows]},
            evidence=[cause for cause in written if cause.escalation_id == open_ones[pk].pk],
        )
        for pk, rows in causes.items()
        if rows
    )
    return len(written)


def _reached_by_product(causes: dict[int, list[Breach]], tickets: dict[int, Ticket], at: dt.datetime) -> None:
    """Clause 3.3 is done where it still ran, late where it is itself what was broken: the supervisors have it now."""
    ran = [
        breach.deadline for rows in causes.values() for breach in rows if breach.obligation == "escalate"
    ] + [Deadline(pk=root.escalate_id) for root in tickets.values() if root.escalate_id is not None]  # fmt: skip
    met = {row.subject_ref for row in deadlines.meet(ran, at=at, by="escalation", how="handed up by the product")}
    if not met:
        return
    for pk, rows in causes.items():
        if met & {tickets[pk].reference, *(breach.deadline.subject_ref for breach in rows)}:
            derive(tickets[pk])


def _number_of(breach: Breach) -> int:
    return int(breach.deadline.subject_ref.removeprefix("#"))


def _lock_roots(numbers: set[int]) -> dict[int, Ticket]:
    """Those tickets, or what they were merged into, that nobody else has locked; keyed by the number asked for."""
    wanted = {number: number for number in numbers}
    while True:
        into = dict(
            Ticket.objects.filter(pk__in=set(wanted.values()), merged_into__isnull=False).values_list(
                "pk", "merged_into"
            )
        )
        if not into:
            break
        wanted = {number: into.get(root, root) for number, root in wanted.items()}
    rows = {
        row.pk: row
        for row in Ticket.objects.filter(pk__in=set(wanted.values()))
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .order_by("pk")
    }
    # One that was merged in this very moment is left for the next round.
    return {number: rows[root] for number, root in wanted.items() if root in rows and rows[root].merged_into_id is None}


def _origin(rows: Sequence[Breach]) -> Escalation.Origin:
    """A promise to the customer was broken, or nobody has said yet whether it is complex and it goes up to be safe."""
    return Origin.PRECAUTION if all(row.obligation == "triage" for row in rows) else Origin.BREACH


def _reason(breach: Breach) -> str:
    rule = OBLIGATIONS[breach.obligation]
    return f"§{rule.clause} {rule.verb}"


def _as_it_was(root: Ticket, row: Escalation) -> dict[str, Any]:
    """Whose the ticket and its running clocks were, and who would be told next: what an undo goes back to."""
    owed = [[clock.pk, clock.responsible_id] for clock in running(root)]
    return {"assignee": root.assignee_id, "owed": owed, "rung": row.next_rung_at}


def check_is_supervisor(row: Escalation, user: User, at: dt.datetime) -> None:
    access.check(user, Permission.DECIDE_ESCALATIONS, team_id=row.team_id, at=at)


def check_can_decide(row: Escalation, user: User, at: dt.datetime) -> None:
    check_is_supervisor(row, user, at)
    if row.closed_at is not None:
        raise Refused(_("This escalation is closed already."))


def lock_escalation(row: Escalation, user: User, at: dt.datetime) -> tuple[Ticket, Escalation]:
    """The ticket and its escalation, both locked, for somebody who may decide it. Raises Refused."""
    root = lock(Ticket(pk=row.ticket_id))
    row = (
        Escalation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("from_user", "take_up")
        .get(pk=row.pk)
    )
    check_can_decide(row, user, at=at)
    if root.about_id == user.pk:
        raise Refused(_("You cannot work on this ticket."))
    return root, row


@transaction.atomic
def accept(row: Escalation, *, by: User, at: dt.datetime) -> Escalation:
    """Take an escalation in hand. The accepting supervisor owes what runs on the ticket from now on."""
    root, row = lock_escalation(row, by, at=at)
    if row.accepted_at is not None:
        raise Refused(_("%(name)s has accepted this already.") % {"name": row.accepted_by})
    before = _as_it_was(root, row)
    row.accepted_at, row.accepted_by = at, by
    taking_up.taken_up(row, by=by, at=at, how="accepted")
    row.save(update_fields=["accepted_at", "accepted_by", "next_rung_at"])
    _reached(root, row, by=by, at=at)
    deadlines.hand_over(running(root), responsible=by, team=root.team, at=at)
    derive(root)
    facts = {"escalation": row.pk, **before}
    trail.record(Act.ESCALATION_ACCEPTED, root.trail_subject, by=by, at=at, facts=facts)
    return row


@transaction.atomic
def decide(row: Escalation, *, by: User, at: dt.datetime, decision: Escalation.Decision, note: str) -> Escalation:
    """Approve, reject, instruct, or take over. But for a take-over the ticket goes back to whose it was."""
    root, row = lock_escalation(row, by, at=at)
    if not note.strip() and decision != Decision.TAKE_OVER:
        raise Refused(_("Say what you decide; the representative acts on it."))
    before = _as_it_was(root, row)
    if row.accepted_at is None:
        row.accepted_at, row.accepted_by = at, by
    row.decision, row.outcome, row.outcome_note = decision, Outcome.DECIDED, note.strip()
    row.closed_at, row.closed_by = at, by
    taking_up.taken_up(row, by=by, at=at, how="decided")
    row.save()
    complexity.decided(root, by=by, at=at, how=f"escalation:{row.pk}")
    _reached(root, row, by=by, at=at)
    derive(root)
    owner = by if decision == Decision.TAKE_OVER else _owner_after(root, row, at=at)
    _give(root, row, owner, by, at)
    trail.record(
        Act.ESCALATION_DECIDED,
        root.trail_subject,
        by=by,
        at=at,
        facts={"escalation": row.pk, "decision": decision, **before},
        personal={"note": note},
    )
    return row


@transaction.atomic
def hand_back(row: Escalation, *, by: User, at: dt.datetime, reason: str) -> Escalation:
    """Return an escalation undecided, with a reason."""
    root, row = lock_escalation(row, by, at=at)
    if not reason.strip():
        raise Refused(_("Say why it goes back, so that it does not come up again the same way."))
    before = _as_it_was(root, row)
    row.outcome, row.outcome_note, row.closed_at, row.closed_by = Outcome.RETURNED, reason.strip(), at, by
    taking_up.taken_up(row, by=by, at=at, how="handed back")
    row.save()
    complexity.decided(root, by=by, at=at, how=f"escalation:{row.pk}")
    derive(root)
    _give(root, row, _owner_after(root, row, at=at), by, at)
    trail.record(
        Act.ESCALATION_RETURNED,
        root.trail_subject,
        by=by,
        at=at,
        facts={"escalation": row.pk, **before},
        personal={"reason": reason},
    )
    return row


def follow_the_ticket(root: Ticket, *, by: User, at: dt.datetime) -> None:
    """The ticket is another team's now: its supervisors have what stands open before them, and are told."""
    row = root.escalations.filter(closed_at__isnull=True).select_related("accepted_by", "to_user", "take_up").first()
    if row is None:
        return
    if row.accepted_by is not None and not may_decide(row.accepted_by, root, at=at):
        row = pass_on(
            row, root, by=by, at=at, why=_("Moved to %(team)s.") % {"team": root.team}
        )  # that it was accepted, by whom and when, does not change
    else:
        row.team = root.team
        if not may_decide(row.to_user, root, at=at):
            row.to_user = None
        row.save(update_fields=["team", "to_user"])
        if row.take_up is not None:
            deadlines.hand_over([row.take_up], responsible=row.to_user, team=root.team, at=at)
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.ESCALATION,
            key=f"escalation:{row.pk}:team:{root.team_id}:{at.timestamp()}",
            to=_told(row, at),
            subject_ref=root.reference,
            path=root.path,
        ),
        at=at,
    )


def pass_on_orphaned(at: dt.datetime, *, limit: int = 200) -> int:
    """Put before the supervisors again what somebody had accepted who may no longer decide it. Returns how many."""
    numbers = list(_orphaned(at).order_by("pk").values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_pass_on_one, at=at), limit=limit)


def _orphaned(at: dt.datetime) -> QuerySet[Escalation]:
    decides = RoleGrant.objects.in_force(at).filter(
        user=OuterRef("accepted_by"), team=OuterRef("team"), role__in=TABLE[Permission.DECIDE_ESCALATIONS]
    )
    in_hand = Escalation.objects.filter(closed_at__isnull=True, accepted_by__isnull=False)
    return in_hand.filter(Q(accepted_by__is_active=False) | ~Exists(decides))


@transaction.atomic(durable=True)
def _pass_on_one(number: int, *, at: dt.datetime) -> int:
    root = lock(Escalation.objects.select_related("ticket").get(pk=number).ticket)
    row = _orphaned(at).filter(pk=number).first()
    if row is None:
        return 0  # decided meanwhile
    fresh = pass_on(row, root, by=None, at=at, why=_("Whoever had it does not decide here any more."))
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.ESCALATION,
            key=f"escalation:{fresh.pk}:again",
            to=_told(fresh, at),
            subject_ref=root.reference,
            path=root.path,
        ),
        at=at,
    )
    trail.record(
        Act.ESCALATION_RETURNED, root.trail_subject, by="people", at=at,
        facts={"escalation": row.pk, "again": fresh.pk, "from": row.accepted_by_id},
    )  # fmt: skip
    return 1


def pass_on(
    row: Escalation, root: Ticket, *, by: User | None, at: dt.datetime, why: str, to: User | None = None
) -> Escalation:
    """Put what somebody had accepted before the supervisors anew, or before one of them. The caller holds the lock."""
    row.closed_at, row.closed_by, row.outcome, row.outcome_note = at, by, Outcome.CLOSED, why
    row.save()
    fresh = Escalation.objects.create(
        ticket=root,
        team=root.team,
        origin=row.origin,
        reason=row.reason,
        authority_needed=row.authority_needed,
        raised_at=at,
        raised_by=row.raised_by,
        from_user=row.from_user,
        to_user=to,
    )
    taking_up.start([fresh], at=at)
    return fresh


def end_here(
    row: Escalation, by: User, at: dt.datetime, note: str
) -> tuple[Deadline | None, dt.datetime | None]:  # fmt: skip
    """Close an escalation that goes on in another row; returns its clock, which runs on, and when the next rung is."""
    clock, next_rung_at = row.take_up, row.next_rung_at
    row.take_up, row.next_rung_at = None, None
    row.closed_at, row.closed_by, row.outcome, row.outcome_note = at, by, Outcome.CLOSED, note
    row.save()
    return clock, next_rung_at


def end_unasked(row: Escalation, *, by: User, at: dt.datetime) -> None:
    """End what was taken back before anybody took it up; its clock, where it runs, is owed by nobody."""
    clock, _rung = end_here(row, by, at, _("Taken back."))
    if clock is not None:
        deadlines.lapse([clock], at=at, by=by, reason="The escalation was taken back.")


def go_on(
    row: Escalation, ticket: Ticket, *, clock: Deadline | None = None, next_rung_at: dt.datetime | None = None
) -> Escalation:
    """The same matter before the same supervisors, with this ticket: what was raised and accepted stays so."""
    return Escalation.objects.create(
        ticket=ticket,
        team=ticket.team,
        origin=row.origin,
        reason=row.reason,
        authority_needed=row.authority_needed,
        raised_at=row.raised_at,
        raised_by=row.raised_by,
        from_user=row.from_user,
        to_user=row.to_user,
        accepted_at=row.accepted_at,
        accepted_by=row.accepted_by,
        take_up=clock,
        next_rung_at=next_rung_at,
    )


def may_decide(person: User | None, root: Ticket, at: dt.datetime) -> bool:
    return person is not None and access.may(person, Permission.DECIDE_ESCALATIONS, team_id=root.team_id, at=at)


def _owner_after(root: Ticket, row: Escalation, at: dt.datetime) -> User | None:
    """Whose the ticket is again: the one it came from, while still at work in the team."""
    person = root.assignee or row.from_user
    if (
        person is not None
        and person.is_active
        and access.may(person, Permission.WORK_TICKETS, team_id=root.team_id, at=at)
    ):
        return person
    return None


def _give(root: Ticket, row: Escalation, owner: User | None, by: User, at: dt.datetime) -> None:
    """Whose the ticket is now, and what the supervisor said, which reaches whoever acts on it."""
    told = {
        person.pk: person for person in (owner, _owner_after(root, row, at=at)) if person is not None and person != by
    }
    if root.assignee_id != (owner.pk if owner else None):
        root.assignee = owner
        root.save()
    deadlines.hand_over(running(root), responsible=owner, team=root.team, at=at)
    if told:
        notices.tell(
            notices.Telling(
                kind=Notice.Kind.RETURNED,
                key=f"returned:{root.pk}:{at.timestamp()}",
                to=told.values(),
                subject_ref=root.reference,
                path=root.path,
                facts={"decision": row.decision},
                words=row.outcome_note,
            ),
            at=at,
        )
