"""Checking the trail against itself, against its checkpoints, and the rows of evidence against the trail.

Everything is computed again here, in Python, from the stored columns; nothing that the database computed is believed.
Each difference is a `Finding` that names what it is about.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from csp import marking, marks, sealing, trail
from csp.events import Act
from csp.marks import Finding
from csp.models import (
    Blob,
    BlobKey,
    DataPackage,
    Erasure,
    ErasureItem,
    TrailCheckpoint,
    TrailEntry,
    TrailPending,
    TrailSeal,
)

STEP = 2000
UNSEALED_FOR = dt.timedelta(seconds=60)
NOTHING = hashlib.sha256(b"").digest()  # the commitment of an entry that never had anything personal
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

# The tables whose rows never change: each row is named, with its digests, by one entry.
EVIDENCE = (
    "tickets.interaction", "tickets.spokento", "tickets.attachment", "tickets.escalationcause", "csp.breach",
    "audits.implementation", "audits.evidencefile", "audits.verification", "audits.effectcheck",
)  # fmt: skip


def micros(moment: dt.datetime) -> int:
    """Whole microseconds since 1970 in UTC, as the leaf holds a moment."""
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def leaf_of(entry: TrailEntry) -> bytes:
    """The leaf of an entry, computed from its columns (csp.models.trail says what it covers)."""
    parts = (
        entry.pk.to_bytes(8, "big", signed=True),
        micros(entry.recorded_at).to_bytes(8, "big", signed=True),
        micros(entry.at).to_bytes(8, "big", signed=True),
        entry.actor.encode(),
        entry.act.encode(),
        entry.subject.encode(),
        entry.version.to_bytes(4, "big", signed=True),
        entry.context.encode(),
        entry.source.encode(),
        entry.facts.encode(),
        bytes(entry.commitment),
    )
    return hashlib.sha256(b"\x00" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


def verify(at: dt.datetime, *, progress: Callable[[int, int], None] = lambda done, of: None) -> Iterator[Finding]:
    """Check everything. `progress` is told how many seals of how many have been gone through."""
    yield from chain(progress=progress)
    yield from _gaps()
    yield from _unsealed(at)
    yield from _checkpoints()
    yield from _unnamed_evidence()
    yield from marks.verify(at, progress=progress)
    yield from _keys()


def _keys() -> Iterator[Finding]:
    """A key of stored bytes is there, or was destroyed by something that is on record: without it they are lost."""
    lost = Blob.objects.filter(Q(key__isnull=True) | Q(key__destroyed_at__isnull=True, key__wrapped=b""))
    for pk in lost.values_list("pk", flat=True).iterator(chunk_size=STEP):
        yield Finding(f"csp.blobkey:{pk}", "is gone, and nothing says why")
    destroyed = BlobKey.objects.filter(destroyed_at__isnull=False).exclude(
        Exists(ErasureItem.objects.filter(ended_at=OuterRef("destroyed_at")))
        | Exists(Erasure.objects.filter(finished_at=OuterRef("destroyed_at")))
        | Exists(DataPackage.objects.filter(blob=OuterRef("pk"), destroyed_at__isnull=False))
        | Exists(TrailEntry.objects.filter(
            act=Act.KEY_DESTROYED, subject=Concat(Value("bytes:"), Cast(OuterRef("pk"), models.TextField()))
        ))
    )  # fmt: skip
    for pk in destroyed.values_list("pk", flat=True).iterator(chunk_size=STEP):
        yield Finding(f"csp.blobkey:{pk}", "was destroyed, and nothing says why")


def chain(
    *,
    first: int = 1,
    last: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Iterator[Finding]:
    """Check seals `first` to `last`, the entries under them, and the evidence that these name."""
    end = TrailSeal.objects.aggregate(end=models.Max("number"))["end"] or 0
    end = min(end, last) if last is not None else end
    if first == 1:
        before = sealing.GENESIS
    else:
        previous = TrailSeal.objects.filter(number=first - 1).first()
        if previous is None:
            yield Finding(f"seal {first - 1}", "is missing")
            return
        before = bytes(previous.hash)
    expected = first
    while expected <= end:
        upto = min(expected + STEP, end + 1)
        seals = {seal.number: seal for seal in TrailSeal.objects.filter(number__gte=expected, number__lt=upto)}
        entries = TrailEntry.objects.in_bulk([seal.entry_id for seal in seals.values()])
        checked: list[TrailEntry] = []
        for number in range(expected, upto):
            seal = seals.get(number)
            if seal is None:
                yield Finding(f"seal {number}", "is missing")
                continue
            entry = entries.get(seal.entry_id)
            if entry is None:
                yield Finding(f"entry {seal.entry_id}", "was removed")
                leaf = bytes(seal.leaf)
            else:
                leaf = leaf_of(entry)
                checked.append(entry)
                if leaf != bytes(seal.leaf) or leaf != bytes(entry.leaf):
                    yield Finding(f"entry {entry.pk}", "was changed after it was written")
            if sealing.chained(number, before, bytes(seal.leaf)) != bytes(seal.hash):
                yield Finding(f"seal {number}", "does not follow from the one before it")
            before = bytes(seal.hash)
        yield from _commitments(checked)
        yield from _evidence(checked)
        expected = upto
        progress(expected - 1, end)


def one(entry: TrailEntry) -> Iterator[Finding]:
    """Check a single entry: its leaf, its place in the chain, its commitment and its evidence."""
    seal = TrailSeal.objects.filter(entry=entry).first()
    if seal is None:
        if leaf_of(entry) != bytes(entry.leaf):
            yield Finding(f"entry {entry.pk}", "was changed after it was written")
        if not TrailPending.objects.filter(entry=entry).exists():
            yield Finding(f"entry {entry.pk}", "has no seal and is not waiting for one")
        yield from _commitments([entry])
        yield from _evidence([entry])
        return
    yield from chain(first=seal.number, last=seal.number)


def _commitments(entries: list[TrailEntry]) -> Iterator[Finding]:
    blanked = []
    for entry in entries:
        salt = bytes(entry.salt)
        if entry.address and _facts(entry).get("network") != trail.address_digest(
            entry.address, bytes(entry.address_salt)
        ):
            yield Finding(f"entry {entry.pk}", "its network address is not the one recorded")
        if not salt and not entry.personal:
            blanked.append(entry)
            continue  # erased; the entry itself stands
        if hashlib.sha256(salt + entry.personal.encode()).digest() != bytes(entry.commitment):
            yield Finding(f"entry {entry.pk}", "its personal text is not the one recorded")
    yield from _blanked(blanked)


def _blanked(entries: list[TrailEntry]) -> Iterator[Finding]:
    """Personal text may be gone only where a later entry says that its subject was erased or disposed of."""
    once = [entry for entry in entries if bytes(entry.commitment) != NOTHING]
    names = {entry.context for entry in once} | {entry.subject for entry in once}
    told = TrailEntry.objects.filter(act__in=(Act.ERASED, Act.DISPOSED), subject__in=names).order_by("pk")
    until: dict[str, int] = {}
    named: set[int] = set()
    for row in told.iterator(chunk_size=STEP):
        some = _facts(row).get("entries")
        if isinstance(some, list):  # these of its entries alone
            named |= {number for number in some if isinstance(number, int) and number < row.pk}
        else:
            until[row.subject] = row.pk
    for entry in once:
        if entry.pk in named:
            continue
        if entry.pk >= max(until.get(entry.context, 0), until.get(entry.subject, 0)):
            yield Finding(f"entry {entry.pk}", "its personal text is gone, and nothing says why")


def _facts(entry: TrailEntry) -> dict[str, Any]:
    try:
        facts = json.loads(entry.facts)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _evidence(entries: list[TrailEntry]) -> Iterator[Finding]:
    named: dict[str, dict[int, tuple[TrailEntry, list[str]]]] = {}
    for entry in entries:
        for name, digests in _facts(entry).get("evidence", {}).items():
            label, _colon, pk = name.rpartition(":")
            named.setdefault(label, {})[int(pk)] = (entry, digests)
    unchanging = marking.unchanging_tables() if named else set()
    for label, rows in named.items():
        model = apps.get_model(label)
        if model._meta.db_table not in unchanging:
            continue  # what it says now is proven by its marks
        found = model.objects.in_bulk(list(rows))
        disposed = marks.disposed_of(model, rows.keys() - found.keys())
        for pk, (entry, digests) in rows.items():
            row = found.get(pk)
            if row is None:
                if pk not in disposed:
                    yield Finding(f"{label}:{pk}", "was removed")
                continue
            skeleton, personal = trail.digest(row, bytes(entry.salt))
            if skeleton != digests[0]:
                yield Finding(f"{label}:{pk}", "was changed after it was written")
            elif bytes(entry.salt) and personal != digests[1]:
                yield Finding(f"{label}:{pk}", "its personal columns were changed after they were written")


def _gaps() -> Iterator[Finding]:
    """Each subject's versions run 1, 2, 3 ... without gaps."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select subject, count(*), max(version), min(version) from csp_trailentry group by subject "
            "having count(*) <> max(version) or min(version) <> 1"
        )
        for subject, count, highest, _lowest in cursor.fetchall():
            yield Finding(subject, f"{highest - count} of its {highest} entries are missing")


def _unsealed(at: dt.datetime) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select e.id from csp_trailentry e left join csp_trailseal s on s.entry_id = e.id "
            "left join csp_trailpending p on p.entry_id = e.id where s.number is null and p.entry_id is null"
        )
        for (pk,) in cursor.fetchall():
            yield Finding(f"entry {pk}", "has no seal and is not waiting for one")
    waiting = TrailEntry.objects.filter(pending__isnull=False)
    for entry in waiting.iterator(chunk_size=STEP):
        if leaf_of(entry) != bytes(entry.leaf):
            yield Finding(f"entry {entry.pk}", "was changed after it was written")
        if at - entry.recorded_at > UNSEALED_FOR:
            yield Finding(f"entry {entry.pk}", "has waited more than a minute for its seal")
        yield from _commitments([entry])
        yield from _evidence([entry])


def _checkpoints() -> Iterator[Finding]:
    """Each signed note, in the table and in the folder, names a head that the chain really had at that length."""
    for row in TrailCheckpoint.objects.order_by("size"):
        yield from check_note(row.note, f"checkpoint {row.size}")
    folder = Path(settings.CHECKPOINT_DIR)
    if folder.is_dir():
        for path in sorted(folder.glob("*.txt")):
            yield from check_note(path.read_text(encoding="utf-8"), f"note {path.name}")


def check_note(note: str, name: str) -> Iterator[Finding]:
    """Check one signed note, from wherever it was kept, against our key and the chain as it stands."""
    try:
        text, _empty, signature_line = note.rpartition("\n\n")
        text += "\n"
        origin, size, head, _made = text.splitlines()
        dash, _signer, signature = signature_line.strip().split(" ")
        sealing.signing_key().public_key().verify(base64.b64decode(signature, validate=True), text.encode())
        raw = base64.b64decode(head, validate=True)
        again = base64.b64encode(raw).decode() == head and base64.b64encode(base64.b64decode(signature)).decode()
        if dash != "—" or again != signature or note != f"{text}\n{dash} {_signer} {signature}\n":
            raise ValueError("spelling")
    except (ValueError, InvalidSignature):
        yield Finding(name, "is not a note signed by this installation")
        return
    seal = TrailSeal.objects.filter(number=int(size)).first()
    if seal is None:
        yield Finding(name, f"the chain had {size} seals then and is shorter now")
    elif bytes(seal.hash) != raw:
        yield Finding(name, f"the chain of {origin} was another one at seal {size}")


def _unnamed_evidence() -> Iterator[Finding]:
    """Rows of evidence that no entry names: added past the product."""
    for label in EVIDENCE:
        model = apps.get_model(label)
        with connection.cursor() as cursor:
            # found in the text, which holds even where somebody has broken its JSON
            cursor.execute(
                "with named as (select (regexp_matches(facts, %s, 'g'))[1]::bigint as id from csp_trailentry "  # noqa: S608  # nosec B608
                "where facts like '%%\"evidence\"%%') "
                f"select r.id from {connection.ops.quote_name(model._meta.db_table)} r "
                "left join named n on n.id = r.id where n.id is null order by r.id limit 1000",
                [f'"{label}:([0-9]{{1,18}})"'],
            )
            for (pk,) in cursor.fetchall():
                yield Finding(f"{label}:{pk}", "stands in no entry of the trail")


def export(*, first: int = 1, last: int | None = None, personal: bool = False) -> Iterator[str]:
    """The trail as lines of JSON that docs/verify_trail.py checks without our code; personal text only if asked."""
    end = TrailSeal.objects.aggregate(end=models.Max("number"))["end"] or 0
    end = min(end, last) if last is not None else end
    before = sealing.GENESIS
    if first > 1:
        before = bytes(TrailSeal.objects.get(number=first - 1).hash)
    yield _line({"format": "csp trail 1", "first": first, "last": end, "before": before.hex()})
    seals = TrailSeal.objects.filter(number__gte=first, number__lte=end).select_related("entry").order_by("number")
    for seal in seals.iterator(chunk_size=STEP):
        entry = seal.entry
        line: dict[str, Any] = {
            "number": seal.number,
            "hash": bytes(seal.hash).hex(),
            "id": entry.pk,
            "recorded_at": micros(entry.recorded_at),
            "at": micros(entry.at),
            "actor": entry.actor,
            "act": entry.act,
            "subject": entry.subject,
            "version": entry.version,
            "context": entry.context,
            "source": entry.source,
            "facts": entry.facts,
            "commitment": bytes(entry.commitment).hex(),
        }
        if personal:
            line |= {"personal": entry.personal, "salt": bytes(entry.salt).hex()}
            if entry.address:
                line |= {"address": entry.address, "address_salt": bytes(entry.address_salt).hex()}
        yield _line(line)
    for row in TrailCheckpoint.objects.filter(size__gte=first, size__lte=end).order_by("size"):
        yield _line({"checkpoint": row.note})


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
