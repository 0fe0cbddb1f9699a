"""The page of figures: who sees whose, what each figure opens, the files, and how much the database is asked."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from audits import metric_lists, metrics, periods
from csp.models import TrailEntry, User
from csp.roles import Role
from tests import factories as make
from tests.cast import Cast
from tests.factories import AT, DAY, HOUR, SECOND
from tests.tickets.desk import at_nine, browser
from tickets import lifecycle
from tickets.models import Category, Ticket

__all__ = ["at_nine"]
MARCH = "2025-03"
pytestmark = pytest.mark.django_db


def answered(cast: Cast, *, by: User, after: dt.timedelta, **more: object) -> Ticket:
    """A ticket that somebody answered so long after its receipt, ten days ago."""
    received = AT - 10 * DAY
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=received, assignee=by, **more)  # type: ignore[arg-type]
    make.tick(at=received + min(after, DAY + HOUR))
    make.answer(ticket=ticket, by=by, at=received + after, accepted_at=received + after)
    return ticket


def page(user: User, path: str = "/metrics/", **query: object) -> str:
    answer = browser(user).get(path, {"period": "2025-02", **query})
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


@pytest.fixture
def desk(cast: Cast, at_nine: None) -> Cast:
    answered(cast, by=cast.rita, after=HOUR)
    answered(cast, by=cast.sam, after=3 * HOUR)
    answered(cast, by=cast.rita, after=30 * HOUR)
    return cast


def test_the_page_shows_and_defines_each_figure(desk: Cast) -> None:
    text = page(desk.sam)
    assert "66.6\xa0%" in text
    assert "2 of 3" in text
    assert "3\xa0h" in text
    for one in metric_lists.LISTS.values():
        assert str(one.says) in text
    assert "aim 100\xa0%" in text


@pytest.mark.parametrize("code", ["first", "first-late", "received", "waiting"])
def test_each_figure_opens_as_many_tickets_as_it_says(desk: Cast, code: str) -> None:
    found = metrics.compute(metrics.Scope(desk.contract, periods.read("2025-02", AT, desk.contract.zoneinfo), AT))
    said = {"first": 3, "first-late": 1, "received": 3, "waiting": 3}[code]
    one = found[""][None]
    assert said == {"first": one.first.figure.owed, "first-late": one.first.figure.broken, "received": one.received,
                    "waiting": one.waiting}[code]  # fmt: skip
    text = page(desk.sam, f"/metrics/{code}/")
    assert text.count('<th scope="row"') == said
    assert f"/metrics/{code}/?contract={desk.contract.pk}&amp;period=2025-02" in page(desk.sam)


def test_a_representative_sees_own_figures_and_the_whole_but_nobody_elses(desk: Cast) -> None:
    assert "2 of 3" in page(desk.rita)
    own = page(desk.rita, person=desk.rita.pk)
    assert "1 of 2" in own
    assert "/metrics/first/" in own, "own work can be opened"
    client = browser(desk.rita)
    for query in (f"person={desk.sam.pk}", f"person={desk.otto.pk}"):
        assert client.get(f"/metrics/?{query}").status_code == 404
        assert client.get(f"/metrics/first/?{query}").status_code == 404
    for query in (f"team={desk.team.pk}", "channel=mail", "category=0"):
        assert client.get(f"/metrics/?{query}").status_code == 403
    assert client.get("/metrics/first/?period=2025-02").status_code == 403
    for by in ("team", "person", "channel", "category"):
        text = page(desk.rita, by=by)
        assert "Sam Supervisor" not in text
        assert 'id="pt"' not in text
    rows = page(desk.rita, "/metrics/first/", person=desk.rita.pk)
    assert rows.count('<th scope="row"') == 2


def test_a_supervisor_sees_the_people_of_own_teams_only(desk: Cast) -> None:
    text = page(desk.sam, by="person")
    assert "Rita Representative" in text
    other = page(desk.olga, by="person")
    assert "Rita Representative" not in other
    assert browser(desk.olga).get(f"/metrics/?person={desk.rita.pk}").status_code == 404
    assert page(desk.olga, "/metrics/first/").count('<th scope="row"') == 0


def test_an_auditor_sees_everything_and_is_on_record(desk: Cast) -> None:
    assert "Rita Representative" in page(desk.vera, by="person")
    assert page(desk.vera, "/metrics/first/").count('<th scope="row"') == 3
    entry = TrailEntry.objects.filter(act="record.read", actor=f"user:{desk.vera.pk}").latest("pk")
    assert json.loads(entry.facts)["list"] == "first"


@pytest.mark.parametrize("name", ["fay", "adam"])
def test_others_see_parts_but_no_person_and_no_ticket(desk: Cast, name: str) -> None:
    user: User = getattr(desk, name)
    text = page(user, by="team")
    assert "2 of 3" in text
    assert "/metrics/first/" not in text
    assert "Rita" not in page(user, by="person")
    assert browser(user).get("/metrics/first/?period=2025-02").status_code == 403


def test_by_category_and_month_each_row_narrows_the_page(desk: Cast) -> None:
    text = page(desk.sam, by="category")
    assert "No category" in text
    assert "category=0" in text
    assert "February 2025" in page(desk.sam, by="month", period="2025-q1")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_says_what_the_page_says_and_takes_nothing_for_a_formula(desk: Cast, kind: str) -> None:
    Category.objects.create(contract=desk.contract, name="=1+1")
    row = Category.objects.get(name="=1+1")
    lifecycle.retype(Ticket.objects.order_by("pk")[0], by=desk.sam, at=AT, category=row)
    answer = browser(desk.sam).post(f"/metrics/export/{kind}/?period=2025-02&by=category")
    assert answer.status_code == 200
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(answer.getvalue().decode())))
    else:
        sheet = load_workbook(io.BytesIO(answer.getvalue())).active
        assert all(cell.data_type != "f" for line in sheet for cell in line)
        rows = [["" if cell.value is None else str(cell.value) for cell in line] for line in sheet]
    share = next(line for line in rows if line[0] == "All" and line[2] == "First response in time")
    assert (share[4], share[5]) == ("66.6", "2 of 3")
    assert any(line[0] == ("'=1+1" if kind == "csv" else "=1+1") for line in rows)
    entry = TrailEntry.objects.filter(act="record.exported").latest("pk")
    facts = json.loads(entry.facts)
    assert (entry.actor, facts["records"], facts["format"]) == (f"user:{desk.sam.pk}", "metrics", kind)
    assert facts["narrowed"]["period"] == "2025-02"
    assert browser(desk.sam).get(f"/metrics/export/{kind}/").status_code == 405


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_tickets_behind_a_figure_as_a_file(desk: Cast, kind: str) -> None:
    answer = browser(desk.sam).post(f"/metrics/first-late/export/{kind}/?period=2025-02")
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(answer.getvalue().decode())))
    else:
        rows = [[str(cell.value) for cell in line] for line in load_workbook(io.BytesIO(answer.getvalue())).active]
    assert len(rows) == 2
    assert rows[1][2] == str(30 * 3600)
    assert browser(desk.rita).post(f"/metrics/first/export/{kind}/?period=2025-02").status_code == 403


@pytest.mark.parametrize(
    "query",
    ["period=2025-13", "period=x", "from=2025-02-30&to=2025-03-01", "from=2025-03-02&to=2025-03-01", "by=x", "team=9",
     "period=2025-q1", "period=13w", "from=2025-02-01&to=2025-02-07", "channel=x", "category=999999", "team=x"],
)  # fmt: skip
def test_rubbish_in_the_address_is_no_error(desk: Cast, query: str) -> None:
    assert browser(desk.sam).get(f"/metrics/?{query}").status_code == 200


def test_the_charts_count_begun_hours_and_days_whole(desk: Cast) -> None:
    for ticket, after in zip(Ticket.objects.order_by("pk"), (DAY, DAY + SECOND, 3 * DAY), strict=True):
        lifecycle.change_state(
            ticket, to=Ticket.State.RESOLVED, by=desk.sam, at=AT - 10 * DAY + after, resolution="Yes"
        )
    scope = metrics.Scope(desk.contract, periods.read("2025-02", AT, desk.contract.zoneinfo), AT)
    spread = metrics.spread(metrics.compute(scope, [metrics.LENGTH, "team"]))
    assert {name: +counts for name, counts in spread.items()} == {
        "first": {1: 1, 3: 1, 30: 1}, "next": {}, "finished": {1: 1, 2: 1, 3: 1}
    }  # fmt: skip


def test_the_period_before_and_after_are_of_the_same_kind() -> None:
    zone = ZoneInfo("Europe/London")
    for code, before, after in (
        ("2025-03", "2025-02", "2025-04"), ("2025-q1", "2024-q4", "2025-q2"), ("2025", "2024", "2026"),
        ("2025-03-29..2025-03-31", "2025-03-26..2025-03-28", "2025-04-01..2025-04-03"),
    ):  # fmt: skip
        one = periods.read(code, AT, zone)
        assert periods.before(one, zone).code == before
        assert periods.after(one, zone).code == after
        assert periods.before(one, zone).until == one.since
        assert periods.after(one, zone).since == one.until


def test_the_number_of_statements_does_not_depend_on_how_much_there_is(desk: Cast) -> None:
    def asked() -> int:
        client = browser(desk.vera)
        client.get("/metrics/?period=2025-02&by=person")
        cache.clear()
        with CaptureQueriesContext(connection) as found:
            assert client.get("/metrics/?period=2025-02&by=person").status_code == 200
        return len(found)

    before = asked()
    for number in range(5):
        user = make.person(name=f"P{number} Person", role=Role.REPRESENTATIVE, team=desk.team)
        answered(desk, by=user, after=2 * HOUR)
    assert asked() == before
    assert before < 40
