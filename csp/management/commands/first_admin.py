"""`./run manage first_admin`: the first account of an installation, which makes all others in the browser."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from csp import clock, people, signin, trail
from csp.access import Refused


class Command(BaseCommand):
    help = "Make the first administrator; prints the link with which to choose a password, and mails it too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", help="the mail address to sign in with (asked for when left out)")
        parser.add_argument("--name", help="the name that colleagues see (asked for when left out)")

    def handle(self, *args: Any, **options: Any) -> None:
        email = self._ask(options["email"], "--email", "E-mail: ")
        name = self._ask(options["name"], "--name", "Name: ")
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email} is not a mail address.") from error
        with trail.source("command first_admin"):
            try:
                user = people.first_administrator(email, name, at=clock.now())
            except Refused as error:
                raise CommandError(str(error)) from error
        self.stdout.write(signin.password_link(user))

    @staticmethod
    def _ask(given: str | None, option: str, question: str) -> str:
        if given is None:
            try:
                given = input(question)
            except EOFError as error:
                raise CommandError(f"Nobody to ask: give {option}.") from error
        if not given.strip():
            raise CommandError(f"{option} is empty.")
        return given.strip()
