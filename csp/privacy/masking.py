"""Card numbers, and what else a contract names, out of the texts that people read (clause 6.1).

A number is a card's if it begins and is as long as one and its check digit fits (Luhn, ISO/IEC 7812-1); the last four
digits stay, so that somebody can say which card it was. A contract may name further patterns: "#" stands for a digit,
"@" for a letter, anything else for itself.

A message in whose text a card number stands is kept byte for byte for a day, for whoever has to look into it; then the
key of its source is destroyed. A masked copy and the digest of the source stay.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterable, Sequence

from django.db import transaction

from csp import batches, trail, vault
from csp.events import Act
from csp.models import Blob, BlobKey, MaskedSource, PrivacyTerms
from csp.privacy import ledger

ACTOR = "masking"
MASK = "•"
KEPT_FOR = dt.timedelta(hours=24)
LONGEST = 40  # of a pattern
_NUMBER = re.compile(r"(?<![\w.•-])[2-6](?:[ -]?\d){12,18}(?![\w•])")


def is_card(digits: str) -> bool:
    """Whether these digits are a card number: thirteen to nineteen of them, and the last one fits."""
    if not 13 <= len(digits) <= 19:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def has_card(*texts: str) -> bool:
    return any(is_card(_digits(found[0])) for text in texts for found in _NUMBER.finditer(text))


def _masked(found: re.Match[str]) -> str:
    digits = _digits(found[0])
    return f"{MASK * 4} {digits[-4:]}" if is_card(digits) else found[0]


def mask(text: str, patterns: Iterable[str] = ()) -> str:
    """The text without card numbers, and without what these patterns name."""
    if any(character.isdigit() for character in text):
        text = _NUMBER.sub(_masked, text)
    for pattern in patterns:
        text = _compiled(pattern).sub(MASK * 4, text)
    return text


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"#": r"\d", "@": r"[^\W\d_]"}
    return re.compile(rf"(?<!\w){''.join(parts.get(one, re.escape(one)) for one in pattern)}(?!\w)", re.IGNORECASE)


def read_patterns(text: str) -> list[str]:
    """The patterns of a text, one a line. Raises ValueError with a line that would hide too much, or is too long."""
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if len(line) > LONGEST or sum(one in "#@" for one in line) < 4:
            raise ValueError(line)
        found.append(line)
    return list(dict.fromkeys(found))


def patterns_of(contract_id: int) -> Sequence[str]:
    """What this contract has masked besides card numbers."""
    row = PrivacyTerms.objects.filter(contract=contract_id).values_list("mask_patterns", flat=True).first()
    return row or ()


# ---------------------------------------------------------------- sources


def keep_masked(blob: Blob, masked: str, *, at: dt.datetime) -> None:
    """Keep a masked copy beside a source with a card number in it; the source's key lives for a day from now."""
    if not MaskedSource.objects.filter(blob=blob).exists():
        copy = vault.store(masked.encode(), at=at)
        MaskedSource.objects.create(blob=blob, copy=copy, found_at=at, destroy_at=at + KEPT_FOR)


def source_of(blob: Blob) -> bytes:
    """What a person is shown of a source: its masked copy, where there is one. Raises vault.Unreadable."""
    masked = MaskedSource.objects.select_related("copy__key").filter(blob=blob).first()
    return vault.read(masked.copy if masked is not None else blob)


def destroy_keys(at: dt.datetime, *, limit: int = 200) -> int:
    """Destroy the keys of sources with card numbers whose day is over. Returns how many."""
    waiting = MaskedSource.objects.filter(destroy_at__lte=at, blob__key__destroyed_at__isnull=True)
    numbers = list(waiting.order_by("destroy_at", "pk").values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_destroy, at=at), limit=limit)


@transaction.atomic(durable=True)
def _destroy(number: int, *, at: dt.datetime) -> int:
    keys = BlobKey.objects.select_for_update(of=("self",), skip_locked=True)
    key = keys.filter(pk=number, destroyed_at__isnull=True).first()
    if key is None:
        return 0
    vault.destroy(key, at=at)
    ledger.write({"key": key.pk, "destroyed_at": at})
    trail.record(Act.KEY_DESTROYED, f"bytes:{key.pk}", by=ACTOR, at=at, facts={"because": "card number"})
    return 1
