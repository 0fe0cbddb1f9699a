"""What beat rings for. A task does nothing itself: it runs loops, and writes down that it is alive.

Losing a task, or running two at once, loses and doubles nothing (csp.loops). A loop that fails says so once in the log,
and the next one runs all the same.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator

from celery import shared_task
from django.db import connection

from csp import clock, heartbeats, loops, trail
from csp.deadlines import SETTLING

log = logging.getLogger(__name__)

# Seconds between two rings; a ring that nobody heard in that time is worth nothing any more.
CLOCK_EVERY = 2
EVERY = {
    "take_in": 2,
    "acknowledge": 2,
    "deliver": 2,
    "password_links": 2,  # somebody waits for the mail
    "fetch": 30,
    "notify": 20,
    "orphans": 60,
    "orphaned_escalations": 60,
    "unsorted": 60,
    "require": 5,  # somebody new is limited from the first second; the row says since when
    "rounds": 3600,
    "practice": 5,  # whoever practises waits for the customer to write again
    "statements": 60,
    "reviews": 600,
    "reviewers": 600,
    "reviews_end": 600,
    "pending": 60,
    "close": 60,
    "surveys": 60,
    "recur": 60,
    "effects": 3600,
    "terms": 60,
    "routine": 3600,
    "retention": 3600,
    "privacy_office": 60,
    "packages": 3600,
    "seal": 10,
    "checkpoint": 60,
    "report": 3600,  # likewise
    "escalate": 3600,  # over everything; the clock looks at what was broken lately
}
OTHERWISE = 20
# Of what must be on time, the loops that find out what was kept and what was not; the others follow from them.
FIRST = {"settle", "sweep"}
# After this long a loop makes room for the others and goes on at its next ring.
PATIENCE = 15.0

# The loops of the worker for everything that need not be on time to the second.
WORK: dict[str, loops.Loop] = {
    name: loop
    for name, loop in {**loops.DOORS, **loops.RULES, **loops.RECORD}.items()
    if loops.ON_TIME.get(name) is not loop
}


def schedule() -> dict[str, dict[str, object]]:
    """The rings of beat (csp.celery)."""
    clock_ring = {
        "task": "csp.clock",
        "schedule": CLOCK_EVERY,
        "options": {"queue": "clock", "expires": CLOCK_EVERY},
    }
    return {"clock": clock_ring} | {
        name: {
            "task": "csp.work",
            "schedule": EVERY.get(name, OTHERWISE),
            "args": [name],
            "options": {"queue": "work", "expires": EVERY.get(name, OTHERWISE)},
        }
        for name in WORK
    }


@shared_task(name="csp.clock")
def keep_time() -> None:
    """Every loop that must be on time, in order, until all find nothing.

    What follows from breaches is done a batch at a time between two sweeps, so that after a bad minute the next breach
    is noticed while the last ones are still being handed up.
    """
    until = time.monotonic() + PATIENCE
    waiting = dict(loops.ON_TIME)
    with trail.source("task clock"):
        while waiting and time.monotonic() < until:
            for name, loop in list(waiting.items()):
                # An answer written in time may still be committing: the sweep judges a moment ago.
                behind = SETTLING if name == "sweep" else dt.timedelta()
                if not _run(name, loop, behind=behind, until=until if name in FIRST else 0.0):
                    del waiting[name]
            if not waiting.keys() - FIRST:
                break
            waiting |= {name: loop for name, loop in loops.ON_TIME.items() if name in FIRST}
    _alive(heartbeats.CLOCK, unsettled_since=loops.unsettled_since)


@shared_task(name="csp.work")
def work(name: str) -> None:
    """One loop, unless another worker is at it: a slow mail server must not take up all of them."""
    with trail.source(f"task {name}"), _alone(name) as mine:
        if mine:
            _run(name, WORK[name], until=time.monotonic() + PATIENCE)
    _alive(heartbeats.WORKER)


def _run(name: str, loop: loops.Loop, *, behind: dt.timedelta = dt.timedelta(), until: float) -> bool:
    """Run a loop until it finds nothing or its time is up, once at least; whether it may find more."""
    try:
        while done := loop(clock.now() - behind):
            if time.monotonic() >= until:
                break
    except Exception:
        log.exception("The loop %s failed; it runs again at the next ring", name)
        return False
    return bool(done)


def _alive(part: str, **facts: Callable[[], dt.datetime | None]) -> None:
    try:
        known = {name: moment.isoformat() if (moment := ask()) else None for name, ask in facts.items()}
        heartbeats.beat(part, at=clock.now(), frozen=clock.is_frozen(), **known)
    except Exception:
        log.exception("No sign of life could be written")


@contextlib.contextmanager
def _alone(name: str) -> Iterator[bool]:
    """Whether nobody else holds this loop's lock, which dies with the connection of whoever does."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtext('csp.work'), hashtext(%s))", [name])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(hashtext('csp.work'), hashtext(%s))", [name])
