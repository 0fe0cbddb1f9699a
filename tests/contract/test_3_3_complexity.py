"""Clause 3.3: whether a case is complex is decided by a person, at the latest with the first answer.

Rules propose and decide nothing. What nobody has decided goes up as a precaution at exactly 23 hours, counted apart.
"""

from __future__ import annotations

import datetime as dt

import pytest

from csp import deadlines, restrictions
from csp.models import Breach, Deadline, Notice, Restriction
from tests import factories as make
from tests.cast import Cast
from tests.contract.edges import INSTANTS, NAMES
from tickets import complexity, escalation, handling, lifecycle, merging
from tickets.complexity import Decision
from tickets.handling import Refused
from tickets.models import ComplexityProposal, CoSignature, Escalation, Interaction, Ticket

AT, SECOND, DAY, HOUR = make.AT, make.SECOND, make.DAY, make.HOUR
State, Origin = Deadline.State, Escalation.Origin
TRIAGE = 23 * HOUR


def triage(ticket: Ticket) -> Deadline:
    [row] = make.clocks(ticket=ticket, obligation="triage")
    return row


# ---------------------------------------------------------------- the precaution


@pytest.mark.parametrize("receipt", INSTANTS, ids=NAMES)
def test_untriaged_it_goes_up_right_after_the_twenty_third_hour(cast: Cast, receipt: dt.datetime) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=receipt, assignee=cast.rita)
    make.tick(at=receipt + TRIAGE)
    assert not Escalation.objects.exists()
    for _time in range(2):
        make.tick(at=receipt + TRIAGE + SECOND)
        row = Escalation.objects.get(ticket=ticket)
        assert (row.origin, row.from_user, row.raised_by) == (Origin.PRECAUTION, cast.rita, None)
    assert triage(ticket).due_at == receipt + TRIAGE
    assert triage(ticket).state == State.BREACHED  # never a decision kept
    assert cast.sam.notices.filter(kind=Notice.Kind.BREACH).count() == 1


@pytest.mark.parametrize(
    ("after", "state"), [(TRIAGE - SECOND, State.MET), (TRIAGE, State.MET), (TRIAGE + SECOND, State.MET_LATE)]
)
def test_the_second_of_the_answer_decides(cast: Cast, after: dt.timedelta, state: str) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=ticket, by=cast.rita, at=AT + after, accepted_at=AT + after)
    row = triage(ticket)
    assert (row.state, row.met_by, row.met_how) == (state, cast.rita, "within own authority")
    assert make.clocks(ticket=ticket, obligation="respond")[0].state == State.MET
    ticket.refresh_from_db()
    assert ticket.authority_reason == complexity.USUAL


def test_it_is_a_target_of_the_company_and_opens_no_case(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    make.tick(at=AT + TRIAGE + SECOND)
    assert triage(Ticket.objects.get()).is_policy
    assert not hasattr(Breach.objects.get(obligation="triage"), "membership")


def test_the_precaution_joins_what_is_broken_an_hour_later(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.tick(at=AT + TRIAGE + SECOND)
    make.tick(at=AT + DAY + SECOND)
    row = Escalation.objects.get(ticket=ticket)
    assert {cause.breach.obligation for cause in row.causes.all()} == {"triage", "respond"}


def test_a_holding_message_or_a_note_decides_nothing(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=ticket, by=cast.rita, at=AT, accepted_at=AT, purpose=Interaction.Purpose.HOLDING)
    handling.note(ticket, by=cast.rita, at=AT, body="Who knows?")
    assert triage(ticket).state == State.OPEN


def test_marking_escalating_and_a_supervisors_word_decide(cast: Cast) -> None:
    marked, raised, returned, decided = (make.ticket(team=cast.team, customer=cast.carl) for _n in range(4))
    complexity.mark_complex(marked, by=cast.rita, at=AT + HOUR, reason="A lawyer")
    escalation.escalate(raised, by=cast.rita, at=AT + HOUR, reason="Above 500 euros")
    assert (triage(marked).met_how, triage(raised).met_how) == ("complex", "complex")
    make.tick(at=AT + TRIAGE + SECOND)
    for ticket in (returned, decided):
        row = Escalation.objects.get(ticket=ticket)
        escalation.accept(row, by=cast.sam, at=AT + TRIAGE + 2 * SECOND)
        assert triage(ticket).state == State.BREACHED
    escalation.hand_back(
        Escalation.objects.get(ticket=returned), by=cast.sam, at=AT + TRIAGE + HOUR, reason="Not complex"
    )
    escalation.decide(
        Escalation.objects.get(ticket=decided), by=cast.sam, at=AT + TRIAGE + HOUR,
        decision=Escalation.Decision.INSTRUCT, note="Tell them",
    )  # fmt: skip
    assert {triage(returned).state, triage(decided).state} == {State.MET_LATE}
    assert triage(returned).met_by == cast.sam


def test_the_queue_shows_the_clock_of_the_answer(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    handling.note(ticket, by=cast.rita, at=AT, body="Look")
    escalation.derive(ticket)
    ticket.refresh_from_db()
    assert (ticket.next_obligation, ticket.next_due_at) == ("respond", AT + DAY)


def test_who_writes_first_or_was_imported_owes_no_decision(cast: Cast) -> None:
    for origin in (Ticket.Origin.STAFF, Ticket.Origin.IMPORTED):
        ticket = make.ticket(team=cast.team, customer=cast.carl, origin=origin)
        assert make.clocks(ticket=ticket, obligation="triage") == []


# ---------------------------------------------------------------- carried by the first answer


def respond(ticket: Ticket, cast: Cast, at: dt.datetime, decision: Decision, **more: object) -> None:
    handling.respond(
        ticket, by=cast.rita, at=at, body="It is like this.", seen_through=make.on_screen(ticket=ticket),
        decision=decision, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_an_answer_may_say_that_it_is_complex(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    respond(ticket, cast, AT + HOUR, Decision(is_complex=True, reason=complexity.USUAL), then=Ticket.State.RESOLVED)
    ticket.refresh_from_db()
    [clock] = make.clocks(ticket=ticket, obligation="escalate")
    assert (clock.starts_at, clock.state) == (AT, State.OPEN)
    assert (ticket.complex_reason, ticket.state) == (complexity.WHILE_ANSWERING, Ticket.State.OPEN)
    assert triage(ticket).met_how == "complex"


def test_an_answer_does_not_decide_what_is_marked_complex(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    complexity.mark_complex(ticket, by=cast.rita, at=AT, reason="A lawyer")
    respond(ticket, cast, AT + HOUR, complexity.WITHIN)
    assert make.clocks(ticket=ticket, obligation="escalate")[0].state == State.OPEN


def test_an_answer_that_waits_for_a_signature_has_decided_and_escalates(cast: Cast) -> None:
    restrictions.impose(
        cast.rita, [Restriction.Kind.COSIGN], clause="8.2", cause="t", path="/", starts_at=AT, ends_at=None, by=None,
        at=AT,
    )  # fmt: skip
    one, other = (make.ticket(team=cast.team, customer=cast.carl) for _n in range(2))
    respond(one, cast, AT + HOUR, Decision(is_complex=True, reason="A lawyer"))
    respond(other, cast, AT + HOUR, Decision(reason="Small"))
    assert CoSignature.objects.waiting().count() == 2
    assert make.clocks(ticket=one, obligation="escalate")[0].state == State.OPEN
    assert triage(other).state == State.MET
    other.refresh_from_db()
    assert other.authority_reason == "Small"


# ---------------------------------------------------------------- proposed by rule


def rules(ticket: Ticket) -> list[str]:
    return [row.rule for row in complexity.proposed(ticket)]


def test_the_three_rules_propose_and_block_nothing(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, body="I want 600 euros or my lawyer writes.")
    assert rules(ticket) == ["amount", "legal"]
    make.message(ticket=ticket, at=AT + HOUR, body="My lawyer waits.")
    assert rules(ticket) == ["amount", "legal"]  # it is proposed already
    make.message(ticket=ticket, at=AT + 2 * HOUR, body="Hello?")
    assert rules(ticket) == ["amount", "legal", "contacts"]
    make.answer(ticket=ticket, by=cast.rita, at=AT + 3 * HOUR, purpose=Interaction.Purpose.HOLDING)
    escalation.escalate(ticket, by=cast.rita, at=AT + 3 * HOUR, reason="Court")
    assert rules(ticket) == []
    assert set(ComplexityProposal.objects.values_list("accepted", flat=True)) == {True}


def test_a_team_has_its_own_limit(cast: Cast) -> None:
    body = "The damage is 600 euros."
    assert rules(make.ticket(team=cast.team, customer=cast.carl, body=body)) == ["amount"]
    cast.team.complex_above = 600
    assert rules(make.ticket(team=cast.team, customer=cast.carl, body=body)) == []
    cast.team.complex_above, cast.team.contract.complex_above = None, None
    assert rules(make.ticket(team=cast.team, customer=cast.carl, body=body)) == []


def test_what_a_mail_only_quotes_or_a_machine_says_proposes_nothing(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.message(ticket=ticket, at=AT, body="Thanks.\n\n> pay 900 euros or see you in court")
    make.message(ticket=ticket, at=AT, body="Our legal action department is away.", automatic=True)
    assert rules(ticket) == []


def test_accepting_marks_it_complex_from_the_message_that_shows_it(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    fact = make.message(ticket=ticket, at=AT + 40 * HOUR, body="Then we meet in court.")
    root = complexity.accept_proposal(ticket, by=cast.rita, at=AT + 41 * HOUR)
    assert make.clocks(ticket=ticket, obligation="escalate")[0].starts_at == fact.occurred_at
    assert "in court" in root.complex_reason
    with pytest.raises(Refused, match="any more"):
        complexity.accept_proposal(ticket, by=cast.rita, at=AT + 41 * HOUR)


def test_dismissing_needs_a_reason_and_is_a_decision(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, body="My lawyer says thank you.")
    [row] = complexity.proposed(ticket)
    with pytest.raises(Refused, match="Say why"):
        complexity.dismiss_proposal(ticket, by=cast.rita, at=AT, reason=" ", through=row.pk)
    with pytest.raises(Refused):
        complexity.dismiss_proposal(ticket, by=cast.otto, at=AT, reason="No", through=row.pk)
    complexity.dismiss_proposal(ticket, by=cast.rita, at=AT + HOUR, reason="He is a friend", through=row.pk)
    row.refresh_from_db()
    assert (row.accepted, row.decided_by, row.reason) == (False, cast.rita, "He is a friend")
    assert triage(ticket).state == State.MET


def test_what_was_not_on_screen_is_not_dismissed(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, body="My lawyer says thank you.")
    [row] = complexity.proposed(ticket)
    make.message(ticket=ticket, at=AT + HOUR, body="My son was injured!")
    complexity.dismiss_proposal(ticket, by=cast.rita, at=AT + HOUR, reason="A friend", through=row.pk)
    assert rules(ticket) == ["safety"]


def test_an_answer_decides_what_was_proposed_on_its_authors_screen(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, body="My lawyer says thank you.")
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR)
    [row] = ComplexityProposal.objects.all()
    assert (row.accepted, row.decided_by) == (False, cast.rita)
    assert "lawyer" in row.reason


def test_proposals_survive_a_merge(cast: Cast) -> None:
    one = make.ticket(team=cast.team, customer=cast.carl, body="I call my lawyer.")
    other = make.ticket(team=cast.team, customer=cast.carl)
    merging.merge(one, into=other, by=cast.rita, at=AT + HOUR)
    assert rules(other) == ["legal"]
    make.answer(ticket=other, by=cast.rita, at=AT + HOUR)
    assert {triage(one).state, triage(other).state} == {State.MET}


def test_it_can_be_waived_like_any_duty(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    lifecycle.waive(ticket, triage(ticket), by=cast.sam, at=AT + HOUR, reason="A test of the mail")
    deadlines.sweep(AT + TRIAGE + SECOND)
    assert not Breach.objects.filter(obligation="triage").exists()
