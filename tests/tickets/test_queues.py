"""The queues: order, pages, filters, counts and what is next."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db.models import F

from csp.roles import Role
from tests import factories
from tests.cast import Cast
from tests.factories import AT, HOUR
from tickets import escalation, lifecycle, queues
from tickets.models import Presence, Ticket
from tickets.queues import Filters, View

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def opened(cast: Cast, *, hours_ago: float, **more: object) -> Ticket:
    """A ticket received so long ago; its answer is due 24 hours after receipt."""
    received = AT - hours_ago * HOUR
    return factories.ticket(team=cast.team, customer=cast.carl, received_at=received, **more)  # type: ignore[arg-type]


def answered(cast: Cast, **more: object) -> Ticket:
    """A ticket on which nothing is owed any more."""
    ticket = opened(cast, hours_ago=30, **more)
    when = AT - 29 * HOUR
    factories.answer(ticket=ticket, by=cast.rita, at=when, accepted_at=when)
    return Ticket.objects.get(pk=ticket.pk)


def walk(cast: Cast, view: View, size: int) -> list[list[int]]:
    """Every page from the first to the last, by its cursors."""
    pages, after = [], ""
    while True:
        page = queues.page(queues.select(view, cast.rita), view=view, after=after, size=size)
        pages.append([ticket.pk for ticket in page.tickets])
        if not page.after:
            return pages
        after = page.after


def test_what_is_due_first_stands_first_and_what_has_no_clock_last(cast: Cast) -> None:
    quiet = answered(cast)
    late = opened(cast, hours_ago=30)
    fresh = opened(cast, hours_ago=1)
    soon = opened(cast, hours_ago=23.5)
    [page] = walk(cast, View.TEAM, size=10)
    assert page == [late.pk, soon.pk, fresh.pk, quiet.pk]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 20])
def test_pages_show_every_ticket_once_forwards_and_backwards(cast: Cast, size: int) -> None:
    for hours in (30, 23, 23, 23, 5, 5, 1):  # several are due at the same instant
        opened(cast, hours_ago=hours)
    answered(cast)
    answered(cast)
    pages = walk(cast, View.TEAM, size)
    seen = [number for page in pages for number in page]
    assert len(seen) == len(set(seen)) == 9
    tickets = queues.select(View.TEAM, cast.rita)
    if len(pages) > 1:
        last = queues.page(tickets, view=View.TEAM, after=_cursor_before(cast, size), size=size)
        back, cursor = [pages[-1]], last.before
        while cursor:
            page = queues.page(tickets, view=View.TEAM, before=cursor, size=size)
            back.insert(0, [ticket.pk for ticket in page.tickets])
            cursor = page.before
        assert [number for page in back for number in page] == seen


def _cursor_before(cast: Cast, size: int) -> str:
    """The cursor that leads to the last page."""
    after = ""
    while True:
        page = queues.page(queues.select(View.TEAM, cast.rita), view=View.TEAM, after=after, size=size)
        if not page.after:
            return after
        after = page.after


@pytest.mark.parametrize("cursor", ["x", "_", "20250303T090000.000000_", "_99999999999999999999", "2025_1", "_1_2\x00"])
def test_a_cursor_that_nobody_gave_shows_the_first_page(cast: Cast, cursor: str) -> None:
    ticket = opened(cast, hours_ago=1)
    page = queues.page(queues.select(View.TEAM, cast.rita), view=View.TEAM, after=cursor)
    assert [row.pk for row in page.tickets] == [ticket.pk]


@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_lists_of_several_teams_are_one_list(cast: Cast, size: int) -> None:
    factories.grant(user=cast.sam, role=Role.SUPERVISOR, team=cast.other_team)
    for hours in (30, 23, 23, 5, 1):
        opened(cast, hours_ago=hours)
        factories.ticket(team=cast.other_team, customer=cast.rhea, received_at=AT - hours * HOUR)
    answered(cast)
    for user in (cast.sam, cast.vera):
        teams = queues.merged(View.TEAM, Filters(), user)
        assert set(teams) == {cast.team.pk, cast.other_team.pk}
        every = list(queues.select(View.TEAM, user).order_by(F("next_due_at").asc(nulls_last=True), "pk"))
        seen, after = [], ""
        while True:
            page = queues.page(queues.select(View.TEAM, user), view=View.TEAM, teams=teams, after=after, size=size)
            seen += page.tickets
            if not page.after:
                break
            after = page.after
        assert seen == every
        back = [page.tickets]
        while page.before:
            page = queues.page(
                queues.select(View.TEAM, user), view=View.TEAM, teams=teams, before=page.before, size=size
            )
            back.insert(0, page.tickets)
        assert [ticket for rows in back for ticket in rows] == every


def test_finished_ones_stand_apart_the_latest_first(cast: Cast) -> None:
    first, second = answered(cast), answered(cast)
    opened(cast, hours_ago=1)
    lifecycle.change_state(first, to=Ticket.State.RESOLVED, by=cast.rita, at=AT)
    lifecycle.change_state(second, to=Ticket.State.CLOSED, by=cast.rita, at=AT)
    factories.message(ticket=opened(cast, hours_ago=2), at=AT)
    page = queues.page(queues.select(View.FINISHED, cast.rita), view=View.FINISHED)
    assert {row.pk for row in page.tickets} == {first.pk, second.pk}


def test_nobody_sees_another_teams_tickets_in_any_queue(cast: Cast) -> None:
    opened(cast, hours_ago=1, assignee=cast.rita)
    for view in View:
        assert not queues.select(view, cast.otto).exists()
        assert not queues.select(view, cast.fay).exists()
    assert queues.select(View.TEAM, cast.vera).count() == 1  # the auditor of the contract


def test_filters_keep_what_they_ask_for(cast: Cast) -> None:
    complaint = opened(cast, hours_ago=23, kind=Ticket.Kind.COMPLAINT, subject="Water damage in the kitchen")
    urgent = opened(cast, hours_ago=2, priority=Ticket.Priority.URGENT)
    quiet = answered(cast)
    rhea = factories.ticket(team=cast.team, customer=cast.rhea, received_at=AT - HOUR)

    def found(filters: Filters) -> set[int]:
        tickets = queues.narrow(queues.select(View.TEAM, cast.rita), filters, user=cast.rita, at=AT)
        return set(tickets.values_list("pk", flat=True))

    assert found(Filters(kinds=("complaint",))) == {complaint.pk}
    assert found(Filters(priorities=(4,))) == {urgent.pk}
    assert found(Filters(due_soon=True)) == {complaint.pk}
    assert quiet.pk not in found(Filters(attention=True))
    assert found(Filters(words="kitch")) == {complaint.pk}  # the beginning of a word
    assert found(Filters(words="rhea")) == {rhea.pk}
    assert found(Filters(words=f"#{urgent.pk}")) == {urgent.pk}
    assert found(Filters(words="'; drop table | & ! :*")) == set()
    assert found(Filters(channels=("letter",))) == set()


def test_an_auditor_cannot_filter_by_a_name_that_is_hidden_from_her(cast: Cast) -> None:
    factories.ticket(team=cast.team, customer=cast.rhea, received_at=AT - HOUR)
    tickets = queues.narrow(queues.select(View.TEAM, cast.vera), Filters(words="rhea"), user=cast.vera, at=AT)
    assert not tickets.exists()


def test_counts_stop_at_a_hundred_and_cost_one_statement(
    cast: Cast, django_assert_num_queries: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "COUNTED", 2)
    for _each in range(4):
        opened(cast, hours_ago=30)
    queues.counts(cast.rita, at=AT, view=View.TEAM)  # grants are known from here on
    with django_assert_num_queries(1):  # type: ignore[operator]
        counts = queues.counts(cast.rita, at=AT, view=View.TEAM)
    assert (str(counts["team"]), str(counts["mine"]), str(counts["overdue"])) == ("2+", "0", "2+")
    assert str(queues.counts(cast.fay, at=AT, view=View.TEAM)["team"]) == "0"


def test_counts_count_what_the_lists_show(cast: Cast) -> None:
    factories.grant(user=cast.sam, role=Role.SUPERVISOR, team=cast.other_team)
    opened(cast, hours_ago=30, assignee=cast.rita)
    opened(cast, hours_ago=21)
    factories.ticket(team=cast.other_team, customer=cast.rhea, received_at=AT - HOUR)
    handed_up = opened(cast, hours_ago=2, assignee=cast.sam)
    escalation.escalate(handed_up, by=cast.sam, at=AT, reason="Above my limit")
    answered(cast, assignee=cast.rita)  # waits for the customer
    for state in (Ticket.State.RESOLVED, Ticket.State.CLOSED):
        lifecycle.change_state(answered(cast, assignee=cast.rita), to=state, by=cast.rita, at=AT)
    for user in (cast.rita, cast.sam, cast.otto, cast.vera, cast.fay):
        for view in View:
            counts = queues.counts(user, at=AT, view=view)
            rows = queues.select(view, user)
            assert counts[view].number == rows.count(), (user, view)
            if view is not View.FINISHED:
                assert counts["overdue"].number == rows.filter(next_due_at__lt=AT).count()
                assert counts["due_soon"].number == rows.filter(next_due_at__lte=AT + queues.DUE_SOON).count()
    assert queues.counts(cast.sam, at=AT, view=View.TEAM)[View.ESCALATED].number == 1


def test_next_is_what_can_still_be_kept_within_the_hour_then_overdue_then_the_rest(cast: Cast) -> None:
    rest = opened(cast, hours_ago=2)
    assert queues.next_for(cast.rita, at=AT) == rest
    late = opened(cast, hours_ago=30, assignee=cast.rita)
    assert queues.next_for(cast.rita, at=AT) == late
    soon = opened(cast, hours_ago=23.5)
    assert queues.next_for(cast.rita, at=AT) == soon
    assert queues.next_for(cast.rita, at=AT, besides=soon.pk) == late


def test_what_is_due_at_this_instant_can_still_be_kept(cast: Cast) -> None:
    opened(cast, hours_ago=25)
    exactly = opened(cast, hours_ago=24)
    assert queues.next_for(cast.rita, at=AT) == exactly


def test_next_leaves_to_colleagues_what_is_theirs(cast: Cast) -> None:
    tom = factories.person(name="Tom Colleague", role=cast.rita.grants.get().role, team=cast.team)
    opened(cast, hours_ago=30, assignee=tom)
    assert queues.next_for(cast.rita, at=AT) is None
    assert queues.next_for(cast.vera, at=AT) is None


def test_a_presence_tells_what_was_seen_and_who_looks_now(cast: Cast) -> None:
    ticket = opened(cast, hours_ago=2)
    Presence.objects.create(ticket=ticket, user=cast.rita, seen_at=AT - 3 * HOUR)
    Presence.objects.create(ticket=ticket, user=cast.sam, seen_at=AT - 2 * MINUTE)
    assert queues.seen([ticket], cast.rita, at=AT)[ticket.pk].others == []
    Presence.objects.filter(user=cast.sam).update(seen_at=AT)
    known = queues.seen([ticket], cast.rita, at=AT)[ticket.pk]
    assert (known.others, known.last) == ([cast.sam], AT - 3 * HOUR)
