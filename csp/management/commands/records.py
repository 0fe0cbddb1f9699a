"""`./run manage records`: what is kept of whom, for how long, as the models declare it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Model

from csp.checks import OURS
from csp.contract import Term
from csp.records import Kept, Record

NO_TERM = "–"


class Command(BaseCommand):
    help = (
        "Prints the policy of retention and privacy: every class of records, its terms, its tables, what is personal."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one object, keyed by the classes of records")

    def handle(self, *args: Any, **options: Any) -> None:
        found = policy()
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2, ensure_ascii=False))
            return
        table = [["What", "Kept at least", "Then removed after", "Counted from"]]
        for kept in Kept:
            what, at_least, after, counted_from = kept.value
            table.append([what, str(at_least or NO_TERM), str(after or NO_TERM), counted_from])
        for line in _aligned(table):
            self.stdout.write(line)
        for each in found.values():
            self.stdout.write(f"\n{each['what']}")
            for line in _aligned([_row(model) for model in each["models"]]):
                self.stdout.write(f"  {line}")


def policy() -> dict[str, dict[str, Any]]:
    """The policy as plain data, keyed by class of records."""
    declared = list(_declarations())
    found = {}
    for kept in Kept:
        what, at_least, after, counted_from = kept.value
        found[kept.name.lower()] = {
            "what": what,
            "kept_at_least": _plain(at_least),
            "removed_after": _plain(after),
            "counted_from": counted_from,
            "models": [
                {
                    "model": model._meta.label,
                    "person": record.person,
                    "personal": list(record.personal),
                    "earlier_versions": hasattr(model, "history"),
                }
                for model, record in declared
                if record.kept is kept
            ],
        }
    return found


def _declarations() -> Iterator[tuple[type[Model], Record]]:
    """Every model of ours with its record. A table of earlier versions is kept as its model and has none of its own."""
    for app in OURS:
        for model in sorted(apps.get_app_config(app).get_models(), key=lambda model: model._meta.label):
            record = model.__dict__.get("record")
            if isinstance(record, Record):
                yield model, record


def _plain(term: Term | None) -> dict[str, int | str] | None:
    return {"hours": term.hours, "days": term.days, "months": term.months, "mode": term.mode.value} if term else None


def _row(model: dict[str, Any]) -> list[str]:
    return [
        model["model"],
        "with earlier versions" if model["earlier_versions"] else "",
        f"about {model['person']}" if model["person"] else "",
        f"personal: {', '.join(model['personal'])}" if model["personal"] else "nothing personal",
    ]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [line.rstrip() for line in lines]
