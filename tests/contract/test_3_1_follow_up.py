"""Clause 3.1, follow-ups: a customer who writes again is answered within 24 hours of the oldest unanswered message.

One clock runs from that message. Only an answer whose author had it on screen stops it, or the reasoned word of a
person that it asks for nothing, which no first message can be ruled.
"""

import datetime as dt

import pytest

from csp.models import Breach, Customer, Deadline, Reading, Version
from csp.roles import Role
from tests import factories as make
from tests.cast import Cast
from tests.contract.edges import INSTANTS, NAMES
from tests.tickets.desk import browser
from tickets import calls, closing, complexity, handling, lifecycle, merging, no_reply
from tickets.conversation import Direction, Purpose
from tickets.models import NoReplyRuling, Ticket

AT, SECOND, DAY, HOUR = make.AT, make.SECOND, make.DAY, make.HOUR
State = Deadline.State


def answered_once(cast: Cast, received_at: dt.datetime = AT) -> Ticket:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=received_at)
    make.answer(ticket=ticket, by=cast.rita, at=received_at, accepted_at=received_at)
    return ticket


def bob() -> Customer:
    """A colleague of Carl's, who was in copy."""
    return make.customer(name="Bob", address="bob@northwind.example", organisation="Northwind")


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
    row = make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, seen_through={ticket.pk: 2**60})
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
        handling.no_reply_needed(
            ticket, by=cast.rita, at=AT + 2 * HOUR, reason=" ", seen_through={ticket.pk: message.pk}
        )
    handling.no_reply_needed(
        ticket, by=cast.rita, at=AT + 2 * HOUR, reason="Only thanks.", seen_through={ticket.pk: message.pk}
    )
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
    seen = {ticket.pk: make.message(ticket=ticket, at=AT + 2 * HOUR).pk}
    make.message(ticket=ticket, at=AT + 3 * HOUR)
    with pytest.raises(handling.NewMessageMeanwhile):
        handling.no_reply_needed(ticket, by=cast.rita, at=AT + 4 * HOUR, reason="Thanks.", seen_through=seen)


def test_where_we_wrote_first_the_customers_own_first_message_gets_an_answer(cast: Cast) -> None:
    ticket = handling.open_ticket(
        team=cast.team, subject="Your delivery", channel=Ticket.Channel.MAIL, received_at=AT, at=AT, by=cast.rita,
        customer=cast.carl, origin=Ticket.Origin.STAFF,
    )  # fmt: skip
    ours = make.answer(ticket=ticket, by=cast.rita, at=AT, accepted_at=AT, body="When may we deliver?")
    make.message(ticket=ticket, at=AT + HOUR, body="On Tuesday. And where is my invoice?")
    ruling = {"by": cast.rita, "reason": "Thanks.", "seen_through": make.on_screen(ticket=ticket)}
    with pytest.raises(handling.Refused, match="had none here yet"):
        handling.no_reply_needed(ticket, at=AT + 2 * HOUR, **ruling)
    # nor does it help to have it merged with another that nobody has answered
    other = handling.open_ticket(
        team=cast.team, subject="Your address", channel=Ticket.Channel.MAIL, received_at=AT, at=AT, by=cast.rita,
        customer=cast.carl, origin=Ticket.Origin.STAFF,
    )  # fmt: skip
    merging.merge(ticket, into=other, by=cast.sam, at=AT + 2 * HOUR)
    with pytest.raises(handling.Refused, match="had none here yet"):
        handling.no_reply_needed(other, at=AT + 3 * HOUR, **ruling)
    assert follow_ups(ticket)[0].state == State.OPEN
    # an answer that comes back is none
    answer = make.answer(ticket=other, by=cast.rita, at=AT + 4 * HOUR, accepted_at=AT + 4 * HOUR)
    make.bounce(interaction=answer, at=AT + 5 * HOUR)
    make.bounce(interaction=ours, at=AT + 5 * HOUR)
    with pytest.raises(handling.Refused, match="had none here yet"):
        handling.no_reply_needed(other, at=AT + 6 * HOUR, **ruling)
    make.answer(ticket=other, by=cast.rita, at=AT + 7 * HOUR, accepted_at=AT + 7 * HOUR)
    seen = {other.pk: make.message(ticket=other, at=AT + 8 * HOUR, body="Thanks!").pk}
    handling.no_reply_needed(
        other, by=cast.rita, at=AT + 9 * HOUR, reason="Only thanks.", seen_through=make.on_screen(ticket=other) | seen
    )
    assert {clock.state for clock in (*follow_ups(ticket), *follow_ups(other))} <= {State.MET}


def ruled(cast: Cast, monkeypatch: pytest.MonkeyPatch, *, drawn: bool = True) -> tuple[Ticket, NoReplyRuling]:
    """Thanks on a resolved ticket, of which Rita ruled that they ask for nothing."""
    monkeypatch.setattr(no_reply, "_is_drawn", lambda _row: drawn)
    ticket = answered_once(cast)
    lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=AT + HOUR, resolution="Corrected.")
    make.message(ticket=ticket, at=AT + 2 * HOUR, body="Thanks. And when do you come?")
    handling.no_reply_needed(
        ticket, by=cast.rita, at=AT + 3 * HOUR, reason="Only thanks.", seen_through=make.on_screen(ticket=ticket)
    )
    return Ticket.objects.get(pk=ticket.pk), NoReplyRuling.objects.get()


def test_a_share_is_drawn_which_nobody_can_tell_beforehand() -> None:
    drawn = [no_reply._is_drawn(Deadline(pk=number)) for number in range(1000)]
    assert 120 < sum(drawn) < 280
    assert drawn == [no_reply._is_drawn(Deadline(pk=number)) for number in range(1000)]


def test_a_drawn_ruling_is_checked_by_a_supervisor_who_did_not_make_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, row = ruled(cast, monkeypatch)
    assert (row.reason, row.ruled_by, row.is_sampled) == ("Only thanks.", cast.rita, True)
    assert [list(no_reply.to_check(user)) for user in (cast.sam, cast.rita, cast.olga)] == [[row], [], []]
    for stranger in (cast.rita, cast.olga):
        with pytest.raises(handling.Refused):
            no_reply.review(row, by=stranger, at=AT + 4 * HOUR, agrees=True)
    no_reply.review(row, by=cast.sam, at=AT + 4 * HOUR, agrees=True)
    row.refresh_from_db()
    assert (row.reviewed_by, row.review_agrees) == (cast.sam, True)
    assert [clock.state for clock in follow_ups(ticket)] == [State.MET]
    assert list(no_reply.to_check(cast.sam)) == []
    with pytest.raises(handling.Refused, match="checked already"):
        no_reply.review(row, by=cast.sam, at=AT + 5 * HOUR, agrees=False)


def test_nobody_checks_an_own_ruling_nor_one_that_was_not_drawn(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    _ticket, row = ruled(cast, monkeypatch, drawn=False)
    assert list(no_reply.to_check(cast.sam)) == []
    with pytest.raises(handling.Refused, match="not drawn"):
        no_reply.review(row, by=cast.sam, at=AT + 4 * HOUR, agrees=False)
    NoReplyRuling.objects.update(is_sampled=True)
    make.grant(user=cast.rita, role=Role.SUPERVISOR, team=cast.team)
    assert list(no_reply.to_check(cast.rita)) == []
    with pytest.raises(handling.Refused, match="yourself"):
        no_reply.review(row, by=cast.rita, at=AT + 4 * HOUR, agrees=True)


@pytest.mark.parametrize(("after", "state"), [(4 * HOUR, State.OPEN), (30 * HOUR, State.BREACHED)])
def test_overruled_the_clock_runs_again_to_its_first_due_time(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, after: dt.timedelta, state: str
) -> None:
    ticket, row = ruled(cast, monkeypatch)
    assert ticket.state == Ticket.State.RESOLVED
    no_reply.review(row, by=cast.sam, at=AT + after, agrees=False)
    first, again = follow_ups(ticket)
    assert (first.state, again.reopens, again.due_at, again.state) == (State.MET, first, AT + 26 * HOUR, state)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.next_obligation, ticket.next_due_at) == (
        Ticket.State.OPEN, "follow_up", AT + 26 * HOUR,
    )  # fmt: skip
    make.answer(ticket=ticket, by=cast.rita, at=AT + after + HOUR, accepted_at=AT + after + HOUR)
    again.refresh_from_db()
    assert again.met_at == AT + after + HOUR


def test_overruled_after_an_answer_all_the_same_nothing_is_owed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket, row = ruled(cast, monkeypatch)
    make.answer(ticket=ticket, by=cast.rita, at=AT + 5 * HOUR, accepted_at=AT + 5 * HOUR)
    no_reply.review(row, by=cast.sam, at=AT + 30 * HOUR, agrees=False)
    _first, again = follow_ups(ticket)
    assert (again.state, again.met_at) == (State.MET, AT + 5 * HOUR)
    assert not Breach.objects.filter(deadline=again).exists()


def test_what_is_to_be_checked_stands_with_the_rulings_on_mail(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket, row = ruled(cast, monkeypatch)
    sam = browser(cast.sam)
    page = sam.get("/unsorted/rulings/").content.decode()
    assert "Only thanks." in page
    assert ticket.reference in page
    assert "Only thanks." not in browser(cast.rita).get("/unsorted/rulings/").content.decode()
    assert browser(cast.olga).post(f"/unsorted/no-replies/{row.pk}/review/", {"agrees": "no"}).status_code == 404
    assert sam.post(f"/unsorted/no-replies/{row.pk}/review/", {"agrees": "no"}).status_code == 302
    row.refresh_from_db()
    assert row.review_agrees is False


def test_an_answer_by_telephone_is_one(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    talk = calls.Talk(direction=Direction.OUT, began_at=AT + HOUR, body="Explained it.", answers=True)
    calls.log_call(ticket, talk, by=cast.rita, at=AT + HOUR, seen_until=AT + HOUR)
    make.message(ticket=ticket, at=AT + 2 * HOUR, body="Thanks!")
    handling.no_reply_needed(
        ticket, by=cast.rita, at=AT + 3 * HOUR, reason="Only thanks.", seen_through=make.on_screen(ticket=ticket)
    )
    assert follow_ups(ticket)[0].state == State.MET


@pytest.mark.parametrize(
    ("body", "named"),
    [("My lawyer will write to you.", "lawyer"), ("I was injured.", "injured"), ("You owe me 90,000 EUR.", "90,000")],
)
def test_what_may_be_complex_is_more_than_thanks_until_somebody_has_decided(cast: Cast, body: str, named: str) -> None:
    ticket = answered_once(cast)
    lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=AT + HOUR, resolution="Corrected.")
    make.message(ticket=ticket, at=AT + 2 * HOUR, body=body)
    ruling = {"by": cast.rita, "reason": "Just a thank you.", "seen_through": make.on_screen(ticket=ticket)}
    with pytest.raises(handling.Refused, match=named):
        handling.no_reply_needed(ticket, at=AT + 3 * HOUR, **ruling)
    [clock] = follow_ups(ticket)
    assert (clock.state, Ticket.objects.get(pk=ticket.pk).state) == (State.OPEN, Ticket.State.OPEN)
    for to in (Ticket.State.RESOLVED, Ticket.State.CLOSED):
        found = {row.name: row.sentence for row in closing.missing(Ticket.objects.get(pk=ticket.pk), to)}
        assert named in found["proposal"]
    [row] = complexity.proposed(ticket)
    complexity.dismiss_proposal(ticket, by=cast.rita, at=AT + 3 * HOUR, reason="A joke of theirs.", through=row.pk)
    handling.no_reply_needed(ticket, at=AT + 3 * HOUR, **ruling)
    assert follow_ups(ticket)[0].state == State.MET
    assert closing.missing(Ticket.objects.get(pk=ticket.pk), Ticket.State.CLOSED) == []


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


def test_an_answer_to_somebody_in_copy_answers_the_customer_as_well(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(
        ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR, purpose=Purpose.HOLDING,
        cc=["bob@northwind.example"],
    )  # fmt: skip
    make.message(ticket=ticket, at=AT + 2 * HOUR, sender="bob@northwind.example", by=bob())
    row = make.answer(ticket=ticket, by=cast.rita, at=AT + 3 * HOUR, accepted_at=AT + 3 * HOUR)
    assert row.to == ["carl@northwind.example", "bob@northwind.example"]
    assert make.clocks(ticket=ticket, obligation="respond")[0].state == State.MET


def test_an_answer_that_does_not_reach_whoever_asked_answers_only_the_others(cast: Cast) -> None:
    ticket = answered_once(cast)
    make.message(ticket=ticket, at=AT + HOUR)
    make.message(ticket=ticket, at=AT + 2 * HOUR, sender="bob@northwind.example", by=bob())
    row = make.answer(ticket=ticket, by=cast.rita, at=AT + 3 * HOUR)
    make.accept(interaction=row, at=AT + 3 * HOUR, lost=["carl@northwind.example"])
    [clock] = follow_ups(ticket)
    assert clock.state == State.OPEN, "Bob has his answer; Carl, whose message began the clock, has not"
    assert cast.rita.notices.filter(kind="delivery").count() == 1
    again = make.answer(ticket=ticket, by=cast.rita, at=AT + 4 * HOUR)
    assert again.to == ["bob@northwind.example"], "mail to a dead address is not tried while there is another"


def test_whoever_wrote_meanwhile_and_is_not_reached_waits_from_the_own_receipt(cast: Cast) -> None:
    ticket = answered_once(cast)
    make.message(ticket=ticket, at=AT + HOUR)
    make.message(ticket=ticket, at=AT + 2 * HOUR, sender="bob@northwind.example", by=bob())
    row = make.answer(ticket=ticket, by=cast.rita, at=AT + 3 * HOUR)
    make.accept(interaction=row, at=AT + 3 * HOUR, lost=["bob@northwind.example"])
    assert [(clock.starts_at, clock.state) for clock in follow_ups(ticket)] == [
        (AT + HOUR, State.MET),
        (AT + 2 * HOUR, State.OPEN),
    ]


def test_a_ticket_that_was_merged_in_since_the_page_was_shown_is_not_answered_unseen(cast: Cast) -> None:
    older = make.ticket(team=cast.team, customer=cast.carl)
    newer = make.ticket(team=cast.team, customer=cast.carl, received_at=AT + HOUR)
    seen = make.on_screen(ticket=newer)
    merging.merge(older, into=newer, by=cast.sam, at=AT + 2 * HOUR)
    with pytest.raises(handling.NewMessageMeanwhile) as caught:
        make.answer(ticket=newer, by=cast.rita, at=AT + 3 * HOUR, seen_through=seen)
    assert [row.ticket_id for row in caught.value.unseen] == [older.pk]


def test_an_answer_speaks_to_what_it_was_written_to_whatever_is_separated_later(cast: Cast) -> None:
    older = make.ticket(team=cast.team, customer=cast.carl)
    newer = make.ticket(team=cast.team, customer=cast.carl, received_at=AT + HOUR)
    merging.merge(older, into=newer, by=cast.sam, at=AT + 2 * HOUR)
    row = make.answer(ticket=newer, by=cast.rita, at=AT + 3 * HOUR)
    merging.unmerge(older, by=cast.sam, at=AT + 4 * HOUR)
    make.accept(interaction=row, at=AT + 5 * HOUR)
    for ticket in (older, newer):
        assert make.clocks(ticket=ticket, obligation="respond")[0].state == State.MET
    make.bounce(interaction=row, at=AT + 6 * HOUR)
    for ticket in (older, newer):
        [_first, again] = make.clocks(ticket=ticket, obligation="respond")
        shown = Ticket.objects.get(pk=ticket.pk)
        assert (again.state, shown.respond, shown.state) == (State.OPEN, again, Ticket.State.OPEN)
        assert shown.next_obligation == "respond"


def test_what_waited_under_the_clock_of_a_merged_ticket_has_its_own_when_they_are_separated(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    under_way = make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR)
    make.message(ticket=ticket, at=AT + 2 * HOUR)
    other = make.ticket(team=cast.team, customer=cast.carl, received_at=AT + HOUR)
    merging.merge(other, into=ticket, by=cast.sam, at=AT + 3 * HOUR)
    make.accept(interaction=under_way, at=AT + 4 * HOUR)
    assert follow_ups(ticket) == [], "it waits under the other ticket's clock"
    merging.unmerge(other, by=cast.sam, at=AT + 5 * HOUR)
    assert [clock.starts_at for clock in follow_ups(ticket)] == [AT + 2 * HOUR]
    assert Ticket.objects.get(pk=ticket.pk).next_due_at == AT + 26 * HOUR


def test_what_is_ruled_genuine_later_waits_from_its_own_receipt(cast: Cast) -> None:
    ticket = answered_once(cast)
    make.message(ticket=ticket, at=AT + 10 * HOUR)
    make.message(ticket=ticket, at=AT + 11 * HOUR, received_at=AT + 4 * HOUR)
    assert [clock.starts_at for clock in follow_ups(ticket)] == [AT + 4 * HOUR, AT + 10 * HOUR]
    assert Ticket.objects.get(pk=ticket.pk).next_due_at == AT + 28 * HOUR
    make.answer(ticket=ticket, by=cast.rita, at=AT + 12 * HOUR, accepted_at=AT + 12 * HOUR)
    assert {clock.state for clock in follow_ups(ticket)} == {State.MET}


def test_a_contract_may_read_follow_ups_as_no_inquiries(cast: Cast) -> None:
    Version.objects.filter(pk=cast.version.pk).update(in_force_from=make.SINCE, in_force_until=AT)
    version = Version.objects.create(
        contract=cast.contract, number=1, title="Signed otherwise", in_force_from=AT, created_at=AT
    )
    Reading.objects.create(version=version, key="follow_ups_are_inquiries", value="no")
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    under_way = make.answer(ticket=ticket, by=cast.rita, at=AT)
    make.message(ticket=ticket, at=AT + HOUR)
    make.accept(interaction=under_way, at=AT + 2 * HOUR)
    make.message(ticket=ticket, at=AT + 3 * HOUR)
    assert follow_ups(ticket) == []
    assert Ticket.objects.get(pk=ticket.pk).state == Ticket.State.OPEN, "somebody reads it all the same"
