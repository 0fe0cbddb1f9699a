"""Somebody is away, and a promise falls due before they are back: a supervisor names cover, and takes it back."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect

from csp import clock, shifts
from tests import factories
from tests.cast import Cast
from tests.journeys.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_cover_is_named_and_taken_back(cast: Cast, visit: Visit) -> None:
    now, day = clock.now(), dt.timedelta(days=1)
    ticket = factories.ticket(team=cast.team, customer=cast.carl, received_at=now, assignee=cast.rita)
    shifts.enter(cast.rita, starts_at=now - day, ends_at=now + 3 * day, deputy=cast.sam, by=cast.sam, at=now)
    page = visit(cast.sam)
    page.goto("/queue/team/")
    expect(page.locator("#rows").get_by_text("Due before anyone is on shift")).to_be_visible()
    page.goto("/escalations/")
    page.get_by_role("button", name=f"Assign to Sam Supervisor {ticket.reference}").click()
    said = page.get_by_role("status").filter(has_text=f"{ticket.reference} is assigned to Sam Supervisor.")
    expect(said).to_be_visible()
    expect(page.get_by_role("heading", name="Due before anyone is on shift")).not_to_be_visible()
    said.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(f"Undone: {ticket.reference} is back with Rita Representative.")).to_be_visible()
    expect(page.get_by_role("heading", name="Due before anyone is on shift")).to_be_visible()
