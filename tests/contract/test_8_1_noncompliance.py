"""Clause 8.1: what was not kept is reported at once, and corrected within seven days.

A breach that calls for it is reported by the product, once, in the case of its clause, team and day. A person reports
in one sentence, within an hour of noticing. The correction is implemented with evidence in seven days from the report,
verified by somebody independent, and its effect is judged by what was set beforehand.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from pytest_django.fixtures import Settings

from audits import corrective, noncompliance
from audits.models import CorrectiveAction, Implementation, Measure, Membership, NonCompliance, Verification
from csp import loops, offices, verifying
from csp.access import Refused
from csp.models import Appointment, Breach, Deadline, Notice, TrailEntry, User
from csp.roles import Office, Role
from tests import factories as make
from tests.cast import Cast

SEVEN = dt.timedelta(days=7)
State, Doing = NonCompliance.State, CorrectiveAction.State


def appoint(cast: Cast, office: Office, user: User, since: dt.datetime = make.SINCE) -> Appointment:
    return Appointment.objects.create(contract=cast.contract, office=office, user=user, starts_at=since)


@pytest.fixture
def officers(cast: Cast) -> dict[str, User]:
    """The offices of the contract, each held by somebody with no other work in it."""
    people = {
        "company": make.person(name="Cora Company", team=None),
        "party": make.person(name="Paul Party"),
        "owner": make.person(name="Olive Owner"),
    }
    people["party"].side = "party"
    people["party"].save()
    appoint(cast, Office.COMPANY_REPRESENTATIVE, people["company"])
    appoint(cast, Office.PARTY_REPRESENTATIVE, people["party"])
    appoint(cast, Office.COMPLIANCE_OWNER, people["owner"])
    return people


def breached(cast: Cast, *, count: int = 1, received_at: dt.datetime = make.AT) -> dt.datetime:
    """So many tickets that nobody answers; returns the instant at which that is known."""
    for number in range(count):
        make.ticket(team=cast.team, customer=cast.carl, received_at=received_at + number * make.SECOND)
    return received_at + make.DAY + count * make.SECOND


def a_case(cast: Cast) -> NonCompliance:
    at = breached(cast)
    make.tick(at=at)
    return NonCompliance.objects.get()


def reported(cast: Cast, at: dt.datetime = make.AT, **more: object) -> NonCompliance:
    return noncompliance.report(
        team=cast.team, clause="3.1", what="Nobody called back.", by=cast.rita, at=at,
        **{"noticed_at": at, **more},  # type: ignore[arg-type]
    )  # fmt: skip


def an_action(case: NonCompliance, owner: User, by: User, at: dt.datetime) -> CorrectiveAction:
    return corrective.add_action(
        case, kind=CorrectiveAction.Kind.CORRECTIVE, what="Call the customer back", owner=owner, by=by, at=at
    )


# ---------------------------------------------------------------- by the product


def test_a_breach_is_reported_one_second_after_it_was_due_and_not_before(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    make.tick(at=make.AT + make.DAY)
    assert not NonCompliance.objects.exists()
    at = make.AT + make.DAY + make.SECOND
    make.tick(at=at)
    case = NonCompliance.objects.get()
    assert (case.clause, case.team, case.reported_at, case.state) == ("3.1", cast.team, at, State.OPEN)
    assert case.correct.due_at == at + SEVEN
    assert Membership.objects.count() == Breach.objects.filter(obligation__in=noncompliance.OPENING).count() == 2
    assert noncompliance.seconds_to_report(cast.contract, make.AT, at + make.DAY) == [0.0, 0.0]


def test_every_obligation_that_opens_a_noncompliance_is_pulled_and_no_other(cast: Cast) -> None:
    assert {"acknowledge", "respond", "follow_up", "escalate", "report"} <= set(noncompliance.OPENING)
    assert not {"correct", "verify", "effect", "take_up"} & set(noncompliance.OPENING)


def test_twenty_eight_breaches_of_one_outage_are_one_case(cast: Cast, officers: dict[str, User]) -> None:
    make.tick(at=breached(cast, count=14))
    case = NonCompliance.objects.get()
    assert case.memberships.count() == 28
    assert Deadline.objects.filter(obligation="correct").count() == 1
    for person in officers.values():
        assert Notice.objects.filter(user=person, kind="case").count() == 1


def test_a_later_breach_of_the_day_joins_and_the_clock_stays_the_earliest_members(
    cast: Cast, officers: dict[str, User]
) -> None:
    case = a_case(cast)
    later = breached(cast, received_at=make.AT + 3 * make.HOUR)
    make.tick(at=later)
    assert NonCompliance.objects.get().memberships.count() == 4
    case.refresh_from_db()
    assert case.correct.due_at == case.reported_at + SEVEN == noncompliance.earliest_report(case) + SEVEN
    told = Notice.objects.filter(user=officers["party"], kind="case").order_by("id")
    assert [notice.facts["says"] for notice in told] == ["case.opened", "case.joined"]
    # A digest collects, and names everything that it collected.
    assert {ref for notice in told for ref in notice.facts["refs"].split(", ")} == set(
        Breach.objects.values_list("deadline__subject_ref", flat=True)
    )


def test_another_day_team_or_clause_is_another_case(cast: Cast) -> None:
    a_case(cast)
    make.tick(at=breached(cast, received_at=make.AT + make.DAY))
    make.ticket(team=cast.other_team, customer=cast.rhea)
    make.tick(at=make.AT + 2 * make.DAY + 2 * make.SECOND)
    cases = NonCompliance.objects.order_by("pk")
    assert [(case.team, case.day.day) for case in cases] == [
        (cast.team, 4), (cast.team, 5), (cast.other_team, 4),
    ]  # fmt: skip


def test_the_day_is_read_in_the_contracts_zone(cast: Cast) -> None:
    cast.contract.zone = "Pacific/Auckland"
    cast.contract.save()
    received = dt.datetime(2025, 3, 3, 10, 59, 59, tzinfo=dt.UTC)  # 23:59:59 in Auckland
    make.ticket(team=cast.team, customer=cast.carl, received_at=received)
    make.ticket(team=cast.team, customer=cast.carl, received_at=received + make.SECOND)
    make.tick(at=received + make.DAY + make.HOUR)
    assert [case.day.day for case in NonCompliance.objects.order_by("day")] == [4, 5]


def test_a_breach_after_the_correction_opens_a_new_case(cast: Cast) -> None:
    case = a_case(cast)
    at = case.reported_at + make.HOUR
    corrective.implement(an_action(case, cast.rita, cast.sam, at), by=cast.rita, at=at, text="Called back.")
    make.tick(at=breached(cast, received_at=make.AT + 3 * make.HOUR))
    assert NonCompliance.objects.count() == 2
    assert case.memberships.count() == 2


def test_pulling_twice_changes_nothing(cast: Cast) -> None:
    case = a_case(cast)
    entries = TrailEntry.objects.count()
    assert noncompliance.pull(case.reported_at) == noncompliance.pull_all(case.reported_at) == 0
    assert (Membership.objects.count(), TrailEntry.objects.count()) == (2, entries)


def test_the_loop_on_time_looks_back_two_days_and_the_hourly_one_at_everything(cast: Cast) -> None:
    at = breached(cast)
    loops.run_dry(loops.RULES["sweep"], at)
    assert noncompliance.pull(at + noncompliance.RECENT + make.SECOND) == 0
    assert noncompliance.pull_all(at + noncompliance.RECENT + make.SECOND) == 2


def test_splitting_gives_some_breaches_a_case_and_a_clock_of_their_own(cast: Cast) -> None:
    case = a_case(cast)
    make.tick(at=breached(cast, received_at=make.AT + 3 * make.HOUR))
    later = case.memberships.filter(reported_at__gt=case.reported_at)
    fresh = noncompliance.split(
        case, [row.pk for row in later], by=cast.sam, at=case.reported_at + make.DAY
    )  # fmt: skip
    assert fresh.memberships.count() == case.memberships.count() == 2
    assert fresh.reported_at == case.reported_at + 3 * make.HOUR
    assert fresh.correct.due_at == fresh.reported_at + SEVEN
    # What comes later of the same day joins the first one.
    make.tick(at=breached(cast, received_at=make.AT + 5 * make.HOUR))
    assert (case.memberships.count(), fresh.memberships.count()) == (4, 2)
    with pytest.raises(Refused, match="at least one"):
        noncompliance.split(case, case.memberships.values_list("pk", flat=True), by=cast.sam, at=fresh.reported_at)
    with pytest.raises(Refused):
        noncompliance.split(case, [case.memberships.all()[0].pk], by=cast.rita, at=fresh.reported_at)


# ---------------------------------------------------------------- who is told


def test_those_who_must_know_are_told_in_the_same_transaction(cast: Cast, officers: dict[str, User]) -> None:
    case = a_case(cast)
    told = set(Notice.objects.filter(kind="case").values_list("user", flat=True))
    assert told == {cast.sam.pk, *(person.pk for person in officers.values())}
    assert cast.olga.pk not in told
    assert set(Notice.objects.filter(kind="case").values_list("created_at", flat=True)) == {case.reported_at}


def test_an_empty_office_falls_to_the_administrators(cast: Cast) -> None:
    appoint(cast, Office.COMPANY_REPRESENTATIVE, make.person(name="Cora Company"))
    case = a_case(cast)
    assert Notice.objects.filter(user=cast.adam, kind="case", path=case.path).count() == 1


def test_a_deputy_stands_in_for_somebody_who_has_left(cast: Cast) -> None:
    gone = make.person(name="Gone Away", active=False)
    deputy = make.person(name="Della Deputy")
    row = appoint(cast, Office.COMPLIANCE_OWNER, gone)
    row.deputy = deputy
    row.save()
    assert offices.held_by(deputy, make.AT) == {(cast.contract.pk, "compliance_owner")}
    a_case(cast)
    assert Notice.objects.filter(user=deputy, kind="case").count() == 1
    assert not Notice.objects.filter(user=gone).exists()


# ---------------------------------------------------------------- by a person


@pytest.mark.parametrize(("after", "late"), [(-make.SECOND, False), (0 * make.SECOND, False), (make.SECOND, True)])
def test_a_persons_report_is_late_after_an_hour(cast: Cast, after: dt.timedelta, late: bool) -> None:
    at = make.AT + make.HOUR + after
    case = reported(cast, at, noticed_at=make.AT)
    assert case.report is not None
    assert (case.report.state == Deadline.State.MET_LATE) is late
    assert case.correct.due_at == at + SEVEN
    make.tick(at=at + make.SECOND)
    cases = NonCompliance.objects.order_by("pk")
    assert [row.clause for row in cases] == (["3.1", "8.1"] if late else ["3.1"])


def test_anybody_reports_and_all_who_must_know_are_told(cast: Cast, officers: dict[str, User]) -> None:
    case = noncompliance.report(
        team=cast.team, clause="4.1", what="No transcript.", noticed_at=make.AT, by=cast.fay, at=make.AT, about="#12"
    )
    assert set(Notice.objects.filter(path=case.path).values_list("user", flat=True)) == {
        cast.sam.pk, *(person.pk for person in officers.values()),
    }  # fmt: skip
    assert case in NonCompliance.objects.visible_to(cast.fay)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"clause": "12"}, "clause"), ({"what": " "}, "what happened"), ({"noticed_at": make.AT + make.SECOND}, "future")],
)
def test_a_report_that_cannot_be_right_says_how_to_mend_it(cast: Cast, wrong: dict[str, object], says: str) -> None:
    with pytest.raises(Refused, match=says):
        noncompliance.report(
            **{"team": cast.team, "clause": "3.1", "what": "x", "noticed_at": make.AT, "by": cast.rita, "at": make.AT}
            | wrong  # type: ignore[arg-type]
        )
    assert not NonCompliance.objects.exists()


def test_a_confidential_report_is_seen_by_the_compliance_owner_only(cast: Cast, officers: dict[str, User]) -> None:
    case = reported(cast, in_confidence=True)
    everybody = User.objects.all()
    sees = {user for user in everybody if NonCompliance.objects.visible_to(user).filter(pk=case.pk).exists()}
    assert sees == {officers["owner"]}
    assert set(Notice.objects.values_list("user", flat=True)) == {officers["owner"].pk}
    assert not any("called back" in str(notice.facts) for notice in Notice.objects.all())
    entry = TrailEntry.objects.get(act="noncompliance.reported")
    assert f"user:{cast.rita.pk}" not in (entry.actor, entry.facts)


def test_a_confidential_report_about_the_owner_is_seen_by_the_other_party(
    cast: Cast, officers: dict[str, User]
) -> None:
    case = reported(cast, in_confidence=True, about_the_owner=True)
    sees = {user for user in User.objects.all() if NonCompliance.objects.visible_to(user).filter(pk=case.pk).exists()}
    assert sees == {officers["party"]}
    assert set(Notice.objects.values_list("user", flat=True)) == {officers["party"].pk}


def test_with_no_compliance_owner_a_confidential_report_waits_unread(cast: Cast) -> None:
    case = reported(cast, in_confidence=True)
    assert not any(NonCompliance.objects.visible_to(user).exists() for user in User.objects.all())
    [notice] = Notice.objects.all()
    assert (notice.user, notice.path, notice.subject_ref) == (cast.adam, "", "")
    owner = make.person(name="Olive Owner")
    appoint(cast, Office.COMPLIANCE_OWNER, owner)
    assert NonCompliance.objects.visible_to(owner).get() == case


def test_an_overdue_confidential_case_tells_nobody_else(cast: Cast, officers: dict[str, User]) -> None:
    case = reported(cast, in_confidence=True)
    make.tick(at=case.correct.due_at + make.SECOND)
    told = set(Notice.objects.filter(subject_ref=case.reference).values_list("user", flat=True))
    assert told == {officers["owner"].pk}


def test_a_late_confidential_report_does_not_come_to_light_by_being_late(cast: Cast, officers: dict[str, User]) -> None:
    reported(cast, make.AT + 2 * make.HOUR, noticed_at=make.AT, in_confidence=True, about_the_owner=True)
    make.tick(at=make.AT + 3 * make.HOUR)
    assert {case.kept_by for case in NonCompliance.objects.all()} == {Office.PARTY_REPRESENTATIVE}
    assert NonCompliance.objects.count() == 2
    shown = Notice.objects.filter(kind__in=["case", "breach"]).values_list("user", flat=True)
    assert set(shown) <= {officers["party"].pk, cast.rita.pk}


def test_who_sees_a_case_that_is_not_confidential(cast: Cast, officers: dict[str, User]) -> None:
    case = a_case(cast)
    sees = {user.name for user in User.objects.all() if NonCompliance.objects.visible_to(user).exists()}
    assert sees == {"Sam Supervisor", "Vera Auditor", "Cora Company", "Paul Party", "Olive Owner"}
    an_action(case, cast.otto, cast.sam, case.reported_at)
    assert NonCompliance.objects.visible_to(cast.otto).get() == case


# ---------------------------------------------------------------- corrected in seven days


@pytest.mark.parametrize(
    ("after", "state"),
    [(-make.SECOND, "met"), (0 * make.SECOND, "met"), (make.SECOND, "met_late")],
)
def test_implemented_at_exactly_seven_days_is_in_time(cast: Cast, after: dt.timedelta, state: str) -> None:
    case = a_case(cast)
    action = an_action(case, cast.rita, cast.sam, case.reported_at)
    at = case.reported_at + SEVEN + after
    corrective.implement(action, by=cast.rita, at=at, text="Called back, see the recording.")
    case.refresh_from_db()
    assert (case.correct.state, case.state) == (state, State.IMPLEMENTED)


def test_seven_days_across_a_change_of_the_clock_are_the_earlier_reading(cast: Cast) -> None:
    # London loses an hour on 30 March 2025: the same time on day seven comes an hour before 7 x 24 hours are over.
    at = dt.datetime(2025, 3, 26, 9, tzinfo=dt.UTC)
    assert reported(cast, at).correct.due_at == dt.datetime(2025, 4, 2, 8, tzinfo=dt.UTC)
    # In October it gains one: 7 x 24 hours are over first.
    at = dt.datetime(2025, 10, 22, 9, tzinfo=dt.UTC)
    assert reported(cast, at).correct.due_at == dt.datetime(2025, 10, 29, 9, tzinfo=dt.UTC)


def test_a_case_without_any_action_is_overdue_like_any_other(cast: Cast, officers: dict[str, User]) -> None:
    case = a_case(cast)
    make.tick(at=case.correct.due_at)
    assert not Breach.objects.filter(obligation="correct").exists()
    make.tick(at=case.correct.due_at + make.SECOND)
    breach = Breach.objects.get(obligation="correct")
    told = set(Notice.objects.filter(key=f"breach:{breach.pk}").values_list("user", flat=True))
    assert told == {cast.sam.pk, officers["company"].pk, officers["party"].pk}
    assert NonCompliance.objects.count() == 1, "an overdue correction never opens another case"
    measure = Measure.objects.get()
    assert (measure.rule, measure.case, measure.because_deadline) == ("overdue", case, breach.deadline)
    make.tick(at=case.correct.due_at + 2 * make.SECOND)
    assert Measure.objects.count() == 1


def test_every_action_has_to_be_implemented_with_evidence(cast: Cast) -> None:
    case = a_case(cast)
    at = case.reported_at
    first, second = an_action(case, cast.rita, cast.sam, at), an_action(case, cast.otto, cast.sam, at)
    with pytest.raises(Refused, match="evidence"):
        corrective.implement(first, by=cast.rita, at=at, text="  ")
    with pytest.raises(Refused):
        corrective.implement(first, by=cast.otto, at=at, text="Not mine.")
    row = corrective.implement(
        first, by=cast.rita, at=at, text="Done.", files=[corrective.File("proof.txt", "text/plain", b"It is done.")]
    )
    assert row.verify.due_at == at + dt.timedelta(days=3)
    assert row.verify.is_policy
    case.refresh_from_db()
    assert (case.correct.state, case.state) == ("open", State.OPEN)
    corrective.withdraw_action(second, by=cast.sam, at=at, reason="The first one does it.")
    case.refresh_from_db()
    assert (case.correct.state, case.state) == ("met", State.IMPLEMENTED)
    with pytest.raises(Refused, match="already"):
        corrective.implement(first, by=cast.rita, at=at, text="Again.")


def test_a_withdrawn_only_action_corrects_nothing(cast: Cast) -> None:
    case = a_case(cast)
    action = an_action(case, cast.rita, cast.sam, case.reported_at)
    corrective.withdraw_action(action, by=cast.sam, at=case.reported_at, reason="A mistake.")
    case.refresh_from_db()
    assert case.state == State.OPEN


# ---------------------------------------------------------------- verified by somebody independent


@pytest.fixture
def done(cast: Cast, officers: dict[str, User]) -> Implementation:
    """Rita has implemented the one action, which Sam set and Sam leads."""
    case = a_case(cast)
    noncompliance.take_lead(case, to=cast.sam, by=cast.sam, at=case.reported_at)
    action = an_action(case, cast.rita, cast.sam, case.reported_at)
    return corrective.implement(action, by=cast.rita, at=case.reported_at + make.DAY, text="Called back.")


def test_nobody_verifies_own_work(cast: Cast, officers: dict[str, User], done: Implementation) -> None:
    at = done.at + make.HOUR
    under_sam = make.person(name="Uma Under", role=Role.SUPERVISOR, team=cast.other_team)
    make.grant(user=under_sam, role=Role.REPRESENTATIVE, team=cast.team)
    for user, says in [
        (cast.rita, "judges this"),  # did it, and is nobody who verifies
        (cast.sam, "own work"),  # led and set it
        (under_sam, "report to"),  # a supervisor elsewhere, but Sam's subordinate here
        (cast.vera, "judges this"),  # an auditor reads
    ]:
        with pytest.raises(Refused, match=says):
            corrective.verify(done, by=user, at=at, accepted=True, note="Fine.")
    corrective.verify(done, by=cast.olga, at=at, accepted=True, note="Heard the call.")
    done.action.refresh_from_db()
    assert done.action.state == Doing.VERIFIED


def test_the_other_partys_representative_verifies_where_nobody_else_is_independent(
    cast: Cast, officers: dict[str, User], done: Implementation
) -> None:
    corrective.verify(done, by=officers["party"], at=done.at, accepted=True, note="Seen.")
    assert Verification.objects.get().by == officers["party"]


def test_verification_has_a_clock_of_three_days_that_tells_the_compliance_owner(
    cast: Cast, officers: dict[str, User], done: Implementation
) -> None:
    make.tick(at=done.verify.due_at)
    assert not Breach.objects.filter(obligation="verify").exists()
    make.tick(at=done.verify.due_at + make.SECOND)
    breach = Breach.objects.get(obligation="verify")
    assert Notice.objects.filter(key=f"breach:{breach.pk}", user=officers["owner"]).exists()
    assert NonCompliance.objects.count() == 1


def test_a_rejection_annuls_the_implementation_and_the_first_due_time_stands(
    cast: Cast, officers: dict[str, User], done: Implementation
) -> None:
    case = done.action.case
    first = case.correct
    corrective.verify(done, by=cast.olga, at=done.at + make.HOUR, accepted=False, note="No recording is there.")
    case.refresh_from_db()
    assert (case.state, case.correct.state, case.correct.due_at) == (State.OPEN, "open", first.due_at)
    assert case.correct.reopens_id == first.pk
    first.refresh_from_db()
    assert first.state == "met", "the first record stays and says so"
    measure = Measure.objects.get()
    assert (measure.rule, measure.kind, measure.person) == ("rejected", Measure.Kind.OVERSIGHT, cast.rita)
    corrective.implement(done.action, by=cast.rita, at=first.due_at, text="With the recording.")
    case.refresh_from_db()
    assert case.correct.state == "met"


def test_a_rejection_after_the_seven_days_is_a_breach_at_once(
    cast: Cast, officers: dict[str, User], done: Implementation
) -> None:
    case = done.action.case
    due_at = case.correct.due_at
    corrective.verify(done, by=cast.olga, at=due_at + make.SECOND, accepted=False, note="Nothing was done.")
    case.refresh_from_db()
    assert (case.correct.state, case.correct.breach.breached_at) == ("breached", due_at)


def test_the_effect_is_judged_when_and_by_what_was_set_beforehand(
    cast: Cast, officers: dict[str, User], done: Implementation
) -> None:
    case = done.action.case
    check_at = case.correct.due_at + dt.timedelta(days=60)
    corrective.plan_effect(case, by=cast.sam, at=done.at, criterion="No call is missed.", check_at=check_at)
    corrective.verify(done, by=cast.olga, at=done.at + make.HOUR, accepted=True, note="Heard the call.")
    case.refresh_from_db()
    assert case.effect is not None
    assert (case.state, case.effect.due_at) == (State.VERIFIED, check_at)
    with pytest.raises(Refused, match="beforehand"):
        corrective.plan_effect(case, by=cast.sam, at=done.at, criterion="Anything.", check_at=check_at)
    with pytest.raises(Refused, match="own work"):
        corrective.check_effect(case, by=cast.sam, at=check_at, effective=True, note="Fine.")
    corrective.check_effect(case, by=officers["owner"], at=check_at, effective=True, note="None missed in March.")
    case.refresh_from_db()
    assert (case.state, case.closed_at, case.effect.state) == (State.CLOSED, check_at, "met")


def test_a_correction_without_effect_opens_the_case_again_for_seven_days(
    cast: Cast, officers: dict[str, User], done: Implementation
) -> None:
    case = done.action.case
    corrective.verify(done, by=cast.olga, at=done.at + make.HOUR, accepted=True, note="Heard the call.")
    case.refresh_from_db()
    at = case.check_at
    corrective.check_effect(case, by=officers["owner"], at=at, effective=False, note="Two more were missed.")
    case.refresh_from_db()
    assert (case.state, case.correct.starts_at, case.correct.due_at) == (State.OPEN, at, at + SEVEN)
    assert Measure.objects.get(rule="no_effect").aim == Measure.Aim.TEAM


# ---------------------------------------------------------------- nothing owed


def test_a_report_that_was_none_is_dismissed_by_somebody_independent(cast: Cast) -> None:
    case = reported(cast)
    with pytest.raises(Refused):
        noncompliance.dismiss(case, by=cast.rita, at=make.AT, reason="I was wrong.")
    noncompliance.dismiss(case, by=cast.sam, at=make.AT + make.HOUR, reason="The call is on record.")
    case.refresh_from_db()
    assert (case.state, case.correct.state) == (State.DISMISSED, "void")


def test_a_case_with_a_breach_that_stands_is_not_dismissed(cast: Cast) -> None:
    case = a_case(cast)
    with pytest.raises(Refused, match="assessed"):
        noncompliance.dismiss(case, by=cast.sam, at=case.reported_at, reason="It does not matter.")


# ---------------------------------------------------------------- proof


def test_evidence_of_a_correction_does_not_change(cast: Cast, officers: dict[str, User], done: Implementation) -> None:
    corrective.verify(done, by=cast.olga, at=done.at, accepted=True, note="Heard the call.")
    case = done.action.case
    for change in [
        lambda: Implementation.objects.update(text="Another."),
        lambda: Verification.objects.update(accepted=False),
        lambda: Verification.objects.all().delete(),
        lambda: NonCompliance.objects.filter(pk=case.pk).update(reported_at=case.reported_at + make.DAY),
        lambda: NonCompliance.objects.filter(pk=case.pk).delete(),
        lambda: Membership.objects.update(reported_at=make.AT),
    ]:
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_evidence_of_a_correction_is_named_in_the_trail(
    cast: Cast, officers: dict[str, User], done: Implementation, settings: Settings, tmp_path: Path
) -> None:
    settings.CHECKPOINT_DIR = tmp_path
    corrective.verify(done, by=cast.olga, at=done.at, accepted=True, note="Heard the call.")
    at = TrailEntry.objects.latest("recorded_at").recorded_at
    make.tick(at=at)
    loops.run_dry(loops.RECORD["seal"], at)
    assert [str(finding) for finding in verifying.verify(at)] == []
    acts = TrailEntry.objects.filter(context=done.action.case.trail_subject).values_list("act", flat=True)
    assert {"noncompliance.reported", "action.set", "action.implemented", "action.verified", "deadline.met"} <= set(
        acts
    )
