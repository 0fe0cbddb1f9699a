"""Our own mail door, spoken to as a mail server would: 250 only when it is stored, else 451; limits are said."""

from __future__ import annotations

import ipaddress
import smtplib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError

from csp import vault
from tests.tickets.intake.letters import letter
from tickets.intake import landing
from tickets.intake.doors import smtp
from tickets.models import InboundMessage, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def door(transactional_db: None) -> Iterator[smtp.MailDoor]:
    listener = smtp.MailDoor(host="127.0.0.1", port=free_port())
    listener.start()
    yield listener
    listener.stop()


def send(door: smtp.MailDoor, raw: bytes, *to: str) -> None:
    with smtplib.SMTP("127.0.0.1", door.port, timeout=10) as client:
        client.sendmail("carl@northwind.example", to or ("support@desk.example",), raw)


def wait_for_ticket() -> Ticket:
    for _try in range(100):
        ticket = Ticket.objects.first()
        if ticket is not None:
            return ticket
        time.sleep(0.1)
    raise AssertionError("no ticket")


def test_a_mail_is_stored_when_the_door_says_so_and_soon_a_ticket(door: smtp.MailDoor) -> None:
    send(door, letter("Where is it?"), "support@desk.example", "sales+t1.x@desk.example")
    row = InboundMessage.objects.get()
    assert (row.envelope_from, row.accepted_at) == ("carl@northwind.example", row.received_at)
    assert row.envelope_to == "support@desk.example, sales+t1.x@desk.example"
    assert vault.read(row.blob) == letter("Where is it?")
    assert wait_for_ticket().subject == "My parcel"


def test_every_recipient_that_it_accepted_is_kept(door: smtp.MailDoor) -> None:
    everybody = [f"{'a-long-name' * 5}-{number}@desk.example" for number in range(smtp.RECIPIENTS)]
    send(door, letter(), *everybody)
    assert InboundMessage.objects.get().envelope_to.split(", ") == everybody
    wait_for_ticket()


def test_it_says_451_when_it_could_not_be_stored_and_takes_it_the_next_time(
    door: smtp.MailDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("no disk")

    with monkeypatch.context() as broken:
        broken.setattr(landing, "land", fail)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            send(door, letter())
    assert refused.value.smtp_code == 451
    assert not InboundMessage.objects.exists()
    send(door, letter())
    assert InboundMessage.objects.count() == 1
    wait_for_ticket()


def test_the_size_limit_is_announced_and_kept(transactional_db: None, settings: Any) -> None:
    settings.MAIL_LIMIT = 2000
    listener = smtp.MailDoor(host="127.0.0.1", port=free_port())
    listener.start()
    try:
        with smtplib.SMTP("127.0.0.1", listener.port, timeout=10) as client:
            client.ehlo()
            assert client.esmtp_features["size"] == "2000"
            with pytest.raises(smtplib.SMTPSenderRefused) as refused:
                client.sendmail("a@b.example", ["c@d.example"], letter("x" * 3000))
            assert refused.value.smtp_code == 552
            client.rset()
            client.mail("a@b.example")
            client.rcpt("c@d.example")
            code, _said = client.data(letter("y\r\n" * 1500))  # a sender that did not announce it
            assert code == 552
        send(listener, letter())
        wait_for_ticket()
    finally:
        listener.stop()
    assert InboundMessage.objects.count() == 1


def test_bytes_of_any_kind_come_through(door: smtp.MailDoor) -> None:
    raw = b"From: \xff\xfe <x@y.example>\r\nSubject: \xe4\r\n\r\n.dot\r\n\x00\x01 \xff\r\n"
    send(door, raw)
    assert vault.read(InboundMessage.objects.get().blob) == raw
    wait_for_ticket()


def test_beyond_the_limit_of_connections_the_next_is_told_to_come_again(
    door: smtp.MailDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "CONNECTIONS", 2)
    held = [smtplib.SMTP("127.0.0.1", door.port, timeout=10) for _ in range(2)]
    with pytest.raises((smtplib.SMTPConnectError, smtplib.SMTPServerDisconnected)) as refused:
        smtplib.SMTP("127.0.0.1", door.port, timeout=10)
    assert getattr(refused.value, "smtp_code", 421) == 421
    for client in held:
        client.quit()
    for _try in range(50):
        if not smtp._Limited.open_now:
            break
        time.sleep(0.1)
    send(door, letter())
    wait_for_ticket()


def until_closed(client: smtplib.SMTP, *, say: str, most: float = 8) -> float:
    """How long the door bears somebody who says nothing but this."""
    began = time.monotonic()
    while time.monotonic() - began < most:
        try:
            if client.docmd(say)[0] == 421:
                break
        except (smtplib.SMTPServerDisconnected, OSError):
            break
        time.sleep(0.05)
    return time.monotonic() - began


def test_one_address_cannot_hold_the_door(door: smtp.MailDoor, settings: Any) -> None:
    settings.MAIL_DOOR_UNLIMITED, settings.MAIL_DOOR_PER_ADDRESS = [], 2
    held = [smtplib.SMTP("127.0.0.1", door.port, timeout=10) for _ in range(2)]
    with pytest.raises((smtplib.SMTPConnectError, smtplib.SMTPServerDisconnected)):
        smtplib.SMTP("127.0.0.1", door.port, timeout=10)
    other = smtplib.SMTP("127.0.0.1", door.port, timeout=10, source_address=("127.0.0.2", 0))
    other.quit()
    settings.MAIL_DOOR_UNLIMITED = [ipaddress.ip_network("127.0.0.0/8")]  # such as the mail server in front
    smtplib.SMTP("127.0.0.1", door.port, timeout=10).quit()
    for client in held:
        client.quit()
    for _try in range(50):
        if not smtp._Limited.open_from.total():
            break
        time.sleep(0.1)
    settings.MAIL_DOOR_UNLIMITED = []
    send(door, letter())
    wait_for_ticket()


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1:2", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.9", ""),
        ("::1", ""),
        ("", ""),
    ],
)
def test_a_place_is_what_one_sender_has(address: str, place: str) -> None:
    assert smtp._place(address) == place


@pytest.mark.parametrize("say", ["NOOP", "RSET", "HELO x"])
def test_small_talk_is_no_sign_of_life(transactional_db: None, monkeypatch: pytest.MonkeyPatch, say: str) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT", 1.0)
    listener = smtp.MailDoor(host="127.0.0.1", port=free_port())
    listener.start()
    try:
        with smtplib.SMTP("127.0.0.1", listener.port, timeout=10) as client:
            assert until_closed(client, say=say) < 6
    finally:
        listener.stop()


def test_no_connection_lasts_for_ever(door: smtp.MailDoor, settings: Any) -> None:
    settings.MAIL_DOOR_LONGEST = 1
    with smtplib.SMTP("127.0.0.1", door.port, timeout=10) as client:
        client.ehlo()
        assert until_closed(client, say="MAIL FROM:<a@b.example>") < 6


def test_lmtp_answers_for_each_recipient(transactional_db: None) -> None:
    listener = smtp.MailDoor(host="127.0.0.1", port=free_port(), lmtp=True)
    listener.start()
    try:
        with smtplib.LMTP("127.0.0.1", listener.port, timeout=10) as client:
            client.ehlo()
            client.mail("carl@northwind.example")
            client.rcpt("support@desk.example")
            client.rcpt("sales@desk.example")
            code, _said = client.data(letter())
            assert code == 250
            assert client.getreply()[0] == 250
        wait_for_ticket()
    finally:
        listener.stop()
    assert InboundMessage.objects.count() == 1
