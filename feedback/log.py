"""The feedback log (clauses 4.2, 7.1): a remark is recorded once, apart from who said it.

What expects an answer is an inquiry, and a complaint where it is dissatisfied: a ticket is opened with its clocks from
the receipt of the feedback (clause 3.2). Other low scores and remarks wait in the supervisors' inbox (clause 2.2).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from csp import access, agreement, deadlines, notices, offices, trail, vault
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Customer, Deadline, Notice, Team, User
from csp.roles import Office, Permission
from feedback import masking
from feedback.models import Identity, Outcome, Remark
from tickets import handling, merging
from tickets.conversation import Direction, Kind, Said
from tickets.customers import customer_for
from tickets.models import Ticket, TicketLink

ACTOR = "feedback"
# A score up to this is low: a supervisor sees it, and what expects an answer is a complaint.
LOW = 2
LONGEST = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class Who:
    """Who said it, as far as it is known; nobody at all for an anonymous remark."""

    name: str = ""
    address: str = ""
    customer: Customer | None = None
    ticket: Ticket | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.name or self.address or self.customer or self.ticket)


NOBODY = Who()


digest = vault.keyed_digest


def _names(contract: Contract, who: Who) -> list[str]:
    """The names that may stand in the words: whose they are, and who works under this contract."""
    staff = User.objects.filter(grants__team__contract=contract).distinct().values_list("name", flat=True)
    customer = [who.customer.name, who.customer.organisation] if who.customer else []
    return [who.name, *customer, *staff]


@transaction.atomic
def record(
    *,
    team: Team,
    source: Remark.Source,
    received_at: dt.datetime,
    at: dt.datetime,
    score: int | None = None,
    soon: str = "",
    words: str = "",
    wants_answer: bool = False,
    who: Who = NOBODY,
    once: str | None = None,
    by: User | None = None,
) -> tuple[Remark, bool]:
    """Put one remark into the log; the second of a pair is whether it is new (`once` came before otherwise).

    Without anything that tells who said it the remark is anonymous, and there is no way back. Raises Refused.
    """
    words = words.strip()[:LONGEST]
    if score is None and not words:
        raise Refused(_("Give a score or say something; one of them is enough."))
    if received_at > at:
        raise Refused(_("It cannot have been received in the future. Check the date."))
    if wants_answer and not (who.address or who.customer):
        raise Refused(_("To be answered, say where the answer goes: leave an e-mail address."))
    if by is not None:
        access.check(by, Permission.ENTER_FEEDBACK, contract_id=team.contract_id, at=at)
    if once is not None and (known := Remark.objects.filter(once=once).first()) is not None:
        return known, False
    contract = team.contract
    remark = Remark(
        pk=_next_number(),
        contract=contract,
        team=team,
        source=source,
        level=Remark.Level.CONFIDENTIAL if who.is_known else Remark.Level.ANONYMOUS,
        received_at=received_at,
        recorded_at=at,
        recorded_by=by,
        score=score,
        soon=soon,
        words=masking.mask(words, _names(contract, who)),
        wants_answer=wants_answer,
        once=once,
    )
    waits = not wants_answer and (remark.words or (score is not None and score <= LOW))
    try:
        with transaction.atomic():
            remark.inbox = _start_inbox(remark, at=at) if waits else None
            remark.save(force_insert=True)
    except IntegrityError:  # the same one at the same instant
        return Remark.objects.get(once=once), False
    identity = _keep_apart(remark, who, words, at=at) if who.is_known else None
    if waits:
        _tell_supervisors(remark, at=at)
    trail.record(
        Act.FEEDBACK_RECORDED,
        remark.trail_subject,
        by=by or ACTOR,
        at=at,
        facts={"source": source, "level": remark.level, "received": received_at, "score": score,
               "inbox": remark.inbox_id},
        evidence=[remark, *([identity] if identity else [])],
    )  # fmt: skip
    if wants_answer:
        dissatisfied = score is None or score <= LOW
        ticket = _open_ticket(remark, who, words, at=at, is_complaint=dissatisfied)
        _end(remark, Outcome.Kind.COMPLAINT if dissatisfied else Outcome.Kind.ANSWERED, by=ACTOR, at=at, ticket=ticket)
    return remark, True


def _next_number() -> int:
    """A number for a remark that is about to be stored: its deadline names it and is stored first."""
    with connection.cursor() as cursor:
        cursor.execute("select nextval(pg_get_serial_sequence('feedback_remark', 'id'))")
        return int(cursor.fetchone()[0])


def _keep_apart(remark: Remark, who: Who, words: str, *, at: dt.datetime) -> Identity:
    customer, ticket = who.customer, who.ticket
    plain = {
        "name": who.name or (customer.name if customer else ""),
        "address": who.address,
        "customer": customer.pk if customer else None,
        "ticket": ticket.pk if ticket else None,
        "words": words,
    }
    return Identity.objects.create(
        remark=remark,
        blob=vault.store(json.dumps(plain).encode(), at=at),
        who=_whose(customer, who.address),
    )


def _whose(customer: Customer | None, address: str) -> bytes | None:
    """By which an erasure finds it again (csp.privacy.reach)."""
    if customer is not None:
        return bytes.fromhex(digest("customer", customer.pk))
    return bytes.fromhex(digest("address", address.strip().lower())) if address.strip() else None


def _open_ticket(remark: Remark, who: Who, words: str, *, at: dt.datetime, is_complaint: bool) -> Ticket:
    """What expects an answer gets one within the clauses' clocks, from the receipt of the feedback."""
    customer = who.customer or customer_for(who.address, who.name, at=at)
    address = who.address
    if not address:
        row = customer.addresses.filter(kind="mail").order_by("-is_primary", "pk").first()
        address = row.value if row is not None else ""
    ticket = handling.open_ticket(
        team=remark.team,
        subject=_("Feedback %(reference)s") % {"reference": remark.reference},
        channel=Ticket.Channel.FORM,
        received_at=remark.received_at,
        at=at,
        by=customer,
        customer=customer,
        mailbox=who.ticket.mailbox if who.ticket else None,
        language=who.ticket.language if who.ticket else "",
        kind=Ticket.Kind.COMPLAINT if is_complaint else Ticket.Kind.FEEDBACK,
        said=Said(
            kind=Kind.FORM,
            direction=Direction.IN,
            body=words or _("The customer asks to be answered and said no more."),
            occurred_at=remark.received_at,
            customer=customer,
            sender_name=who.name or customer.name,
            sender_address=address,
        ),
    )
    if who.ticket is not None:
        merging.link(ticket, other=who.ticket, kind=TicketLink.Kind.RELATED, by=ACTOR, at=at)
    return ticket


def _start_inbox(remark: Remark, *, at: dt.datetime) -> Deadline:
    version = agreement.in_force(remark.contract, remark.received_at)
    subject = deadlines.Subject(
        ref=remark.reference, path=remark.path, contract=remark.contract, team=remark.team,
        context=remark.trail_subject,
    )  # fmt: skip
    draft = deadlines.draft("feedback_inbox", subject, version, starts_at=remark.received_at)
    return deadlines.start([draft], at=at)[0]


def _tell_supervisors(remark: Remark, *, at: dt.datetime) -> None:
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.FEEDBACK,
            key=f"remark:{remark.pk}",
            to=notices.Rungs(at).supervisors(remark.team_id),
            subject_ref=remark.reference,
            path=remark.path,
            deadline=remark.inbox,
            facts={"says": "feedback.inbox"},
            by_mail=False,
        ),
        at=at,
    )


# ---------------------------------------------------------------- the inbox


def lock(remark: Remark) -> Remark:
    rows = Remark.objects.select_for_update(of=("self",), no_key=True).select_related("contract", "team", "inbox")
    return rows.get(pk=remark.pk)


def check_can_handle(remark: Remark, user: User, at: dt.datetime) -> None:
    access.check(user, Permission.HANDLE_FEEDBACK, team_id=remark.team_id, at=at)


def can_handle(remark: Remark, user: User, *, at: dt.datetime | None = None) -> bool:
    return access.may(user, Permission.HANDLE_FEEDBACK, team_id=remark.team_id, at=at)


@transaction.atomic
def handle(remark: Remark, *, kind: Outcome.Kind, reason: str, by: User, at: dt.datetime) -> Outcome:
    """Say what became of a remark in the inbox, which meets its clock (clause 2.2). Raises Refused."""
    row = lock(remark)
    check_can_handle(row, by, at=at)
    if row.inbox is None:
        raise Refused(_("This remark asks for nothing."))
    if Outcome.objects.filter(remark=row).exists():
        raise Refused(_("Somebody has seen to this already."))
    if kind == Outcome.Kind.NO_ACTION and not reason.strip():
        raise Refused(_("Say why nothing is done; the reason stands in the evidence."))
    if kind == Outcome.Kind.ANSWERED:
        raise Refused(_("Choose what was done."))
    ticket = None
    if kind == Outcome.Kind.COMPLAINT:
        if not Identity.objects.filter(remark=row).exists():
            raise Refused(_("Nobody knows who said this, so nobody can be answered. Choose something else."))
        who, words = open_identity(row, reason=reason, by=by, at=at)  # the ticket will show it
        if not (who.customer or who.address):
            raise Refused(_("No address of whoever said this is known, so nobody can be answered."))
        ticket = _open_ticket(row, who, words, at=at, is_complaint=True)
    return _end(row, kind, by=by, at=at, reason=reason.strip(), ticket=ticket)


def _end(
    remark: Remark, kind: Outcome.Kind, *, by: trail.Actor, at: dt.datetime, reason: str = "",
    ticket: Ticket | None = None,
) -> Outcome:  # fmt: skip
    outcome = Outcome.objects.create(
        remark=remark, kind=kind, reason=reason, ticket=ticket, by=by if isinstance(by, User) else None, at=at
    )
    if remark.inbox is not None:
        deadlines.meet([remark.inbox], at=at, by=by, how=kind)
    trail.record(
        Act.FEEDBACK_HANDLED,
        remark.trail_subject,
        by=by,
        at=at,
        facts={"kind": kind, "ticket": ticket.pk if ticket else None},
        evidence=[outcome],
    )
    return outcome


# ---------------------------------------------------------------- who said it


def _opened(identity: Identity) -> tuple[Who, str]:
    plain: dict[str, Any] = json.loads(vault.read(identity.blob))
    return (
        Who(
            name=plain["name"],
            address=plain["address"],
            customer=Customer.objects.filter(pk=plain["customer"]).first(),
            ticket=Ticket.objects.filter(pk=plain["ticket"]).first(),
        ),
        plain["words"],
    )


def words_of(identity: Identity) -> str:
    """The words as they were, for whoever said them themselves (clause 6.1). Raises vault.Unreadable."""
    return _opened(identity)[1]


@transaction.atomic
def open_identity(remark: Remark, *, reason: str, by: User, at: dt.datetime) -> tuple[Who, str]:
    """Who said it, and the words as they were. The reason is recorded and the privacy owner told. Raises Refused."""
    row = lock(remark)
    access.check(by, Permission.OPEN_IDENTITIES, team_id=row.team_id, at=at)
    if len(reason.strip()) < 5:
        raise Refused(_("Say in a few words why you have to know; the privacy owner reads it."))
    identity = Identity.objects.filter(remark=row).select_related("blob__key").first()
    if identity is None:
        raise Refused(_("This remark is anonymous. Nobody knows who said it, the product neither."))
    try:
        found = _opened(identity)
    except vault.Unreadable:
        raise Refused(_("Who said this was erased and cannot be had any more.")) from None
    trail.record(Act.FEEDBACK_OPENED, row.trail_subject, by=by, at=at, personal={"reason": reason.strip()})
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.FEEDBACK,
            key=f"identity:{row.pk}:{by.pk}:{at.timestamp():.0f}",
            to=offices.to_tell(row.contract_id, [Office.PRIVACY_OWNER], at=at),
            subject_ref=row.reference,
            path=row.path,
            facts={"says": "feedback.opened", "who": by.name},
        ),
        at=at,
    )
    return found
