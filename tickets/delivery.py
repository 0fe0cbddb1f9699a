"""What becomes of a message outside: accepted, refused or returned; and the duties that this meets or opens again.

Clause 3.1: a duty to tell a customer is met when the first server outside our control accepts the mail.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils.translation import gettext as _

from csp import agreement, batches, deadlines, notices, trail
from csp.events import Act
from csp.models import Address, Customer, Deadline, Notice, OutboundMessage
from tickets import complaints, reopening
from tickets.conversation import (
    ANSWERING,
    TEXT,
    Purpose,
    Seen,
    derive,
    family,
    follow_ups_are_inquiries,
    inbound,
    lock_all,
    obligations,
    root_number,
    running,
    subject_of,
)
from tickets.models import Delivery, Interaction, SpokenTo, Ticket

State = Ticket.State
# The obligations that a mail can keep.
TOLD = ("acknowledge", *ANSWERING, "progress_note")
_TEXT = [f"interaction__{name}" for name in TEXT]


def settle(at: dt.datetime, *, limit: int = 200) -> int:
    """Act on each outgoing message whose fate is known and that has not been acted on. Returns how many.

    Accepted outside: what it meets is met at the instant of acceptance. Refused for good: the duty stays open and
    people are asked to try another channel.
    """
    known = (OutboundMessage.State.ACCEPTED, OutboundMessage.State.FAILED, OutboundMessage.State.BOUNCED)
    waiting = (
        Delivery.objects.filter(settled_at__isnull=True, message__state__in=known)
        .order_by("message__ended_at", "pk")
        .values_list("pk", "interaction", "interaction__ticket")
    )
    return batches.each(list(waiting[: batches.FAR]), functools.partial(_settle_one, at=at), limit=limit)


def _unsettled() -> QuerySet[Delivery]:
    """Accepted outside, and not acted on yet."""
    return Delivery.objects.filter(settled_at__isnull=True, message__accepted_at__isnull=False)


def unsettled_since() -> dt.datetime | None:
    """The oldest acceptance that has not been acted on; a busy moment leaves some, a fault leaves them for good."""
    oldest: dt.datetime | None = _unsettled().aggregate(oldest=Min("message__accepted_at"))["oldest"]
    return oldest


def perhaps_kept(at: dt.datetime) -> list[int]:
    """Overdue deadlines that a mail may have kept, which was accepted in time and is not acted on yet.

    Nobody can say yet that these were broken. A mail that cannot be acted on holds back its own tickets' clocks alone.
    """
    spoken = _unsettled().values_list("interaction__speaks_to__ticket", "message__accepted_at")
    since: dict[str, dt.datetime] = {}
    for number, accepted_at in spoken.order_by("-message__accepted_at"):
        assert accepted_at is not None
        since[f"#{number}"] = accepted_at  # the oldest of a ticket's is the last to be said
    if not since:
        return []
    overdue = Deadline.objects.due_before(at).filter(
        subject_ref__in=since, obligation__in=TOLD, due_at__gte=min(since.values())
    )
    return [row.pk for row in overdue.only("subject_ref", "due_at") if row.due_at >= since[row.subject_ref]]


@dataclasses.dataclass(frozen=True, slots=True)
class _Mail:
    """An outgoing interaction outside: what it speaks to, and whom it reached, as far as we know now."""

    row: Interaction
    speaks_to: Seen
    accepted_at: dt.datetime
    reached: frozenset[str]

    @classmethod
    def of(cls, delivery: Delivery) -> _Mail:
        message = delivery.message
        assert message.accepted_at is not None
        return cls(
            delivery.interaction,
            {each.ticket_id: each.through for each in delivery.interaction.speaks_to.all()},
            message.accepted_at,
            frozenset(address.lower() for address in message.reached),
        )


@dataclasses.dataclass(slots=True)
class _Talk:
    """What customers said in some tickets, and at which addresses each of those who said it is reached."""

    heard: list[Interaction]
    addresses: dict[int, set[str]]  # of customers

    @classmethod
    def of(cls, numbers: Sequence[int]) -> _Talk:
        heard = inbound(Ticket(pk=numbers[0]), numbers)
        addresses: dict[int, set[str]] = {}
        customers = {row.customer_id for row in heard if row.customer_id is not None}
        known = Address.objects.filter(kind=Address.Kind.MAIL, customer__in=customers)
        for customer, value in known.values_list("customer", "value"):
            addresses.setdefault(customer, set()).add(value.lower())
        for customer in customers - addresses.keys():  # joined to another, who has the addresses now; or has none
            addresses[customer] = _addresses_since(customer)
        return cls(heard, addresses)

    def begun_by(self, clock: Deadline) -> Interaction | None:
        """The customer's message whose receipt started this clock."""
        own = [row for row in self.heard if f"#{row.ticket_id}" == clock.subject_ref]
        if clock.obligation == "follow_up":
            begun = [row for row in self.heard if row.occurred_at == clock.starts_at]
            own = [row for row in begun if row in own] or begun
        return min(own, key=lambda row: row.pk, default=None)

    def is_reached(self, mail: _Mail, said: Interaction | None) -> bool:
        """Whether the mail reached whoever said this: at the address it came from, or at another of that customer."""
        if said is None:
            return bool(mail.reached)
        theirs = self.addresses.get(said.customer_id or 0, set())
        if "@" in said.sender_address:
            theirs = theirs | {said.sender_address.lower()}
        return bool(mail.reached & theirs if theirs else mail.reached)

    def answered_through(self, mail: _Mail, number: int, *, before: int) -> int:
        """How far the customer's messages in this ticket are answered by this mail, from the first that were not."""
        through = mail.speaks_to[number]
        for row in self.heard:
            if row.ticket_id == number and before < row.pk <= through and not self.is_reached(mail, row):
                return max(before, row.pk - 1)
        return max(before, through)


def _addresses_since(customer: int) -> set[str]:
    """The mail addresses of whoever this customer was joined into."""
    row = Customer.objects.filter(pk=customer, joined_into__isnull=False).select_related("joined_into").first()
    while row is not None and row.joined_into is not None:
        row = row.joined_into
    found = Address.objects.filter(kind=Address.Kind.MAIL, customer=row) if row is not None else Address.objects.none()
    return {value.lower() for value in found.values_list("value", flat=True)}


def _does(mail: _Mail, clock: Deadline, talk: _Talk) -> bool:
    """Whether this mail does what this clock asks (CLAUSES 3.1): it speaks to it and reached whoever asked."""
    begun_by = talk.begun_by(clock)
    if int(clock.subject_ref[1:]) not in mail.speaks_to or not talk.is_reached(mail, begun_by):
        return False
    if clock.obligation == "acknowledge":
        if mail.row.purpose != Purpose.ACKNOWLEDGEMENT:
            return True  # a person's words always count
        return agreement.reading(clock.version, "automatic_acknowledgement_counts") == "yes"
    if mail.row.purpose != Purpose.ANSWER:
        return False
    if clock.obligation == "follow_up":
        return begun_by is None or begun_by.pk <= mail.speaks_to.get(begun_by.ticket_id, 0)
    return clock.obligation == "respond"


@transaction.atomic(durable=True)
def _settle_one(which: tuple[int, int, int], *, at: dt.datetime) -> int:
    pk, interaction, number = which
    spoken = SpokenTo.objects.filter(interaction=interaction).values_list("ticket", flat=True)
    try:
        roots = lock_all({number, *spoken}, if_free=True)
    except Ticket.DoesNotExist:
        return 0  # somebody works on it at this moment; the clock waits for nobody, and comes back
    delivery = (
        Delivery.objects.select_for_update(of=("self",), no_key=True)
        .select_related("interaction__author", "message")
        .defer(*_TEXT)
        .filter(pk=pk, settled_at__isnull=True)
        .first()
    )
    if delivery is None:
        return 0
    delivery.settled_at = at
    delivery.save(update_fields=["settled_at"])
    if delivery.message.accepted_at is not None:
        _accepted(roots, delivery, at)
    else:
        _failed(roots, delivery, at)
    return 1


def _accepted(roots: Mapping[int, Ticket], delivery: Delivery, at: dt.datetime) -> None:
    """The first server outside took the message: the duties that it does are met at that instant."""
    mail, row = _Mail.of(delivery), delivery.interaction
    families = {root: family(root) for root in set(roots.values())}
    numbers = sorted({number for members in families.values() for number in members})
    talk = _Talk.of(numbers)
    met = [clock for clock in running(roots[row.ticket_id], numbers=numbers) if _does(mail, clock, talk)]
    by: trail.Actor = row.author or "acknowledgements"
    deadlines.meet(met, at=mail.accepted_at, by=by, how=f"interaction:{row.pk}")
    if row.purpose == Purpose.ANSWER:
        answered = dict(Ticket.objects.filter(pk__in=mail.speaks_to).values_list("pk", "answered_through"))
        for number, before in answered.items():
            through = talk.answered_through(mail, number, before=before)
            if through != before:
                Ticket.objects.filter(pk=number).update(answered_through=through)
        for root, members in families.items():
            start_follow_up_of_unanswered(root, members, talk.heard, mail.accepted_at)
    for root, members in families.items():
        if row.purpose != Purpose.ACKNOWLEDGEMENT and mail.reached:
            complaints.told(root, at=mail.accepted_at, by=by, how=f"interaction:{row.pk}")
        derive(root, rows=obligations(root, members))
    lost = [address for address in row.to if address in delivery.message.lost]
    if lost:
        Address.objects.filter(kind=Address.Kind.MAIL, value__in=_lower(lost)).update(bounced_at=at)
        _tell_undelivered(roots[row.ticket_id], delivery, at)
    trail.record(
        Act.MESSAGE_ACCEPTED,
        roots[row.ticket_id].trail_subject,
        by="outbox",
        at=mail.accepted_at,
        facts={
            "interaction": row.pk,
            "message": delivery.message_id,
            "written": row.occurred_at,
            "met": [clock.pk for clock in met],
            "refused": len(lost),
        },
    )


def _lower(addresses: Iterable[str]) -> list[str]:
    return [address.lower() for address in addresses]


def start_follow_up_of_unanswered(
    root: Ticket,
    numbers: Sequence[int],
    heard: Sequence[Interaction],
    at: dt.datetime,
    *,
    by: trail.Actor = "outbox",
) -> None:
    """One running clock from the oldest unanswered message, where no clock runs that it waits under."""
    through = dict(Ticket.objects.filter(pk__in=numbers).values_list("pk", "answered_through"))
    behind = [row for row in heard if row.ticket_id in through and row.pk > through[row.ticket_id]]
    if not behind or running(root, *ANSWERING, numbers=numbers):
        return
    oldest = min(behind, key=lambda row: (row.occurred_at, row.pk))
    version = agreement.in_force(root.contract, oldest.occurred_at)
    if not follow_ups_are_inquiries(version):
        return
    deadlines.start(
        [deadlines.draft("follow_up", subject_of(root, oldest.ticket_id), version, starts_at=oldest.occurred_at)], at=at
    )  # fmt: skip
    if not root.is_unfinished or root.state == State.WAITING:
        _open_again(root, by=by, at=at)


def _open_again(root: Ticket, *, by: trail.Actor, at: dt.datetime) -> None:
    """Somebody has to act: no state may hide it."""
    reopening.bring_back(root, at=at, by=by)
    root.save()


def _failed(roots: Mapping[int, Ticket], delivery: Delivery, at: dt.datetime) -> None:
    for root in set(roots.values()):
        if not root.is_unfinished or root.state == State.WAITING:
            _open_again(root, by="outbox", at=at)
    root = roots[delivery.interaction.ticket_id]
    if delivery.interaction.purpose == Purpose.ACKNOWLEDGEMENT:
        owed = Ticket.objects.filter(pk__in=delivery.interaction.speaks_to.values("ticket"))
        owed.update(acknowledge_by_hand=f"{_('It was refused:')} {delivery.message.answer}"[:200])
    _tell_undelivered(root, delivery, at)
    trail.record(
        Act.MESSAGE_FAILED,
        root.trail_subject,
        by="outbox",
        at=at,
        facts={"interaction": delivery.interaction_id, "message": delivery.message_id},
    )


def _tell_undelivered(root: Ticket, delivery: Delivery, at: dt.datetime) -> None:
    rungs = notices.Rungs(at)
    author = delivery.interaction.author or root.assignee
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.DELIVERY,
            key=f"undelivered:{delivery.pk}",
            to=[author] if author and author.is_active else rungs.supervisors(root.team_id),
            subject_ref=root.reference,
            path=root.path,
        ),
        at=at,
    )


@transaction.atomic
def bounce(delivery: Delivery, *, at: dt.datetime, status: str, lost: Collection[str] = ()) -> None:
    """A message that had been accepted came back for good from these addressees, or from all where none is named.

    What it met for them is owed again, with the first due time. Where something else did arrive meanwhile that does
    the same, the duty is met by that, at its own time.
    """
    row = delivery.interaction
    roots = lock_all({row.ticket_id, *row.speaks_to.values_list("ticket", flat=True)})
    delivery = (
        Delivery.objects.select_for_update(no_key=True, of=("self", "message"))
        .select_related("interaction__author", "message")
        .defer(*_TEXT)
        .get(pk=delivery.pk)
    )
    message = delivery.message
    wanted = {address.lower() for address in lost or message.to}
    fresh = [each for each in message.to if each.lower() in wanted and each not in message.lost]
    message.lost |= dict.fromkeys(fresh, status[:200])
    if delivery.bounced_at is not None or not (fresh or not message.reached):
        return
    if not message.reached:
        delivery.bounced_at, delivery.bounce_status = at, status[:100]
        delivery.settled_at = delivery.settled_at or at
        delivery.save(update_fields=["bounced_at", "bounce_status", "settled_at"])
        if message.state == OutboundMessage.State.ACCEPTED:
            message.state, message.answer = OutboundMessage.State.BOUNCED, status[:500]
    message.save(update_fields=["lost", "state", "answer"])
    again = _owed_again(roots, delivery, at)
    for root in set(roots.values()):
        root.refresh_from_db()  # its clocks may be other ones now
        members = family(root)
        owed = {clock.subject_ref for clock in again} & {f"#{number}" for number in members}
        if owed and (not root.is_unfinished or root.state == State.WAITING):
            _open_again(root, by="bounces", at=at)
        derive(root, rows=obligations(root, members))
    Address.objects.filter(kind=Address.Kind.MAIL, value__in=_lower(fresh)).update(bounced_at=at)
    _tell_undelivered(roots[row.ticket_id], delivery, at)
    trail.record(
        Act.MESSAGE_BOUNCED,
        roots[row.ticket_id].trail_subject,
        by="bounces",
        at=at,
        facts={
            "interaction": delivery.interaction_id,
            "message": delivery.message_id,
            "status": status[:100],
            "reopened": [clock.pk for clock in again],
        },
    )


def doubt(delivery: Delivery, *, at: dt.datetime) -> None:
    """A report says that this came back from somebody it did not go to. People look; no clock moves by such a word."""
    _tell_undelivered(Ticket.objects.get(pk=root_number(delivery.interaction.ticket_id)), delivery, at)


def _owed_again(roots: Mapping[int, Ticket], delivery: Delivery, at: dt.datetime) -> list[Deadline]:
    """Open again what this mail met and does no more; returns what is still owed after all that did arrive."""
    root, row = roots[delivery.interaction.ticket_id], delivery.interaction
    families = {each: family(each) for each in set(roots.values())}
    numbers = sorted({number for members in families.values() for number in members})
    talk = _Talk.of(numbers)
    told = SpokenTo.objects.filter(ticket__in=numbers).values("interaction")
    arrived = [
        _Mail.of(way)
        for way in Delivery.objects.filter(
            interaction__in=told, settled_at__isnull=False, message__accepted_at__isnull=False
        )
        .select_related("interaction__author", "message")
        .defer(*_TEXT)
        .prefetch_related("interaction__speaks_to")
        .order_by("message__accepted_at", "pk")
    ]
    owed = []
    for clock in obligations(root, numbers):
        if clock.met_how != f"interaction:{row.pk}":
            continue
        met_after_all = next((mail for mail in arrived if _does(mail, clock, talk)), None)
        if met_after_all is not None and met_after_all.row == row:
            continue  # it reached whom this clock is about
        fresh = deadlines.reopen(
            clock,
            at=at,
            by="bounces",
            reason="bounced",
            owed_until=met_after_all.accepted_at if met_after_all else None,
        )
        Ticket.objects.filter(acknowledge=clock).update(acknowledge=fresh)
        Ticket.objects.filter(respond=clock).update(respond=fresh)
        if met_after_all:
            by: trail.Actor = met_after_all.row.author or "acknowledgements"
            how = f"interaction:{met_after_all.row.pk}"
            deadlines.meet([fresh], at=met_after_all.accepted_at, by=by, how=how)
        else:
            owed.append(fresh)
    if row.purpose == Purpose.ANSWER:
        for number in row.speaks_to.values_list("ticket", flat=True):
            through = 0
            for mail in arrived:
                if number in mail.speaks_to and mail.row.purpose == Purpose.ANSWER:
                    through = talk.answered_through(mail, number, before=through)
            Ticket.objects.filter(pk=number).update(answered_through=through)
        for each, members in families.items():
            start_follow_up_of_unanswered(each, members, talk.heard, at)
    return owed
