"""Clause 7.3: people's work is reviewed every six months, evidence first, with their own words beside it.

The evidence compiles itself, keeps to groups of five, and decides nothing. Both sign what they have read. Only the
person, the reviewer and the one above read it.
"""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import DatabaseError, transaction

from audits import appraisal, retention, reviews
from audits.models import Goal, Papers, Review, Signed, Talk
from csp import disposing, shifts
from csp.access import Refused
from csp.models import Breach, Deadline, Notice, RoleGrant, TrailEntry, User
from csp.roles import Role
from feedback.models import Remark
from tests import factories as make
from tests.audits import reviewing as review_of
from tests.cast import Cast
from tickets import lifecycle
from tickets.models import Resolution, Ticket

pytestmark = pytest.mark.django_db
AT, HOUR, DAY, SECOND = make.AT, make.HOUR, make.DAY, make.SECOND
DUE = dt.datetime(2025, 9, 3, 8, tzinfo=dt.UTC)  # nine o'clock in London, six calendar months on


@pytest.fixture
def owed(cast: Cast) -> Cast:
    """Everybody owes a review from AT."""
    review_of.begin(cast.contract)
    return cast


# ---------------------------------------------------------------- the clock


def test_everybody_who_works_under_the_contract_owes_a_review_six_months_from_joining(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    assert (row.deadline.obligation, row.deadline.clause, row.deadline.is_policy) == ("review", "7.3", True)
    assert (row.deadline.starts_at, row.deadline.due_at, row.reviewer) == (AT, DUE, owed.sam)
    people = set(Review.objects.values_list("user", flat=True))
    assert people == {one.pk for one in (owed.rita, owed.sam, owed.otto, owed.olga, owed.fay)}, "not audit, not admin"
    assert review_of.jobs(at=AT)["reviews"] == 0, "each owes one"


def test_somebody_new_owes_theirs_from_the_second_they_join(owed: Cast) -> None:
    later = AT + 40 * DAY
    new = make.person(name="Nina New", role=Role.REPRESENTATIVE, team=owed.team, since=later)
    assert review_of.jobs(at=later - SECOND)["reviews"] == 0
    assert review_of.jobs(at=later)["reviews"] == 1
    assert review_of.of(new).deadline.starts_at == later


def test_the_reviewer_is_told_thirty_and_seven_days_before(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    told = Notice.objects.filter(deadline=row.deadline, kind=Notice.Kind.REMINDER, user=owed.sam)
    review_of.jobs(at=DUE - 30 * DAY - SECOND)
    assert told.count() == 0
    review_of.jobs(at=DUE - 30 * DAY)
    assert told.count() == 1
    review_of.jobs(at=DUE - 7 * DAY - SECOND)
    assert told.count() == 1
    review_of.jobs(at=DUE - 7 * DAY)
    assert told.count() == 2


def test_it_is_kept_at_the_second_at_which_it_is_due_and_broken_a_second_later(owed: Cast) -> None:
    kept, late = review_of.of(owed.rita), review_of.of(owed.otto)
    review_of.closed(kept, at=DUE)
    kept.deadline.refresh_from_db()
    assert (kept.deadline.state, kept.deadline.met_at) == (Deadline.State.MET, DUE)
    review_of.closed(late, at=DUE + SECOND)
    late.deadline.refresh_from_db()
    assert late.deadline.state == Deadline.State.MET_LATE
    breach = Breach.objects.get(deadline=late.deadline)
    assert (breach.breached_at, breach.responsible) == (DUE, owed.olga)


def test_the_next_one_counts_from_the_talk(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    talk_at = AT + 100 * DAY
    review_of.held(row, at=talk_at)
    assert review_of.jobs(at=talk_at)["reviews"] == 0, "one review to come is enough"
    review_of.signed(row, by=owed.rita, at=talk_at + 3 * DAY, agrees=True)
    review_of.signed(row, by=owed.sam, at=talk_at + 4 * DAY)
    assert review_of.jobs(at=talk_at + 4 * DAY)["reviews"] == 1
    following = review_of.of(owed.rita)
    assert (following.after, following.deadline.starts_at) == (row, talk_at)


def test_it_is_held_only_when_both_sides_were_heard(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    review_of.held(row, at=AT + DAY)
    row.deadline.refresh_from_db()
    assert row.deadline.met_at is None, "a talk alone is not enough"
    with pytest.raises(Refused, match="has not signed yet"):
        review_of.signed(row, by=owed.sam, at=AT + DAY)
    review_of.signed(row, by=owed.rita, at=AT + 2 * DAY, agrees=True)
    row.deadline.refresh_from_db()
    assert row.deadline.met_at is None
    review_of.signed(row, by=owed.sam, at=AT + 3 * DAY)
    row.deadline.refresh_from_db()
    assert row.deadline.met_at == AT + 3 * DAY


def test_whoever_does_not_answer_was_heard_after_fourteen_days(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    review_of.held(row, at=AT)
    with pytest.raises(Refused, match="has not signed yet"):
        review_of.signed(row, by=owed.sam, at=AT + reviews.ANSWER)
    review_of.signed(row, by=owed.sam, at=AT + reviews.ANSWER + SECOND)
    row.refresh_from_db()
    assert (row.state, row.closed_how) == ("closed", "unanswered")


def test_a_review_ends_with_the_work_and_its_draft_is_blank(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    review_of.drafted(row, at=AT + DAY)
    RoleGrant.objects.filter(user=owed.rita).update(ends_at=AT + 2 * DAY)
    assert review_of.jobs(at=AT + 2 * DAY - SECOND)["reviews_end"] == 0
    assert review_of.jobs(at=AT + 2 * DAY)["reviews_end"] == 1
    row.refresh_from_db()
    papers = Papers.objects.get(review=row)
    assert (row.state, papers.evidence, papers.assessment) == ("not_owed", {}, "")
    assert Deadline.objects.get(pk=row.deadline_id).state == Deadline.State.VOID
    assert review_of.jobs(at=AT + 3 * DAY)["reviews"] == 0


# ---------------------------------------------------------------- who holds it


def test_nobody_holds_their_own_and_a_supervisor_is_reviewed_by_the_one_above(cast: Cast) -> None:
    top = review_of.appoint(make.person(name="Tess Top"), cast.contract)
    review_of.begin(cast.contract)
    assert review_of.of(cast.sam).reviewer == top
    assert review_of.of(cast.rita).reviewer == cast.sam
    own = review_of.of(cast.sam)
    with pytest.raises(Refused, match="own work"):
        reviews.compile_evidence(own, by=cast.sam, at=AT)
    with pytest.raises(DatabaseError), transaction.atomic():
        Review.objects.filter(pk=own.pk).update(reviewer=cast.sam)


def test_whoever_works_under_somebody_does_not_review_them(cast: Cast) -> None:
    review_of.begin(cast.contract)
    assert cast.rita not in reviews.reviewers_of(cast.sam, cast.contract, AT)
    assert review_of.of(cast.sam).reviewer == cast.olga


def test_who_stands_in_holds_it_while_the_supervisor_is_away(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    shifts.enter(owed.sam, starts_at=AT + DAY, ends_at=AT + 9 * DAY, deputy=owed.olga, by=owed.sam, at=AT)
    assert review_of.jobs(at=AT + DAY)["reviewers"] == 0, "a reviewer who may hold it keeps it"
    RoleGrant.objects.filter(user=owed.sam).update(ends_at=AT + 2 * DAY)
    owed.sam.held_cache = None
    deputy = make.person(name="Dora Deputy", role=Role.SUPERVISOR, team=owed.team, since=AT + 2 * DAY)
    review_of.jobs(at=AT + 2 * DAY)
    row.refresh_from_db()
    row.deadline.refresh_from_db()
    assert (row.reviewer, row.deadline.responsible) == (deputy, deputy)
    shifts.enter(deputy, starts_at=AT + 3 * DAY, ends_at=AT + 9 * DAY, deputy=owed.olga, by=deputy, at=AT + 2 * DAY)
    assert reviews.reviewers_of(owed.rita, owed.contract, AT + 4 * DAY)[0] == owed.olga


def test_only_the_reviewer_writes_in_it(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    for somebody in (owed.olga, owed.otto, owed.vera, owed.adam, owed.rita):
        with pytest.raises(Refused):
            reviews.compile_evidence(row, by=somebody, at=AT)
    reviews.compile_evidence(row, by=owed.sam, at=AT)
    with pytest.raises(Refused):
        reviews.assess(row, text="I am fine.", by=owed.rita, at=AT)


# ---------------------------------------------------------------- the evidence


def test_figures_say_what_fell_due_in_the_time_and_who_held_it(owed: Cast) -> None:
    first = make.ticket(team=owed.team, customer=owed.carl, received_at=AT + HOUR, assignee=owed.rita)
    make.answer(ticket=first, by=owed.rita, at=AT + 2 * HOUR, accepted_at=AT + 2 * HOUR)
    make.ticket(team=owed.team, customer=owed.carl, received_at=AT + 3 * HOUR, assignee=owed.rita)
    review_of.jobs(at=AT + 28 * HOUR)
    row = review_of.of(owed.rita)
    papers = reviews.compile_evidence(row, by=owed.sam, at=AT + 30 * HOUR)
    [answered] = [line for line in appraisal.lines(papers.evidence) if line.clause == "3.1"]
    assert (answered.kept, answered.n, answered.share) == (1, 2, 50.0)
    assert "24 hours" in answered.definition
    [broken] = appraisal.broken(papers.evidence)
    assert (broken.holders, broken.due) == (1, AT + 27 * HOUR)
    assert papers.evidence["breaches"]["rows"][0]["held_minutes"] == 24 * 60
    early = appraisal.compile_for(owed.rita, owed.team, since=AT, until=AT + 26 * HOUR)
    assert early["figures"][0]["n"] == 1, "what was not due yet is not counted"


def test_of_colleagues_a_range_is_shown_only_where_there_are_five(owed: Cast) -> None:
    def fresh(name: str) -> User:
        return make.person(name=name, role=Role.REPRESENTATIVE, team=owed.team)

    people = [fresh(f"P{number} Person") for number in range(5)]
    for place, person in enumerate([owed.rita, *people]):
        ticket = make.ticket(team=owed.team, customer=owed.carl, received_at=AT + place * HOUR, assignee=person)
        make.answer(ticket=ticket, by=person, at=AT + (place + 1) * HOUR, accepted_at=AT + (place + 1) * HOUR)
        evidence = appraisal.compile_for(owed.rita, owed.team, since=AT, until=AT + 40 * HOUR)
        shown = evidence["figures"][0]["range"]
        assert (shown is None) == (place < 5), place
        assert (evidence["figures"][0]["team_n"] == 0) == (place == 1), "one other's is not to be read off the sum"


def test_what_customers_answered_is_counted_in_whole_groups_of_five_with_a_remainder_of_five(owed: Cast) -> None:
    assert [appraisal.whole_groups(count) for count in (0, 4, 5, 9, 10, 14, 15)] == [0, 0, 0, 0, 5, 5, 10]
    for number in range(10):
        at = AT + number * HOUR
        ticket = make.ticket(team=owed.team, customer=owed.carl, received_at=at)
        make.answer(ticket=ticket, by=owed.rita, at=at, accepted_at=at)
        lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=owed.rita, at=at, resolution="Done.")
        Resolution.objects.filter(ticket=ticket).update(acceptance="no" if number > 8 else "yes", answered_at=at)
        evidence = appraisal.compile_for(owed.rita, owed.team, since=AT, until=AT + DAY)
        assert evidence["accepted"] == ({"yes": 5, "n": 5} if number == 9 else {"yes": 0, "n": 0})


def test_no_single_customers_score_or_words_are_in_it(owed: Cast) -> None:
    for number in range(9):
        Remark.objects.create(
            contract=owed.contract, team=owed.team, source=Remark.Source.SURVEY, level=Remark.Level.CONFIDENTIAL,
            received_at=AT, recorded_at=AT, score=5 if number else 1, words=f"said {number}",
        )  # fmt: skip
    evidence = appraisal.compile_for(owed.rita, owed.team, since=AT, until=AT + DAY)
    assert evidence["feedback"]["n"] == 0, "nine are one group and a remainder of four: not shown yet"
    Remark.objects.create(
        contract=owed.contract, team=owed.team, source=Remark.Source.SURVEY, level=Remark.Level.CONFIDENTIAL,
        received_at=AT, recorded_at=AT, score=3, words="said last",
    )  # fmt: skip
    evidence = appraisal.compile_for(owed.rita, owed.team, since=AT, until=AT + DAY)
    assert evidence["feedback"] == {"n": 5, "praise": 4, "sum": 21}
    assert "said" not in json.dumps(evidence)
    assert "Carl" not in json.dumps(evidence)


def test_there_is_no_total_and_no_order_of_people(owed: Cast) -> None:
    evidence = appraisal.compile_for(owed.rita, owed.team, since=AT, until=AT + DAY)
    names = {*evidence, *(name for row in evidence["figures"] for name in row), *evidence["context"]}
    assert not names & {"total", "overall", "rank", "score", "grade", "place"}
    assert not any("rank" in field.name or "score" in field.name for field in Papers._meta.fields)


def test_context_tells_how_much_work_there_was_and_who_was_away(owed: Cast) -> None:
    shifts.enter(owed.rita, starts_at=AT + DAY, ends_at=AT + 3 * DAY, deputy=None, by=owed.rita, at=AT)
    shifts.enter(owed.sam, starts_at=AT + DAY, ends_at=AT + 2 * DAY, deputy=owed.rita, by=owed.sam, at=AT)
    ticket = make.ticket(team=owed.team, customer=owed.carl, received_at=AT)
    make.answer(ticket=ticket, by=owed.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    context = appraisal.compile_for(owed.rita, owed.team, since=AT, until=AT + 9 * DAY)["context"]
    assert (context["answers"], context["days_away"], context["covered"]) == (1, 3, 1)
    assert appraisal.compile_for(owed.rita, owed.team, since=AT, until=AT + DAY)["audited"] == {"n": 0, "passed": 0}
    assert context["colleagues_mean"] is None


# ---------------------------------------------------------------- words, talk, signatures


def test_evidence_comes_first_then_words_then_the_talk(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    with pytest.raises(Refused, match="Evidence first"):
        reviews.assess(row, text="Good.", by=owed.sam, at=AT)
    reviews.compile_evidence(row, by=owed.sam, at=AT)
    with pytest.raises(Refused, match="write your assessment"):
        reviews.hold(row, held_at=AT, by=owed.sam, at=AT)
    reviews.assess(row, text="Good.", by=owed.sam, at=AT)
    with pytest.raises(Refused, match="in the future"):
        reviews.hold(row, held_at=AT + SECOND, by=owed.sam, at=AT)
    with pytest.raises(Refused, match="before the time"):
        reviews.hold(row, held_at=AT - SECOND, by=owed.sam, at=AT)
    assert reviews.hold(row, held_at=AT, by=owed.sam, at=AT).digest


def test_what_was_talked_about_is_frozen_and_known_by_its_digest(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    talk = review_of.held(row, at=AT + DAY)
    content = json.loads(talk.frozen)
    assert content["assessment"] == Papers.objects.get(review=row).assessment
    assert content["definitions"]["answered"]["clause"] == "3.1"
    assert reviews._digest(talk.frozen) == talk.digest
    for verb in (
        lambda: reviews.compile_evidence(row, by=owed.sam, at=AT + 2 * DAY),
        lambda: reviews.assess(row, text="Otherwise.", by=owed.sam, at=AT + 2 * DAY),
        lambda: reviews.add_goal(row, text="More.", due_on=dt.date(2026, 1, 1), by=owed.sam, at=AT + 2 * DAY),
    ):
        with pytest.raises(Refused, match="talk was held"):
            verb()
    with pytest.raises(DatabaseError), transaction.atomic():
        Talk.objects.filter(pk=talk.pk).update(frozen="{}")
    assert TrailEntry.objects.filter(act="review.held", facts__contains=talk.digest).count() == 1


def test_each_signs_what_is_on_their_screen_freshly_signed_in(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    review_of.held(row, at=AT)
    before = review_of.shown(row)
    with pytest.raises(Refused, match="Sign in again"):
        review_of.signed(row, by=owed.rita, at=AT, agrees=True, proof="")
    with pytest.raises(Refused, match="whether you agree"):
        review_of.signed(row, by=owed.rita, at=AT)
    reviews.comment(row, text="The late one came in by another mailbox.", by=owed.rita, at=AT)
    with pytest.raises(Refused, match="changed since"):
        reviews.sign(row, digest=before, proof="password", by=owed.rita, at=AT, agrees=True)
    signed = review_of.signed(row, by=owed.rita, at=AT + HOUR, agrees=True)
    assert (signed.digest, signed.at, signed.proof) == (review_of.shown(row), AT + HOUR, "password")
    with pytest.raises(Refused, match="signed already"):
        review_of.signed(row, by=owed.rita, at=AT + HOUR, agrees=True)
    with pytest.raises(Refused, match="You have signed"):
        reviews.comment(row, text="And another thing.", by=owed.rita, at=AT + HOUR)
    last = review_of.signed(row, by=owed.sam, at=AT + 2 * HOUR)
    assert last.digest == signed.digest, "both read the same"
    with pytest.raises(DatabaseError), transaction.atomic():
        Signed.objects.filter(pk=signed.pk).update(agrees=False)


def test_to_sign_is_not_to_agree_and_disagreeing_needs_words(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    review_of.held(row, at=AT)
    with pytest.raises(Refused, match="what you see otherwise"):
        review_of.signed(row, by=owed.rita, at=AT, agrees=False)
    reviews.comment(row, text="I see it otherwise.", by=owed.rita, at=AT)
    review_of.signed(row, by=owed.rita, at=AT, agrees=False)
    review_of.signed(row, by=owed.sam, at=AT)
    row.refresh_from_db()
    assert (row.state, row.closed_how, Papers.objects.get(review=row).comment) == (
        "closed", "both", "I see it otherwise.",
    )  # fmt: skip


def test_goals_come_back_with_what_became_of_them(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    with pytest.raises(Refused, match="a day to come"):
        reviews.add_goal(row, text="Yesterday.", due_on=AT.date(), by=owed.sam, at=AT)
    goal = reviews.add_goal(row, text="Lead a workshop.", due_on=dt.date(2025, 6, 1), by=owed.sam, at=AT)
    gone = reviews.add_goal(row, text="Not this.", due_on=dt.date(2025, 6, 1), by=owed.sam, at=AT)
    reviews.withdraw_goal(gone, by=owed.sam, at=AT)
    review_of.closed(row, at=AT + DAY)
    review_of.jobs(at=AT + DAY)
    following = review_of.of(owed.rita)
    assert list(reviews.goals_from_before(following)) == [goal]
    review_of.drafted(following, at=AT + 100 * DAY)
    with pytest.raises(Refused, match="what became of each goal"):
        reviews.hold(following, held_at=AT + 100 * DAY, by=owed.sam, at=AT + 100 * DAY)
    reviews.judge_goal(
        following, goal, outcome=Goal.Outcome.REACHED, note="In May.", by=owed.sam, at=AT + 100 * DAY
    )  # fmt: skip
    talk = reviews.hold(following, held_at=AT + 100 * DAY, by=owed.sam, at=AT + 100 * DAY)
    assert json.loads(talk.frozen)["goals_before"] == [
        {"goal": "Lead a workshop.", "by": "2025-06-01", "outcome": "reached", "note": "In May."}
    ]


# ---------------------------------------------------------------- another reviewer


def test_another_reviewer_is_asked_for_once_and_decided_by_somebody_independent(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    first = review_of.held(row, at=AT + DAY)
    with pytest.raises(Refused, match="Only the person"):
        reviews.ask_for_another(row, text="Please.", by=owed.sam, at=AT + DAY)
    reviews.ask_for_another(row, text="We had an argument.", by=owed.rita, at=AT + DAY)
    with pytest.raises(Refused, match="not decided yet"):
        review_of.signed(row, by=owed.rita, at=AT + DAY, agrees=True)
    for somebody in (owed.sam, owed.rita, owed.otto, owed.adam):
        with pytest.raises(Refused):
            reviews.decide_another(row, reviewer=owed.olga, answer="Yes.", by=somebody, at=AT + 2 * DAY)
    asked = reviews.decide_another(row, reviewer=owed.olga, answer="Understood.", by=owed.olga, at=AT + 2 * DAY)
    row.refresh_from_db()
    row.deadline.refresh_from_db()
    assert (asked.granted, row.reviewer, row.deadline.responsible, row.state) == (True, owed.olga, owed.olga, "due")
    assert row.deadline.due_at == DUE, "the clock goes on"
    assert review_of.jobs(at=AT + 3 * DAY)["reviewers"] == 0, "no job puts the first one back"
    second = review_of.held(review_of.of(owed.rita), at=AT + 4 * DAY)
    assert (first.number, second.number, Talk.objects.filter(papers=row.pk).count()) == (1, 2, 2)
    with pytest.raises(Refused, match="once for each"):
        reviews.ask_for_another(row, text="Again.", by=owed.rita, at=AT + 4 * DAY)


def test_a_refusal_has_reasons_and_the_reviewer_stays(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    reviews.ask_for_another(row, text="Somebody nicer.", by=owed.rita, at=AT)
    with pytest.raises(Refused, match="reasons"):
        reviews.decide_another(row, reviewer=None, answer=" ", by=owed.olga, at=AT)
    reviews.decide_another(row, reviewer=None, answer="Sam knows the work best.", by=owed.olga, at=AT)
    row.refresh_from_db()
    assert row.reviewer == owed.sam
    review_of.closed(row, at=AT + DAY)


# ---------------------------------------------------------------- how long it stays


def test_what_was_said_goes_after_two_years_and_that_it_was_held_stays(cast: Cast) -> None:
    begun = dt.datetime(2022, 3, 3, 9, tzinfo=dt.UTC)  # the database goes by its own clock, too
    review_of.begin(cast.contract, at=begun)
    row = review_of.closed(review_of.of(cast.rita), at=begun + DAY)
    review_of.jobs(at=begun + 2 * DAY)
    papers = Papers.objects.get(review=row)
    assert papers.keep_until == dt.datetime(2024, 3, 5, tzinfo=dt.UTC), "the end of the last day"
    with pytest.raises(DatabaseError), transaction.atomic():
        Papers.objects.filter(pk=papers.pk).update(assessment="Rewritten.")
    with pytest.raises(DatabaseError), transaction.atomic():
        papers.delete()
    after = papers.keep_until + SECOND
    other = make.person(name="Abel Administrator", role=Role.ADMINISTRATOR)
    assert not list(disposing.preview(retention.ROOTS, cast.contract, papers.keep_until))
    disposal = disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=after)
    disposing.approve(disposal, by=other, at=after)
    while retention.carry_out(after):
        pass
    assert not Papers.objects.filter(pk=row.pk).exists()
    assert not Talk.objects.exists()
    row.refresh_from_db()
    assert (row.held_at, Signed.objects.filter(review=row).count()) == (begun + DAY, 2)
    assert Deadline.objects.filter(pk=row.deadline_id, state=Deadline.State.MET).exists()


def test_no_word_of_it_is_in_the_trail(owed: Cast) -> None:
    row = review_of.of(owed.rita)
    reviews.comment(row, text="Unmistakable own words", by=owed.rita, at=AT)
    review_of.drafted(row, at=AT, text="Unmistakable assessment")
    reviews.add_goal(row, text="Unmistakable goal", due_on=dt.date(2025, 6, 1), by=owed.sam, at=AT)
    reviews.ask_for_another(row, text="Unmistakable reason", by=owed.rita, at=AT)
    for entry in TrailEntry.objects.filter(subject=row.trail_subject):
        assert "Unmistakable" not in entry.facts + entry.personal, entry.act
