"""The round for everyone (clause 5.3): every six calendar months, conducted and recorded even if nothing changed."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable

from django.db import connection, transaction
from django.utils.translation import gettext as _

from csp import access, agreement, batches, deadlines, offices, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, User
from csp.roles import Office, Permission
from training.models import Attendance, Round


def call(at: dt.datetime, *, limit: int = 200) -> int:
    """Let every contract in force that has no round to come owe one. Returns how many."""
    waiting = Contract.objects.filter(versions__in_force_from__lte=at).exclude(
        pk__in=Round.objects.filter(conducted_at__isnull=True).values("contract")
    )
    numbers = list(waiting.order_by("pk").distinct().values_list("pk", flat=True))
    return batches.each(numbers, functools.partial(_call_one, at=at), limit=limit)


@transaction.atomic(durable=True)
def _call_one(number: int, *, at: dt.datetime) -> int:
    contract = Contract.objects.select_for_update(no_key=True).get(pk=number)
    if Round.objects.filter(contract=contract, conducted_at__isnull=True).exists():
        return 0
    last = Round.objects.filter(contract=contract).order_by("-number").first()
    team = contract.teams.order_by("-is_active", "pk").first()
    first = contract.versions.filter(in_force_from__isnull=False).order_by("in_force_from").first()
    starts_at = (last.conducted_at if last is not None else None) or (first.in_force_from if first else None)
    if team is None or starts_at is None:
        return 0
    with connection.cursor() as cursor:  # its deadline names it and is stored first
        cursor.execute("select nextval(pg_get_serial_sequence('training_round', 'id'))")
        row = Round(pk=int(cursor.fetchone()[0]), contract=contract, number=last.number + 1 if last else 1)
    holder = offices.holders(contract.pk, [Office.COMPANY_REPRESENTATIVE], at=at)[Office.COMPANY_REPRESENTATIVE]
    subject = deadlines.Subject(
        ref=f"R-{row.pk}", path=row.path, contract=contract, team=team, responsible=holder, context=row.trail_subject
    )
    draft = deadlines.draft("round", subject, agreement.in_force(contract, starts_at), starts_at=starts_at)
    [row.deadline] = deadlines.start([draft], at=at)
    row.save(force_insert=True)
    trail.record(
        Act.ROUND_OWED, row.trail_subject, by="rounds", at=at,
        facts={"number": row.number, "since": starts_at, "deadline": row.deadline_id},
    )  # fmt: skip
    return 1


def _lock(row: Round) -> Round:
    return Round.objects.select_for_update(of=("self",)).select_related("contract", "deadline").get(pk=row.pk)


@transaction.atomic
def conduct(row: Round, *, changed: bool, summary: str, people: Iterable[User], by: User, at: dt.datetime) -> Round:
    """Record that everybody was brought up to date, or that nothing has changed. The next one counts from now."""
    access.check(by, Permission.MANAGE_TRAINING, contract_id=row.contract_id, at=at)
    row = _lock(row)
    if row.conducted_at is not None:
        raise Refused(_("This round has been conducted."))
    if not summary.strip():
        raise Refused(_("Say what was gone through, or how it was seen that nothing changed."))
    row.conducted_at, row.conducted_by, row.changed, row.summary = at, by, changed, summary.strip()
    row.save()
    deadlines.meet([row.deadline], at=at, by=by, how="conducted")
    present = _attend(row, people, by, at)
    trail.record(
        Act.ROUND_CONDUCTED, row.trail_subject, by=by, at=at,
        facts={"number": row.number, "changed": changed, "people": present}, personal={"summary": summary},
    )  # fmt: skip
    return row


@transaction.atomic
def attend(row: Round, people: Iterable[User], *, by: User, at: dt.datetime) -> Round:
    """Add who took part as well; nobody adds themselves."""
    access.check(by, Permission.MANAGE_TRAINING, contract_id=row.contract_id, at=at)
    row = _lock(row)
    if row.conducted_at is None:
        raise Refused(_("This round has not been conducted yet."))
    added = _attend(row, people, by, at)
    trail.record(Act.ROUND_ATTENDED, row.trail_subject, by=by, at=at, facts={"people": added})
    return row


def _attend(row: Round, people: Iterable[User], by: User, at: dt.datetime) -> list[int]:
    chosen = {person.pk: person for person in people}
    if by.pk in chosen:
        raise Refused(_("Nobody records own presence. Leave yourself out; somebody else adds you."))
    there = set(row.attendances.values_list("user", flat=True))
    fresh = [person for number, person in sorted(chosen.items()) if number not in there]
    Attendance.objects.bulk_create(
        Attendance(round=row, user=person, recorded_by=by, recorded_at=at) for person in fresh
    )
    return [person.pk for person in fresh]
