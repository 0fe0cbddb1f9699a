"""What training keeps and for how long: everything of a person five years from their leaving (clause 4.3).

Courses, versions, rules, rounds and policies are nobody's, and stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from csp import staff
from csp.models import Hold, User
from csp.records import Kept
from csp.retention import Root
from tickets.retention import OWNS
from training.models import (
    Acknowledgement,
    AnswersOpened,
    Assignment,
    Attempt,
    Attendance,
    Completion,
    MoreAttempts,
    PracticeAttempt,
    TrainingFile,
)

_COURSE = ("version__course__contract",)
# Each model whose rows are one person's, with the ways to its contract. What points at these goes with them.
OF_PERSON: Mapping[type[Any], tuple[str, ...]] = {
    Acknowledgement: ("version__contract", "policy__contract"),
    AnswersOpened: _COURSE,
    Assignment: ("contract",),
    Attempt: _COURSE,
    Attendance: ("round__contract",),
    Completion: _COURSE,
    MoreAttempts: _COURSE,
    PracticeAttempt: _COURSE,
}


def _trained() -> QuerySet[User]:
    """Everybody of whom there is any training."""
    found = Q()
    for model in OF_PERSON:
        found |= Q(Exists(model.objects.filter(user=OuterRef("pk"))))
    return User.objects.filter(found)


def _contracts_of(user: User) -> Iterable[int]:
    found = set(staff.contract_of(user))
    for model, paths in OF_PERSON.items():
        for path in paths:
            found |= set(model.objects.filter(user=user).values_list(path, flat=True))
    return found - {None}


def set_files() -> int:
    return staff.follow(TrainingFile, _trained(), _contracts_of)


def _rows_of(members: Mapping[int, int]) -> dict[type[Any], dict[int, int]]:
    found: dict[type[Any], dict[int, int]] = {}
    for file in TrainingFile.objects.filter(pk__in=list(members)):
        for model, paths in OF_PERSON.items():
            here = Q()
            for path in paths:
                here |= Q(**{path: file.contract_id})
            numbers = model.objects.filter(here, user=file.user_id).values_list("pk", flat=True)
            found.setdefault(model, {}).update(dict.fromkeys(numbers, members[file.pk]))
    return found


TRAINING = Root(
    kind="training-file",
    model=TrainingFile,
    kept=Kept.TRAINING,
    ended=Q(state=TrainingFile.State.CLOSED, user__is_active=False),
    ended_at="closed_at",
    prefix="TF-",
    customer="user_id",
    held_by=Hold.Kind.USER,
    is_worked_on=False,
    more=_rows_of,
    owns=OWNS,
    along=frozenset({Kept.TICKET}),  # keys of its stored bytes, what its clocks broke
    named={
        "training.attempt": "attempt", "training.assignment": "training", "training.completion": "completion",
        "training.practiceattempt": "practice",
    },
)  # fmt: skip
