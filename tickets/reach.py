"""Who may work on a ticket: somebody of its team, whom it is not about; nobody on what is locked."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from csp import access
from csp.models import User
from csp.privacy import locking
from csp.roles import Permission
from tickets.models import Ticket


def check_can_work(ticket: Ticket, user: User, at: dt.datetime) -> None:
    """Raise Refused unless this person may act on the ticket."""
    if ticket.about_id == user.pk:
        raise access.Refused(_("You cannot work on this ticket."))
    if ticket.is_practice and ticket.opened_by_id != user.pk:
        raise access.Refused(_("This is somebody else's exercise."))
    locking.check_is_open("ticket", ticket.pk)
    access.check(user, Permission.WORK_TICKETS, team_id=ticket.team_id, at=at)


def check_is_real(*tickets: Ticket) -> None:
    """Raise Refused for an exercise: it stays with whoever practises, and apart from customers' tickets."""
    if any(ticket.is_practice for ticket in tickets):
        raise access.Refused(_("An exercise stays yours, and apart from customers' tickets."))


def can_work(ticket: Ticket, user: User, at: dt.datetime) -> bool:
    try:
        check_can_work(ticket, user, at=at)
    except access.Refused:
        return False
    return True
