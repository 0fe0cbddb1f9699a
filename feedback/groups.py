"""What representatives see of feedback (clause 4.2): figures of complete groups of five, by team, and nothing else.

Remarks are counted in the order in which they were recorded, five at a time; the newest stay out of sight until there
are five of them. So no figure speaks of fewer than five people, and looking again after one more answer tells nothing
about that answer. There is no filter by ticket, person or day, and no words are shown.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection

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


_IN_PERIOD = """
select team, array[count(*) filter (where score = 1), count(*) filter (where score = 2),
  count(*) filter (where score = 3), count(*) filter (where score = 4), count(*) filter (where score = 5)]
from (
  select team, score, max(at) over (partition by team, number) as ended, number, whole
  from (
    select r.team_id as team, r.score, r.recorded_at as at,
      (row_number() over (partition by r.team_id order by r.id) - 1) / %(five)s as number,
      count(*) over (partition by r.team_id) / %(five)s as whole
    from feedback_remark r
    where r.team_id = any(%(teams)s) and r.source = 'survey' and r.score is not null and r.recorded_at <= %(as_of)s
  ) each
) grouped
where number < whole - 1 and ended >= %(since)s and ended < %(until)s
group by team"""


def in_period(
    teams: Sequence[int], since: dt.datetime, until: dt.datetime, *, as_of: dt.datetime
) -> dict[int, tuple[int, int, int, int, int]]:
    """How many gave each score, for each of these teams, in the groups that `of_team` would have shown at `as_of`.

    A group is of the period in which its last answer was recorded. A team without one is left out.
    """
    values: dict[str, Any] = {"teams": list(teams), "since": since, "until": until, "as_of": as_of, "five": FIVE}
    with connection.cursor() as cursor:
        cursor.execute(_IN_PERIOD, values)
        return {team: (a, b, c, d, e) for team, (a, b, c, d, e) in cursor.fetchall()}
