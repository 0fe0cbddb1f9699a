"""The supervisors' board."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from csp import shifts
from csp.roles import Role
from tests import factories
from tests.cast import Cast
from tests.factories import AT, DAY, HOUR
from tests.tickets.desk import HTMX, at_nine, browser
from tickets import complexity, escalation
from tickets.models import Escalation, Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]


def ticket(cast: Cast, subject: str = "A claim") -> Ticket:
    return factories.ticket(
        team=cast.team, customer=cast.carl, received_at=AT - 3 * HOUR, assignee=cast.rita, subject=subject
    )


def raised(cast: Cast, subject: str = "A claim") -> Escalation:
    return escalation.escalate(ticket(cast, subject), by=cast.rita, at=AT, reason="Above my limit")


def test_the_board_shows_what_must_come_what_came_and_what_was_decided(cast: Cast) -> None:
    complexity.mark_complex(ticket(cast, "Still with Rita"), by=cast.rita, at=AT, reason="Legal words")
    raised(cast, "Just arrived")
    escalation.accept(raised(cast, "Already accepted"), by=cast.sam, at=AT)
    escalation.decide(
        raised(cast, "Decided today"), by=cast.sam, at=AT, decision=Escalation.Decision.APPROVE, note="Yes"
    )
    page = browser(cast.sam).get("/escalations/").content.decode()
    columns = page.split('<section class="col">')[1:]
    for column, subject in zip(
        columns, ("Still with Rita", "Just arrived", "Already accepted", "Decided today"), strict=True
    ):
        assert subject in column
    assert "received 3 h ago" in page.replace("\u00a0", " ")


def test_only_supervisors_and_auditors_see_it_and_only_their_own(cast: Cast) -> None:
    raised(cast, "Of Sam's team")
    assert browser(cast.rita).get("/escalations/").status_code == 403
    assert "Of Sam" not in browser(cast.olga).get("/escalations/").content.decode()
    page = browser(cast.vera).get("/escalations/").content.decode()
    assert "Of Sam" in page
    assert "Carl" not in page
    assert "/accept/" not in page


def test_an_escalation_is_accepted_once_and_decided_with_words(cast: Cast) -> None:
    row = raised(cast)
    client, url = browser(cast.sam), f"/escalations/{row.pk}"
    assert browser(cast.olga).post(f"{url}/accept/").status_code == 404
    assert browser(cast.rita).post(f"{url}/accept/").status_code == 403
    assert browser(cast.vera).post(f"{url}/accept/").status_code == 403
    assert client.post(f"{url}/accept/", {"next": "/escalations/"})["Location"] == "/escalations/"
    assert "has accepted this already" in client.post(f"{url}/accept/", follow=True).content.decode()
    assert client.post(f"{url}/decide/", {"decision": "approve", "note": ""}).status_code == 422
    assert client.post(f"{url}/decide/", {"decision": "shrug", "note": "x"}).status_code == 422
    assert client.post(f"{url}/decide/", {"decision": "approve", "note": "Pay it"}).status_code == 302
    row.refresh_from_db()
    assert (row.decision, row.outcome_note) == ("approve", "Pay it")


def test_an_escalation_goes_back_with_a_reason(cast: Cast) -> None:
    row = raised(cast)
    client, url = browser(cast.sam), f"/escalations/{row.pk}/hand-back/"
    assert client.post(url, {"reason": " "}).status_code == 422
    assert client.post(url, {"reason": "Within your limit"}, headers=HTMX)["HX-Redirect"] == "/escalations/"
    row.refresh_from_db()
    assert row.outcome == Escalation.Outcome.RETURNED


def test_the_board_costs_the_same_however_full_it_is(cast: Cast) -> None:
    client = browser(cast.sam)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/escalations/")
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    raised(cast)
    cost()
    few = cost()
    for _each in range(5):
        raised(cast)
    assert cost() == few <= 15


def rita_is_away(cast: Cast) -> None:
    shifts.enter(cast.rita, starts_at=AT - HOUR, ends_at=AT + 9 * DAY, deputy=None, by=cast.sam, at=AT - HOUR)


def test_cover_is_named_in_one_click_and_undone(cast: Cast) -> None:
    given, client = ticket(cast, "Nobody is there"), browser(cast.sam)
    assert "Due before anyone is on shift" not in client.get("/escalations/").content.decode()
    rita_is_away(cast)
    for path in ("/escalations/", "/queue/team/"):
        assert "Due before anyone is on shift" in client.get(path).content.decode()
    assert "before Rita Representative is on shift" in client.get(f"/tickets/{given.pk}/").content.decode()
    page = client.get("/escalations/").content.decode()
    assert "Assign to Sam Supervisor" in page
    assert "Assign to" not in browser(cast.vera).get("/escalations/").content.decode()
    url, body = f"/escalations/cover/{given.pk}/", {"to": cast.sam.pk, "had": cast.rita.pk}
    assert f'action="{url}"' in page
    assert browser(cast.rita).post(url, body).status_code == 403
    assert browser(cast.olga).post(url, body).status_code == 404
    page = client.post(url, body, follow=True).content.decode()
    assert f"#{given.pk} is assigned to Sam Supervisor." in page
    undo = f"/tickets/{given.pk}/assign/undo/?next=/escalations/"
    assert f'action="{undo}"' in page
    assert "Due before anyone is on shift" not in page
    given.refresh_from_db()
    assert given.assignee == cast.sam
    assert "has moved" in client.post(url, body, follow=True).content.decode()  # the page was old
    page = client.post(undo, follow=True).content.decode()
    assert f"Undone: #{given.pk} is back with Rita Representative." in page
    assert "has moved" in client.post(undo, follow=True).content.decode()
    given.refresh_from_db()
    assert given.assignee == cast.rita


def test_proposals_spread_over_those_who_are_there(cast: Cast) -> None:
    factories.person(name="Ben Beside", role=Role.REPRESENTATIVE, team=cast.team)
    rita_is_away(cast)
    for _each in range(2):
        ticket(cast)
    page = browser(cast.sam).get("/escalations/").content.decode()
    assert page.count("Assign to Ben Beside") == page.count("Assign to Sam Supervisor") == 1


def test_cover_costs_the_same_however_much_is_uncovered(cast: Cast) -> None:
    client = browser(cast.sam)
    rita_is_away(cast)

    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    for path in ("/escalations/", "/queue/team/"):
        ticket(cast)
        cost(path)
        few = cost(path)
        for _each in range(3):
            ticket(cast)
        assert cost(path) == few <= 13


def test_the_board_is_told_of_changes(cast: Cast) -> None:
    client = browser(cast.sam)
    row = raised(cast)
    cursor = json.loads(client.get("/changes?scope=escalations&since=").content)["cursor"]
    assert client.get("/changes", {"scope": "escalations", "since": cursor}).status_code == 204
    escalation.accept(row, by=cast.sam, at=AT)
    assert client.get("/changes", {"scope": "escalations", "since": cursor}).status_code == 200
    assert browser(cast.rita).get("/changes?scope=escalations").status_code == 400


def test_what_is_decided_is_said_or_the_field_says_so(cast: Cast) -> None:
    row = raised(cast)
    address = f"/escalations/{row.pk}/decide/"
    shown = browser(cast.sam).get(address).text
    assert "optional" not in shown
    assert "Please look at the invoice" in shown, "nobody decides without what the customer wrote"
    answer = browser(cast.sam).post(address, {"decision": "instruct", "note": " "})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert browser(cast.sam).post(address, {"decision": "take_over", "note": ""}).status_code in (200, 204, 302)
