"""The trail: every act is one entry, written last in the transaction that does it.

`recorded_at`, the version of the subject and the leaf are set by the database. The caller holds the lock of the
subject, so that versions follow each other without gaps.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import models

from csp.events import Act
from csp.models import Customer, TrailEntry, User

# Where the act came from ("web", "task sweep", "command tick") and, for people, from which network address.
_source: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("source", default=("", ""))

Actor = User | Customer | str


@contextlib.contextmanager
def source(name: str, address: str = "") -> Iterator[None]:
    """Name the door for every act recorded inside."""
    token = _source.set((name, address))
    try:
        yield
    finally:
        _source.reset(token)


def present_source() -> tuple[str, str]:
    """The door and address at this moment, for `source` later on: an answer that streams ends after its request."""
    return _source.get()


TERM = ("kept_from", "keep_until")  # written by csp.retention


def canonical(value: Mapping[str, Any]) -> str:
    """One spelling for one value: JSON with sorted keys, no spaces, moments in UTC with microseconds."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)


def name_of(actor: Actor) -> str:
    """How an actor stands in an entry: a kind and an id, never a name."""
    if isinstance(actor, User):
        return f"user:{actor.pk}"
    if isinstance(actor, Customer):
        return f"customer:{actor.pk}"
    return actor if ":" in actor else f"system:{actor}"


@dataclasses.dataclass(slots=True)
class Entry:
    """What a verb says about its act. `facts` holds ids, codes and times; names and words go to `personal`."""

    act: Act
    subject: str
    by: Actor
    at: dt.datetime
    context: str = ""
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    personal: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    evidence: Iterable[models.Model] = ()


def record(
    act: Act,
    subject: str,
    *,
    by: Actor,
    at: dt.datetime,
    context: str = "",
    facts: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    evidence: Iterable[models.Model] = (),
) -> None:
    """Write one entry. `evidence` are rows just written whose salted digests become part of the facts."""
    record_all([Entry(act, subject, by, at, context, facts or {}, personal or {}, evidence)])


def record_all(entries: Iterable[Entry]) -> None:
    """Write entries in one statement; each on a subject of its own."""
    door, address = _source.get()
    address = address[:45]
    rows = []
    for entry in entries:
        salt = os.urandom(32)
        facts = dict(entry.facts)
        digests = {f"{row._meta.label_lower}:{row.pk}": digest(row, salt) for row in entry.evidence}
        if digests:
            facts["evidence"] = digests
        personal = {key: value for key, value in entry.personal.items() if value not in ("", None)}
        address_salt = os.urandom(16) if address else b""
        if address:
            facts["network"] = address_digest(address, address_salt)
        text = canonical(personal) if personal else ""
        rows.append(
            TrailEntry(
                recorded_at=entry.at,  # replaced by the database
                at=entry.at,
                actor=name_of(entry.by),
                act=entry.act,
                subject=entry.subject,
                version=0,  # replaced by the database
                context=entry.context or entry.subject,
                source=door,
                facts=canonical(facts),
                personal=text,
                salt=salt,
                address=address,
                address_salt=address_salt,
                commitment=hashlib.sha256(salt + text.encode()).digest(),
                leaf=b"",  # replaced by the database
            )
        )
    TrailEntry.objects.bulk_create(rows)


def address_digest(address: str, salt: bytes) -> str:
    """What proves a network address as long as it is there, and tells nothing once its salt is gone."""
    return hashlib.sha256(salt + address.encode()).hexdigest()


def digest(row: models.Model, salt: bytes) -> list[str]:
    """What proves a row of evidence: [digest of what is not personal, salted digest of its personal columns].

    Two, so that after an erasure the first still proves the skeleton, and the second, its salt gone, tells nothing.
    How long the row is kept is no part of what it says, and is written when that is known.
    """
    personal = set(row.record.personal)  # type: ignore[attr-defined]  # every model of ours declares its record
    plain: dict[str, Any] = {}
    named: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        if not getattr(field, "generated", False) and field.name not in TERM:
            (named if field.name in personal else plain)[field.attname] = field.value_from_object(row)
    return [
        hashlib.sha256(canonical(plain).encode()).hexdigest(),
        hashlib.sha256(salt + canonical(named).encode()).hexdigest(),
    ]
