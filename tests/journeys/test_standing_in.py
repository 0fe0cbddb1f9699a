"""Somebody is away: a supervisor sees it on the board, looks at what they hold, hands it over and takes it back."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect

from csp import clock, shifts
from csp.roles import Role
from tests import factories
from tests.accessibility import obstacles
from tests.cast import Cast
from tests.journeys.conftest import Visit
from tickets import confidence, escalation
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_work_is_handed_over_and_taken_back(cast: Cast, visit: Visit) -> None:
    now, day = clock.now(), dt.timedelta(days=1)
    sue = factories.person(name="Sue Second", role=Role.SUPERVISOR, team=cast.team)
    goes = [factories.ticket(team=cast.team, customer=cast.carl, received_at=now, assignee=cast.sam) for _ in range(52)]
    stays = factories.ticket(
        team=cast.team, customer=cast.carl, received_at=now, assignee=cast.sam, kind=Ticket.Kind.COMPLAINT
    )
    confidence.say_whom(stays, about=sue, by=cast.rita, at=now)
    lead = factories.person(name="Lena Lead", role=Role.SUPERVISOR, team=cast.team)
    raised = escalation.escalate(goes[0], by=cast.rita, at=now, reason="Above my limit", to=cast.sam)
    absence = shifts.enter(cast.sam, starts_at=now - day, ends_at=now + 3 * day, deputy=sue, by=cast.adam, at=now)
    page = visit(lead)
    page.goto("/escalations/")
    expect(page.get_by_text("Sam Supervisor is away until")).to_be_visible()
    page.get_by_role("link", name="What they hold").click()
    expect(page).to_have_url(f"{page.url.partition('/escalations')[0]}/escalations/away/{absence.pk}/")
    left = page.get_by_role("region", name="Stays, and why")
    expect(left).to_contain_text(f"{stays.reference} {stays.subject}")
    expect(left).to_contain_text("Sue Second cannot work on this ticket.")
    page.get_by_role("button", name="Hand 53 over to Sue Second").click()
    said = page.get_by_role("status").filter(has_text="Handed over to Sue Second: 52 tickets, 1 escalation.")
    expect(said).to_be_visible()
    expect(page.get_by_text("Nothing can go.")).to_be_visible()
    raised.refresh_from_db()
    assert raised.to_user == sue
    said.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone, back with Sam Supervisor: 52 tickets, 1 escalation.")).to_be_visible()
    expect(page.get_by_role("button", name="Hand 53 over to Sue Second")).to_be_visible()
    raised.refresh_from_db()
    assert raised.to_user == cast.sam
    assert set(Ticket.objects.values_list("assignee", flat=True)) == {cast.sam.pk}
    found = [one for path in ("/escalations/", f"/escalations/away/{absence.pk}/") for one in obstacles(page, path)]
    assert found == []
    # who is away reads it on the own desk
    own = visit(cast.sam)
    own.goto("/queue/mine/")
    expect(own.get_by_text("You are away until")).to_be_visible()
