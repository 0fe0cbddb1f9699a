"""Looking at what is confidential: the act is recorded, then the value is handed out (clauses 4.3, 6.1)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, notices, offices, trail, vault
from csp.access import Refused
from csp.events import Act
from csp.models import Address, Customer, Notice, User
from csp.privacy import masking
from csp.roles import Office, Permission
from tickets.conversation import lock
from tickets.models import Attachment, InboundMessage, Ticket


@transaction.atomic
def read_ticket(ticket: Ticket, *, by: User, at: dt.datetime) -> None:
    """Record that somebody who only watches has read a ticket."""
    root = lock(ticket)
    trail.record(Act.TICKET_READ, root.trail_subject, by=by, at=at)


@transaction.atomic
def read_customer(customer: Customer, *, by: User, at: dt.datetime) -> None:
    """Record that somebody who only watches has opened a customer's page."""
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    trail.record(Act.RECORD_READ, f"customer:{customer.pk}", by=by, at=at)


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
    if not any(access.may(by, Permission.SEE_SOURCES, team_id=one.team_id, at=at) for one in (ticket, root)):
        access.check(by, Permission.SEE_SOURCES, team_id=root.team_id, at=at)
    content = masking.source_of(inbound.blob)
    trail.record(Act.SOURCE_READ, root.trail_subject, by=by, at=at, facts={"inbound": inbound.pk})
    return content


@transaction.atomic
def show_address(ticket: Ticket, address: Address, *, by: User, at: dt.datetime) -> str:
    """A customer's address in full. Raises Refused."""
    access.check(by, Permission.SEE_CUSTOMER_NAMES, team_id=ticket.team_id, at=at)
    root = lock(ticket)
    trail.record(
        Act.NAME_SHOWN, root.trail_subject, by=by, at=at, facts={"address": address.pk, "customer": address.customer_id}
    )
    return address.value


@transaction.atomic
def open_identity(ticket: Ticket, *, reason: str, by: User, at: dt.datetime) -> list[tuple[str, str]]:
    """Who the customer is, for an auditor, as (kind, value): name first, then addresses. Raises Refused.

    The reason is recorded and the contract's privacy owner told (clauses 6.1 and 6.3).
    """
    root = lock(ticket)
    access.check(by, Permission.OPEN_MASKED, contract_id=root.contract_id, at=at)
    if len(reason.strip()) < 5:
        raise Refused(_("Say in a few words why you have to know; the privacy owner reads it."))
    customer = root.customer
    if customer is None:
        raise Refused(_("Nobody knows who the customer of this ticket is."))
    trail.record(
        Act.MASKS_OPENED, root.trail_subject, by=by, at=at, facts={"customer": customer.pk},
        personal={"reason": reason.strip()},
    )  # fmt: skip
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.AUDIT,
            key=f"masks:{root.pk}:{by.pk}:{at.timestamp():.0f}",
            to=offices.to_tell(root.contract_id, [Office.PRIVACY_OWNER], at=at),
            subject_ref=root.reference,
            facts={"says": "audit.opened", "who": by.name},
        ),
        at=at,
    )
    shown = [(str(_("Name")), customer.name), (str(_("Organisation")), customer.organisation)]
    rows = Address.objects.filter(customer=customer).order_by("kind", "-is_primary", "pk")
    shown += [(str(row.get_kind_display()), row.value) for row in rows]
    return [(kind, value) for kind, value in shown if value]
