"""Calls that customers were promised: each a task with a time, a reminder before it and a word to supervisors after it.

A promised call ends when somebody of ours has called and was answered, or when it is taken back with a word why.
"""

from __future__ import annotations

import datetime as dt
import functools

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from csp import batches, notices, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Notice, User
from tickets.conversation import family, lock
from tickets.models import CallBack, Interaction, Ticket
from tickets.reach import can_work, check_can_work

REMIND_BEFORE = dt.timedelta(minutes=15)
Outcome = CallBack.Outcome


def open_on(ticket: Ticket, numbers: list[int] | None = None) -> QuerySet[CallBack]:
    rows = CallBack.objects.filter(ticket__in=numbers or family(ticket), ended_at__isnull=True)
    return rows.select_related("responsible").order_by("due_at", "pk")


@transaction.atomic
def promise(
    ticket: Ticket, *, due_at: dt.datetime, responsible: User, by: User, at: dt.datetime, note: str = ""
) -> CallBack:
    """Write down that the customer was promised a call. Raises Refused."""
    root = lock(ticket)
    check_can_work(root, by, at=at)
    if due_at <= at:
        raise Refused(_("This time has passed. When shall the customer be called?"))
    if not can_work(root, responsible, at=at):
        raise Refused(_("%(name)s does not work in this team.") % {"name": responsible.name})
    row = CallBack.objects.create(
        ticket=root, responsible=responsible, due_at=due_at, note=note.strip()[:300], promised_at=at, promised_by=by
    )
    trail.record(
        Act.CALL_BACK_PROMISED, root.trail_subject, by=by, at=at,
        facts={"call_back": row.pk, "due": due_at, "responsible": responsible.pk}, personal={"note": note},
    )  # fmt: skip
    return row


@transaction.atomic
def withdraw(row: CallBack, *, by: User, at: dt.datetime, note: str) -> CallBack:
    """The call is not needed any more. Raises Refused."""
    root = lock(Ticket(pk=row.ticket_id))
    check_can_work(root, by, at=at)
    row = CallBack.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
    if row.ended_at is not None:
        raise Refused(_("This call-back has ended already."))
    if not note.strip():
        raise Refused(_("Say why; the reason stands in the evidence."))
    _end([row], root, outcome=Outcome.WITHDRAWN, by=by, at=at, note=note)
    return row


def called(root: Ticket, call: Interaction, *, began_at: dt.datetime, by: User, at: dt.datetime) -> None:
    """Somebody of ours called and was answered: what was promised before that is done. The caller holds the lock."""
    rows = open_on(root).filter(promised_at__lte=began_at).select_for_update(of=("self",), no_key=True)
    _end(list(rows), root, outcome=Outcome.DONE, by=by, at=at, call=call)


def _end(
    rows: list[CallBack], root: Ticket, *, outcome: CallBack.Outcome, by: User, at: dt.datetime,
    call: Interaction | None = None, note: str = "",
) -> None:  # fmt: skip
    for row in rows:
        row.outcome, row.ended_at, row.ended_by, row.call = outcome, at, by, call
        row.save()
        trail.record(
            Act.CALL_BACK_ENDED, root.trail_subject, by=by, at=at,
            facts={"call_back": row.pk, "outcome": outcome, "interaction": call.pk if call else None},
            personal={"note": note},
        )  # fmt: skip


def remind(at: dt.datetime, *, limit: int = 200) -> int:
    """Tell whoever promised it that a call is due, and supervisors that one was missed. Returns how many."""
    waiting = CallBack.objects.filter(ended_at__isnull=True).filter(
        Q(reminded_at__isnull=True, due_at__lte=at + REMIND_BEFORE) | Q(missed_at__isnull=True, due_at__lt=at)
    )
    return batches.work_off(waiting.order_by("due_at"), functools.partial(_remind, at=at), limit=limit)


@transaction.atomic(durable=True)
def _remind(waiting: QuerySet[CallBack], limit: int, *, at: dt.datetime) -> int:
    rows = list(
        waiting.select_related("ticket", "responsible").select_for_update(skip_locked=True, of=("self",), no_key=True)[
            :limit
        ]
    )
    rungs = notices.Rungs(at)
    for row in rows:
        supervisors = rungs.supervisors(row.ticket.team_id)
        if row.reminded_at is None:
            row.reminded_at = at
            _tell(row, "soon", [row.responsible] if rungs.at_work(row.responsible) else supervisors, at)
        if row.due_at < at:
            row.missed_at = at
            _tell(row, "missed", [*{row.responsible, *supervisors}], at)
        row.save(update_fields=["reminded_at", "missed_at"])
    return len(rows)


def _tell(row: CallBack, says: str, to: list[User], at: dt.datetime) -> None:
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.PENDING,
            key=f"call_back:{row.pk}:{says}",
            to=to,
            subject_ref=row.ticket.reference,
            path=row.ticket.path,
            facts={"says": f"call_back.{says}"},
        ),
        at=at,
    )
