"""Reporting that a complaint was resolved without a step of its procedure (clauses 3.2 and 8.1).

Like a breach it joins the open case of its clause, team and day, or opens one, and those who must know are told.
"""

from __future__ import annotations

import datetime as dt
import functools

from django.db import transaction
from django.db.models import QuerySet

from audits.models import Deviation, NonCompliance
from audits.noncompliance import opened, telling, told
from csp import batches, notices, trail
from csp.events import Act
from csp.models import Team
from tickets.models import ChecklistStep

CLAUSE = "3.2"


def pull(at: dt.datetime, *, limit: int = 200) -> int:
    """Report each step that was left out and lacks its place in a case. Returns how many were given one."""
    lacking = ChecklistStep.objects.filter(waived_at__isnull=False, deviation__isnull=True).order_by("waived_at", "pk")
    return batches.work_off(lacking, functools.partial(_pull, at=at), limit=limit)


@transaction.atomic(durable=True)
def _pull(lacking: QuerySet[ChecklistStep], limit: int, *, at: dt.datetime) -> int:
    found = dict(lacking.values_list("pk", "checklist__ticket__team")[:limit])
    # The turn of workers, as for breaches: the row of the team.
    list(Team.objects.filter(pk__in=set(found.values())).select_for_update(no_key=True).order_by("pk"))
    steps = ChecklistStep.objects.filter(pk__in=list(found), deviation__isnull=True).order_by("waived_at", "pk")
    rows = list(steps.select_related("checklist__ticket__team__contract"))
    for step in rows:
        _place(step, at)
    return len(rows)


def _place(step: ChecklistStep, at: dt.datetime) -> None:
    ticket = step.checklist.ticket
    assert step.waived_at is not None
    day = step.waived_at.astimezone(ticket.team.contract.zoneinfo).date()
    open_ones = NonCompliance.objects.select_for_update(of=("self",)).select_related("contract", "team", "correct")
    case = open_ones.filter(team=ticket.team_id, clause=CLAUSE, day=day, collects=True).first()
    is_new = case is None
    if case is None:
        case = opened(
            NonCompliance(
                contract=ticket.team.contract,
                team=ticket.team,
                clause=CLAUSE,
                day=day,
                noticed_at=step.waived_at,
                reported_at=max(at, step.waived_at),
                collects=True,
            ),
            at=at,
        )
    row = Deviation.objects.create(case=case, step=step, reported_at=at)
    says, key = ("case.opened", "") if is_new else ("case.joined", f"deviation:{row.pk}")
    people = told(case, at)
    notices.tell(telling(case, says, people, key=key, refs=ticket.reference, count=1), at=at)
    trail.record(
        Act.NONCOMPLIANCE_REPORTED if is_new else Act.NONCOMPLIANCE_JOINED,
        case.trail_subject,
        by="noncompliance",
        at=at,
        facts={"clause": CLAUSE, "team": ticket.team_id, "day": str(day), "deadline": case.correct_id,
               "deviation": row.pk, "step": step.pk},
        evidence=[row],
    )  # fmt: skip
