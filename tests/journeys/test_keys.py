"""The hand on the keyboard: what is typed after a key arrives where it is meant to."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect

from csp import clock
from tests import factories
from tests.cast import Cast
from tests.journeys.conftest import Visit
from tickets import complexity

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_key_opens_a_dialog_that_can_be_typed_into_at_once(cast: Cast, visit: Visit) -> None:
    now = clock.now()
    ticket = factories.ticket(team=cast.team, customer=cast.carl, received_at=now - dt.timedelta(hours=1))
    complexity.mark_complex(ticket, by=cast.rita, at=now, reason="A lawyer writes")
    page = visit(cast.rita)
    page.goto(ticket.path)
    dialog = page.locator("#step[open]")
    page.keyboard.press("e")  # it is what is owed: the first button of the head has the key
    reason = dialog.get_by_label("Why does it need a supervisor?")
    expect(reason).to_be_focused()
    page.keyboard.type(", beyond my limit")
    expect(reason).to_have_value("A lawyer writes, beyond my limit")
    page.keyboard.press("Escape")
    page.wait_for_function("!document.activeElement.closest('dialog')")
    page.keyboard.press("t")
    expect(dialog.locator(".dialog__b :is(input,select,textarea)").first).to_be_focused()
    page.keyboard.press("Escape")
    page.wait_for_function("!document.activeElement.closest('dialog')")
    page.keyboard.press("r")
    answer = page.locator(".composer textarea:visible").first
    expect(answer).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("t")  # a key again, and not a letter in the answer
    expect(dialog.locator(".dialog__b :is(input,select,textarea)").first).to_be_focused()
    expect(answer).to_have_value("")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Call", exact=True).click()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_visible()


def test_the_queue_counts_what_is_marked_and_forgets_it(cast: Cast, visit: Visit) -> None:
    for _each in range(2):
        factories.ticket(team=cast.team, customer=cast.carl, received_at=clock.now())
    page = visit(cast.rita)
    page.goto("/queue/team/")
    for box in page.locator("[name=t]").all():
        box.check()
    expect(page.locator("#bulk").get_by_text("Selected 2")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#bulk")).not_to_be_visible()


def test_what_does_not_apply_is_not_asked(cast: Cast, visit: Visit) -> None:
    page = visit(cast.rita)
    page.goto("/tickets/new/")
    minutes, received = page.get_by_label("Minutes of the call"), page.get_by_label("Received")
    expect(minutes).to_be_visible()
    page.get_by_label("Channel").select_option("letter")
    expect(minutes).not_to_be_visible()
    expect(received).to_be_visible()
    page.get_by_label("We write first").check()
    expect(received).not_to_be_visible()
