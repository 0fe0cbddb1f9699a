"""Bytes to a `Message`: what was sent, by whom, in which words, with which files. Pure, and it never raises.

    message = reading.read(raw)            # any bytes at all
    message.sender.address, message.subject, message.text, message.attachments, message.problems

Everything in a `Message` is storable (no NUL, no lone surrogate); the byte-exact source is the caller's to keep.
What could not be done is never silent: each `Problem` has a name (its sentence is in `message.PROBLEMS`), and
`message.unreadable` says whether a person must look at the source: such a message becomes a parked ticket.
The cost is bounded by `Limits`, whatever the input: past a limit less is taken apart, but nothing is dropped.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from html import escape
from typing import Any, NamedTuple, TypeVar

from django.utils.translation import gettext_lazy as _

from . import headers, html, mime
from .charsets import decode, storable, storable_line
from .headers import Address
from .message import Attachment, Authentication, Message, Problem, Received

T = TypeVar("T")
_ARRIVED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
_SINGLE = ("from", "subject", "date", "reply-to", "to", "cc", "in-reply-to", "references")


@dataclass(frozen=True)
class Limits:
    """How much is taken apart. The defaults keep any message under two seconds."""

    bytes: int = 35 * 1024 * 1024
    text: int = 1_000_000  # characters, over all parts
    html: int = 4_000_000  # characters, over all parts; a page may carry its pictures inside
    tags: int = 60_000
    addresses: int = 500
    received: int = 50
    cuts: mime.Cuts = field(default_factory=mime.Cuts)


def read(raw: bytes, *, limits: Limits | None = None) -> Message:
    """The message in these bytes. Never raises; what cannot be read is named in `problems`."""
    limits = limits or Limits()
    try:
        return _Reader(raw, limits).message()
    except Exception as error:  # the promise of this module; a fault of ours becomes a parked ticket, not a lost mail
        return Message(text=storable(decode(raw[:20_000]).text), problems=(Problem("failed", type(error).__name__),))


class _Segment(NamedTuple):
    """A stretch of the body in the forms it came in."""

    plain: str | None
    html: str | None


class _Reader:
    def __init__(self, raw: bytes, limits: Limits) -> None:
        self.raw = raw
        self.limits = limits
        self.problems: dict[str, Problem] = {}
        self.attachments: list[Attachment] = []
        self.hint: str | None = None
        self.left = {"text": limits.text, "html": limits.html, "tags": limits.tags}

    def message(self) -> Message:
        if not self.raw.strip(b"\0 \t\r\n"):
            return Message(text=storable(decode(self.raw[:1_000]).text.strip()), problems=(Problem("empty"),))
        if len(self.raw) > self.limits.bytes:
            self._note("too_big", f"{len(self.raw)} > {self.limits.bytes}")
            cuts = self.limits.cuts
            root = mime.header(self.raw[: 4 * cuts.header_bytes], cuts)
        else:
            tree = mime.parse(self.raw, self.limits.cuts)
            root = tree.root
            for name in sorted(tree.problems):
                self._note(name)
        found = self._guarded(lambda: self._header(root)) or {}
        segments = self._guarded(lambda: self._body(root)) or []
        text, source = self._guarded(lambda: self._words(segments)) or ("", "")
        if not (text.strip() or self.attachments or found.get("subject")):
            self._note("empty")
        return Message(
            **found,
            text=text,
            html=source,
            attachments=tuple(self.attachments),
            type=root.type,
            report_type=storable_line(root.params.get("report-type", "")).lower(),
            problems=tuple(self.problems.values()),
        )

    def _note(self, name: str, detail: str = "") -> None:
        self.problems.setdefault(name, Problem(name, storable_line(detail)[:200]))

    def _guarded(self, work: Callable[[], T]) -> T | None:
        """The result, or None with a problem: what cannot be read must not take along what can."""
        try:
            return work()
        except Exception as error:
            self._note("failed", type(error).__name__)
            return None

    # ------------------------------------------------------------ the header

    def _header(self, root: mime.Part) -> dict[str, Any]:
        """The header's share of a Message, each field guarded on its own; one that failed keeps its default."""
        charsets = (part.params.get("charset") for part in root.nodes() if part.type.startswith("text/"))
        self.hint = next((charset for charset in charsets if charset), None)
        raw: dict[str, list[bytes]] = {}
        for name, value in root.fields:
            raw.setdefault(name, []).append(value)
        for name in _SINGLE:
            if len(set(raw.get(name, []))) > 1:
                self._note("doubled_header", name)

        def text(name: str, most: int) -> str:
            return headers.words(raw.get(name, [b""])[0], self.hint)[:most]

        def addresses(*names: str) -> tuple[Address, ...]:
            return self._addresses([value for name in names for value in raw.get(name, [])], names)

        def ids(name: str) -> tuple[str, ...]:
            return tuple(dict.fromkeys(one for value in raw.get(name, []) for one in headers.message_ids(value)))

        readers: dict[str, Callable[[], Any]] = {
            "subject": lambda: text("subject", 2_000),
            "date": lambda: text("date", 200),
            "senders": lambda: addresses("from"),
            "reply_to": lambda: addresses("reply-to"),
            "to": lambda: addresses("to"),
            "cc": lambda: addresses("cc"),
            "delivered_to": lambda: tuple(each.address for each in addresses(*_ARRIVED) if each.address),
            "return_path": lambda: next((each.address for each in addresses("return-path")), ""),
            "message_ids": lambda: ids("message-id"),
            "in_reply_to": lambda: ids("in-reply-to"),
            "references": lambda: ids("references"),
            "received": lambda: tuple(map(_received, raw.get("received", [])[: self.limits.received])),
            "authentication": lambda: tuple(map(_authentication, raw.get("authentication-results", [])[:20])),
            "fields": lambda: {name: self._decoded_fields(values) for name, values in raw.items()},
            "sender": lambda: self._sender(addresses("from"), addresses("sender", "reply-to", "return-path")),
        }
        if "return-path" not in raw:
            del readers["return_path"]
        found = {name: made for name, work in readers.items() if (made := self._guarded(work)) is not None}
        if not found.get("date"):
            self._note("no_date")
        if len(found.get("message_ids", ())) != 1:
            self._note("many_message_ids" if found.get("message_ids") else "no_message_id")
        return found

    def _addresses(self, values: list[bytes], names: Iterable[str]) -> tuple[Address, ...]:
        most = self.limits.addresses
        found = [each for value in values[:20] for each in headers.addresses(value, most=most + 1, hint=self.hint)]
        if len(found) > most:
            self._note("many_addresses", f"{' '.join(names)} > {most}")
        return tuple(found[:most])

    def _sender(self, senders: tuple[Address, ...], others: tuple[Address, ...]) -> Address:
        usable = [each for each in senders if each.address]
        if len({each.address.lower() for each in usable}) > 1:
            self._note("many_senders")
        if usable:
            return usable[0]
        name = next((each.name for each in senders if each.name), "")
        other = next((each for each in others if each.address), None)
        self._note("no_from" if other else "no_sender")
        return Address(name or other.name, other.address) if other else Address(name, "")

    def _decoded_fields(self, values: list[bytes]) -> tuple[str, ...]:
        return tuple(headers.words(value, self.hint)[:2_000] for value in values[:20])

    # ------------------------------------------------------------ the body

    def _body(self, part: mime.Part, parent: str = "") -> list[_Segment]:
        if part.children:
            kind = part.type
            segments = [self._guarded(partial(self._body, child, kind)) or [] for child in part.children]
            if kind == "multipart/alternative":
                return _alternative(segments)
            return [segment for some in segments for segment in some]
        data = part.payload()
        if part.damaged:
            self._note("damaged_encoding", part.type)
        if self._is_words(part, root=not parent):
            return [self._segment(part, data)]
        self._attach(part, data)
        return []

    def _segment(self, part: mime.Part, data: bytes) -> _Segment:
        """The words of one part. What is beyond the limit is not shown, so the whole part is kept as a file as well."""
        kind = "html" if part.type == "text/html" else "text"
        left = self.left[kind]
        if left <= 0 or self.left["tags"] <= 0:
            self._note("text_cut", kind)
            self._attach(part, data)
            return _Segment(None, None)
        text = self._decoded(part, data)
        self.left[kind] -= len(text)
        if kind == "html":
            self.left["tags"] -= text.count("<", 0, left)
        if len(text) > left:
            self._note("text_cut", f"{len(text)} > {left}")
            self._attach(part, data)
            text = text[:left]
        return _Segment(None, text) if kind == "html" else _Segment(_unflowed(text, part.params), None)

    def _is_words(self, part: mime.Part, *, root: bool) -> bool:
        disposition, params = part.disposition
        if part.type.startswith("multipart/") and "too_deep" not in self.problems:
            return True  # its parts could not be told apart, so all of it is shown
        if part.type not in {"text/plain", "text/html"} or disposition == "attachment":
            return False
        return root or not (params.get("filename") or part.params.get("name"))

    def _decoded(self, part: mime.Part, data: bytes) -> str:
        declared = part.params.get("charset")
        if part.type == "text/html" and (not declared or not data.isascii()):
            # What the document says of itself is a second label, asked when the first one is missing.
            meta = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]{1,40})", data[:4_096], re.IGNORECASE)
            declared = declared or (meta.group(1).decode("ascii", "replace") if meta else None)
        decoded = decode(data, declared)
        if decoded.relabelled and decoded.charset != "us-ascii":
            self._note("wrong_charset", f"{declared} -> {decoded.charset}")
        if decoded.damaged:
            self._note("damaged_text", decoded.charset)
        return storable(decoded.text)

    def _attach(self, part: mime.Part, data: bytes) -> None:
        disposition, params = part.disposition
        if part.type == "multipart/encrypted" or (
            part.type in {"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"}
            and part.params.get("smime-type", "enveloped-data").lower() == "enveloped-data"
        ):
            self._note("encrypted", part.type)
        name = params.get("filename") or part.params.get("name") or ""
        if part.type == "message/rfc822" and not name:
            subject = mime.header(data[:65_536], self.limits.cuts).header("subject") or b""
            name = f"{headers.words(subject)[:100] or _('forwarded message')}.eml"
        self.attachments.append(
            Attachment(
                name=_file_name(name)
                or f"{'-'.join(part.type.split('/'))}-{len(self.attachments) + 1}{_ENDINGS.get(part.type, '')}",
                declared_type=part.type,
                data=data,
                cid=storable_line(headers.raw_text(part.header("content-id") or b"")).strip("<> ")[:300],
                inline=disposition == "inline" or (not disposition and part.header("content-id") is not None),
            )
        )

    def _words(self, segments: list[_Segment]) -> tuple[str, str]:
        text = "\n\n".join(words.strip("\n") for words in map(self._plain, segments) if words.strip())
        if not any(segment.html for segment in segments):
            return text, ""
        pieces = (each.html if each.html is not None else f"<div>{escape(each.plain or '')}</div>" for each in segments)
        return text, "\n".join(pieces)

    def _plain(self, segment: _Segment) -> str:
        if segment.html is None:
            return segment.plain or ""
        if segment.plain is not None and segment.plain.strip() and not _is_placeholder(segment.plain):
            return segment.plain
        text = storable(html.text(segment.html))
        if text.endswith(html.CUT):
            self._note("text_cut", "html")
        return text or segment.plain or ""


def _alternative(segments: Iterable[list[_Segment]]) -> list[_Segment]:
    """One segment out of several forms of the same words: the last plain one and the last HTML one that there is."""
    plain = source = None
    for some in segments:
        if any(each.html is not None for each in some):
            source = "\n".join(
                each.html if each.html is not None else f"<div>{escape(each.plain or '')}</div>" for each in some
            )
        elif some and any((each.plain or "").strip() for each in some):
            plain = "\n\n".join(each.plain or "" for each in some)
    return [_Segment(plain, source)] if plain is not None or source is not None else []


_PLACEHOLDER = re.compile(
    r"html.{0,80}(?:view|client|support|reader|display|program|anzeig|darstell)|(?:view|display).{0,80}html",
    re.I | re.S,
)
_ENDINGS = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/csv": ".csv",
    "text/calendar": ".ics",
    "text/rfc822-headers": ".txt",
    "message/rfc822": ".eml",
    "message/delivery-status": ".txt",
    "application/pdf": ".pdf",
    "application/ms-tnef": ".dat",
    "application/pkcs7-mime": ".p7m",
    "application/pkcs7-signature": ".p7s",
    "application/pgp-signature": ".asc",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
}


def _is_placeholder(plain: str) -> bool:
    """Whether the plain form only says that there is an HTML form."""
    return len(plain) < 300 and bool(_PLACEHOLDER.search(plain))


def _file_name(name: str) -> str:
    name = re.split(r"[/\\]", storable_line(name))[-1].strip(" .")
    name = re.sub(r'[<>:"|?*\u2400-\u2421]', "_", name)
    if len(name) <= 150:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem[:140]}.{ending[:9]}" if dot else name[:150]


def _unflowed(text: str, params: dict[str, str]) -> str:
    """format=flowed (RFC 3676): lines that end in a space go on in the next one of the same quote depth."""
    if params.get("format", "").lower() != "flowed":
        return text
    delete_space = params.get("delsp", "").lower() == "yes"
    out: list[str] = []
    depth_before, open_line = 0, False
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        if flows and delete_space:
            content = content[:-1]
        if open_line and depth == depth_before and content != "-- ":
            out.append(content)
        else:
            out.append(("\n" if out else "") + (">" * depth + " " if depth else "") + content)
        depth_before, open_line = depth, flows
    return "".join(out)


_BY = re.compile(r"\bby\s+([\w.-]{1,253})")


def _received(value: bytes) -> Received:
    text = storable_line(headers.raw_text(value))[:4_000]
    by = _BY.search(text)
    return Received(
        by.group(1).rstrip(".") if by else "", headers.moment(text.rpartition(";")[2]) if ";" in text else None
    )


_METHOD = re.compile(r"^\s*([a-z0-9-]{1,30})\s*(?:/\s*\d+\s*)?=\s*([a-z]{1,20})", re.IGNORECASE)


def _authentication(value: bytes) -> Authentication:
    text = re.sub(r"\([^()]*\)", " ", storable_line(headers.raw_text(value))[:8_000])
    who, *rest = text.split(";")
    results: dict[str, str] = {}
    for piece in rest:
        if (match := _METHOD.match(piece)) and results.get(match.group(1).lower()) != "pass":
            results[match.group(1).lower()] = match.group(2).lower()
    return Authentication(who.split()[0].lower() if who.split() else "", results)
