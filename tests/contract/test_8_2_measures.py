"""Clause 8.2: failure may lead to retraining, additional oversight or a revision of responsibilities.

The product proposes by published rules; a person decides, after the one concerned was heard, refused, or let three days
go by. A measure is carried out through restrictions of that person's work, has an end, ends by itself, can be appealed
against, and never delays an escalation, an acknowledgement or a holding message.
"""

from __future__ import annotations

import datetime as dt

import pytest

from audits import measures, noncompliance, proposals
from audits.models import Appeal, Measure, NonCompliance
from csp import assessing, restrictions
from csp.access import AlreadySo, Refused
from csp.models import Assessment, Breach, Notice, OutboundMessage, Restriction, TrailEntry, User
from csp.roles import Office
from tests import factories as make
from tests.cast import Cast
from tests.contract.test_8_1_noncompliance import appoint, reported
from tickets import assignment, cosigning, escalation, handling
from tickets.conversation import File
from tickets.handling import NewMessageMeanwhile
from tickets.models import CoSignature, Draft, Interaction, Ticket

THREE = dt.timedelta(days=3)
WEEK = dt.timedelta(days=7)
Kind, Aim, State = Measure.Kind, Measure.Aim, Measure.State
Limit = Restriction.Kind


@pytest.fixture
def owner(cast: Cast) -> User:
    person = make.person(name="Olive Owner")
    appoint(cast, Office.COMPLIANCE_OWNER, person)
    return person


def proposed(cast: Cast, *, kind: Measure.Kind = Kind.OVERSIGHT, at: dt.datetime = make.AT) -> Measure:
    """Sam proposes a measure that concerns Rita."""
    case = reported(cast, at)
    return measures.propose(
        case, kind=kind, aim=Aim.PERSON, person=cast.rita, reason="Two calls were missed.", by=cast.sam, at=at
    )


def in_force(cast: Cast, owner: User, *, kind: Measure.Kind = Kind.OVERSIGHT, **more: object) -> Measure:
    """The same, heard at once and decided by the compliance owner, for a week."""
    measure = proposed(cast, kind=kind)
    measures.hear(measure, by=cast.rita, at=make.AT, statement="The line was down.")
    if kind == Kind.RETRAINING:
        more["course"] = "Calling back"
    return measures.decide(
        measure, adopt=True, why="For a week.", by=owner, at=make.AT, ends_at=make.AT + WEEK,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


# ---------------------------------------------------------------- proposed by published rules


def failures(cast: Cast, *days: int) -> None:
    """Rita leaves one ticket unanswered on each of these days."""
    for day in days:
        make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT + day * make.DAY, assignee=cast.rita)
        make.tick(at=make.AT + (day + 1) * make.DAY + make.SECOND)


def test_the_third_matter_of_one_person_within_thirty_days_proposes_retraining(cast: Cast) -> None:
    failures(cast, 0, 5)
    assert not Measure.objects.filter(rule="third_breach").exists()
    failures(cast, 9)
    measure = Measure.objects.get(rule="third_breach")
    assert (measure.kind, measure.person, measure.state) == (Kind.RETRAINING, cast.rita, State.PROPOSED)
    assert measure.because_breach is not None
    assert measure.because_breach.breached_at == make.AT + 10 * make.DAY
    failures(cast, 10)
    assert Measure.objects.filter(rule="third_breach").count() == 1, "said once in those thirty days"


def test_matters_more_than_thirty_days_apart_do_not_count_together(cast: Cast) -> None:
    failures(cast, 0, 15, 30)
    assert not Measure.objects.filter(rule="third_breach").exists()


def test_what_was_assessed_as_not_owed_does_not_count(cast: Cast) -> None:
    failures(cast, 0, 5)
    for breach in Breach.objects.filter(deadline__subject_ref=Ticket.objects.first().reference):
        row = assessing.propose(breach, by=cast.sam, at=make.AT, verdict=Assessment.Verdict.NOT_OWED, reason="Spam.")
        assessing.decide(row, by=cast.olga, at=make.AT, agreed=True, reason="It is.")
    failures(cast, 9)
    assert not Measure.objects.filter(rule="third_breach").exists()


def test_three_are_measures_and_none_is_a_termination() -> None:
    assert set(Kind) == {Kind.RETRAINING, Kind.OVERSIGHT, Kind.RESPONSIBILITIES}
    assert {rule.proposes for rule in proposals.RULES.values()} == set(Kind)


def test_a_proposal_asks_the_one_concerned_and_tells_those_who_decide(cast: Cast, owner: User) -> None:
    measure = proposed(cast)
    assert measure.answer_by == make.AT + THREE
    assert Notice.objects.get(user=cast.rita, kind="measure").facts["says"] == "measure.hear"
    assert Notice.objects.filter(user=owner, kind="measure", path=measure.path).exists()
    assert not Restriction.objects.exists(), "a proposal limits nobody"


# ---------------------------------------------------------------- decided by a person, after a hearing


def test_nothing_is_decided_before_the_one_concerned_was_heard_or_three_days_went_by(cast: Cast, owner: User) -> None:
    measure = proposed(cast)
    take = {"adopt": True, "why": "Needed.", "by": owner}
    for at in (make.AT, make.AT + THREE):
        with pytest.raises(Refused, match="has not been heard"):
            measures.decide(measure, at=at, ends_at=at + WEEK, **take)
    at = make.AT + THREE + make.SECOND
    measure = measures.decide(measure, at=at, ends_at=at + WEEK, **take)
    assert (measure.heard_how, measure.state) == (Measure.Heard.NO_ANSWER, State.IN_FORCE)


@pytest.mark.parametrize(("statement", "how"), [("The line was down.", "statement"), ("", "refused")])
def test_a_statement_or_a_refusal_is_on_record(cast: Cast, owner: User, statement: str, how: str) -> None:
    measure = proposed(cast)
    with pytest.raises(Refused, match="Only the person"):
        measures.hear(measure, by=cast.sam, at=make.AT, statement="She said nothing.")
    measure = measures.hear(measure, by=cast.rita, at=make.AT, statement=statement)
    assert measure.heard_how == how
    assert measures.decide(measure, adopt=False, why="Not needed.", by=owner, at=make.AT).state == State.DECLINED
    assert not Restriction.objects.exists()


def test_neither_the_one_concerned_nor_whoever_proposed_it_nor_a_subordinate_decides(cast: Cast) -> None:
    measure = proposed(cast)
    measures.hear(measure, by=cast.rita, at=make.AT, statement="")
    for user in (cast.rita, cast.sam, cast.otto, cast.olga, cast.adam, cast.vera):
        with pytest.raises(Refused):
            measures.decide(measure, adopt=True, why="x", by=user, at=make.AT, ends_at=make.AT + WEEK)


@pytest.mark.parametrize("ends_at", [None, make.AT, make.AT + measures.LONGEST + make.SECOND])
def test_every_measure_has_an_end_that_is_not_far(cast: Cast, owner: User, ends_at: dt.datetime | None) -> None:
    measure = proposed(cast)
    measures.hear(measure, by=cast.rita, at=make.AT, statement="")
    with pytest.raises(Refused):
        measures.decide(measure, adopt=True, why="x", by=owner, at=make.AT, ends_at=ends_at)


# ---------------------------------------------------------------- each executes, and ends by itself


@pytest.mark.parametrize(
    ("kind", "limits"),
    [(Kind.RETRAINING, {"cosign"}), (Kind.OVERSIGHT, {"cosign"}), (Kind.RESPONSIBILITIES, {"no_complaints"})],
)
def test_each_measure_limits_work_until_its_end_and_not_a_second_longer(
    cast: Cast, owner: User, kind: Measure.Kind, limits: set[str]
) -> None:
    measure = in_force(cast, owner, kind=kind)
    for at, expected in [
        (make.AT - make.SECOND, set()),
        (make.AT, limits),
        (make.AT + WEEK - make.SECOND, limits),
        (make.AT + WEEK, set()),
    ]:
        assert {row.kind for row in restrictions.of(cast.rita, at)} == expected
    assert measures.end_by_time(make.AT + WEEK - make.SECOND) == 0
    assert measures.end_by_time(make.AT + WEEK) == 1
    assert measures.end_by_time(make.AT + WEEK) == 0
    measure.refresh_from_db()
    assert (measure.state, measure.ended_how) == (State.ENDED, Measure.Ended.TIME)
    assert Notice.objects.filter(user=cast.rita, key=f"measure:{measure.pk}:ended").count() == 1


def test_passing_the_training_ends_it_early(cast: Cast, owner: User) -> None:
    measure = in_force(cast, owner, kind=Kind.RETRAINING)
    for user in (cast.rita, cast.sam):  # whom it concerns, and who proposed it
        with pytest.raises(Refused):
            measures.end(measure, how=Measure.Ended.DONE, by=user, at=make.AT + make.DAY, note="Passed.")
    measures.end(measure, how=Measure.Ended.DONE, by=owner, at=make.AT + make.DAY, note="Passed with 9 of 10.")
    assert restrictions.of(cast.rita, make.AT + make.DAY) == []


def test_two_causes_are_two_rows_and_the_end_of_one_leaves_the_other(cast: Cast, owner: User) -> None:
    first = in_force(cast, owner)
    second = proposed(cast, kind=Kind.RETRAINING)
    measures.hear(second, by=cast.rita, at=make.AT, statement="")
    measures.decide(
        second, adopt=True, why="x", by=owner, at=make.AT, ends_at=make.AT + 2 * WEEK, course="Calling back"
    )
    assert len(restrictions.of(cast.rita, make.AT, Limit.COSIGN)) == 2
    measures.end(first, how=Measure.Ended.LIFTED, by=owner, at=make.AT + make.DAY, note="Not needed any more.")
    assert [row.cause for row in restrictions.of(cast.rita, make.AT + make.DAY)] == [second.trail_subject]


# ---------------------------------------------------------------- appeal


def test_an_appeal_is_decided_by_somebody_else_and_upheld_ends_it_at_once(cast: Cast, owner: User) -> None:
    measure = in_force(cast, owner)
    at = make.AT + make.DAY
    with pytest.raises(Refused, match="Only the person"):
        measures.appeal(measure, by=cast.otto, at=at, text="Unfair.")
    row = measures.appeal(measure, by=cast.rita, at=at, text="The line was down, see the log.")
    assert restrictions.of(cast.rita, at), "it stays in force until it is decided"
    for user in (cast.rita, cast.sam, owner):  # concerned, proposed, decided
        with pytest.raises(Refused):
            measures.decide_appeal(row, upheld=True, answer="x", by=user, at=at)
    other = make.person(name="Paul Party")
    appoint(cast, Office.PARTY_REPRESENTATIVE, other)
    measures.decide_appeal(row, upheld=True, answer="The log says so.", by=other, at=at)
    assert restrictions.of(cast.rita, at) == []
    measure.refresh_from_db()
    assert measure.ended_how == Measure.Ended.APPEAL
    assert Appeal.objects.get().upheld


def test_an_appeal_that_fails_changes_nothing(cast: Cast, owner: User) -> None:
    measure = in_force(cast, owner)
    row = measures.appeal(measure, by=cast.rita, at=make.AT, text="Unfair.")
    with pytest.raises(Refused, match="once"):
        measures.appeal(measure, by=cast.rita, at=make.AT, text="Again.")
    other = make.person(name="Paul Party")
    appoint(cast, Office.PARTY_REPRESENTATIVE, other)
    measures.decide_appeal(row, upheld=False, answer="The log does not say so.", by=other, at=make.AT)
    assert restrictions.of(cast.rita, make.AT)


# ---------------------------------------------------------------- oversight: answers wait, the clock runs on


@pytest.fixture
def watched(cast: Cast, owner: User) -> Ticket:
    """Rita's ticket, while her answers wait for a co-signature."""
    in_force(cast, owner)
    return make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)


def waiting(ticket: Ticket, cast: Cast, at: dt.datetime = make.AT + make.HOUR) -> CoSignature:
    row = handling.respond(
        ticket, by=cast.rita, at=at, body="It is corrected.", seen_through=make.on_screen(ticket=ticket)
    )
    assert isinstance(row, CoSignature)
    return row


def test_an_answer_waits_for_its_co_signature_and_the_clock_runs_on(cast: Cast, watched: Ticket) -> None:
    row = waiting(watched, cast)
    assert not OutboundMessage.objects.filter(kind="answer").exists()
    assert Notice.objects.get(key=f"cosign:{row.pk}:waiting").user == cast.sam
    make.tick(at=make.AT + make.DAY)
    assert not Breach.objects.filter(obligation="respond").exists()
    make.tick(at=make.AT + make.DAY + make.SECOND)
    assert Breach.objects.filter(obligation="respond").count() == 1, "waiting for a signature excuses nothing"


def test_a_signed_answer_is_its_authors_and_meets_when_accepted_outside(cast: Cast, watched: Ticket) -> None:
    row = waiting(watched, cast)
    at = make.AT + 2 * make.HOUR
    sent = cosigning.sign(row, by=cast.sam, at=at, seen_through=make.on_screen(ticket=watched))
    assert (sent.author, sent.body) == (cast.rita, "It is corrected.")
    assert dict(sent.speaks_to.values_list("ticket", "through")) == row.seen_through
    [respond] = make.clocks(ticket=watched, obligation="respond")
    assert respond.met_at is None
    make.accept(interaction=sent, at=at + make.SECOND)
    respond.refresh_from_db()
    assert (respond.state, respond.met_at, respond.met_by) == ("met", at + make.SECOND, cast.rita)
    row.refresh_from_db()
    assert (row.state, row.decided_by, row.interaction) == (CoSignature.State.SIGNED, cast.sam, sent)
    assert TrailEntry.objects.filter(act="cosign.signed", actor=f"user:{cast.sam.pk}").exists()


def test_what_the_customer_wrote_after_the_author_is_not_answered_by_it(cast: Cast, watched: Ticket) -> None:
    row = waiting(watched, cast)
    later = make.message(ticket=watched, at=make.AT + 2 * make.HOUR)
    at = make.AT + 3 * make.HOUR
    with pytest.raises(NewMessageMeanwhile):
        cosigning.sign(row, by=cast.sam, at=at, seen_through=row.seen_through)
    sent = cosigning.sign(row, by=cast.sam, at=at, seen_through={watched.pk: later.pk})
    assert sent.seen_through == row.seen_through[watched.pk] < later.pk
    make.accept(interaction=sent, at=at)
    [follow_up] = make.clocks(ticket=watched, obligation="follow_up")
    assert (follow_up.state, follow_up.starts_at) == ("open", later.occurred_at)
    watched.refresh_from_db()
    assert watched.state == Ticket.State.OPEN


def test_only_a_supervisor_or_the_one_named_signs_never_the_author(cast: Cast, watched: Ticket, owner: User) -> None:
    row = waiting(watched, cast)
    for user in (cast.rita, cast.otto, cast.olga, cast.vera, cast.adam, owner):
        with pytest.raises(Refused):
            cosigning.sign(row, by=user, at=make.AT + make.HOUR, seen_through=row.seen_through)


def test_whoever_is_named_signs_and_nobody_else(cast: Cast, owner: User) -> None:
    in_force(cast, owner, cosigner=cast.olga)
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    row = waiting(ticket, cast)
    assert [person.name for person in [Notice.objects.get(key=f"cosign:{row.pk}:waiting").user]] == ["Olga Other"]
    with pytest.raises(Refused, match="signs these"):
        cosigning.sign(row, by=cast.sam, at=make.AT + make.HOUR, seen_through=row.seen_through)
    cosigning.sign(row, by=cast.olga, at=make.AT + make.HOUR, seen_through=row.seen_through)


def test_handed_back_the_text_is_the_authors_draft_again(cast: Cast, watched: Ticket) -> None:
    row = waiting(watched, cast)
    with pytest.raises(Refused, match="waits here"):
        waiting(watched, cast)
    with pytest.raises(Refused, match="different"):
        cosigning.hand_back(row, by=cast.sam, at=make.AT + make.HOUR, note="")
    cosigning.hand_back(row, by=cast.sam, at=make.AT + make.HOUR, note="Name the amount.")
    assert Draft.objects.get(ticket=watched, user=cast.rita).body == "It is corrected."
    again = waiting(watched, cast)
    cosigning.take_back(again, by=cast.rita, at=make.AT + make.HOUR)
    with pytest.raises(Refused, match="not wait"):
        cosigning.sign(again, by=cast.sam, at=make.AT + make.HOUR, seen_through=again.seen_through)


def test_a_file_goes_with_the_answer_when_it_is_signed(cast: Cast, watched: Ticket) -> None:
    row = handling.respond(
        watched, by=cast.rita, at=make.AT, body="See the file.", seen_through=make.on_screen(ticket=watched),
        files=[File("invoice.txt", "text/plain", b"42")],
    )  # fmt: skip
    assert isinstance(row, CoSignature)
    sent = cosigning.sign(row, by=cast.sam, at=make.AT, seen_through=row.seen_through)
    assert [item.name for item in sent.attachments.all()] == ["invoice.txt"]


def test_no_measure_delays_a_holding_message_an_escalation_or_a_note(cast: Cast, watched: Ticket) -> None:
    holding = make.answer(
        ticket=watched, by=cast.rita, at=make.AT, body="We are on it.", purpose=Interaction.Purpose.HOLDING
    )
    assert OutboundMessage.objects.filter(kind="holding").count() == 1
    assert holding.purpose == Interaction.Purpose.HOLDING
    handling.note(watched, by=cast.rita, at=make.AT, body="For us.")
    escalation.escalate(watched, by=cast.rita, at=make.AT, reason="Too large for me.")
    assert not CoSignature.objects.exists()


def test_when_the_measure_is_over_answers_leave_at_once(cast: Cast, watched: Ticket) -> None:
    row = handling.respond(
        watched, by=cast.rita, at=make.AT + WEEK, body="It is done.", seen_through=make.on_screen(ticket=watched)
    )
    assert isinstance(row, Interaction)


# ---------------------------------------------------------------- revision of responsibilities


def test_assignment_honours_a_revision_of_responsibilities(cast: Cast, owner: User) -> None:
    in_force(cast, owner, kind=Kind.RESPONSIBILITIES, limits=[Limit.NO_COMPLAINTS])
    inquiry = make.ticket(team=cast.team, customer=cast.carl)
    complaint = make.ticket(team=cast.team, customer=cast.rhea, kind=Ticket.Kind.COMPLAINT)
    assignment.assign(inquiry, to=cast.rita, by=cast.sam, at=make.AT)
    for by in (cast.sam, cast.rita):
        with pytest.raises(Refused, match="no complaints"):
            assignment.assign(complaint, to=cast.rita, by=by, at=make.AT)
    assignment.assign(complaint, to=cast.rita, by=cast.sam, at=make.AT + WEEK)


def test_no_new_tickets_leaves_the_old_ones(cast: Cast, owner: User) -> None:
    mine = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    in_force(cast, owner, kind=Kind.RESPONSIBILITIES, limits=[Limit.NO_NEW_TICKETS])
    fresh = make.ticket(team=cast.team, customer=cast.rhea)
    with pytest.raises(Refused, match="no new tickets"):
        assignment.assign(fresh, to=cast.rita, by=cast.sam, at=make.AT)
    with pytest.raises(AlreadySo):  # not that she takes no new ones
        assignment.assign(mine, to=cast.rita, by=cast.rita, at=make.AT)
    assert isinstance(make.answer(ticket=mine, by=cast.rita, at=make.AT), Interaction)


def test_a_measure_that_limits_work_otherwise_than_its_kind_is_refused(cast: Cast, owner: User) -> None:
    with pytest.raises(Refused, match="in that way"):
        in_force(cast, owner, limits=[Limit.NO_NEW_TICKETS])


# ---------------------------------------------------------------- aimed at nobody in particular


def test_a_measure_on_a_way_of_working_hears_people_too_and_restricts_nobody(cast: Cast, owner: User) -> None:
    case = reported(cast)
    measure = measures.propose(
        case, kind=Kind.RESPONSIBILITIES, aim=Aim.PROCESS, reason="Calls go to nobody.", by=cast.sam, at=make.AT
    )
    with pytest.raises(Refused, match="who was heard"):
        measures.decide(measure, adopt=True, why="x", by=owner, at=make.AT, ends_at=make.AT + WEEK)
    measures.hear(measure, by=cast.sam, at=make.AT, statement="The team: calls should go to the one on duty.")
    measures.decide(measure, adopt=True, why="x", by=owner, at=make.AT, ends_at=make.AT + WEEK)
    assert not Restriction.objects.exists()
    assert NonCompliance.objects.get() == noncompliance.lock(case)
