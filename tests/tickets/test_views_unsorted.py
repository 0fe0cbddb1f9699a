"""The queue of mail that waits for a ruling."""

from __future__ import annotations

import datetime as dt

import pytest

from csp.models import Mailbox
from tests.cast import Cast
from tests.factories import AT, HOUR, SINCE
from tests.tickets.desk import at_nine, browser
from tickets.intake import landing, taking_in
from tickets.models import InboundMessage, Ruling, SenderRule, Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]
State = InboundMessage.State


@pytest.fixture
def mailbox(cast: Cast) -> Mailbox:
    return Mailbox.objects.create(
        team=cast.team, address="help@desk.example", name="Help", is_default=True, cut_over_at=SINCE, created_at=SINCE
    )


def waiting(mailbox: Mailbox, number: int = 1, hours_ago: float = 1) -> InboundMessage:
    """A newsletter: a machine's mail, which waits for a person."""
    raw = (
        f"From: Winner <news{number}@lottery.example>\r\nTo: help@desk.example\r\nSubject: You won {number}\r\n"
        f"Message-ID: <{number}@lottery.example>\r\nPrecedence: bulk\r\nList-Unsubscribe: <https://x.example>\r\n\r\n"
        f"<b>Click</b> http://x.example/{number}\r\n"
    ).encode()
    received = AT - dt.timedelta(hours=hours_ago)
    row = landing.land(raw, door=InboundMessage.Door.SMTP, at=received, accepted_at=received, mailbox=mailbox)
    taking_in.take_in_now(row, received)
    row.refresh_from_db()
    assert row.state == State.UNSORTED
    return row


def test_what_waits_shows_since_when_from_whom_and_why(cast: Cast, mailbox: Mailbox) -> None:
    waiting(mailbox, 1, hours_ago=21)
    waiting(mailbox, 2, hours_ago=3)
    page = browser(cast.rita).get("/unsorted/").content.decode().replace("\u00a0", " ")
    for part in (
        "2 messages wait for a ruling",
        "1 past twenty hours",
        "You won 1",
        "Winner",
        "3 h ago",
        "Overdue",
        "Sort",
    ):
        assert part in page


def test_only_the_desk_of_the_mailbox_sorts(cast: Cast, mailbox: Mailbox) -> None:
    row = waiting(mailbox)
    for user in (cast.vera, cast.fay, cast.adam):
        assert browser(user).get("/unsorted/").status_code == 403
    client = browser(cast.otto)
    assert "You won" not in client.get("/unsorted/").content.decode()
    assert client.get(f"/unsorted/{row.pk}/").status_code == 404
    client.post("/unsorted/rule/", {"m": [row.pk], "verdict": "spam", "reason": "Spam"})
    row.refresh_from_db()
    assert row.state == State.UNSORTED


def test_a_message_is_looked_at_as_words_only(cast: Cast, mailbox: Mailbox) -> None:
    row = waiting(mailbox)
    page = browser(cast.rita).get(f"/unsorted/{row.pk}/").content.decode()
    assert "&lt;b&gt;Click&lt;/b&gt; http://x.example/1" in page
    assert 'href="http://x.example' not in page


def test_genuine_opens_the_ticket_with_its_clocks_from_the_receipt(cast: Cast, mailbox: Mailbox) -> None:
    row = waiting(mailbox, hours_ago=30)
    browser(cast.rita).post("/unsorted/rule/", {"m": [row.pk], "verdict": "genuine", "reason": "A customer"})
    ticket = Ticket.objects.get()
    assert ticket.received_at == AT - 30 * HOUR
    assert ticket.respond.state == "breached"


def test_several_are_ruled_at_once_with_a_reason_and_the_sender_too(cast: Cast, mailbox: Mailbox) -> None:
    rows = [waiting(mailbox, number) for number in (1, 2)]
    client = browser(cast.rita)
    said = {"m": [row.pk for row in rows], "verdict": "spam"}
    for bad in (
        said,
        said | {"reason": " "},
        said | {"reason": "x", "verdict": "perhaps"},
        {"reason": "x"} | {"verdict": "spam"},
    ):
        assert client.post("/unsorted/rule/", bad).status_code == 422
    kept = client.post("/unsorted/rule/", said).content.decode()
    assert kept.count("checked") == 2  # the marks are not lost
    done = client.post("/unsorted/rule/", said | {"reason": "Lottery", "also_rule_sender": "on"}, follow=True)
    assert "2 messages ruled spam." in done.content.decode()
    assert {row.verdict for row in SenderRule.objects.all()} == {"block"}
    again = client.post("/unsorted/rule/", said | {"reason": "Lottery"}, follow=True)
    assert "Somebody has ruled on this message already." in again.content.decode()


def test_a_ruling_is_taken_back_and_checked_by_somebody_else(cast: Cast, mailbox: Mailbox) -> None:
    rows = [waiting(mailbox, number) for number in (1, 2)]
    client = browser(cast.rita)
    client.post("/unsorted/rule/", {"m": [row.pk for row in rows], "verdict": "spam", "reason": "Lottery"})
    first, second = Ruling.objects.order_by("pk")
    assert "Lottery" in client.get("/unsorted/rulings/").content.decode()
    assert browser(cast.otto).post(f"/unsorted/rulings/{first.pk}/undo/").status_code == 404
    client.post(f"/unsorted/rulings/{first.pk}/undo/")
    rows[0].refresh_from_db()
    assert rows[0].state == State.UNSORTED
    Ruling.objects.filter(pk=second.pk).update(is_sampled=True)
    assert client.post(f"/unsorted/rulings/{second.pk}/review/", {"agrees": "yes"}).status_code == 403
    page = browser(cast.sam).get("/unsorted/rulings/").content.decode()
    assert "To check" in page
    browser(cast.sam).post(f"/unsorted/rulings/{second.pk}/review/", {"agrees": "no"})
    rows[1].refresh_from_db()
    assert rows[1].state == State.UNSORTED


def test_a_rule_for_a_sender_is_set_with_a_reason(cast: Cast) -> None:
    assert browser(cast.rita).get("/unsorted/senders/").status_code == 200
    client = browser(cast.sam)
    good = {"pattern": "@shop.example", "verdict": "allow", "reason": "Our supplier"}
    assert client.post("/unsorted/senders/", good | {"pattern": "nonsense"}).status_code == 422
    assert client.post("/unsorted/senders/", good | {"reason": ""}).status_code == 422
    assert client.post("/unsorted/senders/", good).status_code == 302
    assert "@shop.example" in client.get("/unsorted/senders/").content.decode()
    client.post("/unsorted/senders/", good | {"verdict": "", "reason": "Not any more"})
    assert not SenderRule.objects.filter(is_active=True).exists()
