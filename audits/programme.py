"""Quality audits (clause 6.3): planned, let in for a time, drawn by a seed, closed when every draw is accounted for.

An audit has its teams, clauses, channels and a period whose closed tickets it looks at. The request for access starts
the company's own clock of five working days; access is a dated role over the audit's contract, given by an
administrator or a representative, which ends by itself. The population is frozen with its query and digest before the
seed is made, and every draw stays on record.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audits import independence, sampling, scorecards
from audits.models import Audit, AuditAccess, Draw, Population
from csp import access, agreement, deadlines, notices, offices, servicetime, trail
from csp.access import Refused
from csp.contract import CLAUSES
from csp.events import Act
from csp.models import Contract, Notice, RoleGrant, ShiftPlan, Team, User
from csp.roles import Permission, Role
from csp.signin import lock as lock_person
from csp.signin import subject_of as subject_of_person
from tickets.models import Ticket

State, Strata = Audit.State, Audit.Strata

ACCESS_WITHIN = 5  # working days (policy)
LONGEST_ACCESS = dt.timedelta(days=90)
LARGEST_SAMPLE = 500


def lock(audit: Audit) -> Audit:
    """The audit as it is now, locked until the transaction ends."""
    rows = Audit.objects.select_for_update(of=("self",))
    return rows.select_related("contract", "scorecard", "auditor", "second", "access").get(pk=audit.pk)


def teams_of(audit: Audit) -> list[Team]:
    return list(Team.objects.filter(pk__in=audit.teams).order_by("name", "pk"))


def telling(audit: Audit, says: str, to: Sequence[User], *, key: str = "", **facts: object) -> notices.Telling:
    return notices.Telling(
        kind=Notice.Kind.AUDIT,
        key=f"audit:{audit.pk}:{key or says}",
        to=to,
        subject_ref=audit.reference,
        path=audit.path,
        facts={"says": says} | facts,
    )


def scorers(audit: Audit) -> list[User]:
    return [person for person in (audit.auditor, audit.second) if person is not None]


def _officers(audit: Audit, at: dt.datetime) -> list[User]:
    return offices.to_tell(audit.contract_id, Audit.OFFICES, at=at)


# ---------------------------------------------------------------- the plan


def may_plan(contract: Contract, user: User, *, at: dt.datetime | None = None) -> bool:
    """An auditor of the contract, the representatives of its parties and its compliance owner."""
    return access.may(user, Permission.AUDIT, contract_id=contract.pk, at=at) or contract.pk in offices.contracts_of(
        user, *Audit.OFFICES, at=at
    )


@transaction.atomic
def plan(
    contract: Contract,
    *,
    title: str,
    clauses: Sequence[str],
    teams: Sequence[Team],
    channels: Sequence[str] = (),
    since: dt.datetime,
    until: dt.datetime,
    sample_size: int,
    strata: str = Strata.NONE,
    twice_percent: int = 0,
    auditor: User,
    second: User | None = None,
    begins_at: dt.datetime,
    ends_at: dt.datetime,
    by: User,
    at: dt.datetime,
) -> Audit:
    """Plan an audit of what these teams closed in a period. Nobody who worked there then audits it. Raises Refused."""
    if not may_plan(contract, by, at=at):
        raise Refused(_("An auditor, a representative of either party or the compliance owner plans an audit."))
    if not title.strip():
        raise Refused(_("Give the audit a title."))
    if not clauses or not set(clauses) <= set(CLAUSES):
        raise Refused(_("Choose the clauses that are audited."))
    if not teams or any(team.contract_id != contract.pk for team in teams):
        raise Refused(_("Choose teams of this contract."))
    if not set(channels) <= set(Ticket.Channel.values):
        raise Refused(_("Choose channels that there are."))
    if since >= until:
        raise Refused(_("The period ends after it begins."))
    if not begins_at < ends_at or ends_at <= at:
        raise Refused(_("The audit ends after it begins, and after now."))
    if not 1 <= sample_size <= LARGEST_SAMPLE:
        raise Refused(_("A sample has 1 to %(n)d tickets.") % {"n": LARGEST_SAMPLE})
    if not 0 <= twice_percent <= 100 or (twice_percent and second is None):
        raise Refused(_("Say who scores a share of the sample a second time."))
    if second is not None and second == auditor:
        raise Refused(_("Somebody else scores a second time."))
    numbers = sorted(team.pk for team in teams)
    for person in filter(None, (auditor, second)):
        if not person.is_active:
            raise Refused(_("%(name)s has no active account.") % {"name": person.name})
        independence.check_never_in(numbers, person, since=since, until=max(until, at))
    card = scorecards.current(contract, at=at)
    asked = [number for number in CLAUSES if number in clauses]
    if not card.criteria.filter(clause__in=asked).exists():
        raise Refused(_("The scorecard asks nothing about these clauses."))
    audit = Audit.objects.create(
        contract=contract, title=title.strip()[:120], clauses=asked, teams=numbers, channels=sorted(channels),
        since=since, until=until, sample_size=sample_size, strata=strata, twice_percent=twice_percent,
        scorecard=card, auditor=auditor, second=second, begins_at=begins_at, ends_at=ends_at, planned_by=by,
        planned_at=at,
    )  # fmt: skip
    trail.record(
        Act.AUDIT_PLANNED, audit.trail_subject, by=by, at=at,
        facts={
            "contract": contract.pk, "clauses": asked, "teams": numbers, "channels": audit.channels, "since": since,
            "until": until, "sample": sample_size, "strata": strata, "twice": twice_percent, "scorecard": card.pk,
            "auditor": auditor.pk, "second": second.pk if second else None,
        },
    )  # fmt: skip
    notices.tell(telling(audit, "audit.planned", [one for one in scorers(audit) if one != by]), at=at)
    return audit


def criteria_of(audit: Audit) -> list[Any]:
    """The questions that this audit asks: those of its card about the clauses in its scope."""
    return list(audit.scorecard.criteria.filter(clause__in=audit.clauses).order_by("position"))


def sees_scores(audit: Audit, user: User) -> bool:
    """Whether somebody who sees the audit sees what was scored and found, too; an administrator only lets people in."""
    scope = access.scope_of(user)
    return (
        user.pk in (audit.auditor_id, audit.second_id, audit.planned_by_id)
        or audit.contract_id in scope.contracts(Role.AUDITOR) | offices.contracts_of(user, *Audit.OFFICES)
        or bool(scope.teams(Role.SUPERVISOR) & set(audit.teams))
    )


def check_is_open(audit: Audit) -> None:
    if not audit.is_unfinished:
        raise Refused(_("This audit is over."))


# ---------------------------------------------------------------- access


def may_request(audit: Audit, user: User) -> bool:
    return user.pk in (audit.auditor_id, audit.second_id, audit.planned_by_id)


@transaction.atomic
def request_access(audit: Audit, *, by: User, at: dt.datetime) -> Audit:
    """Ask to be let in. Starts the clock of `audit_access`: five working days, by the holidays of the teams' place."""
    audit = lock(audit)
    check_is_open(audit)
    if not may_request(audit, by):
        raise Refused(_("Whoever audits or planned the audit asks for access."))
    if audit.requested_at is not None:
        raise Refused(_("Access has been asked for already."))
    teams = teams_of(audit)
    subject = deadlines.Subject(
        ref=audit.reference, path=audit.path, contract=audit.contract, team=teams[0], context=audit.trail_subject
    )
    version = agreement.in_force(audit.contract, at)
    due_at = None if version.terms.get("audit_access") else _five_working_days(audit, at)
    [audit.access] = deadlines.start(
        [deadlines.draft("audit_access", subject, version, starts_at=at, due_at=due_at)], at=at
    )
    audit.requested_at, audit.requested_by = at, by
    audit.save()
    trail.record(
        Act.AUDIT_REQUESTED, audit.trail_subject, by=by, at=at,
        facts={"deadline": audit.access_id, "due": audit.access.due_at},
    )  # fmt: skip
    people = [*access.people_with(Role.ADMINISTRATOR, at=at), *_officers(audit, at)]
    due = notices.fact(audit.access.due_at)
    notices.tell(telling(audit, "audit.requested", people, due=due), at=at)
    return audit


def _five_working_days(audit: Audit, at: dt.datetime) -> dt.datetime:
    place = ShiftPlan.objects.filter(team__in=audit.teams).exclude(country="").order_by("team").first()
    return servicetime.after_working_days(
        at, ACCESS_WITHIN, audit.contract.zoneinfo, place.country if place else "", place.subdivision if place else ""
    )


def may_give(audit: Audit, user: User, *, at: dt.datetime | None = None) -> bool:
    """An administrator, or a representative of either party; never to oneself."""
    allowed = access.may(user, Permission.GIVE_AUDIT_ACCESS, at=at) or audit.contract_id in offices.contracts_of(
        user, *offices.REPRESENTATIVES, at=at
    )
    return allowed and user.pk not in (audit.auditor_id, audit.second_id)


@transaction.atomic
def give_access(audit: Audit, *, until: dt.datetime, by: User, at: dt.datetime) -> list[AuditAccess]:
    """Let the auditor in, and whoever scores second: a role over the contract that only reads and ends at `until`.

    Meets the clock of the request. May be given again when it has run out. Raises Refused.
    """
    audit = lock(audit)
    check_is_open(audit)
    if not may_give(audit, by, at=at):
        raise Refused(_("An administrator or a representative gives access, and never to themselves."))
    if audit.access is None:
        raise Refused(_("Nobody has asked for access yet."))
    if not at < until <= at + LONGEST_ACCESS:
        raise Refused(_("Access ends by itself, within %(n)d days from now.") % {"n": LONGEST_ACCESS.days})
    given = []
    for person in scorers(audit):
        lock_person(person)
        if not User.objects.filter(pk=person.pk, is_active=True).exists():
            raise Refused(_("%(name)s has no active account.") % {"name": person.name})
        grant = RoleGrant.objects.create(
            user=person, role=Role.AUDITOR, contract=audit.contract, starts_at=at, ends_at=until, granted_by=by,
            reason=audit.reference,
        )  # fmt: skip
        given.append(AuditAccess.objects.create(audit=audit, grant=grant, given_by=by, given_at=at))
        trail.record(
            Act.ROLE_GRANTED, subject_of_person(person), by=by, at=at,
            facts={"role": Role.AUDITOR, "contract": audit.contract_id, "grant": grant.pk, "until": until},
        )  # fmt: skip
    deadlines.meet([audit.access], at=at, by=by, how=audit.trail_subject)
    trail.record(
        Act.AUDIT_LET_IN, audit.trail_subject, by=by, at=at,
        facts={"until": until, "people": [person.pk for person in scorers(audit)]}, evidence=given,
    )  # fmt: skip
    until_said = notices.fact(until)
    notices.tell(
        telling(audit, "audit.let_in", scorers(audit), key=f"let_in:{given[0].pk}", due=until_said), at=at
    )  # fmt: skip
    return given


def check_audits(audit: Audit, user: User, at: dt.datetime) -> None:
    """Raise Refused unless this person audits it and has been let in for now."""
    if user.pk not in (audit.auditor_id, audit.second_id):
        raise Refused(_("Only whoever the plan names audits this."))
    if not access.may(user, Permission.AUDIT, contract_id=audit.contract_id, at=at):
        raise Refused(_("Your access for this audit has not begun, or is over. Ask for it on the audit's page."))


def _check_leads(audit: Audit, user: User, at: dt.datetime) -> None:
    check_audits(audit, user, at=at)
    if user.pk != audit.auditor_id:
        raise Refused(_("The auditor named in the plan does this."))


# ---------------------------------------------------------------- the sample


def query_of(audit: Audit) -> dict[str, Any]:
    """What the population is, as it is frozen: the tickets that these teams closed in the period."""
    return {
        "contract": audit.contract_id,
        "teams": audit.teams,
        "channels": audit.channels or "all",
        "closed_from": audit.since.astimezone(dt.UTC).isoformat(),
        "closed_before": audit.until.astimezone(dt.UTC).isoformat(),
        "state": "closed",
        "without": "imported, exercises, and complaints about whoever audits",
        "grouped_by": audit.strata,
    }


def members_of(audit: Audit) -> list[tuple[int, str]]:
    """The tickets that the query finds now, each with its group, by number."""
    rows = Ticket.objects.filter(
        contract=audit.contract, team__in=audit.teams, state=Ticket.State.CLOSED,
        closed_at__gte=audit.since, closed_at__lt=audit.until,
    ).exclude(origin__in=[Ticket.Origin.IMPORTED, Ticket.Origin.PRACTICE])  # fmt: skip
    for person in scorers(audit):
        rows = rows.not_about(person)
    if audit.channels:
        rows = rows.filter(channel__in=audit.channels)
    found = rows.order_by("pk").values_list("pk", "team", "channel")
    return [(number, _group(audit.strata, team, channel)) for number, team, channel in found.iterator(chunk_size=5000)]


def _group(strata: str, team: int, channel: str) -> str:
    parts = []
    if strata in (Strata.TEAM, Strata.BOTH):
        parts.append(f"team:{team}")
    if strata in (Strata.CHANNEL, Strata.BOTH):
        parts.append(f"channel:{channel}")
    return " ".join(parts)


@transaction.atomic
def draw(audit: Audit, *, by: User, at: dt.datetime, seed: str = "") -> list[Draw]:
    """Freeze the population, then make a seed and draw. Once for each audit; `seed` may come from outside.

    Raises Refused: by nobody but the auditor, with access in force, when the period is over and something was closed.
    """
    audit = lock(audit)
    check_is_open(audit)
    _check_leads(audit, by, at=at)
    if audit.state != State.PLANNED:
        raise Refused(_("The sample has been drawn. Another ticket is drawn for one of it, with a reason."))
    if at < audit.until:
        raise Refused(_("The period that is audited is not over yet: more tickets may be closed in it."))
    members = members_of(audit)
    if not members:
        raise Refused(_("Nothing was closed by these teams in that period."))
    query = query_of(audit)
    people = Population.objects.create(
        audit=audit, query=query, members=members, size=len(members), digest=sampling.digest(query, members),
        seed=seed.strip()[:64] or secrets.token_hex(8), frozen_at=at, frozen_by=by,
    )  # fmt: skip
    drawn = sampling.draw(people.seed, members, audit.sample_size)
    again = sampling.twice(people.seed, (one.number for one in drawn), audit.twice_percent)
    rows = [_draw(audit, one, by=by, at=at, is_twice=one.number in again) for one in drawn]
    audit.state = State.RUNNING
    audit.save()
    trail.record(
        Act.AUDIT_DRAWN, audit.trail_subject, by=by, at=at,
        facts={
            "seed": people.seed, "digest": people.digest, "population": people.size,
            "drawn": [row.number for row in rows], "twice": sorted(again),
        },
        evidence=[people, *rows],
    )  # fmt: skip
    if audit.second is not None and again:
        notices.tell(telling(audit, "audit.second", [audit.second], count=len(again)), at=at)
    return rows


def _draw(
    audit: Audit, one: sampling.Drawn, *, by: User, at: dt.datetime, is_twice: bool, replaces: Draw | None = None
) -> Draw:
    return Draw.objects.create(
        audit=audit, rank=one.rank, group=one.group, group_rank=one.group_rank, number=one.number, is_twice=is_twice,
        drawn_at=at, drawn_by=by, replaces=replaces,
    )  # fmt: skip


def check_can_put_aside(draw: Draw, audit: Audit, by: User, at: dt.datetime) -> None:
    """Raise Refused unless the auditor may still take this draw out: running, not excused, signed by nobody."""
    check_is_open(audit)
    _check_leads(audit, by, at=at)
    if draw.is_excused:
        raise Refused(_("This draw is excused already."))
    if draw.scorings.filter(scored_at__isnull=False).exists():
        raise Refused(_("This draw has been scored; a score that one does not like is no reason to draw again."))


def _put_aside(draw: Draw, reason: str, *, by: User, at: dt.datetime) -> None:
    if len(reason.strip()) < 5:
        raise Refused(_("Say why; the reason stands in the audit's report."))
    draw.excused_at, draw.excused_by, draw.excused_because = at, by, reason.strip()[:300]
    draw.save()


@transaction.atomic
def redraw(draw: Draw, *, reason: str, by: User, at: dt.datetime) -> Draw:
    """Draw the next ticket of the same group for one that cannot be scored. Both stay on record. Raises Refused."""
    audit = lock(draw.audit)
    draw = Draw.objects.select_for_update().get(pk=draw.pk)
    check_can_put_aside(draw, audit, by, at=at)
    rows = list(audit.draws.values_list("rank", "number"))
    people = audit.population
    one = sampling.another(
        people.seed, people.members, draw.group, {number for _rank, number in rows}, max(rank for rank, _n in rows) + 1
    )
    if one is None:
        raise Refused(_("Everything in this group has been drawn. Excuse the draw instead."))
    _put_aside(draw, reason, by=by, at=at)
    fresh = _draw(audit, one, by=by, at=at, is_twice=draw.is_twice, replaces=draw)
    trail.record(
        Act.AUDIT_REDRAWN, audit.trail_subject, by=by, at=at,
        facts={"for": draw.number, "rank": draw.rank, "drawn": fresh.number, "new_rank": fresh.rank},
        personal={"reason": reason.strip()}, evidence=[fresh],
    )  # fmt: skip
    return fresh


@transaction.atomic
def excuse(draw: Draw, *, reason: str, by: User, at: dt.datetime) -> Draw:
    """Leave a drawn ticket unscored, with the reason; the report says so. Raises Refused."""
    audit = lock(draw.audit)
    draw = Draw.objects.select_for_update().get(pk=draw.pk)
    check_can_put_aside(draw, audit, by, at=at)
    _put_aside(draw, reason, by=by, at=at)
    trail.record(
        Act.AUDIT_EXCUSED, audit.trail_subject, by=by, at=at, facts={"rank": draw.rank, "ticket": draw.number},
        personal={"reason": reason.strip()},
    )  # fmt: skip
    return draw


# ---------------------------------------------------------------- the end


def unfinished(audit: Audit) -> list[Draw]:
    """The draws that still want a score, or a second one."""
    signed: dict[int, set[bool]] = {}
    for pk, is_second in audit.draws.filter(scorings__scored_at__isnull=False).values_list("pk", "scorings__is_second"):
        signed.setdefault(pk, set()).add(is_second)
    return [
        draw for draw in audit.draws.filter(excused_at__isnull=True).order_by("rank")
        if False not in signed.get(draw.pk, set()) or (draw.is_twice and True not in signed[draw.pk])
    ]  # fmt: skip


@transaction.atomic
def close(audit: Audit, *, conclusion: str, by: User, at: dt.datetime) -> Audit:
    """End an audit when every draw is scored or excused. Findings go on until they are closed. Raises Refused."""
    audit = lock(audit)
    check_is_open(audit)
    _check_leads(audit, by, at=at)
    if audit.state != State.RUNNING:
        raise Refused(_("No sample has been drawn yet. An audit that does not take place is withdrawn."))
    left = unfinished(audit)
    if left:
        ranks = ", ".join(str(draw.rank) for draw in left[:10])
        raise Refused(_("Score or excuse every draw first; left are: %(ranks)s.") % {"ranks": ranks})
    if len(conclusion.strip()) < 5:
        raise Refused(_("Say in a few words what the audit came to."))
    audit.state, audit.ended_at, audit.ended_by, audit.conclusion = State.CLOSED, at, by, conclusion.strip()
    audit.save()
    trail.record(
        Act.AUDIT_CLOSED, audit.trail_subject, by=by, at=at,
        facts={"draws": audit.draws.count(), "excused": audit.draws.filter(excused_at__isnull=False).count()},
        personal={"conclusion": conclusion.strip()}, evidence=[audit],
    )  # fmt: skip
    rungs = notices.Rungs(at)
    people = [one for team in audit.teams for one in rungs.supervisors(team)]
    notices.tell(telling(audit, "audit.closed", [*people, *_officers(audit, at)]), at=at)
    return audit


@transaction.atomic
def withdraw(audit: Audit, *, reason: str, by: User, at: dt.datetime) -> Audit:
    """End an audit that does not take place, before anything was drawn; afterwards it is brought to its end."""
    audit = lock(audit)
    check_is_open(audit)
    if by.pk not in (audit.auditor_id, audit.planned_by_id):
        raise Refused(_("Whoever audits or planned the audit withdraws it."))
    if audit.state != State.PLANNED:
        raise Refused(_("A sample was drawn: the audit is brought to its end, with an excuse for what is not scored."))
    if len(reason.strip()) < 5:
        raise Refused(_("Say why; the reason stands in the audit's report."))
    audit.state, audit.ended_at, audit.ended_by, audit.conclusion = State.WITHDRAWN, at, by, reason.strip()
    audit.save()
    if audit.access is not None:
        deadlines.lapse([audit.access], at=at, by=by, reason=_("The audit was withdrawn."))
    trail.record(Act.AUDIT_WITHDRAWN, audit.trail_subject, by=by, at=at, personal={"reason": reason.strip()})
    return audit
