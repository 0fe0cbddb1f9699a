"""API tokens: made and shown once, kept as a digest, revoked by their person or an administrator.

A token lets a program act as its person, with what that person may do at that moment and never more.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, trail
from csp.access import Refused
from csp.events import Act
from csp.models import ApiToken, User
from csp.roles import Permission
from csp.signin import lock, subject_of

PREFIX = "csp_"  # by which scanners of source code know a secret of ours
USUAL_DAYS, MOST_DAYS = 90, 365
MOST = 20  # tokens in force of one person
NOTED_EVERY = dt.timedelta(hours=1)


@transaction.atomic
def make(user: User, *, name: str, scope: ApiToken.Scope, days: int, at: dt.datetime) -> tuple[ApiToken, str]:
    """Make a token for the person themselves. Returns it with its secret, which nobody can read again. Raises Refused.

    `days` until it runs out.
    """
    lock(user)
    if not name.strip():
        raise Refused(_("Give the token a name that says what uses it."))
    if not 1 <= days <= MOST_DAYS:
        raise Refused(_("A token lasts a day at least and %(days)d at most.") % {"days": MOST_DAYS})
    if ApiToken.objects.in_force(at).filter(user=user).count() >= MOST:
        raise Refused(_("You have %(n)d tokens already. Revoke one that is not needed.") % {"n": MOST})
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user, name=name.strip()[:80], digest=_digest(secret), scope=scope, created_at=at,
        expires_at=at + dt.timedelta(days=days),
    )  # fmt: skip
    facts = {"token": row.pk, "scope": scope, "expires": row.expires_at}
    trail.record(Act.TOKEN_MADE, subject_of(user), by=user, at=at, facts=facts, personal={"name": row.name})
    return row, secret


@transaction.atomic
def revoke(token: ApiToken, *, by: User, at: dt.datetime) -> ApiToken:
    """End a token now: one's own, or as an administrator anybody's. Raises Refused."""
    if token.user_id != by.pk:
        access.check(by, Permission.MANAGE_PEOPLE, at=at)
    lock(token.user)
    row = ApiToken.objects.select_for_update().get(pk=token.pk)
    if row.revoked_at is not None:
        raise Refused(_("This token is revoked already."))
    row.revoked_at, row.revoked_by = at, by
    row.save(update_fields=["revoked_at", "revoked_by"])
    trail.record(Act.TOKEN_REVOKED, subject_of(row.user), by=by, at=at, facts={"token": row.pk})
    return row


def end_all(user: User, *, by: User, at: dt.datetime) -> list[int]:
    """End every token of somebody who leaves; inside the act that records it. Returns their numbers."""
    rows = ApiToken.objects.select_for_update().filter(user=user, revoked_at__isnull=True)
    numbers = list(rows.order_by("pk").values_list("pk", flat=True))
    ApiToken.objects.filter(pk__in=numbers).update(revoked_at=at, revoked_by=by)
    return numbers


def find(secret: str, *, at: dt.datetime) -> ApiToken | None:
    """The token in force with this secret, with its person."""
    if not secret.startswith(PREFIX):
        return None
    return ApiToken.objects.in_force(at).select_related("user").filter(digest=_digest(secret)).first()


def note_use(token: ApiToken, *, at: dt.datetime) -> None:
    """Remember, to the hour, when a token was used last; its first use is on record."""
    if token.used_at is not None and token.used_at > at - NOTED_EVERY:
        return
    with transaction.atomic():
        lock(token.user)
        is_first = ApiToken.objects.filter(pk=token.pk, used_at__isnull=True).update(used_at=at)
        if is_first:
            facts = {"token": token.pk}
            trail.record(Act.TOKEN_USED, subject_of(token.user), by=token.user, at=at, facts=facts)
        else:
            ApiToken.objects.filter(pk=token.pk).update(used_at=at)


def _digest(secret: str) -> bytes:
    """Of 256 random bits a plain digest is enough: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()
