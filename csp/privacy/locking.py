"""Locking a customer's records (article 18 GDPR): stored, and nothing else, until an instant known from the start.

    locking.lock(customer, by=, at=, until=, reason=)     on a person's request, for a time
    locking.keep_instead(customer, keeping, ...)          in an erasure, where the controller keeps a class of records
    locking.unlock(lock, by=, at=)                        the privacy owner ends one early
    locking.expire(at)                                    "every lock whose time is over": open again, or erased

A lock is on what was there and finished when it was set; what was open is added when it is closed. What is locked is
in no list, no search and on no page but the privacy owner's, and every verb refuses it: the apps leave it out of what
their querysets let people see (LockItem.standing_on). Whoever writes again is answered as ever, in a new ticket.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from csp import batches, offices, outbox, trail
from csp.access import Refused
from csp.contract import Term
from csp.events import Act
from csp.models import (
    Address,
    Contract,
    Customer,
    Erasure,
    Keeping,
    Lock,
    LockItem,
    OutboundMessage,
    User,
)
from csp.privacy import reach
from csp.roles import Office

ACTOR = "lock"
CUSTOMER = "customer"
LONGEST = dt.timedelta(days=3653)
BATCH = 100
What, Then = Keeping.What, Lock.Then


def is_locked(kind: str, number: int) -> bool:
    """Whether a lock is on this record, as the trail names it."""
    return LockItem.objects.filter(kind=kind, number=number, lock__ended_at__isnull=True).exists()


def check_is_open(kind: str, number: int) -> None:
    """Raise Refused for what is locked."""
    if is_locked(kind, number):
        raise Refused(_("This is locked for reasons of data protection. The privacy owner knows until when."))


def may_see(user: User, lock: Lock, at: dt.datetime) -> bool:
    return lock.contract_id in offices.contracts_of(user, Office.PRIVACY_OWNER, at=at)


def check_can_lock(contract_id: int, by: User, at: dt.datetime) -> None:
    if contract_id not in offices.contracts_of(by, Office.PRIVACY_OWNER, at=at):
        raise Refused(_("The privacy owner locks and unlocks the data of customers."))


@transaction.atomic
def lock(
    customer: Customer, *, contract: Contract, by: User, at: dt.datetime, until: dt.datetime, reason: str,
    request_ref: str = "",
) -> list[Lock]:  # fmt: skip
    """Lock all that is held of a customer, on request and for a time; the person is told. Raises Refused."""
    row = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    check_can_lock(contract.pk, by, at)
    if row.erased_at is not None:
        raise Refused(_("This customer has been erased already."))
    if not reason.strip():
        raise Refused(_("Say why it is locked; the person is told."))
    if not at < until <= at + LONGEST:
        raise Refused(_("Say until when, within ten years. A lock without an end is none."))
    found = []
    for what in What:
        if Lock.objects.standing().filter(customer=row, what=what).exists():
            continue
        found.append(
            Lock(customer=row, contract=contract, what=what, request_ref=request_ref[:40], reason=reason.strip(),
                 decided_by=by, starts_at=at, expires_at=until, then=Then.UNLOCK)
        )  # fmt: skip
    if not found:
        raise Refused(_("The data of this customer is locked already."))
    for each in found:
        _begin(each, by=by, at=at)
    _tell(found, at=at)
    return found


def keep_instead(customer: Customer, keeping: Keeping, *, erasure: Erasure, at: dt.datetime) -> Lock:
    """The lock on a class of records that is kept instead of erased; the one that stands, where one does."""
    standing = Lock.objects.standing().filter(customer=customer, what=keeping.what).first()
    if standing is not None and standing.then == Then.ERASE:
        return standing
    if standing is not None:
        _end(standing, by=None, at=at)
    row = Lock(
        customer=customer, contract=keeping.contract, what=keeping.what, keeping=keeping, erasure=erasure,
        request_ref=erasure.request_ref, reason=keeping.reason, decided_by=keeping.decided_by, starts_at=at,
        expires_at=Term(months=keeping.months).ends(at, keeping.contract.zoneinfo), then=Then.ERASE,
    )  # fmt: skip
    _begin(row, by=ACTOR, at=at)
    _tell([row], at=at)
    return row


def _begin(row: Lock, *, by: trail.Actor, at: dt.datetime) -> None:
    row.save(force_insert=True)
    _add_items(row)
    trail.record(
        Act.LOCKED, row.trail_subject, by=by, at=at, context=f"customer:{row.customer_id}",
        facts={"what": row.what, "until": row.expires_at, "then": row.then, "request": row.request_ref,
               "keeping": row.keeping_id, "erasure": row.erasure_id, "decided_by": f"user:{row.decided_by_id}"},
        personal={"reason": row.reason},
    )  # fmt: skip


def _add_items(row: Lock) -> int:
    """Put the lock on what is finished, was there when it was set, and is not under it yet. Returns how many."""
    known = set(row.items.values_list("kind", "number"))
    fresh = []
    if row.what == What.TICKETS and (CUSTOMER, row.customer_id) not in known:
        fresh.append((CUSTOMER, row.customer_id))
    for head in reach.heads(row.customer):
        record = head.row() if head.kind == row.what else None
        if record is None or getattr(record, "is_unfinished", False) or record.received_at > row.starts_at:
            continue
        fresh += [(head.kind, number) for number in reach.families(head) if (head.kind, number) not in known]
    LockItem.objects.bulk_create(LockItem(lock=row, kind=kind, number=number) for kind, number in fresh)
    return len(fresh)


def extend(at: dt.datetime, *, limit: int = BATCH) -> int:
    """Put standing locks on what was still open when they were set and has been closed since. Returns how many."""
    standing = Lock.objects.standing().filter(starts_at__lt=at).order_by("pk")
    return batches.each(standing.values_list("pk", flat=True)[: batches.FAR], _extend, limit=limit)


@transaction.atomic(durable=True)
def _extend(number: int) -> int:
    row = _locked(number)
    return _add_items(row) if row is not None else 0


def _tell(rows: list[Lock], *, at: dt.datetime) -> None:
    """Tell the person what is locked, on which ground and until when (article 12(4) GDPR)."""
    customer, contract = rows[0].customer, rows[0].contract
    mails = Address.objects.filter(customer=customer, kind=Address.Kind.MAIL).order_by("-is_primary", "pk")
    address = mails.values_list("value", flat=True).first()
    if address is None:
        return
    with translation.override(customer.language or None):
        until = rows[0].expires_at.astimezone(contract.zoneinfo)
        lines = [_("We have locked what we hold of you: it is stored, and nobody works with it."), ""]
        for row in rows:
            lines.append(f"- {row.get_what_display()}")
            if row.keeping is not None:
                lines.append("  " + _("Kept instead of erased because of: %(basis)s") % {
                    "basis": row.keeping.get_basis_display()
                })  # fmt: skip
        lines += [
            "", rows[0].reason, "",
            _("The lock ends on %(day)s; what was locked is then %(then)s.") % {
                "day": until.strftime("%Y-%m-%d"), "then": rows[0].get_then_display()
            },
            _("You may object, and you may complain to the supervisory authority for data protection."),
            "", contract.company,
        ]  # fmt: skip
        mail = outbox.post(
            kind=OutboundMessage.Kind.PRIVACY, dedupe_key=f"lock:{rows[0].pk}", to=[address],
            subject=_("Your data is locked"), body="\n".join(lines) + "\n", at=at,
            headers={"Auto-Submitted": "auto-generated"},
        )  # fmt: skip
    for row in rows:
        row.told = mail
        row.save(update_fields=["told"])


# ---------------------------------------------------------------- its end


@transaction.atomic
def unlock(row: Lock, *, by: User, at: dt.datetime) -> Lock:
    """End a lock that was set on request, before its time. Raises Refused."""
    standing = _locked(row.pk)
    if standing is None:
        raise Refused(_("This lock has ended already."))
    check_can_lock(standing.contract_id, by, at)
    if standing.then == Then.ERASE:
        raise Refused(_("What is kept instead of being erased is not opened again. Order its erasure to end it."))
    return _end(standing, by=by, at=at)


def _locked(number: int) -> Lock | None:
    rows = Lock.objects.select_for_update(of=("self",), no_key=True).standing()
    row: Lock | None = rows.filter(pk=number).first()
    return row


def _end(row: Lock, *, by: User | None, at: dt.datetime) -> Lock:
    row.ended_at, row.ended_by = at, by
    row.save(update_fields=["ended_at", "ended_by"])
    trail.record(
        Act.UNLOCKED, row.trail_subject, by=by or ACTOR, at=at, context=f"customer:{row.customer_id}",
        facts={"what": row.what, "by_time": by is None, "then": row.then},
    )  # fmt: skip
    return row


def end_all(customer: Customer, *, but: Collection[str], at: dt.datetime) -> None:
    """Nothing is left to be locked, `but` of these classes: the customer is erased."""
    rows = Lock.objects.select_for_update(of=("self",), no_key=True).standing().filter(customer=customer)
    for row in rows.exclude(what__in=but).order_by("pk"):
        _end(row, by=None, at=at)


def end_expired(customer: Customer, *, at: dt.datetime) -> None:
    """End what was kept instead until now: it has just been erased."""
    rows = Lock.objects.select_for_update(of=("self",), no_key=True).standing().filter(customer=customer)
    for row in rows.filter(then=Then.ERASE, expires_at__lte=at).order_by("pk"):
        _end(row, by=None, at=at)


def expired(at: dt.datetime) -> Any:
    """The numbers of the standing locks whose time is over, the earliest first."""
    rows = Lock.objects.standing().filter(expires_at__lte=at)
    return rows.order_by("expires_at", "pk").values_list("pk", flat=True)


def expire(at: dt.datetime, *, limit: int = BATCH) -> int:
    """End the locks on request whose time is over; others end in an erasure (csp.privacy.erasing). Returns how many."""
    numbers = list(expired(at).filter(then=Then.UNLOCK)[: batches.FAR])
    return batches.each(numbers, functools.partial(_expire, at=at), limit=limit)


@transaction.atomic(durable=True)
def _expire(number: int, *, at: dt.datetime) -> int:
    row = _locked(number)
    if row is None:
        return 0
    _end(row, by=None, at=at)
    return 1


def read(row: Lock, *, by: User, at: dt.datetime, reason: str) -> None:
    """Say in the trail that the privacy owner looked at locked data, and why. Raises Refused."""
    if not may_see(by, row, at):
        raise Refused(_("The privacy owner locks and unlocks the data of customers."))
    if len(reason.strip()) < 5:
        raise Refused(_("Say in a few words why you have to look."))
    trail.record(
        Act.LOCK_READ, f"reading:{row.pk}:{by.pk}", by=by, at=at, context=f"customer:{row.customer_id}",
        personal={"reason": reason.strip()},
    )  # fmt: skip
