"""The monthly statements of the history (clause 6.2): owed at a month's end, signed within days, one corrected."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from audits import periods, statements
from audits.models import Statement
from csp import loops, trail
from csp.demo.company import Company

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
HISTORY = 89 * DAY  # months that end within it are stated
SIGNED = 3 * DAY + 9 * HOUR  # so long after a month's end
COMMENTS = (
    "The late answers of this month lay over a shift's end; see the cases.",
    "Calmer than the month before.",
    "More deliveries than ever. The answers kept up.",
)


def state(firm: Company, anchor: dt.datetime) -> None:
    """Make all of them up to the anchor, in one transaction; found again later."""
    if Statement.objects.exists():
        return
    whole = transaction.atomic()
    whole._from_testcase = True  # type: ignore[attr-defined]  # as csp.demo.past.tell says
    with whole, trail.source("demonstration"):
        _state(firm, anchor)


def _state(firm: Company, anchor: dt.datetime) -> None:
    helena = firm.supervisors["orders"]
    zone = firm.contract.zoneinfo
    period = periods.this_month(anchor - HISTORY, zone)
    while period.until + HOUR < anchor:
        loops.run_dry(statements.make_due, period.until + HOUR)
        period = periods.after(period, zone)
    rows = Statement.objects.select_related("contract", "deadline").order_by("month")
    for number, row in enumerate(rows):
        at = row.deadline.starts_at + SIGNED + number * HOUR
        if at < anchor:
            statements.sign(row, by=helena, at=at, comment=COMMENTS[number % len(COMMENTS)])
    _correct(firm, rows[0], anchor)


def _correct(firm: Company, row: Statement, anchor: dt.datetime) -> None:
    """The first one once more, with how its breaches were read meanwhile."""
    at = row.deadline.starts_at + 20 * DAY
    if at < anchor:
        statements.sign(
            row, by=firm.supervisors["repairs"], at=at, last=1,
            reason="Broken promises of the month were assessed after it was signed.",
        )  # fmt: skip
