"""Make the demonstration company, or go on making it; say who may sign in."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from csp import clock
from csp.demo import company, making


class Command(BaseCommand):
    help = "Make the demonstration company on its own database; called again it goes on, or does nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--page-first", action="store_true", help="only what makes the first page alive")
        parser.add_argument("--sign-ins", action="store_true", help="the same, then print who may sign in")

    def handle(self, *args: Any, page_first: bool, sign_ins: bool, **options: Any) -> None:
        now = clock.now()
        try:
            making.make(now, page_only=page_first or sign_ins, say=self._say)
        except making.NotOurs as error:
            raise CommandError(str(error)) from error
        if sign_ins:
            self.stdout.write(company.sign_ins())
        age = making.age(now)
        if age is not None and age > making.STALE:
            days = max(age.days, 1)
            self._say(
                f"The demonstration is {days} day{'s' if days > 1 else ''} old; ./run demo-reset makes a fresh one."
            )

    def _say(self, line: str) -> None:
        self.stderr.write(line)
        self.stderr.flush()
