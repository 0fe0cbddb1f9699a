"""Records as a file, row by row while they are read, however many there are; who took which is on record (clause 6.3).

Rows come by a server-side cursor and go out as they come, so that memory does not grow with them; a workbook is built
in a temporary file by a writer that keeps one row. No cell is taken for a formula. An export begins with an entry in
the trail and ends with one that holds the number of rows and the SHA-256 of the file, also when it was broken off.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import datetime as dt
import enum
import hashlib
import json
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from csp import clock, notices, offices, signin, trail
from csp.cells import harmless
from csp.events import Act
from csp.models import Notice, User
from csp.roles import Office

AT_ONCE = 2000  # rows that the cursor hands over at a time
BLOCK = 64 * 1024
SHEET_ROWS = 1_048_575  # that a worksheet holds, besides its heading
SHEET_CELL = 32_767  # characters that a cell of it holds
CUT = "… [cut: the cell holds no more; JSON lines hold all of it]"


Rows = Generator[Sequence[Any], None, None]
Pieces = Generator[bytes, None, None]


class Format(enum.StrEnum):
    CSV = "csv"
    LINES = "jsonl"
    SHEET = "xlsx"

    @property
    def content_type(self) -> str:
        return {
            "csv": "text/csv; charset=utf-8",
            "jsonl": "application/x-ndjson; charset=utf-8",
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }[self.value]


@dataclasses.dataclass(slots=True)
class Tally:
    """What has gone out so far."""

    rows: int = 0
    digest: Any = dataclasses.field(default_factory=hashlib.sha256)


@dataclasses.dataclass(frozen=True, slots=True)
class Taking:
    """One export as the trail knows it: `what` is the model's name, `narrowed` what the rows are narrowed to."""

    by: User
    what: str
    format: Format
    narrowed: Mapping[str, str]
    reason: str = ""  # for which masked columns are opened; empty where they stay masked


def plain(value: Any) -> Any:
    """A value as JSON can hold it: moments in UTC with their offset, lengths in seconds, numbers as they are."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return str(value)


def text(value: Any) -> str:
    """A value as a cell shows it."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


class _Line:
    """What a csv writer writes to: it hands the line back."""

    def write(self, line: str) -> str:
        return line


def csv_of(heads: Sequence[str], rows: Iterable[Sequence[Any]], tally: Tally) -> Pieces:
    writer = csv.writer(_Line())
    yield writer.writerow([harmless(head) for head in heads]).encode()
    for row in rows:
        tally.rows += 1
        cells = [text(value) for value in row]
        # a number is no formula, whatever sign it has
        yield writer.writerow(
            [cell if _is_number(value) else harmless(cell) for cell, value in zip(cells, row, strict=True)]
        ).encode()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def lines_of(heads: Sequence[str], rows: Iterable[Sequence[Any]], tally: Tally) -> Pieces:
    for row in rows:
        tally.rows += 1
        entry = {head: plain(value) for head, value in zip(heads, row, strict=True)}
        yield (json.dumps(entry, ensure_ascii=False, default=str) + "\n").encode()


def sheet_of(heads: Sequence[str], rows: Iterable[Sequence[Any]], tally: Tally) -> Pieces:
    """A workbook of one sheet. Every cell is typed as text or number, never as a formula."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("records")

    def cell(value: Any) -> Any:
        if _is_number(value):
            return value
        words = ILLEGAL_CHARACTERS_RE.sub("", text(value))
        if len(words) > SHEET_CELL:
            words = words[: SHEET_CELL - len(CUT)] + CUT
        made = WriteOnlyCell(sheet, value=words)
        made.data_type = "s"  # "=1+1" is words
        return made

    sheet.append([cell(head) for head in heads])
    for row in rows:
        tally.rows += 1
        sheet.append([cell(value) for value in row])
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


WRITERS: dict[Format, Callable[[Sequence[str], Iterable[Sequence[Any]], Tally], Pieces]] = {
    Format.CSV: csv_of,
    Format.LINES: lines_of,
    Format.SHEET: sheet_of,
}


@transaction.atomic
def begin(taking: Taking, *, at: dt.datetime, contracts: Iterable[int] = ()) -> None:
    """Write down that somebody takes these records; with a reason where masks are opened."""
    signin.lock(taking.by)
    facts = {
        "records": taking.what, "format": taking.format, "narrowed": dict(taking.narrowed),
        "masks_opened": bool(taking.reason),
    }  # fmt: skip
    trail.record(
        Act.EXPORTED, f"reader:{taking.by.pk}", by=taking.by, at=at, context=f"export:{taking.what}"[:60], facts=facts,
        personal={"reason": taking.reason},
    )  # fmt: skip
    if taking.reason:
        people = {one.pk: one for pk in contracts for one in offices.to_tell(pk, [Office.PRIVACY_OWNER], at=at)}
        notices.tell(
            notices.Telling(
                kind=Notice.Kind.AUDIT,
                key=f"export:{taking.by.pk}:{at.timestamp():.0f}",
                to=list(people.values()),
                subject_ref=taking.what,
                facts={"says": "audit.opened", "who": taking.by.name},
            ),
            at=at,
        )


def stream(taking: Taking, heads: Sequence[str], rows: Callable[[], Rows]) -> Iterator[bytes]:
    """The file, piece by piece. `rows` is asked for them inside the transaction whose cursor reads them."""
    door = trail.present_source()
    return _stream(taking, heads, rows, door)


def _stream(taking: Taking, heads: Sequence[str], rows: Callable[[], Rows], door: tuple[str, str]) -> Iterator[bytes]:
    tally, is_whole = Tally(), False
    try:
        # Broken off, the cursor is closed before its transaction.
        with (
            transaction.atomic(),
            contextlib.closing(rows()) as found,
            contextlib.closing(WRITERS[taking.format](heads, found, tally)) as pieces,
        ):
            yield from _gathered(pieces, tally)
        is_whole = True
    finally:
        with trail.source(*door):
            _ended(taking, tally, is_whole=is_whole)


def _gathered(pieces: Iterable[bytes], tally: Tally) -> Iterator[bytes]:
    """The same bytes in fewer pieces; the digest is of what has been handed out."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= BLOCK:
            tally.digest.update(waiting)
            yield bytes(waiting)
            waiting.clear()
    tally.digest.update(waiting)
    yield bytes(waiting)


@transaction.atomic
def _ended(taking: Taking, tally: Tally, *, is_whole: bool) -> None:
    signin.lock(taking.by)
    trail.record(
        Act.EXPORT_ENDED, f"reader:{taking.by.pk}", by=taking.by, at=clock.now(),
        context=f"export:{taking.what}"[:60],
        facts={
            "records": taking.what, "format": taking.format, "narrowed": dict(taking.narrowed), "rows": tally.rows,
            "sha256": tally.digest.hexdigest(), "whole": is_whole,
        },
    )  # fmt: skip
