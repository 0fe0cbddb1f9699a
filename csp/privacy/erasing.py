"""Erasing a customer (clause 6.1): identity and content go now, everywhere; skeleton, clocks and proof stay.

    erasing.preview(customer)                            what would go, what stays and why; changes nothing
    erasing.erase(customer, by=, at=, basis=, ...)       order it; the product carries it out from now on
    erasing.carry_out(at)                                "every ordered erasure that is not done", a record at a time

Each record is one transaction, so a killed one has done nothing, and what is done is not done twice; the customer comes
last. A record that is held, or of a class that the controller locks instead (Keeping), stays, and the certificate says
so. One that is still open waits until it is closed: whoever asked for something is answered first. What a hold kept is
erased by itself once the hold is lifted.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from csp import batches, clock, offices, trail, vault
from csp.access import Refused
from csp.events import Act
from csp.models import (
    BlobKey,
    Contract,
    Customer,
    Erasure,
    ErasureItem,
    ErasureLine,
    Hold,
    Keeping,
    Lock,
    OutboundMessage,
    User,
)
from csp.privacy import blanking, ledger, locking, reach
from csp.privacy.reach import Head, Rows
from csp.roles import Office

Basis, Outcome = Erasure.Basis, ErasureItem.Outcome
ACTOR = "erasure"
CUSTOMER = "customer"
BATCH = 50
# A last mail that nobody took in this time is given up, and blanked.
FAREWELL = dt.timedelta(days=7)


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """One record as a preview shows it. Of `kept_by` and `waits` one says why it does not go now, if it does not."""

    kind: str
    number: int
    reference: str
    rows: dict[str, int]  # how many of which table say something
    kept_by: str = ""  # a hold, or a class that is locked and kept
    waits: bool = False  # until it is closed


# ---------------------------------------------------------------- before


def preview(customer: Customer, *, at: dt.datetime | None = None) -> list[Listed]:
    """What an erasure would do to each record of the customer's; the customer last. Changes nothing."""
    when = at or clock.now()
    found = reach.heads(customer)
    listed = []
    for head in found:
        rows = reach.reach({head.model: reach.families(head)})
        hold = reach.held_by(customer, head, rows)
        keeping = None if hold else _keeping(head, when)
        listed.append(
            Listed(
                head.kind,
                head.number,
                _reference(head),
                _counts(rows),
                hold or (str(keeping) if keeping else ""),
                _is_open(head),
            )
        )
    kept = next((row.kept_by for row in listed if row.kept_by and row.kind != Keeping.What.FEEDBACK), "")
    rows = _rows_of_customer(customer, others=found)
    listed.append(
        Listed(CUSTOMER, customer.pk, str(customer.pk), _counts(rows), kept, any(row.waits for row in listed))
    )
    return listed


def _reference(head: Head) -> str:
    return str(head.model(pk=head.number).reference)


def _counts(rows: Rows) -> dict[str, int]:
    counts = {}
    for model, numbers in rows.items():
        if numbers and reach.blanked(model):
            count = model._base_manager.filter(pk__in=numbers).filter(blanking.says_something(model)).count()
            if count:
                counts[model._meta.label_lower] = count
    return counts


def _is_open(head: Head) -> bool:
    return bool(getattr(head.row(), "is_unfinished", False))


def _keeping(head: Head, at: dt.datetime) -> Keeping | None:
    """The controller's decision by which this record is locked instead."""
    contract = head.model._base_manager.filter(pk=head.number).values_list("contract", flat=True).first()
    row: Keeping | None = Keeping.objects.in_force(at).filter(contract=contract, what=head.kind).first()
    return row


def contracts_of(customer: Customer) -> set[int]:
    """The contracts under which the product holds something of the customer's."""
    return {
        contract
        for head in reach.heads(customer)
        for contract in head.model._base_manager.filter(pk=head.number).values_list("contract", flat=True)
        if contract is not None
    }


def check_can_erase(customer: Customer, by: User, at: dt.datetime) -> int:
    """The number of the contract it is ordered under. Raises Refused unless the person is its privacy owner."""
    mine = offices.contracts_of(by, Office.PRIVACY_OWNER, at=at)
    concerned = contracts_of(customer)
    if not mine or concerned - mine:
        raise Refused(_("The privacy owner decides about erasing a customer."))
    return min(concerned or mine)


# ---------------------------------------------------------------- the order


@transaction.atomic
def erase(
    customer: Customer,
    *,
    by: User,
    at: dt.datetime,
    basis: str,
    request_ref: str = "",
    farewell: OutboundMessage | None = None,
) -> Erasure:
    """Order the erasure of a customer. The product carries it out from now on and certifies it. Raises Refused.

    `farewell` is the mail that tells the person; it is left alone until it has gone out, and blanked then.
    """
    row = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    contract = check_can_erase(row, by, at)
    if basis not in Basis.values or basis == Basis.EXPIRY:
        raise Refused(_("Choose on which basis the customer is erased."))
    if row.erased_at is not None and not reach.heads(row):
        raise Refused(_("This customer has been erased already."))
    if Erasure.objects.under_way().filter(customer=row).exists():
        raise Refused(_("An erasure of this customer is under way already."))
    hold = Hold.objects.standing().filter(kind=Hold.Kind.CUSTOMER, number=row.pk).first()
    if hold is not None:
        raise Refused(
            _("Everything of this customer is held by %(hold)s. Have the hold lifted first, or refuse the request.")
            % {"hold": hold.reference}
        )
    return _order(row, contract=contract, by=by, at=at, basis=basis, request_ref=request_ref, farewell=farewell)


def at_end(customer: Customer, *, contract: Contract, by: User | None, at: dt.datetime, ref: str) -> Erasure | None:
    """Order what the controller chose for the end of a contract (csp.privacy.contract_end), by whoever approved that.

    Nothing where an erasure is under way, or the person is known under another contract, too.
    """
    row = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if row.erased_at is not None or Erasure.objects.under_way().filter(customer=row).exists():
        return None
    if contracts_of(row) - {contract.pk}:
        return None
    return _order(row, contract=contract.pk, by=by, at=at, basis=Basis.CONTROLLER, request_ref=ref)


def _order(
    customer: Customer, *, contract: int, by: User | None, at: dt.datetime, basis: str, request_ref: str,
    farewell: OutboundMessage | None = None, continues: Erasure | None = None,
) -> Erasure:  # fmt: skip
    row = Erasure.objects.create(
        customer=customer, contract=Contract.objects.get(pk=contract), basis=basis, request_ref=request_ref[:40],
        approved_by=by, approved_at=at, farewell=farewell, continues=continues,
    )  # fmt: skip
    _list(row)
    trail.record(
        Act.ERASURE_ORDERED, row.trail_subject, by=by or ACTOR, at=at,
        facts={"customer": customer.pk, "basis": basis, "request": row.request_ref, "records": row.items.count(),
               "continues": continues.pk if continues else None},
    )  # fmt: skip
    return row


def _list(row: Erasure) -> int:
    """Write down what the customer has and the list lacks. Returns how many."""
    known = set(row.items.values_list("kind", "number"))
    wanted = [(head.kind, head.number) for head in reach.heads(row.customer)] + [(CUSTOMER, row.customer_id)]
    fresh = [key for key in dict.fromkeys(wanted) if key not in known]
    ErasureItem.objects.bulk_create(ErasureItem(erasure=row, kind=kind, number=number) for kind, number in fresh)
    return len(fresh)


# ---------------------------------------------------------------- carrying it out


def carry_out(at: dt.datetime, *, limit: int = BATCH, only: int | None = None) -> int:
    """Erase the next records of ordered erasures, or of one; certify what is done. Returns how many records."""
    waiting = Erasure.objects.under_way().order_by("pk")
    numbers = (waiting.filter(pk=only) if only else waiting).values_list("pk", flat=True)
    return batches.each(list(numbers[: batches.FAR]), functools.partial(_work_on, at=at, limit=limit), limit=limit)


def _work_on(number: int, *, at: dt.datetime, limit: int) -> int:
    """The next records of one erasure; the customer when no other is left, and then the certificate."""
    items = ErasureItem.objects.filter(erasure=number, outcome="").order_by("pk")
    heads, customer = items.exclude(kind=CUSTOMER), items.filter(kind=CUSTOMER)
    step = functools.partial(_carry_out, at=at)
    done = batches.each(list(heads.values_list("pk", flat=True)[: batches.FAR]), step, limit=limit)
    if done >= limit or heads.exists():
        return done
    return done + batches.each(customer.values_list("pk", flat=True), step, limit=limit) + _finish(number, at)


@transaction.atomic(durable=True)
def _carry_out(number: int, *, at: dt.datetime) -> int:
    item = (
        ErasureItem.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("erasure__approved_by")
        .filter(pk=number, outcome="")
        .first()
    )
    if item is None:
        return 0
    erasure = item.erasure
    # Whoever places a hold on the customer, or says something in their name, waits here, or we wait.
    customer = Customer.objects.select_for_update().get(pk=erasure.customer_id)
    done = _erase_customer(item, customer, at) if item.kind == CUSTOMER else _erase_head(item, customer, at)
    if not done:
        return 0
    item.ended_at = at
    item.save(update_fields=["outcome", "why", "rows", "ended_at"])
    return 1


def name(erasure: int) -> None:
    """What the database asks for before it lets a personal column go."""
    with connection.cursor() as cursor:
        cursor.execute("select set_config('csp.erasure', %s, true)", [str(erasure) if erasure else ""])


def _erase_head(item: ErasureItem, customer: Customer, at: dt.datetime) -> bool:
    head = Head(reach.model_of(item.kind), item.number)
    numbers = reach.families(head)
    list(head.model._base_manager.filter(pk__in=numbers).select_for_update(of=("self",)).order_by("pk"))
    if _is_open(head) and not item.erasure.replays:
        return False
    found = reach.reach({head.model: reach.families(head)})
    for kind, cases in reach.cases(found).items():  # a hold on one of them waits, too
        list(reach.model_of(kind)._base_manager.filter(pk__in=cases).select_for_update(no_key=True).order_by("pk"))
    hold = "" if item.erasure.replays else reach.held_by(customer, head, found)
    if hold:
        item.outcome, item.why = Outcome.HELD, _("held by %(hold)s") % {"hold": hold}
        return True
    if (lock := _lock_instead(item.erasure, customer, head, at)) is not None:
        item.outcome, item.why = Outcome.LOCKED, lock.reference
        return True
    item.rows = _blank(item.erasure, found, at=at)
    item.outcome = Outcome.ERASED
    return True


def _lock_instead(erasure: Erasure, customer: Customer, head: Head, at: dt.datetime) -> Lock | None:
    """The lock under which this record is kept instead: one that still runs, or a new one where the controller says so.

    A lock that has run out is followed by erasure, whatever the controller has decided since.
    """
    earlier = Lock.objects.filter(customer=customer, what=head.kind, then=Lock.Then.ERASE).order_by("-pk").first()
    if earlier is not None:
        return earlier if earlier.ended_at is None and earlier.expires_at > at else None
    keeping = None if erasure.replays else _keeping(head, at)
    return locking.keep_instead(customer, keeping, erasure=erasure, at=at) if keeping is not None else None


def _erase_customer(item: ErasureItem, customer: Customer, at: dt.datetime) -> bool:
    """The customer, once all records have been gone through: not while one that needs the name stays."""
    if _list(item.erasure) or item.erasure.items.filter(outcome="").exclude(pk=item.pk).exists():
        return False
    locking.end_expired(customer, at=at)
    kept = item.erasure.items.filter(outcome__in=[Outcome.HELD, Outcome.LOCKED])
    needs = kept.exclude(kind=Keeping.What.FEEDBACK).order_by("pk").first()
    hold = Hold.objects.standing().filter(kind=Hold.Kind.CUSTOMER, number=customer.pk).first()
    if hold is not None and not item.erasure.replays:
        item.outcome, item.why = Outcome.HELD, _("held by %(hold)s") % {"hold": hold.reference}
        return True
    if needs is not None:
        item.outcome, item.why = Outcome(needs.outcome), needs.why
        return True
    locking.end_all(customer, but=[Keeping.What.FEEDBACK] if kept.exists() else [], at=at)
    stays = set(kept.values_list("kind", "number"))
    heads = reach.heads(customer)
    found = _rows_of_customer(
        customer,
        erased=[head for head in heads if (head.kind, head.number) not in stays],
        others=[head for head in heads if (head.kind, head.number) in stays],
        last=_last_mails(item.erasure),
    )
    item.rows = _blank(item.erasure, found, at=at, customer=customer)
    item.outcome = Outcome.ERASED
    return True


def _last_mails(erasure: Erasure) -> set[int]:
    """The mails that tell the person what was done: the last to go, once they are out (`_last_to_go`)."""
    told = Lock.objects.filter(customer=erasure.customer_id, told__isnull=False).values_list("told", flat=True)
    return {*told, *([erasure.farewell_id] if erasure.farewell_id else [])}


def _rows_of_customer(
    customer: Customer, *, erased: Collection[Head] = (), others: Collection[Head] = (), last: Collection[int] = ()
) -> Rows:
    """The customer, what bears an address of theirs, and what they said in matters of others.

    Of the `erased` records also what several of them shared. Without `others`, and without the `last` mails.
    """
    without: Rows = {OutboundMessage: set(last)}
    for head in others:
        without.setdefault(head.model, set()).update(reach.families(head))
    starts: Rows = {Customer: {customer.pk}}
    for head in erased:
        starts.setdefault(head.model, set()).update(reach.families(head))
    found = reach.reach(starts, without=without)
    bearing = reach.by_address(customer)
    mails = bearing.get(OutboundMessage, set()) - set(last)
    bearing[OutboundMessage] = mails - {pk for pk, _user in reach.needed(OutboundMessage, mails, found)}
    for model, numbers in bearing.items():
        found.setdefault(model, set()).update(numbers)
    return reach.reach(found, without=without)


def _blank(erasure: Erasure, found: Rows, *, at: dt.datetime, customer: Customer | None = None) -> dict[str, int]:
    name(erasure.pk)
    if mails := reach.notice_mails(found):
        found.setdefault(OutboundMessage, set()).update(mails)
    names = blanking.names_in(found)
    found = reach.with_decisions(found, names, customer)
    names |= blanking.names_in(found)
    counts = blanking.blank(found, at=at)
    actor = f"customer:{customer.pk}" if customer is not None else ""
    subjects = blanking.blank_trail(names, found, actor=actor)
    blanking.tell(
        subjects, erasure=erasure.pk, context=erasure.trail_subject, by=erasure.approved_by or ACTOR, at=at, counts={}
    )
    name(0)
    return counts


# ---------------------------------------------------------------- the certificate


@transaction.atomic(durable=True)
def _finish(number: int, at: dt.datetime) -> int:
    """Certify an erasure of which nothing is left to do, and write it into the ledger."""
    row = Erasure.objects.select_for_update(of=("self",), no_key=True).get(pk=number)
    if row.finished_at is not None or row.items.filter(outcome="").exists() or not row.items.exists():
        return 0
    if row.customer.erased_at is not None and not _last_to_go(row, at):
        return 0
    removed: dict[str, int] = {}
    counts = {str(outcome): 0 for outcome in Outcome.values}
    lines, kept = [], []
    for item in row.items.order_by("kind", "number"):
        counts[item.outcome] += 1
        lines.append(f"{item.kind}:{item.number} {item.outcome} {item.why}".strip())
        if item.outcome != Outcome.ERASED:
            kept.append(lines[-1])
        for label, n in item.rows.items():
            removed[label] = removed.get(label, 0) + n
    row.removed = removed
    row.certificate = trail.canonical(
        {
            "certificate": "csp erasure 1", "number": row.pk, "installation": settings.SITE_HOST,
            "customer": row.customer_id, "contract": row.contract_id, "basis": row.basis, "request": row.request_ref,
            "approved_by": f"user:{row.approved_by_id}" if row.approved_by_id else "system:erasure",
            "approved_at": row.approved_at, "continues": row.continues_id, "replays": row.replays, "records": counts,
            "list": hashlib.sha256("\n".join(lines).encode()).hexdigest(), "kept": kept, "rows": removed,
            "rule": "clause 6.1: erased on a lawful request; counts as kept under clause 4.3", "finished_at": at,
        }
    )  # fmt: skip
    row.digest = hashlib.sha256(row.certificate.encode()).hexdigest()
    row.finished_at = at
    row.save(update_fields=["removed", "certificate", "digest", "finished_at"])
    _into_the_ledger(row, sorted(line.split(" ", 1)[0] for line in kept), at)
    trail.record(
        Act.ERASURE_FINISHED, row.trail_subject, by=ACTOR, at=at,
        facts={"certificate": row.digest, "records": counts, "rows": sum(removed.values())},
    )  # fmt: skip
    return 1


def _into_the_ledger(row: Erasure, kept: list[str], at: dt.datetime) -> None:
    """Write the line of an erasure; of one that a ledger asked for, the line that asked."""
    if row.replays:
        return
    ledger.write(
        {"erasure": row.pk, "customer": row.customer_id, "contract": row.contract_id, "basis": row.basis,
         "request": row.request_ref, "approved_by": row.approved_by_id, "approved_at": row.approved_at,
         "finished_at": at, "kept": kept, "certificate": row.digest}
    )  # fmt: skip


def _last_to_go(row: Erasure, at: dt.datetime) -> bool:
    """Blank what the person was told, once it has gone out or nobody took it for a week. Returns whether it is done."""
    mails = OutboundMessage.objects.filter(pk__in=_last_mails(row))
    if mails.filter(state=OutboundMessage.State.QUEUED, created_at__gt=at - FAREWELL).exists() and not row.replays:
        return False
    numbers = set(mails.select_for_update().order_by("pk").values_list("pk", flat=True))
    _blank(row, reach.reach({OutboundMessage: numbers}), at=at)
    return True


# ---------------------------------------------------------------- what follows


def take_up_again(at: dt.datetime, *, limit: int = BATCH) -> int:
    """Order anew what a hold had kept, once it is lifted: every erasure with something held that nothing holds now."""
    held = ErasureItem.objects.filter(erasure=OuterRef("pk"), outcome=Outcome.HELD).exclude(kind=CUSTOMER)
    waiting = Erasure.objects.filter(Exists(held), finished_at__isnull=False, continued_by__isnull=True)
    numbers = list(waiting.order_by("pk").values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_take_up_again, at=at), limit=limit)


@transaction.atomic(durable=True)
def _take_up_again(number: int, *, at: dt.datetime) -> int:
    rows = Erasure.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    row = rows.filter(pk=number, continued_by__isnull=True).first()
    if row is None or Erasure.objects.under_way().filter(customer=row.customer_id).exists():
        return 0
    for item in row.items.filter(outcome=Outcome.HELD).exclude(kind=CUSTOMER):
        head = Head(reach.model_of(item.kind), item.number)
        if head.row() is None:
            continue
        if reach.held_by(row.customer, head, reach.reach({head.model: reach.families(head)})):
            return 0
    _order(
        row.customer, contract=row.contract_id, by=row.approved_by, at=at, basis=row.basis,
        request_ref=row.request_ref, continues=row,
    )  # fmt: skip
    return 1


def erase_expired(at: dt.datetime, *, limit: int = BATCH) -> int:
    """Erase what was kept instead for a time that is over: every such lock that has no erasure after it."""
    numbers = list(locking.expired(at).filter(then=Lock.Then.ERASE)[: batches.FAR])
    return batches.each(numbers, functools.partial(_erase_expired, at=at), limit=limit)


@transaction.atomic(durable=True)
def _erase_expired(number: int, *, at: dt.datetime) -> int:
    row = Lock.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).standing().filter(pk=number)
    lock = row.select_related("customer").first()
    if lock is None or Erasure.objects.under_way().filter(customer=lock.customer_id).exists():
        return 0
    held = Hold.objects.standing().filter(kind=Hold.Kind.CUSTOMER, number=lock.customer_id)
    if held.exists():
        return 0  # it stays locked as long as the hold stands
    _order(
        lock.customer, contract=lock.contract_id, by=None, at=at, basis=Basis.EXPIRY, request_ref=lock.request_ref
    )  # fmt: skip
    return 1


# ---------------------------------------------------------------- after a restore


def replay(lines: Iterable[ledger.Line], at: dt.datetime) -> int:
    """Erase again what these lines of the ledger say, in a database that was brought back. Returns how many it did.

    One line is one erasure under its old number, and done when the line stands in the database, too: killed in between
    it is taken up where it was. Holds and open tickets of back then do not count: they have been dealt with since.
    """
    done = 0
    for line in ledger.missing(lines):
        facts = line.facts
        if "erasure" in facts:
            _replay_erasure(line, at)
        elif "key" in facts:
            _replay_key(line, at)
        done += 1
    return done


@transaction.atomic(durable=True)
def _replay_key(line: ledger.Line, at: dt.datetime) -> None:
    for key in BlobKey.objects.select_for_update().filter(pk=line.facts["key"], destroyed_at__isnull=True):
        vault.destroy(key, at=at)
    ledger.keep(line)


def _replay_erasure(line: ledger.Line, at: dt.datetime) -> None:
    number = _begin_again(line, at)
    while number and carry_out(at, only=number):
        pass
    with transaction.atomic(durable=True):
        if not ErasureLine.objects.filter(number=line.number).exists():
            ledger.keep(line)


@transaction.atomic(durable=True)
def _begin_again(line: ledger.Line, at: dt.datetime) -> int:
    """The erasure of a line, under way; 0 where the customer came later than this database, or is erased in it."""
    facts = line.facts
    customer = Customer.objects.select_for_update(no_key=True).filter(pk=facts["customer"]).first()
    if customer is None:
        return 0
    row = Erasure.objects.filter(pk=facts["erasure"]).first()
    if row is not None and row.finished_at is not None:
        return 0
    if row is None:
        # ordered in the database, but not by this number: what is under way goes with the ledger's
        row = Erasure.objects.under_way().filter(customer=customer).first() or _order_again(customer, facts)
    if row.replays is None:
        row.replays = line.number
        row.save(update_fields=["replays"])
    _list(row)
    for name_ in facts["kept"]:
        kind, _colon, pk = name_.partition(":")
        row.items.filter(kind=kind, number=int(pk), outcome="").update(
            outcome=Outcome.HELD, why=_("as it was kept at the erasure"), ended_at=at
        )
    return row.pk


def _order_again(customer: Customer, facts: dict[str, Any]) -> Erasure:
    by = User.objects.filter(pk=facts["approved_by"]).first() if facts["approved_by"] else None
    row = Erasure.objects.create(
        pk=facts["erasure"], customer=customer, contract=Contract.objects.get(pk=facts["contract"]),
        basis=facts["basis"], request_ref=facts["request"], approved_by=by,
        approved_at=dt.datetime.fromisoformat(facts["approved_at"]), replays=facts["number"],
    )  # fmt: skip
    with connection.cursor() as cursor:  # the next one gets a number of its own
        cursor.execute("select setval(pg_get_serial_sequence('csp_erasure', 'id'), (select max(id) from csp_erasure))")
    trail.record(
        Act.ERASURE_ORDERED, row.trail_subject, by=by or ACTOR, at=row.approved_at,
        facts={"customer": customer.pk, "basis": row.basis, "request": row.request_ref, "replays": row.replays},
    )  # fmt: skip
    return row


def keep_ledger(at: dt.datetime) -> int:
    """Bring a restored database up to its ledger, then copy out what the ledger's file lacks."""
    file = ledger.path()
    if file is not None and ledger.is_behind():
        return replay(ledger.read(file), at)
    return ledger.write_out()


def progress(row: Erasure) -> tuple[int, int]:
    """How many of its records are done, of how many."""
    items = row.items.all()
    return items.exclude(outcome="").count(), items.count()
