"""The clock of an escalation itself (a target of the company): somebody takes it up within four staffed hours.

Where nobody does, the next supervisor is told, then all of them and the administrators; each rung once.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from csp import agreement, batches, deadlines, notices, shifts, trail
from csp.events import Act
from csp.models import Deadline, Notice, Team, User
from csp.servicetime import Calendar
from tickets.conversation import lock
from tickets.models import Escalation, EscalationRung, Ticket

WITHIN = dt.timedelta(hours=4)


def start(rows: Sequence[Escalation], *, at: dt.datetime) -> None:
    """Start the clock of each that waits to be accepted; in the transaction that raised it."""
    rows = [row for row in rows if row.accepted_at is None]
    if not rows:
        return
    teams = Team.objects.select_related("contract").in_bulk({row.team_id for row in rows})
    calendars = {pk: shifts.calendar_of(team) for pk, team in teams.items()}
    exercises = set(
        Ticket.objects.filter(pk__in=[row.ticket_id for row in rows], origin=Ticket.Origin.PRACTICE).values_list(
            "pk", flat=True
        )
    )
    versions = {pk: agreement.in_force(team.contract, at) for pk, team in teams.items()}
    drafts = [
        deadlines.draft(
            "take_up",
            deadlines.Subject(
                ref=f"#{row.ticket_id}",
                path=f"/escalations/{row.pk}/",
                contract=teams[row.team_id].contract,
                team=teams[row.team_id],
                responsible=row.to_user,
                context=f"ticket:{row.ticket_id}",
                void=Deadline.Void.PRACTICE if row.ticket_id in exercises else "",
            ),
            versions[row.team_id],
            starts_at=at,
            due_at=calendars[row.team_id].add(at, WITHIN),
        )
        for row in rows
    ]
    for row, clock in zip(rows, deadlines.start(drafts, at=at), strict=True):
        row.take_up, row.next_rung_at = clock, clock.due_at if clock.is_running else None
    Escalation.objects.bulk_update(rows, ["take_up", "next_rung_at"])


def taken_up(row: Escalation, *, by: trail.Actor, at: dt.datetime, how: str) -> None:
    """Somebody has accepted, decided or handed it back, or the ticket is at its end. The caller saves `row`."""
    row.next_rung_at = None
    if row.take_up is not None:
        deadlines.meet([row.take_up], at=at, by=by, how=how)


def in_place_of(person: User, at: dt.datetime) -> User:
    """This person, or who stands in while they are away."""
    absence = shifts.away([person.pk], at).get(person.pk)
    deputy = absence.deputy if absence is not None else None
    return deputy if deputy is not None and deputy.is_active else person


def climb(at: dt.datetime, *, limit: int = 200) -> int:
    """Tell the next rung of every escalation that nobody has taken up in time. Returns how many."""
    waiting = Escalation.objects.filter(closed_at__isnull=True, accepted_at__isnull=True, next_rung_at__lt=at)
    return batches.work_off(waiting.order_by("next_rung_at", "pk"), functools.partial(_climb, at=at), limit=limit)


@transaction.atomic(durable=True)
def _climb(waiting: QuerySet[Escalation], limit: int, *, at: dt.datetime) -> int:
    free = []
    for number, ticket in waiting.values_list("pk", "ticket")[:limit]:  # the ticket first, as everybody does
        with contextlib.suppress(Ticket.DoesNotExist):  # who is busy comes next time
            lock(Ticket(pk=ticket), if_free=True)
            free.append(number)
    rows = list(
        waiting.filter(pk__in=free)
        .select_related("to_user", "team__contract", "ticket")
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
    )
    rungs, calendars = notices.Rungs(at), dict[int, Calendar]()
    for row in rows:
        if row.team_id not in calendars:
            calendars[row.team_id] = shifts.calendar_of(row.team)
        _one_rung(row, rungs, calendars[row.team_id], at)
    return len(rows)


def _one_rung(row: Escalation, rungs: notices.Rungs, calendar: Calendar, at: dt.datetime) -> None:
    told = list(row.rungs.values_list("told", flat=True))
    supervisors = rungs.supervisors(row.team_id)
    spared = {*shifts.away([person.pk for person in supervisors], at), *told, row.to_user_id, row.ticket.about_id}
    others = [person for person in supervisors if person.pk not in spared]
    number = row.rungs.count() + 1
    # Where it was handed to everybody from the start there is no next one: the last rung is the first.
    nobody_else = row.to_user_id is None or not others
    people = [*supervisors, *rungs.administrators()] if nobody_else or number > 1 else others[:1]
    is_last = nobody_else or number > 1
    EscalationRung.objects.create(escalation=row, number=number, told=None if is_last else people[0], told_at=at)
    if not is_last:
        row.to_user = people[0]
    row.next_rung_at = None if is_last else calendar.add(at, WITHIN)
    row.save(update_fields=["to_user", "next_rung_at"])
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.ESCALATION,
            key=f"escalation:{row.pk}:rung:{number}",
            to=people,
            subject_ref=f"#{row.ticket_id}",
            path=f"/escalations/{row.pk}/",
        ),
        at=at,
    )
    trail.record(
        Act.ESCALATION_CLIMBED,
        f"ticket:{row.ticket_id}",
        by="escalation",
        at=at,
        facts={"escalation": row.pk, "rung": number, "to": people[0].pk if not is_last else None},
    )
