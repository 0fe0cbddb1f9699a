"""Clause 3.3: a promise that falls due before anyone who answers for it is on shift is seen, and cover is proposed.

The edge is the second in which the shift begins: who is there one second before it falls due is there in time.
"""

from __future__ import annotations

import datetime as dt
import json

import pytest

from csp import shifts
from csp.models import TrailEntry
from csp.roles import Role
from csp.servicetime import parse
from tests import factories as make
from tests.cast import Cast
from tickets import assignment, cover
from tickets.handling import Refused
from tickets.models import Ticket

AT, SECOND, HOUR, DAY = make.AT, make.SECOND, make.HOUR, make.DAY  # a Monday, nine in the morning
FRIDAY_EVENING = dt.datetime(2025, 3, 7, 18, tzinfo=dt.UTC)
MONDAY_NINE = dt.datetime(2025, 3, 10, 9, tzinfo=dt.UTC)


def office_hours(cast: Cast) -> None:
    week = {weekday: parse("9-17") for weekday in range(5)}
    shifts.plan(cast.team, week=week, exceptions={}, country="", subdivision="", by=cast.sam, at=AT - DAY)


def away(cast: Cast, user: object, until: dt.datetime, deputy: object = None, since: dt.datetime = AT - HOUR) -> None:
    shifts.enter(user, starts_at=since, ends_at=until, deputy=deputy, by=cast.adam, at=AT - DAY)  # type: ignore[arg-type]


def due(cast: Cast, at: dt.datetime, **more: object) -> Ticket:
    """A ticket whose answer falls due then."""
    row = make.ticket(team=cast.team, customer=cast.carl, received_at=at - DAY, **more)  # type: ignore[arg-type]
    return Ticket.objects.get(pk=row.pk)


def uncovered(ticket: Ticket, at: dt.datetime) -> bool:
    return cover.Rota([ticket.team_id], at=at).is_uncovered(ticket)


def proposed(ticket: Ticket, at: dt.datetime, **loads: int) -> object:
    return cover.Rota([ticket.team_id], at=at).proposed(ticket, {int(key[1:]): n for key, n in loads.items()})


@pytest.mark.parametrize(("after", "seen"), [(-SECOND, True), (dt.timedelta(), True), (SECOND, False)])
def test_the_second_in_which_the_shift_begins_decides(cast: Cast, after: dt.timedelta, seen: bool) -> None:
    office_hours(cast)
    ticket = due(cast, MONDAY_NINE + after)
    assert ticket.next_due_at == MONDAY_NINE + after
    assert uncovered(ticket, at=FRIDAY_EVENING) is seen


@pytest.mark.parametrize(("at", "seen"), [(17 * HOUR - SECOND, False), (17 * HOUR, True)])
def test_the_second_in_which_the_last_shift_ends_decides(cast: Cast, at: dt.timedelta, seen: bool) -> None:
    office_hours(cast)
    friday = FRIDAY_EVENING.replace(hour=0)
    assert uncovered(due(cast, friday + 18 * HOUR), at=friday + at) is seen


@pytest.mark.parametrize(("after", "seen"), [(-SECOND, False), (dt.timedelta(), True), (SECOND, True)])
def test_the_second_in_which_its_assignee_is_back_decides(cast: Cast, after: dt.timedelta, seen: bool) -> None:
    limit = AT + 5 * HOUR
    away(cast, cast.rita, until=limit + after)
    assert uncovered(due(cast, limit, assignee=cast.rita), at=AT) is seen
    assert not uncovered(due(cast, limit), at=AT)  # nobody has it, and Sam is there
    assert not uncovered(due(cast, limit, assignee=cast.sam), at=AT)


def test_while_nobody_has_it_anybody_but_the_person_whom_it_is_about_will_do(cast: Cast) -> None:
    away(cast, cast.rita, until=AT + DAY)
    ticket = due(cast, AT + 5 * HOUR)
    assert not uncovered(ticket, at=AT)
    ticket.about = cast.sam
    assert uncovered(ticket, at=AT)
    assert proposed(ticket, AT) == cast.rita  # who was here until an hour ago; a supervisor confirms


def test_what_is_overdue_or_owes_nothing_needs_no_cover(cast: Cast) -> None:
    away(cast, cast.rita, until=AT + 3 * DAY)
    ticket = due(cast, AT, assignee=cast.rita)
    assert not uncovered(ticket, at=AT)
    assert uncovered(ticket, at=AT - SECOND)
    ticket.next_due_at = None
    assert not uncovered(ticket, at=AT)


def test_who_is_on_shift_now_is_proposed_the_deputy_first_then_who_has_least_to_do(cast: Cast) -> None:
    ben = make.person(name="Ben Beside", role=Role.REPRESENTATIVE, team=cast.team)
    ticket = due(cast, AT + 5 * HOUR, assignee=cast.rita)
    away(cast, cast.rita, until=AT + DAY)
    assert proposed(ticket, AT) == ben  # by name
    assert proposed(ticket, AT, **{f"n{ben.pk}": 1}) == cast.sam
    away(cast, cast.rita, until=AT + 2 * DAY, deputy=cast.sam)
    assert proposed(ticket, AT) == cast.sam
    away(cast, cast.sam, until=AT + 4 * HOUR)  # the deputy comes later than Ben, who is here
    assert proposed(ticket, AT) == ben


def test_else_the_one_whose_shift_is_the_last_before_it_falls_due(cast: Cast) -> None:
    office_hours(cast)
    friday = FRIDAY_EVENING.replace(hour=0)
    ticket = due(cast, MONDAY_NINE)
    away(cast, cast.rita, since=friday, until=friday + 12 * HOUR)
    away(cast, cast.sam, since=friday + 12 * HOUR, until=friday + 17 * HOUR)
    assert proposed(ticket, FRIDAY_EVENING) == cast.rita  # Sam went at noon
    away(cast, cast.rita, since=friday + 11 * HOUR, until=friday + 17 * HOUR)
    assert proposed(ticket, FRIDAY_EVENING) == cast.sam


def test_an_assignment_is_undone_by_another_one(cast: Cast) -> None:
    ticket = due(cast, AT + 5 * HOUR, assignee=cast.rita)
    assignment.assign(ticket, to=cast.sam, by=cast.sam, at=AT)
    assert assignment.undo(ticket, by=cast.sam, at=AT + SECOND).assignee == cast.rita
    rows = list(TrailEntry.objects.filter(subject=ticket.trail_subject, act="ticket.assigned").order_by("version"))
    assert [(json.loads(row.facts)["from"], json.loads(row.facts)["to"]) for row in rows] == [
        (cast.rita.pk, cast.sam.pk), (cast.sam.pk, cast.rita.pk)
    ]  # fmt: skip
    assert json.loads(rows[1].facts)["undoes"] == rows[0].pk
    assert Ticket.objects.get(pk=ticket.pk).respond.responsible == cast.rita
    with pytest.raises(Refused, match="since"):
        assignment.undo(ticket, by=cast.sam, at=AT + 2 * SECOND)  # an undo is not undone


def test_only_ones_own_latest_assignment_is_undone(cast: Cast) -> None:
    sue = make.person(name="Sue Second", role=Role.SUPERVISOR, team=cast.team)
    ticket = due(cast, AT + 5 * HOUR)
    with pytest.raises(Refused, match="since"):
        assignment.undo(ticket, by=cast.sam, at=AT)
    assignment.assign(ticket, to=cast.rita, by=cast.sam, at=AT)
    with pytest.raises(Refused, match="since"):
        assignment.undo(ticket, by=sue, at=AT)
    assignment.assign(ticket, to=sue, by=sue, at=AT)
    with pytest.raises(Refused, match="since"):
        assignment.undo(ticket, by=cast.sam, at=AT)
    with pytest.raises(Refused, match="role"):
        assignment.undo(ticket, by=cast.otto, at=AT)
    assert Ticket.objects.get(pk=ticket.pk).assignee == sue
