"""People and courses: who has what, until when, what is owed and what runs out next (clause 5). Reads only."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet
from django.utils import dateformat
from django.utils.translation import gettext as _

from csp import access, clockface
from csp.models import Deadline, RoleGrant, User
from csp.roles import Role
from training import courses
from training.models import Assignment, Attempt, Completion, Course, CourseVersion

SOON = dt.timedelta(days=30)


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """One person and one course. `state` is the colour: ok, soon, over, plan, na, or none for what is not begun."""

    course_id: int
    state: str
    icon: str
    text: str
    small: str = ""
    is_required: bool = False
    completion: Completion | None = None
    owed: Assignment | None = None

    @property
    def is_valid(self) -> bool:
        return self.completion is not None and self.state in ("ok", "soon")


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One person with every course, and the clock that runs out first."""

    user: User
    roles: str
    cells: Sequence[Cell]
    deadline: Deadline | None

    @property
    def key(self) -> tuple[int, float, int]:
        due = self.deadline.due_at.timestamp() if self.deadline else 0.0
        return (0 if self.deadline else 1, due, self.user.pk)

    def has(self, state: str) -> bool:
        return any(cell.state == state for cell in self.cells)


@dataclasses.dataclass(slots=True)
class Facts:
    """What the cells are made of, read in one go for some people."""

    at: dt.datetime
    zone: dt.tzinfo
    courses: Sequence[Course]
    grants: dict[int, list[RoleGrant]]
    done: dict[tuple[int, int], Completion]
    owed: dict[tuple[int, int], list[Assignment]]
    begun: dict[tuple[int, int], Attempt]


def read(people: Sequence[User], offered: Sequence[Course], *, at: dt.datetime, zone: dt.tzinfo) -> Facts:
    """Four statements, whatever the number of people."""
    done: dict[tuple[int, int], Completion] = {}
    of_people = Completion.objects.filter(user__in=people).select_related("version").defer("version__material", "note")
    for row in of_people.order_by("passed_at", "pk"):
        done[row.user_id, row.version.course_id] = row
    owed: dict[tuple[int, int], list[Assignment]] = defaultdict(list)
    for row in Assignment.objects.owed().filter(user__in=people).select_related("deadline"):
        owed[row.user_id, row.course_id].append(row)
    begun = {}
    going = Attempt.objects.filter(user__in=people, finished_at__isnull=True).select_related("version")
    for attempt in going.defer("version__material"):
        begun[attempt.user_id, attempt.version.course_id] = attempt
    grants: dict[int, list[RoleGrant]] = defaultdict(list)
    held = RoleGrant.objects.in_force(at).filter(user__in=people).select_related("team").order_by("starts_at", "pk")
    for grant in held:
        grants[grant.user_id].append(grant)
    return Facts(at, zone, offered, grants, done, owed, begun)


def line(user: User, facts: Facts) -> Line:
    """One person's cells."""
    cells, running = [], []
    for course in facts.courses:
        rows = facts.owed.get((user.pk, course.pk), [])
        running += [row.deadline for row in rows if row.deadline is not None]
        cells.append(_cell(user, course, rows, facts))
    held = {Role(grant.role) for grant in facts.grants.get(user.pk, [])}
    nearest = min(running, key=lambda row: row.due_at, default=None)
    return Line(user, ", ".join(str(role.label) for role in Role if role in held), cells, nearest)


def _cell(user: User, course: Course, rows: Sequence[Assignment], facts: Facts) -> Cell:
    done = facts.done.get((user.pk, course.pk))
    required = courses.is_required_of(course, courses.roles_in(course.contract_id, facts.grants.get(user.pk, [])))
    timed = [(row.deadline.due_at, row) for row in rows if row.deadline is not None]
    due, nearest = min(timed, key=lambda pair: pair[0], default=(None, None))
    waits = next((row for row in rows if row.deadline is None), None)
    owed = nearest or waits
    cell = functools.partial(Cell, course.pk, is_required=required, completion=done, owed=owed)
    if due is not None:
        left = due - facts.at
        day = dateformat.format(due.astimezone(facts.zone), "j M")
        if left < dt.timedelta():
            word = _("Expired") if done is not None else _("Overdue")
            ago = _("%(time)s ago, %(day)s") % {"time": clockface.short(left), "day": day}
            return cell("over", "circle-alert", word, ago)
        if left <= SOON:
            return cell("soon", "clock", clockface.short(left), day)
    begun = facts.begun.get((user.pk, course.pk))
    if done is None and begun is not None:
        since = dateformat.format(begun.started_at.astimezone(facts.zone), "j M")
        return cell("plan", "circle-dashed", _("Test begun"), _("on %(day)s") % {"day": since})
    if waits is not None:
        limited = _("work limited") if waits.restricted_at else ""
        return cell("plan", "lock", _("Not passed yet"), limited)
    if done is None and not required:
        return cell("na", "minus", _("Not required"))
    if done is None:
        return cell("", "circle-dashed", _("Not passed yet"))
    if due is not None:
        return cell("ok", "check", dateformat.format(due.astimezone(facts.zone), "M Y"))
    since = dateformat.format(done.passed_at.astimezone(facts.zone), "Y")
    return cell("ok", "check", _("Since %(year)s") % {"year": since})


# ---------------------------------------------------------------- whom somebody sees


def people_of(user: User, at: dt.datetime) -> QuerySet[User]:
    """Active people with a role that this one oversees: own teams', an audit's contracts', everybody."""
    scope = access.scope_of(user, at)
    grants = RoleGrant.objects.in_force(at)
    if Role.ADMINISTRATOR not in scope.roles():
        contracts = scope.contracts(Role.AUDITOR)
        grants = grants.filter(
            Q(team__in=scope.teams(Role.SUPERVISOR)) | Q(team__contract__in=contracts) | Q(contract__in=contracts)
        )
    return User.objects.filter(is_active=True, pk__in=grants.values("user"))


def offered_to(contracts: Iterable[int] | None = None) -> list[Course]:
    """The courses that are taught, with a published version, in the order of the clauses."""
    rows = Course.objects.offered().filter(
        pk__in=CourseVersion.objects.filter(published_at__isnull=False).values("course")
    )
    if contracts is not None:
        rows = rows.filter(contract__in=list(contracts))
    return list(rows.select_related("contract").order_by("clause", "pk"))
