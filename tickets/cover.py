"""Who is on shift before a promise falls due, and who could stand in where nobody is (clause 3.3). It only reads."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import F, FilteredRelation, Q

from csp import shifts
from csp.models import RoleGrant, User
from csp.roles import TABLE, Permission
from csp.servicetime import Calendar
from tickets.models import Ticket

LOOK_BACK = dt.timedelta(days=14)  # how long ago a shift may have ended for its person to be proposed

Absent = tuple[dt.datetime, dt.datetime, int | None]  # from, until, who stands in


@dataclasses.dataclass(slots=True)
class Member:
    """Somebody who may answer the tickets of a team."""

    user: User
    absences: list[Absent] = dataclasses.field(default_factory=list)


class Rota:
    """When the people of some teams are on shift, seen from one moment; one statement, however many they are."""

    def __init__(self, teams: Iterable[int], *, at: dt.datetime) -> None:
        self.at = at
        self._hours: dict[int, Calendar] = {}
        self._members: dict[int, dict[int, Member]] = defaultdict(dict)
        self._firsts: dict[tuple[int, int], dt.datetime | None] = {}
        self._lasts: dict[tuple[int, tuple[Absent, ...], dt.datetime], dt.datetime | None] = {}
        rows = (
            RoleGrant.objects.in_force(at)
            .filter(team__in=set(teams), role__in=TABLE[Permission.WORK_TICKETS], user__is_active=True)
            .annotate(
                absence=FilteredRelation(
                    "user__absences", condition=Q(user__absences__ends_at__gt=at - LOOK_BACK)
                ),
                gone=F("absence__starts_at"),
                back=F("absence__ends_at"),
                deputy=F("absence__deputy"),
            )
            .select_related("user", "team__contract", "team__shift_plan")
            .order_by("user__name", "user", "gone")
        )  # fmt: skip
        for row in rows:
            if row.team_id not in self._hours:
                self._hours[row.team_id] = shifts.hours_of(row.team, getattr(row.team, "shift_plan", None))
            member = self._members[row.team_id].setdefault(row.user_id, Member(row.user))
            absent = (row.gone, row.back, row.deputy)
            if row.gone is not None and absent not in member.absences:  # two roles in a team name it twice
                member.absences.append(absent)

    def is_uncovered(self, ticket: Ticket) -> bool:
        """Whether its next promise falls due before anyone who answers for it is on shift.

        That is who has the ticket; while nobody has it, anybody of its team but the person whom it is about. Somebody
        who is there in the last second before is there.
        """
        due_at = ticket.next_due_at
        if due_at is None or due_at <= self.at:
            return False
        members = self._members.get(ticket.team_id, {})
        owners = [ticket.assignee_id] if ticket.assignee_id in members else members.keys() - {ticket.about_id}
        firsts = (self._first(ticket.team_id, owner) for owner in owners)
        return not any(first is not None and first < due_at for first in firsts)

    def proposed(self, ticket: Ticket, loads: Mapping[int | None, int]) -> User | None:
        """Who could stand in: who is on shift now, else whose shift is the last one before it falls due.

        Of these the deputy comes first, then who has least to do by `loads`. None where nobody of the team has been
        there for two weeks, and will not be before.
        """
        due_at = ticket.next_due_at
        if due_at is None:
            return None
        members = self._members.get(ticket.team_id, {})
        assignee = members.get(ticket.assignee_id or 0)
        deputies = [who for gone, back, who in assignee.absences if gone <= self.at < back] if assignee else []
        ranked = []
        for number, member in members.items():
            last = self._last(ticket.team_id, member, due_at)
            if last is None or number in (ticket.assignee_id, ticket.about_id):
                continue
            is_here = self._first(ticket.team_id, number) == self.at
            # among those who are here it does not matter who leaves last
            rank = (not is_here, dt.timedelta() if is_here else due_at - last, number not in deputies)
            ranked.append((*rank, loads.get(number, 0), member.user.name, number))
        return members[min(ranked)[-1]].user if ranked else None

    def _first(self, team: int, number: int) -> dt.datetime | None:
        """The first moment from now on at which this person is on shift."""
        if (team, number) not in self._firsts:
            hours = self._of(team, tuple(self._members[team][number].absences))
            self._firsts[team, number] = hours.opens(self.at)
        return self._firsts[team, number]

    def _last(self, team: int, member: Member, due_at: dt.datetime) -> dt.datetime | None:
        """Until when this person is on shift before that moment, or was."""
        key = (team, tuple(member.absences), due_at)
        if key not in self._lasts:
            last = None
            for opens, closes in self._of(team, key[1]).spans(self.at - LOOK_BACK):
                if opens >= due_at:
                    break
                last = min(closes, due_at)
            self._lasts[key] = last
        return self._lasts[key]

    def _of(self, team: int, absences: tuple[Absent, ...]) -> Calendar:
        return dataclasses.replace(self._hours[team], away=[(gone, back) for gone, back, _who in absences])
