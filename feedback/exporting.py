"""The log as a file for the feedback team (clauses 4.2, 7.1), and the figures of whole groups for everybody else.

No identity is in it, and no words that are not masked. Who took it, narrowed to what, how many rows and with which
digest is on record (csp.exporting).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from csp.exporting import AT_ONCE, Rows
from csp.models import Team
from feedback import groups
from feedback.models import Remark

MOST_GROUPS = 10_000


def heads() -> list[str]:
    return [
        _("Feedback"), _("Received"), _("Source"), _("Confidentiality"), _("Team"), _("Score"),
        _("Answered soon enough"), _("Words"), _("Expects an answer"), _("What was done"), _("Themes"),
    ]  # fmt: skip


def rows(remarks: QuerySet[Remark], zone: dt.tzinfo) -> Rows:
    """A row for each of these, in their order, read by a cursor of the server."""
    named = StringAgg("in_themes__theme__name", ", ", filter=Q(in_themes__removed_at__isnull=True), distinct=True)
    found = remarks.annotate(named=named).select_related("team", "outcome")
    for remark in found.iterator(chunk_size=AT_ONCE):
        outcome = getattr(remark, "outcome", None)
        cells = [
            remark.reference,
            # The day alone: with the moment a survey's answer could be told from when its link was used.
            remark.received_at.astimezone(zone).date().isoformat(),
            remark.get_source_display(),
            remark.get_level_display(),
            remark.team.name,
            remark.score,
            remark.get_soon_display(),
            remark.words,
            _("yes") if remark.wants_answer else _("no"),
            outcome.get_kind_display() if outcome is not None else "",
            remark.named or "",
        ]
        yield remark.trail_subject, cells


def group_heads() -> list[str]:
    return [_("Team"), _("From"), _("Until"), _("Answers"), _("Mean score"), "1", "2", "3", "4", "5"]


def group_rows(teams: Iterable[Team]) -> Rows:
    """The complete groups of five of these teams: what a page shows to a representative, and no more."""
    for team in teams:
        for group in groups.of_team(team, most=MOST_GROUPS):
            first, last = f"{group.first:%Y-%m}", f"{group.last:%Y-%m}"
            yield "", [team.name, first, last, group.size, round(group.mean, 1), *group.counts]
