"""Who may do what is judged at the instant of the act: a loop that judges another day asks for that day's grants."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from audits import reviews
from csp import access, clock, independence, offices, people
from csp.access import Refused
from csp.models import Appointment, RoleGrant, User
from csp.roles import Office, Permission, Role
from tests import factories as make
from tests.cast import Cast
from tickets import assignment

START = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)
END = START + dt.timedelta(days=30)
TICK = dt.timedelta(microseconds=1)
EDGES = [(START - TICK, False), (START, True), (END - TICK, True), (END, False)]
AFTER = END + dt.timedelta(days=365)  # what the real clock says

pytestmark = pytest.mark.django_db


def dated(user: User, role: Role, **reach: object) -> RoleGrant:
    user.held_cache = None
    return RoleGrant.objects.create(user=user, role=role, starts_at=START, ends_at=END, **reach)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real clock stands a year after everything here."""
    monkeypatch.setattr(clock, "now", lambda: AFTER)


@pytest.mark.parametrize(("at", "holds"), EDGES)
def test_a_grant_holds_from_its_start_until_its_end_whatever_the_clock_says(
    cast: Cast, late: None, at: dt.datetime, holds: bool
) -> None:
    nina = make.person(name="Nina New")
    dated(nina, Role.SUPERVISOR, team=cast.team)
    assert not access.may(nina, Permission.WAIVE)  # the door's own moment, asked first: it binds no rule
    assert access.may(nina, Permission.WAIVE, team_id=cast.team.pk, at=at) is holds
    assert bool(access.contracts_of(nina, at=at)) is holds
    if holds:
        access.check(nina, Permission.WAIVE, team_id=cast.team.pk, at=at)
    else:
        with pytest.raises(Refused):
            access.check(nina, Permission.WAIVE, team_id=cast.team.pk, at=at)


@pytest.mark.parametrize(("at", "holds"), EDGES)
def test_an_auditor_reads_the_teams_of_that_day(cast: Cast, late: None, at: dt.datetime, holds: bool) -> None:
    nina = make.person(name="Nina New")
    dated(nina, Role.AUDITOR, contract=cast.contract)
    assert access.scope_of(nina).reads() == []
    assert access.scope_of(nina, at).reads() == (sorted([cast.team.pk, cast.other_team.pk]) if holds else [])


@pytest.mark.parametrize(("at", "holds"), EDGES)
def test_an_office_is_held_at_the_instant_that_is_judged(cast: Cast, late: None, at: dt.datetime, holds: bool) -> None:
    Appointment.objects.create(
        contract=cast.contract, office=Office.COMPLIANCE_OWNER, user=cast.olga, starts_at=START, ends_at=END
    )
    assert not offices.held_by(cast.olga)
    assert (cast.contract.pk in offices.contracts_of(cast.olga, Office.COMPLIANCE_OWNER, at=at)) is holds


@pytest.mark.parametrize(("at", "holds"), EDGES)
def test_who_worked_under_somebody_on_that_day_is_not_independent_of_them(
    cast: Cast, late: None, at: dt.datetime, holds: bool
) -> None:
    nina = make.person(name="Nina New")
    dated(nina, Role.REPRESENTATIVE, team=cast.team)
    assert independence.is_subordinate(nina, [cast.sam.pk], at) is holds
    assert not independence.is_subordinate(nina, [cast.olga.pk], at)


@pytest.mark.parametrize(("at", "holds"), EDGES)
def test_the_loop_of_the_reviews_chooses_by_the_grants_of_the_day_it_judges(
    cast: Cast, late: None, at: dt.datetime, holds: bool
) -> None:
    """Nina stands above the supervisors, and worked under Sam for a month: then she was not independent of him."""
    nina = make.person(name="Nina New")
    Appointment.objects.create(
        contract=cast.contract, office=Office.COMPANY_REPRESENTATIVE, user=nina, starts_at=START - make.DAY
    )
    dated(nina, Role.REPRESENTATIVE, team=cast.team)
    assert (nina in reviews.reviewers_of(cast.sam, cast.contract, at)) is not holds


@pytest.mark.parametrize(("at", "holds"), EDGES)
def test_a_verb_asks_for_the_roles_of_its_own_instant(cast: Cast, late: None, at: dt.datetime, holds: bool) -> None:
    nina = make.person(name="Nina New")
    dated(nina, Role.REPRESENTATIVE, team=cast.team)
    ticket = make.ticket(customer=cast.carl, team=cast.team, received_at=START - make.DAY)
    if holds:
        assert assignment.assign(ticket, to=nina, by=cast.sam, at=at).assignee == nina
    else:
        with pytest.raises(Refused, match="does not belong"):
            assignment.assign(ticket, to=nina, by=cast.sam, at=at)


@pytest.mark.parametrize(("at", "holds"), EDGES)
def test_the_doors_stay_on_the_real_clock(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch, at: dt.datetime, holds: bool
) -> None:
    nina = make.person(name="Nina New")
    dated(nina, Role.SUPERVISOR, team=cast.team)
    monkeypatch.setattr(clock, "now", lambda: at)
    client.force_login(nina)
    assert client.get("/escalations/").status_code == (200 if holds else 403)


def test_a_person_is_read_once_for_any_number_of_instants(
    cast: Cast, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    sam = User.objects.get(pk=cast.sam.pk)
    with django_assert_num_queries(1):  # type: ignore[operator]  # a fixture of pytest-django's without types
        assert all(access.may(sam, Permission.WAIVE, at=START + day * make.DAY) for day in range(5))


def test_a_role_that_ends_at_an_act_is_gone_for_the_next_one_at_that_instant(cast: Cast) -> None:
    given = people.grant(cast.otto, Role.SUPERVISOR, team=cast.team, by=cast.adam, at=START)
    people.end_role(given, by=cast.adam, at=END)
    otto = User.objects.get(pk=cast.otto.pk)
    assert access.may(otto, Permission.WAIVE, team_id=cast.team.pk, at=END - TICK)
    assert not access.may(otto, Permission.WAIVE, team_id=cast.team.pk, at=END)


# ---------------------------------------------------------------- the rule, for every module

ROOT = Path(__file__).parents[2]
GUARDS = {
    "access.may", "access.check", "access.scope_of", "access.contracts_of", "offices.held_by", "offices.contracts_of",
}  # fmt: skip
DOORS = ("views", "demo", "migrations", "management", "templatetags")


def _calls_of(function: ast.FunctionDef) -> Iterator[ast.Call]:
    todo: list[ast.AST] = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef):
            continue
        if isinstance(node, ast.Call):
            yield node
        todo += ast.iter_child_nodes(node)


def _forgets(source: str) -> Iterator[tuple[str, int]]:
    """The functions that were given an instant and ask the guard without it."""
    for function in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)):
        if "at" not in {one.arg for one in [*function.args.args, *function.args.kwonlyargs]}:
            continue
        for call in _calls_of(function):
            given = {word.arg for word in call.keywords} | {
                one.id for one in call.args if isinstance(one, ast.Name) and one.id == "at"
            }
            if ast.unparse(call.func) in GUARDS and "at" not in given:
                yield function.name, call.lineno


def test_whoever_is_given_an_instant_hands_it_to_the_guard() -> None:
    assert list(_forgets("def f(by, at):\n    access.may(by, 1)")) == [("f", 2)]
    assert not list(_forgets("def f(by, at):\n    access.may(by, 1, at=at)"))
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for app in ("csp", "tickets", "feedback", "training", "audits")
        for path in sorted((ROOT / app).rglob("*.py"))
        if not set(path.parts) & set(DOORS) and path.name not in ("api.py", "admin.py", "access.py")
        for name, line in _forgets(path.read_text())
    ]
    assert found == []
