"""The calendar of data-subject requests (clause 6.1): a month, put off where it ends on a day off. Pure.

A month ends at the same time of day on the day with the same number, or on the last one of a shorter month. Where that
is a Saturday, a Sunday or a public holiday, it ends on the next working day at that time. The law lets the last day run
out; ending at the time of receipt is never later than that.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from csp.contract import Term
from csp.servicetime import public_holidays

LONGER = 2  # months by which the time may be extended, once


@dataclasses.dataclass(frozen=True, slots=True)
class DaysOff:
    """Whose public holidays count, and days off besides."""

    country: str = ""  # "GB"; empty: no public holidays are known
    subdivision: str = ""
    besides: frozenset[dt.date] = frozenset()

    def __contains__(self, day: object) -> bool:
        return isinstance(day, dt.date) and (
            day.weekday() >= 5
            or day in self.besides
            or (bool(self.country) and day in public_holidays(self.country, self.subdivision, day.year))
        )


def put_off(due_at: dt.datetime, zone: ZoneInfo, days_off: DaysOff) -> dt.datetime:
    """The same time of day on the first working day from `due_at` on, in UTC."""
    local = due_at.astimezone(zone)
    day = local.date()
    while day in days_off:
        day += dt.timedelta(days=1)
    if day == local.date():
        return due_at.astimezone(dt.UTC)
    return dt.datetime.combine(day, local.time(), zone).astimezone(dt.UTC)


def due_at(received_at: dt.datetime, term: Term, zone: ZoneInfo, days_off: DaysOff) -> dt.datetime:
    """By when a request is answered that was received then, in UTC."""
    return put_off(term.ends(received_at, zone), zone, days_off)


def extended_due_at(received_at: dt.datetime, term: Term, zone: ZoneInfo, days_off: DaysOff) -> dt.datetime:
    """By when, if the time is extended: two months more, counted from receipt as one term."""
    if term.months:
        longer = dataclasses.replace(term, months=term.months + LONGER)
        return put_off(longer.ends(received_at, zone), zone, days_off)
    return put_off(Term(months=LONGER).ends(term.ends(received_at, zone), zone), zone, days_off)


def read_days(text: str) -> list[dt.date]:
    """The days in a text, one a line as 2026-12-24. Raises ValueError naming the line that is none."""
    found = set()
    for line in text.split():
        try:
            found.add(dt.date.fromisoformat(line))
        except ValueError:
            raise ValueError(line) from None
    return sorted(found)


def besides(days: Iterable[dt.date]) -> frozenset[dt.date]:
    return frozenset(days)
