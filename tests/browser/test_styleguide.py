"""The components in a real browser: accessible, within the policy, and alive (clocks, keys, composer, changes)."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from typing import Literal
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.wsgi import get_wsgi_application
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings

from csp import clockface
from tests.csp import styleguide

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.urls("tests.csp.styleguide")]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The style guide on a port of its own. It touches no database, so it needs none."""
    server = make_server("127.0.0.1", 0, get_wsgi_application(), Server, Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page(browser: Browser, address: str, settings: Settings) -> Iterator[Page]:
    """A page that fails the test if the browser complained about anything, the policy above all."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390, 320])
def test_nothing_stands_in_anybodys_way(page: Page, width: int, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/styleguide/")
    violations = Axe().run(page).response["violations"]
    assert [(found["id"], [node["html"] for node in found["nodes"]]) for found in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_clock_turns_at_the_very_moment_it_falls_due(page: Page) -> None:
    page.goto("/styleguide/?live")
    clock = page.locator("#running .clock")
    expect(clock).to_have_attribute("data-state", "urgent")
    expect(clock).to_have_attribute("data-state", "over", timeout=5000)
    expect(clock.locator("[data-head]")).to_have_text("Overdue")
    expect(clock.locator("[data-said]")).to_contain_text("past due")
    expect(clock.locator(".solid")).to_have_count(1)


def test_scripts_say_a_length_as_the_server_does(page: Page) -> None:
    page.goto("/styleguide/")
    minutes = [0, 1, 41, 59, 60, 61, 192, 1439, 1440, 1500, 10079, 10080, 17280]
    script = """async (all) => {
        const { short } = await import("/static/csp/js/clock.js");
        return all.map((minutes) => short(minutes * 60000));
    }"""
    said = page.evaluate(script, minutes)
    assert said == [clockface.short(dt.timedelta(minutes=number)) for number in minutes]


def test_keys_reach_what_the_page_registers_and_never_fire_in_fields(page: Page) -> None:
    page.goto("/styleguide/")
    page.keyboard.press("n")
    page.wait_for_url("**/#4790")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/#queue")
    page.locator("#id_order").fill("")
    page.locator("#id_order").press("n")
    expect(page.locator("#id_order")).to_have_value("n")
    assert page.url.endswith("#queue")


def test_the_help_lists_what_this_page_can_do(page: Page) -> None:
    page.goto("/styleguide/")
    page.keyboard.press("?")
    dialog = page.locator("#keys")
    expect(dialog).to_be_visible()
    for text in ("Next obligation", "Go to Queue", "New ticket", "Down the list", "Clause of this page"):
        expect(dialog.get_by_text(text, exact=True)).to_have_count(1)
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()


def test_the_list_is_walked_and_marked_by_key(page: Page) -> None:
    page.goto("/styleguide/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("x")
    first = page.locator("#rows .row").first
    expect(first).to_have_attribute("aria-current", "true")
    expect(first.locator("input")).to_be_checked()
    pin = first.get_attribute("data-pin-for")
    expect(page.locator(f'[data-pin="{pin}"]')).to_have_class("pin is-hot")


def test_the_palette_filters_and_goes(page: Page) -> None:
    page.goto("/styleguide/")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.keyboard.type("complia")
    expect(page.locator("#palette a:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/#compliance")


def test_a_note_can_never_be_sent_as_a_reply(page: Page) -> None:
    styleguide.drafts.clear()
    page.goto("/styleguide/")
    page.keyboard.press("i")
    page.keyboard.type("only for us")
    expect(page.locator("#cb-note")).to_have_value("only for us")
    page.wait_for_timeout(2400)
    expect(page.locator("[data-draft-status]")).to_contain_text("Draft kept")
    assert styleguide.drafts[-1]["kind"] == "note"
    assert styleguide.drafts[-1]["note"] == "only for us"
    assert styleguide.drafts[-1]["reply"] == "Thank you for the estimate."
    page.locator(".composer").get_by_text("Reply", exact=True).click()
    expect(page.locator("#cb-reply")).to_have_value("Thank you for the estimate.")
    expect(page.locator("#cb-reply")).to_be_focused()
    expect(page.locator("#cb-note")).not_to_be_visible()


def test_news_waits_behind_a_bar(page: Page) -> None:
    page.goto("/styleguide/")
    bar = page.locator("#changes")
    expect(bar).not_to_be_visible()
    expect(bar).to_be_visible(timeout=5000)
    expect(bar).to_contain_text("3 new")
    expect(bar).to_have_attribute("data-changes-cursor", "2")


def test_a_fragment_arrives_under_the_policy_and_is_announced(page: Page) -> None:
    page.goto("/styleguide/")
    page.get_by_role("button", name="Show e-mail").click()
    expect(page.locator("#shown")).to_have_text("eleanor@example.com")
    expect(page.locator("#toasts")).to_contain_text("This reading was recorded")
    assert page.evaluate("htmx.config.allowEval") is False
    assert page.evaluate("htmx.config.historyCacheSize") == 0


@pytest.mark.parametrize("slim", ["", "?slim"])
@pytest.mark.parametrize("width", [1440, 1000, 390])
def test_panes_scroll_on_their_own_and_stand_in_nobodys_way(page: Page, width: int, slim: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"/panes/{slim}")
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if width > 960:
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_a_dialog_gives_the_focus_back(page: Page) -> None:
    page.goto("/styleguide/")
    opener = page.get_by_role("link", name="Escalate", exact=True)
    opener.click()
    expect(page.locator("#escalate")).to_be_visible()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_without_scripts_everything_is_there(browser: Browser, address: str, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/styleguide/")
    expect(page.locator("#changes")).not_to_be_visible()
    expect(page.locator("[data-dialog=keys]")).not_to_be_visible()
    page.locator(".composer").get_by_text("Note", exact=True).click()
    expect(page.locator("#cb-note")).to_be_visible()
    expect(page.locator("#cb-reply")).not_to_be_visible()
    page.get_by_role("link", name="Escalate", exact=True).click()
    page.wait_for_url("**/public/")
    context.close()
