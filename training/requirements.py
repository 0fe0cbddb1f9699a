"""Training that is owed: for a role, because something is new, and again every six months (clauses 5.1 to 5.3).

Loops of "every X that lacks its Y": every person whose role asks for a course and who lacks the assignment of it, every
assignment past due that lacks its restriction, every assignment that nobody owes any more and that lacks its end. What
is passed settles at once (`settle`), in the transaction that records it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from django.db import connection, transaction
from django.utils.translation import gettext as _

from csp import agreement, batches, deadlines, notices, trail
from csp.access import Refused
from csp.contract import Term
from csp.events import Act
from csp.models import Contract, Deadline, RoleGrant, Team, User, Version
from training import courses, gate
from training.models import Appeal, Assignment, Completion, Course, CourseVersion, Gate

Why, Ended = Assignment.Why, Assignment.Ended

NOT_REQUIRED = "The role or the course that asked for it has ended."


def lock_person(user: User) -> User:
    """Everything that somebody owes and passes is done under this lock."""
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def code_of(course: Course, why: str) -> str:
    """The obligation that an assignment is a case of."""
    if why != Why.INITIAL:
        return "refresher"
    return "software_training" if course.clause == "5.2" else "initial_training"


def renewal_due(version: Version, passed_at: dt.datetime, renew_by: dt.datetime | None = None) -> dt.datetime:
    """Six calendar months from the last time, or the update's date where that is earlier (clause 5.3)."""
    due_at = agreement.due_at(version, "refresher", passed_at)
    return min(due_at, renew_by) if renew_by is not None else due_at


def team_of(contract: Contract, grants: Iterable[RoleGrant]) -> Team:
    """The team whose supervisors hear of it; for whoever is in none, the contract's first."""
    mine = [grant.team for grant in grants if grant.team is not None and grant.team.contract_id == contract.pk]
    return mine[0] if mine else contract.teams.order_by("-is_active", "pk")[0]


def owe(
    user: User,
    course: Course,
    why: Assignment.Why,
    *,
    team: Team,
    starts_at: dt.datetime,
    due_at: dt.datetime | None,
    at: dt.datetime,
    by: trail.Actor = "requirements",
    version: CourseVersion | None = None,
    after: Completion | None = None,
    rule: Gate | None = None,
) -> Assignment:
    """From `starts_at` this person owes this course; without `due_at` their work is limited until it is passed."""
    with connection.cursor() as cursor:  # its deadline names it and is stored first
        cursor.execute("select nextval(pg_get_serial_sequence('training_assignment', 'id'))")
        number = int(cursor.fetchone()[0])
    row = Assignment(
        pk=number, contract=course.contract, user=user, course=course, why=why, version=version, after=after,
        gate=rule, starts_at=starts_at,
    )  # fmt: skip
    if due_at is not None:
        subject = deadlines.Subject(
            ref=f"T-{number}", path=row.path, contract=course.contract, team=team, responsible=user,
            context=row.trail_subject,
        )  # fmt: skip
        terms = agreement.in_force(course.contract, starts_at)
        draft = deadlines.draft(code_of(course, why), subject, terms, starts_at=starts_at, due_at=due_at)
        [row.deadline] = deadlines.start([draft], at=at)
    row.save(force_insert=True)
    if due_at is None and rule is not None:
        gate.limit(row, rule, since=starts_at, at=at)
        gate.tell(row, "training.gate", [user], at)
    elif due_at is not None and why != Why.REFRESHER:  # of a refresher the reminders tell in time
        gate.tell(row, "training.owed", [user], at, due=notices.fact(due_at))
    trail.record(
        Act.TRAINING_OWED, row.trail_subject, by=by, at=at,
        facts={
            "user": user.pk, "course": course.code, "why": why, "version": version.number if version else None,
            "deadline": row.deadline_id, "gate": rule.number if rule else None, "since": starts_at,
        },
    )  # fmt: skip
    return row


# ---------------------------------------------------------------- what a completion settles


def settle(done: Completion, *, by: trail.Actor, at: dt.datetime) -> None:
    """What this completion was owed for is kept, what was limited for it is free, and its refresher runs.

    The caller holds the person's lock.
    """
    course = done.version.course
    rows = [
        row
        for row in Assignment.objects.owed()
        .filter(user=done.user, course=course)
        .select_related("version", "deadline", "course", "contract", "after")
        if (row.version is None or row.version.number <= done.version.number)
        and (row.after is None or row.after.passed_at < done.passed_at)
    ]
    deadlines.meet(
        [row.deadline for row in rows if row.deadline is not None], at=done.passed_at, by=by, how=done.trail_subject
    )  # fmt: skip
    for row in rows:
        if gate.lift(row, by=by, at=at, why="passed"):
            gate.tell(row, "training.lifted", [done.user], at)
        _end(row, Ended.PASSED, by=by, at=at, completion=done)
    grants = courses.grants_of(done.user, at)
    if course.repeats and courses.is_required_of(course, courses.roles_in(course.contract_id, grants)):
        _refresh_after(done, grants, at)


def _refresh_after(done: Completion, grants: Iterable[RoleGrant], at: dt.datetime) -> Assignment:
    course = done.version.course
    terms = agreement.in_force(course.contract, done.passed_at)
    return owe(
        done.user, course, Why.REFRESHER, team=team_of(course.contract, grants), starts_at=done.passed_at,
        due_at=renewal_due(terms, done.passed_at), at=at, after=done,
    )  # fmt: skip


def _end(
    row: Assignment, how: Assignment.Ended, *, by: trail.Actor, at: dt.datetime, completion: Completion | None = None
) -> None:
    row.ended_at, row.ended_how, row.completion = at, how, completion
    row.save(update_fields=["ended_at", "ended_how", "completion"])
    facts = {"how": how, "completion": completion.pk if completion else None}
    trail.record(Act.TRAINING_ENDED, row.trail_subject, by=by, at=at, facts=facts)


# ---------------------------------------------------------------- the loops


@dataclasses.dataclass(frozen=True, slots=True)
class Lack:
    """One assignment that is to be made."""

    user: int
    course: Course
    why: Assignment.Why
    starts_at: dt.datetime
    is_new: bool = True  # in the role since the rule, for an initial training
    version: CourseVersion | None = None
    rule: Gate | None = None
    after: int | None = None


def require(at: dt.datetime, *, limit: int = 200) -> int:
    """Give everybody whose role asks for a course the assignment that they lack. Returns how many were given one."""
    found = {(one.user, one.course.pk, one.why): one for one in _lacking(at)}
    return batches.each(found.values(), functools.partial(_require_one, at=at), limit=limit)


def _lacking(at: dt.datetime) -> Iterator[Lack]:
    """A handful of statements, whatever the number of people; each find is looked at again under its lock."""
    rules = {row.contract_id: row for row in Gate.objects.filter(ended_at__isnull=True, published_at__lte=at)}
    offered = list(Course.objects.offered().select_related("contract").order_by("pk"))
    published: dict[int, list[CourseVersion]] = defaultdict(list)
    for version in CourseVersion.objects.filter(published_at__lte=at, course__in=offered).order_by("number"):
        published[version.course_id].append(version)
    done = _latest_completions()
    if not rules and not done and not any(row.because or row.renew_by for rows in published.values() for row in rows):
        return
    owed: dict[tuple[int, int], list[Assignment]] = defaultdict(list)
    for row in Assignment.objects.filter(course__in=offered).only(
        "user_id", "course_id", "why", "version_id", "after_id", "ended_at", "ended_how"
    ):
        owed[row.user_id, row.course_id].append(row)
    grants: dict[int, list[RoleGrant]] = defaultdict(list)
    for grant in (
        RoleGrant.objects.in_force(at).filter(user__is_active=True).select_related("team").order_by("starts_at")
    ):
        grants[grant.user_id].append(grant)
    terms = {contract: agreement.timeline(contract) for contract in {course.contract for course in offered}}
    for user, held in grants.items():
        for course in offered:
            asking = [grant for grant in held if courses.is_required_of(course, _role_of(grant, course))]
            if asking and published[course.pk]:
                yield from _lacks(
                    user, course, asking[0].starts_at, published[course.pk], done.get((user, course.pk)),
                    owed[user, course.pk], rules.get(course.contract_id), terms[course.contract],
                )  # fmt: skip


def _role_of(grant: RoleGrant, course: Course) -> set[str]:
    return courses.roles_in(course.contract_id, [grant])


def _latest_completions() -> dict[tuple[int, int], Completion]:
    rows = Completion.objects.select_related("version").order_by("passed_at", "pk")
    return {(row.user_id, row.version.course_id): row for row in rows}


def _lacks(
    user: int,
    course: Course,
    since: dt.datetime,
    published: list[CourseVersion],
    done: Completion | None,
    rows: list[Assignment],
    rule: Gate | None,
    terms: Callable[[dt.datetime], Version],
) -> Iterator[Lack]:
    """What one person lacks of one course: at most one assignment for each reason."""
    running = [row for row in rows if row.ended_at is None]
    first, last = published[0], published[-1]
    lapsed = done is None or (course.repeats and renewal_due(terms(since), done.passed_at) < since)
    new_ones = [row for row in published if row.published_at is not None and row.published_at > since]
    if done is not None and not lapsed and course.repeats and not any(row.why == Why.REFRESHER for row in running):
        yield Lack(user, course, Why.REFRESHER, done.passed_at, after=done.pk)
    # What is new, for whoever passed what was before, or was here when the first version of an update came out.
    for version in new_ones:
        dated = version.renew_by is not None or bool(version.because)
        knew = done is not None if version is not first else course.clause == "5.3"
        if (
            dated
            and knew
            and version.published_at is not None
            and (done is None or done.version.number < version.number)
            and not any(row.version_id == version.pk for row in rows)
        ):
            yield Lack(user, course, Why.UPDATE, version.published_at, version=version)
            return
    if rule is None or not lapsed or running or first.published_at is None:
        return
    if course.clause == "5.3" and first in new_ones:
        return  # that is what the update is for
    starts_at = max(since, first.published_at, rule.published_at)
    least = last if done is not None else None
    yield Lack(user, course, Why.INITIAL, starts_at, starts_at == since, version=least, rule=rule)


@transaction.atomic(durable=True)
def _require_one(lack: Lack, *, at: dt.datetime) -> int:
    user = lock_person(User(pk=lack.user))
    course = Course.objects.select_related("contract").get(pk=lack.course.pk)
    grants = courses.grants_of(user, at)
    rows = list(Assignment.objects.filter(user=user, course=course))
    done = _latest_of(user, course)
    published = list(course.versions.filter(published_at__lte=at).order_by("number"))
    asking = sorted(
        (grant for grant in grants if courses.is_required_of(course, _role_of(grant, course))),
        key=lambda grant: grant.starts_at,
    )
    rule = gate.in_force(course.contract, at)
    if not asking or not user.is_active or not published:
        return 0
    in_force = functools.partial(agreement.in_force, course.contract)
    again = _lacks(user.pk, course, asking[0].starts_at, published, done, rows, rule, in_force)
    now = next((one for one in again if one.why == lack.why and one.version == lack.version), None)
    if now is None:
        return 0
    team = team_of(course.contract, grants)
    if now.why == Why.REFRESHER and done is not None:
        _refresh_after(done, grants, at)
        return 1
    terms = agreement.in_force(course.contract, now.starts_at)
    due_at = None
    if now.why == Why.UPDATE and now.version is not None:
        due_at = renewal_due(terms, now.starts_at, now.version.renew_by)
    elif now.rule is not None:
        days = Term(days=0 if now.is_new else now.rule.days_present).ends(now.starts_at, course.contract.zoneinfo)
        due_at = max(agreement.due_at(terms, code_of(course, now.why), now.starts_at), days)
        due_at = due_at if due_at > now.starts_at else None
    owe(user, course, now.why, team=team, starts_at=now.starts_at, due_at=due_at, at=at, version=now.version,
        rule=now.rule)  # fmt: skip
    return 1


def limit_late(at: dt.datetime, *, limit: int = 200) -> int:
    """Limit the work of everybody who let the time for a course pass, where a rule is published that says so."""
    late = Assignment.objects.owed().filter(
        restricted_at__isnull=True,
        deadline__state=Deadline.State.BREACHED,
        user__is_active=True,
        contract__gates__ended_at__isnull=True,
        contract__gates__published_at__lte=at,
    )
    numbers = list(late.order_by("deadline__due_at").values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_limit_one, at=at), limit=limit)


@transaction.atomic(durable=True)
def _limit_one(number: int, *, at: dt.datetime) -> int:
    row = Assignment.objects.select_related("user").get(pk=number)
    lock_person(row.user)
    row = Assignment.objects.select_related("user", "course", "contract", "deadline").get(pk=number)
    rule = gate.in_force(row.contract, at)
    if rule is None or row.ended_at is not None or row.restricted_at is not None:
        return 0
    gate.limit(row, rule, since=at, at=at)
    gate.tell(row, "training.gate", [row.user], at)
    return 1


def end_unowed(at: dt.datetime, *, limit: int = 200) -> int:
    """End what is owed for a role or a course that has ended. Returns how many."""
    asked: dict[tuple[int, int], bool] = {}
    grants: dict[int, list[RoleGrant]] = defaultdict(list)
    rows = list(Assignment.objects.owed().select_related("course").order_by("pk"))
    people = {row.user_id for row in rows}
    held = RoleGrant.objects.in_force(at).filter(user__in=people, user__is_active=True).select_related("team")
    for grant in held:
        grants[grant.user_id].append(grant)
    over = []
    for row in rows:
        key = (row.user_id, row.course_id)
        if key not in asked:
            roles = courses.roles_in(row.course.contract_id, grants[row.user_id])
            asked[key] = courses.is_required_of(row.course, roles)
        if not asked[key]:
            over.append(row.pk)
    return batches.each(over, functools.partial(_end_one, at=at), limit=limit)


@transaction.atomic(durable=True)
def _end_one(number: int, *, at: dt.datetime) -> int:
    row = Assignment.objects.select_related("user").get(pk=number)
    user = lock_person(row.user)
    row = Assignment.objects.select_related("user", "course", "contract", "deadline").get(pk=number)
    grants = courses.grants_of(user, at) if user.is_active else []
    roles = courses.roles_in(row.course.contract_id, grants)
    if row.ended_at is not None or courses.is_required_of(row.course, roles):
        return 0
    not_owed(row, by="requirements", at=at, reason=NOT_REQUIRED)
    return 1


def not_owed(row: Assignment, *, by: trail.Actor, at: dt.datetime, reason: str) -> None:
    """End an assignment that nobody owes any more; what was broken stays."""
    if row.deadline is not None:
        deadlines.lapse([row.deadline], at=at, by=by, reason=reason)
    gate.lift(row, by=by, at=at, why="not owed")
    _end(row, Ended.NOT_OWED, by=by, at=at)


# ---------------------------------------------------------------- an appeal decided


@transaction.atomic
def decide_appeal(
    made: Appeal, *, upheld: bool, answer: str, by: User, at: dt.datetime, until: dt.datetime | None = None
) -> Appeal:
    """Decide an appeal against waiting for training. Upheld, work is free at once, and the course is due at `until`."""
    made, row = gate.open_appeal(made, by=by, at=at, answer=answer)
    if upheld and (until is None or not at < until <= at + dt.timedelta(days=gate.LONGEST)):
        raise Refused(_("Say by when it is passed instead: within %(days)d days.") % {"days": gate.LONGEST})
    made.upheld, made.answer, made.decided_at, made.decided_by = upheld, answer.strip(), at, by
    made.save()
    if upheld and row.ended_at is None and until is not None:
        not_owed(row, by=by, at=at, reason="An appeal gave it more time.")
        owe(
            row.user, row.course, Why(row.why), team=team_of(row.contract, courses.grants_of(row.user, at)),
            starts_at=at, due_at=until, at=at, by=by, version=row.version, after=row.after, rule=row.gate,
        )  # fmt: skip
    gate.tell(row, "training.appeal_decided", [row.user], at)
    trail.record(
        Act.TRAINING_APPEAL_DECIDED, f"appeal:training:{made.pk}", by=by, at=at, context=row.trail_subject,
        facts={"upheld": upheld, "until": until}, personal={"answer": answer},
    )  # fmt: skip
    return made


def _latest_of(user: User, course: Course) -> Completion | None:
    rows = Completion.objects.filter(user=user, version__course=course).select_related(
        "version__course__contract", "user"
    )
    return rows.order_by("passed_at", "pk").last()
