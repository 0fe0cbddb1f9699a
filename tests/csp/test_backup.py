"""Backup and restore: one drill from a stored mail to the same mail in another database, and every refusal."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from csp import clock, sealing, vault, verifying
from csp.models import TrailEntry
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
