"""The pages of clause 8 in a real browser: accessible in light, dark and on a phone, within the policy, and walked."""

from __future__ import annotations

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from audits import corrective, measures, noncompliance
from audits.models import CorrectiveAction, Measure, NonCompliance
from csp import clock
from csp.models import User
from csp.roles import Office
from tests import factories as make
from tests.accessibility import obstacles
from tests.cast import Cast
from tests.contract.test_8_1_noncompliance import appoint
from tickets import handling
from tickets.models import CoSignature

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def signed_in(browser: Browser, server: LiveServer, user: User) -> BrowserContext:
    client = Client()
    client.force_login(user)
    context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url}])
    return context


@pytest.fixture
def owner(cast: Cast) -> User:
    person = make.person(name="Olive Owner")
    appoint(cast, Office.COMPLIANCE_OWNER, person)
    appoint(cast, Office.PARTY_REPRESENTATIVE, make.person(name="Paul Party"))
    appoint(cast, Office.COMPANY_REPRESENTATIVE, make.person(name="Cora Company"))
    return person


@pytest.fixture
def case(cast: Cast, owner: User) -> NonCompliance:
    """Two tickets that nobody answered, by the real clock, and what is being done about it."""
    now = clock.now()
    for hours in (26, 27):
        make.ticket(
            team=cast.team, customer=cast.carl, received_at=now - hours * make.HOUR, assignee=cast.rita,
            subject="The hob is cold",
        )  # fmt: skip
    make.tick(at=now - make.HOUR)
    case = NonCompliance.objects.order_by("pk").last()
    assert case is not None
    return case


def test_nothing_stands_in_anybodys_way(
    browser: Browser, live_server: LiveServer, cast: Cast, case: NonCompliance, owner: User
) -> None:
    now = clock.now()
    action = corrective.add_action(
        case, kind=CorrectiveAction.Kind.CORRECTIVE, what="Call the customers", owner=cast.rita, by=cast.sam, at=now
    )
    corrective.implement(
        action, by=cast.rita, at=now, text="Both called.", files=[corrective.File("calls.txt", "text/plain", b"9:00")]
    )
    noncompliance.report(team=cast.team, clause="4.1", what="No transcript.", noticed_at=now, by=cast.sam, at=now)
    measure = measures.propose(
        case, kind=Measure.Kind.OVERSIGHT, aim=Measure.Aim.PERSON, person=cast.rita, reason="x", by=cast.sam, at=now
    )
    measures.hear(measure, by=cast.rita, at=now, statement="The line was down.")
    measures.decide(measure, adopt=True, why="A week.", by=owner, at=now, ends_at=now + 7 * make.DAY)
    measures.appeal(measure, by=cast.rita, at=now, text="The log shows it.")
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=now - make.HOUR, assignee=cast.rita)
    handling.respond(ticket, by=cast.rita, at=now, body="Done.", seen_through=make.on_screen(ticket=ticket))
    context = signed_in(browser, live_server, owner)
    as_sam = signed_in(browser, live_server, cast.sam)
    pages = [
        (as_sam, f"/noncompliance/{case.pk}/"), (context, "/noncompliance/"), (context, "/noncompliance/report/"),
        (context, f"/corrective-actions/{action.pk}/"), (context, "/corrective-actions/"), (context, "/measures/"),
        (context, f"/measures/{measure.pk}/"), (as_sam, "/cosign/"), (as_sam, f"/noncompliance/{case.pk}/split/"),
    ]  # fmt: skip
    complaints: list[str] = []
    for opened in (context, as_sam):
        opened.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        opened.on("weberror", lambda raised: complaints.append(str(raised.error)))
    for who, url in pages:
        page = who.new_page()
        complaints += obstacles(page, url)
        page.close()
    context.close()
    as_sam.close()
    assert complaints == []


def test_a_rejected_action_leads_to_oversight_and_a_co_signed_reply(
    browser: Browser, live_server: LiveServer, cast: Cast, case: NonCompliance, owner: User
) -> None:
    """From the case to the customer, by hand: action, rejection, measure, hearing, decision, answer, signature."""
    base = f"/noncompliance/{case.pk}/"
    sam, rita, olive = (signed_in(browser, live_server, user).new_page() for user in (cast.sam, cast.rita, owner))

    sam.goto(base)
    sam.get_by_role("link", name="Add action").click()
    sam.get_by_label("What is done").fill("Call the customers")
    sam.get_by_label("Who does it").select_option("Rita Representative")
    sam.get_by_role("button", name="Add", exact=True).click()
    expect(sam.locator("#actions")).to_contain_text("Call the customers")

    rita.goto("/corrective-actions/")
    rita.get_by_role("link", name="Call the customers").click()
    rita.get_by_label("What was done, and how that shows").fill("Called.")
    rita.get_by_label("Files").set_input_files({"name": "calls.txt", "mimeType": "text/plain", "buffer": b"9:00"})
    rita.get_by_role("button", name="It is done").click()
    expect(rita.locator("main")).to_contain_text("calls.txt")

    olive.goto("/corrective-actions/")
    olive.get_by_role("link", name="Call the customers").click()
    olive.get_by_label("No: it counts as not done").check()
    olive.get_by_label("What you looked at and what you found").fill("Only one of two was called.")
    olive.get_by_role("button", name="Save the result").click()
    olive.wait_for_url("**/corrective-actions/")

    measure = Measure.objects.get(rule="rejected")
    _at(rita, f"/measures/{measure.pk}/")
    rita.get_by_label("What you say to this").fill("The line was down.")
    rita.get_by_role("button", name="Put on record").click()
    expect(rita.locator("main")).to_contain_text("Made a statement")

    _at(sam, f"/measures/{measure.pk}/")
    sam.get_by_label("Take the measure").check()
    sam.get_by_role("textbox", name="Why").fill("Until the calls are made.")
    sam.get_by_label("Last day").fill((clock.now() + 7 * make.DAY).date().isoformat())
    sam.get_by_role("button", name="Decide").click()
    expect(sam.locator("h1 + .pill")).to_have_text("In force")

    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=clock.now() - make.HOUR, assignee=cast.rita)
    _at(rita, ticket.path)
    rita.locator("#body-reply").fill("It is mended.")
    rita.locator("#write button[type=submit]").last.click()
    expect(rita.locator("body")).to_contain_text("waits for a co-signature")

    _at(sam, "/cosign/")
    expect(sam.locator("main")).to_contain_text("It is mended.")
    sam.get_by_role("button", name="Sign and send").click()
    expect(sam.locator("main")).to_contain_text("No answer waits")
    row = CoSignature.objects.get()
    assert row.interaction is not None
    assert row.interaction.author == cast.rita


def _at(page: Page, url: str) -> None:
    answer = page.goto(url)
    assert answer is not None
    assert answer.status == 200
