"""Mail for the tests of taking in: made as a customer's program would, landed and taken in as a door would."""

from __future__ import annotations

import datetime as dt

from csp.models import Mailbox, Team
from tests.factories import AT
from tickets.intake import landing, taking_in
from tickets.models import InboundMessage

DESK = "support@desk.example"


def letter(
    words: str = "Where is my parcel? It was promised for Monday and has not come.",
    *,
    sender: str = "Carl Contact <carl@northwind.example>",
    to: str = DESK,
    subject: str = "My parcel",
    id: str = "",
    answers: str = "",
    **more: str,
) -> bytes:
    """One plain message; `answers` is the Message-ID that it answers, `more` are header fields (auto_submitted=...)."""
    fields = {"From": sender, "To": to, "Subject": subject, "Message-ID": id, "In-Reply-To": answers}
    fields |= {name.replace("_", "-"): value for name, value in more.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n".encode()


def arrive(raw: bytes, *, at: dt.datetime = AT, take_in: bool = True, **how: object) -> InboundMessage:
    """Let a message in by the mail door at that moment, and take it in."""
    how.setdefault("accepted_at", at)
    row = landing.land(raw, door=InboundMessage.Door.SMTP, at=at, **how)  # type: ignore[arg-type]  # passed on
    if take_in:
        taking_in.take_in(at)
    row.refresh_from_db()
    return row


def mailbox(
    team: Team,
    *,
    address: str = DESK,
    cut_over_at: dt.datetime = AT - dt.timedelta(days=365),
    is_default: bool = True,
    **more: object,
) -> Mailbox:
    return Mailbox.objects.create(
        team=team, address=address, name="Desk", is_default=is_default, cut_over_at=cut_over_at,
        created_at=cut_over_at, **more,
    )  # fmt: skip
