"""Clause 3.3: a case that needs higher authority is with a supervisor within 24 hours of its receipt.

The clock counts from the receipt of what made it complex, not from when somebody noticed. Nothing stands in the way of
an escalation; what nobody escalated in time goes up by itself, once.
"""

import datetime as dt

import pytest

from csp import deadlines, notices
from csp.models import Breach, Deadline, Notice
from tests import factories as make
from tests.cast import Cast
from tests.contract.edges import INSTANTS, NAMES
from tickets import complexity, escalation, handling, lifecycle, merging
from tickets.handling import Refused
from tickets.models import Escalation, Ticket

AT, SECOND, DAY, HOUR = make.AT, make.SECOND, make.DAY, make.HOUR
State = Deadline.State


def clock_of(ticket: Ticket) -> Deadline:
    [row] = make.clocks(ticket=ticket, obligation="escalate")
    return row


@pytest.mark.parametrize("receipt", INSTANTS, ids=NAMES)
@pytest.mark.parametrize(
    ("after", "state"), [(DAY - SECOND, State.MET), (DAY, State.MET), (DAY + SECOND, State.MET_LATE)]
)
def test_the_second_decides_and_counts_from_receipt(
    cast: Cast, receipt: dt.datetime, after: dt.timedelta, state: str
) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=receipt)
    escalation.escalate(ticket, by=cast.rita, at=receipt + after, reason="Above 500 euros")
    row = clock_of(ticket)
    assert (row.starts_at, row.due_at, row.state) == (receipt, receipt + DAY, state)


def test_marked_at_hour_thirty_it_is_born_breached(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    complexity.mark_complex(ticket, by=cast.rita, at=AT + 30 * HOUR, reason="A lawyer writes")
    row = clock_of(ticket)
    assert row.state == State.BREACHED
    breach = Breach.objects.get(deadline=row)
    assert (breach.breached_at, breach.detected_at) == (AT + DAY, AT + 30 * HOUR)
    escalation.pull(AT + 30 * HOUR)
    assert breach in {cause.breach for cause in Escalation.objects.get(ticket=ticket).causes.all()}


def test_it_counts_from_the_message_that_made_it_complex(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    fact = make.message(ticket=ticket, at=AT + 40 * HOUR, body="I go to court.")
    complexity.mark_complex(ticket, by=cast.rita, at=AT + 41 * HOUR, reason="Court", carried_by=fact)
    assert (clock_of(ticket).starts_at, clock_of(ticket).state) == (AT + 40 * HOUR, State.OPEN)


def test_what_nobody_escalated_goes_up_once_and_the_supervisors_know(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    complexity.mark_complex(ticket, by=cast.rita, at=AT + HOUR, reason="A lawyer writes")
    for _time in range(2):
        make.tick(at=AT + DAY + SECOND)
        row = Escalation.objects.get(ticket=ticket)
        assert (row.origin, row.from_user, row.raised_at) == (Escalation.Origin.BREACH, cast.rita, AT + DAY + SECOND)
        assert {cause.breach.obligation for cause in row.causes.all()} == {"respond", "escalate"}
    assert cast.sam.notices.filter(kind=Notice.Kind.BREACH).count() == 3  # acknowledge, respond, escalate


def test_with_nobody_to_escalate_to_administrators_are_told(cast: Cast) -> None:
    cast.sam.grants.update(ends_at=AT - HOUR)
    make.ticket(team=cast.team, customer=cast.carl)
    make.tick(at=AT + DAY + SECOND)
    assert cast.adam.notices.filter(kind=Notice.Kind.BREACH).count() == 3  # acknowledge, respond, triage
    assert not cast.sam.notices.exists()


def test_a_breach_joins_the_escalation_that_is_open(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    row = escalation.escalate(ticket, by=cast.rita, at=AT + HOUR, reason="Above 500 euros")
    make.tick(at=AT + DAY + SECOND)
    assert list(Escalation.objects.all()) == [row]
    assert [cause.breach.obligation for cause in row.causes.all()] == ["respond"]


def test_at_most_one_is_open_and_a_later_breach_opens_a_new_one(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    row = escalation.escalate(ticket, by=cast.rita, at=AT + HOUR, reason="Above 500 euros")
    again = escalation.escalate(ticket, by=cast.rita, at=AT + 2 * HOUR, reason="And a lawyer wrote")
    assert (again, again.reason) == (row, "Above 500 euros · And a lawyer wrote")
    assert cast.sam.notices.filter(kind=Notice.Kind.ESCALATION).count() == 2
    escalation.decide(row, by=cast.sam, at=AT + 3 * HOUR, decision=Escalation.Decision.APPROVE, note="Pay it.")
    make.tick(at=AT + DAY + SECOND)
    assert Escalation.objects.filter(ticket=ticket, closed_at__isnull=True).count() == 1
    assert Escalation.objects.filter(ticket=ticket).count() == 2


@pytest.mark.parametrize(
    ("decision", "says"), [("approve", "approves: Pay it."), ("reject", "rejects"), ("instruct", "instructs")]
)
def test_what_was_decided_reaches_the_representative(cast: Cast, decision: str, says: str) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    row = escalation.escalate(ticket, by=cast.rita, at=AT, reason="Above 500 euros")
    escalation.decide(row, by=cast.sam, at=AT + HOUR, decision=Escalation.Decision(decision), note="Pay it.")
    [told] = cast.rita.notices.filter(kind=Notice.Kind.RETURNED)
    assert says in notices.sentence(told)
    assert notices.sentence(told).endswith("Pay it.")
    again = escalation.escalate(ticket, by=cast.rita, at=AT + 2 * HOUR, reason="And now?")
    escalation.hand_back(again, by=cast.sam, at=AT + 3 * HOUR, reason="Within your limit")
    assert "hands it back: Within your limit" in notices.sentence(cast.rita.notices.order_by("pk").last())


def test_who_takes_over_has_the_ticket_and_its_clocks(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    row = escalation.escalate(ticket, by=cast.rita, at=AT, reason="Above 500 euros")
    escalation.decide(row, by=cast.sam, at=AT + HOUR, decision=Escalation.Decision.TAKE_OVER, note="")
    ticket.refresh_from_db()
    assert ticket.assignee == cast.sam
    assert make.clocks(ticket=ticket, obligation="respond")[0].responsible == cast.sam
    [told] = cast.rita.notices.filter(kind=Notice.Kind.RETURNED)
    assert "takes it over" in notices.sentence(told)


def test_a_breach_that_was_overlooked_for_days_is_found_by_the_look_at_everything(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    deadlines.sweep(AT + DAY + SECOND)
    much_later = AT + 10 * DAY
    assert escalation.pull(much_later) == 0
    assert escalation.pull_all(much_later) == 2  # of the answer, and of triage


def test_deciding_within_own_authority_meets_it_with_a_reason(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    complexity.mark_complex(ticket, by=cast.rita, at=AT + HOUR, reason="A refund")
    with pytest.raises(Refused):
        complexity.decide_within_authority(ticket, by=cast.rita, at=AT + 2 * HOUR, reason="")
    complexity.decide_within_authority(ticket, by=cast.rita, at=AT + 2 * HOUR, reason="Under my limit of 50 euros")
    assert (clock_of(ticket).state, clock_of(ticket).met_by) == (State.MET, cast.rita)


def test_nothing_but_a_reason_is_asked_for(cast: Cast) -> None:
    """New, unassigned, untyped, unacknowledged, marked by nobody: it goes up all the same."""
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    with pytest.raises(Refused, match="one sentence"):
        escalation.escalate(ticket, by=cast.rita, at=AT, reason="")
    escalation.escalate(ticket, by=cast.rita, at=AT, reason="I do not know what to do")


def test_a_complex_case_is_not_resolved_under_the_clock(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    complexity.mark_complex(ticket, by=cast.rita, at=AT + HOUR, reason="A refund")
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    with pytest.raises(Refused, match="marked complex"):
        lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=AT + 2 * HOUR)


def test_a_merge_carries_what_stands_before_a_supervisor(cast: Cast) -> None:
    one = make.ticket(team=cast.team, customer=cast.carl)
    other = make.ticket(team=cast.team, customer=cast.carl)
    row = escalation.escalate(one, by=cast.rita, at=AT + HOUR, reason="Above 500 euros")
    merging.merge(one, into=other, by=cast.rita, at=AT + 2 * HOUR)
    open_ones = Escalation.objects.filter(closed_at__isnull=True)
    assert [(item.ticket_id, item.reason, item.raised_at) for item in open_ones] == [
        (other.pk, "Above 500 euros", AT + HOUR)
    ]
    row.refresh_from_db()
    assert row.outcome == Escalation.Outcome.CLOSED


def test_what_turns_out_complex_while_a_breach_is_before_the_supervisor_is_met_by_that(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    make.tick(at=AT + DAY + SECOND)
    fact = make.message(ticket=ticket, at=AT + 26 * HOUR, body="I go to court.")
    complexity.mark_complex(ticket, by=cast.rita, at=AT + 27 * HOUR, reason="Court", carried_by=fact)
    assert (clock_of(ticket).state, clock_of(ticket).met_at) == (State.MET, AT + 27 * HOUR)


def test_a_person_escalates_what_the_product_has_handed_up_for_a_breach(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    make.tick(at=AT + DAY + SECOND)
    fact = make.message(ticket=ticket, at=AT + 26 * HOUR, body="I go to court.")
    row = escalation.escalate(ticket, by=cast.rita, at=AT + 27 * HOUR, reason="Court", carried_by=fact)
    assert row == Escalation.objects.get(ticket=ticket)
    assert "Court" in row.reason
    assert clock_of(ticket).state == State.MET
    assert cast.sam.notices.filter(kind=Notice.Kind.ESCALATION).count() == 1
    make.tick(at=AT + 52 * HOUR)
    assert not Breach.objects.filter(obligation="escalate").exists()


def test_what_the_product_hands_up_after_the_time_is_met_late_then(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    complexity.mark_complex(ticket, by=cast.rita, at=AT + HOUR, reason="A lawyer writes")
    make.answer(ticket=ticket, by=cast.rita, at=AT + 2 * HOUR, accepted_at=AT + 2 * HOUR)
    make.tick(at=AT + DAY + SECOND)
    row = clock_of(ticket)
    assert (row.state, row.met_at, row.met_how) == (State.MET_LATE, AT + DAY + SECOND, "handed up by the product")
    ticket.refresh_from_db()
    assert ticket.next_obligation == ""
    assert Breach.objects.filter(deadline=row).count() == 1


@pytest.mark.parametrize("state", [Ticket.State.RESOLVED, Ticket.State.CLOSED])
def test_a_finished_ticket_goes_up_and_is_open_again(cast: Cast, state: Ticket.State) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    lifecycle.change_state(ticket, to=state, by=cast.rita, at=AT + 2 * HOUR)
    escalation.escalate(ticket, by=cast.rita, at=AT + 3 * HOUR, reason="It is about a lawsuit")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_at, clock_of(ticket).state) == (Ticket.State.OPEN, None, State.MET)


def test_a_merge_into_what_is_before_a_supervisor_meets_both_clocks(cast: Cast) -> None:
    one = make.ticket(team=cast.team, customer=cast.carl)
    other = make.ticket(team=cast.team, customer=cast.carl)
    complexity.mark_complex(one, by=cast.rita, at=AT + HOUR, reason="A refund")
    escalation.escalate(other, by=cast.rita, at=AT + HOUR, reason="Above 500 euros")
    merging.merge(one, into=other, by=cast.rita, at=AT + 2 * HOUR)
    assert clock_of(one).state == State.MET


def test_an_answer_that_resolves_does_not_hide_that_a_supervisor_must_hear_of_it(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    complexity.mark_complex(ticket, by=cast.rita, at=AT + HOUR, reason="A legal threat.")
    row = handling.respond(
        ticket, by=cast.rita, at=AT + 2 * HOUR, body="Done.", seen_through=make.on_screen(ticket=ticket),
        then=Ticket.State.RESOLVED,
    )  # fmt: skip
    make.accept(interaction=row, at=AT + 2 * HOUR)
    shown = Ticket.objects.get(pk=ticket.pk)
    assert (shown.state, shown.next_obligation) == (Ticket.State.OPEN, "escalate")


def test_separating_gives_back_what_stood_before_a_supervisor_with_its_clock(cast: Cast) -> None:
    one = make.ticket(team=cast.team, customer=cast.carl)
    other = make.ticket(team=cast.team, customer=cast.carl)
    complexity.mark_complex(other, by=cast.rita, at=AT, reason="A refund")
    escalation.escalate(one, by=cast.rita, at=AT + HOUR, reason="Above 500 euros")
    due = Escalation.objects.get(ticket=one).take_up.due_at  # type: ignore[union-attr]  # it was just started
    merging.merge(one, into=other, by=cast.rita, at=AT + 2 * HOUR)
    assert clock_of(other).state == State.MET
    merging.unmerge(one, by=cast.rita, at=AT + 3 * HOUR)
    row = Escalation.objects.get(closed_at__isnull=True)
    assert (row.ticket_id, row.reason, row.raised_at) == (one.pk, "Above 500 euros", AT + HOUR)
    assert row.take_up is not None
    assert (row.take_up.due_at, row.take_up.is_running) == (due, True)
    assert not other.escalations.filter(closed_at__isnull=True).exists()
    # the other was before a supervisor by the merge alone
    assert Ticket.objects.get(pk=other.pk).next_obligation == "escalate"
    assert make.clocks(ticket=other, obligation="escalate")[-1].due_at == AT + DAY


def test_separating_raises_again_what_had_joined_the_others_escalation(cast: Cast) -> None:
    one = make.ticket(team=cast.team, customer=cast.carl)
    other = make.ticket(team=cast.team, customer=cast.carl)
    for ticket, reason in ((one, "Above 500 euros"), (other, "A lawsuit")):
        escalation.escalate(ticket, by=cast.rita, at=AT + HOUR, reason=reason)
    merging.merge(one, into=other, by=cast.rita, at=AT + 2 * HOUR)
    merging.unmerge(one, by=cast.rita, at=AT + 3 * HOUR)
    rows = Escalation.objects.filter(closed_at__isnull=True).order_by("ticket")
    assert [(row.ticket_id, row.reason) for row in rows] == [(one.pk, "Above 500 euros"), (other.pk, "A lawsuit")]
    assert all(row.take_up is not None and row.take_up.is_running for row in rows)


@pytest.mark.parametrize("state", [Ticket.State.WAITING, Ticket.State.RESOLVED, Ticket.State.CLOSED])
def test_separating_restores_the_state(cast: Cast, state: Ticket.State) -> None:
    one = make.ticket(team=cast.team, customer=cast.carl)
    other = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=one, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    if state != Ticket.State.WAITING:
        lifecycle.change_state(one, to=state, by=cast.rita, at=AT + 2 * HOUR)
    before = Ticket.objects.get(pk=one.pk)
    merging.merge(one, into=other, by=cast.rita, at=AT + 3 * HOUR)
    merging.unmerge(one, by=cast.rita, at=AT + 4 * HOUR)
    after = Ticket.objects.get(pk=one.pk)
    assert (after.state, after.resolved_at, after.closed_at) == (state, before.resolved_at, before.closed_at)
    assert after.next_obligation == ""


def test_the_clock_of_a_merged_matter_counts_from_its_earliest_receipt(cast: Cast) -> None:
    early = make.ticket(team=cast.team, customer=cast.carl, received_at=AT)
    late = make.ticket(team=cast.team, customer=cast.carl, received_at=AT + 5 * HOUR)
    merging.merge(early, into=late, by=cast.rita, at=AT + 6 * HOUR)
    complexity.mark_complex(late, by=cast.rita, at=AT + 6 * HOUR, reason="A refund")
    assert (clock_of(late).starts_at, clock_of(late).due_at) == (AT, AT + DAY)
