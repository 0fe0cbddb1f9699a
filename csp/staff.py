"""What is kept of somebody who has left: five years from leaving, then the person goes and the number stays (4.3).

One file stands for each person's account, and one for their training (training.retention): it is opened when they
leave, ends with every leaving, and is disposed of like any other record. Grants, offices and signatures stay under the
number: they prove who was allowed what, and lead to nobody any more.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from csp import batches, removing, trail
from csp.events import Act
from csp.models import Contract, Hold, OutboundMessage, RoleGrant, Session, StaffFile, User
from csp.models.retention import PersonalFile
from csp.privacy import blanking
from csp.records import Kept
from csp.retention import Root

State = PersonalFile.State


def follow(
    model: type[Any], left: QuerySet[User], contracts_of: Callable[[User], Iterable[int]], *, limit: int = 200
) -> int:
    """End the files of those who have left, and open them for those who are back. Returns for how many persons."""
    ended = model.objects.filter(user=OuterRef("pk"), state=State.CLOSED, closed_at=OuterRef("left_at"))
    away = left.filter(is_active=False, left_at__isnull=False).exclude(Exists(ended)).order_by("left_at", "pk")
    back = model.objects.filter(state=State.CLOSED, user__is_active=True).order_by("pk")
    done = batches.each(
        list(away.values_list("pk", flat=True)[: batches.FAR]),
        functools.partial(_end, model=model, contracts_of=contracts_of), limit=limit,
    )  # fmt: skip
    return done + batches.each(
        list(back.values_list("user", flat=True)[: batches.FAR]), functools.partial(_open, model=model), limit=limit
    )


@transaction.atomic(durable=True)
def _end(number: int, *, model: type[Any], contracts_of: Callable[[User], Iterable[int]]) -> int:
    user = User.objects.select_for_update(no_key=True).get(pk=number)
    if user.is_active or user.left_at is None:
        return 0
    for contract in sorted(contracts_of(user)):
        row, is_new = model.objects.get_or_create(
            user=user, contract_id=contract,
            defaults={"state": State.CLOSED, "opened_at": user.left_at, "closed_at": user.left_at},
        )  # fmt: skip
        if not is_new:
            row.state, row.closed_at = State.CLOSED, user.left_at
            row.save(update_fields=["state", "closed_at"])
    return 1


@transaction.atomic(durable=True)
def _open(number: int, *, model: type[Any]) -> int:
    user = User.objects.select_for_update(no_key=True).get(pk=number)
    if not user.is_active:
        return 0
    return int(model.objects.filter(user=user, state=State.CLOSED).update(state=State.OPEN, closed_at=None))


def contract_of(user: User) -> Iterable[int]:
    """The contract that somebody worked under last; of whoever had no team, the installation's first."""
    grant = RoleGrant.objects.filter(user=user).exclude(team=None, contract=None).select_related("team").last()
    if grant is not None:
        return [grant.contract_id or grant.team.contract_id]
    return Contract.objects.order_by("pk").values_list("pk", flat=True)[:1]


def set_files() -> int:
    return follow(StaffFile, User.objects.filter(erased_at__isnull=True), contract_of)


def forget(people: Collection[int], at: dt.datetime, by: trail.Actor) -> int:
    """Blank the accounts whose file is gone. What they did stays signed with the number. Returns how many."""
    gone = User.objects.filter(pk__in=people, is_active=False, erased_at__isnull=True)
    rows = list(gone.exclude(Exists(StaffFile.objects.filter(user=OuterRef("pk")))).order_by("pk"))
    numbers = [row.pk for row in rows]
    for row in rows:
        mails = OutboundMessage.objects.filter(to=[row.email])  # written to this person alone
        blanking.blank({OutboundMessage: set(mails.values_list("pk", flat=True))}, at=at)
        row.email, row.name = f"former-{row.pk}@former.invalid", f"Former colleague {row.pk}"
        row.signature, row.erased_at = "", at
        row.set_unusable_password()
        row.save(update_fields=["email", "name", "signature", "password", "erased_at"])
    User.history.filter(id__in=numbers).delete()
    for model in (EmailAddress, Authenticator, Session):
        keys = model._base_manager.filter(user__in=numbers)
        keys._raw_delete(keys.db)  # nobody adds or removes a factor: the person is gone
    blanking.forget_earlier(User, numbers)
    removing.blank_trail(f"user:{number}" for number in numbers)
    trail.record_all(
        trail.Entry(Act.ERASED, f"user:{number}", by=by, at=at, facts={"class": Kept.PEOPLE.name}) for number in numbers
    )
    return len(numbers)


STAFF = Root(
    kind="staff",
    model=StaffFile,
    kept=Kept.PEOPLE,
    ended=Q(state=State.CLOSED, user__is_active=False),
    ended_at="closed_at",
    prefix="SF-",
    customer="user_id",
    held_by=Hold.Kind.USER,
    is_worked_on=False,
    afterwards=forget,
)
