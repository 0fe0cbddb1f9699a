"""How a breach is to be read: proposed in the team, decided outside it, on a page that shows the breach alone."""

from __future__ import annotations

import pytest

from csp import access, assessing, deadlines
from csp.access import Refused
from csp.models import Assessment, Breach, Contract, Held
from csp.roles import Role
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser  # noqa: F401  a fixture
from tickets import assignment, lifecycle

AT, DAY, HOUR = make.AT, make.DAY, make.HOUR
NOT_OWED = Assessment.Verdict.NOT_OWED


@pytest.fixture
def proposed(cast: Cast) -> Assessment:
    """A breach of Rita's, which she says is none."""
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * DAY, assignee=cast.rita)
    make.tick(at=AT - HOUR)
    breach = Breach.objects.get(deadline=ticket.respond)
    return assessing.propose(breach, by=cast.rita, at=AT - HOUR, verdict=NOT_OWED, reason="It was a test of ours")


@pytest.mark.usefixtures("at_nine")
def test_a_supervisor_of_another_team_finds_and_decides_it(cast: Cast, proposed: Assessment) -> None:
    page = browser(cast.olga).get("/assessments/").content.decode()
    assert proposed.breach.deadline.subject_ref in page
    path = f"/assessments/{proposed.pk}/"
    page = browser(cast.olga).get(path).content.decode()
    assert "It was a test of ours" in page
    assert "Carl" not in page
    assert browser(cast.olga).post(path, {"agreed": "yes", "reason": "I looked"}).status_code == 302
    proposed.refresh_from_db()
    assert (proposed.agreed, proposed.decided_by) == (True, cast.olga)
    assert browser(cast.olga).get(path).status_code == 404


@pytest.mark.usefixtures("at_nine")
def test_the_own_team_neither_sees_nor_decides_it(cast: Cast, proposed: Assessment) -> None:
    assert browser(cast.sam).get(f"/assessments/{proposed.pk}/").status_code == 404
    assert proposed.breach.deadline.subject_ref not in browser(cast.sam).get("/assessments/").content.decode()
    with pytest.raises(Refused, match="belong to the team"):
        assessing.decide(proposed, by=cast.sam, at=AT, agreed=True, reason="x")


def test_a_supervisor_under_another_contract_does_not_decide_it(cast: Cast, proposed: Assessment) -> None:
    other = Contract.objects.create(company="Elsewhere", created_at=AT)
    team = make.team(contract=other, name="Their desk")
    stranger = make.person(name="Una Unrelated", role=Role.SUPERVISOR, team=team)
    assert not assessing.waiting_for(stranger).exists()
    with pytest.raises(Refused):
        assessing.decide(proposed, by=stranger, at=AT, agreed=True, reason="x")


def test_who_held_it_once_does_not_decide_although_they_have_left_the_team(cast: Cast, proposed: Assessment) -> None:
    deadline = proposed.breach.deadline
    Held.objects.create(deadline=deadline, team=cast.team, user=cast.olga, since=AT - 2 * DAY, until=AT - DAY)
    with pytest.raises(Refused, match="own work"):
        assessing.decide(proposed, by=cast.olga, at=AT, agreed=True, reason="x")


def test_each_holder_is_recorded_with_the_time(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    assignment.assign(ticket, to=cast.rita, by=cast.rita, at=AT + 2 * HOUR)
    assignment.assign(ticket, to=cast.sam, by=cast.sam, at=AT + 5 * HOUR)
    spans = [(row.user, row.since, row.until) for row in Held.objects.filter(deadline=ticket.respond).order_by("pk")]
    assert spans == [(None, AT, AT + 2 * HOUR), (cast.rita, AT + 2 * HOUR, AT + 5 * HOUR)]
    assert deadlines.holders(ticket.respond) == {cast.rita.pk} | {ticket.respond.responsible_id} - {None}


def test_who_gave_it_away_does_not_waive_it(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.sam)
    assignment.assign(ticket, to=cast.rita, by=cast.sam, at=AT + HOUR)
    with pytest.raises(Refused, match="own work"):
        lifecycle.waive(ticket, ticket.respond, by=cast.sam, at=AT + 2 * HOUR, reason="No time")


def test_who_wrote_to_the_customer_does_not_waive_it(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    make.answer(ticket=ticket, by=cast.sam, at=AT + HOUR)
    with pytest.raises(Refused, match="wrote to the customer"):
        lifecycle.waive(ticket, ticket.respond, by=cast.sam, at=AT + 2 * HOUR, reason="No time")


@pytest.mark.usefixtures("at_nine")
def test_the_page_of_the_ticket_says_who_held_what_broke(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * DAY)
    assignment.assign(ticket, to=cast.rita, by=cast.rita, at=AT - 2 * DAY + 3 * HOUR)
    make.tick(at=AT - HOUR)
    page = browser(cast.sam).get(f"/tickets/{ticket.pk}/").content.decode()
    assert "nobody in" in page
    assert "Rita Representative 21 hours" in page


def test_work_of_somebody_whose_role_has_ended_goes_back_to_the_team(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    kept = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.sam)
    cast.rita.grants.update(ends_at=AT + HOUR)
    make.grant(user=cast.rita, role=Role.REPRESENTATIVE, team=cast.other_team)
    assert assignment.return_orphaned(AT + 30 * make.SECOND) == 0
    assert assignment.return_orphaned(AT + 2 * HOUR) == 1
    ticket.refresh_from_db()
    kept.refresh_from_db()
    assert (ticket.assignee, kept.assignee) == (None, cast.sam)
    assert access.may(cast.sam, access.Permission.WORK_TICKETS)


def test_a_reminder_goes_past_somebody_without_any_role(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    cast.rita.grants.update(ends_at=AT + HOUR)
    deadlines.remind(AT + 12 * HOUR)
    assert cast.sam.notices.filter(kind="reminder").exists()
