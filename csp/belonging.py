"""How a record belongs to a contract, for whoever may read some contracts only: no way, no row.

Most models lead to their contract by a column. Some name what they are about as the trail does ("ticket:4790"), or by
the table and number of a row: of these the row is looked for, one look for each row that is read, by its primary key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any, TypeAlias

from django.db import models
from django.db.models import BigIntegerField, Case, Exists, F, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast

from csp import access
from csp.models import Contract, Customer, User
from csp.roles import Role


@dataclasses.dataclass(frozen=True, slots=True)
class Of:
    """The contract of one thing; where there is none, that of another."""

    first: str
    otherwise: str


@dataclasses.dataclass(frozen=True, slots=True)
class Served:
    """Of a customer: every contract under which there is a ticket of theirs. `column` holds the customer."""

    column: str


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """Of what a column names as the trail does; of the next column, where the first names nothing of a contract."""

    column: str
    otherwise: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """Of the row with this number in this table."""

    table: str
    number: str


# The path to the contract, several of which one is filled, or one of the ways above; empty: of no contract.
Way: TypeAlias = str | tuple[str, ...] | Of | Served | Named | Row

_WAYS: dict[type[models.Model], Way] = {}
_CALLED: dict[str, type[models.Model]] = {}
# Whose acts of reading begin so; in what they read, a record goes by the name of its model (csp.admin).
READER = "reader:"


def declare(model: type[models.Model], way: Way, *, called: Collection[str] = ()) -> None:
    """Say how a model belongs to a contract, and how the trail calls its rows."""
    _WAYS[model] = way
    own = [model().trail_subject.partition(":")[0]] if hasattr(model, "trail_subject") else []  # type: ignore[attr-defined]
    for name in (*called, *own):
        if _CALLED.setdefault(name, model) is not model:
            raise ValueError(f"The trail calls two things {name}: {model} and {_CALLED[name]}")


def contracts_read_by(user: User) -> frozenset[int] | None:
    """The contracts whose records this person may read; None for who may read all, and what is of no contract.

    That is an administrator, and an auditor of every contract there is.
    """
    scope = access.scope_of(user)
    if any(grant.role is Role.ADMINISTRATOR and grant.contract_id is None for grant in scope.grants):
        return None
    found = scope.contracts(Role.AUDITOR, Role.ADMINISTRATOR)
    return None if found and not Contract.objects.exclude(pk__in=found).exists() else found


def narrowed(rows: QuerySet[Any], way: Way, contracts: Collection[int]) -> QuerySet[Any]:
    """The rows that belong to these contracts."""
    match way:
        case Named():
            found = rows.alias(**_parts("is_", way.column))
            if not way.otherwise:
                return found.filter(_any_of(_CALLED, "is_", contracts, default=Value(False)))
            found = found.alias(**_parts("else_", way.otherwise))
            # that somebody read "attempt:5" may be about another kind of attempt than the one that the trail calls so
            confused = Q(is_kind__in=_confused()) & Q(**{f"{way.otherwise}__startswith": READER})
            return found.exclude(confused).filter(
                _any_of(
                    _CALLED, "is_", contracts,
                    default=_any_of(_CALLED, "else_", contracts, default=Value(False)),
                )
            )  # fmt: skip
        case Row():
            tables = {model._meta.db_table: model for model in _WAYS}
            found = rows.alias(is_kind=F(way.table), is_number=F(way.number))
            return found.filter(_any_of(tables, "is_", contracts, default=Value(False)))
        case _:
            return rows.filter(_within(way, contracts))


def _within(way: Way, contracts: Collection[int]) -> Q:
    match way:
        case str():
            return Q(**{f"{way}__in": contracts})
        case Of():
            return Q(**{f"{way.first}__contract__in": contracts}) | Q(
                **{f"{way.first}__isnull": True, f"{way.otherwise}__contract__in": contracts}
            )
        case Served():
            served = Customer.objects.filter(tickets__contract__in=contracts)
            return Q(**{f"{way.column}__in": served.values("pk")})
        case tuple():
            found = Q(pk__in=[])
            for path in way:
                found |= Q(**{f"{path}__in": contracts})
            return found
        case _:
            return Q(pk__in=[])  # what only names something vouches for nothing else


def _any_of(kinds: dict[str, type[models.Model]], prefix: str, contracts: Collection[int], *, default: Any) -> Case:
    """Whether the row of this kind and number belongs to one of the contracts."""
    looks = [
        When(
            **{f"{prefix}kind": kind},
            then=Exists(
                model._base_manager.filter(_within(_WAYS[model], contracts), pk=OuterRef(f"{prefix}number"))
            ),
        )
        for kind, model in sorted(kinds.items())
        if _WAYS[model] and not isinstance(_WAYS[model], Named | Row)
    ]  # fmt: skip
    return Case(*looks, default=default, output_field=models.BooleanField())


def _parts(prefix: str, column: str) -> dict[str, Any]:
    """ "ticket:4790" as its kind and number; no number where there is none."""
    number = models.Func(
        F(column), Cast(Value(":([0-9]{1,18})$"), TextField()), function="substring", output_field=TextField()
    )
    kind = models.Func(F(column), Value(":"), Value(1), function="split_part", output_field=TextField())
    return {f"{prefix}kind": kind, f"{prefix}number": Cast(number, BigIntegerField())}


def _confused() -> list[str]:
    """Names of models that are the trail's word for another one."""
    return sorted(
        {
            model._meta.model_name or ""
            for model in _WAYS
            if _CALLED.get(model._meta.model_name or "", model) is not model
        }
    )
