"""The queues: which tickets stand in one, in which order, page by page, and which one is next.

Every list is ordered by what falls due, the longest overdue first, what has no clock last, and paged by keyset: a page
costs the same wherever it lies. Nothing counts a large set; counts stop at a hundred and say so.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from csp import access
from csp.models import User
from csp.roles import Permission, Role
from tickets import desk, search
from tickets.models import Escalation, Presence, Ticket

PAGE = 50
COUNTED = 100  # counts stop here: "100+"
DUE_SOON = dt.timedelta(hours=4)
HOUR = dt.timedelta(hours=1)
WAITING_FOR_US = ("respond", "follow_up", "escalate")

State = Ticket.State


class View(enum.StrEnum):
    """The queues that everybody has."""

    MINE = "mine"
    TEAM = "team"
    UNASSIGNED = "unassigned"
    ESCALATED = "escalated"
    WAITING = "waiting"
    FINISHED = "finished"


TITLES = {
    View.MINE: _("My queue"),
    View.TEAM: _("Team"),
    View.UNASSIGNED: _("Unassigned"),
    View.ESCALATED: _("Escalated"),
    View.WAITING: _("Waiting"),
    View.FINISHED: _("Finished"),
}
TABS = {**TITLES, View.MINE: _("Mine")}


@dataclasses.dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; all of it lives in the address."""

    kinds: Sequence[str] = ()
    channels: Sequence[str] = ()
    priorities: Sequence[int] = ()
    category: int | None = None
    team: int | None = None
    due_soon: bool = False
    attention: bool = False
    words: str = ""

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in dataclasses.fields(self))


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """A number of tickets, exact up to a hundred."""

    number: int

    def __str__(self) -> str:
        return f"{COUNTED}+" if self.number > COUNTED else str(self.number)

    def __bool__(self) -> bool:
        return self.number > 0


def select(view: View, user: User) -> QuerySet[Ticket]:
    """The tickets of one queue that this person may see, in no order yet."""
    tickets = Ticket.objects.visible_to(user)
    if view is View.FINISHED:
        return tickets.filter(state__in=(State.RESOLVED, State.CLOSED))
    tickets = tickets.unfinished()
    if view is View.MINE:
        return tickets.filter(assignee=user)
    if view is View.UNASSIGNED:
        return tickets.filter(assignee__isnull=True)
    if view is View.ESCALATED:
        standing = Escalation.objects.filter(ticket=OuterRef("pk"), closed_at__isnull=True)
        return tickets.filter(Exists(standing))
    if view is View.WAITING:
        return tickets.filter(state=State.WAITING)
    return tickets


def narrow(tickets: QuerySet[Ticket], filters: Filters, *, user: User, at: dt.datetime) -> QuerySet[Ticket]:
    """Keep what the filters ask for."""
    if filters.kinds:
        tickets = tickets.filter(kind__in=filters.kinds)
    if filters.channels:
        tickets = tickets.filter(channel__in=filters.channels)
    if filters.priorities:
        tickets = tickets.filter(priority__in=filters.priorities)
    if filters.category:
        tickets = tickets.filter(category=filters.category)
    if filters.team:
        tickets = tickets.filter(team=filters.team)
    if filters.due_soon:
        tickets = tickets.filter(next_due_at__lte=at + DUE_SOON)
    if filters.attention:
        tickets = tickets.filter(Q(state=State.NEW) | Q(next_obligation__in=WAITING_FOR_US))
    if filters.words:
        tickets = tickets.filter(_says(filters.words, user))
    return tickets


def _says(words: str, user: User) -> Q:
    """A reference, or words of the subject or of the customer's name."""
    number = search.number_in(words)
    if number is not None:
        return Q(pk=number)
    query = search.tsquery(words)
    found = Q(search=SearchQuery(query, config="simple", search_type="raw")) if query else Q(pk__in=[])
    served = access.scope_of(user).teams_where(Permission.SEE_CUSTOMER_NAMES)
    return found | Q(team__in=served, customer__name__icontains=words.strip()) if served else found


# ---------------------------------------------------------------- pages


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """Some tickets in order, and the cursors of what comes before and after them (empty where nothing does)."""

    tickets: list[Ticket]
    before: str
    after: str

    @property
    def is_first(self) -> bool:
        return not self.before


def page(tickets: QuerySet[Ticket], *, view: View, after: str = "", before: str = "", size: int = PAGE) -> Page:
    """One page of a queue. A cursor that cannot be read shows the first page."""
    key = "last_interaction_at" if view is View.FINISHED else "next_due_at"
    newest_first = view is View.FINISHED
    backwards = bool(before) and not after
    cursor = _read(before if backwards else after)
    descending = newest_first != backwards
    if cursor is not None:
        tickets = tickets.filter(_beyond(cursor, key, descending=descending, ids_descending=backwards))
    order = F(key).desc(nulls_first=True) if descending else F(key).asc(nulls_last=True)
    if newest_first:  # never null, and the index says nothing of nulls
        order = F(key).asc() if backwards else F(key).desc()
    rows = list(
        tickets.select_related("customer", "assignee", "team").order_by(order, "-pk" if backwards else "pk")[: size + 1]
    )
    has_more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    came_from = cursor is not None and bool(rows)
    has_before = has_more if backwards else came_from
    has_after = came_from if backwards else has_more
    return Page(
        rows,
        before=_write(rows[0], key) if has_before else "",
        after=_write(rows[-1], key) if has_after else "",
    )


def _beyond(cursor: tuple[dt.datetime | None, int], key: str, *, descending: bool, ids_descending: bool) -> Q:
    """What lies beyond the cursor in that direction; nulls are the last of an ascending list."""
    moment, number = cursor
    tie = Q(pk__lt=number) if ids_descending else Q(pk__gt=number)
    if moment is None:
        same = Q(**{f"{key}__isnull": True}) & tie
        return same | Q(**{f"{key}__isnull": False}) if descending else same
    if descending:
        return Q(**{f"{key}__lt": moment}) | (Q(**{key: moment}) & tie)
    later = Q(**{f"{key}__gt": moment}) | (Q(**{key: moment}) & tie)
    return later | Q(**{f"{key}__isnull": True})


def _write(ticket: Ticket, key: str) -> str:
    moment = getattr(ticket, key)
    return f"{moment.astimezone(dt.UTC):%Y%m%dT%H%M%S.%f}_{ticket.pk}" if moment else f"_{ticket.pk}"


def _read(cursor: str) -> tuple[dt.datetime | None, int] | None:
    moment, _underscore, number = cursor.rpartition("_")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    try:
        at = dt.datetime.strptime(moment, "%Y%m%dT%H%M%S.%f").replace(tzinfo=dt.UTC) if moment else None
    except ValueError:
        return None
    return at, int(number)


# ---------------------------------------------------------------- counts


def counts(user: User, *, at: dt.datetime, view: View) -> dict[str, Count]:
    """How many stand in each queue, and of this one how many are overdue or due soon; one statement, each capped."""
    wanted: dict[str, QuerySet[Ticket]] = {name.value: select(name, user) for name in View}
    if view is not View.FINISHED:
        wanted["overdue"] = select(view, user).filter(next_due_at__lt=at)
        wanted["due_soon"] = select(view, user).filter(next_due_at__lte=at + DUE_SOON)
    return count(wanted)


def count(wanted: dict[str, QuerySet[Any]]) -> dict[str, Count]:
    """Count several sets in one statement, each no further than it is shown."""
    parts: list[str] = []
    parameters: list[Any] = []
    for rows in wanted.values():
        try:
            sql, given = rows.order_by().values("pk")[: COUNTED + 1].query.sql_with_params()
        except EmptyResultSet:  # somebody without a team
            sql, given = "select 1 where false", ()
        parts.append(f"(select count(*) from ({sql}) as part)")  # noqa: S608  # nosec B608  made by the ORM, parameters apart
        parameters.extend(given)
    with connection.cursor() as cursor:
        cursor.execute(f"select {', '.join(parts)}", parameters)
        found = cursor.fetchone()
    return {name: Count(number) for name, number in zip(wanted, found, strict=True)}


# ---------------------------------------------------------------- what is next


def next_for(user: User, *, at: dt.datetime, besides: int | None = None) -> Ticket | None:
    """The ticket of the *Next* button: what can still be kept within the hour, then what is overdue, then the rest.

    Own tickets and those that nobody has; in one statement of small index reads.
    """
    teams = access.scope_of(user).teams(Role.REPRESENTATIVE, Role.SUPERVISOR)
    if not teams:
        return None
    open_ones = Ticket.objects.unfinished().exclude(next_due_at__isnull=True)
    if besides is not None:
        open_ones = open_ones.exclude(pk=besides)
    mine = open_ones.filter(assignee=user, team__in=teams)
    nobodys = open_ones.filter(assignee__isnull=True, team__in=teams)
    bands = (
        Q(next_due_at__gte=at, next_due_at__lt=at + HOUR),
        Q(next_due_at__lt=at),
        Q(next_due_at__gte=at + HOUR),
    )
    heads = [rows.filter(band).order_by("next_due_at", "pk")[:1] for band in bands for rows in (mine, nobodys)]
    found = list(heads[0].union(*heads[1:], all=True))
    for least, most in ((at, at + HOUR), (None, at), (at + HOUR, None)):
        inside = [
            row for row in found
            if (least is None or row.next_due_at >= least) and (most is None or row.next_due_at < most)
        ]  # fmt: skip
        if inside:
            return min(inside, key=lambda row: (row.next_due_at, row.pk))
    return None


# ---------------------------------------------------------------- who is looking


@dataclasses.dataclass(slots=True)
class Seen:
    """Of one ticket: when this person last had it open, and who else has it open now."""

    last: dt.datetime | None = None
    others: list[User] = dataclasses.field(default_factory=list)


def seen(tickets: Sequence[Ticket], user: User, *, at: dt.datetime) -> dict[int, Seen]:
    """Who has, or had, each of these tickets open."""
    found = {ticket.pk: Seen() for ticket in tickets}
    rows = Presence.objects.filter(ticket__in=list(found)).filter(Q(user=user) | Q(seen_at__gt=at - desk.STILL_HERE))
    for row in rows.select_related("user"):
        if row.user_id == user.pk:
            found[row.ticket_id].last = row.seen_at
        else:
            found[row.ticket_id].others.append(row.user)
    return found
