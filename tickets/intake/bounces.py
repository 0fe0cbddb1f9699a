"""Reports that a message of ours did not arrive: standard ones (RFC 3464) and those of servers without a standard.

`find(message)` gives what the report says, or None if the message is no such report. Pure; never raises on any input.
"""

import re
from dataclasses import dataclass

from . import headers, mime
from .charsets import decode, storable_line
from .message import Message
from .phrases import COPY_FOLLOWS, FOR_GOOD, NOT_YET, ROBOTS, UNDELIVERED


@dataclass(frozen=True)
class Failure:
    """One recipient who was not reached (or not yet): action is failed or delayed, status like 5.1.1 ("" if untold)."""

    recipient: str
    action: str
    status: str = ""
    diagnostic: str = ""

    @property
    def permanent(self) -> bool:
        """Whether the server has given up. A 4.x.x with `failed` is final, too: it tried until it lost patience."""
        return self.action == "failed"


@dataclass(frozen=True)
class Bounce:
    """What a report says: the message that it is about ("" if it does not tell) and who was not reached."""

    original_message_id: str
    failures: tuple[Failure, ...]

    @property
    def permanent(self) -> bool:
        return any(failure.permanent for failure in self.failures)


_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.\w])(4[2-5]\d|5[0-5]\d)[ -](?=\S)")
_RECIPIENT = re.compile(r"<?([\w.+=&'*/-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})>?")
_ORIGINAL_ID = re.compile(r"^[> \t]{0,10}Message-ID:[ \t]{0,10}(<[^<>\s]{1,900}>)", re.IGNORECASE | re.MULTILINE)
_SEARCHED = 64 * 1024
_LONGEST = 200  # characters of a line in which the beginning of a copy is looked for


def find(message: Message) -> Bounce | None:
    """What this message reports about one of ours, or None."""
    if is_delivery_report(message) or _part(message, "message/delivery-status") is not None:
        failures = _standard(message)
        if failures is not None:
            return Bounce(_original_id(message), failures) if failures else None
    if not _looks_like_a_report(message):
        return None
    said = message.text[:_SEARCHED]
    return Bounce(_original_id(message), _unstructured(message, said))


def is_delivery_report(message: Message) -> bool:
    """Whether it is a standard delivery report at all, be it of a success."""
    return message.report_type == "delivery-status" and _part(message, "message/delivery-status") is not None


def _part(message: Message, kind: str) -> bytes | None:
    return next((each.data for each in message.attachments if each.declared_type == kind), None)


def _standard(message: Message) -> tuple[Failure, ...] | None:
    """The failures that a machine-readable report lists; empty if it lists successes only, None if it lists nothing."""
    data = _part(message, "message/delivery-status")
    if data is None:
        return None
    failures, any_listed = [], False
    for block in re.split(rb"\r?\n[ \t]*\r?\n", data[:_SEARCHED].strip())[:200]:
        fields = dict(reversed(mime.header(block, mime.Cuts()).fields))
        action = headers.words(fields.get("action", b"")).lower().split(" ")[0]
        status = _STATUS.search(headers.words(fields.get("status", b"")))
        if not action and not status:
            continue
        any_listed = True
        code = status.group(1) if status else ""
        if action not in {"failed", "delayed"}:
            if action or code.startswith("2"):
                continue  # delivered, relayed, expanded
            action = "delayed" if code.startswith("4") else "failed"
        who = (
            headers.words(fields.get("original-recipient") or fields.get("final-recipient") or b"")
            .rpartition(";")[2]
            .strip()
        )
        diagnostic = headers.words(fields.get("diagnostic-code", b""))[:500]
        failures.append(Failure(who.strip("<>"), action, code, diagnostic))
    return tuple(failures) if any_listed else None


def _looks_like_a_report(message: Message) -> bool:
    robot = bool(ROBOTS.match(message.sender.address) or ROBOTS.match(message.sender.name))
    signs = [
        robot,
        message.return_path == "",
        bool(UNDELIVERED.search(message.subject)),
        bool(message.header("x-failed-recipients")),
        message.type == "multipart/report",
    ]
    # Anybody may write "undeliverable" in a subject, and vacation notices have a null sender: two signs are needed.
    return (
        sum(signs) >= 2
        and (signs[0] or signs[3] or signs[4] or (signs[1] and signs[2]))
        and message.report_type != "disposition-notification"
    )


def _unstructured(message: Message, said: str) -> tuple[Failure, ...]:
    own = {message.sender.address.lower(), *(each.lower() for each in message.recipients)}
    listed = [
        each.address
        for each in headers.addresses(message.header("x-failed-recipients").encode("utf-8", "replace"), most=50)
        if each.address
    ]
    report = _before_the_copy(said)
    if not listed:
        listed = [who for who in dict.fromkeys(_RECIPIENT.findall(report[:8_000])) if who.lower() not in own][:1]
    status = _STATUS.search(report)
    reply = _REPLY_CODE.search(report)
    code = status.group(1) if status else ""
    if code:
        later = code.startswith("4")
    elif FOR_GOOD.search(report):
        later = False
    else:
        later = bool(NOT_YET.search(report) or NOT_YET.search(message.subject)) or bool(
            reply and reply.group(1).startswith("4")
        )
    line = next(
        (line for line in report.split("\n") if (code and code in line) or (reply and reply.group(1) in line)), ""
    )
    action = "delayed" if later else "failed"
    return tuple(Failure(who, action, code, storable_line(line)[:500]) for who in listed or [""])


def _before_the_copy(said: str) -> str:
    """What the server itself wrote. Only the head of each line is looked at, so that any length is cheap."""
    at = 0
    for line in said.split("\n"):
        head = line[:_LONGEST]
        if head.startswith("--") and any(word in head.lower() for word in COPY_FOLLOWS):
            return said[:at]
        at += len(line) + 1
    return said


def _original_id(message: Message) -> str:
    for each in message.attachments:
        if each.declared_type in {
            "message/rfc822",
            "text/rfc822-headers",
            "message/rfc822-headers",
            "message/global",
            "text/rfc822-header",
        }:
            root = mime.header(each.data[:262_144], mime.Cuts())
            if ids := headers.message_ids(root.header("message-id") or b""):
                return ids[0]
    found = _ORIGINAL_ID.search(message.text[:_SEARCHED])
    if found:
        return found.group(1).strip("<>")
    for each in message.attachments:
        if found := _ORIGINAL_ID.search(decode(each.data[:_SEARCHED]).text):
            return found.group(1).strip("<>")
    return (*message.in_reply_to, *reversed(message.references), "")[0]
