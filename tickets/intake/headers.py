"""Header fields: RFC 2047 words, parameters (RFC 2231), addresses, ids and dates; each linear and never raising.

Senders break every one of these rules, so each function takes what it can and leaves the rest as it stood.
"""

import binascii
import email.utils
import re
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from .charsets import decode, storable_line

MOST = 64 * 1024  # characters of one field that are looked at
# The text of a Q word may hold spaces and question marks that should have been encoded; bounded, or it is quadratic.
_WORD = re.compile(r"=\?([\w.:*-]{1,60})\?(?:([bB])\?([^?]*)|([qQ])\?([^\n]{0,998}?))\?=(?!=?[0-9A-Fa-f]{2}\?=)")
_TOKEN = re.compile(r"[\s;]*+([^\s=;\"]++)\s*+(?:=\s*+)?")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)("|\Z)', re.DOTALL)
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
    """Encoded words decoded; neighbours in one charset are joined as bytes first: some senders split a character."""
    if "=?" not in text:
        return text
    out: list[str] = []
    run: list[tuple[str, str, str]] = []  # charset, encoding, payload
    end = 0
    for match in _WORD.finditer(text):
        between = text[end : match.start()]
        charset = match.group(1).split("*")[0].lower()
        word = (charset, (match.group(2) or match.group(4)).lower(), match.group(3) or match.group(5) or "")
        if between.strip() or not run:
            out.append(_decode_run(run))
            out.append(between)
            run = [word]
        elif word[0] == run[-1][0]:
            run.append(word)
        else:
            out.append(_decode_run(run))
            run = [word]
        end = match.end()
    out.append(_decode_run(run))
    out.append(text[end:])
    return "".join(out)


def _decode_run(run: list[tuple[str, str, str]]) -> str:
    if not run:
        return ""
    data = b""
    pending = ""  # base64 cut in the middle of a quantum is carried over into the next word
    for _charset, encoding, payload in run:
        if encoding == "b":
            pending += "".join(payload.split())
            if len(pending) % 4 == 0 or pending.endswith("="):
                data, pending = data + _base64(pending), ""
        else:
            data, pending = data + _base64(pending), ""
            data += binascii.a2b_qp(payload.encode("utf-8", "surrogatepass").replace(b"\n", b""), header=True)
    return decode(data + _base64(pending), run[0][0]).text


def _base64(text: str) -> bytes:
    compact = re.sub(r"[^A-Za-z0-9+/]", "", text)
    if len(compact) % 4 == 1:
        compact = compact[:-1]
    return binascii.a2b_base64(compact + "=" * (-len(compact) % 4))


def parameters(value: bytes) -> tuple[str, dict[str, str]]:
    """`type; name=value` fields: the first word and the parameters, RFC 2231 pieces joined, RFC 2047 words decoded."""
    text = raw_text(value)
    first, _, rest = text.partition(";")
    found: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    at = 0
    for _count in range(200):
        match = _TOKEN.match(rest, at)
        if not match:
            at = rest.find(";", at + 1)
            if at < 0:
                break
            continue
        name, at = match.group(1).lower(), match.end()
        if "=" not in match.group():
            continue
        if quoted := _QUOTED.match(rest, at):
            content, at = re.sub(r"\\(.)", r"\1", quoted.group(1)), quoted.end()
        else:
            stop = rest.find(";", at)
            content, at = rest[at : stop if stop >= 0 else len(rest)].strip(), stop if stop >= 0 else len(rest)
        if "*" in name:
            name, _, index = name.partition("*")
            number = index.rstrip("*")
            if (number.isascii() and number.isdigit() and len(number) < 4) or not number:
                pieces.setdefault(name, {})[int(number or 0)] = (content, index == "" or index.endswith("*"))
        else:
            found.setdefault(name, content)
    for name, parts in pieces.items():
        found[name] = _join_2231(parts)  # the extended form wins over the plain one for old readers
    return first.strip(), {name: decode_words(content) for name, content in found.items()}


def _join_2231(parts: dict[int, tuple[str, bool]]) -> str:
    charset, data = "", b""
    for number, (content, extended) in sorted(parts.items()):
        piece = content
        if extended and number == min(parts) and piece.count("'") >= 2:
            charset, _language, piece = piece.split("'", 2)
        encoded = piece.encode("utf-8", "surrogatepass")
        data += unquote_to_bytes(encoded) if extended else encoded
    return decode(data, charset or None).text


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
