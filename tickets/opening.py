"""Tickets that people open: a contact that did not come by mail, or the first word of ours (clauses 1.2, 4.1)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Customer, Mailbox, Team, User
from csp.roles import Permission
from tickets import calls, contact_records, customers, handling
from tickets.conversation import Direction, File, Kind, Said, derive, lock
from tickets.models import Interaction, Ticket
from tickets.reach import check_can_work

CONTACT_KINDS = {
    Ticket.Channel.PHONE: Kind.CALL,
    Ticket.Channel.LETTER: Kind.LETTER,
    Ticket.Channel.VISIT: Kind.VISIT,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Who:
    """Somebody as they are named to us, known already or not."""

    name: str = ""
    email: str = ""
    phone: str = ""


def _known(who: Customer | Who, *, by: User, at: dt.datetime) -> Customer:
    if isinstance(who, Customer):
        return who
    return customers.find_or_add(name=who.name, email=who.email, phone=who.phone, by=by, at=at)


@transaction.atomic
def write_down(
    *,
    team: Team,
    customer: Customer | Who,
    channel: Ticket.Channel,
    received_at: dt.datetime,
    subject: str,
    body: str,
    by: User,
    at: dt.datetime,
    kind: Ticket.Kind = Ticket.Kind.INQUIRY,
    priority: Ticket.Priority = Ticket.Priority.NORMAL,
    files: Sequence[File] = (),
    assignee: User | None = None,
    talk: calls.Talk | None = None,
) -> Ticket:
    """Take down a call, a letter or a visit on the customer's behalf; its clocks run from receipt, not from typing.

    Of a call `talk` says more; without it the customer was talked to and not answered yet.
    """
    access.check(by, Permission.OPEN_TICKETS, team_id=team.pk, at=at)
    if channel not in CONTACT_KINDS:
        raise Refused(_("Say how the customer turned to us: by telephone, by letter or in person."))
    if received_at > at:
        raise Refused(_("This time is still to come. When did we receive it?"))
    customer = _known(customer, by=by, at=at)
    if channel == Ticket.Channel.LETTER:
        talk = None
        if not body.strip() and not files:
            raise Refused(_("Write down what the letter says, or choose its scan."))
    else:
        kind_of_talk = CONTACT_KINDS[channel]
        talk = dataclasses.replace(talk or calls.Talk(Direction.IN, received_at, body), kind=kind_of_talk)
        calls.check(talk, at)
        received_at = talk.received_at
        body = calls.words(talk)[0]
        files = [*files, *([talk.file] if talk.file else [])]
    said = Said(
        kind=CONTACT_KINDS[channel],
        direction=Direction.IN,
        body=body,
        occurred_at=received_at,
        author=by,
        customer=customer,
        sender_name=customer.name,
        subject=subject,
        duration=talk.length if talk else None,
        files=files,
    )
    ticket = handling.open_ticket(
        team=team,
        subject=subject,
        channel=channel,
        received_at=received_at,
        at=at,
        by=by,
        said=said,
        customer=customer,
        mailbox=mailbox_of(team),
        kind=kind,
        priority=priority,
        language=customer.language,
        assignee=assignee,
    )
    if talk is not None:
        calls.note_down(lock(ticket), ticket.interactions.get(), talk, by=by, at=at, seen_until=at)
    else:
        begin_letter(lock(ticket), ticket.interactions.get(), by=by, at=at, has_scan=bool(files))
    ticket.refresh_from_db()
    act = Act.CALL_LOGGED if channel == Ticket.Channel.PHONE else Act.CONTACT_LOGGED
    trail.record(act, ticket.trail_subject, by=by, at=at, facts={"received": received_at, "channel": channel})
    return ticket


@transaction.atomic
def log_letter(
    ticket: Ticket, *, received_at: dt.datetime, body: str, by: User, at: dt.datetime, files: Sequence[File] = ()
) -> Interaction:
    """Write down another letter of a ticket's customer. Its clock runs from the stamp, however late it is typed."""
    root = lock(ticket)
    check_can_work(root, by, at=at)
    if received_at > at:
        raise Refused(_("This time is still to come. When did we receive it?"))
    if not body.strip() and not files:
        raise Refused(_("Write down what the letter says, or choose its scan."))
    said = Said(
        kind=Kind.LETTER, direction=Direction.IN, body=body, occurred_at=received_at, author=by,
        customer=root.customer, sender_name=root.customer.name if root.customer else "", files=files,
    )  # fmt: skip
    row = handling.receive(root, said, at=at, by=by)
    begin_letter(lock(root), row, by=by, at=at, has_scan=bool(files))
    trail.record(
        Act.CONTACT_LOGGED, root.trail_subject, by=by, at=at, facts={"received": received_at, "interaction": row.pk}
    )
    return row


def begin_letter(root: Ticket, row: Interaction, *, by: User, at: dt.datetime, has_scan: bool) -> None:
    """The clock of a letter's scan, from its stamp."""
    contact_records.begin(root, row, starts_at=row.occurred_at, by=by, at=at, is_kept=has_scan)
    root.refresh_from_db()
    derive(root)


@transaction.atomic
def write_first(
    *,
    team: Team,
    customer: Customer | Who,
    subject: str,
    body: str,
    by: User,
    at: dt.datetime,
    kind: Ticket.Kind = Ticket.Kind.INQUIRY,
    priority: Ticket.Priority = Ticket.Priority.NORMAL,
    files: Sequence[File] = (),
) -> Ticket:
    """Write to a customer who has not asked anything: no clock runs until they answer."""
    access.check(by, Permission.OPEN_TICKETS, team_id=team.pk, at=at)
    customer = _known(customer, by=by, at=at)
    ticket = handling.open_ticket(
        team=team,
        subject=subject,
        channel=Ticket.Channel.STAFF,
        received_at=at,
        at=at,
        by=by,
        customer=customer,
        mailbox=mailbox_of(team),
        origin=Ticket.Origin.STAFF,
        kind=kind,
        priority=priority,
        language=customer.language,
        assignee=by,
    )
    handling.respond(ticket, by=by, at=at, body=body, seen_through={}, files=files)
    return ticket


def mailbox_of(team: Team) -> Mailbox | None:
    """The address that this team writes from."""
    return Mailbox.objects.filter(team=team, is_active=True).order_by("-is_default", "pk").first()
