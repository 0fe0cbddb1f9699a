"""The face of a clock: states at their edges, words, and groups of a list (clauses 3.1, 3.3; DESIGN 4)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp import clockface
from csp.clockface import Band, ClockFace, State

NOW = dt.datetime(2026, 11, 17, 14, 20, tzinfo=dt.UTC)
LONDON, BERLIN = ZoneInfo("Europe/London"), ZoneInfo("Europe/Berlin")
SECOND, MINUTE, HOUR, DAY = (dt.timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))

lengths = st.timedeltas(min_value=dt.timedelta(), max_value=400 * DAY)
moments = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2040, 1, 1), timezones=st.just(dt.UTC))


def read(left: dt.timedelta, *, term: dt.timedelta = DAY, now: dt.datetime = NOW, **more: Any) -> ClockFace:
    due_at = now + left
    return clockface.read(
        verb="Respond", past="Responded", starts_at=due_at - term, due_at=due_at, now=now, zone=LONDON, **more
    )


@pytest.mark.parametrize(
    ("left", "term", "state"),
    [
        (4 * HOUR + SECOND, DAY, State.AMPLE),
        (4 * HOUR, DAY, State.AMPLE),
        (4 * HOUR - SECOND, DAY, State.SOON),
        (HOUR, DAY, State.SOON),
        (HOUR - SECOND, DAY, State.URGENT),
        (dt.timedelta(), DAY, State.URGENT),  # met at exactly due is met, so it is not overdue yet
        (-SECOND, DAY, State.OVER),
        (0.15 * 7 * DAY, 7 * DAY, State.AMPLE),
        (0.15 * 7 * DAY - SECOND, 7 * DAY, State.SOON),
        (0.15 * 2 * DAY - SECOND, 2 * DAY, State.AMPLE),  # two days is not over two days
    ],
)
def test_a_state_changes_only_after_its_instant(left: dt.timedelta, term: dt.timedelta, state: State) -> None:
    assert read(left, term=term).state is state


@given(start=moments, term=lengths, offset=st.timedeltas(-10 * DAY, 400 * DAY))
def test_state_and_sent_thresholds_agree(start: dt.datetime, term: dt.timedelta, offset: dt.timedelta) -> None:
    now = start + offset
    face = clockface.read(verb="A", past="B", starts_at=start, due_at=start + term, now=now, zone=LONDON)
    assert face.soon_at <= face.urgent_at < face.due_at
    by_instants = (
        State.OVER if now > face.due_at
        else State.URGENT if now > face.urgent_at
        else State.SOON if now > face.soon_at
        else State.AMPLE
    )  # fmt: skip
    assert face.state is by_instants
    assert 0 <= face.dash <= 100
    assert (face.dash == 0) == (now >= face.due_at or term == dt.timedelta())


@pytest.mark.parametrize(
    ("length", "words", "spoken"),
    [
        (dt.timedelta(seconds=20), "< 1 m", "less than a minute"),
        (41 * MINUTE + 59 * SECOND, "41 m", "41 minutes"),
        (HOUR, "1 h", "1 hour"),
        (3 * HOUR + 12 * MINUTE, "3 h 12 m", "3 hours 12 minutes"),
        (19 * HOUR + 6 * MINUTE, "19 h 06 m", "19 hours 6 minutes"),
        (4 * DAY + 3 * HOUR + 50 * MINUTE, "4 d 3 h", "4 days 3 hours"),
        (2 * DAY, "2 d", "2 days"),
        (7 * DAY - SECOND, "6 d 23 h", "6 days 23 hours"),
        (7 * DAY + 5 * HOUR, "7 d", "7 days"),
        (12 * DAY, "12 d", "12 days"),
    ],
)
def test_lengths_are_said_short_and_whole(length: dt.timedelta, words: str, spoken: str) -> None:
    assert clockface.short(length) == words.replace(" ", clockface.NBSP)
    assert clockface.short(-length) == clockface.short(length)
    assert clockface.spoken(length) == spoken


@given(lengths)
def test_short_words_never_break_and_never_promise_more_time_than_there_is(length: dt.timedelta) -> None:
    words = clockface.short(length)
    assert " " not in words
    if words.startswith("<"):
        assert length < MINUTE
        return
    parts = words.split(clockface.NBSP)
    unit = {"d": DAY, "h": HOUR, "m": MINUTE}
    said = sum((int(n) * unit[u] for n, u in zip(parts[::2], parts[1::2], strict=True)), dt.timedelta())
    assert said <= length
    assert length - said < unit[parts[-1]] or (parts[-1] == "h" and length - said < HOUR) or length >= 7 * DAY


def test_a_running_clock_says_its_verb_the_time_and_when() -> None:
    face = read(3 * HOUR + 12 * MINUTE)
    assert (face.head, face.words, face.when) == ("Respond", "3 h 12 m".replace(" ", clockface.NBSP), "today 17:32")
    assert face.said == "3 hours 12 minutes left, running out, due today 17:32"
    assert face.dash == 13


def test_an_overdue_clock_is_told_by_its_word_and_still_names_what_is_owed() -> None:
    face = read(-(2 * HOUR + 5 * MINUTE))
    assert face.head == "Overdue"
    assert face.said == "2 hours 5 minutes past due. Respond was due today 12:15"


def test_a_kept_duty_says_how_long_it_took_and_a_late_one_by_how_much() -> None:
    met = read(21 * HOUR, met_at=NOW - 35 * MINUTE)
    assert (met.state, met.head, met.words) == (
        State.MET,
        "Responded",
        f"2{clockface.NBSP}h{clockface.NBSP}25{clockface.NBSP}m",
    )
    exactly = read(-HOUR, met_at=NOW - HOUR)
    assert exactly.state is State.MET
    late = read(-3 * HOUR, met_at=NOW - 3 * HOUR + SECOND)
    assert (late.state, late.head) == (State.LATE, "Late")
    assert late.words.startswith("+")


def test_a_void_duty_is_neither_kept_nor_missed() -> None:
    face = read(-DAY, void=True)
    assert (face.state, face.head, face.is_running) == (State.VOID, "Respond", False)


def test_a_duty_met_in_time_but_known_late_is_not_shown_as_kept() -> None:
    face = read(-DAY, met_at=NOW - 2 * DAY, known_late=True)
    assert (face.state, face.head) == (State.LATE, "Known late")


def test_a_deadline_row_is_read_with_the_verbs_of_its_obligation() -> None:
    row = SimpleNamespace(
        rule=SimpleNamespace(verb="Escalate", past="Escalated"), state="open",
        starts_at=NOW - DAY, due_at=NOW + HOUR, met_at=None, voided_at=None,
    )  # fmt: skip
    assert clockface.of(row, now=NOW, zone=LONDON).head == "Escalate"


@pytest.mark.parametrize(
    ("at", "zone", "said"),
    [
        (NOW.replace(hour=17, minute=32), LONDON, "today 17:32"),
        (NOW.replace(hour=23, minute=30), BERLIN, "Wed 18 Nov 00:30"),  # tomorrow already, where the reader is
        (NOW + DAY, LONDON, "Wed 18 Nov 14:20"),
        (NOW - DAY, LONDON, "Mon 16 Nov 14:20"),
        (NOW + 6 * DAY, LONDON, "Mon 23 Nov 14:20"),
        (NOW + 7 * DAY, LONDON, "24 Nov 2026 14:20"),
    ],
)
def test_moments_are_said_in_the_readers_zone(at: dt.datetime, zone: dt.tzinfo, said: str) -> None:
    assert clockface.moment(at, now=NOW, zone=zone) == said


def test_a_list_is_grouped_by_time_left_and_keeps_its_order() -> None:
    due = {
        "late": NOW - SECOND, "now": NOW, "hour": NOW + HOUR - SECOND, "later": NOW + HOUR,
        "midnight": NOW.replace(hour=23, minute=59), "tomorrow": NOW + 10 * HOUR, "none": None,
    }  # fmt: skip
    groups = clockface.group_by_due(due, due=due.__getitem__, now=NOW, zone=LONDON)
    assert [(group.band, group.items) for group in groups] == [
        (Band.OVERDUE, ["late"]),
        (Band.WITHIN_THE_HOUR, ["now", "hour"]),
        (Band.LATER_TODAY, ["later", "midnight"]),
        (Band.AFTER, ["tomorrow"]),
        (Band.NO_CLOCK, ["none"]),
    ]


@given(st.lists(st.one_of(st.none(), moments)), moments)
def test_grouping_loses_nothing_and_doubles_nothing(due: list[dt.datetime | None], now: dt.datetime) -> None:
    groups = clockface.group_by_due(list(enumerate(due)), due=lambda item: item[1], now=now, zone=BERLIN)
    assert sorted(item for group in groups for item, _due in group.items) == list(range(len(due)))
    assert all(group.items == sorted(group.items, key=lambda item: item[0]) for group in groups)
    assert [group.band for group in groups] == [band for band in Band if any(group.band is band for group in groups)]
