"""Courses: written as a draft, published as a version that does not change any more, diffed, updated (clause 5).

The right answers are opened by nobody who has the test before them, and each opening is on record: whoever saw them
does not take that test (training.records).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import nh3
from django.db import transaction
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from csp import access, trail, vault
from csp.access import Refused
from csp.events import Act
from csp.markup import vouched
from csp.models import Contract, RoleGrant, User
from csp.roles import Permission, Role
from training.models import (
    AnswersOpened,
    Assignment,
    Completion,
    Course,
    CourseFile,
    CourseVersion,
    PracticeScript,
    Question,
)

FIELDS = ("changes", "material", "minutes", "pass_percent", "attempts", "renew_by")
MOST_QUESTIONS = 60

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").enable("strikethrough")
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "s", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    name: str
    content_type: str
    content: bytes


def html(material: str) -> SafeString:
    """The material as markup: nothing raw, no picture or script from anywhere, its headings below the page's own."""
    lowered = re.sub(r"(?m)^(#{1,3}) ", r"#\1 ", material)
    return vouched(nh3.clean(_markdown.render(lowered), tags=_TAGS, attributes={"a": {"href"}}))


# ---------------------------------------------------------------- whom a course is required of


def roles_in(contract_id: int, grants: Iterable[RoleGrant]) -> set[str]:
    """The roles that these grants give under a contract; an administrator's reach over all of them."""
    return {
        grant.role
        for grant in grants
        if grant.role == Role.ADMINISTRATOR
        or contract_id in (grant.contract_id, grant.team.contract_id if grant.team else None)
    }


def is_required_of(course: Course, roles: set[str]) -> bool:
    """Without roles of its own it is required of every staff account (clause 5.2)."""
    return course.retired_at is None and bool(roles if not course.roles else roles & set(course.roles))


def grants_of(user: User, at: dt.datetime) -> list[RoleGrant]:
    return list(RoleGrant.objects.in_force(at).filter(user=user).select_related("team"))


def required_of(user: User, at: dt.datetime) -> list[Course]:
    """The courses that this person's roles ask for at that moment."""
    grants = grants_of(user, at)
    courses = Course.objects.offered().order_by("clause", "pk")
    return [course for course in courses if is_required_of(course, roles_in(course.contract_id, grants))]


def current(course: Course) -> CourseVersion | None:
    """The version that is taught now."""
    return course.versions.filter(published_at__isnull=False).order_by("-number").first()


# ---------------------------------------------------------------- the answers


def check_can_open_answers(version: CourseVersion, user: User, at: dt.datetime) -> None:
    """Whoever manages training, unless the test is their own: one that their role asks for and they have not passed.

    A draft shows the answers of what is taught now.
    """
    access.check(user, Permission.MANAGE_TRAINING, contract_id=version.course.contract_id, at=at)
    if version.written_by_id == user.pk:
        return
    taught = version if version.published_at is not None else current(version.course)
    grants = grants_of(user, at)
    is_own = is_required_of(version.course, roles_in(version.course.contract_id, grants))
    if is_own and not Completion.objects.filter(user=user, version=taught or version).exists():
        raise Refused(_("This is your own test. Pass it first; nobody opens the answers of an own test."))


@transaction.atomic
def open_answers(version: CourseVersion, *, by: User, at: dt.datetime) -> list[Question]:
    """Show the right answers. From then on the test of this version is not theirs to take."""
    version = lock(version)
    check_can_open_answers(version, by, at)
    _note_opening(version, by, at)
    return list(version.questions.order_by("number"))


def _note_opening(version: CourseVersion, by: User, at: dt.datetime) -> None:
    _row, is_new = AnswersOpened.objects.get_or_create(version=version, user=by, defaults={"at": at})
    if is_new and version.written_by_id != by.pk:
        trail.record(
            Act.ANSWERS_OPENED, version.course.trail_subject, by=by, at=at, facts={"version": version.number}
        )  # fmt: skip


# ---------------------------------------------------------------- writing


def lock(version: CourseVersion) -> CourseVersion:
    """The version as it is now; its course is locked until the transaction ends."""
    lock_course(Course(pk=version.course_id))
    return CourseVersion.objects.select_related("course__contract").get(pk=version.pk)


def lock_course(course: Course) -> Course:
    return Course.objects.select_for_update(of=("self",)).select_related("contract").get(pk=course.pk)


@transaction.atomic
def add(
    contract: Contract, *, title: str, clause: str, roles: Sequence[str], repeats: bool, by: User, at: dt.datetime
) -> CourseVersion:
    """Begin a course; returns its first draft."""
    access.check(by, Permission.MANAGE_TRAINING, contract_id=contract.pk, at=at)
    if not title.strip():
        raise Refused(_("Give the course a title."))
    code = slugify(title)[:50] or "course"
    if Course.objects.filter(contract=contract, code=code).exists():
        raise Refused(_("There is a course with this title already."))
    course = Course.objects.create(
        contract=contract, code=code, title=title.strip(), clause=clause, roles=list(roles), repeats=repeats,
        created_at=at,
    )  # fmt: skip
    version = CourseVersion.objects.create(course=course, number=1, written_by=by, written_at=at)
    trail.record(
        Act.COURSE_ADDED, course.trail_subject, by=by, at=at,
        facts={"code": code, "clause": clause, "roles": sorted(roles), "repeats": repeats},
    )  # fmt: skip
    return version


@transaction.atomic
def revise(course: Course, *, by: User, at: dt.datetime) -> CourseVersion:
    """Begin the next version as a copy of the last; one draft at a time. Whoever writes it knows the answers."""
    course = lock_course(course)
    access.check(by, Permission.MANAGE_TRAINING, contract_id=course.contract_id, at=at)
    if course.versions.filter(published_at__isnull=True).exists():
        raise Refused(_("There is a draft already. Go on with that one."))
    last = current(course)
    if last is None:
        raise Refused(_("This course has no version to go on from."))
    check_can_open_answers(last, by, at)
    _note_opening(last, by, at)
    draft = _copy(last, by=by, at=at)
    trail.record(Act.COURSE_REVISED, course.trail_subject, by=by, at=at, facts={"version": draft.number})
    return draft


def _copy(last: CourseVersion, *, by: User | None, at: dt.datetime, **values: Any) -> CourseVersion:
    kept = {name: getattr(last, name) for name in FIELDS if name not in ("changes", "renew_by")}
    draft = CourseVersion.objects.create(
        course=last.course, number=last.number + 1, written_by=by, written_at=at, **{**kept, **values}
    )
    Question.objects.bulk_create(
        Question(version=draft, number=row.number, text=row.text, choices=row.choices, right=row.right)
        for row in last.questions.order_by("number")
    )
    CourseFile.objects.bulk_create(
        CourseFile(version=draft, blob=row.blob, name=row.name, content_type=row.content_type, size=row.size)
        for row in last.files.order_by("pk")
    )
    script = PracticeScript.objects.filter(version=last).first()
    if script is not None:
        script.pk, script.version = None, draft
        script.save(force_insert=True)
    return draft


def check_can_write(version: CourseVersion, user: User, at: dt.datetime) -> None:
    check_can_open_answers(version, user, at)
    if version.published_at is not None:
        raise Refused(_("A published version does not change. Begin a new one."))


@transaction.atomic
def change(version: CourseVersion, values: Mapping[str, Any], *, by: User, at: dt.datetime) -> CourseVersion:
    """Write on a draft."""
    version = lock(version)
    check_can_write(version, by, at)
    for name in FIELDS:
        if name in values:
            setattr(version, name, values[name])
    version.save()
    _note_opening(version, by, at)
    return version


@transaction.atomic
def set_questions(
    version: CourseVersion, asked: Sequence[tuple[str, Sequence[str], Sequence[int]]], *, by: User, at: dt.datetime
) -> list[Question]:
    """Give a draft these questions, (text, choices, numbers of the right ones), in place of those it has."""
    version = lock(version)
    check_can_write(version, by, at)
    if len(asked) > MOST_QUESTIONS:
        raise Refused(_("At most %(most)d questions make a test.") % {"most": MOST_QUESTIONS})
    rows = [
        Question(version=version, number=number, text=text.strip(), choices=list(choices), right=sorted(set(right)))
        for number, (text, choices, right) in enumerate(asked, start=1)
    ]
    for row in rows:
        if not row.text or len(row.choices) < 2 or not row.right or not set(row.right) <= set(range(len(row.choices))):
            raise Refused(_("A question has a text, two choices at least, and one that is right."))
    version.questions.all().delete()
    _note_opening(version, by, at)
    return Question.objects.bulk_create(rows)


@transaction.atomic
def set_practice(
    version: CourseVersion, values: Mapping[str, Any] | None, *, by: User, at: dt.datetime
) -> PracticeScript | None:  # fmt: skip
    """Put an exercise into a draft, or none. Whoever writes it knows what is graded, and does not take it."""
    version = lock(version)
    check_can_write(version, by, at)
    PracticeScript.objects.filter(version=version).delete()
    _note_opening(version, by, at)
    if values is None:
        return None
    if not values["subject"].strip() or not values["message"].strip() or not values["sender"].strip():
        raise Refused(_("An exercise needs a customer, a subject and a message."))
    return PracticeScript.objects.create(version=version, **values)


@transaction.atomic
def attach(version: CourseVersion, file: File, *, by: User, at: dt.datetime) -> CourseFile:
    """Put a file to a draft's material."""
    version = lock(version)
    check_can_write(version, by, at)
    return CourseFile.objects.create(
        version=version, blob=vault.store(file.content, at=at), name=file.name[:255],
        content_type=file.content_type[:120], size=len(file.content),
    )  # fmt: skip


@transaction.atomic
def write(
    version: CourseVersion,
    values: Mapping[str, Any],
    asked: Sequence[tuple[str, Sequence[str], Sequence[int]]],
    files: Sequence[File] = (),
    *,
    and_publish: bool = False,
    by: User,
    at: dt.datetime,
) -> CourseVersion:
    """Write on a draft, all of it at once; publish it too where that is asked."""
    version = change(version, values, by=by, at=at)
    set_questions(version, asked, by=by, at=at)
    for file in files:
        attach(version, file, by=by, at=at)
    return publish(version, by=by, at=at) if and_publish else version


@transaction.atomic
def publish(version: CourseVersion, *, by: User, at: dt.datetime) -> CourseVersion:
    """Teach a draft from now on. Nothing in it changes any more."""
    version = lock(version)
    check_can_write(version, by, at)
    if not version.material.strip() and not version.files.exists():
        raise Refused(_("There is nothing to learn from yet: write the material, or attach a file."))
    if not version.questions.exists():
        raise Refused(_("A test needs one question at least."))
    if version.number > 1 and not version.changes.strip():
        raise Refused(_("Say what is new; those who passed the version before read it first."))
    if version.renew_by is not None and version.renew_by <= at:
        raise Refused(_("The day by which it is passed anew has to be still to come."))
    return _publish(version, by=by, at=at)


def _publish(version: CourseVersion, *, by: trail.Actor, at: dt.datetime) -> CourseVersion:
    highest = (
        version.course.versions.exclude(pk=version.pk).order_by("-number").values_list("number", flat=True).first()
    )
    if highest is not None and highest > version.number:  # an update was published while this was being written
        version.number = highest + 1
    version.published_at = at
    version.published_by = by if isinstance(by, User) else None
    version.save()
    if isinstance(by, User):
        _note_opening(version, by, at)
    trail.record(
        Act.COURSE_PUBLISHED, version.course.trail_subject, by=by, at=at,
        facts={
            "version": version.number, "because": version.because, "renew_by": version.renew_by,
            "pass": version.pass_percent, "questions": version.questions.count(),
        },
        evidence=[version],
    )  # fmt: skip
    return version


@transaction.atomic
def publish_update(
    contract: Contract,
    *,
    code: str,
    title: str,
    roles: Sequence[str],
    because: str,
    changes: str,
    material: str,
    asked: Sequence[tuple[str, Sequence[str], Sequence[int]]],
    renew_by: dt.datetime | None,
    by: trail.Actor,
    at: dt.datetime,
) -> CourseVersion:
    """Publish the update course of something that was published (a procedure, a product): the same one if it is there.

    A further version of the same thing is a further version of its course.
    """
    Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    found = CourseVersion.objects.filter(because=because).select_related("course").first()
    if found is not None:
        return found
    course, _is_new = Course.objects.get_or_create(
        contract=contract, code=code[:60],
        defaults={"title": title[:120], "clause": "5.3", "roles": list(roles), "created_at": at},
    )  # fmt: skip
    last = course.versions.order_by("-number").first()
    version = CourseVersion.objects.create(
        course=course, number=last.number + 1 if last else 1, because=because, changes=changes, material=material,
        renew_by=renew_by, written_by=by if isinstance(by, User) else None, written_at=at,
    )  # fmt: skip
    Question.objects.bulk_create(
        Question(version=version, number=number, text=text[:500], choices=list(choices), right=list(right))
        for number, (text, choices, right) in enumerate(asked, start=1)
    )
    return _publish(version, by=by, at=at)


@transaction.atomic
def retire(course: Course, *, by: User, at: dt.datetime) -> Course:
    """Teach a course no more. What was passed stays on record; what is still owed of it is not owed any more."""
    course = lock_course(course)
    access.check(by, Permission.MANAGE_TRAINING, contract_id=course.contract_id, at=at)
    if course.retired_at is not None:
        raise Refused(_("This course is not taught any more."))
    if Assignment.objects.owed().filter(course=course, user=by).exists():
        raise Refused(_("You owe this course yourself. Somebody who does not may let it go."))
    course.retired_at = at
    course.save()
    trail.record(Act.COURSE_RETIRED, course.trail_subject, by=by, at=at)
    return course


def difference(older: CourseVersion, newer: CourseVersion) -> list[tuple[str, str]]:
    """What changed in the material from one version to another, line by line: ("+", "-" or " ", text)."""
    lines = difflib.ndiff(older.material.splitlines(), newer.material.splitlines())
    return [(line[0], line[2:]) for line in lines if line[0] in "+- "]
