"""The controller's decision between erasure and the five years: lock a class of records and keep it, or erase it.

Nothing decided means that an erasure erases. A decision names its basis, how long a record stays locked, who decided
and until when it holds; after that it is decided anew, or the default holds again.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from csp import offices, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Keeping, User
from csp.roles import Office

LONGEST = dt.timedelta(days=5 * 366)


def may_decide(contract: Contract, user: User, at: dt.datetime) -> bool:
    return contract.pk in offices.contracts_of(user, Office.PRIVACY_OWNER, at=at)


def check_can_decide(contract_id: int, by: User, at: dt.datetime) -> None:
    if contract_id not in offices.contracts_of(by, Office.PRIVACY_OWNER, at=at):
        raise Refused(_("The privacy owner writes down what the controller decided."))


@transaction.atomic
def decide(
    contract: Contract, *, what: str, basis: str, reason: str, months: int, expires_at: dt.datetime, by: User,
    at: dt.datetime,
) -> Keeping:  # fmt: skip
    """Lock this class of records instead of erasing it, from now on. Raises Refused."""
    Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    check_can_decide(contract.pk, by, at)
    if what not in Keeping.What.values or basis not in Keeping.Basis.values:
        raise Refused(_("Choose the class of records and the basis."))
    if not reason.strip():
        raise Refused(_("Say which duty or claim it is; the customer is told."))
    if not 1 <= months <= 120:
        raise Refused(_("A record stays locked for one month at least and ten years at most."))
    if not at < expires_at <= at + LONGEST:
        raise Refused(_("Say by when it is decided anew, within five years."))
    standing = Keeping.objects.filter(contract=contract, what=what, ended_at__isnull=True).first()
    if standing is not None and standing.expires_at > at:
        raise Refused(_("This class is locked and kept already. End that decision first."))
    if standing is not None:  # it ran out by itself
        _end(standing, by=by, at=standing.expires_at)
    row = Keeping.objects.create(
        contract=contract, what=what, basis=basis, reason=reason.strip(), months=months, decided_by=by, decided_at=at,
        expires_at=expires_at,
    )  # fmt: skip
    trail.record(
        Act.SETTING_CHANGED, row.trail_subject, by=by, at=at,
        facts={"what": what, "basis": basis, "months": months, "until": expires_at, "contract": contract.pk},
        personal={"reason": row.reason},
    )  # fmt: skip
    return row


@transaction.atomic
def end(row: Keeping, *, by: User, at: dt.datetime) -> Keeping:
    """From now on an erasure erases this class, too. What is locked stays so until its own end. Raises Refused."""
    standing = Keeping.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
    check_can_decide(standing.contract_id, by, at)
    if standing.ended_at is not None or standing.expires_at <= at:
        raise Refused(_("This decision has ended already."))
    _end(standing, by=by, at=at)
    trail.record(
        Act.SETTING_CHANGED, standing.trail_subject, by=by, at=at,
        facts={"what": standing.what, "ended": at, "contract": standing.contract_id},
    )  # fmt: skip
    return standing


def _end(row: Keeping, *, by: User, at: dt.datetime) -> None:
    row.ended_by, row.ended_at = by, at
    row.save(update_fields=["ended_by", "ended_at"])
