"""Landing: bytes and receipt times are written down first, once, whatever happens afterwards."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from csp import mailboxes, vault
from csp.access import Refused
from csp.models import Blob, Breach, TrailEntry
from tests.cast import Cast
from tests.factories import AT, DAY, HOUR
from tests.tickets.intake.letters import arrive, letter, mailbox
from tickets import sorting
from tickets.intake import landing, taking_in
from tickets.models import InboundMessage, Ticket

MINUTE = dt.timedelta(minutes=1)
RELAY = "Received: from somewhere by mx.desk.example with ESMTP; Mon, 3 Mar 2025 07:00:00 +0000\r\n"


def test_the_bytes_are_kept_as_they_came_and_sealed(cast: Cast) -> None:
    raw = b"From: a@b.example\r\n\r\n\x00\xff no end"
    row = arrive(raw, take_in=False)
    assert vault.read(row.blob) == raw
    assert raw not in bytes(row.blob.sealed)
    assert row.size == len(raw)


def test_landing_again_gives_the_first_row(cast: Cast) -> None:
    first = landing.land(letter(), door=landing.Door.SMTP, accepted_at=AT, at=AT)
    again = landing.land(letter(), door=landing.Door.COMMAND, at=AT + HOUR)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.pk == first.pk
    assert again.received_at == AT
    assert InboundMessage.objects.count() == Blob.objects.count() == 1


def test_every_time_that_a_second_copy_knows_is_kept_once(cast: Cast) -> None:
    first = landing.land(letter(), door=landing.Door.SMTP, accepted_at=AT, at=AT)
    box = mailbox(cast.team)
    for _ in range(2):  # fetched, killed before the flag, fetched again
        landing.land(letter(), door=landing.Door.IMAP, mailbox=box, internal_date=AT - HOUR, at=AT + HOUR)
    [entry] = TrailEntry.objects.filter(act="mail.landed_again")
    assert entry.subject == first.trail_subject
    assert json.loads(entry.facts)["internal"] == "2025-03-03T08:00:00.000000+00:00"
    first.refresh_from_db()
    assert first.received_at == AT, "a clock may run by it already"
    assert "A copy of it had reached us more than five minutes before this one." in sorting.sentences(first)


@pytest.mark.parametrize(("before", "is_told"), [(5 * MINUTE, False), (6 * MINUTE, True)])
def test_a_copy_received_earlier_is_told_with_the_first(cast: Cast, before: dt.timedelta, is_told: bool) -> None:
    raw = letter(id="<1@northwind.example>")
    first = arrive(raw)
    landing.land(b"X-Way: the other\r\n" + raw, door=landing.Door.COMMAND, internal_date=AT - before, at=AT)
    taking_in.take_in(AT)
    first.refresh_from_db()
    assert (landing.EARLIER in first.flags) is is_told


def test_killed_between_landing_and_taking_in_nothing_is_lost(cast: Cast) -> None:
    row = arrive(letter(), take_in=False)
    assert row.state == InboundMessage.State.LANDED
    assert taking_in.take_in(AT + 3 * HOUR) == 1
    ticket = Ticket.objects.get()
    assert ticket.respond.starts_at == AT
    assert ticket.respond.due_at == AT + DAY
    assert ticket.opened_at == AT + 3 * HOUR


def test_killed_while_taking_in_it_is_tried_again_from_the_start(cast: Cast) -> None:
    row = arrive(letter(), take_in=False)
    assert taking_in._claim(AT) == row.pk  # and then the worker dies
    assert taking_in.take_in(AT) == 0, "somebody else may still be at it"
    assert taking_in.take_in(AT + MINUTE) == 1
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], AT),
        ([AT - MINUTE], AT - MINUTE),
        ([AT - MINUTE, AT - 2 * HOUR], AT - 2 * HOUR),
        ([AT + 2 * MINUTE], AT),  # a little ahead of us: never later than the landing
        ([AT + DAY], AT),  # a clock in the future says nothing
        ([AT + DAY, AT - MINUTE], AT - MINUTE),
        ([AT - MINUTE, AT - 400 * DAY], AT - MINUTE),  # years before the others
        ([AT - 400 * DAY], AT - 400 * DAY),  # an old mailbox, nobody contradicts
        ([AT - 400 * DAY, AT - 401 * DAY], AT - 401 * DAY),
        ([dt.datetime(1970, 1, 1, tzinfo=dt.UTC)], AT),  # a server without a date
    ],
)
def test_receipt_is_the_earliest_credible_time(known: list[dt.datetime], expected: dt.datetime) -> None:
    assert landing.receipt(known, AT).received_at == expected


def test_a_gap_over_five_minutes_is_flagged() -> None:
    assert landing.receipt([AT - 5 * MINUTE], AT).gap is None
    assert landing.receipt([AT - 6 * MINUTE], AT).gap == 6 * MINUTE


def test_a_received_line_counts_only_of_a_host_we_trust(cast: Cast, settings: Any) -> None:
    raw = RELAY.encode() + letter()
    assert arrive(raw, take_in=False).hop_at is None
    settings.TRUSTED_RELAYS = ["mx.desk.example"]
    row = arrive(raw + b"x", take_in=False)
    assert row.received_at == row.hop_at == AT - 2 * HOUR
    assert row.gap == 2 * HOUR
    assert row.accepted_at == AT


def test_our_own_outage_never_lengthens_a_clock(cast: Cast, settings: Any) -> None:
    settings.TRUSTED_RELAYS = ["mx.desk.example"]
    arrive(RELAY.encode() + letter(), at=AT + 2 * DAY)
    ticket = Ticket.objects.get()
    assert ticket.respond.due_at == AT - 2 * HOUR + DAY
    assert Breach.objects.filter(obligation="respond", breached_at=AT + 22 * HOUR).exists()


def test_two_messages_under_one_uid_are_both_kept(cast: Cast) -> None:
    box = mailbox(cast.team)
    for words in ("one", "two"):
        landing.land(letter(words), door=landing.Door.IMAP, mailbox=box, uid_validity=1, uid=7, at=AT)
    assert InboundMessage.objects.count() == 2


def test_what_landed_is_evidence(cast: Cast) -> None:
    row = arrive(letter(), take_in=False)
    entry = TrailEntry.objects.get(act="mail.landed")
    assert bytes(row.sha256).hex() in entry.facts


def test_the_cut_over_stands_from_the_first_mail_by_whatever_door(cast: Cast) -> None:
    box = mailbox(cast.team, cut_over_at=AT - HOUR, is_default=True)
    arrive(letter())
    values = {name: getattr(box, name) for name in mailboxes.FIELDS} | {"cut_over_at": AT - 2 * HOUR}
    with pytest.raises(Refused, match="cut-over stands"):
        mailboxes.change(box, values, by=cast.adam, at=AT)
