"""Clause 5.3: training is repeated every six calendar months, or earlier where something new was published; a round
for everyone is conducted as often, and recorded even if nothing changed.
"""

from __future__ import annotations

import datetime as dt

import pytest

from audits.models import NonCompliance
from csp import restrictions
from csp.access import Refused
from csp.models import Breach, Deadline, Notice
from csp.roles import Office
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.training import training
from tickets import procedures
from training import courses, records, rounds, updates
from training.models import Assignment, Attendance, Course, CourseVersion, Round

UTC = dt.UTC
NOW = dt.datetime(2030, 3, 4, 9, tzinfo=UTC)

# six calendar months in the contract's zone, which is London
SIX_MONTHS = [
    (dt.datetime(2030, 3, 4, 9, tzinfo=UTC), dt.datetime(2030, 9, 4, 8, tzinfo=UTC)),  # into summer time
    (dt.datetime(2030, 8, 31, 9, tzinfo=UTC), dt.datetime(2031, 2, 28, 10, tzinfo=UTC)),  # a day that is not there
    (dt.datetime(2031, 8, 31, 9, tzinfo=UTC), dt.datetime(2032, 2, 29, 10, tzinfo=UTC)),  # a leap year
    (dt.datetime(2030, 9, 30, 22, 59, 59, tzinfo=UTC), dt.datetime(2031, 3, 30, 22, 59, 59, tzinfo=UTC)),
]


def refresher(cast: Cast, code: str = "communication") -> Deadline:
    row = Assignment.objects.owed().get(user=cast.rita, course__code=code, why="refresher")
    assert row.deadline is not None
    return row.deadline


def update(cast: Cast, *, at: dt.datetime, by: dt.datetime | None = None, number: int = 1) -> CourseVersion:
    """The product publishes the update course of a procedure."""
    return courses.publish_update(
        cast.contract, code="procedure-7", title="Refunds", roles=["representative", "supervisor"],
        because=f"procedure-version:{number}", changes="Refunds up to 80 pounds.", material="# Refunds\n\nUp to 80.",
        asked=[("Up to how much?", ["80 pounds", "50 pounds"], [0])], renew_by=by, by="updates", at=at,
    )  # fmt: skip


# ---------------------------------------------------------------- six calendar months


@pytest.mark.parametrize(("passed", "due"), SIX_MONTHS)
def test_a_refresher_is_due_six_calendar_months_after_the_last_to_the_second(
    cast: Cast, passed: dt.datetime, due: dt.datetime
) -> None:
    training.passed("communication", by=cast.rita, at=passed)
    deadline = refresher(cast)
    assert (deadline.obligation, deadline.clause, deadline.starts_at, deadline.due_at) == (
        "refresher", "5.3", passed, due
    )  # fmt: skip
    training.tick(at=due)
    assert not Breach.objects.filter(deadline=deadline).exists()
    training.tick(at=due + make.SECOND)
    assert Breach.objects.get(deadline=deadline).breached_at == due


def test_passed_at_the_due_time_it_is_met_and_the_next_counts_from_then(cast: Cast) -> None:
    training.passed("communication", by=cast.rita, at=NOW)
    first = refresher(cast)
    training.passed("communication", by=cast.rita, at=first.due_at)
    first.refresh_from_db()
    assert first.state == "met"
    second = refresher(cast)
    assert second.starts_at == first.due_at
    training.tick(at=first.due_at + make.SECOND)
    assert not Breach.objects.filter(obligation="refresher").exists()


def test_a_second_late_is_a_breach_that_stays_and_a_case(cast: Cast) -> None:
    training.passed("communication", by=cast.rita, at=NOW)
    first = refresher(cast)
    training.passed("communication", by=cast.rita, at=first.due_at + make.SECOND)
    first.refresh_from_db()
    assert (first.state, first.breach.breached_at) == ("met_late", first.due_at)
    make.tick(at=first.due_at + make.HOUR)
    assert NonCompliance.objects.get(clause="5.3").team == cast.team


def test_reminders_come_thirty_fourteen_seven_and_one_days_before(cast: Cast) -> None:
    training.passed("communication", by=cast.rita, at=NOW)
    due = refresher(cast).due_at
    told = []
    for days in (31, 30, 14, 7, 1):
        training.tick(at=due - days * make.DAY)
        told.append(Notice.objects.filter(user=cast.rita, kind="reminder", subject_ref__startswith="T-").count())
    assert told == [0, 1, 2, 3, 4]


def test_software_training_is_not_repeated_unless_something_is_new(cast: Cast) -> None:
    training.passed("software", by=cast.rita, at=NOW)
    training.tick(at=NOW + 400 * make.DAY)
    assert not Assignment.objects.filter(user=cast.rita, course__code="software").exists()


def test_a_lapsed_refresher_limits_work_only_under_a_published_rule_and_passing_frees(cast: Cast) -> None:
    training.passed("communication", by=cast.rita, at=NOW)
    due = refresher(cast).due_at
    training.tick(at=due + make.SECOND)
    assert restrictions.of(cast.rita, due + make.SECOND) == []
    training.publish_gate(cast.contract, by=cast.adam, at=due + make.DAY)
    training.tick(at=due + make.DAY)
    assert [row.clause for row in restrictions.of(cast.rita, due + make.DAY)] == ["5.1"]
    training.passed("communication", by=cast.rita, at=due + make.DAY + make.SECOND)
    assert restrictions.of(cast.rita, due + make.DAY + make.SECOND) == []


# ---------------------------------------------------------------- something new


def test_an_update_is_due_at_its_date_or_in_six_months_whichever_is_earlier(cast: Cast) -> None:
    update(cast, at=NOW, by=NOW + 10 * make.DAY)
    training.tick(at=NOW)
    rows = Assignment.objects.filter(why="update").select_related("deadline", "user")
    assert {row.user for row in rows} == {cast.rita, cast.sam, cast.otto, cast.olga}
    assert {row.deadline.due_at for row in rows} == {NOW + 10 * make.DAY}
    update(cast, at=NOW + make.DAY, number=2)
    training.passed("procedure-7", by=cast.rita, at=NOW + make.DAY)
    assert not Assignment.objects.owed().filter(user=cast.rita, why="update").exists()
    training.tick(at=NOW + 2 * make.DAY)
    assert not Assignment.objects.owed().filter(user=cast.rita, why="update").exists()
    due = NOW + 10 * make.DAY
    training.tick(at=due)
    assert not Breach.objects.filter(obligation="refresher").exists()
    training.tick(at=due + make.SECOND)
    assert set(Breach.objects.filter(obligation="refresher").values_list("responsible", flat=True)) == {
        cast.sam.pk, cast.otto.pk, cast.olga.pk
    }  # fmt: skip


def test_who_passed_the_version_before_owes_the_new_one_beside_the_refresher(cast: Cast) -> None:
    training.passed("communication", by=cast.rita, at=NOW)
    old = refresher(cast)
    new = courses.revise(training.course("communication"), by=cast.adam, at=NOW)
    by = NOW + 20 * make.DAY
    courses.change(new, {"changes": "A new tone.", "renew_by": by}, by=cast.adam, at=NOW)
    courses.publish(new, by=cast.adam, at=NOW + make.DAY)
    training.tick(at=NOW + make.DAY)
    owed = Assignment.objects.owed().get(user=cast.rita, why="update")
    assert owed.deadline is not None
    assert (owed.version, owed.deadline.due_at) == (new, by)
    assert not Assignment.objects.filter(user=cast.sam, why="update").exists(), "he never passed it"
    training.passed("communication", by=cast.rita, at=by)
    for row in (owed.deadline, old):
        row.refresh_from_db()
        assert row.state == "met"
    assert refresher(cast).starts_at == by


def test_the_same_thing_has_one_update_course_however_often_it_is_published(cast: Cast) -> None:
    first = update(cast, at=NOW)
    assert update(cast, at=NOW + make.DAY) == first
    second = update(cast, at=NOW + make.DAY, number=2)
    assert (second.course, second.number) == (first.course, 2)
    assert Course.objects.filter(clause="5.3").count() == 1
    refused(
        "insert into training_courseversion"
        " (course_id, number, because, changes, material, minutes, pass_percent, attempts, written_at) "
        f"values ({first.course_id}, 9, 'procedure-version:1', '', '', 1, 80, 1, now())",
        saying="one_update_course_for_a_thing",
    )


def test_a_published_procedure_gets_its_update_course_by_itself_and_only_once(cast: Cast) -> None:
    told = {"title": "Refunds", "resolve_days": 4, "progress_days": 2, "by": cast.sam}
    text = "Look at the order\nDecide the refund\nTell the customer"
    draft = procedures.draft(cast.contract, None, text=text, at=NOW, reason="Refunds are decided here.", **told)
    training.tick(at=NOW)
    assert not CourseVersion.objects.exclude(because="").exists(), "only what a supervisor published"
    procedures.publish(draft, by=cast.sam, at=NOW, seen=procedures.seal_of(draft))
    first = training.tick(at=NOW)
    again = training.tick(at=NOW)
    assert (first["updates"], again["updates"]) == (1, 0)
    version = CourseVersion.objects.exclude(because="").get()
    assert "2. Decide the refund" in version.material
    assert [row.choices[row.right[0]] for row in version.questions.order_by("number")] == [
        "4", "Look at the order", "Tell the customer"
    ]  # fmt: skip
    owed = Assignment.objects.owed().get(user=cast.rita, version=version)
    assert owed.deadline is not None
    assert owed.deadline.due_at == NOW + updates.WITHIN
    attempt = records.start(version, by=cast.rita, at=NOW)
    records.finish(attempt, training.ticks(attempt), by=cast.rita, at=NOW)
    owed.deadline.refresh_from_db()
    assert owed.deadline.state == "met"


def test_an_update_published_while_somebody_writes_a_version_leaves_the_draft_to_follow_it(cast: Cast) -> None:
    first = update(cast, at=NOW)
    draft = courses.revise(first.course, by=cast.adam, at=NOW)
    second = update(cast, at=NOW + make.DAY, number=2)
    assert courses.current(first.course) == second
    courses.change(draft, {"changes": "Mine."}, by=cast.adam, at=NOW)
    courses.publish(draft, by=cast.adam, at=NOW + 2 * make.DAY)
    assert courses.current(first.course) == draft


def test_somebody_who_comes_back_after_it_lapsed_begins_anew_without_a_breach(cast: Cast) -> None:
    training.passed("communication", by=cast.rita, at=NOW)
    cast.rita.grants.update(ends_at=NOW + make.DAY)
    training.tick(at=NOW + make.DAY)
    back = NOW + 400 * make.DAY
    make.grant(user=cast.rita, role=cast.rita.grants.get().role, team=cast.team, since=back)
    training.publish_gate(cast.contract, by=cast.adam, at=back - make.DAY)
    training.tick(at=back)
    training.tick(at=back + make.DAY)
    assert not Breach.objects.filter(responsible=cast.rita).exists()
    assert Assignment.objects.owed().get(user=cast.rita, course__code="communication").why == "initial"


def test_somebody_who_comes_back_in_time_goes_on_with_the_refresher(cast: Cast) -> None:
    training.passed("communication", by=cast.rita, at=NOW)
    due = refresher(cast).due_at
    cast.rita.grants.update(ends_at=NOW + make.DAY)
    training.tick(at=NOW + make.DAY)
    make.grant(user=cast.rita, role=cast.rita.grants.get().role, team=cast.team, since=NOW + 9 * make.DAY)
    training.tick(at=NOW + 9 * make.DAY)
    assert refresher(cast).due_at == due


# ---------------------------------------------------------------- the round for everyone


def coming(cast: Cast) -> Round:
    return Round.objects.select_related("deadline").get(contract=cast.contract, conducted_at__isnull=True)


def test_the_first_round_counts_from_the_day_the_contract_is_in_force(cast: Cast) -> None:
    training.tick(at=make.AT)
    assert not Round.objects.exists(), "the contract was not in force yet"
    in_force_from = cast.version.in_force_from
    assert in_force_from is not None
    training.tick(at=in_force_from)
    row = coming(cast)
    assert (row.number, row.deadline.starts_at, row.deadline.obligation) == (1, in_force_from, "round")
    due = row.deadline.due_at
    assert (due.year * 12 + due.month) - (in_force_from.year * 12 + in_force_from.month) == 6
    training.tick(at=due)
    assert not Breach.objects.filter(deadline=row.deadline).exists()
    make.tick(at=due + make.SECOND)
    assert Breach.objects.get(deadline=row.deadline).breached_at == due
    assert NonCompliance.objects.filter(clause="5.3").count() == 1


def test_a_round_is_recorded_even_if_nothing_changed_and_the_next_counts_from_it(cast: Cast) -> None:
    assert cast.version.in_force_from is not None
    rounds.call(cast.version.in_force_from)
    row = coming(cast)
    at = row.deadline.due_at
    for by in (cast.rita, cast.vera, cast.fay):
        with pytest.raises(Refused):
            rounds.conduct(row, changed=False, summary="x", people=[], by=by, at=at)
    with pytest.raises(Refused, match="gone through"):
        rounds.conduct(row, changed=False, summary=" ", people=[], by=cast.sam, at=at)
    with pytest.raises(Refused, match="own presence"):
        rounds.conduct(row, changed=False, summary="x", people=[cast.sam], by=cast.sam, at=at)
    row = rounds.conduct(
        row, changed=False, summary="No new product, no new rule.", people=[cast.rita], by=cast.sam, at=at
    )
    row.deadline.refresh_from_db()
    assert (row.deadline.state, row.changed) == ("met", False)
    with pytest.raises(Refused, match="has been conducted"):
        rounds.conduct(row, changed=True, summary="x", people=[], by=cast.sam, at=at)
    rounds.attend(row, [cast.sam, cast.rita], by=cast.adam, at=at)
    assert set(Attendance.objects.values_list("user", "recorded_by")) == {
        (cast.rita.pk, cast.sam.pk), (cast.sam.pk, cast.adam.pk)
    }  # fmt: skip
    rounds.call(at)
    assert (coming(cast).number, coming(cast).deadline.starts_at) == (2, at)
    refused(f"update training_round set changed = true where id = {row.pk}", saying="does not change")


def test_the_companys_representative_answers_for_the_round_and_is_reminded(cast: Cast) -> None:
    cast.contract.appointments.create(office=Office.COMPANY_REPRESENTATIVE, user=cast.olga, starts_at=make.SINCE)
    assert cast.version.in_force_from is not None
    rounds.call(cast.version.in_force_from)
    deadline = coming(cast).deadline
    assert deadline.responsible == cast.olga
    told = []
    for days in (31, 30, 7):
        training.tick(at=deadline.due_at - days * make.DAY)
        told.append(Notice.objects.filter(user=cast.olga, kind="reminder", subject_ref__startswith="R-").count())
    assert told == [0, 1, 2]
