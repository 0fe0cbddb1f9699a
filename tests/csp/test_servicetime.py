"""Staffed time: added and measured, across week-ends, holidays, absences and the days on which the clocks change."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csp.servicetime import Calendar, NotHours, is_place, parse, spell

LONDON, HOUR, SECOND = ZoneInfo("Europe/London"), dt.timedelta(hours=1), dt.timedelta(seconds=1)
OFFICE = {weekday: parse("9-12:30, 13:30-17:00") for weekday in range(5)}
DESK = Calendar(LONDON, OFFICE, country="GB", subdivision="ENG")


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(dt.UTC)


days = st.dictionaries(
    st.integers(0, 6),
    st.sampled_from(["9-17", "0-24", "22-24", "0-6, 20-0", "9:15-10:45", "8-12, 13-18:30"]).map(parse),
    min_size=1,
)
calendars = st.builds(
    Calendar,
    st.sampled_from([LONDON, ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns"), dt.UTC]).map(
        lambda zone: zone if isinstance(zone, ZoneInfo) else ZoneInfo("UTC")
    ),
    days,
    st.dictionaries(
        st.dates(dt.date(2025, 1, 1), dt.date(2026, 12, 31)), st.sampled_from(["", "10-11"]).map(parse), max_size=4
    ),
    st.sampled_from(["", "GB", "DE"]),
)  # fmt: skip
moments = st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2026, 6, 30), timezones=st.just(dt.UTC))
lengths = st.timedeltas(dt.timedelta(seconds=1), dt.timedelta(hours=40))


patient = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(calendars, moments, lengths)
def test_what_is_added_is_measured_again(calendar: Calendar, start: dt.datetime, length: dt.timedelta) -> None:
    end = calendar.add(start, length)
    assert calendar.between(start, end) == length
    assert calendar.between(start, end - SECOND) < length


@patient
@given(calendars, moments, lengths, lengths)
def test_adding_twice_is_adding_both(
    calendar: Calendar, start: dt.datetime, one: dt.timedelta, two: dt.timedelta
) -> None:
    assert calendar.add(calendar.add(start, one), two) == calendar.add(start, one + two)


@given(days)
def test_hours_are_read_back_as_they_are_written(week: dict[int, tuple[tuple[int, int], ...]]) -> None:
    assert {day: parse(spell(hours)) for day, hours in week.items()} == week


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2025-03-03T09:00", 4, "2025-03-03T14:00"),  # over lunch
        ("2025-03-07T15:00", 4, "2025-03-10T11:00"),  # over the week-end
        ("2025-04-17T16:00", 4, "2025-04-22T12:00"),  # over Good Friday and Easter Monday
        ("2025-03-28T16:30", 4, "2025-03-31T13:30"),  # over the night on which summer time begins
        ("2025-03-03T20:00", 4, "2025-03-04T14:00"),  # received after hours
    ],
)
def test_four_staffed_hours(start: str, hours: int, end: str) -> None:
    due = DESK.add(at(start), hours * HOUR)
    expected = at(end)
    # at the end of a stretch it is due then, not when the next one begins
    assert due == expected or DESK.between(due, expected) == dt.timedelta()
    assert DESK.between(at(start), due) == hours * HOUR


def test_where_nobody_is_ever_there_it_is_counted_by_the_clock() -> None:
    assert Calendar(LONDON, {}).add(at("2025-03-03T09:00"), 4 * HOUR) == at("2025-03-03T13:00")


def test_open_to_the_second() -> None:
    opening = at("2025-03-03T09:00")
    assert not DESK.is_staffed(opening - SECOND)
    assert DESK.is_staffed(opening)
    assert DESK.is_staffed(at("2025-03-03T12:30") - SECOND)
    assert not DESK.is_staffed(at("2025-03-03T12:30"))
    assert DESK.opens(at("2025-03-07T17:00")) == at("2025-03-10T09:00")
    assert DESK.closes(at("2025-03-03T10:00")) == at("2025-03-03T12:30")


def test_an_exception_beats_the_week_and_the_holiday() -> None:
    calendar = Calendar(LONDON, OFFICE, {dt.date(2025, 12, 25): parse("10-11")}, "GB", "ENG")
    assert calendar.is_staffed(at("2025-12-25T10:30"))
    assert not calendar.is_staffed(at("2025-12-26T10:30"))


def test_who_is_away_is_not_there() -> None:
    gone = Calendar(LONDON, OFFICE, away=[(at("2025-03-03T10:00"), at("2025-03-04T10:00"))])
    assert gone.between(at("2025-03-03T09:00"), at("2025-03-04T11:00")) == 2 * HOUR


@pytest.mark.parametrize("text", ["nine to five", "17-9", "9-25", "9:75-10", "9-12, 11-13", "9"])
def test_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(NotHours):
        parse(text)


def test_only_known_places_have_holidays() -> None:
    assert is_place("GB", "ENG")
    assert is_place("DE")
    assert not is_place("XX")
    assert not is_place("GB", "XX")
