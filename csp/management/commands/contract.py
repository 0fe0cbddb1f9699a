"""`./run manage contract`: the register of clauses and obligations."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from csp.api import register
from csp.contract import CLAUSES, obligations_of


class Command(BaseCommand):
    help = "Prints what each clause of the contract asks, and what the product does about it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one object, keyed by the numbers of the clauses")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(register(), indent=2, ensure_ascii=False))
            return
        for number, clause in CLAUSES.items():
            self.stdout.write(f"{number:<5}{clause.title}")
            self.stdout.write(f"     {clause.summary}")
            self.stdout.write(f"     {clause.control}")
            for rule in obligations_of(number):
                term = str(rule.term) if rule.term else "set for each"
                marks = ("policy", rule.policy), ("not enforced yet", not rule.enforced)
                notes = "".join(f" ({words})" for words, holds in marks if holds)
                self.stdout.write(f"       {rule.code:<18}{rule.starts} + {term}; met when {rule.met_when}{notes}")
            self.stdout.write("")
