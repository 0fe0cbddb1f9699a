"""What is asked about customers: who they are, another address, whose ticket one is."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from csp.forms import zones
from csp.models import Customer
from tickets.models import MailText


class CustomerForm(forms.Form):
    """The customer's record."""

    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    organisation = forms.CharField(label=_("Organisation"), max_length=200, required=False)
    language = forms.ChoiceField(
        label=_("Language"), required=False, help_text=_("In which acknowledgements and links are written.")
    )
    zone = forms.ChoiceField(
        label=_("Time zone"), required=False, help_text=_("In which promised times are told to the customer.")
    )
    note = forms.CharField(
        label=_("Note for everybody who serves this customer"), max_length=5000, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Only what is needed to serve them. The customer may ask to see it."),
    )  # fmt: skip

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        initial = {name: getattr(customer, name) for name in ("name", "organisation", "language", "zone", "note")}
        super().__init__(*args, **kwargs)
        self.initial = initial
        names = {code.partition("-")[0]: label for code, label in settings.LANGUAGES}
        written = MailText.objects.values_list("language", flat=True).distinct()
        codes = sorted({*written, *names} | ({customer.language} if customer.language else set()))
        self._choose("language", _("Not known"), [(code, names.get(code.partition("-")[0], code)) for code in codes])
        self._choose("zone", _("Not known"), zones())

    def _choose(self, name: str, nothing: Any, choices: list[tuple[str, Any]]) -> None:
        self.fields[name].choices = [("", nothing), *choices]  # type: ignore[attr-defined]  # choice fields


class AddressForm(forms.Form):
    value = forms.CharField(
        label=_("E-mail address or telephone number"), max_length=320,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    is_primary = forms.BooleanField(
        label=_("Use it first"), required=False,
        help_text=_("Where the customer did not write to us themselves, answers go there."),
    )  # fmt: skip


class ChosenForm(forms.Form):
    """One customer, found by name or address and chosen from a list beside these fields."""

    customer = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    find = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)


class WhoForm(ChosenForm):
    """A customer who is known, or one who is named here."""

    name = forms.CharField(label=_("Customer's name"), max_length=200, required=False)
    email = forms.EmailField(label=_("E-mail address"), max_length=254, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
