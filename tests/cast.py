"""The cast: the people whom tests are told about. A pytest plugin, named in tests/conftest.py."""

from __future__ import annotations

import dataclasses

import pytest

from csp.models import Contract, Customer, Team, User, Version
from csp.roles import Role
from tests import factories


@dataclasses.dataclass(frozen=True, slots=True)
class Cast:
    """One contract with two teams. Rita works in the first under Sam; Otto works in the other under Olga."""

    contract: Contract
    version: Version
    team: Team
    rita: User  # representative
    sam: User  # supervisor
    other_team: Team
    otto: User  # representative of the other team
    olga: User  # supervisor of the other team
    fay: User  # feedback analyst
    vera: User  # auditor
    adam: User  # administrator
    carl: Customer  # of Northwind
    rhea: Customer  # of Rival


@pytest.fixture
def cast(db: None) -> Cast:
    """The people and customers of the tests, in the contract and team that a fresh installation has."""
    contract = Contract.objects.get()
    team = Team.objects.get()
    other_team = factories.team(contract=contract, name="Second desk")
    return Cast(
        contract=contract,
        version=contract.versions.get(),
        team=team,
        rita=factories.person(name="Rita Representative", role=Role.REPRESENTATIVE, team=team),
        sam=factories.person(name="Sam Supervisor", role=Role.SUPERVISOR, team=team),
        other_team=other_team,
        otto=factories.person(name="Otto Other", role=Role.REPRESENTATIVE, team=other_team),
        olga=factories.person(name="Olga Other", role=Role.SUPERVISOR, team=other_team),
        fay=factories.person(name="Fay Feedback", role=Role.ANALYST, contract=contract),
        vera=factories.person(name="Vera Auditor", role=Role.AUDITOR, contract=contract),
        adam=factories.person(name="Adam Administrator", role=Role.ADMINISTRATOR),
        carl=factories.customer(name="Carl Contact", address="carl@northwind.example", organisation="Northwind"),
        rhea=factories.customer(name="Rhea Rival", address="rhea@rival.example", organisation="Rival"),
    )
