"""What people do with a ticket besides writing: each with good and with bad input."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest

from csp import deadlines
from csp.access import AlreadySo
from csp.models import Assessment, Deadline, TrailEntry
from csp.roles import Role
from tests import factories
from tests.cast import Cast
from tests.factories import AT, DAY, HOUR
from tests.tickets.desk import HTMX, at_nine, browser
from tickets import assignment, lifecycle, merging
from tickets.models import Category, Ticket, TicketLink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return factories.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * HOUR)


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def answered(cast: Cast, ticket: Ticket) -> None:
    factories.answer(ticket=ticket, by=cast.rita, at=AT - HOUR, accepted_at=AT - HOUR)


def test_an_assignment_has_an_undo_and_one_that_changes_nothing_says_so(cast: Cast, ticket: Ticket) -> None:
    client, url = browser(cast.sam), f"/tickets/{ticket.pk}/assign/"
    page = client.post(url, {"to": cast.rita.pk}, follow=True).content.decode()
    assert "Assigned to Rita Representative." in page
    assert f'action="{url}undo/"' in page
    same = client.post(url, {"to": cast.rita.pk})
    assert same.status_code == 422
    assert "with Rita Representative already" in same.content.decode()
    assert "with Rita Representative already" in browser(cast.rita).post(f"{url}me/", follow=True).content.decode()
    bulk = client.post("/queue/bulk/", {"t": ticket.pk, "to": cast.rita.pk}, follow=True).content.decode()
    assert f"#{ticket.pk}: nothing to change." in bulk
    assert "has moved" in browser(cast.rita).post(f"{url}undo/", follow=True).content.decode()
    assert browser(cast.otto).post(f"{url}undo/").status_code == 404
    assert "is back with its team" in client.post(f"{url}undo/", follow=True).content.decode()
    assert again(ticket).assignee is None
    assert "with its team already" in client.post(url, {"to": ""}).content.decode()


def test_an_assignment_of_several_is_taken_back_in_one_click_but_for_what_was_moved_since(
    cast: Cast, ticket: Ticket
) -> None:
    other = factories.ticket(team=cast.team, customer=cast.carl, subject="Another", received_at=AT - HOUR)
    assignment.assign(other, to=cast.rita, by=cast.rita, at=AT - HOUR)
    client = browser(cast.sam)
    page = client.post("/queue/bulk/", {"t": [ticket.pk, other.pk], "to": cast.sam.pk}, follow=True).content.decode()
    assert "2 tickets assigned to Sam Supervisor." in page
    [undo] = re.findall(r'action="(/queue/bulk/undo/[^"]+)"', page)
    undo = undo.replace("&amp;", "&")
    assert browser(cast.rita).post(undo).status_code in (302, 403)
    assert {again(ticket).assignee, again(other).assignee} == {cast.sam}
    assert "2 tickets are back" in client.post(undo, follow=True).content.decode()
    assert (again(ticket).assignee, again(other).assignee) == (None, cast.rita)
    assert "has moved" in client.post(undo, follow=True).content.decode(), "once only"
    client.post("/queue/bulk/", {"t": [ticket.pk, other.pk], "to": cast.sam.pk})
    assignment.assign(ticket, to=None, by="people", at=AT)
    page = client.post(undo, follow=True).content.decode()
    assert "1 ticket is back. 1 was left as it is." in page
    assert (again(ticket).assignee, again(other).assignee) == (None, cast.rita)
    client.post("/queue/bulk/", {"t": [ticket.pk, other.pk], "to": cast.sam.pk})
    assignment.assign(ticket, to=cast.rita, by=cast.sam, at=AT + HOUR)
    page = client.post(undo, follow=True).content.decode()
    assert "1 ticket is back. 1 was left as it is." in page, "a later one of one's own is not undone instead"
    assert again(ticket).assignee == cast.rita
    for bad in ("", "&at=x", "&at=2025-03-03"):
        client.post(f"/queue/bulk/undo/?t={ticket.pk}{bad}")
    assert again(ticket).assignee == cast.rita


def test_all_that_somebody_has_is_marked_looked_at_and_handed_to_somebody_else(cast: Cast, ticket: Ticket) -> None:
    theirs = [factories.ticket(team=cast.team, customer=cast.carl, subject=f"Of Rita, {n}") for n in range(3)]
    for one in theirs:
        assignment.assign(one, to=cast.rita, by=cast.rita, at=AT - HOUR)
    client = browser(cast.sam)
    assert f"/queue/team/?who={cast.rita.pk}" in client.get("/escalations/").content.decode()
    page = client.get(f"/queue/team/?who={cast.rita.pk}").content.decode()
    assert page.count('name="t"') == 3
    assert " checked" not in "".join(re.findall(r'<input type="checkbox" name="t"[^>]*>', page))
    [mark] = re.findall(r'href="(\?[^"]*mark=all[^"]*)"', page)
    page = client.get("/queue/team/" + mark.replace("&amp;", "&")).content.decode()
    marked = re.findall(r'<input type="checkbox" name="t" value="(\d+)"[^>]* checked>', page)
    assert {int(number) for number in marked} == {one.pk for one in theirs}
    client.post("/queue/bulk/", {"t": marked, "to": cast.sam.pk})
    assert {again(one).assignee for one in theirs} == {cast.sam}
    assert again(ticket).assignee is None
    plain = browser(cast.rita).get(f"/queue/team/?who={cast.sam.pk}&mark=all").content.decode()
    assert not re.findall(r'name="t"[^>]* checked', plain), "who hands on nobody's work marks one by one"


def test_a_ticket_is_assigned_taken_and_given_back(cast: Cast, ticket: Ticket) -> None:
    client, url = browser(cast.sam), f"/tickets/{ticket.pk}/assign/"
    assert client.get(url).status_code == 200
    assert client.post(url, {"to": cast.rita.pk}).status_code == 302
    assert again(ticket).assignee == cast.rita
    refused = client.post(url, {"to": cast.otto.pk})  # not of this team
    assert refused.status_code == 422
    client.post(url, {"to": ""})
    assert again(ticket).assignee is None
    browser(cast.rita).post(f"/tickets/{ticket.pk}/assign/me/")
    assert again(ticket).assignee == cast.rita


def test_a_step_comes_as_a_page_and_as_a_dialog_and_ends_the_same(cast: Cast, ticket: Ticket) -> None:
    client, url = browser(cast.rita), f"/tickets/{ticket.pk}/escalate/"
    assert "<html" in client.get(url).content.decode()
    assert "<html" not in client.get(url, headers=HTMX).content.decode()
    bad = client.post(url, {"reason": ""}, headers=HTMX)
    assert (bad.status_code, "<html" in bad.content.decode()) == (422, False)
    good = client.post(url, {"reason": "Above my limit"}, headers=HTMX)
    assert good["HX-Redirect"] == f"/tickets/{ticket.pk}/"


def test_a_ticket_moves_only_within_its_contract(cast: Cast, ticket: Ticket) -> None:
    client, url = browser(cast.rita), f"/tickets/{ticket.pk}/move/"
    assert client.post(url, {"team": 999}).status_code == 422
    assert client.post(url, {"team": cast.other_team.pk})["Location"] == "/queue/"
    assert again(ticket).team == cast.other_team
    assert client.get(f"/tickets/{ticket.pk}/").status_code == 404
    theirs = browser(cast.otto)
    assert f'value="{cast.other_team.pk}"' not in theirs.get(url).content.decode()
    same = theirs.post(url, {"team": cast.other_team.pk})
    assert same.status_code == 422
    assert f"is with {cast.other_team} already. Nothing was changed." in same.content.decode()


def test_what_somebody_did_a_moment_before_is_answered_as_done_already(cast: Cast, ticket: Ticket) -> None:
    """The page, or a program, had read it before: the verbs judge what is so under the lock."""
    answered(cast, ticket)
    factories.grant(user=cast.sam, role=Role.SUPERVISOR, team=cast.other_team)
    acts: list[tuple[str, Callable[[Ticket], object]]] = [
        ("Sam Supervisor", lambda row: assignment.assign(row, to=cast.sam, by=cast.sam, at=AT)),
        ("“Resolved”", lambda row: lifecycle.change_state(row, to=Ticket.State.RESOLVED, by=cast.rita, at=AT)),
        (cast.other_team.name, lambda row: assignment.move(row, team=cast.other_team, by=cast.sam, at=AT)),
    ]
    for says, verb in acts:
        stale = again(ticket)
        verb(again(ticket))
        before = TrailEntry.objects.count()
        with pytest.raises(AlreadySo, match=f"#{ticket.pk} .*{says} already. Nothing was changed."):
            verb(stale)
        assert TrailEntry.objects.count() == before


def test_a_resolution_of_what_is_resolved_already_is_written_down_all_the_same(cast: Cast, ticket: Ticket) -> None:
    answered(cast, ticket)
    lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=AT, resolution="Credited.")
    typed = {"then": "resolved", "text": "Credited in full."}
    page = browser(cast.rita).post(f"/tickets/{ticket.pk}/resolution/", typed, follow=True).content.decode()
    assert "Written down." in page
    assert again(ticket).resolutions.latest("pk").text == "Credited in full."


def test_a_state_hides_nothing_that_a_customer_waits_for(cast: Cast, ticket: Ticket) -> None:
    client, url = browser(cast.rita), f"/tickets/{ticket.pk}/state/"
    refused = client.post(url, {"state": "resolved", "resolution": "Credited."})
    assert refused.status_code == 422
    assert "Credited." in refused.content.decode()
    answered(cast, ticket)
    assert client.post(url, {"state": "resolved", "resolution": "Credited."}).status_code == 302
    assert (again(ticket).state, again(ticket).resolutions.get().text) == ("resolved", "Credited.")
    assert client.post(url, {"state": "merged"}).status_code == 422
    same = client.post(url, {"state": "resolved", "resolution": "Credited twice."})
    assert same.status_code == 422
    assert "has the state “Resolved” already" in same.content.decode()
    assert "Credited twice." in same.content.decode(), "what was typed is not lost"


def test_what_a_ticket_is_can_be_said_and_a_complaint_not_be_unmade_by_its_assignee(cast: Cast, ticket: Ticket) -> None:
    category = Category.objects.create(contract=cast.contract, name="Delivery")
    client, url = browser(cast.rita), f"/tickets/{ticket.pk}/edit/"
    said = {"subject": "Floor", "kind": "complaint", "priority": 3, "category": category.pk}
    assert client.post(url, said).status_code == 302
    row = again(ticket)
    assert (row.subject, row.kind, row.priority, row.category) == ("Floor", "complaint", 3, category)
    assert client.post(url, said | {"kind": "inquiry"}).status_code == 422
    assert client.post(url, said | {"subject": "", "priority": 9}).status_code == 422


def test_a_reminder_is_to_come_or_none(cast: Cast, ticket: Ticket) -> None:
    client, url = browser(cast.rita), f"/tickets/{ticket.pk}/remind/"
    assert client.post(url, {"until": "2025-03-01T10:00"}).status_code == 422
    assert client.post(url, {"until": "2025-03-05T10:00"}).status_code == 302
    # the person's own zone; London is on UTC in March
    assert again(ticket).pending_until == dt.datetime(2025, 3, 5, 10, tzinfo=dt.UTC)
    client.post(url, {"until": ""})
    assert again(ticket).pending_until is None


def test_complex_is_marked_and_decided_within_authority_with_reasons(cast: Cast, ticket: Ticket) -> None:
    client = browser(cast.rita)
    assert client.post(f"/tickets/{ticket.pk}/within-authority/", {"reason": "Small"}).status_code == 422
    assert client.post(f"/tickets/{ticket.pk}/complex/", {"reason": ""}).status_code == 422
    assert client.post(f"/tickets/{ticket.pk}/complex/", {"reason": "A claim"}).status_code == 302
    assert client.post(f"/tickets/{ticket.pk}/within-authority/", {"reason": "Below my limit"}).status_code == 302
    [clock_row] = factories.clocks(ticket=ticket, obligation="escalate")
    assert clock_row.met_at == AT


def test_tickets_of_one_customer_merge_and_come_apart_again(cast: Cast, ticket: Ticket) -> None:
    target = factories.ticket(team=cast.team, customer=cast.carl, received_at=AT - HOUR)
    other = factories.ticket(team=cast.team, customer=cast.rhea, received_at=AT - HOUR)
    foreign = factories.ticket(team=cast.other_team, customer=cast.carl, received_at=AT - HOUR)
    client, url = browser(cast.rita), f"/tickets/{ticket.pk}/merge/"
    assert f"#{target.pk}" in client.get(url).content.decode()
    for typed in (other.reference, foreign.reference, "#999999", "nonsense", ticket.reference):
        assert client.post(url, {"other": typed}).status_code == 422, typed
    client.post(url, {"other": target.reference})
    assert again(ticket).merged_into == target
    assert client.get(f"/tickets/{ticket.pk}/")["Location"] == f"/tickets/{target.pk}/"
    assert f"#{ticket.pk} was merged into this" in client.get(f"/tickets/{target.pk}/").content.decode()
    client.post(f"/tickets/{ticket.pk}/unmerge/")
    assert again(ticket).merged_into is None


def test_a_link_to_a_ticket_that_one_cannot_see_is_not_made_and_not_shown(cast: Cast, ticket: Ticket) -> None:
    foreign = factories.ticket(team=cast.other_team, customer=cast.rhea, subject="A secret of Rhea's")
    client = browser(cast.rita)
    assert client.post(f"/tickets/{ticket.pk}/link/", {"other": foreign.reference}).status_code == 422
    merging.link(ticket, other=foreign, kind=TicketLink.Kind.RELATED, by="intake", at=AT)
    assert "A secret" not in client.get(f"/tickets/{ticket.pk}/").content.decode()


def test_a_stranger_who_quoted_us_is_joined_by_one_click(cast: Cast, ticket: Ticket) -> None:
    stranger = factories.ticket(team=cast.team, customer=cast.rhea, received_at=AT - HOUR)
    client = browser(cast.rita)
    refused = client.post(f"/tickets/{stranger.pk}/join/", follow=True)
    assert "is not linked" in refused.content.decode()
    merging.link(stranger, other=ticket, kind=TicketLink.Kind.STRANGER, by="intake", at=AT)
    assert f"/tickets/{stranger.pk}/join/" in client.get(f"/tickets/{stranger.pk}/").content.decode()
    client.post(f"/tickets/{stranger.pk}/join/")
    assert again(stranger).merged_into == ticket


def test_a_deadline_is_waived_by_a_supervisor_with_a_reason_and_the_queue_knows(cast: Cast, ticket: Ticket) -> None:
    row = ticket.respond
    url = f"/tickets/{ticket.pk}/deadlines/{row.pk}/waive/"
    assert browser(cast.rita).post(url, {"reason": "Spam"}).status_code == 403
    assert browser(cast.olga).post(url, {"reason": "Spam"}).status_code == 404
    client = browser(cast.sam)
    assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "A test of our own"}).status_code == 302
    assert Deadline.objects.get(pk=row.pk).void_reason == "A test of our own"
    assert again(ticket).next_obligation == "acknowledge"
    other = factories.ticket(team=cast.other_team, customer=cast.rhea)
    assert client.post(f"/tickets/{ticket.pk}/deadlines/{other.respond_id}/waive/").status_code == 404


def test_a_breach_is_assessed_by_two_people_of_whom_one_is_outside(cast: Cast) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * DAY, at=AT - 2 * DAY)
    deadlines.sweep(AT)
    url = f"/tickets/{ticket.pk}/deadlines/{ticket.respond_id}/assess/"
    client = browser(cast.rita)
    assert "Propose an assessment" in client.get(f"/tickets/{ticket.pk}/").content.decode()
    assert client.post(url, {"verdict": "not_owed", "reason": ""}).status_code == 422
    assert client.post(url, {"verdict": "not_owed", "reason": "A test"}).status_code == 302
    row = Assessment.objects.get()
    own = browser(cast.sam)
    assert own.post(f"/assessments/{row.pk}/", {"agreed": "yes", "reason": "So it was"}).status_code == 403
    assert "Decide the assessment" not in own.get(f"/tickets/{ticket.pk}/").content.decode()
    row.refresh_from_db()
    assert row.decided_at is None
