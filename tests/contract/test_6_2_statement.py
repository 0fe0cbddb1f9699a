"""Clause 6.2: each month owes a statement from its end, which is frozen, signed, and counted again by anybody."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from audits import statements
from audits.models import Statement, StatementVersion
from csp import loops
from csp.access import Refused
from csp.models import Breach, Deadline, Notice, TrailEntry, Version
from tests import factories as make
from tests.cast import Cast
from tests.factories import DAY, HOUR, SECOND
from tests.tickets.desk import browser
from tickets import lifecycle
from tickets.models import Ticket

UTC = dt.UTC
# When months end in London: in winter at midnight, in summer an hour before.
MARCH_ENDS = dt.datetime(2025, 3, 31, 23, tzinfo=UTC)
OCTOBER_ENDS = dt.datetime(2025, 11, 1, tzinfo=UTC)


@pytest.fixture
def in_force(cast: Cast) -> Cast:
    Version.objects.filter(pk=cast.version.pk).update(in_force_from=make.SINCE)
    return cast


def owed(at: dt.datetime) -> list[str]:
    loops.run_dry(statements.make_due, at)
    return [one.code for one in Statement.objects.order_by("month")]


def statement(cast: Cast, at: dt.datetime = MARCH_ENDS) -> Statement:
    loops.run_dry(statements.make_due, at)
    return Statement.objects.select_related("deadline", "contract").latest("month")


@pytest.mark.parametrize(
    ("ends", "before", "month"), [(MARCH_ENDS, "2025-02", "2025-03"), (OCTOBER_ENDS, "2025-09", "2025-10")]
)
def test_a_month_owes_its_statement_from_the_second_in_which_it_ends_in_the_contracts_zone(
    in_force: Cast, ends: dt.datetime, before: str, month: str
) -> None:
    assert owed(ends - 25 * DAY) == [before]
    assert owed(ends - SECOND) == [before]
    assert owed(ends) == [before, month]
    assert owed(ends) == [before, month], "run twice"
    row = Statement.objects.select_related("deadline").latest("month")
    assert (row.deadline.starts_at, row.deadline.due_at) == (ends, ends + 10 * DAY)
    assert row.deadline.is_policy


def test_no_month_is_left_out_after_the_product_stood_still(in_force: Cast) -> None:
    assert owed(MARCH_ENDS) == ["2025-03"]
    assert owed(MARCH_ENDS + 95 * DAY) == ["2025-03", "2025-04", "2025-05", "2025-06"]


def test_the_first_statement_is_one_that_can_still_be_in_time(in_force: Cast) -> None:
    assert owed(MARCH_ENDS + 10 * DAY + SECOND) == []
    assert owed(MARCH_ENDS + 10 * DAY) == ["2025-03"]


def test_a_contract_that_was_not_in_force_owes_none(cast: Cast) -> None:
    Version.objects.filter(pk=cast.version.pk).update(in_force_from=MARCH_ENDS)
    assert owed(MARCH_ENDS) == []


def test_supervisors_are_told_and_the_clock_is_met_by_signing(in_force: Cast) -> None:
    row = statement(in_force)
    told = set(Notice.objects.filter(key=f"statement:{row.pk}").values_list("user", flat=True))
    assert told == {in_force.sam.pk, in_force.olga.pk}
    version = statements.sign(row, by=in_force.sam, at=MARCH_ENDS + 10 * DAY, comment="A quiet month.")
    row.deadline.refresh_from_db()
    assert row.deadline.state == "met"
    entry = TrailEntry.objects.get(act="statement.signed")
    assert json.loads(entry.facts)["sha256"] == version.digest


def test_one_second_late_is_a_breach(in_force: Cast) -> None:
    row = statement(in_force)
    make.tick(at=row.deadline.due_at)
    assert not Breach.objects.filter(deadline=row.deadline).exists()
    make.tick(at=row.deadline.due_at + SECOND)
    assert Breach.objects.filter(deadline=row.deadline).exists()
    statements.sign(row, by=in_force.sam, at=row.deadline.due_at + HOUR)
    row.deadline.refresh_from_db()
    assert row.deadline.state == "met_late"


@pytest.mark.parametrize("name", ["rita", "vera", "adam", "fay"])
def test_only_a_supervisor_signs(in_force: Cast, name: str) -> None:
    with pytest.raises(Refused):
        statements.sign(statement(in_force), by=getattr(in_force, name), at=MARCH_ENDS + DAY)


def worked(cast: Cast) -> list[Ticket]:
    """A March with an answer in time, a late one, and one that nobody gave."""
    start = MARCH_ENDS - 20 * DAY
    rows = [make.ticket(team=cast.team, customer=cast.carl, received_at=start + n * HOUR) for n in range(3)]
    make.answer(ticket=rows[0], by=cast.rita, at=start + 5 * HOUR, accepted_at=start + 5 * HOUR)
    lifecycle.change_state(rows[0], to=Ticket.State.RESOLVED, by=cast.rita, at=start + 6 * HOUR)
    make.tick(at=start + 2 * DAY)
    make.answer(ticket=rows[1], by=cast.rita, at=start + 3 * DAY, accepted_at=start + 3 * DAY)
    return rows


def run(*more: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    try:
        call_command("metrics", "--month", "2025-03", *more)
    except SystemExit as end:
        return int(end.code or 0), capsys.readouterr().out
    return 0, capsys.readouterr().out


def test_what_was_signed_is_counted_again_to_the_same_digits_whatever_came_later(
    in_force: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, row = worked(in_force), statement(in_force)
    assert run(capsys=capsys)[0] == 2, "nobody has signed it"
    version = statements.sign(row, by=in_force.sam, at=MARCH_ENDS + DAY)
    signed = json.loads(version.document)["figures"]
    assert signed["promises"]["respond"] == {
        "clause": "3.1", "kept": 1, "broken": 2, "not_owed": 0, "recorded_late": 0, "unreachable": 0
    }  # fmt: skip
    assert (signed["all"]["received"], signed["all"]["received_finished"], signed["all"]["waiting"]) == (3, 1, 2)
    later = MARCH_ENDS + 3 * DAY
    make.answer(ticket=rows[2], by=in_force.rita, at=later, accepted_at=later)
    make.message(ticket=rows[0], at=later)
    lifecycle.change_state(rows[1], to=Ticket.State.RESOLVED, by=in_force.rita, at=later)
    make.ticket(team=in_force.team, customer=in_force.carl, received_at=MARCH_ENDS - DAY, at=later)
    make.tick(at=later + DAY)
    code, out = run(capsys=capsys)
    assert (code, "Equal to version 1" in out) == (0, True), out
    code, out = run("--json", capsys=capsys)
    answer = json.loads(out)
    assert (code, answer["equal"], answer["differs"]) == (0, True, [])
    assert answer["figures"] == signed


def test_a_changed_record_shows_in_the_digits(in_force: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    rows, row = worked(in_force), statement(in_force)
    statements.sign(row, by=in_force.sam, at=MARCH_ENDS + DAY)
    with connection.cursor() as cursor:  # as somebody would who owns the database
        cursor.execute("set session_replication_role = replica")
        Deadline.objects.filter(pk=rows[0].respond_id).update(met_at=rows[0].received_at + SECOND)
        cursor.execute("set session_replication_role = default")
    code, out = run("--json", capsys=capsys)
    assert code == 1
    assert any(line.startswith("all.first.raw.half: ") for line in json.loads(out)["differs"])


def test_a_correction_is_a_new_version_that_says_why(in_force: Cast) -> None:
    row = statement(in_force)
    first = statements.sign(row, by=in_force.sam, at=MARCH_ENDS + DAY)
    with pytest.raises(Refused, match="why"):
        statements.sign(row, by=in_force.olga, at=MARCH_ENDS + 2 * DAY, last=1)
    with pytest.raises(Refused, match="just signed"):
        statements.sign(row, by=in_force.olga, at=MARCH_ENDS + 2 * DAY, last=0, reason="A ruling")
    second = statements.sign(row, by=in_force.olga, at=MARCH_ENDS + 2 * DAY, last=1, reason="A ruling")
    assert (second.number, StatementVersion.objects.count()) == (2, 2)
    first.refresh_from_db()
    assert statements.again(first).is_equal


@pytest.mark.parametrize("change", [{"document": "{}"}, {"digest": "0"}, {"signed_at": MARCH_ENDS}])
def test_what_was_signed_does_not_change_and_stays(in_force: Cast, change: dict[str, object]) -> None:
    version = statements.sign(statement(in_force), by=in_force.sam, at=MARCH_ENDS + DAY)
    rows = StatementVersion.objects.filter(pk=version.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()


def test_a_statement_names_no_person_and_no_customer(in_force: Cast) -> None:
    worked(in_force)
    version = statements.sign(statement(in_force), by=in_force.sam, at=MARCH_ENDS + DAY, comment="Fine.")
    for secret in ("Rita", "Carl", "Northwind", "person"):
        assert secret not in version.document


def test_the_pages_show_sign_and_hand_out_the_signed_bytes(in_force: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    worked(in_force)
    row = statement(in_force)
    monkeypatch.setattr("csp.clock.now", lambda: MARCH_ENDS + DAY)
    sam = browser(in_force.sam)
    assert "March 2025" in sam.get("/statements/").content.decode()
    assert "33.3\xa0%" in sam.get(row.path).content.decode()
    assert sam.post(f"{row.path}sign/", {"last": "0"}).status_code == 422, "without the intent"
    answer = sam.post(f"{row.path}sign/", {"last": "0", "intent": "on", "comment": "Two were late."})
    assert (answer.status_code, row.versions.count()) == (302, 1)
    version = row.versions.get()
    text = sam.get(row.path).content.decode()
    for part in (version.digest, "Two were late.", "Sam Supervisor", "1 of 3"):
        assert part in text
    got = sam.get(f"{row.path}1/file/")
    assert statements.digest(got.content.decode()) == version.digest
    for name in ("rita", "fay", "adam"):
        other = browser(getattr(in_force, name))
        assert other.get(row.path).status_code == 404
        assert other.get(f"{row.path}1/file/").status_code == 404
    assert browser(in_force.vera).get(row.path).status_code == 200
    assert browser(in_force.vera).get(f"{row.path}sign/").status_code == 403
