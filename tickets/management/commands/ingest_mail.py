"""Take in mail from standard input or files, by the same way as every other door, with a line of JSON for each."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from csp import clock, trail
from csp.models import Mailbox
from tickets import acknowledging
from tickets.intake import landing, taking_in
from tickets.intake.doors import files
from tickets.models import InboundMessage

State = InboundMessage.State


class Command(BaseCommand):
    help = "Take in messages: one on standard input, or files, mboxes and Maildirs. One JSON line for each message."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="*", help="files, mboxes or Maildirs; standard input if none (or -)")
        parser.add_argument("--mailbox", help="the address it was sent to, if not as its headers say")
        parser.add_argument(
            "--trust-received",
            action="store_true",
            help="receipt is the topmost Received line of each message rather than now",
        )

    def handle(self, *args: Any, paths: list[str], mailbox: str | None, trust_received: bool, **options: Any) -> None:
        to = self._mailbox(mailbox)
        self.was_lost = False
        with trail.source("command ingest_mail"):
            for raw in self._messages(paths or ["-"]):
                self._take_in(raw, to, trust_received)
            acknowledging.acknowledge(clock.now())
        if self.was_lost:
            raise CommandError("Not everything could be taken in; see above. Run it again: what landed is not doubled.")

    def _mailbox(self, address: str | None) -> Mailbox | None:
        if not address:
            return None
        found = Mailbox.objects.filter(address__iexact=address.strip()).first()
        if found is None:
            known = ", ".join(Mailbox.objects.order_by("address").values_list("address", flat=True)) or "none yet"
            raise CommandError(f"There is no mailbox {address}. There are: {known}.")
        return found

    def _messages(self, paths: list[str]) -> Iterator[bytes]:
        for path in paths:
            if path == "-":
                yield sys.stdin.buffer.read()
                continue
            try:
                yield from files.messages(Path(path))
            except files.NotMail as error:
                self.was_lost = True
                self.stderr.write(str(error))
            except OSError as error:
                self.was_lost = True
                self.stderr.write(f"{path} could not be read to its end: {error}. What came before is taken in.")

    def _take_in(self, raw: bytes, mailbox: Mailbox | None, trust_received: bool) -> None:
        now = clock.now()
        try:
            row = landing.land(
                raw, door=InboundMessage.Door.COMMAND, mailbox=mailbox, trust_received=trust_received, at=now
            )  # fmt: skip
        except DatabaseError as error:
            self.was_lost = True
            self.stderr.write(f"A message could not be stored: {error}")
            return
        if row.is_new:
            taking_in.take_in_now(row, at=clock.now())
        self.stdout.write(json.dumps(line(row), ensure_ascii=False))


def line(landed: InboundMessage) -> dict[str, Any]:
    """What became of a message."""
    row = InboundMessage.objects.select_related("interaction").get(pk=landed.pk)
    interaction = getattr(row, "interaction", None)
    if landed.is_new:
        status, reason = str(row.state), row.reason
    else:
        status, reason = str(State.DUPLICATE), "The same bytes landed before."
    return {
        "status": status,
        "ticket": f"#{row.ticket_id}" if row.ticket_id else None,
        "interaction": interaction.pk if interaction else None,
        "reason": reason,
    }
