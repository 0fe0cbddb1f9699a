"""Clauses 3.1 and 4.1 as the customer sees them: where a request stands, by a link that only its owner has."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signing import Signer
from django.test import Client

from csp import clock
from csp.access import Refused
from csp.models import Address, Mailbox, OutboundMessage, TrailEntry
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser
from tests.tickets.intake.letters import mailbox
from tickets import complexity, handling, lifecycle, merging, request_links, resolving
from tickets.acknowledging import acknowledge
from tickets.conversation import Direction, File, Kind, Said
from tickets.models import InboundMessage, Interaction, LinkRequest, Resolution, Ticket, TicketLink
from tickets.views import public

pytestmark = [pytest.mark.usefixtures("at_nine", "valkey_url"), pytest.mark.django_db]
__all__ = ["at_nine"]

AT, DAY, HOUR, SECOND = make.AT, make.DAY, make.HOUR, make.SECOND
LIFE = request_links.LIFE


@pytest.fixture(autouse=True)
def desk(cast: Cast) -> Mailbox:
    return mailbox(cast.team)


@pytest.fixture
def ticket(cast: Cast, desk: Mailbox) -> Ticket:
    return make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * HOUR, mailbox=desk)


def holder(of: Any) -> Address:
    row = request_links.address_of(make.address_of(customer=of))
    assert row is not None
    return row


def path(ticket: Ticket, of: Any, at: dt.datetime = AT) -> str:
    return request_links.url(ticket, holder(of), at=at).removeprefix(settings.SITE_URL)


def seen(url: str, **how: Any) -> str:
    answer = Client(**how).get(url)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def move(monkeypatch: pytest.MonkeyPatch, at: dt.datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: at)


# ---------------------------------------------------------------- what it shows


def test_it_shows_the_promise_and_the_conversation_as_the_customer_may_see_it(cast: Cast, ticket: Ticket) -> None:
    handling.note(ticket, by=cast.rita, at=AT - HOUR, body="SECRET: he always complains")
    cast.rita.signature = "Rita Representative, room 7"
    make.answer(ticket=ticket, by=cast.rita, at=AT - HOUR, accepted_at=AT - HOUR, body="It is corrected.")
    make.message(ticket=ticket, at=AT - HOUR / 2, body="And the second one?")
    # a colleague in copy wrote, and was answered alone: that is between them
    make.message(ticket=ticket, at=AT - HOUR / 4, body="RHEA asks something.", by=cast.rhea)
    before = TrailEntry.objects.count(), Interaction.objects.count(), InboundMessage.objects.count()
    page = seen(path(ticket, cast.carl))
    assert "Answer by 4 Mar 2025, 08:30 (UTC+00:00)" in page  # the follow-up's own clock
    assert "Confirmed" in page
    assert "Answered" in page
    for words in ("It is corrected.", "And the second one?", ticket.subject, ticket.reference, "3 Mar 2025, 07:00"):
        assert words in page, words
    for words in ("SECRET", "Rita", "Representative", "room 7", "RHEA", "rhea@", "carl@", "Sam"):
        assert words not in page, words
    # looking changed nothing
    assert before == (TrailEntry.objects.count(), Interaction.objects.count(), InboundMessage.objects.count())
    assert "RHEA asks" in seen(path(ticket, cast.rhea))
    assert "second one" not in seen(path(ticket, cast.rhea))


def test_a_clock_that_has_run_out_is_not_hidden(cast: Cast, ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    move(monkeypatch, AT + 22 * HOUR)
    assert "We are late" not in seen(path(ticket, cast.carl))
    move(monkeypatch, AT + 22 * HOUR + SECOND)
    make.tick(at=AT + 22 * HOUR + 6 * SECOND)
    page = seen(path(ticket, cast.carl))
    assert "We are late" in page
    assert "Overdue" in page


def test_what_has_to_reach_a_supervisor_reaches_one_by(cast: Cast, ticket: Ticket) -> None:
    complexity.mark_complex(ticket, by=cast.rita, at=AT, reason="Above SECRET limit")
    page = seen(path(ticket, cast.carl))
    assert "Reaches a supervisor" in page
    assert "SECRET" not in page
    assert "decides" not in page


def test_it_speaks_german(cast: Cast, ticket: Ticket) -> None:
    page = seen(path(ticket, cast.carl) + "?lang=de")
    assert "Antwort bis 4. März 2025, 07:00 (UTC+00:00)" in page
    assert "Was wir versprochen haben" in page
    assert "Messages" not in page


def test_nobody_keeps_it_and_nobody_learns_where_it_was(cast: Cast, ticket: Ticket) -> None:
    answer = Client().get(path(ticket, cast.carl))
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Robots-Tag"] == "noindex"
    assert "'none'" in answer["Content-Security-Policy"]
    assert not answer.cookies


def test_files_of_the_conversation_and_no_others(cast: Cast, ticket: Ticket) -> None:
    mine = handling.receive(
        ticket,
        Said(kind=Kind.MAIL, direction=Direction.IN, body="See", occurred_at=AT, customer=cast.carl,
             sender_address="carl@northwind.example", files=[File("estimate.pdf", "application/pdf", b"%PDF-1")]),
        at=AT, by=cast.carl,
    ).attachments.get()  # fmt: skip
    note = handling.note(ticket, by=cast.rita, at=AT, body="x", files=[File("inside.txt", "text/plain", b"secret")])
    url = path(ticket, cast.carl)
    assert "estimate.pdf" in seen(url)
    answer = Client().get(f"{url}files/{mine.pk}/")
    assert answer.content == b"%PDF-1"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert Client().get(f"{url}files/{note.attachments.get().pk}/").status_code == 404
    assert Client().get(f"{path(ticket, cast.rhea)}files/{mine.pk}/").status_code == 404


# ---------------------------------------------------------------- adding to it


def test_what_is_added_is_a_follow_up_with_a_clock_from_the_request(cast: Cast, ticket: Ticket) -> None:
    make.answer(ticket=ticket, by=cast.rita, at=AT - HOUR, accepted_at=AT - HOUR)
    url, client = path(ticket, cast.carl), Client(enforce_csrf_checks=True)
    said = {
        "text": "It is wrong again.",
        "token": "t" * 22,
        "files": [SimpleUploadedFile("a.png", b"\x89PNG\r\n\x1a\n")],
    }
    answer = client.post(url, said)
    assert answer.status_code == 302
    assert "Your message is here" in seen(answer["Location"])
    assert client.post(url, said | {"files": [SimpleUploadedFile("a.png", b"\x89PNG\r\n\x1a\n")]}).status_code == 302
    row = Interaction.objects.get(kind="form")
    assert (row.ticket, row.customer, row.sender_address) == (ticket, cast.carl, "carl@northwind.example")
    assert row.attachments.get().name == "a.png"
    [follow_up] = make.clocks(ticket=ticket, obligation="follow_up")
    assert (follow_up.starts_at, follow_up.due_at) == (AT, AT + DAY)
    assert InboundMessage.objects.get().state == InboundMessage.State.THREADED


def test_what_is_added_to_a_closed_request_opens_one_that_is_linked(cast: Cast, ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(state="closed", closed_at=AT)
    answer = Client().post(path(ticket, cast.carl), {"text": "Not settled at all."})
    new = Ticket.objects.exclude(pk=ticket.pk).get()
    assert new.links.get().kind == TicketLink.Kind.CONTINUES
    assert new.reference in seen(answer["Location"])
    assert "Answer by" in seen(answer["Location"])


def test_nothing_and_too_much_are_refused_and_words_are_kept(
    cast: Cast, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = path(ticket, cast.carl)
    assert Client().post(url, {"text": " "}).status_code == 422
    monkeypatch.setattr("tickets.views.requests.OF_ONE", 1)
    assert Client().post(url, {"text": "One."}).status_code == 302
    assert "A person looks" in seen(Client().post(url, {"text": "Two."})["Location"])  # kept, and looked at first
    assert InboundMessage.objects.filter(state="unsorted", ticket=ticket).count() == 1
    monkeypatch.setattr("tickets.views.requests.REFUSED", 0)
    answer = Client().post(url, {"text": "Three."})
    assert answer.status_code == 429
    assert "Three." in answer.content.decode()


def test_a_merged_request_is_read_where_it_went(cast: Cast, ticket: Ticket) -> None:
    other = make.ticket(team=cast.team, customer=cast.carl, subject="The same again")
    url = path(ticket, cast.carl)
    merging.merge(ticket, into=other, by=cast.rita, at=AT)
    assert "The same again" in seen(url)


# ---------------------------------------------------------------- is it settled?


def test_the_customer_takes_the_resolution_or_does_not(cast: Cast, ticket: Ticket) -> None:
    make.answer(ticket=ticket, by=cast.rita, at=AT - HOUR, accepted_at=AT - HOUR)
    url = path(ticket, cast.carl)
    assert "Is it settled" not in seen(url)
    Client().post(f"{url}answer/", {"answer": "yes"})
    assert not Resolution.objects.exists()  # nothing to take yet
    lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=AT, resolution="SECRET: paid")
    page = seen(url)
    assert "Is it settled" in page
    assert "SECRET" not in page
    make.message(ticket=ticket, at=AT - 2 * HOUR, by=cast.rhea, automatic=True)
    assert Client().get(f"{url}answer/").status_code == 405
    assert Client().post(f"{url}answer/", {"answer": "perhaps"}).status_code == 302
    for answer in ("yes", "yes"):
        assert "Thank you" in seen(
            Client(enforce_csrf_checks=True).post(f"{url}answer/", {"answer": answer})["Location"]
        )
    assert resolving.current(ticket).acceptance == "yes"  # type: ignore[union-attr]  # there is one
    assert "open again" in seen(Client().post(f"{url}answer/", {"answer": "no"})["Location"])
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.OPEN
    assert "Is it settled" not in seen(url)


def test_nobody_in_copy_takes_it(cast: Cast, ticket: Ticket) -> None:
    make.message(ticket=ticket, at=AT - HOUR, by=cast.rhea)
    make.answer(ticket=ticket, by=cast.rita, at=AT, accepted_at=AT)
    lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=AT, resolution="Paid")
    url = path(ticket, cast.rhea)
    assert "Is it settled" not in seen(url)
    Client().post(f"{url}answer/", {"answer": "no"})
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.RESOLVED
    assert not resolving.current(ticket).acceptance  # type: ignore[union-attr]  # there is one


# ---------------------------------------------------------------- who may


def test_a_link_is_for_its_holder_and_a_stranger_writes_as_nobody_else(cast: Cast, ticket: Ticket) -> None:
    assert Client().get(path(ticket, cast.rhea)).status_code == 404  # a customer, but not of this request
    assert Client().post(path(ticket, cast.rhea), {"text": "I am Carl."}).status_code == 404
    Client().post(path(ticket, cast.carl), {"text": "Me.", "email": "rhea@rival.example", "name": "Rhea"})
    assert Interaction.objects.get(kind="form").customer == cast.carl
    make.message(ticket=ticket, at=AT, by=cast.rhea)  # now she has a part in it
    Client().post(path(ticket, cast.rhea), {"text": "I am Carl."})
    assert Interaction.objects.filter(kind="form", customer=cast.rhea, body__contains="I am Carl").count() == 1


@pytest.mark.parametrize("attack", ["forged", "of another purpose", "of another key", "cut", "other ticket", "garbage"])
def test_a_link_that_we_did_not_make_for_this_opens_nothing(cast: Cast, ticket: Ticket, attack: str) -> None:
    good = [ticket.pk, 0, holder(cast.carl).pk, int((AT + LIFE).timestamp())]
    token = request_links.token(ticket, holder(cast.carl), at=AT)
    body, _colon, seal = token.rpartition(":")
    other = request_links.token(
        make.ticket(team=cast.team, customer=cast.rhea, received_at=AT), holder(cast.rhea), at=AT
    )
    bad = {
        "forged": f"{other.rpartition(':')[0]}:{seal}",
        "of another purpose": public._sent.sign_object(good),
        "of another key": Signer(key="x" * 50, salt="csp.request-link.1").sign_object(good),
        "cut": token[:-1],
        "other ticket": Signer(key=settings.LINK_KEY, salt="csp.request-link.1").sign_object([*good[:3]]),
        "garbage": "%00..%2F",
    }[attack]
    assert Client().get(f"/request/{body}:{seal}/").status_code == 200
    answer = Client().get(f"/request/{bad}/")
    assert answer.status_code == 404
    assert ticket.subject not in answer.content.decode()
    assert Client().post(f"/request/{bad}/", {"text": "In!"}).status_code == 404
    assert not Interaction.objects.filter(kind="form").exists()


def test_a_link_ends_by_time_by_word_and_with_the_person(
    cast: Cast, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = path(ticket, cast.carl)
    move(monkeypatch, AT + LIFE)
    assert Client().get(url).status_code == 200
    move(monkeypatch, AT + LIFE + SECOND)
    answer = Client().get(url)
    assert answer.status_code == 404
    assert "Send me my links" in answer.content.decode()
    move(monkeypatch, AT)
    with pytest.raises(Refused, match="role"):
        request_links.withdraw(ticket, by=cast.otto, at=AT, reason="x")
    where = f"/tickets/{ticket.pk}/links/withdraw/"
    assert browser(cast.rita).post(where, {"reason": ""}).status_code == 422
    assert browser(cast.rita).post(where, {"reason": "Sent to the wrong person"}).status_code == 302
    assert Client().get(url).status_code == 404
    fresh = path(Ticket.objects.get(pk=ticket.pk), cast.carl)
    assert Client().get(fresh).status_code == 200
    cast.carl.erased_at = AT
    cast.carl.save()
    assert Client().get(fresh).status_code == 404


# ---------------------------------------------------------------- the mails that bring it


def test_the_acknowledgement_and_every_answer_bring_the_link(cast: Cast, ticket: Ticket) -> None:
    acknowledge(AT)
    row = make.answer(ticket=ticket, by=cast.rita, at=AT)
    for mail in OutboundMessage.objects.all():
        [link] = re.findall(rf"{settings.SITE_URL}(/request/\S+)", mail.body)
        assert ticket.subject in seen(link)
    # what staff read in the conversation opens nothing
    for said in Interaction.objects.filter(ticket=ticket):
        assert not re.search(r"/request/\w", said.body)
    assert "request" not in row.body


def test_a_german_customer_has_a_german_link(cast: Cast, ticket: Ticket) -> None:
    cast.carl.language = "de"
    cast.carl.save()
    acknowledge(AT)
    make.answer(ticket=ticket, by=cast.rita, at=AT)
    first, second = OutboundMessage.objects.order_by("pk")
    assert "Ihr Anliegen, und wie viel Zeit uns bleibt: " in first.body
    assert "Wo Ihr Anliegen steht" in second.body
    assert "?lang=de" in first.body
    assert "?lang=de" in second.body


def test_a_mail_to_several_brings_none(cast: Cast, ticket: Ticket) -> None:
    make.message(ticket=ticket, at=AT, by=cast.rhea)
    make.answer(ticket=ticket, by=cast.rita, at=AT)
    assert "/request/" not in OutboundMessage.objects.get().body


def test_several_requests_are_acknowledged_with_a_link_each(cast: Cast, desk: Mailbox) -> None:
    many = [make.ticket(team=cast.team, customer=cast.carl, received_at=AT, mailbox=desk) for _n in range(2)]
    acknowledge(AT)
    body = OutboundMessage.objects.get().body
    links = re.findall(r"(/request/\S+)", body)
    assert len(links) == len(set(links)) == 2
    assert all(ticket.reference in seen(link) for ticket, link in zip(many, links, strict=True))


# ---------------------------------------------------------------- "send me my link"


def ask(address: str) -> tuple[int, str]:
    answer = Client().post("/request/", {"email": address})
    return answer.status_code, re.sub(r'value="\w{64}"', "", answer.content.decode())


def test_the_answer_is_the_same_for_known_and_unknown(cast: Cast, ticket: Ticket) -> None:
    assert ask("carl@northwind.example") == ask("nobody@nowhere.example")
    assert LinkRequest.objects.count() == 2
    assert not OutboundMessage.objects.exists()
    assert request_links.send_asked(AT) == 2
    assert not LinkRequest.objects.exists()  # nothing of the stranger is kept
    [mail] = OutboundMessage.objects.all()
    assert mail.to == ["carl@northwind.example"]
    assert ticket.subject not in mail.body
    [link] = re.findall(r"(/request/\S+)", mail.body)
    assert ticket.subject in seen(link)


def test_one_mail_an_hour_however_often_it_is_asked_for(
    cast: Cast, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _n in range(3):
        ask("Carl@Northwind.example")
    assert request_links.send_asked(AT) == 3
    assert OutboundMessage.objects.count() == 1
    move(monkeypatch, AT + HOUR)
    ask("carl@northwind.example")
    request_links.send_asked(AT + HOUR)
    assert OutboundMessage.objects.count() == 2


def test_asking_too_often_from_one_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickets.views.requests.ASKED", 2)
    assert [ask(f"a{n}@nowhere.example")[0] for n in range(3)] == [200, 200, 429]
    assert LinkRequest.objects.count() == 2
    assert ask("no address")[0] in {422, 429}
