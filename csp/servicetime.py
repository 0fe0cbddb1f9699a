"""Staffed time: the hours in which somebody is on shift, added and measured. Pure.

Only the company's own targets count in it ("accepted within four staffed hours"); no clock of the contract does. Hours
are written in minutes of the local day, so that a shift that begins at nine does so on the day the clocks change; how
long it lasts is what the clock on the wall then makes of it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

import holidays

DAY = 24 * 60  # minutes
FAR = 400  # days that are looked at; whoever opens more rarely has no hours

Span = tuple[int, int]  # minutes of the local day, from and to; to is at most 1440
Day = tuple[Span, ...]

ALWAYS: Mapping[int, Day] = dict.fromkeys(range(7), ((0, DAY),))
_SPAN = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*[-–—]\s*(\d{1,2})(?::(\d{2}))?")


class NotHours(ValueError):
    """Hours that cannot be read; says which part."""


@dataclasses.dataclass(frozen=True)
class Calendar:
    """When somebody is on shift: each weekday's hours, days that differ, and the public holidays, which are free."""

    zone: ZoneInfo
    week: Mapping[int, Day] = dataclasses.field(default_factory=lambda: dict(ALWAYS))  # 0 is Monday
    exceptions: Mapping[dt.date, Day] = dataclasses.field(default_factory=dict)
    country: str = ""  # "GB", "DE"; empty: no holidays
    subdivision: str = ""  # "ENG", "BY"
    away: Sequence[tuple[dt.datetime, dt.datetime]] = ()  # absences of the person whose calendar this is

    def hours_of(self, day: dt.date) -> Day:
        """The hours of one local day."""
        if day in self.exceptions:
            return self.exceptions[day]
        if self.country and day in public_holidays(self.country, self.subdivision, day.year):
            return ()
        return self.week.get(day.weekday(), ())

    def spans(self, start: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """Every staffed stretch of time that ends after `start`, in UTC, in order; cut where it begins before."""
        first = start.astimezone(self.zone).date()
        for number in range(-1, FAR):
            day = first + dt.timedelta(days=number)
            for begins, ends in self.hours_of(day):
                opens, closes = max(self._instant(day, begins), start), self._instant(day, ends)
                yield from self._present(opens, closes)

    def _present(self, opens: dt.datetime, closes: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        for gone, back in sorted(self.away):
            if gone < closes and back > opens:
                if gone > opens:
                    yield opens, gone
                opens = back
        if opens < closes:
            yield opens, closes

    def _instant(self, day: dt.date, minute: int) -> dt.datetime:
        days, minute = divmod(minute, DAY)
        local = dt.datetime.combine(day + dt.timedelta(days=days), dt.time(minute // 60, minute % 60), self.zone)
        return local.astimezone(dt.UTC)

    # ------------------------------------------------------------ what is asked of it

    def is_staffed(self, at: dt.datetime) -> bool:
        """Whether somebody is on shift at that moment; at the closing minute nobody is any more."""
        return next((opens <= at for opens, _closes in self.spans(at)), False)

    def opens(self, at: dt.datetime) -> dt.datetime | None:
        """The first staffed moment from `at` on; None where there is none."""
        return next((opens for opens, _closes in self.spans(at)), None)

    def closes(self, at: dt.datetime) -> dt.datetime | None:
        """When the stretch that is staffed at `at`, or else the next one, is over."""
        end = None
        for opens, closes in self.spans(at):
            if end is not None and opens > end:
                break
            end = closes
            if closes - at > dt.timedelta(days=2):
                break  # somebody is always there
        return end

    def add(self, start: dt.datetime, length: dt.timedelta) -> dt.datetime:
        """The moment at which that much staffed time has passed since `start`. Without any hours, by the clock."""
        left = length
        if left <= dt.timedelta():
            return start
        for opens, closes in self.spans(start):
            if closes - opens >= left:
                return opens + left
            left -= closes - opens
        return start + length

    def between(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """How much of the time between two moments is staffed."""
        total = dt.timedelta()
        for opens, closes in self.spans(start):
            if opens >= end:
                break
            total += min(closes, end) - opens
        return total


def after_working_days(
    start: dt.datetime, days: int, zone: ZoneInfo, country: str = "", subdivision: str = ""
) -> dt.datetime:
    """The same time of day that many working days later, in UTC: Monday to Friday, but for public holidays.

    The day of the start does not count; what starts on a Saturday begins to count on Monday.
    """
    local = start.astimezone(zone)
    day = local.date()
    while days:
        day += dt.timedelta(days=1)
        if day.weekday() < 5 and not (country and day in public_holidays(country, subdivision, day.year)):
            days -= 1
    return dt.datetime.combine(day, local.timetz().replace(tzinfo=None), zone).astimezone(dt.UTC)


@functools.lru_cache(maxsize=256)
def public_holidays(country: str, subdivision: str, year: int) -> frozenset[dt.date]:
    """The days off of a country, or of a part of it; none where the library knows no such place."""
    try:
        found = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    except NotImplementedError:
        return frozenset()
    return frozenset(found)


def is_place(country: str, subdivision: str = "") -> bool:
    """Whether the holidays of this place are known."""
    known = holidays.list_supported_countries()
    return country in known and (not subdivision or subdivision in known[country])


def parse(text: str) -> Day:
    """Hours as people write them: "9-17", "09:00–12:30, 13:30–17:00"; empty is closed. Raises NotHours."""
    spans: list[Span] = []
    for part in filter(None, (piece.strip() for piece in text.replace(";", ",").split(","))):
        match = _SPAN.fullmatch(part)
        if match is None:
            raise NotHours(part)
        begins, ends = (int(match[n]) * 60 + int(match[n + 1] or 0) for n in (1, 3))
        ends = ends or DAY  # until 0:00 is until midnight
        if begins >= ends or ends > DAY or any(int(match[n] or 0) > 59 for n in (2, 4)):
            raise NotHours(part)
        spans.append((begins, ends))
    spans.sort()
    for (_begins, ends), (begins, _ends) in itertools.pairwise(spans):
        if begins < ends:
            raise NotHours(text)
    return tuple(spans)


def spell(day: Sequence[Sequence[int]]) -> str:
    """Hours as a person reads them: "09:00–17:00"."""
    return ", ".join(f"{b // 60:02}:{b % 60:02}–{e // 60:02}:{e % 60:02}" for b, e in day)
