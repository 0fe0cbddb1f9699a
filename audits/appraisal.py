"""The evidence of a review (clause 7.3): figures about one person's work, each with what it means, its n and context.

It compiles itself from the rows that clocks, training and corrections left, and decides nothing: there is no total and
no order of people. It keeps to clause 4.2: of what customers answered only whole groups of five are shown, with a
remainder of five left out; no single answer and no score of one customer is in it. Of colleagues only the team's sum is
shown, and the range of their shares where there are five of them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import Count, Q
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from audits import figures
from audits.models import CorrectiveAction, Scoring
from csp import clockface
from csp.contract import OBLIGATIONS
from csp.models import Absence, Assessment, Breach, Deadline, Team, User
from feedback import groups
from feedback.groups import FIVE
from tickets.models import Interaction, Resolution
from training.models import Completion

AS_READ_NOW = 1  # goes up when what a figure means changes, so that old papers say by which reading they were made
SHOWN = 30


@dataclasses.dataclass(frozen=True, slots=True)
class Means:
    """What a figure is called, what exactly it counts, and the clause that it is about."""

    clause: str
    title: str
    definition: str
    codes: tuple[str, ...] = ()  # the obligations that it counts


FIGURES: dict[str, Means] = {
    "answered": Means(
        "3.1", _("Answered in time"),
        _("First answers and answers to follow-ups that fell due in the time and that this person gave or answered "
          "for; in time is within 24 hours of receipt."), ("respond", "follow_up"),
    ),
    "resolved": Means(
        "3.2", _("Complaints resolved in time"),
        _("Complaints that fell due in the time: resolved by the company's own target, and complainants told how "
          "it stands."), ("resolve", "progress_note"),
    ),
    "escalated": Means(
        "3.3", _("Escalated in time"),
        _("Complex cases that fell due in the time: handed up, or decided within own authority, within 24 hours."),
        ("escalate",),
    ),
    "recorded": Means(
        "4.1", _("Contacts on record"), _("Calls and visits whose record fell due in the time and was put on file."),
        ("record",),
    ),
    "trained": Means(
        "5.3", _("Training in time"), _("Courses that fell due in the time and were passed by then."),
        ("refresher", "initial_training", "software_training"),
    ),
}  # fmt: skip

# Of all deadlines of a team that fell due in the time: who kept or broke how many. Who kept one met it; a broken one is
# of whoever answered for it when it was due.
_BY_PERSON = """
select who, obligation, count(*) filter (where is_kept), count(*)
from (
  select coalesce(d.met_by_id, d.responsible_id) as who, d.obligation, true as is_kept
  from csp_deadline d
  where d.contract_id = %(contract)s and d.team_id = %(team)s and d.obligation = any(%(codes)s) and d.state = 'met'
    and d.due_at >= %(since)s and d.due_at < %(until)s
    and not exists (select from csp_deadline again where again.reopens_id = d.id)
  union all
  select b.responsible_id, b.obligation, false
  from csp_breach b
  where b.contract_id = %(contract)s and b.team_id = %(team)s and b.obligation = any(%(codes)s)
    and b.breached_at >= %(since)s and b.breached_at < %(until)s
) as fell_due
where who is not null
group by who, obligation"""


def compile_for(user: User, team: Team, *, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    """Everything that a review of this person is shown, for what fell due in [since, until). Plain values only."""
    return {
        "reading": AS_READ_NOW,
        "since": _plain(since),
        "until": _plain(until),
        "figures": _shares(user, team, since, until),
        "breaches": _breaches(user, team, since, until),
        "accepted": _accepted(user, since, until),
        "feedback": _feedback(team, since),
        "passed": Completion.objects.filter(user=user, passed_at__gte=since, passed_at__lt=until).count(),
        "overdue": Deadline.objects.running()
        .filter(training__user=user, training__ended_at__isnull=True, due_at__lt=until)
        .count(),
        "actions": _actions(user, since, until),
        "audited": _audited(user, since, until),
        "context": _context(user, team, since, until),
    }


def _plain(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")


def _shares(user: User, team: Team, since: dt.datetime, until: dt.datetime) -> list[dict[str, Any]]:
    codes = [code for means in FIGURES.values() for code in means.codes]
    values: dict[str, Any] = {
        "contract": team.contract_id, "team": team.pk, "codes": codes, "since": since, "until": until,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_BY_PERSON, values)
        rows = cursor.fetchall()
    found = []
    for code, means in FIGURES.items():
        of: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for who, obligation, kept, owed in rows:
            if obligation in means.codes:
                of[who] = (of[who][0] + kept, of[who][1] + owed)
        kept, owed = of.get(user.pk, (0, 0))
        others = {who: pair for who, pair in of.items() if who != user.pk and pair[1]}
        shares = [share for share in (figures.share(*pair) for pair in others.values()) if share is not None]
        found.append(
            {
                "code": code, "kept": kept, "n": owed, "share": figures.share(kept, owed),
                # one colleague's figure could be read off the team's
                "team_kept": sum(pair[0] for pair in of.values()) if len(others) != 1 else 0,
                "team_n": sum(pair[1] for pair in of.values()) if len(others) != 1 else 0,
                "range": [min(shares), max(shares)] if len(shares) >= FIVE else None,
            }
        )  # fmt: skip
    return found


def _breaches(user: User, team: Team, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    """The broken promises in which this person had a part: which, how long they held it, how it is read."""
    rows = (
        Breach.objects.filter(contract=team.contract_id, breached_at__gte=since, breached_at__lt=until)
        .filter(Q(responsible=user) | Q(deadline__held__user=user))
        .filter(obligation__in=[code for means in FIGURES.values() for code in means.codes])
        .select_related("deadline", "assessment")
        .distinct()
        .order_by("-breached_at", "-pk")
    )
    found = []
    for row in rows[:SHOWN]:
        due = row.deadline
        held = list(due.held.order_by("since", "pk"))
        mine = sum((one.until - one.since for one in held if one.user_id == user.pk), dt.timedelta())
        last = max((one.until for one in held), default=due.starts_at)
        if row.responsible_id == user.pk and last < due.due_at:
            mine += due.due_at - last
        reading = getattr(row, "assessment", None)
        found.append(
            {
                "ref": due.subject_ref, "clause": due.clause, "obligation": row.obligation, "due": _plain(due.due_at),
                "held_minutes": int(mine.total_seconds() // 60),
                "of_minutes": int((due.due_at - due.starts_at).total_seconds() // 60),
                "holders": len({one.user_id for one in held} | {row.responsible_id}),
                "reading": reading.verdict if reading is not None and reading.agreed else "",
            }
        )  # fmt: skip
    return {"count": rows.count(), "rows": found}


def whole_groups(count: int) -> int:
    """How many answers may be counted of so many: whole groups of five, with the newest five at least left out."""
    return max(count // FIVE - 1, 0) * FIVE


def _accepted(user: User, since: dt.datetime, until: dt.datetime) -> dict[str, int]:
    """Whether customers accepted what this person resolved: of whole groups of five, the newest five left out."""
    answers = list(
        Resolution.objects.filter(resolved_by=user, answered_at__gte=since, answered_at__lt=until)
        .filter(acceptance__in=[Resolution.Acceptance.YES, Resolution.Acceptance.NO])
        .order_by("answered_at", "pk")
        .values_list("acceptance", flat=True)
    )
    counted = answers[: whole_groups(len(answers))]
    return {"yes": counted.count(Resolution.Acceptance.YES), "n": len(counted)}


def _feedback(team: Team, since: dt.datetime) -> dict[str, int]:
    """What customers said of the team, as representatives see it, too: whole groups of five, by no person or ticket."""
    shown = [group for group in groups.of_team(team) if group.last >= since.date().replace(day=1)]
    return {
        "n": sum(group.size for group in shown),
        "praise": sum(group.counts[3] + group.counts[4] for group in shown),
        "sum": sum(score * count for group in shown for score, count in enumerate(group.counts, 1)),
    }


def _actions(user: User, since: dt.datetime, until: dt.datetime) -> dict[str, int]:
    """Corrective actions that were this person's to do, and how many of them are done or verified."""
    rows = CorrectiveAction.objects.filter(owner=user, set_at__gte=since, set_at__lt=until)
    done = rows.filter(implementations__at__lt=until).distinct().count()
    return {"n": rows.count(), "done": done}


def _audited(user: User, since: dt.datetime, until: dt.datetime) -> dict[str, int]:
    """Cards of quality audits on tickets in which this person answered, and how many failed on nothing critical."""
    numbers = Interaction.objects.filter(author=user, purpose=Interaction.Purpose.ANSWER).values("ticket")
    cards = Scoring.objects.filter(
        draw__number__in=numbers, is_second=False, scored_at__gte=since, scored_at__lt=until
    )  # fmt: skip
    return {"n": cards.count(), "passed": cards.filter(passed=True).count()}


def _context(user: User, team: Team, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    """What the figures have to be read with: how much work there was, and who was away."""
    answers = (
        Interaction.objects.filter(
            ticket__team=team, author__isnull=False, purpose=Interaction.Purpose.ANSWER,
            occurred_at__gte=since, occurred_at__lt=until,
        )
        .values("author").annotate(n=Count("pk")).values_list("author", "n")
    )  # fmt: skip
    by_person = dict(answers.order_by())
    others = [count for who, count in by_person.items() if who != user.pk]
    covered = Absence.objects.filter(deputy=user, starts_at__lt=until, ends_at__gt=since).count()
    return {
        "answers": by_person.get(user.pk, 0),
        "colleagues": len(others),
        "colleagues_mean": round(sum(others) / len(others)) if len(others) >= FIVE else None,
        "days_away": _days_away(user, since, until),
        "covered": covered,
    }


def _days_away(user: User, since: dt.datetime, until: dt.datetime) -> int:
    """Days on which the person was away, each counted once. Why is not known here."""
    days: set[dt.date] = set()
    for row in Absence.objects.filter(user=user, starts_at__lt=until, ends_at__gt=since):
        day, last = max(row.starts_at, since).date(), (min(row.ends_at, until) - dt.timedelta(microseconds=1)).date()
        while day <= last:
            days.add(day)
            day += dt.timedelta(days=1)
    return len(days)


def definitions() -> dict[str, dict[str, str]]:
    """What the figures mean, in plain English, so that what was signed says it itself."""
    with translation.override("en"):
        return {
            code: {"clause": means.clause, "title": gettext(means.title), "means": gettext(means.definition)}
            for code, means in FIGURES.items()
        }


# ---------------------------------------------------------------- as a page shows it


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One figure with its words. `share` is None where nothing fell due."""

    clause: str
    title: str
    definition: str
    kept: int
    n: int
    share: float | None
    team_share: float | None
    team_n: int
    range: tuple[float, float] | None


def lines(evidence: Mapping[str, Any]) -> list[Line]:
    """The figures of compiled evidence, with their words in the active language."""
    found = []
    for row in evidence.get("figures", []):
        means = FIGURES.get(row["code"])
        if means is None:
            continue
        found.append(
            Line(
                means.clause, gettext(means.title), gettext(means.definition), row["kept"], row["n"], row["share"],
                figures.share(row["team_kept"], row["team_n"]), row["team_n"],
                (row["range"][0], row["range"][1]) if row["range"] else None,
            )
        )  # fmt: skip
    return found


def period(evidence: Mapping[str, Any]) -> tuple[dt.datetime, dt.datetime] | None:
    """What the evidence covers."""
    if not evidence:
        return None
    return dt.datetime.fromisoformat(evidence["since"]), dt.datetime.fromisoformat(evidence["until"])


def mean(evidence: Mapping[str, Any]) -> float | None:
    """The mean of what customers said of the team, of whole groups; None where there is none."""
    shown = evidence.get("feedback", {})
    return round(shown["sum"] / shown["n"], 1) if shown.get("n") else None


@dataclasses.dataclass(frozen=True, slots=True)
class Broken:
    """One broken promise as the page shows it."""

    ref: str
    clause: str
    verb: str
    due: dt.datetime
    mine: str  # of the time until it was due, how long it was this person's
    term: str
    holders: int
    reading: str


def broken(evidence: Mapping[str, Any]) -> list[Broken]:
    """The broken promises of compiled evidence."""
    return [
        Broken(
            row["ref"], row["clause"], gettext(OBLIGATIONS[row["obligation"]].verb),
            dt.datetime.fromisoformat(row["due"]), clockface.short(dt.timedelta(minutes=row["held_minutes"])),
            clockface.short(dt.timedelta(minutes=row["of_minutes"])), row["holders"],
            str(Assessment.Verdict(row["reading"]).label) if row["reading"] in Assessment.Verdict.values else "",
        )
        for row in evidence.get("breaches", {}).get("rows", [])
        if row["obligation"] in OBLIGATIONS
    ]  # fmt: skip
