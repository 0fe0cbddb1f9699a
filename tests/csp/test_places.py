"""The navigation: each place bears the clock that runs out next of those that the person answers for there."""

import datetime as dt

from django.test import Client, RequestFactory

from csp import clock, places
from csp.contract import OBLIGATIONS, Nature
from csp.models import User
from tests import factories as make
from tests.cast import Cast
from tickets import assignment, escalation

HOUR = make.HOUR


def times(user: User) -> dict[str, dt.datetime]:
    """By label of the place, when the clock beside it runs out."""
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=user.pk)
    items = [item for section in places.sections(request) for item in section.items]
    return {item.label: item.face.due_at for item in items if item.face}


def test_every_duty_is_met_in_one_place() -> None:
    shown = [code for place in places.PLACES for code in place.clocks]
    assert sorted(shown) == sorted(
        code for code, rule in OBLIGATIONS.items() if rule.enforced and rule.nature is Nature.DUTY and code != "triage"
    )


def test_the_nearest_clock_that_a_person_answers_for_stands_beside_its_place(cast: Cast) -> None:
    now = clock.now()
    first, second = (make.ticket(team=cast.team, customer=cast.carl, received_at=now - n * HOUR) for n in (5, 2))
    assert times(cast.rita) == {}, "nobody answers for them yet"
    for ticket in (second, first):
        assignment.assign(ticket, to=cast.rita, by=cast.rita, at=now)
    assert times(cast.rita)["Queue"] == now + 19 * HOUR
    assert "Queue" not in times(cast.otto) | times(cast.sam)
    assignment.assign(first, to=None, by=cast.rita, at=now)
    assert times(cast.rita)["Queue"] == now + 22 * HOUR


def test_what_is_handed_up_runs_out_for_every_supervisor_of_the_team(cast: Cast) -> None:
    now = clock.now()
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=now - HOUR, assignee=cast.rita)
    row = escalation.escalate(ticket, by=cast.rita, at=now, reason="Above my limit")
    assert row.take_up is not None
    assert times(cast.sam)["Escalations"] == row.take_up.due_at
    assert "Escalations" not in times(cast.olga) | times(cast.rita)


def test_what_is_overdue_shows_as_that(cast: Cast, client: Client) -> None:
    late = make.ticket(team=cast.team, customer=cast.carl, received_at=clock.now() - 30 * HOUR)
    assignment.assign(late, to=cast.rita, by=cast.rita, at=clock.now())
    client.force_login(cast.rita)
    assert 'class="nav__t" data-state="over"' in client.get("/contract/").text
