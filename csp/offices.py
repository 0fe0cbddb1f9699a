"""Who holds the offices of a contract: its representatives, its compliance owner and the rest (CLAUSES 2).

The deputy stands in while the holder's account is not active. An office that nobody holds falls to the administrators,
who are told, but who see nothing that is kept in confidence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q

from csp import access
from csp.models import Appointment, User
from csp.roles import Office, Role

REPRESENTATIVES = (Office.COMPANY_REPRESENTATIVE, Office.PARTY_REPRESENTATIVE)


def holders(contract_id: int, offices: Iterable[str], *, at: dt.datetime) -> dict[str, User | None]:
    """Who acts for each of these offices at that moment; None where nobody does."""
    found: dict[str, User | None] = dict.fromkeys(offices)
    rows = (
        Appointment.objects.in_force(at)
        .filter(contract=contract_id, office__in=list(found))
        .select_related("user", "deputy")
        .order_by("starts_at")
    )
    for row in rows:
        found[row.office] = next((one for one in (row.user, row.deputy) if one is not None and one.is_active), None)
    return found


def to_tell(contract_id: int, offices: Iterable[str], *, at: dt.datetime) -> list[User]:
    """Whom to tell what these offices must know: their holders, and the administrators for any that is empty.

    "administrators" among them names those themselves: it is no office, and so nobody holds it.
    """
    found = holders(contract_id, offices, at=at)
    people = [user for user in found.values() if user is not None]
    if len(people) < len(found):
        people += access.people_with(Role.ADMINISTRATOR, at=at)
    return list({user.pk: user for user in people}.values())


def held_by(user: User, at: dt.datetime | None = None) -> frozenset[tuple[int, str]]:
    """The offices that this person acts for, as (contract, office); at the moment of the door, where none is named."""
    if not user.is_active:
        return frozenset()
    rows = Appointment.objects.in_force(access.moment(user, at)).filter(
        Q(user=user) | Q(deputy=user, user__is_active=False)
    )
    return frozenset(rows.values_list("contract", "office"))


def contracts_of(user: User, *offices: str, at: dt.datetime | None = None) -> frozenset[int]:
    """The contracts in which this person acts for one of these offices."""
    return frozenset(contract for contract, office in held_by(user, at) if office in offices)
