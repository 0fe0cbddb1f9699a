"""One matter and all that was said in it: finding, locking, writing; what the verbs of the desk are made of.

A ticket that others were merged into speaks for its *family*: itself and every ticket merged into it, with all their
interactions and deadlines.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Sequence

from django.db import connection, models
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from csp import deadlines, vault
from csp.models import Address, Blob, Customer, Deadline, User
from tickets.models import Attachment, InboundMessage, Interaction, Ticket

Kind, Direction, Purpose = Interaction.Kind, Interaction.Direction, Interaction.Purpose

# Deadlines that a customer's unanswered message runs under.
ANSWERING = ("respond", "follow_up")
# Of those due at the same instant, the one a person is shown: what also does the others comes first.
_PRECEDENCE = {"escalate": 0, "respond": 1, "follow_up": 1, "acknowledge": 2}


@dataclasses.dataclass(slots=True)
class File:
    """A file that comes or goes with an interaction; content as bytes, or a blob already stored."""

    name: str
    content_type: str
    content: bytes | Blob
    declared_type: str = ""
    content_id: str = ""


@dataclasses.dataclass(slots=True)
class Said:
    """One thing said, before it is an interaction."""

    kind: Interaction.Kind
    direction: Interaction.Direction
    body: str
    occurred_at: dt.datetime
    purpose: Interaction.Purpose = Purpose.NONE
    author: User | None = None
    customer: Customer | None = None
    sender_name: str = ""
    sender_address: str = ""
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    subject: str = ""
    html: str = ""
    message_id: str = ""
    duration: dt.timedelta | None = None
    seen_through: int = 0
    inbound: InboundMessage | None = None
    files: Sequence[File] = ()


# Up the merges from one ticket to the one that speaks for it.
_ROOT = """with recursive up (id, merged_into_id) as (
  select id, merged_into_id from tickets_ticket where id = %s
  union all select t.id, t.merged_into_id from tickets_ticket t join up on t.id = up.merged_into_id
) select id from up where merged_into_id is null"""


def lock(ticket: Ticket, *, if_free: bool = False) -> Ticket:
    """The ticket that speaks for this one (the root of its merges), locked until the transaction ends.

    Only roots are ever locked, by all verbs, and where one verb needs two it takes them by number: nobody waits in a
    circle. With `if_free` it does not wait, and raises Ticket.DoesNotExist where somebody else holds the lock.
    """
    rows = Ticket.objects.select_related("contract", "team", "assignee", "customer", "mailbox").select_for_update(
        of=("self",), no_key=True, skip_locked=if_free
    )
    while True:
        root = rows.get(pk=RawSQL(_ROOT, [ticket.pk]))  # noqa: S611  # nosec B611  the number is a parameter
        # While we waited for the lock the ticket may have been merged further, or a merge been undone.
        if root.merged_into_id is None and (root.pk == ticket.pk or root.pk == root_number(ticket.pk)):
            return root


def root_number(number: int) -> int:
    """The number of the ticket that speaks for this one at the moment."""
    with connection.cursor() as cursor:
        cursor.execute(_ROOT, [number])
        return int(cursor.fetchone()[0])


def family(ticket: Ticket) -> list[int]:
    """The numbers of this ticket and of every ticket merged into it, at any depth."""
    return _merged_into(ticket.pk, Ticket.objects.all())


def addressed(row: Interaction) -> list[int]:
    """The tickets that an outgoing interaction speaks to: its own, and those that were merged into it by then.

    Its author had their messages on screen. What was merged while the mail was under way was not among it.
    """
    return _merged_into(row.ticket_id, Ticket.objects.filter(merged_at__lte=row.recorded_at))


def _merged_into(number: int, merged: QuerySet[Ticket]) -> list[int]:
    numbers, fresh = [number], [number]
    while fresh:
        fresh = list(merged.filter(merged_into__in=fresh).values_list("pk", flat=True))
        numbers += fresh
    return numbers


def subject_of(ticket: Ticket) -> deadlines.Subject:
    return deadlines.Subject(
        ref=ticket.reference,
        path=ticket.path,
        contract=ticket.contract,
        team=ticket.team,
        responsible=ticket.assignee,
        context=ticket.trail_subject,
    )


def obligations(ticket: Ticket, numbers: Sequence[int] | None = None) -> list[Deadline]:
    """Every deadline of the family, oldest start first. `numbers` is the family, where it is known already."""
    refs = [f"#{number}" for number in numbers or family(ticket)]
    return list(Deadline.objects.filter(subject_ref__in=refs, path__startswith="/tickets/").order_by("starts_at", "pk"))


def running(ticket: Ticket, *codes: str, numbers: Sequence[int] | None = None) -> list[Deadline]:
    """The family's deadlines that are neither met nor void, of these obligations where named."""
    return [row for row in obligations(ticket, numbers) if row.is_running and (not codes or row.obligation in codes)]


def conversation(ticket: Ticket) -> list[Interaction]:
    """Every interaction of the family in the order in which they happened."""
    return list(
        Interaction.objects.filter(ticket__in=family(ticket))
        .select_related("author", "customer", "delivery__message", "follow_up")
        .prefetch_related("attachments")
        .order_by("occurred_at", "pk")
    )


def inbound(ticket: Ticket, numbers: Sequence[int] | None = None) -> list[Interaction]:
    """What the customer said and may expect an answer to, oldest first; automatic replies are not among it."""
    return list(
        Interaction.objects.filter(ticket__in=numbers or family(ticket), direction=Direction.IN)
        .exclude(purpose=Purpose.AUTOMATIC)
        .order_by("pk")
    )


def write(ticket: Ticket, said: Said, *, at: dt.datetime, follow_up: Deadline | None = None) -> Interaction:
    """Store what was said, with its files. The caller holds the ticket's lock."""
    row = Interaction.objects.create(
        ticket=ticket,
        kind=said.kind,
        direction=said.direction,
        purpose=said.purpose,
        author=said.author,
        customer=said.customer,
        sender_name=said.sender_name[:300],
        sender_address=said.sender_address[:320],
        to=list(said.to),
        cc=list(said.cc),
        subject=said.subject[:998],
        body=said.body,
        html=said.html,
        message_id=said.message_id[:998],
        occurred_at=said.occurred_at,
        recorded_at=at,
        duration=said.duration,
        seen_through=said.seen_through,
        inbound=said.inbound,
        follow_up=follow_up,
    )
    attachments = []
    for file in said.files:
        blob = file.content if isinstance(file.content, Blob) else vault.store(file.content, at=at)
        attachments.append(
            Attachment(
                interaction=row,
                blob=blob,
                name=file.name[:255],
                content_type=file.content_type[:120],
                declared_type=file.declared_type[:120],
                content_id=file.content_id[:255],
                size=blob.size,
            )
        )
    Attachment.objects.bulk_create(attachments)
    return row


def evidence(row: Interaction, said: Said) -> list[models.Model]:
    """What the trail vouches for when this was written: the interaction and each of its files."""
    return [row, *(row.attachments.all() if said.files else ())]


def derive(ticket: Ticket, *, rows: Collection[Deadline] | None = None) -> None:
    """Bring the ticket's next obligation in line with its running deadlines; in the transaction that changed them.

    A merged ticket has none of its own: its root carries them.
    """
    waiting = [row for row in (obligations(ticket) if rows is None else rows) if row.is_running]
    first = min(waiting, key=lambda row: (row.due_at, _PRECEDENCE.get(row.obligation, 9)), default=None)
    ticket.next_obligation = first.obligation if first else ""
    ticket.next_clause = first.clause if first else ""
    ticket.next_starts_at = first.starts_at if first else None
    ticket.next_due_at = first.due_at if first else None
    Ticket.objects.filter(pk=ticket.pk).update(
        next_obligation=ticket.next_obligation,
        next_clause=ticket.next_clause,
        next_starts_at=ticket.next_starts_at,
        next_due_at=ticket.next_due_at,
    )


def excerpt_of(text: str) -> str:
    return " ".join(text.split())[:200]


def visible_number(user: User, query: str) -> Ticket | None:
    """The ticket that "#4790" or "4790" names, where this person may see it."""
    digits = query.strip().removeprefix("#")
    if not digits.isdecimal() or len(digits) > 18:
        return None
    return Ticket.objects.visible_to(user).filter(Q(pk=int(digits))).first()


def unseen(ticket: Ticket, seen_through: int) -> list[Interaction]:
    """What the customer said after that interaction."""
    return [row for row in inbound(ticket) if row.pk > seen_through]


def recipients(ticket: Ticket, heard: Sequence[Interaction] | None = None) -> list[str]:
    """Where an answer goes: the address that each ticket of the family was last written from, else the customer's."""
    latest: dict[int, str] = {}
    for row in inbound(ticket) if heard is None else heard:
        if row.sender_address and "@" in row.sender_address:
            latest[row.ticket_id] = row.sender_address.lower()
    found = list(dict.fromkeys(latest[number] for number in sorted(latest)))
    if not found and ticket.customer_id is not None:
        primary = (
            Address.objects.filter(customer=ticket.customer_id, kind=Address.Kind.MAIL)
            .order_by("-is_primary", "pk")
            .first()
        )
        found = [primary.value] if primary else []
    return found
