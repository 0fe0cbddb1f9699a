"""Clauses 2.1 and 6.1: who works in one team and only watches another learns no name there and opens no source.

Rhoda is a representative of one contract and an auditor of another; what a role allows in a team it allows there alone.
"""

from __future__ import annotations

import dataclasses

import pytest

from csp import restrictions
from csp.models import Contract, Notice, Restriction, Team, User
from csp.roles import Role
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser
from tickets import assignment, complexity, disclosure, escalation, handling, lifecycle, merging, queues, search
from tickets.conversation import File
from tickets.handling import Refused
from tickets.models import CoSignature, Escalation, Ticket, TicketLink

__all__ = ["at_nine"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
AT, HOUR, SECOND = make.AT, make.HOUR, make.SECOND


@dataclasses.dataclass(frozen=True, slots=True)
class Elsewhere:
    rhoda: User  # representative of the first contract's team, auditor of the second contract
    team: Team  # of the second contract
    theirs: Ticket  # of the second contract
    ours: Ticket  # of the first


@pytest.fixture
def elsewhere(cast: Cast) -> Elsewhere:
    contract = Contract.objects.create(company="Other", party="Party", created_at=make.SINCE)
    version = cast.version
    version.pk, version.contract = None, contract
    version.save()
    team = make.team(contract=contract, name="Elsewhere")
    rhoda = make.person(name="Rhoda Both", role=Role.REPRESENTATIVE, team=cast.team)
    make.grant(user=rhoda, role=Role.AUDITOR, contract=contract)
    theirs = make.ticket(team=team, customer=cast.rhea, subject="Over there", received_at=AT - HOUR)
    ours = make.ticket(team=cast.team, customer=cast.carl, subject="Over here", received_at=AT - HOUR)
    return Elsewhere(rhoda, team, theirs, ours)


def test_a_name_is_shown_only_where_one_serves(elsewhere: Elsewhere) -> None:
    client = browser(elsewhere.rhoda)
    for path in ("/queue/team/", "/search/?q=Over"):
        page = client.get(path).content.decode()
        assert "Over there" in page
        assert "Carl Contact" in page
        assert "Rhea" not in page, path
    for path in (elsewhere.theirs.path, f"{elsewhere.theirs.path}peek/"):
        page = client.get(path).content.decode()
        assert "Rhea" not in page, path
        assert "rival" not in page.lower(), path


def test_a_name_that_one_may_not_read_finds_nothing(elsewhere: Elsewhere) -> None:
    found = search.search("Rhea", user=elsewhere.rhoda)
    assert (found.tickets, found.customers) == ([], [])
    seen = queues.select(queues.View.TEAM, elsewhere.rhoda)
    narrowed = queues.narrow(seen, queues.Filters(words="Rhea"), user=elsewhere.rhoda, at=AT)
    assert list(narrowed) == []
    assert list(queues.narrow(seen, queues.Filters(words="Carl"), user=elsewhere.rhoda, at=AT)) == [elsewhere.ours]


def test_a_source_is_opened_only_where_one_serves(elsewhere: Elsewhere) -> None:
    with pytest.raises(Refused):
        disclosure.open_source(elsewhere.theirs, None, by=elsewhere.rhoda, at=AT)  # type: ignore[arg-type]  # not reached


def test_a_link_is_written_on_no_ticket_that_one_only_watches(cast: Cast, elsewhere: Elsewhere) -> None:
    related = TicketLink.Kind.RELATED
    with pytest.raises(Refused):
        merging.link(elsewhere.ours, other=elsewhere.theirs, kind=related, by=elsewhere.rhoda, at=AT)
    with pytest.raises(Refused):
        merging.link(elsewhere.theirs, other=elsewhere.ours, kind=related, by=elsewhere.rhoda, at=AT)
    assert not TicketLink.objects.exists()


def test_only_a_supervisor_of_the_team_says_that_a_complaint_is_none(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, kind=Ticket.Kind.COMPLAINT)
    make.grant(user=cast.olga, role=Role.REPRESENTATIVE, team=cast.team)  # supervisor of the other team alone
    with pytest.raises(Refused, match="supervisor of its team"):
        lifecycle.retype(ticket, by=cast.olga, at=AT, kind=Ticket.Kind.INQUIRY)
    assert lifecycle.retype(ticket, by=cast.sam, at=AT, kind=Ticket.Kind.INQUIRY).kind == Ticket.Kind.INQUIRY


def test_the_files_of_a_merged_ticket_open_where_they_are_listed(cast: Cast) -> None:
    """Merged over teams by somebody of both: whoever sees the ticket that speaks sees what was said in the other."""
    make.grant(user=cast.sam, role=Role.SUPERVISOR, team=cast.other_team)
    one = make.ticket(team=cast.other_team, customer=cast.carl)
    other = make.ticket(team=cast.team, customer=cast.carl)
    note = handling.note(one, by=cast.sam, at=AT, body="See file", files=[File("a.txt", "text/plain", b"words")])
    address = f"/attachments/{note.attachments.get().pk}/"
    assert browser(cast.rita).get(address).status_code == 404
    merging.merge(one, into=other, by=cast.sam, at=AT + HOUR)
    assert browser(cast.rita).get(address).status_code == 200
    assert browser(cast.otto).get(address).status_code == 404  # they do not see the ticket that speaks now
    assert browser(cast.fay).get(address).status_code == 403


def test_a_team_that_gave_a_ticket_away_reads_nothing_of_what_was_merged_into_it(cast: Cast) -> None:
    one = make.ticket(team=cast.team, customer=cast.carl, subject="The first letter")
    other = make.ticket(team=cast.team, customer=cast.carl)
    note = handling.note(one, by=cast.rita, at=AT, body="See file", files=[File("a.txt", "text/plain", b"words")])
    merging.merge(one, into=other, by=cast.rita, at=AT + HOUR)
    assignment.move(other, team=cast.other_team, by=cast.sam, at=AT + 2 * HOUR)
    address = f"/attachments/{note.attachments.get().pk}/"
    assert browser(cast.rita).get(address).status_code == 404
    assert browser(cast.otto).get(address).status_code == 200
    assert not Ticket.objects.visible_to(cast.rita).exists()
    merging.unmerge(one, by=cast.otto, at=AT + 3 * HOUR)
    assert Ticket.objects.get(pk=one.pk).team == cast.other_team


def test_who_left_the_team_does_not_see_what_waits_there(cast: Cast, elsewhere: Elsewhere) -> None:
    restrictions.impose(
        cast.rita, [Restriction.Kind.COSIGN], clause="8.2", cause="test", path="/", starts_at=AT - HOUR, ends_at=None,
        by=None, at=AT,
    )  # fmt: skip
    make.answer(ticket=elsewhere.ours, by=cast.rita, at=AT)
    assert CoSignature.objects.visible_to(cast.rita).count() == 1
    cast.rita.grants.update(ends_at=AT - SECOND)
    cast.rita.held_cache = None
    assert CoSignature.objects.visible_to(cast.rita).count() == 0
    assert CoSignature.objects.visible_to(cast.sam).count() == 1


def test_moving_what_stands_before_a_supervisor_tells_the_new_teams(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    row = escalation.escalate(ticket, by=cast.rita, at=AT, reason="Above 500 euros", to=cast.sam)
    escalation.accept(row, by=cast.sam, at=AT)
    assignment.move(ticket, team=cast.other_team, by=cast.sam, at=AT + HOUR)
    assert cast.olga.notices.filter(kind=Notice.Kind.ESCALATION).count() == 1
    row.refresh_from_db()
    assert (row.accepted_by, row.outcome) == (cast.sam, Escalation.Outcome.CLOSED)
    again = Escalation.objects.get(ticket=ticket, closed_at__isnull=True)
    assert (again.team, again.reason, again.accepted_by) == (cast.other_team, "Above 500 euros", None)
    assert escalation.accept(again, by=cast.olga, at=AT + HOUR).accepted_by == cast.olga


def test_the_board_notices_what_was_marked_complex(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    client, where = browser(cast.sam), "/changes?scope=escalations"
    cursor = client.get(where).json()["cursor"]
    assert client.get(where, {"scope": "escalations", "since": cursor}).status_code == 204
    complexity.mark_complex(ticket, by=cast.rita, at=AT, reason="A lawyer writes")
    assert client.get("/changes", {"scope": "escalations", "since": cursor}).status_code == 200
