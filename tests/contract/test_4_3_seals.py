"""Clause 4.3: what is on record can be audited. Any change behind the product's back is found and named.

The trail and its chain are attacked here, every table of evidence in test_4_3_tamper.py. The changes are made as the
owner of the tables with every trigger switched off, which is the most that anybody could do inside the database; a full
rewrite of the chain is found by a checkpoint kept outside.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from csp import loops, sealing, trail, verifying
from csp.events import Act
from csp.models import Breach, RoleGrant, Team, TrailCheckpoint, TrailEntry, TrailSeal, User
from tests import factories as make
from tickets import customers, handling
from tickets.conversation import Direction, File, Kind, Said, inbound, seen_of

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def sealed(db: None, tmp_path: Path, settings: object) -> Iterator[str]:
    """A ticket with a file, breached and escalated, everything sealed and a checkpoint signed. Yields that note."""
    settings.CHECKPOINT_DIR = tmp_path / "checkpoints"
    team = Team.objects.get()
    sam = User.objects.create_user("sam@desk.example", name="Sam", joined_at=START)
    RoleGrant.objects.create(user=sam, role="supervisor", team=team, starts_at=START)
    carl = customers.customer_for("carl@northwind.example", "Carl", at=START)
    ticket = handling.open_ticket(
        team=team,
        subject="The hob is cold",
        channel="mail",
        received_at=START,
        at=START,
        by=carl,
        customer=carl,
        said=Said(
            kind=Kind.MAIL,
            direction=Direction.IN,
            body="It does not heat.",
            occurred_at=START,
            customer=carl,
            sender_address="carl@northwind.example",
            files=[File("photo.png", "image/png", b"not really a picture")],
        ),
    )
    heard = seen_of(inbound(ticket))
    handling.respond(ticket, by=sam, at=START, body="We look.", purpose="holding", seen_through=heard)
    late = START + dt.timedelta(hours=24, seconds=1)
    for loop in (loops.RULES["sweep"], loops.RULES["escalate"]):
        assert _alone(loop, late)
    with connection.cursor() as cursor:
        cursor.execute("select csp_trail_seal(10000)")
    head = TrailSeal.objects.latest("number")
    note = TrailCheckpoint.objects.create(
        size=head.number, made_at=late, head=bytes(head.hash), note=sealing.note_of(head.number, bytes(head.hash), late)
    )
    sealing.write_note(note)
    assert findings() == []
    return note.note


def _alone(loop: loops.Loop, at: dt.datetime) -> int:
    """Loops open durable transactions; a test is one already."""
    from django.db import transaction

    transaction.Atomic._ensure_durability = False  # type: ignore[attr-defined]  # as TestCase does
    return loop(at)


def findings() -> list[str]:
    latest = TrailEntry.objects.latest("recorded_at").recorded_at
    return [str(finding) for finding in verifying.verify(latest)]


def behind_our_back(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute(
            "select format('alter table %s drop constraint %I', conrelid::regclass, conname) from pg_constraint "
            "where contype = 'c' and connamespace = 'public'::regnamespace"
        )
        for (drop,) in cursor.fetchall():  # the owner of the tables is not held by these either
            if any(table in drop for table in ("interaction", "csp_breach", "attachment", "csp_trail", "cause")):
                cursor.execute(drop)
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("set local session_replication_role = origin")


def _columns() -> list[tuple[str, str, str]]:
    models = [apps.get_model(label) for label in ("csp.trailentry", "csp.trailseal")]
    return [
        (model._meta.db_table, model._meta.pk.column, field.column)
        for model in models
        for field in model._meta.concrete_fields
        if not field.primary_key and not getattr(field, "generated", False)
    ]


_OTHER = {
    "timestamp with time zone": "{c} + interval '1 microsecond'",
    "bigint": "coalesce({c}, 0) + 1000",
    "integer": "coalesce({c}, 0) + 1000",
    "text": "coalesce({c}, '') || 'x'",
    "character varying": "left(coalesce({c}, ''), 3) || 'x'",
    "ARRAY": "array_append({c}, 'x')",
    "bytea": "set_byte({c} || '\\x00', 0, 255 - get_byte({c} || '\\x00', 0))",
    "interval": "coalesce({c}, interval '0') + interval '1 second'",
}


@pytest.mark.parametrize(("table", "pk", "column"), _columns())
def test_any_changed_column_is_found_and_named(sealed: str, table: str, pk: str, column: str) -> None:
    if (table, column) in {("csp_trailseal", "sealed_at"), ("csp_trailentry", "address_salt")}:
        return  # the one says when and proves nothing; the other salts the digest of an address, and here is none
    with connection.cursor() as cursor:
        cursor.execute(
            "select data_type from information_schema.columns where table_name = %s and column_name = %s",
            [table, column],
        )
        (kind,) = cursor.fetchone()
        cursor.execute(f"select min({pk}) from {table}")
        (row,) = cursor.fetchone()
    quoted = f'"{column}"'
    behind_our_back(f"update {table} set {quoted} = {_OTHER[kind].format(c=quoted)} where {pk} = %s", row)
    assert findings(), f"a change of {table}.{column} was not found"


@pytest.mark.parametrize("label", ["tickets.interaction", "csp.breach", "csp.trailentry", "csp.trailseal"])
def test_any_removed_row_is_found_and_named(sealed: str, label: str) -> None:
    model = apps.get_model(label)
    row = model.objects.order_by("pk").first()
    assert row is not None
    behind_our_back(f"delete from {model._meta.db_table} where {model._meta.pk.column} = %s", row.pk)
    named = {"csp.trailentry": f"entry {row.pk}", "csp.trailseal": f"seal {row.pk}"}.get(label, f"{label}:{row.pk}")
    assert any(finding.startswith(f"{named}:") for finding in findings())


def test_the_newest_entry_removed_with_its_seal_is_found_by_the_checkpoint(sealed: str) -> None:
    seal = TrailSeal.objects.latest("number")
    behind_our_back("delete from csp_trailseal where number = %s", seal.number)
    behind_our_back("delete from csp_trailentry where id = %s", seal.entry_id)
    assert any("shorter now" in finding for finding in findings())


def test_an_added_row_of_evidence_is_found_and_named(sealed: str) -> None:
    behind_our_back(
        "insert into tickets_interaction (ticket_id, kind, direction, purpose, sender_name, sender_address, "
        '"to", cc, subject, body, html, message_id, occurred_at, recorded_at, seen_through) '
        "select ticket_id, kind, direction, purpose, sender_name, sender_address, "
        "\"to\", cc, subject, 'never said', html, '', occurred_at, recorded_at, seen_through "
        "from tickets_interaction limit 1"
    )
    assert any("stands in no entry" in finding for finding in findings())


def test_an_added_entry_is_found(sealed: str) -> None:
    behind_our_back(
        "insert into csp_trailentry (recorded_at, at, actor, act, subject, version, context, source, facts, personal, "
        "salt, address, address_salt, commitment, leaf) select recorded_at, at, actor, act, "
        "subject, version + 100, context, source, facts, personal, salt, address, address_salt, commitment, leaf "
        "from csp_trailentry limit 1"
    )
    said = findings()
    assert any("has no seal" in finding for finding in said)
    assert any("entries are missing" in finding for finding in said)


def test_two_entries_exchanged_are_found(sealed: str) -> None:
    one, other = TrailSeal.objects.order_by("number")[:2]
    behind_our_back("update csp_trailseal set entry_id = -1 where number = %s", one.number)
    behind_our_back("update csp_trailseal set entry_id = %s where number = %s", one.entry_id, other.number)
    behind_our_back("update csp_trailseal set entry_id = %s where number = %s", other.entry_id, one.number)
    assert findings()


def test_a_chain_computed_anew_is_found_by_a_note_kept_outside(sealed: str) -> None:
    """Change an act, then recompute leaf, seals and our own checkpoint: only the copy outside still knows."""
    entry = TrailEntry.objects.order_by("pk").first()
    assert entry is not None
    behind_our_back("update csp_trailentry set actor = 'user:999' where id = %s", entry.pk)
    behind_our_back("update csp_trailentry e set leaf = csp_trail_leaf(e)")
    before = sealing.GENESIS
    for seal in TrailSeal.objects.order_by("number").select_related("entry"):
        before = sealing.chained(seal.number, before, bytes(seal.entry.leaf))
        behind_our_back(
            "update csp_trailseal set leaf = %s, hash = %s where number = %s",
            bytes(seal.entry.leaf), before, seal.number,
        )  # fmt: skip
    behind_our_back("delete from csp_trailcheckpoint")
    for path in Path(settings.CHECKPOINT_DIR).glob("*.txt"):
        path.unlink()
    assert findings() == []  # a chain alone proves nothing against whoever owns the database
    assert [str(finding) for finding in verifying.check_note(sealed, "auditor's copy")]


def test_blanking_personal_text_leaves_every_seal_whole(sealed: str) -> None:
    entry = TrailEntry.objects.exclude(personal="").first()
    assert entry is not None
    named = make.erasure()
    with connection.cursor() as cursor:
        cursor.execute(f"set local csp.erasure = '{named.pk}'")
        cursor.execute("update csp_trailentry set personal = '', salt = '' where id = %s", [entry.pk])
        cursor.execute("set local csp.erasure = ''")
    assert findings() == [f"entry {entry.pk}: its personal text is gone, and nothing says why"]
    trail.record(Act.ERASED, entry.context, by="test", at=START)
    assert findings() == []


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    """The stand-alone program, loaded as the single file that it is."""
    spec = importlib.util.spec_from_file_location("verify_trail", settings.BASE_DIR / "docs" / "verify_trail.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stand_alone_verifier_agrees_and_finds_each_altered_line(sealed: str, verifier: ModuleType) -> None:
    import base64

    key = base64.b64decode(sealing.public_key())
    lines = list(verifying.export(personal=True))
    assert list(verifier.check(iter(lines), key, [("kept", sealed)])) == []
    for place, line in enumerate(lines):
        value = json.loads(line)
        for name in value:
            altered = dict(value)
            old = altered[name]
            altered[name] = old + 1 if isinstance(old, int) else (f"00{old[2:]}" if name == "hash" else f"{old}ff")
            if altered == value or (name in {"personal", "salt"} and not old):
                continue
            wrong = [*lines[:place], json.dumps(altered), *lines[place + 1 :]]
            assert list(verifier.check(iter(wrong), key, [("kept", sealed)])), f"{name} of line {place}"
        if place and "number" in value:
            gone = [*lines[:place], *lines[place + 1 :]]
            assert list(verifier.check(iter(gone), key, [("kept", sealed)])), f"line {place} removed"


def test_a_signature_of_another_key_is_refused(sealed: str, verifier: ModuleType) -> None:
    lines = list(verifying.export())
    assert any("signature" in problem for problem in verifier.check(iter(lines), bytes(31) + b"\x01"))


def test_an_entry_can_be_checked_alone(sealed: str) -> None:
    entry = TrailEntry.objects.order_by("pk").first()
    assert entry is not None
    assert list(verifying.one(entry)) == []
    behind_our_back("update csp_trailentry set facts = '{}' where id = %s", entry.pk)
    entry.refresh_from_db()
    assert list(verifying.one(entry))


def test_sealing_twice_seals_once(sealed: str) -> None:
    before = TrailSeal.objects.count()
    breach = Breach.objects.first()
    assert breach is not None
    trail.record(Act.DEADLINE_REMINDED, f"deadline:{breach.deadline_id}", by="test", at=START)
    with connection.cursor() as cursor:
        cursor.execute("select csp_trail_seal(10), csp_trail_seal(10)")
        assert cursor.fetchone() == (1, 0)
    assert TrailSeal.objects.count() == before + 1
