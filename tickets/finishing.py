"""When a ticket counted as finished, and when it was opened again: what resolution and reopen rates are counted from.

A ticket knows only how it stands. Each verb that finishes one or opens one again, whatever the way, says so here with
its instant, under the ticket's lock, so that a month that is over can be counted again later to the same digits
(clause 6.2).
"""

from __future__ import annotations

import datetime as dt

from django.db.models import F, Value
from django.db.models.functions import Greatest

from csp import trail
from csp.models import User
from tickets.models import Finish, Ticket


def finished(root: Ticket, *, by: trail.Actor, at: dt.datetime) -> None:
    """It is resolved or closed from now on; nothing changes where it was. The caller holds the lock."""
    if not Finish.objects.filter(ticket=root, undone_at__isnull=True).exists():
        Finish.objects.create(ticket=root, at=at, by=by if isinstance(by, User) else None)


def opened_again(root: Ticket, *, at: dt.datetime) -> None:
    """It is not finished any more; nothing changes where it was not. The caller holds the lock."""
    Finish.objects.filter(ticket=root, undone_at__isnull=True).update(undone_at=Greatest(F("at"), Value(at)))


def holds_after_all(root: Ticket) -> None:
    """What had opened it again asked for nothing: it is finished as before. The caller holds the lock."""
    last = Finish.objects.filter(ticket=root).order_by("-at", "-pk").first()
    if last is not None:
        Finish.objects.filter(pk=last.pk).update(undone_at=None)
