"""Teams, and what the contract's record says of its parties. Nothing is deleted; a team that is not needed rests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, agreement, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Deadline, Mailbox, Team, User
from csp.roles import Permission

CONTRACT_FIELDS = ("company", "party", "zone", "privacy_url", "complex_above")


@transaction.atomic
def add(contract: Contract, name: str, *, by: User, at: dt.datetime) -> Team:
    """Make a team under a contract."""
    access.check(by, Permission.MANAGE_TEAMS, at=at)
    _check_name(contract, name)
    team = Team.objects.create(contract=contract, name=name, created_at=at)
    trail.record(Act.SETTING_CHANGED, f"team:{team.pk}", by=by, at=at, facts={"added": True, "name": name})
    return team


@transaction.atomic
def change(
    team: Team, *, name: str, is_active: bool, by: User, at: dt.datetime, complex_above: int | None = None
) -> Team:
    """Rename a team, set its limit, let it rest or wake it. One that owes something, or that mail comes to, cannot."""
    access.check(by, Permission.MANAGE_TEAMS, at=at)
    team = Team.objects.select_for_update().get(pk=team.pk)
    _check_name(team.contract, name, besides=team)
    if team.is_active and not is_active:
        open_duties = Deadline.objects.running().filter(team=team).count()
        if open_duties:
            raise Refused(_("This team still owes %(n)s duties. Move its tickets first.") % {"n": open_duties})
        if Mailbox.objects.filter(team=team, is_active=True).exists():
            raise Refused(_("Mail comes to this team. Give its mailboxes to another team first."))
    facts = {"name": name, "active": is_active, "complex_above": complex_above}
    if (team.name, team.is_active, team.complex_above) != (name, is_active, complex_above):
        team.name, team.is_active, team.complex_above = name, is_active, complex_above
        team.save()
        trail.record(Act.SETTING_CHANGED, f"team:{team.pk}", by=by, at=at, facts=facts)
    return team


def _check_name(contract: Contract, name: str, besides: Team | None = None) -> None:
    same = Team.objects.filter(contract=contract, name__iexact=name)
    if besides is not None:
        same = same.exclude(pk=besides.pk)
    if same.exists():
        raise Refused(_("There is a team with this name already."))


@transaction.atomic
def change_contract(contract: Contract, values: Mapping[str, Any], *, by: User, at: dt.datetime) -> Contract:
    """Correct the names of the parties, the time zone and the privacy notice; what was signed does not change here."""
    access.check(by, Permission.MANAGE_TEAMS, at=at)
    contract = Contract.objects.select_for_update().get(pk=contract.pk)
    changed = [name for name in CONTRACT_FIELDS if name in values and getattr(contract, name) != values[name]]
    if "zone" in changed and agreement.in_force(contract, at).is_signed:
        raise Refused(_("The time zone was signed by both parties. A new version of the contract changes it."))
    if changed:
        for name in changed:
            setattr(contract, name, values[name])
        contract.save()
        facts = {name: values[name] for name in changed}
        trail.record(Act.CONTRACT_CHANGED, f"contract:{contract.pk}", by=by, at=at, facts=facts)
    return contract
