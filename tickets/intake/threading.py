"""Which ticket a message belongs to, and whether its sender has a part in it.

Only a reference that we made counts: our signed reply address among the recipients, or the Message-ID of something we
sent in In-Reply-To or References. A number in a subject opens nothing. And a reference only speaks for a known
participant: an address that the ticket's family was written from or to, or one of its customer. A stranger's message
with a good reference opens a ticket of its own, linked, for a person to join.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from django.conf import settings

from csp.models import Address
from tickets.conversation import Direction, Purpose, family
from tickets.intake import references
from tickets.intake.message import Message
from tickets.models import Delivery, Interaction, Ticket

KEYS = [settings.LINK_KEY]
_MOST = 50  # references of one message that are looked up: the newest
_MOST_NAMED = 10  # reply addresses of one message that are looked up: a person answers one ticket, or a few


@dataclasses.dataclass(frozen=True, slots=True)
class Thread:
    """The ticket that a message refers to, and whether it may speak in it."""

    ticket: Ticket
    is_participant: bool


def find(message: Message, recipients: Iterable[str]) -> Thread | None:
    """The ticket that the message refers to by something only we can have made, or None."""
    sender = message.sender.address.strip().lower()
    believed = not _fails_authentication(message)
    # Anybody can name five hundred addresses that look like ours, each of which would be looked up.
    named = dict.fromkeys(filter(None, map(references.read_reply_address, recipients)))
    for reference in list(named)[:_MOST_NAMED]:
        ticket = Ticket.objects.filter(pk=reference.ticket).first()
        if ticket is None:
            continue
        if reference.is_for(sender, KEYS):
            return Thread(root(ticket), is_participant=believed)
        if any(reference.is_for(each, KEYS) for each in participants(ticket)):
            return Thread(root(ticket), is_participant=False)
    found = _answered(message)
    if found is None:
        return None
    return Thread(root(found), is_participant=believed and sender in participants(found))


def _answered(message: Message) -> Ticket | None:
    """The ticket of the newest message of ours that this one refers to."""
    ids = list(dict.fromkeys([*message.in_reply_to, *reversed(message.references)]))[:_MOST]
    wanted = {f"<{each.strip().lower()}>": place for place, each in reversed(list(enumerate(ids)))}
    if not wanted:
        return None
    rows = Delivery.objects.filter(message__message_id__in=wanted).select_related("interaction__ticket", "message")
    # One mail may speak for several tickets (a collected acknowledgement): the last of them, which can be merged.
    best = min(rows, key=lambda row: (wanted[row.message.message_id], -row.interaction.ticket_id), default=None)
    return best.interaction.ticket if best else None


def root(ticket: Ticket) -> Ticket:
    """The ticket that speaks for this one."""
    while ticket.merged_into is not None:
        ticket = ticket.merged_into
    return ticket


def participants(ticket: Ticket) -> set[str]:
    """Every address that the ticket's family was written from or to, and those of its customers; lower case."""
    numbers = family(root(ticket))
    said = Interaction.objects.filter(ticket__in=numbers)
    found = set(
        said.filter(direction=Direction.IN).exclude(purpose=Purpose.AUTOMATIC).values_list("sender_address", flat=True)
    )
    for to, cc in said.filter(direction=Direction.OUT).values_list("to", "cc"):
        found.update(to, cc)
    found.update(
        Address.objects.filter(kind=Address.Kind.MAIL, customer__tickets__in=numbers).values_list("value", flat=True)
    )
    return {address.strip().lower() for address in found if "@" in address}


def reply_to(ticket: Ticket, address: str) -> str:
    """Where this participant's answer finds the ticket without any header; empty where the mailbox takes no tags."""
    mailbox = ticket.mailbox
    if mailbox is None or not mailbox.takes_tags:
        return ""
    try:
        return references.reply_address(mailbox.address, ticket=ticket.pk, address=address, keys=KEYS)
    except ValueError:  # a mailbox whose name is too long to carry a tag; the Message-ID threads as well
        return ""


def _fails_authentication(message: Message) -> bool:
    """Whether a server that we trust found that the sender is not who the message says."""
    trusted = {name.lower() for name in settings.TRUSTED_CHECKERS}
    checked = next((each.results for each in message.authentication if each.checked_by in trusted), {})
    return checked.get("dmarc") == "fail"
