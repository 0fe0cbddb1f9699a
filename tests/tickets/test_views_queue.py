"""The queue in the browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from csp.roles import Role
from tests import factories
from tests.cast import Cast
from tests.factories import AT, HOUR
from tests.tickets.desk import HTMX, at_nine, browser
from tickets import assignment, escalation, lifecycle
from tickets.models import Ticket
from tickets.queues import View

State = Ticket.State
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]


def ticket(cast: Cast, hours_ago: float = 1, **more: Any) -> Ticket:
    return factories.ticket(team=cast.team, customer=cast.carl, received_at=AT - hours_ago * HOUR, **more)


def test_everybody_begins_with_the_queue_that_is_theirs(cast: Cast) -> None:
    assert browser(cast.rita).get("/queue/")["Location"] == "/queue/mine/"
    assert browser(cast.vera).get("/queue/")["Location"] == "/queue/team/"
    assert browser(cast.fay).get("/queue/").status_code == 403


@pytest.mark.parametrize("view", list(View))
def test_every_queue_opens_full_and_empty(cast: Cast, view: View) -> None:
    client = browser(cast.rita)
    assert client.get(f"/queue/{view}/").status_code == 200
    ticket(cast, assignee=cast.rita)
    assert client.get(f"/queue/{view}/").status_code == 200
    assert client.get("/queue/nonsense/").status_code == 404


def test_the_queue_shows_clock_clause_customer_and_words(cast: Cast) -> None:
    row = ticket(cast, hours_ago=22, assignee=cast.rita, subject="Two delivery charges")
    page = browser(cast.rita).get("/queue/mine/").content.decode()
    for part in ("Two delivery charges", "Carl Contact", "Please look at the invoice", "§3.1", "2 h", f"#{row.pk}"):
        assert part.replace(" ", " ") in page.replace(" ", " ")


def test_a_list_that_is_shown_again_brings_its_counts(cast: Cast) -> None:
    ticket(cast)
    page = browser(cast.rita).get("/queue/team/", headers=HTMX | {"HX-Target": "list"}).content.decode()
    assert "<html" not in page
    for part in ("queue-stands", "queue-tabs"):
        assert f'id="{part}" hx-swap-oob="true"' in page
    assert "1 open" in page
    assert "hx-swap-oob" not in browser(cast.rita).get("/queue/team/").content.decode()


def test_an_auditor_reads_the_queue_without_names(cast: Cast) -> None:
    ticket(cast)
    page = browser(cast.vera).get("/queue/team/").content.decode()
    assert "Carl" not in page
    assert f"Customer {cast.carl.pk}" in page


def cost(client: Client, path: str) -> int:
    """How many statements a page takes, once the session is written."""
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])


# (who, which list): what it costs, however long the list and however many the teams. A new number here is a decision.
# The statements of a whole page, that of the clocks in the navigation among them.
COSTS = {
    ("rita", "/queue/mine/"): 13,
    ("rita", "/queue/team/?kind=inquiry&q=invoice"): 11,
    ("rita", "/queue/finished/"): 11,
    ("rita", "/search/?q=invoice"): 8,
    ("sam", "/queue/team/"): 13,
    ("sam", "/queue/team/?channel=mail"): 13,
    ("vera", "/queue/team/"): 12,
    ("vera", "/queue/waiting/"): 12,
}


def test_a_list_costs_the_same_however_long_it_is(cast: Cast) -> None:
    factories.grant(user=cast.sam, role=Role.SUPERVISOR, team=cast.other_team)
    clients = {name: browser(getattr(cast, name)) for name in ("rita", "sam", "vera")}

    def costs() -> dict[tuple[str, str], int]:
        return {(who, path): cost(clients[who], path) for who, path in COSTS}

    def one(number: int) -> None:
        handed_up = ticket(cast, assignee=cast.rita)
        escalation.escalate(handed_up, by=cast.rita, at=AT, reason="Above my limit")
        for team in (cast.team, cast.other_team):
            somebody = factories.customer(name=f"Customer {number} {team.pk}", address=f"c{number}.{team.pk}@a.example")
            factories.ticket(team=team, customer=somebody, received_at=AT - HOUR)
        waiting = ticket(cast, assignee=cast.rita)
        factories.answer(ticket=waiting, by=cast.rita, at=AT, accepted_at=AT)
        if number % 2:
            done = Ticket.objects.get(pk=waiting.pk)
            lifecycle.change_state(done, to=State.RESOLVED, by=cast.rita, at=AT)

    for number in range(2):
        one(number)
    few = costs()
    for number in range(2, 8):
        one(number)
    assert costs() == few == COSTS


def test_filters_live_in_the_address_and_a_bad_one_is_left_out(cast: Cast) -> None:
    complaint = ticket(cast, kind=Ticket.Kind.COMPLAINT, subject="A complaint of mine")
    ticket(cast, subject="An ordinary matter")
    client = browser(cast.rita)
    page = client.get("/queue/team/?kind=complaint").content.decode()
    assert "A complaint of mine" in page
    assert "An ordinary matter" not in page
    assert client.get("/queue/team/?kind=x&team=-1&category=y&due=z&q=%00&after=q").status_code == 200
    part = client.get("/queue/team/?kind=complaint", headers=HTMX | {"HX-Target": "list"}).content.decode()
    assert "<html" not in part
    assert f"#{complaint.pk}" in part


def test_several_tickets_are_assigned_at_once_and_what_is_refused_is_said(cast: Cast) -> None:
    tom = factories.person(name="Tom Colleague", role=cast.rita.grants.get().role, team=cast.team)
    mine, his = ticket(cast), ticket(cast, assignee=tom)
    foreign = factories.ticket(team=cast.other_team, customer=cast.rhea)
    client = browser(cast.rita)
    answer = client.post("/queue/bulk/", {"t": [mine.pk, his.pk, foreign.pk], "to": str(tom.pk)}, follow=True)
    text = answer.content.decode()
    assert "1 ticket assigned to Tom Colleague" in text or "2 tickets assigned to Tom Colleague" in text
    foreign.refresh_from_db()
    assert foreign.assignee is None
    answer = client.post("/queue/bulk/", {"t": [mine.pk], "to": "nobody"}, follow=True)
    assert "left as it is" in answer.content.decode()  # it is Tom's now; giving it away is a supervisor's
    assert "Mark some tickets first" in client.post("/queue/bulk/", {}, follow=True).content.decode()
    assert browser(cast.vera).post("/queue/bulk/", {"t": [mine.pk]}).status_code == 403


def test_the_bulk_form_never_leads_out_of_the_house(cast: Cast) -> None:
    answer = browser(cast.rita).post("/queue/bulk/", {"next": "//evil.example/"})
    assert answer["Location"] == "/queue/"


def test_the_next_button_goes_to_what_is_next(cast: Cast) -> None:
    client = browser(cast.rita)
    assert client.get("/next/")["Location"] == "/queue/"
    row = ticket(cast, hours_ago=23.5)
    ticket(cast, hours_ago=30)
    assert client.get("/next/")["Location"] == f"/tickets/{row.pk}/"
    assert client.get(f"/next/?besides={row.pk}")["Location"] != f"/tickets/{row.pk}/"


def test_changes_are_told_once_and_then_not_again(cast: Cast) -> None:
    client = browser(cast.rita)
    row = ticket(cast)
    cursor = json.loads(client.get("/changes?scope=queue:team&since=").content)["cursor"]
    quiet = client.get("/changes", {"scope": "queue:team", "since": cursor})
    assert quiet.status_code == 204
    factories.message(ticket=row, at=AT)
    news = client.get("/changes", {"scope": "queue:team", "since": cursor})
    assert json.loads(news.content)["text"] == "1 ticket changed"
    after = json.loads(news.content)["cursor"]
    assert client.get("/changes", {"scope": "queue:team", "since": after}).status_code == 204
    assert client.get("/changes", {"scope": "queue:team", "since": "nonsense"}).status_code == 200
    assert client.get("/changes", {"scope": "queue:x"}).status_code == 400


def test_asking_for_changes_of_a_queue_is_one_query_beside_the_guard(cast: Cast) -> None:
    client = browser(cast.rita)
    ticket(cast)
    cursor = json.loads(client.get("/changes?scope=queue:team&since=").content)["cursor"]
    with CaptureQueriesContext(connection) as queries:
        client.get("/changes", {"scope": "queue:team", "since": cursor})
    assert len(queries) == 4  # session, person, grants, and the one


def test_the_preview_and_the_rail_are_parts_and_pages(cast: Cast) -> None:
    row = ticket(cast, assignee=cast.rita)
    client = browser(cast.rita)
    for url in (f"/tickets/{row.pk}/peek/", "/queue/rail/"):
        assert "<html" in client.get(url).content.decode()
        assert "<html" not in client.get(url, headers=HTMX).content.decode()
    assert browser(cast.otto).get(f"/tickets/{row.pk}/peek/").status_code == 404


def test_beside_a_ticket_stands_the_list_that_it_was_opened_from(cast: Cast) -> None:
    row = ticket(cast, assignee=cast.rita, subject="The hob stays cold")
    here = f"/tickets/{row.pk}/"
    client = browser(cast.sam)
    for referer, name in (("/queue/team/?kind=inquiry", "team"), (f"{here}?list=waiting", "waiting"), ("/search/", "")):
        page = client.get(here, headers={"Referer": f"http://testserver{referer}"}).content.decode()
        assert f'hx-get="/queue/rail/?current={row.pk}&amp;list={name}"' in page
    assert "list=escalated" in client.get(f"{here}?list=escalated").content.decode()
    assert f'href="{here}?list=team"' in client.get("/queue/rail/?list=team").content.decode()
    assert "Nothing here" in client.get("/queue/rail/?list=escalated").content.decode()
    # Nothing is hers: the team's list is more use than an empty one.
    assert "The hob stays cold" in client.get("/queue/rail/?list=nonsense").content.decode()


def test_an_open_list_of_ones_own_learns_that_a_ticket_was_given_to_somebody_else(cast: Cast) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl, received_at=AT - HOUR, assignee=cast.rita)
    client = browser(cast.rita)
    cursor = client.get("/changes?scope=queue:mine&since=").json()["cursor"]
    assert client.get("/changes", {"scope": "queue:mine", "since": cursor}).status_code == 204
    assignment.assign(ticket, to=cast.sam, by=cast.sam, at=AT)
    news = client.get("/changes", {"scope": "queue:mine", "since": cursor})
    assert news.status_code == 200
    assert client.get("/changes", {"scope": "queue:mine", "since": news.json()["cursor"]}).status_code == 204
