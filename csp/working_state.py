"""What the platform itself lets go of by routine: network addresses, ended sessions and tokens, sign-in attempts,
read notices, remembered answers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.db.models import Q, QuerySet

from csp import disposing
from csp.disposing import Routine
from csp.models import ApiAnswer, ApiToken, Notice, Session, TrailEntry
from csp.records import Kept

# What tells that somebody was told of a failure is shown with its case, and goes with it.
KEPT_NOTICES = (Notice.Kind.CASE, Notice.Kind.MEASURE)

# How long the same Idempotency-Key gets the same answer.
API_ANSWERS_KEPT = dt.timedelta(hours=24)


def _before(kept: Kept, at: dt.datetime) -> dt.datetime:
    after = kept.value[2]
    return at - dt.timedelta(days=after.days if after else 0)


def _forget_addresses(rows: QuerySet[Any], limit: int, at: dt.datetime) -> dict[str, int]:
    """Where acts came from; the entry's digest of it stays and tells nothing (csp.trail)."""
    numbers = list(rows.order_by("at").values_list("pk", flat=True)[:limit])
    blanked = TrailEntry.objects.filter(pk__in=numbers).update(address="", address_salt=b"")
    return {"network addresses": blanked}


def _deleted(rows: QuerySet[Any], limit: int, at: dt.datetime) -> dict[str, int]:
    return disposing.delete_some(rows, limit)


ROUTINES = (
    Routine("network addresses", Kept.ADDRESSES,
            lambda at: TrailEntry.objects.filter(at__lt=_before(Kept.ADDRESSES, at)).exclude(address=""),
            _forget_addresses),
    Routine("sessions", Kept.MACHINERY,
            lambda at: Session.objects.filter(expire_date__lt=at, seen_at__lt=_before(Kept.MACHINERY, at)), _deleted),
    Routine("read notices", Kept.MACHINERY,
            lambda at: Notice.objects.filter(read_at__lt=_before(Kept.MACHINERY, at)).exclude(kind__in=KEPT_NOTICES),
            _deleted),
    Routine("API tokens", Kept.MACHINERY,
            lambda at: ApiToken.objects.filter(
                Q(revoked_at__lt=_before(Kept.MACHINERY, at)) | Q(expires_at__lt=_before(Kept.MACHINERY, at))
            ), _deleted),
    Routine("API answers", Kept.MACHINERY,
            lambda at: ApiAnswer.objects.filter(answered_at__lt=at - API_ANSWERS_KEPT), _deleted),
    *(Routine(model._meta.label_lower, Kept.ADDRESSES,
              lambda at, model=model: model.objects.filter(attempt_time__lt=_before(Kept.ADDRESSES, at)),  # type: ignore[misc]
              _deleted) for model in (AccessAttempt, AccessFailureLog, AccessLog)),
)  # fmt: skip
