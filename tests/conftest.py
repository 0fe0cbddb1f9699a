"""What every test may ask for. The engines come from the plugin csp.run.testing, before this file is read.

database        pytest-django's `db` and `transactional_db`, on a real PostgreSQL made from a migrated template
valkey_url      the address of the run's own Valkey, emptied before each test that asks for it
mail_server     a real SMTP server on a free port, which keeps what it takes and refuses or hangs when told to
chromium        the path of the browser (tests that use it bear `@pytest.mark.browser`)
browser         that browser, started by Playwright for one module of tests
cast            the people, teams and customers of the tests (tests.cast); tests.factories makes more
"""

import asyncio
import os
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as email_policy
from typing import Any

import hypothesis
import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from playwright.sync_api import Browser, sync_playwright

from csp.run.testing import find_chromium

# How fast the machine is today is nothing that a property says.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

pytest_plugins = ["tests.cast", "tests.databases"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Make the test database from the migrated template: nothing is left to migrate. Each worker has its own."""
    from django.db import connections

    template = os.environ.get("CSP_TEST_TEMPLATE")
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture(autouse=True)
def _notes_of_one_test_alone(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What one test notes outside of its chain is no proof against the next one's."""
    settings.CHECKPOINT_DIR = tmp_path_factory.getbasetemp() / f"checkpoints-{uuid.uuid4().hex}"


@pytest.fixture
def valkey_url() -> str:
    url = os.environ["REDIS_URL"]
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@dataclass
class Delivery:
    """One message as the server took it: envelope and bytes."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = BytesParser(policy=email_policy).parsebytes(self.content)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class MailServer:
    """A real SMTP server. `answers` holds what it says to the next messages, in turn; empty means 250."""

    deliveries: list[Delivery] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    refuse_recipients: dict[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 0

    def __post_init__(self) -> None:
        self._released = threading.Event()
        self._released.set()

    def answer(self, *lines: str) -> None:
        """Say LINES to the next messages: `451 later`, `550 no such person`, `hang` (until released)."""
        self.answers += lines

    def hang(self) -> None:
        """Take connections, and say nothing to a message until `release()`."""
        self._released.clear()

    def release(self) -> None:
        self._released.set()

    def wait_for(self, count: int, timeout: float = 10) -> list[Delivery]:
        until = time.monotonic() + timeout
        while len(self.deliveries) < count:
            if time.monotonic() > until:
                raise AssertionError(f"{len(self.deliveries)} of {count} messages came within {timeout} s")
            time.sleep(0.02)
        return self.deliveries

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        if address in self.refuse_recipients:
            return self.refuse_recipients[address]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "hang":
            self._released.clear()
        while not self._released.is_set():
            await asyncio.sleep(0.02)
        if not answer.startswith("250") and answer != "hang":
            self.refused.append(answer)
            return answer
        content = envelope.original_content
        assert content is not None
        self.deliveries.append(Delivery(envelope.mail_from or "", list(envelope.rcpt_tos), content))
        return "250 OK"


class _AnyPort(Controller):
    """Port 0 means any free port; aiosmtpd asks its own host and port when it starts, so tell it which it got."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call, unused-ignore]  # aiosmtpd's


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    controller = _AnyPort(server, hostname=server.host, port=0, data_size_limit=50_000_000)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        server.release()
        controller.stop(no_assert=True)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = find_chromium()
    assert found, "a test that needs Chromium bears @pytest.mark.browser"
    return found


FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium under Playwright, which keeps an event loop in this thread as long as it runs.

    Beside a running loop Django holds other connections than without one. Those of the other side are closed at each
    change, for whoever makes the test database again cuts them off without their knowing.
    """
    from django.db import connections

    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Django would refuse to talk to the database otherwise
    connections.close_all()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()
        connections.close_all()
