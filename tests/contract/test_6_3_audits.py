"""Clause 6.3: the company may audit how well customers are served, and the audit itself can be checked.

Access is asked for, given within five working days, for a time, and ends by itself. The population is frozen before
the seed is made, every draw stays on record, nobody scores own work, a failed critical criterion fails the ticket, a
"no" on accuracy is reported at once, and an audit closes with every draw scored or excused.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from audits import audit_findings, board, controls, corrective, periods, programme, sampling, scorecards, scoring
from audits.models import Audit, AuditFinding, CorrectiveAction, Draw, Mark, NonCompliance, Scoring
from audits.views.programme import sampled
from csp import access, servicetime
from csp.access import Refused
from csp.models import Appointment, Breach, Deadline, Notice, ShiftPlan, TrailEntry, User
from csp.roles import Office, Permission, Role
from tests import factories as make
from tests.cast import Cast
from tickets.models import Ticket

SINCE = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
UNTIL = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
AT = make.AT  # a Monday, 09:00; London is on UTC
FIVE = dt.timedelta(days=7)  # Monday to Monday
Severity, Doing = AuditFinding.Severity, CorrectiveAction.Kind
Standing = controls.Standing


def as_of(user: User, at: dt.datetime) -> User:
    """Somebody who opens a page at that moment: what they may do is read once for it."""
    user.held_cache = None
    access.scope_of(user, at)
    return user


@dataclasses.dataclass(frozen=True, slots=True)
class People:
    ada: User  # audits
    ben: User  # scores second
    party: User  # the party's representative


@pytest.fixture
def people(cast: Cast) -> People:
    party = make.person(name="Paul Party")
    for office, user in (
        (Office.PARTY_REPRESENTATIVE, party),
        (Office.COMPLIANCE_OWNER, make.person(name="Olive Own")),
    ):
        Appointment.objects.create(contract=cast.contract, office=office, user=user, starts_at=make.SINCE)
    return People(make.person(name="Ada Outside"), make.person(name="Ben Outside"), party)


def closed(cast: Cast, count: int, *, mine: bool = True) -> list[int]:
    """So many tickets that the team closed in February, a day apart, answered by Rita."""
    numbers = []
    for day in range(count):
        received = SINCE + dt.timedelta(hours=8 + day)
        team, by = (cast.team, cast.rita) if mine else (cast.other_team, cast.otto)
        channel = Ticket.Channel.MAIL if day % 3 else Ticket.Channel.FORM
        ticket = make.ticket(
            team=team, customer=cast.carl, received_at=received, subject=f"Matter {day}", channel=channel
        )
        make.answer(ticket=ticket, by=by, at=received + make.HOUR, accepted_at=received + make.HOUR)
        Ticket.objects.filter(pk=ticket.pk).update(state="closed", closed_at=received + make.DAY, assignee=by)
        numbers.append(ticket.pk)
    return numbers


def planned(cast: Cast, people: People, **more: object) -> Audit:
    values: dict[str, object] = {
        "title": "February", "clauses": ["3.1", "3.3", "4.1"], "teams": [cast.team], "since": SINCE, "until": UNTIL,
        "sample_size": 3, "auditor": people.ada, "begins_at": AT, "ends_at": AT + dt.timedelta(days=30),
        "by": people.party, "at": AT,
    }  # fmt: skip
    return programme.plan(cast.contract, **(values | more))  # type: ignore[arg-type]


def let_in(audit: Audit, cast: Cast, until: dt.datetime = AT + dt.timedelta(days=20)) -> Audit:
    programme.request_access(audit, by=audit.auditor, at=AT)
    programme.give_access(audit, until=until, by=cast.adam, at=AT)
    for person in programme.scorers(audit):
        as_of(person, AT)
    return programme.lock(audit)


@pytest.fixture
def running(cast: Cast, people: People) -> Audit:
    """An audit of three of seven tickets, drawn."""
    closed(cast, 7)
    with transaction.atomic():
        audit = let_in(planned(cast, people, second=people.ben, twice_percent=34), cast)
    programme.draw(audit, by=as_of(people.ada, AT), at=AT, seed="seventeen")
    return Audit.objects.get(pk=audit.pk)


def card(audit: Audit, **answers: str) -> dict[int, scoring.Said]:
    """Yes to everything, but for what is said otherwise by clause: `c31="no"`."""
    said = {}
    for one in programme.criteria_of(audit):
        answer = answers.get(f"c{one.clause.replace('.', '')}", "yes")
        said[one.pk] = scoring.Said(answer, "Nobody looked into it." if answer == "no" else "")
    return said


def signed(draw: Draw, by: User, at: dt.datetime = AT, **answers: str) -> Scoring:
    draw = Draw.objects.select_related("audit").get(pk=draw.pk)
    return scoring.sign(draw, card(draw.audit, **answers), by=as_of(by, at), at=at)


# ---------------------------------------------------------------- access: five working days, for a time, by others


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (dt.datetime(2025, 3, 3, 9), dt.datetime(2025, 3, 10, 9)),  # Monday to Monday
        (dt.datetime(2025, 3, 7, 17, 30), dt.datetime(2025, 3, 14, 17, 30)),
        (dt.datetime(2025, 3, 8, 10), dt.datetime(2025, 3, 14, 10)),  # Saturday: counts from Monday
        (dt.datetime(2025, 3, 27, 10), dt.datetime(2025, 4, 3, 10)),  # over the change of the clock, by the wall
    ],
)
def test_five_working_days_are_counted_on_the_wall(start: dt.datetime, due: dt.datetime) -> None:
    zone = ZoneInfo("Europe/London")
    found = servicetime.after_working_days(start.replace(tzinfo=zone), 5, zone)
    assert found == due.replace(tzinfo=zone)


def test_public_holidays_are_no_working_days(cast: Cast, people: People) -> None:
    ShiftPlan.objects.create(team=cast.team, week={}, exceptions={}, country="GB", subdivision="ENG")
    at = dt.datetime(2025, 4, 16, 9, tzinfo=dt.UTC)  # the Wednesday before Easter: Friday and Monday are free
    audit = planned(cast, people, ends_at=at + dt.timedelta(days=30))
    programme.request_access(audit, by=people.ada, at=at)
    assert Audit.objects.get().access.due_at == dt.datetime(2025, 4, 25, 9, tzinfo=dt.UTC)


def test_access_is_owed_to_the_second(cast: Cast, people: People) -> None:
    audit = planned(cast, people)
    programme.request_access(audit, by=people.ada, at=AT)
    clock = Deadline.objects.get(obligation="audit_access")
    assert (clock.clause, clock.is_policy, clock.due_at) == ("6.3", True, AT + FIVE)
    assert set(Notice.objects.filter(kind="audit", facts__says="audit.requested").values_list("user", flat=True)) >= {
        cast.adam.pk, people.party.pk,
    }  # fmt: skip
    make.tick(at=clock.due_at)
    assert not Breach.objects.filter(deadline=clock).exists()
    make.tick(at=clock.due_at + make.SECOND)
    assert Breach.objects.get(deadline=clock).breached_at == clock.due_at
    assert not NonCompliance.objects.exists()  # a target of the company's own


def test_access_given_at_the_last_instant_is_in_time_and_a_second_later_it_is_not(cast: Cast, people: People) -> None:
    for late, state in ((dt.timedelta(), Deadline.State.MET), (make.SECOND, Deadline.State.MET_LATE)):
        audit = planned(cast, people)
        programme.request_access(audit, by=people.ada, at=AT)
        programme.give_access(audit, until=AT + 20 * make.DAY, by=people.party, at=AT + FIVE + late)
        assert Deadline.objects.get(pk=Audit.objects.get(pk=audit.pk).access_id).state == state


def test_access_ends_by_itself_reaches_the_contract_alone_and_only_reads(cast: Cast, people: People) -> None:
    [number] = closed(cast, 1)
    audit = planned(cast, people)
    assert not Ticket.objects.visible_to(as_of(people.ada, AT)).exists()
    until = AT + 2 * make.DAY
    let_in(audit, cast, until)
    assert Ticket.objects.visible_to(as_of(people.ada, AT)).get().pk == number
    assert Ticket.objects.visible_to(as_of(people.ada, until - make.SECOND)).exists()
    assert not Ticket.objects.visible_to(as_of(people.ada, until)).exists()
    scope = access.scope_of(as_of(people.ada, AT))
    assert scope.roles() == {Role.AUDITOR}
    assert scope.contracts(Role.AUDITOR) == {cast.contract.pk}
    assert not scope.may(Permission.WORK_TICKETS)
    with pytest.raises(Refused, match="access for this audit"):
        programme.draw(audit, by=as_of(people.ada, until), at=until)


def test_only_an_administrator_or_a_representative_lets_in_and_never_themselves(cast: Cast, people: People) -> None:
    audit = planned(cast, people)
    with pytest.raises(Refused, match="asked for access"):
        programme.give_access(audit, until=AT + make.DAY, by=cast.adam, at=AT)
    programme.request_access(audit, by=people.ada, at=AT)
    with pytest.raises(Refused, match="already"):
        programme.request_access(audit, by=people.ada, at=AT)
    for nobody in (cast.rita, cast.sam, cast.vera, people.ada):
        with pytest.raises(Refused, match="administrator or a representative"):
            programme.give_access(audit, until=AT + make.DAY, by=nobody, at=AT)
    for until in (AT, AT + dt.timedelta(days=90, seconds=1)):
        with pytest.raises(Refused, match="within 90 days"):
            programme.give_access(audit, until=until, by=cast.adam, at=AT)
    programme.give_access(audit, until=AT + dt.timedelta(days=90), by=cast.adam, at=AT)
    own = planned(cast, people, auditor=people.party)
    programme.request_access(own, by=people.party, at=AT)
    with pytest.raises(Refused, match="never to themselves"):
        programme.give_access(own, until=AT + make.DAY, by=people.party, at=AT)


def test_nobody_is_planned_to_audit_where_they_worked(cast: Cast, people: People) -> None:
    for insider in (cast.rita, cast.sam):
        with pytest.raises(Refused, match="own work"):
            planned(cast, people, auditor=insider)
        with pytest.raises(Refused, match="own work"):
            planned(cast, people, second=insider, twice_percent=10)
    planned(cast, people, auditor=cast.otto)  # of the other team
    planned(cast, people, by=cast.vera)
    for outsider in (cast.rita, cast.adam, people.ada):
        with pytest.raises(Refused, match="plans an audit"):
            planned(cast, people, by=outsider)


# ---------------------------------------------------------------- the sample


@given(
    sizes=st.lists(st.integers(0, 60), min_size=1, max_size=6).filter(any),
    wanted=st.integers(1, 80),
    seed=st.text("0123456789abcdef", min_size=1, max_size=16),
)
def test_a_sample_is_the_same_for_everybody_and_fair_to_every_group(sizes: list[int], wanted: int, seed: str) -> None:
    numbers = iter(range(1, 1000))
    members = [(next(numbers), f"team:{place}") for place, size in enumerate(sizes) for _one in range(size)]
    found = sampling.draw(seed, members, wanted)
    assert found == sampling.draw(seed, reversed(members), wanted)  # in whatever order the population is read
    assert len({one.number for one in found}) == len(found) == min(wanted, len(members))
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    groups = {group: size for group, size in ((f"team:{place}", size) for place, size in enumerate(sizes)) if size}
    counts = {group: sum(one.group == group for one in found) for group in groups}
    for group, size in groups.items():
        assert counts[group] <= size
        if wanted >= len(groups):
            assert counts[group] >= 1
        exact = size * len(found) / len(members)
        assert abs(counts[group] - exact) < max(len(groups), 1) + 1
    another = sampling.another(seed, members, found[0].group, {one.number for one in found}, len(found) + 1)
    assert (another is None) == (counts[found[0].group] == groups[found[0].group])
    if another is not None:
        more = sampling.shuffled(seed, another.group, [n for n, group in members if group == another.group])
        assert more.index(another.number) == another.group_rank - 1 == counts[another.group]


@given(st.lists(st.integers(1, 10_000), unique=True, max_size=60), st.integers(0, 100))
def test_the_share_scored_twice_is_rounded_up_and_of_the_sample(numbers: list[int], percent: int) -> None:
    found = sampling.twice("seed", numbers, percent)
    assert found <= set(numbers)
    assert len(found) == -(-len(numbers) * percent // 100)


def test_the_algorithm_is_the_documented_one() -> None:
    """By hand: sha256("7|team:1|N") of three numbers, in hexadecimal, in order."""
    import hashlib

    by_hand = sorted([11, 12, 13], key=lambda number: hashlib.sha256(f"7|team:1|{number}".encode()).hexdigest())
    assert sampling.shuffled("7", "team:1", [13, 11, 12]) == by_hand
    assert sampling.shares({"a": 10, "b": 5, "c": 1}, 8) == {"a": 5, "b": 2, "c": 1}
    assert sampling.shares({"a": 98, "b": 1, "c": 1}, 3) == {"a": 1, "b": 1, "c": 1}


def test_the_sample_is_drawn_once_from_what_was_closed_in_the_period_and_frozen(cast: Cast, people: People) -> None:
    inside = closed(cast, 7)
    closed(cast, 2, mine=False)
    Ticket.objects.filter(pk=inside[0]).update(closed_at=UNTIL)  # at the edge: the next period's
    Ticket.objects.filter(pk=inside[1]).update(closed_at=UNTIL - make.SECOND)
    Ticket.objects.filter(pk=inside[2]).update(closed_at=SINCE)
    Ticket.objects.filter(pk=inside[3]).update(closed_at=SINCE - make.SECOND)
    older = make.ticket(team=cast.team, customer=cast.carl, received_at=SINCE, origin=Ticket.Origin.IMPORTED)
    Ticket.objects.filter(pk=older.pk).update(state="closed", closed_at=SINCE + make.DAY)
    Ticket.objects.filter(pk=inside[5]).update(about=people.ada, kind="complaint")
    audit = let_in(planned(cast, people), cast)
    programme.draw(audit, by=people.ada, at=AT)
    people_of = Audit.objects.get().population
    assert [number for number, _group in people_of.members] == [inside[1], inside[2], inside[4], inside[6]]
    assert people_of.digest == sampling.digest(people_of.query, people_of.members)
    Ticket.objects.filter(pk=inside[0]).update(closed_at=UNTIL - make.SECOND)
    assert Audit.objects.get().population.size == 4
    with pytest.raises(Refused, match="has been drawn"):
        programme.draw(Audit.objects.get(), by=people.ada, at=AT)


def test_nothing_is_drawn_before_the_period_is_over(cast: Cast, people: People) -> None:
    closed(cast, 1)
    audit = let_in(planned(cast, people, until=AT + make.HOUR), cast)
    with pytest.raises(Refused, match="not over"):
        programme.draw(audit, by=people.ada, at=AT + make.HOUR - make.SECOND)
    assert programme.draw(audit, by=people.ada, at=AT + make.HOUR)


def test_each_group_has_its_share_when_that_is_asked(cast: Cast, people: People) -> None:
    closed(cast, 6)
    closed(cast, 3, mine=False)
    audit = let_in(planned(cast, people, teams=[cast.team, cast.other_team], strata="both", sample_size=4), cast)
    programme.draw(audit, by=people.ada, at=AT)
    groups = {draw.group for draw in audit.draws.all()}
    assert groups == {
        f"team:{team.pk} channel:{channel}" for team in (cast.team, cast.other_team) for channel in ("mail", "form")
    }
    assert {row.group for row in sampled(audit, people.ada)} == {
        f"{team.name}, {channel}" for team in (cast.team, cast.other_team) for channel in ("E-mail", "Contact form")
    }


def test_a_redraw_takes_the_next_and_keeps_the_first_with_its_reason(running: Audit, people: People) -> None:
    first = running.draws.get(rank=2)
    for reason in ("", "no"):
        with pytest.raises(Refused, match="Say why"):
            programme.redraw(first, reason=reason, by=people.ada, at=AT)
    fresh = programme.redraw(first, reason="The recording is damaged.", by=people.ada, at=AT)
    first.refresh_from_db()
    assert (first.excused_because, fresh.replaces, fresh.rank) == ("The recording is damaged.", first, 4)
    order = sampling.shuffled("seventeen", "", [number for number, _group in running.population.members])
    assert [draw.number for draw in running.draws.order_by("rank")] == order[:4]
    with pytest.raises(Refused, match="excused already"):
        programme.redraw(first, reason="Once more.", by=people.ada, at=AT)
    signed(fresh, people.ada)
    with pytest.raises(Refused, match="no reason to draw again"):
        programme.redraw(fresh, reason="I do not like the score.", by=people.ada, at=AT)
    with pytest.raises(Refused, match="auditor named"):
        programme.redraw(running.draws.get(rank=1), reason="I would rather not.", by=people.ben, at=AT)


def test_the_command_draws_the_same_again_and_finds_another_sample_out(running: Audit, people: People) -> None:
    programme.redraw(running.draws.get(rank=1), reason="The recording is damaged.", by=people.ada, at=AT)
    out = StringIO()
    call_command("audit_sample", running.reference, stdout=out)
    said = out.getvalue()
    assert "This is the sample on record." in said
    assert "seventeen" in said
    assert running.population.digest in said
    for draw in running.draws.all():
        assert f"#{draw.number}" in said
    Draw.objects.create(audit=running, rank=5, group_rank=5, number=999_999, drawn_at=AT, drawn_by=people.ada)
    with pytest.raises(CommandError, match="not the ones that this seed gives"):
        call_command("audit_sample", str(running.pk), stdout=StringIO())


def test_the_database_keeps_plan_population_draws_and_marks(running: Audit, people: People) -> None:
    score = signed(running.draws.get(rank=1), people.ada)
    for change in (
        lambda: Audit.objects.filter(pk=running.pk).update(sample_size=1),
        lambda: type(running.population).objects.update(seed="another"),
        lambda: running.draws.filter(rank=1).update(number=1),
        lambda: Draw.objects.all()._raw_delete("default"),
        lambda: Mark.objects.update(answer="na"),
        lambda: Scoring.objects.filter(pk=score.pk).update(percent=100, passed=True, scored_at=AT + make.DAY),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


# ---------------------------------------------------------------- scoring


def test_a_failed_critical_criterion_fails_the_ticket_whatever_its_score(running: Audit, people: People) -> None:
    one, two, three = running.draws.order_by("rank")
    assert (signed(one, people.ada).percent, Scoring.objects.get(draw=one).passed) == (100, True)
    score = signed(two, people.ada, c41="no")  # weight 2 of 3 + 2 + 2, not critical
    assert (score.percent, score.passed, score.case_number) == (71, True, None)
    score = signed(three, people.ada, c33="no", c41="na")  # weight 2 of 5, critical
    assert (score.percent, score.passed) == (60, False)
    assert scoring.result(running) == scoring.Result(drawn=3, scored=3, excused=0, passed=2, percent=77)


def test_a_no_on_accuracy_is_reported_at_once_with_its_seven_days(running: Audit, people: People) -> None:
    draw = running.draws.get(rank=1)
    score = signed(draw, people.ada, c31="no")
    case = NonCompliance.objects.get()
    assert (case.pk, case.clause, case.about, case.reported_by) == (
        score.case_number,
        "3.1",
        f"#{draw.number}",
        people.ada,
    )
    assert case.correct.due_at == AT + dt.timedelta(days=7)
    assert "Nobody looked into it." in case.what


def test_every_question_is_answered_and_a_no_says_what_was_seen(running: Audit, people: People) -> None:
    draw = running.draws.select_related("audit").get(rank=1)
    said = card(running)
    first = next(iter(said))
    for wrong, match in (
        (said | {first: scoring.Said()}, "Answer every question"),
        (said | {first: scoring.Said("maybe")}, "Answer every question"),
        (said | {first: scoring.Said("no")}, "Say what you saw"),
        (said | {first: scoring.Said("yes", "", 1)}, "not of this ticket"),
        (dict.fromkeys(said, scoring.Said("na")), "Excuse the draw"),
    ):
        with pytest.raises(Refused, match=match):
            scoring.sign(draw, wrong, by=people.ada, at=AT)
    assert not Mark.objects.exists()
    pointed = Ticket.objects.get(pk=draw.number).interactions.order_by("pk").first()
    assert pointed is not None
    scoring.sign(draw, said | {first: scoring.Said("yes", "Right and kind.", pointed.pk)}, by=people.ada, at=AT)
    with pytest.raises(Refused, match="stays as it is"):
        scoring.sign(draw, said, by=people.ada, at=AT)


def test_a_draft_waits_on_the_server_and_is_nobody_elses(running: Audit, people: People) -> None:
    draw = next(iter(running.draws.select_related("audit").filter(is_twice=True)))
    first = programme.criteria_of(running)[0].pk
    scoring.keep_draft(draw, {first: scoring.Said("no", "Wrong bo")}, by=people.ada, at=AT)
    kept = scoring.keep_draft(draw, {first: scoring.Said("no", "Wrong boiler."), 999: scoring.Said("yes")},
                              by=people.ada, at=AT + make.SECOND)  # fmt: skip
    assert scoring.draft_of(kept) == {first: scoring.Said("no", "Wrong boiler.")}
    assert scoring.scoring_of(draw, people.ben) is None
    assert Scoring.objects.count() == 1
    signed(draw, people.ada)
    assert Scoring.objects.get().draft == {}


def test_nobody_scores_own_work_nor_that_of_their_supervisor(running: Audit, cast: Cast, people: People) -> None:
    draw = running.draws.get(rank=1)
    for insider in (cast.rita, cast.sam, cast.vera):
        with pytest.raises(Refused):
            scoring.check_can_score(Draw.objects.get(pk=draw.pk), as_of(insider, AT), AT)
    ticket = Ticket.objects.get(pk=draw.number)
    make.grant(user=people.ada, role=Role.REPRESENTATIVE, team=cast.team, since=ticket.received_at)
    with pytest.raises(Refused, match="own work"):
        signed(draw, people.ada)


def test_who_held_a_promise_of_the_ticket_has_a_hand_in_it(running: Audit, people: People) -> None:
    draw = running.draws.get(rank=1)
    Deadline.objects.filter(subject_ref=f"#{draw.number}", obligation="respond").update(responsible=people.ada)
    with pytest.raises(Refused, match="own work"):
        signed(draw, people.ada)


def test_a_share_is_scored_twice_and_how_far_they_agree_is_a_figure(running: Audit, people: People) -> None:
    again = list(running.draws.filter(is_twice=True))
    assert len(again) == 2  # 34 % of three, rounded up
    once = running.draws.get(is_twice=False)
    with pytest.raises(Refused, match="scored once"):
        signed(once, people.ben)
    for draw in again:
        signed(draw, people.ada)
    assert scoring.agreement(running).percent is None
    signed(again[0], people.ben)
    signed(again[1], people.ben, c41="no")
    found = scoring.agreement(running)
    assert (found.draws, found.pairs, found.same, found.percent) == (2, 6, 5, 83)
    assert [(rank, one.clause) for rank, one, _a, _b in found.differ] == [(again[1].rank, "4.1")]
    assert scoring.result(running).percent == 100  # a second card is for comparison only


# ---------------------------------------------------------------- findings, and the end


def found(audit: Audit, cast: Cast, people: People, **more: object) -> AuditFinding:
    values: dict[str, object] = {
        "team": cast.team, "clause": "4.1", "severity": Severity.MAJOR, "text": "Second calls leave no trace.",
        "by": as_of(people.ada, AT), "at": AT, "draw": audit.draws.get(rank=1),
    }  # fmt: skip
    return audit_findings.record(audit, **(values | more))  # type: ignore[arg-type]


def test_a_finding_starts_the_clock_on_its_answer(running: Audit, cast: Cast, people: People) -> None:
    finding = found(running, cast, people)
    clock = finding.answer_by
    assert (clock.obligation, clock.is_policy, clock.due_at) == ("audit_answer", True, AT + dt.timedelta(days=10))
    assert Notice.objects.filter(user=cast.sam, facts__says="audit.finding").exists()
    make.tick(at=clock.due_at)
    assert not Breach.objects.filter(deadline=clock).exists()
    make.tick(at=clock.due_at + make.SECOND)
    assert Breach.objects.filter(deadline=clock).exists()


def test_the_team_answers_once_and_the_auditor_closes(running: Audit, cast: Cast, people: People) -> None:
    finding = found(running, cast, people)
    for outsider in (cast.rita, cast.olga, people.ada):
        with pytest.raises(Refused, match="supervisor of the team"):
            audit_findings.answer(finding, accepted=True, text="We know.", by=as_of(outsider, AT), at=AT)
    with pytest.raises(Refused, match="has been answered"):
        audit_findings.close(finding, note="Seen it.", by=people.ada, at=AT)
    due = finding.answer_by.due_at
    audit_findings.answer(finding, accepted=True, text="We note calls at once.", by=as_of(cast.sam, AT), at=due)
    assert Deadline.objects.get(pk=finding.answer_by_id).state == Deadline.State.MET
    with pytest.raises(Refused, match="has been answered"):
        audit_findings.answer(finding, accepted=False, text="Or rather not.", by=cast.sam, at=due)
    with pytest.raises(Refused, match="auditor of the contract"):
        audit_findings.close(finding, note="Seen it.", by=cast.sam, at=AT)
    done = audit_findings.close(finding, note="Ten calls looked at, all noted.", by=people.ada, at=AT)
    assert (done.state, done.closed_by) == (AuditFinding.State.CLOSED, people.ada)


def test_a_finding_followed_up_is_not_closed_before_its_case_is_corrected(
    running: Audit, cast: Cast, people: People
) -> None:
    finding = found(running, cast, people, as_case=True)
    case = audit_findings.case_of(finding)
    assert case is not None
    assert (case.clause, case.correct.due_at) == ("4.1", AT + dt.timedelta(days=7))
    audit_findings.answer(finding, accepted=True, text="We note calls at once.", by=as_of(cast.sam, AT), at=AT)
    with pytest.raises(Refused, match="not corrected"):
        audit_findings.close(finding, note="Ten calls looked at.", by=people.ada, at=AT)
    with pytest.raises(Refused, match="followed up already"):
        audit_findings.follow_up(finding, by=people.ada, at=AT)
    action = corrective.add_action(case, kind=Doing.CORRECTIVE, what="Note calls", owner=cast.rita, by=cast.sam, at=AT)
    corrective.state_cause(case, by=cast.sam, at=AT, text="There was no field for it.")
    corrective.implement(action, by=cast.rita, at=AT, text="There is a field.")
    corrective.verify(action.implementations.get(), by=people.party, at=AT, accepted=True, note="Seen it.")
    audit_findings.close(finding, note="Ten calls looked at.", by=people.ada, at=AT)


def test_an_audit_closes_only_with_every_draw_scored_or_excused(running: Audit, cast: Cast, people: People) -> None:
    rows = list(running.draws.order_by("rank"))
    for draw in rows:
        with pytest.raises(Refused, match="Score or excuse"):
            programme.close(running, conclusion="Well served.", by=as_of(people.ada, AT), at=AT)
        if draw == rows[0]:
            programme.excuse(draw, reason="Both of us know the customer.", by=people.ada, at=AT)
            continue
        signed(draw, people.ada)
        if draw.is_twice:
            with pytest.raises(Refused, match="Score or excuse"):
                programme.close(running, conclusion="Well served.", by=as_of(people.ada, AT), at=AT)
            signed(draw, people.ben)
    programme.close(running, conclusion="Well served.", by=as_of(people.ada, AT), at=AT)
    done = Audit.objects.get()
    assert (done.state, done.ended_at, done.conclusion) == (Audit.State.CLOSED, AT, "Well served.")
    assert Notice.objects.filter(user=cast.sam, facts__says="audit.closed").exists()
    with pytest.raises(Refused, match="over"):
        found(done, cast, people)


def test_every_act_of_an_audit_is_in_the_trail(running: Audit, cast: Cast, people: People) -> None:
    scoring.read(running.draws.select_related("audit").get(rank=1), by=people.ada, at=AT)
    signed(running.draws.get(rank=1), people.ada)
    found(running, cast, people)
    acts = list(TrailEntry.objects.filter(context=running.trail_subject).order_by("pk").values_list("act", flat=True))
    assert [act for act in acts if act.startswith("audit.")] == [
        "audit.planned", "audit.requested", "audit.let_in", "audit.drawn", "audit.read", "audit.scored", "audit.found",
    ]  # fmt: skip


# ---------------------------------------------------------------- the board


def line(cast: Cast, at: dt.datetime, key: str) -> board.Line:
    drawn = board.draw(cast.contract, periods.this_month(at, cast.contract.zoneinfo), at)
    return next(line for line in drawn.lines if line.key == key)


def test_accuracy_is_not_evidenced_without_a_sample_and_a_figure_with_one(
    running: Audit, cast: Cast, people: People
) -> None:
    bare = line(cast, AT, "3.1-accurate")
    assert (bare.now, "ot evidenced" in bare.says) == (Standing.NONE, True)
    rows = list(running.draws.order_by("rank"))
    signed(rows[0], people.ada)
    good = line(cast, AT, "3.1-accurate")
    assert good.now == Standing.KEPT
    assert "1 of 1" in good.says
    signed(rows[1], people.ada, c31="no")
    bad = line(cast, AT, "3.1-accurate")
    assert bad.now == Standing.BROKEN
    assert "1 of 2" in bad.says
    later = line(cast, AT + dt.timedelta(days=40), "3.1-accurate")  # next month has drawn nothing
    assert later.now == Standing.NONE


def test_the_boards_row_counts_audits(running: Audit, cast: Cast, people: People) -> None:
    signed(running.draws.get(rank=1), people.ada)
    found(running, cast, people)
    said = line(cast, AT, "6.3")
    assert "1 of 3 scored" in said.says
    assert said.now == Standing.KEPT


def test_the_standard_card_is_published_once_and_changes_by_version(cast: Cast, people: People) -> None:
    audit = planned(cast, people)
    card_ = scorecards.current(cast.contract, at=AT)
    assert (card_.number, card_.published_by, card_) == (1, None, audit.scorecard)
    asked = [scorecards.Asked("3.1", "Was it right?", 1, asks_accuracy=True)]
    with pytest.raises(Refused, match="publishes the scorecard"):
        scorecards.publish(cast.contract, asked, because="Shorter", by=cast.sam, at=AT)
    with pytest.raises(Refused, match="has to ask"):
        scorecards.publish(
            cast.contract, [scorecards.Asked("4.1", "On record?")], because="Shorter", by=cast.vera, at=AT
        )
    fresh = scorecards.publish(cast.contract, asked, because="Shorter", by=cast.vera, at=AT)
    assert fresh.number == 2
    assert Audit.objects.get().scorecard == card_
    assert planned(cast, people, clauses=["3.1"]).scorecard == fresh
    with pytest.raises(Refused, match="asks nothing"):
        planned(cast, people, clauses=["5.1"])
