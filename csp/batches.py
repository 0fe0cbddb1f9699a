"""Working off what waits, so that one poisoned row stops nobody.

A row that fails is told in the log once by each process, stays where it is, and is tried again at every round: what was
wrong may have been mended. What comes after it is done all the same.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db.models import QuerySet

log = logging.getLogger(__name__)

# How many are looked at, at most, to find some that can be done.
FAR = 5_000

Item = TypeVar("Item")
_told: set[tuple[str, str]] = set()


def work_off(waiting: QuerySet[Any], do: Callable[[QuerySet[Any], int], int], *, limit: int) -> int:
    """Let `do` claim and do up to `limit` of these rows in one transaction of its own; returns how many it did.

    Where that fails, each row alone.
    """
    try:
        return do(waiting, limit)
    except Exception as error:
        _tell(do, "batch", error)
    numbers = list(waiting.values_list("pk", flat=True)[:FAR])
    return each(numbers, lambda number: do(waiting.filter(pk=number), 1), limit=limit)


def each(items: Iterable[Item], do: Callable[[Item], int], *, limit: int) -> int:
    """Do items one by one, past those that fail, until `limit` are done; returns how many."""
    done = 0
    for item in items:
        if done >= limit:
            break
        try:
            done += do(item)
        except Exception as error:
            _tell(do, str(item), error)
    return done


def _tell(do: Callable[..., int], item: str, error: Exception) -> None:
    while isinstance(do, functools.partial):
        do = do.func
    name = f"{do.__module__}.{do.__qualname__}".partition(".<locals>")[0]
    if (name, item) not in _told:
        _told.add((name, item))
        log.error("%s failed on %s and goes on with the others", name, item, exc_info=error)
