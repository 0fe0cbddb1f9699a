"""Clauses with days, months and years: a limit ends at the earlier reading, a minimum at the later one.

Hours are elapsed hours, whatever the clocks on the wall do. Days and months are read in the contract's zone.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.contract import OBLIGATIONS, Mode, Term

ZONES = ["Europe/Berlin", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.datetimes(dt.datetime(1996, 1, 1), dt.datetime(2090, 1, 1), timezones=st.just(dt.UTC))
BERLIN = ZoneInfo("Europe/Berlin")


def berlin(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=BERLIN)


@given(instants, zones, st.integers(1, 1000))
def test_hours_are_elapsed_hours(start: dt.datetime, zone: ZoneInfo, hours: int) -> None:
    assert Term(hours=hours).ends(start, zone) - start == dt.timedelta(hours=hours)


@given(instants, zones, st.integers(1, 60))
def test_a_limit_in_days_is_never_longer_than_the_days(start: dt.datetime, zone: ZoneInfo, days: int) -> None:
    end = Term(days=days).ends(start, zone)
    assert start + dt.timedelta(days=days, hours=-2) - dt.timedelta(days=1) <= end <= start + dt.timedelta(days=days)


@given(instants, zones, st.integers(1, 400))
def test_a_minimum_in_days_is_never_shorter_than_the_days_and_ends_with_a_day(
    start: dt.datetime, zone: ZoneInfo, days: int
) -> None:
    end = Term(days=days, mode=Mode.MINIMUM).ends(start, zone)
    assert end >= start + dt.timedelta(days=days)
    assert end - start <= dt.timedelta(days=days + 2, hours=2)


@given(instants, zones, st.integers(1, 120))
def test_months_keep_their_day_or_are_clamped_to_the_last(start: dt.datetime, zone: ZoneInfo, months: int) -> None:
    local = start.astimezone(zone)
    end = Term(months=months).ends(start, zone).astimezone(zone)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    last = (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
    wanted = dt.date(year, month + 1, min(local.day, last))
    assert abs(end.date() - wanted) <= dt.timedelta(
        days=1
    )  # a local time that does not exist moves by an hour or a day
    assert end.utcoffset() is not None


@given(instants, instants, zones, st.sampled_from([Term(hours=24), Term(days=7), Term(months=6)]))
def test_a_later_start_never_ends_earlier(one: dt.datetime, other: dt.datetime, zone: ZoneInfo, term: Term) -> None:
    first, second = sorted([one, other])
    # of two starts around the hour that comes twice the calendar reading may be the same, or an hour back
    assert term.ends(first, zone) <= term.ends(second, zone) + dt.timedelta(hours=1)


@given(instants, zones, st.integers(1, 24))
def test_a_minimum_in_months_outlasts_the_limit_in_months(start: dt.datetime, zone: ZoneInfo, months: int) -> None:
    longest = Term(months=months).ends(start, zone)
    assert Term(months=months, mode=Mode.MINIMUM).ends(start, zone) > longest


@pytest.mark.parametrize(
    ("term", "start", "end"),
    [
        (Term(hours=24), berlin(2025, 3, 29, 12), berlin(2025, 3, 30, 13)),  # the hour that is left out
        (Term(hours=24), berlin(2025, 10, 25, 12), berlin(2025, 10, 26, 11)),  # the hour that comes twice
        (Term(days=7), berlin(2025, 3, 26, 12), berlin(2025, 4, 2, 12)),  # by the calendar, an hour before it elapsed
        (Term(days=7), berlin(2025, 10, 22, 12), berlin(2025, 10, 29, 11)),  # elapsed, an hour before the calendar
        (Term(months=6), berlin(2025, 8, 31, 9), berlin(2026, 2, 28, 9)),
        (Term(months=6), berlin(2023, 8, 31, 9), berlin(2024, 2, 29, 9)),
        (Term(days=30, mode=Mode.MINIMUM), berlin(2025, 1, 1, 15), berlin(2025, 2, 1)),
        (Term(months=60, mode=Mode.MINIMUM), berlin(2024, 2, 29, 10), berlin(2029, 3, 2)),  # through 1 March
        (Term(months=60, mode=Mode.MINIMUM), berlin(2025, 5, 5, 10), berlin(2030, 5, 6)),  # through 5 May
    ],
)
def test_known_dates(term: Term, start: dt.datetime, end: dt.datetime) -> None:
    assert term.ends(start, BERLIN) == end
    assert term.ends(start.astimezone(dt.UTC), BERLIN) == end


def test_the_contracts_own_terms() -> None:
    for code in ("acknowledge", "respond", "follow_up", "escalate"):
        assert OBLIGATIONS[code].term == Term(hours=24)
    assert OBLIGATIONS["correct"].term == Term(days=7)
    assert OBLIGATIONS["end_of_notice"].term == Term(days=30, mode=Mode.MINIMUM)
    assert OBLIGATIONS["keep"].term == Term(months=60, mode=Mode.MINIMUM)
    assert OBLIGATIONS["refresher"].term == Term(months=6)
