"""One matter and all that was said in it: finding, locking, writing; what the verbs of the desk are made of.

A ticket that others were merged into speaks for its *family*: itself and every ticket merged into it, with all their
interactions and deadlines.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from csp import agreement, deadlines, vault
from csp.models import Address, Blob, Customer, Deadline, User, Version
from csp.privacy import masking
from tickets.models import Attachment, Call, ComplexityProposal, InboundMessage, Interaction, SpokenTo, Ticket

Kind, Direction, Purpose = Interaction.Kind, Interaction.Direction, Interaction.Purpose

# The columns of an interaction that may be long: left out where nobody reads them.
TEXT = ("body", "html", "search")

# What somebody has on screen: of each ticket that was written in, the last customer interaction.
Seen = Mapping[int, int]

# Deadlines that a customer's unanswered message runs under.
# Why the clocks of an exercise are void: they are shown to whoever practises, and nothing is broken by them (5.2).
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
    speaks_to: Seen = dataclasses.field(default_factory=dict)  # of what goes out
    inbound: InboundMessage | None = None
    files: Sequence[File] = ()
    is_masked: bool = False  # what the contract has masked is out of the words

    def masked(self, patterns: Iterable[str]) -> Said:
        """With card numbers, and what the contract names, out of what somebody told us (clause 6.1)."""
        patterns = tuple(patterns)
        return dataclasses.replace(
            self, body=masking.mask(self.body, patterns), subject=masking.mask(self.subject, patterns),
            html=masking.mask(self.html, patterns), is_masked=True,
        )  # fmt: skip


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


def lock_all(numbers: Iterable[int], *, if_free: bool = False) -> dict[int, Ticket]:
    """The ticket that speaks for each of these, all of them locked, in the order of their numbers."""
    wanted = set(numbers)
    while True:
        roots = {number: root_number(number) for number in wanted}
        rows = {number: lock(Ticket(pk=number), if_free=if_free) for number in sorted(set(roots.values()))}
        merged = [number for number, root in roots.items() if number != root]
        if all(rows[root].pk == root for root in rows) and all(root_number(n) == roots[n] for n in merged):
            return {number: rows[root] for number, root in roots.items()}


def root_number(number: int) -> int:
    """The number of the ticket that speaks for this one at the moment."""
    with connection.cursor() as cursor:
        cursor.execute(_ROOT, [number])
        return int(cursor.fetchone()[0])


# Down the merges from some tickets: when their customers first turned to us. What we began ourselves asks nothing.
_RECEIPTS = """with recursive down (root, id, origin, received_at) as (
  select id, id, origin, received_at from tickets_ticket where id = any(%s)
  union all
  select down.root, t.id, t.origin, t.received_at from tickets_ticket t join down on t.merged_into_id = down.id
) select root, min(received_at) from down where origin = 'customer' group by root"""


def receipts(numbers: Collection[int]) -> dict[int, dt.datetime]:
    """When the customer first turned to us in each of these matters: the earliest receipt of the family.

    A merge moves no receipt. Where we wrote first and nothing was opened by a customer, there is none.
    """
    if not numbers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_RECEIPTS, [list(numbers)])
        return dict(cursor.fetchall())


def received_at(root: Ticket) -> dt.datetime:
    """The receipt that the clocks of this matter count from, with all that was merged into it."""
    return receipts([root.pk]).get(root.pk, root.received_at)


def family(ticket: Ticket) -> list[int]:
    """The numbers of this ticket and of every ticket merged into it, at any depth."""
    numbers, fresh = [ticket.pk], [ticket.pk]
    while fresh:
        fresh = list(Ticket.objects.filter(merged_into__in=fresh).values_list("pk", flat=True))
        numbers += fresh
    return numbers


def subject_of(root: Ticket, number: int | None = None) -> deadlines.Subject:
    """What a clock is about: this ticket, or one of those that it speaks for, which keeps the clock when separated."""
    ticket = Ticket(pk=number or root.pk)
    return deadlines.Subject(
        ref=ticket.reference,
        path=ticket.path,
        contract=root.contract,
        team=root.team,
        responsible=root.assignee,
        context=ticket.trail_subject,
        void=Deadline.Void.PRACTICE if root.is_practice else "",
    )


def obligations(ticket: Ticket, numbers: Sequence[int] | None = None) -> list[Deadline]:
    """Every deadline of the family, oldest start first. `numbers` is the family, where it is known already."""
    return list(clocks_of(numbers or family(ticket)).order_by("starts_at", "pk"))


def clocks_of(numbers: Iterable[int]) -> QuerySet[Deadline]:
    """Every deadline of these tickets' own."""
    refs = [f"#{number}" for number in numbers]
    return Deadline.objects.filter(subject_ref__in=refs, path__startswith="/tickets/")


def follow_ups_are_inquiries(version: Version) -> bool:
    """Whether what a customer writes after the first message starts a clock of clause 3.1 (a reading)."""
    return agreement.reading(version, "follow_ups_are_inquiries") == "yes"


def running(ticket: Ticket, *codes: str, numbers: Sequence[int] | None = None) -> list[Deadline]:
    """The family's deadlines that are neither met nor void, of these obligations where named."""
    return [row for row in obligations(ticket, numbers) if row.is_running and (not codes or row.obligation in codes)]


def has_spoken(ticket: Ticket, user: User) -> bool:
    """Whether this person has told the customer something on this ticket, so that it is their own work in part."""
    said = Interaction.objects.filter(ticket__in=family(ticket), author=user)
    return said.exclude(direction=Direction.INTERNAL).exists()


def conversation(ticket: Ticket) -> list[Interaction]:
    """Every interaction of the family in the order in which they happened."""
    return list(
        Interaction.objects.filter(ticket__in=family(ticket))
        .select_related("author", "customer", "delivery__message", "follow_up")
        .defer("search")
        .prefetch_related("attachments")
        .order_by("occurred_at", "pk")
    )


def inbound(ticket: Ticket, numbers: Sequence[int] | None = None) -> list[Interaction]:
    """What the customer said and may expect an answer to, oldest first; automatic replies are not among it.

    `is_sign` of each: whether a rule proposes, because of it, that the case is complex.
    """
    signs = ComplexityProposal.objects.filter(interaction=OuterRef("pk"), decided_at__isnull=True)
    return list(
        Interaction.objects.annotate(is_sign=Exists(signs))
        .filter(ticket__in=numbers or family(ticket), direction=Direction.IN)
        .exclude(purpose=Purpose.AUTOMATIC)
        .defer(*TEXT)
        .order_by("pk")
    )


def was_answered(heard: Sequence[Interaction], numbers: Sequence[int]) -> bool:
    """Whether any of what the customer said in this family has had an answer that reached somebody.

    What we wrote before they ever spoke answers nothing, and a ruling is no answer: what counts is a mail that was
    accepted outside and did not come back, or a call that answered and may be counted.
    """
    mail = SpokenTo.objects.filter(
        ticket__in=numbers, through__gt=0, interaction__purpose=Purpose.ANSWER,
        interaction__delivery__message__accepted_at__isnull=False, interaction__delivery__bounced_at__isnull=True,
    )  # fmt: skip
    if mail.exists():
        return True
    since = min((row.occurred_at for row in heard), default=None)
    talks = Call.objects.filter(interaction__ticket__in=numbers, answers_customer=True)
    return since is not None and any(call.counts and call.ended_at >= since for call in talks)


def write(ticket: Ticket, said: Said, *, at: dt.datetime, follow_up: Deadline | None = None) -> Interaction:
    """Store what was said, with its files. The caller holds the ticket's lock."""
    if said.direction != Direction.OUT and not said.is_masked:
        said = said.masked(masking.patterns_of(ticket.contract_id))
    row = Interaction(
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
        seen_through=max(said.speaks_to.values(), default=0),
        inbound=said.inbound,
        follow_up=follow_up,
    )
    row.save(force_insert=True)
    row.parts = [row]
    if said.direction == Direction.OUT:
        speaks_to = said.speaks_to or {ticket.pk: 0}
        row.parts += SpokenTo.objects.bulk_create(
            SpokenTo(interaction=row, ticket_id=number, through=through) for number, through in speaks_to.items()
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
    row.parts += Attachment.objects.bulk_create(attachments)
    return row


def _practised(ticket: Ticket, rows: Iterable[Deadline]) -> list[Deadline]:
    """What would run now if the exercise were none: its clocks are shown, and owed to nobody."""
    if not ticket.is_unfinished:
        return []
    heard = inbound(ticket)
    through = Ticket.objects.filter(pk=ticket.pk).values_list("answered_through", flat=True).first() or 0
    answering = sorted((row for row in rows if row.obligation in ANSWERING), key=lambda row: (row.starts_at, row.pk))
    found = answering[-1:] if heard and heard[-1].pk > through else []
    if not ticket.authority_reason and not ticket.escalations.exists():
        found += [row for row in rows if row.obligation == "escalate"]
    return found


def derive(ticket: Ticket, *, rows: Collection[Deadline] | None = None) -> None:
    """Bring the ticket's next obligation in line with its running deadlines; in the transaction that changed them.

    A merged ticket has none of its own: its root carries them.
    """
    known = obligations(ticket) if rows is None else rows
    waiting = _practised(ticket, known) if ticket.is_practice else [row for row in known if row.is_running]
    # The answer carries that decision; the clock of the answer is the one to look at, while there is one.
    waiting = [row for row in waiting if row.obligation != "triage"] or waiting
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


def seen_of(heard: Iterable[Interaction]) -> dict[int, int]:
    """What somebody has on screen who has these customer interactions there."""
    return {row.ticket_id: row.pk for row in sorted(heard, key=lambda row: row.pk)}


def spell(seen: Seen) -> str:
    """As a page carries it: "4790-17.4791-20"."""
    return ".".join(f"{number}-{through}" for number, through in sorted(seen.items()))


def spelled(text: str) -> dict[int, int]:
    """What a page carried, read again. Raises ValueError."""
    if not re.fullmatch(r"([0-9]{1,18}-[0-9]{1,18}(\.[0-9]{1,18}-[0-9]{1,18})*)?", text):
        raise ValueError("This does not say what was on screen.")
    pairs = [pair.partition("-") for pair in text.split(".") if pair]
    return {int(number): int(through) for number, _dash, through in pairs}


def unseen(heard: Iterable[Interaction], seen: Seen) -> list[Interaction]:
    """What of this was not on that screen, be it later or of a ticket that was merged since."""
    return [row for row in heard if row.pk > seen.get(row.ticket_id, 0)]


def recipients(ticket: Ticket, heard: Sequence[Interaction] | None = None) -> list[str]:
    """Where an answer goes: for each ticket of the family to whoever asked, and to all who wrote and wait.

    A colleague in Cc who wrote last does not stand in for the customer. Addresses from which mail came back are left
    out while there is another. Where nobody wrote by mail it goes to the customer's own address.
    """
    rows = [row for row in (inbound(ticket) if heard is None else heard) if "@" in row.sender_address]
    answered = answered_through(ticket, {row.ticket_id for row in rows})
    first: dict[int, Interaction] = {}
    for row in rows:
        first.setdefault(row.ticket_id, row)
    speakers = [row for row in rows if row == first[row.ticket_id] or row.pk > answered[row.ticket_id]]
    found = list(dict.fromkeys(row.sender_address.lower() for row in speakers))
    known = Address.objects.filter(kind=Address.Kind.MAIL)
    if len(found) == 1:
        return found
    if found:
        dead = set(known.filter(value__in=found, bounced_at__isnull=False).values_list("value", flat=True))
        return [address for address in found if address not in dead] or found
    if ticket.customer_id is None:
        return []
    own = known.filter(customer=ticket.customer_id).order_by(F("bounced_at").asc(nulls_first=True), "-is_primary", "pk")
    return list(own.values_list("value", flat=True)[:1])


def answered_through(ticket: Ticket, numbers: Collection[int]) -> dict[int, int]:
    """Of each of these tickets of the family, the last customer interaction that has been answered."""
    others = [number for number in numbers if number != ticket.pk]
    found = dict(Ticket.objects.filter(pk__in=others).values_list("pk", "answered_through")) if others else {}
    return {ticket.pk: ticket.answered_through, **found}
