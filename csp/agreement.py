"""Which version of a contract is in force, and what its terms are."""

from __future__ import annotations

import datetime as dt

from csp.contract import OBLIGATIONS, READINGS, Term
from csp.models import Contract, Version


class NoVersionInForce(Exception):
    """A contract without a version in force cannot take in tickets; the first migration makes one."""


def in_force(contract: Contract, at: dt.datetime) -> Version:
    """The version in force at that moment; the first one for anything older. Raises NoVersionInForce."""
    version = (
        contract.versions.filter(in_force_from__lte=at).order_by("-in_force_from").first()
        or contract.versions.filter(in_force_from__isnull=False).order_by("in_force_from").first()
    )
    if version is None:
        raise NoVersionInForce(f"Contract {contract.pk} has no version in force.")
    return version


def due_at(version: Version, code: str, starts_at: dt.datetime) -> dt.datetime:
    """When an obligation that starts now falls due under this version: its own terms, else the contract's."""
    own = version.terms.get(code)
    term = Term(**own) if own else OBLIGATIONS[code].term
    if term is None:
        raise ValueError(f"{code} has no term of its own; give its due time.")
    return term.ends(starts_at, version.contract.zoneinfo)


def reading(version: Version, key: str) -> str:
    """How this version reads an open point; the printed default where it says nothing."""
    for row in version.readings.all():
        if row.key == key:
            return row.value
    return READINGS[key][0]
