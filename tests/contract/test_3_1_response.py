"""Clause 3.1, response: within 24 hours of receipt a person's substantive answer has reached the customer.

A holding message, a note, a state, an automatic mail do not answer. What is answered late is a breach that stays one.
"""

import datetime as dt

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from csp import deadlines
from csp.models import Breach, Deadline, Mailbox, Notice, OutboundMessage
from tests import factories as make
from tests.cast import Cast
from tests.contract.edges import INSTANTS, NAMES
from tickets import delivery, handling, lifecycle
from tickets.conversation import Purpose
from tickets.models import Delivery, Escalation, Ticket

SECOND, DAY, HOUR = make.SECOND, make.DAY, make.HOUR
State = Deadline.State


def response_to(ticket: Ticket) -> Deadline:
    return Deadline.objects.get(pk=Ticket.objects.get(pk=ticket.pk).respond_id)


@pytest.mark.parametrize("receipt", INSTANTS, ids=NAMES)
@pytest.mark.parametrize(
    ("after", "state"), [(DAY - SECOND, State.MET), (DAY, State.MET), (DAY + SECOND, State.MET_LATE)]
)
def test_an_answer_counts_from_the_second_in_which_it_was_accepted_outside(
    cast: Cast, receipt: dt.datetime, after: dt.timedelta, state: str
) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=receipt)
    make.answer(ticket=ticket, by=cast.rita, at=receipt + HOUR, accepted_at=receipt + after)
    row = response_to(ticket)
    assert (row.state, row.met_at, row.met_by) == (state, receipt + after, cast.rita)
    breaches = list(Breach.objects.filter(deadline=row).values_list("breached_at", flat=True))
    assert breaches == ([receipt + DAY] if state == State.MET_LATE else [])


@pytest.mark.parametrize("receipt", INSTANTS, ids=NAMES)
def test_nobody_is_condemned_at_the_second_itself(cast: Cast, receipt: dt.datetime) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=receipt)
    for after, state in ((DAY - SECOND, State.OPEN), (DAY, State.OPEN), (DAY + SECOND, State.BREACHED)):
        make.tick(at=receipt + after)
        assert response_to(ticket).state == state
    breach = Breach.objects.get(deadline=response_to(ticket))
    assert (breach.breached_at, breach.detected_at) == (receipt + DAY, receipt + DAY + SECOND)


def test_exactly_one_breach_escalation_and_set_of_notices_for_each_unanswered_ticket(cast: Cast) -> None:
    tickets = [make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita) for _number in range(3)]
    at = (make.AT + DAY + SECOND).isoformat()
    for _time in range(2):
        call_command("tick", "--at", at)
        for ticket in tickets:
            breach = Breach.objects.get(deadline=response_to(ticket))
            assert Escalation.objects.get(ticket=ticket).causes.get(breach__obligation="respond").breach == breach
            told = Notice.objects.filter(key=f"breach:{breach.pk}").values_list("user__name", flat=True)
            assert sorted(told) == ["Rita Representative", "Sam Supervisor"]
    assert Breach.objects.filter(obligation="respond").count() == 3


def test_a_holding_message_answers_nothing(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(
        ticket=ticket, by=cast.rita, at=make.AT + HOUR, accepted_at=make.AT + HOUR, purpose=Purpose.HOLDING
    )  # fmt: skip
    assert response_to(ticket).state == State.OPEN
    assert Ticket.objects.get(pk=ticket.pk).state == Ticket.State.OPEN


def test_a_note_answers_nothing_and_never_leaves(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    row = handling.note(ticket, by=cast.rita, at=make.AT + HOUR, body="He is right.")
    assert response_to(ticket).state == State.OPEN
    assert not hasattr(row, "delivery")


@pytest.mark.parametrize("state", [Ticket.State.WAITING, Ticket.State.RESOLVED, Ticket.State.CLOSED])
def test_no_state_hides_a_customer_who_waits(cast: Cast, state: Ticket.State) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    with pytest.raises(handling.Refused, match="has not been answered"):
        lifecycle.change_state(ticket, to=state, by=cast.rita, at=make.AT + HOUR)
    assert response_to(ticket).state == State.OPEN


def test_an_answer_under_way_lets_the_ticket_be_resolved_unless_the_customer_wrote_after_it(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + HOUR)
    make.message(ticket=ticket, at=make.AT + 2 * HOUR)
    with pytest.raises(handling.Refused, match="has not been answered"):
        lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=make.AT + 3 * HOUR)
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + 4 * HOUR)
    lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=make.AT + 4 * HOUR)


def test_a_late_answer_records_its_own_breach_and_does_not_undo_it(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.tick(at=make.AT + DAY + SECOND)
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + 25 * HOUR, accepted_at=make.AT + 25 * HOUR)
    row = response_to(ticket)
    assert (row.state, row.met_at) == (State.MET_LATE, make.AT + 25 * HOUR)
    assert Breach.objects.filter(deadline=row).count() == 1


def test_what_was_accepted_in_time_but_known_late_keeps_its_time_beside_the_breach(cast: Cast) -> None:
    """Our own outage is a cause, never an excuse: the breach stands until it is assessed."""
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    row = make.answer(ticket=ticket, by=cast.rita, at=make.AT + HOUR)
    deadlines.sweep(make.AT + DAY + SECOND)
    make.accept(interaction=row, at=make.AT + 2 * HOUR, settle_at=make.AT + 25 * HOUR)
    response = response_to(ticket)
    assert (response.state, response.met_at) == (State.MET_LATE, make.AT + 2 * HOUR)
    assert Breach.objects.filter(deadline=response).exists()


@pytest.mark.parametrize(
    ("after", "state"), [(DAY - SECOND, State.MET), (DAY, State.MET), (DAY + SECOND, State.MET_LATE)]
)
def test_nobody_is_condemned_while_an_acceptance_is_not_acted_on(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, after: dt.timedelta, state: str
) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    unanswered = make.ticket(team=cast.team, customer=cast.rhea)
    row = make.answer(ticket=ticket, by=cast.rita, at=make.AT + HOUR)
    with monkeypatch.context() as broken:
        broken.setattr(delivery, "_accepted", lambda *_: 1 / 0)
        make.accept(interaction=row, at=make.AT + after)
        make.tick(at=make.AT + DAY + SECOND)
    assert delivery.unsettled_since() == make.AT + after
    assert response_to(unanswered).state == State.BREACHED, "one mail that fails spares no other ticket"
    kept = state == State.MET
    assert response_to(ticket).state == (State.OPEN if kept else State.BREACHED)
    make.tick(at=make.AT + 25 * HOUR)
    assert (response_to(ticket).state, response_to(ticket).met_at) == (state, make.AT + after)
    assert Breach.objects.filter(deadline=response_to(ticket)).exists() is not kept
    assert delivery.unsettled_since() is None


@pytest.mark.django_db(transaction=True)
def test_the_clock_waits_for_nobody_who_holds_a_ticket(cast: Cast) -> None:
    held, free = [make.ticket(team=cast.team, customer=each) for each in (cast.carl, cast.rhea)]
    rows = [make.answer(ticket=ticket, by=cast.rita, at=make.AT + HOUR) for ticket in (held, free)]
    OutboundMessage.objects.filter(pk__in=Delivery.objects.filter(interaction__in=rows).values("message")).update(
        state=OutboundMessage.State.ACCEPTED, accepted_at=make.AT + DAY, ended_at=make.AT + DAY
    )
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("select 1 from tickets_ticket where id = %s for no key update", [held.pk])
        make.tick(at=make.AT + DAY + SECOND)
        assert [response_to(ticket).state for ticket in (held, free)] == [State.OPEN, State.MET]
    finally:
        other.rollback()
        other.close()
    make.tick(at=make.AT + DAY + SECOND)
    assert response_to(held).state == State.MET


def test_a_returned_answer_is_owed_again_breached_at_once_if_late(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    row = make.answer(ticket=ticket, by=cast.rita, at=make.AT + HOUR, accepted_at=make.AT + HOUR)
    first = response_to(ticket)
    make.bounce(interaction=row, at=make.AT + 25 * HOUR)
    again = response_to(ticket)
    assert (again.reopens, again.due_at, again.state) == (first, make.AT + DAY, State.BREACHED)
    assert Breach.objects.get(deadline=again).breached_at == make.AT + DAY
    assert Ticket.objects.get(pk=ticket.pk).state == Ticket.State.OPEN
    assert cast.rita.notices.filter(kind=Notice.Kind.DELIVERY).count() == 1
    make.bounce(interaction=row, at=make.AT + 26 * HOUR)
    assert Deadline.objects.filter(reopens=first).count() == 1, "a second report of the same changes nothing"


def test_a_message_taken_in_late_does_not_move_the_clock(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT, at=make.AT + 30 * HOUR)
    row = response_to(ticket)
    assert (row.starts_at, row.due_at, row.state) == (make.AT, make.AT + DAY, State.BREACHED)
    assert Breach.objects.get(deadline=row).detected_at == make.AT + 30 * HOUR


def test_people_are_reminded_at_half_at_eighty_and_at_ninety_five_per_cent(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    told = {}
    for share in (49, 50, 79, 80, 94, 95, 100):
        make.tick(at=make.AT + DAY * share / 100)
        rows = Notice.objects.filter(kind=Notice.Kind.REMINDER, deadline=response_to(ticket))
        told[share] = sorted(rows.values_list("user__name", "facts__mark"))
    rita, sam = "Rita Representative", "Sam Supervisor"
    assert told[49] == []
    assert told[50] == told[79] == [(rita, "50%")]
    assert told[80] == told[94] == [(rita, "50%"), (rita, "80%"), (sam, "80%")]
    assert told[95] == told[100] == [(rita, "50%"), (rita, "80%"), (rita, "95%"), (sam, "80%"), (sam, "95%")]


def test_after_downtime_only_the_latest_mark_is_told(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    make.tick(at=make.AT + DAY * 90 / 100)
    marks = Notice.objects.filter(kind=Notice.Kind.REMINDER).values_list("facts__mark", flat=True)
    assert set(marks) == {"80%"}


def test_the_first_mark_of_somebody_who_left_goes_up(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    type(cast.rita).objects.filter(pk=cast.rita.pk).update(is_active=False, left_at=make.AT)
    deadlines.remind(make.AT + DAY / 2)
    marks = Notice.objects.filter(facts__obligation="respond")
    assert list(marks.values_list("user__name", flat=True)) == ["Sam Supervisor"]


def test_an_answer_costs_at_most_twenty_statements(cast: Cast) -> None:
    box = Mailbox.objects.create(
        team=cast.team, address="help@desk.example", name="Desk", cut_over_at=make.SINCE, created_at=make.SINCE
    )
    ticket = make.ticket(team=cast.team, customer=cast.carl, mailbox=box)
    seen = make.on_screen(ticket=ticket)
    with CaptureQueriesContext(connection) as statements:
        make.answer(ticket=ticket, by=cast.rita, at=make.AT + HOUR, seen_through=seen)
    asked = [row for row in statements if not row["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(asked) <= 20
