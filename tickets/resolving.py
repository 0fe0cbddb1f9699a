"""How a matter ends: cause and resolution on record, the customer's answer to it, and that it did not hold after all.

None of this meets a duty to the customer; the state changes in tickets.lifecycle, which asks tickets.closing first.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from csp import trail
from csp.access import Refused
from csp.events import Act
from csp.models import Customer, User
from tickets import authority
from tickets.conversation import Purpose, family, lock
from tickets.models import Approval, Interaction, Resolution, SpokenTo, Ticket
from tickets.reach import check_can_work

State, Acceptance = Ticket.State, Resolution.Acceptance


def current(ticket: Ticket) -> Resolution | None:
    """The resolution in force, resolved or only written down so far."""
    rows = Resolution.objects.filter(ticket=ticket, undone_at__isnull=True)
    return rows.select_related("recorded_by", "resolved_by", "answer_by").first()


def history(ticket: Ticket) -> list[Resolution]:
    """Every resolution that the ticket has had, oldest first."""
    rows = Resolution.objects.filter(ticket=ticket).select_related("recorded_by", "resolved_by", "answer_by")
    approvals = Approval.objects.select_related("asked_by", "decided_by").order_by("pk")
    return list(rows.prefetch_related(Prefetch("approvals", approvals)).order_by("pk"))


def _lock_current(root: Ticket, by: trail.Actor, at: dt.datetime) -> Resolution:
    row = Resolution.objects.select_for_update(of=("self",), no_key=True).filter(
        ticket=root, undone_at__isnull=True
    ).first()  # fmt: skip
    return row or Resolution(ticket=root, recorded_at=at, recorded_by=by if isinstance(by, User) else None)


@transaction.atomic
def write_down(
    ticket: Ticket,
    *,
    by: User,
    at: dt.datetime,
    cause: str = "",
    cause_note: str = "",
    kind: str = "",
    text: str = "",
    amount: Decimal | None = None,
) -> Resolution:
    """Put on record what caused the matter and how it is resolved; all of it may be said again until it is closed."""
    root = lock(ticket)
    check_can_work(root, by, at=at)
    if root.state == State.CLOSED:
        raise Refused(_("This ticket is closed, and its resolution stays as it was. Open it again to change it."))
    if amount is not None and amount < 0:
        raise Refused(_("An amount is not negative."))
    row = _lock_current(root, by, at)
    row.cause, row.cause_note, row.kind, row.text = cause, cause_note.strip(), kind, text.strip()
    if row.amount != amount or row.amount_by_id is None:
        row.amount, row.amount_by = amount, by if amount is not None else None
    row.recorded_at, row.recorded_by = at, by
    row.save()
    trail.record(
        Act.RESOLUTION_WRITTEN,
        root.trail_subject,
        by=by,
        at=at,
        facts={"resolution": row.pk, "cause": cause, "kind": kind, "amount": amount},
        personal={"cause": row.cause_note, "resolution": row.text},
    )
    authority.weigh(root, row, by=by, at=at)
    return row


def resolved(root: Ticket, *, by: trail.Actor, at: dt.datetime, text: str = "", anew: bool = True) -> Resolution | None:
    """The ticket becomes resolved: the resolution on record is in force from now on. The caller holds the lock.

    Without `anew` it was resolved already, and is closed now.
    """
    row = _lock_current(root, by, at)
    if row._state.adding and not text.strip():
        return None  # an inquiry needs none
    row.text = text.strip() or row.text
    if anew or row.resolved_at is None:
        row.resolved_at, row.resolved_by = at, by if isinstance(by, User) else None
    row.save()
    return row


def taken_back(root: Ticket, *, at: dt.datetime, message: Interaction | None = None) -> Resolution | None:
    """A resolved ticket is open again: what had resolved it did not hold. The caller holds the lock and records it."""
    row = Resolution.objects.select_for_update(of=("self",), no_key=True).filter(
        ticket=root, undone_at__isnull=True, resolved_at__isnull=False
    ).first()  # fmt: skip
    if row is not None:
        row.undone_at, row.undone_by = at, message
        row.save(update_fields=["undone_at", "undone_by"])
    return row


def holds_after_all(root: Ticket, *, by: User, at: dt.datetime) -> bool:
    """The message that had opened a resolved ticket again asked for nothing: its resolution is in force as before.

    Not where something was answered since. The caller holds the lock.
    """
    row = Resolution.objects.select_for_update(of=("self",), no_key=True).filter(ticket=root).order_by("pk").last()
    if row is None or row.undone_by_id is None or row.undone_at is None:
        return False
    answers = SpokenTo.objects.filter(
        ticket__in=family(root), interaction__purpose=Purpose.ANSWER, interaction__pk__gt=row.undone_by_id
    )
    if answers.exists():
        return False
    row.undone_at, row.undone_by = None, None
    row.save(update_fields=["undone_at", "undone_by"])
    trail.record(Act.RESOLUTION_HELD, root.trail_subject, by=by, at=at, facts={"resolution": row.pk})
    return True


@transaction.atomic
def record_acceptance(
    ticket: Ticket, answer: Resolution.Acceptance, by: User | Customer | str, at: dt.datetime
) -> Resolution:
    """Put on record whether the customer took the resolution: said by themselves, or to somebody of the team.

    A customer's own no is a message of theirs, too, and opens the ticket again: handling.not_settled. Raises Refused.
    """
    root = lock(ticket)
    if isinstance(by, User):
        check_can_work(root, by, at=at)
    row = _lock_current(root, by, at)
    if row._state.adding or row.resolved_at is None:
        raise Refused(_("There is no resolution yet that the customer could accept. Resolve the ticket first."))
    if root.state == State.CLOSED and row.acceptance:
        raise Refused(_("This ticket is closed. A new message of the customer opens a linked one."))
    row.acceptance, row.answered_at, row.answer_by = answer, at, by if isinstance(by, User) else None
    row.save()
    facts = {"resolution": row.pk, "answer": answer}
    trail.record(Act.RESOLUTION_ANSWERED, root.trail_subject, by=by, at=at, facts=facts)
    return row
