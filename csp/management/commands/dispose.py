"""`./run manage dispose`: what has had its term, what two persons have let go, what was certified.

Nothing is removed without --run.

Proposing and approving are done on the page, where each of the two is signed in.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audits import retention
from csp import clock, disposing, trail
from csp.models import Contract, Disposal, DisposalItem


class Command(BaseCommand):
    help = "Previews what is due for disposal; with --run carries out what was approved; prints certificates."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--run", action="store_true", help="remove what approved disposals list, and what is routine")
        what.add_argument(
            "--certificate", type=int, metavar="NUMBER", help="print the certificate of disposal D-NUMBER"
        )
        parser.add_argument("--at", metavar="INSTANT", help="preview for this instant, with its offset")
        parser.add_argument("--json", action="store_true", help="the preview as one object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["certificate"] is not None:
            self._certificate(options["certificate"])
        elif options["run"]:
            self._run()
        else:
            self._preview(_instant(options["at"]) if options["at"] else clock.now(), as_json=options["json"])

    def _preview(self, at: dt.datetime, *, as_json: bool) -> None:
        found = [
            (contract, row)
            for contract in Contract.objects.order_by("pk")
            for row in disposing.preview(retention.ROOTS, contract, at)
        ]
        counts: dict[str, dict[str, int]] = {}
        for _contract, row in found:
            of_kind = counts.setdefault(row.kind, {"due": 0, "kept": 0})
            of_kind["kept" if row.kept_by else "due"] += 1
        routine = {one.name: one.waiting(at).count() for one in retention.ROUTINES}
        if as_json:
            records = [
                {"contract": contract.pk, "record": row.reference, "keep_until": row.keep_until.isoformat(),
                 "kept_by": row.kept_by} for contract, row in found
            ]  # fmt: skip
            self.stdout.write(
                json.dumps({"at": at.isoformat(), "counts": counts, "routine": routine, "records": records})
            )
            return
        self.stdout.write(f"Due at {at.isoformat(timespec='seconds')}. Nothing is removed by this.")
        for _contract, row in found:
            kept = f"  stays: {row.kept_by}" if row.kept_by else ""
            self.stdout.write(f"  {row.reference:<12} kept until {row.keep_until.isoformat(timespec='seconds')}{kept}")
        for kind, of_kind in counts.items():
            self.stdout.write(f"{kind}: {of_kind['due']} due, {of_kind['kept']} held or still needed")
        for name, count in routine.items():
            self.stdout.write(f"by routine, {name}: {count}")
        if not found:
            self.stdout.write("No record has had its term.")

    def _run(self) -> None:
        todo = DisposalItem.objects.filter(outcome="", disposal__approved_at__isnull=False)
        of, done = todo.count(), 0
        with trail.source("command dispose"):
            while count := retention.carry_out(clock.now()):
                done += count
                if sys.stderr.isatty() or done >= of:
                    self.stderr.write(f"{done} of {max(of, done)} records", ending="\r" if done < of else "\n")
            routine = 0
            while count := retention.routine(clock.now()):
                routine += count
        self.stdout.write(f"{done} records of approved disposals; {routine} rows by routine")
        for row in Disposal.objects.filter(approved_at__isnull=False).order_by("-pk")[:1]:
            if row.digest:
                self.stdout.write(f"{row.reference} is certified: {row.digest}")

    def _certificate(self, number: int) -> None:
        row = Disposal.objects.filter(pk=number).first()
        if row is None or not row.certificate:
            raise CommandError(f"There is no certificate of a disposal D-{number}.")
        self.stdout.write(row.certificate)


def _instant(text: str) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise CommandError(f"--at {text!r} is no instant with its offset. Write it like 2026-03-02T09:00:00+00:00.")
    return at
