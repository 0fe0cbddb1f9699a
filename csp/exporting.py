"""Records as a file, and on record who took which, of whom, and to whom they were handed (clauses 4.3, 6.1, 6.3).

as_file(taking, ...)     row by row while they are read, however many there are
at_once(taking, ...)     a file that exists already
download(content, ...)   one file of one record, whose opening its own verb has recorded

Nothing else in the product answers with a file. Rows come by a server-side cursor and go out as they come, so that
memory does not grow with them; a workbook is built in a temporary file by a writer that keeps one row. No cell is taken
for a formula. An export begins with an entry in the trail and ends with one that holds the number of rows and the
SHA-256 of the file, also when it was broken off. Each row says whom it is about, so that a person is told who received
their data, and a correction or an erasure reaches whoever it was handed to (csp.privacy.recipients).
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
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from email.utils import parseaddr
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from csp import browser_policy, clock, notices, offices, signin, trail
from csp.access import Refused
from csp.cells import harmless
from csp.events import Act
from csp.models import Contract, Export, Notice, User
from csp.models.agreement import Side
from csp.roles import Office

AT_ONCE = 2000  # rows that the cursor hands over at a time
BLOCK = 64 * 1024
SHEET_ROWS = 1_048_575  # that a worksheet holds, besides its heading
SHEET_CELL = 32_767  # characters that a cell of it holds
CUT = "… [cut: the cell holds no more; JSON lines hold all of it]"
MOST_ABOUT = 20_000  # persons and matters that an export names; one of more may be about anybody
NAMED = 100  # of these, in the trail's own entry

# Of each row whom or what it is about, as the trail names it ("customer:5", empty for nobody), and its cells.
Rows = Generator[tuple[str, Sequence[Any]], None, None]
Pieces = Generator[bytes, None, None]
Answer = TypeVar("Answer", HttpResponse, StreamingHttpResponse)


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
    about: set[str] = dataclasses.field(default_factory=set)
    is_listed: bool = True

    def is_about(self, whom: str) -> None:
        if whom and self.is_listed:
            self.about.add(whom)
            if len(self.about) > MOST_ABOUT:
                self.is_listed = False
                self.about.clear()


@dataclasses.dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody outside to whom the file is handed on; nobody, where it stays with whoever takes it."""

    name: str = ""
    mail: str = ""

    @classmethod
    def read(cls, text: str) -> Recipient:
        """As somebody types it: `Parcel firm`, `Parcel firm <data@parcels.example>`. Raises Refused."""
        text = " ".join(text.replace("\x00", "").split())
        name, mail = parseaddr(text) if "@" in text else (text, "")
        if mail:
            try:
                validate_email(mail)
            except ValidationError:
                raise Refused(_("This address cannot be written to. Check its letters.")) from None
        elif "@" in text:
            raise Refused(_("Write the recipient as: Name <address>."))
        return cls((name or mail)[:200], mail.lower())


NOBODY = Recipient()


@dataclasses.dataclass(frozen=True, slots=True)
class Taking:
    """One export as the trail knows it: `what` is the model's name, `narrowed` what the rows are narrowed to."""

    by: User
    what: str
    format: str
    narrowed: Mapping[str, str]
    contract: Contract | None = None  # none where the rows are of several, or of no contract
    recipient: Recipient = NOBODY
    reason: str = ""  # for which masked columns are opened; empty where they stay masked

    @property
    def handed_to(self) -> Recipient:
        """Whoever acts for the other party takes it there."""
        if not self.recipient.name and self.by.side == Side.PARTY:
            party = self.contract.party if self.contract is not None else ""
            return Recipient(party or str(Side.PARTY.label), self.by.email)
        return self.recipient


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


def only(contracts: Collection[int]) -> Contract | None:
    """The contract of these where there is one; an export of several names none."""
    return Contract.objects.filter(pk__in=contracts).first() if len(contracts) == 1 else None


# ---------------------------------------------------------------- on record


@transaction.atomic
def _begin(taking: Taking, *, at: dt.datetime, contracts: Iterable[int] = ()) -> Export:
    """Write down that somebody takes these records; with a reason where masks are opened."""
    signin.lock(taking.by)
    to = taking.handed_to
    row = Export.objects.create(
        by=taking.by, contract=taking.contract, what=taking.what[:60], format=taking.format, recipient=to.name,
        mail=to.mail, begun_at=at,
    )  # fmt: skip
    facts = {
        "export": row.pk, "records": taking.what, "format": taking.format, "narrowed": dict(taking.narrowed),
        "masks_opened": bool(taking.reason), "handed_on": bool(to.name),
    }  # fmt: skip
    trail.record(
        Act.EXPORTED, f"reader:{taking.by.pk}", by=taking.by, at=at, context=f"export:{taking.what}"[:60], facts=facts,
        personal={"reason": taking.reason, "recipient": to.name},
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
    return row


@transaction.atomic
def _ended(row: Export, taking: Taking, tally: Tally, *, at: dt.datetime, is_whole: bool) -> None:
    signin.lock(taking.by)
    row.ended_at, row.rows, row.digest = at, tally.rows, tally.digest.hexdigest()
    row.is_whole = is_whole
    row.about, row.is_listed = sorted(tally.about), tally.is_listed
    row.save(update_fields=["ended_at", "rows", "digest", "is_whole", "about", "is_listed"])
    trail.record(
        Act.EXPORT_ENDED, f"reader:{taking.by.pk}", by=taking.by, at=at,
        context=f"export:{taking.what}"[:60],
        facts={
            "export": row.pk, "records": taking.what, "format": taking.format, "narrowed": dict(taking.narrowed),
            "rows": tally.rows, "sha256": row.digest, "whole": is_whole, "about": row.about[:NAMED],
            "about_count": len(row.about) if tally.is_listed else None,
        },
        evidence=[row],
    )  # fmt: skip


# ---------------------------------------------------------------- the file


def as_file(
    taking: Taking, heads: Sequence[str], rows: Callable[[], Rows], *, name: str, at: dt.datetime,
    contracts: Iterable[int] = (),
) -> StreamingHttpResponse:  # fmt: skip
    """Answer with these rows as they are read. `rows` is asked for them inside the transaction whose cursor reads them.

    The privacy owner of each of the `contracts` is told where masks are opened.
    """
    row = _begin(taking, at=at, contracts=contracts)
    kind = Format(taking.format)
    answer = StreamingHttpResponse(_stream(row, taking, heads, rows, trail.present_source()))
    answer["Content-Type"] = kind.content_type
    return _attached(answer, f"{name}.{kind}")


def at_once(
    taking: Taking, content: bytes, *, name: str, content_type: str, at: dt.datetime, about: Iterable[str] = ()
) -> HttpResponse:
    """Answer with a file that exists already; `about` names whom it is about."""
    took(taking, content, at=at, about=about)
    return download(content, name, content_type)


@transaction.atomic
def took(taking: Taking, content: bytes, *, at: dt.datetime, about: Iterable[str] = ()) -> None:
    """Write down that somebody takes a whole file."""
    row = _begin(taking, at=at)
    tally = Tally(rows=1)
    tally.digest.update(content)
    for whom in about:
        tally.is_about(whom)
    _ended(row, taking, tally, at=at, is_whole=True)


@transaction.atomic
def on_the_server(what: str, narrowed: Mapping[str, str], *, to: Recipient, at: dt.datetime) -> None:
    """Write down that whoever operates the server prints personal data of anybody with a command."""
    row = Export.objects.create(what=what[:60], format="jsonl", recipient=to.name, mail=to.mail, begun_at=at)
    trail.record(
        Act.EXPORTED, f"export:{row.pk}", by="operator", at=at, context=f"export:{what}"[:60],
        facts={"export": row.pk, "records": what, "format": row.format, "narrowed": dict(narrowed),
               "handed_on": bool(to.name)},
        personal={"recipient": to.name}, evidence=[row],
    )  # fmt: skip


def download(content: bytes, name: str, content_type: str = "application/octet-stream") -> HttpResponse:
    """Answer with a file that no browser runs. Who opens it is recorded by whoever calls."""
    answer = HttpResponse(content, content_type=content_type)
    answer[browser_policy.HEADER] = "default-src 'none'; sandbox"
    return _attached(answer, name)


def _attached(answer: Answer, name: str) -> Answer:
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    answer["Cache-Control"] = "no-store"
    return answer


def _stream(
    row: Export, taking: Taking, heads: Sequence[str], rows: Callable[[], Rows], door: tuple[str, str]
) -> Iterator[bytes]:
    tally, is_whole = Tally(), False

    def cells(found: Rows) -> Iterator[Sequence[Any]]:
        for whom, line in found:
            tally.is_about(whom)
            yield line

    try:
        # Broken off, the cursor is closed before its transaction.
        with (
            transaction.atomic(),
            contextlib.closing(rows()) as found,
            contextlib.closing(WRITERS[Format(taking.format)](heads, cells(found), tally)) as pieces,
        ):
            yield from _gathered(pieces, tally)
        is_whole = True
    finally:
        with trail.source(*door):
            _ended(row, taking, tally, at=clock.now(), is_whole=is_whole)


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
