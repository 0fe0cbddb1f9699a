"""Who is signed in: sessions, passwords, second factors. Each act is recorded, with the person's row locked first."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from allauth.account import app_settings as account_settings
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from csp import batches, outbox, trail
from csp.events import Act
from csp.models import OutboundMessage, PasswordRequest, Session, User

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def subject_of(user: User) -> str:
    """How a person stands in the trail as the one that an act was done to."""
    return f"user:{user.pk}"


def lock(user: User) -> User:
    """The person's row, held until the transaction ends; every act on a person begins with it."""
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def find(address: str) -> User | None:
    """The account with this mail address."""
    return User.objects.filter(email__iexact=address.strip()).first() if address else None


@transaction.atomic
def signed_in(user: User, *, at: dt.datetime) -> None:
    """Record that the person has just proved who they are. Sessions that are over are swept on the way."""
    lock(user)
    Session.objects.filter(expire_date__lt=at).delete()
    trail.record(Act.SIGNED_IN, subject_of(user), by=user, at=at)


@transaction.atomic
def signed_out(user: User, *, at: dt.datetime, because: str = "") -> None:
    """Record the end of a session: the person's own wish, or a limit (`because`)."""
    lock(user)
    trail.record(Act.SIGNED_OUT, subject_of(user), by=user, at=at, facts={"because": because} if because else {})


@transaction.atomic
def refused(address: str, *, at: dt.datetime, because: str) -> None:
    """Record a refused sign-in. Of an unknown address nothing is kept: it may be a password typed in the wrong box."""
    user = find(address)
    if user is None:
        trail.record(
            Act.SIGN_IN_REFUSED, f"attempt:{uuid.uuid4().hex}", by="sign-in", at=at, context="sign-in",
            facts={"because": because, "known": False},
        )  # fmt: skip
        return
    lock(user)
    trail.record(
        Act.SIGN_IN_REFUSED, subject_of(user), by="sign-in", at=at, context="sign-in",
        facts={"because": because, "known": True},
    )  # fmt: skip


@transaction.atomic
def set_password(
    user: User, password: str, *, by: trail.Actor, at: dt.datetime, keep_session: str | None = None
) -> None:
    """Give the person a new password; every session but `keep_session` ends with it, in this transaction."""
    lock(user)
    user.set_password(password)
    User.objects.filter(pk=user.pk).update(password=user.password)
    ended = end_sessions(user, keep=keep_session)
    trail.record(Act.PASSWORD_CHANGED, subject_of(user), by=by, at=at, facts={"sessions_ended": ended})


def end_sessions(user: User, *, keep: str | None = None) -> int:
    """Sign the person out everywhere, but for the session with the key `keep`. Returns how many ended."""
    sessions = Session.objects.filter(user=user).exclude(session_key=keep or "")
    return sessions.delete()[0]


@transaction.atomic
def sign_out_everywhere(user: User, *, at: dt.datetime, keep_session: str | None = None) -> int:
    """End the person's other sessions at their own wish. Returns how many ended."""
    lock(user)
    ended = end_sessions(user, keep=keep_session)
    trail.record(
        Act.SIGNED_OUT, subject_of(user), by=user, at=at, facts={"because": "everywhere", "sessions_ended": ended}
    )
    return ended


@transaction.atomic
def second_factor_changed(user: User, *, kind: str, how: str, by: trail.Actor, at: dt.datetime) -> None:
    """Record that a second factor was added, removed or made anew."""
    lock(user)
    trail.record(Act.SECOND_FACTOR, subject_of(user), by=by, at=at, facts={"kind": kind, "how": how})


def has_second_factor(user: User) -> bool:
    """Whether a sign-in of this person asks for more than the password."""
    return Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def password_link(user: User) -> str:
    """A link with which the person sets a password: once, and for as long as PASSWORD_RESET_TIMEOUT says."""
    token = account_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    return link_to(f"{user_pk_to_url_str(user)}-{token}")


def link_to(key: str) -> str:
    """The address of the set-password page for a key made by allauth; never built from the Host of a request."""
    person, _, token = key.partition("-")
    return settings.SITE_URL + reverse("account_reset_password_from_key", kwargs={"uidb36": person, "key": token})


def invite(user: User, *, at: dt.datetime) -> OutboundMessage:
    """Mail the person a link with which to set a password."""
    with translation.override(user.language):
        context = {
            "user": user,
            "link": password_link(user),
            "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
            "site": settings.SITE_URL,
        }
        subject = render_to_string("account/email/invitation_subject.txt", context)
        body = render_to_string("account/email/invitation_message.txt", context)
    return post(f"invitation:{user.pk}:{at.timestamp()}", [user.email], subject, body, at=at)


def ask(address: str, *, at: dt.datetime) -> None:
    """Write down that somebody asked for a new password. The same is done for every address, so that nobody learns,
    by what comes back or when, which are known."""
    PasswordRequest.objects.create(address=address.strip().lower()[:320], asked_at=at)


def send_asked(at: dt.datetime, *, limit: int = 200) -> int:
    """Mail the links that were asked for. Returns how many requests were seen to."""
    return batches.work_off(PasswordRequest.objects.order_by("pk"), functools.partial(_send_asked, at=at), limit=limit)


@transaction.atomic(durable=True)
def _send_asked(waiting: QuerySet[PasswordRequest], limit: int, *, at: dt.datetime) -> int:
    rows = list(waiting.select_for_update(skip_locked=True)[:limit])
    for row in rows:
        user = find(row.address)
        if user is not None and user.is_active:
            context = {"user": user, "password_reset_url": password_link(user)}
            mail("account/email/password_reset_key", user.email, user.language, context, at=at)
        row.delete()
    return len(rows)


def mail(template: str, to: str, language: str | None, context: Mapping[str, Any], *, at: dt.datetime) -> None:
    """Mail about an account, in the person's language; the same words to the same person go out once."""
    with translation.override(language or translation.get_language()):
        values = {**context, "site": settings.SITE_URL, "hours": settings.PASSWORD_RESET_TIMEOUT // 3600}
        subject = render_to_string(f"{template}_subject.txt", values)
        body = render_to_string(f"{template}_message.txt", values)
    said = hashlib.sha256(f"{to}\n{body}".encode()).hexdigest()[:24]
    post(f"{template.rsplit('/', 1)[-1]}:{said}", [to], subject, body, at=at)


def tell_former_address(user: User, former: str, *, at: dt.datetime) -> None:
    """Tell the old mail address that the account has a new one: its owner may know nothing of it."""
    with translation.override(user.language):
        subject = render_to_string("account/email/address_changed_subject.txt")
        body = render_to_string("account/email/address_changed_message.txt", {"user": user, "site": settings.SITE_URL})
    post(f"address:{user.pk}:{at.timestamp()}", [former], subject, body, at=at)


def post(key: str, to: Iterable[str], subject: str, body: str, *, at: dt.datetime) -> OutboundMessage:
    """Put a mail about an account in the outbox."""
    return outbox.post(
        kind=outbox.Kind.ACCOUNT,
        dedupe_key=f"account:{key}",
        to=list(to),
        subject=subject,
        body=body.strip() + "\n",
        headers={"Auto-Submitted": "auto-generated"},
        at=at,
    )
