"""Holds: what keeps one record, one customer's tickets or one person's file from disposal. A hold always wins.

Placing locks what it holds first, as disposal does before it looks for holds: one of the two waits for the other, and
the database asks once more before a row goes.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from csp import access, agreement, deadlines, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Customer, Hold, Team, User
from csp.roles import Permission


def kind_of(subject: Any) -> Hold.Kind:
    """How a hold on this row is called."""
    match subject:
        case Customer():
            return Hold.Kind.CUSTOMER
        case User():
            return Hold.Kind.USER
        case _:
            return Hold.Kind(subject.trail_subject.partition(":")[0])


@transaction.atomic
def place(subject: Any, *, team: Team, by: User, at: dt.datetime, reason: str) -> Hold:
    """Hold a record, a customer or a person (a row) for a team's supervisors. Raises Refused."""
    access.check(by, Permission.PLACE_HOLDS, team_id=team.pk, at=at)
    kind = kind_of(subject)
    if not reason.strip():
        raise Refused(_("Say why it must be kept; the reason stands in the evidence."))
    locked = type(subject)._base_manager.select_for_update(no_key=True).filter(pk=subject.pk).first()
    if locked is None:
        raise Refused(_("It is gone: its time was over, and it has been disposed of."))
    if Hold.objects.standing().filter(kind=kind, number=subject.pk, team=team).exists():
        raise Refused(_("Your team holds this already. Review or lift that hold."))
    hold = Hold(
        contract=team.contract, team=team, kind=kind, number=subject.pk, reason=reason.strip(), placed_by=by,
        placed_at=at,
    )  # fmt: skip
    with connection.cursor() as cursor:  # the deadline of its review names it and is stored first
        cursor.execute("select nextval(pg_get_serial_sequence('csp_hold', 'id'))")
        hold.pk = int(cursor.fetchone()[0])
    _clock(hold, by=by, at=at)
    hold.save(force_insert=True)
    trail.record(
        Act.HOLD_PLACED, hold.trail_subject, by=by, at=at, facts={"held": hold.subject, "review": hold.review.due_at},
        personal={"reason": reason},
    )  # fmt: skip
    return hold


def _clock(hold: Hold, *, by: User, at: dt.datetime) -> None:
    """A fresh clock on the review of a hold, in six calendar months."""
    version = agreement.in_force(hold.contract, at)
    subject = deadlines.Subject(
        ref=hold.reference, path=hold.path, contract=hold.contract, team=hold.team, responsible=by,
        context=hold.trail_subject,
    )  # fmt: skip
    [hold.review] = deadlines.start([deadlines.draft("hold_review", subject, version, starts_at=at)], at=at)


def _locked(hold: Hold, by: User, at: dt.datetime) -> Hold:
    row = (
        Hold.objects.select_for_update(of=("self",), no_key=True)
        .select_related("team", "contract", "review")
        .get(pk=hold.pk)
    )
    access.check(by, Permission.PLACE_HOLDS, team_id=row.team_id, at=at)
    if row.lifted_at is not None:
        raise Refused(_("This hold has been lifted already."))
    return row


@transaction.atomic
def keep_on(hold: Hold, *, by: User, at: dt.datetime, reason: str) -> Hold:
    """Review a hold and let it stand; the next review falls due in six months. Raises Refused."""
    row = _locked(hold, by, at=at)
    if not reason.strip():
        raise Refused(_("Say why it is still needed."))
    deadlines.meet([row.review], at=at, by=by, how="kept on")
    _clock(row, by=by, at=at)
    row.save(update_fields=["review"])
    trail.record(
        Act.HOLD_REVIEWED, row.trail_subject, by=by, at=at, facts={"held": row.subject, "review": row.review.due_at},
        personal={"reason": reason},
    )  # fmt: skip
    return row


@transaction.atomic
def lift(hold: Hold, *, by: User, at: dt.datetime, reason: str) -> Hold:
    """Let go: from now on the record's own term counts again. Raises Refused."""
    row = _locked(hold, by, at=at)
    if not reason.strip():
        raise Refused(_("Say why it need not be kept any longer."))
    row.lifted_at, row.lifted_by, row.lifted_because = at, by, reason.strip()
    row.save(update_fields=["lifted_at", "lifted_by", "lifted_because"])
    deadlines.meet([row.review], at=at, by=by, how="lifted")
    trail.record(
        Act.HOLD_LIFTED, row.trail_subject, by=by, at=at, facts={"held": row.subject}, personal={"reason": reason}
    )  # fmt: skip
    return row
