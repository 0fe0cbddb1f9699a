"""The ledger of erasures: what was erased, by numbers alone, in the database and in a file outside of it.

A backup that is brought back holds what was erased since it was made. The file outside says what has to go again, and
until that is done nobody signs in. Its lines are chained, so that none can be left out, and its name is that of the
chain of the trail that it belongs to: another database has another ledger.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from csp import trail
from csp.models import ErasureLine, TrailSeal

TAIL = 65_536
GENESIS = hashlib.sha256(b"csp ledger of erasures, version 1").hexdigest()


class Broken(Exception):
    """The file is no ledger, or lines of it were changed or left out."""


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.text)
        return facts


def write(facts: Mapping[str, Any]) -> Line:
    """Add a line, in the transaction that did what it says."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(7262004)")
    last = ErasureLine.objects.order_by("-number").first()
    number = last.number + 1 if last is not None else 1
    text = trail.canonical({"number": number, "before": last.hash if last is not None else GENESIS, **facts})
    return keep(Line(number, text))


def keep(line: Line) -> Line:
    """Store a line as it is; one of a ledger that was brought back."""
    ErasureLine.objects.create(number=line.number, line=line.text, hash=line.hash)
    return line


def path() -> Path | None:
    """Where the file of this database's ledger lies; None as long as its trail has no first seal."""
    first = TrailSeal.objects.filter(number=1).values_list("hash", flat=True).first()
    if first is None:
        return None
    return Path(settings.ERASURE_LEDGER_DIR) / f"erasures-{bytes(first).hex()[:16]}.jsonl"


def read(file: Path) -> list[Line]:
    """Its lines, each checked against the one before. Raises Broken, OSError."""
    before, lines = GENESIS, []
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        line = Line(number, text)
        try:
            facts = line.facts
        except ValueError as error:
            raise Broken(f"{file}: line {number} is not one of a ledger.") from error
        if facts.get("number") != number or facts.get("before") != before:
            raise Broken(f"{file}: line {number} does not follow from the one before it.")
        before = line.hash
        lines.append(line)
    return lines


def last_of(file: Path) -> Line | None:
    """The last whole line, without reading the others."""
    with file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - TAIL))
        lines = opened.read().decode("utf-8", "replace").splitlines()
    for text in reversed(lines):
        try:
            return Line(int(json.loads(text)["number"]), text)
        except (ValueError, KeyError, TypeError):
            continue
    return None


def missing(lines: Iterable[Line]) -> list[Line]:
    """The lines that the database lacks, in their order."""
    known = set(ErasureLine.objects.values_list("number", flat=True))
    return [line for line in lines if line.number not in known]


def is_behind() -> bool:
    """Whether the file knows of an erasure that the database does not: it was brought back and is not replayed yet."""
    if not any(Path(settings.ERASURE_LEDGER_DIR).glob("erasures-*.jsonl")):
        return False
    file = path()
    if file is None or not file.exists():
        return False
    last = last_of(file)
    return last is not None and not ErasureLine.objects.filter(number=last.number, hash=last.hash).exists()


def write_out(limit: int = 500) -> int:
    """Copy the lines that the file lacks. Returns how many; none while the database is behind its file."""
    file = path()
    if file is None or not ErasureLine.objects.exists():
        return 0
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        last = last_of(file)
        at = last.number if last is not None else 0
        if last is not None and not ErasureLine.objects.filter(number=at, hash=last.hash).exists():
            return 0
        rows = list(ErasureLine.objects.filter(number__gt=at).order_by("number")[:limit])
        if rows:
            _whole(file)
        for row in rows:
            opened.write(f"{row.line}\n")
        opened.flush()
        os.fsync(opened.fileno())
    return len(rows)


def _whole(file: Path) -> None:
    """Cut off half a line, which a kill in the middle of writing left."""
    content = file.read_bytes()
    end = content.rfind(b"\n") + 1
    if end != len(content):
        os.truncate(file, end)
