"""Clause 4.3: any byte of any evidence that is changed behind the product's back is found, and its row named.

Every table that refuses deletion is tried, whatever app it is of and whenever it came: rows are put in by the database
itself, then changed by SQL as the owner of the table with every trigger switched off.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models, transaction

from csp import clock, marking, marks, outbox, sealing, verifying
from csp.models import Breach, EvidenceMark, OutboundMessage, TrailCheckpoint, TrailEntry
from tests import factories as make
from tests.cast import Cast
from tests.conftest import MailServer

VALUES = {
    "bigint": "{n}", "integer": "{n}", "smallint": "{n}", "boolean": "false", "text": "'x{n}'",
    "character varying": "'x{n}'", "timestamp with time zone": "timestamptz '2020-01-01' + interval '{n} days'",
    "date": "date '2020-01-01' + {n}", "interval": "interval '{n} hours'", "jsonb": "'[{n}]'", "ARRAY": "'{{}}'",
    "bytea": "'\\x0{n}'", "numeric": "{n}", "double precision": "{n}", "uuid": "gen_random_uuid()",
}  # fmt: skip
OTHER = {
    "bigint": "{c} + 1000", "integer": "{c} + 1000", "smallint": "{c} + 100", "boolean": "not {c}",
    "text": "{c} || ' '", "character varying": "{c} || ' '", "jsonb": "'[9]'", "ARRAY": "'{{7}}'",
    "timestamp with time zone": "{c} + interval '1 microsecond'", "date": "{c} + 1",
    "interval": "{c} + interval '1 second'", "bytea": "{c} || '\\x00'", "numeric": "{c} + 1",
    "double precision": "{c} + 1", "uuid": "gen_random_uuid()",
}  # fmt: skip


def run(sql: str, *values: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


def behind_our_back(sql: str, *values: object) -> None:
    run("set local session_replication_role = replica")
    run(sql, *values)
    run("set local session_replication_role = origin")


class _Undone(Exception):
    pass


def undone() -> Iterator[None]:
    """Once around: what happens inside does not stay."""
    try:
        with transaction.atomic():
            yield
            raise _Undone
    except _Undone:
        pass


def two_rows(model: type[models.Model]) -> tuple[list[int], dict[str, str]]:
    """Two rows in a table, by its own columns and triggers; and the type of each column."""
    table = model._meta.db_table
    for (drop,) in run(
        "select format('alter table %%s drop constraint %%I', conrelid::regclass, conname) from pg_constraint "
        "where contype in ('c', 'f') and conrelid = %s::regclass",
        table,
    ):
        run(str(drop))
    kinds = dict(
        run(
            "select column_name::text, data_type::text from information_schema.columns "
            "where table_name = %s and is_generated = 'NEVER' order by ordinal_position",
            table,
        )
    )
    names = ", ".join(f'"{name}"' for name in kinds)
    numbers = []
    for n in (7, 8):
        values = ", ".join(
            str(900_000 + n) if name == model._meta.pk.column else VALUES[kind].format(n=n)
            for name, kind in kinds.items()
        )
        run(f"insert into {table} ({names}) values ({values})")
        numbers.append(900_000 + n)
    return numbers, kinds


def found(model: type[models.Model]) -> list[str]:
    return [str(finding) for finding in marks.rows_of(model)]


@pytest.mark.slow
def test_in_every_table_any_change_is_found_and_names_its_row(db: None) -> None:
    evidence = marking.evidence()
    labels = {model._meta.label_lower for model in evidence}
    assert {
        "tickets.ticket", "tickets.interaction", "tickets.attachment", "tickets.call", "tickets.escalation",
        "tickets.inboundmessage", "csp.deadline", "csp.breach", "csp.assessment", "csp.outboundmessage", "csp.blob",
        "csp.user", "csp.rolegrant", "csp.restriction", "audits.noncompliance", "audits.correctiveaction",
        "audits.implementation", "audits.verification", "audits.effectcheck", "audits.measure", "audits.appeal",
    } <= labels  # fmt: skip
    tried = 0
    for model in evidence:
        table, pk = model._meta.db_table, model._meta.pk.column
        for _once in undone():
            (one, other), kinds = two_rows(model)
            name = f"{model._meta.label_lower}:{one}"
            assert found(model) == [], f"{table} as it was written"
            for column, kind in kinds.items():
                for _each in undone():
                    changed = OTHER[kind].format(c=f'"{column}"')
                    behind_our_back(f'update {table} set "{column}" = {changed} where {pk} = %s', one)
                    assert any(said.startswith(f"{name}:") for said in found(model)), f"{table}.{column} changed"
                    tried += 1
            for _each in undone():
                behind_our_back(f"delete from {table} where {pk} = %s", one)
                assert found(model) == [f"{name}: was removed"]
            for _each in undone():
                behind_our_back(f"update {table} set {pk} = -1 where {pk} = %s", one)
                behind_our_back(f"update {table} set {pk} = %s where {pk} = %s", one, other)
                behind_our_back(f"update {table} set {pk} = %s where {pk} = -1", other)
                both = {f"{name}:", f"{model._meta.label_lower}:{other}:"}
                assert {said.partition(" ")[0] for said in found(model)} == both, f"{table} reordered"
            for _each in undone():
                columns = ", ".join(f'"{name}"' for name in kinds if name != pk)
                behind_our_back("delete from csp_evidencemark where row = %s", other)
                assert f"{model._meta.label_lower}:{other}: was added past the product" in found(model), columns
    assert tried > 300


@pytest.fixture
def sealed(cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.CHECKPOINT_DIR = tmp_path  # what other tests signed is not of this trail
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + make.HOUR, accepted_at=make.AT + make.HOUR)
    make.tick(at=make.AT + 2 * make.DAY)
    run("select csp_trail_seal(100000)")
    assert whole() == []


def whole() -> list[str]:
    latest = TrailEntry.objects.latest("recorded_at").recorded_at
    return [str(finding) for finding in verifying.verify(latest)]


@pytest.mark.parametrize("column", ["row", "shape_id", "plain", "personal", "recorded_at", "entry_id"])
def test_a_mark_that_was_changed_is_found_by_the_entry_that_vouches_for_it(sealed: None, column: str) -> None:
    mark = EvidenceMark.objects.order_by("pk").first()
    assert mark is not None
    [(kind,)] = run(
        "select data_type::text from information_schema.columns where table_name = 'csp_evidencemark' "
        "and column_name = %s",
        column,
    )
    behind_our_back(
        f'update csp_evidencemark set "{column}" = {OTHER[str(kind)].format(c=f"{chr(34)}{column}{chr(34)}")} '
        "where id = %s",
        mark.pk,
    )
    assert any(f"entry {mark.entry_id} vouches for" in said for said in whole())


def test_a_row_and_its_mark_changed_together_are_found(sealed: None) -> None:
    """Whoever also writes a fitting mark, or takes both away, has broken the batch that the chain holds."""
    for change in (
        "update tickets_ticket set subject = 'Another matter'; update csp_evidencemark m set plain = s.plain, "
        "personal = s.personal, salt = s.salt from tickets_ticket t, lateral csp_state_tickets_ticket(t) s "
        "where m.id = (select max(id) from csp_evidencemark where shape_id = m.shape_id and row = t.id)",
        "delete from csp_evidencemark where row in (select id from tickets_ticket) and shape_id in "
        "(select id from csp_evidenceshape where relation = 'tickets_ticket'); delete from tickets_ticket",
    ):
        for _once in undone():
            behind_our_back(change)
            assert any("vouches for" in said for said in whole())


def test_a_blanked_salt_does_not_let_personal_text_be_changed(sealed: None) -> None:
    behind_our_back("update csp_evidencemark set salt = ''")
    assert any("tickets.interaction" in said and "salt" in said for said in whole())


def test_marks_are_neither_changed_nor_removed_with_the_triggers_on(sealed: None) -> None:
    run("set constraints all immediate")
    for statement in (
        "delete from csp_evidencemark", "update csp_evidencemark set plain = ''", "truncate csp_evidencemark",
        "update csp_evidencemark set entry_id = null", "update csp_evidencemark set salt = ''",
    ):  # fmt: skip
        with pytest.raises(Exception, match="does not change"), transaction.atomic():
            run(statement)


def test_a_column_added_later_leaves_older_marks_as_good_as_they_were(sealed: None) -> None:
    before = EvidenceMark.objects.count()
    run("set constraints all immediate")
    run("alter table csp_breach add column remark text not null default 'none'")
    assert whole() == []
    run("alter table csp_breach drop column remark")
    run("update csp_evidenceshape set plain = array_append(plain, 'gone') where relation = 'csp_breach'")
    marking.install()  # as after a migration that took a column away: rows are marked anew
    assert EvidenceMark.objects.count() == before + Breach.objects.count()
    assert found(Breach) == []


def test_checkpoints_are_written_to_a_folder_and_mailed_outside(
    sealed: None, settings, tmp_path, mail_server: MailServer
) -> None:
    settings.CHECKPOINT_DIR, settings.CHECKPOINT_MAIL = tmp_path, ["notary@elsewhere.example"]
    settings.EMAIL_HOST, settings.EMAIL_PORT = mail_server.host, mail_server.port
    now = clock.now()
    assert sealing.checkpoint(now) == 1
    assert sealing.checkpoint(now + dt.timedelta(seconds=1)) == 0
    row = TrailCheckpoint.objects.get()
    [path] = tmp_path.glob("*.txt")
    assert path.read_text() == row.note
    while outbox.deliver(now):
        pass
    mailed = [one for one in mail_server.deliveries if one.recipients == ["notary@elsewhere.example"]]
    assert [one.message.get_content().replace("\r\n", "\n").strip() for one in mailed] == [row.note.strip()]
    assert OutboundMessage.objects.get(dedupe_key__startswith="checkpoint:").state == "accepted"
    assert list(verifying.check_note(row.note, "kept outside")) == []
