"""Exercises in the real desk (clause 5.2): a ticket that is nobody's work, with a customer who writes by a script.

It is worked with everything that the desk has. Its clocks are shown and owed to nobody; nobody is told, no mail leaves
the house, and no figure, queue or search of others holds it. Handed in, it is graded on logging, escalating and
resolving by rules that read the rows. What is graded is seen only then.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from csp import access, batches, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Customer, Exercise, Team, User
from csp.models.people import Address
from csp.outbox import PRACTICE_DOMAIN
from csp.roles import Permission
from tickets import finishing, handling, lifecycle
from tickets.conversation import Direction, Kind, Purpose, Said, derive
from tickets.conversation import lock as lock_ticket
from tickets.models import Escalation, Interaction, Resolution, Ticket
from training import records, requirements
from training.models import Attempt, Completion, CourseVersion, MoreAttempts, PracticeAttempt, PracticeScript

WITHIN = dt.timedelta(hours=24)


# ---------------------------------------------------------------- the exercise


def attempts_left(version: CourseVersion, user: User) -> int:
    series = 1 + MoreAttempts.objects.filter(user=user, version=version).count()
    return max(0, version.attempts * series - PracticeAttempt.objects.filter(user=user, version=version).count())


def check_can_start(version: CourseVersion, user: User) -> None:
    """Only what is taught now, with attempts left, by somebody who works on tickets and has not seen the script."""
    records.check_is_taught(version, user)
    if not records.practises(version, user):
        raise Refused(_("This exercise is for people who work on tickets."))
    if not attempts_left(version, user):
        raise Refused(_("No attempt is left. Ask a supervisor to go through it with you."))


def going(version: CourseVersion, user: User) -> PracticeAttempt | None:
    """The attempt that this person is at."""
    rows = PracticeAttempt.objects.filter(user=user, version=version, finished_at__isnull=True)
    return rows.select_related("ticket").first()


@transaction.atomic
def start(version: CourseVersion, *, by: User, at: dt.datetime) -> PracticeAttempt:
    """Begin the exercise, or go on with the one that is open: the customer's message comes in now."""
    requirements.lock_person(by)
    version = CourseVersion.objects.select_related("course__contract").get(pk=version.pk)
    if (open_one := going(version, by)) is not None:
        return open_one
    check_can_start(version, by)
    script = PracticeScript.objects.get(version=version)
    number = PracticeAttempt.objects.filter(user=by, version=version).count() + 1
    customer = Customer.objects.create(name=script.sender, created_at=at)
    address = f"exercise-{customer.pk}@{PRACTICE_DOMAIN}"
    Address.objects.create(customer=customer, value=address, is_primary=True, created_at=at)
    ticket = handling.open_ticket(
        team=_team_of(version, by, at=at), subject=script.subject, channel=Ticket.Channel.MAIL, received_at=at, at=at,
        by=by,
        customer=customer, origin=Ticket.Origin.PRACTICE, assignee=by,
        said=_said(script.message, customer, address, at, subject=script.subject),
    )  # fmt: skip
    Exercise.objects.create(subject_ref=ticket.reference, user=by)
    attempt = PracticeAttempt.objects.create(user=by, version=version, number=number, ticket=ticket, started_at=at)
    trail.record(
        Act.PRACTICE_STARTED, attempt.trail_subject, by=by, at=at, context=version.course.trail_subject,
        facts={"course": version.course.code, "version": version.number, "attempt": number, "ticket": ticket.pk},
    )  # fmt: skip
    return attempt


def _team_of(version: CourseVersion, user: User, at: dt.datetime) -> Team:
    teams = access.scope_of(user, at=at).teams_where(Permission.WORK_TICKETS)
    return Team.objects.filter(pk__in=teams, contract=version.course.contract).order_by("-is_active", "pk")[0]


def _said(text: str, customer: Customer, address: str, at: dt.datetime, *, subject: str) -> Said:
    return Said(
        kind=Kind.MAIL, direction=Direction.IN, body=text, occurred_at=at, customer=customer,
        sender_name=customer.name, sender_address=address, subject=subject,
    )  # fmt: skip


def follow_up(at: dt.datetime, *, limit: int = 200) -> int:
    """Let the customer of each exercise write again who has been written to, or handed up. Returns how many did."""
    spoken = Q(ticket__interactions__direction=Direction.OUT) | Q(ticket__escalations__isnull=False)
    rows = PracticeAttempt.objects.filter(spoken, finished_at__isnull=True, follow_up__isnull=True)
    rows = rows.exclude(version__practice__follow_up="").exclude(version__practice__isnull=True)
    numbers = list(rows.order_by("pk").distinct().values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_follow_up_one, at=at), limit=limit)


@transaction.atomic(durable=True)
def _follow_up_one(number: int, *, at: dt.datetime) -> int:
    attempt = PracticeAttempt.objects.select_related("ticket__customer").get(pk=number)
    ticket = lock_ticket(attempt.ticket)
    attempt = PracticeAttempt.objects.select_for_update(of=("self",)).get(pk=number)
    script = PracticeScript.objects.get(version=attempt.version_id)
    customer = ticket.customer
    if attempt.follow_up_id is not None or attempt.finished_at is not None or customer is None:
        return 0
    address = customer.addresses.order_by("pk")[0].value
    said = _said(script.follow_up, customer, address, at, subject=f"Re: {script.subject}")
    attempt.follow_up = handling.receive(ticket, said, at=at, by=customer)
    attempt.save(update_fields=["follow_up"])
    return 1


# ---------------------------------------------------------------- grading


@dataclasses.dataclass(frozen=True, slots=True)
class Worked:
    """What was done in an exercise, as the rows say it."""

    attempt: PracticeAttempt
    script: PracticeScript
    ticket: Ticket
    said: list[Interaction]

    @property
    def own(self) -> list[Interaction]:
        return [row for row in self.said if row.author_id == self.attempt.user_id]


Rule = Callable[[Worked], "tuple[bool, str]"]


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")


def _answered(work: Worked) -> tuple[bool, str]:
    first = next((row for row in work.own if row.direction == Direction.OUT and row.purpose == Purpose.ANSWER), None)
    if first is None:
        return False, ""
    return first.occurred_at <= work.ticket.received_at + WITHIN, _moment(first.occurred_at)


def _followed_up(work: Worked) -> tuple[bool, str]:
    again = work.attempt.follow_up
    if again is None or work.ticket.answered_through < again.pk:
        return False, ""
    later = [row for row in work.own if row.direction == Direction.OUT and row.occurred_at >= again.occurred_at]
    within = [row for row in later if row.occurred_at <= again.occurred_at + WITHIN]
    return bool(within), _moment((within or later)[0].occurred_at) if later else ""


def _escalated(work: Worked) -> tuple[bool, str]:
    row = work.ticket.escalations.filter(raised_by=work.attempt.user, origin=Escalation.Origin.PERSON).first()
    if row is None:
        return False, ""
    return row.raised_at <= work.ticket.received_at + WITHIN, _moment(row.raised_at)


def _logged(work: Worked) -> tuple[bool, str]:
    kept = " ".join(
        row.body.casefold() for row in work.own if row.direction == Direction.INTERNAL or row.kind == Kind.CALL
    )
    found = sum(word.casefold() in kept for word in work.script.must_log)
    return found == len(work.script.must_log), f"{found}/{len(work.script.must_log)}"


def _typed(work: Worked) -> tuple[bool, str]:
    return work.ticket.kind == work.script.kind, work.ticket.kind


def _resolved(work: Worked) -> tuple[bool, str]:
    row = Resolution.objects.filter(ticket=work.ticket, undone_at__isnull=True, resolved_at__isnull=False).first()
    if row is None or row.resolved_at is None:
        return False, ""
    is_told = bool(row.text.strip())
    return is_told and row.resolved_by_id == work.attempt.user_id, _moment(row.resolved_at)


@dataclasses.dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that is graded: what it is called, when it applies, and the rule that reads it."""

    title: Any
    rule: Rule
    applies: Callable[[PracticeScript], bool]


CRITERIA: dict[str, Criterion] = {
    "answered": Criterion(
        gettext_lazy("The customer was answered within 24 hours"), _answered, lambda _script: True
    ),
    "followed_up": Criterion(
        gettext_lazy("What the customer wrote next was answered, too"), _followed_up,
        lambda script: bool(script.follow_up),
    ),
    "escalated": Criterion(
        gettext_lazy("The case was handed to a supervisor within 24 hours"), _escalated,
        lambda script: bool(script.complex_because),
    ),
    "logged": Criterion(
        gettext_lazy("What mattered was logged, in a note or the record of a call"), _logged,
        lambda script: bool(script.must_log),
    ),
    "typed": Criterion(gettext_lazy("The kind was set"), _typed, lambda script: bool(script.kind)),
    "resolved": Criterion(
        gettext_lazy("The resolution was written down, and the ticket resolved"), _resolved, lambda _script: True
    ),
}  # fmt: skip


def grade(attempt: PracticeAttempt) -> list[dict[str, object]]:
    """Each criterion of the script, whether it is met, and what was seen of it. Reads only."""
    ticket = Ticket.objects.get(pk=attempt.ticket_id)
    script = PracticeScript.objects.get(version=attempt.version_id)
    said = list(Interaction.objects.filter(ticket=ticket).order_by("occurred_at", "pk"))
    work = Worked(attempt, script, ticket, said)
    found: list[dict[str, object]] = []
    for code, criterion in CRITERIA.items():
        if criterion.applies(script):
            is_met, seen = criterion.rule(work)
            found.append({"code": code, "passed": is_met, "seen": seen})
    return found


@transaction.atomic
def hand_in(attempt: PracticeAttempt, *, by: User, at: dt.datetime) -> PracticeAttempt:
    """Grade the exercise as it stands and end it. With the test passed before, the course is passed."""
    requirements.lock_person(by)
    ticket = lock_ticket(Ticket(pk=attempt.ticket_id))
    rows = PracticeAttempt.objects.select_for_update(of=("self",))
    attempt = rows.select_related("version__course__contract", "user", "follow_up").get(pk=attempt.pk)
    if attempt.user_id != by.pk:
        raise Refused(_("This is somebody else's exercise."))
    if attempt.finished_at is not None:
        raise Refused(_("This exercise is handed in."))
    attempt.results = grade(attempt)
    attempt.passed = all(row["passed"] for row in attempt.results)
    attempt.finished_at = at
    attempt.save()
    lifecycle.end_open_escalation(ticket, by, at)
    ticket.state, ticket.closed_at, ticket.pending_until, ticket.pending_for = Ticket.State.CLOSED, at, None, None
    ticket.save()
    finishing.finished(ticket, by=by, at=at)
    derive(ticket)
    trail.record(
        Act.PRACTICE_FINISHED, attempt.trail_subject, by=by, at=at, context=attempt.version.course.trail_subject,
        facts={"passed": attempt.passed, "results": attempt.results, "ticket": ticket.pk}, evidence=[attempt],
    )  # fmt: skip
    if attempt.passed:
        test = Attempt.objects.filter(user=by, version=attempt.version, passed=True).order_by("-finished_at").first()
        if test is not None and not Completion.objects.filter(attempt=test).exists():
            records.complete_by_test(test, by=by, at=at)
    return attempt


# ---------------------------------------------------------------- as a page shows it


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """One criterion as it was graded. `at` is when it was done, where that is what was seen."""

    title: str
    passed: bool
    at: dt.datetime | None
    seen: str


def results(attempt: PracticeAttempt) -> list[Result]:
    """What was graded; nothing before it was handed in."""
    found = []
    for row in attempt.results if attempt.finished_at is not None else []:
        criterion = CRITERIA.get(row["code"])
        if criterion is None:
            continue
        try:
            moment, seen = dt.datetime.fromisoformat(row["seen"]), ""
        except ValueError:
            moment, seen = None, row["seen"]
        if row["code"] == "typed" and seen in Ticket.Kind.values:
            seen = str(Ticket.Kind(seen).label)
        found.append(Result(str(criterion.title), bool(row["passed"]), moment, seen))
    return found
