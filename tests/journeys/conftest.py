"""What a journey needs: the product listening, a mail server, a browser that fails the test when it complains."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from csp.models import User
from tests.conftest import MailServer
from tickets.intake.doors.smtp import MailDoor

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def desk(live_server: LiveServer, mail_server: MailServer, settings: Settings) -> LiveServer:
    """The product on a port of its own, sending to the mail server of the test."""
    settings.EMAIL_HOST, settings.EMAIL_PORT = mail_server.host, mail_server.port
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    settings.SITE_URL = live_server.url
    return live_server


@pytest.fixture
def door(desk: LiveServer) -> Iterator[tuple[str, int]]:
    """The mail door, listening: host and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    door = MailDoor(host=host, port=port)
    door.start()
    yield host, port
    door.stop(no_assert=True)


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, desk: LiveServer) -> Iterator[Visit]:
    """Open the product as somebody (None: signed out). The test fails if the browser complained about anything."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_as(user: User | None = None, *, scheme: str = "light", phone: bool = False) -> Page:
        context = browser.new_context(
            base_url=desk.url, viewport=PHONE if phone else DESKTOP, color_scheme=scheme, locale="en-GB"
        )
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user, backend="csp.access.TableBackend")
            context.add_cookies(
                [{"name": name, "value": morsel.value, "url": desk.url} for name, morsel in client.cookies.items()]
            )
        page = context.new_page()
        page.on(
            "console",
            lambda said: (
                complaints.append(f"{said.text} {said.location.get('url', '')}")
                if said.type in {"error", "warning"}
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert complaints == []
