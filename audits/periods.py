"""The period that figures are about: a month, a year, or the thirteen weeks up to now, in the contract's zone. Pure."""

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
_YEAR = re.compile(r"20\d\d")
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
    """The period of that name: "2026-11", "2026" or "13w". Raises NoSuchPeriod."""
    if code == QUARTER:
        monday = week_of(at, zone)
        days = (monday - (WEEKS - 1) * _WEEK, monday + _WEEK)
        return Period(code, _("13 weeks"), *(_midnight(day, zone) for day in days))
    if found := _MONTH.fullmatch(code):
        year, month = int(found[1]), int(found[2])
        first = dt.date(year, month, 1)
        label = dateformat.format(first, "F Y")
        return Period(code, label, _midnight(first, zone), _midnight(_next_month(first), zone))
    if _YEAR.fullmatch(code):
        year = int(code)
        return Period(code, code, _midnight(dt.date(year, 1, 1), zone), _midnight(dt.date(year + 1, 1, 1), zone))
    raise NoSuchPeriod(code)


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
