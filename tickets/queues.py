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

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import BigIntegerField, F, Func, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from csp import access
from csp.models import Customer, Team, User
from csp.roles import Permission, Role
from tickets import desk, search
from tickets.models import Escalation, Ticket

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
    assignee: int | None = None
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
        return tickets.filter(pk__in=Escalation.objects.filter(closed_at__isnull=True).values("ticket"))
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
    if filters.assignee:
        tickets = tickets.filter(assignee=filters.assignee)
    if filters.due_soon:
        tickets = tickets.filter(next_due_at__lte=at + DUE_SOON)
    if filters.attention:
        tickets = tickets.filter(Q(state=State.NEW) | Q(next_obligation__in=WAITING_FOR_US))
    if filters.words:
        tickets = tickets.filter(_says(filters.words, user))
    return tickets


def _says(words: str, user: User) -> Q:
    """A reference, or words of the subject or of the customer's name: two index reads, joined by number."""
    number = search.number_in(words)
    if number is not None:
        return Q(pk=number)
    query = search.tsquery(words)
    asked = SearchQuery(query, config="simple", search_type="raw") if query else None
    found = Ticket.objects.filter(search=asked).values("pk") if asked else Ticket.objects.none().values("pk")
    served = access.scope_of(user).teams_where(Permission.SEE_CUSTOMER_NAMES)
    if served:
        called = Customer.objects.filter(name__icontains=words.strip()).values("pk")
        found = found.union(Ticket.objects.filter(team__in=served, customer__in=called).values("pk"), all=True)
    return Q(pk__in=found)


# ---------------------------------------------------------------- pages

# What a line of a list shows, and what its order needs; no more is read of fifty tickets.
SHOWN = (
    "subject", "excerpt", "state", "channel", "team", "about", "received_at", "last_interaction_at", "next_obligation",
    "next_clause", "next_starts_at", "next_due_at", "customer__name", "customer__organisation", "assignee__name",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """Some tickets in order, and the cursors of what comes before and after them (empty where nothing does)."""

    tickets: list[Ticket]
    before: str
    after: str

    @property
    def is_first(self) -> bool:
        return not self.before


def page(
    tickets: QuerySet[Ticket],
    *,
    view: View,
    teams: Sequence[int] = (),
    after: str = "",
    before: str = "",
    size: int = PAGE,
    also: Sequence[str] = (),
) -> Page:
    """One page of a queue, `also` with these columns. A cursor that cannot be read shows the first page.

    Somebody who reads several `teams` has the first of each, read by index, put together: the indexes are by team, and
    sorting all that is open would grow with the desk.
    """
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
    by = (order, "-pk" if backwards else "pk")
    if len(teams) > 1:
        tickets = heads(tickets, teams, by, size + 1)
    rows = list(tickets.select_related("customer", "assignee").only(*SHOWN, *also).order_by(*by)[: size + 1])
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


def merged(view: View, filters: Filters, user: User) -> list[int]:
    """The teams whose lists this list is put together from; none where an index of its own leads to all of it."""
    whole = not (filters.team or filters.assignee or filters.words)
    by_team = whole and view not in (View.MINE, View.ESCALATED)
    return access.scope_of(user).reads() if by_team else []


def heads(tickets: QuerySet[Ticket], teams: Sequence[int], by: Sequence[Any], size: int) -> QuerySet[Ticket]:
    """Of these tickets the first `size` of each team, in that order; one statement, whatever the number of teams."""
    first = tickets.filter(team=OuterRef("pk")).order_by(*by).values("pk")[:size]
    numbers = Func(ArraySubquery(first), function="unnest", output_field=BigIntegerField())
    return Ticket.objects.filter(pk__in=Team.objects.filter(pk__in=teams).values(head=numbers))


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


_SEEN = "tickets_ticket t where t.team_id = any(%(teams)s) and t.about_id is distinct from %(me)s"
_SEEN += " and (t.origin <> 'practice' or t.opened_by_id = %(me)s)"
_UNFINISHED = f"{_SEEN} and t.state in ('new', 'open', 'waiting')"
_WHICH = {
    View.MINE: f"{_UNFINISHED} and t.assignee_id = %(me)s",
    View.TEAM: _UNFINISHED,
    View.UNASSIGNED: f"{_UNFINISHED} and t.assignee_id is null",
    View.ESCALATED: f"{_UNFINISHED} and t.id in (select ticket_id from tickets_escalation where closed_at is null)",  # noqa: S608  constants of ours
    View.WAITING: f"{_SEEN} and t.state = 'waiting'",
    View.FINISHED: f"{_SEEN} and t.state in ('resolved', 'closed')",
}


def counts(user: User, *, at: dt.datetime, view: View) -> dict[str, Count]:
    """How many stand in each queue, and of this one how many are overdue or due soon; one statement, each capped.

    The same sets as `select` gives, spelled out: writing them anew for each page costs more than counting.
    """
    wanted: dict[str, str] = {name.value: which for name, which in _WHICH.items()}
    if view is not View.FINISHED:
        wanted["overdue"] = f"{_WHICH[view]} and t.next_due_at < %(at)s"
        wanted["due_soon"] = f"{_WHICH[view]} and t.next_due_at <= %(soon)s"
    parts = [f"(select count(*) from (select 1 from {which} limit %(most)s) part)" for which in wanted.values()]  # noqa: S608  constants of ours
    parameters: dict[str, Any] = {
        "me": user.pk, "teams": access.scope_of(user, at).reads(), "at": at, "soon": at + DUE_SOON, "most": COUNTED + 1
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"select {', '.join(parts)}", parameters)
        found = cursor.fetchone()
    return {name: Count(number) for name, number in zip(wanted, found, strict=True)}


# ---------------------------------------------------------------- what is next


# The first of each band: of one's own by the index of a person's queue, of nobody's by that of each team.
_BANDS = (
    "next_due_at >= %(at)s and next_due_at < %(hour)s",
    "next_due_at < %(at)s",
    "next_due_at >= %(hour)s",
)
_FIRST = """
    select {band} as band, id, subject, received_at, next_obligation, next_starts_at, next_due_at from tickets_ticket
    where state in ('new', 'open', 'waiting') and {within} and id <> %(besides)s and {whose}
      and about_id is distinct from %(me)s and (origin <> 'practice' or opened_by_id = %(me)s)
    order by next_due_at, id limit 1
"""
_OWN = f"({_FIRST})".replace("{whose}", "assignee_id = %(me)s and team_id = any(%(teams)s)")
_NOBODYS = f"(select one.* from unnest(%(teams)s::bigint[]) as team(number), lateral ({_FIRST}) one)".replace(  # noqa: S608  constants of ours
    "{whose}", "assignee_id is null and team_id = team.number"
)
_HEADS = [head.format(band=band, within=within) for band, within in enumerate(_BANDS) for head in (_OWN, _NOBODYS)]
_NEXT = f"select * from ({' union all '.join(_HEADS)}) found order by band, next_due_at, id limit 1"  # noqa: S608  constants of ours


def next_for(user: User, *, at: dt.datetime, besides: int | None = None) -> Ticket | None:
    """The ticket of the *Next* button: what can still be kept within the hour, then what is overdue, then the rest.

    Own tickets and those that nobody has; in one statement of small index reads.
    """
    teams = list(access.scope_of(user, at).teams(Role.REPRESENTATIVE, Role.SUPERVISOR))
    if not teams:
        return None
    parameters = {"me": user.pk, "teams": teams, "at": at, "hour": at + HOUR, "besides": besides or 0}
    return next(iter(Ticket.objects.raw(_NEXT, parameters)), None)


# ---------------------------------------------------------------- who is looking


@dataclasses.dataclass(slots=True)
class Seen:
    """Of one ticket: when this person last had it open, and who else has it open now."""

    last: dt.datetime | None = None
    others: list[User] = dataclasses.field(default_factory=list)


_LOOKING = """
    select p.ticket_id, p.user_id, p.seen_at, u.name from tickets_presence p join csp_user u on u.id = p.user_id
    where p.ticket_id = any(%(tickets)s) and (p.user_id = %(me)s or p.seen_at > %(here)s)
"""


def seen(tickets: Sequence[Ticket], user: User, *, at: dt.datetime) -> dict[int, Seen]:
    """Who has, or had, each of these tickets open."""
    found = {ticket.pk: Seen() for ticket in tickets}
    with connection.cursor() as cursor:
        cursor.execute(_LOOKING, {"tickets": list(found), "me": user.pk, "here": at - desk.STILL_HERE})
        for number, person, seen_at, name in cursor.fetchall():
            if person == user.pk:
                found[number].last = seen_at
            else:
                found[number].others.append(User(pk=person, name=name))
    return found
