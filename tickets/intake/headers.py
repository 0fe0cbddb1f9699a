"""Header fields: encoded words, addresses, ids and dates; each linear and never raising.

Senders break every one of these rules, so each function takes what it can and leaves the rest as it stood. Addresses
are taken apart by our own hand: of the 23 senders in the corpus, `email.utils.getaddresses` loses the address of two
(a name before a bare address; `mailto:` in the brackets) and the words around that of four, and it raises on brackets
nested 1,000 deep.
"""

import email.utils
import re
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from typing import NamedTuple

from .charsets import decode, storable_line

MOST = 64 * 1024  # characters of one field that are looked at
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,900})>")


class Address(NamedTuple):
    """Who: a name as it should be shown (may be empty) and the bare address (may be empty, too)."""

    name: str
    address: str


def raw_text(value: bytes, hint: str | None = None) -> str:
    """A field as text: ASCII, or the 8-bit text that it should not have held."""
    return decode(value[:MOST], hint).text


def words(value: bytes, hint: str | None = None) -> str:
    """A field as a person reads it: encoded words decoded, storable, on one line. `hint` is the body's charset."""
    return storable_line(decode_words(raw_text(value, hint)))


def decode_words(text: str) -> str:
    """Encoded words decoded; the library joins neighbours as bytes first, since some senders split a character."""
    if "=?" not in text:
        return text
    text = " ".join(text.splitlines())
    end = text.rfind("?=") + 2  # behind the last one the library would look for an end again and again
    try:
        pieces = decode_header(text[:end])
        return "".join(_decoded(piece, charset) for piece, charset in pieces) + text[end:]
    except (HeaderParseError, UnicodeError):  # one damaged word; the others can be read
        words = text.split(" ")
        return " ".join(map(decode_words, words)) if len(words) > 1 else text


def _decoded(piece: str | bytes, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    return piece.decode("raw-unicode-escape") if charset is None else decode(piece, charset).text


def addresses(value: bytes, *, most: int = 500, hint: str | None = None) -> list[Address]:
    """Every mailbox of an address field, groups opened, comments taken as names where there is no other."""
    text = raw_text(value, hint)
    found: list[Address] = []
    for piece in _split_addresses(text, most + 1):
        if address := _one_address(piece):
            found.append(address)
        if len(found) >= most:
            break
    return found


def _split_addresses(text: str, most: int) -> list[str]:
    pieces, start, depth, quoted, angle, skip = [], 0, 0, False, False, False
    for at, char in enumerate(text):
        if skip:
            skip = False
        elif char == "\\":
            skip = True
        elif quoted:
            quoted = char != '"'
        elif char == '"' and not depth:
            quoted = True
        elif char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif depth:
            continue
        elif char == "<":
            angle = True
        elif char == ">":
            angle = False
        elif char in ",;" and not angle:
            pieces.append(text[start:at])
            start = at + 1
            if len(pieces) >= most:
                return pieces
        elif char == ":" and not angle and "@" not in text[start : min(at, start + 200)]:
            start = at + 1  # the name of a group
    pieces.append(text[start:])
    return [piece for piece in pieces if piece.strip()]


def _one_address(piece: str) -> Address | None:
    piece = piece[:2_000].strip()
    left = piece.rfind("<")
    right = piece.find(">", left)
    if left >= 0:
        inside = piece[left + 1 : right if right >= 0 else len(piece)]
        name = piece[:left].strip() or (piece[right + 1 :].strip() if right >= 0 else "")
    else:
        comment = re.search(r"\(([^()]*)\)", piece)
        name = comment.group(1) if comment else ""
        inside = re.sub(r"\([^()]*\)", "", piece)
        if "@" not in inside and not comment:
            name, inside = piece, ""
        elif len(inside.split()) > 1:  # Jane Doe jane@example.com
            found = [word for word in inside.split() if "@" in word.strip("@")]
            name = name or " ".join(word for word in inside.split() if word not in found[:1])
            inside = found[0] if found else ""
    if name.startswith('"') and name.endswith('"') and len(name) > 1:
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    name = storable_line(decode_words(name)).strip("\"' ")
    bare = storable_line(decode_words(inside)) if "=?" in inside else storable_line(inside)
    bare = "".join(bare.split()).removeprefix("mailto:")
    if ":" in bare and bare.startswith("@"):
        bare = bare.rsplit(":", 1)[1]  # an ancient source route
    if not plausible(bare):
        name, bare = name or bare, ""
    return Address(name[:300], bare) if name or bare else None


def plausible(address: str) -> bool:
    """Whether mail could be sent there: one @ with something on both sides, and nothing that could break a header."""
    local, at, domain = address.rpartition("@")
    return bool(
        at and local and domain and len(address) <= 320
        and not re.search(r"[\s<>,;()\[\]\\\u2400-\u2421\ufffd]", address if not local.startswith('"') else domain)
        and re.fullmatch(r"[^@.](?:[^@]*[^@.])?", domain)
    )  # fmt: skip


def message_ids(value: bytes, *, most: int = 200) -> tuple[str, ...]:
    """The ids in a Message-ID, In-Reply-To or References field, without brackets, in order and each once."""
    text = storable_line(raw_text(value))
    found = _MESSAGE_ID.findall(
        re.sub(r"<([^<>]{1,900})>", lambda match: "<" + "".join(match.group(1).split()) + ">", text)
    )
    if not found:
        found = [word.strip("<>,") for word in text.split() if "@" in word and len(word) <= 900]
        if not found and text and len(text) <= 900 and " " not in text:
            found = [text.strip("<>")]
    return tuple(dict.fromkeys(word for word in found if word))[-most:]


def moment(text: str) -> datetime | None:
    """A date of a header in UTC, or None if it is none. A date without zone is read as UTC."""
    try:
        when = email.utils.parsedate_to_datetime(text[-80:].strip())
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return when if 1980 <= when.year < 2200 else None
