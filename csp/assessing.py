"""How a breach is to be read: proposed by one person, decided by another outside the team. The breach never changes."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from csp import access, deadlines, independence, trail
from csp.events import Act
from csp.models import Assessment, Breach, User
from csp.roles import TABLE, Permission


@transaction.atomic
def propose(breach: Breach, *, by: User, at: dt.datetime, verdict: Assessment.Verdict, reason: str) -> Assessment:
    """Propose how a breach is to be read. The breach itself never changes. Raises Refused."""
    access.check(by, Permission.PROPOSE_ASSESSMENT, team_id=breach.team_id)
    Breach.objects.select_for_update(of=("self",), no_key=True).get(pk=breach.pk)
    if Assessment.objects.filter(breach=breach).exists():
        raise access.Refused(_("This breach has been assessed already; it may be once."))
    if not reason.strip():
        raise access.Refused(_("Say why; the reason stands in the evidence."))
    row = Assessment.objects.create(
        breach=breach, verdict=verdict, reason=reason.strip(), proposed_by=by, proposed_at=at
    )
    trail.record(
        Act.ASSESSMENT_PROPOSED,
        f"assessment:{row.pk}",
        by=by,
        at=at,
        context=deadlines.context_of(breach.deadline),
        facts={"breach": breach.pk, "verdict": verdict},
        personal={"reason": reason},
    )
    return row


def check_can_decide(row: Assessment, by: User, at: dt.datetime) -> None:
    """A supervisor under the same contract, of another team, who had no hand in it (CLAUSES, a breach is a fact)."""
    access.check(by, Permission.DECIDE_ASSESSMENT, contract_id=row.breach.contract_id)
    if row.decided_at is not None:
        raise deadlines.AlreadyEnded(_("This assessment has been decided already."))
    if row.breach.team_id in _teams(by):
        raise access.Refused(_("You belong to the team whose breach this is. A supervisor of another team decides."))
    involved = deadlines.holders(row.breach.deadline) | {row.proposed_by_id}
    independence.check(by, involved | {pk for pk in [row.breach.responsible_id] if pk is not None}, at)


def waiting_for(user: User) -> QuerySet[Assessment]:
    """Proposals that this person may decide, oldest first: under an own contract, of a team that is not theirs."""
    scope = access.scope_of(user)
    rows = Assessment.objects.filter(
        decided_at__isnull=True, breach__contract__in=scope.contracts(*TABLE[Permission.DECIDE_ASSESSMENT])
    )
    others = rows.exclude(breach__team__in=_teams(user)).exclude(proposed_by=user)
    return others.select_related("breach__deadline", "breach__team", "proposed_by").order_by("proposed_at", "pk")


def _teams(user: User) -> set[int]:
    return {grant.team_id for grant in access.scope_of(user).grants if grant.team_id is not None}


@transaction.atomic
def decide(row: Assessment, *, by: User, at: dt.datetime, agreed: bool, reason: str) -> Assessment:
    """Decide a proposal: somebody else, outside the team whose breach it is. Raises Refused."""
    row = (
        Assessment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("breach__deadline")
        .get(pk=row.pk)
    )
    check_can_decide(row, by, at)
    row.agreed, row.decided_by, row.decided_at, row.decision_reason = agreed, by, at, reason.strip()
    row.save(update_fields=["agreed", "decided_by", "decided_at", "decision_reason"])
    trail.record(
        Act.ASSESSMENT_DECIDED,
        f"assessment:{row.pk}",
        by=by,
        at=at,
        context=deadlines.context_of(row.breach.deadline),
        facts={"breach": row.breach_id, "verdict": row.verdict, "agreed": agreed},
        personal={"reason": reason},
    )
    return row
