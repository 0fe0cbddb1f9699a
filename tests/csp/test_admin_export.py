"""Records leave the reading room as files: narrowed as the list is, streamed, inert, masked, and recorded (6.3)."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import zipfile
from typing import Any

import openpyxl
import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

import csp.urls  # noqa: F401  registers every reading
from csp import admin, exporting
from csp.events import Act
from csp.models import Appointment, Contract, Customer, Notice, TrailEntry
from csp.roles import Office
from tests import factories as make
from tests.cast import Cast

NASTY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", " =1", "ok;=1", 'a,"b"\n=2', "=cmd|' /C calc'!A0"]


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content[:300]
    return b"".join(answer.streaming_content)


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body(answer).decode(), newline="")))


def ended() -> TrailEntry:
    return TrailEntry.objects.filter(act=Act.EXPORT_ENDED).latest("pk")


# ---------------------------------------------------------------- who may take what


@pytest.mark.django_db
def test_every_model_with_history_is_in_the_reading_room_with_its_history_and_an_export() -> None:
    ours = {"csp", "tickets", "feedback", "training", "audits"}
    missing = []
    for model in apps.get_models():
        history = getattr(model, "history", None)
        if model._meta.app_label in ours and history is not None:
            missing += [one.__name__ for one in (model, history.model) if one not in admin.site._registry]
    assert missing == []
    for name in ("csp.trailentry", "csp.breach", "csp.deadline", "tickets.interaction", "audits.audit"):
        assert isinstance(admin.site._registry[apps.get_model(name)], admin.Reading)


@pytest.mark.django_db
def test_only_whoever_may_read_the_list_may_take_it(client: Client, cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    path = "/admin/tickets/ticket/export/"
    for who, status in ((cast.rita, 302), (cast.sam, 302), (cast.fay, 302), (cast.adam, 403), (cast.vera, 200)):
        client.force_login(who)
        assert client.get(path).status_code == status, who
        assert client.post(path, {"format": "csv"}).status_code == status, who
    client.force_login(cast.adam)
    assert "rita@desk.example" in body(client.post("/admin/csp/user/export/", {"format": "csv"})).decode()
    assert "argon2" not in body(client.post("/admin/csp/user/export/", {"format": "jsonl"})).decode()


@pytest.mark.django_db
def test_an_auditor_takes_the_audits_contracts_only_and_nothing_kept_from_them(client: Client, cast: Cast) -> None:
    mine = make.ticket(team=cast.team, customer=cast.carl)
    other = Contract.objects.create(company="Other", created_at=make.SINCE)
    other.versions.create(number=1, title="First", text="", in_force_from=make.SINCE, terms={}, created_at=make.SINCE)
    theirs = make.ticket(team=make.team(contract=other, name="Elsewhere"), customer=cast.rhea)
    client.force_login(cast.vera)
    assert [row["id"] for row in rows_of(client.post("/admin/tickets/ticket/export/", {"format": "csv"}))] == [
        str(mine.pk)
    ]
    assert str(theirs.pk) not in {
        row["ticket_id"] for row in rows_of(client.post("/admin/tickets/interaction/export/", {"format": "csv"}))
    }


# ---------------------------------------------------------------- masked, unless opened with a reason


@pytest.mark.django_db
def test_identities_are_masked_and_open_with_a_reason_that_is_recorded(client: Client, cast: Cast) -> None:
    Appointment.objects.create(
        contract=cast.contract, office=Office.PRIVACY_OWNER, user=cast.sam, starts_at=make.SINCE
    )  # fmt: skip
    make.ticket(team=cast.team, customer=cast.carl, subject="Carl's boiler")
    client.force_login(cast.vera)
    path = "/admin/csp/customer/export/"
    masked = body(client.post(path, {"format": "csv"})).decode()
    assert "Carl Contact" not in masked
    assert admin.MASK in masked
    assert client.post(path, {"format": "csv", "reason": "why"}).status_code == 422
    opened = body(client.post(path, {"format": "csv", "reason": "To compare with the paper file"})).decode()
    assert "Carl Contact" in opened
    entry = TrailEntry.objects.filter(act=Act.EXPORTED).latest("pk")
    assert json.loads(entry.facts)["masks_opened"] is True
    assert json.loads(entry.personal) == {"reason": "To compare with the paper file"}
    assert Notice.objects.filter(user=cast.sam, facts__says="audit.opened").exists()
    words = body(client.post("/admin/tickets/ticket/export/", {"format": "jsonl"})).decode()
    assert "boiler" not in words


@pytest.mark.django_db
def test_what_no_reason_opens_stays_masked(client: Client, cast: Cast) -> None:
    """The trail's own words, mail with its links, feedback: opened where they belong, if at all."""
    make.ticket(team=cast.team, customer=cast.carl, subject="Carl's boiler")
    client.force_login(cast.vera)
    for name in ("csp/trailentry", "csp/outboundmessage", "feedback/remark", "audits/noncompliance"):
        page = client.get(f"/admin/{name}/export/").content.decode()
        assert 'name="reason"' not in page, name
        answer = client.post(f"/admin/{name}/export/", {"format": "jsonl", "reason": "Because I would like to"})
        text = body(answer).decode()
        assert "boiler" not in text
        assert "carl@northwind.example" not in text
        if name == "csp/trailentry":
            assert all(json.loads(line)["personal"] in ("", admin.MASK) for line in text.splitlines())
    client.force_login(cast.adam)
    assert 'name="reason"' not in client.get("/admin/csp/user/export/").content.decode()


# ---------------------------------------------------------------- narrowed, counted, digested, recorded


@pytest.mark.django_db
def test_the_file_is_narrowed_as_the_list_is_and_what_was_taken_is_recorded(client: Client, cast: Cast) -> None:
    first = make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT)
    second = make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT + make.DAY, channel="form")
    client.force_login(cast.vera)
    query = f"?channel__exact=mail&day_from={make.AT:%Y-%m-%d}&day_until={make.AT:%Y-%m-%d}"
    assert f"#{second.pk}" not in client.get(f"/admin/tickets/ticket/{query}").content.decode()
    answer = client.post(f"/admin/tickets/ticket/export/{query}", {"format": "csv"})
    content = body(answer)
    assert [row["id"] for row in csv.DictReader(io.StringIO(content.decode()))] == [str(first.pk)]
    begun = TrailEntry.objects.filter(act=Act.EXPORTED).latest("pk")
    facts = json.loads(ended().facts)
    day = f"{make.AT:%Y-%m-%d}"
    assert (
        facts["narrowed"]
        == {"channel__exact": "mail", "day_from": day, "day_until": day}
        == json.loads(begun.facts)["narrowed"]
    )
    assert (facts["rows"], facts["whole"], facts["records"]) == (1, True, "tickets.ticket")
    assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert (ended().actor, ended().context) == (f"user:{cast.vera.pk}", "export:tickets.ticket")


@pytest.mark.django_db
def test_dates_actor_and_subject_narrow_history_trail_and_clocks(client: Client, cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + make.HOUR, accepted_at=make.AT + make.HOUR)
    make.ticket(team=cast.team, customer=cast.rhea)
    client.force_login(cast.vera)
    taken = rows_of(client.post(f"/admin/csp/trailentry/export/?by_whom={cast.rita.pk}", {"format": "csv"}))
    assert {row["actor"] for row in taken} == {f"user:{cast.rita.pk}"}
    taken = rows_of(client.post(f"/admin/csp/trailentry/export/?about_what=%23{ticket.pk}", {"format": "csv"}))
    assert {row["context"] for row in taken} == {f"ticket:{ticket.pk}"}
    taken = rows_of(client.post("/admin/csp/trailentry/export/?act__exact=ticket.opened", {"format": "csv"}))
    assert {row["act"] for row in taken} == {"ticket.opened"}
    assert len(taken) == 2
    past = rows_of(client.post(f"/admin/tickets/historicalticket/export/?about_what={ticket.pk}", {"format": "csv"}))
    assert {row["id"] for row in past} == {str(ticket.pk)}
    assert rows_of(client.post("/admin/tickets/historicalticket/export/?day_until=2001-01-01", {"format": "csv"})) == []
    clocks = rows_of(client.post(f"/admin/csp/deadline/export/?about_what=%23{ticket.pk}", {"format": "csv"}))
    assert {row["subject_ref"] for row in clocks} == {f"#{ticket.pk}"}
    for odd in ("day_from=yesterday", "by_whom=nobody", "about_what=%00", "about_what=99999999999999999999"):
        assert client.get(f"/admin/tickets/ticket/?{odd}").status_code == 200, odd
        assert rows_of(client.post(f"/admin/tickets/ticket/export/?{odd}", {"format": "csv"})) == [], odd
    assert client.post("/admin/csp/customer/export/?name__startswith=C", {"format": "csv"}).status_code in (
        302,
        400,
        403,
    )


# ---------------------------------------------------------------- inert


@given(st.lists(st.sampled_from(NASTY) | st.text(max_size=20), min_size=1, max_size=8))
def test_no_cell_of_a_csv_is_a_formula(words: list[str]) -> None:
    content = b"".join(exporting.csv_of(["a"], [[word] for word in words], exporting.Tally())).decode()
    for [cell] in list(csv.reader(io.StringIO(content, newline="")))[1:]:
        assert cell.lstrip()[:1] not in tuple("=+-@＝＋－＠") or not cell.lstrip()


def test_numbers_stay_numbers_and_a_workbook_holds_no_formula() -> None:
    rows = [[word, -5, None, True, {"a": "=1"}, dt.datetime(2025, 3, 3, tzinfo=dt.UTC)] for word in [*NASTY, "a\x00b"]]
    tally = exporting.Tally()
    content = b"".join(exporting.sheet_of(["word", "n", "none", "bool", "json", "when"], rows, tally))
    assert tally.rows == len(rows)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert b"<f " not in sheet
    read = list(openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))[1:]
    assert [row[0] for row in read[:4]] == NASTY[:4]
    assert all(row[1] == -5 for row in read)
    assert read[0][3:] == ("true", '{"a": "=1"}', "2025-03-03T00:00:00+00:00")
    long = b"".join(exporting.sheet_of(["a"], [["x" * 40_000]], exporting.Tally()))
    [[cell]] = list(openpyxl.load_workbook(io.BytesIO(long)).active.iter_rows(min_row=2, values_only=True))
    assert len(cell) == exporting.SHEET_CELL
    assert cell.endswith(exporting.CUT)
    assert b"-5" in b"".join(exporting.csv_of(["n"], [[-5]], exporting.Tally()))


# ---------------------------------------------------------------- streamed


def many(count: int) -> None:
    Customer.objects.bulk_create(
        (Customer(name=f"Customer {n}", note="x" * 200, created_at=make.AT) for n in range(count)), batch_size=5000
    )


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx"])
def test_thousands_of_rows_arrive_whole_in_every_format(client: Client, cast: Cast, kind: str) -> None:
    many(5000)
    total = Customer.objects.count()
    client.force_login(cast.vera)
    content = body(client.post("/admin/csp/customer/export/", {"format": kind}))
    found = {
        "csv": lambda: len(list(csv.reader(io.StringIO(content.decode(), newline="")))) - 1,
        "jsonl": lambda: len(content.splitlines()),
        "xlsx": lambda: openpyxl.load_workbook(io.BytesIO(content)).active.max_row - 1,
    }[kind]()
    assert found == total == json.loads(ended().facts)["rows"]


@pytest.mark.django_db
def test_rows_come_by_a_cursor_of_the_server_and_a_broken_off_export_says_so(client: Client, cast: Cast) -> None:
    many(12_000)
    client.force_login(cast.vera)
    answer = client.post("/admin/csp/customer/export/", {"format": "jsonl"})
    pieces = iter(answer.streaming_content)
    first = next(pieces)
    assert len(first) < 3 * exporting.BLOCK, "the first piece goes out long before the last row is read"
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_cursors where name <> ''")
        assert cursor.fetchone()[0] == 1
    assert not TrailEntry.objects.filter(act=Act.EXPORT_ENDED).exists()
    for closer in answer._resource_closers:  # what a server does when the reader is gone
        closer()
    facts = json.loads(ended().facts)
    assert facts["whole"] is False
    assert 0 < facts["rows"] < 12_000
    assert facts["sha256"] == hashlib.sha256(first).hexdigest()


@pytest.mark.django_db
def test_more_rows_than_a_worksheet_holds_are_refused(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "SHEET_ROWS", 1)
    client.force_login(cast.vera)
    assert client.post("/admin/csp/customer/export/", {"format": "xlsx"}).status_code == 422
    assert not TrailEntry.objects.filter(act=Act.EXPORTED).exists()
    assert client.get("/admin/csp/customer/export/").status_code == 200
