"""Tests that commit leave nothing behind, although evidence refuses to be emptied."""

import pytest

from csp.models import Contract, TrailEntry
from tests import factories as make
from tests.cast import Cast


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", [1, 2])
def test_a_committed_ticket_is_gone_when_the_next_test_starts(cast: Cast, round_: int) -> None:
    assert not TrailEntry.objects.exists()
    make.ticket(team=cast.team, customer=cast.carl)
    assert TrailEntry.objects.count() == 1


def test_the_first_contract_is_there_afterwards(db: None) -> None:
    assert Contract.objects.count() == 1
    assert not TrailEntry.objects.exists()
