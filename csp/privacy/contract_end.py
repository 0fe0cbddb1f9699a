"""After the end of a contract: a processor returns its controller's data or deletes it, as the controller chose (6.1).

record(contract, ...)      what was chosen, and how the controller said so
receive(row, ...)          the controller has the file that was handed over (csp.exporting), and confirmed it
approve(row)               a second person lets the data go: what was returned, too
withdraw(row)              before that, take it back
carry_out(at)              "every customer of an approved end who lacks an erasure"; a certificate when there is none

An erasure is the one that persons may ask for: identity and content go, skeleton, clocks and proof stay; a hold wins
and is followed up; what is open is answered and closed first. Who is known under another contract, too, is listed.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Iterator

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from csp import batches, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, ContractEnd, Customer, Erasure, Export, PrivacyTerms, User
from csp.privacy import erasing, reach, terms

WHAT = "csp.contractend"  # how the export that hands the data over is called
Choice = ContractEnd.Choice
ACTOR = "privacy"


def of(contract: Contract) -> ContractEnd | None:
    """What stands for this contract."""
    rows = ContractEnd.objects.filter(contract=contract, withdrawn_at__isnull=True)
    return rows.select_related("recorded_by", "approved_by", "export", "contract").first()


def is_processor(contract: Contract) -> bool:
    return terms.of(contract).part == PrivacyTerms.Part.PROCESSOR


@transaction.atomic
def record(
    contract: Contract, *, ended_at: dt.datetime, choice: str, said: str, by: User, at: dt.datetime
) -> ContractEnd:  # fmt: skip
    """Write down that the contract has ended and what the controller chose for the data. Raises Refused."""
    terms.check_may_act(by, contract.pk, at)
    Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    if not is_processor(contract):
        raise Refused(_("Under this contract the company is no processor: it decides about the data itself."))
    if of(contract) is not None:
        raise Refused(_("What becomes of the data is written down already. Take that back first."))
    if ended_at > at:
        raise Refused(_("The contract has not ended yet. Until its last day everything is taken in and answered."))
    if choice not in Choice.values or not said.strip():
        raise Refused(_("Say what the controller chose, and how they said so."))
    row = ContractEnd.objects.create(
        contract=contract, ended_at=ended_at, choice=choice, said=said.strip(), recorded_by=by, recorded_at=at
    )
    trail.record(
        Act.END_RECORDED, row.trail_subject, by=by, at=at,
        facts={"contract": contract.pk, "choice": choice, "ended": ended_at}, personal={"said": row.said},
    )  # fmt: skip
    return row


def _lock(row: ContractEnd, by: User, at: dt.datetime) -> ContractEnd:
    """The row, locked; only while nobody has approved it."""
    terms.check_may_act(by, row.contract_id, at)
    found = ContractEnd.objects.select_for_update(of=("self",), no_key=True).select_related("contract").get(pk=row.pk)
    if found.withdrawn_at is not None or found.approved_at is not None:
        raise Refused(_("This has been decided already."))
    return found


def check_can_hand_over(row: ContractEnd, by: User, at: dt.datetime) -> None:
    """Before the file is made. Raises Refused."""
    terms.check_may_act(by, row.contract_id, at)
    if row.withdrawn_at is not None or row.approved_at is not None or row.choice != Choice.RETURNED:
        raise Refused(_("There is nothing to hand over: the data is deleted, or the choice was taken back."))


def handed_over(row: ContractEnd) -> Export | None:
    """The last file that was taken whole since the choice was written down."""
    return Export.objects.filter(
        what=WHAT, contract=row.contract_id, is_whole=True, begun_at__gte=row.recorded_at
    ).last()  # fmt: skip


@transaction.atomic
def receive(row: ContractEnd, *, received_at: dt.datetime, how: str, by: User, at: dt.datetime) -> ContractEnd:
    """Write down that the controller has the data back. Raises Refused."""
    row = _lock(row, by, at)
    export = handed_over(row)
    if row.choice != Choice.RETURNED or export is None:
        raise Refused(_("Take the file first, all of it, and hand it over."))
    if not export.begun_at <= received_at <= at:
        raise Refused(_("It cannot have been received before it was taken, nor in the future."))
    if not how.strip():
        raise Refused(_("Say how the controller confirmed it."))
    row.export, row.received_at, row.received_how = export, received_at, how.strip()
    row.save(update_fields=["export", "received_at", "received_how"])
    trail.record(
        Act.END_RECEIVED, row.trail_subject, by=by, at=at,
        facts={"export": export.pk, "sha256": export.digest, "received": received_at},
        personal={"how": row.received_how},
    )  # fmt: skip
    return row


@transaction.atomic
def approve(row: ContractEnd, *, by: User, at: dt.datetime) -> ContractEnd:
    """Let the data go, as a second person; the product deletes it from now on. Raises Refused."""
    row = _lock(row, by, at)
    if row.recorded_by_id == by.pk:
        raise Refused(_("You wrote it down. A second person approves it."))
    if row.choice == Choice.RETURNED and row.received_at is None:
        raise Refused(_("The controller has not confirmed yet that the data is back. Nothing is deleted before."))
    row.approved_by, row.approved_at = by, at
    row.save(update_fields=["approved_by", "approved_at"])
    trail.record(
        Act.END_APPROVED, row.trail_subject, by=by, at=at, facts={"contract": row.contract_id, "choice": row.choice}
    )  # fmt: skip
    return row


@transaction.atomic
def withdraw(row: ContractEnd, *, by: User, at: dt.datetime) -> ContractEnd:
    """Take it back, before anything is deleted. Raises Refused."""
    row = _lock(row, by, at)
    row.withdrawn_by, row.withdrawn_at = by, at
    row.save(update_fields=["withdrawn_by", "withdrawn_at"])
    trail.record(Act.END_WITHDRAWN, row.trail_subject, by=by, at=at, facts={"contract": row.contract_id})
    return row


# ---------------------------------------------------------------- whose data it is


def customers_of(contract: Contract) -> list[int]:
    """Everybody of whom something is held under this contract and who has not been erased, by their numbers."""
    found: set[int] = set()
    for field in reach.children(Customer):
        model = field.model
        names = {one.name for one in model._meta.concrete_fields}
        if reach.record_of(model).kept in reach.FOLLOWED and {"contract"} <= names and hasattr(model, "trail_subject"):
            rows = model._base_manager.filter(contract=contract).exclude(**{field.name: None})
            found |= set(rows.values_list(field.attname, flat=True).distinct())
    while joined := dict(
        Customer.objects.filter(pk__in=found, joined_into__isnull=False).values_list("pk", "joined_into")
    ):
        found = (found - set(joined)) | {into for into in joined.values() if into is not None}
    return sorted(Customer.objects.filter(pk__in=found, erased_at__isnull=True).values_list("pk", flat=True))


def is_shared(number: int, contract: Contract) -> bool:
    """Whether something is held on this customer under another contract, too."""
    return bool(erasing.contracts_of(Customer(pk=number)) - {contract.pk})


def _lacking(row: ContractEnd) -> Iterator[int]:
    asked = set(Erasure.objects.filter(request_ref=row.reference).values_list("customer", flat=True))
    asked |= set(Erasure.objects.under_way().values_list("customer", flat=True))
    return (number for number in customers_of(row.contract) if number not in asked)


# ---------------------------------------------------------------- carrying it out


def carry_out(at: dt.datetime, *, limit: int = 50) -> int:
    """Order what is still to be erased; certify an end of which nothing is left to do. Returns how many steps."""
    done = 0
    for row in ContractEnd.objects.filter(approved_at__isnull=False, finished_at__isnull=True).order_by("pk"):
        waiting = [number for number in _lacking(row) if not is_shared(number, row.contract)]
        done += batches.each(waiting, functools.partial(_order, row=row, at=at), limit=limit - done)
        if not waiting:
            done += _finish(row.pk, at)
        if done >= limit:
            break
    return done


@transaction.atomic(durable=True)
def _order(number: int, *, row: ContractEnd, at: dt.datetime) -> int:
    ordered = erasing.at_end(
        Customer(pk=number), contract=row.contract, by=row.approved_by, at=at, ref=row.reference
    )  # fmt: skip
    return int(ordered is not None)


@transaction.atomic(durable=True)
def _finish(number: int, at: dt.datetime) -> int:
    row = ContractEnd.objects.select_for_update(of=("self",)).select_related("contract", "export").get(pk=number)
    erasures = Erasure.objects.filter(request_ref=row.reference)
    if row.finished_at is not None or erasures.filter(finished_at__isnull=True).exists():
        return 0
    lines = list(erasures.order_by("pk").values_list("pk", "customer", "digest"))
    kept = [one for one in erasures.values_list("pk", flat=True).order_by("pk")
            if Erasure.objects.get(pk=one).items.filter(outcome__in=["held", "locked"]).exists()]  # fmt: skip
    row.certificate = trail.canonical(
        {
            "certificate": "csp contract end 1", "number": row.pk, "installation": settings.SITE_HOST,
            "contract": row.contract_id, "ended_at": row.ended_at, "choice": row.choice,
            "recorded_by": f"user:{row.recorded_by_id}", "recorded_at": row.recorded_at,
            "approved_by": f"user:{row.approved_by_id}", "approved_at": row.approved_at,
            "returned": row.export.digest if row.export else None, "received_at": row.received_at,
            "customers": len(lines), "something_kept": kept,
            "under_other_contracts": [one for one in customers_of(row.contract) if is_shared(one, row.contract)],
            "list": hashlib.sha256("\n".join(f"{pk} {who} {digest}" for pk, who, digest in lines).encode()).hexdigest(),
            "rule": "clause 6.1: at the end returned or deleted at the controller's choice; counts as kept under 4.3",
            "finished_at": at,
        }
    )  # fmt: skip
    row.digest = hashlib.sha256(row.certificate.encode()).hexdigest()
    row.finished_at = at
    row.save(update_fields=["certificate", "digest", "finished_at"])
    trail.record(
        Act.END_FINISHED, row.trail_subject, by=ACTOR, at=at,
        facts={"certificate": row.digest, "customers": len(lines), "something_kept": len(kept)},
    )  # fmt: skip
    return 1
