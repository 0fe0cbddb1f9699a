"""Fetching mailboxes by IMAP: by UID, landed and committed first, flagged as seen only then, never expunged.

The cursor of a mailbox is its UIDVALIDITY and the last UID below which everything has landed. When the server changes
UIDVALIDITY everything is looked at again; what landed before is known by its bytes. A message that cannot be fetched
holds back the cursor, not the others.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import imaplib
import logging
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from django.conf import settings
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _
from imap_tools import (
    BaseMailBox,
    ImapToolsError,
    MailBox,
    MailboxFolderSelectError,
    MailboxLoginError,
    MailBoxStartTls,
    MailBoxUnencrypted,
    MailMessageFlags,
)

from csp import clock, oauth, vault
from csp.models import Mailbox
from tickets.intake import landing
from tickets.models import InboundMessage

log = logging.getLogger(__name__)

TIMEOUT = 20.0
_LOCK = 0x1AB0  # the class of our advisory locks on mailboxes
_BATCH = 500  # messages that one call looks at; the cursor keeps what is done
_WHOLE = 4 * 35 * 1024 * 1024  # bytes of a message beyond which only its header is fetched, and it is parked
_QUOTED = re.compile(rb'BODY\[[A-Z]*\] "((?:[^"\\]|\\.)*)"')
_INTERNAL_DATE = re.compile(rb'INTERNALDATE "([^"]{10,40})"')
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")

Trouble = (OSError, imaplib.IMAP4.error, ImapToolsError, vault.Unreadable, oauth.NotRenewed, ValueError)


def fetch_mailboxes(at: dt.datetime) -> int:
    """Fetch every active mailbox that is fetched. Returns how many new messages landed; never raises."""
    landed = 0
    for mailbox in Mailbox.objects.filter(is_active=True).exclude(fetch=Mailbox.Fetch.NONE).order_by("pk"):
        try:
            landed += fetch(mailbox, at)
        except Exception:  # one mailbox never stops the others
            log.exception("Mailbox %s could not be fetched", mailbox.pk)
    return landed


def fetch(mailbox: Mailbox, at: dt.datetime) -> int:
    """Land what is new in one mailbox, unless somebody else is at it. Returns how many new messages landed."""
    with _alone(mailbox) as is_mine:
        if not is_mine:
            return 0
        mailbox.refresh_from_db()
        try:
            landed, left_out = _fetch(mailbox, at)
        except DatabaseError:
            raise
        except Trouble as error:
            Mailbox.objects.filter(pk=mailbox.pk).update(fetch_error=explain(error, mailbox)[:500])
            log.warning("Mailbox %s could not be fetched: %s", mailbox.pk, type(error).__name__)
            return 0
        Mailbox.objects.filter(pk=mailbox.pk).update(fetched_at=at, fetch_error="; ".join(left_out)[:500])
        return landed


@contextlib.contextmanager
def _alone(mailbox: Mailbox) -> Iterator[bool]:
    """One fetcher for each mailbox at a time. The lock ends with the connection, so a killed fetcher frees it."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s, %s)", [_LOCK, mailbox.pk])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(%s, %s)", [_LOCK, mailbox.pk])


def _fetch(mailbox: Mailbox, at: dt.datetime) -> tuple[int, list[str]]:
    with signed_in(mailbox) as box:
        client = box.client
        validity = _uid_validity(client)
        if validity != mailbox.uid_validity:
            mailbox.uid_validity, mailbox.last_uid = validity, 0
            mailbox.save(update_fields=["uid_validity", "last_uid"])
        uids = sorted(
            int(uid) for uid in box.uids(f"UID {mailbox.last_uid + 1}:*", charset=None) if int(uid) > mailbox.last_uid
        )
        here = InboundMessage.objects.filter(mailbox=mailbox, uid_validity=validity, uid__gt=mailbox.last_uid)
        known = set(here.values_list("uid", flat=True))
        # One that the server never gives holds the cursor, but must not hold up those behind it.
        fresh = [uid for uid in uids if uid not in known]
        landed, left_out = 0, []
        for uid in fresh[:_BATCH]:
            try:
                landed += _land_one(box, mailbox, validity, uid, at)
            except _NotFetched as error:
                left_out.append(str(error))
            if not left_out:
                Mailbox.objects.filter(pk=mailbox.pk).update(last_uid=uid)
        if uids and not left_out and len(fresh) <= _BATCH:
            Mailbox.objects.filter(pk=mailbox.pk).update(last_uid=uids[-1])
        return landed, left_out


class _NotFetched(Exception):
    """The server would not give one message; the others go on, and this one is tried again."""


def _land_one(box: BaseMailBox, mailbox: Mailbox, validity: int, uid: int, at: dt.datetime) -> int:
    """Land one message, commit, and only then flag it as seen."""
    client = box.client
    try:
        about = _fetch_data(client, uid, "(RFC822.SIZE INTERNALDATE)")
        if about is None:
            return 0  # somebody removed it between the search and now
        size = int(found.group(1)) if (found := _SIZE.search(about[0])) else 0
        part = "BODY.PEEK[]" if size <= _WHOLE else "BODY.PEEK[HEADER]"
        content = _fetch_data(client, uid, f"({part})")
        if content is None:
            return 0
    except imaplib.IMAP4.abort:
        raise  # the connection is gone; next time
    except (imaplib.IMAP4.error, ImapToolsError, ValueError) as error:
        log.warning("Message %s of mailbox %s could not be fetched", uid, mailbox.pk)
        raise _NotFetched(
            _("The server does not give message %(uid)s (%(why)s); it is tried again.")
            % {"uid": uid, "why": str(error)[:80]}
        ) from error
    row = landing.land(
        _quoted(content[0]) if content[1] is None else content[1],
        door=InboundMessage.Door.IMAP,
        mailbox=mailbox,
        uid_validity=validity,
        uid=uid,
        internal_date=_moment(about[0]),
        at=at,
        incomplete=_("It has %(size)s bytes; only its header was fetched.") % {"size": size} if size > _WHOLE else "",
    )
    try:
        box.flag(str(uid), MailMessageFlags.SEEN, value=True)
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, ImapToolsError):
        log.info("Mailbox %s cannot be written to; nothing is flagged there", mailbox.pk)
    return int(row.is_new)


def _fetch_data(client: imaplib.IMAP4, uid: int, what: str) -> tuple[bytes, bytes | None] | None:
    """The answer to one FETCH: its words, and the literal if there is one."""
    status, data = client.uid("FETCH", str(uid), what)
    if status != "OK":
        raise imaplib.IMAP4.error(f"{status} {data!r}"[:200])
    said, literal = b"", None
    for item in data:
        if isinstance(item, tuple):
            said += item[0]
            literal = item[1] if literal is None else literal
        elif isinstance(item, bytes):
            said += item
    return (said, literal) if said else None


def _quoted(said: bytes) -> bytes:
    """The text of a message that a server sent as a quoted string, or not at all: short and empty ones (RFC 3501)."""
    found = _QUOTED.search(said)
    return re.sub(rb"\\(.)", rb"\1", found.group(1)) if found else b""


def _moment(said: bytes) -> dt.datetime | None:
    """INTERNALDATE, such as "17-Jul-1996 02:44:25 -0700"."""
    found = _INTERNAL_DATE.search(said)
    if found is None:
        return None
    try:
        moment = parsedate_to_datetime(found.group(1).decode("ascii").strip().replace("-", " ", 2))
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _uid_validity(client: imaplib.IMAP4) -> int:
    _status, data = client.response("UIDVALIDITY")
    if data and data[0]:
        return int(data[0])
    raise ValueError("The server tells no UIDVALIDITY; it cannot be fetched from safely.")


@contextlib.contextmanager
def signed_in(mailbox: Mailbox) -> Iterator[BaseMailBox]:
    """A connection to the mailbox with its folder open. Certificates are checked; there is no way around it."""
    box: BaseMailBox
    if not f"{mailbox.username}{mailbox.folder}".isprintable():  # it would be read as a command of its own
        raise ValueError(_("User name or folder holds control characters. Enter them again."))
    with contextlib.ExitStack() as stack:
        if mailbox.fetch == Mailbox.Fetch.RENEWED:
            try:
                box = stack.enter_context(_connected(mailbox, oauth.access_token(mailbox, clock.now())))
            except imaplib.IMAP4.abort:
                raise
            except (imaplib.IMAP4.error, MailboxLoginError):  # taken back before its time; a fresh one may open still
                box = stack.enter_context(_connected(mailbox, oauth.access_token(mailbox, clock.now(), anew=True)))
        else:
            secret = vault.open_secret(bytes(mailbox.sealed_secret)) if mailbox.sealed_secret else ""
            box = stack.enter_context(_connected(mailbox, secret))
        yield box


@contextlib.contextmanager
def _connected(mailbox: Mailbox, secret: str) -> Iterator[BaseMailBox]:
    box: BaseMailBox
    security = Mailbox.Security
    if mailbox.security == security.TLS:
        box = MailBox(mailbox.host, mailbox.port or 993, timeout=TIMEOUT, ssl_context=ssl.create_default_context())
    elif mailbox.security == security.STARTTLS:
        box = MailBoxStartTls(
            mailbox.host, mailbox.port or 143, timeout=TIMEOUT, ssl_context=ssl.create_default_context()
        )  # fmt: skip
    else:
        box = MailBoxUnencrypted(mailbox.host, mailbox.port or 143, timeout=TIMEOUT)
    try:
        if mailbox.fetch == Mailbox.Fetch.PASSWORD:
            box.login(mailbox.username, secret, initial_folder=mailbox.folder)
        else:
            box.xoauth2(mailbox.username, secret, initial_folder=mailbox.folder)
        yield box
    finally:
        with contextlib.suppress(Exception):  # it is over; a server that hangs up rudely changes nothing
            box.logout()
        with contextlib.suppress(Exception):
            box.client.shutdown()


# ---------------------------------------------------------------- trying it


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying a connection: whether it works, and a sentence that says how to mend it if not."""

    works: bool
    sentence: str


def test_connection(mailbox: Mailbox) -> tuple[Trial, Trial]:
    """Try fetching and sending for the settings page: (receiving, sending). Nothing is read, flagged or sent."""
    return _try_receiving(mailbox), _try_sending(mailbox)


def _try_receiving(mailbox: Mailbox) -> Trial:
    if mailbox.fetch == Mailbox.Fetch.NONE:
        where = f"{settings.MAIL_DOOR_HOST}:{settings.MAIL_DOOR_PORT}"
        return Trial(True, _("Nothing is fetched. Deliver mail for this address to our mail door at %s.") % where)
    try:
        with signed_in(mailbox) as box:
            count = len(box.uids("ALL", charset=None))
            _uid_validity(box.client)
    except Trouble as error:
        return Trial(False, explain(error, mailbox))
    return Trial(
        True,
        _("Signed in. The folder %(folder)s holds %(count)s messages.") % {"folder": mailbox.folder, "count": count},
    )


def _try_sending(mailbox: Mailbox) -> Trial:
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    backend = get_connection(timeout=TIMEOUT)
    try:
        backend.open()
        server = getattr(backend, "connection", None)
        if isinstance(server, smtplib.SMTP):
            server.ehlo_or_helo_if_needed()
            code, words = server.mail(mailbox.address)
            server.rset()
            if code >= 400:
                said = words.decode("utf-8", "replace")[:200]
                return Trial(
                    False,
                    _("The mail server refuses %(address)s as sender: %(said)s. Let it send for this address.")
                    % {"address": mailbox.address, "said": f"{code} {said}"},
                )
    except smtplib.SMTPAuthenticationError:
        return Trial(
            False, _("The mail server refused our password. Check EMAIL_HOST_USER and EMAIL_HOST_PASSWORD.")
        )  # fmt: skip
    except (OSError, smtplib.SMTPException) as error:
        return Trial(
            False,
            _("The mail server %(where)s cannot be used (%(why)s). Check EMAIL_HOST and EMAIL_PORT.")
            % {"where": where, "why": str(error)[:200] or type(error).__name__},
        )
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            backend.close()
    return Trial(True, _("The mail server %(where)s takes mail from this address.") % {"where": where})


def explain(error: Exception, mailbox: Mailbox) -> str:
    """What went wrong, in a sentence that says how to mend it."""
    server = f"{mailbox.host}:{mailbox.port or (993 if mailbox.security == Mailbox.Security.TLS else 143)}"
    said = str(error)[:200]
    if isinstance(error, ssl.SSLCertVerificationError):
        return _("The certificate of %(server)s is not valid: %(said)s. Mend it there; it is never ignored.") % {
            "server": server, "said": error.verify_message,
        }  # fmt: skip
    if isinstance(error, ssl.SSLError):
        return _("%(server)s does not speak TLS there. Choose another encryption or port.") % {"server": server}
    if isinstance(error, socket.gaierror):
        return _("There is no server named %(server)s. Check its name.") % {"server": mailbox.host}
    if isinstance(error, TimeoutError):
        return _("%(server)s does not answer. Check the port, and whether a firewall is in between.") % {
            "server": server
        }
    if isinstance(error, ConnectionRefusedError):
        return _("Nothing listens at %(server)s. Check name and port.") % {"server": server}
    if isinstance(error, oauth.NotRenewed):
        return str(error)
    if isinstance(error, vault.Unreadable):
        return _("The stored password cannot be opened with this master key. Enter it again.")
    if isinstance(error, MailboxLoginError) or "AUTHENTICATIONFAILED" in said.upper():
        return _("%(server)s refused user name or password. Enter them again; a token may have expired.") % {
            "server": server
        }
    if isinstance(error, MailboxFolderSelectError):
        return _("There is no folder %(folder)s there. Check its name.") % {"folder": mailbox.folder}
    return _("%(server)s: %(said)s") % {"server": server, "said": said or type(error).__name__}
