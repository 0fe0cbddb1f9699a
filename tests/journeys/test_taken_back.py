"""A click too many: an escalation, its acceptance and its decision are taken back beside the sentence that told it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from csp import clock
from tests import factories
from tests.cast import Cast
from tests.journeys.conftest import Visit
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def take_back(page: Page, said: str, undone: str) -> None:
    page.get_by_role("status").filter(has_text=said).get_by_role("button", name="Undo").click()
    expect(page.get_by_text(undone)).to_be_visible()


def test_a_click_too_many_is_taken_back(cast: Cast, visit: Visit) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl, received_at=clock.now(), assignee=cast.rita)
    rita, sam = visit(cast.rita), visit(cast.sam)
    rita.goto(f"{ticket.path}escalate/")
    rita.get_by_label("Why does it need a supervisor?").fill("Above my limit")
    rita.get_by_role("button", name="Escalate").click()
    take_back(rita, "before the limit", f"Undone: {ticket.reference} is before no supervisor.")
    assert Ticket.objects.get(pk=ticket.pk).next_obligation == "escalate"
    rita.goto(f"{ticket.path}escalate/")
    rita.get_by_role("button", name="Escalate").click()  # the reason stands there already
    sam.goto("/escalations/")
    sam.get_by_role("button", name=f"Accept {ticket.reference}").click()
    take_back(sam, f"{ticket.reference} is in your hand.", f"Undone: {ticket.reference} waits to be accepted again.")
    sam.get_by_role("link", name=f"Decide {ticket.reference}").click()
    sam.get_by_label("Take over").check()
    sam.get_by_role("button", name="Decide", exact=True).click()
    take_back(sam, f"{ticket.reference}: Taken over.", f"Undone: {ticket.reference} is undecided again.")
    assert Ticket.objects.get(pk=ticket.pk).assignee == cast.rita
    sam.goto(ticket.path)
    expect(sam.get_by_text("Decision taken back")).to_be_visible()
