"""Who was trained: tests graded here, evidence that somebody else records, certificates (clauses 5.1 and 5.2)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import secrets
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, trail, vault
from csp.access import Refused
from csp.events import Act
from csp.models import User
from csp.roles import Permission
from training import courses, requirements
from training.courses import File
from training.models import (
    AnswersOpened,
    Attempt,
    Completion,
    CourseVersion,
    MoreAttempts,
    PracticeAttempt,
    PracticeScript,
    Proof,
    Question,
)

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is read as something else


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """A question as one attempt shows it: choices in the attempt's own order; `order` leads back to the version's."""

    question: Question
    choices: Sequence[str]
    order: Sequence[int]

    @property
    def has_one(self) -> bool:
        return len(self.question.right) == 1


def asked(attempt: Attempt) -> list[Asked]:
    """The questions of an attempt, shuffled by its seed: the same each time it is shown."""
    dice = random.Random(attempt.seed)  # noqa: S311  an order, not a secret
    questions = list(attempt.version.questions.order_by("number"))
    dice.shuffle(questions)
    found = []
    for question in questions:
        order = list(range(len(question.choices)))
        dice.shuffle(order)
        found.append(Asked(question, [question.choices[number] for number in order], order))
    return found


# ---------------------------------------------------------------- the test


def attempts_left(version: CourseVersion, user: User) -> int:
    series = 1 + MoreAttempts.objects.filter(user=user, version=version).count()
    return max(0, version.attempts * series - Attempt.objects.filter(user=user, version=version).count())


def check_can_start(version: CourseVersion, user: User) -> None:
    """Only what is taught now, with attempts left, and nobody who has seen the answers."""
    check_is_taught(version, user)
    if not attempts_left(version, user):
        raise Refused(_("No attempt is left. Ask a supervisor to go through it with you."))


@transaction.atomic
def start(version: CourseVersion, *, by: User, at: dt.datetime) -> Attempt:
    """Begin the test, or go on with the attempt that is open."""
    requirements.lock_person(by)
    version = CourseVersion.objects.select_related("course__contract").get(pk=version.pk)
    going = Attempt.objects.filter(user=by, version=version, finished_at__isnull=True).first()
    if going is not None:
        return going
    check_can_start(version, by)
    number = Attempt.objects.filter(user=by, version=version).count() + 1
    attempt = Attempt.objects.create(
        user=by, version=version, number=number, seed=secrets.randbits(62), started_at=at
    )  # fmt: skip
    trail.record(
        Act.TEST_STARTED, attempt.trail_subject, by=by, at=at, context=version.course.trail_subject,
        facts={"course": version.course.code, "version": version.number, "attempt": number, "seed": attempt.seed},
    )  # fmt: skip
    return attempt


@transaction.atomic
def finish(attempt: Attempt, ticked: Mapping[int, Sequence[int]], *, by: User, at: dt.datetime) -> Attempt:
    """Grade an attempt. `ticked` holds, by question, the places of the choices as this attempt showed them."""
    requirements.lock_person(by)
    attempt = Attempt.objects.select_related("version__course__contract", "user").get(pk=attempt.pk)
    if attempt.user_id != by.pk:
        raise Refused(_("This is somebody else's test."))
    if attempt.finished_at is not None:
        raise Refused(_("This test is finished."))
    if AnswersOpened.objects.filter(version=attempt.version, user=by).exists():
        raise Refused(_("You have seen the answers of this test. Somebody else records your training, with evidence."))
    answers, right = {}, 0
    questions = asked(attempt)
    for one in questions:
        chosen = sorted({one.order[place] for place in ticked.get(one.question.pk, ()) if 0 <= place < len(one.order)})
        answers[str(one.question.number)] = chosen
        right += chosen == sorted(one.question.right)
    attempt.answers, attempt.right, attempt.out_of = answers, right, len(questions)
    attempt.finished_at = at
    attempt.passed = right * 100 >= attempt.version.pass_percent * len(questions)
    attempt.save()
    trail.record(
        Act.TEST_FINISHED, attempt.trail_subject, by=by, at=at, context=attempt.version.course.trail_subject,
        facts={"right": right, "of": len(questions), "passed": attempt.passed, "needs": attempt.version.pass_percent},
        evidence=[attempt],
    )  # fmt: skip
    if attempt.passed and not lacks_practice(attempt.version, attempt.user):
        complete_by_test(attempt, by=by, at=at)
    return attempt


def complete_by_test(attempt: Attempt, *, by: User, at: dt.datetime) -> Completion:
    """The course is passed now: test, and exercise where it has one. The caller holds the person's lock."""
    done = Completion(
        user=attempt.user, version=attempt.version, how=Completion.How.TEST, attempt=attempt, passed_at=at
    )
    return _complete(done, by=by, at=at)


def practises(version: CourseVersion, user: User, *, at: dt.datetime | None = None) -> bool:
    """Whether this person takes the exercise of this version: it has one, and they work on tickets."""
    if not PracticeScript.objects.filter(version=version).exists():
        return False
    return access.may(user, Permission.WORK_TICKETS, contract_id=version.course.contract_id, at=at)


def lacks_practice(version: CourseVersion, user: User) -> bool:
    """Whether the exercise is still to be passed before the course is."""
    passed = PracticeAttempt.objects.filter(user=user, version=version, passed=True)
    return practises(version, user) and not passed.exists()


def check_is_taught(version: CourseVersion, user: User) -> None:
    """Only what is taught now, and nobody who has seen the answers."""
    if not user.is_active or version.published_at is None or courses.current(version.course) != version:
        raise Refused(_("This version is not taught. Take the one that is."))
    if version.course.retired_at is not None:
        raise Refused(_("This course is not taught any more."))
    if AnswersOpened.objects.filter(version=version, user=user).exists():
        raise Refused(_("You have seen the answers of this test. Somebody else records your training, with evidence."))


def missed(attempt: Attempt) -> list[Question]:
    """The questions that were not answered right: what to read again. What is right is not said."""
    answers = attempt.answers or {}
    rows = attempt.version.questions.order_by("number")
    return [row for row in rows if sorted(answers.get(str(row.number), [])) != sorted(row.right)]


@transaction.atomic
def let_try_again(version: CourseVersion, user: User, *, by: User, at: dt.datetime, reason: str) -> MoreAttempts:
    """Give somebody who has used up all attempts another series, after going through the material with them."""
    access.check(by, Permission.MANAGE_TRAINING, contract_id=version.course.contract_id, at=at)
    requirements.lock_person(user)
    if user == by:
        raise Refused(_("Nobody gives themselves more attempts. Ask another supervisor."))
    if attempts_left(version, user):
        raise Refused(_("There are attempts left."))
    if not reason.strip():
        raise Refused(_("Say what you went through together."))
    row = MoreAttempts.objects.create(user=user, version=version, by=by, at=at, reason=reason.strip()[:500])
    trail.record(
        Act.TEST_AGAIN, f"user:{user.pk}", by=by, at=at, context=version.course.trail_subject,
        facts={"course": version.course.code, "version": version.number}, personal={"reason": reason},
    )  # fmt: skip
    return row


# ---------------------------------------------------------------- evidence


@transaction.atomic
def record_evidence(
    version: CourseVersion,
    user: User,
    *,
    passed_at: dt.datetime,
    note: str,
    by: User,
    at: dt.datetime,
    files: Sequence[File] = (),
) -> Completion:
    """Record that somebody was trained elsewhere, or in person. Nobody records own attendance."""
    access.check(by, Permission.MANAGE_TRAINING, contract_id=version.course.contract_id, at=at)
    user = requirements.lock_person(user)
    version = CourseVersion.objects.select_related("course__contract").get(pk=version.pk)
    if user == by:
        raise Refused(_("Nobody records own attendance. Ask another supervisor or an administrator."))
    if version.published_at is None:
        raise Refused(_("This version is not published."))
    if passed_at > at:
        raise Refused(_("It cannot have been in the future. Check date and time."))
    if not note.strip():
        raise Refused(_("Say where and with whom, and how that shows; it stands in the evidence."))
    done = Completion(
        user=user, version=version, how=Completion.How.EVIDENCE, passed_at=passed_at, recorded_by=by, note=note.strip()
    )
    return _complete(done, by=by, at=at, files=files)


def _complete(done: Completion, *, by: User, at: dt.datetime, files: Sequence[File] = ()) -> Completion:
    """Store a completion with its certificate's code, and settle what it was owed for."""
    done.recorded_at, done.code = at, _code()
    done.save(force_insert=True)
    proofs = Proof.objects.bulk_create(
        Proof(
            completion=done, blob=vault.store(file.content, at=at), name=file.name[:255],
            content_type=file.content_type[:120], size=len(file.content),
        )
        for file in files
    )  # fmt: skip
    requirements.settle(done, by=by, at=at)
    trail.record(
        Act.TRAINING_PASSED if done.how == Completion.How.TEST else Act.TRAINING_RECORDED, done.trail_subject,
        by=by, at=at, context=f"user:{done.user_id}",
        facts={
            "user": done.user_id, "course": done.version.course.code, "version": done.version.number,
            "how": done.how, "passed": done.passed_at, "code": done.code,
        },
        personal={"note": done.note}, evidence=[done, *proofs],
    )  # fmt: skip
    return done


def _code() -> str:
    """What a certificate is checked by: eighty bits, in groups that can be read out."""
    signs = "".join(secrets.choice(_ALPHABET) for _place in range(16))
    return "-".join(signs[start : start + 4] for start in range(0, 16, 4))


def by_code(text: str) -> Completion | None:
    """The training that a certificate with this code shows, however it was typed."""
    signs = "".join(sign for sign in text.upper() if sign in _ALPHABET)
    code = "-".join(signs[start : start + 4] for start in range(0, len(signs), 4))
    rows = Completion.objects.select_related("version__course__contract", "user")
    return rows.filter(code=code).first() if len(signs) == 16 else None


def superseded_by(done: Completion) -> CourseVersion | None:
    """The version that is taught now, where it is a later one."""
    latest = courses.current(done.version.course)
    return latest if latest is not None and latest.number > done.version.number else None
