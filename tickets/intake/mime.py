"""The structure of a message: the standard library's parser, with limits around it that bound what it can cost.

That parser goes line by line and tries the boundary of every level on each, so lines, levels and parts are limited, and
the header is cut and mended before it comes in: the parser would end a header at the first line that is no field.
Nothing is thrown away at a limit: what is not taken apart stays one part, and `Tree.problems` says which limit it was.
A message within a message stays closed, because its bytes are a file of the outer one.

Two things stay ours. The root's header is mended first: of the 100 damaged messages in the corpus 24
would lose their sender or their subject without it. Base64 is read on behind a padding, where the library stops.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import errors
from email.message import Message
from email.parser import BytesFeedParser, BytesParser
from email.policy import Compat32, Policy
from functools import cached_property, partial
from itertools import islice
from typing import Any

from .charsets import decode
from .headers import decode_words

_PARAMETERS = 60  # of one field, in so many characters; the library takes cubic time for some
_PARAMETER_CHARACTERS = 4_000
_BOUNDARY = 200  # characters (70 are allowed); the library makes a pattern of it, which takes time
_PIECE = 64 * 1024
_FIELD = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_KNOWN_FIELD = re.compile(
    rb"^(?:content-[a-z-]{2,30}|mime-version|from|to|cc|subject|date|received|message-id|references|in-reply-to|reply-to"
    rb"|return-path)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_NO_FIELD = re.compile(rb"\A(?=[ \t])|^(?![!-9;-~]{1,100}[ \t]*+:|[ \t\n]|\r\n|\Z)", re.MULTILINE)
_SPACED_FIELD = re.compile(rb"^([!-9;-~]{1,100})[ \t]++:", re.MULTILINE)
_QUOTABLE = re.compile(rb"[\"\\]")
_LONE_CR = re.compile(rb"\r(?!\n)")
_LINE_END = re.compile(rb"\r\n?|\n")
_GUESSED_BOUNDARY = re.compile(
    rb"(?:\A|\n)--([^\s][^\r\n\"\\]{0,200}?)[ \t]*\r?\n(?:content-[a-z-]{2,30}:)", re.IGNORECASE
)
_BASE64_NOISE = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_UNENCODED = (b"", b"7bit", b"8bit", b"binary", b"x-uuencode", b"uuencode", b"7-bit", b"8-bit")
_DEFECTS: dict[type[errors.MessageDefect], str] = {
    errors.MissingHeaderBodySeparatorDefect: "header_damaged",
    errors.FirstHeaderLineIsContinuationDefect: "header_damaged",
    errors.InvalidHeaderDefect: "header_damaged",
    errors.MisplacedEnvelopeHeaderDefect: "header_damaged",
    errors.CloseBoundaryNotFoundDefect: "cut_short",
    errors.NoBoundaryInMultipartDefect: "boundary_missing",
    errors.StartBoundaryNotFoundDefect: "boundary_missing",
}


@dataclass(frozen=True)
class Cuts:
    """How far a message is taken apart."""

    depth: int = 64
    parts: int = 1_000
    header_bytes: int = 256 * 1024
    header_lines: int = 2_500
    lines: int = 600_000  # more than 35 MB of base64 have
    work: int = 6_000_000  # lines times levels


class _AsItStands(Compat32):
    """Fields come out of the parser as they went in, for `headers` to understand."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        if name.lower() not in ("content-type", "content-disposition"):
            return value
        return ";".join(value[:_PARAMETER_CHARACTERS].split(";")[: _PARAMETERS + 1])


_AS_IT_STANDS: "Policy[Any]" = _AsItStands()


@dataclass
class _Budget:
    """What one parsing may still do."""

    depth: int = 0
    parts: int = 0
    root: "Part | None" = None


class _TooManyParts(Exception):
    """Ends the parsing; what was parsed until then hangs below the root."""


class Part(Message):
    """One node: its fields, and either its children or its body. Refuses to be taken apart beyond the limits."""

    _payload: Any  # a list of parts, or the body: text from the parser, bytes from us

    def __init__(self, policy: "Policy[Any]" = _AS_IT_STANDS, *, budget: _Budget | None = None) -> None:
        super().__init__(policy)
        self.budget = budget or _Budget()
        self.depth = 0
        self.damaged = False

    # ------------------------------------------------------------ what the parser asks

    def attach(self, payload: Any) -> None:
        if not self.depth:
            self.budget.root = self
        if self.budget.parts <= 0:
            raise _TooManyParts
        self.budget.parts -= 1
        payload.depth = self.depth + 1
        super().attach(payload)

    def get_content_type(self) -> str:
        return self.type if self.type.startswith("multipart/") and not self.too_deep else "application/octet-stream"

    def get_content_maintype(self) -> str:
        return self.get_content_type().partition("/")[0]

    def get_boundary(self, failobj: Any = None) -> Any:
        boundary = super().get_boundary()
        return boundary if boundary and len(boundary) <= _BOUNDARY else failobj

    # ------------------------------------------------------------ what we ask

    @property
    def too_deep(self) -> bool:
        return self.depth >= self.budget.depth and self.type.startswith("multipart/")

    @cached_property
    def fields(self) -> list[tuple[str, bytes]]:
        """Every field: its name in lower case, and its value unfolded."""
        return [(name.lower(), _unfolded(value)) for name, value in self.items()]

    def header(self, name: str) -> bytes | None:
        """The first field of this name, raw and unfolded."""
        value = self.get(name)
        return None if value is None else _unfolded(value)

    @cached_property
    def type(self) -> str:
        kind = (self.get("content-type") or self.get_default_type()).partition(";")[0].lower()
        kind = kind.split()[0] if kind.split() else "text/plain"
        if re.fullmatch(r"[a-z0-9_.+-]{1,60}/[a-z0-9_.+-]{1,100}", kind):
            return kind
        return "text/plain" if kind in {"text", "plain"} else "application/octet-stream"

    @cached_property
    def params(self) -> dict[str, str]:
        """The parameters of the type."""
        return self._parameters("content-type")

    @cached_property
    def disposition(self) -> tuple[str, dict[str, str]]:
        """How it wants to be shown, and the parameters of that."""
        value = (self.get("content-disposition") or "").partition(";")[0].lower()
        return value.strip(), self._parameters("content-disposition")

    def _parameters(self, name: str) -> dict[str, str]:
        found: dict[str, str] = {}
        pairs: Any = self.get_params([], header=name)  # its types leave the tuples out
        for key, value in pairs[1:]:
            if isinstance(value, tuple):  # RFC 2231; it wins over the plain form for old readers
                data = value[2].encode("latin-1", "surrogateescape")
                found[key.lower()] = decode(data, value[0]).text
            else:
                data = value.encode("ascii", "surrogateescape")
                found.setdefault(key.lower(), decode_words(decode(data).text))
        return found

    @property
    def children(self) -> list["Part"]:
        return self._payload if isinstance(self._payload, list) else []

    @children.setter
    def children(self, parts: list["Part"]) -> None:
        self._payload = parts

    @property
    def body(self) -> bytes:
        """As it was sent. (`get_payload` would make text of it.)"""
        if isinstance(self._payload, str):
            return self._payload.encode("ascii", "surrogateescape")
        return self._payload if isinstance(self._payload, bytes) else b""

    @body.setter
    def body(self, data: bytes) -> None:
        self._payload = data

    def payload(self) -> bytes:
        """The body with its transfer encoding undone, as far as it can be; `damaged` says if it could not."""
        encoding = (self.header("content-transfer-encoding") or b"").lower().split(b";")[0].strip(b" \t\"'")
        if encoding == b"base64":
            data, self.damaged = from_base64(self.body)
            return data
        if encoding in (b"quoted-printable", b"quotedprintable"):
            return binascii.a2b_qp(self.body)
        self.damaged = encoding not in _UNENCODED
        return self.body

    def nodes(self) -> Iterator["Part"]:
        yield self
        for child in self.children:
            yield from child.nodes()


@dataclass
class Tree:
    root: Part
    problems: set[str] = field(default_factory=set)


def parse(raw: bytes, cuts: Cuts) -> Tree:
    """The whole message as a tree."""
    tree, body = _header(raw, cuts)
    if tree.root.type.startswith("multipart/"):
        _take_apart(tree, body, cuts)
    else:
        tree.root.body = body
    return tree


def header(data: bytes, cuts: Cuts) -> Part:
    """The header alone, on a part without a body."""
    return _header(data, cuts)[0].root


def _header(raw: bytes, cuts: Cuts) -> tuple[Tree, bytes]:
    """A part with the header's fields, and the body behind it. Only the root's header is cut and mended."""
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    if raw[:1] in (b"\r", b"\n"):
        raw = raw.lstrip(b"\r\n")
    if raw.startswith(b"From ") and b"\n" in raw[:1_000]:
        raw = raw[raw.index(b"\n") + 1 :]  # an mbox line
    end, start = _blank_line(raw)
    if end > cuts.header_bytes and not _FIELD.match(raw):
        return Tree(Part()), raw  # not a header at all
    problems = set()
    head = b"\n".join(raw[: min(end, cuts.header_bytes)].split(b"\n", cuts.header_lines)[: cuts.header_lines])
    if len(head) < end:
        problems.add("headers_cut")
    head = _LONE_CR.sub(b" ", head)
    last = max((match.start() for match in _KNOWN_FIELD.finditer(head)), default=0)
    early, late = _NO_FIELD.sub(b"X-Not-A-Field: ", head[:last]), head[last:]
    if words := _NO_FIELD.search(late):  # nothing but words follows: the blank line is missing
        late, start = late[: words.start()], last + words.start()
    if words or len(early) > last:
        problems.add("header_damaged")
    head = _SPACED_FIELD.sub(rb"\1:", early + late)
    parser: BytesParser[Part] = BytesParser(Part, policy=_AS_IT_STANDS)
    return Tree(parser.parsebytes(head, headersonly=True), problems), raw[start:]


def _blank_line(raw: bytes) -> tuple[int, int]:
    """Where the header ends and where the body starts."""
    ends = [(at + 1, at + len(mark)) for mark in (b"\n\n", b"\n\r\n") if (at := raw.find(mark)) >= 0]
    return min(ends, default=(len(raw), len(raw)))


def _take_apart(tree: Tree, body: bytes, cuts: Cuts) -> None:
    """Hang the parts of the body below the root, and what lies beyond the limits as one more part behind them."""
    known, rest = body, b""
    lines = body.count(b"\n") + body.count(b"\r") - body.count(b"\r\n") + 1
    if lines > cuts.lines:
        tree.problems.add("too_long")
        lines = cuts.lines
        end = next(islice(_LINE_END.finditer(body), lines - 1, None)).end()  # there are more than that
        known, rest = body[:end], body[end:]
    depth = min(cuts.depth, cuts.work // lines)
    declared = str(tree.root.get_boundary("")).encode("ascii", "surrogateescape")
    found: Part | None = None
    for boundary in filter(None, (declared, _guessed_boundary(known[: cuts.header_bytes]))):
        budget = _Budget(depth, cuts.parts)
        try:
            found = _parsed(tree.root.type, boundary, known, budget)
        except _TooManyParts:
            found, budget.root, rest = budget.root, None, body
            tree.problems.add("too_many_parts")
        if found and found.children:
            break
    if not (found and found.children):
        tree.problems.add("boundary_missing")
        tree.root.body = body  # read as what it is: one body
        return
    if boundary != declared:
        tree.problems.add("boundary_missing")
    for node in found.nodes():
        tree.problems |= {_DEFECTS[kind] for defect in node.defects if (kind := type(defect)) in _DEFECTS}
        if node.too_deep:
            tree.problems.add("too_deep")
    tree.root.children = found.children
    if rest:
        tree.problems.discard("cut_short")  # it was cut by us
        last = Part()
        last["Content-Type"] = "application/octet-stream; name=remaining-parts.txt"
        last.body = rest
        tree.root.children.append(last)


def _parsed(kind: str, boundary: bytes, body: bytes, budget: _Budget) -> Part:
    """Fed in pieces: as one string a message would take four times its size."""
    parser: BytesFeedParser[Part] = BytesFeedParser(partial(Part, budget=budget), policy=_AS_IT_STANDS)
    parser.feed(b'Content-Type: %s; boundary="%s"\n\n' % (kind.encode(), _QUOTABLE.sub(rb"\\\g<0>", boundary)))
    for at in range(0, len(body), _PIECE):
        parser.feed(body[at : at + _PIECE])
    root = parser.close()
    budget.root = None
    return root


def _guessed_boundary(body: bytes) -> bytes | None:
    guess = _GUESSED_BOUNDARY.search(body)
    return guess.group(1) if guess else None


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


def _unfolded(value: str) -> bytes:
    return value.encode("ascii", "surrogateescape").replace(b"\r", b"").replace(b"\n", b"").rstrip(b" \t")
