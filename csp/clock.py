"""The one place that reads a clock.

Doors (views, tasks, commands, listeners) call `now()` once and hand it down as `at=`; the domain never calls it.
The reading is guarded: a wall clock that jumps (a bad time server, a hand on the machine) must not make promises look
broken that are not. While the wall clock disagrees with the time that has really passed, the guard goes on counting
from its last good reading and says so (`frozen`), which readiness reports.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import time

TOLERANCE = dt.timedelta(seconds=2)
# A disagreement that lasts this long is a clock that was put right, not a glitch: believe it.
SETTLED = dt.timedelta(minutes=10)


@dataclasses.dataclass
class Guard:
    """Compares the wall clock with a clock that only ever moves forward with real time (and through sleep)."""

    wall: dt.datetime | None = None
    elapsed: float = 0.0
    frozen_since: float | None = None

    def read(self, wall: dt.datetime, elapsed: float) -> dt.datetime:
        """The trusted time, given what both clocks say: `wall` aware in UTC, `elapsed` in seconds from any origin."""
        if self.wall is not None:
            expected = self.wall + dt.timedelta(seconds=elapsed - self.elapsed)
            if abs(wall - expected) > TOLERANCE:
                if self.frozen_since is None:
                    self.frozen_since = elapsed
                if elapsed - self.frozen_since < SETTLED.total_seconds():
                    return expected
        self.frozen_since = None
        self.wall, self.elapsed = wall, elapsed
        return wall


_guard = Guard()
_lock = threading.Lock()
# Linux counts suspended time only here; elsewhere the monotonic clock is the best there is.
_ELAPSED_CLOCK = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def now() -> dt.datetime:
    """The trusted present, aware, in UTC."""
    elapsed = time.clock_gettime(_ELAPSED_CLOCK) if _ELAPSED_CLOCK is not None else time.monotonic()
    with _lock:
        return _guard.read(dt.datetime.now(dt.UTC), elapsed)  # noqa: TID251  this is the place


def is_frozen() -> bool:
    """Whether the wall clock is being disbelieved at the moment."""
    return _guard.frozen_since is not None
