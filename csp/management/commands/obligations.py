"""`./run manage obligations`: every promise with a clock on it, and how it stands."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import QuerySet

from csp.models import Deadline


class Command(BaseCommand):
    help = "Lists the deadlines: those that run, those that were broken, or those of one subject."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--open", action="store_true", help="those that run: neither met nor void")
        which.add_argument("--breached", action="store_true", help="those with a breach, met late or not")
        parser.add_argument("--subject", metavar="REF", help='those of one subject, such as "#4790"')
        parser.add_argument("--json", action="store_true", help="one JSON array")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = _chosen(options).values_list(
            "clause", "obligation", "subject_ref", "due_at", "state", "breach__breached_at", "met_at"
        )
        keys = ("clause", "obligation", "subject", "due", "state", "breached_at", "met_at")
        found = ({key: _plain(value) for key, value in zip(keys, row, strict=True)} for row in rows.iterator())
        if options["json"]:
            self._write_array(found)
        else:
            self._write_table(found)

    def _write_array(self, found: Iterator[dict[str, Any]]) -> None:
        """One array, written row by row: a million of them need no more memory than one."""
        self.stdout.write("[", ending="")
        for number, row in enumerate(found):
            self.stdout.write(("," if number else "") + "\n" + json.dumps(row, ensure_ascii=False), ending="")
        self.stdout.write("\n]")

    def _write_table(self, found: Iterator[dict[str, Any]]) -> None:
        layout = "{subject:<10} {clause:<6} {obligation:<14} {due:<26} {state:<9} {breached_at:<26} {met_at}"
        names = ("subject", "clause", "obligation", "due", "state", "breached_at", "met_at")
        self.stdout.write(layout.format(**{name: name.replace("_", " ") for name in names}))
        for row in found:
            self.stdout.write(layout.format(**{key: value or "-" for key, value in row.items()}))


def _chosen(options: dict[str, Any]) -> QuerySet[Deadline]:
    rows: QuerySet[Deadline] = Deadline.objects.order_by("due_at", "pk")
    if options["open"]:
        rows = rows.filter(met_at__isnull=True, voided_at__isnull=True)
    if options["breached"]:
        rows = rows.filter(breach__isnull=False)
    if options["subject"]:
        ref = options["subject"].strip()
        rows = rows.filter(subject_ref=f"#{ref}" if ref.isdecimal() else ref)
    return rows


def _plain(value: Any) -> Any:
    return value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else value
