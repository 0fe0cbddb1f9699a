"""Restrictions of a person's work: imposed for a cause, asked for by those who honour them, ended early or by time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from csp import trail
from csp.access import Refused
from csp.events import Act
from csp.models import Restriction, User

Kind = Restriction.Kind


class Restricted(Refused):
    """A restriction of this person's work says no."""


def of(user: User, at: dt.datetime, *kinds: Restriction.Kind) -> list[Restriction]:
    """What limits this person's work at that moment, of these kinds where named; the one that ends last comes first."""
    rows = Restriction.objects.in_force(at).filter(user=user).select_related("cosigner")
    rows = rows.filter(kind__in=kinds) if kinds else rows
    return sorted(rows, key=lambda row: (row.ends_at is not None, -(row.ends_at or at).timestamp(), row.pk))


def impose(
    user: User,
    kinds: Sequence[Restriction.Kind],
    *,
    clause: str,
    cause: str,
    path: str,
    starts_at: dt.datetime,
    ends_at: dt.datetime | None,
    by: User | None,
    at: dt.datetime,
    cosigner: User | None = None,
) -> list[Restriction]:
    """Limit somebody's work. The caller has decided it, holds the lock of the cause, and says who did."""
    rows = Restriction.objects.bulk_create(
        Restriction(
            user=user,
            kind=kind,
            clause=clause,
            cause=cause,
            path=path,
            cosigner=cosigner if kind == Kind.COSIGN else None,
            starts_at=starts_at,
            ends_at=ends_at,
            imposed_by=by,
        )
        for kind in dict.fromkeys(kinds)
    )
    trail.record(
        Act.RESTRICTED,
        f"restriction:{cause}:{user.pk}",
        by=by or "requirements",
        at=at,
        context=cause,
        facts={"user": user.pk, "kinds": [row.kind for row in rows], "from": starts_at, "until": ends_at},
    )
    return rows


def end(cause: str, *, by: trail.Actor, at: dt.datetime, why: str) -> int:
    """End early whatever this cause still limits. Returns how many rows that were; `why` is a code, not a sentence."""
    rows = list(Restriction.objects.in_force(at).filter(cause=cause).select_for_update(of=("self",)).order_by("pk"))
    for row in rows:
        row.ends_at = max(at, row.starts_at)
    Restriction.objects.bulk_update(rows, ["ends_at"])
    trail.record_all(
        trail.Entry(
            Act.RESTRICTION_ENDED,
            f"restriction:{cause}:{user_id}",
            by=by,
            at=at,
            context=cause,
            facts={"user": user_id, "why": why, "kinds": [row.kind for row in rows if row.user_id == user_id]},
        )
        for user_id in sorted({row.user_id for row in rows})
    )
    return len(rows)
