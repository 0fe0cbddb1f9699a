"""Who may work on a ticket: somebody of its team."""

from __future__ import annotations

from csp import access
from csp.models import User
from csp.roles import Permission
from tickets.models import Ticket


def check_can_work(ticket: Ticket, user: User) -> None:
    """Raise Refused unless this person may act on the ticket."""
    access.check(user, Permission.WORK_TICKETS, team_id=ticket.team_id)


def can_work(ticket: Ticket, user: User) -> bool:
    return access.may(user, Permission.WORK_TICKETS, team_id=ticket.team_id)
