"""Clause 3.3: who is away decides and answers nothing. All that they hold goes to their deputy in one act, and back.

The clocks of the contract run on from receipt, to the second, whoever has the work; the target to take an escalation up
runs on where nobody had accepted it, and begins anew where what was accepted is put before somebody else.
"""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest

from csp import deadlines, restrictions, shifts
from csp.models import Absence, Deadline, Restriction, TrailEntry, User
from csp.roles import Role
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser
from tickets import assignment, complexity, confidence, escalation, handing_on, standing_in
from tickets.handling import Refused
from tickets.models import Escalation, Ticket

pytestmark = pytest.mark.django_db
__all__ = ["at_nine"]

AT, SECOND, HOUR, DAY = make.AT, make.SECOND, make.HOUR, make.DAY


@pytest.fixture
def sue(cast: Cast) -> User:
    return make.person(name="Sue Second", role=Role.SUPERVISOR, team=cast.team)


def away(who: User, deputy: User | None, by: User, until: dt.datetime = AT + 3 * DAY) -> Absence:
    return shifts.enter(who, starts_at=AT - HOUR, ends_at=until, deputy=deputy, by=by, at=AT - DAY)


def held(cast: Cast, who: User, **more: object) -> Ticket:
    row = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * HOUR, assignee=who, **more)  # type: ignore[arg-type]
    return again(row)


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def before(cast: Cast, to: User, at: dt.datetime = AT - HOUR) -> Escalation:
    """An escalation that stands before this supervisor, of a ticket of Rita's."""
    row = escalation.escalate(held(cast, cast.rita), by=cast.rita, at=at, reason="Above my limit", to=to)
    return Escalation.objects.get(pk=row.pk)


def reasons(absence: Absence, by: User) -> dict[int, str]:
    return {item.ticket.pk: item.why_not for item in standing_in.look(absence, by=by, at=AT).stays}


def test_all_of_somebodys_work_goes_to_the_deputy_and_back_in_one_act_each(cast: Cast, sue: User) -> None:
    tickets = [held(cast, cast.rita) for _ in range(standing_in.BATCH + 3)]
    absence = away(cast.rita, cast.sam, cast.sam)
    dues = {ticket.pk: ticket.next_due_at for ticket in tickets}
    moved = standing_in.hand_over(absence, to=cast.sam, by=sue, at=AT)
    assert (moved.tickets, moved.escalations, moved.left) == (len(tickets), 0, [])
    for ticket in tickets:
        row = again(ticket)
        assert (row.assignee, row.respond.responsible, row.next_due_at) == (cast.sam, cast.sam, dues[ticket.pk])
    acts = TrailEntry.objects.filter(subject=f"user:{cast.rita.pk}", act="work.handed_on").order_by("version")
    assert [len(json.loads(act.facts)["tickets"]) for act in acts] == [standing_in.BATCH, 3]
    back = standing_in.take_back(absence, version=moved.version, by=sue, at=AT + SECOND)
    assert (back.tickets, back.left) == (len(tickets), [])
    assert {again(ticket).assignee for ticket in tickets} == {cast.rita}
    taken = TrailEntry.objects.filter(subject=f"user:{cast.rita.pk}", act="work.taken_back").order_by("version")
    assert [json.loads(act.facts)["undoes"] for act in taken] == [act.pk for act in acts]
    assert acts.count() == 2, "what was undone stays in the trail, with its undoing"
    once_more = standing_in.take_back(absence, version=moved.version, by=sue, at=AT + 2 * SECOND)
    assert not once_more
    assert all("since" in reason for reason in once_more.left)


def test_only_ones_own_handing_over_is_taken_back_and_what_was_moved_since_stays(cast: Cast, sue: User) -> None:
    first, second = held(cast, cast.rita), held(cast, cast.rita)
    absence = away(cast.rita, cast.sam, cast.sam)
    moved = standing_in.hand_over(absence, to=cast.sam, by=sue, at=AT)
    with pytest.raises(Refused, match="nothing to undo"):
        standing_in.take_back(absence, version=moved.version, by=cast.sam, at=AT)
    with pytest.raises(Refused, match="nothing to undo"):
        standing_in.take_back(absence, version=moved.version + 1, by=sue, at=AT)
    assignment.assign(first, to=sue, by=sue, at=AT + SECOND)
    back = standing_in.take_back(absence, version=moved.version, by=sue, at=AT + 2 * SECOND)
    assert (back.tickets, len(back.left)) == (1, 1)
    assert (again(first).assignee, again(second).assignee) == (sue, cast.rita)


def test_each_press_is_taken_back_alone(cast: Cast, sue: User) -> None:
    absence = away(cast.rita, cast.sam, cast.sam)
    first = held(cast, cast.rita)
    one = standing_in.hand_over(absence, to=cast.sam, by=sue, at=AT)
    second = held(cast, cast.rita)
    two = standing_in.hand_over(absence, to=cast.sam, by=sue, at=AT + SECOND)
    assert standing_in.take_back(absence, version=one.version, by=sue, at=AT + HOUR).tickets == 1
    assert (again(first).assignee, again(second).assignee) == (cast.rita, cast.sam)
    assert standing_in.take_back(absence, version=two.version, by=sue, at=AT + HOUR).tickets == 1


def test_what_may_not_go_stays_and_says_why(cast: Cast, sue: User) -> None:
    absence = away(sue, cast.rita, cast.sam)
    goes = held(cast, sue)
    theirs = held(cast, sue, kind=Ticket.Kind.COMPLAINT)
    confidence.say_whom(theirs, about=cast.rita, by=cast.sam, at=AT)
    complaint = held(cast, sue, kind=Ticket.Kind.COMPLAINT)
    restrictions.impose(
        cast.rita, [Restriction.Kind.NO_COMPLAINTS], clause="8.2", cause="measure:1", path="/measures/1/",
        starts_at=AT - DAY, ends_at=None, by=cast.adam, at=AT - DAY,
    )  # fmt: skip
    row = before(cast, sue)
    why = reasons(absence, cast.sam)
    assert set(why) == {theirs.pk, complaint.pk, row.ticket_id}
    assert "cannot work on this ticket" in why[theirs.pk]
    assert "no complaints" in why[complaint.pk]
    assert "is not a supervisor" in why[row.ticket_id]
    moved = standing_in.hand_over(absence, to=cast.rita, by=cast.sam, at=AT)
    assert (moved.tickets, moved.escalations, len(moved.left)) == (1, 0, 3)
    assert again(goes).assignee == cast.rita
    assert {again(ticket).assignee for ticket in (theirs, complaint)} == {sue}


def test_a_deputy_who_handed_it_up_does_not_decide_it(cast: Cast, sue: User) -> None:
    """Own work (clause 2): whose ticket it was, or who escalated it, is not who says yes or no."""
    own = escalation.escalate(held(cast, cast.sam), by=cast.sam, at=AT - HOUR, reason="Above", to=sue)
    other = before(cast, sue)
    absence = away(sue, cast.sam, cast.adam)
    assert reasons(absence, cast.sam) == {
        own.ticket_id: "Sam Supervisor handed this up. Somebody else decides it."
    }  # fmt: skip
    moved = standing_in.hand_over(absence, to=cast.sam, by=cast.sam, at=AT)
    assert (moved.escalations, len(moved.left)) == (1, 1)
    assert Escalation.objects.get(pk=other.pk).to_user == cast.sam
    assert Escalation.objects.get(pk=own.pk).to_user == sue


def test_who_belongs_to_another_team_gets_nothing(cast: Cast) -> None:
    ticket = held(cast, cast.rita)
    absence = away(cast.rita, cast.otto, cast.sam)
    assert "does not belong" in reasons(absence, cast.sam)[ticket.pk]
    assert not standing_in.hand_over(absence, to=cast.otto, by=cast.sam, at=AT)
    assert again(ticket).assignee == cast.rita


def test_nobody_hands_over_for_somebody_who_is_here_or_to_another_than_the_page_named(cast: Cast, sue: User) -> None:
    held(cast, cast.rita)
    absence = away(cast.rita, cast.sam, cast.sam, until=AT + HOUR)
    for to in (sue, None):
        with pytest.raises(Refused, match="Somebody else stands in"):
            standing_in.hand_over(absence, to=to, by=cast.sam, at=AT)
    with pytest.raises(Refused, match="not away"):
        standing_in.hand_over(absence, to=cast.sam, by=cast.sam, at=AT + HOUR)
    with pytest.raises(Refused, match="not away"):
        standing_in.hand_over(absence, to=cast.sam, by=cast.sam, at=AT - HOUR - SECOND)
    with pytest.raises(Refused, match="role"):
        standing_in.hand_over(absence, to=cast.sam, by=cast.otto, at=AT)
    assert standing_in.hand_over(absence, to=cast.sam, by=cast.sam, at=AT + HOUR - SECOND)


# ---------------------------------------------------------------- the edge of the second


@pytest.mark.parametrize(("late", "state"), [(dt.timedelta(), "met"), (SECOND, "met_late")])
def test_the_clock_of_a_handed_on_case_runs_on_from_receipt(cast: Cast, late: dt.timedelta, state: str) -> None:
    """The last second of the old holder is the last second of the new one: an answer in it is in time."""
    ticket = held(cast, cast.rita)
    due = ticket.respond.due_at
    assert due == ticket.received_at + DAY
    absence = away(cast.rita, cast.sam, cast.sam)
    standing_in.hand_over(absence, to=cast.sam, by=cast.sam, at=due - SECOND)
    assert Deadline.objects.get(pk=ticket.respond_id).due_at == due
    make.answer(ticket=again(ticket), by=cast.sam, at=due - SECOND, accepted_at=due + late)
    row = Deadline.objects.get(pk=ticket.respond_id)
    assert (row.state, row.met_at) == (state, due + late)
    holders = list(row.held.order_by("since").values_list("user", "until"))
    assert holders == [(cast.rita.pk, due - SECOND)], "who had it, and until when, is on record"


@pytest.mark.parametrize(("after", "is_broken"), [(dt.timedelta(), False), (SECOND, True)])
def test_the_clock_to_escalate_runs_on_where_the_ticket_is_handed_on(
    cast: Cast, after: dt.timedelta, is_broken: bool
) -> None:
    ticket = held(cast, cast.rita)
    complexity.mark_complex(ticket, by=cast.rita, at=AT, reason="A claim")
    limit = again(ticket).escalate
    assert limit is not None
    absence = away(cast.rita, cast.sam, cast.sam)
    standing_in.hand_over(absence, to=cast.sam, by=cast.sam, at=limit.due_at)
    deadlines.sweep(limit.due_at + after)
    row = Deadline.objects.get(pk=limit.pk)
    assert (row.due_at, row.responsible) == (limit.due_at, cast.sam)
    assert (row.state == Deadline.State.BREACHED) is is_broken


def test_what_nobody_has_accepted_keeps_its_time_to_be_taken_up(cast: Cast, sue: User) -> None:
    row = before(cast, sue)
    assert row.take_up is not None
    limit = row.take_up.due_at
    absence = away(sue, cast.sam, cast.adam)
    moved = standing_in.hand_over(absence, to=cast.sam, by=cast.sam, at=limit - SECOND)
    row.refresh_from_db()
    assert row.take_up is not None
    assert (row.to_user, row.take_up.responsible, row.take_up.due_at) == (cast.sam, cast.sam, limit)
    assert row.next_rung_at == limit
    standing_in.take_back(absence, version=moved.version, by=cast.sam, at=limit)
    row.refresh_from_db()
    assert row.take_up is not None
    assert (row.to_user, row.take_up.responsible, row.take_up.due_at) == (sue, sue, limit)
    escalation.accept(row, by=sue, at=limit)
    assert Deadline.objects.get(pk=row.take_up.pk).state == Deadline.State.MET


def test_what_was_accepted_stays_accepted_on_record_and_is_put_before_the_deputy_anew(cast: Cast, sue: User) -> None:
    row = escalation.accept(before(cast, sue), by=sue, at=AT - 1800 * SECOND)
    clocks = {clock.pk: clock.due_at for clock in Deadline.objects.filter(responsible=sue, met_at__isnull=True)}
    assert clocks, "who accepts owes what runs on the ticket"
    absence = away(sue, cast.sam, cast.adam)
    moved = standing_in.hand_over(absence, to=cast.sam, by=cast.sam, at=AT)
    assert moved.escalations == 1
    row.refresh_from_db()
    assert (row.accepted_by, row.closed_at, row.outcome) == (sue, AT, Escalation.Outcome.CLOSED)
    fresh = Escalation.objects.get(ticket=row.ticket, closed_at__isnull=True)
    assert fresh.take_up is not None
    assert (fresh.to_user, fresh.accepted_at, fresh.take_up.starts_at) == (cast.sam, None, AT)
    assert fresh.take_up.due_at == AT + 4 * HOUR
    for pk, due in clocks.items():
        clock = Deadline.objects.get(pk=pk)
        assert (clock.responsible, clock.due_at) == (cast.sam, due)
    standing_in.take_back(absence, version=moved.version, by=cast.sam, at=AT + SECOND)
    again_hers = Escalation.objects.get(ticket=row.ticket, closed_at__isnull=True)
    assert (again_hers.accepted_by, again_hers.accepted_at) == (sue, row.accepted_at)
    unasked = fresh.take_up
    fresh.refresh_from_db()
    assert (fresh.closed_at, fresh.outcome) == (AT + SECOND, Escalation.Outcome.CLOSED)
    assert Deadline.objects.get(pk=unasked.pk).state == Deadline.State.VOID
    assert {Deadline.objects.get(pk=pk).responsible for pk in clocks} == {sue}
    acts = TrailEntry.objects.filter(subject=row.ticket.trail_subject, act="escalation.handed_on").order_by("version")
    assert [json.loads(act.facts).get("undoes") for act in acts] == [None, acts[0].pk]


def test_what_the_deputy_has_accepted_since_is_not_taken_back(cast: Cast, sue: User) -> None:
    row = before(cast, sue)
    absence = away(sue, cast.sam, cast.adam)
    moved = standing_in.hand_over(absence, to=cast.sam, by=cast.sam, at=AT)
    escalation.accept(row, by=cast.sam, at=AT + SECOND)
    back = standing_in.take_back(absence, version=moved.version, by=cast.sam, at=AT + 2 * SECOND)
    assert (back.escalations, len(back.left)) == (0, 1)
    assert Escalation.objects.get(pk=row.pk).accepted_by == cast.sam
    with pytest.raises(Refused, match="since"):
        handing_on.undo(row, done_at=AT, by=cast.sam, at=AT + 3 * SECOND)


# ---------------------------------------------------------------- the pages


@pytest.mark.usefixtures("at_nine")
def test_an_absence_is_told_where_the_work_is_and_leads_to_all_that_the_person_holds(cast: Cast, sue: User) -> None:
    held(cast, cast.rita)
    absence = away(cast.rita, cast.sam, cast.sam)
    says, page = (
        "Rita Representative is away until Thu 6 Mar 09:00, deputy Sam Supervisor.",
        f"/escalations/away/{absence.pk}/",
    )
    for path in ("/escalations/", f"/queue/team/?who={cast.rita.pk}"):
        shown = browser(sue).get(path).content.decode()
        assert says in shown, path
        assert page in shown, path
    assert "You are away until Thu 6 Mar 09:00, deputy Sam Supervisor." in browser(cast.rita).get("/queue/mine/").text
    assert "is away" not in browser(sue).get("/queue/mine/").text
    person = browser(cast.adam).get(f"/settings/people/{cast.rita.pk}/").text
    assert says in person
    assert page not in person, "an administrator hands on nobody's tickets"
    make.grant(user=cast.adam, role=Role.SUPERVISOR, team=cast.team)
    assert page in browser(cast.adam).get(f"/settings/people/{cast.rita.pk}/").text
    for stranger, status in ((cast.otto, 404), (cast.olga, 404), (cast.vera, 403), (cast.fay, 403)):
        assert browser(stranger).get(page).status_code == status
    shifts.end(absence, by=cast.sam, at=AT)
    assert "is away" not in browser(sue).get("/escalations/").text


@pytest.mark.usefixtures("at_nine")
def test_the_page_names_what_goes_and_what_stays_hands_over_and_takes_back(cast: Cast, sue: User) -> None:
    goes = [held(cast, cast.rita, subject=f"Goes {n}") for n in range(55)]
    stays = held(cast, cast.rita, subject="About the deputy", kind=Ticket.Kind.COMPLAINT)
    confidence.say_whom(stays, about=cast.sam, by=sue, at=AT)
    absence = away(cast.rita, cast.sam, cast.sam)
    client, url = browser(sue), f"/escalations/away/{absence.pk}/"
    page = client.get(url).text
    assert "Hand 55 over to Sam Supervisor" in page
    assert page.index("Stays, and why") < page.index("About the deputy") < page.index("Goes to Sam")
    assert "Sam Supervisor cannot work on this ticket." in page
    assert "About the deputy" not in browser(cast.sam).get(url).text, "which is not theirs to know of"
    refused = client.post(url, {"to": sue.pk}, follow=True).text
    assert "Somebody else stands in by now" in refused
    done = client.post(url, {"to": cast.sam.pk}, follow=True).text
    assert "Handed over to Sam Supervisor: 55 tickets. 1 was left as it is." in done
    assert {again(ticket).assignee for ticket in goes} == {cast.sam}
    [undo] = re.findall(rf'action="({url}undo/\d+/)"', done)
    assert browser(cast.sam).post(undo, follow=True).text.count("There is nothing to undo.") == 1
    back = client.post(undo, follow=True).text
    assert "Undone, back with Rita Representative: 55 tickets." in back
    assert {again(ticket).assignee for ticket in [*goes, stays]} == {cast.rita}
    assert "since" in client.post(undo, follow=True).text


@pytest.mark.usefixtures("at_nine")
def test_where_nobody_stands_in_the_page_says_what_to_do(cast: Cast, sue: User) -> None:
    held(cast, cast.rita)
    absence = away(cast.rita, None, cast.sam)
    page = browser(sue).get(f"/escalations/away/{absence.pk}/").text
    assert "Nobody stands in." in page
    assert 'href="/settings/shifts/"' in page
    assert (
        "<button"
        not in page[page.index('class="page-head__acts"') : page.index("</header>", page.index("page-head__acts"))]
    )
    away(cast.sam, sue, cast.adam)
    busy = away(cast.rita, cast.sam, cast.adam, until=AT + 4 * DAY)
    assert "Sam Supervisor is away until" in browser(sue).get(f"/escalations/away/{busy.pk}/").text


@pytest.mark.usefixtures("at_nine")
def test_whoever_goes_away_hands_their_own_work_over_themselves(cast: Cast) -> None:
    ticket = held(cast, cast.rita)
    absence = away(cast.rita, cast.sam, cast.rita)
    done = browser(cast.rita).post(f"/escalations/away/{absence.pk}/", {"to": cast.sam.pk}, follow=True).text
    assert "Handed over to Sam Supervisor: 1 ticket." in done
    assert again(ticket).assignee == cast.sam
