"""Clause 3.1, follow-ups: a customer who writes again is answered within 24 hours of the oldest unanswered message.

One clock runs from that message. Only an answer whose author had it on screen stops it, or the reasoned word of a
person that it asks for nothing, which no first message can be ruled.
"""

import datetime as dt

import pytest

from csp.models import Breach, Deadline
from tests import factories as make
from tests.cast import Cast
from tests.contract.edges import INSTANTS, NAMES
from tickets import handling, merging
from tickets.conversation import Purpose
from tickets.models import Ticket

AT, SECOND, DAY, HOUR = make.AT, make.SECOND, make.DAY, make.HOUR
State = Deadline.State


def answered_once(cast: Cast, received_at: dt.datetime = AT) -> Ticket:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=received_at)
    make.answer(ticket=ticket, by=cast.rita, at=received_at, accepted_at=received_at)
    return ticket


def follow_ups(ticket: Ticket) -> list[Deadline]:
    return make.clocks(ticket=ticket, obligation="follow_up")


@pytest.mark.parametrize("receipt", INSTANTS, ids=NAMES)
@pytest.mark.parametrize(
    ("after", "state"), [(DAY - SECOND, State.MET), (DAY, State.MET), (DAY + SECOND, State.MET_LATE)]
)
def test_the_second_decides(cast: Cast, receipt: dt.datetime, after: dt.timedelta, state: str) -> None:
    ticket = answered_once(cast, receipt - HOUR)
    make.message(ticket=ticket, at=receipt)
    make.answer(ticket=ticket, by=cast.rita, at=receipt + HOUR, accepted_at=receipt + after)
    [row] = follow_ups(ticket)
    assert (row.starts_at, row.due_at, row.state) == (receipt, receipt + DAY, state)
    assert Breach.objects.filter(deadline=row).exists() is (state == State.MET_LATE)


def test_more_messages_do_not_start_more_clocks(cast: Cast) -> None:
    ticket = answered_once(cast)
    for hours in (1, 2, 3):
        make.message(ticket=ticket, at=AT + hours * HOUR)
    [row] = follow_ups(ticket)
    assert row.starts_at == AT + HOUR


def test_a_message_before_the_first_answer_runs_under_the_first_clock(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.message(ticket=ticket, at=AT + HOUR)
    assert follow_ups(ticket) == []


def test_an_automatic_reply_starts_nothing_and_opens_nothing(cast: Cast) -> None:
    ticket = answered_once(cast)
    make.message(ticket=ticket, at=AT + HOUR, automatic=True)
    assert follow_ups(ticket) == []
    assert Ticket.objects.get(pk=ticket.pk).state == Ticket.State.WAITING


def test_nothing_is_sent_when_the_customer_wrote_meanwhile(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    seen = make.on_screen(ticket=ticket)
    late = make.message(ticket=ticket, at=AT + HOUR)
    with pytest.raises(handling.NewMessageMeanwhile) as caught:
        make.answer(ticket=ticket, by=cast.rita, at=AT + 2 * HOUR, seen_through=seen)
    assert caught.value.unseen == [late]
    assert ticket.interactions.count() == 2


def test_nobody_sees_what_is_still_to_come_whatever_the_form_says(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    row = make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, seen_through=2**60)
    make.message(ticket=ticket, at=AT + 2 * HOUR)
    make.accept(interaction=row, at=AT + 3 * HOUR)
    assert [clock.starts_at for clock in follow_ups(ticket)] == [AT + 2 * HOUR]


def test_a_message_that_arrives_while_the_answer_is_under_way_gets_its_own_clock_from_its_receipt(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    row = make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR)
    make.message(ticket=ticket, at=AT + 2 * HOUR)
    make.message(ticket=ticket, at=AT + 3 * HOUR)
    make.accept(interaction=row, at=AT + 4 * HOUR)
    [clock] = follow_ups(ticket)
    assert (clock.starts_at, clock.due_at, clock.state) == (AT + 2 * HOUR, AT + 26 * HOUR, State.OPEN)
    shown = Ticket.objects.get(pk=ticket.pk)
    assert (shown.next_obligation, shown.next_due_at, shown.state) == ("follow_up", clock.due_at, Ticket.State.OPEN)


def test_two_answers_under_way_do_not_meet_what_neither_author_saw(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    first = make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR)
    second = make.answer(ticket=ticket, by=cast.sam, at=AT + HOUR)
    make.message(ticket=ticket, at=AT + 2 * HOUR)
    make.accept(interaction=first, at=AT + 3 * HOUR)
    make.accept(interaction=second, at=AT + 4 * HOUR)
    [clock] = follow_ups(ticket)
    assert clock.state == State.OPEN
    make.answer(ticket=ticket, by=cast.rita, at=AT + 5 * HOUR, accepted_at=AT + 5 * HOUR)
    clock.refresh_from_db()
    assert clock.state == State.MET


def test_an_answer_does_not_answer_what_was_merged_in_while_it_was_under_way(cast: Cast) -> None:
    older = make.ticket(team=cast.team, customer=cast.carl)
    newer = make.ticket(team=cast.team, customer=cast.carl, received_at=AT + HOUR)
    under_way = make.answer(ticket=newer, by=cast.rita, at=AT + 2 * HOUR)
    merging.merge(older, into=newer, by=cast.rita, at=AT + 3 * HOUR)
    make.accept(interaction=under_way, at=AT + 4 * HOUR)
    assert make.clocks(ticket=newer, obligation="respond")[0].state == State.MET
    assert make.clocks(ticket=older, obligation="respond")[0].state == State.OPEN
    make.answer(ticket=older, by=cast.rita, at=AT + 5 * HOUR, accepted_at=AT + 5 * HOUR)
    assert make.clocks(ticket=older, obligation="respond")[0].state == State.MET


def test_a_holding_message_does_not_stop_the_clock(cast: Cast) -> None:
    ticket = answered_once(cast)
    make.message(ticket=ticket, at=AT + HOUR)
    make.answer(
        ticket=ticket, by=cast.rita, at=AT + 2 * HOUR, accepted_at=AT + 2 * HOUR, purpose=Purpose.HOLDING
    )  # fmt: skip
    assert follow_ups(ticket)[0].state == State.OPEN


def test_a_person_may_rule_that_a_follow_up_asks_for_nothing(cast: Cast) -> None:
    ticket = answered_once(cast)
    message = make.message(ticket=ticket, at=AT + HOUR, body="Thanks!")
    with pytest.raises(handling.Refused, match="Say why"):
        handling.no_reply_needed(ticket, by=cast.rita, at=AT + 2 * HOUR, reason=" ", seen_through=message.pk)
    handling.no_reply_needed(ticket, by=cast.rita, at=AT + 2 * HOUR, reason="Only thanks.", seen_through=message.pk)
    [row] = follow_ups(ticket)
    assert (row.state, row.met_by, row.met_how) == (State.MET, cast.rita, "no reply needed")
    make.message(ticket=ticket, at=AT + 3 * HOUR)
    assert [clock.starts_at for clock in follow_ups(ticket)] == [AT + HOUR, AT + 3 * HOUR]


def test_never_on_a_first_message_and_never_on_one_that_was_not_seen(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    with pytest.raises(handling.Refused, match="first message"):
        handling.no_reply_needed(
            ticket, by=cast.rita, at=AT + HOUR, reason="Thanks.", seen_through=make.on_screen(ticket=ticket)
        )
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    seen = make.message(ticket=ticket, at=AT + 2 * HOUR).pk
    make.message(ticket=ticket, at=AT + 3 * HOUR)
    with pytest.raises(handling.NewMessageMeanwhile):
        handling.no_reply_needed(ticket, by=cast.rita, at=AT + 4 * HOUR, reason="Thanks.", seen_through=seen)


def test_a_customer_who_writes_to_a_resolved_ticket_opens_it(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    row = handling.respond(
        ticket, by=cast.rita, at=AT, body="Done.", seen_through=make.on_screen(ticket=ticket),
        then=Ticket.State.RESOLVED,
    )  # fmt: skip
    make.accept(interaction=row, at=AT + SECOND)
    make.message(ticket=ticket, at=AT + HOUR)
    assert Ticket.objects.get(pk=ticket.pk).state == Ticket.State.OPEN
    assert follow_ups(ticket)[0].state == State.OPEN


def test_outbound_first_has_no_clock_until_the_customer_writes_back(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, origin=Ticket.Origin.STAFF)
    assert {row.state for row in make.clocks(ticket=ticket)} == {State.VOID}
    make.message(ticket=ticket, at=AT + HOUR)
    assert follow_ups(ticket)[0].due_at == AT + 25 * HOUR
