"""Bring a backup back into an empty database, and check it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from csp import backup, clock, trail


class Command(BaseCommand):
    help = "Bring the backup in the folder PATH back, into an empty database only, and check it against its manifest."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="the folder that backup wrote")
        parser.add_argument("--keys", type=Path, help="the file of the keys; PATH.keys if not given")

        parser.add_argument("--ledger", type=Path, help="the ledger of erasures, if it is not in its own folder")

    def handle(self, *args: Any, path: Path, keys: Path | None, ledger: Path | None, **options: Any) -> None:
        try:
            with trail.source("command restore"):
                keys = keys or path.with_name(f"{path.name}.keys")
                done = backup.restore(path, keys, at=clock.now(), ledger_file=ledger)
        except backup.Trouble as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored {done.rows} rows of {done.tables} tables; {done.opened} stored contents opened.")
        self.stdout.write(f"Erased again, as the ledger says: {done.erased_again}.")
        self.stdout.write("Digests, rows and the end of the trail are as saved. Now: manage.py migrate, trail verify.")
