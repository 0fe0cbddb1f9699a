"""Checking every row of evidence against its last mark, and the marks against the entries that vouch for them.

The database is asked for the columns as they stand; every digest is computed here. Each difference names its row.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.db import connection, models, transaction

from csp import marking
from csp.events import Act
from csp.models import EvidenceMark, EvidenceShape, TrailEntry

STEP = 2000
UNSEALED_FOR = dt.timedelta(seconds=60)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was recorded."""

    what: str  # "entry 17", "tickets.interaction:5", "seal 40", "checkpoint 500"
    says: str

    def __str__(self) -> str:
        return f"{self.what}: {self.says}"


def verify(at: dt.datetime, *, progress: Progress = lambda done, of: None) -> Iterator[Finding]:
    """Check all marks, then all rows of evidence."""
    yield from _batches(progress)
    waiting = EvidenceMark.objects.filter(entry__isnull=True, recorded_at__lt=at - UNSEALED_FOR).count()
    if waiting:
        yield Finding("marks", f"{waiting} have waited more than a minute for their seal")
    for model in marking.evidence():
        yield from rows_of(model)


def leaf_of(mark: EvidenceMark) -> bytes:
    """The leaf of a mark, computed from its columns."""
    parts = (mark.pk, mark.shape_id, mark.row, (mark.recorded_at - _EPOCH) // dt.timedelta(microseconds=1))
    digests = (bytes(mark.plain), bytes(mark.personal))
    return hashlib.sha256(
        b"\x02"
        + b"".join(part.to_bytes(8, "big", signed=True) for part in parts)
        + b"".join(len(part).to_bytes(4, "big") + part for part in digests)
    ).digest()


def _batches(progress: Progress) -> Iterator[Finding]:
    """Each batch of marks is the one that its entry names."""
    entries = TrailEntry.objects.filter(act=Act.EVIDENCE_MARKED).order_by("pk")
    total, done = EvidenceMark.objects.filter(entry__isnull=False).count(), 0
    vouched = set()
    for entry in entries.iterator(chunk_size=STEP):
        vouched.add(entry.pk)
        digest, count = hashlib.sha256(), 0
        for mark in EvidenceMark.objects.filter(entry=entry).order_by("pk").iterator(chunk_size=STEP):
            digest.update(leaf_of(mark))
            count += 1
        facts = _facts(entry)
        if facts.get("digest") != digest.hexdigest() or facts.get("rows") != count:
            first, last = facts.get("first"), facts.get("last")
            yield Finding(f"marks {first} to {last}", f"are not the ones that entry {entry.pk} vouches for")
        done += count
        progress(done, total)
    strays = EvidenceMark.objects.filter(entry__isnull=False).exclude(entry__act=Act.EVIDENCE_MARKED)
    for number in strays.values_list("pk", flat=True)[:STEP]:
        yield Finding(f"mark {number}", "is vouched for by an entry that does not do that")


def _facts(entry: TrailEntry) -> dict[str, object]:
    try:
        facts = json.loads(entry.facts)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


# The last mark of each row of one table; $1 are the shapes of the table.
_LATEST = (
    "select distinct on (row) row, shape_id, plain, personal, salt from csp_evidencemark where shape_id = any(%s) "
    "and (%s::bigint is null or row = %s) order by row, id desc"
)


def rows_of(model: type[models.Model], *, only: int | None = None) -> Iterator[Finding]:
    """Check the rows of one table, or one of them."""
    table, label, q = model._meta.db_table, model._meta.label_lower, connection.ops.quote_name
    pk = q(str(model._meta.pk.column))
    shapes = {shape.pk: shape for shape in EvidenceShape.objects.filter(relation=table)}
    with connection.cursor() as cursor:
        here = {column.name for column in connection.introspection.get_table_description(cursor, table)}
    for number, shape in shapes.items():
        if not {*shape.plain, *shape.personal} <= here:
            yield from _unreadable(label, table, pk, shapes, number, only)
            continue
        columns = marking.Columns(tuple(shape.plain), tuple(shape.personal), tuple(shape.digested))
        personal = columns.text(columns.personal, "r")
        yield from _differing(
            label,
            f"with latest as ({_LATEST}) select l.row, l.plain, l.personal, l.salt, r.{pk} is not null, "  # noqa: S608
            f"{columns.text(columns.plain, 'r')}, {personal} from latest l left join {q(table)} r on r.{pk} = l.row "
            "where l.shape_id = %s order by l.row",
            [list(shapes), only, only, number],
        )
    with connection.cursor() as cursor:
        cursor.execute(
            f"select r.{pk} from {q(table)} r where (%s::bigint is null or r.{pk} = %s) and not exists "  # noqa: S608
            f"(select 1 from csp_evidencemark m where m.shape_id = any(%s) and m.row = r.{pk}) order by 1 limit 1000",
            [only, only, list(shapes)],
        )
        added = cursor.fetchall()
    for (row,) in added:
        yield Finding(f"{label}:{row}", "was added past the product")


def _differing(label: str, sql: str, parameters: list[Any]) -> Iterator[Finding]:
    with transaction.atomic(), connection.cursor() as settings, connection.chunked_cursor() as cursor:
        settings.execute(
            "set local timezone = 'UTC'; set local intervalstyle = 'postgres'; set local bytea_output = 'hex'; "
            "set local extra_float_digits = 1"
        )
        cursor.execute(sql, parameters)
        while found := cursor.fetchmany(STEP):
            for row, plain, personal, salt, is_there, plain_now, personal_now in found:
                name = f"{label}:{row}"
                if not len(plain):
                    if is_there:
                        yield Finding(name, "was removed, and stands there again")
                elif not is_there:
                    yield Finding(name, "was removed")
                elif hashlib.sha256(plain_now.encode()).digest() != bytes(plain):
                    yield Finding(name, "was changed after it was written")
                elif not len(salt):
                    yield Finding(name, "the salt of its last mark is gone")
                elif hashlib.sha256(bytes(salt) + personal_now.encode()).digest() != bytes(personal):
                    yield Finding(name, "its personal columns were changed after they were written")


def _unreadable(
    label: str, table: str, pk: str, shapes: dict[int, EvidenceShape], number: int, only: int | None
) -> Iterator[Finding]:
    """Rows whose last mark covers columns that are gone: marking.install marks such rows anew, so there are none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"with latest as ({_LATEST}) select row from latest l where shape_id = %s and length(plain) > 0 limit 1000",  # noqa: S608
            [list(shapes), only, only, number],
        )
        for (row,) in cursor.fetchall():
            yield Finding(f"{label}:{row}", "its last mark covers columns that are gone; run migrate")


def disposed_of(model: type[models.Model], numbers: Collection[int]) -> set[int]:
    """Those of these rows that were removed with a mark, which only an approved disposal can do (csp 0002)."""
    if not numbers:
        return set()
    shapes = EvidenceShape.objects.filter(relation=model._meta.db_table)
    gone = EvidenceMark.objects.filter(shape__in=shapes, row__in=list(numbers), plain=b"")
    return set(gone.values_list("row", flat=True))
