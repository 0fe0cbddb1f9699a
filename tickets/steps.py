"""The steps of a procedure as a person writes them, read and spelled again. Pure.

A step is a line. What has to be filled in for it stands below, each on a line that begins with a dash; a date, an
amount or a yes or no says so in brackets:

    Read the fitter's report
    - Number of the report
    - Day of the visit (date)
    Decide the remedy, or escalate it §3.3
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

MOST_STEPS, MOST_FIELDS = 30, 6
LONGEST = 200
LONGEST_VALUE = 500
_CLAUSE = re.compile(r"\s*§\s*(\d{1,2}(?:\.\d)?)$")
_KIND = re.compile(r"\s*\((date|amount|yes/no)\)$")


class Unreadable(ValueError):
    """The text is no procedure; the message names the line."""


class FieldKind(enum.StrEnum):
    TEXT = "text"
    DATE = "date"
    AMOUNT = "amount"
    YES_NO = "yes/no"


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """What has to be filled in before a step counts as done."""

    label: str
    kind: FieldKind = FieldKind.TEXT

    def __str__(self) -> str:
        return self.label if self.kind is FieldKind.TEXT else f"{self.label} ({self.kind})"


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, the clause that it serves where it names one, and what has to be filled in."""

    title: str
    clause: str = ""
    fields: tuple[Field, ...] = ()


def read(text: str) -> list[Step]:
    """The steps in this text. Raises Unreadable."""
    titles: list[str] = []
    fields: list[list[Field]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = " ".join(line.split())
        if not words:
            continue
        if len(words) > LONGEST:
            raise Unreadable(_("Line %(n)d is longer than %(most)d characters.") % {"n": number, "most": LONGEST})
        if not words.startswith("-"):
            if _CLAUSE.sub("", words).casefold() in {_CLAUSE.sub("", title).casefold() for title in titles}:
                raise Unreadable(_("Line %(n)d says the same as a step above.") % {"n": number})
            if not _CLAUSE.sub("", words):
                raise Unreadable(_("Line %(n)d names a clause and no step.") % {"n": number})
            titles.append(words)
            fields.append([])
            continue
        if not titles:
            raise Unreadable(_("Line %(n)d is to be filled in, but for no step: write the step first.") % {"n": number})
        field = _field(words.lstrip("- "))
        if not field.label:
            raise Unreadable(_("Line %(n)d does not say what is to be filled in.") % {"n": number})
        if any(field.label.casefold() == other.label.casefold() for other in fields[-1]):
            raise Unreadable(_("Line %(n)d asks for the same as a line above.") % {"n": number})
        fields[-1].append(field)
        if len(fields[-1]) > MOST_FIELDS:
            raise Unreadable(
                _("Line %(n)d: a step asks for %(most)d things at most.") % {"n": number, "most": MOST_FIELDS}
            )
    if not titles:
        raise Unreadable(_("Write at least one step."))
    if len(titles) > MOST_STEPS:
        raise Unreadable(_("A procedure has %(most)d steps at most.") % {"most": MOST_STEPS})
    return [_step(title, tuple(asked)) for title, asked in zip(titles, fields, strict=True)]


def _step(words: str, asked: tuple[Field, ...]) -> Step:
    found = _CLAUSE.search(words)
    return Step(_CLAUSE.sub("", words), found[1] if found else "", asked)


def _field(words: str) -> Field:
    found = _KIND.search(words)
    return Field(_KIND.sub("", words), FieldKind(found[1]) if found else FieldKind.TEXT)


def spell(steps: Sequence[Step]) -> str:
    """The text that reads as these steps: one spelling for one procedure, which is what versions are compared by."""
    lines = []
    for step in steps:
        lines.append(f"{step.title} §{step.clause}" if step.clause else step.title)
        lines += [f"- {field}" for field in step.fields]
    return "\n".join(lines)


def check(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, str]:
    """What was filled in, as it is kept; raises Unreadable, which names the first that is missing or no such thing."""
    found: dict[str, str] = {}
    for field in fields:
        value = " ".join(str(values.get(field.label, "")).split())
        if not value:
            raise Unreadable(_("Fill in “%(field)s” first.") % {"field": field.label})
        if len(value) > LONGEST_VALUE:
            raise Unreadable(_("“%(field)s” is too long.") % {"field": field.label})
        found[field.label] = _checked(field, value)
    return found


def _checked(field: Field, value: str) -> str:
    if field.kind is FieldKind.DATE:
        try:
            return dt.date.fromisoformat(value).isoformat()
        except ValueError:
            raise Unreadable(_("“%(field)s” is a date, such as 2026-11-23.") % {"field": field.label}) from None
    if field.kind is FieldKind.AMOUNT:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal(-1)
        if not amount.is_finite() or not 0 <= amount < 10**10:
            raise Unreadable(_("“%(field)s” is an amount, such as 120.50.") % {"field": field.label})
        return f"{amount:.2f}"
    if field.kind is FieldKind.YES_NO and value not in ("yes", "no"):
        raise Unreadable(_("“%(field)s” is yes or no.") % {"field": field.label})
    return value
