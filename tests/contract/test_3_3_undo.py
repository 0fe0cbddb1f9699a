"""Clause 3.3: an escalation, its acceptance and its decision are taken back within five minutes, while nothing has come
of them. The evidence stays honest: act and undoing both stand in the trail, what was met is owed again by its first due
time, and no undo makes a kept promise a broken one.
"""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest

from csp import deadlines
from csp.models import Breach, Deadline, Notice, TrailEntry, User
from csp.roles import Role
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser
from tickets import complexity, escalation, handling, undoing
from tickets.handling import Refused
from tickets.models import Escalation, Ticket

pytestmark = pytest.mark.django_db
__all__ = ["at_nine"]

AT, SECOND, HOUR, DAY = make.AT, make.SECOND, make.HOUR, make.DAY
MINUTE = 60 * SECOND
Decision = Escalation.Decision


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * HOUR, assignee=cast.rita)


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def open_row(ticket: Ticket) -> Escalation:
    return Escalation.objects.get(ticket=ticket, closed_at__isnull=True)


def undo(ticket: Ticket, by: User, at: dt.datetime = AT + MINUTE) -> object:
    return undoing.undo(ticket, version=undoing.last_of(ticket, by=by), by=by, at=at)


def acts(ticket: Ticket) -> list[str]:
    entries = TrailEntry.objects.filter(subject=ticket.trail_subject, act__startswith="escalation.")
    return list(entries.order_by("version").values_list("act", flat=True))


# ---------------------------------------------------------------- an escalation


def test_an_escalation_taken_back_is_owed_again_by_its_first_due_time(cast: Cast, ticket: Ticket) -> None:
    escalation.escalate(ticket, by=cast.rita, at=AT, reason="Above my limit", to=cast.sam)
    first = again(ticket).escalate
    assert first is not None
    assert first.met_at == AT
    undo(ticket, cast.rita)
    row = Escalation.objects.get(ticket=ticket)
    assert (row.closed_at, row.outcome, row.outcome_note) == (AT + MINUTE, Escalation.Outcome.CLOSED, "Taken back.")
    clock = again(ticket).escalate
    assert clock is not None
    assert (clock.reopens, clock.is_running) == (first, True)
    assert clock.due_at == first.due_at == ticket.received_at + DAY
    first.refresh_from_db()
    assert (first.state, first.met_at) == (Deadline.State.MET, AT), "what was on record stays"
    assert again(ticket).next_obligation == "escalate"
    assert acts(ticket) == ["escalation.raised", "escalation.undone"]
    taken = TrailEntry.objects.get(act="escalation.undone")
    assert json.loads(taken.facts)["undoes"] == TrailEntry.objects.get(act="escalation.raised").pk
    [take_up] = Deadline.objects.filter(obligation="take_up")
    assert take_up.state == Deadline.State.VOID
    assert not Notice.objects.filter(user=cast.sam, kind=Notice.Kind.ESCALATION).exists(), (
        "nobody is sent what is not so"
    )
    complexity.decide_within_authority(ticket, by=cast.rita, at=AT + 2 * MINUTE, reason="It is below my limit")
    assert again(ticket).escalate.state == Deadline.State.MET  # type: ignore[union-attr]


def test_what_is_owed_again_is_broken_in_its_second_like_any_other(cast: Cast, ticket: Ticket) -> None:
    escalation.escalate(ticket, by=cast.rita, at=AT, reason="Above my limit")
    undo(ticket, cast.rita)
    clock = again(ticket).escalate
    assert clock is not None
    deadlines.sweep(clock.due_at)
    assert not Breach.objects.filter(deadline=clock).exists()
    deadlines.sweep(clock.due_at + SECOND)
    assert Breach.objects.get(deadline=clock).breached_at == ticket.received_at + DAY


@pytest.mark.parametrize(("before", "is_undone"), [(2 * SECOND, True), (SECOND, False)])
def test_no_undo_makes_a_kept_promise_a_broken_one(
    cast: Cast, ticket: Ticket, before: dt.timedelta, is_undone: bool
) -> None:
    """Handed up in the last seconds, taken back a second later: only while there is a second left."""
    due = ticket.received_at + DAY
    escalation.escalate(ticket, by=cast.rita, at=due - before, reason="Above my limit")
    if is_undone:
        undo(ticket, cast.rita, at=due - before + SECOND)
        return
    with pytest.raises(Refused, match="run out meanwhile"):
        undo(ticket, cast.rita, at=due - before + SECOND)
    assert open_row(ticket)
    assert again(ticket).escalate.state == Deadline.State.MET  # type: ignore[union-attr]


@pytest.mark.parametrize(("after", "is_undone"), [(5 * MINUTE, True), (5 * MINUTE + SECOND, False)])
def test_five_minutes_to_the_second(cast: Cast, ticket: Ticket, after: dt.timedelta, is_undone: bool) -> None:
    escalation.escalate(ticket, by=cast.rita, at=AT, reason="Above my limit")
    if is_undone:
        undo(ticket, cast.rita, at=AT + after)
        return
    with pytest.raises(Refused, match="five minutes"):
        undo(ticket, cast.rita, at=AT + after)


def test_a_later_act_a_mail_and_a_notice_that_was_read_or_sent_keep_it(cast: Cast, ticket: Ticket) -> None:
    escalation.escalate(ticket, by=cast.rita, at=AT, reason="Above my limit", to=cast.sam)
    told = Notice.objects.get(user=cast.sam, kind=Notice.Kind.ESCALATION)
    Notice.objects.filter(pk=told.pk).update(read_at=AT + SECOND)
    with pytest.raises(Refused, match="Sam Supervisor has been told already"):
        undo(ticket, cast.rita)
    Notice.objects.filter(pk=told.pk).update(read_at=None)
    row = open_row(ticket)
    escalation.accept(row, by=cast.sam, at=AT + SECOND)
    with pytest.raises(Refused, match="accepted the escalation"):
        undo(ticket, cast.rita)
    other = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - HOUR)
    escalation.escalate(other, by=cast.rita, at=AT, reason="Above my limit")
    make.answer(ticket=other, by=cast.rita, at=AT + SECOND, purpose=handling.Purpose.HOLDING)
    with pytest.raises(Refused, match="has happened on"):
        undo(other, cast.rita)


def test_only_ones_own_act_is_taken_back_and_once(cast: Cast, ticket: Ticket) -> None:
    sue = make.person(name="Sue Second", role=Role.SUPERVISOR, team=cast.team)
    escalation.escalate(ticket, by=cast.rita, at=AT, reason="Above my limit")
    version = undoing.last_of(ticket, by=cast.rita)
    for other in (cast.sam, sue):
        with pytest.raises(Refused, match="nothing to undo"):
            undoing.undo(ticket, version=version, by=other, at=AT + SECOND)
    with pytest.raises(Refused, match="role"):
        undoing.undo(ticket, version=version, by=cast.otto, at=AT + SECOND)
    undoing.undo(ticket, version=version, by=cast.rita, at=AT + SECOND)
    with pytest.raises(Refused, match="took an act on the escalation back"):
        undoing.undo(ticket, version=version, by=cast.rita, at=AT + 2 * SECOND)


def test_a_reason_that_joined_and_an_escalation_that_opened_a_ticket_again_stay(cast: Cast, ticket: Ticket) -> None:
    escalation.escalate(ticket, by=cast.rita, at=AT, reason="Above my limit")
    escalation.escalate(ticket, by=cast.rita, at=AT + SECOND, reason="And a lawyer wrote")
    with pytest.raises(Refused, match="joined what was before a supervisor"):
        undo(ticket, cast.rita)
    done = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - HOUR, assignee=cast.rita)
    make.answer(ticket=done, by=cast.rita, at=AT - MINUTE, accepted_at=AT - MINUTE)
    from tickets import lifecycle

    lifecycle.change_state(again(done), to=Ticket.State.RESOLVED, by=cast.rita, at=AT - SECOND)
    escalation.escalate(again(done), by=cast.rita, at=AT, reason="Above my limit")
    with pytest.raises(Refused, match="opened the ticket again"):
        undo(done, cast.rita)


# ---------------------------------------------------------------- what a supervisor did


def test_an_acceptance_taken_back_waits_to_be_taken_up_by_its_first_due_time(cast: Cast, ticket: Ticket) -> None:
    row = escalation.escalate(ticket, by=cast.rita, at=AT - HOUR, reason="Above my limit", to=cast.sam)
    row = Escalation.objects.get(pk=row.pk)
    assert row.take_up is not None
    limit, owed = row.take_up.due_at, {clock.pk for clock in Deadline.objects.filter(responsible=cast.rita)}
    escalation.accept(row, by=cast.sam, at=AT)
    assert owed & set(Deadline.objects.filter(responsible=cast.sam).values_list("pk", flat=True))
    undo(ticket, cast.sam)
    row.refresh_from_db()
    assert (row.accepted_by, row.closed_at) == (cast.sam, AT + MINUTE), "that it was accepted stays on record"
    fresh = open_row(ticket)
    assert fresh.take_up is not None
    assert (fresh.accepted_at, fresh.to_user, fresh.raised_at) == (None, cast.sam, AT - HOUR)
    assert (fresh.take_up.due_at, fresh.take_up.is_running, fresh.next_rung_at) == (limit, True, limit)
    assert set(Deadline.objects.filter(pk__in=owed).values_list("responsible", flat=True)) == {cast.rita.pk}
    assert acts(ticket) == ["escalation.raised", "escalation.accepted", "escalation.undone"]
    escalation.accept(fresh, by=cast.sam, at=AT + 2 * MINUTE)
    assert open_row(ticket).accepted_at == AT + 2 * MINUTE


@pytest.mark.parametrize("decision", [Decision.APPROVE, Decision.TAKE_OVER])
@pytest.mark.parametrize("accepted", [True, False])
def test_a_decision_taken_back_is_undecided_again(
    cast: Cast, ticket: Ticket, decision: Decision, accepted: bool
) -> None:
    row = escalation.escalate(ticket, by=cast.rita, at=AT - HOUR, reason="Above my limit")
    if accepted:
        escalation.accept(row, by=cast.sam, at=AT - MINUTE)
    owed = dict(Deadline.objects.running().filter(obligation="respond").values_list("pk", "responsible"))
    escalation.decide(row, by=cast.sam, at=AT, decision=decision, note="Pay it")
    assert again(ticket).assignee == (cast.sam if decision == Decision.TAKE_OVER else cast.rita)
    undo(ticket, cast.sam)
    row.refresh_from_db()
    assert (row.decision, row.closed_at) == (decision, AT), "the decision stays on record"
    fresh = open_row(ticket)
    assert fresh.accepted_at == (AT - MINUTE if accepted else None)
    assert again(ticket).assignee == cast.rita
    assert dict(Deadline.objects.filter(pk__in=owed).values_list("pk", "responsible")) == owed
    assert not Notice.objects.filter(user=cast.rita, kind=Notice.Kind.RETURNED).exists()
    if not accepted:
        assert fresh.take_up is not None
        assert fresh.take_up.is_running
    escalation.decide(fresh, by=cast.sam, at=AT + 2 * MINUTE, decision=Decision.REJECT, note="Not this one")
    assert not Escalation.objects.filter(ticket=ticket, closed_at__isnull=True).exists()


def test_a_decision_that_was_read_stands(cast: Cast, ticket: Ticket) -> None:
    row = escalation.escalate(ticket, by=cast.rita, at=AT - HOUR, reason="Above my limit")
    escalation.decide(row, by=cast.sam, at=AT, decision=Decision.APPROVE, note="Pay it")
    Notice.objects.filter(user=cast.rita, kind=Notice.Kind.RETURNED).update(read_at=AT + SECOND)
    with pytest.raises(Refused, match="Rita Representative has been told already"):
        undo(ticket, cast.sam)
    row.refresh_from_db()
    assert row.closed_at == AT


def test_what_was_handed_back_is_before_the_supervisors_again(cast: Cast, ticket: Ticket) -> None:
    row = escalation.escalate(ticket, by=cast.rita, at=AT - HOUR, reason="Above my limit", to=cast.sam)
    escalation.hand_back(row, by=cast.sam, at=AT, reason="Within your limit")
    undo(ticket, cast.sam)
    assert (open_row(ticket).to_user, open_row(ticket).accepted_at) == (cast.sam, None)


# ---------------------------------------------------------------- at the desk


@pytest.mark.usefixtures("at_nine")
def test_each_act_has_its_undo_beside_it_and_the_ticket_tells_both(cast: Cast, ticket: Ticket) -> None:
    def button(page: str) -> str:
        [found] = re.findall(rf'action="(/tickets/{ticket.pk}/escalate/undo/[^"]+)"', page)
        return str(found).replace("&amp;", "&")

    rita, sam = browser(cast.rita), browser(cast.sam)
    page = rita.post(f"/tickets/{ticket.pk}/escalate/", {"reason": "Above"}, follow=True).text
    taken = rita.post(button(page), follow=True).text
    assert f"#{ticket.pk} is before no supervisor. It stays marked complex" in taken
    assert "Escalation taken back" in taken
    rita.post(f"/tickets/{ticket.pk}/escalate/", {"reason": "Above"})
    page = sam.post(f"/escalations/{open_row(ticket).pk}/accept/", {"next": "/escalations/"}, follow=True).text
    back = sam.post(button(page), follow=True)
    assert back.redirect_chain[-1][0] == "/escalations/"
    assert f"Undone: #{ticket.pk} waits to be accepted again." in back.text
    decide = f"/escalations/{open_row(ticket).pk}/decide/"
    page = sam.post(decide, {"decision": "approve", "note": "Pay it"}, follow=True).text
    assert browser(cast.rita).post(button(page), follow=True).text.count("There is nothing to undo.") == 1
    assert browser(cast.olga).post(button(page)).status_code == 404
    assert f"Undone: #{ticket.pk} is undecided again." in sam.post(button(page), follow=True).text
    shown = sam.get(f"/tickets/{ticket.pk}/").text
    assert "Decision taken back" in shown
    assert "Acceptance taken back" in shown
    assert "has happened on" in sam.post(button(page), follow=True).text
