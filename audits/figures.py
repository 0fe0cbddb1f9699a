"""The figures of the contract, straight from the deadlines and breaches by indexed aggregates, never from objects.

A figure is about what *fell due* in a period, whenever it was met. Raw counts the facts; assessed reads each breach as
somebody outside the team has agreed it is to be read. A met duty that opened again, because its message came back, has
kept nothing. Every statement here can be run by hand and gives the same number.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Self

from django.db import connection

from audits import periods
from audits.periods import Period
from csp.contract import OBLIGATIONS
from csp.models import Contract

MINUTES_AT_MOST = 14 * 24 * 60  # an answer that took longer is counted as this long
SOON = dt.timedelta(hours=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """What fell due in a period: kept in time, broken, still running; and how the broken ones are read."""

    kept: int = 0
    broken: int = 0
    running: int = 0
    not_owed: int = 0
    recorded_late: int = 0
    unreachable: int = 0
    proposed: int = 0  # readings that nobody has decided yet

    def __add__(self, other: Self) -> Figure:
        fields = dataclasses.fields(self)
        return Figure(*(getattr(self, one.name) + getattr(other, one.name) for one in fields))

    @property
    def owed(self) -> int:
        return self.kept + self.broken

    @property
    def kept_as_assessed(self) -> int:
        """With what was met in time and only recorded late."""
        return self.kept + self.recorded_late

    @property
    def broken_as_assessed(self) -> int:
        """Without what was not owed, could not be done, or was done in time."""
        return self.broken - self.not_owed - self.recorded_late - self.unreachable

    @property
    def owed_as_assessed(self) -> int:
        return self.kept_as_assessed + self.broken_as_assessed


def share(part: int, whole: int) -> float | None:
    """A share in per cent with one decimal, never rounded up: 999 of 1,000.4 is not all. None of nothing."""
    return part * 1000 // whole / 10 if whole else None


@dataclasses.dataclass(frozen=True, slots=True)
class Live:
    """What runs under one obligation at this moment: the next one due, how many are overdue or due within the hour."""

    starts_at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    overdue: int = 0
    soon: int = 0


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


_FELL_DUE = """
select obligation, count(*) filter (where state = 'met'), count(*) filter (where state = 'open')
from csp_deadline
where contract_id = %(contract)s and obligation = any(%(codes)s) and due_at >= %(since)s and due_at < %(until)s
group by obligation"""

_OPENED_AGAIN = """
select first.obligation, count(*)
from csp_deadline again join csp_deadline first on first.id = again.reopens_id
where again.reopens_id is not null and again.contract_id = %(contract)s and first.state = 'met'
  and first.due_at >= %(since)s and first.due_at < %(until)s
group by first.obligation"""

_BROKEN = """
select b.obligation, count(*),
  count(*) filter (where a.agreed and a.verdict = 'not_owed'),
  count(*) filter (where a.agreed and a.verdict = 'recorded_late'),
  count(*) filter (where a.agreed and a.verdict = 'unreachable'),
  count(*) filter (where a.id is not null and a.agreed is null)
from csp_breach b left join csp_assessment a on a.breach_id = b.id
where b.contract_id = %(contract)s and b.breached_at >= %(since)s and b.breached_at < %(until)s
group by b.obligation"""


def fell_due(contract: Contract, period: Period) -> dict[str, Figure]:
    """Each obligation under which something fell due in the period."""
    values = {"contract": contract.pk, "codes": list(OBLIGATIONS), "since": period.since, "until": period.until}
    found: dict[str, Figure] = defaultdict(Figure)
    for code, met, running in _rows(_FELL_DUE, values):
        found[code] += Figure(kept=met, running=running)
    for code, count in _rows(_OPENED_AGAIN, values):
        found[code] += Figure(kept=-count)
    for code, broken, not_owed, recorded_late, unreachable, proposed in _rows(_BROKEN, values):
        found[code] += Figure(0, broken, 0, not_owed, recorded_late, unreachable, proposed)
    return dict(found)


# The next one of each kind by one step into the partial index; counts go no further than an hour from now.
_LIVE = """
select kind.code, next.starts_at, next.due_at,
  (select count(*) from csp_deadline d where d.contract_id = %(contract)s and d.obligation = kind.code
    and d.met_at is null and d.voided_at is null and d.due_at < %(now)s),
  (select count(*) from csp_deadline d where d.contract_id = %(contract)s and d.obligation = kind.code
    and d.met_at is null and d.voided_at is null and d.due_at >= %(now)s and d.due_at < %(soon)s)
from unnest(%(codes)s) as kind(code) cross join lateral (
  select d.starts_at, d.due_at from csp_deadline d where d.contract_id = %(contract)s and d.obligation = kind.code
    and d.met_at is null and d.voided_at is null order by d.due_at limit 1) next"""


def live(contract: Contract, at: dt.datetime) -> dict[str, Live]:
    """Each obligation under which something runs at this moment."""
    values = {"contract": contract.pk, "codes": list(OBLIGATIONS), "now": at, "soon": at + SOON}
    return {code: Live(*row) for code, *row in _rows(_LIVE, values)}


# How many by the minute, and of all of them (minute null) the time within which half and nine of ten were answered.
_ANSWERS = """
select minute, count(*), percentile_cont(array[0.5, 0.9]) within group (order by seconds)
from (
  select extract(epoch from d.met_at - d.starts_at) as seconds,
    least(greatest(ceil(extract(epoch from d.met_at - d.starts_at) / 60), 0), %(most)s)::int as minute
  from csp_deadline d
  where d.contract_id = %(contract)s and d.obligation = 'respond' and d.due_at >= %(since)s and d.due_at < %(until)s
    and d.met_at is not null and not exists (select from csp_deadline again where again.reopens_id = d.id)
) answered group by grouping sets ((minute), ()) order by minute"""


@dataclasses.dataclass(frozen=True, slots=True)
class Answers:
    """How long first answers took, as (minutes, begun ones counted whole; how many), shortest first; how many late.

    Half of them took no longer than `half`, nine of ten no longer than `most`: as the metrics say, to the second.
    """

    minutes: Sequence[tuple[int, int]]
    late: int
    half: dt.timedelta | None
    most: dt.timedelta | None

    @property
    def count(self) -> int:
        return sum(count for _minute, count in self.minutes)

    def by_hour(self, hours: int) -> list[int]:
        """How many in each of the first hours; what took longer is in the last one."""
        found = [0] * hours
        for minute, count in self.minutes:
            found[min(max(minute - 1, 0) // 60, hours - 1)] += count  # at exactly 24 hours is within them
        return found


def answers(contract: Contract, period: Period, late: int) -> Answers:
    """How long the first answers took that were due in the period."""
    values = {"contract": contract.pk, "since": period.since, "until": period.until, "most": MINUTES_AT_MOST}
    rows = _rows(_ANSWERS, values)
    points = next((found or (None, None) for minute, _count, found in rows if minute is None), (None, None))
    half, most = (None if point is None else dt.timedelta(seconds=whole(point)) for point in points)
    return Answers([(minute, count) for minute, count, _points in rows if minute is not None], late, half, most)


def whole(seconds: float) -> int:
    """Whole seconds, half a second up; what a float adds below a microsecond does not count."""
    return (round(seconds * 1_000_000) + 500_000) // 1_000_000


_BY_WEEK = """
select date_trunc('week', breached_at at time zone %(zone)s)::date, obligation, count(*)
from csp_breach
where contract_id = %(contract)s and breached_at >= %(since)s and breached_at < %(until)s
  and obligation = any(%(codes)s)
group by 1, 2"""


def breaches_by_week(contract: Contract, weeks: list[dt.date]) -> dict[dt.date, Counter[str]]:
    """For each of these weeks how often each clause was broken; the company's own targets are not among them."""
    since, until = periods.bounds(weeks, contract.zoneinfo)
    codes = [code for code, rule in OBLIGATIONS.items() if not rule.policy]
    values = {"contract": contract.pk, "since": since, "until": until, "zone": contract.zone, "codes": codes}
    found: dict[dt.date, Counter[str]] = {week: Counter() for week in weeks}
    for week, code, count in _rows(_BY_WEEK, values):
        found[week][OBLIGATIONS[code].clause] += count
    return found


_KEPT_BY_WEEK = """
select week, obligation, sum(kept)::int, sum(broken)::int from (
  select date_trunc('week', due_at at time zone %(zone)s)::date as week, obligation,
    count(*) filter (where state = 'met') as kept, count(*) filter (where state <> 'met') as broken
  from csp_deadline
  where contract_id = %(contract)s and obligation = any(%(codes)s) and due_at >= %(since)s and due_at < %(until)s
    and state in ('met', 'met_late', 'breached')
  group by week, obligation
  union all
  select date_trunc('week', first.due_at at time zone %(zone)s)::date, first.obligation, -count(*), 0
  from csp_deadline again join csp_deadline first on first.id = again.reopens_id
  where again.reopens_id is not null and again.contract_id = %(contract)s and first.state = 'met'
    and first.due_at >= %(since)s and first.due_at < %(until)s
  group by 1, 2
) counted group by week, obligation"""


def kept_by_week(contract: Contract, weeks: list[dt.date]) -> dict[str, dict[dt.date, Figure]]:
    """By clause what fell due in each of these weeks, kept and broken, where anything did."""
    since, until = periods.bounds(weeks, contract.zoneinfo)
    values = {
        "contract": contract.pk, "since": since, "until": until, "zone": contract.zone, "codes": list(OBLIGATIONS)
    }  # fmt: skip
    found: dict[str, dict[dt.date, Figure]] = defaultdict(dict)
    for week, code, kept, broken in _rows(_KEPT_BY_WEEK, values):
        of_clause = found[OBLIGATIONS[code].clause]
        of_clause[week] = of_clause.get(week, Figure()) + Figure(kept, broken)
    return dict(found)


_REPORTS = """
select count(*), max(m.reported_at - b.detected_at)
from audits_membership m join csp_breach b on b.id = m.breach_id
where b.contract_id = %(contract)s and b.detected_at >= %(since)s and b.detected_at < %(until)s"""


def slowest_report(contract: Contract, period: Period) -> tuple[int, dt.timedelta | None]:
    """How many breaches of the period the product reported, and the longest that it took from noticing one."""
    values = {"contract": contract.pk, "since": period.since, "until": period.until}
    [(count, longest)] = _rows(_REPORTS, values)
    return count, longest
