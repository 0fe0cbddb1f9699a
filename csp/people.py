"""People and what they may do: accounts, dated roles, offices. Nobody grants, ends or changes their own rights."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from csp import access, signin, tokens, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Appointment, Contract, RoleGrant, Team, User
from csp.roles import TEAM_ROLES, Office, Permission, Role
from csp.signin import lock, subject_of

# What a person may change about the own account.
OWN_FIELDS = ("name", "language", "zone", "theme", "shortcuts", "signature")
# What an administrator may change about another's.
FIELDS = ("email", "name", "side", "language", "zone")


@transaction.atomic
def change_own(user: User, values: Mapping[str, Any], *, at: dt.datetime) -> User:
    """Let somebody change how the desk looks and speaks to them. Unknown fields are left alone."""
    changed = _apply(lock(user), values, OWN_FIELDS)
    _record_change(user, changed, by=user, at=at)
    return user


@transaction.atomic
def add(values: Mapping[str, Any], *, by: User, at: dt.datetime) -> User:
    """Give somebody an account and mail them a link with which to choose a password."""
    access.check(by, Permission.MANAGE_PEOPLE, at=at)
    user = _create(values, at)
    trail.record(
        Act.PERSON_ADDED, subject_of(user), by=by, at=at,
        facts={"side": user.side}, personal={"name": user.name, "email": user.email},
    )  # fmt: skip
    signin.invite(user, at=at)
    return user


def _create(values: Mapping[str, Any], at: dt.datetime) -> User:
    known = {name: value for name, value in values.items() if name in FIELDS and name != "email"}
    if signin.find(values["email"]) is not None:
        raise Refused(_("Somebody has an account with this address already."))
    try:
        with transaction.atomic():
            return User.objects.create_user(values["email"], None, joined_at=at, **known)
    except IntegrityError as error:
        raise Refused(_("Somebody has an account with this address already.")) from error


@transaction.atomic
def first_administrator(email: str, name: str, *, at: dt.datetime) -> User:
    """Make the first account that can make others, or invite it again: a link may have been lost.

    Refused once there is an administrator who can sign in.
    """
    administrators = access.people_with(Role.ADMINISTRATOR, at=at)
    if any(one.has_usable_password() for one in administrators):
        raise Refused(_("There is an administrator already, who can add people under Settings."))
    user = signin.find(email) or _create({"email": email, "name": name}, at)
    if not user.is_active:
        raise Refused(_("This account is not active. Give another address."))
    lock(user)
    if user in administrators:
        signin.invite(user, at=at)
        trail.record(Act.PERSON_INVITED, subject_of(user), by="command", at=at)
        return user
    given = RoleGrant.objects.create(user=user, role=Role.ADMINISTRATOR, starts_at=at, reason="first administrator")
    trail.record(Act.PERSON_ADDED, subject_of(user), by="command", at=at, personal={"name": name, "email": email})
    trail.record(Act.ROLE_GRANTED, subject_of(user), by="command", at=at, facts=_facts_of(given))
    signin.invite(user, at=at)
    return user


@transaction.atomic
def change(user: User, values: Mapping[str, Any], *, by: User, at: dt.datetime) -> User:
    """Correct what an account says. A new mail address is told to the old one too."""
    access.check(by, Permission.MANAGE_PEOPLE, at=at)
    user = lock(user)
    former_address = user.email
    other = signin.find(values.get("email", ""))
    if other is not None and other.pk != user.pk:
        raise Refused(_("Somebody has an account with this address already."))
    former = _apply(user, {**values, "email": values.get("email", user.email).lower()}, FIELDS)
    if "email" in former:
        signin.tell_former_address(user, former_address, at=at)
    _record_change(user, former, by=by, at=at)
    return user


@transaction.atomic
def invite(user: User, *, by: User, at: dt.datetime) -> None:
    """Mail a fresh link with which to choose a password."""
    access.check(by, Permission.MANAGE_PEOPLE, at=at)
    user = lock(user)
    if not user.is_active:
        raise Refused(_("This account is not active. Make it active first."))
    signin.invite(user, at=at)
    trail.record(Act.PERSON_INVITED, subject_of(user), by=by, at=at)


@transaction.atomic
def reset_second_factor(user: User, *, by: User, at: dt.datetime) -> None:
    """Take away the second factor of somebody who lost it; their sessions end. Nobody does it for themselves."""
    access.check(by, Permission.MANAGE_PEOPLE, at=at)
    if user == by:
        raise Refused(_("Ask another administrator: nobody takes away the own second factor here."))
    lock(user)
    Authenticator.objects.filter(user=user).delete()
    signin.end_sessions(user)


# ---------------------------------------------------------------- roles


@transaction.atomic
def grant(
    user: User, role: Role, *, by: User, at: dt.datetime, team: Team | None = None, contract: Contract | None = None,
    reason: str = "",
) -> RoleGrant:  # fmt: skip
    """Give somebody a role from now on: in a team, or over a contract."""
    access.check(by, Permission.MANAGE_PEOPLE, at=at)
    if user == by:
        raise Refused(_("Nobody gives a role to themselves. Ask another administrator."))
    if not lock(user).is_active:
        raise Refused(_("This account is not active. Make it active first."))
    if role in TEAM_ROLES:
        if team is None or not team.is_active:
            raise Refused(_("This role is given in a team. Choose an active one."))
        contract = None
    elif role == Role.ADMINISTRATOR:
        team = contract = None
    else:
        team = None
        if contract is None:
            raise Refused(_("This role is given over a contract. Choose one."))
    same = RoleGrant.objects.filter(user=user, role=role, team=team, contract=contract, ends_at__isnull=True)
    if same.exists():
        raise Refused(_("They have this role already."))
    given = RoleGrant.objects.create(
        user=user, role=role, team=team, contract=contract, starts_at=at, granted_by=by, reason=reason
    )
    trail.record(Act.ROLE_GRANTED, subject_of(user), by=by, at=at, facts=_facts_of(given))
    return given


@transaction.atomic
def end_role(given: RoleGrant, *, by: User, at: dt.datetime) -> RoleGrant:
    """Take a role back from now on; the grant stays on record. The last administrator stays one."""
    access.check(by, Permission.MANAGE_PEOPLE, at=at)
    if given.user == by:
        raise Refused(_("Nobody ends an own role. Ask another administrator."))
    _lock_administrators()
    lock(given.user)
    given = RoleGrant.objects.select_for_update().get(pk=given.pk)
    if given.ends_at is not None:
        raise Refused(_("This role has ended already."))
    if given.role == Role.ADMINISTRATOR:
        _check_not_the_last(given.user, at)
    given.ends_at = max(at, given.starts_at)
    given.save(update_fields=["ends_at"])
    trail.record(Act.ROLE_ENDED, subject_of(given.user), by=by, at=at, facts=_facts_of(given))
    return given


def _facts_of(given: RoleGrant) -> dict[str, Any]:
    return {"grant": given.pk, "role": given.role, "team": given.team_id, "contract": given.contract_id}


def _lock_administrators() -> None:
    """Let one at a time take rights of administrators away. Before any other lock, and always in the same order."""
    grants = RoleGrant.objects.filter(role=Role.ADMINISTRATOR, ends_at__isnull=True)
    list(grants.select_for_update().order_by("pk").values_list("pk"))


def _check_not_the_last(user: User, at: dt.datetime) -> None:
    """Somebody else who can sign in must be an administrator."""
    others = RoleGrant.objects.in_force(at).filter(role=Role.ADMINISTRATOR, user__is_active=True).exclude(user=user)
    if not others.exists():
        raise Refused(_("This is the last administrator. Give the role to somebody else first."))


# ---------------------------------------------------------------- leaving and coming back


@transaction.atomic
def deactivate(user: User, *, by: User, at: dt.datetime) -> User:
    """Let somebody leave: sessions, roles and offices end now; their open work goes back to its teams (tickets)."""
    access.check(by, Permission.MANAGE_PEOPLE, at=at)
    if user == by:
        raise Refused(_("Nobody deactivates themselves. Ask another administrator."))
    _lock_administrators()
    user = lock(user)
    if not user.is_active:
        raise Refused(_("This account is not active any more."))
    grants = RoleGrant.objects.select_for_update().filter(user=user, ends_at__isnull=True).order_by("pk")
    if any(given.role == Role.ADMINISTRATOR for given in grants):
        _check_not_the_last(user, at)
    offices = Appointment.objects.select_for_update().filter(user=user, ends_at__isnull=True).order_by("pk")
    ended = {"roles": [row.pk for row in grants], "offices": [row.pk for row in offices]}
    for row in [*grants, *offices]:
        row.ends_at = max(at, row.starts_at)
        row.save(update_fields=["ends_at"])
    user.is_active, user.left_at = False, at
    user.save(update_fields=["is_active", "left_at"])
    facts = {
        **ended, "sessions_ended": signin.end_sessions(user), "tokens_ended": tokens.end_all(user, by=by, at=at)
    }  # fmt: skip
    trail.record(Act.PERSON_DEACTIVATED, subject_of(user), by=by, at=at, facts=facts)
    return user


@transaction.atomic
def reactivate(user: User, *, by: User, at: dt.datetime) -> User:
    """Let somebody come back. Roles are given anew; a link to choose a password is mailed."""
    access.check(by, Permission.MANAGE_PEOPLE, at=at)
    user = lock(user)
    if user.is_active:
        raise Refused(_("This account is active."))
    if user.erased_at is not None:
        raise Refused(_("What was kept of this person had its time and is gone. Give them a new account."))
    user.is_active, user.left_at = True, None
    user.set_unusable_password()
    user.save(update_fields=["is_active", "left_at", "password"])
    trail.record(Act.PERSON_REACTIVATED, subject_of(user), by=by, at=at)
    signin.invite(user, at=at)
    return user


# ---------------------------------------------------------------- offices


@transaction.atomic
def appoint(
    office: Office, contract: Contract, user: User, *, by: User, at: dt.datetime, deputy: User | None = None
) -> Appointment:
    """Give an office under the contract to somebody, and a deputy; whoever held it until now is released."""
    access.check(by, Permission.MANAGE_PEOPLE, at=at)
    if deputy == user:
        raise Refused(_("A deputy is somebody else."))
    # People before the contract, and held: who is leaving at this moment holds no office afterwards.
    held = [lock(one) for one in sorted(filter(None, (user, deputy)), key=lambda one: one.pk)]
    if not all(one.is_active for one in held):
        raise Refused(_("Only people with an active account hold an office."))
    Contract.objects.select_for_update().get(pk=contract.pk)
    for former in Appointment.objects.filter(office=office, contract=contract, ends_at__isnull=True):
        former.ends_at = max(at, former.starts_at)
        former.save(update_fields=["ends_at"])
    row = Appointment.objects.create(
        office=office, contract=contract, user=user, deputy=deputy, starts_at=at, appointed_by=by
    )
    facts = {"office": office, "appointment": row.pk, "user": user.pk, "deputy": deputy.pk if deputy else None}
    trail.record(Act.APPOINTED, f"contract:{contract.pk}", by=by, at=at, facts=facts)
    return row


@transaction.atomic
def end_appointment(row: Appointment, *, by: User, at: dt.datetime) -> Appointment:
    """Release somebody from an office; it is empty until somebody is appointed."""
    access.check(by, Permission.MANAGE_PEOPLE, at=at)
    Contract.objects.select_for_update().get(pk=row.contract_id)
    row = Appointment.objects.select_for_update().get(pk=row.pk)
    if row.ends_at is not None:
        raise Refused(_("This office has been given up already."))
    row.ends_at = max(at, row.starts_at)
    row.save(update_fields=["ends_at"])
    trail.record(
        Act.APPOINTMENT_ENDED, f"contract:{row.contract_id}", by=by, at=at,
        facts={"office": row.office, "appointment": row.pk, "user": row.user_id},
    )  # fmt: skip
    return row


def _apply(user: User, values: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """Set what differs and save it; returns the fields that changed with their former values."""
    former = {name: getattr(user, name) for name in fields if name in values and getattr(user, name) != values[name]}
    if former:
        for name in former:
            setattr(user, name, values[name])
        user.save(update_fields=list(former))
    return former


def _record_change(user: User, former: Mapping[str, Any], *, by: User, at: dt.datetime) -> None:
    if former:
        personal = {name: str(value) for name, value in former.items() if name in User.record.personal}
        trail.record(
            Act.PERSON_CHANGED, subject_of(user), by=by, at=at, facts={"fields": sorted(former)}, personal=personal
        )
