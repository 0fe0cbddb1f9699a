"""The geometry of time: near is wide, far is narrow, nothing hides behind anything (DESIGN 4)."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp import clockface, horizon
from csp.clockface import State

NOW = dt.datetime(2026, 11, 17, 14, 20, tzinfo=dt.UTC)
ZONE = ZoneInfo("Europe/London")
DAY = dt.timedelta(days=1)


def due(hours: float, key: str = "4790", **more: Any) -> horizon.Due:
    due_at = NOW + dt.timedelta(hours=hours)
    face = clockface.read(verb="Respond", past="", starts_at=due_at - DAY, due_at=due_at, now=NOW, zone=ZONE, **more)
    return horizon.Due(key, f"#{key}", face)


def draw(items: Iterable[horizon.Due]) -> horizon.Horizon:
    return horizon.horizon(items, now=NOW, zone=ZONE)


@pytest.mark.parametrize(
    ("hours", "x"), [(0, 13), (0.5, 23.86), (1, 31.56), (2, 42.42), (4, 56.1), (8, 71.84), (24, 99.2)]
)
def test_the_axis_stands_where_the_design_puts_it(hours: float, x: float) -> None:
    assert horizon.x_of(hours) == pytest.approx(x, abs=0.01)


@given(st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_earlier_is_never_right_of_later_and_all_is_on_the_page(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= horizon.x_of(low) <= horizon.x_of(high) <= 100


@given(st.lists(st.floats(-30, 24), max_size=60))
def test_pins_that_would_touch_stand_on_each_other(hours: list[float]) -> None:
    pins = draw([due(h, str(n)) for n, h in enumerate(hours)]).pins
    assert len(pins) == len(hours)
    for level in range(horizon.LEVELS - 1):
        xs = [pin.x for pin in pins if pin.level == level]
        assert all(right - left >= horizon.APART - 1e-9 for left, right in itertools.pairwise(xs))
    assert all(pin.y - 6.5 > 0 for pin in pins)


def test_the_sentence_counts_what_is_drawn() -> None:
    drawn = draw([due(-2), due(0.5), due(3), due(4), due(23), due(40), due(2, met_at=NOW), due(3, void=True)])
    counts = (drawn.overdue, drawn.within_the_hour, drawn.within_four_hours, drawn.rest, drawn.later)
    assert counts == (1, 1, 1, 2, 1)
    assert (drawn.shown, drawn.total) == (5, 6)


def test_only_the_next_one_that_can_be_kept_is_called_out_and_only_where_there_is_room() -> None:
    called_out = draw([due(-2, "1"), due(0.7, "2"), due(3, "3")]).called_out
    assert called_out is not None
    assert called_out.key == "2"
    assert draw([due(0.7, "2"), due(0.71, "3")]).called_out is None
    assert draw([due(-2, "1")]).called_out is None


def test_a_term_says_hours_as_the_contract_does() -> None:
    line = horizon.term(
        starts_at=NOW - dt.timedelta(hours=18), due_at=NOW + dt.timedelta(hours=6), now=NOW,
        start_label="Received", due_label="Respond by", state=State.AMPLE,
    )  # fmt: skip
    assert (line.elapsed, line.half, line.whole) == (75.0, "12\u00a0h", "24\u00a0h")
    assert [mark.x for mark in line.marks] == [0.4, 100.0]
    assert line.is_running


def test_when_it_was_met_stands_below_the_line_so_that_no_label_lies_over_another() -> None:
    line = horizon.term(
        starts_at=NOW - dt.timedelta(minutes=2), due_at=NOW + dt.timedelta(hours=24), now=NOW, start_label="Received",
        due_label="Respond by", state=State.MET, met_at=NOW, met_label="Responded, 2 m",
    )  # fmt: skip
    assert [(mark.label, mark.below) for mark in line.marks] == [
        ("Received", False), ("Responded, 2 m", True), ("Respond by", False),
    ]  # fmt: skip
    assert line.half == line.whole == "", "the scale makes room"


@given(st.timedeltas(dt.timedelta(), 60 * DAY), st.timedeltas(-10 * DAY, 100 * DAY))
def test_a_term_never_runs_off_its_line(length: dt.timedelta, offset: dt.timedelta) -> None:
    starts_at = NOW - offset
    for met_at in (None, NOW):
        line = horizon.term(
            starts_at=starts_at, due_at=starts_at + length, now=NOW, start_label="", due_label="",
            state=State.MET if met_at else State.AMPLE, met_at=met_at, met_label="Answered",
        )  # fmt: skip
        assert 0 <= line.elapsed <= 100
        assert all(0 <= mark.x <= 100 for mark in line.marks)
