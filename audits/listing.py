"""The frame of every list of assurance: filters, rows, pages by keyset, who sees which rows.

A contract, a period by which the rows are chosen, the newest first. A supervisor sees the rows of own teams; an auditor
and the offices of clause 8.1 see those of the contract.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from django.db.models import Q, QuerySet
from django.utils import dateformat

from audits.models import NonCompliance
from audits.periods import Period
from csp import access, offices
from csp.contract import OBLIGATIONS, obligations_of
from csp.models import Contract, Deadline, KeptFrom, User
from csp.roles import Permission, Role
from tickets.models import Ticket

PAGE = 50
EXPORTED_AT_ONCE = 500
DUTIES = "duties"  # of the obligations of a clause those that the contract asks, without the company's own targets
Cursor = tuple[dt.datetime, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; all of it lives in the address. `teams` is None where all are open to the reader."""

    contract: Contract
    period: Period
    teams: frozenset[int] | None = None
    clause: str = ""
    obligation: str = ""  # the code of one, or DUTIES
    team: int | None = None
    state: str = ""

    @property
    def codes(self) -> list[str]:
        if self.obligation in OBLIGATIONS:
            return [self.obligation]
        rules = obligations_of(self.clause) if self.clause else OBLIGATIONS.values()
        return [rule.code for rule in rules if not (rule.policy and self.obligation == DUTIES)]

    def of_team(self, field: str) -> Q:
        wanted = Q() if self.teams is None else Q(**{f"{field}__in": self.teams})
        return wanted & Q(**{field: self.team}) if self.team is not None else wanted

    def in_period(self, field: str) -> Q:
        return Q(**{f"{field}__gte": self.period.since, f"{field}__lt": self.period.until})


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One row of any list. `cells` stand under the list's own headings; `clock` is a deadline to draw, if any."""

    cursor: Cursor
    ref: str
    path: str
    clause: str
    team: str
    at: dt.datetime
    cells: tuple[str, ...]
    clock: Deadline | None = None
    url: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class List:
    """One list: how it is called, which states it can be narrowed to, where its rows come from and how one reads."""

    code: str
    title: Any
    about: Any
    serves: tuple[str, ...]
    moment: Any  # the heading of the moment by which rows are chosen and ordered
    headings: tuple[Any, ...]
    states: dict[str, Any]
    pick: Callable[[Filters, Cursor | None, int], Sequence[Any]]
    read: Callable[[Sequence[Any], dt.tzinfo], list[Row]]
    by_clause: bool = True


def said(moment: dt.datetime | None, zone: dt.tzinfo) -> str:
    return dateformat.format(moment.astimezone(zone), "Y-m-d H:i") if moment is not None else ""


def page(one: List, filters: Filters, after: Cursor | None, zone: dt.tzinfo) -> tuple[list[Row], Cursor | None]:
    """A page of a list, and the cursor of the next one if there is more."""
    found = list(one.pick(filters, after, PAGE + 1))
    rows = one.read(found[:PAGE], zone)
    return rows, rows[-1].cursor if len(found) > PAGE else None


def everything(one: List, filters: Filters, zone: dt.tzinfo) -> Iterator[Row]:
    """Every row of a list, some hundreds at a time, however many there are."""
    after: Cursor | None = None
    while True:
        found = list(one.pick(filters, after, EXPORTED_AT_ONCE))
        rows = one.read(found, zone)
        yield from rows
        if len(found) < EXPORTED_AT_ONCE:
            return
        after = rows[-1].cursor


class _OfSubject(Protocol):
    @property
    def ref(self) -> str: ...


OfSubject = TypeVar("OfSubject", bound=_OfSubject)


def not_about(user: User, rows: Iterable[OfSubject]) -> Iterator[OfSubject]:
    """Without the matters that are kept from this person."""
    kept = KeptFrom.objects.filter(user=user, until__isnull=True).values_list("subject_ref", flat=True)
    hidden = set(kept)
    return (row for row in rows if row.ref not in hidden)


def customers_of(numbers: Iterable[int]) -> dict[int | None, str]:
    """Of each of these tickets its customer, as the trail names one."""
    rows = Ticket.objects.filter(pk__in=set(numbers), customer__isnull=False)
    return {number: f"customer:{customer}" for number, customer in rows.values_list("pk", "customer")}


def top(rows: QuerySet[Any], moment: str, after: Cursor | None, count: int) -> QuerySet[Any]:
    """The newest `count` of these, older than the cursor."""
    if after is not None:
        at, pk = after
        rows = rows.filter(Q(**{f"{moment}__lt": at}) | Q(**{moment: at, "pk__lt": pk}), **{f"{moment}__lte": at})
    return rows.order_by(f"-{moment}", "-pk")[:count]


def picked(rows: Callable[[Filters], QuerySet[Any]], moment: str) -> Callable[..., Sequence[Any]]:
    def pick(filters: Filters, after: Cursor | None, count: int) -> Sequence[Any]:
        return list(top(rows(filters).filter(filters.in_period(moment)), moment, after, count))

    return pick


# ---------------------------------------------------------------- who sees which rows


def teams_open_to(user: User, contract: Contract) -> frozenset[int] | None:
    """The teams whose rows this person sees; None for all of the contract's."""
    if contract.pk in access.scope_of(user).contracts(Role.AUDITOR):
        return None
    if contract.pk in offices.contracts_of(user, *NonCompliance.TOLD):
        return None
    return access.scope_of(user).teams(Role.SUPERVISOR)


def may_see(user: User, contract: Contract) -> bool:
    """Whether this person opens what lies behind the figures: supervisors, auditors, the offices of clause 8.1."""
    return access.may(user, Permission.SEE_EVIDENCE, contract_id=contract.pk) or (
        contract.pk in offices.contracts_of(user, *NonCompliance.TOLD)
    )


def open_paths(user: User, rows: Sequence[Row]) -> frozenset[str]:
    """Which of the rows' matters this person may open: tickets and cases as ever."""
    numbers = {
        kind: [int(number) for row in rows for number in [row.path.removeprefix(kind).strip("/")] if number.isdecimal()]
        for kind in ("/tickets/", "/noncompliance/")
    }
    seen: set[str] = set()
    pairs: list[tuple[str, QuerySet[Any]]] = [
        ("/tickets/", Ticket.objects.visible_to(user)), ("/noncompliance/", NonCompliance.objects.visible_to(user))
    ]  # fmt: skip
    for kind, visible in pairs:
        if numbers[kind]:
            seen |= {f"{kind}{pk}/" for pk in visible.filter(pk__in=numbers[kind]).values_list("pk", flat=True)}
    return frozenset(seen)
