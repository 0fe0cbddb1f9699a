"""The steps of one complaint: done with what has to be filled in, or waived by somebody else (clause 3.2).

A waived step is a deviation from the procedure, which audits reports.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, notices, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Notice, User
from csp.roles import Permission
from tickets import steps
from tickets.conversation import family, has_spoken, lock
from tickets.models import ChecklistStep, Ticket
from tickets.reach import check_can_work

State = Ticket.State


def steps_of(ticket: Ticket, numbers: Sequence[int] | None = None) -> list[ChecklistStep]:
    """The steps of the complaint and of every complaint merged into it (`numbers`, where known), in order."""
    within = numbers or family(ticket)
    rows = ChecklistStep.objects.filter(checklist__ticket__in=within, checklist__ended_at__isnull=True)
    people = ("done_by", "asked_by", "waived_by")
    return list(rows.select_related("checklist", *people).order_by("checklist", "position"))


def _lock_step(step: ChecklistStep, by: User, at: dt.datetime) -> tuple[Ticket, ChecklistStep]:
    root = lock(Ticket(pk=step.checklist.ticket_id))
    check_can_work(root, by, at=at)
    if root.state == State.CLOSED:
        raise Refused(_("This ticket is closed; its steps stay as they are."))
    row = ChecklistStep.objects.select_for_update(of=("self",), no_key=True).select_related("checklist").get(pk=step.pk)
    if row.checklist.ended_at is not None:
        raise Refused(_("The procedure was changed meanwhile. Look at the steps again."))
    if row.waived_at is not None:
        raise Refused(_("This step was waived, which stays on record."))
    return root, row


@transaction.atomic
def tick(step: ChecklistStep, *, by: User, at: dt.datetime, values: Mapping[str, str]) -> ChecklistStep:
    """The step is done, with what has to be filled in for it. Raises Refused."""
    root, row = _lock_step(step, by, at=at)
    try:
        filled = steps.check(row.fields(), values)
    except steps.Unreadable as error:
        raise Refused(str(error)) from error
    if row.done_at is not None and row.values == filled:
        return row
    row.values, row.done_at, row.done_by = filled, at, by
    row.waive_reason, row.asked_at, row.asked_by = "", None, None
    row.save()
    _record(Act.STEP_DONE, root, row, by, at, {"values": filled} if filled else {})
    return row


@transaction.atomic
def untick(step: ChecklistStep, *, by: User, at: dt.datetime) -> ChecklistStep:
    """The step was not done after all; what was filled in stays there for the next time."""
    root, row = _lock_step(step, by, at=at)
    if row.done_at is None:
        return row
    row.done_at, row.done_by = None, None
    row.save()
    _record(Act.STEP_UNDONE, root, row, by, at)
    return row


@transaction.atomic
def ask_waiver(step: ChecklistStep, *, by: User, at: dt.datetime, reason: str) -> ChecklistStep:
    """Ask a supervisor to let this complaint go without the step. Raises Refused."""
    root, row = _lock_step(step, by, at=at)
    reason = reason.strip()[:500]
    if not reason:
        raise Refused(_("Say why this step is left out; the supervisor decides by it, and it stays on record."))
    if row.done_at is not None:
        raise Refused(_("This step is done; there is nothing to waive."))
    row.waive_reason, row.asked_at, row.asked_by = reason, at, by
    row.save()
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.APPROVAL,
            key=f"waiver:{row.pk}:{at.timestamp()}",
            to=[user for user in notices.Rungs(at).supervisors(root.team_id) if user != by],
            subject_ref=root.reference,
            path=root.path,
            facts={"says": "step.waiver"},
        ),
        at=at,
    )
    _record(Act.WAIVER_ASKED, root, row, by, at, {"reason": reason})
    return row


def check_can_decide_waiver(ticket: Ticket, step: ChecklistStep, by: User, at: dt.datetime) -> None:
    """A supervisor of the team who neither asked for it nor works on the complaint."""
    access.check(by, Permission.DECIDE_COMPLAINTS, team_id=ticket.team_id, at=at)
    if not step.waits:
        raise Refused(_("Nobody has asked to waive this step."))
    if by.pk in (step.asked_by_id, ticket.assignee_id) or has_spoken(ticket, by):
        raise Refused(_("This is your own complaint. Another supervisor decides whether a step is left out."))


@transaction.atomic
def decide_waiver(step: ChecklistStep, *, by: User, at: dt.datetime, agrees: bool, reason: str = "") -> ChecklistStep:
    """Let the complaint go without the step, which is a deviation on record, or not. Raises Refused."""
    root, row = _lock_step(step, by, at=at)
    check_can_decide_waiver(root, row, by, at=at)
    asker = row.asked_by
    if agrees:
        row.waived_at, row.waived_by = at, by
    else:
        if not reason.strip():
            raise Refused(_("Say why the step is needed; whoever asked reads it."))
        row.waive_reason, row.asked_at, row.asked_by = "", None, None
    row.save()
    if asker is not None:
        notices.tell(
            notices.Telling(
                kind=Notice.Kind.APPROVAL,
                key=f"waiver:{row.pk}:{at.timestamp()}:decided",
                to=[asker],
                subject_ref=root.reference,
                path=root.path,
                facts={"says": "step.waived" if agrees else "step.needed"},
            ),
            at=at,
        )
    act = Act.STEP_WAIVED if agrees else Act.WAIVER_REFUSED
    _record(act, root, row, by, at, {"reason": reason.strip() or row.waive_reason}, [row] if agrees else ())
    return row


def _record(
    act: Act,
    root: Ticket,
    row: ChecklistStep,
    by: User,
    at: dt.datetime,
    personal: Mapping[str, object] | None = None,
    evidence: Sequence[ChecklistStep] = (),
) -> None:
    facts = {"step": row.pk, "position": row.position, "checklist": row.checklist_id}
    trail.record(act, root.trail_subject, by=by, at=at, facts=facts, personal=personal, evidence=evidence)
