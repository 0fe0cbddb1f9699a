"""Taking an escalation, its acceptance or its decision back, while nothing has come of it yet (clause 3.3).

An undone act stays in the trail with its undoing. What it had met is owed again by its first due time, and what it had
closed goes on in a row of its own: no record is opened or removed. What cannot be undone says why.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from csp import deadlines, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Deadline, Notice, TrailEntry, User
from tickets import assignment, escalation
from tickets.changes import READING
from tickets.conversation import clocks_of, derive, family, lock, root_number
from tickets.models import Escalation, Ticket
from tickets.reach import check_can_work

WITHIN = dt.timedelta(minutes=5)
UNDONE = (Act.ESCALATED, Act.ESCALATION_ACCEPTED, Act.ESCALATION_DECIDED, Act.ESCALATION_RETURNED)
TAKEN_BACK = "taken back"
# What the product writes of its own accord and nobody acted on.
_NOTHING = (*READING, Act.DEADLINE_REMINDED)


def last_of(ticket: Ticket, *, by: User) -> int:
    """The number in the ticket's trail of this person's latest act that `undo` may take; 0 where there is none."""
    subject = Ticket(pk=root_number(ticket.pk)).trail_subject
    theirs = TrailEntry.objects.filter(subject=subject, actor=trail.name_of(by), act__in=UNDONE)
    return theirs.order_by("-version").values_list("version", flat=True).first() or 0


@transaction.atomic
def undo(ticket: Ticket, *, version: int, by: User, at: dt.datetime) -> Act:
    """Take that act of one's own on the ticket's escalation back. Returns which it was. Raises Refused."""
    root = lock(ticket)
    check_can_work(root, by, at)
    entry = TrailEntry.objects.filter(subject=root.trail_subject, version=version, act__in=UNDONE).first()
    if entry is None or entry.actor != trail.name_of(by):
        raise Refused(_("There is nothing to undo."))
    if at - entry.at > WITHIN:
        raise Refused(_("This was done more than five minutes ago. It stands, and can be put right by another step."))
    facts: dict[str, Any] = json.loads(entry.facts)
    rows = Escalation.objects.select_for_update(of=("self",), no_key=True).select_related("take_up")
    row = rows.get(pk=facts["escalation"])
    act = Act(entry.act)
    if act != Act.ESCALATED:
        escalation.check_is_supervisor(row, by, at)
    _check_nothing_came_of_it(root, entry)
    met = list(_met_by(root, row, entry, by))
    if act == Act.ESCALATED:  # that it is complex was said, and stays so
        met = [clock for clock in met if clock.obligation != "triage"]
    _check_time_is_left(met, at)
    again: Escalation | None = None
    if act == Act.ESCALATED:
        _check_began_it(row, facts, entry)
        escalation.end_unasked(row, by=by, at=at)
    else:
        again = _as_before(row, facts, entry, root, by=by, at=at)
    _owed_again(root, met, again, by=by, at=at)
    _held_again(root, facts, by=by, at=at)
    derive(root)
    _untell(root, entry)
    trail.record(
        Act.ESCALATION_UNDONE, root.trail_subject, by=by, at=at,
        facts={"escalation": row.pk, "again": again.pk if again else None, "undoes": entry.pk, "act": act},
    )  # fmt: skip
    return act


# ---------------------------------------------------------------- whether it can be


def _check_nothing_came_of_it(root: Ticket, entry: TrailEntry) -> None:
    contexts = [f"ticket:{number}" for number in family(root)]
    since = TrailEntry.objects.filter(context__in=contexts, pk__gt=entry.pk).exclude(act__in=_NOTHING)
    acts = since.order_by("pk")
    later = acts.filter(subject=root.trail_subject).first() or acts.first()  # what a person did says more than a clock
    if later is not None:
        words = {"ref": root.reference, "what": later.get_act_display()}
        raise Refused(_("Something has happened on %(ref)s since (%(what)s). Nothing was undone.") % words)
    heard = _told(root, entry).exclude(mail__isnull=True, read_at__isnull=True).select_related("user").first()
    if heard is not None:
        raise Refused(_("%(name)s has been told already. Nothing was undone.") % {"name": heard.user.name})


def _told(root: Ticket, entry: TrailEntry) -> Any:
    kinds = [Notice.Kind.ESCALATION, Notice.Kind.RETURNED]
    return Notice.objects.filter(subject_ref=root.reference, created_at=entry.at, kind__in=kinds)


def _untell(root: Ticket, entry: TrailEntry) -> None:
    """Nobody is sent what is not so any more."""
    _told(root, entry).delete()


def _check_time_is_left(met: Iterable[Deadline], at: dt.datetime) -> None:
    """A promise that was kept, even late, is not made a broken one by an undo."""
    if any(clock.due_at <= at for clock in met):
        raise Refused(_("The time for it has run out meanwhile: undone, the promise would be broken. It stands."))


def _check_began_it(row: Escalation, facts: dict[str, Any], entry: TrailEntry) -> None:
    if row.raised_at != entry.at:
        raise Refused(_("Your reason joined what was before a supervisor already. That stands."))
    if facts.get("was") not in Ticket.UNFINISHED:
        raise Refused(_("It opened the ticket again, and took its resolution back. Resolve it once more instead."))


def _met_by(root: Ticket, row: Escalation, entry: TrailEntry, by: User) -> Iterable[Deadline]:
    """The clocks that this act met."""
    numbers = {clock.pk for clock in clocks_of(family(root)).filter(met_at=entry.at, met_by=by)}
    if row.take_up is not None and row.take_up.met_at == entry.at:
        numbers.add(row.take_up.pk)
    return Deadline.objects.filter(pk__in=numbers).order_by("pk")


# ---------------------------------------------------------------- as it was


def _as_before(
    row: Escalation, facts: dict[str, Any], entry: TrailEntry, root: Ticket, *, by: User, at: dt.datetime
) -> Escalation:
    """The same escalation before the same supervisors, accepted only where it had been before this act."""
    if row.closed_at is None:
        escalation.end_here(row, by, at, _("Taken back."))
    if row.accepted_at == entry.at:
        row.accepted_at, row.accepted_by = None, None
    rung = dt.datetime.fromisoformat(facts["rung"]) if facts.get("rung") else None
    return escalation.go_on(row, root, next_rung_at=rung)


def _owed_again(
    root: Ticket, met: Iterable[Deadline], again: Escalation | None, *, by: User, at: dt.datetime
) -> None:  # fmt: skip
    for clock in met:
        fresh = deadlines.reopen(clock, at=at, by=by, reason=TAKEN_BACK)
        if clock.obligation == "take_up" and again is not None:
            again.take_up = fresh
            again.save(update_fields=["take_up"])
        for name in ("escalate", "triage"):
            if getattr(root, f"{name}_id") == clock.pk:
                setattr(root, name, fresh)
            Ticket.objects.filter(**{name: clock}).update(**{name: fresh})


def _held_again(root: Ticket, facts: dict[str, Any], *, by: User, at: dt.datetime) -> None:
    """The ticket and its clocks are with whoever had them before the act."""
    people = User.objects.in_bulk({pk for _clock, pk in facts.get("owed", ()) if pk} | {facts.get("assignee") or 0})
    if "assignee" in facts and root.assignee_id != facts["assignee"]:
        before = people.get(facts["assignee"] or 0)
        if before is not None:
            assignment.check_can_be_assigned(root, before, at)
        root.assignee = before
        root.save()
    for number, who in facts.get("owed", ()):
        clock = Deadline.objects.filter(pk=number)
        deadlines.hand_over(clock, responsible=people.get(who or 0), team=root.team, at=at)
