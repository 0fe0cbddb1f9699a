"""Everything that leaves the building waits here, in the transaction that wants it sent.

Delivery promise: at least once, with one stable Message-ID. The sender holds the row's lock while it talks to the
server, so a killed sender frees the row at once. Between the server's 250 and our commit a kill may send one copy more;
both carry the same Message-ID. A message counts as sent when the first server outside our control has accepted it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import logging
import re
import smtplib
import time
from collections.abc import Iterable, Mapping, Sequence
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.encoding import punycode

from csp import vault
from csp.models import Blob, Mailbox, OutboundAttachment, OutboundMessage

log = logging.getLogger(__name__)

Kind = OutboundMessage.Kind
State = OutboundMessage.State

# A message that the server keeps putting off is given up when it is this old and was tried this often: an outage of our
# own, after which the first attempt finds it a day old, is no reason.
GIVE_UP_AFTER = dt.timedelta(hours=24)
ATTEMPTS_AT_LEAST = 10
LONGEST_WAIT = dt.timedelta(minutes=15)

# Seven bits only, so that no server on the way has to be asked whether it takes eight.
_ON_THE_WIRE = SMTP_POLICY.clone(cte_type="7bit")


# Where the customers of exercises live: no mail is ever sent there, nor about them.
PRACTICE_DOMAIN = "practice.invalid"


class StaysInside(ValueError):
    """Mail for an exercise was posted, and refused: nothing of one leaves the house (clause 5.2)."""


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


def _return_path(mailbox: Mailbox, dedupe_key: str) -> str:
    """Where a report about the message goes: an address that servers on its way are told and nobody else can guess."""
    local, _at, domain = mailbox.address.rpartition("@")
    token = hashlib.blake2b(dedupe_key.encode(), key=settings.LINK_KEY[:64], digest_size=10, person=b"return path")
    tagged = f"{local}+b.{token.hexdigest()}"
    return f"{tagged}@{domain}" if mailbox.takes_tags and len(tagged) <= 64 else mailbox.address


def has_own_return_path(message: OutboundMessage) -> bool:
    """Whether reports about it can come to an address that is its own."""
    return _OWN_RETURN_PATH.search(message.envelope_from) is not None


_OWN_RETURN_PATH = re.compile(r"\+b\.[0-9a-f]{20}@[^@]+$")


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
    is_new: bool = False,
) -> OutboundMessage:
    """Put a message in the outbox; posting the same `dedupe_key` again returns the first one.

    `attachments` are (name, content type, blob). Raises BadHeader for control characters in anything that becomes a
    header. It is sent as soon as can be, or not before an instant of the real clock. `is_new` says that nobody can have
    posted this key before.
    """
    if any(address.lower().endswith(f"@{PRACTICE_DOMAIN}") for address in [*to, *cc]):
        raise StaysInside("This is an exercise; no mail leaves the house for it.")
    if mailbox is not None:
        sender = sender_of(mailbox)
    else:
        sender, mailbox = default_sender()
    all_headers = {name: _clean(value) for name, value in (headers or {}).items()}
    if reply_to:
        all_headers["Reply-To"] = _clean(reply_to)
    fresh = OutboundMessage(
        dedupe_key=dedupe_key,
        kind=kind,
        mailbox=mailbox,
        sender=sender,
        envelope_from=_return_path(mailbox, dedupe_key) if mailbox else settings.DEFAULT_FROM_EMAIL,
        to=[_clean(address) for address in to],
        cc=[_clean(address) for address in cc],
        subject=_clean(" ".join(subject.split())),
        body=body,
        html=html,
        headers=all_headers,
        message_id=message_id(dedupe_key),
        created_at=at,
        not_before=not_before,
    )
    try:
        with contextlib.nullcontext() if is_new else transaction.atomic():
            fresh.save(force_insert=True)
    except IntegrityError:
        return OutboundMessage.objects.get(dedupe_key=dedupe_key)
    OutboundAttachment.objects.bulk_create(
        OutboundAttachment(message=fresh, name=name, content_type=content_type, blob=blob)
        for name, content_type, blob in attachments
    )
    return fresh


def render(message: OutboundMessage, *, utf8: bool = False) -> EmailMessage:
    """The message as it goes over the wire; the same at each attempt. `utf8`: addresses outside ASCII as they are."""
    mail = EmailMessage(policy=_ON_THE_WIRE.clone(utf8=utf8))
    mail["From"] = message.sender
    mail["To"] = ", ".join(message.to)
    if message.cc:
        mail["Cc"] = ", ".join(message.cc)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.created_at)
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


# In the place of a server's answer (RFC 6531 has the code). A page shows its first 120 characters.
_CANNOT_BE_SAID = "5.6.7 Our mail server cannot write letters outside ASCII (SMTPUTF8). Reach this person another way."


def _on_the_wire(address: str) -> str:
    """The address as every server takes it, if it can be so written: the domain can, the part before the @ cannot."""
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{punycode(domain)}"
    except UnicodeError:
        return address


class Unreachable(Exception):
    """The server could not be talked to at all: nothing is wrong with the message, and the next would fare the same."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What the server said when it took a message, and of each address that does not get it what it said of that."""

    words: str
    lost: dict[str, str]


class Courier:
    """One connection to the mail server, kept over a batch and opened again when it was lost."""

    def __init__(self) -> None:
        self._backend = EmailBackend(timeout=10)

    def hand_over(self, message: OutboundMessage, content: bytes, *, patient: bool = True) -> Answer:
        """Offer a message to the server; returns what it said when it took it, and who does not get it.

        Raises Unreachable, or smtplib.SMTPException or OSError where the server or the line failed on this message, or
        it takes none of the addresses in To. While `patient` nobody is sent a copy before everybody in To can be who is
        only put off for now, so that the next attempt doubles none.
        """
        server = self._open()
        server.ehlo_or_helo_if_needed()
        wire = {address: _on_the_wire(address) for address in [message.envelope_from, *message.to, *message.cc]}
        takes_all = server.has_extn("smtputf8")
        options: list[str] = []
        if takes_all and not all(map(str.isascii, wire.values())):
            content = render(message, utf8=True).as_bytes()
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        options += [f"size={len(content)}"] if server.has_extn("size") else []
        code, words = server.mail(wire[message.envelope_from], options)
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, words, message.envelope_from)
        refused: dict[str, tuple[int, bytes]] = {}
        for address in dict.fromkeys([*message.to, *message.cc]):
            if wire[address].isascii() or takes_all:
                code, words = server.rcpt(wire[address])
            else:
                code, words = 553, _CANNOT_BE_SAID.encode()
            if code not in (250, 251):
                refused[address] = (code, words)
        lost = {address: refused[address] for address in message.to if address in refused}
        put_off = any(code < 500 for code, _words in lost.values())
        if len(lost) == len(set(message.to)) or (put_off and patient):
            raise smtplib.SMTPRecipientsRefused(lost)
        code, words = server.data(content)
        if code != 250:
            raise smtplib.SMTPDataError(code, words)
        said = {address: f"{code} {_text(words)}"[:200] for address, (code, words) in refused.items()}
        return Answer(f"250 accepted; {len(said)} refused" if said else "250 accepted", said)

    def _open(self) -> smtplib.SMTP:
        try:
            self._backend.open()
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        server: smtplib.SMTP = self._backend.connection  # type: ignore[assignment]  # open() just made it
        return server

    def close(self) -> None:
        try:
            self._backend.close()
        except (smtplib.SMTPException, OSError):
            log.info("The mail server had closed the connection already")


# Answers to MAIL FROM that are about the message itself; all others are about us, and for an operator to mend.
_TOO_LARGE = {552, 523}


def _is_final(error: Exception) -> bool:
    """Whether the server refused this message for good (5yz); 4yz and broken connections are worth another attempt."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _words in error.recipients.values())
    if isinstance(error, smtplib.SMTPSenderRefused):
        return error.smtp_code in _TOO_LARGE
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        words = "; ".join(f"{code} {_text(words)}" for code, words in error.recipients.values())
    elif isinstance(error, smtplib.SMTPResponseException):
        words = f"{error.smtp_code} {_text(error.smtp_error)}"
    else:
        words = str(error) if isinstance(error, Unreachable) else f"{type(error).__name__}: {error}"
    return words.replace("\x00", "")[:500]


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words


def deliver(at: dt.datetime, *, limit: int = 200) -> int:
    """Offer what is due to the mail server, oldest first. Returns how many it judged. `at` is the real time.

    A server that cannot be reached ends the batch: the message at hand is put off, the others wait untouched.
    """
    begun = time.monotonic()
    courier = Courier()
    judged = 0
    try:
        # Servers may be slow: each message is accepted when it is accepted, not when the batch began.
        while judged < limit and _deliver_one(courier, at, begun):
            judged += 1
    finally:
        courier.close()
    return judged


def _present(at: dt.datetime, begun: float) -> dt.datetime:
    return at + dt.timedelta(seconds=time.monotonic() - begun)


@transaction.atomic(durable=True)
def _deliver_one(courier: Courier, at: dt.datetime, begun: float) -> bool:
    """Claim the oldest due message and keep its lock until its fate is written down.

    Returns whether to go on: False where nothing is due, or the server cannot be reached.
    """
    due = Q(not_before__isnull=True) | Q(not_before__lte=_present(at, begun))
    message = (
        OutboundMessage.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(due, state=State.QUEUED)
        .order_by(F("not_before").asc(nulls_first=True), "pk")
        .first()
    )
    if message is None:
        return False
    message.attempts += 1
    reached = True
    try:
        content = render(message).as_bytes()
    except Exception as error:  # whatever it is, it lies in this row alone: the others must go out
        _fail(message, _said(error), _present(at, begun))
        log.exception("Message %s cannot be written", message.pk)
    else:
        try:
            patient = _present(at, begun) - message.created_at < LONGEST_WAIT
            answer = courier.hand_over(message, content, patient=patient)
        except Exception as error:
            reached = not isinstance(error, Unreachable)
            _refused(message, error, _present(at, begun))
            courier.close()  # nothing of this message may cling to the next
        else:
            message.answer, message.lost = answer.words, answer.lost
            message.state, message.accepted_at = State.ACCEPTED, _present(at, begun)
            message.ended_at = message.accepted_at
    message.save(update_fields=["attempts", "answer", "lost", "state", "accepted_at", "ended_at", "not_before"])
    return reached


def _refused(message: OutboundMessage, error: Exception, at: dt.datetime) -> None:
    """Give the message up, or put it off for twice as long as the last time."""
    if isinstance(error, ValueError):  # what cannot be said to a server
        _fail(message, _said(error), at)
        return
    worn_out = at - message.created_at > GIVE_UP_AFTER and message.attempts >= ATTEMPTS_AT_LEAST
    if worn_out or _is_final(error):
        _fail(message, _said(error), at)
        return
    message.answer = _said(error)
    wait = min(dt.timedelta(seconds=2 ** min(message.attempts, 10)), LONGEST_WAIT)
    message.not_before = at + wait
    log.warning("Message %s was not accepted, attempt %s; next in %s", message.pk, message.attempts, wait)


def _fail(message: OutboundMessage, reason: str, at: dt.datetime) -> None:
    message.state, message.ended_at, message.answer = State.FAILED, at, reason
    log.error("Message %s was given up", message.pk)
