"""The period that figures are about, in the contract's zone. Pure.

A month, a quarter, a year, the thirteen weeks up to now, or days that somebody chose.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _

WEEKS = 13
QUARTER = "13w"
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_QUARTER = re.compile(r"(20\d\d)-q([1-4])")
_YEAR = re.compile(r"20\d\d")
_DAYS = re.compile(r"(20\d\d-\d\d-\d\d)\.\.(20\d\d-\d\d-\d\d)")
LONGEST = dt.timedelta(days=1096)  # of days that somebody chose
_WEEK = dt.timedelta(days=7)


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """From `since` until, exclusively, `until`. `code` is its name in an address."""

    code: str
    label: str
    since: dt.datetime
    until: dt.datetime


class NoSuchPeriod(ValueError):
    """The name in the address is that of no period."""


def this_month(at: dt.datetime, zone: ZoneInfo) -> Period:
    return read(f"{at.astimezone(zone):%Y-%m}", at, zone)


def read(code: str, at: dt.datetime, zone: ZoneInfo) -> Period:
    """The period of that name: "2026-11", "2026-q4", "2026", "13w", "2026-11-03..2026-11-09". Raises NoSuchPeriod."""
    if code == QUARTER:
        monday = week_of(at, zone)
        ends = (monday - (WEEKS - 1) * _WEEK, monday + _WEEK)
        return Period(code, _("13 weeks"), *(_midnight(day, zone) for day in ends))
    if found := _MONTH.fullmatch(code):
        year, month = int(found[1]), int(found[2])
        first = dt.date(year, month, 1)
        label = dateformat.format(first, "F Y")
        return Period(code, label, _midnight(first, zone), _midnight(_next_month(first), zone))
    if found := _QUARTER.fullmatch(code):
        year, quarter = int(found[1]), int(found[2])
        first = dt.date(year, quarter * 3 - 2, 1)
        end = _next_month(_next_month(_next_month(first)))
        label = _("Quarter %(quarter)d of %(year)d") % {"quarter": quarter, "year": year}
        return Period(code, label, _midnight(first, zone), _midnight(end, zone))
    if _YEAR.fullmatch(code):
        year = int(code)
        return Period(code, code, _midnight(dt.date(year, 1, 1), zone), _midnight(dt.date(year + 1, 1, 1), zone))
    if found := _DAYS.fullmatch(code):
        try:
            return days(dt.date.fromisoformat(found[1]), dt.date.fromisoformat(found[2]), zone)
        except ValueError as error:
            raise NoSuchPeriod(code) from error
    raise NoSuchPeriod(code)


def days(first: dt.date, last: dt.date, zone: ZoneInfo) -> Period:
    """From the first day to the last one, both whole. Raises NoSuchPeriod."""
    if not dt.timedelta() <= last - first <= LONGEST:
        raise NoSuchPeriod(f"{first}..{last}")
    begin, end = (dateformat.format(day, "j M Y") for day in (first, last))
    label = begin if first == last else _("%(first)s to %(last)s") % {"first": begin, "last": end}
    return Period(f"{first}..{last}", label, _midnight(first, zone), _midnight(last + dt.timedelta(days=1), zone))


def before(period: Period, zone: ZoneInfo) -> Period:
    """The one of the same kind that ends where this one begins; of chosen days, as many days."""
    day = (period.since.astimezone(zone) - dt.timedelta(hours=12)).date()
    if _MONTH.fullmatch(period.code):
        return read(f"{day:%Y-%m}", period.since, zone)
    if _QUARTER.fullmatch(period.code):
        return read(f"{day.year}-q{(day.month + 2) // 3}", period.since, zone)
    if _YEAR.fullmatch(period.code):
        return read(str(day.year), period.since, zone)
    return days(day - _length(period, zone) + dt.timedelta(days=1), day, zone)


def after(period: Period, zone: ZoneInfo) -> Period:
    """The one of the same kind that begins where this one ends; of chosen days, as many days."""
    day = period.until.astimezone(zone).date()
    if _MONTH.fullmatch(period.code):
        return read(f"{day:%Y-%m}", period.until, zone)
    if _QUARTER.fullmatch(period.code):
        return read(f"{day.year}-q{(day.month + 2) // 3}", period.until, zone)
    if _YEAR.fullmatch(period.code):
        return read(str(day.year), period.until, zone)
    return days(day, day + _length(period, zone) - dt.timedelta(days=1), zone)


def quarter_of(at: dt.datetime, zone: ZoneInfo) -> Period:
    day = at.astimezone(zone).date()
    return read(f"{day.year}-q{(day.month + 2) // 3}", at, zone)


def _length(period: Period, zone: ZoneInfo) -> dt.timedelta:
    return period.until.astimezone(zone).date() - period.since.astimezone(zone).date()


def offered(at: dt.datetime, zone: ZoneInfo) -> list[Period]:
    """The ones that a page offers by name: this month, the one before, thirteen weeks, this year."""
    month = this_month(at, zone)
    before = read(f"{(month.since.astimezone(zone) - dt.timedelta(days=1)):%Y-%m}", at, zone)
    return [month, before, read(QUARTER, at, zone), read(f"{at.astimezone(zone):%Y}", at, zone)]


def week_of(at: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The Monday of the week in which this moment lies."""
    day = at.astimezone(zone).date()
    return day - dt.timedelta(days=day.weekday())


def weeks_until(period: Period, zone: ZoneInfo) -> list[dt.date]:
    """The Mondays of the thirteen weeks that end with the period, oldest first."""
    last = week_of(period.until - dt.timedelta(microseconds=1), zone)
    return [last - back * _WEEK for back in range(WEEKS - 1, -1, -1)]


def bounds(weeks: list[dt.date], zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """The instants between which these weeks lie."""
    return _midnight(weeks[0], zone), _midnight(weeks[-1] + _WEEK, zone)


def months_back(at: dt.datetime, zone: ZoneInfo, count: int = 12) -> Iterator[Period]:
    """This month and those before it, newest first."""
    month = this_month(at, zone)
    for _number in range(count):
        yield month
        month = this_month(month.since - dt.timedelta(microseconds=1), zone)


def _midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def _next_month(first: dt.date) -> dt.date:
    return (first + dt.timedelta(days=32)).replace(day=1)
