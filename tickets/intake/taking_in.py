"""Taking in: what landed is read, judged, threaded, and becomes a ticket, an interaction, or a line in a queue.

    take_in(at)    every landed message that has not been taken in, oldest first; never raises

Each message is one transaction. One that fails is tried again later; the third try first lets a limited child process
read it, so that a message which hangs or swells the reader costs a child and not a worker; then it is parked: a ticket
with the reason, its source at hand, its clock running from receipt unless that lies before the cut-over.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import re
import subprocess
import sys
from collections.abc import Sequence

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Case, F, Q, When
from django.utils.translation import gettext as _

from csp import mailboxes, notices, outbox, trail, vault
from csp.events import Act
from csp.models import Address, Customer, DataRequest, Notice, OutboundMessage, Team
from csp.privacy import locking, masking
from csp.privacy import requests as data_requests
from tickets import acknowledging, delivery, handling, merging
from tickets.conversation import Direction, File, Kind, Purpose, Said, excerpt_of, lock, lock_all
from tickets.customers import customer_for, find_address, new_customer
from tickets.intake import facts, landing, reading, sheet, threading, verdicts
from tickets.intake.message import Message
from tickets.intake.threading import Thread
from tickets.models import Category, Delivery, InboundMessage, Interaction, SpokenTo, Ticket, TicketLink

log = logging.getLogger(__name__)

State = InboundMessage.State

WAITS = (dt.timedelta(seconds=10), dt.timedelta(minutes=1), dt.timedelta(minutes=5))
TRIES = 3
ACTOR = "intake"

REPORTED_WITHIN = dt.timedelta(days=7)  # servers give up after five days at the latest (RFC 5321, 4.5.4.1)
_MAIL_SERVER = re.compile(r"(?:mailer-daemon|postmaster)@", re.IGNORECASE)


def take_in(at: dt.datetime, *, limit: int = 200) -> int:
    """Take in what is due, oldest first, and acknowledge it. Returns how many were tried; never raises.

    `at` is the real time.
    """
    tried = 0
    try:
        while tried < limit and (pk := _claim(at)) is not None:
            take_in_one(pk, at)
            tried += 1
    except DatabaseError:
        log.exception("Mail could not be taken in; what landed stays and is tried again")
    if tried:
        acknowledging.acknowledge(at)
    return tried


def take_in_now(row: InboundMessage, at: dt.datetime) -> None:
    """Take in one message with every try at once, for somebody who waits for what becomes of it. Never raises."""
    for _try in range(TRIES + 1):
        claimed = InboundMessage.objects.filter(pk=row.pk, state=State.LANDED)
        if not claimed.update(attempts=F("attempts") + 1, next_attempt_at=at + WAITS[-1]):
            return
        take_in_one(row.pk, at)


@transaction.atomic(durable=True)
def _claim(at: dt.datetime) -> int | None:
    """The next message to try. The try is counted before it begins, so that one that kills its worker counts, too."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"at": at, "waits": list(WAITS)})
        found = cursor.fetchone()
    return int(found[0]) if found else None


_CLAIM = """
    update tickets_inboundmessage m set attempts = attempts + 1,
      next_attempt_at = %(at)s + (%(waits)s)[least(attempts + 1, cardinality(%(waits)s))]
    where id = (
      select id from tickets_inboundmessage where state = 'landed' and next_attempt_at <= %(at)s
      order by next_attempt_at, id limit 1 for update skip locked
    ) returning id
"""


def take_in_one(pk: int, at: dt.datetime) -> None:
    """One try at one landed message; it stays landed, for another try, if this one fails. Never raises."""
    try:
        with transaction.atomic(durable=True):
            # Waits rather than skips: another worker's claim may hold the row for an instant, though it passes it over.
            row = (
                InboundMessage.objects.select_for_update(of=("self",))
                .select_related("blob__key", "mailbox__team__contract")
                .filter(pk=pk, state=State.LANDED)
                .first()
            )
            if row is None:
                return
            if row.attempts > TRIES or (row.attempts == TRIES and not _can_be_read(row)):
                _park_unread(row, at)
            else:
                _understand(row, at)
    except Exception as error:  # whatever it is, one message never stops the others
        log.exception("Message %s could not be taken in", pk)
        _note_failure(pk, error)


def _note_failure(pk: int, error: Exception) -> None:
    try:
        InboundMessage.objects.filter(pk=pk, state=State.LANDED).update(reason=f"Failed: {type(error).__name__}"[:300])
    except DatabaseError:
        log.warning("The database cannot be reached")


def _can_be_read(row: InboundMessage) -> bool:
    """Whether a child with little time and memory can read it: a bad message may then do no harm here."""
    child = [sys.executable, "-m", "tickets.intake.guarded"]
    try:
        done = subprocess.run(
            child, input=vault.read(row.blob), cwd=settings.BASE_DIR, timeout=30, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


# ---------------------------------------------------------------- one message


def _masked_copy(message: Message) -> str:
    """What stays of a source with a card number in it: who wrote to whom, when, and the masked words."""
    names = ("From", "To", "Cc", "Date", "Message-ID", "In-Reply-To")
    head = [f"{name}: {message.header(name)}" for name in names if message.header(name)]
    head += [f"Subject: {masking.mask(message.subject)}", "Content-Type: text/plain; charset=utf-8"]
    return "\r\n".join(head) + "\r\n\r\n" + masking.mask(message.text or message.html) + "\r\n"


def _understand(row: InboundMessage, at: dt.datetime) -> None:
    message = reading.read(vault.read(row.blob))
    describe(row, message)
    if masking.has_card(message.subject, message.text, message.html):
        masking.keep_masked(row.blob, _masked_copy(message), at=at)
    ours = facts.mailboxes()
    row.mailbox = facts.mailbox_for(row, recipients(row, message), ours)
    if row.door != InboundMessage.Door.FORM:
        mailboxes.mail_came(row.mailbox, at)
    earlier = _earlier(row)
    if earlier is not None and bytes(earlier.content_key or b"") == row.content_key:
        row.duplicate_of, row.ticket = earlier, earlier.ticket
        landing.flag_earlier(earlier, row.received_at)
        _ignore(row, "The same message arrived before.", at, state=State.DUPLICATE)
        return
    if earlier is not None and row.message_id:
        row.flags.append("same_id_other_content")
    thread = thread_of(row, message)
    address = find_address(message.sender.address)
    past = facts.past_of(row, message)
    known = facts.facts_of(message, thread, row.mailbox, ours=ours, is_known=address is not None)
    if past.is_our_own:
        verdict = verdicts.Verdict(verdicts.Kind.OWN, "own_mark")
    else:
        verdict = verdicts.judge(message, facts=known)
    if "incomplete" in row.flags:
        verdict = verdicts.Verdict(verdicts.Kind.PARKED, "unreadable", row.reason, acknowledge=verdict.acknowledge)
    match verdict.kind:
        case verdicts.Kind.OWN:
            _ignore(row, verdict.sentence, at)
        case verdicts.Kind.BOUNCE:
            _bounced(row, message, verdict, at)
        case verdicts.Kind.AUTOMATIC:
            _automatic(row, message, thread, verdict, at)
        case _ if _is_before_cut_over(row):
            _import(row, message, at)
        case verdicts.Kind.UNSORTED:
            _unsorted(row, thread, verdict.sentence, at)
        case _:
            doubt = "" if known.sender_rule is verdicts.SenderRule.ALLOWED else facts.flood(row, past)
            doubt = sheet.read(row, message).doubt or doubt
            if doubt:
                _unsorted(row, thread, doubt, at)
            else:
                inquiry(row, message, thread, verdict, at, by=ACTOR, address=address, languages=past.languages)


def _is_before_cut_over(row: InboundMessage) -> bool:
    """Whether somebody else still answered that mailbox. A page of ours has always been ours."""
    if row.mailbox is None or row.door == InboundMessage.Door.FORM:
        return False
    return bool(row.received_at < row.mailbox.cut_over_at)


def thread_of(row: InboundMessage, message: Message) -> Thread | None:
    """The ticket that it speaks to: the one of the link by which somebody wrote, else what its references name."""
    number = sheet.read(row, message).ticket
    ticket = Ticket.objects.filter(pk=number).first() if number is not None else None
    if ticket is not None:
        return Thread(threading.root(ticket), is_participant=True)
    return threading.find(message, recipients(row, message))


def describe(row: InboundMessage, message: Message) -> None:
    """What the message says of itself, onto its row."""
    row.message_id = f"<{message.message_id}>"[:998] if message.message_id else ""
    row.sender_address = message.sender.address.strip().lower()[:320]
    row.sender_name = message.sender.name[:300]
    row.subject = masking.mask(message.subject)[:998]
    row.excerpt = excerpt_of(masking.mask(message.text))[:300]
    digest = hashlib.sha256()
    parts = [row.sender_address, message.date, message.subject, message.text, message.html]
    for part in [each.encode("utf-8", "replace") for each in parts] + [each.data for each in message.attachments]:
        digest.update(hashlib.sha256(part).digest())
    row.content_key = digest.digest() if message.message_id or message.date else None
    flags = [problem.name for problem in message.problems]
    if message.reply_to and message.answer_address.lower() != row.sender_address:
        flags.append("reply_to_differs")  # the author is who wrote it, wherever answers shall go
    if row.gap is not None:
        flags.append("receipt_gap")
    row.flags = list(dict.fromkeys([*row.flags, *flags]))


def _earlier(row: InboundMessage) -> InboundMessage | None:
    """The first message with this Message-ID, one with this content before others; without an id, with this content."""
    if row.content_key is None:
        return None
    with connection.cursor() as cursor:  # two copies at once: the second waits for the first
        name = row.message_id or bytes(row.content_key).hex()
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 4790))", [name])
    others = InboundMessage.objects.exclude(pk=row.pk).exclude(state__in=[State.LANDED, State.DUPLICATE])
    same = Q(sender_address=row.sender_address, content_key=row.content_key)
    others = others.filter(message_id=row.message_id)
    if not row.message_id:
        others = others.filter(same)
    return others.order_by(Case(When(same, then=0), default=1), "pk").first()


def recipients(row: InboundMessage, message: Message) -> list[str]:
    """Every address that it was sent to or arrived at: of the envelope first, which is the truth."""
    envelope = [address.strip() for address in row.envelope_to.split(",") if address.strip()]
    return [*envelope, *message.delivered_to, *message.recipients]


def _finish(row: InboundMessage, state: InboundMessage.State, reason: str, at: dt.datetime) -> None:
    row.state, row.reason, row.read_at = state, reason[:300], at
    row.save()


def _ignore(row: InboundMessage, reason: str, at: dt.datetime, *, state: InboundMessage.State = State.IGNORED) -> None:
    """Kept, with the reason; nothing is owed."""
    _finish(row, state, reason, at)
    trail.record(
        Act.MAIL_IGNORED, row.trail_subject, by=ACTOR, at=at, facts={"reason": reason, "ticket": row.ticket_id}
    )  # fmt: skip


def _unsorted(row: InboundMessage, thread: Thread | None, reason: str, at: dt.datetime) -> None:
    """A person rules on it: no ticket, no acknowledgement, no clock yet (tickets.sorting)."""
    row.ticket = thread.ticket if thread is not None and thread.is_participant else None
    _finish(row, State.UNSORTED, reason, at)
    trail.record(Act.MAIL_UNSORTED, row.trail_subject, by=ACTOR, at=at, facts={"received": row.received_at})


# ---------------------------------------------------------------- what people wrote


def inquiry(
    row: InboundMessage,
    message: Message,
    thread: Thread | None,
    verdict: verdicts.Verdict,
    at: dt.datetime,
    *,
    by: trail.Actor,
    address: Address | None,
    languages: Sequence[str],
) -> None:
    """Somebody wants something: a follow-up on their ticket, or a new one with its clocks running from receipt.

    `by` is whoever let it in: the intake, or the person who ruled that it is genuine; `address` the sender's, if we
    know it; `languages` those that we have texts for.
    """
    parked = verdict.sentence if verdict.kind == verdicts.Kind.PARKED else ""
    language = facts.language_of(message, languages)
    customer = None
    if address is not None:
        customer = address.customer
        if address.bounced_at is not None:  # who writes from an address is reached there again
            address.bounced_at = None
            address.save(update_fields=["bounced_at"])
    elif message.sender.address:
        customer = new_customer(message.sender.address, message.sender.name, at=at, language=language, by=by)
    actor = customer if by == ACTOR and customer is not None else by
    said = _said(row, message, customer, parked)
    root = lock(thread.ticket) if thread is not None else None
    takes_more = root is not None and root.state != Ticket.State.CLOSED and not locking.is_locked("ticket", root.pk)
    if root is not None and thread is not None and thread.is_participant and takes_more:
        handling.receive(root, said, at=at, by=actor)
        row.ticket = root
        _finish(row, State.THREADED, parked, at)
        return
    team = facts.team_for(row.mailbox)
    filled = sheet.read(row, message)
    ticket = handling.open_ticket(
        team=team,
        subject=message.subject,
        kind=filled.kind,
        category=_category(filled.category, team),
        channel=Ticket.Channel.FORM if row.door == InboundMessage.Door.FORM else Ticket.Channel.MAIL,
        received_at=row.received_at,
        at=at,
        by=actor,
        said=said,
        customer=customer,
        mailbox=row.mailbox,
        language=(customer.language if customer is not None and customer.language else language),
        parked_reason=parked,
        acknowledge_by_hand="" if verdict.acknowledge else _("An automatic answer to this sender could do harm."),
    )
    row.ticket = ticket
    if filled.kind == Ticket.Kind.REQUEST:
        _ask_for_data(row, ticket, message.text, at)
    if root is not None and thread is not None:
        kind = TicketLink.Kind.CONTINUES if thread.is_participant else TicketLink.Kind.STRANGER
        merging.link(ticket, other=root, kind=kind, by=by, at=at)
        if not thread.is_participant:
            row.flags.append("stranger")
    _finish(row, State.PARKED if parked else State.OPENED, parked, at)


def _ask_for_data(row: InboundMessage, ticket: Ticket, words: str, at: dt.datetime) -> None:
    """What the contact form calls "my data" is a data-subject request as well, from its receipt (clause 6.1)."""
    data_requests.open_request(
        team=ticket.team, kind=DataRequest.Kind.UNSORTED, channel=DataRequest.Channel.FORM,
        received_at=row.received_at, at=at, by=ACTOR, customer=ticket.customer, name=row.sender_name,
        address=row.sender_address, words=words, language=ticket.language, subject_ref=ticket.reference,
        path=ticket.path, once=f"mail:{row.pk}",
    )  # fmt: skip


def _category(number: int | None, team: Team) -> Category | None:
    """A topic that the customer chose, if it is one of this contract's."""
    if number is None:
        return None
    return Category.objects.filter(pk=number, contract=team.contract_id, is_active=True).first()


def _import(row: InboundMessage, message: Message, at: dt.datetime) -> None:
    """From before the mailbox was ours to answer: kept as a closed ticket, without acknowledgement or clock."""
    customer = customer_for(message.sender.address, message.sender.name, at=at) if message.sender.address else None
    row.ticket = handling.open_ticket(
        team=facts.team_for(row.mailbox),
        subject=message.subject,
        channel=Ticket.Channel.MAIL,
        received_at=row.received_at,
        at=at,
        by=customer or ACTOR,
        said=_said(row, message, customer, ""),
        customer=customer,
        mailbox=row.mailbox,
        origin=Ticket.Origin.IMPORTED,
    )
    _finish(row, State.IMPORTED, "Received before the cut-over of the mailbox.", at)


def _said(row: InboundMessage, message: Message, customer: Customer | None, parked: str) -> Said:
    body = message.text
    if parked and not body.strip():
        body = _("This message could not be read; its source is kept.")
    return Said(
        kind=Kind.FORM if row.door == InboundMessage.Door.FORM else Kind.MAIL,
        direction=Direction.IN,
        body=body,
        occurred_at=row.received_at,
        customer=customer,
        sender_name=row.sender_name,
        sender_address=row.sender_address,
        to=[each.address[:320] for each in message.to if each.address],
        cc=[each.address[:320] for each in message.cc if each.address],
        subject=message.subject,
        html=message.html,
        message_id=row.message_id,
        inbound=row,
        files=[
            File(
                name=each.name,
                content_type=each.type,
                content=each.data,
                declared_type=each.declared_type,
                content_id=each.cid,
            )
            for each in message.attachments
        ],
    )


def _park_unread(row: InboundMessage, at: dt.datetime) -> None:
    """What three tries could not take in: a ticket all the same, with the source at hand and the clock running."""
    reason = f"It could not be taken in after {TRIES} tries. {row.reason}".strip()
    row.mailbox = row.mailbox or facts.mailbox_for(row, row.envelope_to.split(","), facts.mailboxes())
    mailboxes.mail_came(row.mailbox, at)
    imported = _is_before_cut_over(row)
    row.ticket = handling.open_ticket(
        team=facts.team_for(row.mailbox),
        subject=_("A message that could not be read"),
        channel=Ticket.Channel.MAIL,
        received_at=row.received_at,
        at=at,
        by=ACTOR,
        said=Said(
            kind=Kind.MAIL,
            direction=Direction.IN,
            body=_("This message could not be read; its source is kept."),
            occurred_at=row.received_at,
            inbound=row,
        ),
        mailbox=row.mailbox,
        origin=Ticket.Origin.IMPORTED if imported else Ticket.Origin.CUSTOMER,
        parked_reason=reason,
        acknowledge_by_hand=_("Nobody knows yet who wrote it."),
    )
    _finish(row, State.IMPORTED if imported else State.PARKED, reason, at)


# ---------------------------------------------------------------- what machines wrote


def _automatic(
    row: InboundMessage, message: Message, thread: Thread | None, verdict: verdicts.Verdict, at: dt.datetime
) -> None:
    """An automatic reply is kept where it belongs, starts no clock and is never answered."""
    if thread is not None and thread.is_participant:
        _keep_automatic(row, message, thread.ticket, at)
        _finish(row, State.THREADED, verdict.sentence, at)
        return
    _ignore(row, verdict.sentence, at)


def _keep_automatic(row: InboundMessage, message: Message, ticket: Ticket, at: dt.datetime) -> Interaction:
    said = _said(row, message, None, "")
    said.purpose = Purpose.AUTOMATIC
    row.ticket = lock(ticket)
    return handling.receive(row.ticket, said, at=at, by=ACTOR)


def _bounced(row: InboundMessage, message: Message, verdict: verdicts.Verdict, at: dt.datetime) -> None:
    """A report about one of ours. One that came back for good opens the duty that it had met, if it is believed."""
    report = verdict.bounce
    assert report is not None
    original = f"<{report.original_message_id.strip('<> ').lower()}>"
    sent = OutboundMessage.objects.filter(message_id=original).first()
    if sent is None:
        _unsorted(row, None, _("It reports that a message was not delivered, but names none of ours."), at)
        return
    deliveries = list(Delivery.objects.filter(message=sent).select_related("interaction__ticket").order_by("pk"))
    if not deliveries:
        _ignore(row, verdict.sentence, at)
        _notice_came_back(sent, report.permanent, at)
        return
    spoke = [each.interaction_id for each in deliveries]
    others = SpokenTo.objects.filter(interaction__in=spoke).values_list("ticket", flat=True)
    lock_all({*others, *(each.interaction.ticket_id for each in deliveries)})  # all that follows needs, by number
    _keep_automatic(row, message, deliveries[0].interaction.ticket, at)
    worst = {each.recipient.lower(): each for each in report.failures if each.permanent}
    copies = {each.lower() for each in sent.cc}
    lost = [each for each in sent.to if each.lower() in worst]
    believed = _is_believed(row, message, sent)
    for each in deliveries:
        if not believed:
            if worst:
                delivery.doubt(each, at=at)
        elif lost:
            first = worst[lost[0].lower()]
            status = f"{first.status} {first.diagnostic}".strip() or "not delivered"
            delivery.bounce(each, at=at, status=status, lost=lost)
        elif worst.keys() - copies:  # of somebody we did not write to: anybody could say so
            delivery.doubt(each, at=at)
    if not believed:
        row.flags.append("doubtful_report")
    doubt = _("Perhaps it is no report of a server: it opens nothing by itself.")
    _finish(row, State.THREADED, verdict.sentence if believed else f"{doubt} {verdict.sentence}", at)


def _is_believed(row: InboundMessage, message: Message, sent: OutboundMessage) -> bool:
    """Whether only a server that had our message can have sent this report: else anybody who knows its id opens duties.

    It comes to the return path that was this message's own, where it had one. Where its mailbox takes no tags, it
    leaves no return path itself, or bears the name of a mail server. And it comes while servers still try.
    """
    if row.received_at - (sent.accepted_at or sent.created_at) > REPORTED_WITHIN:
        return False
    if outbox.has_own_return_path(sent):
        return sent.envelope_from.lower() in {each.lower() for each in recipients(row, message)}
    # What the door was told is not what somebody may have written into the message.
    by_envelope = row.door == InboundMessage.Door.SMTP
    leaves_none = row.envelope_from.strip("<> ") == "" if by_envelope else message.return_path == ""
    return leaves_none or bool(_MAIL_SERVER.match(message.sender.address))


def _notice_came_back(sent: OutboundMessage, permanent: bool, at: dt.datetime) -> None:
    """Mail to staff does not arrive. Said on the page alone: a mail about it would not arrive, either."""
    if permanent:
        notices.tell(
            notices.Telling(
                kind=Notice.Kind.SYSTEM,
                key=f"came-back:{sent.pk}",
                to=notices.Rungs(at).administrators(),
                facts={"text": _("A mail to somebody of the staff came back. Check the addresses under People.")},
                by_mail=False,
            ),
            at=at,
        )
