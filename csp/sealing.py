"""Sealing the trail: a hash chain over its entries, and signed checkpoints of the chain kept outside.

Writers append and never queue; sealing gives each entry its place a moment later. A chain alone proves nothing against
whoever owns the database, for it can be computed anew: what holds is a checkpoint in somebody else's hands. Anything
older than the newest such checkpoint cannot be changed, removed or reordered unseen.

A checkpoint is a signed note in the manner of C2SP: origin, size, head and time in lines, an empty line, and a
signature line with an Ed25519 signature (RFC 8032) over the lines before it.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection, transaction

from csp import outbox
from csp.models import TrailCheckpoint, TrailSeal

GENESIS = hashlib.sha256(b"csp trail, version 1").digest()
CHECKPOINT_EVERY = dt.timedelta(minutes=5)
CHECKPOINT_ENTRIES = 500


def seal(at: dt.datetime, *, limit: int = 2000) -> int:
    """Give entries without a seal their place in the chain. Returns how many; any number of these may run."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("select csp_trail_seal(%s)", [limit])
        return int(cursor.fetchone()[0])


def chained(number: int, before: bytes, leaf: bytes) -> bytes:
    """The hash of seal `number`, after the hash `before`, over an entry's leaf."""
    return hashlib.sha256(b"\x01" + number.to_bytes(8, "big", signed=True) + before + leaf).digest()


def signing_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings.SEAL_KEY)


def public_key() -> str:
    """What a verifier needs beside a checkpoint: the raw public key in base64. Give it away once, by hand."""
    return base64.b64encode(signing_key().public_key().public_bytes_raw()).decode()


def origin() -> str:
    return f"csp trail {settings.SITE_HOST}"


def note_of(size: int, head: bytes, made_at: dt.datetime) -> str:
    """The signed note for the chain of this length."""
    made = made_at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    text = f"{origin()}\n{size}\n{base64.b64encode(head).decode()}\n{made}\n"
    signature = base64.b64encode(signing_key().sign(text.encode())).decode()
    return f"{text}\n— {settings.SITE_HOST} {signature}\n"


def checkpoint(at: dt.datetime) -> int:
    """Sign the head when five minutes or five hundred entries have passed since the last time. Returns 0 or 1.

    The note goes to the folder of checkpoints, and by mail to whoever keeps copies outside (CSP_CHECKPOINT_MAIL).
    """
    head = TrailSeal.objects.order_by("-number").first()
    if head is None:
        return 0
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(7262002)")
        last = TrailCheckpoint.objects.order_by("-size").first()
        if last is not None and (
            last.size >= head.number
            or (head.number - last.size < CHECKPOINT_ENTRIES and at - last.made_at < CHECKPOINT_EVERY)
        ):
            return 0
        row = TrailCheckpoint.objects.create(
            size=head.number, made_at=at, head=bytes(head.hash), note=note_of(head.number, bytes(head.hash), at)
        )
        for address in settings.CHECKPOINT_MAIL:
            outbox.post(
                kind=outbox.Kind.NOTICE,
                dedupe_key=f"checkpoint:{row.size}:{address}",
                to=[address],
                subject=f"{origin()}: {row.size}",
                body=row.note,
                headers={"Auto-Submitted": "auto-generated"},
                at=at,
            )
    write_note(row)
    return 1


def write_note(row: TrailCheckpoint) -> Path:
    """Put a checkpoint's note into the folder; once written it is left alone."""
    folder = Path(settings.CHECKPOINT_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{row.size:020d}.txt"
    if not path.exists():
        draft = path.with_suffix(".draft")
        draft.write_text(row.note, encoding="utf-8")
        draft.rename(path)
    return path
