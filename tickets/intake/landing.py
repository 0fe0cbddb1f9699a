"""Landing: the bytes of a message and every known receipt time, written down before anything is understood.

    message = landing.land(raw, door=Door.SMTP, accepted_at=now, at=now)

One committed transaction of its own: a door says "250", or flags the mail on the server, only after this has returned.
Landing the same bytes again returns the first row (`is_new` tells). Where that copy knows another time of receipt, the
time is written down too, and one that shows that we had the message earlier than we knew is flagged on the first row.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction

from csp import mailboxes, trail, vault
from csp.events import Act
from csp.models import Mailbox, TrailEntry
from tickets.intake import reading
from tickets.intake.charsets import storable_line
from tickets.models import InboundMessage

Door = InboundMessage.Door

GAP = dt.timedelta(minutes=5)  # between receipt and landing; more than this is flagged
_SKEW = dt.timedelta(minutes=5)  # how far another machine's clock may be ahead of ours
# Mail waits in queues for days at most: a time this far before the latest of the others is some clock's mistake ...
_FARTHEST = dt.timedelta(days=30)
# ... and so is one this old, whatever the others say: servers that lost the date answer with their first day.
_OLDEST = dt.timedelta(days=366 * 25)
_HEADER = 256 * 1024
EARLIER = "received_earlier"  # the flag of a message of which we had a copy before


class Times(NamedTuple):
    """Every time of receipt that one copy of a message knows."""

    accepted: dt.datetime | None  # when our own door said 250
    internal: dt.datetime | None  # what the IMAP server says
    hop: dt.datetime | None  # topmost Received of a host we trust


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """When we first had it, and how far from that the landing is, where that is worth a flag."""

    received_at: dt.datetime
    gap: dt.timedelta | None


def receipt(known: Sequence[dt.datetime | None], landed_at: dt.datetime) -> Receipt:
    """The earliest credible of the known times; the landing itself only if there is none (CLAUSES, Receipt)."""
    times = [
        min(each, landed_at)
        for each in known
        if each is not None and landed_at - _OLDEST < each <= landed_at + _SKEW
    ]  # fmt: skip
    latest = max(times, default=landed_at)
    received_at = min((each for each in times if each >= latest - _FARTHEST), default=landed_at)
    gap = landed_at - received_at
    return Receipt(received_at, gap if gap > GAP else None)


def hop(raw: bytes, trusted: Sequence[str] | None) -> dt.datetime | None:
    """When a host that we trust had it, by the topmost of its Received lines; of any host where `trusted` is None."""
    head = raw[:_HEADER]
    ends = [end for mark in (b"\r\n\r\n", b"\n\n") if (end := head.find(mark)) >= 0]
    message = reading.read(head[: min(ends)] if ends else head)
    if trusted is None:
        return message.received[0].at if message.received else None
    return message.received_at(trusted) if trusted else None


def land(
    raw: bytes,
    *,
    door: InboundMessage.Door,
    at: dt.datetime,
    mailbox: Mailbox | None = None,
    uid_validity: int | None = None,
    uid: int | None = None,
    envelope_from: str = "",
    envelope_to: str = "",
    accepted_at: dt.datetime | None = None,
    internal_date: dt.datetime | None = None,
    trust_received: bool = False,
    incomplete: str = "",
) -> InboundMessage:
    """Write a message down, in a transaction of its own. Raises DatabaseError: then it is not ours yet.

    `at` is now, by the real clock. With `trust_received` the topmost Received line is believed whoever wrote it.
    `incomplete` says why these are not all of its bytes; such a message is parked.
    """
    digest = hashlib.sha256(raw).digest()
    known = InboundMessage.objects.filter(sha256=digest)
    row = known.first()
    hosts = [*settings.TRUSTED_RELAYS, *([mailbox.host] if mailbox is not None and mailbox.host else [])]
    hop_at = hop(raw, None if trust_received else hosts)
    times = Times(accepted_at, internal_date, hop_at)
    if row is not None:
        return _land_again(row, times, door=door, mailbox=mailbox, at=at)
    first = receipt(times, at)
    try:
        with transaction.atomic(durable=True):
            row = InboundMessage.objects.create(
                door=door,
                mailbox=mailbox,
                uid_validity=uid_validity,
                uid=uid,
                envelope_from=storable_line(envelope_from)[:320],
                envelope_to=storable_line(envelope_to),
                blob=vault.store(raw, at=at),
                sha256=digest,
                size=len(raw),
                landed_at=at,
                accepted_at=accepted_at,
                internal_date=internal_date,
                hop_at=hop_at,
                received_at=first.received_at,
                gap=first.gap,
                next_attempt_at=at,
                reason=incomplete[:300],
                flags=["incomplete"] if incomplete else [],
            )
            if door != Door.FORM:  # a form is no mail: it says nothing about when the mailbox became ours
                mailboxes.mail_came(mailbox, at)
            trail.record(
                Act.MAIL_LANDED,
                row.trail_subject,
                by=f"door:{door}",
                at=at,
                facts={
                    "sha256": digest,
                    "size": len(raw),
                    "received": first.received_at,
                    "accepted": accepted_at,
                    "internal": internal_date,
                    "hop": hop_at,
                    "mailbox": mailbox.pk if mailbox else None,
                },
            )
    except IntegrityError:
        row = known.first()
        if row is not None:  # the same bytes came in by another process in this instant
            return _land_again(row, times, door=door, mailbox=mailbox, at=at)
        if uid is None:
            raise
        # A server that gives one UID to two messages; the bytes decide, and these are new.
        return land(
            raw, door=door, at=at, mailbox=mailbox, envelope_from=envelope_from, envelope_to=envelope_to,
            accepted_at=accepted_at, internal_date=internal_date, trust_received=trust_received, incomplete=incomplete,
        )  # fmt: skip
    row.is_new = True
    return row


@transaction.atomic(durable=True)
def _land_again(
    row: InboundMessage, times: Times, *, door: InboundMessage.Door, mailbox: Mailbox | None, at: dt.datetime
) -> InboundMessage:
    """Write down what a second copy knows and the first did not. The same copy handed over twice says nothing new."""
    if not any(times):
        return row
    row = InboundMessage.objects.select_for_update(no_key=True).get(pk=row.pk)
    copy = {"door": door, "mailbox": mailbox.pk if mailbox else None}
    facts = copy | {name: time for name, time in times._asdict().items() if time is not None}
    told = TrailEntry.objects.filter(subject=row.trail_subject, act__in=[Act.MAIL_LANDED, Act.MAIL_LANDED_AGAIN])
    had = [json.loads(text) for text in told.values_list("facts", flat=True)]
    ours = json.loads(trail.canonical(facts))
    if {row.accepted_at, row.internal_date, row.hop_at}.issuperset(filter(None, times)) or any(
        ours.items() <= one.items() for one in had
    ):
        return row
    first = receipt(times, at).received_at
    flag_earlier(row, first)
    trail.record(Act.MAIL_LANDED_AGAIN, row.trail_subject, by=f"door:{door}", at=at, facts=facts | {"received": first})
    return row


def flag_earlier(row: InboundMessage, received_at: dt.datetime) -> None:
    """Say on a message that we had a copy of it before: its clock stands, a person sees that it began too late."""
    if row.received_at - received_at > GAP and EARLIER not in row.flags:
        row.flags.append(EARLIER)
        row.save(update_fields=["flags"])
