"""Training in tests: courses are passed, the rule is published, by the product's own verbs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from csp import loops
from csp.models import Contract, Restriction, User
from tests import factories as make
from training import courses, gate, records
from training.models import Attempt, Completion, Course, CourseVersion, Gate

# The courses of a fresh installation are published when it is made; in tests that was long ago.
COURSES = ("communication", "complaints", "policies", "software")


def tick(*, at: dt.datetime) -> dict[str, int]:
    """The loops that have to do with training, once each until dry."""
    names = ("remind", "sweep", "updates", "require", "limit_late", "end_unowed", "rounds")
    return {name: loops.run_dry(loops.RULES[name], at) for name in names}


def course(code: str) -> Course:
    return Course.objects.select_related("contract").get(code=code)


def version(code: str) -> CourseVersion:
    found = courses.current(course(code))
    assert found is not None
    return found


def ticks(attempt: Attempt, *, wrong: int = 0) -> dict[int, list[int]]:
    """What somebody ticks who knows all but so many."""
    found = {}
    for place, one in enumerate(records.asked(attempt)):
        right = [one.order.index(number) for number in one.question.right]
        others = [number for number in range(len(one.order)) if number not in right]
        found[one.question.pk] = others[:1] if place < wrong else right
    return found


def take(code: str, *, by: User, at: dt.datetime, wrong: int = 0) -> Attempt:
    attempt = records.start(version(code), by=by, at=at)
    return records.finish(attempt, ticks(attempt, wrong=wrong), by=by, at=at)


def passed(code: str, *, by: User, at: dt.datetime) -> Completion:
    attempt = take(code, by=by, at=at)
    return Completion.objects.get(attempt=attempt)


def publish_gate(
    contract: Contract, *, by: User, at: dt.datetime = make.AT, days: int = 14,
    restricts: Sequence[Restriction.Kind] = (Restriction.Kind.COSIGN,),
) -> Gate:  # fmt: skip
    return gate.publish(
        contract, text="Nobody answers customers alone before the training is passed.", restricts=restricts,
        days_present=days, by=by, at=at,
    )  # fmt: skip
