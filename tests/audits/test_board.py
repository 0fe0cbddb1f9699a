"""The board and the lists of assurance as people use them: who sees what, how it reads, how much it asks."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audits import listing
from csp import assessing, clock, deadlines
from csp.cells import harmless
from csp.contract import CLAUSES
from csp.models import Assessment, Breach, TrailEntry, User
from tests import factories as make
from tests.cast import Cast
from tests.contract.test_8_1_noncompliance import officers, reported
from tests.factories import AT, DAY, HOUR, SECOND
from tests.tickets.desk import at_nine, browser
from tickets import calls, escalation, handling, lifecycle
from tickets.conversation import Direction, inbound
from tickets.models import Escalation, Ticket

__all__ = ["at_nine", "officers"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]


def page(user: User, url: str) -> str:
    answer = browser(user).get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


@pytest.fixture
def broken(cast: Cast) -> list[Ticket]:
    """Three tickets of February and March that nobody answered, and one that Rita did."""
    found = [make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * DAY + n * HOUR) for n in range(3)]
    kept = make.ticket(team=cast.team, customer=cast.rhea, received_at=AT - 2 * DAY)
    deadlines.meet([kept.acknowledge, kept.respond], at=AT - 2 * DAY + HOUR, by=cast.rita, how="interaction:1")
    make.tick(at=AT - HOUR)
    return found


def test_the_board_shows_every_clause_with_its_figures_and_the_way_to_what_lies_behind(
    cast: Cast, officers: dict[str, User], broken: list[Ticket]
) -> None:
    shown = page(cast.sam, "/compliance/")
    for number in CLAUSES:
        assert f'aria-label="Clause {number}, ' in shown
    assert 'id="row-3.1"' in shown
    assert 'id="row-3.1-accurate"' in shown
    assert "not evidenced" in shown
    assert "2 of 8" in shown
    assert "25\u00a0%" in shown
    assert "/compliance/promises/?contract=" in shown
    assert "Nobody holds the office “Feedback lead”" in shown
    assert "Time to the first answer of 1 ticket." in shown
    assert "6 breaches in the thirteen weeks" in shown
    assert shown.count("Show as table") == 2


def test_who_sees_the_board_and_who_opens_what_lies_behind_it(
    cast: Cast, officers: dict[str, User], broken: list[Ticket]
) -> None:
    for user in (cast.sam, cast.vera, officers["party"], officers["company"], officers["owner"]):
        assert "/compliance/promises/" in page(user, "/compliance/"), user
        assert broken[0].reference in page(user, "/compliance/breaches/"), user
    for user in (cast.rita, cast.fay, cast.adam):
        assert "/compliance/promises/" not in page(user, "/compliance/"), user
        assert browser(user).get("/compliance/breaches/").status_code == 403
        assert browser(user).post("/compliance/breaches/export/").status_code == 403
    stranger = make.person(name="Una Unrelated")
    assert browser(stranger).get("/compliance/").status_code == 403


def test_a_supervisor_sees_the_rows_of_own_teams_only(cast: Cast, broken: list[Ticket]) -> None:
    shown = page(cast.olga, "/compliance/breaches/?period=2025-03")
    assert broken[0].reference not in shown
    assert "rows of your own teams" in shown
    assert broken[0].path in page(cast.sam, "/compliance/breaches/?period=2025-03")
    shown = page(cast.vera, "/compliance/breaches/?period=2025-03")
    assert broken[0].reference in shown
    assert "rows of your own teams" not in shown
    assert TrailEntry.objects.filter(act="record.read", actor=f"user:{cast.vera.pk}").exists()


def test_the_board_takes_as_many_statements_for_much_as_for_little(cast: Cast, broken: list[Ticket]) -> None:
    client = browser(cast.sam)
    for url in (
        "/compliance/?period=13w",
        "/compliance/promises/?period=13w&clause=3.1",
        "/compliance/breaches/?period=13w",
    ):
        client.get(url)
        with CaptureQueriesContext(connection) as few:
            client.get(url)
        for number in range(4):
            make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 3 * DAY + number * SECOND)
        reported(cast)
        make.tick(at=AT)
        with CaptureQueriesContext(connection) as many:
            assert client.get(url).status_code == 200
        assert len(many) == len(few), url
        assert len(few) <= 41, url


def test_a_period_that_is_none_is_said_and_this_month_is_shown(cast: Cast) -> None:
    shown = page(cast.sam, "/compliance/?period=2025-13")
    assert "is no period" in shown
    assert "March 2025" in shown
    assert page(cast.sam, "/compliance/?period=2024")
    assert browser(cast.sam).get("/compliance/?contract=999999").status_code == 404
    assert browser(cast.sam).get("/compliance/nothing/").status_code == 404


def test_only_what_is_broken_or_at_risk_can_be_shown(
    cast: Cast, officers: dict[str, User], broken: list[Ticket]
) -> None:
    shown = page(cast.sam, "/compliance/?show=risk")
    assert 'id="row-3.1"' in shown
    assert 'id="row-9.1"' not in shown


def test_a_confidential_matter_is_counted_but_does_not_say_what_it_is(cast: Cast, officers: dict[str, User]) -> None:
    case = reported(cast, AT - 8 * DAY, in_confidence=True)
    make.tick(at=AT)
    for user in (cast.vera, cast.sam, officers["party"]):
        shown = page(user, "/compliance/breaches/?period=13w&clause=8.1")
        assert "in confidence" in shown
        assert case.reference not in shown
        assert f"/noncompliance/of/{case.correct_id}/" not in shown


def test_a_list_is_paged_by_keyset_without_losing_or_repeating_a_row(
    cast: Cast, broken: list[Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    seen: list[str] = []
    client, url = browser(cast.sam), "/compliance/promises/?period=2025-03&state=broken"
    for _page in range(10):
        answer = client.get(url)
        seen += [f"{row.ref} {row.cells[0]}" for row in answer.context["rows"]]
        if not answer.context["after"]:
            break
        url = f"/compliance/promises/?period=2025-03&state=broken&after={answer.context['after'].replace('+', '%2B')}"
    assert len(seen) == len(set(seen)) == Breach.objects.count() > 2 * listing.PAGE


def test_a_list_is_saved_as_csv_without_formulas_and_that_is_on_record(cast: Cast, broken: list[Ticket]) -> None:
    breach = Breach.objects.filter(obligation="respond").earliest("pk")
    row = assessing.propose(breach, by=cast.rita, at=AT - HOUR, verdict=Assessment.Verdict.NOT_OWED, reason="=1+1")
    answer = browser(cast.vera).post("/compliance/assessments/export/?period=2025-03&clause=3.1")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="assessments-2025-03.csv"'
    found = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert found[0][:4] == ["Matter", "Clause", "Team", "Proposed (Europe/London)"]
    assert len(found) == 2
    assert found[1][0] == row.breach.deadline.subject_ref
    assert "'=1+1" in found[1]
    entry = TrailEntry.objects.get(act="record.exported")
    assert (entry.actor, '"records":"list.assessments"' in entry.facts) == (f"user:{cast.vera.pk}", True)


@pytest.mark.parametrize("cell", ["=A1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_what_begins_like_a_formula_is_marked_as_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert harmless("#4790") == "#4790"
    assert harmless("") == ""


def test_every_exception_stands_in_its_list(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiver, a late call and a follow-up that needed no reply: who, when and why."""
    waived = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - HOUR)
    lifecycle.waive(waived, waived.respond, by=cast.sam, at=AT - HOUR + SECOND, reason="A test of ours")
    thanked = make.ticket(team=cast.team, customer=cast.rhea, received_at=AT - 4 * HOUR, assignee=cast.rita)
    make.answer(ticket=thanked, by=cast.rita, at=AT - 3 * HOUR, accepted_at=AT - 3 * HOUR)
    make.message(ticket=thanked, at=AT - 2 * HOUR, body="Thanks!")
    handling.no_reply_needed(
        thanked, by=cast.rita, at=AT - HOUR, reason="Only thanks", seen_through={thanked.pk: inbound(thanked)[-1].pk}
    )
    shown = page(cast.sam, "/compliance/waivers/")
    assert "A test of ours" in shown
    assert "Sam Supervisor" in shown
    shown = page(cast.sam, "/compliance/no-reply/")
    assert "Only thanks" in shown
    assert "Rita Representative" in shown
    assert thanked.reference in shown
    called = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 5 * HOUR)
    talk = calls.Talk(
        direction=Direction.OUT, began_at=AT - 4 * HOUR, length=5 * dt.timedelta(minutes=1), body="We called.",
        answers=True,
    )  # fmt: skip
    calls.log_call(called, talk, by=cast.rita, at=AT - HOUR, seen_until=AT - HOUR)
    shown = page(cast.sam, "/compliance/backdated/?state=waiting")
    assert called.reference in shown
    assert "Nothing in March 2025" in page(cast.sam, "/compliance/backdated/?state=confirmed")
    Escalation.objects.create(
        ticket=waived, team=cast.team, origin="precaution", reason="Nobody has decided", raised_at=AT - HOUR
    )
    shown = page(cast.sam, "/compliance/precautionary/?state=open")
    assert waived.reference in shown
    assert "Nobody has decided" in shown
    monkeypatch.setattr(clock, "now", lambda: AT + 60 * DAY)
    assert "Nothing in" in page(cast.sam, "/compliance/waivers/")
    assert "A test of ours" in page(cast.sam, "/compliance/waivers/?period=2025-03")


def test_every_link_of_the_board_opens_as_many_rows_as_it_says(cast: Cast, broken: list[Ticket]) -> None:
    for ticket in broken[:1]:
        escalation.escalate(ticket, by=cast.rita, at=AT, reason="Above my limit")
    make.tick(at=AT)
    text = page(cast.sam, "/compliance/?period=13w")
    links = re.findall(r'<a href="(/compliance/(?:promises|breaches)/[^"]*)">([^<]*)<', text)
    assert len(links) > 5
    for address, words in links:
        found = page(cast.sam, html.unescape(address))
        if said := re.findall(r"\d+", words):
            assert found.count('<th scope="row"') == min(int(said[-1]), 50), (address, words)
