"""The figures of service: a page with its filters, the tickets behind each figure, and both as files (clause 6.2)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from audits import listing, metric_lists, metric_table, metrics, periods
from audits.metric_lists import LISTS, Figure, Row
from audits.metric_readers import Reader
from audits.metric_table import Line
from audits.metrics import Measures, Scope
from audits.periods import NoSuchPeriod, Period
from audits.views.board import contract_of, period_of
from audits.views.lists import cursor_in, spelled
from csp import access, charts, clock, clockface, exporting, trail
from csp.access import Refused, person, requires
from csp.events import Act
from csp.models import Contract, Team, User
from csp.roles import Permission, Role
from tickets.models import Category, Ticket
from tickets.views.door import number_in, refuse

HOURS_SHOWN, LIMIT = 30, 24
DAYS_SHOWN = 14
TITLES = {
    "team": gettext_lazy("Team"), "person": gettext_lazy("Person"), "channel": gettext_lazy("Channel"),
    "category": gettext_lazy("Category"), metrics.MONTH: gettext_lazy("Month"),
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, as far as this reader may have it."""

    reader: Reader
    contracts: list[Contract]
    period: Period
    by: str
    team: int | None
    person: int | None
    channel: str
    category: int | None
    people: Sequence[User]

    @property
    def contract(self) -> Contract:
        return self.reader.contract

    @property
    def zone(self) -> ZoneInfo:
        return self.contract.zoneinfo

    def scope(self, at: dt.datetime, period: Period | None = None) -> Scope:
        return Scope(
            self.contract, period or self.period, at, self.reader.within(self.person), self.team, self.person,
            self.channel, self.category,
        )  # fmt: skip

    def query(self, **more: object) -> str:
        """The address's own query, with some of it replaced; what is empty is left out."""
        values: dict[str, object] = {
            "contract": self.contract.pk, "period": self.period.code, "by": self.by, "team": self.team,
            "person": self.person, "channel": self.channel, "category": self.category,
        }  # fmt: skip
        return urlencode({name: value for name, value in (values | more).items() if value not in ("", None)})

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "contract": self.contract.pk, "period": self.period.code, "by": self.by, "team": self.team,
            "person": self.person, "channel": self.channel, "category": self.category,
        }  # fmt: skip


def _asked(request: HttpRequest, at: dt.datetime) -> Asked:
    """Read the address. A person whose figures the reader may not see does not exist; a part neither."""
    contract, contracts = contract_of(request)
    reader, get = Reader.of(person(request), contract), request.GET
    people = reader.people()
    who = number_in(get.get("person", ""))
    if who is not None and all(who != one.pk for one in people):
        raise Http404
    team, category = number_in(get.get("team", "")), number_in(get.get("category", ""))
    channel, by = get.get("channel", ""), get.get("by", "")
    if not reader.by_part and who != reader.user.pk and (team is not None or category is not None or channel):
        raise PermissionDenied
    known = Ticket.Channel.values
    return Asked(
        reader, contracts, _period(request, at, contract.zoneinfo), by if by in reader.dimensions else "",
        team, who, channel if channel in known else "", category, people,
    )  # fmt: skip


def _period(request: HttpRequest, at: dt.datetime, zone: ZoneInfo) -> Period:
    """The days that were chosen, else the period that the address names, else this month."""
    first, last = request.GET.get("from", ""), request.GET.get("to", "")
    if not (first and last):
        return period_of(request, at, zone)
    try:
        return periods.days(dt.date.fromisoformat(first), dt.date.fromisoformat(last), zone)
    except (NoSuchPeriod, ValueError):
        messages.error(request, _("Choose a first day and a last day not before it, at most three years apart."))
        return periods.this_month(at, zone)


# ---------------------------------------------------------------- the page


@requires(Permission.SEE_METRICS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Every figure of the period beside the period before, what stands at this moment, and one breakdown."""
    at = clock.now()
    asked = _asked(request, at)
    scope = asked.scope(at)
    parts = [asked.by] if asked.by and _scope_of_parts(asked, at) == scope else []
    counted = metrics.compute(scope, [metrics.LENGTH, *parts])
    found = counted[""][None]
    earlier = asked.scope(at, periods.before(asked.period, asked.zone))
    before = metrics.compute(earlier)[""][None]
    scores, scores_before = (_scores(asked, one) for one in (scope, earlier))
    context: dict[str, Any] = {
        "at": at,
        "asked": asked,
        "contract": asked.contract,
        "contracts": asked.contracts,
        "period": asked.period,
        "offered": [*periods.offered(at, asked.zone)[:2], periods.quarter_of(at, asked.zone),
                    *periods.offered(at, asked.zone)[2:]],
        "before": earlier.period,
        "after": periods.after(asked.period, asked.zone) if asked.period.until <= at else None,
        "first": asked.period.since.astimezone(asked.zone).date(),
        "last": (asked.period.until.astimezone(asked.zone) - dt.timedelta(hours=12)).date(),
        "lines": _compared(asked, metric_table.lines(found, scores), metric_table.lines(before, scores_before)),
        "stats": _stats(found, metrics.now(scope, at)),
        "is_over": asked.period.until <= at,
        "charts": _charts(metrics.spread(counted), found),
        "parts": _parts(asked, at, counted),
        "filters": _filters(asked),
        "is_narrow": any(one is not None for one in (asked.team, asked.person, asked.category)) or asked.channel,
        "query": asked.query(),
        "narrow": asked.query(period=""),
        "part_heads": PART_HEADS,
        "sees_statements": listing.may_see(asked.reader.user, asked.contract),
    }  # fmt: skip
    return render(request, "audits/metrics.html", context)


def _scores(asked: Asked, scope: Scope) -> metrics.Scores | None:
    """What surveys gave; None where a filter is on, which nobody keeps for an answer."""
    if asked.person is not None or asked.channel or asked.category is not None:
        return None
    return sum(metrics.feedback(scope).values(), metrics.Scores())


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A line of the table: with the figure before, and the addresses of what it was counted from."""

    line: Line
    before: str
    opens: list[tuple[str, int, str]]  # what it is, how many, where


def _compared(asked: Asked, lines: Sequence[Line], before: Sequence[Line]) -> list[Shown]:
    opens, query = asked.reader.may_open(asked.person), asked.query(by="")

    def opened(line: Line) -> list[tuple[str, int, str]]:
        return [
            (str(LISTS[code].title), number, f"{reverse('metric_tickets', args=[code])}?{query}")
            for code, number in line.lists
        ]

    return [Shown(line, one.raw.text, opened(line) if opens else []) for line, one in zip(lines, before, strict=True)]


def _stats(found: Measures, now: metrics.Now) -> list[dict[str, str]]:
    """Figure, what it is a part of, and what it says: never a bare percentage. The last is of this moment."""
    first = metric_table.share(found.first.figure.kept, found.first.figure.owed)
    next_ = metric_table.share(found.next.figure.kept, found.next.figure.owed)
    reopened = ngettext("%(n)d opened again", "%(n)d opened again", found.reopened) % {"n": found.reopened}
    return [
        {"label": _("First response in time"), "clause": "3.1", "number": first.text, "of": first.of},
        {"label": _("Next response in time"), "clause": "3.1", "number": next_.text, "of": next_.of},
        {"label": _("Resolved"), "clause": "", "number": metric_table.count(found.finished.count).text, "of": reopened},
        {
            "label": _("Waiting now"), "clause": "", "number": metric_table.count(now.waiting).text,
            "of": _("%(overdue)d overdue, %(soon)d due within the hour") % {"overdue": now.overdue, "soon": now.soon},
        },
    ]  # fmt: skip


def _charts(spread: Mapping[str, Any], found: Measures) -> list[dict[str, Any]]:
    return [
        _by_hour("first", _("Time to first response"), spread["first"], found.first.raw),
        _by_hour("next", _("Time to next response"), spread["next"], found.next.raw),
        _by_day(spread["finished"], found.finished),
    ]


def _by_hour(code: str, title: str, spread: Any, times: metrics.Times) -> dict[str, Any]:
    """The distribution of a time to an answer, with the line at twenty-four hours."""
    counts = [spread[hour] for hour in range(1, HOURS_SHOWN)]
    counts.append(sum(number for hour, number in spread.items() if hour >= HOURS_SHOWN))
    hour = clockface.UNITS["h"]
    marks = [
        (seconds / metrics.HOUR, text % {"time": metric_table.length(seconds).text})
        for seconds, text in ((times.half, _("half in %(time)s")), (times.most, _("9 of 10 in %(time)s")))
        if seconds is not None
    ]
    sentence = ngettext("Time to the answer of %(n)d message.", "Time to the answer of %(n)d messages.",
                        times.count) % {"n": times.count}  # fmt: skip
    rows = [
        (_("%(from)d to %(to)d h") % {"from": place, "to": place + 1}, number)
        for place, number in enumerate(counts[:-1]) if number
    ]  # fmt: skip
    if counts[-1]:
        rows.append((_("over %(from)d h") % {"from": HOURS_SHOWN - 1}, counts[-1]))
    return {
        "code": code, "title": title, "clause": "3.1", "kind": "hist", "count": times.count,
        "chart": charts.histogram(
            counts, limit=LIMIT, limit_label=f"{LIMIT}{clockface.NBSP}{hour}",
            ticks=[(float(place), f"{place}{clockface.NBSP}{hour}") for place in range(0, LIMIT, 4)], marks=marks,
        ),
        "sentence": " ".join([sentence, *(f"{text}." for _place, text in marks)]),
        "headings": [_("Time"), _("Answers")], "rows": rows,
        "none": _("Nothing that was due in this period has been answered."),
    }  # fmt: skip


def _by_day(spread: Any, times: metrics.Times) -> dict[str, Any]:
    """In how many days tickets were resolved; those that took longer stand together at the end."""
    counts = [spread[day] for day in range(1, DAYS_SHOWN + 1)]
    counts.append(sum(number for day, number in spread.items() if day > DAYS_SHOWN))
    names = [*(f"{day}{clockface.NBSP}{clockface.UNITS['d']}" for day in range(1, DAYS_SHOWN + 1)),
             f">{clockface.NBSP}{DAYS_SHOWN}"]  # fmt: skip
    sentence = ngettext("Days until %(n)d ticket was resolved.", "Days until %(n)d tickets were resolved.",
                        times.count) % {"n": times.count}  # fmt: skip
    said = [
        text % {"time": metric_table.length(seconds).text}
        for seconds, text in ((times.half, _("half in %(time)s")), (times.most, _("9 of 10 in %(time)s")))
        if seconds is not None
    ]
    return {
        "code": "finished", "title": _("Time to resolution"), "clause": "", "kind": "stacked", "count": times.count,
        "chart": charts.columns([(number,) for number in counts], names),
        "sentence": " ".join([sentence, *(f"{text}." for text in said)]),
        "headings": [_("Days"), _("Tickets")],
        "rows": [(name, number) for name, number in zip(names, counts, strict=True) if number],
        "none": _("Nothing was resolved in this period."),
    }  # fmt: skip


# ---------------------------------------------------------------- by team, person, channel, category, month


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """One row of a breakdown: how it is called, its figures, and the address that narrows the page to it."""

    name: str
    lines: dict[str, Line]
    url: str
    score: str

    @property
    def cells(self) -> list[str]:
        """What stands under `PART_HEADS`."""
        shown = [getattr(self.lines[code], which).text for code, which, _head in PART_COLUMNS]
        return [*shown, self.score]


PART_COLUMNS = (
    ("first-share", "raw", gettext_lazy("First response in time")),
    ("first-share", "assessed", gettext_lazy("Assessed")),
    ("first-half", "raw", gettext_lazy("half within")),
    ("first-most", "raw", gettext_lazy("nine of ten within")),
    ("next-share", "raw", gettext_lazy("Next response in time")),
    ("next-share", "assessed", gettext_lazy("Assessed")),
    ("complaints-share", "raw", gettext_lazy("Complaints resolved in time")),
    ("finished", "raw", gettext_lazy("Resolved")),
    ("finished-half", "raw", gettext_lazy("half within")),
    ("rate", "raw", gettext_lazy("Resolution rate")),
    ("reopened", "raw", gettext_lazy("Opened again")),
    ("waiting", "raw", gettext_lazy("Waiting at the end")),
)
PART_HEADS = (*(head for _code, _which, head in PART_COLUMNS), gettext_lazy("Survey score"))


def _names(asked: Asked, by: str, keys: Iterable[Any]) -> Callable[[Any], str]:
    """How the keys of a dimension are called."""
    known: dict[Any, str] = {}
    wanted = [key for key in keys if key]
    if by == "team":
        known = dict(Team.objects.filter(pk__in=wanted).values_list("pk", "name"))
    elif by == "person":
        known = dict(User.objects.filter(pk__in=wanted).values_list("pk", "name")) | {None: _("Nobody in person")}
    elif by == "category":
        known = dict(Category.objects.filter(pk__in=wanted).values_list("pk", "name")) | {0: _("No category")}
    elif by == "channel":
        known = {code: str(label) for code, label in Ticket.Channel.choices}
    else:
        known = {key: periods.read(key, asked.period.since, asked.zone).label for key in wanted}
    return lambda key: known.get(key, str(key))


def _scope_of_parts(asked: Asked, at: dt.datetime) -> Scope:
    """Of people the reader sees fewer than of all that is counted."""
    scope = asked.scope(at)
    if asked.by == "person" and asked.person is None:
        return dataclasses.replace(scope, teams=asked.reader.people_in)
    return scope


def _parts(asked: Asked, at: dt.datetime, counted: metrics.Found) -> list[Part]:
    """The breakdown, out of what was counted already where that was of the same scope."""
    if not asked.by:
        return []
    scope = _scope_of_parts(asked, at)
    found = counted[asked.by] if asked.by in counted else metrics.compute(scope, [asked.by])[asked.by]
    name = _names(asked, asked.by, found)
    scores = metrics.feedback(scope) if asked.by == "team" else {}
    narrow = "period" if asked.by == metrics.MONTH else asked.by
    people = {one.pk for one in asked.people}
    rows = []
    for key, one in found.items():
        opens = key is not None and (asked.by != "person" or key in people)
        rows.append(
            Part(
                name(key), {line.code: line for line in metric_table.lines(one)},
                asked.query(**{narrow: key}) if opens else "",
                metric_table.mean(scores[key]).text if key in scores else metric_table.NONE,
            )
        )  # fmt: skip
    order = (lambda row: row.url) if asked.by == metrics.MONTH else (lambda row: row.name.lower())
    return sorted(rows, key=order)


def _filters(asked: Asked) -> dict[str, Any]:
    """What the page offers to narrow it by."""
    reader = asked.reader
    own = asked.person == reader.user.pk
    by_part = reader.by_part or own
    return {
        "teams": list(Team.objects.filter(contract=asked.contract).order_by("name", "pk")) if by_part else [],
        "people": [(one.pk, _("Myself") if one.pk == reader.user.pk else one.name) for one in asked.people],
        "channels": Ticket.Channel.choices if by_part else [],
        "categories": [
            *Category.objects.filter(contract=asked.contract).order_by("name", "pk").values_list("pk", "name"),
            (metrics.NO_CATEGORY, _("No category")),
        ] if by_part else [],
        "dimensions": [(name, TITLES[name]) for name in reader.dimensions],
        "by": str(TITLES[asked.by]) if asked.by else "",
    }  # fmt: skip


# ---------------------------------------------------------------- the tickets behind a figure


def _behind(request: HttpRequest, code: str, at: dt.datetime) -> tuple[Figure, Asked, Scope]:
    one = LISTS.get(code)
    if one is None:
        raise Http404
    asked = _asked(request, at)
    if not asked.reader.may_open(asked.person):
        raise PermissionDenied
    scope = asked.scope(at)
    if asked.person != asked.reader.user.pk and asked.reader.behind is not None:
        scope = dataclasses.replace(scope, teams=asked.reader.behind)
    return one, asked, scope


@requires(Permission.SEE_METRICS)
@require_GET
def tickets(request: HttpRequest, code: str) -> HttpResponse:
    """One page of the tickets that a figure was counted from. An auditor's reading is recorded."""
    at, user = clock.now(), person(request)
    one, asked, scope = _behind(request, code, at)
    found, after = metric_lists.page(one, scope, cursor_in(request.GET.get("after", "")))
    rows = list(listing.not_about(user, found))
    if Role.AUDITOR in access.scope_of(user).roles():
        facts = asked.facts | {"list": one.code, "rows": len(rows)}
        trail.record(Act.RECORD_READ, f"reader:{user.pk}", by=user, at=at, facts=facts)
    told = _told(asked, rows)
    seen = set(Ticket.objects.visible_to(user).filter(pk__in=[row.ticket for row in rows]).values_list("pk", flat=True))
    context: dict[str, Any] = {
        "at": at,
        "one": one,
        "asked": asked,
        "contract": asked.contract,
        "period": asked.period,
        "rows": [(row, *told(row), row.ticket in seen) for row in rows],
        "count": metric_lists.count(one, scope),
        "after": spelled(after),
        "query": asked.query(by=""),
        "is_own_teams": scope.teams is not None,
    }
    return render(request, "audits/metric_tickets.html", context)


def _told(asked: Asked, rows: Sequence[Row]) -> Callable[[Row], tuple[str, str, str, str, str]]:
    """The words of a row: team, person where the reader may know, channel, category, how it ended."""
    teams, people, channels, categories = (
        _names(asked, by, {getattr(row, by) for row in rows}) for by in ("team", "person", "channel", "category")
    )
    shown, me = asked.reader.people_in, asked.reader.user.pk
    ends = {
        "kept": _("in time"), "broken": _("not in time"), "not_owed": _("not owed"), "": "",
        "recorded_late": _("in time, recorded late"), "unreachable": _("customer not reached"),
    }  # fmt: skip

    def told(row: Row) -> tuple[str, str, str, str, str]:
        sees = row.person == me or shown is None or row.team in shown
        who = people(row.person) if sees and row.person is not None else ""
        return teams(row.team), who, channels(row.channel), categories(row.category), ends[row.ended]

    return told


# ---------------------------------------------------------------- files


@requires(Permission.SEE_METRICS)
@require_POST
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The figures of the page as a file; who took it, and of what, is on record."""
    at = clock.now()
    asked = _asked(request, at)

    def rows() -> exporting.Rows:
        scope = asked.scope(at)
        for line in metric_table.lines(metrics.compute(scope)[""][None], _scores(asked, scope)):
            yield "", _line(_("All"), line)
        for part in _parts(asked, at, {}):
            for line in part.lines.values():
                yield "", _line(part.name, line)

    heads = [
        str(TITLES[asked.by]) if asked.by else _("Of"), _("Clause"), _("Figure"), _("Unit"), _("Raw"), _("Raw, of"),
        _("Assessed"), _("Assessed, of"), _("What it is"),
    ]  # fmt: skip
    return _as_file("metrics", asked, kind, heads, rows, at)


@requires(Permission.SEE_METRICS)
@require_POST
def export_tickets(request: HttpRequest, code: str, kind: str) -> HttpResponseBase:
    """The tickets behind a figure as a file; who took it, and of what, is on record."""
    at, user = clock.now(), person(request)
    one, asked, scope = _behind(request, code, at)
    try:
        to = exporting.Recipient.read(request.POST.get("recipient", ""))
    except Refused as refusal:
        return refuse(request, refusal, f"{reverse('metric_tickets', args=[code])}?{request.GET.urlencode()}")

    def rows() -> exporting.Rows:
        for batch in _batches(listing.not_about(user, metric_lists.everything(one, scope))):
            told = _told(asked, batch)
            whose = listing.customers_of(row.ticket for row in batch)
            for row in batch:
                moment = row.cursor[0].astimezone(asked.zone)
                yield whose.get(row.ticket, ""), [row.ref, f"{moment:%Y-%m-%d %H:%M:%S}", row.seconds, *told(row)]

    heads = [
        _("Ticket"), f"{one.moment} ({asked.zone})", _("Seconds"), _("Team"), _("Person"), _("Channel"),
        _("Category"), _("How it ended"),
    ]  # fmt: skip
    return _as_file(f"metrics-{one.code}", asked, kind, heads, rows, at, to)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while batch := list(itertools.islice(rows, metric_lists.AT_ONCE)):
        yield batch


UNITS = {"%": "%", "s": "s", "n": "", "mean": "1–5"}


def _line(of: str, line: Line) -> list[Any]:
    title = f"{line.group}: {line.title}" if line.group else str(line.title)
    assessed = line.assessed
    return [
        of, line.clause, title, UNITS[line.unit], line.raw.number, line.raw.of,
        assessed.number if assessed else None, assessed.of if assessed else "", str(line.says),
    ]  # fmt: skip


def _as_file(
    what: str,
    asked: Asked,
    kind: str,
    heads: Sequence[str],
    rows: Callable[[], exporting.Rows],
    at: dt.datetime,
    to: exporting.Recipient = exporting.NOBODY,
) -> HttpResponseBase:
    try:
        made = exporting.Format(kind)
    except ValueError:
        raise Http404 from None
    narrowed = {name: str(value) for name, value in asked.facts.items() if value not in (None, "")}
    taking = exporting.Taking(asked.reader.user, what, made, narrowed, asked.contract, to)
    return exporting.as_file(taking, heads, rows, name=f"{what}-{asked.period.code}", at=at)
