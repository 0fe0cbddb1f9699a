"""How data protection stands under a contract, and who acts for it: the privacy owner, and administrators."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, offices, servicetime, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, PrivacyTerms, User
from csp.privacy.calendars import DaysOff
from csp.roles import Office, Role

FIELDS = (
    "part", "controller", "controller_mail", "at_end", "authority", "authority_url", "country", "subdivision",
    "days_off", "mask_patterns",
)  # fmt: skip


def of(contract: Contract) -> PrivacyTerms:
    """The contract's terms; the defaults where nobody has set any."""
    return PrivacyTerms.objects.filter(contract=contract).first() or PrivacyTerms(contract=contract)


def days_off(terms: PrivacyTerms) -> DaysOff:
    return DaysOff(terms.country, terms.subdivision, frozenset(terms.days_off))


def owned(user: User, *, at: dt.datetime | None = None) -> frozenset[int]:
    """The contracts whose privacy owner this person is, or stands in for."""
    return offices.contracts_of(user, Office.PRIVACY_OWNER, at=at)


def is_administrator(user: User, *, at: dt.datetime | None = None) -> bool:
    return Role.ADMINISTRATOR in access.scope_of(user, at=at).roles()


def may_act(user: User, contract_id: int, *, at: dt.datetime | None = None) -> bool:
    """Whether this person deals with requests and breaches under this contract."""
    return is_administrator(user, at=at) or contract_id in owned(user, at=at)


def check_may_act(user: User, contract_id: int, at: dt.datetime) -> None:
    """Raise Refused unless this person deals with data protection under this contract."""
    if not may_act(user, contract_id, at=at):
        raise Refused(_("This is for the privacy owner. Ask them, or an administrator."))


def acts_for(user: User) -> list[Contract]:
    """The contracts under which this person deals with data protection."""
    rows = Contract.objects.order_by("pk")
    return list(rows if is_administrator(user) else rows.filter(pk__in=owned(user)))


@transaction.atomic
def change(contract: Contract, values: Mapping[str, Any], *, by: User, at: dt.datetime) -> PrivacyTerms:
    """Set who is controller, where to complain, whose holidays count. What runs already keeps its due time."""
    check_may_act(by, contract.pk, at=at)
    Contract.objects.select_for_update().get(pk=contract.pk)
    row = of(contract)
    for name in FIELDS:
        if name in values:
            setattr(row, name, values[name])
    row.country, row.subdivision = row.country.upper(), row.subdivision.upper()
    if row.country and not servicetime.is_place(row.country, row.subdivision):
        raise Refused(_("The public holidays of this place are not known. Leave it empty, and name the days below."))
    if row.forwards and not row.controller_mail:
        raise Refused(_("Say where the controller is written to: requests and breaches go there at once."))
    row.changed_at, row.changed_by = at, by
    row.save()
    trail.record(
        Act.SETTING_CHANGED, f"privacy-terms:{contract.pk}", by=by, at=at,
        facts={name: getattr(row, name) for name in FIELDS if name not in ("days_off", "mask_patterns")}
        | {"days_off": len(row.days_off), "mask_patterns": len(row.mask_patterns)},
    )  # fmt: skip
    return row
