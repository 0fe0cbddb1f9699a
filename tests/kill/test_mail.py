"""Processes that take mail in and send it are killed again and again: nothing is lost, nothing is doubled inside.

Each child is a door, an intake, an outbox and the loop that acts on what was accepted, all at once. Mail keeps coming:
some opens a ticket, some joins one, some is a second copy. What a door has said yes to is written down outside the
database, in the moment in which a mail server would have believed it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from csp import loops, outbox, trail
from csp.models import OutboundMessage
from tests import factories as make
from tests.cast import Cast
from tests.conftest import MailServer
from tests.kill.killing import kill_again_and_again
from tests.kill.reconcile import mail_is_whole
from tests.tickets.intake.letters import arrive, letter, mailbox
from tickets import acknowledging, delivery
from tickets.intake import landing, taking_in
from tickets.models import InboundMessage

LONG = bool(os.environ.get("CSP_CHAOS"))
KILLS = 200 if LONG else 20
DIGEST = 32


def mail(number: int, answered: str) -> bytes:
    """The same bytes for the same number, whoever brings them."""
    match number % 5:
        case 3:
            return letter(f"More of it, {number}.", id=f"<{number}@northwind.example>", answers=answered)
        case 4:
            return b"Delivered-To: copy@desk.example\r\n" + mail(number - 2, answered)
        case _:
            sender = f"person{number}@new.example"
            return letter(f"Matter {number}, please.", sender=sender, id=f"<{number}@new.example>")


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killed_between_any_two_steps_no_mail_is_lost_and_no_ticket_doubled(
    cast: Cast, mail_server: MailServer, settings: Any, tmp_path: Path
) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = mail_server.host, mail_server.port
    settings.MAIL_FLOOD = 100_000
    mailbox(cast.team)
    first = letter(id="<first@northwind.example>")
    arrive(first)
    answered = OutboundMessage.objects.get().message_id
    book = tmp_path / "said yes to"
    begun = time.monotonic()

    def present() -> dt.datetime:
        """A second is a minute, so that what a killed process had in hand is soon tried again."""
        return make.AT + make.SECOND * 60 * (time.monotonic() - begun)

    def bring(number: int) -> None:
        raw = mail(number, answered)
        landing.land(raw, door=landing.Door.SMTP, accepted_at=present(), at=present())
        with book.open("ab", buffering=0) as yes:
            yes.write(hashlib.sha256(raw).digest())

    def work() -> None:
        steps = [
            lambda: bring(InboundMessage.objects.count()),
            lambda: taking_in.take_in(present(), limit=3),
            lambda: outbox.deliver(present(), limit=3),
            lambda: delivery.settle(present(), limit=3),
        ]
        # On a slow machine a life is one step long: each begins with another, so that the kills fall into all of them.
        first = random.Random(os.getpid()).randrange(len(steps))
        with trail.source("kill test"):
            for step in itertools.islice(itertools.cycle(steps), first, None):
                step()

    killed = 0
    for seed in range(10):
        killed += kill_again_and_again(work, kills=KILLS, seed=seed, longest=0.4)
        if OutboundMessage.objects.filter(state="accepted").exists() and InboundMessage.objects.count() > KILLS // 2:
            break  # enough has come and gone between the kills that the figures below mean something
    else:
        pytest.fail("the kills left no time for any work")
    landed = InboundMessage.objects.count()

    later = present()
    for _time in range(8):  # more often than anything is tried
        later += make.HOUR
        for loop in (taking_in.take_in, acknowledging.acknowledge, outbox.deliver, delivery.settle):
            loops.run_dry(loop, later)
    written = book.read_bytes()
    promised = {written[start : start + DIGEST] for start in range(0, len(written), DIGEST)}
    assert mail_is_whole(promised=promised, sent=mail_server.deliveries, kills=killed) == {}
    states = dict.fromkeys(InboundMessage.objects.values_list("state", flat=True))
    assert {"opened", "threaded", "duplicate"} <= states.keys() <= {"opened", "threaded", "duplicate", "parked"}
    assert InboundMessage.objects.count() == landed
