"""What people type about personal data: requests, breaches, the register, the notices, the terms."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audits.forms import Lines, Moment
from csp.models import (
    Address,
    ContractEnd,
    Customer,
    DataBreach,
    DataRequest,
    Erasure,
    Keeping,
    PrivacyTerms,
    Processing,
    Team,
)
from csp.privacy import calendars, masking

MANNER = [("mail", _("By e-mail, now")), ("otherwise", _("They were told by letter or telephone"))]


class CustomerField(forms.CharField):
    """A customer, by mail address or number. Cleans to one, or to None."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(
            max_length=320, label=_("Customer"), required=required,
            help_text=_("A mail address or telephone number that we know, or the customer's number."),
        )  # fmt: skip

    def clean(self, value: Any) -> Customer | None:
        typed = str(super().clean(value)).strip().lower().removeprefix("#")
        if not typed:
            return None
        found = Address.objects.filter(value=typed).select_related("customer").first()
        customer = found.customer if found else None
        if customer is None and typed.isascii() and typed.isdecimal() and len(typed) < 10:
            customer = Customer.objects.filter(pk=int(typed)).first()
        if customer is None:
            raise ValidationError(gettext("We know no such customer. Leave it empty, and write down who asks."))
        return customer


class RequestForm(forms.Form):
    """What somebody asked, by any channel: written down so that the clock starts where it should."""

    kind = forms.TypedChoiceField(
        label=_("What is asked for"), choices=DataRequest.Kind, coerce=DataRequest.Kind,
        initial=DataRequest.Kind.UNSORTED, help_text=_("Not sure? Leave it: the privacy owner sorts it."),
    )  # fmt: skip
    channel = forms.TypedChoiceField(
        label=_("How it came"), coerce=DataRequest.Channel, initial=DataRequest.Channel.PHONE,
        choices=[(c.value, c.label) for c in DataRequest.Channel if c != DataRequest.Channel.PAGE],
    )  # fmt: skip
    received_at = Moment(label=_("When it was received"), help_text=_("By anybody of us, not when it was read."))
    team = forms.ModelChoiceField(Team.objects.none(), label=_("Team"), empty_label=None)
    customer = CustomerField()
    name = forms.CharField(label=_("Name, if the customer is not known"), max_length=200, required=False)
    address = forms.EmailField(label=_("E-mail for our answer"), max_length=254, required=False)
    words = Lines(label=_("What was said"), required=False)
    about_surveys = forms.BooleanField(label=_("An objection against surveys"), required=False)

    def __init__(self, *args: Any, teams: QuerySet[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]  # a model choice field


class SortForm(forms.Form):
    kind = forms.TypedChoiceField(
        label=_("What is asked for"), coerce=DataRequest.Kind,
        choices=[(k.value, k.label) for k in DataRequest.Kind if k != DataRequest.Kind.UNSORTED],
    )  # fmt: skip
    about_surveys = forms.BooleanField(label=_("An objection against surveys"), required=False)
    customer = CustomerField()


class ToldForm(forms.Form):
    """A text for the person, and whether it goes by mail or was said otherwise, and when."""

    words = Lines(label="", rows=6)
    manner = forms.ChoiceField(label=_("How they are told"), choices=MANNER, widget=forms.RadioSelect, initial="mail")
    told_at = Moment(label=_("When they were told otherwise"), required=False)

    def __init__(self, *args: Any, label: str, hint: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["words"].label, self.fields["words"].help_text = label, hint

    def clean(self) -> dict[str, Any]:
        good = super().clean() or {}
        if good.get("manner") == "mail":
            good["told_at"] = None
        elif good.get("told_at") is None and "told_at" not in self.errors:
            self.add_error("told_at", gettext("Say when."))
        return good


class EraseForm(ToldForm):
    """On which ground a person is erased, and what they are told."""

    basis = forms.ChoiceField(
        label=_("Ground"), choices=[(b.value, b.label) for b in Erasure.Basis if b != Erasure.Basis.EXPIRY]
    )
    field_order = ("basis", "words", "manner", "told_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label=gettext("What the person is told"), **kwargs)
        self.fields["words"].initial = gettext("We have erased what we held on you. This is our last mail.")


class RestrictForm(forms.Form):
    until = Moment(label=_("Until"), help_text=_("Ten years at most. A lock without an end is none."))
    reason = Lines(label=_("Why"), rows=3, help_text=_("The person is told."))


class IdentityForm(forms.Form):
    is_shown = forms.TypedChoiceField(
        label=_("Is it the person?"), widget=forms.RadioSelect, coerce=lambda value: value == "yes",
        choices=[("yes", _("Yes, it is proven")), ("no", _("It could not be shown"))], initial="yes",
    )  # fmt: skip
    how = Lines(label=_("How that is known"), rows=3, help_text=_("Keep no copy of a passport."))


class RectifyForm(forms.Form):
    """What is right. What stays as it is need not be typed again: the fields are filled in."""

    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    organisation = forms.CharField(label=_("Organisation"), max_length=200, required=False)
    wrong_address = forms.ChoiceField(label=_("Address that is wrong"), required=False)
    right_address = forms.CharField(label=_("Right address"), max_length=320, required=False)

    def __init__(self, *args: Any, addresses: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["wrong_address"].choices = [("", _("none")), *addresses]  # type: ignore[attr-defined]  # a choice field


class KeepingForm(forms.Form):
    """The controller's decision to lock a class of records instead of erasing it."""

    what = forms.ChoiceField(label=_("Which records"), choices=Keeping.What.choices, widget=forms.RadioSelect)
    basis = forms.ChoiceField(label=_("On which basis"), choices=Keeping.Basis.choices, widget=forms.RadioSelect)
    reason = Lines(
        label=_("Which duty or claim"), rows=3, help_text=_("In words that whoever asked to be erased is told.")
    )
    months = forms.IntegerField(
        label=_("Months that a record stays locked"), min_value=1, max_value=120, initial=36,
        help_text=_("Counted from the erasure; at their end it is erased."),
    )  # fmt: skip
    expires_at = Moment(label=_("To be decided anew by"), help_text=_("After that an erasure erases again."))


class EndForm(forms.Form):
    """What a controller chose for the data of a contract that has ended."""

    ended_at = Moment(label=_("When the contract ended"))
    choice = forms.ChoiceField(
        label=_("The controller chose"), choices=ContractEnd.Choice.choices, widget=forms.RadioSelect
    )
    said = Lines(label=_("How the controller said so"), rows=3, help_text=_("A letter or a mail, of which day."))


class ReceivedForm(forms.Form):
    received_at = Moment(label=_("When the controller had it"))
    how = Lines(
        label=_("How the controller confirmed it"), rows=3,
        help_text=_("The SHA-256 of the file stands on the page: the controller can compare it."),
    )  # fmt: skip


class RecipientForm(forms.Form):
    name = forms.CharField(label=_("Who received it"), max_length=200)
    mail = forms.EmailField(label=_("E-mail"), max_length=254, required=False)
    what = forms.CharField(label=_("What they received"), max_length=300)
    given_at = Moment(label=_("When"))


class TermsForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for type checkers only
    days_off = forms.CharField(
        label=_("Further holidays"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Days off besides the public holidays, one a line, such as 2026-12-24."),
    )  # fmt: skip
    mask_patterns = forms.CharField(
        label=_("Masked in texts, besides card numbers"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One pattern a line, such as AB-######. # is a digit, @ a letter; four of these at least."),
    )  # fmt: skip
    authority_url = forms.URLField(label=_("Where it takes complaints"), required=False, assume_scheme="https")

    class Meta:
        model = PrivacyTerms
        fields = (
            "part", "controller", "controller_mail", "at_end", "authority", "authority_url", "country", "subdivision",
            "days_off", "mask_patterns",
        )  # fmt: skip
        help_texts = {
            "part": _("Controller: the company decides why data is kept. Processor: the party does."),
            "controller_mail": _("Requests and breaches are forwarded there at once."),
            "at_end": _("For a processor: the controller chooses."),
            "authority": _("A refusal names it."),
            "country": _("Two letters, such as GB. A month that ends on a day off ends on the next working day."),
            "subdivision": _("Such as ENG. Empty: the whole country's."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["days_off"] = "\n".join(day.isoformat() for day in self.instance.days_off)

        self.initial["mask_patterns"] = "\n".join(self.instance.mask_patterns)

    def clean_mask_patterns(self) -> list[str]:
        try:
            return masking.read_patterns(self.cleaned_data["mask_patterns"])
        except ValueError as error:
            raise ValidationError(gettext("%(line)s would hide too much, or is too long.") % {"line": error}) from None

    def clean_days_off(self) -> list[dt.date]:
        try:
            return calendars.read_days(self.cleaned_data["days_off"])
        except ValueError as error:
            raise ValidationError(gettext("%(line)s is no day. Write it as 2026-12-24.") % {"line": error}) from None

    def _post_clean(self) -> None:
        """Leave the instance alone: the verb changes it."""


class BreachForm(forms.Form):
    nature = forms.TypedChoiceField(
        label=_("What kind"), choices=DataBreach.Nature, coerce=DataBreach.Nature, widget=forms.RadioSelect,
        initial=DataBreach.Nature.CONFIDENTIALITY,
    )  # fmt: skip
    what = Lines(label=_("What happened"), help_text=_("One sentence is enough to start the clock."))
    aware_at = Moment(label=_("Aware since"), help_text=_("When somebody of us first knew. Seventy-two hours run."))
    team = forms.ModelChoiceField(Team.objects.none(), label=_("Team"), empty_label=None)

    def __init__(self, *args: Any, teams: QuerySet[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]  # a model choice field


class DescribeForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for type checkers only
    class Meta:
        model = DataBreach
        fields = ("data", "persons", "consequences", "measures")
        widgets = {"consequences": forms.Textarea(attrs={"rows": 3}), "measures": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "data": _("Such as names and addresses. Leave the data itself out."),
            "measures": _("What was done, and what will be, against it and its consequences."),
        }

    def _post_clean(self) -> None:
        """Leave the instance alone: the verb changes it."""


class RiskForm(forms.Form):
    is_high_risk = forms.TypedChoiceField(
        label=_("Is the risk for the persons high?"), widget=forms.RadioSelect, coerce=lambda value: value == "yes",
        choices=[("yes", _("Yes: they are told without delay")), ("no", _("No"))],
    )  # fmt: skip
    reason = Lines(label=_("Why"), rows=3)


class NotifyForm(forms.Form):
    authority_ref = forms.CharField(label=_("The authority's reference"), max_length=100, required=False)
    words = Lines(label=_("What was notified, and by which way"), rows=3)
    notified_at = Moment(label=_("When it was notified"))


class PersonsForm(forms.Form):
    customers = Lines(
        label=_("Customers concerned"), rows=5, help_text=_("One a line: a mail address that we know, or a number.")
    )
    words = Lines(
        label=_("What they are told"), rows=6,
        help_text=_("What happened, what may follow, what we do, what they can do. In plain words."),
    )  # fmt: skip

    def clean_customers(self) -> list[Customer]:
        one, found, unknown = CustomerField(required=True), {}, []
        for line in self.cleaned_data["customers"].split():
            try:
                customer = one.clean(line)
            except ValidationError:
                unknown.append(line)
            else:
                if customer is not None:
                    found[customer.pk] = customer
        if unknown:
            raise ValidationError(gettext("We know nobody by: %(lines)s") % {"lines": ", ".join(unknown[:10])})
        return list(found.values())


class ProcessingForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for type checkers only
    class Meta:
        model = Processing
        fields = ("name", "purpose", "basis", "people", "data", "recipients", "transfers", "kept_for", "safeguards")
        widgets = {
            name: forms.Textarea(attrs={"rows": 3})
            for name in ("purpose", "data", "recipients", "transfers", "safeguards")
        }

    def _post_clean(self) -> None:
        """Leave the instance alone: the verb changes it."""


class NoticeForm(forms.Form):
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    text = Lines(
        label=_("Text"), rows=16,
        help_text=_("Published as the next version of this language; earlier ones stay on record. # makes a heading."),
    )  # fmt: skip
