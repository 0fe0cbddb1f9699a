"""The guard: the one place that asks the permission table (csp.roles.TABLE), for pages, API, admin and commands."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from csp import clock
from csp.models import Contract, Notice, RoleGrant, Team, User
from csp.roles import TABLE, Permission, Role


class Refused(Exception):
    """A verb said no. The message is a sentence for the person who asked, and says what would make it a yes."""


class AlreadySo(Refused):
    """What was asked for is so already: nothing was done, and nothing is on record. Judged under the subject's lock."""

    status, code = 409, "already_so"  # for the API: a program that only wants it so may go on


@dataclasses.dataclass(frozen=True, slots=True)
class Grant:
    role: Role
    team_id: int | None
    contract_id: int | None  # the team's, or the granted one
    starts_at: dt.datetime
    ends_at: dt.datetime | None

    def is_in_force(self, at: dt.datetime) -> bool:
        """Whether it holds at that moment: from its start until, exclusively, its end."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What one person may do at one moment."""

    grants: tuple[Grant, ...]
    audited: frozenset[int] = frozenset()  # the teams under the contracts that the person audits

    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    def teams(self, *roles: Role) -> frozenset[int]:
        """The ids of the teams in which the person has one of these roles."""
        return frozenset(grant.team_id for grant in self.grants if grant.role in roles and grant.team_id is not None)

    def reads(self) -> list[int]:
        """The ids of the teams whose tickets the person may see: own ones, and those of audited contracts."""
        return sorted(self.teams(Role.REPRESENTATIVE, Role.SUPERVISOR) | self.audited)

    def contracts(self, *roles: Role) -> frozenset[int]:
        """The ids of the contracts in which the person has one of these roles."""
        return frozenset(g.contract_id for g in self.grants if g.role in roles and g.contract_id is not None)

    def teams_where(self, permission: Permission) -> frozenset[int]:
        """The ids of the teams in which a grant allows this."""
        allowed = TABLE.get(permission, frozenset())
        return frozenset(g.team_id for g in self.grants if g.role in allowed and g.team_id is not None)

    def may(self, permission: Permission, *, team_id: int | None = None, contract_id: int | None = None) -> bool:
        """Whether any grant allows this; in this team or contract, where one is named."""
        allowed = TABLE.get(permission, frozenset())
        return any(
            grant.role in allowed
            and (team_id is None or grant.team_id is None or grant.team_id == team_id)
            and (contract_id is None or grant.contract_id is None or grant.contract_id == contract_id)
            for grant in self.grants
        )


NOBODY = Scope(())


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """All that a person was ever granted, read once; and the moment at which the door judges it."""

    at: dt.datetime
    grants: tuple[Grant, ...]
    teams: tuple[tuple[int, int], ...]  # (contract, team), under the contracts that the person ever audited
    scope: Scope  # at the door's moment, which nearly every question is about

    @classmethod
    def of(cls, user: User, at: dt.datetime) -> Held:
        rows = RoleGrant.objects.filter(user=user).values_list(
            "role", "team", "team__contract", "contract", "starts_at", "ends_at"
        )
        grants = tuple(
            Grant(Role(role), team, of_team or contract, starts_at, ends_at)
            for role, team, of_team, contract, starts_at, ends_at in rows
        )
        audited = {grant.contract_id for grant in grants if grant.role is Role.AUDITOR}
        teams = tuple(Team.objects.filter(contract__in=audited).values_list("contract", "pk")) if audited else ()
        return cls(at, grants, teams, _scope(grants, teams, at))

    def scope_at(self, at: dt.datetime) -> Scope:
        return self.scope if at == self.at else _scope(self.grants, self.teams, at)


def _scope(grants: Iterable[Grant], teams: Iterable[tuple[int, int]], at: dt.datetime) -> Scope:
    scope = Scope(tuple(grant for grant in grants if grant.is_in_force(at)))
    if contracts := scope.contracts(Role.AUDITOR):
        audited = frozenset(team for contract, team in teams if contract in contracts)
        scope = dataclasses.replace(scope, audited=audited)
    return scope


def _held(user: User, at: dt.datetime | None) -> Held:
    """The person's grants; kept on the user object, which lives as long as the request or the batch of a loop."""
    if user.held_cache is None:
        user.held_cache = Held.of(user, at or clock.now())
    return user.held_cache


def scope_of(user: User, at: dt.datetime | None = None) -> Scope:
    """What the person may do at that moment. A door may leave it out: then it is the moment of its first question.

    Rules and verbs name theirs, for a loop may judge another day than today.
    """
    if not getattr(user, "is_active", False) or user.pk is None:
        return NOBODY
    held = _held(user, at)
    return held.scope if at is None else held.scope_at(at)


def moment(user: User, at: dt.datetime | None = None) -> dt.datetime:
    """That moment, or the one at which the door judges this person."""
    return at or _held(user, None).at


def may(
    user: Any,
    permission: Permission,
    *,
    team_id: int | None = None,
    contract_id: int | None = None,
    at: dt.datetime | None = None,
) -> bool:
    """Whether the table lets this person do it. Anonymous people may do nothing that is in the table."""
    return isinstance(user, User) and scope_of(user, at).may(permission, team_id=team_id, contract_id=contract_id)


def check(
    user: User,
    permission: Permission,
    *,
    at: dt.datetime,
    team_id: int | None = None,
    contract_id: int | None = None,
) -> None:
    """Raise Refused unless the table lets this person do it at that moment."""
    if not may(user, permission, team_id=team_id, contract_id=contract_id, at=at):
        raise Refused(_("Your role does not allow this. Ask a supervisor or an administrator."))


class TableBackend(ModelBackend):
    """Signs in by password like Django's own; answers has_perm from the table. Groups and superusers do not exist."""

    def get_user(self, user_id: int) -> User | None:
        """The person of a session, with the number that the bell shows: one statement for both."""
        unread = Notice.objects.filter(user=OuterRef("pk"), read_at__isnull=True).order_by().values("user")
        count = Subquery(unread.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
        return User.objects.annotate(unread_notices=Coalesce(count, 0)).filter(pk=user_id, is_active=True).first()

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        try:
            return may(user_obj, Permission(perm))
        except ValueError:
            return False  # Django's own names ("csp.change_user") are answered by csp.admin, which asks the table

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return may(user_obj, Permission.USE_ADMIN)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return {permission.value for permission in Permission if may(user_obj, permission)}


View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def requires(*permissions: Permission) -> Callable[[View], View]:
    """Let a view be seen only by somebody signed in who has one of these permissions (any active person for none)."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if request.headers.get("HX-Request") == "true":
                    # a part of a page: its text stays on the screen, and the page says that the session has ended
                    return HttpResponse(status=401)
                return redirect_to_login(request.get_full_path())
            if permissions:
                scope_of(person(request), clock.now())  # this is the door: what is asked later reads no clock
                if not any(may(request.user, permission) for permission in permissions):
                    raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.guard = permissions  # type: ignore[attr-defined]  # read by csp.checks, which refuses a view without
        return guarded  # type: ignore[return-value]

    return decorate


def open_to_all(view: View) -> View:
    """Mark a view that needs no sign-in: public pages, health, the sign-in itself."""
    view.guard = "open"  # type: ignore[attr-defined]  # as above
    return view


def person(request: HttpRequest) -> User:
    """Who is signed in. Only behind `requires`, which lets nobody else through."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def people_with(role: Role, *, at: dt.datetime, teams: Iterable[int] | None = None) -> list[User]:
    """Active people who have this role at that moment, in these teams where given; by name."""
    grants = RoleGrant.objects.in_force(at).filter(role=role, user__is_active=True)
    if teams is not None:
        grants = grants.filter(team__in=list(teams))
    return list(User.objects.filter(pk__in=grants.values("user")).order_by("name", "pk"))


def contracts_of(user: User, *, at: dt.datetime | None = None) -> list[Contract]:
    """The contracts that this person's work is under; all of them for an administrator."""
    scope = scope_of(user, at)
    if Role.ADMINISTRATOR in scope.roles():
        return list(Contract.objects.order_by("pk"))
    return list(Contract.objects.filter(pk__in=scope.contracts(*Role)).order_by("pk"))
