"""Forms of the platform: signing in, people, teams, one's own account."""

from __future__ import annotations

import zoneinfo
from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as factor
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from csp import clock, mailboxes, signin, tokens
from csp.models import ApiToken, Contract, Mailbox, Team, User
from csp.roles import Office, Role


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
    """Looks nobody up and sends nothing: how long an answer takes would tell which accounts there are."""

    labels = {"email": _("E-mail")}

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email = str(self.cleaned_data["email"])
        signin.ask(email, at=clock.now())
        return email


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


class AddPasskey(Plain, webauthn.AddWebAuthnForm):  # type: ignore[misc]  # as above
    """Always one that signs in by itself, opened on the device by fingerprint, face or PIN."""

    labels = {"name": _("What you call it")}
    passwordless = forms.BooleanField(initial=True, widget=forms.HiddenInput)


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


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for type checkers only
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    zone = forms.ChoiceField(label=_("Time zone"), choices=zones)

    class Meta:
        model = User
        fields = ["name", "email", "side", "language", "zone"]
        help_texts = {"email": _("To sign in with, and where notices go.")}

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def _post_clean(self) -> None:
        """Leave the instance alone: the verb changes it, and says what is wrong with an address that is taken."""


def only_contract() -> Contract | None:
    """The contract to begin with where there is but one."""
    found = list(Contract.objects.order_by("pk")[:2])
    return found[0] if len(found) == 1 else None


def only_team() -> Team | None:
    """The one team in use, where there is no choice."""
    found = list(Team.objects.filter(is_active=True)[:2])
    return found[0] if len(found) == 1 else None


class GrantForm(forms.Form):
    depending = ("team", "contract")  # which of them is needed, the role says

    role = forms.TypedChoiceField(label=_("Role"), choices=Role, coerce=Role)
    team = forms.ModelChoiceField(
        Team.objects.filter(is_active=True).order_by("name"),
        label=_("Team"),
        required=False,
        initial=only_team,
        help_text=_("For representatives and supervisors."),
    )
    contract = forms.ModelChoiceField(
        Contract.objects.order_by("pk"),
        label=_("Contract"),
        required=False,
        initial=only_contract,
        help_text=_("For feedback analysts and auditors."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


class OfficeForm(forms.Form):
    office = forms.TypedChoiceField(label=_("Office"), choices=Office, coerce=Office)
    contract = forms.ModelChoiceField(Contract.objects.order_by("pk"), label=_("Contract"), initial=only_contract)
    user = forms.ModelChoiceField(User.objects.filter(is_active=True).order_by("name"), label=_("Person"))
    deputy = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("name"), label=_("Deputy"), required=False
    )


class TeamForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    is_active = forms.BooleanField(label=_("Takes in work"), required=False)
    complex_above = forms.IntegerField(
        label=_("Propose as complex above"), required=False, min_value=0, max_value=100_000_000,
        help_text=_("A sum in a message, in whatever currency. Empty: the contract's own limit."),
    )  # fmt: skip


class NewTeamForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    contract = forms.ModelChoiceField(Contract.objects.order_by("pk"), label=_("Contract"), initial=only_contract)


class ContractForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for type checkers only
    zone = forms.ChoiceField(
        label=_("Time zone"), choices=zones, help_text=_("Where the contract's calendar days begin and end.")
    )
    privacy_url = forms.URLField(
        label=_("Privacy notice"),
        required=False,
        assume_scheme="https",
        help_text=_("Customers find it under every acknowledgement."),
    )
    complex_above = forms.IntegerField(
        label=_("Propose as complex above"), required=False, min_value=0, max_value=100_000_000,
        help_text=_("A sum in a message, in whatever currency; a team may have its own. Empty: no sum is looked for."),
    )  # fmt: skip

    class Meta:
        model = Contract
        fields = ["company", "party", "zone", "privacy_url", "complex_above"]


class MailboxForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for type checkers only
    of_imap = (  # only where mail is fetched
        "host", "port", "security", "username", "token_url", "client_id", "secret", "client_secret", "folder",
    )  # fmt: skip

    secret = forms.CharField(
        label=_("Password, access token or refresh token"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Stored encrypted and never shown again. Leave it empty to keep the one that is stored."),
    )
    token_url = forms.URLField(
        label=_("Token server"),
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text=_("Only for a token that is renewed: where a refresh token is changed for an access token."),
    )
    client_secret = forms.CharField(
        label=_("Client secret"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Only where the token server asks for one. Stored and kept as the password is."),
    )

    class Meta:
        model = Mailbox
        fields = mailboxes.FIELDS
        widgets = {
            "cut_over_at": forms.DateTimeInput(
                attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
            )
        }
        help_texts = {
            "cut_over_at": _("Mail received before this is kept without acknowledgement and without a clock."),
            "host": _("Only where mail is fetched."),
            "port": _("Empty for the usual one."),
            "client_id": _("As which program we are known there."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = Team.objects.filter(is_active=True).order_by("name")
        if self.initial.get("team") is None:
            self.initial["team"] = only_team()

    def _post_clean(self) -> None:
        """Leave the instance alone: the verb changes it."""


class TokenForm(forms.Form):
    """What a new API token is called, may do, and how long it lasts."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("What uses it, such as “Telephone system”."))
    scope = forms.ChoiceField(label=_("May"), choices=ApiToken.Scope.choices, initial=ApiToken.Scope.READ)
    days = forms.IntegerField(
        label=_("Lasts (days)"), min_value=1, max_value=tokens.MOST_DAYS, initial=tokens.USUAL_DAYS
    )


class AssessmentDecisionForm(forms.Form):
    """A word on how somebody else reads a breach."""

    agreed = forms.TypedChoiceField(
        label=_("Decision"),
        choices=[("yes", _("Agree")), ("no", _("Disagree"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Why?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It stands in the evidence. The breach itself never changes."),
    )
