"""Signing in and out, passwords, second factors: allauth's views, each with its guard, under our addresses.

Only what is listed here exists: no sign-up, no confirmation of addresses, no sign-in by code.
"""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, re_path

from csp import readiness
from csp.access import open_to_all, person, requires

anyone_signed_in = requires()


class SignInView(account.LoginView):  # type: ignore[misc]  # allauth comes without types
    """Says how to make the first account where there is none yet."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "nobody_yet": not readiness.somebody_can_sign_in()}


class PasswordView(account.PasswordChangeView):  # type: ignore[misc]  # as above
    """Who has no password yet gets one by a link in the mail, not here."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not person(request).has_usable_password():
            return redirect("account_reset_password")
        return super().dispatch(request, *args, **kwargs)


urlpatterns = [
    path("sign-in/", open_to_all(SignInView.as_view()), name="account_login"),
    path("sign-in/code/", open_to_all(factors.authenticate), name="mfa_authenticate"),
    path("sign-in/passkey/", open_to_all(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path("sign-out/", open_to_all(account.logout), name="account_logout"),
    path("sign-in/inactive/", open_to_all(account.account_inactive), name="account_inactive"),
    path("password/", open_to_all(account.password_reset), name="account_reset_password"),
    path("password/sent/", open_to_all(account.password_reset_done), name="account_reset_password_done"),
    re_path(
        r"^password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        open_to_all(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/set/", open_to_all(account.password_reset_from_key_done), name="account_reset_password_from_key_done"
    ),
    path("account/password/", anyone_signed_in(PasswordView.as_view()), name="account_change_password"),
    path("account/again/", anyone_signed_in(account.reauthenticate), name="account_reauthenticate"),
    path("account/again/code/", anyone_signed_in(factors.reauthenticate), name="mfa_reauthenticate"),
    path(
        "account/again/passkey/",
        anyone_signed_in(passkeys.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/passkeys/", anyone_signed_in(passkeys.list_webauthn), name="mfa_list_webauthn"),
    path("account/passkeys/add/", anyone_signed_in(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/remove/", anyone_signed_in(passkeys.remove_webauthn), name="mfa_remove_webauthn"),
    path("account/second-factor/", anyone_signed_in(factors.index), name="mfa_index"),
    path("account/second-factor/on/", anyone_signed_in(totp.activate_totp), name="mfa_activate_totp"),
    path("account/second-factor/off/", anyone_signed_in(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("account/recovery-codes/", anyone_signed_in(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "account/recovery-codes/new/",
        anyone_signed_in(codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/recovery-codes/file/",
        anyone_signed_in(codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
]
