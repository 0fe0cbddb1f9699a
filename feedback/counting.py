"""How often, when and how well scored a theme was said, as one reader may know it (clauses 2.3, 4.2)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, Q, QuerySet

from csp import access
from csp.models import User
from csp.roles import Role
from feedback.models import Remark, Text, Theme, ThemeText
from tickets.models import Ticket

WEEKS = 13
WEEK = dt.timedelta(days=7)
# Of so many scores and more a mean is shown: fewer would speak of single people.
FIVE = 5


@dataclasses.dataclass(frozen=True, slots=True)
class One:
    """One remark of a theme, as far as figures go."""

    number: int
    at: dt.datetime
    score: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Counted:
    """A theme with its remarks, each once, and how many tickets are alike."""

    theme: Theme
    remarks: tuple[One, ...] = ()
    tickets: tuple[dt.datetime, ...] = ()

    @property
    def count(self) -> int:
        return len(self.remarks)

    @property
    def scores(self) -> list[int]:
        return [one.score for one in self.remarks if one.score is not None]

    @property
    def mean(self) -> float | None:
        """The mean score; None of fewer than five."""
        return sum(self.scores) / len(self.scores) if len(self.scores) >= FIVE else None

    @property
    def first_at(self) -> dt.datetime | None:
        return min((one.at for one in self.remarks), default=None)

    def by_week(self, weeks: Sequence[dt.date], zone: ZoneInfo) -> list[tuple[int, int, int]]:
        """For each week, by its Monday: remarks with a low score, other remarks, tickets."""
        found: dict[dt.date, list[int]] = defaultdict(lambda: [0, 0, 0])
        for one in self.remarks:
            found[monday(one.at, zone)][0 if one.score is not None and one.score <= 2 else 1] += 1
        for moment in self.tickets:
            found[monday(moment, zone)][2] += 1
        return [(found[week][0], found[week][1], found[week][2]) for week in weeks]


def monday(at: dt.datetime, zone: ZoneInfo) -> dt.date:
    day = at.astimezone(zone).date()
    return day - dt.timedelta(days=day.weekday())


def weeks_until(at: dt.datetime, zone: ZoneInfo) -> list[dt.date]:
    """The Mondays of thirteen weeks, oldest first, this week the last."""
    last = monday(at, zone)
    return [last - WEEK * back for back in range(WEEKS - 1, -1, -1)]


def trend(counts: Sequence[int]) -> int:
    """1 where the last four weeks had clearly more than the four before, -1 where fewer, else 0. Pure."""
    late, early = sum(counts[-4:]), sum(counts[-8:-4])
    if abs(late - early) < max(2, early * 0.2):
        return 0
    return 1 if late > early else -1


def heads(themes: Iterable[Theme]) -> dict[int, int]:
    """For the number of each standing theme and of whatever was merged into it, the standing one's."""
    found = {theme.pk: theme.pk for theme in themes}
    contracts = {theme.contract_id for theme in themes}
    merged = dict(
        Theme.objects.filter(contract__in=contracts, merged_into__isnull=False).values_list("pk", "merged_into")
    )
    for number in merged:
        into, seen = number, {number}
        while into in merged and merged[into] not in seen:
            into = merged[into]
            seen.add(into)
        if into in found:
            found[number] = into
    return found


def of_themes(themes: Sequence[Theme], user: User, at: dt.datetime) -> list[Counted]:
    """Each with what this person may know of it: remarks they can read, and tickets as a number (all of them for
    analysts and auditors, those they can see for supervisors).
    """
    head = heads(themes)
    remarks: dict[int, dict[int, One]] = defaultdict(dict)
    rows = ThemeText.objects.filter(
        theme__in=head, removed_at__isnull=True, remark__in=Remark.objects.visible_to(user), remark__received_at__lte=at
    )
    for theme, number, moment, score in rows.values_list("theme", "remark", "remark__received_at", "remark__score"):
        remarks[head[theme]][number] = One(number, moment, score)
    tickets: dict[int, list[dt.datetime]] = defaultdict(list)
    for theme, moment in tickets_alike(head, user).filter(at__lte=at).values_list("group__theme", "at"):
        tickets[head[theme]].append(moment)
    return [
        Counted(theme, tuple(sorted(remarks[theme.pk].values(), key=lambda one: (one.at, one.number))),
                tuple(sorted(tickets[theme.pk])))
        for theme in themes
    ]  # fmt: skip


def tickets_alike(themes: Iterable[int], user: User) -> QuerySet[Text]:
    """The places of tickets like these themes: of all for whoever reads the whole log, else of the tickets one sees."""
    whole = access.scope_of(user).contracts(Role.ANALYST, Role.AUDITOR)
    mine = Q(contract__in=whole) | Q(ticket__in=Ticket.objects.visible_to(user))
    return Text.objects.filter(mine, group__theme__in=list(themes), ticket__isnull=False)


def overall(remarks: QuerySet[Remark]) -> tuple[float | None, int]:
    """The mean of these scores, None of fewer than five, and of how many."""
    found = remarks.filter(score__isnull=False).aggregate(mean=Avg("score"), n=Count("pk"))
    return (float(found["mean"]) if found["n"] >= FIVE else None), found["n"]
