"""Which version of a contract is in force, and what its terms are."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from csp.contract import CLAUSES, OBLIGATIONS, READINGS, Term
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


def timeline(contract: Contract) -> Callable[[dt.datetime], Version]:
    """`in_force` for many moments, with one statement."""
    rows = list(contract.versions.filter(in_force_from__isnull=False).order_by("in_force_from"))

    def at_that_moment(at: dt.datetime) -> Version:
        if not rows:
            raise NoVersionInForce(f"Contract {contract.pk} has no version in force.")
        return next((row for row in reversed(rows) if row.in_force_from and row.in_force_from <= at), rows[0])

    return at_that_moment


def due_at(version: Version, code: str, starts_at: dt.datetime) -> dt.datetime:
    """When an obligation that starts now falls due under this version: its own terms, else the contract's."""
    own = version.terms.get(code)
    term = Term(**own) if own else OBLIGATIONS[code].term
    if term is None:
        raise ValueError(f"{code} has no term of its own; give its due time.")
    return term.ends(starts_at, version.contract.zoneinfo)


def reading(version: Version, key: str) -> str:
    """How this version reads an open point; the printed default where it says nothing.

    The zone is the contract's own, in which every clock is read.
    """
    if key == "zone":
        return version.contract.zone
    for row in version.readings.all():
        if row.key == key:
            return row.value
    return READINGS[key][0]


_NUMBER = re.compile(r"^[§\s]*(\d{1,2}(?:\.\d{1,2})?)(?=[.):\s])[.):\s]*")


def wording(version: Version) -> dict[str, str]:
    """What the version itself says, by clause: the paragraphs from a line that begins with its number to the next one.

    Headings of whole sections, and what stands before the first clause, belong to no clause.
    """
    found: dict[str, list[str]] = {}
    current = ""
    for line in version.text.splitlines():
        begins = _NUMBER.match(line)
        if begins is not None and (begins[1] in CLAUSES or begins[1] in _SECTIONS):
            current, line = begins[1], line[begins.end() :]
        if current in CLAUSES:
            found.setdefault(current, []).append(line.strip())
    return {number: text for number, lines in found.items() if (text := "\n".join(lines).strip())}


_SECTIONS = {number.partition(".")[0] for number in CLAUSES}
