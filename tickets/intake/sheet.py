"""What somebody filled in on one of our public pages, as a message: written here, and read here again.

It travels the way of every message: landed byte for byte, then understood (tickets.intake.taking_in). The fields that
only our page can know stand in header fields, which are believed of the form's own door alone. The same sheet sent
twice is the same bytes, and so the same message.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import secrets
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from django.conf import settings

from csp.models import Mailbox
from tickets.conversation import File
from tickets.intake import landing
from tickets.intake.charsets import storable, storable_line
from tickets.intake.message import Message
from tickets.models import InboundMessage, Ticket

_TICKET, _KIND, _CATEGORY, _DOUBT = (
    "X-CSP-Sheet-Ticket",
    "X-CSP-Sheet-Kind",
    "X-CSP-Sheet-Category",
    "X-CSP-Sheet-Doubt",
)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_POLICY = SMTP.clone(cte_type="7bit")
SUBJECT = 80


@dataclasses.dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. `token` is the page's own: a sheet sent twice bears it twice. `doubt` is why a person should look
    first; `ticket` is the one that whoever wrote it holds a link to."""

    token: str
    email: str
    text: str
    name: str = ""
    subject: str = ""
    language: str = ""
    kind: str = ""
    category: int | None = None
    ticket: int | None = None
    doubt: str = ""
    files: Sequence[File] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Fields:
    """What a sheet said besides its words."""

    kind: Ticket.Kind = Ticket.Kind.UNTYPED
    category: int | None = None
    ticket: int | None = None
    doubt: str = ""


def fresh_token() -> str:
    return secrets.token_urlsafe(16)


def token_of(typed: str) -> str:
    """The token that a page sent back, or a new one where it sent none of ours."""
    return typed if _TOKEN.fullmatch(typed) else fresh_token()


def subject_of(text: str) -> str:
    """The first words of what was written, for lists."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if len(first) <= SUBJECT:
        return first
    return f"{first[:SUBJECT].rsplit(' ', 1)[0]} …"


def write(sheet: Sheet, mailbox: Mailbox | None) -> bytes:
    """The sheet as a message. It carries no date: the same sheet is the same bytes whenever it is sent again."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(display_name=" ".join(storable_line(sheet.name).split()), addr_spec=sheet.email)
    if mailbox is not None:
        mail["To"] = mailbox.address
    mail["Subject"] = " ".join(storable_line(sheet.subject or subject_of(sheet.text)).split())
    mail["Message-ID"] = f"<sheet.{sheet.token}@{settings.MAIL_DOMAIN}>"
    fields = {_TICKET: sheet.ticket, _KIND: sheet.kind, _CATEGORY: sheet.category, _DOUBT: sheet.doubt}
    for header, value in fields.items():
        if value:
            mail[header] = storable_line(str(value))
    mail.set_content(storable(sheet.text), cte="base64")
    for file in sheet.files:
        assert isinstance(file.content, bytes)
        main, _slash, sub = file.content_type.partition("/")
        if main in {"", "message", "multipart", "text"} or not sub:
            main, sub = "application", "octet-stream"
        mail.add_attachment(file.content, maintype=main, subtype=sub, filename=storable_line(file.name))
    if sheet.language:  # last: what begins with Content would become a part's own
        mail["Content-Language"] = sheet.language
    if mail.is_multipart():
        mail.set_boundary(f"=_{sheet.token}")
    return bytes(mail)


def read(row: InboundMessage, message: Message) -> Fields:
    """What the sheet said; nothing for a message that came by another door, whatever its header says."""
    if row.door != InboundMessage.Door.FORM:
        return Fields()
    kind = message.header(_KIND)
    return Fields(
        kind=Ticket.Kind(kind) if kind in Ticket.Kind.values else Ticket.Kind.UNTYPED,
        category=_number(message.header(_CATEGORY)),
        ticket=_number(message.header(_TICKET)),
        doubt=message.header(_DOUBT)[:200],
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def land(sheet: Sheet, *, mailbox: Mailbox | None, at: dt.datetime) -> InboundMessage:
    """Write the sheet down before it is understood. Raises DatabaseError: then it is not ours yet."""
    return landing.land(
        write(sheet, mailbox), door=InboundMessage.Door.FORM, mailbox=mailbox, accepted_at=at, at=at,
        envelope_from=sheet.email, envelope_to=mailbox.address if mailbox else "",
    )  # fmt: skip
