"""The figures of service (clause 6.2): how long answers took, what was resolved, what waits, what customers said.

Raw counts the facts; assessed reads each breach as somebody outside the team has agreed it is to be read. Everything is
counted as it was known at an instant (`as_of`), so that a month that was signed can be counted again to the same
digits, whatever happened since. The number of statements depends on nothing; each can be run by hand.

What a figure is of: promises are of the period in which they fell due, whenever they were kept; finishing is of the
period in which it happened; tickets are of the period in which they were received. What was imported never counts as
received, finished or waiting. The person of a promise is whoever answered for it when it broke, else whoever kept it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from audits.figures import Figure, whole
from audits.periods import Period
from csp.models import Contract, Team
from feedback import groups

HOUR, DAY = 3600, 86_400
# The duties that are measured by how long they took, under the names of their figures.
PROMISES = {"first": "respond", "next": "follow_up", "complaints": "resolve"}
# Upper ends of the parts of a distribution, in seconds; what took longer is in a part of its own.
ANSWER_PARTS = (HOUR, 4 * HOUR, 8 * HOUR, 24 * HOUR)
LONG_PARTS = (DAY, 3 * DAY, 7 * DAY, 14 * DAY)
PART_COUNT = 5  # of either: one more than it has ends
PARTS = {"first": ANSWER_PARTS, "next": ANSWER_PARTS, "complaints": LONG_PARTS, "finished": LONG_PARTS}
OLD = 7 * DAY
DIMENSIONS = ("team", "person", "channel", "category")
MONTH = "month"  # in the contract's zone; what waits is of no month
# How long it took: hours of a promise, days until finished. Begun ones count whole: what took exactly an hour is of 1,
# a second more of 2. What was not done is of none, and nothing else has a length.
LENGTH = "length"
NO_CATEGORY = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What is counted: of a contract in a period, as known at `as_of`; narrowed where something is named.

    `teams` are those whose figures the reader may see, None for all. `dated` reads from the trail what a ticket was at
    `as_of` where that has changed since, which a count of now need not.
    """

    contract: Contract
    period: Period
    as_of: dt.datetime
    teams: frozenset[int] | None = None
    team: int | None = None
    person: int | None = None
    channel: str = ""
    category: int | None = None
    dated: bool = False

    @property
    def horizon(self) -> dt.datetime:
        """The instant up to which the period can be known: its end, or now while it lasts."""
        return min(self.period.until, self.as_of)

    @property
    def values(self) -> dict[str, Any]:
        return {
            "contract": self.contract.pk, "since": self.period.since, "until": self.period.until,
            "as_of": self.as_of, "horizon": self.horizon, "teams": sorted(self.teams or ()), "team": self.team,
            "person": self.person, "channel": self.channel, "category": self.category,
            "zone": self.contract.zone, "old": dt.timedelta(seconds=OLD), "codes": list(PROMISES.values()),
        }  # fmt: skip

    @property
    def where(self) -> str:
        """What narrows the rows of any of the sources below, as SQL over their columns."""
        parts = ["true"]
        if self.teams is not None:
            parts.append("team = any(%(teams)s)")
        if self.team is not None:
            parts.append("team = %(team)s")
        if self.person is not None:
            parts.append("person = %(person)s")
        if self.channel:
            parts.append("channel = %(channel)s")
        if self.category is not None:
            parts.append("category = %(category)s")
        return " and ".join(parts)


@dataclasses.dataclass(frozen=True, slots=True)
class Times:
    """How long something took: how often it happened, the median and the 90th percentile in whole seconds, parts."""

    count: int = 0
    half: int | None = None
    most: int | None = None
    parts: tuple[int, ...] = (0, 0, 0, 0, 0)


NOTHING = Figure()


@dataclasses.dataclass(frozen=True, slots=True)
class Promise:
    """What fell due under one obligation, and how long that took which was done; raw, and as assessed."""

    figure: Figure = NOTHING
    raw: Times = Times()
    assessed: Times = Times()


@dataclasses.dataclass(slots=True)
class Measures:
    """Every figure of one team, person, channel or category, or of all of it."""

    first: Promise = Promise()
    next: Promise = Promise()
    complaints: Promise = Promise()
    finished: Times = Times()
    reopened: int = 0
    received: int = 0
    received_finished: int = 0
    waiting: int = 0
    waiting_old: int = 0
    oldest: int | None = None  # in seconds, of what waits


Found = dict[str, dict[Any, Measures]]


# ---------------------------------------------------------------- the sources: one row for each thing counted

_WAS = """
  left join lateral (select e.facts::jsonb -> 'category' ->> 0 as category, true as known from csp_trailentry e
    where e.subject = 'ticket:' || t.id and e.act = 'ticket.typed' and e.at > %(as_of)s
    and jsonb_exists(e.facts::jsonb, 'category') order by e.version limit 1) typed on true
  left join lateral (select (e.facts::jsonb ->> 'from')::bigint as team from csp_trailentry e
    where e.subject = 'ticket:' || t.id and e.act = 'ticket.team' and e.at > %(as_of)s
    order by e.version limit 1) moved on true"""


def _ticket(scope: Scope) -> tuple[str, str, str]:
    """The SQL of a ticket's category and team, and the joins that these need."""
    if scope.dated:
        category = "coalesce(case when typed.known then typed.category::bigint else t.category_id end, 0)"
        return category, "coalesce(moved.team, t.team_id)", _WAS
    return "coalesce(t.category_id, 0)", "t.team_id", ""


def promises(scope: Scope) -> str:
    """Promises that fell due in the period. `seconds` is empty until it was done, and where that came back."""
    category, _team, was = _ticket(scope)
    again = ""
    if scope.dated:  # a duty opened again is told by the trail with its instant
        again = (" and exists (select from csp_trailentry e where e.subject = 'deadline:' || again.id"
                 " and e.act = 'deadline.reopened' and e.at <= %(as_of)s)")  # fmt: skip
    return f"""
select p.*, case when done then extract(epoch from met_at - starts_at)::double precision end as seconds,
  not broken and state = 'met' and done as kept
from (
  select d.id, d.due_at as moment, d.obligation, t.id as ticket, t.channel, {category} as category,
    coalesce(b.team_id, d.team_id) as team, coalesce(b.responsible_id, d.met_by_id, d.responsible_id) as person,
    d.starts_at, d.met_at, d.state, b.id is not null as broken, a.verdict,
    again.id is not null as came_back, coalesce(d.met_at <= %(as_of)s and again.id is null, false) as done
  from csp_deadline d
  join tickets_ticket t on t.id = case when d.subject_ref like '#%%' then substr(d.subject_ref, 2)::bigint end
  left join csp_breach b on b.deadline_id = d.id and b.detected_at <= %(as_of)s
  left join csp_assessment a on a.breach_id = b.id and a.agreed and a.decided_at <= %(as_of)s
    and a.verdict <> 'stands'
  left join csp_deadline again on again.reopens_id = d.id and again.reopens_id is not null{again}
  {was}
  where d.contract_id = %(contract)s and d.obligation = any(%(codes)s)
    and d.due_at >= %(since)s and d.due_at < %(until)s and d.voided_at is null and t.origin <> 'practice'
    and (d.reopens_id is null or true{again.replace("again.id", "d.id")})
) p"""  # noqa: S608  constants of ours


def finishes(scope: Scope) -> str:
    """Each ticket that was finished in the period, once: with the last time, and whether any did not hold."""
    category, team, was = _ticket(scope)
    return f"""
select * from (
  select f.id, f.at as moment, t.id as ticket, t.channel, {category} as category, {team} as team, f.by_id as person,
    extract(epoch from f.at - t.received_at)::double precision as seconds,
    bool_or(coalesce(f.undone_at <= %(as_of)s, false)) over each as reopened,
    row_number() over (partition by f.ticket_id order by f.at desc, f.id desc) as place
  from tickets_finish f join tickets_ticket t on t.id = f.ticket_id {was}
  where t.contract_id = %(contract)s and f.at >= %(since)s and f.at < %(until)s and f.at <= %(as_of)s
    and t.origin in ('customer', 'staff') and (t.merged_at is null or t.merged_at > %(as_of)s)
  window each as (partition by f.ticket_id)
) f where place = 1"""  # noqa: S608  constants of ours


_FINISHED_THEN = """exists (select from tickets_finish f where f.ticket_id = t.id and f.at < %(horizon)s
    and (f.undone_at is null or f.undone_at >= %(horizon)s))"""


def received(scope: Scope) -> str:
    """What customers opened in the period, and whether it was finished by its end."""
    category, team, was = _ticket(scope)
    return f"""
select t.id, t.received_at as moment, t.id as ticket, t.channel, {category} as category, {team} as team,
  t.assignee_id as person, null::double precision as seconds, {_FINISHED_THEN} as finished
from tickets_ticket t {was}
where t.contract_id = %(contract)s and t.received_at >= %(since)s and t.received_at < %(until)s
  and t.opened_at <= %(as_of)s and t.origin = 'customer' and (t.merged_at is null or t.merged_at > %(as_of)s)"""  # noqa: S608  constants of ours


def waiting(scope: Scope) -> str:
    """What was received and not finished at the end of the period, found from what is not finished now or was later."""
    category, team, was = _ticket(scope)
    unfinished = "t.state in ('new', 'open', 'waiting')"

    def those(source: str, which: str) -> str:
        return f"""
select t.id, t.received_at as moment, t.id as ticket, t.channel, {category} as category, {team} as team,
  t.assignee_id as person, extract(epoch from %(horizon)s - t.received_at)::double precision as seconds
from {source} {was}
where {which} and t.contract_id = %(contract)s and t.received_at < %(horizon)s and t.opened_at <= %(as_of)s
  and t.origin in ('customer', 'staff') and (t.merged_at is null or t.merged_at >= %(horizon)s)
  and not {_FINISHED_THEN}"""  # noqa: S608  constants of ours

    ended_later = """(select ticket_id as id from tickets_finish where at >= %(horizon)s
    union select id from tickets_ticket where merged_into_id is not null and merged_at >= %(horizon)s) later"""
    return (
        those("tickets_ticket t", unfinished)
        + " union all "
        + those(f"{ended_later} join tickets_ticket t on t.id = later.id", f"not {unfinished}")
    )


# ---------------------------------------------------------------- counting


def _rows(sql: str, scope: Scope) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, scope.values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _grouped(by: Sequence[str], *always: str) -> str:
    """`group by`: all together, and once by each of the dimensions."""
    sets = ", ".join(f"({', '.join((*always, *each))})" for each in ((), *((one,) for one in by)))
    return f"group by grouping sets ({sets})"


def _counted(source: str, by: Sequence[str], part: str = "null", length: int = HOUR) -> str:
    """A source as it is counted: with the part of each row, and its month and length where these are asked for.

    The offset of none keeps each expression from being computed once more in every aggregate that names it.
    """
    month = "to_char(moment at time zone %(zone)s, 'YYYY-MM')" if MONTH in by else "null"
    whole = f"greatest(ceil(seconds / {length}), 1)::int" if LENGTH in by else "null"
    return f"(select s.*, {month} as month, {whole} as length, {part} as part from ({source}) s offset 0) s"  # noqa: S608


def _keys(by: Sequence[str]) -> str:
    """What tells by which dimension a row is grouped, and its value there."""
    which = " ".join(f"when grouping({one}) = 0 then '{one}'" for one in by)
    what = ", ".join(f"{one}::text" for one in by)
    return (
        f"case {which} else '' end as dimension, coalesce({what}, null) as key"
        if by
        else "'' as dimension, null as key"
    )


def _part(ends: Sequence[int]) -> str:
    """Which part of the distribution a row is of, from 1 on; what was not done is of none."""
    upto = " ".join(f"when seconds <= {end} then {part}" for part, end in enumerate(ends, 1))
    return f"case {upto} when seconds is not null then {len(ends) + 1} end"


def _times(name: str, among: str = "true") -> str:
    """The times of those `among` the rows which are of any part."""
    parts = ", ".join(f"count(*) filter (where part = {part} and {among})" for part in range(1, PART_COUNT + 1))
    return (
        f"count(seconds) filter (where {among}) as {name}_count, "
        "percentile_cont(array[0.5, 0.9]) within group (order by seconds) "
        f"filter (where {among}) as {name}_points, array[{parts}] as {name}_parts"
    )


def _read_times(row: Mapping[str, Any], name: str) -> Times:
    points = row[f"{name}_points"] or (None, None)
    half, most = (None if point is None else whole(point) for point in points)
    return Times(row[f"{name}_count"], half, most, tuple(row[f"{name}_parts"]))


def compute(scope: Scope, by: Sequence[str] = ()) -> Found:
    """Every figure: under "" of all of it (key None), under each dimension of `by` for each of its values.

    Keys are numbers of teams, people and categories (0: none), and codes of channels.
    """
    found: Found = {"": {None: Measures()}} | {one: defaultdict(Measures) for one in by}
    for row in _rows(_promise_sql(scope, by), scope):
        name = next(name for name, code in PROMISES.items() if code == row["obligation"])
        figure = Figure(
            kept=row["kept"], broken=row["broken"], running=row["running"], not_owed=row["not_owed"],
            recorded_late=row["recorded_late"], unreachable=row["unreachable"],
        )  # fmt: skip
        raw, assessed = _read_times(row, "raw"), _read_times(row, "assessed")
        setattr(_of(found, row), name, Promise(figure, raw, assessed))
    for row in _rows(_finish_sql(scope, by), scope):
        measures = _of(found, row)
        measures.finished, measures.reopened = _read_times(row, "all"), row["reopened"]
    by = [one for one in by if one != LENGTH]
    for row in _rows(_received_sql(scope, by), scope):
        measures = _of(found, row)
        measures.received, measures.received_finished = row["received"], row["finished"]
    for row in _rows(_waiting_sql(scope, [one for one in by if one != MONTH]), scope):
        measures = _of(found, row)
        measures.waiting, measures.waiting_old = row["waiting"], row["old"]
        measures.oldest = whole(row["oldest"]) if row["oldest"] is not None else None
    return {name: dict(each) for name, each in found.items()}


def _of(found: Found, row: Mapping[str, Any]) -> Measures:
    name, key = row["dimension"], row["key"]
    if key is not None and name not in ("channel", MONTH):
        key = int(key)
    return found[name][key]


def _promise_sql(scope: Scope, by: Sequence[str]) -> str:
    part = f"case obligation when 'resolve' then {_part(LONG_PARTS)} else {_part(ANSWER_PARTS)} end"
    return f"""
select obligation, {_keys(by)}, count(*) filter (where kept) as kept, count(*) filter (where broken) as broken,
  count(*) filter (where not kept and not broken and not came_back) as running,
  count(*) filter (where broken and verdict = 'not_owed') as not_owed,
  count(*) filter (where broken and verdict = 'recorded_late') as recorded_late,
  count(*) filter (where broken and verdict = 'unreachable') as unreachable,
  {_times("raw")}, {_times("assessed", "verdict is null")}
from {_counted(promises(scope), by, part)} where {scope.where} {_grouped(by, "obligation")}"""  # noqa: S608  constants of ours


def _finish_sql(scope: Scope, by: Sequence[str]) -> str:
    return f"""
select {_keys(by)}, count(*) filter (where reopened) as reopened, {_times("all")}
from {_counted(finishes(scope), by, _part(LONG_PARTS), DAY)} where {scope.where} {_grouped(by)}"""  # noqa: S608  constants of ours


def _received_sql(scope: Scope, by: Sequence[str]) -> str:
    return f"""
select {_keys(by)}, count(*) as received, count(*) filter (where finished) as finished
from {_counted(received(scope), by)} where {scope.where} {_grouped(by)}"""  # noqa: S608  constants of ours


def _waiting_sql(scope: Scope, by: Sequence[str]) -> str:
    return f"""
select {_keys(by)}, count(*) as waiting, count(*) filter (where seconds > {OLD}) as old, max(seconds) as oldest
from {_counted(waiting(scope), by)} where {scope.where} {_grouped(by)}"""  # noqa: S608  constants of ours


def spread(found: Found) -> dict[str, Counter[int]]:
    """Of what was counted by LENGTH: how many answers took how many hours, how many tickets how many days to finish."""
    counted: dict[str, Counter[int]] = {"first": Counter(), "next": Counter(), "finished": Counter()}
    for length, one in found[LENGTH].items():
        if length is not None:
            counted["first"][length] = one.first.raw.count
            counted["next"][length] = one.next.raw.count
            counted["finished"][length] = one.finished.count
    return counted


# ---------------------------------------------------------------- at this moment


@dataclasses.dataclass(frozen=True, slots=True)
class Now:
    """What stands beside the figures of a period: what is not finished, and what of it is overdue or soon due."""

    waiting: int = 0
    overdue: int = 0
    soon: int = 0


def now(scope: Scope, at: dt.datetime) -> Now:
    """The live state of the same tickets, whatever the period."""
    sql = f"""
select count(*) as waiting, count(*) filter (where due < %(at)s) as overdue,
  count(*) filter (where due >= %(at)s and due < %(soon)s) as soon
from (select t.team_id as team, t.assignee_id as person, t.channel, coalesce(t.category_id, 0) as category,
  t.next_due_at as due from tickets_ticket t where t.contract_id = %(contract)s
  and t.state in ('new', 'open', 'waiting') and t.origin in ('customer', 'staff')) t where {scope.where}"""  # noqa: S608  constants of ours
    with connection.cursor() as cursor:
        cursor.execute(sql, scope.values | {"at": at, "soon": at + dt.timedelta(hours=1)})
        return Now(*cursor.fetchone())


# ---------------------------------------------------------------- feedback, in groups of five


@dataclasses.dataclass(frozen=True, slots=True)
class Scores:
    """What the answers to surveys gave, in complete groups of five (clause 4.2): how many gave 1, 2, 3, 4, 5."""

    counts: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)

    @property
    def count(self) -> int:
        return sum(self.counts)

    @property
    def total(self) -> int:
        return sum(score * count for score, count in enumerate(self.counts, 1))

    def __add__(self, other: Scores) -> Scores:
        a, b, c, d, e = (one + two for one, two in zip(self.counts, other.counts, strict=True))
        return Scores((a, b, c, d, e))


def feedback(scope: Scope) -> dict[int, Scores]:
    """The scores of each team: of the groups whose last answer came in the period and that were shown at `as_of`.

    Groups are counted from a team's very first answer and the newest one stays out of sight, so that neither another
    period nor another look tells what fewer than five people said. There is no such figure of a person, a channel or a
    category, because nobody keeps which ticket an answer was about.
    """
    if scope.person is not None or scope.channel or scope.category is not None:
        return {}
    teams = Team.objects.filter(contract=scope.contract)
    if scope.teams is not None:
        teams = teams.filter(pk__in=scope.teams)
    if scope.team is not None:
        teams = teams.filter(pk=scope.team)
    numbers = list(teams.order_by("pk").values_list("pk", flat=True))
    found = groups.in_period(numbers, scope.period.since, scope.period.until, as_of=scope.as_of)
    return {team: Scores(counts) for team, counts in found.items()}
