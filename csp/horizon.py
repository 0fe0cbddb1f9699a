"""The geometry of time on a page: horizon, lanes and term. Pure.

A horizon is one axis for every obligation of a person or a queue, near time wide and far time narrow; what is overdue
is mirrored left of *now*. Across everything is a percentage and down everything is a pixel, so a drawing needs no
style and its text never scales.
"""

from __future__ import annotations

import bisect
import dataclasses
import datetime as dt
import math
from collections.abc import Iterable, Sequence

from django.utils import dateformat

from csp import clockface
from csp.clockface import ClockFace, State

HOURS = 24
NOW_AT = 13.0
AHEAD = 86.2
BEHIND = 12.0
APART = 1.75
LEVELS = 4
BASE, STEP = 51, 14
TICKS = (0.5, 1, 2, 4, 8, 16, 24)
# Ticks that stay on a phone, where there is room for few.
MAIN_TICKS = frozenset({1, 4, 24})


@dataclasses.dataclass(frozen=True, slots=True)
class Due:
    """One thing to put on an axis: `key` joins it to its row in the list, `label` is shown for the next one only."""

    key: str
    label: str
    face: ClockFace


@dataclasses.dataclass(frozen=True, slots=True)
class Pin:
    """One obligation on the axis."""

    key: str
    label: str
    state: State
    x: float
    level: int

    @property
    def y(self) -> int:
        return BASE - STEP * self.level


@dataclasses.dataclass(frozen=True, slots=True)
class Tick:
    """One mark of the axis: how far away, and what time that is."""

    x: float
    length: str
    time: str
    is_main: bool
    anchor: str


@dataclasses.dataclass(frozen=True, slots=True)
class Horizon:
    """A drawn axis. `later` counts what falls due beyond it, `called_out` is the pin that carries its label."""

    pins: list[Pin]
    ticks: list[Tick]
    time: str
    overdue: int
    within_the_hour: int
    within_four_hours: int
    rest: int
    later: int
    called_out: Pin | None
    now_at: float = NOW_AT

    @property
    def shown(self) -> int:
        return len(self.pins)

    @property
    def total(self) -> int:
        return len(self.pins) + self.later


@dataclasses.dataclass(frozen=True, slots=True)
class Lane:
    """One person's line: `sub` is the small text beside the name, `href` leads to what is drawn."""

    name: str
    sub: str
    horizon: Horizon
    href: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """One moment on a term's line with its label above or below; labels at the ends are turned inwards."""

    x: float
    label: str
    state: str
    anchor: str = "middle"
    below: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Term:
    """One obligation from its start to its limit, linear. `elapsed` is the filled part in per cent.

    Start and limit are written above the line; below it stands the scale, or when it was met: three on one line would
    lie over each other where somebody answers at once.
    """

    elapsed: float
    half: str
    whole: str
    marks: list[Mark]
    is_running: bool


def x_of(hours: float) -> float:
    """Where a distance from now lies, in per cent: 0 h at 13 %, 24 h at 99.2 %; negative hours are mirrored."""
    part = math.log1p(min(abs(hours), HOURS)) / math.log1p(HOURS)
    return round(NOW_AT + part * AHEAD, 2) if hours >= 0 else round(NOW_AT - part * BEHIND, 2)


def horizon(items: Iterable[Due], *, now: dt.datetime, zone: dt.tzinfo) -> Horizon:
    """All running obligations on one axis; those that are met or void are left out, those beyond a day are counted."""
    running = sorted((item for item in items if item.face.is_running), key=lambda item: item.face.due_at)
    near = [item for item in running if _hours_until(item.face.due_at, now) <= HOURS]
    pins = _stack(near, now)
    ahead = [_hours_until(item.face.due_at, now) for item in near if item.face.due_at >= now]
    return Horizon(
        pins=pins,
        ticks=[_tick(hours, now, zone) for hours in TICKS],
        time=dateformat.format(now.astimezone(zone), "H:i"),
        overdue=len(near) - len(ahead),
        within_the_hour=sum(hours < 1 for hours in ahead),
        within_four_hours=sum(1 <= hours < 4 for hours in ahead),
        rest=sum(hours >= 4 for hours in ahead),
        later=len(running) - len(near),
        called_out=_with_room_above(pins),
    )


def term(
    *,
    starts_at: dt.datetime,
    due_at: dt.datetime,
    now: dt.datetime,
    start_label: str,
    due_label: str,
    state: State,
    met_at: dt.datetime | None = None,
    met_label: str = "",
) -> Term:
    """A term as a line: how much is gone, where now is, and when it was met (a late one stands at the end)."""
    end = met_at or now
    length = due_at - starts_at
    elapsed = 100.0 if length <= dt.timedelta() else max(0.0, min(100.0, 100 * ((end - starts_at) / length)))
    marks = [Mark(0.4, start_label, State.MET.value, "start")]
    if met_at is not None and met_label:
        marks.append(Mark(round(elapsed, 2), met_label, state.value, _anchor(elapsed), below=True))
    marks.append(Mark(100.0, due_label, "" if met_at is not None else state.value, "end"))
    has_scale = not any(mark.below for mark in marks)
    return Term(
        elapsed=round(elapsed, 2),
        half=in_hours(length / 2) if has_scale else "",
        whole=in_hours(length) if has_scale else "",
        marks=marks,
        is_running=met_at is None and state.is_running,
    )


def in_hours(length: dt.timedelta) -> str:
    """A length as axes write it: whole hours up to two days stay hours, since the contract says 24 hours, not a day."""
    hours, rest = divmod(length, clockface.HOUR)
    if hours and not rest and length <= clockface.LONG_TERM:
        return f"{hours}{clockface.NBSP}{clockface.UNITS['h']}"
    return clockface.short(length)


def _stack(items: Sequence[Due], now: dt.datetime) -> list[Pin]:
    """Pins from left to right, each on the lowest level clear of its neighbour; the top one takes the rest."""
    last = [-math.inf] * LEVELS
    pins = []
    for x, item in sorted(
        ((x_of(_hours_until(item.face.due_at, now)), item) for item in items), key=lambda pair: pair[0]
    ):
        level = next((level for level in range(LEVELS) if x - last[level] >= APART), LEVELS - 1)
        last[level] = x
        pins.append(Pin(item.key, item.label, item.face.state, x, level))
    return pins


def _with_room_above(pins: Sequence[Pin]) -> Pin | None:
    """The next obligation that can still be kept, if no pin stands where its label would be written."""
    ahead = bisect.bisect_left([pin.x for pin in pins], NOW_AT)
    if ahead == len(pins):
        return None
    pin = pins[ahead]
    is_clear = all(other.level == 0 for other in pins if abs(other.x - pin.x) < 4)
    return pin if is_clear and pin.level == 0 and pin.x > NOW_AT + 4 else None


def _tick(hours: float, now: dt.datetime, zone: dt.tzinfo) -> Tick:
    length = dt.timedelta(hours=hours)
    return Tick(
        x=x_of(hours),
        length=in_hours(length),
        time=dateformat.format((now + length).astimezone(zone), "H:i"),
        is_main=hours in MAIN_TICKS,
        anchor="end" if hours == HOURS else "middle",
    )


def _anchor(x: float) -> str:
    return "start" if x < 25 else "end" if x > 75 else "middle"


def _hours_until(due_at: dt.datetime, now: dt.datetime) -> float:
    return (due_at - now).total_seconds() / 3600
