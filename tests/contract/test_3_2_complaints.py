"""Clause 3.2: complaints are resolved along a standard procedure, and closed with cause, resolution and proof."""

import datetime as dt
from decimal import Decimal

import pytest

from csp.events import Act
from csp.models import TrailEntry
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.tickets.desk import browser
from tickets import closing, handling, lifecycle, resolving
from tickets.closing import NotFinished
from tickets.handling import Refused
from tickets.models import Resolution, Ticket

AT, SECOND, DAY, HOUR = make.AT, make.SECOND, make.DAY, make.HOUR
State, Kind, Acceptance = Ticket.State, Ticket.Kind, Resolution.Acceptance
SAID = {"cause": "work", "cause_note": "Not tested.", "kind": "corrected", "text": "Tightened and dried."}


def complaint(cast: Cast, **more: object) -> Ticket:
    """A complaint that Rita has and has answered an hour after its receipt."""
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita, kind=Kind.COMPLAINT, **more)
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    return Ticket.objects.get(pk=ticket.pk)


def lacking(ticket: Ticket, to: State = State.CLOSED) -> list[str]:
    return [row.name for row in closing.missing(Ticket.objects.get(pk=ticket.pk), to)]


def resolve(ticket: Ticket, by: object, at: dt.datetime) -> Ticket:
    return lifecycle.change_state(ticket, to=State.RESOLVED, by=by, at=at)


# ---------------------------------------------------------------- what closing needs


def test_a_complaint_is_resolved_with_cause_and_resolution_and_closed_with_the_customers_answer(cast: Cast) -> None:
    ticket = complaint(cast)
    assert lacking(ticket) == ["cause", "resolution", "acceptance"]
    with pytest.raises(NotFinished, match=r"root cause.*how the complaint was resolved") as refusal:
        resolve(ticket, cast.rita, AT + 2 * HOUR)
    assert [row.url_name for row in refusal.value.missing] == ["resolution", "resolution"]
    resolving.write_down(ticket, by=cast.rita, at=AT + 2 * HOUR, **{**SAID, "cause_note": " "})
    assert lacking(ticket, State.RESOLVED) == ["cause"]  # a choice without its words is none
    resolving.write_down(ticket, by=cast.rita, at=AT + 2 * HOUR, **SAID, amount=Decimal("120.50"))
    resolve(ticket, cast.rita, AT + 3 * HOUR)
    with pytest.raises(NotFinished, match="accepted the resolution"):
        lifecycle.change_state(ticket, to=State.CLOSED, by=cast.rita, at=AT + 4 * HOUR)
    resolving.record_acceptance(ticket, Acceptance.YES, cast.rita, AT + 4 * HOUR)
    lifecycle.change_state(ticket, to=State.CLOSED, by=cast.rita, at=AT + 5 * HOUR)
    row = Resolution.objects.get(ticket=ticket)
    assert (row.resolved_at, row.resolved_by, row.amount) == (AT + 3 * HOUR, cast.rita, Decimal("120.50"))
    assert (row.acceptance, row.answered_at, row.answer_by) == ("yes", AT + 4 * HOUR, cast.rita)
    acts = TrailEntry.objects.filter(subject=ticket.trail_subject).values_list("act", flat=True)
    assert {Act.RESOLUTION_WRITTEN, Act.RESOLUTION_ANSWERED, Act.TICKET_STATE} <= set(acts)
    with pytest.raises(Refused, match="closed"):
        resolving.write_down(ticket, by=cast.rita, at=AT + 6 * HOUR, **SAID)


def test_an_inquiry_needs_an_answer_only(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    assert lacking(ticket) == ["answer"]
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    assert lacking(ticket) == []
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    assert not Resolution.objects.exists()
    lifecycle.change_state(ticket, to=State.CLOSED, by=cast.rita, at=AT + 3 * HOUR, resolution="Explained.")
    assert Resolution.objects.get().text == "Explained."


def test_an_answer_that_resolves_leaves_a_complaint_open_that_lacks_something(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, kind=Kind.COMPLAINT)
    words = {"by": cast.rita, "body": "Done.", "seen_through": make.on_screen(ticket=ticket), "then": State.RESOLVED}
    handling.respond(ticket, at=AT + HOUR, **words)
    assert Ticket.objects.get(pk=ticket.pk).state == State.OPEN
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    handling.respond(ticket, at=AT + 2 * HOUR, **words)
    assert Ticket.objects.get(pk=ticket.pk).state == State.RESOLVED
    assert Resolution.objects.get().resolved_at == AT + 2 * HOUR


@pytest.mark.parametrize(("after", "closed"), [(7 * DAY - SECOND, False), (7 * DAY, True)])
def test_after_seven_quiet_days_no_answer_is_the_customers_answer(
    cast: Cast, after: dt.timedelta, closed: bool
) -> None:
    ticket = complaint(cast)
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    lifecycle.close_resolved(AT + 2 * HOUR + after)
    row = Resolution.objects.get()
    assert (row.acceptance, row.answer_by) == (("no_answer", None) if closed else ("", None))
    assert (Ticket.objects.get(pk=ticket.pk).state == State.CLOSED) is closed


# ---------------------------------------------------------------- whether it held


def test_a_customer_who_comes_back_shows_that_it_did_not_hold(cast: Cast) -> None:
    ticket = complaint(cast)
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    again = make.message(ticket=ticket, at=AT + 9 * HOUR, body="It leaks again.")
    row = Resolution.objects.get()
    assert (row.undone_at, row.undone_by, row.holds) == (AT + 9 * HOUR, again, False)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.next_obligation) == (State.OPEN, "follow_up")
    assert lacking(ticket) == ["answer", "cause", "resolution", "acceptance"]  # the earlier one counts no more
    make.answer(ticket=ticket, by=cast.rita, at=AT + 10 * HOUR, accepted_at=AT + 10 * HOUR)
    resolving.write_down(ticket, by=cast.rita, at=AT + 11 * HOUR, **{**SAID, "text": "A new seal."})
    resolve(ticket, cast.rita, AT + 11 * HOUR)
    assert [each.holds for each in resolving.history(ticket)] == [False, True]
    page = browser(cast.rita).get(ticket.path).content.decode()
    assert "Did not hold" in page
    assert "A new seal." in page
    refused(f"update tickets_resolution set text = 'x' where id = {row.pk}", saying="does not change")
    refused("delete from tickets_resolution", saying="by disposal only")
    refused("update tickets_resolution set undone_at = null, undone_by_id = null", saying="one_resolution_in_force")


def test_thanks_that_need_no_reply_leave_the_resolution_in_force(cast: Cast) -> None:
    ticket = complaint(cast)
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    make.message(ticket=ticket, at=AT + 9 * HOUR, body="Thank you!")
    ruling = {"by": cast.rita, "reason": "Thanks only.", "seen_through": make.on_screen(ticket=ticket)}
    handling.no_reply_needed(ticket, at=AT + 10 * HOUR, **ruling)
    assert Resolution.objects.get().holds
    ticket.refresh_from_db()
    assert (ticket.state, ticket.resolved_at) == (State.RESOLVED, AT + 10 * HOUR)  # seven quiet days from here
    # not where something was answered meanwhile
    make.message(ticket=ticket, at=AT + 11 * HOUR, body="One more question.")
    make.answer(ticket=ticket, by=cast.rita, at=AT + 12 * HOUR, accepted_at=AT + 12 * HOUR)
    make.message(ticket=ticket, at=AT + 13 * HOUR, body="Thanks again.")
    ruling["seen_through"] = make.on_screen(ticket=ticket)
    handling.no_reply_needed(ticket, at=AT + 14 * HOUR, **ruling)
    assert not Resolution.objects.get().holds


def test_a_customers_own_no_opens_the_ticket_and_a_no_told_to_us_stands_on_record(cast: Cast) -> None:
    ticket = complaint(cast)
    with pytest.raises(Refused, match="no resolution yet"):
        resolving.record_acceptance(ticket, Acceptance.YES, cast.carl, AT + HOUR)
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    resolving.record_acceptance(ticket, Acceptance.NO, cast.rita, AT + 3 * HOUR)
    assert Ticket.objects.get(pk=ticket.pk).state == State.RESOLVED
    resolving.record_acceptance(ticket, Acceptance.NO, cast.carl, AT + 4 * HOUR)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.resolved_at) == (State.OPEN, None)
    assert not Resolution.objects.get().holds
    assert cast.rita.notices.filter(path=ticket.path).count() == 1
    with pytest.raises(Refused, match="role"):
        resolving.record_acceptance(ticket, Acceptance.YES, cast.otto, AT + 5 * HOUR)


def test_the_pages_say_what_is_missing_and_keep_what_was_typed(cast: Cast) -> None:
    ticket = complaint(cast)
    client = browser(cast.rita)
    page = client.get(ticket.path).content.decode()
    assert "Say what caused the complaint" in page
    typed = {**SAID, "cause_note": "", "then": "resolved"}
    answer = client.post(f"{ticket.path}resolution/", typed)
    assert answer.status_code == 422
    assert "Written down, but not resolved yet" in answer.content.decode()
    assert Resolution.objects.get().text == SAID["text"]
    assert client.post(f"{ticket.path}resolution/", {**typed, "amount": "-1"}).status_code == 422
    assert client.post(f"{ticket.path}resolution/", {**SAID, "then": "resolved"}).status_code == 302
    assert client.post(f"{ticket.path}acceptance/", {"answer": "perhaps"}).status_code == 422
    assert client.post(f"{ticket.path}acceptance/", {"answer": "yes"}).status_code == 302
    assert Resolution.objects.get().acceptance == "yes"
    assert browser(cast.otto).get(f"{ticket.path}resolution/").status_code == 404
