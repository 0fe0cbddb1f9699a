"""Clause 6.1: the register of processing, privacy notices in versions and before whom they stood, and the board."""

from __future__ import annotations

import json
import re

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from audits import board, periods
from csp.access import Refused
from csp.models import Appointment, DataRequest, NoticeSeen, PrivacyNotice, Processing, User
from csp.privacy import processing, published, requests
from csp.roles import Office
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser
from tests.tickets.intake.letters import mailbox
from tickets.models import Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]
TEXT = "# Who is responsible\n\nWe keep what you write for five years, to answer you."
ACTIVITY = {
    "name": "Answering", "purpose": "To answer", "basis": "Contract", "people": "Customers", "data": "Letters",
    "recipients": "", "transfers": "", "kept_for": "Five years", "safeguards": "Encryption",
}  # fmt: skip


@pytest.fixture
def olive(cast: Cast) -> User:
    owner = make.person(name="Olive Owner")
    Appointment.objects.create(
        contract=cast.contract, office=Office.PRIVACY_OWNER, user=owner, starts_at=make.SINCE
    )  # fmt: skip
    return owner


def test_a_text_is_the_next_version_and_no_version_changes(cast: Cast, olive: User) -> None:
    first = published.publish(cast.contract, language="en-gb", text=TEXT, by=olive, at=make.AT)
    german = published.publish(cast.contract, language="de", text=f"{TEXT} Deutsch.", by=olive, at=make.AT)
    with pytest.raises(Refused, match="already"):
        published.publish(cast.contract, language="en-gb", text=f" {TEXT}\r\n", by=olive, at=make.AT)
    with pytest.raises(Refused, match="privacy owner"):
        published.publish(cast.contract, language="en-gb", text=f"{TEXT} 2", by=cast.sam, at=make.AT)
    second = published.publish(cast.contract, language="en-gb", text=f"{TEXT} More.", by=olive, at=make.AT)
    assert [row.number for row in (first, german, second)] == [1, 2, 3]
    found = [published.current(cast.contract, language) for language in ("en", "de", "fr")]
    assert found == [second, german, second]
    with pytest.raises(DatabaseError), transaction.atomic():
        PrivacyNotice.objects.filter(pk=first.pk).update(text="Something else")


def test_the_version_that_stood_before_a_sender_is_on_record_with_what_they_sent(cast: Cast, olive: User) -> None:
    mailbox(cast.team)
    shown = published.publish(cast.contract, language="en-gb", text=TEXT, by=olive, at=make.AT)
    client = Client()
    page = client.get("/contact/").content.decode()
    assert f"/privacy-notice/{cast.contract.pk}/" in page
    token = re.search(r'name="token" value="([^"]+)"', page)
    number = re.search(r'name="notice" value="(\d+)"', page)
    assert token
    assert number
    published.publish(cast.contract, language="en-gb", text=f"{TEXT} Newer.", by=olive, at=make.AT)
    sent = {"kind": "request", "text": "What do you know of me?", "email": "eva@example.org", "token": token[1]}
    assert client.post("/contact/", {**sent, "notice": number[1]}).status_code == 302
    assert NoticeSeen.objects.get().notice == shown
    request = DataRequest.objects.get()
    assert (request.kind, request.channel, request.identity) == ("unsorted", "form", "unchecked")
    assert request.path == Ticket.objects.get().path
    assert request.answer.starts_at == request.received_at == make.AT
    assert Client().post("/contact/", {**sent, "token": "", "notice": "<x>"}).status_code == 302
    assert NoticeSeen.objects.count() == 1


def test_customers_read_the_version_that_holds_in_their_language(cast: Cast, olive: User) -> None:
    assert Client().get("/privacy-notice/").status_code == 404
    published.publish(cast.contract, language="en-gb", text=TEXT, by=olive, at=make.AT)
    german_text = "# Wer verantwortlich ist\n\nWir speichern, <b>was</b> Sie schreiben."
    published.publish(cast.contract, language="de", text=german_text, by=olive, at=make.AT)
    english = Client().get("/privacy-notice/").content.decode()
    assert "<h1>How we treat your data</h1>" in english
    assert "Who is responsible" in english
    german = Client().get("/privacy-notice/?lang=de").content.decode()
    assert "Wer verantwortlich ist" in german
    assert "<b>was" not in german


def test_the_register_keeps_what_it_said_and_is_exported(cast: Cast, olive: User) -> None:
    row = processing.save(cast.contract, ACTIVITY, by=olive, at=make.AT)
    processing.save(cast.contract, ACTIVITY | {"kept_for": "Six years"}, by=olive, at=make.AT, row=row)
    assert list(row.history.order_by("history_id").values_list("kept_for", flat=True)) == ["Five years", "Six years"]
    with pytest.raises(Refused, match="this name"):
        processing.save(cast.contract, ACTIVITY, by=olive, at=make.AT)
    with pytest.raises(Refused, match="privacy owner"):
        processing.save(cast.contract, ACTIVITY | {"name": "Other"}, by=cast.sam, at=make.AT)
    for reader in (olive, cast.vera, cast.adam):
        found = json.loads(browser(reader).get("/privacy/register/export/").content)
        assert [each["kept_for"] for each in found["activities"]] == ["Six years"]
    assert browser(cast.rita).get("/privacy/register/export/").status_code == 403
    processing.end(row, by=olive, at=make.AT)
    processing.save(cast.contract, ACTIVITY, by=olive, at=make.AT)
    assert Processing.objects.filter(ended_at__isnull=True).count() == 1


def test_the_board_shows_what_is_open_and_late_under_6_1(cast: Cast, olive: User) -> None:
    def line(at: object) -> board.Line:
        drawn = board.draw(cast.contract, periods.this_month(at, cast.contract.zoneinfo), at)  # type: ignore[arg-type]
        return next(one for one in drawn.lines if one.clause.number == "6.1")

    assert "No privacy notice" in line(make.AT).says
    published.publish(cast.contract, language="en-gb", text=TEXT, by=olive, at=make.AT)
    assert line(make.AT).says == "0 requests open, 0 of them late; 0 breaches open."
    request = requests.open_request(
        team=cast.team, kind=DataRequest.Kind.ACCESS, channel=DataRequest.Channel.PHONE, received_at=make.AT,
        by=cast.rita, at=make.AT, customer=cast.carl,
    )  # fmt: skip
    due = request.answer.due_at
    assert line(due).now.value != "broken"
    make.tick(at=due + make.SECOND)
    after = line(due + make.SECOND)
    assert (after.now.value, after.in_period.value) == ("broken", "broken")
    assert after.says == "1 request open, 1 of them late; 0 breaches open."
