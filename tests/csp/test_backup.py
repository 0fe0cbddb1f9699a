"""Backup and restore: one drill from a stored mail to the same mail in another database, and every refusal."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from csp import clock, sealing, vault, verifying
from csp.models import Appointment, Erasure, ErasureLine, TrailEntry
from csp.privacy import erasing, ledger
from tests import factories
from tests.cast import Cast
from tickets.intake import landing, taking_in
from tickets.models import InboundMessage, Ticket

RAW = b"From: carl@northwind.example\r\nSubject: Keep this\r\nMessage-ID: <1@n>\r\n\r\nByte by byte.\r\n"


@contextlib.contextmanager
def another_database(name: str) -> Iterator[None]:
    """An empty database beside the test's, which the connection speaks to for a while."""
    own = connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"create database {name} template template0")
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"drop database {name} with (force)")


@pytest.fixture
def saved(transactional_db: None, cast: Cast, tmp_path: Path) -> Path:
    """A desk with a mail in it, its trail sealed, and a backup of it."""
    now = clock.now()
    row = landing.land(RAW, door=InboundMessage.Door.COMMAND, at=now)
    taking_in.take_in_now(row, now)
    factories.ticket(team=cast.team, customer=cast.rhea, received_at=now - dt.timedelta(days=2), at=now)
    sealing.seal(now)
    call_command("backup", str(tmp_path / "monday"), verbosity=0)
    return tmp_path / "monday"


@pytest.mark.slow
def test_a_drill_from_backup_to_the_same_desk_elsewhere(saved: Path):
    tickets = list(Ticket.objects.order_by("pk").values_list("pk", "subject", "received_at", "next_due_at"))
    entries = TrailEntry.objects.count()
    with another_database("restored_drill"):
        call_command("restore", str(saved))
        assert list(Ticket.objects.order_by("pk").values_list("pk", "subject", "received_at", "next_due_at")) == tickets
        source = InboundMessage.objects.select_related("blob__key").get()
        assert vault.read(source.blob) == RAW
        assert TrailEntry.objects.latest("pk").act == "backup.restored"
        sealing.seal(clock.now())
        assert not list(verifying.chain())
        # the numbers go on, evidence still refuses, a second restore is refused
        assert (
            TrailEntry.objects.count() == entries
        )  # the entry of the backup came after it, that of the restore is new
        with pytest.raises(CommandError, match="not empty"):
            call_command("restore", str(saved))
        with pytest.raises(Exception, match="is evidence"), connection.cursor() as cursor:
            cursor.execute("delete from csp_trailentry")


def test_keys_are_kept_apart_and_the_act_is_on_record(saved: Path):
    keys = saved.with_name("monday.keys")
    assert {path.name for path in saved.iterdir()} == {"records.dump", "manifest.json"}
    assert keys.exists()
    for path in (keys, saved / "records.dump"):
        assert path.stat().st_mode & 0o077 == 0
    assert json.loads((saved / "manifest.json").read_text())["rows"]["csp_blobkey"] == 1
    assert TrailEntry.objects.latest("pk").act == "backup.made"
    with another_database("without_keys"):
        with pytest.raises(CommandError, match=r"missing\.keys cannot be read"):
            call_command("restore", str(saved), keys=keys.with_name("missing.keys"))
        assert not connection.introspection.table_names()


def test_what_was_changed_is_not_restored(saved: Path):
    dump = saved / "records.dump"
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(content)
    with another_database("changed"), pytest.raises(CommandError, match="its digest differs"):
        call_command("restore", str(saved))


def test_another_master_key_is_told_before_anything_is_done(saved: Path, settings):
    settings.MASTER_KEY = bytes(32)
    with another_database("other_key"):
        with pytest.raises(CommandError, match="CSP_MASTER_KEY"):
            call_command("restore", str(saved))
        assert not connection.introspection.table_names()


def test_a_database_with_work_in_it_is_left_alone(saved: Path):
    before = Ticket.objects.count()
    with pytest.raises(CommandError, match="is not empty"):
        call_command("restore", str(saved))
    assert Ticket.objects.count() == before


def test_keys_may_not_lie_with_the_records(db, tmp_path: Path):
    with pytest.raises(CommandError, match="may not lie"):
        call_command("backup", str(tmp_path / "new"), keys=tmp_path / "new" / "keys")


def test_nothing_is_written_over(db, tmp_path: Path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "something").write_text("mine")
    with pytest.raises(CommandError, match="not an empty folder"):
        call_command("backup", str(tmp_path / "old"))
    assert (tmp_path / "old" / "something").read_text() == "mine"


def test_without_the_programs_it_says_what_to_install(db, tmp_path: Path, monkeypatch, settings):
    settings.DEVELOPMENT = False
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="Install PostgreSQL's client programs"):
        call_command("backup", str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


# ---------------------------------------------------------------- the ledger of erasures


@pytest.fixture
def ledgers(settings: Any, tmp_path: Path) -> Path:
    settings.ERASURE_LEDGER_DIR = tmp_path / "ledgers"
    return tmp_path / "ledgers"


def erased(cast: Cast) -> Erasure:
    """Carl, erased by the privacy owner after the backup was made, and the ledger copied out."""
    pia = factories.person(name="Pia Privacy")
    Appointment.objects.create(
        contract=cast.contract, office="privacy_owner", user=pia, starts_at=factories.SINCE
    )  # fmt: skip
    Ticket.objects.filter(customer=cast.carl).update(state="closed", closed_at=clock.now())
    row = erasing.erase(cast.carl, by=pia, at=clock.now(), basis="objection", request_ref="PR-3")
    while erasing.carry_out(clock.now()):
        pass
    sealing.seal(clock.now())
    assert erasing.keep_ledger(clock.now()) == 1
    assert erasing.keep_ledger(clock.now()) == 0
    return row


def words_of(customer: int) -> list[str]:
    said = Ticket.objects.filter(customer=customer).values_list("subject", "interactions__body")
    return sorted({word for row in said for word in row if word})


@pytest.mark.slow
def test_a_restore_erases_again_what_was_erased_since(saved: Path, cast: Cast, ledgers: Path):
    assert words_of(cast.carl.pk)
    row = erased(cast)
    [file] = ledgers.iterdir()
    assert "carl" not in file.read_text().lower()
    with another_database("restored_erased"):
        call_command("restore", str(saved))
        assert words_of(cast.carl.pk) == []
        assert words_of(cast.rhea.pk)
        again = Erasure.objects.get()
        assert (again.pk, again.customer_id, again.request_ref, again.replays) == (row.pk, cast.carl.pk, "PR-3", 1)
        source = InboundMessage.objects.select_related("blob__key").get()
        with pytest.raises(vault.Unreadable):
            vault.read(source.blob)
        assert ErasureLine.objects.get().line == file.read_text().strip()
        assert not ledger.is_behind()
        assert erasing.keep_ledger(clock.now()) == 0
        sealing.seal(clock.now())
        assert not list(verifying.verify(clock.now()))


@pytest.mark.slow
def test_nobody_is_let_in_before_and_a_killed_replay_is_taken_up(
    saved: Path, cast: Cast, ledgers: Path, monkeypatch: pytest.MonkeyPatch
):
    erased(cast)

    def kill(*_what: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with another_database("restored_killed"):
        with monkeypatch.context() as patch:
            patch.setattr(ledger, "keep", kill)
            with pytest.raises(KeyboardInterrupt):
                call_command("restore", str(saved))
        assert ledger.is_behind()
        client = Client()
        answer = client.get("/accounts/login/")
        assert (answer.status_code, answer["Retry-After"]) == (503, "60")
        assert client.get("/health/live").status_code == 200
        while erasing.keep_ledger(clock.now()):
            pass
        assert not ledger.is_behind()
        assert client.get("/accounts/login/").status_code != 503
        assert words_of(cast.carl.pk) == []
        assert Erasure.objects.count() == 1


@pytest.mark.slow
def test_a_ledger_that_is_gone_or_was_cut_is_told_before_anything_is_done(
    cast: Cast, transactional_db: None, tmp_path: Path, ledgers: Path
):
    factories.ticket(team=cast.team, customer=cast.carl)
    erased(cast)
    call_command("backup", str(tmp_path / "tuesday"), verbosity=0)
    [file] = ledgers.iterdir()
    kept = file.rename(tmp_path / "elsewhere.jsonl")
    with another_database("no_ledger"):
        with pytest.raises(CommandError, match="ledger of erasures is not there"):
            call_command("restore", str(tmp_path / "tuesday"))
        broken = tmp_path / "broken.jsonl"
        broken.write_text(kept.read_text().replace('"objection"', '"child"'))
        with pytest.raises(CommandError, match="is not the ledger"):
            call_command("restore", str(tmp_path / "tuesday"), ledger=broken)
        assert not connection.introspection.table_names()
        call_command("restore", str(tmp_path / "tuesday"), ledger=kept)
        assert file.exists(), "it is in its own place again"


def test_half_a_line_is_cut_off_and_another_databases_ledger_left_alone(cast: Cast, ledgers: Path):
    factories.ticket(team=cast.team, customer=cast.carl)
    erased(cast)
    [file] = ledgers.iterdir()
    whole = file.read_text()
    file.write_text(whole[: len(whole) // 2])
    assert erasing.keep_ledger(clock.now()) == 1
    assert file.read_text() == whole
    ledger.read(file)
    stranger = file.with_name("erasures-0123456789abcdef.jsonl")
    stranger.write_text(whole + whole)
    assert not ledger.is_behind()
    file.write_text(whole.replace('"number":1', '"number":7'))
    with pytest.raises(ledger.Broken):
        ledger.read(file)
