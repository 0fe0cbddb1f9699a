"""Whoever objects to surveys, by whatever channel, is asked no more (clauses 6.1, 7.1): done at once."""

from __future__ import annotations

import datetime as dt
import functools

from django.db import transaction

from csp import batches
from csp.models import DataRequest, DataRequestStep
from csp.privacy import requests
from feedback import surveys


def carry_out(at: dt.datetime, *, limit: int = 100) -> int:
    """Stop the surveys of everybody who objected to them and still would get some. Returns how many."""
    waiting = DataRequest.objects.filter(
        kind=DataRequest.Kind.OBJECTION, about_surveys=True, customer__isnull=False, done_at__isnull=True,
        state=DataRequest.State.OPEN,
    )  # fmt: skip
    numbers = list(waiting.order_by("pk").values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_carry_out, at=at), limit=limit)


@transaction.atomic(durable=True)
def _carry_out(number: int, *, at: dt.datetime) -> int:
    row = requests.lock(DataRequest(pk=number))
    if not row.is_open or row.done_at is not None or not row.about_surveys or row.customer is None:
        return 0
    surveys.stop(row.customer, at=at)
    requests.mark_done(row, DataRequestStep.Kind.STOPPED, by="surveys", at=at)
    return 1
