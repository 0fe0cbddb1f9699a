"""Clauses 1.2 and 4.1: what is written on the contact form is on record before it is understood; nothing is lost."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from csp import clock, trail, vault
from csp.models import Deadline, Mailbox, OutboundMessage, TrailEntry
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine
from tests.tickets.intake.letters import mailbox
from tickets import sorting
from tickets.acknowledging import acknowledge
from tickets.intake import landing, sheet, taking_in
from tickets.models import Category, InboundMessage, Interaction, Ticket
from tickets.views import public

pytestmark = [pytest.mark.usefixtures("at_nine", "valkey_url"), pytest.mark.django_db]
__all__ = ["at_nine"]

AT, DAY, HOUR = make.AT, make.DAY, make.HOUR
State = InboundMessage.State
GOOD = {
    "kind": "complaint", "text": "The dishwasher leaks.\nWater is under it.", "name": "Éva Nagy",
    "email": "Eva@Example.org", "token": "a" * 22,
}  # fmt: skip


@pytest.fixture(autouse=True)
def desk(cast: Cast) -> Mailbox:
    return mailbox(cast.team)


def send(client: Client | None = None, path: str = "/contact/", **changed: object) -> str:
    """Send the form; the page that it leads to."""
    client = client or Client()
    answer = client.post(path, GOOD | changed)
    assert answer.status_code == 302, answer.content.decode()
    return client.get(answer["Location"]).content.decode()


def test_a_form_is_a_ticket_with_its_clocks_from_the_request(cast: Cast) -> None:
    leak = Category.objects.create(contract=cast.contract, name="Leaks")
    page = send(category=leak.pk, files=[SimpleUploadedFile("wet.png", b"\x89PNG\r\n\x1a\n1234")])
    row = InboundMessage.objects.get()
    ticket = Ticket.objects.get()
    assert (row.door, row.state, row.received_at, row.ticket) == ("form", State.OPENED, AT, ticket)
    assert (ticket.channel, ticket.kind, ticket.category) == ("form", Ticket.Kind.COMPLAINT, leak)
    assert (ticket.subject, ticket.customer.name) == ("The dishwasher leaks.", "Éva Nagy")
    assert {clock.due_at for clock in make.clocks(ticket=ticket) if clock.clause == "3.1"} == {AT + DAY}
    said = ticket.interactions.get()
    assert (said.kind, said.sender_address, said.occurred_at) == ("form", "eva@example.org", AT)
    assert said.body.strip() == GOOD["text"]
    [file] = said.attachments.all()
    assert (file.name, file.content_type, vault.read(file.blob)) == ("wet.png", "image/png", b"\x89PNG\r\n\x1a\n1234")
    # the promise: number, date, time and offset, and nothing that opens the request
    assert ticket.reference in page
    assert "Answer by 4 Mar 2025, 09:00 (UTC+00:00)" in page
    assert "/request/" not in page


def test_it_is_on_record_before_it_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking_in, "take_in_now", lambda row, at: None)
    page = send()
    row = InboundMessage.objects.get()
    assert row.state == State.LANDED
    assert TrailEntry.objects.filter(subject=row.trail_subject).exists()
    assert "Answer by 4 Mar 2025, 09:00 (UTC+00:00)" in page
    assert "number by e-mail" in page
    monkeypatch.undo()
    taking_in.take_in(AT + HOUR)
    assert Ticket.objects.get().received_at == AT


def test_it_is_acknowledged_like_every_inquiry() -> None:
    send()
    acknowledge(AT)
    [mail] = OutboundMessage.objects.filter(kind=OutboundMessage.Kind.ACKNOWLEDGEMENT)
    assert mail.to == ["eva@example.org"]
    assert "4 Mar 2025, 09:00 (UTC+00:00)" in mail.body
    assert "dishwasher" not in mail.body


def test_sent_twice_it_is_there_once_and_changed_it_is_there_twice() -> None:
    first, again = send(), send()
    assert first == again
    assert Ticket.objects.count() == InboundMessage.objects.count() == Interaction.objects.count() == 1
    send(text="The dishwasher leaks, and the fridge hums.")  # gone back, changed, sent again: nothing is lost
    send(token="b" * 22)  # the same words on a fresh page are meant
    assert Ticket.objects.count() == 3


def test_each_team_that_writes_mail_has_a_form_and_no_other(cast: Cast) -> None:
    assert Client().get(f"/contact/{cast.other_team.pk}/").status_code == 404
    mailbox(cast.other_team, address="second@desk.example", is_default=False)
    send(path=f"/contact/{cast.other_team.pk}/")
    assert Ticket.objects.get().team == cast.other_team


def test_a_mailbox_that_is_not_ours_yet_has_a_form_that_is(desk: Mailbox) -> None:
    Mailbox.objects.filter(pk=desk.pk).update(cut_over_at=AT + DAY)
    send()
    assert Ticket.objects.get().origin == Ticket.Origin.CUSTOMER
    desk.refresh_from_db()
    assert desk.first_mail_at is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"email": "eva.example.org"}, "Add the @ sign"),
        ({"email": "eva@"}, "valid email"),
        ({"text": " "}, "required"),
        ({"text": "x" * 20_001}, "at most 20000"),
        ({"kind": "secret"}, "not one of the available"),
        ({"text": "a\x00b"}, "Null characters"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(changed: dict[str, str], words: str) -> None:
    answer = Client().post("/contact/", GOOD | changed | {"files": [SimpleUploadedFile("wet.txt", b"wet")]})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "Choose the files again" in page
    assert "Éva Nagy" in page
    assert 'value="complaint" required' in page.replace(' id="id_kind_1"', "").replace(" checked", "")
    assert f'value="{GOOD["token"]}"' in page
    assert not InboundMessage.objects.exists()


# ---------------------------------------------------------------- floods and forgers


def test_a_flood_waits_for_a_person_and_is_not_dropped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "OF_ONE", 2)
    monkeypatch.setattr(public, "REFUSED", 3)
    pages = [send(token=f"{n}" * 22, email=f"eva{n}@example.org") for n in range(3)]
    assert [Ticket.objects.filter(customer__addresses__value=f"eva{n}@example.org").exists() for n in range(3)] == [
        True, True, False,
    ]  # fmt: skip
    assert "A person looks at it first" in pages[2]
    assert "Answer by" not in pages[2]
    row = InboundMessage.objects.get(state=State.UNSORTED)
    assert "came from one place" in row.reason
    # ruled genuine, its clocks are those of its receipt, breach included; kind and all are those of the form
    sorting.rule(row, sorting.Verdict.GENUINE, by=cast.sam, at=AT + DAY + HOUR, reason="A hotel's desk")
    ticket = Ticket.objects.get(customer__addresses__value="eva2@example.org")
    assert (ticket.kind, ticket.respond.due_at, ticket.respond.state) == (
        Ticket.Kind.COMPLAINT, AT + DAY, Deadline.State.BREACHED,
    )  # fmt: skip
    # far beyond, it is not taken; the page says so and keeps the words
    answer = Client().post("/contact/", GOOD | {"token": "z" * 22})
    assert answer.status_code == 429
    assert "Nothing was taken" in answer.content.decode()
    assert "The dishwasher leaks." in answer.content.decode()
    assert Client(REMOTE_ADDR="192.0.2.7").post("/contact/", GOOD | {"token": "z" * 22}).status_code == 302


def test_whatever_fills_in_the_field_that_nobody_sees_waits_for_a_person() -> None:
    send(homepage="https://spam.example")
    row = InboundMessage.objects.get()
    assert (row.state, Ticket.objects.count()) == (State.UNSORTED, 0)


def test_without_valkey_nobody_is_over(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from csp import throttle

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    throttle._client.cache_clear()
    monkeypatch.setattr(public, "OF_ONE", 0)
    try:
        send()
    finally:
        throttle._client.cache_clear()
    assert Ticket.objects.count() == 1


def test_a_mail_cannot_pretend_to_be_a_sheet(cast: Cast) -> None:
    """The fields of a sheet are believed of our own page alone; and a page cannot write them by a name."""
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    raw = sheet.write(sheet.Sheet("m" * 22, "mallory@rival.example", "Let me in.", ticket=ticket.pk), None)
    row = landing.land(raw, door=InboundMessage.Door.SMTP, accepted_at=AT, at=AT)
    taking_in.take_in(AT)
    row.refresh_from_db()
    assert row.ticket is not None
    assert row.ticket != ticket
    answer = Client().post("/contact/", GOOD | {"name": f"Eve\r\nX-CSP-Sheet-Ticket: {ticket.pk}"})
    assert answer.status_code == 302
    assert ticket.interactions.filter(direction="in").count() == 1


def test_the_page_of_what_was_sent_cannot_be_guessed_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    url = client.post("/contact/", GOOD)["Location"]
    answer = client.get(url)
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")
    assert client.get(url.replace("/sent/", "/sent/x")).status_code == 404
    monkeypatch.setattr(clock, "now", lambda: AT + dt.timedelta(days=1))
    assert client.get(url).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: AT + dt.timedelta(days=1, seconds=1))
    assert client.get(url).status_code == 404


def test_nothing_that_opens_a_page_stands_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    from csp.logs import Words

    token = "abcdefghijklmnopqrstuvwxyz0123456789"
    Client().get(f"/contact/sent/{token}/")
    assert token in caplog.text  # as Django says it; our own lines are
    assert token not in "".join(Words("%(message)s").format(record) for record in caplog.records)


def test_a_body_beyond_all_our_forms_is_not_read(settings: Any) -> None:
    settings.LARGEST_BODY = 100
    answer = Client().post("/contact/", GOOD)
    assert answer.status_code == 413


def test_asking_for_the_page_changes_nothing_and_speaks_german(cast: Cast) -> None:
    before = trail.TrailEntry.objects.count()
    page = Client().get("/contact/?lang=de").content.decode()
    assert re.search(r"Antwort bis 4\. März 2025, 09:00 \(UTC\+00:00\)", page)
    assert "Ihre Nachricht" in page
    assert "How can we help" not in page
    assert Client(headers={"Accept-Language": "de"}).get("/contact/").content.decode().count("Wie können wir helfen?")
    assert trail.TrailEntry.objects.count() == before
    url = Client().post("/contact/?lang=de", GOOD)["Location"]
    assert "lang=de" in url
    assert "Ihre Nachricht ist da" in Client().get(url).content.decode()
    assert Ticket.objects.get().language == "de"
