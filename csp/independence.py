"""Own work (CLAUSES 2): nobody waives, assesses, verifies or judges what they did, held or are measured on.

Nor does somebody who works under such a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.utils.translation import gettext as _

from csp import access
from csp.access import Refused
from csp.models import RoleGrant, User
from csp.roles import Role


def is_subordinate(user: User, of: Iterable[int], at: dt.datetime) -> bool:
    """Whether one of these people supervises a team in which this person works."""
    mine = access.scope_of(user, at).teams(Role.REPRESENTATIVE)
    return RoleGrant.objects.in_force(at).filter(user__in=list(of), role=Role.SUPERVISOR, team__in=mine).exists()


def check(user: User, involved: set[int], at: dt.datetime) -> None:
    """Raise Refused unless this person is independent of the people involved."""
    if user.pk in involved:
        raise Refused(_("This is your own work in part. Somebody who had no hand in it has to judge it."))
    if is_subordinate(user, involved, at):
        raise Refused(_("You report to somebody whose work this is. Somebody independent has to judge it."))
