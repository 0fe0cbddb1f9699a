"""The contract board: how every clause stands, drawn on the server, each figure one step from what lies behind it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import dateformat
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from audits import board, figures, listing, lists, periods
from audits.board import Board, Line
from audits.controls import Standing
from audits.periods import Period
from csp import charts, clock, clockface
from csp.access import person, requires
from csp.clockface import ClockFace
from csp.models import Contract
from tickets.views.door import local_zone, number_in

HOURS_SHOWN, LIMIT = 30, 24
ANSWERING, ESCALATING = {"3.1"}, {"3.3"}


def contract_of(request: HttpRequest) -> tuple[Contract, list[Contract]]:
    """The contract that the address names, else the first that this person may see; and all of those."""
    mine = board.contracts_of(person(request))
    if not mine:
        raise PermissionDenied
    asked = request.GET.get("contract", "")
    if not asked:
        return mine[0], mine
    chosen = next((one for one in mine if one.pk == number_in(asked)), None)
    if chosen is None:
        raise Http404
    return chosen, mine


def period_of(request: HttpRequest, at: dt.datetime, zone: ZoneInfo) -> Period:
    """The period that the address names; a name of none is said, and this month is shown."""
    asked = request.GET.get("period", "").strip()
    if not asked:
        return periods.this_month(at, zone)
    try:
        return periods.read(asked, at, zone)
    except periods.NoSuchPeriod:
        messages.error(request, _("“%(asked)s” is no period. Write a month as 2026-11; shown is this month.") % {
            "asked": asked[:20]
        })  # fmt: skip
        return periods.this_month(at, zone)


LOWEST = 0.8  # where the line of thirteen weeks begins: what is lower is as bad


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One line as the table shows it."""

    line: Line
    raw: str
    raw_of: str
    assessed: str
    assessed_of: str
    parts: list[tuple[str, str, str]]  # verb, figure, address of what lies behind it
    points: str  # of the line of thirteen weeks
    trend: str  # what it shows, said
    face: ClockFace | None
    evidence: str  # the address
    breaches: str  # the address


@requires()
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The whole board, or with `show=risk` only what is broken or at risk."""
    user, at = person(request), clock.now()
    contract, mine = contract_of(request)
    zone = contract.zoneinfo
    period = period_of(request, at, zone)
    drawn = board.draw(contract, period, at)
    opens = listing.may_see(user, contract)
    bad = {Standing.BROKEN, Standing.AT_RISK}
    lines = drawn.lines
    is_narrow = request.GET.get("show") == "risk"
    if is_narrow:
        lines = [line for line in lines if line.now in bad or line.in_period in bad]
    context: dict[str, Any] = {
        "at": at,
        "board": drawn,
        "contract": contract,
        "contracts": mine,
        "period": period,
        "offered": periods.offered(at, zone),
        "months": list(periods.months_back(at, zone)),
        "rows": [_row(line, drawn, at, opens=opens) for line in lines],
        "is_narrow": is_narrow,
        "at_risk": sum(line.now in bad or line.in_period in bad for line in drawn.lines),
        "counts": [(drawn.counts[one], one.label) for one in (
            Standing.KEPT, Standing.AT_RISK, Standing.BROKEN, Standing.NONE)],
        "stats": _stats(drawn),
        "answers": _answers(drawn),
        "weeks": _weeks(drawn, zone),
        "checked": dateformat.format(at.astimezone(local_zone()), "H:i"),
        "opens": opens,
        "lists": lists.LISTS.values(),
        "query": _query(contract, period),
    }  # fmt: skip
    return render(request, "audits/board.html", context)


def face_of(line: Line, at: dt.datetime) -> ClockFace | None:
    """The clock of what runs under the clause and is due first."""
    upcoming = line.next
    if upcoming is None or upcoming.live.starts_at is None or upcoming.live.due_at is None:
        return None
    return clockface.read(
        verb=_(upcoming.rule.verb), past=_(upcoming.rule.past), starts_at=upcoming.live.starts_at,
        due_at=upcoming.live.due_at, now=at, zone=local_zone(),
    )  # fmt: skip


def _query(contract: Contract, period: Period) -> str:
    return urlencode({"contract": str(contract.pk), "period": period.code})


def percent(part: int, whole: int) -> str:
    """A share as people read it; what is not all is never written as 100."""
    found = figures.share(part, whole)
    if found is None:
        return "–"
    return f"{found:g}{clockface.NBSP}%"


def _row(line: Line, drawn: Board, at: dt.datetime, *, opens: bool) -> Row:
    figure, number = line.figure, line.clause.number
    query = {"contract": str(drawn.contract.pk), "period": drawn.period.code, "clause": number}
    if any(one.rule.policy for one in line.owed) and not all(one.rule.policy for one in line.owed):
        query["obligation"] = listing.DUTIES  # the figure is of these alone
    behind = reverse("assurance_list", args=["promises"]) if opens and line.owed else ""
    broken = reverse("assurance_list", args=["breaches"]) if opens and figure.broken else ""
    of = _("%(part)d of %(whole)d")
    points, trend = ("", "") if line.part else _trend(drawn, number)
    return Row(
        line=line,
        raw=percent(figure.kept, figure.owed),
        raw_of=of % {"part": figure.kept, "whole": figure.owed} if figure.owed else "",
        assessed=percent(figure.kept_as_assessed, figure.owed_as_assessed),
        assessed_of=of % {"part": figure.kept_as_assessed, "whole": figure.owed_as_assessed} if figure.owed else "",
        parts=[
            (
                _(one.rule.verb) if one.rule.code != "follow_up" else _("Follow-up"),
                of % {"part": one.figure.kept, "whole": one.figure.owed},
                f"{behind}?{urlencode(query | {'obligation': one.rule.code, 'state': 'ended'})}" if behind else "",
            )
            for one in line.owed
            if one.figure.owed and len(line.owed) > 1
        ],
        points=points,
        trend=trend,
        face=face_of(line, at),
        evidence=f"{behind}?{urlencode(query | {'state': 'ended'})}" if behind and figure.owed else "",
        breaches=f"{broken}?{urlencode(query)}" if broken else "",
    )


def _trend(drawn: Board, clause: str) -> tuple[str, str]:
    """The share kept by week, as a line from LOWEST to all, and said; a week without promises is as the one before."""
    of_weeks = [drawn.kept.get(clause, {}).get(week, figures.Figure()) for week in drawn.weeks]
    known = [one for one in of_weeks if one.owed]
    if len(known) < 2:
        return "", ""
    last, shares = known[0], list[float]()
    for one in of_weeks:
        last = one if one.owed else last
        shares.append(max(last.kept / last.owed, LOWEST) - LOWEST)
    said = _("%(first)s kept in the first of these weeks, %(last)s in the last") % {
        "first": percent(known[0].kept, known[0].owed), "last": percent(last.kept, last.owed)
    }  # fmt: skip
    return charts.spark(shares, 1 - LOWEST), said


def _stats(drawn: Board) -> list[dict[str, str]]:
    """Figure, what it is a part of, and what it says: never a bare percentage."""
    whole, answers = drawn.figure, drawn.answers
    half, most = answers.half, answers.most
    count = ngettext("%(n)d first answer", "%(n)d first answers", answers.count) % {"n": answers.count}
    return [
        {
            "label": _("Promises kept, raw"), "clause": "6.2", "number": percent(whole.kept, whole.owed),
            "of": _("%(part)d of %(whole)d that fell due") % {"part": whole.kept, "whole": whole.owed},
        },
        {
            "label": _("Promises kept, as assessed"), "clause": "",
            "number": percent(whole.kept_as_assessed, whole.owed_as_assessed),
            "of": ngettext(
                "%(n)d breach is read otherwise", "%(n)d breaches are read otherwise",
                whole.broken - whole.broken_as_assessed,
            ) % {"n": whole.broken - whole.broken_as_assessed},
        },
        {
            "label": _("Half answered within"), "clause": "",
            "number": clockface.short(half) if half is not None else "–", "of": count,
        },
        {
            "label": _("Nine of ten within"), "clause": "",
            "number": clockface.short(most) if most is not None else "–",
            "of": ngettext("%(n)d was not in time", "%(n)d were not in time", answers.late) % {"n": answers.late},
        },
    ]  # fmt: skip


def _answers(drawn: Board) -> dict[str, Any]:
    """The distribution of the time to the first answer, with the line at twenty-four hours."""
    answers = drawn.answers
    counts = answers.by_hour(HOURS_SHOWN)
    hour = clockface.UNITS["h"]
    said = []
    for within, text in ((answers.half, _("half in %(time)s")), (answers.most, _("9 of 10 in %(time)s"))):
        if within is not None:
            said.append((within / clockface.HOUR, text % {"time": clockface.short(within)}))
    chart = charts.histogram(
        counts,
        limit=LIMIT,
        limit_label=f"{LIMIT}{clockface.NBSP}{hour}",
        ticks=[(float(place), f"{place}{clockface.NBSP}{hour}") for place in range(0, LIMIT, 4)],
        marks=said,
    )
    sentence = ngettext("Time to the first answer of %(n)d ticket.", "Time to the first answer of %(n)d tickets.",
                        answers.count) % {"n": answers.count}  # fmt: skip
    sentence = " ".join([sentence, *(f"{text}." for _place, text in said)])
    rows = [
        (_("%(from)d to %(to)d h") % {"from": place, "to": place + 1}, count)
        for place, count in enumerate(counts[:-1])
        if count
    ]
    if counts[-1]:
        rows.append((_("over %(from)d h") % {"from": HOURS_SHOWN - 1}, counts[-1]))
    return {
        "chart": chart, "sentence": sentence, "rows": rows, "count": answers.count, "late": answers.late,
        "headings": [_("Time"), _("Tickets")],
    }  # fmt: skip


def _weeks(drawn: Board, zone: ZoneInfo) -> dict[str, Any]:
    """Breaches by the week in which they fell due: answering, escalating, everything else."""
    parts, names, rows = [], [], []
    for week, by_clause in drawn.weeks.items():
        answer = sum(by_clause[number] for number in ANSWERING)
        escalate = sum(by_clause[number] for number in ESCALATING)
        other = by_clause.total() - answer - escalate
        parts.append((answer, escalate, other))
        names.append(_("w %(week)d") % {"week": week.isocalendar().week})
        rows.append((dateformat.format(week, "j M Y"), answer, escalate, other))
    total = sum(map(sum, parts))
    sentence = ngettext(
        "%(n)d breach in the thirteen weeks until %(until)s: %(first)d in the first week, %(last)d in the last.",
        "%(n)d breaches in the thirteen weeks until %(until)s: %(first)d in the first week, %(last)d in the last.",
        total,
    ) % {
        "n": total, "until": dateformat.format(drawn.period.until.astimezone(zone) - dt.timedelta(days=1), "j M Y"),
        "first": sum(parts[0]), "last": sum(parts[-1]),
    }  # fmt: skip
    return {
        "chart": charts.columns(parts, names), "sentence": sentence, "rows": rows, "total": total,
        "headings": [_("Week from"), _("Answer"), _("Escalate"), _("Other")],
    }  # fmt: skip
