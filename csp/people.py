"""People and what they may do: accounts, dated roles, offices. Nobody grants, ends or changes their own rights."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from csp import trail
from csp.events import Act
from csp.models import User
from csp.signin import lock, subject_of

# What a person may change about the own account.
OWN_FIELDS = ("name", "language", "zone", "theme", "shortcuts", "signature")


@transaction.atomic
def change_own(user: User, values: Mapping[str, Any], *, at: dt.datetime) -> User:
    """Let somebody change how the desk looks and speaks to them. Unknown fields are left alone."""
    changed = _apply(lock(user), values, OWN_FIELDS)
    _record_change(user, changed, by=user, at=at)
    return user


def _apply(user: User, values: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """Set what differs and save it; returns the fields that changed with their former values."""
    former = {name: getattr(user, name) for name in fields if name in values and getattr(user, name) != values[name]}
    if former:
        for name in former:
            setattr(user, name, values[name])
        user.save()
    return former


def _record_change(user: User, former: Mapping[str, Any], *, by: User, at: dt.datetime) -> None:
    if former:
        personal = {name: str(value) for name, value in former.items() if name in User.record.personal}
        trail.record(
            Act.PERSON_CHANGED, subject_of(user), by=by, at=at, facts={"fields": sorted(former)}, personal=personal
        )
