"""What representatives see of feedback (clause 4.2): figures of complete groups of five, by team, and nothing else.

Remarks are counted in the order in which they were recorded, five at a time; the newest stay out of sight until there
are five of them. So no figure speaks of fewer than five people, and looking again after one more answer tells nothing
about that answer. There is no filter by ticket, person or day, and no words are shown.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from csp.models import Team
from feedback.models import Remark

FIVE = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Scores of at least five people: from which month to which, how many gave which score, their mean."""

    first: dt.date
    last: dt.date
    counts: tuple[int, int, int, int, int]

    @property
    def size(self) -> int:
        return sum(self.counts)

    @property
    def mean(self) -> float:
        return sum(score * count for score, count in enumerate(self.counts, 1)) / self.size


def complete(scores: Sequence[tuple[dt.date, int]], *, size: int = FIVE) -> list[Group]:
    """Cut (day, score), oldest first, into groups of `size`; an incomplete one at the end is left out. Pure."""
    found = []
    for start in range(0, len(scores) - size + 1, size):
        part = scores[start : start + size]
        counts = [sum(score == each for _day, score in part) for each in range(1, 6)]
        found.append(
            Group(
                part[0][0].replace(day=1),
                part[-1][0].replace(day=1),
                (counts[0], counts[1], counts[2], counts[3], counts[4]),
            )
        )
    return found


def of_team(team: Team, *, most: int = 12) -> list[Group]:
    """The newest complete groups of a team's scored remarks, newest first; counted from its very first remark."""
    rows = Remark.objects.filter(team=team, source=Remark.Source.SURVEY, score__isnull=False).order_by("pk")
    whole = max(rows.count() // FIVE - 1, 0)
    part = rows[max(whole - most, 0) * FIVE : whole * FIVE]
    return complete([(moment.date(), score) for moment, score in part.values_list("recorded_at", "score")])[::-1]
