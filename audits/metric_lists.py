"""What each figure is, in one sentence, and the tickets that it was counted from (clause 6.2)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy

from audits import figures, metrics
from audits.metrics import OLD, Scope
from csp import clockface

PAGE, AT_ONCE = 50, 500
Cursor = tuple[dt.datetime, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """One list behind figures: how it is called, what is counted, by which rows of which source."""

    code: str
    title: Any
    says: Any
    moment: Any  # the heading of the instant by which its rows are of the period
    source: Callable[[Scope], str]
    which: str = "true"
    clause: str = "6.2"


FIRST = gettext_lazy(
    "From the receipt of what a customer wrote to the first answer of a person that reached them, for the answers that "
    "fell due in the period."
)
NEXT = gettext_lazy(
    "From a customer’s oldest message without an answer to the answer that reached them, for the answers that fell due "
    "in the period."
)
COMPLAINTS = gettext_lazy(
    "Complaints resolved within the days of their procedure, of those that fell due in the period; the days are the "
    "company’s own target."
)
FINISHED = gettext_lazy(
    "From receipt to the last time in the period that a ticket was resolved or closed; each ticket counts once."
)
RATE = gettext_lazy("Of the tickets that customers opened in the period, those that were resolved at its end.")
REOPENED = gettext_lazy(
    "Of the tickets resolved in the period, those that were opened again afterwards, by the customer or by us."
)
WAITING = gettext_lazy("Tickets received and not resolved at the end of the period; long is more than seven days.")
SCORES = gettext_lazy(
    "Mean of the scores from 1 to 5 that surveys gave, in complete groups of five answers of a team; the newest group "
    "is not shown yet."
)

_DUE, _ENDED = gettext_lazy("Due"), "(kept or broken)"
LISTS: dict[str, Figure] = {
    one.code: one
    for one in (
        Figure("first", gettext_lazy("First responses"), FIRST, _DUE, metrics.promises,
               f"obligation = 'respond' and {_ENDED}", "3.1"),
        Figure("first-late", gettext_lazy("First responses not in time"), FIRST, _DUE, metrics.promises,
               "obligation = 'respond' and broken", "3.1"),
        Figure("next", gettext_lazy("Next responses"), NEXT, _DUE, metrics.promises,
               f"obligation = 'follow_up' and {_ENDED}", "3.1"),
        Figure("next-late", gettext_lazy("Next responses not in time"), NEXT, _DUE, metrics.promises,
               "obligation = 'follow_up' and broken", "3.1"),
        Figure("complaints", gettext_lazy("Complaints"), COMPLAINTS, _DUE, metrics.promises,
               f"obligation = 'resolve' and {_ENDED}", "3.2"),
        Figure("complaints-late", gettext_lazy("Complaints not resolved in time"), COMPLAINTS, _DUE, metrics.promises,
               "obligation = 'resolve' and broken", "3.2"),
        Figure("finished", gettext_lazy("Resolved"), FINISHED, gettext_lazy("Resolved"), metrics.finishes),
        Figure("reopened", gettext_lazy("Opened again"), REOPENED, gettext_lazy("Resolved"), metrics.finishes,
               "reopened"),
        Figure("received", gettext_lazy("Received"), RATE, gettext_lazy("Received"), metrics.received),
        Figure("received-resolved", gettext_lazy("Received and resolved"), RATE, gettext_lazy("Received"),
               metrics.received, "finished"),
        Figure("waiting", gettext_lazy("Waiting at the end"), WAITING, gettext_lazy("Received"), metrics.waiting),
        Figure("waiting-long", gettext_lazy("Waiting long at the end"), WAITING, gettext_lazy("Received"),
               metrics.waiting, f"seconds > {OLD}"),
    )
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One ticket of a list: when it counts, what it was, how long it took, and for a promise how it ended."""

    cursor: Cursor
    ticket: int
    team: int
    person: int | None
    channel: str
    category: int
    seconds: int | None
    ended: str  # "kept", "broken", a verdict that is agreed on, or empty

    @property
    def ref(self) -> str:
        return f"#{self.ticket}"

    @property
    def took(self) -> str:
        if self.seconds is None:
            return ""
        return clockface.short(dt.timedelta(seconds=self.seconds))

    @property
    def path(self) -> str:
        return f"/tickets/{self.ticket}/"


def page(one: Figure, scope: Scope, after: Cursor | None, count: int = PAGE) -> tuple[list[Row], Cursor | None]:
    """The newest rows after the cursor, and the cursor of the next page if there is more."""
    found = _pick(one, scope, after, count + 1)
    return found[:count], found[count - 1].cursor if len(found) > count else None


def everything(one: Figure, scope: Scope) -> Iterator[Row]:
    after: Cursor | None = None
    while True:
        rows, after = page(one, scope, after, AT_ONCE)
        yield from rows
        if after is None:
            return


def count(one: Figure, scope: Scope) -> int:
    """How many rows the list has; what the figures say too."""
    return int(_ask(f"select count(*) from ({one.source(scope)}) s where {scope.where} and {one.which}", scope)[0][0])  # noqa: S608  constants of ours


def _pick(one: Figure, scope: Scope, after: Cursor | None, limit: int) -> list[Row]:
    ended = "case when broken then coalesce(verdict, 'broken') else 'kept' end" if "broken" in one.which else "''"
    beyond = "and (moment, id) < (%(at)s, %(pk)s)" if after is not None else ""
    sql = f"""
select moment, id, ticket, team, person, channel, category, seconds, {ended} from ({one.source(scope)}) s
where {scope.where} and {one.which} {beyond} order by moment desc, id desc limit {int(limit)}"""  # noqa: S608  constants of ours
    at, pk = after or (None, None)
    return [
        Row((moment, number), ticket, team, person, channel, category,
            figures.whole(seconds) if seconds is not None else None, ended)
        for moment, number, ticket, team, person, channel, category, seconds, ended
        in _ask(sql, scope, at=at, pk=pk)
    ]  # fmt: skip


def _ask(sql: str, scope: Scope, **more: object) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, scope.values | more)
        return cursor.fetchall()
