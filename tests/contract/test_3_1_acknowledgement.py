"""Clause 3.1, acknowledgement: within 24 hours of receipt the customer has been told that the message arrived.

An automatic acknowledgement counts where the version in force reads it so, a person's words always do; what counts is
the first server outside that takes the mail, not the writing. No hour of the clock is left out or counted twice.
"""

import datetime as dt

import pytest

from csp.models import Breach, Deadline, OutboundMessage, Reading
from tests import factories as make
from tests.cast import Cast
from tests.contract.edges import INSTANTS, NAMES
from tickets import acknowledging
from tickets.conversation import Purpose
from tickets.models import Interaction, Ticket

SECOND, DAY, HOUR = make.SECOND, make.DAY, make.HOUR
State = Deadline.State


def acknowledged(ticket: Ticket) -> Deadline:
    return Deadline.objects.get(pk=Ticket.objects.get(pk=ticket.pk).acknowledge_id)


def acknowledgement_of(ticket: Ticket) -> Interaction:
    return Interaction.objects.get(ticket=ticket, purpose=Purpose.ACKNOWLEDGEMENT)


@pytest.mark.parametrize("receipt", INSTANTS, ids=NAMES)
@pytest.mark.parametrize(
    ("after", "state"), [(DAY - SECOND, State.MET), (DAY, State.MET), (DAY + SECOND, State.MET_LATE)]
)
def test_the_second_decides(cast: Cast, receipt: dt.datetime, after: dt.timedelta, state: str) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=receipt)
    acknowledging.acknowledge(receipt)
    make.accept(interaction=acknowledgement_of(ticket), at=receipt + after)
    row = acknowledged(ticket)
    assert row.due_at - row.starts_at == DAY
    assert (row.state, row.met_at) == (state, receipt + after)
    assert Breach.objects.filter(deadline=row).exists() is (state == State.MET_LATE)


def test_what_waits_in_our_own_outbox_acknowledges_nothing(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    acknowledging.acknowledge(make.AT)
    assert OutboundMessage.objects.get().state == OutboundMessage.State.QUEUED
    make.tick(at=make.AT + DAY + SECOND)
    assert acknowledged(ticket).state == State.BREACHED
    assert Breach.objects.get(deadline=acknowledged(ticket)).breached_at == make.AT + DAY


@pytest.mark.parametrize("purpose", [Purpose.ANSWER, Purpose.HOLDING])
def test_the_words_of_a_person_acknowledge_too(cast: Cast, purpose: str) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + HOUR, accepted_at=make.AT + HOUR, purpose=purpose)
    row = acknowledged(ticket)
    assert (row.state, row.met_by) == (State.MET, cast.rita)


def test_where_the_version_reads_it_so_an_automatic_one_does_not_count(cast: Cast) -> None:
    version = cast.contract.versions.create(number=1, title="Strict", created_at=make.SINCE)
    Reading.objects.create(version=version, key="automatic_acknowledgement_counts", value="no")
    cast.contract.versions.filter(number=0).update(in_force_until=make.SINCE + 4000 * DAY)
    cast.contract.versions.filter(number=0).update(in_force_from=make.SINCE - DAY)
    version.in_force_from = make.SINCE
    version.save()
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    acknowledging.acknowledge(make.AT)
    make.accept(interaction=acknowledgement_of(ticket), at=make.AT + SECOND)
    assert acknowledged(ticket).state == State.OPEN
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + HOUR, accepted_at=make.AT + HOUR)
    assert acknowledged(ticket).state == State.MET


def test_a_refused_acknowledgement_leaves_the_duty_open_and_asks_a_person(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    acknowledging.acknowledge(make.AT)
    make.refuse(interaction=acknowledgement_of(ticket), at=make.AT + HOUR)
    assert acknowledged(ticket).state == State.OPEN
    assert list(cast.rita.notices.values_list("kind", flat=True)) == ["delivery"]


def test_a_returned_acknowledgement_is_owed_again_with_its_first_due_time(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    acknowledging.acknowledge(make.AT)
    make.accept(interaction=acknowledgement_of(ticket), at=make.AT + SECOND)
    first = acknowledged(ticket)
    make.bounce(interaction=acknowledgement_of(ticket), at=make.AT + HOUR)
    again = acknowledged(ticket)
    assert again.pk != first.pk
    assert (again.reopens, again.due_at, again.state) == (first, first.due_at, State.OPEN)
    first.refresh_from_db()
    assert (first.state, first.met_at) == (State.MET, make.AT + SECOND)


def test_one_that_came_back_is_made_good_by_the_answer_that_arrived(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    acknowledging.acknowledge(make.AT)
    make.accept(interaction=acknowledgement_of(ticket), at=make.AT + SECOND)
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + HOUR, accepted_at=make.AT + HOUR)
    make.bounce(interaction=acknowledgement_of(ticket), at=make.AT + 2 * DAY)
    again = acknowledged(ticket)
    assert (again.state, again.met_at) == (State.MET, make.AT + HOUR)
    assert not Breach.objects.exists()


def test_imported_and_outbound_first_tickets_owe_none_and_say_why(cast: Cast) -> None:
    for origin in (Ticket.Origin.IMPORTED, Ticket.Origin.STAFF):
        ticket = make.ticket(team=cast.team, customer=cast.carl, origin=origin)
        assert acknowledged(ticket).state == State.VOID
        assert acknowledged(ticket).void_why
    acknowledging.acknowledge(make.AT)
    make.tick(at=make.AT + 30 * DAY)
    assert not Breach.objects.exists()
    assert not OutboundMessage.objects.filter(kind=OutboundMessage.Kind.ACKNOWLEDGEMENT).exists()
