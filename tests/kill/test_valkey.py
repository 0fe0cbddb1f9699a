"""Valkey is killed under a running beat and worker and started again: the database is the truth, so nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from csp.models import Breach
from csp.run import engines
from tests import factories as make
from tests.cast import Cast
from tests.kill.reconcile import clock_is_whole

TICKETS = 150
ROOT = Path(__file__).parents[2]
CELERY = [sys.executable, "-m", "celery", "-A", "csp.celery", "--quiet"]


@pytest.fixture
def valkey() -> Iterator[engines.Valkey]:
    """A server of this test's own, whose folder the user nobody may enter too."""
    folder = Path(tempfile.mkdtemp(prefix="csp-kill-"))
    folder.chmod(0o711)
    (folder / "logs").mkdir()
    server = engines.Valkey(folder, throwaway=True)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(*words: str, server: engines.Valkey) -> Iterator[subprocess.Popen[bytes]]:
    """A process of celery's on the database of this test, ended with all that it forked."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = os.environ | {"DATABASE_URL": urlunsplit(url), "REDIS_URL": engines.valkey_url(server.sockets)}
    process = subprocess.Popen(
        [*CELERY, *words], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def until(what: Callable[[], bool], timeout: float = 60) -> None:
    end = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.1)


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_killed_valkey_loses_and_doubles_nothing(cast: Cast, valkey: engines.Valkey, tmp_path: Path) -> None:
    def overdue() -> None:
        make.many_tickets(count=TICKETS, team=cast.team, customer=cast.carl, received_at=[make.AT], assignee=cast.rita)

    overdue()
    with ExitStack() as stack:
        beat = stack.enter_context(
            running("beat", "-s", str(tmp_path / "schedule"), "--pidfile=", "-l", "ERROR", server=valkey)
        )
        worker = stack.enter_context(
            running("worker", "-Q", "clock", "-c", "1", "-n", "clock@kill", "-l", "ERROR", "--without-gossip",
                    "--without-mingle", server=valkey)
        )  # fmt: skip
        until(lambda: Breach.objects.exists())
        assert valkey.process is not None
        valkey.process.kill()  # in the middle of the task that broke the first promises
        valkey.process.wait(10)
        overdue()  # more falls due while nobody rings
        valkey.start()
        until(lambda: clock_is_whole(tickets=2 * TICKETS, people=2) == {})
        time.sleep(2.5)  # rings that come once more find nothing
        assert clock_is_whole(tickets=2 * TICKETS, people=2) == {}
        assert beat.poll() is None, "beat lives on"
        assert worker.poll() is None, "the worker lives on"
