"""The register of processing (GDPR article 30): what the company does with personal data, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from csp import trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Processing, User
from csp.privacy import terms

FIELDS = ("name", "purpose", "basis", "people", "data", "recipients", "transfers", "kept_for", "safeguards")


@transaction.atomic
def save(
    contract: Contract, values: Mapping[str, Any], *, by: User, at: dt.datetime, row: Processing | None = None
) -> Processing:
    """Enter an activity, or change one; what it said before is kept. Raises Refused."""
    terms.check_may_act(by, contract.pk, at=at)
    if row is None:
        row = Processing(contract=contract)
    else:
        row = Processing.objects.select_for_update().get(pk=row.pk, contract=contract)
        if row.ended_at is not None:
            raise Refused(_("This activity has ended. Enter a new one."))
    for name in FIELDS:
        setattr(row, name, str(values[name]).strip())
    row.changed_at, row.changed_by = at, by
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Refused(_("There is an activity with this name already.")) from None
    trail.record(
        Act.PROCESSING_CHANGED, f"processing:{row.pk}", by=by, at=at, facts={"contract": contract.pk, "name": row.name}
    )
    return row


@transaction.atomic
def end(row: Processing, *, by: User, at: dt.datetime) -> Processing:
    """It is not done any more; it stays on record. Raises Refused."""
    terms.check_may_act(by, row.contract_id, at=at)
    row = Processing.objects.select_for_update().get(pk=row.pk)
    if row.ended_at is not None:
        raise Refused(_("This activity has ended already."))
    row.ended_at, row.changed_at, row.changed_by = at, at, by
    row.save()
    trail.record(Act.PROCESSING_CHANGED, f"processing:{row.pk}", by=by, at=at, facts={"ended": at})
    return row
