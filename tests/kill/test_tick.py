"""`./run manage tick` as a whole process, killed at random as the end of a machine would, then run to its end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from csp.events import Act
from csp.models import OutboundMessage, TrailEntry
from tests import factories as make
from tests.cast import Cast
from tests.conftest import MailServer
from tests.kill.reconcile import clock_is_whole, trails_with_gaps

LONG = bool(os.environ.get("CSP_CHAOS"))
TICKETS = 600 if LONG else 120
KILLS = 25 if LONG else 3
AFTER = make.AT + make.DAY + make.SECOND
ROOT = Path(__file__).parents[2]


def tick(mail_server: MailServer) -> subprocess.Popen[bytes]:
    """The command in a process group of its own, on the database of this test."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = os.environ | {
        "DATABASE_URL": urlunsplit(url), "EMAIL_HOST": mail_server.host, "EMAIL_PORT": str(mail_server.port),
    }  # fmt: skip
    command = [sys.executable, "manage.py", "tick", "--at", AFTER.isoformat()]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)


def kill_at_work(process: subprocess.Popen[bytes], moment: float) -> int:
    """Kill it that long after its first commit; returns how it ended."""
    before, limit = TrailEntry.objects.count(), time.monotonic() + 60
    while process.poll() is None and TrailEntry.objects.count() == before:
        assert time.monotonic() < limit, "the command began nothing"
        time.sleep(0.005)
    time.sleep(moment)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait(30)


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_tick_that_is_killed_as_a_whole_has_each_effect_once(cast: Cast, mail_server: MailServer) -> None:
    make.many_tickets(count=TICKETS, team=cast.team, customer=cast.carl, received_at=[make.AT], assignee=cast.rita)
    moments, unfinished = random.Random(4790), 0
    for _kill in range(KILLS):
        if kill_at_work(tick(mail_server), moments.random() * 0.2) == -signal.SIGKILL:
            unfinished += clock_is_whole(tickets=TICKETS, people=2) != {}
    assert unfinished, "every kill fell before the first commit, or after all of the work"
    assert tick(mail_server).wait(120) == 0
    assert clock_is_whole(tickets=TICKETS, people=2) == {}
    acknowledged = Counter(
        OutboundMessage.objects.filter(kind=OutboundMessage.Kind.ACKNOWLEDGEMENT).values_list("dedupe_key", flat=True)
    )
    assert all(count == 1 for count in acknowledged.values())
    assert trails_with_gaps() == 0
    # one more finds nothing to do but to vouch for what the last one wrote
    acts = TrailEntry.objects.exclude(act=Act.EVIDENCE_MARKED)
    stood = acts.count()
    assert tick(mail_server).wait(120) == 0
    assert acts.count() == stood
