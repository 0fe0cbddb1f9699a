"""How a breach is to be read: proposed by one person, decided by another outside the team. The breach never changes.

Met in time but recorded late needs a file that shows it; unreachable needs two attempts before the promise was due, by
two channels where two were known. Where no supervisor of another team is there to decide, the representatives do.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from csp import access, deadlines, independence, notices, offices, trail, vault
from csp.events import Act
from csp.models import Assessment, AssessmentFile, Attempt, Breach, KeptFrom, Notice, User
from csp.roles import TABLE, Permission, Role

Verdict = Assessment.Verdict
ATTEMPTS = 2


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file of evidence before it is stored."""

    name: str
    content_type: str
    content: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Tried:
    """One attempt to reach the customer."""

    channel: Attempt.Channel
    at: dt.datetime


@transaction.atomic
def propose(
    breach: Breach,
    *,
    by: User,
    at: dt.datetime,
    verdict: Assessment.Verdict,
    reason: str,
    files: Sequence[File] = (),
    attempts: Sequence[Tried] = (),
    only_way: bool = False,
) -> Assessment:
    """Propose how a breach is to be read, with what shows it. The breach itself never changes. Raises Refused.

    `only_way` says that no other way to the customer was known than the one of the attempts.
    """
    access.check(by, Permission.PROPOSE_ASSESSMENT, team_id=breach.team_id, at=at)
    Breach.objects.select_for_update(of=("self",), no_key=True).get(pk=breach.pk)
    if Assessment.objects.filter(breach=breach).exists():
        raise access.Refused(_("This breach has been assessed already; it may be once."))
    if not reason.strip():
        raise access.Refused(_("Say why; the reason stands in the evidence."))
    if verdict == Verdict.RECORDED_LATE and not files:
        raise access.Refused(_("Attach what shows that it was done in time: a telephone record, the mail itself."))
    if verdict == Verdict.UNREACHABLE:
        _check_attempts(breach, attempts, only_way=only_way)
    row = Assessment.objects.create(
        breach=breach, verdict=verdict, reason=reason.strip(), proposed_by=by, proposed_at=at
    )
    stored = AssessmentFile.objects.bulk_create(
        AssessmentFile(
            assessment=row, blob=vault.store(file.content, at=at), name=file.name[:255] or _("Unnamed"),
            content_type=file.content_type[:120], size=len(file.content),
        )
        for file in files
    )  # fmt: skip
    tried = Attempt.objects.bulk_create(
        Attempt(assessment=row, channel=one.channel, at=one.at, is_only_way=only_way) for one in attempts
    )
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.CASE,
            key=f"assessment:{row.pk}",
            to=[user for user in deciders(breach, at) if user != by],
            subject_ref=breach.deadline.subject_ref,
            path=f"/assessments/{row.pk}/",
            deadline=breach.deadline,
            facts={"says": "assessment.proposed", "clause": breach.deadline.clause},
        ),
        at=at,
    )
    trail.record(
        Act.ASSESSMENT_PROPOSED,
        f"assessment:{row.pk}",
        by=by,
        at=at,
        context=breach.deadline.context,
        facts={"breach": breach.pk, "verdict": verdict},
        personal={"reason": reason},
        evidence=[*stored, *tried],
    )
    return row


def _check_attempts(breach: Breach, attempts: Sequence[Tried], *, only_way: bool) -> None:
    starts_at, due_at = breach.deadline.starts_at, breach.due_at
    if len({(one.channel, one.at) for one in attempts}) < ATTEMPTS:
        raise access.Refused(_("Name two attempts to reach the customer, with their time."))
    if any(not starts_at <= one.at <= due_at for one in attempts):
        raise access.Refused(_("Each attempt has to lie between the start of this clock and the time it was due."))
    if len({one.channel for one in attempts}) < ATTEMPTS and not only_way:
        raise access.Refused(_("Try two channels, or say that no other way to the customer was known."))


def deciders(breach: Breach, at: dt.datetime) -> list[User]:
    """Who may decide how this breach is read: supervisors of other teams; where there are none, the representatives."""
    involved = deadlines.holders(breach.deadline) | {breach.responsible_id}
    watch = access.people_with(Role.SUPERVISOR, at=at, teams=_other_teams(breach))
    inside = {user.pk for role in (Role.SUPERVISOR, Role.REPRESENTATIVE)
              for user in access.people_with(role, at=at, teams=[breach.team_id])}  # fmt: skip
    found = [user for user in watch if user.pk not in involved | inside]
    return found or [
        user
        for user in offices.holders(breach.contract_id, offices.REPRESENTATIVES, at=at).values()
        if user is not None and user.pk not in involved | inside
    ]


def _other_teams(breach: Breach) -> list[int]:
    teams = breach.contract.teams.filter(is_active=True).exclude(pk=breach.team_id)
    return list(teams.values_list("pk", flat=True))


def check_can_decide(row: Assessment, by: User, at: dt.datetime) -> None:
    """A supervisor under the same contract, of another team, who had no hand in it (CLAUSES, a breach is a fact).

    Or a representative of either party, who is of no team.
    """
    if row.breach.contract_id not in offices.contracts_of(by, *offices.REPRESENTATIVES, at=at):
        access.check(by, Permission.DECIDE_ASSESSMENT, contract_id=row.breach.contract_id, at=at)
    if row.decided_at is not None:
        raise deadlines.AlreadyEnded(_("This assessment has been decided already."))
    if row.breach.team_id in _teams(by, at=at):
        raise access.Refused(_("You belong to the team whose breach this is. A supervisor of another team decides."))
    if row.breach.deadline.subject_ref in _kept_from(by):
        raise access.Refused(_("This is about you. Somebody else decides it."))
    involved = deadlines.holders(row.breach.deadline) | {row.proposed_by_id}
    independence.check(by, involved | {pk for pk in [row.breach.responsible_id] if pk is not None}, at)


def waiting_for(user: User) -> QuerySet[Assessment]:
    """Proposals that this person may decide, oldest first: under an own contract, of a team that is not theirs."""
    contracts = access.scope_of(user).contracts(*TABLE[Permission.DECIDE_ASSESSMENT])
    contracts |= offices.contracts_of(user, *offices.REPRESENTATIVES)
    rows = Assessment.objects.filter(decided_at__isnull=True, breach__contract__in=contracts)
    others = rows.exclude(breach__team__in=_teams(user)).exclude(proposed_by=user)
    others = others.exclude(breach__deadline__subject_ref__in=_kept_from(user))
    return others.select_related("breach__deadline", "breach__team", "proposed_by").order_by("proposed_at", "pk")


def visible_to(user: User) -> QuerySet[Assessment]:
    """Assessments that this person may read: of own teams, of audited contracts, and those of clause 8.1's offices.

    And those that wait for this person's word.
    """
    scope = access.scope_of(user)
    contracts = scope.contracts(Role.AUDITOR) | {contract for contract, _office in offices.held_by(user)}
    rows = Assessment.objects.filter(
        Q(breach__team__in=scope.teams(Role.SUPERVISOR))
        | Q(breach__contract__in=contracts)
        | Q(proposed_by=user)
        | Q(pk__in=waiting_for(user).order_by().values("pk")),
        breach__deadline__in_confidence=False,
    ).exclude(breach__deadline__subject_ref__in=_kept_from(user))
    return rows.select_related("breach__deadline", "breach__team", "proposed_by", "decided_by")


def _kept_from(user: User) -> QuerySet[KeptFrom, str]:
    return KeptFrom.objects.filter(user=user, until__isnull=True).values_list("subject_ref", flat=True)


def _teams(user: User, *, at: dt.datetime | None = None) -> set[int]:
    return {grant.team_id for grant in access.scope_of(user, at=at).grants if grant.team_id is not None}


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
        context=row.breach.deadline.context,
        facts={"breach": row.breach_id, "verdict": row.verdict, "agreed": agreed},
        personal={"reason": reason},
    )
    return row
