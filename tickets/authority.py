"""What a person may grant alone, and how another agrees to more than that (clause 3.2).

Whether an amount is above the limit is found when it is written down, and stays on record with it: a limit that is
changed later makes nothing right or wrong that was decided before. tickets.closing asks for the approval.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from csp import access, notices, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Notice, User
from csp.roles import Permission, Role
from tickets.conversation import lock
from tickets.models import Approval, AuthorityLimit, Category, Resolution, Ticket
from tickets.reach import check_can_work

Decision = Approval.Decision


# ---------------------------------------------------------------- the limits


def in_force(contracts: list[Contract]) -> QuerySet[AuthorityLimit]:
    rows = AuthorityLimit.objects.filter(contract__in=contracts, ended_at__isnull=True)
    return rows.select_related("category", "contract", "set_by").order_by("contract", "category__name", "role")


@transaction.atomic
def set_limit(
    contract: Contract,
    *,
    role: Role,
    amount: Decimal | None,
    by: User,
    at: dt.datetime,
    category: Category | None = None,
) -> AuthorityLimit | None:
    """Say what people of this role may grant alone, from now on. No amount is no limit. Raises Refused.

    What supervisors may grant is for an administrator to say: nobody moves an own limit.
    """
    access.check(by, Permission.SET_LIMITS, contract_id=contract.pk, at=at)
    if role == Role.SUPERVISOR and Role.ADMINISTRATOR not in access.scope_of(by, at).roles():
        raise Refused(_("What supervisors may grant is set by an administrator."))
    if category is not None and category.contract_id != contract.pk:
        raise Refused(_("This category belongs to another contract."))
    if amount is not None and amount < 0:
        raise Refused(_("An amount is not negative."))
    Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    standing = AuthorityLimit.objects.filter(contract=contract, category=category, role=role, ended_at__isnull=True)
    before = standing.first()
    if before is not None and before.amount == amount:
        return before
    if before is None and amount is None and category is None:
        return None  # there was none, and there is none
    standing.update(ended_at=at)
    row = AuthorityLimit.objects.create(
        contract=contract, category=category, role=role, amount=amount, set_at=at, set_by=by
    )
    facts = {
        "role": role, "category": category.pk if category else None, "from": before.amount if before else None,
        "to": amount,
    }  # fmt: skip
    trail.record(Act.AUTHORITY_LIMIT, f"authority:{row.pk}", by=by, at=at, facts=facts, evidence=[row])
    return row


def limit_of(user: User, ticket: Ticket, *, at: dt.datetime | None = None) -> Decimal | None:
    """What this person may grant alone on this ticket; None for any amount. The most that one of their roles may."""
    roles = [role for role in (Role.REPRESENTATIVE, Role.SUPERVISOR)
             if ticket.team_id in access.scope_of(user, at=at).teams(role)]  # fmt: skip
    if not roles:
        return Decimal(0)
    rows = AuthorityLimit.objects.filter(
        Q(category=ticket.category_id) | Q(category__isnull=True),
        contract=ticket.contract_id, role__in=roles, ended_at__isnull=True,
    )  # fmt: skip
    # the category's own comes after the one for all, and stands
    found = {row.role: row.amount for row in sorted(rows, key=lambda row: row.category_id is not None)}
    known = [amount for amount in map(found.get, roles) if amount is not None]
    return max(known) if len(known) == len(roles) else None


def _suffices(user: User, ticket: Ticket, amount: Decimal) -> bool:
    limit = limit_of(user, ticket)
    return limit is None or amount <= limit


# ---------------------------------------------------------------- one amount


def weigh(root: Ticket, row: Resolution, *, by: User, at: dt.datetime) -> None:
    """Ask another person where the amount is above the limit of whoever set it. The caller holds the lock."""
    if row.amount is None or row.amount_by_id == by.pk:  # else somebody else's amount, which was weighed by their limit
        limit = limit_of(by, root, at=at)
        row.above = limit if row.amount is not None and limit is not None and row.amount > limit else None
        row.save(update_fields=["above"])
    waiting = Approval.objects.filter(resolution=row, decided_at__isnull=True).first()
    needed = row.above is not None and not is_approved(row)
    if waiting is not None and needed and (waiting.amount, waiting.asked_by_id) == (row.amount, row.amount_by_id):
        return
    if waiting is not None:
        waiting.decision, waiting.decided_at, waiting.decided_by = Decision.DROPPED, at, by
        waiting.save()
    if needed:
        _ask(root, row, at)


def is_approved(row: Resolution) -> bool:
    """Whether another person has agreed to this amount, or to more, for whoever set it."""
    agreed = Approval.objects.filter(resolution=row, decision=Decision.AGREED, amount__gte=row.amount)
    return agreed.exclude(decided_by=row.amount_by_id).exists()


def _ask(root: Ticket, row: Resolution, at: dt.datetime) -> None:
    if row.amount is None or row.above is None or row.amount_by is None:
        return
    asked = Approval.objects.create(
        resolution=row, amount=row.amount, limit=row.above, asked_at=at, asked_by=row.amount_by
    )
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.APPROVAL,
            key=f"amount:{asked.pk}",
            to=_able(root, asked, at) or notices.Rungs(at).administrators(),
            subject_ref=root.reference,
            path=root.path,
            facts={"says": "amount.asked"},
        ),
        at=at,
    )
    facts = {"approval": asked.pk, "resolution": row.pk, "amount": asked.amount, "limit": asked.limit}
    trail.record(Act.AMOUNT_ASKED, root.trail_subject, by=row.amount_by, at=at, facts=facts)


def _able(root: Ticket, asked: Approval, at: dt.datetime) -> list[User]:
    """The supervisors of the team who may agree to it. Where there are none, somebody has to change the limits."""
    people = access.people_with(Role.SUPERVISOR, at=at, teams=[root.team_id])
    return [one for one in people if one.pk not in (asked.asked_by_id, root.about_id)
            and _suffices(one, root, asked.amount)]  # fmt: skip


def waiting_on(ticket: Ticket) -> Approval | None:
    """What waits for another person's word on this ticket."""
    rows = Approval.objects.filter(resolution__ticket=ticket, decided_at__isnull=True)
    return rows.select_related("asked_by", "resolution").first()


def check_can_decide(ticket: Ticket, row: Approval, by: User, at: dt.datetime) -> None:
    """Another person of the team, whose own limit reaches that far."""
    check_can_work(ticket, by, at=at)
    if by.pk == row.asked_by_id:
        raise Refused(_("This is your own amount. Another person approves it."))
    if not _suffices(by, ticket, row.amount):
        raise Refused(_("The amount is above your limit, too. Somebody with a higher limit approves it."))


def may_decide(ticket: Ticket, row: Approval, by: User, at: dt.datetime) -> bool:
    try:
        check_can_decide(ticket, row, by, at=at)
    except Refused:
        return False
    return True


@transaction.atomic
def decide(ticket: Ticket, *, by: User, at: dt.datetime, agrees: bool, reason: str = "") -> Approval:
    """Agree to the amount that waits on this ticket, or not. Raises Refused."""
    root = lock(ticket)
    row = (
        Approval.objects.select_for_update(of=("self",), no_key=True)
        .filter(resolution__ticket=root, decided_at__isnull=True)
        .select_related("asked_by")
        .first()
    )
    if row is None:
        raise Refused(_("No amount waits for approval here any more."))
    check_can_decide(root, row, by, at=at)
    reason = reason.strip()
    if not agrees and not reason:
        raise Refused(_("Say why not; whoever asked reads it."))
    row.decision = Decision.AGREED if agrees else Decision.REFUSED
    row.decided_at, row.decided_by, row.reason = at, by, reason
    row.save()
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.APPROVAL,
            key=f"amount:{row.pk}:decided",
            to=[row.asked_by],
            subject_ref=root.reference,
            path=root.path,
            facts={"says": "amount.agreed" if agrees else "amount.refused"},
        ),
        at=at,
    )
    facts = {"approval": row.pk, "resolution": row.resolution_id, "amount": row.amount, "limit": row.limit}
    trail.record(
        Act.AMOUNT_AGREED if agrees else Act.AMOUNT_REFUSED, root.trail_subject, by=by, at=at, facts=facts,
        personal={"reason": reason} if reason else None, evidence=[row],
    )  # fmt: skip
    return row
