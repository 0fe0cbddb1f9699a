"""What a clock shows: from the moments of an obligation to its state, its words and its ring. Pure.

The thresholds are here and nowhere else: templates render them as data, scripts only compare instants. A clock is due
*at* `due_at`, so it is overdue only after it (clause 3.1: met at exactly twenty-four hours is met).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import functools
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from django.utils import dateformat, formats
from django.utils.translation import gettext_noop
from django.utils.translation import pgettext_lazy as word

from csp.words import Words, active, gettext

T = TypeVar("T")

NBSP = "\u00a0"
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

URGENT_WITHIN = HOUR
SOON_WITHIN = 4 * HOUR
LONG_TERM = 2 * DAY
SOON_SHARE_OF_LONG_TERM = 0.15
DAYS_ONLY_FROM = 7 * DAY


class State(enum.StrEnum):
    """How a clock stands; the value is the `data-state` that the style sheet colours."""

    AMPLE = "ample"
    SOON = "soon"
    URGENT = "urgent"
    OVER = "over"
    MET = "met"
    LATE = "late"
    VOID = "void"

    @property
    def is_running(self) -> bool:
        return self in {State.AMPLE, State.SOON, State.URGENT, State.OVER}


@dataclasses.dataclass(frozen=True, slots=True)
class ClockFace:
    """Everything that a template needs to draw one clock.

    `verb` is the obligation's ("Respond"), `head` the word shown ("Respond", "Overdue", "Responded", "Late"), `words`
    the short time, `said` the sentence for a screen reader, `when` the due time in the reader's zone, `dash` the share
    of time left in per cent. `soon_at` and `urgent_at` are the instants at which the state changes.
    """

    state: State
    verb: str
    head: str
    words: str
    said: str
    when: str
    dash: int
    due_at: dt.datetime
    soon_at: dt.datetime
    urgent_at: dt.datetime

    @property
    def is_running(self) -> bool:
        return self.state.is_running


def read(
    *,
    verb: str,
    past: str,
    starts_at: dt.datetime,
    due_at: dt.datetime,
    now: dt.datetime,
    zone: dt.tzinfo,
    met_at: dt.datetime | None = None,
    void: bool = False,
    known_late: bool = False,
) -> ClockFace:
    """The face of an obligation at `now`: still running, met (in time or late), or void. All moments are aware.

    `known_late` is a duty met in time of which that became known only after the breach was recorded.
    """
    words, soon_at, urgent_at = active(), *thresholds(starts_at, due_at)
    if void:
        state = State.VOID
    elif met_at is not None:
        state = State.LATE if met_at > due_at or known_late else State.MET
    else:
        state = running_state(due_at=due_at, soon_at=soon_at, urgent_at=urgent_at, now=now)
    when = moment(due_at, now=now, zone=zone, words=words)
    taken = (met_at or now) - starts_at
    if state is State.VOID:
        head, time, said = verb, words.gettext("void"), words.gettext("not owed")
    elif state is State.MET:
        head, time = past, short(taken, words)
        said = words.gettext("in time, after %(time)s") % {"time": spoken(taken, words)}
    elif state is State.LATE and taken <= due_at - starts_at:
        head, time = words.gettext("Known late"), short(taken, words)
        said = words.gettext("%(past)s in time, but known only after the limit") % {"past": past}
    elif state is State.LATE:
        behind = taken - (due_at - starts_at)
        head, time = words.gettext("Late"), f"+{NBSP}{short(behind, words)}"
        said = words.gettext("%(past)s %(time)s after the limit") % {"past": past, "time": spoken(behind, words)}
    else:
        head = words.gettext("Overdue") if state is State.OVER else verb
        time = short(due_at - now, words)
        left = {"verb": verb, "time": spoken(due_at - now, words), "when": when}
        said = words.gettext(_SENTENCES[state]) % left
    return ClockFace(
        state=state,
        verb=verb,
        head=head,
        words=time,
        said=said,
        when=when,
        dash=share_left(starts_at, due_at, now) if state.is_running else 0,
        due_at=due_at,
        soon_at=soon_at,
        urgent_at=urgent_at,
    )


class Timed(Protocol):
    """What a deadline row offers; this module knows no models."""

    @property
    def rule(self) -> Any: ...
    @property
    def starts_at(self) -> Any: ...
    @property
    def due_at(self) -> Any: ...
    @property
    def met_at(self) -> Any: ...
    @property
    def voided_at(self) -> Any: ...
    @property
    def state(self) -> Any: ...


def of(deadline: Timed, *, now: dt.datetime, zone: dt.tzinfo) -> ClockFace:
    """The face of a deadline row, with the verbs of its obligation in the reader's language."""
    return read(
        verb=gettext(deadline.rule.verb),
        past=gettext(deadline.rule.past),
        starts_at=deadline.starts_at,
        due_at=deadline.due_at,
        now=now,
        zone=zone,
        met_at=deadline.met_at,
        void=deadline.voided_at is not None,
        known_late=deadline.state == "met_late",
    )


def thresholds(starts_at: dt.datetime, due_at: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """After which instants a clock is running out (four hours, or the last 15 % of a long term) and urgent (one)."""
    term = due_at - starts_at
    warning = max(SOON_WITHIN, term * SOON_SHARE_OF_LONG_TERM) if term > LONG_TERM else SOON_WITHIN
    return due_at - warning, due_at - URGENT_WITHIN


def running_state(*, due_at: dt.datetime, soon_at: dt.datetime, urgent_at: dt.datetime, now: dt.datetime) -> State:
    """The state of a clock that is neither met nor void."""
    for instant, state in ((due_at, State.OVER), (urgent_at, State.URGENT), (soon_at, State.SOON)):
        if now > instant:
            return state
    return State.AMPLE


def share_left(starts_at: dt.datetime, due_at: dt.datetime, now: dt.datetime) -> int:
    """How much of the term is left, 0 to 100; a clock that still runs never shows an empty ring."""
    if now >= due_at or due_at <= starts_at:
        return 0
    return max(1, min(100, round(100 * ((due_at - now) / (due_at - starts_at)))))


# ---------------------------------------------------------------- words


def short(length: dt.timedelta, words: Words | None = None) -> str:
    """A length of time in the short form, rounded down, its parts joined so that they never break: `3 h 12 m`."""
    days, hours, minutes = _parts(length)
    d, h, m = _units(words or active())
    if days:
        parts = [str(days), d] + ([str(hours), h] if hours and days < DAYS_ONLY_FROM.days else [])
    elif hours:
        parts = [str(hours), h] + ([f"{minutes:02}", m] if minutes else [])
    else:
        parts = [str(minutes), m] if minutes else ["<", "1", m]
    return NBSP.join(parts)


UNITS = {"d": word("days, short", "d"), "h": word("hours, short", "h"), "m": word("minutes, short", "m")}


@functools.cache
def _units(_words: Words) -> tuple[str, ...]:
    return tuple(str(unit) for unit in UNITS.values())


def spoken(length: dt.timedelta, words: Words | None = None) -> str:
    """The same length for a voice: `3 hours 12 minutes`."""
    words = words or active()
    days, hours, minutes = _parts(length)
    parts = []
    if days:
        parts.append(words.ngettext("%(n)d day", "%(n)d days", days) % {"n": days})
    if hours and days < DAYS_ONLY_FROM.days:
        parts.append(words.ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours})
    if minutes and not days:
        parts.append(words.ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes})
    return " ".join(parts) or words.gettext("less than a minute")


# What a screen reader hears after the visible word of a running clock.
_SENTENCES = {
    State.AMPLE: gettext_noop("%(time)s left, due %(when)s"),
    State.SOON: gettext_noop("%(time)s left, running out, due %(when)s"),
    State.URGENT: gettext_noop("%(time)s left, less than an hour, due %(when)s"),
    State.OVER: gettext_noop("%(time)s past due. %(verb)s was due %(when)s"),
}


def sentences() -> dict[State, str]:
    """The sentence for each running state, in the active language; scripts get the same ones."""
    return {state: gettext(text) for state, text in _SENTENCES.items()}


def moment(at: dt.datetime, *, now: dt.datetime, zone: dt.tzinfo, words: Words | None = None) -> str:
    """A moment in the reader's zone: today by its time, within a week by weekday and date, beyond that by date."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    distance = abs((local.date() - today).days)
    time = f"{local:%H:%M}"
    if distance == 0:
        return (words or active()).gettext("today %(time)s") % {"time": time}
    return f"{_day(words or active(), local.date(), 'D j M' if distance < DAYS_ONLY_FROM.days else 'j M Y')} {time}"


@functools.lru_cache(512)
def _day(_words: Words, day: dt.date, pattern: str) -> str:
    return dateformat.format(day, pattern)


def exact(at: dt.datetime, zone: dt.tzinfo) -> str:
    """Date, time and offset: "23 November 2026, 10:05 (UTC+00:00)"; never "tomorrow", never without a zone."""
    local = at.astimezone(zone)
    offset = local.strftime("%z")
    return f"{formats.date_format(local, 'DATE_FORMAT')}, {local:%H:%M} (UTC{offset[:3]}:{offset[3:5]})"


def _parts(length: dt.timedelta) -> tuple[int, int, int]:
    minutes = int(abs(length).total_seconds() // 60)
    return minutes // 1440, minutes % 1440 // 60, minutes % 60


# ---------------------------------------------------------------- groups of a list


class Band(enum.StrEnum):
    """The parts of a list ordered by what falls due."""

    OVERDUE = "overdue"
    WITHIN_THE_HOUR = "hour"
    LATER_TODAY = "today"
    AFTER = "after"
    NO_CLOCK = "none"

    @property
    def label(self) -> str:
        return {
            Band.OVERDUE: gettext("Overdue"),
            Band.WITHIN_THE_HOUR: gettext("Within the hour"),
            Band.LATER_TODAY: gettext("Later today"),
            Band.AFTER: gettext("Tomorrow and after"),
            Band.NO_CLOCK: gettext("No clock running"),
        }[self]

    @property
    def state(self) -> str:
        """The colour of the heading: only what is missed or running out has one."""
        return {Band.OVERDUE: "over", Band.WITHIN_THE_HOUR: "soon"}.get(self, "")

    @property
    def icon(self) -> str:
        return {Band.OVERDUE: "circle-alert", Band.WITHIN_THE_HOUR: "hourglass"}.get(self, "")


@dataclasses.dataclass(frozen=True, slots=True)
class DueGroup(Generic[T]):
    """One heading of a due list with the things under it, in the order they came."""

    band: Band
    items: list[T]


def band(due_at: dt.datetime | None, *, now: dt.datetime, zone: dt.tzinfo) -> Band:
    """Under which heading something due at `due_at` belongs; the day ends at the reader's midnight."""
    if due_at is None:
        return Band.NO_CLOCK
    if now > due_at:
        return Band.OVERDUE
    if due_at - now < URGENT_WITHIN:
        return Band.WITHIN_THE_HOUR
    if due_at.astimezone(zone).date() == now.astimezone(zone).date():
        return Band.LATER_TODAY
    return Band.AFTER


def group_by_due(
    items: Iterable[T], *, due: Callable[[T], dt.datetime | None], now: dt.datetime, zone: dt.tzinfo
) -> list[DueGroup[T]]:
    """A list under its headings: headings in order of time, empty ones left out, the order within each kept."""
    found: dict[Band, list[T]] = {name: [] for name in Band}
    for item in items:
        found[band(due(item), now=now, zone=zone)].append(item)
    return [DueGroup(name, members) for name, members in found.items() if members]
