"""In which state a ticket is, what it is about, when somebody wants to be reminded of it. None of this meets a duty."""

from __future__ import annotations

import datetime as dt
import functools

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from csp import access, batches, deadlines, notices, trail
from csp.access import AlreadySo, Refused
from csp.events import Act
from csp.models import Deadline, Notice, User
from csp.roles import Role
from tickets import closing, complaints, finishing, reopening, resolving, taking_up
from tickets.conversation import derive, has_spoken, lock, running
from tickets.handling import check_can_work
from tickets.models import Category, Resolution, Ticket

State = Ticket.State
CLOSES_AFTER = dt.timedelta(days=7)  # policy: a resolved ticket closes itself after seven quiet days


@transaction.atomic
def change_state(ticket: Ticket, *, to: Ticket.State, by: trail.Actor, at: dt.datetime, resolution: str = "") -> Ticket:
    """Open, waiting, resolved or closed. A state meets nothing (clause 3.1).

    Raises Refused, and AlreadySo where it has this state already.
    """
    root = lock(ticket)
    if isinstance(by, User):
        check_can_work(root, by, at=at)
    if to not in (State.OPEN, State.WAITING, State.RESOLVED, State.CLOSED):
        raise Refused(_("A ticket becomes new or merged by other means."))
    if root.state == to:
        words = {"ref": root.reference, "state": to.label}
        raise AlreadySo(_("%(ref)s has the state “%(state)s” already. Nothing was changed.") % words)
    if to != State.OPEN and isinstance(by, User):
        closing.check(root, to)
    before = root.state
    if to in (State.RESOLVED, State.CLOSED):
        root.state = to
        root.resolved_at = at if to == State.RESOLVED else root.resolved_at or at
        root.closed_at = at if to == State.CLOSED else None
        anew = before not in (State.RESOLVED, State.CLOSED)
        resolving.resolved(root, by=by, at=at, text=resolution, anew=anew)
        finishing.finished(root, by=by, at=at)
        complaints.resolved(root, at=at, by=by)
    else:
        reopening.bring_back(root, at=at, by=by, to=to)
    root.save()
    if to == State.CLOSED:
        end_open_escalation(root, by, at)
    trail.record(
        Act.TICKET_STATE, root.trail_subject, by=by, at=at, facts={"from": before, "to": to},
        personal={"resolution": resolution},
    )  # fmt: skip
    return root


def end_open_escalation(root: Ticket, by: trail.Actor, at: dt.datetime) -> None:
    for row in root.escalations.filter(closed_at__isnull=True).select_related("take_up"):
        row.closed_at, row.closed_by, row.outcome = at, by if isinstance(by, User) else None, "closed"
        taking_up.taken_up(row, by=by, at=at, how="ended with the ticket")
        row.save(update_fields=["closed_at", "closed_by", "outcome", "next_rung_at"])


@transaction.atomic
def retype(
    ticket: Ticket,
    *,
    by: User,
    at: dt.datetime,
    kind: Ticket.Kind | None = None,
    category: Category | None = None,
    clear_category: bool = False,
    priority: Ticket.Priority | None = None,
    subject: str | None = None,
) -> Ticket:
    """Say what a ticket is. Retyping a complaint needs a supervisor who does not work on it (3.2)."""
    root = lock(ticket)
    check_can_work(root, by, at=at)
    was_complaint = root.kind == Ticket.Kind.COMPLAINT
    unmakes_complaint = kind is not None and was_complaint and kind != root.kind
    is_outsider = (
        root.team_id in access.scope_of(by, at).teams(Role.SUPERVISOR)
        and root.assignee_id != by.pk
        and not has_spoken(root, by)
    )
    if unmakes_complaint and not is_outsider:
        raise Refused(_("Only a supervisor of its team who does not work on it may say that a complaint is none."))
    changes: dict[str, object] = {}
    if kind is not None and kind != root.kind:
        changes["kind"] = [root.kind, kind]
        root.kind = kind
    if (category is not None or clear_category) and root.category_id != getattr(category, "pk", None):
        if was_complaint and not unmakes_complaint and not is_outsider and complaints.loosens(root, category):
            raise Refused(
                _("The procedure of this category gives the complaint more time. A supervisor of its team who does not "
                  "work on it may choose that.")
            )  # fmt: skip
        changes["category"] = [root.category_id, getattr(category, "pk", None)]
        root.category = category
    if priority is not None and priority != root.priority:
        changes["priority"] = [root.priority, priority]
        root.priority = priority
    personal = {}
    if subject is not None and subject.strip() and subject.strip() != root.subject:
        personal = {"subject_before": root.subject, "subject": subject.strip()}
        changes["subject"] = "changed"
        root.subject = " ".join(subject.split())[:300]
    if changes:
        root.save()
        _retyped(root, was_complaint, by=by, at=at)
        trail.record(
            Act.TICKET_TYPED, root.trail_subject, by=by, at=at, facts=changes, personal=personal
        )  # fmt: skip
    return root


def _retyped(root: Ticket, was_complaint: bool, *, by: User, at: dt.datetime) -> None:
    """Clause 3.2 counts from receipt for what turns out a complaint, and not at all for what turns out none."""
    if root.kind != Ticket.Kind.COMPLAINT:
        if was_complaint:
            complaints.end(root, at=at, by=by, reason="It is no complaint.")
    elif was_complaint:
        complaints.recategorised(root, at=at, by=by)
    else:
        complaints.begin(root, at=at, by=by)


@transaction.atomic
def waive(ticket: Ticket, row: Deadline, *, by: User, at: dt.datetime, reason: str) -> Ticket:
    """End one of the ticket's deadlines as not owed, before it is due. Raises Refused."""
    root = lock(ticket)
    if has_spoken(root, by):
        raise Refused(_("You wrote to the customer on this ticket yourself. Ask another supervisor to waive it."))
    deadlines.waive(row, by=by, at=at, reason=reason)
    derive(root)
    return root


@transaction.atomic
def set_pending(ticket: Ticket, *, until: dt.datetime | None, by: User, at: dt.datetime) -> Ticket:
    """Ask to be reminded at an instant, or take that back (None). No clock changes."""
    root = lock(ticket)
    check_can_work(root, by, at=at)
    if until is not None and until <= at:
        raise Refused(_("Choose a time that is still to come."))
    root.pending_until, root.pending_for = until, by if until else None
    root.save()
    trail.record(Act.TICKET_PENDING, root.trail_subject, by=by, at=at, facts={"until": until})
    return root


def remind_pending(at: dt.datetime, *, limit: int = 200) -> int:
    """Tell people of the reminders that they set. Returns how many."""
    waiting = Ticket.objects.filter(pending_until__lte=at).order_by("pending_until")
    return batches.work_off(waiting, functools.partial(_remind_pending, at=at), limit=limit)


@transaction.atomic(durable=True)
def _remind_pending(waiting: QuerySet[Ticket], limit: int, *, at: dt.datetime) -> int:
    rows = list(
        waiting.select_related("pending_for").select_for_update(skip_locked=True, of=("self",), no_key=True)[:limit]
    )
    if not rows:
        return 0
    rungs = notices.Rungs(at)
    notices.tell(
        *(
            notices.Telling(
                kind=Notice.Kind.PENDING,
                key=f"pending:{row.pk}:{row.pending_until:%Y%m%d%H%M%S}",
                to=[row.pending_for]
                if row.pending_for and row.pending_for.is_active
                else rungs.supervisors(row.team_id),
                subject_ref=row.reference,
                path=row.path,
            )
            for row in rows
        ),
        at=at,
    )
    Ticket.objects.filter(pk__in=[row.pk for row in rows]).update(pending_until=None, pending_for=None)
    return len(rows)


def close_resolved(at: dt.datetime, *, limit: int = 200) -> int:
    """Close what has been resolved for seven quiet days and owes nothing. Returns how many."""
    due = Ticket.objects.filter(state=State.RESOLVED, resolved_at__lte=at - CLOSES_AFTER, next_due_at__isnull=True)
    numbers = list(due.order_by("resolved_at").values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_close_one, at=at), limit=limit)


@transaction.atomic(durable=True)
def _close_one(number: int, *, at: dt.datetime) -> int:
    root = lock(Ticket(pk=number))
    quiet = root.state == State.RESOLVED and root.resolved_at is not None and root.resolved_at <= at - CLOSES_AFTER
    if not quiet or running(root):
        return 0
    if any(row.name != "acceptance" for row in closing.missing(root, State.CLOSED)):
        return 0  # somebody has to add to the record first; the ticket's page says what
    resolution = resolving.current(root)
    if root.kind == Ticket.Kind.COMPLAINT and resolution is not None and not resolution.acceptance:
        resolving.record_acceptance(root, Resolution.Acceptance.NO_ANSWER, "closing", at)
    change_state(root, to=State.CLOSED, by="closing", at=at)
    return 1
