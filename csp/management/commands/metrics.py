"""`./run manage metrics`: the figures of a month counted again, and whether they are those that were signed."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audits import statements
from audits.models import Statement
from csp.models import Contract


class Command(BaseCommand):
    help = (
        "Counts the figures of a month again as they were known when they were signed, and says whether they are the "
        "same. Leaves with 0 if they are, with 1 if not, with 2 if nobody has signed them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", required=True, metavar="YYYY-MM")
        parser.add_argument("--contract", type=int, metavar="N", help="its number, where there are several")
        parser.add_argument("--json", action="store_true", help="one object with every figure")

    def handle(self, *args: Any, **options: Any) -> None:
        found = _statement(options["month"], options["contract"])
        version = found.versions.order_by("-number").first()
        if version is None:
            self.stderr.write(f"The statement of {found.code} has not been signed; there is nothing to compare with.")
            sys.exit(2)
        result = statements.again(version)
        if options["json"]:
            answer = {
                "month": found.code, "contract": found.contract_id, "version": version.number,
                "signed_at": version.signed_at.astimezone(dt.UTC).isoformat(), "sha256": version.digest,
                "equal": result.is_equal, "intact": result.is_intact, "differs": result.differs,
                "figures": result.figures,
            }  # fmt: skip
            self.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False))
        else:
            self._say(version.number, version.digest, result)
        if not result.is_equal:
            sys.exit(1)

    def _say(self, number: int, digest: str, result: statements.Again) -> None:
        for code, one in result.figures["promises"].items():
            self.stdout.write(f"{one['clause']:<5}{code:<18}kept {one['kept']:>7}  broken {one['broken']:>7}")
        if not result.is_intact:
            self.stdout.write(f"Version {number} does not have the digest that was signed any more: {digest}")
        for line in result.differs:
            self.stdout.write(line)
        if result.is_equal:
            self.stdout.write(f"Equal to version {number}, digit by digit. SHA-256 {digest}")


def _statement(month: str, contract: int | None) -> Statement:
    try:
        first = dt.date.fromisoformat(f"{month}-01")
    except ValueError:
        raise CommandError(f"{month} is no month; write it as 2026-10.") from None
    rows = Statement.objects.filter(month=first).select_related("contract")
    if contract is not None:
        rows = rows.filter(contract=contract)
    elif Contract.objects.count() > 1 and rows.count() > 1:
        raise CommandError("There are several contracts; name one with --contract.")
    row = rows.first()
    if row is None:
        raise CommandError(f"There is no statement of {month}.")
    return row
