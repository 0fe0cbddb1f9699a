"""Make a backup: the records in a folder, their keys in a file elsewhere."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from csp import backup, clock, trail


class Command(BaseCommand):
    help = "Save everything of one moment: records in the folder PATH, keys of stored bytes in a file apart from it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a folder that does not exist yet, or is empty")
        parser.add_argument(
            "--keys", type=Path, help="the file for the keys; PATH.keys if not given. Keep it elsewhere"
        )

    def handle(self, *args: Any, path: Path, keys: Path | None, **options: Any) -> None:
        keys = keys or path.with_name(f"{path.name}.keys")
        try:
            with trail.source("command backup"):
                done = backup.make(path, keys, at=clock.now())
        except backup.Trouble as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Saved {done.rows} rows of {done.tables} tables ({done.size} bytes) in {path}")
        self.stdout.write(f"Keys in {keys}: keep them in another place. The master key is in neither; keep it, too.")
