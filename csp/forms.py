"""Forms of the platform: signing in, people, teams, one's own account."""

from __future__ import annotations

import zoneinfo
from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as factor
from allauth.mfa.totp import forms as totp
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from csp.models import User


class Plain(forms.Form):
    """Takes allauth's placeholders and help out: the label above a field says what it is, and stays."""

    labels: dict[str, Any] = {}
    hints: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            field.help_text = self.hints.get(name, "")


NEW_PASSWORD = {
    "labels": {"oldpassword": _("Present password"), "password1": _("New password"), "password2": _("Again")},
    "hints": {"password1": _("At least 12 characters. A sentence is easier to keep than a riddle.")},
}


class SignIn(Plain, account.LoginForm):  # type: ignore[misc]  # allauth comes without types
    labels = {"login": _("E-mail"), "password": _("Password")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class AskForLink(Plain, account.ResetPasswordForm):  # type: ignore[misc]  # as above
    labels = {"email": _("E-mail")}


class SetPassword(Plain, account.ResetPasswordKeyForm):  # type: ignore[misc]  # as above
    labels, hints = NEW_PASSWORD["labels"], NEW_PASSWORD["hints"]


class ChangePassword(Plain, account.ChangePasswordForm):  # type: ignore[misc]  # as above
    labels, hints = NEW_PASSWORD["labels"], NEW_PASSWORD["hints"]


class ProveAgain(Plain, account.ReauthenticateForm):  # type: ignore[misc]  # as above
    labels = {"password": _("Password")}


class Code(Plain, factor.AuthenticateForm):  # type: ignore[misc]  # as above
    labels = {"code": _("Code")}


class CodeAgain(Plain, factor.ReauthenticateForm):  # type: ignore[misc]  # as above
    labels = {"code": _("Code")}


class TurnOn(Plain, totp.ActivateTOTPForm):  # type: ignore[misc]  # as above
    labels = {"code": _("Code that the app shows now")}


def zones() -> list[tuple[str, str]]:
    """Every time zone that a person or a contract can be in."""
    return [
        (name, name.replace("_", " "))
        for name in sorted(zoneinfo.available_timezones())
        if "/" in name or name == "UTC"
    ]


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for type checkers only
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    zone = forms.ChoiceField(label=_("Time zone"), choices=zones)

    class Meta:
        model = User
        fields = ["name", "language", "zone", "theme", "shortcuts", "signature"]
        widgets = {"signature": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "name": _("As colleagues and customers see it."),
            "shortcuts": _("Press ? on a page for the list."),
            "signature": _("Put under your replies."),
        }
