"""The structure of a message: bytes to a tree of parts, in one pass per level, whatever the bytes are.

Python's own parser goes line by line and is quadratic on some inputs; this one cuts by searching for boundaries and so
takes time in proportion to the size. Nothing is thrown away at a limit: what is not cut further stays one part, and
`Tree.problems` says which limit it was. Bodies stay bytes; `Part.payload()` undoes the transfer encoding.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from .headers import parameters

_CANDIDATES = 100_000  # lines that begin like a boundary; beyond this somebody is playing
_FIELD = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_KNOWN_FIELD = re.compile(
    rb"^(?:content-[a-z-]{2,30}|mime-version|from|to|cc|subject|date|received|message-id|references|in-reply-to|reply-to"
    rb"|return-path)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_GUESSED_BOUNDARY = re.compile(rb"(?:\A|\n)--([^\s][^\r\n]{0,200}?)[ \t]*\r?\n(?:content-[a-z-]{2,30}:)", re.IGNORECASE)
_BASE64_NOISE = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))


@dataclass(frozen=True)
class Cuts:
    """How far a message is taken apart."""

    depth: int = 64
    parts: int = 1_000
    header_bytes: int = 256 * 1024
    header_fields: int = 2_000
    work: int = 150 * 1024 * 1024  # bytes searched for boundaries, over all levels


@dataclass
class Part:
    """One node: its header fields as they stood, and either its children or its body."""

    fields: list[tuple[str, bytes]]
    body: bytes
    children: list["Part"] = field(default_factory=list)
    damaged: bool = False

    def header(self, name: str) -> bytes | None:
        """The first field of this name (lower case), raw and unfolded."""
        return next((value for key, value in self.fields if key == name), None)

    @cached_property
    def _typed(self) -> tuple[str, dict[str, str]]:
        value, params = parameters(self.header("content-type") or b"")
        kind = value.lower().split()[0] if value.split() else "text/plain"
        if re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind):
            return kind, params
        return ("text/plain" if kind in {"text", "plain"} else "application/octet-stream"), params

    @property
    def type(self) -> str:
        return self._typed[0]

    @property
    def params(self) -> dict[str, str]:
        return self._typed[1]

    @cached_property
    def disposition(self) -> tuple[str, dict[str, str]]:
        value, params = parameters(self.header("content-disposition") or b"")
        return value.lower().split()[0] if value.split() else "", params

    def payload(self) -> bytes:
        """The body with its transfer encoding undone, as far as it can be; `damaged` says if it could not."""
        encoding = (
            (self.header("content-transfer-encoding") or b"").strip().strip(b"\"'").lower().split(b";")[0].strip()
        )
        if encoding == b"base64":
            data, self.damaged = from_base64(self.body)
            return data
        if encoding in (b"quoted-printable", b"quotedprintable"):
            return binascii.a2b_qp(self.body)
        if encoding not in (b"", b"7bit", b"8bit", b"binary", b"x-uuencode", b"uuencode", b"7-bit", b"8-bit"):
            self.damaged = True
        return self.body

    def walk(self) -> Iterator["Part"]:
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass
class Tree:
    root: Part
    problems: set[str] = field(default_factory=set)
    count: int = 0
    work: int = 0


def parse(raw: bytes, cuts: Cuts) -> Tree:
    """The whole message as a tree."""
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    fields, body, problems = split_header(raw.lstrip(b"\r\n") if raw[:1] in (b"\r", b"\n") else raw, cuts)
    tree = Tree(Part(fields, body), problems)
    _grow(tree, tree.root, cuts, 0)
    return tree


def split_header(data: bytes, cuts: Cuts, *, inner: bool = False) -> tuple[list[tuple[str, bytes]], bytes, set[str]]:
    """Header fields (name in lower case, value unfolded), the body behind them, and what was wrong."""
    problems: set[str] = set()
    if data.startswith(b"From ") and b"\n" in data[:1000]:
        data = data[data.index(b"\n") + 1 :]  # an mbox line
    if inner and data[:1] in (b"\r", b"\n"):
        return [], data.removeprefix(b"\r").removeprefix(b"\n"), problems
    head, body = _at_blank_line(data)
    if len(head) > cuts.header_bytes and not _FIELD.match(head):
        return [], data, problems  # not a header at all
    if len(head) > cuts.header_bytes:
        problems.add("headers_cut")
        head = head[: cuts.header_bytes]
    fields: list[tuple[str, bytes]] = []
    current: list[bytes] = []
    name = ""
    offset = 0
    last_known = max((match.start() for match in _KNOWN_FIELD.finditer(head)), default=-1)
    for line in head.split(b"\n"):
        start, offset = offset, offset + len(line) + 1
        text = line.rstrip(b"\r")
        if text[:1] in (b" ", b"\t") and name:
            current.append(text)
            continue
        if name:
            fields.append((name, b"".join(current)))
            name = ""
        if match := _FIELD.match(text):
            if len(fields) >= cuts.header_fields:
                problems.add("headers_cut")
                break
            name = match.group()[:-1].strip().decode("ascii").lower()
            current = [text[match.end() :].strip(b" \t")]
        elif text.strip():
            problems.add("header_damaged")
            if last_known < offset:  # nothing but words follows: the blank line is missing
                return fields, data[start:], problems
    else:
        if name:
            fields.append((name, b"".join(current)))
    return fields, body, problems


def _at_blank_line(data: bytes) -> tuple[bytes, bytes]:
    ends = [(at, width) for mark, width in ((b"\n\n", 2), (b"\n\r\n", 3)) if (at := data.find(mark)) >= 0]
    if not ends:
        return data, b""
    at, width = min(ends)
    return data[: at + 1], data[at + width :]


def _grow(tree: Tree, part: Part, cuts: Cuts, depth: int) -> None:
    tree.count += 1
    if not part.type.startswith("multipart/"):
        return
    tree.work += len(part.body)
    if depth >= cuts.depth or tree.work > cuts.work:
        tree.problems.add("too_deep")
        return
    boundary = part.params.get("boundary", "").encode("utf-8", "surrogateescape").rstrip()
    sections = _sections(part.body, boundary, cuts.parts - tree.count) if boundary else None
    if sections is None:
        tree.problems.add("boundary_missing")
        guess = _GUESSED_BOUNDARY.search(part.body[: cuts.header_bytes])
        sections = _sections(part.body, guess.group(1), cuts.parts - tree.count) if guess else None
    if sections is None:
        return  # read as what it is: one body
    if not sections.closed:
        tree.problems.add("cut_short")
    part.body = b""  # a deep message would otherwise be held once per level
    sections.pieces.reverse()
    while sections.pieces:
        fields, body, problems = split_header(sections.pieces.pop(), cuts, inner=True)
        tree.problems |= problems
        child = Part(fields, body)
        del body
        part.children.append(child)
        _grow(tree, child, cuts, depth + 1)
    if sections.rest:
        tree.problems.add("too_many_parts")
        part.children.append(
            Part([("content-type", b"application/octet-stream; name=remaining-parts.txt")], sections.rest)
        )


@dataclass
class _Sections:
    """The pieces between boundary lines, whether the closing line was there, and what lies beyond the limit."""

    pieces: list[bytes]
    closed: bool
    rest: bytes = b""


_AFTER_BOUNDARY = re.compile(rb"(--)?[ \t]*+\r?(?:\n|\Z)")


def _sections(body: bytes, boundary: bytes, most: int) -> _Sections | None:
    mark = b"\n--" + boundary
    pieces: list[bytes] = []
    start = -1
    at = -1 if body.startswith(mark[1:]) else body.find(mark)
    found = at >= 0 or body.startswith(mark[1:])
    tries = 0
    while found:
        tries += 1
        match = _AFTER_BOUNDARY.match(body, at + len(mark))
        if match:
            if start >= 0:
                if len(pieces) >= max(1, most):
                    return _Sections(pieces, True, body[start:])
                pieces.append(body[start : at - 1 if body[at - 1 : at] == b"\r" else max(at, start)])
            if match.group(1) and start >= 0:
                return _Sections(pieces, True)
            start = match.end()
        elif tries > _CANDIDATES:
            break
        # A boundary line may begin with the line end that closed the one before.
        at = body.find(mark, max(start - 1, at + 1))
        found = at >= 0
    if start < 0:
        return None
    if body[start:].strip():
        pieces.append(body[start:])
    return _Sections(pieces, False) if pieces else None


def from_base64(body: bytes) -> tuple[bytes, bool]:
    """Decoded bytes and whether the encoding was damaged. What is no base64 at all is left as it stands."""
    compact = body.translate(None, b" \t\r\n")
    clean = compact.translate(None, _BASE64_NOISE)
    noise = len(compact) - len(clean)
    if noise * 50 > len(compact) or (body.count(b" ") * 20 > len(body) and noise):
        return body, True  # plain words under a wrong label
    pieces = clean.rstrip(b"=").split(b"=") if b"=" in clean.rstrip(b"=") else [clean.rstrip(b"=")]
    damaged = noise > 0 or any(len(piece) % 4 == 1 for piece in pieces)
    out = []
    for piece in pieces[:10_000]:
        whole = piece[: len(piece) - 1] if len(piece) % 4 == 1 else piece
        out.append(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))
    data = b"".join(out)
    return (data, damaged) if data or not compact else (body, True)
