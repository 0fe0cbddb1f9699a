"""What people and the product do with a ticket: open, receive, answer, note.

Each verb is one transaction: it locks the ticket first, checks the permission with a reason, changes rows, starts or
meets deadlines, posts to the outbox, and records in the trail last. Clause 3.1 is decided here and in
tickets.delivery: which interaction starts which clock, and which one meets it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection, transaction
from django.utils.translation import gettext as _

from csp import agreement, deadlines, notices, outbox, restrictions, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Customer, Deadline, Mailbox, Notice, OutboundMessage, Team, User
from csp.privacy import masking
from tickets import closing, complaints, complexity, finishing, no_reply, oversight, reopening, request_links, resolving
from tickets.conversation import (
    ANSWERING,
    Direction,
    File,
    Kind,
    Purpose,
    Said,
    Seen,
    clocks_of,
    derive,
    excerpt_of,
    family,
    follow_ups_are_inquiries,
    inbound,
    lock,
    recipients,
    running,
    seen_of,
    subject_of,
    unseen,
    was_answered,
    write,
)
from tickets.intake import threading
from tickets.models import Category, CoSignature, Delivery, Draft, Interaction, Resolution, Ticket
from tickets.reach import can_work as can_work
from tickets.reach import check_can_work as check_can_work

State = Ticket.State

# Why the clocks of some tickets are void from the start, by where the ticket came from.
NEVER_OWED: dict[str, str] = {
    Ticket.Origin.STAFF: Deadline.Void.OUTBOUND,
    Ticket.Origin.IMPORTED: Deadline.Void.IMPORTED,
    Ticket.Origin.PRACTICE: Deadline.Void.PRACTICE,
}


class NewMessageMeanwhile(Refused):
    """The customer wrote while the answer was being written; nothing was sent."""

    def __init__(self, unseen: Sequence[Interaction]) -> None:
        super().__init__(_("The customer wrote again while you were writing. Nothing was sent, your text is kept."))
        self.unseen = list(unseen)


def _next_number() -> int:
    """A number for a ticket that is about to be stored: its deadlines name it and are stored first."""
    with connection.cursor() as cursor:
        cursor.execute("select nextval(pg_get_serial_sequence('tickets_ticket', 'id'))")
        return int(cursor.fetchone()[0])


@transaction.atomic
def open_ticket(
    *,
    team: Team,
    subject: str,
    channel: Ticket.Channel,
    received_at: dt.datetime,
    at: dt.datetime,
    by: trail.Actor,
    said: Said | None = None,
    customer: Customer | None = None,
    mailbox: Mailbox | None = None,
    origin: Ticket.Origin = Ticket.Origin.CUSTOMER,
    kind: Ticket.Kind = Ticket.Kind.UNTYPED,
    category: Category | None = None,
    priority: Ticket.Priority = Ticket.Priority.NORMAL,
    language: str = "",
    assignee: User | None = None,
    parked_reason: str = "",
    acknowledge_by_hand: str = "",
) -> Ticket:
    """Open a ticket with the clocks of clause 3.1 running from receipt.

    It is acknowledged by itself (tickets.acknowledging) unless `acknowledge_by_hand` says why a person has to.

    Outbound-first and imported tickets have theirs void with a reason: nobody has asked anything yet, or it was asked
    before the cut-over.
    """
    contract = team.contract  # always, so that who reads a contract reads its teams (csp.access.Scope)
    version = agreement.in_force(contract, received_at)
    patterns = masking.patterns_of(contract.pk)
    if said is not None and said.direction != Direction.OUT:
        said = said.masked(patterns)
    number = _next_number()
    about = deadlines.Subject(
        ref=f"#{number}",
        path=f"/tickets/{number}/",
        contract=contract,
        team=team,
        responsible=assignee,
        context=f"ticket:{number}",
    )
    void = NEVER_OWED.get(origin, "")
    person = by if isinstance(by, User) else None
    owed = ("acknowledge", "respond") if void else ("acknowledge", "respond", "triage")
    clocks = deadlines.start(
        [
            deadlines.draft(code, about, version, starts_at=received_at, void=void, void_at=at, void_by=person)
            for code in owed
        ],
        at=at,
    )
    ticket = Ticket(
        pk=number,
        contract=contract,
        team=team,
        mailbox=mailbox,
        customer=customer,
        subject=(" ".join(masking.mask(subject, patterns).split()) or _("No subject"))[:300],
        kind=kind,
        category=category,
        priority=priority,
        channel=channel,
        origin=origin,
        language=language,
        parked_reason=parked_reason[:300],
        received_at=received_at,
        opened_at=at,
        opened_by=person,
        assignee=assignee,
        acknowledge=clocks[0],
        respond=clocks[1],
        triage=None if void else clocks[2],
        acknowledge_next_at=None if void or acknowledge_by_hand else at,
        acknowledge_by_hand=acknowledge_by_hand[:200],
        last_interaction_at=said.occurred_at if said else received_at,
        excerpt=excerpt_of(said.body) if said and said.direction == Direction.IN else "",
        changed_at=at,
    )
    if origin == Ticket.Origin.IMPORTED:
        ticket.state, ticket.closed_at = State.CLOSED, at
    if not void or ticket.is_practice:
        ticket.next_obligation, ticket.next_clause = "respond", clocks[1].clause
        ticket.next_starts_at, ticket.next_due_at = clocks[1].starts_at, clocks[1].due_at
    ticket.save(force_insert=True)
    first = write(ticket, said, at=at) if said else None
    trail.record(
        Act.TICKET_PARKED if parked_reason else Act.TICKET_OPENED,
        ticket.trail_subject,
        by=by,
        at=at,
        facts={
            "received": received_at,
            "channel": channel,
            "origin": origin,
            "team": team.pk,
            "deadlines": [row.pk for row in clocks],
        },
        personal={"subject": ticket.subject},
        evidence=first.parts if first else (),
    )
    if kind == Ticket.Kind.COMPLAINT:
        complaints.begin(ticket, at=at, by=by)
    if first is not None and not void:
        complexity.propose(ticket, first, at=at, is_first=True)
    return ticket


@transaction.atomic
def receive(ticket: Ticket, said: Said, *, at: dt.datetime, by: trail.Actor) -> Interaction:
    """Take in what a customer said on a ticket that exists (clause 3.1, follow-ups).

    A clock starts at its receipt unless an earlier unanswered message already has one running, or the contract does
    not read follow-ups as inquiries. Automatic replies are
    kept, start nothing and open nothing again. Mail to a closed ticket is the caller's to open a linked ticket for; one
    that is written here all the same opens it again, so that no state hides a running clock.
    """
    root = lock(ticket)
    said = said.masked(masking.patterns_of(root.contract_id))
    automatic = said.purpose == Purpose.AUTOMATIC
    clock_row, undone = None, None
    # What was received before the message whose clock runs (and ruled genuine later, say) waits from its own receipt.
    if not automatic and all(said.occurred_at < clock.starts_at for clock in running(root, *ANSWERING)):
        version = agreement.in_force(root.contract, said.occurred_at)
        if follow_ups_are_inquiries(version):
            [clock_row] = deadlines.start(
                [deadlines.draft("follow_up", subject_of(root), version, starts_at=said.occurred_at)], at=at
            )
    row = write(root, said, at=at, follow_up=clock_row)
    if not automatic:
        if not root.is_unfinished or root.state == State.WAITING:
            undone = reopening.bring_back(root, at=at, by=by, message=row)
            root.pending_until, root.pending_for = None, None
            root.save()
        Ticket.objects.filter(pk=root.pk).update(
            excerpt=excerpt_of(said.body), last_interaction_at=max(root.last_interaction_at, said.occurred_at)
        )
        derive(root)
        if root.assignee is not None:
            notices.tell(
                notices.Telling(
                    kind=Notice.Kind.REPLY,
                    key=f"reply:{row.pk}",
                    to=[root.assignee],
                    subject_ref=root.reference,
                    path=root.path,
                    by_mail=False,
                ),
                at=at,
            )
    trail.record(
        Act.MESSAGE_RECEIVED,
        root.trail_subject,
        by=by,
        at=at,
        facts={
            "interaction": row.pk,
            "received": said.occurred_at,
            "automatic": automatic,
            "deadline": clock_row.pk if clock_row else None,
            "undone": undone.pk if undone else None,
        },
        evidence=row.parts,
    )
    complexity.propose(root, row, at=at)
    return row


@transaction.atomic
def not_settled(ticket: Ticket, *, by: Customer, address: str, at: dt.datetime) -> Interaction:
    """The customer says that the resolution is none: it did not hold, and they wait for an answer (3.1, 3.2)."""
    root = lock(ticket)
    resolving.record_acceptance(root, Resolution.Acceptance.NO, by=by, at=at)
    said = Said(
        kind=Kind.FORM,
        direction=Direction.IN,
        body=_("The customer says that it is not settled."),
        occurred_at=at,
        customer=by,
        sender_name=by.name,
        sender_address=address,
    )
    return receive(root, said, at=at, by=by)


@transaction.atomic
def respond(
    ticket: Ticket,
    *,
    by: User,
    at: dt.datetime,
    body: str,
    purpose: Interaction.Purpose = Purpose.ANSWER,
    seen_through: Seen,
    cc: Sequence[str] = (),
    files: Sequence[File] = (),
    then: Ticket.State = State.WAITING,
    decision: complexity.Decision = complexity.WITHIN,
    cosigned: CoSignature | None = None,
) -> Interaction | CoSignature:
    """Write to the customer: an answer, which carries the decision whether the case is complex, or a holding message.

    `seen_through` is what the author had on screen of each ticket that speaks here (conversation.seen_of); it speaks to
    that and to nothing else, whatever is merged later. Nothing is met yet: a duty is met when the first server outside
    accepts the mail (`settle`). Under a restriction of its author an answer waits for its co-signature, and that is
    what is returned; `cosigned` is one that has it (clause 8.2). Raises NewMessageMeanwhile, Refused.
    """
    root = lock(ticket)
    check_can_work(root, by, at=at)
    if not body.strip():
        raise Refused(_("Write something first; an empty message answers nobody."))
    if purpose not in (Purpose.ANSWER, Purpose.HOLDING):
        raise Refused(_("Say whether this answers the customer or is a holding message."))
    if then not in (State.OPEN, State.WAITING, State.RESOLVED):
        raise Refused(_("After an answer a ticket is open, waiting or resolved."))
    numbers = family(root)
    heard = inbound(root, numbers)
    missed = unseen(heard, seen_through)
    if missed and cosigned is None:
        raise NewMessageMeanwhile(missed)
    last = seen_of(heard)
    speaks_to = {  # nobody has seen what is still to come
        number: min(seen_through.get(number, 0), last.get(number, 0))
        for number in numbers
        if number in seen_through or number not in last
    }
    carried = complexity.Carried()
    if purpose == Purpose.ANSWER and cosigned is None:
        carried = complexity.carried_by_answer(root, decision, heard, by=by, at=at, numbers=numbers)
    if then == State.RESOLVED and [row for row in closing.missing(root, then) if row.name != "answer"]:
        then = State.OPEN  # a supervisor has to hear of it yet (3.3), a complaint lacks something (3.2)
    if missed:
        then = State.OPEN  # what the customer wrote after the author's answer still waits for one
    to = recipients(root, [row for row in heard if row.ticket_id in speaks_to])
    if not to:
        raise Refused(_("No e-mail address of the customer is known. Add one, or call and log the call."))
    limits = restrictions.of(by, at)
    limit = oversight.holds_back(limits)
    if limit is not None and purpose == Purpose.ANSWER and cosigned is None and not root.is_practice:
        root.save()
        trail.record_all(carried.entries)
        return oversight.hold(
            root, limit, by=by, at=at, body=body, seen_through=speaks_to, cc=cc, files=files, then=then
        )
    said = Said(
        kind=Kind.MAIL,
        direction=Direction.OUT,
        purpose=purpose,
        body=body,
        occurred_at=at,
        author=by,
        to=to,
        cc=cc,
        subject=reply_subject(root),
        speaks_to=speaks_to,
        files=files,
    )
    row = write(root, said, at=at)
    message = None if root.is_practice else _send(
        root, row, to=to, cc=cc, heard=heard, has_files=bool(files), by=by, at=at
    )  # fmt: skip
    if root.is_practice and purpose == Purpose.ANSWER:  # as if it had arrived
        root.answered_through = max(root.answered_through, speaks_to.get(root.pk, 0))
    state = then if purpose == Purpose.ANSWER else State.OPEN
    if state == State.RESOLVED:
        root.state, root.resolved_at, root.closed_at = state, at, None
        resolving.resolved(root, by=by, at=at)
        finishing.finished(root, by=by, at=at)
    else:
        reopening.bring_back(root, at=at, by=by, to=state)
    if root.assignee_id is None and oversight.may_take(root, limits):
        root.assignee = by
        deadlines.hand_over(clocks_of(numbers), responsible=by, team=root.team, at=at)
    root.last_interaction_at = max(root.last_interaction_at, at)
    root.save()
    if root.state == State.RESOLVED:
        complaints.resolved(root, at=at, by=by)
    if root.is_practice:
        derive(root)
    if cosigned is None:  # else its draft went when it was written, and there may be a new one
        Draft.objects.filter(
            ticket=root, user=by, mode=Draft.Mode.REPLY if purpose == Purpose.ANSWER else Draft.Mode.HOLDING
        ).delete()
    entry = trail.Entry(
        Act.ANSWER_WRITTEN if purpose == Purpose.ANSWER else Act.HOLDING_WRITTEN,
        root.trail_subject,
        by=by,
        at=at,
        facts={
            "interaction": row.pk,
            "speaks_to": speaks_to,
            "message": message.pk if message else None,
            "state": root.state,
        }
        | carried.facts,
        personal=carried.personal,
        evidence=row.parts,
    )
    trail.record_all([*carried.entries, entry])
    return row


def _send(
    root: Ticket, row: Interaction, *, to: Sequence[str], cc: Sequence[str], heard: Sequence[Interaction],
    has_files: bool, by: User, at: dt.datetime,
) -> OutboundMessage:  # fmt: skip
    """Put what was written into the outbox."""
    signed = f"{row.body.rstrip()}\n\n-- \n{by.signature}" if by.signature else row.body
    signed += request_links.footer(root, to, at=at)
    message = outbox.post(
        kind=OutboundMessage.Kind.ANSWER if row.purpose == Purpose.ANSWER else OutboundMessage.Kind.HOLDING,
        dedupe_key=f"interaction:{row.pk}",
        is_new=True,
        to=to,
        cc=cc,
        subject=row.subject,
        body=signed,
        mailbox=root.mailbox,
        reply_to=threading.reply_to(root, to[0]) if len(to) == 1 else "",
        headers=thread_headers([row.message_id for row in heard if row.message_id]),
        attachments=[
            (item.name, item.content_type, item.blob)
            for item in (row.attachments.select_related("blob") if has_files else ())
        ],
        at=at,
    )
    Delivery.objects.create(interaction=row, message=message)
    return message


def reply_subject(ticket: Ticket) -> str:
    return f"Re: {ticket.subject} [{ticket.reference}]"


def thread_headers(message_ids: Sequence[str]) -> dict[str, str]:
    """In-Reply-To and References that make the mail stand in the customer's own thread; hostile ones are left out."""
    clean = [value for value in message_ids if value.isprintable() and len(value) < 250 and " " not in value]
    if not clean:
        return {}
    return {"In-Reply-To": clean[-1], "References": " ".join(clean[-10:])}


@transaction.atomic
def note(ticket: Ticket, *, by: User, at: dt.datetime, body: str, files: Sequence[File] = ()) -> Interaction:
    """Write a note that never leaves the building. It meets nothing."""
    root = lock(ticket)
    check_can_work(root, by, at=at)
    if not body.strip():
        raise Refused(_("Write something first."))
    said = Said(
        kind=Kind.NOTE, direction=Direction.INTERNAL, body=body, occurred_at=at, author=by, files=files
    )  # fmt: skip
    row = write(root, said, at=at)
    Draft.objects.filter(ticket=root, user=by, mode=Draft.Mode.NOTE).delete()
    Ticket.objects.filter(pk=root.pk).update(last_interaction_at=max(root.last_interaction_at, at))
    trail.record(
        Act.NOTE_WRITTEN, root.trail_subject, by=by, at=at, facts={"interaction": row.pk}, evidence=row.parts
    )  # fmt: skip
    return row


@transaction.atomic
def no_reply_needed(ticket: Ticket, *, by: User, at: dt.datetime, reason: str, seen_through: Seen) -> None:
    """Rule that a follow-up asks for nothing ("Thanks!"). Never on a first message; a share is sampled (3.1).

    Where we wrote first, the first message is the customer's own first one. And never while a rule proposes that the
    case is complex: what names a lawyer or an injury is more than thanks until a person has said otherwise (3.3).
    """
    root = lock(ticket)
    check_can_work(root, by, at=at)
    if not reason.strip():
        raise Refused(_("Say why no reply is needed; the reason stands in the evidence."))
    if running(root, "respond"):
        raise Refused(_("A first message always gets an answer."))
    numbers = family(root)
    heard = inbound(root, numbers)
    missed = unseen(heard, seen_through)
    if missed:
        raise NewMessageMeanwhile(missed)
    rows = running(root, "follow_up")
    if not rows:
        raise Refused(_("No message is waiting for a reply."))
    if not was_answered(heard, numbers):
        raise Refused(_("A first message always gets an answer. The customer has had none here yet."))
    signs = complexity.proposed(root, numbers)
    if signs:
        raise Refused(complexity.undecided(signs))
    met = deadlines.meet(rows, at=at, by=by, how=Deadline.NO_REPLY)
    no_reply.draw(root, met, by=by, at=at, reason=reason)
    last = seen_of(heard)
    for number, through in last.items():
        Ticket.objects.filter(pk=number).update(answered_through=through)
    root.answered_through = last.get(root.pk, root.answered_through)
    if resolving.holds_after_all(root, by=by, at=at):
        root.state, root.resolved_at = State.RESOLVED, at
        finishing.holds_after_all(root)
        complaints.held_after_all(root, at=at, by=by)
    elif root.state in (State.NEW, State.OPEN):
        root.state = State.WAITING
    root.save()
    derive(root)
    trail.record(
        Act.NO_REPLY_NEEDED,
        root.trail_subject,
        by=by,
        at=at,
        facts={"deadlines": [row.pk for row in met], "seen_through": last},
        personal={"reason": reason},
    )
