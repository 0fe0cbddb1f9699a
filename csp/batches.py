"""Working off what waits, so that one poisoned row stops nobody.

A row that fails is told in the log once by each process and parked in plain sight (csp.models.Parked, which readiness
and the records show). It stays where it is and is tried again at every round: what was wrong may have been mended.
What comes after it is done all the same.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import logging
import traceback
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from csp import clock
from csp.models import Parked

log = logging.getLogger(__name__)

# How many are looked at, at most, to find some that can be done.
FAR = 5_000

Item = TypeVar("Item")
# How often the same failure is written down again, and how long after the last one a row counts as parked.
AGAIN_AFTER = dt.timedelta(minutes=1)
PARKED_FOR = dt.timedelta(minutes=10)
FORGOTTEN_AFTER = dt.timedelta(days=1)
_told: set[tuple[str, str]] = set()
_parked: dict[tuple[str, str], dt.datetime] = {}


def work_off(waiting: QuerySet[Any], do: Callable[[QuerySet[Any], int], int], *, limit: int) -> int:
    """Let `do` claim and do up to `limit` of these rows in one transaction of its own; returns how many it did.

    Where that fails, each row alone.
    """
    try:
        return do(waiting, limit)
    except Exception as error:
        _tell(_name(do), "batch", error)  # which row it is, the next line finds
    numbers = list(waiting.values_list("pk", flat=True)[:FAR])
    return _each(numbers, lambda number: do(waiting.filter(pk=number), 1), limit=limit, step=do)


def each(items: Iterable[Item], do: Callable[[Item], int], *, limit: int) -> int:
    """Do items one by one, past those that fail, until `limit` are done; returns how many."""
    return _each(items, do, limit=limit, step=do)


def _each(items: Iterable[Item], do: Callable[[Item], int], *, limit: int, step: Callable[..., int]) -> int:
    done = 0
    for item in items:
        if done >= limit:
            break
        try:
            done += do(item)
        except Exception as error:
            _tell(_name(step), str(item), error)
            _park(_name(step), str(item), error)
    return done


def _name(do: Callable[..., int]) -> str:
    while isinstance(do, functools.partial):
        do = do.func
    return f"{do.__module__}.{do.__qualname__}".partition(".<locals>")[0]


def _tell(name: str, item: str, error: Exception) -> None:
    if (name, item) not in _told:
        _told.add((name, item))
        log.error("%s failed on %s and goes on with the others", name, item, exc_info=error)


def _park(name: str, item: str, error: Exception) -> None:
    now, last = clock.now(), _parked.get((name, item))
    if last is None or now - last >= AGAIN_AFTER:
        _parked[name, item] = now
        with contextlib.suppress(DatabaseError), transaction.atomic():  # perhaps the database is what fails
            Parked.objects.filter(last_at__lt=now - FORGOTTEN_AFTER).delete()
            row = Parked(loop=name[:120], item=item[:80], error=_told_of(error), since=now, last_at=now)
            Parked.objects.bulk_create(
                [row], update_conflicts=True, unique_fields=["loop", "item"], update_fields=["error", "last_at"]
            )


def _told_of(error: Exception) -> str:
    """The kind of the fault and where it struck; not its words."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"[:200]


def parked(now: dt.datetime) -> QuerySet[Parked]:
    """What fails at this time, the longest first."""
    return Parked.objects.filter(last_at__gt=now - PARKED_FOR).order_by("since", "pk")
