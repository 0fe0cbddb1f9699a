"""The figures of service as people read them: lines with raw and assessed, what they are of, and their definition.

The page, the files and the monthly statement all show these lines, so that one word means one thing (clause 6.2).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audits import figures, metric_lists
from audits.metrics import Measures, Promise, Scores, Times
from csp import clockface

NONE = "–"


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """One figure: as shown, what it is of, and the bare number for a file (seconds, per cent, or a count)."""

    text: str = NONE
    of: str = ""
    number: float | int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of figures. `assessed` is None where nothing is assessed; `lists` are (code, count) of what it opens."""

    code: str
    title: Any
    unit: str  # "%", "s", "n" or "mean"
    raw: Value
    assessed: Value | None = None
    clause: str = ""
    says: Any = ""
    aim: str = ""
    lists: tuple[tuple[str, int], ...] = ()
    group: Any = ""  # of what this is a further figure


def share(part: int, of: int) -> Value:
    """A share that is never rounded up to all, with what it is of."""
    found = figures.share(part, of)
    if found is None:
        return Value()
    text = f"{found:g}{clockface.NBSP}%"
    return Value(text, _("%(part)d of %(whole)d") % {"part": part, "whole": of}, found)


def length(seconds: int | None) -> Value:
    if seconds is None:
        return Value()
    text = clockface.short(dt.timedelta(seconds=seconds)) if seconds >= 60 else f"{seconds}{clockface.NBSP}s"
    return Value(text, "", seconds)


def count(number: int) -> Value:
    return Value(f"{number:,}", "", number)


def mean(scores: Scores) -> Value:
    """The mean with one decimal, rounded down, so that it never says more than was given."""
    if not scores.count:
        return Value()
    found = scores.total * 10 // scores.count / 10
    of = ngettext("%(n)d answer", "%(n)d answers", scores.count) % {"n": scores.count}
    return Value(f"{found:.1f}", of, found)


ALL = f"100{clockface.NBSP}%"


def _promise(
    code: str, title: Any, group: Any, one: Promise, clause: str, says: Any, *, aim: str = ""
) -> list[Line]:  # fmt: skip
    figure = one.figure
    lists = ((code, figure.owed), (f"{code}-late", figure.broken))
    return [
        Line(
            f"{code}-share", title, "%", share(figure.kept, figure.owed),
            share(figure.kept_as_assessed, figure.owed_as_assessed), clause, says, aim,
            tuple((name, number) for name, number in lists if number),
        ),
        *_times(code, group, one.raw, one.assessed),
    ]  # fmt: skip


def _times(code: str, group: Any, raw: Times, assessed: Times | None = None) -> list[Line]:
    return [
        Line(f"{code}-half", gettext_lazy("half within"), "s", length(raw.half),
             length(assessed.half) if assessed else None, group=group),
        Line(f"{code}-most", gettext_lazy("nine of ten within"), "s", length(raw.most),
             length(assessed.most) if assessed else None, group=group),
    ]  # fmt: skip


def lines(one: Measures, scores: Scores | None = None) -> list[Line]:
    """Every figure of `one`, and the surveys' where they are given; `assessed` beside `raw` where they can differ."""
    m = metric_lists
    found = [
        *_promise("first", gettext_lazy("First response in time"), gettext_lazy("First response"), one.first, "3.1",
                  m.FIRST, aim=ALL),
        *_promise("next", gettext_lazy("Next response in time"), gettext_lazy("Next response"), one.next, "3.1",
                  m.NEXT, aim=ALL),
        *_promise("complaints", gettext_lazy("Complaints resolved in time"), gettext_lazy("Complaint"), one.complaints,
                  "3.2", m.COMPLAINTS),
        Line("finished", gettext_lazy("Resolved"), "n", count(one.finished.count), None, "", m.FINISHED, "",
             _list("finished", one.finished.count)),
        *_times("finished", gettext_lazy("Resolution"), one.finished),
        Line("rate", gettext_lazy("Resolution rate"), "%", share(one.received_finished, one.received), None, "", m.RATE,
             "", (*_list("received", one.received), *_list("received-resolved", one.received_finished))),
        Line("reopened", gettext_lazy("Opened again"), "%", share(one.reopened, one.finished.count), None, "",
             m.REOPENED, "", _list("reopened", one.reopened)),
        Line("waiting", gettext_lazy("Waiting at the end"), "n", count(one.waiting), None, "", m.WAITING, "",
             _list("waiting", one.waiting)),
        Line("waiting-long", gettext_lazy("of these long"), "n", count(one.waiting_old), None, "", "", "",
             _list("waiting-long", one.waiting_old), gettext_lazy("Waiting at the end")),
        Line("oldest", gettext_lazy("the oldest for"), "s", length(one.oldest),
             group=gettext_lazy("Waiting at the end")),
    ]  # fmt: skip
    if scores is not None:
        found.append(Line("feedback", gettext_lazy("Survey score"), "mean", mean(scores), None, "7.1", m.SCORES))
    return found


def _list(code: str, number: int) -> tuple[tuple[str, int], ...]:
    return ((code, number),) if number else ()
