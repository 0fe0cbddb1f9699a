"""Which version is in force when, with which terms, read how."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from csp import agreement
from csp.contract import OBLIGATIONS, READINGS
from csp.models import Contract, Deadline, Reading, Version
from tests import factories as make
from tests.cast import Cast

AT, DAY, SECOND, HOUR = make.AT, make.DAY, make.SECOND, make.HOUR


@pytest.fixture
def contract(db: None) -> Contract:
    """A contract with two versions: the second replaced the first at AT. A third is a draft."""
    row = Contract.objects.create(company="A", party="B", created_at=make.SINCE)
    version(row, 1, AT - 100 * DAY, AT)
    version(row, 2, AT, None)
    version(row, 3, None, None)
    return row


def version(
    contract: Contract, number: int, begins: dt.datetime | None, ends: dt.datetime | None, **terms: dict[str, int]
) -> Version:
    return Version.objects.create(
        contract=contract, number=number, title="Terms", in_force_from=begins, in_force_until=ends, terms=terms,
        created_at=make.SINCE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at", "number"),
    [
        (AT - 101 * DAY, 1),  # older than the contract: its first version
        (AT - 100 * DAY - SECOND, 1),
        (AT - 100 * DAY, 1),
        (AT - SECOND, 1),
        (AT - dt.timedelta(microseconds=1), 1),
        (AT, 2),  # the first instant belongs to the new one
        (AT + SECOND, 2),
        (AT + 3650 * DAY, 2),
    ],
)
def test_the_version_in_force_is_that_of_the_instant(contract: Contract, at: dt.datetime, number: int) -> None:
    assert agreement.in_force(contract, at).number == number


def test_a_draft_is_never_in_force(db: None) -> None:
    contract = Contract.objects.create(created_at=make.SINCE)
    version(contract, 1, None, None)
    with pytest.raises(agreement.NoVersionInForce):
        agreement.in_force(contract, AT)


def test_a_version_of_another_contract_is_not_taken(contract: Contract) -> None:
    other = Contract.objects.create(created_at=make.SINCE)
    mine = version(other, 9, AT - 10 * DAY, None)
    assert agreement.in_force(other, AT) == mine


def test_a_clock_has_the_terms_that_were_in_force_at_receipt_whenever_it_is_taken_in(cast: Cast) -> None:
    contract = Contract.objects.create(created_at=make.SINCE)
    older = version(contract, 1, AT - DAY, AT)
    newer = version(contract, 2, AT, None, respond={"hours": 4})
    team = make.team(contract=contract, name="Desk")
    for received_at, terms, due in [(AT - SECOND, older, DAY), (AT, newer, 4 * HOUR)]:
        row = make.ticket(team=team, customer=cast.carl, received_at=received_at, at=AT + HOUR)
        clock = Deadline.objects.get(pk=row.respond_id)
        assert (clock.version, clock.due_at) == (terms, received_at + due)


def test_without_terms_of_its_own_the_contracts_hold(contract: Contract) -> None:
    standard = agreement.in_force(contract, AT)
    for code, rule in OBLIGATIONS.items():
        if rule.term is not None:
            assert agreement.due_at(standard, code, AT) == rule.term.ends(AT, contract.zoneinfo), code
    assert agreement.due_at(standard, "respond", AT) == AT + DAY


@pytest.mark.parametrize(
    ("term", "due"),
    [
        ({"hours": 4}, dt.datetime(2025, 3, 29, 16, tzinfo=dt.UTC)),
        ({"hours": 24}, dt.datetime(2025, 3, 30, 12, tzinfo=dt.UTC)),  # elapsed, over the hour that is left out
        ({"days": 1}, dt.datetime(2025, 3, 30, 11, tzinfo=dt.UTC)),  # by the calendar in London, which is earlier
        ({"months": 1}, dt.datetime(2025, 4, 29, 11, tzinfo=dt.UTC)),
    ],
)
def test_terms_of_its_own_come_first_and_are_read_in_the_contracts_zone(
    contract: Contract, term: dict[str, int], due: dt.datetime
) -> None:
    row = Version(contract=contract, number=4, terms={"respond": term})
    received = dt.datetime(2025, 3, 29, 12, tzinfo=dt.UTC)
    assert agreement.due_at(row, "respond", received) == due
    assert agreement.due_at(row, "acknowledge", received) == received + DAY, "the others keep theirs"


def test_an_obligation_whose_time_is_set_for_each_has_no_due_time_of_its_own(contract: Contract) -> None:
    row = agreement.in_force(contract, AT)
    without = [code for code, rule in OBLIGATIONS.items() if rule.term is None]
    assert without
    for code in without:
        with pytest.raises(ValueError, match="give its due time"):
            agreement.due_at(row, code, AT)


def test_an_open_point_is_read_as_the_version_says_else_as_is_printed(contract: Contract) -> None:
    first, second = contract.versions.order_by("number")[:2]
    Reading.objects.create(version=first, key="complex", value="over 1000")
    assert agreement.reading(first, "complex") == "over 1000"
    for key, (default, _why) in READINGS.items():
        assert agreement.reading(second, key) == default
        if key != "complex":
            assert agreement.reading(first, key) == default


def test_the_zone_that_is_said_is_the_one_that_clocks_are_read_in(contract: Contract) -> None:
    contract.zone = "Asia/Tokyo"
    contract.save()
    version = agreement.in_force(contract, AT)
    version.readings.filter(key="zone").delete()
    assert agreement.reading(version, "zone") == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("key", "value"),
    [("seven_days", "working days"), ("five_years_start", "receipt"), ("zone", "Asia/Tokyo"), ("weather", "fine")],
)
def test_a_reading_that_no_clock_would_follow_is_refused(contract: Contract, key: str, value: str) -> None:
    version = agreement.in_force(contract, AT)
    version.readings.filter(key=key).delete()
    with pytest.raises(ValidationError):
        version.readings.create(key=key, value=value)
    assert not version.readings.filter(key=key).exists()


def test_a_point_that_does_not_exist_is_a_mistake(contract: Contract) -> None:
    with pytest.raises(KeyError):
        agreement.reading(agreement.in_force(contract, AT), "whatever")


def test_a_fresh_installation_says_every_reading_and_says_the_printed_one(cast: Cast) -> None:
    said = dict(cast.version.readings.values_list("key", "value"))
    assert said == {key: default for key, (default, _why) in READINGS.items()}
