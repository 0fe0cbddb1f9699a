"""From the customer's own page to the downloaded package; and a breach from its report to the closed case."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from csp import clock, loops
from csp.models import Appointment, DataBreach, DataPackage, DataRequest
from csp.privacy import breaches, processing, published, requests, terms
from csp.roles import Office
from tests import factories as make
from tests.accessibility import obstacles
from tests.cast import Cast
from tests.conftest import MailServer
from tests.journeys.conftest import Visit
from tickets import request_links

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

NOTICE = "# Who is responsible\n\nLakeside Home keeps what you write for five years, and answers you with it.\n"


def owner_of(cast: Cast) -> object:
    owner = make.person(name="Olive Owner")
    Appointment.objects.create(contract=cast.contract, office=Office.PRIVACY_OWNER, user=owner, starts_at=make.SINCE)
    values = {"authority": "The Commissioner", "country": "GB", "subdivision": "ENG"}
    terms.change(cast.contract, values, by=owner, at=clock.now())
    published.publish(cast.contract, language="en-gb", text=NOTICE, by=owner, at=clock.now())
    return owner


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def seen(page: Page, name: str) -> None:
    """A picture of the page, where somebody wants to look (CSP_SCREENSHOTS names a folder)."""
    if folder := os.environ.get("CSP_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"privacy-{name}.png"), full_page=True)


def test_from_the_own_page_to_the_package(cast: Cast, visit: Visit, mail_server: MailServer, valkey_url: str) -> None:
    owner, now = owner_of(cast), clock.now()
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=now - make.HOUR, subject="The hob stays cold")
    carl = request_links.address_of("carl@northwind.example")
    assert carl is not None

    page = visit(None, phone=True)
    page.goto(request_links.url(ticket, carl, at=now).removeprefix(settings.SITE_URL))
    page.get_by_role("link", name="My data: see, correct or erase it").click()
    page.get_by_label("Send me a copy of all that you hold on me").check()
    seen(page, "ask-phone")
    press(page, "Ask for it")
    expect(page.locator("main")).to_contain_text("We have your wish.")
    expect(page.locator("main")).to_contain_text("Answer by")
    request = DataRequest.objects.get()
    assert (request.identity, request.channel) == ("proven", "page")

    olive = visit(owner)
    olive.goto("/privacy/")
    seen(olive, "list")
    olive.get_by_role("link", name="Carl Contact").click()
    olive.get_by_role("link", name="Make the package").first.click()
    press(olive, "Gather the data")
    expect(olive.locator("body")).to_contain_text("The package is made.")
    seen(olive, "request")
    with olive.expect_download() as looked:
        press(olive, "Look")
    assert zipfile.is_zipfile(looked.value.path())
    press(olive, "Send the link")
    expect(olive.locator("body")).to_contain_text("The link is on its way.")
    loops.run_dry(loops.DOORS["deliver"], clock.now())
    loops.run_dry(loops.RULES["data_requests"], clock.now())
    request.refresh_from_db()
    assert request.state == "answered"

    [mail] = [sent for sent in mail_server.deliveries if "my-data" in sent.message.get_content()]
    [link] = re.findall(r"/my-data/\S+", mail.message.get_content())
    page.goto(link)
    seen(page, "package-phone")
    with page.expect_download() as fetched:
        press(page, "Download the file")
    content = Path(str(fetched.value.path())).read_bytes()
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert {"index.html", "data.json", "csv/tickets.ticket.csv"} <= set(names)
    assert DataPackage.objects.get().fetched_at is not None
    olive.reload()
    expect(olive.locator("body")).to_contain_text("Package fetched")


def test_a_breach_from_its_report_to_the_end(cast: Cast, visit: Visit) -> None:
    owner = owner_of(cast)
    rita = visit(cast.rita)
    rita.goto("/privacy/breaches/")
    rita.get_by_role("link", name="Report a breach").first.click()
    rita.get_by_label("What happened").fill("A letter with a bill went to the wrong house.")
    press(rita, "Start the clock")
    expect(rita.locator("body")).to_contain_text("is due on")
    row = DataBreach.objects.get()
    assert row.notify.due_at - row.aware_at == 3 * make.DAY

    olive = visit(owner)
    olive.goto(row.path)
    olive.get_by_role("link", name="Assess the risk").first.click()
    olive.get_by_label("No", exact=True).check()
    olive.get_by_label("Why").fill("It came back unopened.")
    press(olive, "Record it")
    olive.get_by_role("link", name="Decide that there is no risk").first.click()
    olive.get_by_label("Why nobody is likely to be at risk").fill("The envelope came back unopened, and was checked.")
    press(olive, "Decide")
    expect(olive.locator("body")).to_contain_text("No risk to anybody")
    seen(olive, "breach")
    olive.get_by_role("link", name="Close the case").first.click()
    olive.get_by_label("What was learnt").fill("Two check the envelopes now.")
    press(olive, "Close")
    expect(olive.locator("h1 + .pill")).to_have_text("Closed")
    row.refresh_from_db()
    row.notify.refresh_from_db()
    assert (row.decision, row.notify.state, row.closed_at is not None) == ("no_risk", "met", True)


def test_nothing_stands_in_anybodys_way(cast: Cast, visit: Visit) -> None:
    owner, now = owner_of(cast), clock.now()
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=now - make.HOUR)
    carl = request_links.address_of("carl@northwind.example")
    assert carl is not None
    request = requests.open_request(
        team=cast.team, kind=DataRequest.Kind.ACCESS, channel=DataRequest.Channel.PHONE, received_at=now, by=cast.rita,
        at=now, customer=cast.carl, words="All that you have, please.",
    )  # fmt: skip
    row = breaches.open_breach(
        team=cast.team, nature=DataBreach.Nature.CONFIDENTIALITY, what="A letter went astray.", aware_at=now,
        by=cast.rita, at=now,
    )  # fmt: skip
    processing.save(
        cast.contract,
        {"name": "Answering inquiries", "purpose": "To answer", "basis": "Contract", "people": "Customers",
         "data": "Names, addresses, letters", "recipients": "", "transfers": "", "kept_for": "Five years",
         "safeguards": "Encrypted files"},
        by=owner, at=now,
    )  # fmt: skip
    page = visit(owner)
    own = [
        "/privacy/", request.own_path, f"{request.own_path}identity/", "/data-request/add/", "/privacy/breaches/",
        row.path, f"{row.path}tell/", "/privacy/register/", "/privacy/register/add/", "/privacy/notices/",
        "/privacy/terms/",
    ]  # fmt: skip
    found = []
    for path in own:
        found += obstacles(page, path)
    public = visit(None)
    own_page = request_links.url(ticket, carl, at=now).removeprefix(settings.SITE_URL)
    for path in ("/privacy-notice/", f"{own_page.partition('?')[0]}data/"):
        found += obstacles(public, path)
    assert found == []
