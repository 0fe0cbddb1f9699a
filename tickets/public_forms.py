"""What customers type into the public pages: the contact form, and their own request's page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tickets.forms import FilesField
from tickets.models import Category, Ticket

LONGEST = 20_000


class AddressField(forms.EmailField):
    """A mail address that a mail can be sent to, in lower case; the error says what is missing."""

    def __init__(self, *, label: Any, **more: Any) -> None:
        widget = forms.EmailInput(attrs={"autocomplete": "email"})
        super().__init__(max_length=254, label=label, widget=widget, **more)

    def clean(self, value: Any) -> str:
        typed = str(value or "").strip()
        if typed and "@" not in typed:
            raise ValidationError(gettext("Add the @ sign, as in name@example.com"))
        if not typed:
            return str(super().clean(typed))
        local, at, domain = typed.rpartition("@")
        if not typed.isprintable() or '"' in typed:  # allowed by the standard, written to by nobody
            raise ValidationError(gettext("This address cannot be written to. Check its letters."))
        try:
            typed = f"{local.encode('ascii').decode()}{at}{domain.encode('idna').decode()}"
        except UnicodeError:
            raise ValidationError(gettext("This address cannot be written to. Check its letters.")) from None
        return str(super().clean(typed)).lower()


class ContactForm(forms.Form):
    """A message to the company. `homepage` is seen by programs alone; whatever fills it in is looked at first."""

    KINDS = [
        (Ticket.Kind.INQUIRY.value, _("A question"), "circle-help"),
        (Ticket.Kind.COMPLAINT.value, _("A complaint"), "circle-alert"),
        (Ticket.Kind.REQUEST.value, _("My data"), "shield"),
    ]

    kind = forms.ChoiceField(
        label=_("What is it about?"), widget=forms.RadioSelect, initial=Ticket.Kind.INQUIRY.value,
        choices=[(value, label) for value, label, _icon in KINDS],
    )  # fmt: skip
    text = forms.CharField(
        label=_("Your message"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Please leave out card numbers and passwords."),
    )  # fmt: skip
    name = forms.CharField(
        label=_("Your name"), max_length=100, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = AddressField(label=_("E-mail for our answer"))
    files = FilesField()  # type: ignore[assignment]  # Django keeps uploads under this name on the instance
    homepage = forms.CharField(required=False, max_length=1000)
    token = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    # Which privacy notice stood on the page; anything that is none of ours counts as none.
    notice = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)

    def __init__(self, *args: Any, contract: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Category.objects.filter(contract=contract, is_active=True).order_by("name")
        self.fields["category"] = forms.ModelChoiceField(
            own, required=False, label=_("Topic"), empty_label=_("Choose a topic")
        )
        self.fields["files"].label = _("Photos or papers")
        self.fields["files"].help_text = _("Up to 10 files, 20 MB together.")
        if not own:
            del self.fields["category"]

    def clean(self) -> dict[str, Any]:
        if self.errors.pop("notice", None) is not None:  # of a program; nothing that anybody typed
            self.cleaned_data["notice"] = None
        return self.cleaned_data

    def kinds(self) -> list[dict[str, Any]]:
        """The first question, with a picture for each answer."""
        icons = {value: name for value, _label, name in self.KINDS}
        return [{"radio": each, "icon": icons[each.data["value"]]} for each in self["kind"]]


class ReplyForm(forms.Form):
    """Something to add to a request."""

    text = forms.CharField(
        label=_("Add something"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("You can also answer our e-mail. It lands here as well."),
    )  # fmt: skip
    files = FilesField()  # type: ignore[assignment]  # as above
    token = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["files"].label = _("Photos or papers")
        self.fields["files"].help_text = _("Up to 10 files, 20 MB together.")


class LinkForm(forms.Form):
    """Whose requests somebody wants links to."""

    email = AddressField(label=_("The e-mail address that you wrote from"))
