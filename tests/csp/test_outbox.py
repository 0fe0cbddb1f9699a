"""The outbox against a real SMTP server: what each answer means, and that one message stops no other."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.models import F

from csp import outbox
from csp.models import BlobKey, OutboundMessage
from csp.vault import store
from tests import factories as make
from tests.conftest import MailServer, _AnyPort

AT, HOUR = make.AT, make.HOUR
State = OutboundMessage.State


@pytest.fixture
def server(db: None, mail_server: MailServer, settings) -> MailServer:
    settings.EMAIL_HOST, settings.EMAIL_PORT = mail_server.host, mail_server.port
    return mail_server


def post(key: str = "one", **more) -> OutboundMessage:
    fields = {"to": ["carl@northwind.example"], "subject": "Grüße", "body": "Schöne Größe.\n.\nEnde", "at": AT} | more
    return outbox.post(kind=OutboundMessage.Kind.ANSWER, dedupe_key=key, **fields)


def again(row: OutboundMessage) -> OutboundMessage:
    return OutboundMessage.objects.get(pk=row.pk)


def test_what_is_taken_is_accepted_when_it_was_taken(server: MailServer) -> None:
    row = post()
    assert outbox.deliver(AT + HOUR) == 1
    found = again(row)
    assert found.state == State.ACCEPTED
    assert AT + HOUR <= found.accepted_at < AT + HOUR + dt.timedelta(seconds=30)
    assert found.ended_at == found.accepted_at
    [taken] = server.deliveries
    assert taken.message["Message-ID"] == row.message_id
    assert taken.message["Subject"] == "Grüße"
    assert taken.message.get_content().splitlines() == ["Schöne Größe.", ".", "Ende"]
    assert taken.content.isascii()


@pytest.fixture
def old_server(server: MailServer, settings) -> Iterator[MailServer]:
    """One that knows nothing of addresses outside ASCII."""
    controller = _AnyPort(server, hostname=server.host, port=0, enable_SMTPUTF8=False)
    controller.start()
    settings.EMAIL_PORT = controller.port
    yield server
    controller.stop(no_assert=True)


def test_an_address_outside_ascii_is_written_to_where_the_server_can(server: MailServer) -> None:
    row = post(to=["ü@nasty.example", "carl@bücher.example"])
    after = post("after")
    assert outbox.deliver(AT) == 2
    assert (again(row).state, again(row).lost) == (State.ACCEPTED, {})
    first, _second = server.deliveries
    assert first.recipients == ["ü@nasty.example", "carl@xn--bcher-kva.example"]
    assert "ü@nasty.example".encode() in first.content
    assert again(after).state == State.ACCEPTED


def test_where_the_server_cannot_it_is_said_at_once_in_words(old_server: MailServer) -> None:
    alone, beside, domain = (
        post("alone", to=["ü@nasty.example"]),
        post("beside", to=["carl@northwind.example"], cc=["ü@nasty.example"]),
        post("domain", to=["carl@bücher.example"]),
    )
    outbox.deliver(AT)
    assert again(alone).state == State.FAILED
    assert again(alone).answer == (
        "553 5.6.7 Our mail server cannot write letters outside ASCII (SMTPUTF8). Reach this person another way."
    )
    assert again(beside).state == again(domain).state == State.ACCEPTED
    assert "ü@nasty.example" in again(beside).lost
    assert [taken.recipients for taken in old_server.deliveries] == [
        ["carl@northwind.example"],
        ["carl@xn--bcher-kva.example"],
    ]


def test_posting_again_is_the_same_message(server: MailServer) -> None:
    assert post().pk == post(body="other").pk
    outbox.deliver(AT)
    assert outbox.deliver(AT) == 0
    assert len(server.deliveries) == 1


def test_four_hundreds_are_tried_again_with_the_same_id_and_longer_waits(server: MailServer) -> None:
    row = post()
    server.answer("451 later", "452 later still")
    outbox.deliver(AT)
    first = again(row)
    assert (first.state, first.attempts) == (State.QUEUED, 1)
    assert first.answer.startswith("451")
    assert outbox.deliver(first.not_before - 2 * make.SECOND) == 0
    outbox.deliver(first.not_before)
    second = again(row)
    assert second.not_before - first.not_before > first.not_before - AT
    outbox.deliver(second.not_before)
    assert again(row).state == State.ACCEPTED
    assert [taken.message["Message-ID"] for taken in server.deliveries] == [row.message_id]


def test_five_hundreds_are_final_and_say_why(server: MailServer) -> None:
    row, after = post("one"), post("two")
    server.answer("554 we do not take this")
    outbox.deliver(AT)
    assert (again(row).state, again(row).answer, again(row).accepted_at) == (
        State.FAILED,
        "554 we do not take this",
        None,
    )
    assert again(after).state == State.ACCEPTED


def test_a_recipient_put_off_for_now_means_that_nobody_gets_a_copy_yet(server: MailServer) -> None:
    row = post(to=["carl@northwind.example", "carl@home.example"])
    server.refuse_recipients["carl@home.example"] = "450 greylisted"
    outbox.deliver(AT)
    assert again(row).state == State.QUEUED
    assert server.deliveries == []
    server.refuse_recipients.clear()
    outbox.deliver(again(row).not_before)
    [taken] = server.deliveries
    assert taken.recipients == row.to


def test_one_recipient_who_is_put_off_for_long_does_not_keep_it_from_the_others(server: MailServer) -> None:
    row = post(to=["carl@northwind.example", "carl@home.example"])
    server.refuse_recipients["carl@home.example"] = "450 mailbox full"
    outbox.deliver(AT + outbox.LONGEST_WAIT)
    assert (again(row).state, again(row).reached) == (State.ACCEPTED, ["carl@northwind.example"])
    assert [taken.recipients for taken in server.deliveries] == [["carl@northwind.example"]]


def test_a_recipient_refused_for_good_is_told_and_the_others_get_theirs_once(server: MailServer) -> None:
    row = post(to=["carl@northwind.example", "carl@gone.example"])
    server.refuse_recipients["carl@gone.example"] = "550 no such person"
    outbox.deliver(AT)
    assert (again(row).state, again(row).lost) == (State.ACCEPTED, {"carl@gone.example": "550 no such person"})
    assert again(row).reached == ["carl@northwind.example"]
    assert [taken.recipients for taken in server.deliveries] == [["carl@northwind.example"]]
    assert outbox.deliver(AT + HOUR) == 0


def test_a_message_that_nobody_in_to_can_get_fails(server: MailServer) -> None:
    row = post(to=["carl@gone.example"], cc=["carl@northwind.example"])
    server.refuse_recipients["carl@gone.example"] = "550 no such person"
    outbox.deliver(AT)
    assert (again(row).state, again(row).answer, server.deliveries) == (State.FAILED, "550 no such person", [])


def test_a_copy_that_is_refused_does_not_hold_up_the_customer(server: MailServer) -> None:
    row = post(cc=["boss@gone.example"])
    server.refuse_recipients["boss@gone.example"] = "550 no such person"
    outbox.deliver(AT)
    assert again(row).state == State.ACCEPTED
    assert again(row).lost == {"boss@gone.example": "550 no such person"}


def test_a_message_that_cannot_be_written_fails_with_its_reason_and_stops_no_other(server: MailServer) -> None:
    blob = store(b"bytes", at=AT)
    poison = post("one", attachments=[("a.txt", "text/plain", blob)])
    BlobKey.objects.filter(blob=blob).delete()
    after = post("two")
    assert outbox.deliver(AT) == 2
    assert again(poison).state == State.FAILED
    assert "RelatedObjectDoesNotExist" in again(poison).answer
    assert again(after).state == State.ACCEPTED


def test_a_server_that_cannot_be_reached_ends_the_batch_and_the_others_wait_untouched(db: None, settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    rows = [post(key) for key in ("one", "two", "three")]
    assert outbox.deliver(AT) == 0
    assert [again(row).attempts for row in rows] == [1, 0, 0]
    assert {again(row).state for row in rows} == {State.QUEUED}


def test_our_own_outage_of_a_day_is_no_reason_to_give_up_at_the_first_attempt(server: MailServer) -> None:
    row = post()
    server.answer("451 later")
    outbox.deliver(AT + 30 * HOUR)
    assert again(row).state == State.QUEUED
    OutboundMessage.objects.update(attempts=outbox.ATTEMPTS_AT_LEAST)
    server.answer("451 later")
    outbox.deliver(AT + 31 * HOUR)
    assert again(row).state == State.FAILED


@pytest.mark.parametrize("field", ["to", "subject", "cc", "headers", "reply_to"])
def test_a_line_break_never_becomes_a_header(db: None, field: str) -> None:
    evil = "a@b.example\r\nBcc: everybody@c.example"
    value = {"to": [evil], "cc": [evil], "headers": {"References": evil}}.get(field, evil)
    if field == "subject":
        row = post(subject=value)
        assert "\n" not in row.subject
        return
    with pytest.raises(outbox.BadHeader):
        post(**{field: value})


def test_one_that_is_to_wait_waits(server: MailServer) -> None:
    row = post(not_before=AT + HOUR)
    assert outbox.deliver(AT) == 0
    assert outbox.deliver(AT + HOUR) == 1
    assert again(row).state == State.ACCEPTED


def test_what_one_address_was_acknowledged_and_what_is_due_are_found_by_an_index(db: None) -> None:
    to_one = OutboundMessage.objects.filter(kind="acknowledgement", to__contains=["a@b.example"], created_at__gt=AT)
    due = OutboundMessage.objects.filter(state="queued").order_by(F("not_before").asc(nulls_first=True), "pk")
    with connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off; set local enable_sort = off")
    assert "outbox_acknowledged" in to_one.explain()
    assert "outbox_queued" in due.explain()
