"""The mail door as a process: listens until it is told to stop."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tickets.intake.doors.smtp import MailDoor


class Command(BaseCommand):
    help = "Take in mail by SMTP (or LMTP) on this machine; 250 only after the message is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.MAIL_DOOR_HOST)
        parser.add_argument("--port", type=int, default=settings.MAIL_DOOR_PORT)
        parser.add_argument("--lmtp", action="store_true", help="speak LMTP, as mail servers do to mail stores")

    def handle(self, *args: Any, host: str, port: int, lmtp: bool, **options: Any) -> None:
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        door = MailDoor(host=host, port=port, lmtp=lmtp)
        try:
            door.start()
        except OSError as error:
            raise CommandError(
                f"The mail door cannot listen on {host}:{port} ({error.strerror or error}). "
                "Choose another port with CSP_MAIL_DOOR_PORT or --port."
            ) from error
        door.door.warm_up()
        door.door.nudge()  # what landed before we were stopped
        self.stderr.write(f"Mail door: {'LMTP' if lmtp else 'SMTP'} on {host}:{port}")
        ended.wait()
        door.stop()
