"""Looking at what is confidential: the act is recorded, then the value is handed out (clauses 4.3, 6.1)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from csp import access, trail, vault
from csp.events import Act
from csp.models import Address, User
from csp.roles import Permission
from tickets.conversation import lock
from tickets.models import Attachment, InboundMessage, Ticket


@transaction.atomic
def read_ticket(ticket: Ticket, *, by: User, at: dt.datetime) -> None:
    """Record that somebody who only watches has read a ticket."""
    root = lock(ticket)
    trail.record(Act.TICKET_READ, root.trail_subject, by=by, at=at)


@transaction.atomic
def open_attachment(attachment: Attachment, *, by: User, at: dt.datetime) -> bytes:
    """The bytes of a file. Raises vault.Unreadable."""
    root = lock(attachment.interaction.ticket)
    content = vault.read(attachment.blob)
    trail.record(Act.ATTACHMENT_READ, root.trail_subject, by=by, at=at, facts={"attachment": attachment.pk})
    return content


@transaction.atomic
def open_source(ticket: Ticket, inbound: InboundMessage, *, by: User, at: dt.datetime) -> bytes:
    """The bytes of a message as it arrived. Raises Refused, vault.Unreadable."""
    root = lock(ticket)
    if not any(access.may(by, Permission.SEE_SOURCES, team_id=one.team_id) for one in (ticket, root)):
        access.check(by, Permission.SEE_SOURCES, team_id=root.team_id)
    content = vault.read(inbound.blob)
    trail.record(Act.SOURCE_READ, root.trail_subject, by=by, at=at, facts={"inbound": inbound.pk})
    return content


@transaction.atomic
def show_address(ticket: Ticket, address: Address, *, by: User, at: dt.datetime) -> str:
    """A customer's address in full. Raises Refused."""
    access.check(by, Permission.SEE_CUSTOMER_NAMES, team_id=ticket.team_id)
    root = lock(ticket)
    trail.record(
        Act.NAME_SHOWN, root.trail_subject, by=by, at=at, facts={"address": address.pk, "customer": address.customer_id}
    )
    return address.value
