"""How long records are kept (clause 4.3): each root of records with its term, what is due, what a hold keeps.

A root is what is closed, held and disposed of as one: a ticket with all that was said in it, a case. The app that owns
it says how to find those that have ended; the terms stand in csp.records. Deleting may begin when `keep_until` is over,
and must be done when `delete after` is over, too.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Q, QuerySet

from csp.contract import Term
from csp.models import Hold, LockItem
from csp.records import Kept

NEVER_CLOSED_FOR = dt.timedelta(days=365)


@dataclasses.dataclass(frozen=True, slots=True)
class Root:
    """One kind of records that have a term of their own."""

    kind: str  # as the trail and a hold name it: "ticket"
    model: type[Any]  # with kept_from, keep_until, contract and the columns named below
    kept: Kept
    ended: Q  # the rows that have ended
    ended_at: str  # the column that says when
    prefix: str  # before its number, where people read it: "#"
    # What goes with a row by pointing at nothing: the foreign key to the one it was merged into.
    joined_by: str = ""
    # The column with the customer, or the person of ours, whose hold keeps it, too; and how such a hold is called.
    customer: str = ""
    held_by: str = Hold.Kind.CUSTOMER
    # Rows that it points at and that go when nothing else needs them: label -> labels of that row's own parts.
    owns: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    # Further classes of records that go with it, where they point at what goes.
    along: frozenset[Kept] = frozenset()
    # Of other classes these models alone, by their labels.
    takes: frozenset[str] = frozenset()
    # Rows that point at what goes, but belong to a row of this model by that foreign key: label -> its name.
    belongs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    # Whether a row of the same kind that points at it keeps it.
    is_kept_by_its_own: bool = True
    # What follows for the customers concerned, in the same transaction.
    afterwards: Callable[[Collection[int], dt.datetime, Any], object] | None = None
    # Rows that go with it though they point at nothing of it: members -> model -> row -> its head.
    more: Callable[[Mapping[int, int]], Mapping[type[Any], Mapping[int, int]]] | None = None
    # Whether somebody has to end it, and is told of what never ends.
    is_worked_on: bool = True
    # How the trail names rows of these models where they are a subject of their own.
    named: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def heads(self) -> QuerySet[Any]:
        """The rows that stand for themselves."""
        return self.model._base_manager.filter(**{f"{self.joined_by}__isnull": True} if self.joined_by else {})

    @property
    def keep(self) -> Term:
        term = self.kept.value[1]
        if term is None:
            raise ValueError(f"{self.kept.name} has no minimum; it is removed by routine.")
        return term

    @property
    def delete_after(self) -> Term:
        return self.kept.value[2] or Term(days=30)


def keep_until(root: Root, ended_at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The instant until which a record that ended then is kept: a minimum, so the end of the last day."""
    return root.keep.ends(ended_at, zone)


def delete_by(root: Root, kept_until: dt.datetime) -> dt.datetime:
    """When it should be gone."""
    return kept_until + dt.timedelta(days=root.delete_after.days)


def set_terms(root: Root, *, limit: int = 200) -> int:
    """Write the term of each row that has ended since it was written last. It may only grow. Returns how many."""
    return _set_terms(root, limit) + (_join_terms(root, limit) if root.joined_by else 0)


@transaction.atomic(durable=True)
def _set_terms(root: Root, limit: int) -> int:
    lacking = Q(kept_from__isnull=True) | Q(kept_from__lt=F(root.ended_at))
    rows = list(
        root.heads().filter(root.ended, lacking, **{f"{root.ended_at}__isnull": False}).select_related("contract")
        .select_for_update(of=("self",), no_key=True, skip_locked=True).order_by(root.ended_at)[:limit]
    )  # fmt: skip
    for row in rows:
        row.kept_from = getattr(row, root.ended_at)
        until = keep_until(root, row.kept_from, row.contract.zoneinfo)
        row.keep_until = max(until, row.keep_until or until)
    root.model._base_manager.bulk_update(rows, ["kept_from", "keep_until"])
    return len(rows)


@transaction.atomic(durable=True)
def _join_terms(root: Root, limit: int) -> int:
    """What was merged has the term of what it was merged into."""
    head = f"{root.joined_by}__"
    lacking = root.model._base_manager.filter(**{f"{head}kept_from__isnull": False}).filter(
        Q(kept_from__isnull=True) | Q(kept_from__lt=F(f"{head}kept_from"))
    )
    rows = list(
        lacking.select_related(root.joined_by)
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .order_by("pk")[:limit]
    )
    for row in rows:
        into = getattr(row, root.joined_by)
        row.kept_from, row.keep_until = into.kept_from, max(into.keep_until, row.keep_until or into.keep_until)
    root.model._base_manager.bulk_update(rows, ["kept_from", "keep_until"])
    return len(rows)


def due(root: Root, at: dt.datetime) -> QuerySet[Any]:
    """The rows whose term is over at that instant, the oldest first; held ones are among them."""
    return root.heads().filter(root.ended, keep_until__lt=at).order_by("keep_until", "pk")


def family(root: Root, numbers: Collection[int]) -> dict[int, int]:
    """These rows and all that was merged into them, at any depth; each with the one that stands for it."""
    found = {number: number for number in numbers}
    fresh = set(found)
    while fresh and root.joined_by:
        rows = root.model._base_manager.filter(**{f"{root.joined_by}__in": fresh}).exclude(pk__in=found)
        into = dict(rows.values_list("pk", f"{root.joined_by}_id"))
        found |= {pk: found[parent] for pk, parent in into.items()}
        fresh = set(into)
    return found


def held(root: Root, members: Mapping[int, int]) -> dict[int, str]:
    """Of these rows (a family, as above) the heads that a standing hold keeps, with what holds them."""
    holds = Hold.objects.standing()
    found = {
        members[hold.number]: hold.reference for hold in holds.filter(kind=root.kind, number__in=list(members))
    }  # fmt: skip
    locks = LockItem.objects.filter(kind=root.kind, number__in=list(members), lock__ended_at__isnull=True)
    found |= {members[item.number]: item.lock.reference for item in locks.select_related("lock")}
    if root.customer:
        customers = root.model._base_manager.filter(pk__in=list(members)).exclude(**{root.customer: None})
        of_row = dict(customers.values_list("pk", root.customer))
        names = {hold.number: hold.reference for hold in
                 holds.filter(kind=root.held_by, number__in=set(of_row.values()))}  # fmt: skip
        found |= {members[pk]: names[customer] for pk, customer in of_row.items() if customer in names}
    return found


def without_end(root: Root, at: dt.datetime) -> QuerySet[Any]:
    """Rows that have not ended for a year and more: listed, so that somebody closes or explains them."""
    if not root.ended or not root.is_worked_on:  # what has no end is counted from the beginning
        return root.model._base_manager.none()
    names = {field.name for field in root.model._meta.concrete_fields}
    received = next(name for name in ("received_at", "reported_at", "opened_at", "aware_at") if name in names)
    return root.heads().exclude(root.ended).filter(**{f"{received}__lt": at - NEVER_CLOSED_FOR}).order_by(received)
