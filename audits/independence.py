"""Own work (CLAUSES 2): nobody verifies, decides or judges what they did, led, decided or are measured on.

Nor does a subordinate of such a person. If nobody else is independent, a party's representative is.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils.translation import gettext as _

from audits.models import Measure, NonCompliance
from csp import access, offices
from csp.access import Refused
from csp.independence import check
from csp.models import Deadline, RoleGrant, TrailEntry, User
from csp.roles import TEAM_ROLES, Permission
from tickets.changes import READING
from tickets.conversation import family
from tickets.models import Ticket


def people_in(case: NonCompliance) -> set[int]:
    """Whose own work this case is: who led it, set, owned or did its actions, or ever held the promise that broke."""
    broken = case.memberships.values_list("breach__responsible", "breach__deadline__held__user")
    found = {case.lead_id, *(pk for pair in broken for pk in pair)}
    for owner, setter in case.actions.values_list("owner", "set_by"):
        found |= {owner, setter}
    found |= set(case.actions.values_list("implementations__by", flat=True))
    return {pk for pk in found if pk is not None}


def may_lead(case: NonCompliance, user: User, *, at: dt.datetime | None = None) -> bool:
    """Who may work on a case: the team's supervisors and the offices of clause 8.1; if confidential, its keeper."""
    if case.in_confidence:
        return (case.contract_id, case.kept_by) in offices.held_by(user, at=at)
    return access.may(
        user, Permission.LEAD_CORRECTION, team_id=case.team_id, at=at
    ) or case.contract_id in offices.contracts_of(user, *NonCompliance.TOLD, at=at)


def check_may_lead(case: NonCompliance, user: User, at: dt.datetime) -> None:
    if not may_lead(case, user, at=at):
        raise Refused(_("The team's supervisors, the representatives and the compliance owner work on this case."))


def may_judge(case: NonCompliance, user: User, *, at: dt.datetime | None = None) -> bool:
    """Who may verify and judge, if independent: any supervisor of the contract, and the offices of clause 8.1.

    Of a confidential case the representatives of the parties only: its keeper has worked on it.
    """
    if case.in_confidence:
        return case.contract_id in offices.contracts_of(user, *offices.REPRESENTATIVES, at=at)
    return access.may(user, Permission.VERIFY_CORRECTION, contract_id=case.contract_id, at=at) or may_lead(
        case, user, at=at
    )


def check_may_judge(case: NonCompliance, user: User, involved: set[int], at: dt.datetime) -> None:
    if not may_judge(case, user, at=at):
        raise Refused(_("A supervisor, a representative of either party or the compliance owner judges this."))
    check(user, involved, at)


def may_decide(measure: Measure, user: User, *, at: dt.datetime | None = None) -> bool:
    """Who may decide a measure or an appeal: supervisors of the team, and the offices of clause 8.1."""
    case = measure.case
    if case.in_confidence:
        return may_judge(case, user, at=at)
    return access.may(
        user, Permission.DECIDE_MEASURES, team_id=case.team_id, at=at
    ) or case.contract_id in offices.contracts_of(user, *NonCompliance.TOLD, at=at)


def check_may_decide(measure: Measure, user: User, at: dt.datetime, *also: int | None) -> None:
    """A person decides: not the one concerned, nor a subordinate, nor whoever proposed it."""
    if not may_decide(measure, user, at=at):
        raise Refused(_("A supervisor of the team, a representative or the compliance owner decides this."))
    check(user, {pk for pk in (measure.person_id, measure.proposed_by_id, *also) if pk is not None}, at)


# ---------------------------------------------------------------- quality audits (clause 6.3)


def worked_on(ticket: Ticket) -> set[int]:
    """Whose own work a ticket is: everybody who did something to it, and who ever answered for one of its promises."""
    numbers = family(ticket)
    actors = (
        TrailEntry.objects.filter(context__in=[f"ticket:{number}" for number in numbers], actor__startswith="user:")
        .exclude(act__in=READING)
        .values_list("actor", flat=True)
        .distinct()
    )
    found = {int(actor.partition(":")[2]) for actor in actors}
    promises = Deadline.objects.filter(subject_ref__in=[f"#{number}" for number in numbers])
    for people in promises.values_list("responsible", "met_by", "voided_by", "held__user"):
        found |= {pk for pk in people if pk is not None}
    return found | {pk for pk in (ticket.assignee_id, ticket.about_id) if pk is not None}


def check_may_score(ticket: Ticket, user: User, at: dt.datetime) -> None:
    """Raise Refused for somebody's own work, that of whom they report to, and that of a team that was theirs then."""
    check(user, worked_on(ticket), at)
    ended = ticket.closed_at or at
    check_never_in([ticket.team_id], user, since=ticket.received_at, until=ended)


def check_never_in(teams: list[int], user: User, *, since: dt.datetime, until: dt.datetime) -> None:
    """Raise Refused for somebody who worked in one of these teams in that time: they are measured on what it did."""
    worked = RoleGrant.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=since), user=user, team__in=teams, starts_at__lt=until,
        role__in=[role.value for role in TEAM_ROLES],
    )  # fmt: skip
    if worked.exists():
        raise Refused(_("%(name)s worked in a team that is audited. Nobody audits own work.") % {"name": user.name})
