"""Disposal: what has had its term is listed by one person, approved by another, removed by the product, certified.

The list is fixed when it is proposed, and its digest is what the second person approves. Removing is a loop, "every
item of an approved disposal that lacks its end": a batch is one transaction, so a killed one has done nothing, and what
is done is not done twice. A hold that was placed meanwhile spares its record; so does anything that still needs it.

What has no minimum (spam, unsorted mail, network addresses, working state) goes by routine when its time is over, with
a certificate for each day's.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from csp import access, removing, retention, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Disposal, DisposalItem, User
from csp.records import Kept
from csp.retention import Root
from csp.roles import Permission

BATCH = 100
AT_MOST = 20_000  # records on one list
Outcome = DisposalItem.Outcome


@dataclasses.dataclass(frozen=True, slots=True)
class Routine:
    """What goes by itself: rows of a class without a minimum, `remove` takes some of them and says how many of what."""

    name: str
    kept: Kept
    waiting: Callable[[dt.datetime], QuerySet[Any]]
    remove: Callable[[QuerySet[Any], int, dt.datetime], dict[str, int]]


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """One record whose term is over, as a preview shows it."""

    kind: str
    number: int
    reference: str
    kept_from: dt.datetime
    keep_until: dt.datetime
    delete_by: dt.datetime
    kept_by: str = ""  # the hold, or the record that still needs it


def preview(roots: Sequence[Root], contract: Contract, at: dt.datetime, *, needs: bool = True) -> Iterator[Listed]:
    """What is due at that instant, uppermost first; with `needs` also what still needs each. Changes nothing."""
    for root in roots:
        rows = list(retention.due(root, at).filter(contract=contract)[:AT_MOST])
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            numbers = [row.pk for row in some]
            held = retention.held(root, retention.family(root, numbers))
            needed = removing.closure(root, numbers).needed if needs else {}
            for row in some:
                yield Listed(
                    root.kind, row.pk, f"{root.prefix}{row.pk}", row.kept_from, row.keep_until,
                    retention.delete_by(root, row.keep_until), held.get(row.pk) or needed.get(row.pk, ""),
                )  # fmt: skip


# ---------------------------------------------------------------- two persons


@transaction.atomic
def propose(roots: Sequence[Root], contract: Contract, *, by: User, at: dt.datetime) -> Disposal:
    """Write down what is due and not held, for a second person to approve. Raises Refused."""
    access.check(by, Permission.PROPOSE_DISPOSAL, contract_id=contract.pk, at=at)
    Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    if Disposal.objects.filter(contract=contract, finished_at__isnull=True).exists():
        raise Refused(_("A disposal is under way already. It has to be carried out or declined first."))
    listed = [row for row in preview(roots, contract, at, needs=False) if not row.kept_by]
    if not listed:
        raise Refused(_("Nothing has had its term, or all that has is held."))
    disposal = Disposal.objects.create(
        contract=contract, judged_at=at, proposed_by=by, proposed_at=at, listed=_list_digest(listed)
    )
    DisposalItem.objects.bulk_create(
        DisposalItem(
            disposal=disposal, kind=row.kind, number=row.number, kept_from=row.kept_from, keep_until=row.keep_until
        )
        for row in listed
    )
    trail.record(
        Act.DISPOSAL_PROPOSED, disposal.trail_subject, by=by, at=at,
        facts={"records": len(listed), "listed": disposal.listed},
    )  # fmt: skip
    return disposal


def _list_digest(rows: Iterable[Listed | DisposalItem]) -> str:
    lines = sorted(f"{row.kind}:{row.number} {trail.canonical({'until': row.keep_until})}" for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check_can_approve(disposal: Disposal, by: User, at: dt.datetime) -> None:
    """Somebody else than the one who proposed it."""
    access.check(by, Permission.APPROVE_DISPOSAL, contract_id=disposal.contract_id, at=at)
    if disposal.finished_at is not None or disposal.approved_at is not None:
        raise Refused(_("This disposal has been decided already."))
    if disposal.proposed_by_id == by.pk:
        raise Refused(_("You proposed it. A second person approves it."))


@transaction.atomic
def approve(disposal: Disposal, *, by: User, at: dt.datetime) -> Disposal:
    """Let the listed records go; the product removes them from now on. Raises Refused."""
    row = Disposal.objects.select_for_update(of=("self",), no_key=True).get(pk=disposal.pk)
    check_can_approve(row, by, at=at)
    if _list_digest(row.items.all()) != row.listed:
        raise Refused(_("The list is not the one that was proposed. Decline it, and have the trail verified."))
    row.approved_by, row.approved_at = by, at
    row.save(update_fields=["approved_by", "approved_at"])
    trail.record(Act.DISPOSAL_APPROVED, row.trail_subject, by=by, at=at, facts={"listed": row.listed})
    return row


@transaction.atomic
def decline(disposal: Disposal, *, by: User, at: dt.datetime) -> Disposal:
    """Leave everything where it is. Whoever proposed it may do that, too. Raises Refused."""
    row = Disposal.objects.select_for_update(of=("self",), no_key=True).get(pk=disposal.pk)
    access.check(by, Permission.APPROVE_DISPOSAL, contract_id=row.contract_id, at=at)
    if row.finished_at is not None or row.approved_at is not None:
        raise Refused(_("This disposal has been decided already."))
    row.declined_by, row.finished_at = by, at
    row.save(update_fields=["declined_by", "finished_at"])
    trail.record(Act.DISPOSAL_DECLINED, row.trail_subject, by=by, at=at)
    return row


# ---------------------------------------------------------------- carrying it out


def carry_out(roots: Sequence[Root], at: dt.datetime, *, limit: int = BATCH) -> int:
    """Remove the next records of approved disposals, uppermost first; certify what is done. Returns how many items."""
    under_way = Disposal.objects.filter(approved_at__isnull=False, finished_at__isnull=True).order_by("pk")
    for number in under_way.values_list("pk", flat=True):
        for root in roots:
            if done := _carry_out(number, root, at, limit):
                return done
        _finish(number, roots, at)
    return 0


@transaction.atomic(durable=True)
def _carry_out(number: int, root: Root, at: dt.datetime, limit: int) -> int:
    items = list(
        DisposalItem.objects.filter(disposal=number, kind=root.kind, outcome="")
        .select_for_update(skip_locked=True).order_by("number")[:limit]
    )  # fmt: skip
    if not items:
        return 0
    disposal = Disposal.objects.select_related("approved_by").get(pk=number)
    _name(disposal)
    members = retention.family(root, [item.number for item in items])
    model = root.model
    rows = {row.pk: row for row in model._base_manager.filter(pk__in=list(members)).select_for_update(
        of=("self",)).order_by("pk")}  # fmt: skip
    of_rows: set[int] = set()
    if root.customer:  # a hold on one of them waits here, or we wait for it
        customer: Any = model._meta.get_field(root.customer.removesuffix("_id")).related_model
        of_rows = {getattr(row, root.customer) for row in rows.values()} - {None}
        list(customer._base_manager.filter(pk__in=of_rows).select_for_update(no_key=True).order_by("pk"))
    spared = _spared(root, disposal, [item.number for item in items], members)
    found = removing.closure(root, [item.number for item in items if item.number not in spared])
    if found.needed:
        spared |= {pk: _("%(what)s needs it") % {"what": what} for pk, what in found.needed.items()}
        found = removing.closure(root, [item.number for item in items if item.number not in spared])
    proofs, subjects = removing.digests(found), removing.subjects_of(root, found)
    counts = removing.remove(root, found)
    if root.afterwards is not None:
        root.afterwards(of_rows, at, disposal.approved_by or "disposal")
    for item in items:
        item.outcome = Outcome.SPARED if item.number in spared else Outcome.DISPOSED
        item.why, item.rows, item.ended_at = spared.get(item.number, ""), counts.get(item.number, {}), at
    DisposalItem.objects.bulk_update(items, ["outcome", "why", "rows", "ended_at"])
    trail.record_all(
        trail.Entry(
            Act.DISPOSED, name, by=disposal.approved_by or "disposal", at=at, context=disposal.trail_subject,
            facts={"disposal": number, "class": root.kept.name, "of": f"{root.kind}:{owner}",
                   "digest": proofs.get(owner, "")},
        )
        for name, owner in subjects.items()
    )  # fmt: skip
    return len(items)


def _spared(root: Root, disposal: Disposal, numbers: list[int], members: dict[int, int]) -> dict[int, str]:
    """Which of these stay after all, and why: looked at under their locks."""
    due = set(retention.due(root, disposal.judged_at).filter(pk__in=numbers).values_list("pk", flat=True))
    spared = {pk: _("its term is not over, or it is gone") for pk in numbers if pk not in due}
    return spared | {pk: _("held by %(hold)s") % {"hold": hold} for pk, hold in retention.held(root, members).items()}


def _name(disposal: Disposal) -> None:
    """What the database asks for before it lets a row go."""
    with connection.cursor() as cursor:
        cursor.execute("select set_config('csp.disposal', %s, true)", [str(disposal.pk)])


@transaction.atomic(durable=True)
def _finish(number: int, roots: Sequence[Root], at: dt.datetime) -> None:
    """Certify a disposal of which nothing is left to do."""
    row = Disposal.objects.select_for_update(of=("self",), no_key=True).get(pk=number)
    if row.finished_at is not None or row.items.filter(outcome="").exists():
        return
    removed: dict[str, int] = {}
    counts = {Outcome.DISPOSED.value: 0, Outcome.SPARED.value: 0}
    lines = []
    for item in row.items.order_by("kind", "number"):
        counts[item.outcome] += 1
        lines.append(f"{item.kind}:{item.number} {item.outcome} {item.why}".strip())
        for label, n in item.rows.items():
            removed[label] = removed.get(label, 0) + n
    row.removed = removed
    _certify(row, at, {
        "records": counts,
        "list": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "spared": [line for line in lines if " spared" in line],
        "rules": {root.kind: _rule(root.kept) for root in roots},
    })  # fmt: skip


def _rule(kept: Kept) -> str:
    what, at_least, after, counted_from = kept.value
    return f"{what}: kept {at_least or 'no minimum'}, removed {after or ''} later, counted from {counted_from}"


def _certify(row: Disposal, at: dt.datetime, more: dict[str, object]) -> None:
    def who(user_id: int | None) -> str:
        return f"user:{user_id}" if user_id else "system:routine"

    row.certificate = trail.canonical(
        {
            "certificate": "csp disposal 1", "number": row.pk, "installation": settings.SITE_HOST,
            "judged_at": row.judged_at, "proposed_by": who(row.proposed_by_id), "proposed_at": row.proposed_at,
            "approved_by": who(row.approved_by_id), "approved_at": row.approved_at, "approved_list": row.listed,
            "rows": row.removed, "finished_at": at, **more,
        }
    )  # fmt: skip
    row.digest = hashlib.sha256(row.certificate.encode()).hexdigest()
    row.finished_at = at
    row.save(update_fields=["removed", "certificate", "digest", "finished_at"])
    trail.record(
        Act.DISPOSAL_FINISHED, row.trail_subject, by="disposal", at=at,
        facts={"certificate": row.digest, "rows": sum(row.removed.values())},
    )  # fmt: skip


# ---------------------------------------------------------------- by routine


def routine(routines: Sequence[Routine], at: dt.datetime, *, limit: int = 500) -> int:
    """Remove what has no minimum and has had its time; certify it when nothing is left. Returns how many rows."""
    for one in routines:
        if one.waiting(at).exists():
            return _routine(one, at, limit)
    under_way = Disposal.objects.filter(is_routine=True, finished_at__isnull=True)
    for number in under_way.values_list("pk", flat=True):
        _finish_routine(number, routines, at)
    return 0


@transaction.atomic(durable=True)
def _routine(one: Routine, at: dt.datetime, limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(7262003)")  # one at a time, any number running
    row = Disposal.objects.filter(is_routine=True, finished_at__isnull=True).first()
    if row is None:
        row = Disposal.objects.create(is_routine=True, judged_at=at, proposed_at=at)
    _name(row)
    counts = one.remove(one.waiting(at), limit, at)
    for label, n in counts.items():
        row.removed[label] = row.removed.get(label, 0) + n
    row.save(update_fields=["removed"])
    return sum(counts.values())


@transaction.atomic(durable=True)
def _finish_routine(number: int, routines: Sequence[Routine], at: dt.datetime) -> None:
    row = Disposal.objects.select_for_update(of=("self",), no_key=True).get(pk=number)
    if row.finished_at is None and row.removed:
        _certify(row, at, {"rules": {one.name: _rule(one.kept) for one in routines}})


def delete_some(rows: QuerySet[Any], limit: int) -> dict[str, int]:
    """Delete up to so many of rows that nothing points at and nothing guards."""
    model: type[Model] = rows.model
    numbers = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
    gone, _of_what = model._base_manager.filter(pk__in=numbers).delete()
    return {model._meta.label_lower: gone}
