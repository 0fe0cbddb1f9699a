"""Clauses 3.1 and 4.1 by telephone: an answered call keeps what a mail would have kept, at the instant it ends.

What is written down more than a quarter of an hour later meets nothing before another person, a supervisor, says so.
"""

from __future__ import annotations

import datetime as dt

import pytest

from csp.access import Refused
from csp.models import Address, Breach, Customer, Deadline, Version
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser  # noqa: F401  a fixture
from tickets import calls, customers, opening
from tickets.calls import Talk
from tickets.conversation import Direction
from tickets.models import Call, Interaction, Ticket

AT, HOUR, DAY, SECOND = make.AT, make.HOUR, make.DAY, make.SECOND
MINUTE = dt.timedelta(minutes=1)
State = Deadline.State


def talked(began_at: dt.datetime, *, out: bool = True, answers: bool = True, answered: bool = True) -> Talk:
    direction = Direction.OUT if out else Direction.IN
    return Talk(direction, began_at, "Told them the date.", 5 * MINUTE, is_answered=answered, answers=answers)


def states(ticket: Ticket) -> dict[str, str]:
    return {row.obligation: row.state for row in make.clocks(ticket=ticket) if row.clause == "3.1"}


@pytest.fixture
def phil(cast: Cast) -> Customer:
    """Somebody who has a telephone and nothing else."""
    return customers.find_or_add(name="Phil Phone", email="", phone="02079460000", by=cast.rita, at=AT)


def written_down(cast: Cast, phil: Customer, talk: Talk, at: dt.datetime) -> Ticket:
    return opening.write_down(
        team=cast.team, customer=phil, channel=Ticket.Channel.PHONE, received_at=talk.began_at, subject="A call",
        body=talk.body, by=cast.rita, at=at, talk=talk,
    )  # fmt: skip


def test_a_customer_with_a_telephone_alone_is_answered_in_the_call(cast: Cast, phil: Customer) -> None:
    ticket = written_down(cast, phil, talked(AT, out=False), at=AT + 6 * MINUTE)
    assert states(ticket) == {"acknowledge": State.MET, "respond": State.MET}
    assert {row.met_at for row in make.clocks(ticket=ticket) if row.clause == "3.1"} == {AT + 5 * MINUTE}
    make.tick(at=AT + 2 * DAY)
    assert not Breach.objects.exclude(obligation="record").exists()


def test_a_live_call_acknowledges_and_answers_only_if_it_did(cast: Cast, phil: Customer) -> None:
    ticket = written_down(cast, phil, talked(AT, out=False, answers=False), at=AT + 6 * MINUTE)
    assert states(ticket) == {"acknowledge": State.MET, "respond": State.OPEN}


def test_the_reading_of_the_contract_decides_whether_a_live_call_acknowledges(cast: Cast, phil: Customer) -> None:
    other = Version.objects.create(contract=cast.contract, number=7, title="Strict", created_at=AT)
    other.readings.create(key="live_call_acknowledges", value="no")
    cast.contract.versions.filter(number=0).update(in_force_from=AT - 2 * DAY, in_force_until=AT - DAY)
    other.in_force_from = AT - DAY
    other.save()
    ticket = written_down(cast, phil, talked(AT, out=False, answers=False), at=AT + 6 * MINUTE)
    assert states(ticket) == {"acknowledge": State.OPEN, "respond": State.OPEN}


def test_a_voicemail_is_received_when_it_ends_and_meets_nothing(cast: Cast, phil: Customer) -> None:
    talk = talked(AT, out=False, answers=False, answered=False)
    ticket = written_down(cast, phil, talk, at=AT + 6 * MINUTE)
    assert ticket.respond.starts_at == AT + 5 * MINUTE
    assert set(states(ticket).values()) == {State.OPEN}


def test_calling_the_customer_answers_what_they_wrote(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    row = calls.log_call(ticket, talked(AT + HOUR), by=cast.rita, at=AT + 65 * MINUTE, seen_until=AT + HOUR)
    assert states(ticket) == {"acknowledge": State.MET, "respond": State.MET}
    assert ticket.respond.met_at is None  # stale
    ticket.respond.refresh_from_db()
    assert (ticket.respond.met_at, ticket.respond.met_how) == (AT + 65 * MINUTE, f"interaction:{row.pk}")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.assignee) == (Ticket.State.WAITING, cast.rita)


def test_nobody_picked_up(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    talk = talked(AT + HOUR, answers=False, answered=False)
    calls.log_call(ticket, talk, by=cast.rita, at=AT + 65 * MINUTE, seen_until=AT + HOUR)
    assert set(states(ticket).values()) == {State.OPEN}
    with pytest.raises(Refused, match="answers nothing"):
        calls.log_call(ticket, talked(AT, answered=False), by=cast.rita, at=AT + HOUR, seen_until=AT)


def test_a_call_answers_only_what_its_author_had_seen(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.message(ticket=ticket, at=AT + 50 * MINUTE, body="And a second question.")
    calls.log_call(ticket, talked(AT + HOUR), by=cast.rita, at=AT + 65 * MINUTE, seen_until=AT + 40 * MINUTE)
    assert states(ticket)["respond"] == State.MET
    [after] = make.clocks(ticket=ticket, obligation="follow_up")
    assert (after.starts_at, after.state) == (AT + 50 * MINUTE, State.OPEN)


def test_the_customer_calls_again_and_that_is_an_inquiry(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    talk = talked(AT + 2 * HOUR, out=False, answers=False)
    calls.log_call(ticket, talk, by=cast.rita, at=AT + 2 * HOUR + 6 * MINUTE, seen_until=AT + 2 * HOUR)
    [clock] = make.clocks(ticket=ticket, obligation="follow_up")
    assert (clock.starts_at, clock.state) == (AT + 2 * HOUR, State.OPEN)
    again = talked(AT + 3 * HOUR)
    calls.log_call(ticket, again, by=cast.rita, at=AT + 3 * HOUR + 6 * MINUTE, seen_until=AT + 3 * HOUR)
    clock.refresh_from_db()
    assert (clock.state, clock.met_at) == (State.MET, AT + 3 * HOUR + 5 * MINUTE)


@pytest.mark.parametrize(("late", "state"), [(15 * MINUTE, State.MET), (15 * MINUTE + SECOND, State.OPEN)])
def test_a_quarter_of_an_hour_decides_whether_it_counts_by_itself(cast: Cast, late: dt.timedelta, state: str) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    talk = talked(AT + HOUR)
    calls.log_call(ticket, talk, by=cast.rita, at=talk.ended_at + late, seen_until=AT + HOUR)
    assert states(ticket)["respond"] == state
    assert cast.sam.notices.filter(key__startswith="call:").exists() == (state == State.OPEN)


def test_confirmed_it_counts_from_the_call_even_after_the_breach(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    talk = talked(AT + HOUR)
    row = calls.log_call(ticket, talk, by=cast.rita, at=AT + 3 * HOUR, seen_until=AT + HOUR)
    make.tick(at=AT + DAY + SECOND)
    with pytest.raises(Refused, match="role"):
        calls.confirm(row.call, by=cast.rita, at=AT + 2 * DAY, agrees=True, reason="I know")
    calls.confirm(row.call, by=cast.sam, at=AT + 2 * DAY, agrees=True, reason="The switchboard's list")
    clock = ticket.respond
    clock.refresh_from_db()
    assert (clock.state, clock.met_at) == (State.MET_LATE, talk.ended_at)  # the breach stays; it may be assessed
    with pytest.raises(Refused, match="any more"):
        calls.confirm(row.call, by=cast.sam, at=AT + 2 * DAY, agrees=False, reason="x")


def test_nobody_confirms_an_own_call_and_a_refused_one_meets_nothing(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    row = calls.log_call(ticket, talked(AT + HOUR), by=cast.sam, at=AT + 3 * HOUR, seen_until=AT + HOUR)
    with pytest.raises(Refused, match="yourself"):
        calls.confirm(row.call, by=cast.sam, at=AT + 4 * HOUR, agrees=True, reason="I know")
    mine = calls.log_call(ticket, talked(AT + HOUR), by=cast.rita, at=AT + 3 * HOUR, seen_until=AT + HOUR)
    calls.confirm(mine.call, by=cast.sam, at=AT + 4 * HOUR, agrees=False, reason="Not on the list")
    assert states(ticket)["respond"] == State.OPEN


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (talked(AT + 2 * HOUR), "time to come"),
        (Talk(Direction.OUT, AT, " "), "what was said"),
        (Talk(Direction.OUT, AT, "x", 13 * HOUR), "twelve hours"),
    ],
)
def test_what_cannot_have_been_a_call_is_refused(cast: Cast, talk: Talk, words: str) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    with pytest.raises(Refused, match=words):
        calls.log_call(ticket, talk, by=cast.rita, at=AT + HOUR, seen_until=AT)
    assert not Call.objects.exists()


@pytest.mark.usefixtures("at_nine")
def test_by_the_browser(cast: Cast, phil: Customer) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * HOUR)
    Address.objects.create(customer=cast.carl, kind=Address.Kind.PHONE, value="0301234567", created_at=AT)
    rita, path = browser(cast.rita), f"/tickets/{ticket.pk}/call/"
    assert "0301234567" in rita.get(path).content.decode()
    good = {
        "direction": "out", "minutes": "4", "is_answered": "on", "answers": "on", "body": "Told them the date.",
        "seen_until": AT.isoformat(),
    }  # fmt: skip
    assert rita.post(path, good | {"body": ""}).status_code == 422
    assert rita.post(path, good | {"began_at": "2025-03-03T08:00"}).status_code == 302
    page = browser(cast.sam).get(f"/tickets/{ticket.pk}/").content.decode()
    assert "meets nothing until it is confirmed" in page
    row = Interaction.objects.get(kind="call")
    confirm = f"/tickets/{ticket.pk}/calls/{row.pk}/"
    assert confirm in page
    assert rita.get(confirm).status_code == 403
    assert browser(cast.sam).post(confirm, {"agrees": "yes", "reason": "The list says so"}).status_code == 302
    assert states(ticket)["respond"] == State.MET
    assert "Answers the customer" in rita.get(f"/tickets/{ticket.pk}/").content.decode()
