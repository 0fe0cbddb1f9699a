"""Which ticket a message joins: only by a reference that we made, only for somebody who takes part in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from csp import outbox
from csp.models import Address, Deadline, Mailbox, Notice, OutboundMessage
from tests import factories
from tests.cast import Cast
from tests.factories import AT, DAY, HOUR, SECOND
from tests.tickets.desk import browser
from tests.tickets.intake.letters import DESK, arrive, letter, mailbox
from tickets import lifecycle, merging
from tickets.intake import reading, references, threading
from tickets.models import Delivery, InboundMessage, Interaction, Ticket, TicketLink

State = InboundMessage.State
CARL, RHEA = "Carl Contact <carl@northwind.example>", "Rhea Rival <rhea@rival.example>"
LATER = AT + 2 * HOUR


@pytest.fixture
def box(cast: Cast) -> Mailbox:
    return mailbox(cast.team, takes_tags=True)


@pytest.fixture
def ticket(cast: Cast, box: Mailbox) -> Ticket:
    """A ticket of Carl's that Rita has answered, and the answer has left the building."""
    row = arrive(letter(id="<first@northwind.example>"))
    assert row.ticket is not None
    factories.answer(ticket=row.ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    row.ticket.refresh_from_db()
    return row.ticket


@pytest.fixture
def untagged(ticket: Ticket, box: Mailbox) -> Ticket:
    """The same, answered from a mailbox that takes no tags: no return path of the answer's own."""
    OutboundMessage.objects.update(envelope_from=box.address)
    return ticket


def sent(ticket: Ticket) -> OutboundMessage:
    """The answer."""
    return Delivery.objects.get(interaction__ticket=ticket, interaction__purpose="answer").message


def token(ticket: Ticket, address: str = "carl@northwind.example") -> str:
    return references.reply_address(DESK, ticket=ticket.pk, address=address, keys=threading.KEYS)


def test_an_answer_to_our_message_joins_its_ticket_and_starts_one_clock(ticket: Ticket) -> None:
    row = arrive(letter("Thanks, but it is still not here.", answers=sent(ticket).message_id), at=LATER)
    assert (row.state, row.ticket) == (State.THREADED, ticket)
    [clock] = factories.clocks(ticket=ticket, obligation="follow_up")
    assert clock.starts_at == LATER
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.OPEN
    assert Ticket.objects.count() == 1


def test_five_hundred_reply_addresses_cost_no_more_than_a_few(
    ticket: Ticket, django_assert_max_num_queries: Callable[[int], AbstractContextManager[None]]
) -> None:
    forged = [token(ticket, f"someone.{number}@else.example") for number in range(500)]
    message = reading.read(letter("Words", To=", ".join(forged)))
    with django_assert_max_num_queries(100):
        assert threading.find(message, [*forged, token(ticket)]) is None


def test_case_and_other_references_do_not_matter(ticket: Ticket) -> None:
    ours = sent(ticket).message_id.upper()
    row = arrive(letter("More", References=f"<x@y.example> {ours} <z@y.example>"), at=LATER)
    assert row.ticket == ticket


def test_our_reply_address_finds_the_ticket_without_any_header(ticket: Ticket) -> None:
    assert sent(ticket).headers["Reply-To"] == token(ticket)
    assert arrive(letter("More", to=token(ticket)), at=LATER).ticket == ticket
    hidden = arrive(letter("Even more", to="x@y.example"), envelope_to=token(ticket), at=LATER)
    assert hidden.ticket == ticket


@pytest.mark.parametrize("what", ["message", "token", "own token"])
def test_a_stranger_with_a_good_reference_opens_a_linked_ticket(cast: Cast, ticket: Ticket, what: str) -> None:
    how: dict[str, Any] = {
        "message": {"answers": sent(ticket).message_id},
        "token": {"to": token(ticket)},
        "own token": {"to": token(ticket), "answers": sent(ticket).message_id},
    }[what]
    row = arrive(letter("May I add something?", sender=RHEA, **how), at=LATER)
    assert row.state == State.OPENED
    assert row.ticket != ticket
    assert row.ticket is not None
    assert row.ticket.customer == cast.rhea
    assert "stranger" in row.flags
    bond = TicketLink.objects.get(ticket=row.ticket)
    assert (bond.other, bond.kind) == (ticket, TicketLink.Kind.STRANGER)
    assert merging.join_stranger(row.ticket, by=cast.rita, at=LATER) == ticket, "one click joins it"


@pytest.mark.parametrize(
    "how",
    [
        {"subject": "Re: My parcel [#{number}]"},
        {"to": "support+{number}@desk.example"},
        {"to": "support+t{number}.aaaaaaaaaaaaaaaaaaaaaaaaaa@desk.example"},
        {"answers": "<t{number}.aaa.aaaaaaaaaaaaaaaaaaaaaaaaaa@desk.example>"},
        {"answers": "<0123456789012345678901234567890123456789@localhost>"},
        {"answers": "<first@northwind.example>"},
    ],
)
def test_a_number_or_a_made_up_reference_opens_nothing(ticket: Ticket, how: dict[str, str]) -> None:
    made = {name: value.format(number=ticket.pk) for name, value in how.items()}
    row = arrive(letter("More about it", **made), at=LATER)
    assert row.state == State.OPENED
    assert row.ticket != ticket
    assert not TicketLink.objects.exists()


def test_a_sender_that_failed_the_check_of_a_server_we_trust_is_a_stranger(ticket: Ticket, settings: Any) -> None:
    settings.TRUSTED_CHECKERS = ["mx.desk.example"]
    forged = letter(
        "Send it to my new address", to=token(ticket), Authentication_Results="mx.desk.example; dmarc=fail"
    )  # fmt: skip
    row = arrive(forged, at=LATER)
    assert row.ticket != ticket
    believed = letter("Really me", to=token(ticket), Authentication_Results="mx.desk.example; dmarc=pass")
    assert arrive(believed, at=LATER).ticket == ticket
    unknown = letter("Me too", to=token(ticket), Authentication_Results="mx.evil.example; dmarc=fail")
    assert arrive(unknown, at=LATER).ticket == ticket, "anybody can write such a line"


def test_who_we_wrote_to_in_copy_takes_part_and_who_a_customer_copied_does_not(cast: Cast, ticket: Ticket) -> None:
    arrive(letter("With my sister", answers=sent(ticket).message_id, Cc="rhea@rival.example"), at=LATER)
    row = arrive(letter("I am the sister", sender=RHEA, answers=sent(ticket).message_id), at=LATER)
    assert row.ticket != ticket
    answer = factories.answer(ticket=ticket, by=cast.rita, at=LATER, cc=["olive@northwind.example"])
    ours = Delivery.objects.get(interaction=answer).message.message_id
    row = arrive(letter("I was in copy", sender="olive@northwind.example", answers=ours), at=LATER)
    assert row.ticket == ticket


def test_another_address_of_the_customer_takes_part(cast: Cast, ticket: Ticket) -> None:
    cast.carl.addresses.create(kind="mail", value="carl@home.example", created_at=AT)
    row = arrive(letter("From home", sender="carl@home.example", answers=sent(ticket).message_id), at=LATER)
    assert row.ticket == ticket


def test_mail_to_a_closed_ticket_opens_a_linked_one(cast: Cast, ticket: Ticket) -> None:
    lifecycle.change_state(ticket, to=Ticket.State.CLOSED, by=cast.rita, at=LATER)
    row = arrive(letter("It broke again", answers=sent(ticket).message_id), at=AT + 30 * DAY)
    assert row.state == State.OPENED
    assert row.ticket is not None
    bond = TicketLink.objects.get(ticket=row.ticket)
    assert (bond.other, bond.kind) == (ticket, TicketLink.Kind.CONTINUES)
    assert row.ticket.respond.starts_at == AT + 30 * DAY
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.CLOSED


def test_mail_to_a_merged_ticket_joins_the_one_that_speaks_for_it(cast: Cast, ticket: Ticket) -> None:
    second = arrive(letter("Another thing"), at=AT + HOUR).ticket
    assert second is not None
    merging.merge(ticket, into=second, by=cast.rita, at=LATER)
    row = arrive(letter("More", answers=sent(ticket).message_id), at=LATER)
    assert row.ticket == second


# ---------------------------------------------------------------- bounces and automatic replies


def report(
    original: str,
    *,
    status: str = "5.1.1",
    action: str = "failed",
    who: str = "carl@northwind.example",
    sender: str = "MAILER-DAEMON@mx.desk.example",
    to: str = "",
) -> bytes:
    """As a server writes it, to the return path of the message."""
    path = OutboundMessage.objects.filter(message_id=original).values_list("envelope_from", flat=True).first()
    return (
        f"From: {sender}\r\nTo: {to or path or DESK}\r\nReturn-Path: <>\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.desk.example\r\n\r\n"
        f"Final-Recipient: rfc822; {who}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} no such user\r\n"
        f"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {original}\r\nSubject: x\r\n\r\n--b--\r\n"
    ).encode()


def test_a_bounce_opens_the_duty_again_with_its_first_due_time(ticket: Ticket) -> None:
    [first] = factories.clocks(ticket=ticket, obligation="respond")
    assert first.state == Deadline.State.MET
    row = arrive(report(sent(ticket).message_id), at=LATER)
    assert (row.state, row.ticket) == (State.THREADED, ticket)
    [first, again] = factories.clocks(ticket=ticket, obligation="respond")
    assert first.state == Deadline.State.MET, "the first record stays"
    assert (again.reopens, again.due_at, again.state) == (first, AT + DAY, Deadline.State.OPEN)
    kept = Interaction.objects.get(inbound=row)
    assert kept.purpose == "automatic"
    assert Delivery.objects.get(message=sent(ticket)).bounced_at == LATER


def test_a_report_about_somebody_we_did_not_write_to_opens_nothing_and_people_look(cast: Cast, ticket: Ticket) -> None:
    row = arrive(report(sent(ticket).message_id, who="nobody@evil.example"), at=LATER)
    assert row.state == State.THREADED
    assert [clock.state for clock in factories.clocks(ticket=ticket, obligation="respond")] == [Deadline.State.MET]
    assert Delivery.objects.get(message=sent(ticket)).bounced_at is None
    assert Notice.objects.filter(kind="delivery").exists()


EVIL = {"envelope_from": "evil@rival.example"}


@pytest.mark.parametrize(
    ("said", "how", "at"),
    [
        ({"sender": "evil@rival.example"}, EVIL, LATER),  # a stranger, whatever Return-Path they write into it
        ({"sender": "postmaster.not@rival.example"}, EVIL, LATER),
        ({}, {}, AT + HOUR + 7 * DAY + SECOND),  # no server tries for so long
    ],
)
def test_a_report_that_anybody_could_have_sent_opens_nothing_and_people_look(
    cast: Cast, untagged: Ticket, said: dict[str, str], how: dict[str, str], at: dt.datetime
) -> None:
    row = arrive(report(sent(untagged).message_id, **said), at=at, **how)
    assert (row.state, row.ticket) == (State.THREADED, untagged)
    assert "doubtful_report" in row.flags
    assert row.reason.startswith("Perhaps it is no report of a server: it opens nothing by itself. ")
    assert len(factories.clocks(ticket=untagged, obligation="respond")) == 1
    assert Delivery.objects.get(message=sent(untagged)).bounced_at is None
    assert Notice.objects.filter(kind="delivery").exists()
    page = browser(cast.rita).get(untagged.path).content.decode()
    assert "Says that a message came back, but anybody could have sent it" in page


@pytest.mark.parametrize(
    ("said", "how"),
    [
        ({"sender": "someone@mx.desk.example"}, {"envelope_from": ""}),
        ({"sender": "Mailer-Daemon@mx.desk.example"}, {"envelope_from": "bounces@mx.desk.example"}),
        ({"sender": "postmaster@mx.desk.example"}, {"envelope_from": "postmaster@mx.desk.example"}),
    ],
)
def test_a_report_of_a_server_is_believed_where_no_address_can_prove_it(
    untagged: Ticket, said: dict[str, str], how: dict[str, str]
) -> None:
    arrive(report(sent(untagged).message_id, **said), at=AT + HOUR + 7 * DAY, **how)
    assert len(factories.clocks(ticket=untagged, obligation="respond")) == 2


def test_where_each_message_has_a_return_path_only_a_report_to_it_is_believed(ticket: Ticket) -> None:
    """It takes more than the Message-ID, which stands in every copy and every quote."""
    ours = sent(ticket)
    assert ours.envelope_from.startswith("support+b.")
    arrive(report(ours.message_id, to=DESK), at=LATER, envelope_to=DESK)
    other = OutboundMessage.objects.get(kind="acknowledgement").envelope_from
    arrive(report(ours.message_id, status="5.2.2", to=DESK), at=LATER, envelope_to=other)
    assert len(factories.clocks(ticket=ticket, obligation="respond")) == 1
    path = ours.envelope_from.upper()
    arrive(report(ours.message_id, status="5.7.1", to=DESK), at=LATER, envelope_to=path)
    assert len(factories.clocks(ticket=ticket, obligation="respond")) == 2


def test_whoever_writes_from_a_dead_address_is_reached_there_again(ticket: Ticket) -> None:
    arrive(report(sent(ticket).message_id), at=LATER)
    address = Address.objects.get(value="carl@northwind.example")
    assert address.bounced_at == LATER
    arrive(letter("Here I am", answers=sent(ticket).message_id), at=LATER + HOUR)
    address.refresh_from_db()
    assert address.bounced_at is None


def test_a_bounce_after_the_due_time_is_a_breach_at_once(ticket: Ticket) -> None:
    arrive(report(sent(ticket).message_id), at=AT + 2 * DAY)
    *_first, again = factories.clocks(ticket=ticket, obligation="respond")
    assert again.state == Deadline.State.BREACHED


@pytest.mark.parametrize(
    "how", [{"action": "delayed", "status": "4.4.1"}, {"who": "olive@northwind.example"}]
)  # fmt: skip
def test_a_delay_or_a_lost_copy_is_noted_and_opens_nothing(cast: Cast, box: Mailbox, how: dict[str, str]) -> None:
    opened = arrive(letter()).ticket
    assert opened is not None
    answer = factories.answer(
        ticket=opened, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR, cc=["olive@northwind.example"]
    )  # fmt: skip
    row = arrive(report(Delivery.objects.get(interaction=answer).message.message_id, **how), at=LATER)
    assert row.state == State.THREADED
    assert len(factories.clocks(ticket=opened, obligation="respond")) == 1


def test_a_bounce_that_names_nothing_of_ours_waits_unsorted(ticket: Ticket) -> None:
    assert arrive(report("<somebody@else.example>"), at=LATER).state == State.UNSORTED


def test_a_bounced_acknowledgement_leaves_the_duty_to_a_person(cast: Cast, box: Mailbox) -> None:
    opened = arrive(letter()).ticket
    assert opened is not None
    acknowledgement = opened.interactions.get(purpose="acknowledgement")
    factories.accept(interaction=acknowledgement, at=AT)
    arrive(report(Delivery.objects.get(interaction=acknowledgement).message.message_id), at=LATER)
    opened.refresh_from_db()
    assert opened.acknowledge.is_running
    assert OutboundMessage.objects.filter(kind="acknowledgement").count() == 1, "it is not sent into the same void"


def test_an_automatic_reply_is_kept_and_starts_nothing(ticket: Ticket) -> None:
    away = letter("I am away", subject="Out of office", answers=sent(ticket).message_id, Auto_Submitted="auto-replied")
    row = arrive(away, at=LATER)
    assert (row.state, row.ticket) == (State.THREADED, ticket)
    assert Interaction.objects.get(inbound=row).purpose == "automatic"
    assert not factories.clocks(ticket=ticket, obligation="follow_up")
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.WAITING


def test_an_automatic_reply_to_nothing_of_ours_is_kept_with_its_reason(cast: Cast) -> None:
    row = arrive(letter("I am away", subject="Out of office", Auto_Submitted="auto-replied", answers="<x@y.example>"))
    assert row.state == State.IGNORED
    assert row.reason
    assert not Ticket.objects.exists()


def test_a_notice_to_staff_that_comes_back_is_told_on_the_page_alone(cast: Cast) -> None:
    posted = outbox.post(
        kind=outbox.Kind.NOTICE, dedupe_key="n", to=["rita@desk.example"], subject="x", body="x", at=AT
    )  # fmt: skip
    row = arrive(report(posted.message_id, who="rita@desk.example"), at=LATER)
    assert row.state == State.IGNORED
    assert list(Notice.objects.values_list("user", "by_mail")) == [(cast.adam.pk, False)]


def test_a_reply_of_nobody_opens_no_door_to_the_past(cast: Cast, ticket: Ticket) -> None:
    """A mailer daemon whose bounce stands in the ticket does not become a participant."""
    arrive(report(sent(ticket).message_id, action="delayed", status="4.4.1"), at=LATER)
    assert "mailer-daemon@mx.desk.example" not in threading.participants(ticket)
    assert threading.participants(ticket) == {"carl@northwind.example"}


def test_the_answer_stands_in_the_customers_own_thread(ticket: Ticket) -> None:
    assert sent(ticket).headers["In-Reply-To"] == "<first@northwind.example>"
    acknowledgement = OutboundMessage.objects.get(kind="acknowledgement")
    assert acknowledgement.headers["In-Reply-To"] == "<first@northwind.example>"


def test_no_reply_address_where_the_mailbox_takes_no_tags(cast: Cast) -> None:
    mailbox(cast.team)
    opened = arrive(letter()).ticket
    assert opened is not None
    factories.answer(ticket=opened, by=cast.rita, at=AT + HOUR)
    assert not any("Reply-To" in message.headers for message in OutboundMessage.objects.all())
