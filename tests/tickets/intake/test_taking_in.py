"""From landed bytes to a ticket, a follow-up, a queue: whose it is, what is owed, and that nothing gets lost."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from csp import trail, vault
from csp.models import Deadline, OutboundMessage, TrailEntry
from tests import factories
from tests.cast import Cast
from tests.factories import AT, DAY, HOUR
from tests.tickets.intake import corpus
from tests.tickets.intake.letters import DESK, arrive, letter, mailbox
from tickets import acknowledging
from tickets.intake import landing, reading, taking_in
from tickets.intake.verdicts import Kind
from tickets.models import Attachment, InboundMessage, Interaction, SenderRule, Ticket

State = InboundMessage.State
MINUTE = dt.timedelta(minutes=1)


def test_a_mail_becomes_a_ticket_with_its_clocks(cast: Cast) -> None:
    box = mailbox(cast.team)
    row = arrive(letter(id="<a@northwind.example>"))
    ticket = Ticket.objects.get()
    assert row.state == State.OPENED
    assert (row.ticket, row.message_id) == (ticket, "<a@northwind.example>")
    assert (ticket.team, ticket.mailbox, ticket.customer) == (cast.team, box, cast.carl)
    assert (ticket.subject, ticket.state, ticket.received_at) == ("My parcel", Ticket.State.NEW, AT)
    assert ticket.acknowledge.due_at == ticket.respond.due_at == AT + DAY
    said = ticket.interactions.get(direction="in")
    assert said.inbound == row
    assert "promised for Monday" in said.body
    assert said.sender_address == "carl@northwind.example"


def test_a_new_sender_becomes_a_customer(cast: Cast) -> None:
    arrive(letter(sender="Nora New <Nora@New.example>"))
    customer = Ticket.objects.get().customer
    assert customer is not None
    assert (customer.name, customer.language) == ("Nora New", "en")
    assert customer.addresses.get().value == "nora@new.example"


def test_words_and_files_are_those_that_were_sent(cast: Cast) -> None:
    sample = next(each for each in corpus.samples() if each.name == "mime/mixed alternative")
    arrive(sample.raw)
    said = Ticket.objects.get().interactions.get(direction="in")
    assert "The words." in said.body
    assert Attachment.objects.get(interaction=said).name == "order.pdf"
    assert said.html


@pytest.mark.parametrize("where", ["To", "Delivered_To", "envelope", "tagged"])
def test_the_team_is_that_of_the_mailbox_it_was_sent_to(cast: Cast, where: str) -> None:
    mailbox(cast.team)
    other = mailbox(cast.other_team, address="Sales@desk.example", is_default=False)
    match where:
        case "To":
            arrive(letter(to="sales@desk.example"))
        case "tagged":
            arrive(letter(to="sales+spring@desk.example"))
        case "envelope":
            arrive(letter(to="everybody@list.example"), envelope_to="x@y.example, sales@desk.example")
        case _:
            arrive(letter(to="everybody@list.example", Delivered_To="sales@desk.example"))
    ticket = Ticket.objects.get()
    assert (ticket.team, ticket.mailbox) == (cast.other_team, other)


def test_what_no_mailbox_knows_goes_to_the_default_one(cast: Cast) -> None:
    mailbox(cast.other_team)
    arrive(letter(to="nobody@desk.example"))
    assert Ticket.objects.get().team == cast.other_team


def test_without_any_mailbox_the_first_team_answers(cast: Cast) -> None:
    arrive(letter())
    assert Ticket.objects.get().team == cast.team


# ---------------------------------------------------------------- verdicts


def test_machine_mail_waits_unsorted_without_ticket_or_acknowledgement(cast: Cast) -> None:
    row = arrive(letter(sender="noreply@shop.example"))
    assert row.state == State.UNSORTED
    assert row.reason
    assert not Ticket.objects.exists()
    assert not OutboundMessage.objects.exists()


def test_a_blocked_sender_waits_unsorted_and_an_allowed_one_comes_in(cast: Cast) -> None:
    def ruled(pattern: str, verdict: str) -> None:
        SenderRule.objects.create(
            contract=cast.contract, pattern=pattern, verdict=verdict, reason="known", created_by=cast.sam, created_at=AT
        )

    ruled("@northwind.example", "block")
    ruled("noreply@shop.example", "allow")
    assert arrive(letter()).state == State.UNSORTED
    row = arrive(letter(sender="noreply@shop.example"))
    assert row.state == State.OPENED
    assert row.ticket is not None
    assert row.ticket.acknowledge_by_hand
    ruled("carl@northwind.example", "allow")
    assert arrive(letter("Again")).state == State.OPENED, "the address goes before the domain"


def test_our_own_mail_is_never_read_again(cast: Cast) -> None:
    mailbox(cast.team)
    arrive(letter(id="<a@northwind.example>"))
    sent = OutboundMessage.objects.get()
    row = arrive(letter(sender=f"Desk <{DESK}>", to="carl@northwind.example", id=sent.message_id))
    assert row.state == State.IGNORED
    assert Ticket.objects.count() == 1


def test_mail_from_our_own_address_that_we_did_not_send_waits_for_a_person(cast: Cast) -> None:
    mailbox(cast.team)
    assert arrive(letter(sender=f"Web form <{DESK}>")).state == State.UNSORTED


def test_before_the_cut_over_mail_is_imported_without_clock_or_acknowledgement(cast: Cast) -> None:
    box = mailbox(cast.team, cut_over_at=AT)
    old = landing.land(letter("Old"), door=landing.Door.IMAP, mailbox=box, internal_date=AT - HOUR, at=AT)
    new = landing.land(letter("New"), door=landing.Door.IMAP, mailbox=box, internal_date=AT, at=AT)
    taking_in.take_in(AT)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, new.state) == (State.IMPORTED, State.OPENED)
    assert old.ticket is not None
    assert old.ticket.origin == Ticket.Origin.IMPORTED
    assert {clock.state for clock in factories.clocks(ticket=old.ticket)} == {Deadline.State.VOID}
    assert old.ticket.state == Ticket.State.CLOSED
    assert OutboundMessage.objects.count() == 1


def test_what_cannot_be_read_from_before_the_cut_over_has_no_clock_either(cast: Cast) -> None:
    box = mailbox(cast.team, cut_over_at=AT)
    row = landing.land(b"\0", door=landing.Door.IMAP, mailbox=box, internal_date=AT - HOUR, at=AT)
    InboundMessage.objects.filter(pk=row.pk).update(attempts=taking_in.TRIES + 1)
    taking_in.take_in_one(row.pk, AT)
    row.refresh_from_db()
    assert row.state == State.IMPORTED
    assert row.ticket is not None
    assert (row.ticket.origin, row.ticket.state) == (Ticket.Origin.IMPORTED, Ticket.State.CLOSED)
    assert row.ticket.parked_reason
    assert {clock.state for clock in factories.clocks(ticket=row.ticket)} == {Deadline.State.VOID}


def test_what_cannot_be_read_is_a_parked_ticket_with_its_source(cast: Cast) -> None:
    row = arrive(b"")
    ticket = Ticket.objects.get()
    assert row.state == State.PARKED
    assert ticket.parked_reason
    assert list(ticket.sources.all()) == [row]
    assert ticket.respond.is_running
    assert ticket.acknowledge_by_hand, "nobody to acknowledge to: a person has to look"


def test_an_answer_elsewhere_is_flagged_and_the_author_is_who_wrote(cast: Cast) -> None:
    row = arrive(letter(Reply_To="boss@elsewhere.example"))
    assert "reply_to_differs" in row.flags
    assert Ticket.objects.get().customer == cast.carl


# ---------------------------------------------------------------- copies


def test_the_same_message_by_another_way_is_a_linked_duplicate(cast: Cast) -> None:
    raw = letter(id="<a@northwind.example>")
    first = arrive(raw)
    second = arrive(b"Delivered-To: other@desk.example\r\n" + raw)
    assert second.state == State.DUPLICATE
    assert (second.duplicate_of, second.ticket) == (first, first.ticket)
    assert Ticket.objects.count() == 1
    assert OutboundMessage.objects.count() == 1


def test_the_same_id_with_other_words_is_taken_in_and_flagged(cast: Cast) -> None:
    arrive(letter("Sent before by a forger", id="<a@northwind.example>", sender="eve@forger.example"))
    row = arrive(letter("The real words", id="<a@northwind.example>"))
    assert row.state == State.OPENED
    assert "same_id_other_content" in row.flags


def test_without_an_id_two_mails_with_the_same_words_are_two(cast: Cast) -> None:
    arrive(letter("Hello?"))
    assert arrive(b"X-One: 1\r\n" + letter("Hello?")).state == State.OPENED


# ---------------------------------------------------------------- too much


def test_a_flood_of_one_sender_waits_unsorted(cast: Cast, settings: Any) -> None:
    settings.MAIL_FLOOD = 3
    states = [arrive(letter(f"Again, {number}"), at=AT + number * MINUTE).state for number in range(5)]
    assert states == [State.OPENED] * 3 + [State.UNSORTED] * 2
    assert arrive(letter(sender="rhea@rival.example")).state == State.OPENED, "others are not held up"
    assert arrive(letter("An hour later"), at=AT + 2 * HOUR).state == State.OPENED


def test_two_desks_that_answer_each_other_stop(cast: Cast) -> None:
    """The other desk answers each acknowledgement with a new message that does not say that a machine wrote it."""
    mailbox(cast.team)
    at, heard, sent = AT, 0, 0
    arrive(letter("Something happened", sender="desk@other.example"), at=at)
    for round in range(60):
        at += 30 * MINUTE
        acknowledging.acknowledge(at)
        waiting = OutboundMessage.objects.filter(accepted_at__isnull=True)
        for message in waiting:
            message.state, message.accepted_at, message.ended_at = "accepted", at, at
            message.save()
            sent += 1
            arrive(letter(f"We have your message, number {round}", sender="desk@other.example"), at=at + MINUTE)
            heard += 1
    assert heard <= 4
    assert InboundMessage.objects.filter(state=State.UNSORTED).count() == 1


# ---------------------------------------------------------------- failures


def test_one_bad_message_never_stops_the_others_and_is_parked_in_the_end(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = reading.read

    def stumble(raw: bytes) -> object:
        if b"poison" in raw:
            raise RuntimeError("stumbled")
        return real(raw)

    monkeypatch.setattr(reading, "read", stumble)
    bad = arrive(letter("poison"), take_in=False)
    good = arrive(letter("good"), take_in=False)
    assert taking_in.take_in(AT) == 2
    good.refresh_from_db()
    assert good.state == State.OPENED
    at = AT
    for _try in range(4):
        at += HOUR
        taking_in.take_in(at)
    bad.refresh_from_db()
    assert bad.state == State.PARKED
    assert bad.ticket is not None
    assert bad.ticket.respond.starts_at == AT
    assert "RuntimeError" in bad.ticket.parked_reason


def test_a_message_that_kills_its_reader_is_parked(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its worker died twice; the third time a child with little memory reads it first, and dies."""
    monkeypatch.setattr(taking_in, "_can_be_read", lambda row: False)
    row = arrive(letter(), take_in=False)
    InboundMessage.objects.filter(pk=row.pk).update(attempts=2)
    taking_in.take_in(AT)
    row.refresh_from_db()
    assert row.state == State.PARKED


@pytest.mark.slow
def test_the_child_reads_what_can_be_read(cast: Cast) -> None:
    row = arrive(letter(), take_in=False)
    InboundMessage.objects.filter(pk=row.pk).update(attempts=2)
    taking_in.take_in(AT)
    row.refresh_from_db()
    assert row.state == State.OPENED


# ---------------------------------------------------------------- the command, and five hundred messages


def ingest(*arguments: str) -> list[dict[str, object]]:
    out = StringIO()
    call_command("ingest_mail", *arguments, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.slow
def test_every_message_of_the_corpus_is_told_and_found(cast: Cast, tmp_path: Path, settings: Any) -> None:
    """None lost, none crashes: each has its line, and stands in a ticket, in the queue, or is kept with its reason."""
    settings.MAIL_FLOOD = 10_000
    settings.TRUSTED_CHECKERS = [corpus.CHECKER]
    mailbox(cast.team, address=corpus.DESK)
    samples = corpus.samples()
    assert len(samples) >= 500
    for number, sample in enumerate(samples):
        (tmp_path / f"{number:04}.eml").write_bytes(sample.raw)
    lines = ingest(*(str(path) for path in sorted(tmp_path.iterdir())))
    assert len(lines) == len(samples)
    statuses = {"opened", "threaded", "duplicate", "unsorted", "parked", "ignored", "imported"}
    for sample, told in zip(samples, lines, strict=True):
        assert told["status"] in statuses, sample.name
        assert set(told) == {"status", "ticket", "interaction", "reason"}
    assert not InboundMessage.objects.filter(state=State.LANDED).exists()
    sources = {vault.read(row.blob) for row in InboundMessage.objects.select_related("blob__key")}
    assert {sample.raw for sample in samples if not sample.raw.startswith(b"From ")} <= sources
    became = {
        Kind.INQUIRY: {"opened", "duplicate"},
        Kind.PARKED: {"parked", "duplicate"},
        Kind.UNSORTED: {"unsorted", "duplicate"},
        Kind.AUTOMATIC: {"ignored", "duplicate"},
        Kind.OWN: {"ignored", "opened", "unsorted"},
        Kind.BOUNCE: {"unsorted", "duplicate"},  # none of them names a message that we have sent
    }
    odd = [
        (sample.name, sample.kind, told)
        for sample, told in zip(samples, lines, strict=True)
        if told["status"] not in became[sample.kind]
        # of the mutated ones nothing is claimed; a customer whom we know may send what a stranger may not
        and not sample.name.startswith(("mutated/", "spam/"))
    ]
    assert not odd, "\n".join(map(str, odd))
    for row in InboundMessage.objects.select_related("ticket"):
        if row.state in (State.OPENED, State.PARKED):
            assert row.ticket is not None
            assert Interaction.objects.filter(inbound=row).exists()
            assert row.ticket.respond.starts_at == row.received_at
        else:
            assert row.state in (State.UNSORTED, State.IGNORED, State.DUPLICATE, State.THREADED)
            assert row.reason or row.ticket


def test_the_command_reads_an_mbox_and_says_what_became_of_each(cast: Cast, tmp_path: Path) -> None:
    box = tmp_path / "old.mbox"
    one, two = (letter(words).replace(b"\r\n", b"\n") for words in ("One", "Two"))
    box.write_bytes(b"".join(b"From x@y.example Mon Mar  3 09:00:00 2025\n" + raw + b"\n" for raw in (one, two, one)))
    lines = ingest(str(box))
    assert [line["status"] for line in lines] == ["opened", "opened", "duplicate"]
    assert lines[0]["ticket"] == lines[2]["ticket"]
    assert Ticket.objects.count() == 2


def test_the_command_reads_a_maildir(cast: Cast, tmp_path: Path) -> None:
    for part in ("cur", "new", "tmp"):
        (tmp_path / "box" / part).mkdir(parents=True)
        (tmp_path / "box" / part / "1").write_bytes(letter(part))
    assert len(ingest(str(tmp_path / "box"))) == 2


def test_the_command_believes_the_topmost_received_line_when_told_to(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(b"Received: from a by b.example; Mon, 3 Mar 2025 07:00:00 +0000\r\n" + letter())
    ingest(str(path), "--trust-received")
    assert Ticket.objects.get().received_at == AT - 2 * HOUR


def test_the_command_says_what_is_wrong_and_takes_in_the_rest(cast: Cast, tmp_path: Path) -> None:
    good = tmp_path / "good.eml"
    good.write_bytes(letter())
    errors = StringIO()
    with pytest.raises(CommandError):
        call_command("ingest_mail", str(tmp_path / "none.eml"), str(good), stdout=StringIO(), stderr=errors)
    assert "none.eml cannot be read" in errors.getvalue()
    assert Ticket.objects.count() == 1
    with pytest.raises(CommandError, match="There is no mailbox"):
        call_command("ingest_mail", str(good), "--mailbox", "nobody@desk.example")


def test_acts_of_the_intake_name_their_door(cast: Cast) -> None:
    with trail.source("mail door"):
        arrive(letter())
    assert set(TrailEntry.objects.filter(act="ticket.opened").values_list("source", flat=True)) == {"mail door"}
