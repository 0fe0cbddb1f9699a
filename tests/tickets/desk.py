"""What the tests of the desk's views share: browsers of the cast, at a stopped clock."""

from __future__ import annotations

import pytest
from django.test import Client

from csp import clock
from csp.models import User
from tests.factories import AT


def browser(user: User) -> Client:
    """Somebody who is signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def at_nine(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is AT, and stays so: the views read this clock."""
    monkeypatch.setattr(clock, "now", lambda: AT)


HTMX = {"HX-Request": "true"}
