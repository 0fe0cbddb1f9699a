"""Forms for the words that the company has ready."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from csp.forms import only_contract
from csp.models import Contract
from tickets.models import AuthorityLimit, Category, MailText

LANGUAGES = [("en", _("English")), ("de", _("German"))]


class TextForm(forms.Form):
    subject = forms.CharField(label=_("Subject"), max_length=200)
    body = forms.CharField(label=_("Text"), widget=forms.Textarea(attrs={"rows": 14}), strip=False)


class NewTextForm(TextForm):
    kind = forms.TypedChoiceField(label=_("Which text"), choices=MailText.Kind, coerce=MailText.Kind)
    language = forms.ChoiceField(
        label=_("Language"), choices=[*LANGUAGES, ("fr", _("French")), ("es", _("Spanish")), ("it", _("Italian")),
                                      ("nl", _("Dutch")), ("pl", _("Polish")), ("pt", _("Portuguese"))],
    )  # fmt: skip
    field_order = ("kind", "language", "subject", "body")


class CategoryForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    is_active = forms.BooleanField(label=_("In use"), required=False, initial=True)
    contract = forms.ModelChoiceField(Contract.objects.order_by("pk"), label=_("Contract"), initial=only_contract)


class LimitForm(forms.Form):
    """What people of a role may grant alone."""

    contract = forms.ModelChoiceField(Contract.objects.none(), label=_("Contract"), initial=only_contract)
    category = forms.ModelChoiceField(
        Category.objects.none(), label=_("Category"), required=False, empty_label=_("Every other category")
    )
    role = forms.ChoiceField(label=_("Role"), choices=AuthorityLimit.ROLES)
    amount = forms.DecimalField(
        label=_("May grant alone, up to"), required=False, min_value=0, max_digits=12, decimal_places=2,
        help_text=_("Nothing means any amount."),
    )  # fmt: skip

    def __init__(self, *args: Any, contracts: list[Contract], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        of = [row.pk for row in contracts]
        self.fields["contract"].queryset = Contract.objects.filter(pk__in=of).order_by("pk")  # type: ignore[attr-defined]
        rows = Category.objects.filter(contract__in=of, is_active=True).order_by("name")
        self.fields["category"].queryset = rows  # type: ignore[attr-defined]


class ProcedureForm(forms.Form):
    title = forms.CharField(label=_("Title"), max_length=200)
    text = forms.CharField(
        label=_("Steps"), max_length=20_000, strip=False, widget=forms.Textarea(attrs={"rows": 14}),
        help_text=_(
            "One step a line, with its clause at the end (§3.3) where it serves one. Below it, each on a line that "
            "begins with a dash, what has to be filled in: “- Number of the report”, “- Day of the visit (date)”, "
            "“- Estimate (amount)”, “- Agreed (yes/no)”."
        ),
    )  # fmt: skip
    resolve_days = forms.IntegerField(label=_("Days to resolve, from receipt"), min_value=1, max_value=90)
    progress_days = forms.IntegerField(label=_("Days between progress notes"), min_value=1, max_value=30)
    reason = forms.CharField(label=_("What changes, and why"), max_length=500, required=False)


class ReplyForm(forms.Form):
    title = forms.CharField(label=_("Title"), max_length=100)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    body = forms.CharField(label=_("Text"), widget=forms.Textarea(attrs={"rows": 12}), strip=False)

    def __init__(self, *args: Any, contracts: list[Contract], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contract"] = forms.ModelChoiceField(
            Contract.objects.filter(pk__in=[one.pk for one in contracts]),
            label=_("Contract"),
            initial=contracts[0] if contracts else None,
        )
