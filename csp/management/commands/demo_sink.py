"""The mail server that the demonstration sends to: it keeps everything in a folder and sends nothing on."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from aiosmtpd.controller import Controller
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from csp.demo import post


class Command(BaseCommand):
    help = "Take what the demonstration sends to its customers; the page /demo/post/ shows it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.SINK_PORT)

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Only the demonstration sends its mail here (CSP_DEMO_DATABASE is not set).")
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        # The loopback alone: it takes mail for everybody, without asking who brings it.
        sink = Controller(post.Sink(), hostname="127.0.0.1", port=port, data_size_limit=settings.MAIL_LIMIT)
        try:
            sink.start()
        except OSError as error:
            raise CommandError(
                f"The sink cannot listen on port {port} ({error.strerror or error}); choose another with CSP_SINK_PORT."
            ) from error
        self.stderr.write(f"Mail of the demonstration is kept in {post.folder()}")
        ended.wait()
        sink.stop()
