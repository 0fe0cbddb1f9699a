"""What tests are made of: people, customers, tickets and what happens to them, by the product's own verbs.

Every function takes names only and makes nothing up at random: what a test does not say is the same each time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from csp import agreement, deadlines, loops
from csp.models import Address, Contract, Customer, Deadline, Erasure, OutboundMessage, RoleGrant, Team, User
from csp.roles import Role
from tickets import delivery, handling
from tickets.conversation import Direction, Kind, Purpose, Said, Seen, inbound, root_number, seen_of
from tickets.models import Delivery, Interaction, Ticket

# Before every instant of every test; roles began then.
SINCE = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
# A Monday morning: where a test needs "now" and does not care when.
AT = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(hours=24)
SECOND = dt.timedelta(seconds=1)


def person(
    *,
    name: str,
    role: Role | None = None,
    team: Team | None = None,
    contract: Contract | None = None,
    email: str = "",
    since: dt.datetime = SINCE,
    active: bool = True,
    password: str | None = None,
) -> User:
    """Somebody with an account, and a role where one is named. Without a password nobody can sign in with one."""
    user = User.objects.create_user(
        email=email or f"{name.split()[0].lower()}@desk.example",
        password=password,
        name=name,
        joined_at=since,
        is_active=active,
        left_at=None if active else since,
    )
    if role is not None:
        grant(user=user, role=role, team=team, contract=contract, since=since)
    return user


def grant(
    *, user: User, role: Role, team: Team | None = None, contract: Contract | None = None, since: dt.datetime = SINCE
) -> RoleGrant:
    user.held_cache = None
    return RoleGrant.objects.create(user=user, role=role, team=team, contract=contract, starts_at=since)


def team(*, contract: Contract, name: str) -> Team:
    return Team.objects.create(contract=contract, name=name, created_at=SINCE)


def customer(*, name: str, address: str, organisation: str = "", language: str = "") -> Customer:
    row = Customer.objects.create(name=name, organisation=organisation, language=language, created_at=SINCE)
    Address.objects.create(customer=row, kind=Address.Kind.MAIL, value=address, is_primary=True, created_at=SINCE)
    return row


def address_of(*, customer: Customer) -> str:
    row = customer.addresses.filter(kind=Address.Kind.MAIL).order_by("-is_primary", "pk").first()
    return row.value if row else ""


def ticket(
    *,
    team: Team,
    customer: Customer,
    received_at: dt.datetime = AT,
    at: dt.datetime | None = None,
    subject: str = "The invoice is wrong",
    body: str = "Please look at the invoice of last month.",
    assignee: User | None = None,
    channel: Ticket.Channel = Ticket.Channel.MAIL,
    **more: object,
) -> Ticket:
    """A ticket opened by a customer's mail; `at` is when we took it in, if later than its receipt."""
    sender = address_of(customer=customer)
    return handling.open_ticket(
        team=team,
        subject=subject,
        channel=channel,
        received_at=received_at,
        at=at or received_at,
        by=customer,
        customer=customer,
        assignee=assignee,
        said=Said(
            kind=Kind.MAIL,
            direction=Direction.IN,
            body=body,
            occurred_at=received_at,
            customer=customer,
            sender_name=customer.name,
            sender_address=sender,
            subject=subject,
            message_id=f"<{received_at.timestamp()}@{sender.partition('@')[2]}>",
        ),
        **more,  # type: ignore[arg-type]  # whatever open_ticket takes
    )


def many_tickets(
    *, count: int, team: Team, customer: Customer, received_at: Sequence[dt.datetime], assignee: User | None = None
) -> None:
    """That many tickets with their two clocks, in few statements and without anything said; receipts go round."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select nextval(pg_get_serial_sequence('tickets_ticket', 'id')) from generate_series(1, %s)", [count]
        )
        numbers = [number for (number,) in cursor.fetchall()]
    version = agreement.in_force(team.contract, received_at[0])
    receipts = [received_at[index % len(received_at)] for index in range(count)]
    rows = deadlines.Deadline.objects.bulk_create(
        deadlines.draft(
            code,
            deadlines.Subject(
                ref=f"#{number}",
                path=f"/tickets/{number}/",
                contract=team.contract,
                team=team,
                responsible=assignee,
                context=f"ticket:{number}",
            ),
            version,
            starts_at=receipt,
        )
        for number, receipt in zip(numbers, receipts, strict=True)
        for code in ("acknowledge", "respond")
    )
    Ticket.objects.bulk_create(
        Ticket(
            pk=number,
            contract=team.contract,
            team=team,
            customer=customer,
            subject="One of many",
            channel=Ticket.Channel.MAIL,
            received_at=receipt,
            opened_at=receipt,
            assignee=assignee,
            acknowledge=rows[2 * index],
            respond=rows[2 * index + 1],
            next_obligation="respond",
            next_clause="3.1",
            next_starts_at=receipt,
            next_due_at=rows[2 * index + 1].due_at,
            last_interaction_at=receipt,
            changed_at=receipt,
        )
        for index, (number, receipt) in enumerate(zip(numbers, receipts, strict=True))
    )


def message(
    *, ticket: Ticket, at: dt.datetime, received_at: dt.datetime | None = None, body: str = "One more thing.",
    automatic: bool = False, sender: str = "", by: Customer | None = None,
) -> Interaction:  # fmt: skip
    """The customer writes again, or somebody else who has a part in it."""
    customer = by or ticket.customer
    assert customer is not None
    return handling.receive(
        ticket,
        Said(
            kind=Kind.MAIL,
            direction=Direction.IN,
            body=body,
            occurred_at=received_at or at,
            customer=customer,
            sender_name=customer.name,
            sender_address=sender or address_of(customer=customer),
            purpose=Purpose.AUTOMATIC if automatic else Purpose.NONE,
        ),
        at=at,
        by=customer,
    )


def on_screen(*, ticket: Ticket) -> dict[int, int]:
    """What somebody who has the ticket open sees: of each ticket that was merged, the last customer message."""
    return seen_of(inbound(Ticket(pk=root_number(ticket.pk))))


def answer(
    *,
    ticket: Ticket,
    by: User,
    at: dt.datetime,
    accepted_at: dt.datetime | None = None,
    body: str = "It is corrected; the new one is attached.",
    purpose: Interaction.Purpose = Purpose.ANSWER,
    seen_through: Seen | None = None,
    cc: Sequence[str] = (),
) -> Interaction:
    """Somebody writes to the customer; with `accepted_at` the mail also leaves the building then."""
    row = handling.respond(
        ticket,
        by=by,
        at=at,
        body=body,
        purpose=purpose,
        seen_through=on_screen(ticket=ticket) if seen_through is None else seen_through,
        cc=cc,
    )
    if accepted_at is not None:
        accept(interaction=row, at=accepted_at)
    return row


def accept(
    *, interaction: Interaction, at: dt.datetime, settle_at: dt.datetime | None = None, lost: Sequence[str] = ()
) -> None:
    """The mail server outside takes the message at that instant, but for `lost`; the product acts on it."""
    messages = OutboundMessage.objects.filter(pk=Delivery.objects.get(interaction=interaction).message_id)
    messages.update(lost=dict.fromkeys(lost, "550 no such person"))
    _end(interaction, OutboundMessage.State.ACCEPTED, at)
    delivery.settle(settle_at or at)


def refuse(*, interaction: Interaction, at: dt.datetime) -> None:
    """The mail server outside refuses the message for good, and the product acts on it."""
    _end(interaction, OutboundMessage.State.FAILED, at)
    delivery.settle(at)


def _end(interaction: Interaction, state: OutboundMessage.State, at: dt.datetime) -> None:
    way = Delivery.objects.select_related("message").get(interaction=interaction)
    way.message.state, way.message.ended_at = state, at
    way.message.accepted_at = at if state == OutboundMessage.State.ACCEPTED else None
    way.message.save()


def bounce(*, interaction: Interaction, at: dt.datetime, status: str = "5.1.1") -> None:
    """The message comes back."""
    delivery.bounce(Delivery.objects.get(interaction=interaction), at=at, status=status)


def erasure() -> Erasure:
    """An order to erase somebody, which the database asks for; nothing carries it out."""
    somebody = customer(name="Some Body", address="somebody@nowhere.example")
    return Erasure.objects.create(
        customer=somebody, contract=Contract.objects.get(), basis=Erasure.Basis.EXPIRY, approved_at=SINCE
    )


def clocks(*, ticket: Ticket, obligation: str = "") -> list[Deadline]:
    """The ticket's own deadlines, in the order in which they started."""
    rows = Deadline.objects.filter(subject_ref=ticket.reference).order_by("starts_at", "pk")
    return list(rows.filter(obligation=obligation) if obligation else rows)


def tick(*, at: dt.datetime) -> dict[str, int]:
    """Every rule loop once, each until dry, at that instant; what each of them did."""
    return {name: loops.run_dry(loop, at) for name, loop in loops.RULES.items()}
