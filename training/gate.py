"""The gate: a published rule that work waits for training, with an appeal (clause 5). Nothing is limited without one.

It acts by rows of csp.Restriction, one for each assignment, which the desk honours: they never touch an escalation, an
acknowledgement or a holding message.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, independence, notices, offices, restrictions, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Notice, Restriction, User
from csp.roles import Permission, Role
from training.models import Appeal, Assignment, Gate

Kind = Restriction.Kind
LONGEST = 30  # days that a rule may give to those who work here already


def in_force(contract: Contract, at: dt.datetime) -> Gate | None:
    return Gate.objects.filter(contract=contract, published_at__lte=at, ended_at__isnull=True).first()


@transaction.atomic
def publish(
    contract: Contract,
    *,
    text: str,
    restricts: Sequence[Restriction.Kind],
    days_present: int,
    by: User,
    at: dt.datetime,
) -> Gate:
    """Let work wait for training from now on. The rule before ends; what it limits stays limited until it is passed."""
    access.check(by, Permission.MANAGE_TRAINING, contract_id=contract.pk, at=at)
    contract = Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    if not text.strip():
        raise Refused(_("Say the rule in words; everybody concerned reads it."))
    if not restricts:
        raise Refused(_("Choose how work is limited until the training is passed."))
    if not 0 <= days_present <= LONGEST:
        raise Refused(_("At most %(days)d days.") % {"days": LONGEST})
    before = Gate.objects.filter(contract=contract).order_by("-number").first()
    _end(contract, by, at)
    row = Gate.objects.create(
        contract=contract, number=before.number + 1 if before else 1, text=text.strip(),
        restricts=[Kind(code).value for code in dict.fromkeys(restricts)],
        days_present=days_present, published_by=by, published_at=at,
    )  # fmt: skip
    trail.record(
        Act.GATE_PUBLISHED, f"contract:{contract.pk}", by=by, at=at,
        facts={"number": row.number, "restricts": row.restricts, "present": days_present},
        evidence=[row],
    )  # fmt: skip
    return row


@transaction.atomic
def end(contract: Contract, *, by: User, at: dt.datetime) -> None:
    """Take the rule back: nobody's work waits for training any more, and what it limits is free at once."""
    access.check(by, Permission.MANAGE_TRAINING, contract_id=contract.pk, at=at)
    contract = Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    limited = Assignment.objects.owed().filter(contract=contract, restricted_at__isnull=False)
    if limited.filter(user=by).exists():
        raise Refused(_("The rule limits your own work. Somebody whose work it does not limit may take it back."))
    row = _end(contract, by, at)
    if row is None:
        raise Refused(_("No such rule is published."))
    for owed in limited:
        restrictions.end(owed.trail_subject, by=by, at=at, why="rule ended")
    trail.record(Act.GATE_ENDED, f"contract:{contract.pk}", by=by, at=at, facts={"number": row.number})


def _end(contract: Contract, by: User, at: dt.datetime) -> Gate | None:
    row = Gate.objects.filter(contract=contract, ended_at__isnull=True).first()
    if row is not None:
        row.ended_at = at
        row.save(update_fields=["ended_at"])
    return row


# ---------------------------------------------------------------- one person's work


def limit(row: Assignment, rule: Gate, *, since: dt.datetime, at: dt.datetime) -> None:
    """Limit somebody's work until this is passed. The caller holds the person's lock and records why."""
    row.restricted_at = since
    row.save(update_fields=["restricted_at"])
    restrictions.impose(
        row.user,
        [Kind(code) for code in rule.restricts],
        clause=row.course.clause,
        cause=row.trail_subject,
        path=row.path,
        starts_at=since,
        ends_at=None,
        by=None,
        at=at,
    )


def lift(row: Assignment, *, by: trail.Actor, at: dt.datetime, why: str) -> bool:
    """What this assignment limits is free. Says whether it limited anything."""
    return row.restricted_at is not None and restrictions.end(row.trail_subject, by=by, at=at, why=why) > 0


def tell(row: Assignment, says: str, to: Sequence[User], at: dt.datetime, **facts: str) -> None:
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.TRAINING,
            key=f"training:{row.pk}:{says}",
            to=to,
            subject_ref=f"T-{row.pk}",
            path=row.path,
            deadline=row.deadline,
            facts={"says": says, "course": row.course.title, "clause": row.course.clause} | facts,
        ),
        at=at,
    )


# ---------------------------------------------------------------- appeal


@transaction.atomic
def appeal(row: Assignment, *, by: User, at: dt.datetime, text: str) -> Appeal:
    """Say that the rule is wrong in one's own case. The limit stays until somebody independent has decided."""
    row = _lock(row)
    if row.user_id != by.pk:
        raise Refused(_("Only the person concerned appeals."))
    if row.ended_at is not None or row.restricted_at is None:
        raise Refused(_("Your work is not limited for this."))
    if Appeal.objects.filter(assignment=row).exists():
        raise Refused(_("You have appealed already; it may be done once."))
    if not text.strip():
        raise Refused(_("Say why it is wrong."))
    made = Appeal.objects.create(assignment=row, text=text.strip(), filed_at=at)
    tell(row, "training.appealed", [person for person in _deciders(row, at) if can_decide(row, person, at)], at)
    trail.record(Act.TRAINING_APPEALED, row.trail_subject, by=by, at=at, personal={"text": text})
    return made


def _deciders(row: Assignment, at: dt.datetime) -> list[User]:
    """Supervisors of the contract's teams and the administrators; the representatives where none is independent."""
    teams = list(row.contract.teams.values_list("pk", flat=True))
    people = [
        *access.people_with(Role.SUPERVISOR, at=at, teams=teams), *access.people_with(Role.ADMINISTRATOR, at=at)
    ]  # fmt: skip
    return people + [one for one in offices.holders(row.contract_id, offices.REPRESENTATIVES, at=at).values() if one]


def check_can_decide(row: Assignment, by: User, at: dt.datetime) -> None:
    """Neither the one concerned, nor who published the rule, nor anybody who works under them."""
    represents = row.contract_id in offices.contracts_of(by, *offices.REPRESENTATIVES, at=at)
    if not represents:
        access.check(by, Permission.MANAGE_TRAINING, contract_id=row.contract_id, at=at)
    involved = {row.user_id}
    if row.gate is not None:
        involved.add(row.gate.published_by_id)
    independence.check(by, involved, at)


def can_decide(row: Assignment, by: User, at: dt.datetime) -> bool:
    try:
        check_can_decide(row, by, at)
    except Refused:
        return False
    return True


def _lock(row: Assignment) -> Assignment:
    User.objects.select_for_update(no_key=True).get(pk=row.user_id)
    found = Assignment.objects.select_related("course", "contract", "user", "gate", "deadline", "version", "after")
    return found.get(pk=row.pk)


def open_appeal(made: Appeal, *, by: User, at: dt.datetime, answer: str) -> tuple[Appeal, Assignment]:
    """The appeal and its assignment under lock, for whoever may decide it now. Raises Refused."""
    row = _lock(made.assignment)
    made = Appeal.objects.get(pk=made.pk)
    check_can_decide(row, by, at)
    if made.decided_at is not None:
        raise Refused(_("This appeal has been decided already."))
    if not answer.strip():
        raise Refused(_("Give your reasons; the one concerned reads them."))
    return made, row
