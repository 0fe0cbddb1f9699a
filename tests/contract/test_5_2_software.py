"""Clause 5.2: every staff account is trained in the software; until then practice or co-signed work only.

That work waits is a published rule with an appeal. By the contract's own value there are no days: whoever gets a role
is limited from that very second, nothing is overdue, and passing lifts it.
"""

from __future__ import annotations

import datetime as dt

import pytest

from csp import access, restrictions
from csp.access import Refused
from csp.models import Breach, Deadline, Notice, Restriction, User, Version
from csp.roles import Office, Role
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.training import training
from tickets import escalation, handling
from tickets.models import CoSignature, Interaction
from training import courses, gate, records, requirements
from training.models import Appeal, Assignment

# The courses of a fresh installation are published when it is made; this is later.
NOW = dt.datetime(2030, 3, 4, 9, tzinfo=dt.UTC)
Limit = Restriction.Kind


def limits(user: User, at: dt.datetime) -> set[str]:
    return {row.kind for row in restrictions.of(user, at)}


def newcomer(cast: Cast, *, since: dt.datetime = NOW, role: Role = Role.REPRESENTATIVE) -> User:
    team = cast.team if role in (Role.REPRESENTATIVE, Role.SUPERVISOR) else None
    contract = cast.contract if role in (Role.ANALYST, Role.AUDITOR) else None
    return make.person(name="Nina Newcomer", role=role, team=team, contract=contract, since=since)


@pytest.fixture
def gated(cast: Cast) -> Cast:
    training.publish_gate(cast.contract, by=cast.adam, at=NOW - make.HOUR)
    return cast


# ---------------------------------------------------------------- whom it is required of


@pytest.mark.parametrize("role", Role)
def test_it_is_required_of_every_staff_account_whatever_the_role(cast: Cast, role: Role) -> None:
    nina = newcomer(cast, role=role)
    assert "software" in {course.code for course in courses.required_of(nina, NOW)}
    assert courses.required_of(make.person(name="Gus Guest"), NOW) == []


# ---------------------------------------------------------------- without a rule nobody waits


def test_without_a_published_rule_nobody_is_limited_and_nothing_runs(cast: Cast) -> None:
    newcomer(cast)
    training.tick(at=NOW + make.DAY)
    assert not Assignment.objects.exists()
    assert not Restriction.objects.exists()
    assert not Deadline.objects.filter(obligation__in=["software_training", "initial_training"]).exists()


# ---------------------------------------------------------------- no days: limited from the first second


def test_somebody_new_is_limited_from_the_second_of_the_role_and_nothing_is_overdue(gated: Cast) -> None:
    nina = newcomer(gated)
    training.tick(at=NOW)
    assert {row.course.code for row in Assignment.objects.filter(user=nina)} == {*training.COURSES}
    assert limits(nina, NOW - make.SECOND) == set()
    assert limits(nina, NOW) == {"cosign"}
    training.tick(at=NOW + make.SECOND)
    others = Restriction.objects.exclude(user=nina)
    assert not others.exists(), "those who worked here already have days"
    training.tick(at=NOW + 30 * make.DAY)
    assert not Breach.objects.filter(responsible=nina).exists(), "limited from the first second, nothing is overdue"
    assert not Assignment.objects.filter(user=nina, deadline__isnull=False).exists()
    assert Notice.objects.filter(user=nina, kind="training").count() == 4


def test_each_course_passed_lifts_its_own_row_and_the_last_one_frees(gated: Cast) -> None:
    nina = newcomer(gated)
    training.tick(at=NOW)
    assert Restriction.objects.in_force(NOW).filter(user=nina).count() == 4
    for left, code in zip((3, 2, 1, 0), training.COURSES, strict=True):
        at = NOW + (4 - left) * make.HOUR
        training.passed(code, by=nina, at=at)
        assert Restriction.objects.in_force(at - make.SECOND).filter(user=nina).count() == left + 1
        assert Restriction.objects.in_force(at).filter(user=nina).count() == left
    assert limits(nina, NOW + 4 * make.HOUR) == set()
    assert set(Assignment.objects.filter(user=nina, why="initial").values_list("ended_how", flat=True)) == {"passed"}
    training.tick(at=NOW + make.DAY)
    assert limits(nina, NOW + make.DAY) == set()


def test_until_then_answers_wait_for_a_co_signature_and_nothing_else_is_delayed(gated: Cast) -> None:
    nina = newcomer(gated)
    training.tick(at=NOW)
    ticket = make.ticket(team=gated.team, customer=gated.carl, received_at=NOW, assignee=nina)
    access.scope_of(nina, NOW)  # as a request of that day reads it
    said = {"by": nina, "at": NOW + make.SECOND, "seen_through": make.on_screen(ticket=ticket)}
    held = handling.respond(ticket, body="It is corrected.", **said)
    assert isinstance(held, CoSignature)
    assert held.restriction.cause.startswith("training:")
    holding = handling.respond(ticket, body="We are on it.", purpose=Interaction.Purpose.HOLDING, **said)
    assert isinstance(holding, Interaction)
    escalation.escalate(ticket, by=nina, at=NOW + make.SECOND, reason="Above my limit.")
    for code in training.COURSES:
        training.passed(code, by=nina, at=NOW + make.HOUR)
    other = make.ticket(team=gated.team, customer=gated.rhea, received_at=NOW, assignee=nina)
    free = handling.respond(
        other, by=nina, at=NOW + make.HOUR, body="Done.", seen_through=make.on_screen(ticket=other)
    )  # fmt: skip
    assert isinstance(free, Interaction)


def test_failing_the_test_lifts_nothing(gated: Cast) -> None:
    nina = newcomer(gated)
    training.tick(at=NOW)
    assert not training.take("software", by=nina, at=NOW + make.HOUR, wrong=2).passed
    assert limits(nina, NOW + make.HOUR) == {"cosign"}


# ---------------------------------------------------------------- days: a deadline on the edge of the second


def test_who_works_here_when_the_rule_is_published_has_days_and_then_is_limited(cast: Cast) -> None:
    training.publish_gate(cast.contract, by=cast.adam, at=NOW, days=14)
    training.tick(at=NOW)
    [row] = Assignment.objects.filter(user=cast.rita, course__code="software")
    due = NOW + 14 * make.DAY
    assert row.deadline is not None
    assert (row.deadline.obligation, row.deadline.starts_at, row.deadline.due_at) == ("software_training", NOW, due)
    assert limits(cast.rita, NOW) == set()
    training.tick(at=due)
    assert not Breach.objects.filter(obligation="software_training").exists()
    training.passed("software", by=cast.sam, at=due)  # exactly at the due time is in time
    training.tick(at=due + make.SECOND)
    assert Breach.objects.filter(responsible=cast.rita, obligation="software_training").count() == 1
    assert not Breach.objects.filter(responsible=cast.sam, obligation="software_training").exists()
    assert limits(cast.rita, due + make.SECOND) == {"cosign"}
    row.refresh_from_db()
    assert row.restricted_at == due + make.SECOND
    for code in training.COURSES:
        training.passed(code, by=cast.rita, at=due + make.DAY)
    row.deadline.refresh_from_db()
    assert row.deadline.state == "met_late"
    assert limits(cast.rita, due + make.DAY) == set()


def test_days_that_a_version_of_the_contract_gives_run_for_somebody_new(gated: Cast) -> None:
    Version.objects.filter(contract=gated.contract).update(in_force_from=None)
    Version.objects.create(
        contract=gated.contract, number=1, title="With days", terms={"software_training": {"days": 3}},
        in_force_from=make.SINCE, created_at=make.SINCE,
    )  # fmt: skip
    nina = newcomer(gated)
    training.tick(at=NOW)
    software = Assignment.objects.get(user=nina, course__code="software")
    assert software.deadline is not None
    assert software.deadline.due_at == NOW + 3 * make.DAY
    assert software.restricted_at is None
    assert Assignment.objects.filter(user=nina, deadline__isnull=True).count() == 3


# ---------------------------------------------------------------- the rule


def test_the_rule_is_published_by_those_who_manage_training_and_does_not_change(cast: Cast) -> None:
    for by in (cast.rita, cast.fay, cast.vera):
        with pytest.raises(Refused):
            training.publish_gate(cast.contract, by=by, at=NOW)
    row = training.publish_gate(cast.contract, by=cast.sam, at=NOW)
    refused(f"update training_gate set restricts = '{{no_new_tickets}}' where id = {row.pk}", saying="does not change")
    second = training.publish_gate(cast.contract, by=cast.adam, at=NOW + make.DAY)
    row.refresh_from_db()
    assert (row.ended_at, second.number, second.ended_at) == (NOW + make.DAY, 2, None)


def test_each_way_of_limiting_is_a_row_and_the_end_of_the_rule_frees(gated: Cast) -> None:
    training.publish_gate(
        gated.contract, by=gated.adam, at=NOW - make.SECOND, restricts=[Limit.NO_COMPLAINTS, Limit.NO_NEW_TICKETS]
    )
    nina = newcomer(gated)
    training.tick(at=NOW)
    assert limits(nina, NOW) == {"no_complaints", "no_new_tickets"}
    gate.end(gated.contract, by=gated.adam, at=NOW + make.HOUR)
    assert limits(nina, NOW + make.HOUR) == set()
    training.tick(at=NOW + make.DAY)
    assert limits(nina, NOW + make.DAY) == set()


def test_a_measure_on_the_same_person_stays_when_the_training_is_passed(gated: Cast) -> None:
    nina = newcomer(gated)
    training.tick(at=NOW)
    restrictions.impose(
        nina, [Limit.COSIGN], clause="8.2", cause="measure:1", path="/measures/1/", starts_at=NOW,
        ends_at=NOW + 9 * make.DAY, by=gated.sam, at=NOW,
    )  # fmt: skip
    for code in training.COURSES:
        training.passed(code, by=nina, at=NOW + make.HOUR)
    assert [row.cause for row in restrictions.of(nina, NOW + make.HOUR)] == ["measure:1"]


# ---------------------------------------------------------------- the role ends


def test_when_the_role_ends_nothing_is_owed_any_more(cast: Cast) -> None:
    training.publish_gate(cast.contract, by=cast.adam, at=NOW, days=14)
    training.tick(at=NOW)
    cast.rita.grants.update(ends_at=NOW + make.DAY)
    training.tick(at=NOW + make.DAY)
    rows = Assignment.objects.filter(user=cast.rita).select_related("deadline")
    assert {row.ended_how for row in rows} == {"not_owed"}
    assert {row.deadline.state for row in rows if row.deadline} == {"void"}
    training.tick(at=NOW + 30 * make.DAY)
    assert not Breach.objects.filter(responsible=cast.rita).exists()


# ---------------------------------------------------------------- appeal


@pytest.fixture
def waiting(gated: Cast) -> Assignment:
    """Nina's software course, for which her work is limited."""
    nina = newcomer(gated)
    training.tick(at=NOW)
    return Assignment.objects.get(user=nina, course__code="software")


def test_only_the_one_concerned_appeals_and_once(gated: Cast, waiting: Assignment) -> None:
    with pytest.raises(Refused, match="Only the person"):
        gate.appeal(waiting, by=gated.sam, at=NOW, text="Unfair.")
    gate.appeal(waiting, by=waiting.user, at=NOW, text="I wrote the handbook.")
    with pytest.raises(Refused, match="once"):
        gate.appeal(waiting, by=waiting.user, at=NOW, text="Again.")
    assert limits(waiting.user, NOW) == {"cosign"}, "it stays until somebody has decided"
    told = set(Notice.objects.filter(key__endswith="training.appealed").values_list("user", flat=True))
    assert gated.sam.pk in told
    assert not {waiting.user.pk, gated.adam.pk} & told, "neither whom it concerns, nor who published the rule"


def test_an_appeal_is_decided_by_somebody_without_a_part_in_it(gated: Cast, waiting: Assignment) -> None:
    row = gate.appeal(waiting, by=waiting.user, at=NOW, text="I wrote the handbook.")
    until = NOW + 3 * make.DAY
    decided = {"upheld": True, "answer": "So you did.", "at": NOW + make.HOUR, "until": until}
    for by in (waiting.user, gated.adam, gated.rita, gated.vera):
        with pytest.raises(Refused):
            requirements.decide_appeal(row, by=by, **decided)
    for wrong in (None, NOW, NOW + 31 * make.DAY):
        with pytest.raises(Refused, match="by when"):
            requirements.decide_appeal(row, by=gated.sam, **(decided | {"until": wrong}))
    requirements.decide_appeal(row, by=gated.sam, **decided)
    with pytest.raises(Refused, match="already"):
        requirements.decide_appeal(row, by=gated.sam, **decided)
    instead = Assignment.objects.owed().get(user=waiting.user, course=waiting.course)
    assert instead.deadline is not None
    assert (instead.deadline.due_at, instead.deadline.obligation) == (until, "software_training")
    assert not Restriction.objects.in_force(NOW + make.HOUR).filter(cause=waiting.trail_subject).exists()
    training.tick(at=until)
    assert not Restriction.objects.filter(cause=instead.trail_subject).exists()
    training.tick(at=until + make.SECOND)
    assert Restriction.objects.in_force(until + make.SECOND).filter(cause=instead.trail_subject).count() == 1


def test_an_appeal_that_fails_changes_nothing_and_passing_still_frees(gated: Cast, waiting: Assignment) -> None:
    row = gate.appeal(waiting, by=waiting.user, at=NOW, text="I wrote the handbook.")
    requirements.decide_appeal(row, upheld=False, answer="Of another product.", by=gated.sam, at=NOW)
    assert Appeal.objects.get().upheld is False
    assert Restriction.objects.in_force(NOW).filter(cause=waiting.trail_subject).exists()
    training.passed("software", by=waiting.user, at=NOW + make.HOUR)
    assert not Restriction.objects.in_force(NOW + make.HOUR).filter(cause=waiting.trail_subject).exists()


def test_where_nobody_else_is_independent_a_representative_of_a_party_decides(gated: Cast, waiting: Assignment) -> None:
    paul = make.person(name="Paul Party")
    gated.contract.appointments.create(office=Office.PARTY_REPRESENTATIVE, user=paul, starts_at=make.SINCE)
    row = gate.appeal(waiting, by=waiting.user, at=NOW, text="I wrote the handbook.")
    assert gate.can_decide(waiting, paul, NOW)
    requirements.decide_appeal(row, upheld=False, answer="No.", by=paul, at=NOW)


# ---------------------------------------------------------------- any number of times


def test_the_loops_may_run_again_and_again(gated: Cast) -> None:
    newcomer(gated)
    first = training.tick(at=NOW)
    again = training.tick(at=NOW)
    assert first["require"] == 4 * 5 + 3
    assert (again["require"], again["limit_late"], again["end_unowed"], again["rounds"]) == (0, 0, 0, 0)
    refused(
        "insert into training_assignment (contract_id, user_id, course_id, why, starts_at, ended_how) "
        "select contract_id, user_id, course_id, why, starts_at, '' from training_assignment limit 1",
        saying="one_initial_training_owed",
    )


def test_evidence_of_another_frees_as_a_test_does(gated: Cast) -> None:
    nina = newcomer(gated)
    training.tick(at=NOW)
    records.record_evidence(
        training.version("software"), nina, by=gated.sam, at=NOW + make.HOUR, passed_at=NOW + make.HOUR,
        note="Shown at the desk by Sam for an afternoon.",
    )  # fmt: skip
    cause = Assignment.objects.get(user=nina, course__code="software", why="initial").trail_subject
    assert not Restriction.objects.in_force(NOW + make.HOUR).filter(cause=cause).exists()
