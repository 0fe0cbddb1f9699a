"""The guard of the clock: a jump is disbelieved, a clock that stays put right is believed, and never before."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from csp import clock
from csp.clock import SETTLED, TOLERANCE, Guard

NOON = dt.datetime(2025, 3, 3, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
TEN_MINUTES = dt.timedelta(minutes=10).total_seconds()

JUMPS = [dt.timedelta(seconds=3), dt.timedelta(hours=1), dt.timedelta(days=400)]
jumps = some.timedeltas(TOLERANCE + dt.timedelta(milliseconds=1), dt.timedelta(days=3650))
signs = some.sampled_from([1, -1])


def begun() -> Guard:
    guard = Guard()
    assert guard.read(NOON, 100.0) == NOON
    return guard


def after(seconds: float) -> dt.datetime:
    return NOON + dt.timedelta(seconds=seconds)


def test_the_first_reading_is_believed() -> None:
    assert Guard().read(NOON, 12345.6) == NOON


def test_a_clock_that_goes_with_real_time_is_read_as_it_is() -> None:
    guard = begun()
    for seconds in (0.0, 0.5, 60.0, 86400.0):
        assert guard.read(after(seconds), 100 + seconds) == after(seconds)
        assert guard.frozen_since is None


@pytest.mark.parametrize("sign", [1, -1])
def test_small_corrections_are_believed_at_once(sign: int) -> None:
    guard = begun()
    assert guard.read(after(10) + sign * TOLERANCE, 110.0) == after(10) + sign * TOLERANCE
    assert guard.frozen_since is None


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_is_disbelieved_and_time_goes_on_from_before(jump: dt.timedelta, sign: int) -> None:
    guard = begun()
    for seconds in (10.0, 20.0, 300.0):
        assert guard.read(after(seconds) + sign * jump, 100 + seconds) == after(seconds)
        assert guard.frozen_since == 110.0


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("jump", JUMPS)
def test_after_ten_minutes_it_is_believed_and_not_a_moment_earlier(jump: dt.timedelta, sign: int) -> None:
    guard = begun()
    guard.read(after(10) + sign * jump, 110.0)
    almost = 10 + TEN_MINUTES - 0.001
    assert guard.read(after(almost) + sign * jump, 100 + almost) == after(almost)
    then = 10 + TEN_MINUTES
    assert guard.read(after(then) + sign * jump, 100 + then) == after(then) + sign * jump
    assert guard.frozen_since is None


def test_ten_minutes_are_counted_from_when_it_was_noticed() -> None:
    """Nobody read the clock for an hour: how long it had been wrong is not known."""
    guard = begun()
    assert guard.read(after(3600) + dt.timedelta(days=1), 3700.0) == after(3600)
    assert guard.read(after(3601) + dt.timedelta(days=1), 3701.0) == after(3601)


def test_a_clock_that_comes_back_is_believed_at_once_and_the_next_jump_counts_anew() -> None:
    guard = begun()
    guard.read(after(10) + dt.timedelta(hours=1), 110.0)
    assert guard.read(after(500), 600.0) == after(500)
    assert guard.frozen_since is None
    guard.read(after(550) + dt.timedelta(hours=1), 650.0)
    late = 10 + TEN_MINUTES
    assert guard.read(after(late) + dt.timedelta(hours=1), 100 + late) == after(late)


def test_sleep_that_both_clocks_count_is_no_jump() -> None:
    guard = begun()
    assert guard.read(after(8 * 3600), 100 + 8 * 3600.0) == after(8 * 3600)


@given(jump=jumps, sign=signs, waits=some.lists(some.floats(0, 60), max_size=30))
def test_no_jump_is_ever_believed_before_its_time(jump: dt.timedelta, sign: int, waits: list[float]) -> None:
    guard = begun()
    elapsed = 0.0
    for wait in [0.0, *waits]:
        elapsed += wait
        read = guard.read(after(elapsed) + sign * jump, 100 + elapsed)
        if guard.frozen_since is None:
            assert elapsed >= TEN_MINUTES - 0.001
            return
        assert abs(read - after(elapsed)) <= dt.timedelta(microseconds=5)


@given(steps=some.lists(some.tuples(some.floats(0, 30), some.integers(-1900, 1900)), max_size=40))
def test_what_is_read_keeps_to_real_time_whatever_the_wall_clock_says_for_ten_minutes(
    steps: list[tuple[float, int]],
) -> None:
    """A wild clock: each reading is off by up to half an hour. Within ten minutes it never moves the reading."""
    guard = begun()
    elapsed = 0.0
    drift = dt.timedelta()
    for wait, off in steps:
        elapsed += wait
        if elapsed >= TEN_MINUTES:
            return
        wall = after(elapsed) + off * SECOND
        read = guard.read(wall, 100 + elapsed)
        if guard.frozen_since is None:
            # believed: it was within tolerance of the last one that was
            assert abs(read - (after(elapsed) + drift)) <= TOLERANCE + dt.timedelta(microseconds=5)
            drift = read - after(elapsed)
        else:
            assert abs(read - (after(elapsed) + drift)) <= dt.timedelta(microseconds=5)


def test_the_present_is_aware_in_utc_and_trusted() -> None:
    first, second = clock.now(), clock.now()
    assert first.utcoffset() == dt.timedelta()
    assert first <= second < first + dt.timedelta(minutes=1)
    assert not clock.is_frozen()
    assert dt.timedelta(minutes=10) == SETTLED
