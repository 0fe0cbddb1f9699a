"""Everything that leaves the building waits here, in the transaction that wants it sent.

Delivery promise: at least once, with one stable Message-ID. The sender holds the row's lock while it talks to the
server, so a killed sender frees the row at once. Between the server's 250 and our commit a kill may send one copy more;
both carry the same Message-ID. A message counts as sent when the first server outside our control has accepted it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import smtplib
from collections.abc import Iterable, Mapping, Sequence
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

from django.conf import settings
from django.core.mail import get_connection
from django.db import transaction

from csp import vault
from csp.models import Blob, Mailbox, OutboundAttachment, OutboundMessage

log = logging.getLogger(__name__)

Kind = OutboundMessage.Kind
State = OutboundMessage.State

GIVE_UP_AFTER = dt.timedelta(hours=24)
LONGEST_WAIT = dt.timedelta(minutes=15)


class BadHeader(ValueError):
    """An address or header holds a control character and will not be sent."""


def _clean(value: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise BadHeader("An address, subject or header may not hold line breaks or control characters.")
    return value


def message_id(dedupe_key: str) -> str:
    """The Message-ID that a message keeps through every attempt; not guessable from the key."""
    seed = hashlib.blake2b(dedupe_key.encode(), key=settings.LINK_KEY[:64], digest_size=20).hexdigest()
    return f"<{seed}@{settings.MAIL_DOMAIN}>"


def default_sender() -> tuple[str, Mailbox | None]:
    """The address that mail without a mailbox of its own is sent from."""
    mailbox = Mailbox.objects.filter(is_active=True).order_by("-is_default", "pk").first()
    return (sender_of(mailbox), mailbox) if mailbox else (settings.DEFAULT_FROM_EMAIL, None)


def sender_of(mailbox: Mailbox) -> str:
    return str(MailAddress(display_name=_clean(mailbox.name), addr_spec=_clean(mailbox.address)))


def post(
    *,
    kind: OutboundMessage.Kind,
    dedupe_key: str,
    to: Sequence[str],
    subject: str,
    body: str,
    at: dt.datetime,
    cc: Sequence[str] = (),
    html: str = "",
    mailbox: Mailbox | None = None,
    reply_to: str = "",
    headers: Mapping[str, str] | None = None,
    attachments: Iterable[tuple[str, str, Blob]] = (),
    not_before: dt.datetime | None = None,
) -> OutboundMessage:
    """Put a message in the outbox; posting the same `dedupe_key` again returns the first one.

    `attachments` are (name, content type, blob). Raises BadHeader for control characters in anything that becomes a
    header.
    """
    if mailbox is not None:
        sender = sender_of(mailbox)
    else:
        sender, mailbox = default_sender()
    all_headers = {name: _clean(value) for name, value in (headers or {}).items()}
    if reply_to:
        all_headers["Reply-To"] = _clean(reply_to)
    message, is_new = OutboundMessage.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "kind": kind,
            "mailbox": mailbox,
            "sender": sender,
            "envelope_from": mailbox.address if mailbox else settings.DEFAULT_FROM_EMAIL,
            "to": [_clean(address) for address in to],
            "cc": [_clean(address) for address in cc],
            "subject": _clean(" ".join(subject.split())),
            "body": body,
            "html": html,
            "headers": all_headers,
            "message_id": message_id(dedupe_key),
            "created_at": at,
            "not_before": not_before or at,
        },
    )
    files = list(attachments) if is_new else []
    if files:
        OutboundAttachment.objects.bulk_create(
            OutboundAttachment(message=message, name=name, content_type=content_type, blob=blob)
            for name, content_type, blob in files
        )
    return message


def render(message: OutboundMessage, at: dt.datetime) -> EmailMessage:
    """The message as it goes over the wire."""
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = message.sender
    mail["To"] = ", ".join(message.to)
    if message.cc:
        mail["Cc"] = ", ".join(message.cc)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message.message_id
    mail["X-CSP-Origin"] = settings.MAIL_DOMAIN  # our own mail is never read again (tickets.intake.verdicts)
    for name, value in message.headers.items():
        mail[name] = value
    mail.set_content(message.body)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    for attachment in message.attachments.select_related("blob__key").order_by("pk"):
        main, _, sub = attachment.content_type.partition("/")
        if main in {"", "message", "multipart"} or not sub:
            main, sub = "application", "octet-stream"
        mail.add_attachment(vault.read(attachment.blob), maintype=main, subtype=sub, filename=attachment.name)
    return mail


class Courier:
    """One connection to the mail server, kept over a batch and opened again when it was lost."""

    def __init__(self) -> None:
        self._backend = get_connection(timeout=10)

    def hand_over(self, message: OutboundMessage, at: dt.datetime) -> tuple[bool, str]:
        """Offer a message to the server. Returns (accepted, what the server said).

        Raises smtplib.SMTPException or OSError where another attempt may help; a refusal for good is
        smtplib.SMTPResponseException with a code of 500 or more, or SMTPRecipientsRefused of such codes.
        """
        self._backend.open()
        server: smtplib.SMTP = self._backend.connection  # type: ignore[attr-defined]  # of Django's SMTP backend
        mail = render(message, at)
        refused = server.sendmail(message.envelope_from, [*message.to, *message.cc], mail.as_bytes())
        lost = [address for address in message.to if address in refused]
        if lost:  # a copy was taken, but not for the one it was written to
            raise smtplib.SMTPRecipientsRefused({address: refused[address] for address in lost})
        return True, ("250 accepted" if not refused else f"250 accepted; {len(refused)} in copy refused")

    def close(self) -> None:
        try:
            self._backend.close()
        except (smtplib.SMTPException, OSError):
            log.info("The mail server had closed the connection already")


def _is_final(error: Exception) -> bool:
    """Whether the server refused for good (5yz); 4yz and broken connections are worth another attempt."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPConnectError | smtplib.SMTPHeloError):
        return False  # our own settings, not this message
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        return f"{code} {_text(words)}"[:500]
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"[:500]
    return f"{type(error).__name__}: {error}"[:500]


def _text(words: bytes | str) -> str:
    return (words.decode("utf-8", "replace") if isinstance(words, bytes) else words).replace("\x00", "")


def deliver(at: dt.datetime, *, limit: int = 200) -> int:
    """Offer what is due to the mail server, oldest first. Returns how many were tried. `at` is the real time."""
    courier = Courier()
    tried = 0
    try:
        while tried < limit and _deliver_one(courier, at):
            tried += 1
    finally:
        courier.close()
    return tried


@transaction.atomic(durable=True)
def _deliver_one(courier: Courier, at: dt.datetime) -> bool:
    """Claim the oldest due message and keep its lock until its fate is written down."""
    message = (
        OutboundMessage.objects.select_for_update(skip_locked=True)
        .filter(state=State.QUEUED, not_before__lte=at)
        .order_by("not_before")
        .first()
    )
    if message is None:
        return False
    message.attempts += 1
    try:
        _, message.answer = courier.hand_over(message, at)
    except (TimeoutError, smtplib.SMTPException, OSError, vault.Unreadable, ValueError) as error:
        _put_off(message, error, at)
        courier.close()
    else:
        message.state, message.accepted_at, message.ended_at = State.ACCEPTED, at, at
    message.save(update_fields=["attempts", "answer", "state", "accepted_at", "ended_at", "not_before"])
    return True


def _put_off(message: OutboundMessage, error: Exception, at: dt.datetime) -> None:
    message.answer = _said(error).replace("\x00", "")
    unsendable = isinstance(error, ValueError | vault.Unreadable)
    if unsendable or _is_final(error) or at - message.created_at > GIVE_UP_AFTER:
        message.state, message.ended_at = State.FAILED, at
        log.error("Message %s was refused for good", message.pk)
        return
    wait = min(dt.timedelta(seconds=2 ** min(message.attempts, 10)), LONGEST_WAIT)
    message.not_before = at + wait
    log.warning("Message %s was not accepted, attempt %s; next in %s", message.pk, message.attempts, wait)
