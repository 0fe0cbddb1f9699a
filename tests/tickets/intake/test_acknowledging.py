"""The acknowledgement: at once, in the customer's language, nothing of the sender's in it, one an hour to a person."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from csp.models import Contract, Deadline, OutboundMessage
from tests import factories
from tests.cast import Cast
from tests.factories import AT, DAY, HOUR
from tests.tickets.intake.letters import arrive, letter, mailbox
from tickets import acknowledging, delivery, handling
from tickets.conversation import Direction, Kind, Said
from tickets.intake import taking_in
from tickets.models import Delivery, Interaction, MailText, SenderRule, Ticket

MINUTE = dt.timedelta(minutes=1)


def mails() -> list[OutboundMessage]:
    return list(OutboundMessage.objects.filter(kind="acknowledgement").order_by("pk"))


def test_it_is_written_at_once_and_meets_the_duty_when_accepted(cast: Cast) -> None:
    box = mailbox(cast.team)
    ticket = arrive(letter(id="<a@northwind.example>")).ticket
    assert ticket is not None
    [mail] = mails()
    assert (mail.to, mail.mailbox) == (["carl@northwind.example"], box)
    assert mail.headers["Auto-Submitted"] == "auto-replied"
    assert mail.headers["In-Reply-To"] == "<a@northwind.example>"
    assert ticket.reference in mail.subject
    assert "4 Mar 2025, 09:00 (UTC+00:00)" in mail.body
    ticket.refresh_from_db()
    assert ticket.acknowledge.is_running, "written is not sent"
    factories.accept(interaction=ticket.interactions.get(purpose="acknowledgement"), at=AT + MINUTE)
    ticket = Ticket.objects.get()
    assert (ticket.acknowledge.state, ticket.acknowledge.met_at) == (Deadline.State.MET, AT + MINUTE)
    assert ticket.respond.is_running, "it acknowledges and answers nothing"


def test_it_carries_nothing_that_the_sender_wrote(cast: Cast) -> None:
    lure = "WIN at casino.example"
    arrive(letter(lure, sender=f"{lure} <victim@new.example>", subject=lure))
    [mail] = mails()
    assert "casino" not in mail.subject + mail.body + str(mail.headers)
    assert mail.body.startswith("Hello,\n")


def test_who_has_been_written_to_by_a_person_is_greeted_by_name(cast: Cast) -> None:
    ticket = arrive(letter()).ticket
    assert ticket is not None
    factories.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    arrive(letter("Another thing"), at=AT + 2 * HOUR)
    assert mails()[-1].body.startswith("Hello Carl Contact,\n")


@pytest.mark.parametrize(
    ("words", "fields", "greeting"),
    [
        ("Guten Tag, meine Bestellung ist noch nicht angekommen. Wo bleibt sie denn?", {}, "Guten Tag"),
        ("My order has not arrived yet. Could you please look where it is?", {}, "Hello"),
        ("?", {"Content_Language": "de-AT"}, "Guten Tag"),
        ("Ma commande n'est pas encore arrivée, pouvez-vous vérifier où elle est ?", {}, "Hello"),
    ],
)
def test_it_is_in_the_language_of_the_customer(cast: Cast, words: str, fields: dict[str, str], greeting: str) -> None:
    arrive(letter(words, sender="new@new.example", **fields))
    assert mails()[0].body.startswith(greeting)


def test_the_language_on_record_goes_before_the_guess(cast: Cast) -> None:
    cast.carl.language = "de"
    cast.carl.save()
    arrive(letter("My order has not arrived yet. Could you please look where it is?"))
    assert mails()[0].body.startswith("Guten Tag")
    assert "4. März 2025, 09:00 (UTC+00:00)" in mails()[0].body


def test_the_promised_time_is_told_in_the_zone_of_the_customer(cast: Cast) -> None:
    Contract.objects.update(zone="Europe/Berlin")
    arrive(letter())
    assert "4 Mar 2025, 10:00 (UTC+01:00)" in mails()[0].body
    cast.rhea.zone = "Asia/Kolkata"
    cast.rhea.save()
    arrive(letter(sender="rhea@rival.example"))
    assert "4 Mar 2025, 14:30 (UTC+05:30)" in mails()[1].body


def test_it_never_promises_a_time_already_past(cast: Cast) -> None:
    arrive(letter(), take_in=False)
    taking_in.take_in(AT + 2 * DAY)
    [mail] = mails()
    assert "2025" not in mail.body
    assert "as soon as possible" in mail.body


def test_one_an_hour_to_one_address_and_the_rest_in_one_mail_that_names_them_all(cast: Cast) -> None:
    for number in range(4):
        arrive(letter(f"Matter {number}"), at=AT + number * MINUTE)
    assert len(mails()) == 1
    assert acknowledging.acknowledge(AT + 59 * MINUTE) == 0
    acknowledging.acknowledge(AT + 61 * MINUTE)
    [_first, together] = mails()
    tickets = list(Ticket.objects.order_by("pk"))
    for ticket in tickets[1:]:
        assert ticket.reference in together.body
        assert Interaction.objects.filter(ticket=ticket, purpose="acknowledgement").count() == 1
    assert "4 Mar 2025, 09:03" in together.body
    rows = Delivery.objects.filter(message=together)
    assert rows.count() == 3
    factories.accept(interaction=rows[0].interaction, at=AT + 2 * HOUR)
    assert not Deadline.objects.filter(obligation="acknowledge", subject_ref=tickets[3].reference).open().exists()
    assert acknowledging.acknowledge(AT + 5 * HOUR) == 0


def test_others_do_not_wait_for_one_address(cast: Cast) -> None:
    for number in range(3):
        arrive(letter(f"Matter {number}"))
    arrive(letter(sender="rhea@rival.example"))
    assert [mail.to for mail in mails()] == [["carl@northwind.example"], ["rhea@rival.example"]]


def test_a_persons_answer_comes_first_and_nothing_is_acknowledged_after_it(cast: Cast) -> None:
    arrive(letter("One"))
    second = arrive(letter("Two")).ticket
    assert second is not None
    factories.answer(ticket=second, by=cast.rita, at=AT + MINUTE, accepted_at=AT + MINUTE)
    acknowledging.acknowledge(AT + 2 * HOUR)
    assert len(mails()) == 1
    second.refresh_from_db()
    assert second.acknowledge_next_at is None


def test_a_robot_is_not_written_to_and_the_duty_stays_with_a_person(cast: Cast) -> None:
    SenderRule.objects.create(
        contract=cast.contract,
        pattern="noreply@shop.example",
        verdict="allow",
        reason="orders",
        created_by=cast.sam,
        created_at=AT,
    )
    ticket = arrive(letter(sender="noreply@shop.example")).ticket
    assert ticket is not None
    assert not mails()
    assert ticket.acknowledge.is_running
    assert ticket.acknowledge_by_hand
    quiet = arrive(letter(sender="new@new.example", X_Auto_Response_Suppress="All")).ticket
    assert quiet is not None
    assert quiet.acknowledge_by_hand


def test_a_letter_is_acknowledged_by_mail_where_an_address_is_known(cast: Cast) -> None:
    said = Said(kind=Kind.LETTER, direction=Direction.IN, body="By post", occurred_at=AT, customer=cast.carl)
    handling.open_ticket(
        team=cast.team, subject="A letter", channel=Ticket.Channel.LETTER, received_at=AT, at=AT, by=cast.rita,
        said=said, customer=cast.carl,
    )  # fmt: skip
    acknowledging.acknowledge(AT)
    assert mails()[0].to == ["carl@northwind.example"]


def test_outbound_first_is_never_acknowledged(cast: Cast) -> None:
    handling.open_ticket(
        team=cast.team, subject="We write", channel=Ticket.Channel.STAFF, received_at=AT, at=AT, by=cast.rita,
        customer=cast.carl, origin=Ticket.Origin.STAFF,
    )  # fmt: skip
    assert acknowledging.acknowledge(AT) == 0


def test_one_that_cannot_be_written_never_stops_the_others(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    real = acknowledging.compose

    def stumble(tickets: Any, *more: Any) -> Any:
        if tickets[0].customer == cast.carl:
            raise RuntimeError
        return real(tickets, *more)

    monkeypatch.setattr(acknowledging, "compose", stumble)
    arrive(letter())
    arrive(letter(sender="rhea@rival.example"))
    assert [mail.to for mail in mails()] == [["rhea@rival.example"]]
    monkeypatch.undo()
    acknowledging.acknowledge(AT + HOUR)
    assert len(mails()) == 2


def test_the_words_of_the_company_are_used_and_nothing_put_in_is_read_as_a_placeholder(cast: Cast) -> None:
    MailText.objects.filter(kind="acknowledgement", language="en").update(
        subject="{reference} noted", body="Dear {name}, {unknown} {promised}"
    )
    cast.carl.name = "{promised}"
    cast.carl.save()
    first = arrive(letter("One")).ticket
    assert first is not None
    factories.answer(ticket=first, by=cast.rita, at=AT + MINUTE)
    arrive(letter("Two"), at=AT + 2 * HOUR)
    assert mails()[1].body.startswith("Dear {promised}, {unknown} 4 Mar")
    assert mails()[1].subject.endswith(" noted")


def test_one_that_is_refused_leaves_the_duty_to_a_person_with_what_was_said(cast: Cast) -> None:
    mailbox(cast.team)
    opened = arrive(letter(sender="Ünal <ü@nasty.example>")).ticket
    assert opened is not None
    said = "553 5.6.7 Our mail server cannot write letters outside ASCII (SMTPUTF8). Reach this person another way."
    failed = OutboundMessage.objects.filter(kind="acknowledgement", to=["ü@nasty.example"])
    assert failed.update(state=OutboundMessage.State.FAILED, answer=said, ended_at=AT) == 1
    delivery.settle(AT)
    opened.refresh_from_db()
    assert (opened.acknowledge.is_running, opened.acknowledge_next_at) == (True, None)
    assert opened.acknowledge_by_hand == f"It was refused: {said}"
