"""Customers and their addresses: found, added, changed, set on a ticket, joined where two are one (clauses 4.1, 6.1).

Whoever works on a customer's tickets may change the record; what the person may not know stays out of every refusal.
What was said keeps the customer who said it: nothing here rewrites an interaction. Tickets are locked before customers.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import zoneinfo
from collections.abc import Collection, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from simple_history.utils import bulk_update_with_history

from csp import access, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Address, Customer, Hold, Mailbox, TrailEntry, User
from csp.privacy import locking
from csp.roles import Permission
from tickets.conversation import Direction, Purpose, family, lock, lock_all
from tickets.models import Interaction, Ticket
from tickets.reach import check_can_work, check_is_real

Kind = Address.Kind
FIELDS = ("name", "organisation", "language", "zone", "note")
UNDO_WITHIN = dt.timedelta(hours=24)
_MOST = 20  # addresses of one customer
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


class Taken(Refused):
    """Another customer has this address."""

    def __init__(self, customer: Customer) -> None:
        super().__init__(_("Another customer has this address. If both are one person, join them."))
        self.customer = customer


# ---------------------------------------------------------------- finding


def find_address(address: str) -> Address | None:
    """This mail address, with the customer whom it belongs to, if we know it."""
    value = address.strip().lower()
    if not value:
        return None
    return Address.objects.filter(kind=Kind.MAIL, value=value).select_related("customer").first()


def serves(customer: Customer, user: User) -> bool:
    """Whether this person works on a ticket of the customer's that they may see."""
    return Ticket.objects.workable_by(user).real().filter(customer=customer.pk).exists()


def may_change(customer: Customer, user: User) -> bool:
    return customer.erased_at is None and customer.joined_into_id is None and serves(customer, user)


# ---------------------------------------------------------------- adding


def customer_for(
    address: str, name: str, *, at: dt.datetime, language: str = "", by: trail.Actor = "intake"
) -> Customer:  # fmt: skip
    """The customer with this mail address; a new one where nobody has it yet."""
    found = find_address(address)
    return found.customer if found is not None else new_customer(address, name, at=at, language=language, by=by)


def new_customer(
    address: str, name: str, *, at: dt.datetime, language: str = "", by: trail.Actor = "intake"
) -> Customer:  # fmt: skip
    """A customer whom we have not met before, with this mail address."""
    value = address.strip().lower()
    try:
        with transaction.atomic():
            customer = Customer.objects.create(name=name.strip()[:200], language=language, created_at=at)
            row = Address.objects.create(customer=customer, value=value, is_primary=True, created_at=at)
    except IntegrityError:  # somebody else met this customer in the same instant
        return Address.objects.select_related("customer").get(kind=Kind.MAIL, value=value).customer
    _record_added(customer, [row], by=by, at=at)
    return customer


def _record_added(customer: Customer, rows: Iterable[Address], *, by: trail.Actor, at: dt.datetime) -> None:
    addresses = list(rows)
    trail.record(
        Act.CUSTOMER_ADDED, f"customer:{customer.pk}", by=by, at=at,
        facts={"addresses": [row.pk for row in addresses]},
        personal={"name": customer.name, "addresses": ", ".join(row.value for row in addresses)},
    )  # fmt: skip


@transaction.atomic
def find_or_add(*, name: str, email: str, phone: str, by: User, at: dt.datetime) -> Customer:
    """The customer whom these words name: the one who has the address already, else a new one. Raises Refused.

    Whoever types an address may have a ticket of its owner's; the record is changed by those alone who serve the
    customer, and by nobody while it is locked.
    """
    access.check(by, Permission.OPEN_TICKETS, at=at)
    mail, number = (normalised(Kind.MAIL, email) if email else ""), (normalised(Kind.PHONE, phone) if phone else "")
    known = [
        row.customer
        for kind, value in ((Kind.MAIL, mail), (Kind.PHONE, number))
        for row in Address.objects.filter(kind=kind, value=value).select_related("customer")
        if value
    ]
    if not (known or mail or number or name.strip()):
        raise Refused(_("Say who it is: choose a customer, or give a name or an address."))
    if known:
        customer = known[0]
        # a number that the one with the mail address does not have yet; never one that is another's
        if mail and number and not Address.objects.filter(kind=Kind.PHONE, value=number).exists():
            row = _locked(customer)
            if may_change(row, by) and not locking.is_locked("customer", row.pk):
                _add(row, Kind.PHONE, number, by=by, at=at)
        return customer
    customer = Customer.objects.create(name=name.strip()[:200], created_at=at)
    rows = [
        Address.objects.create(customer=customer, kind=kind, value=value, is_primary=True, created_at=at)
        for kind, value in ((Kind.MAIL, mail), (Kind.PHONE, number))
        if value
    ]
    _record_added(customer, rows, by=by, at=at)
    return customer


# ---------------------------------------------------------------- changing


def _locked(customer: Customer) -> Customer:
    return Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)


def _all_locked(numbers: Iterable[int]) -> dict[int, Customer]:
    """These customers by number, locked in its order, so that two who need the same ones do not wait in a circle."""
    rows = Customer.objects.select_for_update(no_key=True).filter(pk__in=list(numbers)).order_by("pk")
    return {row.pk: row for row in rows}


def _for_change(customer: Customer, by: User) -> Customer:
    """The customer, locked, for somebody who may change the record. Raises Refused."""
    row = _locked(customer)
    _check_stands(row)
    if not serves(row, by):
        raise Refused(_("Only whoever works on a ticket of this customer changes the record."))
    return row


def _check_stands(row: Customer) -> None:
    if row.erased_at is not None:
        raise Refused(_("This customer has been erased."))
    if row.joined_into_id is not None:
        raise Refused(_("This customer was joined to another. Change that one."))
    locking.check_is_open("customer", row.pk)


@transaction.atomic
def change(
    customer: Customer, *, by: User, at: dt.datetime, name: str, organisation: str, language: str, zone: str, note: str
) -> Customer:
    """Say who somebody is, in which language and zone they are written to, and what all who serve them should know."""
    row = _for_change(customer, by)
    said = {"name": " ".join(name.split())[:200], "organisation": " ".join(organisation.split())[:200],
            "language": language.strip(), "zone": zone.strip(), "note": note.strip()[:5000]}  # fmt: skip
    if said["language"] and not _LANGUAGE.fullmatch(said["language"]):
        raise Refused(_("This is no language that we know."))
    if said["zone"] and said["zone"] not in zoneinfo.available_timezones():
        raise Refused(_("This is no time zone that we know. Write it as Europe/Berlin."))
    changed = {field: (getattr(row, field), value) for field, value in said.items() if getattr(row, field) != value}
    if not changed:
        return row
    for field, (_old, value) in changed.items():
        setattr(row, field, value)
    row.save()
    trail.record(
        Act.CUSTOMER_CHANGED, f"customer:{row.pk}", by=by, at=at, facts={"fields": sorted(changed)},
        personal={field: f"{old} → {new}" for field, (old, new) in changed.items()},
    )  # fmt: skip
    return row


def normalised(kind: str, value: str) -> str:
    """An address in the form that it is compared by. Raises Refused for what is none, and for one of our own."""
    value = value.strip().lower()
    if kind == Kind.PHONE:
        digits = "".join(sign for sign in value if sign in "0123456789+")
        digits = digits[:1] + digits[1:].replace("+", "")
        if not 5 <= len(digits.lstrip("+")) <= 20:
            raise Refused(_("A telephone number has between five and twenty digits."))
        return digits
    try:
        validate_email(value)
    except ValidationError:
        raise Refused(_("This address cannot be written to. Check its letters.")) from None
    if len(value) > 254:
        raise Refused(_("This address cannot be written to. Check its letters."))
    if Mailbox.objects.filter(address__iexact=value).exists():
        raise Refused(_("This is one of our own addresses."))
    return value


@transaction.atomic
def add_address(
    customer: Customer, *, kind: str, value: str, by: User, at: dt.datetime, is_primary: bool = False
) -> Address:
    """Another address or number of a customer; their mail from there is theirs from now on. Raises Refused, Taken.

    What waited for an acknowledgement because no address was known is acknowledged now.
    """
    value = normalised(kind, value)
    roots = _lock_unacknowledged(customer) if kind == Kind.MAIL else ()
    row = _for_change(customer, by)
    known = Address.objects.filter(kind=kind, value=value).select_related("customer").first()
    if known is not None and known.customer_id != row.pk:
        raise Taken(known.customer)
    if known is not None:
        raise Refused(_("This customer has this address already."))
    if row.addresses.count() >= _MOST:
        raise Refused(_("This customer has %(most)d addresses. Remove one first.") % {"most": _MOST})
    address = _add(row, kind, value, by=by, at=at)
    if is_primary and not address.is_primary:
        _prefer(address)
    if roots:
        _acknowledge_after_all(roots, at=at)
    return address


def _add(customer: Customer, kind: str, value: str, *, by: User, at: dt.datetime) -> Address:
    first = not customer.addresses.filter(kind=kind, is_primary=True).exists()
    try:
        with transaction.atomic():
            address = Address.objects.create(
                customer=customer, kind=kind, value=value, is_primary=first, created_at=at
            )  # fmt: skip
    except IntegrityError:  # in the same instant
        raise Taken(Address.objects.select_related("customer").get(kind=kind, value=value).customer) from None
    trail.record(
        Act.ADDRESS_ADDED, f"customer:{customer.pk}", by=by, at=at,
        facts={"address": address.pk, "kind": kind}, personal={"address": value},
    )  # fmt: skip
    return address


def _prefer(address: Address) -> None:
    for other in Address.objects.filter(customer=address.customer_id, kind=address.kind, is_primary=True):
        other.is_primary = False
        other.save(update_fields=["is_primary"])
    address.is_primary = True
    address.save(update_fields=["is_primary"])


@transaction.atomic
def make_primary(address: Address, *, by: User, at: dt.datetime) -> Address:
    """The address that is used where the customer did not write to us themselves. Raises Refused."""
    customer = _for_change(address.customer, by)
    row = customer.addresses.filter(pk=address.pk).first()
    if row is None:
        raise Refused(_("This is no address of the customer."))
    if not row.is_primary:
        _prefer(row)
        trail.record(
            Act.CUSTOMER_CHANGED, f"customer:{customer.pk}", by=by, at=at,
            facts={"fields": ["primary"], "address": row.pk, "kind": row.kind},
        )  # fmt: skip
    return row


@transaction.atomic
def remove_address(address: Address, *, by: User, at: dt.datetime) -> None:
    """An address that is not theirs, or no more. Links to requests that went there end with it. Raises Refused."""
    customer = _for_change(address.customer, by)
    row = customer.addresses.filter(pk=address.pk).first()
    if row is None:
        raise Refused(_("This is no address of the customer."))
    _check_not_held(customer)
    facts, personal = {"address": row.pk, "kind": row.kind}, {"address": row.value}
    was_primary, kind = row.is_primary, row.kind
    row.delete()
    heir = customer.addresses.filter(kind=kind).order_by(F("bounced_at").asc(nulls_first=True), "pk").first()
    if was_primary and heir is not None:
        _prefer(heir)
    trail.record(
        Act.ADDRESS_REMOVED, f"customer:{customer.pk}", by=by, at=at, facts=facts, personal=personal
    )  # fmt: skip


def _check_not_held(customer: Customer) -> None:
    if Hold.objects.standing().filter(kind=Hold.Kind.CUSTOMER, number=customer.pk).exists():
        raise Refused(
            _("The records of this customer are held, and stay as they are. The hold has to be lifted first.")
        )


# ---------------------------------------------------------------- whose ticket it is


@transaction.atomic
def set_customer(ticket: Ticket, *, customer: Customer, by: User, at: dt.datetime, is_named: bool = False) -> Ticket:
    """Say whose ticket it is, or correct it; with all that was merged into it. Raises Refused.

    From now on an answer goes to the customer where nobody wrote by mail, and their mail about it is a participant's.
    What could not be acknowledged for want of an address is acknowledged. The links that another customer had to it
    end. `is_named`: the person gave the customer's address, and so need not serve them already.
    """
    root = lock(ticket)
    check_can_work(root, by, at=at)
    check_is_real(root)
    numbers = {customer.pk, *([root.customer_id] if root.customer_id else [])}
    rows = _all_locked(numbers)
    new = rows[customer.pk]
    _check_stands(new)
    if root.customer_id == new.pk:
        return root
    if not is_named and new.tickets.exists() and not serves(new, by):
        raise Refused(_("This customer cannot be chosen. Search again, or give an address."))
    before = root.customer_id
    if before is not None:
        locking.check_is_open("customer", before)
        _check_not_held(rows[before])
    members = list(Ticket.objects.filter(pk__in=family(root)))
    for each in members:
        each.customer = new
        each.language = new.language or each.language
        each.link_epoch += 1 if before is not None else 0
        each.save()
    root.refresh_from_db()
    _acknowledge_after_all([each.pk for each in members], at=at)
    root.refresh_from_db()
    trail.record(
        Act.CUSTOMER_SET, root.trail_subject, by=by, at=at, facts={"from": before, "to": new.pk}
    )  # fmt: skip
    return root


@transaction.atomic
def set_named(ticket: Ticket, *, name: str, email: str, phone: str, by: User, at: dt.datetime) -> Ticket:
    """The same for a customer who is not known yet, or whom an address names."""
    check_can_work(lock(ticket), by, at=at)
    customer = find_or_add(name=name, email=email, phone=phone, by=by, at=at)
    return set_customer(ticket, customer=customer, by=by, at=at, is_named=bool(email or phone))


def _lock_unacknowledged(customer: Customer) -> list[int]:
    """The customer's tickets that still owe an acknowledgement, locked with whatever speaks for them."""
    rows = Ticket.objects.filter(customer=customer.pk, acknowledge_next_at__isnull=True)
    owing = rows.filter(acknowledge__met_at__isnull=True, acknowledge__voided_at__isnull=True)
    numbers = list(owing.values_list("pk", flat=True))
    lock_all(numbers)
    return numbers


def _acknowledge_after_all(numbers: Collection[int], *, at: dt.datetime) -> None:
    """What nobody wrote by mail can be acknowledged once an address is known; why a person had to is over."""
    wrote = Interaction.objects.filter(
        ticket__in=numbers, direction=Direction.IN, sender_address__contains="@"
    ).exclude(purpose=Purpose.AUTOMATIC)  # fmt: skip
    rows = Ticket.objects.filter(pk__in=numbers, acknowledge_next_at__isnull=True).exclude(
        pk__in=wrote.values("ticket")
    )
    owing = rows.filter(acknowledge__met_at__isnull=True, acknowledge__voided_at__isnull=True)
    reached = owing.filter(customer__addresses__kind=Kind.MAIL).distinct().values_list("pk", flat=True)
    Ticket.objects.filter(pk__in=list(reached)).update(acknowledge_next_at=at, acknowledge_by_hand="")


# ---------------------------------------------------------------- two who are one


@transaction.atomic
def join(customer: Customer, *, into: Customer, by: User, at: dt.datetime) -> Customer:
    """Two customers are one person: addresses and tickets go to `into`, which fills its gaps. Raises Refused.

    What was said stays under the number that it was said
    under (`Customer.known_as`). It can be undone for a day (`part`).
    """
    if customer.pk == into.pk:
        raise Refused(_("This is one customer already."))
    tickets = lock_all(Ticket.objects.filter(customer=customer.pk).values_list("pk", flat=True))
    rows = _all_locked([customer.pk, into.pk])
    gone, kept = rows[customer.pk], rows[into.pk]
    for row in (gone, kept):
        _check_stands(row)
        if not serves(row, by):
            raise Refused(_("Only whoever works on tickets of both joins two customers."))
    _check_not_held(gone)
    _check_works_in(Ticket.objects.filter(pk__in=tickets), by, at=at)
    addresses = list(gone.addresses.order_by("pk"))
    primary = [row.pk for row in addresses if row.is_primary]
    has = set(kept.addresses.filter(is_primary=True).values_list("kind", flat=True))
    for address in addresses:
        address.customer = kept
        address.is_primary = address.is_primary and address.kind not in has
        address.save()
    filled = [field for field in FIELDS if getattr(gone, field) and not getattr(kept, field)]
    for field in filled:
        setattr(kept, field, getattr(gone, field))
    if filled:
        kept.save()
    numbers = sorted(tickets)
    _give(numbers, kept)
    gone.joined_into, gone.joined_at = kept, at
    gone.save()
    trail.record_all(
        [
            trail.Entry(
                Act.CUSTOMERS_JOINED, f"customer:{gone.pk}", by=by, at=at,
                facts={"into": kept.pk, "tickets": numbers, "addresses": [row.pk for row in addresses],
                       "primary": primary, "filled": filled},
            ),
            trail.Entry(Act.CUSTOMERS_JOINED, f"customer:{kept.pk}", by=by, at=at, facts={"from": gone.pk}),
            *(
                trail.Entry(Act.CUSTOMER_SET, f"ticket:{number}", by=by, at=at,
                            facts={"from": gone.pk, "to": kept.pk, "joined": True})
                for number in numbers
            ),
        ]
    )  # fmt: skip
    return kept


@transaction.atomic
def part(customer: Customer, *, by: User, at: dt.datetime) -> Customer:
    """Take a join back within the day: what came along goes back, with what came from those addresses since.

    Raises Refused where tickets of both were merged meanwhile.
    """
    first = Customer.objects.get(pk=customer.pk)
    if first.joined_into_id is None or first.joined_at is None:
        raise Refused(_("This customer is not joined to another."))
    if at - first.joined_at > UNDO_WITHIN:
        raise Refused(_("This can be undone for a day, and that is over. Set the customer of each ticket instead."))
    did = _what_joining_did(first)
    theirs = Ticket.objects.filter(customer=first.joined_into_id)
    own = set(
        Address.objects.filter(pk__in=did["addresses"], customer=first.joined_into_id).values_list("pk", flat=True)
    )
    values = list(Address.objects.filter(pk__in=own, kind=Kind.MAIL).values_list("value", flat=True))
    since = theirs.filter(opened_at__gte=first.joined_at).exclude(pk__in=did["tickets"])
    wrote = Interaction.objects.filter(ticket__in=since, direction=Direction.IN, sender_address__in=values)
    numbers = {
        *theirs.filter(pk__in=did["tickets"]).values_list("pk", flat=True),
        *wrote.values_list("ticket", flat=True),
    }
    lock_all(numbers)
    rows = _all_locked([first.pk, first.joined_into_id])
    gone, kept = rows[first.pk], rows[first.joined_into_id]
    if gone.joined_into_id != kept.pk:
        raise Refused(_("Somebody has just taken them apart."))
    _check_stands(kept)
    if not serves(kept, by):
        raise Refused(_("Only whoever works on tickets of both joins two customers."))
    _check_works_in(Ticket.objects.filter(pk__in=numbers), by, at=at)
    if Hold.objects.standing().filter(kind=Hold.Kind.CUSTOMER, number=kept.pk, placed_at__gte=first.joined_at).exists():
        _check_not_held(kept)
    _check_not_mixed(numbers)
    for address in Address.objects.filter(pk__in=own).order_by("pk"):
        was_primary = address.is_primary
        address.customer, address.is_primary = gone, address.pk in did["primary"]
        address.save()
        heir = kept.addresses.filter(kind=address.kind).order_by("pk").first() if was_primary else None
        if heir is not None and not kept.addresses.filter(kind=address.kind, is_primary=True).exists():
            _prefer(heir)
    for field in did["filled"]:
        if getattr(kept, field) == getattr(gone, field):
            setattr(kept, field, "")
    if did["filled"]:
        kept.save()
    _give(sorted(numbers), gone)
    gone.joined_into, gone.joined_at = None, None
    gone.save()
    trail.record_all(
        [
            trail.Entry(Act.CUSTOMERS_PARTED, f"customer:{gone.pk}", by=by, at=at,
                        facts={"from": kept.pk, "tickets": sorted(numbers), "addresses": sorted(own)}),
            trail.Entry(Act.CUSTOMERS_PARTED, f"customer:{kept.pk}", by=by, at=at, facts={"out": gone.pk}),
            *(
                trail.Entry(Act.CUSTOMER_SET, f"ticket:{number}", by=by, at=at,
                            facts={"from": kept.pk, "to": gone.pk, "joined": False})
                for number in sorted(numbers)
            ),
        ]
    )  # fmt: skip
    return gone


def may_part(customer: Customer, *, at: dt.datetime) -> bool:
    return customer.joined_at is not None and at - customer.joined_at <= UNDO_WITHIN


def _what_joining_did(customer: Customer) -> dict[str, Any]:
    entries = TrailEntry.objects.filter(act=Act.CUSTOMERS_JOINED, subject=f"customer:{customer.pk}").order_by("-pk")
    for entry in entries:
        facts: dict[str, Any] = json.loads(entry.facts)
        if facts.get("into") == customer.joined_into_id:
            return facts
    raise Refused(_("It is not on record what this join did. Set the customer of each ticket instead."))


def _check_works_in(tickets: Any, by: User, at: dt.datetime) -> None:
    """All the tickets that move are of teams in which the person works."""
    teams = set(tickets.order_by().values_list("team", flat=True).distinct())
    if teams - access.scope_of(by, at=at).teams_where(Permission.WORK_TICKETS):
        raise Refused(_("Another team serves this customer as well. Ask somebody who works in both teams."))


def _check_not_mixed(numbers: Collection[int]) -> None:
    within = Ticket.objects.filter(pk__in=numbers)
    crosses = within.filter(merged_into__isnull=False).exclude(merged_into__in=numbers).exists()
    if crosses or Ticket.objects.filter(merged_into__in=numbers).exclude(pk__in=numbers).exists():
        raise Refused(_("Tickets of both were merged since. Undo that first."))


def _give(numbers: Iterable[int], customer: Customer) -> None:
    """These tickets are this customer's."""
    rows = list(Ticket.objects.filter(pk__in=list(numbers)))
    for row in rows:
        row.customer = customer
    if rows:
        bulk_update_with_history(rows, Ticket, ["customer"], batch_size=200)
