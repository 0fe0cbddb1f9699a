"""Who may work on a ticket: somebody of its team, whom it is not about."""

from __future__ import annotations

from django.utils.translation import gettext as _

from csp import access
from csp.models import User
from csp.roles import Permission
from tickets.models import Ticket


def check_can_work(ticket: Ticket, user: User) -> None:
    """Raise Refused unless this person may act on the ticket."""
    if ticket.about_id == user.pk:
        raise access.Refused(_("You cannot work on this ticket."))
    access.check(user, Permission.WORK_TICKETS, team_id=ticket.team_id)


def can_work(ticket: Ticket, user: User) -> bool:
    return ticket.about_id != user.pk and access.may(user, Permission.WORK_TICKETS, team_id=ticket.team_id)
