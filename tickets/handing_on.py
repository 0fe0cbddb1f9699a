"""What stands before a supervisor is put before another one (clause 3.3), and back: who is away decides nothing.

The clocks of the contract do not notice: they run from receipt, whoever answers for them.
"""

from __future__ import annotations

import datetime as dt
import json

from django.db import transaction
from django.utils.translation import gettext as _

from csp import deadlines, notices, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Notice, TrailEntry, User
from tickets import escalation
from tickets.conversation import derive, lock, running
from tickets.models import Escalation, Ticket


def check_can_have(row: Escalation, ticket: Ticket, to: User, at: dt.datetime) -> None:
    """Raise Refused unless this person may decide it, and had no hand in it so far (CLAUSES 2, own work)."""
    if ticket.about_id == to.pk:
        raise Refused(_("%(name)s cannot decide this ticket. Choose somebody else.") % {"name": to.name})
    if not to.is_active:
        raise Refused(_("%(name)s does not work here any more.") % {"name": to.name})
    if not escalation.may_decide(to, ticket, at=at):
        raise Refused(_("%(name)s is not a supervisor of %(team)s.") % {"name": to.name, "team": ticket.team})
    if to.pk in (row.raised_by_id, row.from_user_id):
        raise Refused(_("%(name)s handed this up. Somebody else decides it.") % {"name": to.name})


def holder(row: Escalation) -> int | None:
    """Who has it: whoever accepted it, else the one it was handed to."""
    return row.accepted_by_id or row.to_user_id


@transaction.atomic
def hand_on(row: Escalation, *, of: User, to: User, by: User, at: dt.datetime) -> Escalation:
    """Put what stands before one supervisor before another. Returns the one that is open now. Raises Refused.

    Its clock to be taken up runs on. What was accepted already stays on record as accepted, and is put before the other
    one anew; what still runs on the ticket and was owed by the one who accepted it is owed by the other from now on.
    """
    root, row = escalation.lock_escalation(row, by, at=at)
    if holder(row) != of.pk:
        raise Refused(_("Somebody has moved %(ref)s since. Nothing was changed.") % {"ref": root.reference})
    check_can_have(row, root, to, at=at)
    fresh = None
    if row.accepted_at is None:
        _put_before(row, to, root, at)
    else:
        why = _("Handed on to %(name)s.") % {"name": to.name}
        fresh = escalation.pass_on(row, root, by=by, at=at, why=why, to=to)
        _owed_by(root, to, instead_of=of, at=at)
    now_open = fresh or row
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.ESCALATION, key=f"escalation:{now_open.pk}:on:{at.timestamp()}", to=[to],
            subject_ref=root.reference, path=root.path,
        ),
        at=at,
    )  # fmt: skip
    facts = {"escalation": row.pk, "from": of.pk, "to": to.pk, "again": fresh.pk if fresh else None}
    trail.record(Act.ESCALATION_HANDED_ON, root.trail_subject, by=by, at=at, facts=facts)
    return now_open


@transaction.atomic
def undo(row: Escalation, *, done_at: dt.datetime, by: User, at: dt.datetime) -> Escalation:
    """Put back before whoever had it what `by` put before another one at `done_at`. Returns the one that is open now.

    Refused where anybody has moved, accepted or decided it since. Nothing is removed.
    """
    root = lock(Ticket(pk=row.ticket_id))
    handed = TrailEntry.objects.filter(subject=root.trail_subject, act=Act.ESCALATION_HANDED_ON)
    last = next((one for one in handed.order_by("-version") if json.loads(one.facts)["escalation"] == row.pk), None)
    facts = json.loads(last.facts) if last is not None else {}
    if last is None or last.at != done_at or last.actor != trail.name_of(by) or "undoes" in facts:
        raise Refused(_since(root))
    stands = Escalation.objects.filter(pk=facts["again"] or row.pk, closed_at__isnull=True, ticket=root).first()
    if stands is None or stands.accepted_at is not None or stands.to_user_id != facts["to"]:
        raise Refused(_since(root))
    escalation.check_can_decide(stands, by, at=at)
    before, after = User.objects.get(pk=facts["from"]), User.objects.get(pk=facts["to"])
    if not before.is_active or not escalation.may_decide(before, root, at=at):
        raise Refused(_("%(name)s does not decide here any more.") % {"name": before.name})
    again = None
    if stands.pk == row.pk:
        _put_before(stands, before, root, at)
    else:
        again = stands = _as_before(row, stands, root, by=by, at=at)
        _owed_by(root, before, instead_of=after, at=at)
    trail.record(
        Act.ESCALATION_HANDED_ON, root.trail_subject, by=by, at=at,
        facts={"escalation": row.pk, "from": after.pk, "to": before.pk, "undoes": last.pk,
               "again": again.pk if again else None},
    )  # fmt: skip
    return stands


def _since(root: Ticket) -> str:
    return _("Somebody has moved %(ref)s since. Nothing was undone.") % {"ref": root.reference}


def _put_before(row: Escalation, to: User, root: Ticket, at: dt.datetime) -> None:
    row.to_user = to
    row.save(update_fields=["to_user"])
    if row.take_up is not None:
        deadlines.hand_over([row.take_up], responsible=to, team=root.team, at=at)


def _owed_by(root: Ticket, who: User, *, instead_of: User, at: dt.datetime) -> None:
    theirs = [clock for clock in running(root) if clock.responsible_id == instead_of.pk]
    deadlines.hand_over(theirs, responsible=who, team=root.team, at=at)
    derive(root)


def _as_before(row: Escalation, stands: Escalation, root: Ticket, *, by: User, at: dt.datetime) -> Escalation:
    """What was accepted goes on as accepted then, by the same person; what stood before the other one is at its end.

    Both in rows of their own: what is on record as closed is never opened.
    """
    escalation.end_unasked(stands, by=by, at=at)
    return escalation.go_on(row, root)
