"""Clause 5.2: logging, escalating and resolving are practised in the real desk, on tickets that are nobody's work.

An exercise has real clocks that are owed to nobody. Nobody else is told of it or finds it, no figure holds it, no mail
leaves the house. It is graded by rules that read the rows, and what is graded is seen afterwards.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from audits import figures, periods
from csp import outbox
from csp.access import Refused
from csp.models import Breach, Deadline, Notice, OutboundMessage, User
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.training import training
from tickets import assignment, escalation, handling, lifecycle, merging, queues, search
from tickets.models import Category, Delivery, Interaction, Ticket
from training import courses, practice, records
from training.models import Completion, CourseVersion, PracticeAttempt, PracticeScript

pytestmark = pytest.mark.django_db
AT, HOUR, DAY, SECOND = make.AT, make.HOUR, make.DAY, make.SECOND
SCRIPT = {
    "sender": "Pat Practice", "subject": "My oven smells of gas", "message": "It smells of gas. What do I do?",
    "follow_up": "It is in the kitchen. The number is 4711.", "complex_because": "danger to people",
    "must_log": ["4711", "gas"], "kind": "complaint",
}  # fmt: skip


def taught(cast: Cast, script: dict[str, object] | None = None, **more: object) -> CourseVersion:
    """A course of Adam's with one question and an exercise."""
    draft = courses.add(
        cast.contract, title="Working in the desk", clause="5.2", roles=[], repeats=False, by=cast.adam, at=AT - DAY
    )
    courses.set_practice(draft, {**SCRIPT, **(script or {})}, by=cast.adam, at=AT - DAY)
    return courses.write(
        draft, {"material": "Read.", **more}, [("Where is it logged?", ["On the ticket.", "On paper."], [0])],
        and_publish=True, by=cast.adam, at=AT - DAY,
    )  # fmt: skip


def begun(cast: Cast, *, by: User | None = None, version: CourseVersion | None = None) -> PracticeAttempt:
    return practice.start(version or taught(cast), by=by or cast.rita, at=AT)


def answered(attempt: PracticeAttempt, *, at: dt.datetime, then: Ticket.State = Ticket.State.WAITING) -> None:
    handling.respond(
        attempt.ticket, by=attempt.user, at=at, body="Open the windows and leave the house.",
        seen_through=make.on_screen(ticket=attempt.ticket), then=then,
    )  # fmt: skip


def worked(attempt: PracticeAttempt, *, besides: str = "", at: dt.datetime = AT) -> PracticeAttempt:
    """Everything that the script wants, but for one thing."""
    ticket, by = attempt.ticket, attempt.user
    if besides != "escalated":
        escalation.escalate(ticket, by=by, at=at, reason="Danger")
    answered(attempt, at=at)
    practice.follow_up(at)
    attempt.refresh_from_db()
    if besides != "logged":
        handling.note(ticket, by=by, at=at, body="Gas, serial number 4711.")
    if besides != "followed_up":
        answered(attempt, at=at)
    if besides != "typed":
        category = Category.objects.filter(contract=ticket.contract).first()
        lifecycle.retype(ticket, kind=Ticket.Kind.REQUEST, category=category, by=by, at=at)
    if besides != "resolved":
        ticket.refresh_from_db()
        lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=by, at=at, resolution="Fitter sent.")
    return practice.hand_in(attempt, by=by, at=at)


def easy(cast: Cast) -> CourseVersion:
    return taught(cast, {"kind": "request"})


# ---------------------------------------------------------------- graded


def test_whoever_does_all_of_it_passes(cast: Cast) -> None:
    done = worked(begun(cast, version=easy(cast)))
    assert done.passed is True, done.results
    assert [row["code"] for row in done.results] == [
        "answered", "followed_up", "escalated", "logged", "typed", "resolved",
    ]  # fmt: skip


@pytest.mark.parametrize("lacking", ["escalated", "logged", "followed_up", "typed", "resolved"])
def test_what_was_left_out_is_named(cast: Cast, lacking: str) -> None:
    done = worked(begun(cast, version=easy(cast)), besides=lacking)
    assert done.passed is False
    assert [row["code"] for row in done.results if not row["passed"]] == [lacking]


def test_an_answer_counts_to_the_second(cast: Cast) -> None:
    version = taught(cast, {"follow_up": "", "complex_because": "", "must_log": [], "kind": ""})
    for by, at, in_time in ((cast.rita, AT + DAY, True), (cast.otto, AT + DAY + SECOND, False)):
        attempt = begun(cast, by=by, version=version)
        answered(attempt, at=at)
        assert practice.grade(attempt)[0]["passed"] is in_time


def test_handing_up_counts_to_the_second(cast: Cast) -> None:
    version = taught(cast, {"follow_up": "", "must_log": [], "kind": ""})
    for by, at, in_time in ((cast.rita, AT + DAY, True), (cast.otto, AT + DAY + SECOND, False)):
        attempt = begun(cast, by=by, version=version)
        escalation.escalate(attempt.ticket, by=by, at=at, reason="Danger")
        assert practice.grade(attempt)[1]["passed"] is in_time


def test_the_customer_writes_again_once_they_were_spoken_to(cast: Cast) -> None:
    attempt = begun(cast)
    assert practice.follow_up(AT + HOUR) == 0
    answered(attempt, at=AT + HOUR)
    assert practice.follow_up(AT + HOUR) == 1
    assert practice.follow_up(AT + HOUR) == practice.follow_up(AT + 2 * HOUR) == 0
    attempt.refresh_from_db()
    assert attempt.follow_up is not None
    assert attempt.follow_up.body == SCRIPT["follow_up"]


def test_nobody_sees_what_is_graded_before_it_is_handed_in(cast: Cast) -> None:
    attempt = begun(cast)
    client = Client()
    client.force_login(cast.rita, backend="csp.access.TableBackend")
    before = client.get(attempt.path).content.decode() + client.get(attempt.ticket.path).content.decode()
    before += client.get(attempt.version.path).content.decode()
    assert "danger to people" not in before
    assert "4711" not in before
    assert practice.results(attempt) == []
    practice.hand_in(attempt, by=cast.rita, at=AT)
    after = client.get(attempt.path).content.decode()
    assert "danger to people" in after
    assert "4711" in after


def test_whoever_wrote_the_script_does_not_take_it(cast: Cast) -> None:
    draft = courses.add(
        cast.contract, title="Own", clause="5.2", roles=[], repeats=False, by=cast.sam, at=AT - DAY
    )  # fmt: skip
    courses.set_practice(draft, SCRIPT, by=cast.sam, at=AT - DAY)
    version = courses.write(
        draft, {"material": "Read."}, [("q", ["a", "b"], [0])], and_publish=True, by=cast.sam, at=AT - DAY
    )
    with pytest.raises(Refused, match="seen the answers"):
        practice.start(version, by=cast.sam, at=AT)


def test_a_course_is_passed_with_test_and_exercise_in_whatever_order(cast: Cast) -> None:
    version = easy(cast)

    def take(user: User) -> None:
        attempt = records.start(version, by=user, at=AT)
        records.finish(attempt, training.ticks(attempt), by=user, at=AT)

    take(cast.rita)
    assert not Completion.objects.filter(user=cast.rita).exists(), "the test alone"
    worked(begun(cast, by=cast.rita, version=version))
    assert Completion.objects.filter(user=cast.rita, version=version).count() == 1
    worked(begun(cast, by=cast.otto, version=version))
    assert not Completion.objects.filter(user=cast.otto).exists(), "the exercise alone"
    take(cast.otto)
    assert Completion.objects.filter(user=cast.otto, version=version).count() == 1
    take(cast.fay)  # works on no tickets, and takes the test only
    assert Completion.objects.filter(user=cast.fay, version=version).exists()


def test_attempts_are_counted_and_one_goes_on(cast: Cast) -> None:
    version = taught(cast, attempts=1)
    first = begun(cast, version=version)
    assert begun(cast, version=version) == first
    practice.hand_in(first, by=cast.rita, at=AT)
    with pytest.raises(Refused, match="No attempt is left"):
        practice.start(version, by=cast.rita, at=AT)
    with pytest.raises(Refused, match="handed in"):
        practice.hand_in(first, by=cast.rita, at=AT)
    with pytest.raises(Refused, match="somebody else's"):
        practice.hand_in(first, by=cast.otto, at=AT)


# ---------------------------------------------------------------- apart from everything


def test_it_has_clocks_that_are_shown_and_owed_to_nobody(cast: Cast) -> None:
    ticket = begun(cast).ticket
    ticket.refresh_from_db()
    assert (ticket.next_obligation, ticket.next_due_at) == ("respond", AT + DAY)
    make.tick(at=AT + 40 * DAY)
    assert set(Deadline.objects.filter(subject_ref=ticket.reference).values_list("state", flat=True)) == {"void"}
    assert not Breach.objects.exists()
    assert not Deadline.objects.filter(subject_ref=ticket.reference, next_reminder_at__isnull=False).exists()


def test_everything_that_is_done_in_it_starts_no_clock_either(cast: Cast) -> None:
    attempt = begun(cast, version=easy(cast))
    worked(attempt)
    make.tick(at=AT + 40 * DAY)
    assert not Breach.objects.exists()
    assert not Deadline.objects.exclude(state="void").exists()


def test_the_clock_goes_on_to_what_is_to_be_done_next(cast: Cast) -> None:
    attempt = begun(cast)
    answered(attempt, at=AT + HOUR)
    attempt.ticket.refresh_from_db()
    assert attempt.ticket.next_obligation == ""
    practice.follow_up(AT + 2 * HOUR)
    attempt.ticket.refresh_from_db()
    assert (attempt.ticket.next_obligation, attempt.ticket.next_due_at) == ("follow_up", AT + 2 * HOUR + DAY)


def test_nobody_else_is_told(cast: Cast) -> None:
    worked(begun(cast, version=easy(cast)))
    make.tick(at=AT + 3 * DAY)
    assert set(Notice.objects.values_list("user", flat=True)) <= {cast.rita.pk}


def test_no_mail_leaves_the_house(cast: Cast) -> None:
    attempt = begun(cast)
    handling.respond(
        attempt.ticket, by=cast.rita, at=AT, body="Out.", seen_through=make.on_screen(ticket=attempt.ticket),
        cc=["somebody@outside.example"],
    )  # fmt: skip
    make.tick(at=AT + DAY)
    customers = OutboundMessage.objects.exclude(kind=OutboundMessage.Kind.NOTICE)
    assert not customers.exists()
    with pytest.raises(outbox.StaysInside):
        outbox.post(
            kind=OutboundMessage.Kind.ANSWER, dedupe_key="x", to=["exercise-1@practice.invalid"], subject="x",
            body="x", at=AT,
        )  # fmt: skip
    said = Interaction.objects.filter(ticket=attempt.ticket, direction="out").get()
    message = outbox.post(
        kind=OutboundMessage.Kind.ANSWER, dedupe_key="y", to=["carl@northwind.example"], subject="y", body="y", at=AT
    )
    with pytest.raises(DatabaseError, match="no mail leaves the house"), transaction.atomic():
        Delivery.objects.create(interaction=said, message=message)


@pytest.mark.parametrize("who", ["sam", "otto", "olga", "vera"])
def test_nobody_else_finds_it(cast: Cast, who: str) -> None:
    ticket = begun(cast).ticket
    other: User = getattr(cast, who)
    assert not Ticket.objects.visible_to(other).filter(pk=ticket.pk).exists()
    assert [row.pk for row in search.search("oven gas", user=other).tickets] == []
    assert search.customers_like("Pat Practice", user=other, limit=5) == []
    counted = queues.counts(other, at=AT, view=queues.View.TEAM)
    assert counted[queues.View.TEAM.value].number == 0
    client = Client()
    client.force_login(other, backend="csp.access.TableBackend")
    assert client.get(ticket.path).status_code == 404
    with pytest.raises(Refused):
        handling.note(ticket, by=other, at=AT, body="Let me help.")


def test_whoever_practises_has_it_in_their_queue_and_next(cast: Cast) -> None:
    ticket = begun(cast).ticket
    assert queues.counts(cast.rita, at=AT, view=queues.View.MINE)[queues.View.MINE.value].number == 1
    following = queues.next_for(cast.rita, at=AT)
    assert following is not None
    assert following.pk == ticket.pk
    assert queues.next_for(cast.sam, at=AT) is None


def test_no_figure_holds_it(cast: Cast) -> None:
    worked(begun(cast, version=easy(cast)))
    period = periods.this_month(AT, cast.contract.zoneinfo)
    assert set(figures.fell_due(cast.contract, period).values()) <= {figures.Figure()}
    assert {row.due_at for row in figures.live(cast.contract, AT).values()} <= {None}


def test_it_stays_with_whoever_practises_and_apart_from_customers(cast: Cast) -> None:
    ticket = begun(cast).ticket
    real = make.ticket(team=cast.team, customer=cast.carl)
    for verb in (
        lambda: assignment.assign(ticket, to=cast.sam, by=cast.rita, at=AT),
        lambda: assignment.move(ticket, team=cast.other_team, by=cast.rita, at=AT),
        lambda: merging.merge(ticket, into=real, by=cast.rita, at=AT),
        lambda: merging.merge(real, into=ticket, by=cast.rita, at=AT),
    ):
        with pytest.raises(Refused, match="exercise"):
            verb()


def test_a_ticket_is_an_exercise_from_the_beginning_or_never(cast: Cast) -> None:
    real, exercise = make.ticket(team=cast.team, customer=cast.carl), begun(cast).ticket
    for row, origin in ((real, "practice"), (exercise, "customer")):
        refused(f"update tickets_ticket set origin = '{origin}' where id = {row.pk}", saying="does not change")


def test_a_restriction_holds_no_answer_of_an_exercise_back(cast: Cast) -> None:
    training.publish_gate(cast.contract, by=cast.adam, at=AT - HOUR)
    version = taught(cast)
    training.tick(at=AT)
    attempt = begun(cast, version=version)
    answered(attempt, at=AT + HOUR)
    assert Interaction.objects.filter(ticket=attempt.ticket, purpose="answer", author=cast.rita).exists()


# ---------------------------------------------------------------- looked at


def test_the_supervisor_looks_at_an_attempt_and_others_do_not(cast: Cast) -> None:
    attempt = worked(begun(cast, version=easy(cast)))
    for who, status in (("sam", 200), ("adam", 200), ("vera", 200), ("olga", 404), ("otto", 404), ("fay", 404)):
        client = Client()
        client.force_login(getattr(cast, who), backend="csp.access.TableBackend")
        answer = client.get(attempt.path)
        assert answer.status_code == status, who
        if status == 200:
            assert "serial number 4711" in answer.content.decode()


def test_a_published_script_and_a_result_do_not_change(cast: Cast) -> None:
    version = easy(cast)
    done = worked(begun(cast, version=version), besides="logged")
    with pytest.raises(DatabaseError, match="published version"), transaction.atomic():
        PracticeScript.objects.filter(version=version).update(must_log=[])
    with pytest.raises(DatabaseError), transaction.atomic():
        PracticeAttempt.objects.filter(pk=done.pk).update(passed=True)
    draft = courses.revise(version.course, by=cast.adam, at=AT)
    assert PracticeScript.objects.get(version=draft).must_log == ["4711", "gas"]
