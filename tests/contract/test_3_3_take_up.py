"""Clause 3.3, a target of the company: a supervisor takes an escalation up within four staffed hours.

Where nobody does, the next supervisor is told, then all of them and the administrators, each once. Who is away has
somebody who stands in. None of this touches a clock of the contract.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from csp import loops, people, shifts
from csp.models import Deadline, Notice
from csp.roles import Role
from csp.servicetime import parse
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser
from tickets import escalation, lifecycle, merging, taking_up
from tickets.handling import Refused
from tickets.models import Escalation, EscalationRung, Ticket

__all__ = ["at_nine"]
AT, SECOND, HOUR, DAY = make.AT, make.SECOND, make.HOUR, make.DAY
State = Deadline.State
OFFICE = {weekday: parse("9-12, 13-17") for weekday in range(5)}


def office_hours(cast: Cast) -> None:
    shifts.plan(
        cast.team, week=OFFICE, exceptions={}, country="GB", subdivision="ENG", by=cast.sam, at=AT - DAY
    )  # fmt: skip


def raised(cast: Cast, at: dt.datetime = AT, **more: object) -> Escalation:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=at - HOUR, assignee=cast.rita)
    return escalation.escalate(ticket, by=cast.rita, at=at, reason="Above", **more)  # type: ignore[arg-type]


def clock(row: Escalation) -> Deadline:
    row.refresh_from_db()
    assert row.take_up is not None
    return row.take_up


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2025-03-03T09:00", "2025-03-03T14:00"),  # over lunch
        ("2025-03-07T16:00", "2025-03-10T12:00"),  # over the week-end
        ("2025-04-17T16:00", "2025-04-22T12:00"),  # over Easter
        ("2025-03-28T16:00", "2025-03-31T12:00"),  # over the change of the clocks
    ],
)
def test_it_counts_staffed_hours_alone(cast: Cast, at: str, due: str) -> None:
    office_hours(cast)
    zone = ZoneInfo("Europe/London")
    row = raised(cast, dt.datetime.fromisoformat(at).replace(tzinfo=zone))
    assert clock(row).due_at == dt.datetime.fromisoformat(due).replace(tzinfo=zone)
    assert clock(row).is_policy


def test_without_a_plan_somebody_is_always_there(cast: Cast) -> None:
    assert clock(raised(cast)).due_at == AT + 4 * HOUR


@pytest.mark.parametrize(
    ("after", "state"), [(4 * HOUR - SECOND, State.MET), (4 * HOUR, State.MET), (4 * HOUR + SECOND, State.MET_LATE)]
)
def test_the_second_of_the_acceptance_decides(cast: Cast, after: dt.timedelta, state: str) -> None:
    row = raised(cast)
    escalation.accept(row, by=cast.sam, at=AT + after)
    assert (clock(row).state, row.next_rung_at) == (state, None)


def test_deciding_handing_back_and_the_end_of_the_ticket_end_it(cast: Cast) -> None:
    rows = [raised(cast) for _n in range(3)]
    escalation.decide(rows[0], by=cast.sam, at=AT + HOUR, decision=Escalation.Decision.APPROVE, note="Yes")
    escalation.hand_back(rows[1], by=cast.sam, at=AT + HOUR, reason="No")
    make.answer(ticket=rows[2].ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    lifecycle.change_state(rows[2].ticket, to=Ticket.State.CLOSED, by=cast.rita, at=AT + 2 * HOUR)
    assert [clock(row).met_how for row in rows] == ["decided", "handed back", "ended with the ticket"]
    assert taking_up.climb(AT + 9 * HOUR) == 0


def test_what_the_product_hands_up_has_the_clock_too(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    make.tick(at=AT + 23 * HOUR + SECOND)
    assert clock(Escalation.objects.get()).due_at == AT + 27 * HOUR + SECOND


def told(person: object, row: Escalation) -> int:
    return Notice.objects.filter(user=person, key__startswith=f"escalation:{row.pk}:rung:").count()


def test_the_next_supervisor_then_all_and_administrators_each_once(cast: Cast) -> None:
    sue = make.person(name="Sue Second", role=Role.SUPERVISOR, team=cast.team)
    row = raised(cast, to=cast.sam)
    assert taking_up.climb(AT + 4 * HOUR) == 0
    for _time in range(2):
        make.tick(at=AT + 4 * HOUR + SECOND)
        assert (told(sue, row), told(cast.sam, row), told(cast.adam, row)) == (1, 0, 0)
    row.refresh_from_db()
    assert row.to_user == sue
    for _time in range(2):
        make.tick(at=AT + 8 * HOUR + 2 * SECOND)
        assert (told(sue, row), told(cast.sam, row), told(cast.adam, row)) == (2, 1, 1)
    assert list(EscalationRung.objects.values_list("number", "told")) == [(1, sue.pk), (2, None)]
    make.tick(at=AT + 20 * HOUR)
    assert EscalationRung.objects.count() == 2


def test_where_there_is_no_next_one_all_are_told(cast: Cast) -> None:
    row = raised(cast, to=cast.sam)
    make.tick(at=AT + 4 * HOUR + SECOND)
    assert (told(cast.sam, row), told(cast.adam, row)) == (1, 1)


def test_somebody_stands_in_for_who_is_away(cast: Cast) -> None:
    sue = make.person(name="Sue Second", role=Role.SUPERVISOR, team=cast.team)
    absence = shifts.enter(cast.sam, starts_at=AT - HOUR, ends_at=AT + DAY, deputy=sue, by=cast.sam, at=AT - HOUR)
    raised(cast, to=cast.sam)
    assert (sue.notices.count(), cast.sam.notices.count()) == (1, 0)
    shifts.end(absence, by=cast.sam, at=AT + HOUR)
    raised(cast, AT + 2 * HOUR, to=cast.sam)
    assert (sue.notices.count(), cast.sam.notices.count()) == (1, 1)


def test_who_is_away_is_not_the_next_one(cast: Cast) -> None:
    sue = make.person(name="Sue Second", role=Role.SUPERVISOR, team=cast.team)
    shifts.enter(sue, starts_at=AT, ends_at=AT + DAY, deputy=None, by=cast.sam, at=AT)
    row = raised(cast, to=cast.sam)
    make.tick(at=AT + 4 * HOUR + SECOND)
    assert EscalationRung.objects.get(escalation=row).told is None


def test_a_merge_keeps_the_clock(cast: Cast) -> None:
    row = raised(cast)
    other = make.ticket(team=cast.team, customer=cast.carl)
    due = clock(row).due_at
    merging.merge(row.ticket, into=other, by=cast.rita, at=AT + HOUR)
    assert clock(Escalation.objects.get(ticket=other)).due_at == due


def test_only_a_supervisor_of_the_team_or_an_administrator_plans(cast: Cast) -> None:
    for person in (cast.rita, cast.olga):
        with pytest.raises(Refused):
            shifts.plan(cast.team, week={}, exceptions={}, country="", subdivision="", by=person, at=AT)
        with pytest.raises(Refused):
            shifts.enter(cast.sam, starts_at=AT, ends_at=AT + DAY, deputy=None, by=person, at=AT)
    with pytest.raises(Refused, match="not known"):
        shifts.plan(cast.team, week={}, exceptions={}, country="XX", subdivision="", by=cast.adam, at=AT)
    shifts.enter(cast.rita, starts_at=AT, ends_at=AT + DAY, deputy=None, by=cast.rita, at=AT)


@pytest.mark.usefixtures("at_nine")
def test_the_pages_keep_what_was_typed(cast: Cast) -> None:
    client, url = browser(cast.sam), f"/settings/shifts/{cast.team.pk}/"
    assert browser(cast.rita).get("/settings/shifts/").status_code == 403
    assert browser(cast.olga).get(url).status_code == 404
    wrong = client.post(url, {"day0": "nine to five", "exceptions": "tomorrow"})
    assert wrong.status_code == 422
    assert "nine to five" in wrong.content.decode()
    assert "does not begin with a date" in wrong.content.decode()
    good = {"day0": "9-17", "exceptions": "2025-12-24 9-12\n2025-12-27", "country": "gb", "subdivision": "eng"}
    assert client.post(url, good).status_code == 302
    calendar = shifts.calendar_of(cast.team)
    assert (calendar.week, calendar.country) == ({0: ((540, 1020),)}, "GB")
    assert "2025-12-24 09:00–12:00" in client.get(url).content.decode()
    away = {"user": cast.rita.pk, "starts_at": "2025-03-03T09:00", "ends_at": "2025-03-05T09:00"}
    assert client.post("/settings/shifts/", away | {"ends_at": "2025-03-02T09:00"}).status_code == 422
    assert client.post("/settings/shifts/", away).status_code == 302
    assert "Rita Representative" in client.get("/settings/shifts/").content.decode()


@pytest.mark.usefixtures("at_nine")
def test_the_address_of_an_escalation_leads_to_its_ticket(cast: Cast) -> None:
    row = raised(cast)
    assert browser(cast.sam).get(f"/escalations/{row.pk}/")["Location"] == row.ticket.path
    assert browser(cast.olga).get(f"/escalations/{row.pk}/").status_code == 404


def test_what_a_supervisor_had_in_hand_who_leaves_is_put_before_the_others_again(cast: Cast) -> None:
    office_hours(cast)
    second = make.person(name="Sue Second", role=Role.SUPERVISOR, team=cast.team)
    row = raised(cast)
    escalation.accept(row, by=cast.sam, at=AT + HOUR)
    assert escalation.pass_on_orphaned(AT + 2 * HOUR) == 0
    people.deactivate(cast.sam, by=cast.adam, at=AT + 2 * HOUR)
    assert loops.run_dry(escalation.pass_on_orphaned, AT + 2 * HOUR) == 1
    row.refresh_from_db()
    again = Escalation.objects.get(ticket=row.ticket, closed_at__isnull=True)
    assert (row.accepted_by, row.outcome) == (cast.sam, Escalation.Outcome.CLOSED)
    assert (again.accepted_by, again.reason, again.raised_by) == (None, "Above", cast.rita)
    assert clock(again).is_running
    assert Notice.objects.filter(user=second, key=f"escalation:{again.pk}:again").count() == 1
    assert loops.run_dry(escalation.pass_on_orphaned, AT + 3 * HOUR) == 0
