"""Clauses 2.1 to 2.3: representatives serve, supervisors oversee and decide, feedback analysts look at what comes back.

A role is a grant with a beginning and, exclusively, an end. What the table does not allow is refused, to everybody;
what a grant does not reach is not there for its holder; and who has left may nothing, whatever grants stand.
"""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from csp import access, clock, offices, people
from csp.access import Refused
from csp.models import RoleGrant, User
from csp.roles import TABLE, TEAM_ROLES, Office, Permission, Role
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tickets import assignment, escalation, handling
from tickets.models import Ticket

SECOND, HOUR, DAY = make.SECOND, make.HOUR, make.DAY
NOW = make.AT


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def who_has(cast: Cast) -> dict[Role, User]:
    return {
        Role.REPRESENTATIVE: cast.rita,
        Role.SUPERVISOR: cast.sam,
        Role.ANALYST: cast.fay,
        Role.AUDITOR: cast.vera,
        Role.ADMINISTRATOR: cast.adam,
    }


def again(user: User) -> User:
    """The person in the next request, with nothing remembered."""
    return User.objects.get(pk=user.pk)


def granted(cast: Cast, role: Role, *, starts_at: dt.datetime, ends_at: dt.datetime | None = None) -> User:
    """Somebody who has nothing but this role, from then until then."""
    user = make.person(name="Nina New")
    row = make.grant(
        user=user,
        role=role,
        team=cast.team if role in TEAM_ROLES else None,
        contract=cast.contract if role in {Role.ANALYST, Role.AUDITOR} else None,
        since=starts_at,
    )
    if ends_at is not None:
        RoleGrant.objects.filter(pk=row.pk).update(ends_at=ends_at)
    return again(user)


def allowed(user: User) -> set[Permission]:
    return {permission for permission in Permission if access.may(user, permission)}


# ---------------------------------------------------------------- what a role is


@pytest.mark.parametrize("role", Role)
def test_a_role_gives_what_the_table_lists_for_it_and_nothing_else(cast: Cast, role: Role) -> None:
    user = who_has(cast)[role]
    for permission in Permission:
        expected = role in TABLE.get(permission, frozenset())
        assert access.may(user, permission) is expected, permission
        assert user.has_perm(permission.value) is expected, permission


@pytest.mark.parametrize(
    ("role", "does", "does_not"),
    [
        (
            Role.REPRESENTATIVE,
            {Permission.SEE_TICKETS, Permission.WORK_TICKETS, Permission.OPEN_TICKETS},
            {Permission.DECIDE_ESCALATIONS, Permission.WAIVE, Permission.ASSIGN_OTHERS, Permission.COSIGN},
        ),
        (
            Role.SUPERVISOR,
            {Permission.WORK_TICKETS, Permission.DECIDE_ESCALATIONS, Permission.ASSIGN_OTHERS, Permission.WAIVE},
            {Permission.MANAGE_PEOPLE, Permission.USE_ADMIN, Permission.SEE_TRAIL},
        ),
        (
            Role.ANALYST,
            {Permission.SEE_CONTRACT},
            {Permission.SEE_TICKETS, Permission.WORK_TICKETS, Permission.SEE_CUSTOMER_NAMES},
        ),
        (Role.AUDITOR, {Permission.SEE_TICKETS, Permission.SEE_TRAIL}, {Permission.WORK_TICKETS, Permission.WAIVE}),
        (
            Role.ADMINISTRATOR,
            {Permission.MANAGE_PEOPLE, Permission.USE_ADMIN},
            {Permission.SEE_TICKETS, Permission.WORK_TICKETS, Permission.SEE_TRAIL},
        ),
    ],
)
def test_who_serves_does_not_decide_and_who_looks_on_does_not_serve(
    cast: Cast, role: Role, does: set[Permission], does_not: set[Permission]
) -> None:
    found = allowed(who_has(cast)[role])
    assert does <= found
    assert not does_not & found


def test_two_roles_add_up(cast: Cast) -> None:
    make.grant(user=cast.rita, role=Role.ANALYST, contract=cast.contract)
    make.grant(user=cast.rita, role=Role.AUDITOR, contract=cast.contract)
    assert access.scope_of(cast.rita).roles() == {Role.REPRESENTATIVE, Role.ANALYST, Role.AUDITOR}
    assert access.may(cast.rita, Permission.WORK_TICKETS)
    assert access.may(cast.rita, Permission.SEE_TRAIL)


# ---------------------------------------------------------------- refused by default


def test_who_has_no_role_may_nothing(cast: Cast) -> None:
    nobody = make.person(name="Nina New")
    assert allowed(nobody) == set()
    assert not nobody.is_staff
    for permission in Permission:
        with pytest.raises(Refused, match="role does not allow"):
            access.check(nobody, permission, at=make.AT)


def test_what_the_table_does_not_list_is_refused_to_everybody(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TABLE, Permission.SEE_TICKETS)
    for user in who_has(cast).values():
        assert not access.may(again(user), Permission.SEE_TICKETS)


@pytest.mark.parametrize("name", ["csp.change_user", "tickets.delete_ticket", "tickets.everything", "", "*"])
def test_names_outside_the_table_are_refused(cast: Cast, name: str) -> None:
    assert not any(user.has_perm(name) for user in who_has(cast).values())


def test_no_account_stands_above_the_table(cast: Cast) -> None:
    assert not cast.adam.is_superuser
    assert not User(email="root@desk.example", name="Root", joined_at=NOW).is_superuser
    assert "is_superuser" not in {field.name for field in User._meta.get_fields()}


@pytest.mark.parametrize("nobody", [AnonymousUser(), None, "Rita"])
def test_who_is_not_signed_in_may_nothing(cast: Cast, nobody: Any) -> None:
    assert not any(access.may(nobody, permission) for permission in Permission)


# ---------------------------------------------------------------- from when until when


@pytest.mark.parametrize(
    ("starts", "ends", "holds"),
    [
        (DAY, None, False),  # begins tomorrow
        (SECOND, None, False),
        (SECOND * 0, None, True),  # begins now
        (-DAY, DAY, True),
        (-DAY, SECOND, True),
        (-DAY, SECOND * 0, False),  # the end itself is outside
        (-DAY, -SECOND, False),  # ended a second ago
        (DAY, 2 * DAY, False),
        (SECOND * 0, SECOND * 0, False),  # taken back in the instant in which it was given
    ],
)
@pytest.mark.parametrize("role", Role)
def test_a_grant_gives_only_from_its_beginning_until_its_end(
    cast: Cast, role: Role, starts: dt.timedelta, ends: dt.timedelta | None, holds: bool
) -> None:
    user = granted(cast, role, starts_at=NOW + starts, ends_at=None if ends is None else NOW + ends)
    assert allowed(user) == ({each for each in TABLE if role in TABLE[each]} if holds else set())
    teams = [cast.team.pk] if role in TEAM_ROLES else None
    assert (user in access.people_with(role, at=NOW, teams=teams)) is holds


def test_a_grant_cannot_end_before_it_began_nor_be_open_twice(cast: Cast) -> None:
    row = RoleGrant.objects.get(user=cast.rita)
    refused(
        f"update csp_rolegrant set ends_at = starts_at - interval '1 second' where id = {row.pk}",
        saying="a_grant_ends_after_it_began",
    )
    with pytest.raises(IntegrityError, match="one_open_grant_of_a_kind"), transaction.atomic():
        make.grant(user=cast.rita, role=Role.REPRESENTATIVE, team=cast.team)


def test_what_was_granted_and_when_it_ended_stays_on_record(cast: Cast) -> None:
    row = RoleGrant.objects.get(user=cast.rita)
    RoleGrant.objects.filter(pk=row.pk).update(ends_at=NOW)
    for change in ("ends_at = null", "ends_at = ends_at + interval '1 day'", "role = 'supervisor'"):
        refused(f"update csp_rolegrant set {change} where id = {row.pk}", saying="what was granted")
    assert RoleGrant.objects.in_force(NOW - SECOND).filter(user=cast.rita).exists()
    assert not RoleGrant.objects.in_force(NOW).filter(user=cast.rita).exists()


@pytest.mark.parametrize(
    ("role", "where"),
    [("representative", "none"), ("supervisor", "contract"), ("analyst", "team"), ("auditor", "none")],
)
def test_a_grant_names_what_its_role_reaches(cast: Cast, role: str, where: str) -> None:
    reach = {"none": {}, "contract": {"contract": cast.contract}, "team": {"team": cast.team}}[where]
    with pytest.raises(IntegrityError, match="a_grant_names_what_it_reaches"), transaction.atomic():
        RoleGrant.objects.create(user=cast.adam, role=role, starts_at=NOW, **reach)


# ---------------------------------------------------------------- people who left


@pytest.mark.parametrize("role", Role)
def test_who_left_may_nothing_whatever_grants_stand(cast: Cast, role: Role) -> None:
    user = who_has(cast)[role]
    User.objects.filter(pk=user.pk).update(is_active=False, left_at=NOW)
    gone = again(user)
    assert RoleGrant.objects.in_force(NOW).filter(user=gone).exists(), "the grant stands, so that this proves something"
    assert allowed(gone) == set()
    assert not any(gone.has_perm(permission.value) for permission in Permission)
    assert gone not in access.people_with(role, at=NOW)
    assert not Ticket.objects.visible_to(gone).exists()


def test_letting_somebody_go_ends_roles_and_takes_the_work_away(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    people.deactivate(cast.rita, by=cast.adam, at=NOW)
    gone = again(cast.rita)
    assert not RoleGrant.objects.in_force(NOW).filter(user=gone).exists()
    with pytest.raises(Refused):
        make.answer(ticket=ticket, by=gone, at=NOW + SECOND)
    with pytest.raises(Refused):
        handling.note(ticket, by=gone, at=NOW + SECOND, body="Still here")


# ---------------------------------------------------------------- own teams, own contracts


def test_representatives_and_supervisors_see_and_work_on_their_own_teams_only(cast: Cast) -> None:
    own = make.ticket(team=cast.team, customer=cast.carl)
    other = make.ticket(team=cast.other_team, customer=cast.rhea)
    for user, mine, theirs in [
        (cast.rita, own, other), (cast.sam, own, other), (cast.otto, other, own), (cast.olga, other, own),
    ]:  # fmt: skip
        assert list(Ticket.objects.visible_to(user)) == [mine]
        assert list(Ticket.objects.workable_by(user)) == [mine]
        assert access.may(user, Permission.WORK_TICKETS, team_id=mine.team_id)
        assert not access.may(user, Permission.WORK_TICKETS, team_id=theirs.team_id)
        with pytest.raises(Refused):
            make.answer(ticket=theirs, by=user, at=NOW)
        with pytest.raises(Refused):
            escalation.escalate(theirs, by=user, at=NOW, reason="Not mine")


def test_only_the_teams_supervisor_takes_work_from_one_and_gives_it_to_another(cast: Cast) -> None:
    nora = make.person(name="Nora New", role=Role.REPRESENTATIVE, team=cast.team)
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=nora)
    for refused_to in (cast.rita, cast.olga, cast.vera, cast.adam):
        with pytest.raises(Refused):
            assignment.assign(ticket, to=cast.sam, by=refused_to, at=NOW)
    with pytest.raises(Refused, match="does not belong"):
        assignment.assign(ticket, to=cast.otto, by=cast.sam, at=NOW)
    assignment.assign(ticket, to=cast.rita, by=cast.sam, at=NOW)
    assert Ticket.objects.get(pk=ticket.pk).assignee == cast.rita


def test_a_supervisor_here_who_serves_there_oversees_here_only(cast: Cast) -> None:
    make.grant(user=cast.sam, role=Role.REPRESENTATIVE, team=cast.other_team)
    assert access.may(cast.sam, Permission.WORK_TICKETS, team_id=cast.other_team.pk)
    assert access.may(cast.sam, Permission.DECIDE_ESCALATIONS, team_id=cast.team.pk)
    assert not access.may(cast.sam, Permission.DECIDE_ESCALATIONS, team_id=cast.other_team.pk)
    assert access.scope_of(cast.sam).teams(Role.SUPERVISOR) == {cast.team.pk}
    assert cast.sam not in access.people_with(Role.SUPERVISOR, at=NOW, teams=[cast.other_team.pk])


def test_auditors_read_the_contracts_of_the_audit_and_work_on_nothing(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    contract = type(cast.contract).objects.create(company="Another", created_at=make.SINCE)
    vera = granted(cast, Role.AUDITOR, starts_at=make.SINCE)
    elsewhere = make.person(name="Viktor Auditor", role=Role.AUDITOR, contract=contract)
    assert Ticket.objects.visible_to(vera).count() == 1
    assert not Ticket.objects.workable_by(vera).exists()
    assert not Ticket.objects.visible_to(elsewhere).exists()
    assert not access.may(elsewhere, Permission.SEE_TICKETS, contract_id=cast.contract.pk)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMINISTRATOR])
def test_analysts_and_administrators_see_no_ticket(cast: Cast, role: Role) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    user = who_has(cast)[role]
    assert not Ticket.objects.visible_to(user).exists()
    assert not Ticket.objects.workable_by(user).exists()


# ---------------------------------------------------------------- offices


@pytest.mark.parametrize("office", Office)
def test_an_empty_office_is_told_to_the_administrators(cast: Cast, office: Office) -> None:
    assert offices.to_tell(cast.contract.pk, [office], at=NOW) == [cast.adam]
    cast.contract.appointments.create(office=office, user=cast.sam, starts_at=NOW)
    assert cast.adam in offices.to_tell(cast.contract.pk, [office], at=NOW - SECOND)
    assert offices.to_tell(cast.contract.pk, [office], at=NOW) == [cast.sam]
