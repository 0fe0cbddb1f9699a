"""A complaint from its receipt to its end (clause 3.2): its checklist, its two clocks, what begins and ends them.

The clocks stand beside those of clause 3.1, which run for every kind of ticket: *resolve* from receipt, *progress note*
from the last time that the customer was told something. Nobody calls these but the verbs that own the moment.
"""

from __future__ import annotations

import datetime as dt
import functools

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from csp import agreement, batches, deadlines, trail
from csp.contract import Term
from csp.events import Act
from csp.models import Deadline
from tickets import procedures
from tickets.conversation import (
    Direction,
    Purpose,
    derive,
    family,
    lock,
    obligations,
    receipts,
    running,
    subject_of,
)
from tickets.models import Category, Checklist, ChecklistStep, Interaction, Ticket

Kind = Ticket.Kind
CLOCKS = ("resolve", "progress_note")


def checklist_of(ticket: Ticket) -> Checklist | None:
    """The checklist of a complaint, with its version and procedure."""
    rows = Checklist.objects.filter(ticket=ticket, ended_at__isnull=True)
    return rows.select_related("version__procedure__category", "resolve", "progress").first()


def begin(root: Ticket, *, at: dt.datetime, by: trail.Actor) -> Checklist:
    """The ticket is a complaint, since its receipt: the procedure in force then becomes its checklist, its clocks run.

    The caller holds the lock. Begun late, a clock whose time is past is born breached.
    """
    received_at = _received_at(root)
    version = procedures.in_force(root.contract, root.category, received_at or at)
    row = Checklist.objects.create(ticket=root, version=version, received_at=received_at or at, began_at=at)
    ChecklistStep.objects.bulk_create(
        ChecklistStep(
            checklist=row,
            position=position,
            title=step.title,
            clause=step.clause,
            asked=[[field.label, field.kind.value] for field in step.fields],
        )
        for position, step in enumerate(version.steps(), start=1)
    )
    if received_at is not None and root.is_unfinished:
        _run(root, row, at=at)
    trail.record(
        Act.COMPLAINT_BEGUN,
        root.trail_subject,
        by=by,
        at=at,
        facts={"checklist": row.pk, "version": version.pk, "received": received_at, "resolve": row.resolve_id,
               "progress": row.progress_id},
    )  # fmt: skip
    return row


def _received_at(root: Ticket) -> dt.datetime | None:
    """When the customer first turned to us; nothing was asked of us in what we wrote first."""
    if root.origin not in (Ticket.Origin.CUSTOMER, Ticket.Origin.STAFF):
        return None
    received_at = receipts([root.pk]).get(root.pk)
    if received_at is not None:
        return received_at
    heard = Interaction.objects.filter(ticket__in=family(root), direction=Direction.IN)
    first = heard.exclude(purpose=Purpose.AUTOMATIC).order_by("occurred_at").values_list("occurred_at", flat=True)
    return first.first()


def _run(root: Ticket, row: Checklist, *, at: dt.datetime) -> None:
    """Start what does not run yet: a merged complaint may have brought its clocks along."""
    known = {clock.obligation for clock in running(root, *CLOCKS)}
    if "resolve" not in known:
        row.resolve = _start(root, "resolve", row.received_at, row.version.resolve_days, at)
    if "progress_note" not in known:
        told_at = _last_told(root) or row.received_at
        row.progress = _start(root, "progress_note", told_at, row.version.progress_days, at)
    row.save(update_fields=["resolve", "progress"])
    derive(root)


def _start(root: Ticket, code: str, starts_at: dt.datetime, days: int, at: dt.datetime) -> Deadline:
    version = agreement.in_force(root.contract, starts_at)
    due_at = Term(days=days).ends(starts_at, root.contract.zoneinfo)
    clock = deadlines.draft(code, subject_of(root), version, starts_at=starts_at, due_at=due_at)
    return deadlines.start([clock], at=at)[0]


def _last_told(root: Ticket) -> dt.datetime | None:
    """When a person last told the customer something: by a mail that was taken outside, or an answered call."""
    ours = Interaction.objects.filter(ticket__in=family(root))
    mails = ours.filter(purpose__in=(Purpose.ANSWER, Purpose.HOLDING), delivery__message__accepted_at__isnull=False)
    calls = ours.filter(call__is_answered=True)
    found = [
        mails.order_by("-delivery__message__accepted_at").values_list("delivery__message__accepted_at", flat=True)[:1],
        calls.order_by("-call__ended_at").values_list("call__ended_at", flat=True)[:1],
    ]
    return max((moment for rows in found for moment in rows if moment is not None), default=None)


def end(root: Ticket, *, at: dt.datetime, by: trail.Actor, reason: str) -> None:
    """The ticket is no complaint any more, or one of another category. What was broken stays; the rest is not owed."""
    row = checklist_of(root)
    if row is None:
        return
    row.ended_at = at
    row.save(update_fields=["ended_at"])
    deadlines.lapse(running(root, *CLOCKS), at=at, by=by, reason=reason)
    derive(root)
    trail.record(Act.COMPLAINT_ENDED, root.trail_subject, by=by, at=at, facts={"checklist": row.pk})


def loosens(root: Ticket, category: Category | None) -> bool:
    """Whether this category's procedure would give a complaint more time than the one whose steps it has."""
    row = checklist_of(root)
    if row is None:
        return False
    now, then = row.version, procedures.in_force(root.contract, category, row.received_at)
    return then.resolve_days > now.resolve_days or then.progress_days > now.progress_days


def recategorised(root: Ticket, *, at: dt.datetime, by: trail.Actor) -> None:
    """Another category may have another procedure: its checklist replaces the one that there was."""
    row = checklist_of(root)
    if row is None:
        return
    version = procedures.in_force(root.contract, root.category, row.received_at)
    if version.pk != row.version_id:
        end(root, at=at, by=by, reason="Another procedure: the category was changed.")
        begin(root, at=at, by=by)


# ---------------------------------------------------------------- what happens meanwhile


def told(root: Ticket, *, at: dt.datetime, by: trail.Actor, how: str) -> None:
    """The customer was told something at `at`: the progress note is written, and the next one counts from here.

    The caller holds the lock, and derives the ticket's next obligation afterwards.
    """
    row = checklist_of(root) if root.kind == Kind.COMPLAINT else None
    clocks = running(root, "progress_note") if row is not None else []
    met = [clock for clock in clocks if clock.starts_at < at]
    if row is None or not met:
        return
    deadlines.meet(met, at=at, by=by, how=how)
    if root.is_unfinished:
        row.progress = _start(root, "progress_note", at, row.version.progress_days, at)
        row.save(update_fields=["progress"])


def resolved(root: Ticket, *, at: dt.datetime, by: trail.Actor) -> None:
    """The complaint is resolved: that duty is met, and no further note is owed. The caller holds the lock."""
    if root.kind != Kind.COMPLAINT and not Checklist.objects.filter(ticket=root).exists():
        return
    deadlines.meet(running(root, "resolve"), at=at, by=by, how="resolved")
    _no_more_notes(root, at=at, by=by)
    derive(root)


def _no_more_notes(root: Ticket, *, at: dt.datetime, by: trail.Actor) -> None:
    notes = running(root, "progress_note")
    late = [clock for clock in notes if clock.state == Deadline.State.BREACHED or clock.due_at < at]
    deadlines.meet(late, at=at, by=by, how="resolved")
    deadlines.lapse([clock for clock in notes if clock not in late], at=at, by=by, reason="The complaint was resolved.")


def came_back(root: Ticket, *, since: dt.datetime, at: dt.datetime) -> None:
    """What had resolved it did not hold: it is to be resolved again, from then. The caller holds the lock."""
    row = checklist_of(root) if root.kind == Kind.COMPLAINT else None
    if row is not None and not running(root, "resolve"):
        row.resolve = _start(root, "resolve", since, row.version.resolve_days, at)
        if not running(root, "progress_note"):
            row.progress = _start(root, "progress_note", since, row.version.progress_days, at)
        row.save(update_fields=["resolve", "progress"])
        derive(root)


def taken_back(root: Ticket, *, at: dt.datetime, by: trail.Actor) -> None:
    """We opened a resolved complaint again ourselves: the duty has its first due time. The caller holds the lock."""
    row = checklist_of(root) if root.kind == Kind.COMPLAINT else None
    if row is None or running(root, "resolve"):
        return
    met = [clock for clock in obligations(root) if clock.obligation == "resolve" and clock.met_at is not None]
    if not met:
        return  # nothing was ever owed here: imported, say
    row.resolve = deadlines.reopen(met[-1], at=at, by=by, reason="opened again")
    if not running(root, "progress_note"):
        row.progress = _start(root, "progress_note", at, row.version.progress_days, at)
    row.save(update_fields=["resolve", "progress"])
    derive(root)


def held_after_all(root: Ticket, *, at: dt.datetime, by: trail.Actor) -> None:
    """The message that had opened it again asked for nothing: nothing is to be resolved. The caller holds the lock."""
    clocks = running(root, *CLOCKS)
    late = [clock for clock in clocks if clock.state == Deadline.State.BREACHED or clock.due_at < at]
    deadlines.meet(late, at=at, by=by, how="resolution held")
    deadlines.lapse(
        [clock for clock in clocks if clock not in late], at=at, by=by, reason="The resolution held after all."
    )


def merged(source: Ticket, target: Ticket, *, at: dt.datetime, by: trail.Actor) -> Checklist | None:
    """A complaint that was merged into another kind makes that a complaint, with the procedure of its category.

    Returns the checklist that this began, if it did; `parted` ends it again.
    """
    if source.kind != Kind.COMPLAINT or target.kind == Kind.COMPLAINT:
        return None
    target.kind, target.category = Kind.COMPLAINT, target.category or source.category
    target.save()
    return begin(target, at=at, by=by)


def parted(
    target: Ticket, checklist: int, *, kind: str, category: int | None, at: dt.datetime, by: trail.Actor
) -> None:
    """A merge that had made the ticket a complaint is undone: it is what it was, unless somebody decided it since.

    The caller holds the lock, and has taken the complaint out of the family before.
    """
    row = checklist_of(target)
    if target.kind != Kind.COMPLAINT or row is None or row.pk != checklist:
        return
    end(target, at=at, by=by, reason="The complaint was separated from it again.")
    target.kind, target.category_id = Kind(kind), category
    target.save()


# ---------------------------------------------------------------- the loop


def begin_lacking(at: dt.datetime, *, limit: int = 200) -> int:
    """Give every open complaint that lacks one its checklist: those from before there were procedures, say."""
    numbers = list(_lacking().order_by("pk").values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_begin_one, at=at), limit=limit)


def _lacking() -> QuerySet[Ticket]:
    own = Checklist.objects.filter(ticket=OuterRef("pk"), ended_at__isnull=True)
    return Ticket.objects.unfinished().filter(~Exists(own), kind=Kind.COMPLAINT)


@transaction.atomic(durable=True)
def _begin_one(number: int, *, at: dt.datetime) -> int:
    root = lock(Ticket(pk=number))
    if not _lacking().filter(pk=root.pk).exists():
        return 0
    begin(root, at=at, by="complaints")
    return 1
