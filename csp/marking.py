"""Which tables are evidence, and the triggers by which each change of a row of theirs leaves a mark (EvidenceMark).

What is evidence is asked of the database: every table that refuses deletion (migration 0002). After each migration the
triggers are brought up to it, so that a new table, or a new column, is covered without anybody naming it. A mark says
which columns it covers (EvidenceShape), so that it can be checked years and columns later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from django.apps import apps
from django.db import connection, models

from csp.models import EvidenceShape

# The trail has its own chain, and is not marked.
THE_TRAIL = {"csp_trailentry", "csp_trailseal", "csp_trailcheckpoint"}
# So that a row reads the same whoever's settings a connection has.
PLAINLY = "set timezone = 'UTC' set intervalstyle = 'postgres' set bytea_output = 'hex' set extra_float_digits = 1"


@dataclasses.dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table as a mark covers them."""

    plain: tuple[str, ...]
    personal: tuple[str, ...]
    digested: tuple[str, ...]

    def text(self, names: tuple[str, ...], row: str) -> str:
        """The SQL of these columns of `row` as one text."""
        if not names:
            return "''"
        q = connection.ops.quote_name
        parts = [
            f"sha256({row}.{q(name)}) as {q(name)}" if name in self.digested else f"{row}.{q(name)}" for name in names
        ]
        return f"(select to_jsonb(x)::text from (select {', '.join(parts)}) x)"  # noqa: S608  our own names


def guarded_tables() -> set[str]:
    """The tables from which the database lets nothing be removed, but the trail's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid "
            "where t.tgname = 'evidence_kept' and c.relnamespace = current_schema()::regnamespace"
        )
        return {name for (name,) in cursor.fetchall()} - THE_TRAIL


def unchanging_tables() -> set[str]:
    """The tables whose rows never change: an entry that names one proves it. What changes is proven by marks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid "
            "join pg_proc p on p.oid = t.tgfoid where t.tgname = 'evidence_kept' and p.proname = 'csp_refuse_change' "
            "and c.relnamespace = current_schema()::regnamespace"
        )
        return {name for (name,) in cursor.fetchall()}


def evidence() -> list[type[models.Model]]:
    """Every model whose rows are evidence."""
    found = guarded_tables()
    return sorted(
        (model for model in apps.get_models() if model._meta.db_table in found), key=lambda model: model._meta.label
    )


def columns_of(model: type[models.Model]) -> Columns:
    fields = [field for field in model._meta.concrete_fields if not getattr(field, "generated", False)]
    names = set(model.record.personal)  # type: ignore[attr-defined]  # every model of ours declares its record
    return Columns(
        tuple(str(field.column) for field in fields if field.name not in names),
        tuple(str(field.column) for field in fields if field.name in names),
        tuple(str(field.column) for field in fields if isinstance(field, models.BinaryField)),
    )


def install(**_kwargs: object) -> None:
    """Bring the triggers up to the models; rows that no mark covers any more are marked as they stand."""
    with connection.cursor() as cursor:
        names = set(connection.introspection.table_names(cursor))
    if EvidenceShape._meta.db_table not in names:
        return
    for model in evidence():
        _install(model)
    _keep_the_past(names)


def _keep_the_past(here: set[str]) -> None:
    """Let nobody rewrite or remove the earlier versions of a row, of whatever table they are kept."""
    tables = {model._meta.db_table for model in apps.get_models() if hasattr(model, "history_id")} & here
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_proc where proname = 'csp_refuse_past'")
        if cursor.fetchone() is None:
            return  # on the way through the migrations
        cursor.execute(
            "select c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid "
            "where t.tgname = 'past_kept' and c.relnamespace = current_schema()::regnamespace"
        )
        for table in sorted(tables - {name for (name,) in cursor.fetchall()}):
            cursor.execute(
                f"create trigger past_kept before update or delete on {connection.ops.quote_name(table)} "
                "for each row execute function csp_refuse_past()"
            )


def _install(model: type[models.Model]) -> None:
    table, columns = model._meta.db_table, columns_of(model)
    shapes = list(EvidenceShape.objects.filter(relation=table).order_by("pk"))
    now = (list(columns.plain), list(columns.personal), list(columns.digested))
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_trigger where tgname = 'evidence_marked' and tgrelid = %s::regclass", [table])
        is_installed = cursor.fetchone() is not None
        if is_installed and shapes and (shapes[-1].plain, shapes[-1].personal, shapes[-1].digested) == now:
            return
        shape = EvidenceShape.objects.create(relation=table, plain=now[0], personal=now[1], digested=now[2])
        for statement in _trigger(model, columns, shape.pk):
            cursor.execute(statement)
        here = {*columns.plain, *columns.personal}
        unreadable = [old.pk for old in shapes if not {*old.plain, *old.personal} <= here]
        readable = [old.pk for old in shapes if old.pk not in unreadable]
        q, pk = connection.ops.quote_name, connection.ops.quote_name(str(model._meta.pk.column))
        cursor.execute(
            f"insert into csp_evidencemark (shape_id, row, plain, personal, salt, recorded_at) "  # noqa: S608
            f"select {shape.pk}, r.{pk}, m.plain, m.personal, m.salt, clock_timestamp() "
            f"from {q(table)} r, lateral csp_state_{table}(r) m "
            f"where not exists (select 1 from csp_evidencemark k where k.shape_id = any(%s) and k.row = r.{pk})",
            [readable],
        )


def _trigger(model: type[models.Model], columns: Columns, shape: int) -> Iterator[str]:
    table, q = model._meta.db_table, connection.ops.quote_name
    pk = q(str(model._meta.pk.column))
    personal = columns.text(columns.personal, "r")
    yield (
        f"create or replace function csp_state_{table}(r {q(table)}, out plain bytea, out personal bytea, "
        f"out salt bytea) language plpgsql {PLAINLY} as $$ begin "
        "salt := uuid_send(gen_random_uuid()); "
        f"plain := sha256(convert_to({columns.text(columns.plain, 'r')}, 'UTF8')); "
        f"personal := sha256(salt || convert_to({personal}, 'UTF8')); end $$"
    )
    yield (
        f"create or replace function csp_mark_{table}() returns trigger language plpgsql as $$ begin "  # noqa: S608
        "if tg_op = 'DELETE' then "
        "insert into csp_evidencemark (shape_id, row, plain, personal, salt, recorded_at) "
        f"values ({shape}, old.{pk}, '', '', '', clock_timestamp()); else "
        "insert into csp_evidencemark (shape_id, row, plain, personal, salt, recorded_at) "
        f"select {shape}, new.{pk}, m.plain, m.personal, m.salt, clock_timestamp() from csp_state_{table}(new) m; "
        "end if; return null; end $$"
    )
    yield f"drop trigger if exists evidence_marked on {q(table)}"
    yield f"drop trigger if exists evidence_remarked on {q(table)}"
    yield (
        f"create trigger evidence_marked after insert or delete on {q(table)} "
        f"for each row execute function csp_mark_{table}()"
    )
    yield (
        f"create trigger evidence_remarked after update on {q(table)} for each row "
        f"when (old.* is distinct from new.*) execute function csp_mark_{table}()"
    )
