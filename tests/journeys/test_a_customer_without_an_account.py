"""A customer without account or scripts: writes on the form, opens the link from the mail, adds something."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from csp import clock, loops
from tests.cast import Cast
from tests.conftest import MailServer
from tests.journeys.conftest import PHONE, Visit
from tests.tickets.intake.letters import mailbox
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_from_the_form_to_the_request_and_back(
    cast: Cast, browser: Browser, desk: LiveServer, mail_server: MailServer, visit: Visit, valkey_url: str
) -> None:
    mailbox(cast.team)
    context = browser.new_context(base_url=desk.url, viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto("/contact/")
    page.get_by_text("A complaint").click()
    page.get_by_label("Your message").fill("The dishwasher leaks.\nWhat should I do now?")
    page.get_by_label("E-mail for our answer").fill("eva@example.org")
    page.get_by_role("button", name="Send").click()
    assert "Answer by" in page.locator(".promise").inner_text()
    ticket = Ticket.objects.get()
    assert ticket.kind == Ticket.Kind.COMPLAINT
    for name in ("acknowledge", "deliver"):
        loops.run_dry(loops.DOORS[name], clock.now())
    [sent] = mail_server.deliveries
    [link] = re.findall(r"/request/\S+", sent.message.get_content())
    page.goto(link)
    assert page.get_by_role("heading", level=1).inner_text() == "The dishwasher leaks."
    page.get_by_label("Add something").fill("The tap is off now.")
    page.get_by_role("button", name="Send").click()
    assert "The tap is off now." in page.locator(".thread").inner_text()
    context.close()
    rita = visit(cast.rita)
    rita.goto(ticket.path)
    assert "The tap is off now." in rita.locator("#thread").inner_text()
