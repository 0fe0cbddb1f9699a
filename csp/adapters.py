"""What django-allauth asks of us: it walks people through signing in, our verbs do and record it."""

from __future__ import annotations

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import login, logout
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from csp import clock, middleware, signin, vault
from csp.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth comes without types
    """Sign-in by e-mail and password; accounts are made by administrators only (csp.people)."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("E-mail and password do not fit together. Check both, or set a new password."),
        "enter_current_password": _("This is not your present password."),
        "incorrect_password": _("This is not your password."),
        "incorrect_code": _("This code is not right, or it was used before. Wait for the next one and try again."),
        "too_many_login_attempts": _("Too many tries. Wait a quarter of an hour and try again."),
        "invalid_password_reset": _("This link was used before or is too old. Ask for a new one."),
        "rate_limited": _("Too many tries. Wait a little and try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Nothing: django-axes counts the tries, for each address and network address; so nobody locks out others."""

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        locked = getattr(request, "axes_locked_out", False)
        signin.refused(credentials.get("email", ""), at=clock.now(), because="locked" if locked else "password")

    def login(self, request: HttpRequest, user: User) -> None:
        if not hasattr(user, "backend"):  # after the second factor, the person was read from the database again
            user.backend = "csp.access.TableBackend"
        user.skip_history_when_saving = True  # type: ignore[attr-defined]  # last_login: that is the trail's business
        login(request, user)
        signin.signed_in(user, at=clock.now())

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            signin.signed_out(request.user, at=clock.now())
        logout(request)

    def set_password(self, user: User, password: str) -> None:
        request = current.request
        own = request.user == user
        signin.set_password(
            user, password, by=user, at=clock.now(), keep_session=request.session.session_key if own else None
        )

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def get_reset_password_from_key_url(self, key: str) -> str:
        return signin.link_to(key)

    def get_client_ip(self, request: HttpRequest) -> str:
        return middleware.address_of(request)

    def format_email_subject(self, subject: str) -> str:
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Through the outbox, in the person's language. The link for a new password has its own way (signin.ask)."""
        user = context.get("user") or signin.find(email)
        signin.mail(template_prefix, email, getattr(user, "language", None), {**context, "user": user}, at=clock.now())


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # as above
    """Secrets of second factors are stored encrypted; where one is required nobody can drop the last."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _("A second factor is required here, so it cannot be turned off."),
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
    }

    def encrypt(self, text: str) -> str:
        return base64.b64encode(vault.seal_secret(text)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return vault.open_secret(base64.b64decode(encrypted_text))

    def get_totp_issuer(self) -> str:
        return f"CSP {settings.ORGANISATION}".strip()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        others = Authenticator.objects.filter(user=authenticator.user, type__in=signin.FACTORS)
        return not settings.REQUIRE_SECOND_FACTOR or others.exclude(pk=authenticator.pk).exists()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """The first is called Passkey, the next Passkey 2."""
        known = Authenticator.objects.filter(user=user, type=type).count()
        return _("Passkey %(n)d") % {"n": known + 1} if known else str(_("Passkey"))

    def build_totp_svg(self, url: str) -> str:
        """The code on a white ground of its own: cameras want dark on light, in the dark theme too."""
        drawn = super().build_totp_svg(url)
        head, _sep, rest = drawn[drawn.index("<svg") :].partition(">")
        return f'{head} role="img" aria-label="QR"><rect width="100%" height="100%" fill="#fff"/>{rest}'


# On the rows themselves, not on allauth's own signals: those come after the commit, and a crash would lose the record.
@receiver(post_save, sender=Authenticator)
def _added(sender: Any, instance: Authenticator, created: bool, **_kwargs: Any) -> None:
    if created:
        _record_factor(instance, "added")


@receiver(post_delete, sender=Authenticator)
def _removed(sender: Any, instance: Authenticator, **_kwargs: Any) -> None:
    _record_factor(instance, "removed")


def _record_factor(factor: Authenticator, how: str) -> None:
    doer = getattr(current.request, "user", None)
    by = doer if isinstance(doer, User) else "sign-in"
    signin.second_factor_changed(factor.user, kind=factor.type, how=how, by=by, at=clock.now())


@receiver(signals.authentication_failed)
def _code_refused(sender: Any, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    signin.refused(user.email, at=clock.now(), because="second factor")
