"""Clause 4.1: every contact is on record, with its byte-exact source, and stays as it was.

Whatever became of a mail, what is kept is what was sent, to the byte. What was said stands in the conversation in the
order in which it happened; it does not change afterwards. Notes are on record and never leave.
"""

import datetime as dt
import hashlib
import re

import pytest
from django.db import IntegrityError, connection, transaction

from csp import loops, outbox, vault
from csp.events import Act
from csp.models import Blob, OutboundMessage, TrailEntry
from tests import factories as make
from tests.cast import Cast
from tests.conftest import MailServer
from tests.contract.refusals import refused
from tests.tickets.intake import corpus
from tests.tickets.intake.letters import arrive, letter, mailbox
from tickets import acknowledging, delivery, handling, merging
from tickets.conversation import Direction, Kind, Purpose, conversation
from tickets.models import Attachment, InboundMessage, Interaction, Ticket

SECOND, HOUR, DAY = make.SECOND, make.HOUR, make.DAY
State = InboundMessage.State

# Bytes that anything which reads and writes text again would mend: bare line feeds, no end, nothing in UTF-8.
ODD = b"From: carl@northwind.example\nSubject: \xff\xfe\r\n\r\n\x00 bare\nand\r not ended"


@pytest.fixture(autouse=True)
def _mailbox(cast: Cast) -> None:
    mailbox(cast.team)


def source_of(row: Interaction) -> bytes:
    assert row.inbound is not None
    return vault.read(row.inbound.blob)


def is_kept_as_it_came(row: InboundMessage, raw: bytes) -> bool:
    return (vault.read(row.blob), bytes(row.sha256), bytes(row.blob.sha256), row.size) == (
        raw, hashlib.sha256(raw).digest(), hashlib.sha256(raw).digest(), len(raw),
    )  # fmt: skip


# ---------------------------------------------------------------- the source


def test_a_mail_is_on_record_before_it_is_understood(cast: Cast) -> None:
    row = arrive(ODD, take_in=False)
    assert (row.state, row.received_at) == (State.LANDED, make.AT)
    assert is_kept_as_it_came(row, ODD)
    entry = TrailEntry.objects.get(subject=row.trail_subject)
    assert hashlib.sha256(ODD).hexdigest() in entry.facts


def test_a_mail_that_opens_a_ticket_is_its_first_interaction(cast: Cast) -> None:
    raw = letter(id="<one@northwind.example>")
    row = arrive(raw)
    [said] = Interaction.objects.filter(direction=Direction.IN)
    assert (row.state, said.ticket, said.kind) == (State.OPENED, row.ticket, Kind.MAIL)
    assert said.occurred_at == row.received_at == make.AT
    assert source_of(said) == raw
    assert is_kept_as_it_came(row, raw)


def test_a_mail_that_joins_a_ticket_is_on_record_there(cast: Cast) -> None:
    first = arrive(letter(id="<one@northwind.example>"))
    acknowledgement = OutboundMessage.objects.get().message_id
    raw = letter("And another thing.", id="<two@northwind.example>", answers=acknowledgement)
    row = arrive(raw, at=make.AT + HOUR)
    assert (row.state, row.ticket) == (State.THREADED, first.ticket)
    said = Interaction.objects.get(inbound=row)
    assert (said.ticket, said.occurred_at) == (first.ticket, make.AT + HOUR)
    assert source_of(said) == raw
    assert is_kept_as_it_came(row, raw)


def test_a_mail_that_cannot_be_taken_in_is_parked_with_its_source(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object, **_more: object) -> None:
        raise ValueError("a fault of ours")

    raw = letter("The words that nobody could read.")
    with monkeypatch.context() as patch:
        patch.setattr("tickets.intake.taking_in._understand", broken)
        for attempt in range(5):
            row = arrive(raw, at=make.AT + attempt * HOUR)
    assert row.state == State.PARKED
    assert row.ticket is not None
    assert row.ticket.parked_reason
    assert row.ticket.respond.starts_at == make.AT
    said = Interaction.objects.get(inbound=row)
    assert said.ticket == row.ticket
    assert source_of(said) == raw
    assert is_kept_as_it_came(row, raw)


def test_whatever_a_mail_is_and_whatever_becomes_of_it_its_bytes_are_those_that_came(cast: Cast) -> None:
    samples = corpus.samples()[::9]  # some of every kind
    for number, sample in enumerate(samples):
        arrive(sample.raw, at=make.AT + number * DAY)
    states = set(InboundMessage.objects.values_list("state", flat=True))
    assert {State.OPENED, State.UNSORTED, State.IGNORED} <= states
    assert State.LANDED not in states
    for sample in samples:
        row = InboundMessage.objects.get(sha256=hashlib.sha256(sample.raw).digest())
        assert is_kept_as_it_came(row, sample.raw), sample.name
    for row in InboundMessage.objects.filter(state__in=[State.OPENED, State.THREADED, State.PARKED]):
        assert Interaction.objects.filter(inbound=row, ticket=row.ticket).count() == 1
    for file in Attachment.objects.select_related("blob__key"):
        assert hashlib.sha256(vault.read(file.blob)).digest() == bytes(file.blob.sha256)


def test_the_source_and_its_receipt_do_not_change(cast: Cast) -> None:
    row = arrive(letter())
    other = vault.store(b"something else", at=make.AT)
    for change in (
        f"blob_id = {other.pk}", "sha256 = '\\x00'", "size = 0", "landed_at = now()",
        "received_at = received_at + interval '1 hour'", "door = 'imap'",
    ):  # fmt: skip
        refused(f"update tickets_inboundmessage set {change} where id = {row.pk}", saying="does not change")
    refused(f"update csp_blob set sha256 = '\\x00' where id = {row.blob_id}", saying="does not change")
    for table in ("tickets_inboundmessage", "csp_blob"):
        refused(f"delete from {table}", saying="by disposal only")


# ---------------------------------------------------------------- what was said


@pytest.mark.parametrize(
    "change",
    [
        "body = 'x'", "html = 'x'", "subject = 'x'", "sender_address = 'x'", "sender_name = 'x'", "message_id = 'x'",
        "kind = 'note', direction = 'internal'", "purpose = 'holding'", "occurred_at = now()", "recorded_at = now()",
        "author_id = null", "customer_id = null", "inbound_id = null", "seen_through = 0",
    ],
)  # fmt: skip
def test_no_interaction_changes(cast: Cast, change: str) -> None:
    ticket = arrive(letter(id="<one@northwind.example>")).ticket
    assert ticket is not None
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + HOUR)
    before = list(Interaction.objects.order_by("pk").values())
    refused(f"update tickets_interaction set {change}", saying="evidence and does not change")
    refused("delete from tickets_interaction", saying="by disposal only")
    assert list(Interaction.objects.order_by("pk").values()) == before


def test_a_correction_is_an_entry_of_its_own(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    handling.note(ticket, by=cast.rita, at=make.AT + HOUR, body="He calls on Monday.")
    handling.note(ticket, by=cast.rita, at=make.AT + 2 * HOUR, body="No: on Tuesday.")
    assert [row.body for row in conversation(ticket)][1:] == ["He calls on Monday.", "No: on Tuesday."]


def test_a_conversation_holds_everything_in_the_order_in_which_it_happened(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    acknowledging.acknowledge(make.AT)
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + 2 * HOUR)
    handling.note(ticket, by=cast.sam, at=make.AT + 3 * HOUR, body="Well said.")
    # It came while our mail server was down, and is taken in when everything else was written already.
    make.message(ticket=ticket, at=make.AT + 4 * HOUR, received_at=make.AT + HOUR)
    rows = conversation(ticket)
    assert [(row.direction, row.purpose) for row in rows] == [
        (Direction.IN, Purpose.NONE),
        (Direction.OUT, Purpose.ACKNOWLEDGEMENT),
        (Direction.IN, Purpose.NONE),
        (Direction.OUT, Purpose.ANSWER),
        (Direction.INTERNAL, Purpose.NONE),
    ]
    assert [row.occurred_at for row in rows] == sorted(row.occurred_at for row in rows)
    assert rows[2].recorded_at - rows[2].occurred_at == 3 * HOUR


def test_merging_loses_nothing_of_what_was_said(cast: Cast) -> None:
    one = make.ticket(team=cast.team, customer=cast.carl)
    other = make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT + HOUR, body="The same again.")
    handling.note(other, by=cast.rita, at=make.AT + HOUR, body="A double, it seems.")
    before = set(Interaction.objects.values_list("pk", "ticket", "body"))
    merging.merge(other, into=one, by=cast.rita, at=make.AT + 2 * HOUR)
    assert set(Interaction.objects.values_list("pk", "ticket", "body")) >= before
    said = {row.body for row in conversation(Ticket.objects.get(pk=one.pk))}
    assert {"The same again.", "A double, it seems."} <= said


# ---------------------------------------------------------------- notes


def test_a_note_is_on_record_and_never_leaves(cast: Cast, mail_server: MailServer, settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = mail_server.host, mail_server.port
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.sam)
    row = handling.note(ticket, by=cast.rita, at=make.AT + HOUR, body="Between us: he is right.")
    assert (row.kind, row.direction, row.author) == (Kind.NOTE, Direction.INTERNAL, cast.rita)
    assert row in conversation(ticket)
    entry = TrailEntry.objects.get(subject=ticket.trail_subject, act=Act.NOTE_WRITTEN)
    assert f'"interaction":{row.pk}' in entry.facts
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + 2 * HOUR)
    acknowledging.acknowledge(make.AT + 2 * HOUR)
    make.tick(at=make.AT + 2 * DAY)
    assert loops.run_dry(outbox.deliver, make.AT + 2 * DAY) > 1
    assert not any("Between us" in each.message.as_string() for each in mail_server.wait_for(2))
    assert not OutboundMessage.objects.filter(body__contains="Between us").exists()


@pytest.mark.parametrize("direction", [Direction.IN, Direction.OUT])
def test_the_database_keeps_a_note_inside(cast: Cast, direction: str) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    with pytest.raises(IntegrityError, match="a_note_stays_inside"), transaction.atomic():
        Interaction.objects.create(
            ticket=ticket, kind=Kind.NOTE, direction=direction, body="x", occurred_at=make.AT, recorded_at=make.AT
        )


# ---------------------------------------------------------------- what we said


def test_an_acknowledgement_stands_in_the_conversation_as_it_was_sent(
    cast: Cast, mail_server: MailServer, settings
) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = mail_server.host, mail_server.port
    row = arrive(letter(id="<one@northwind.example>"))  # which acknowledges
    assert row.ticket is not None
    loops.run_dry(outbox.deliver, make.AT + SECOND)
    delivery.settle(make.AT + HOUR)
    [sent] = mail_server.wait_for(1)
    said = conversation(row.ticket)[1]
    assert (said.kind, said.direction, said.purpose) == (Kind.MAIL, Direction.OUT, Purpose.ACKNOWLEDGEMENT)
    assert (said.to, said.subject) == (["carl@northwind.example"], sent.message["Subject"])
    body = sent.message.get_body(("plain",))
    assert body is not None
    sent_words = re.sub(r"/request/\S+/", "/request/…", body.get_content())  # staff see no working link
    assert sent_words.splitlines() == said.body.splitlines()
    assert row.ticket.reference in said.body
    assert said.delivery.message.message_id == sent.message["Message-ID"]
    assert said.delivery.message.accepted_at - (make.AT + SECOND) < dt.timedelta(minutes=1)


def test_an_answer_stands_in_the_conversation_with_who_wrote_it_and_when_it_was_taken(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    row = make.answer(ticket=ticket, by=cast.rita, at=make.AT + HOUR, accepted_at=make.AT + HOUR + SECOND)
    said = conversation(ticket)[-1]
    assert (said, said.author, said.occurred_at) == (row, cast.rita, make.AT + HOUR)
    assert said.delivery.message.accepted_at == make.AT + HOUR + SECOND
    refused("update csp_outboundmessage set accepted_at = now()", saying="does not change")


def test_sources_lie_encrypted_and_open_for_the_record(cast: Cast) -> None:
    raw = letter("A secret between Carl and the desk.")
    row = arrive(raw)
    with connection.cursor() as cursor:
        cursor.execute("select sealed from csp_blob where id = %s", [row.blob_id])
        sealed = bytes(cursor.fetchone()[0])
    assert b"secret" not in sealed
    assert vault.read(Blob.objects.get(pk=row.blob_id)) == raw
