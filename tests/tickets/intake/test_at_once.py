"""Several workers at once, and workers that are killed: each message is taken in once, each address written to once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection, connections

from csp.models import OutboundMessage
from tests.factories import AT
from tests.tickets.intake.letters import letter
from tickets import acknowledging
from tickets.intake import landing, taking_in
from tickets.models import InboundMessage, Interaction, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WORKERS = 4


def at_once(work: Callable[[], object]) -> None:
    """Let several workers do it in the same instant."""
    ready = threading.Barrier(WORKERS)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            ready.wait(timeout=20)
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not failures


def land(raw: bytes) -> InboundMessage:
    return landing.land(raw, door=landing.Door.SMTP, accepted_at=AT, at=AT)


def test_the_same_bytes_landed_at_once_are_one_row() -> None:
    at_once(lambda: land(letter()))
    assert InboundMessage.objects.count() == 1


def test_many_workers_take_each_message_in_once() -> None:
    for number in range(20):
        land(letter(f"Matter {number}", sender=f"person{number}@new.example"))
    at_once(lambda: taking_in.take_in(AT))
    assert Ticket.objects.count() == Interaction.objects.filter(direction="in").count() == 20
    assert OutboundMessage.objects.count() == 20


def test_copies_taken_in_at_once_are_one_ticket() -> None:
    for number in range(WORKERS):
        land(f"Delivered-To: copy{number}@desk.example\r\n".encode() + letter(id="<a@northwind.example>"))
    at_once(lambda: taking_in.take_in(AT))
    assert Ticket.objects.count() == 1
    assert InboundMessage.objects.filter(state="duplicate").count() == WORKERS - 1


def test_one_address_is_acknowledged_once_by_however_many() -> None:
    for number in range(8):
        land(letter(f"Matter {number}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking_in.acknowledging, "acknowledge", lambda at: 0)
        taking_in.take_in(AT)
    at_once(lambda: acknowledging.acknowledge(AT))
    [mail] = OutboundMessage.objects.filter(kind="acknowledgement")
    assert all(ticket.reference in mail.body for ticket in Ticket.objects.all())
    assert Interaction.objects.filter(purpose="acknowledgement").count() == 8


def test_killed_again_and_again_nothing_is_lost_or_doubled() -> None:
    for number in range(30):
        land(letter(f"Matter {number}", sender=f"person{number}@new.example"))
    place = connection.settings_dict
    host = (
        f"{quote(str(place['HOST']), safe='')}:{place['PORT']}" if place["PORT"] else quote(str(place["HOST"]), safe="")
    )
    secret = f":{quote(str(place['PASSWORD']))}" if place["PASSWORD"] else ""
    url = f"postgres://{place['USER']}{secret}@{host}/{place['NAME']}"
    code = (
        "import django; django.setup()\n"
        "from tickets.intake import taking_in\nimport datetime as dt\n"
        "print('go', flush=True)\n"
        "at = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)\n"
        "for round in range(1000): taking_in.take_in(at + round * dt.timedelta(minutes=10))\n"
    )
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "csp.settings"}
    for life in range(6):
        worker = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"go\n"
        time.sleep(0.15 + 0.1 * life)
        worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=10)
        worker.stdout.close()
    killed_with = InboundMessage.objects.filter(state="landed").count()
    for again in range(6):
        taking_in.take_in(AT + (again + 2000) * (AT - AT.replace(hour=8)))
    assert killed_with < 30, "the workers did something before they were killed"
    assert Ticket.objects.count() == 30
    assert Interaction.objects.filter(direction="in").count() == 30
    assert not InboundMessage.objects.filter(state="landed").exists()
