"""What customers of the demonstration received: one file for each message in a folder, and a listener that fills it."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import email
import email.policy
import secrets
import shutil
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings

from csp import clock

KEPT = 3000  # the newest; the demonstration is thrown away long before


def folder() -> Path:
    path: Path = settings.DATA_DIR / "post"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def empty() -> None:
    """Begin anew: a new demonstration has written nothing to anybody yet."""
    shutil.rmtree(folder())


def keep(content: bytes, recipients: list[str], at: dt.datetime) -> None:
    """Store one message as it was received. Its name says when."""
    content = b"".join(f"X-Received-By: {address}\r\n".encode() for address in recipients) + content
    stem = at.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%S%f")
    path = folder() / f"{stem}-{secrets.token_hex(4)}"
    # A reader must not find half a message, so it gets its name when it is whole.
    path.with_suffix(".new").write_bytes(content)
    path.with_suffix(".new").replace(path.with_suffix(".eml"))


@dataclasses.dataclass(frozen=True, slots=True)
class Received:
    """One message as a customer sees it: plain words only."""

    at: dt.datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    message_id: str
    thread: str  # the first Message-ID that it refers to, or its own
    attachments: tuple[str, ...]


def received(limit: int = 500) -> list[Received]:
    """The newest messages, newest first. What cannot be read is left out."""
    found = []
    for path in sorted(folder().glob("*.eml"), reverse=True)[:limit]:
        with contextlib.suppress(OSError, ValueError, LookupError):
            found.append(_read(path))
    return found


def _read(path: Path) -> Received:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(preferencelist=("plain",))
    text = body.get_content() if body is not None else ""
    own = str(message.get("Message-ID", path.stem)).strip()
    references = str(message.get("References", "")).split()
    return Received(
        at=dt.datetime.strptime(path.stem.split("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=dt.UTC),
        sender=str(message.get("From", "")),
        recipients=tuple(parseaddr(value)[1].lower() for value in message.get_all("X-Received-By", [])),
        subject=str(message.get("Subject", "")),
        text=str(text),
        message_id=own,
        thread=references[0] if references else own,
        attachments=tuple(part.get_filename() or "?" for part in message.iter_attachments()),
    )


class Sink:
    """The handler of a mail server that takes everything and sends nothing on."""

    def __init__(self) -> None:
        self._taken = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content: Any = envelope.original_content or b""
        try:
            keep(content, envelope.rcpt_tos, clock.now())
        except OSError as error:
            return f"451 the folder of the demonstration cannot be written: {error.strerror}"
        self._taken += 1
        if self._taken % 200 == 1:
            _forget_oldest()
        return "250 kept"


def _forget_oldest() -> None:
    for path in sorted(folder().glob("*.eml"), reverse=True)[KEPT:]:
        path.unlink(missing_ok=True)
