"""Figures before and after an action item (clause 7.2): the same one, over as many days, told with what it is of.

A figure of fewer than five is not shown: it would say more of single people than of the service. The days before end
with the agreement, the days after begin when it was done, so that neither holds the change itself.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from django.db.models import Avg, Count, Q

from csp.models import Deadline
from feedback import themes
from feedback.models import ActionItem, Finding, Remark
from tickets.models import Ticket

FIVE = 5
LOW = 2
Measure = ActionItem.Measure


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """One figure over some days. `n` is what it is of: tickets, answers or scores; `hits` how many of them count."""

    since: dt.datetime
    until: dt.datetime
    value: float | None
    n: int
    hits: int

    def to_json(self) -> dict[str, Any]:
        return {
            "since": self.since.astimezone(dt.UTC).isoformat(), "until": self.until.astimezone(dt.UTC).isoformat(),
            "value": self.value, "n": self.n, "hits": self.hits,
        }  # fmt: skip

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> Figure:
        since, until = (dt.datetime.fromisoformat(kept[name]) for name in ("since", "until"))
        return cls(since, until, kept["value"], kept["n"], kept["hits"])


def figure(finding: Finding, measure: str, since: dt.datetime, until: dt.datetime) -> Figure:
    """The figure of the finding's team from `since` until before `until`."""
    within = {"gte": since, "lt": until}

    def during(field: str) -> Q:
        return Q(**{f"{field}__{how}": moment for how, moment in within.items()})

    match measure:
        case Measure.RATE:
            n = Ticket.objects.filter(
                during("received_at"), team=finding.team_id, origin=Ticket.Origin.CUSTOMER, merged_into__isnull=True
            ).count()
            said = themes.remarks_of(finding.theme) if finding.theme is not None else Remark.objects.none()
            hits = said.filter(during("received_at"), team=finding.team_id).count()
            value = 100 * hits / n if n >= FIVE else None
        case Measure.LATE:
            fell = Deadline.objects.filter(during("due_at"), team=finding.team_id, obligation="respond")
            owed = fell.filter(
                Q(state=Deadline.State.MET, reopened_as__isnull=True) | Q(breach__isnull=False)
            )  # fmt: skip
            n, hits = owed.count(), owed.filter(breach__isnull=False).count()
            value = 100 * hits / n if n >= FIVE else None
        case _:
            scored = Remark.objects.filter(
                during("received_at"), team=finding.team_id, source=Remark.Source.SURVEY, score__isnull=False
            ).aggregate(n=Count("pk"), mean=Avg("score"), low=Count("pk", filter=Q(score__lte=LOW)))
            n = scored["n"]
            if measure == Measure.SCORE:
                hits, value = n, float(scored["mean"]) if n >= FIVE else None
            else:
                hits, value = scored["low"], 100 * scored["low"] / n if n >= FIVE else None
    return Figure(since, until, None if value is None else round(value, 4), n, hits)


def before(finding: Finding, measure: str, days: int, agreed_at: dt.datetime) -> Figure:
    return figure(finding, measure, agreed_at - dt.timedelta(days=days), agreed_at)


def after(item: ActionItem, done_at: dt.datetime, at: dt.datetime) -> Figure:
    """The figure after it was done, until `at` at the latest: of fewer days than before while these are not over."""
    until = done_at + dt.timedelta(days=item.window_days)
    return figure(item.finding, item.measure, done_at, max(done_at, min(until, at)))


def is_better(measure: str, change: float) -> bool:
    """Whether a change of this size in this figure is for the better."""
    return change > 0 if measure == Measure.SCORE else change < 0
