"""What people type about feedback, checked before a verb sees it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from csp.contract import CLAUSES
from csp.models import Contract, RoleGrant, Team, User
from feedback.models import ActionItem, Finding, Outcome, Remark, Theme
from tickets.forms import FilesField
from tickets.models import Category
from tickets.public_forms import AddressField

FACES = ("angry", "frown", "meh", "smile", "laugh")
HANDS = ("thumbs-up", "hourglass", "x")
SCORES = [
    (1, _("Not at all")),
    (2, _("Not very")),
    (3, _("So so")),
    (4, _("Happy")),
    (5, _("Very happy")),
]
SOON = [("yes", _("Yes")), ("slow", _("It was slow")), ("no", _("No"))]


class Words(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=forms.Textarea(attrs={"rows": kwargs.pop("rows", 4)}), max_length=10_000, required=False, **kwargs
        )


def _marks(bound: forms.BoundField, icons: tuple[str, ...]) -> list[dict[str, Any]]:
    """Each radio button of a field with its icon."""
    return [{"radio": radio, "icon": icon} for radio, icon in zip(bound, icons, strict=True)]


class SurveyForm(forms.Form):
    """Three questions, about one minute."""

    score = forms.TypedChoiceField(
        label=_("How happy are you with the result?"), choices=SCORES, coerce=int, widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the five answers.")},
    )  # fmt: skip
    soon = forms.ChoiceField(
        label=_("Did we answer soon enough?"), choices=SOON, widget=forms.RadioSelect, required=False
    )
    words = Words(label=_("What should we do better?"))
    wants_answer = forms.BooleanField(label=_("Please answer me about this"), required=False)

    def faces(self) -> list[dict[str, Any]]:
        return _marks(self["score"], FACES)

    def hands(self) -> list[dict[str, Any]]:
        return _marks(self["soon"], HANDS)


class TellForm(forms.Form):
    """Feedback from anybody; without an address it is anonymous."""

    score = forms.TypedChoiceField(
        label=_("How happy are you with us?"), choices=SCORES, coerce=int, empty_value=None, required=False,
        widget=forms.RadioSelect,
    )  # fmt: skip
    words = Words(label=_("What do you want to tell us?"), rows=6)
    name = forms.CharField(label=_("Your name"), max_length=200, required=False)
    address = AddressField(
        label=_("Your e-mail address"), required=False,
        help_text=_("Leave name and address empty to stay anonymous: then nobody can find out who wrote this."),
    )  # fmt: skip
    wants_answer = forms.BooleanField(label=_("I want an answer"), required=False)
    # Not shown to people; what fills it in is a machine.
    website = forms.CharField(required=False)
    # Sending the same form twice is sending it once.
    nonce = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def faces(self) -> list[dict[str, Any]]:
        return _marks(self["score"], FACES)

    def clean(self) -> dict[str, Any]:
        good = super().clean() or {}
        if not good.get("score") and not (good.get("words") or "").strip() and not self.errors:
            self.add_error("words", _("Give a score or say something; one of them is enough."))
        if good.get("wants_answer") and not good.get("address") and "address" not in self.errors:
            self.add_error("address", _("To be answered, say where the answer goes: leave an e-mail address."))
        return good


class EntryForm(forms.Form):
    """What a customer said on the telephone or on paper, typed in."""

    source = forms.ChoiceField(
        label=_("How it came"),
        choices=[(s.value, s.label) for s in (Remark.Source.PHONE, Remark.Source.PAPER, Remark.Source.REVIEW)],
    )
    team = forms.ModelChoiceField(Team.objects.none(), label=_("Which team"), empty_label=None)
    received_at = forms.DateTimeField(
        label=_("When it came"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    score = forms.TypedChoiceField(
        label=_("Score"), choices=[("", _("none given")), *SCORES], coerce=int, empty_value=None, required=False
    )
    words = Words(label=_("What was said"))
    name = forms.CharField(
        label=_("Who said it"), max_length=200, required=False, help_text=_("Kept apart from the words, encrypted.")
    )
    address = AddressField(label=_("E-mail address"), required=False)
    wants_answer = forms.BooleanField(label=_("Expects an answer"), required=False)

    def __init__(self, *args: Any, teams: QuerySet[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]  # a model choice field


class HandleForm(forms.Form):
    kind = forms.TypedChoiceField(
        label=_("What was done"),
        choices=[(k.value, k.label) for k in Outcome.Kind if k != Outcome.Kind.ANSWERED],
        coerce=Outcome.Kind,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("In a sentence"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed where nothing is done. Leave names out."),
    )  # fmt: skip


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Why you have to know"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It is recorded, and the privacy owner is told."),
    )  # fmt: skip


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("File"), help_text=_("CSV in UTF-8. Columns: received, score, words, source, team, name, address.")
    )


class RuleForm(forms.Form):
    is_on = forms.BooleanField(label=_("Ask after a matter is resolved"), required=False)
    wait_hours = forms.IntegerField(label=_("Hours after the resolution"), min_value=0, max_value=168)
    cap_days = forms.IntegerField(label=_("Days between two surveys to one customer"), min_value=0, max_value=365)


# ---------------------------------------------------------------- themes


def clauses() -> list[tuple[str, str]]:
    return [("", str(_("none in particular"))), *(
        (number, f"§{number} {_g(clause.title)}") for number, clause in CLAUSES.items()
    )]  # fmt: skip


class ThemeForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("What customers say, in a few words: “Delivery window missed”.")
    )
    clause = forms.ChoiceField(label=_("Clause"), required=False)
    team = forms.ModelChoiceField(
        Team.objects.none(), label=_("Team"), required=False, empty_label=_("The whole desk")
    )  # fmt: skip

    def __init__(self, *args: Any, contract: Contract, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clause"].choices = clauses()  # type: ignore[attr-defined]  # a choice field
        teams = Team.objects.filter(contract=contract, is_active=True).order_by("name", "pk")
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]  # a model choice field


class TextsForm(forms.Form):
    """Some of the texts of a theme."""

    remarks = forms.ModelMultipleChoiceField(
        Remark.objects.none(), label=_("Which texts"), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose one text at least.")},
    )  # fmt: skip

    def __init__(self, *args: Any, remarks: QuerySet[Remark], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["remarks"]
        field.queryset = remarks  # type: ignore[attr-defined]  # a model choice field
        field.label_from_instance = _said  # type: ignore[attr-defined]  # likewise


def _said(remark: Remark) -> str:
    return f"{remark.reference}: {remark.words[:200] or _g('No words')}"


class SplitForm(TextsForm, ThemeForm):
    """Texts that become a theme of their own."""

    field_order = ("name", "clause", "team", "remarks")


class MergeForm(forms.Form):
    into = forms.ModelChoiceField(Theme.objects.none(), label=_("Into which theme"))

    def __init__(self, *args: Any, themes: QuerySet[Theme], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].queryset = themes  # type: ignore[attr-defined]  # a model choice field


class RecursForm(forms.Form):
    recurs_texts = forms.IntegerField(label=_("Texts that are alike"), min_value=2, max_value=1000)
    recurs_days = forms.IntegerField(label=_("Within days"), min_value=1, max_value=365)


# ---------------------------------------------------------------- findings and what is done about them


class Text(forms.CharField):
    def __init__(self, *, rows: int = 4, **kwargs: Any) -> None:
        super().__init__(max_length=10_000, widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


class FindingForm(forms.Form):
    title = forms.CharField(label=_("In a sentence"), max_length=200)
    text = Text(
        label=_("What you found"), rows=6,
        help_text=_("In your own words. Leave out who said it; what it rests on is kept with it by itself."),
    )  # fmt: skip
    recommendation = Text(label=_("What should be done"), help_text=_("One recommendation a line."))
    team = forms.ModelChoiceField(Team.objects.none(), label=_("Whose supervisors decide"), empty_label=None)
    clause = forms.ChoiceField(label=_("Clause"), required=False)
    about = forms.CharField(
        label=_("What it rests on"), max_length=500, required=False,
        help_text=_("Remarks and tickets by their numbers: F-12, #4790."),
    )  # fmt: skip

    def __init__(self, *args: Any, teams: QuerySet[Team], theme: Theme | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]  # a model choice field
        self.fields["clause"].choices = clauses()  # type: ignore[attr-defined]  # a choice field
        if theme is not None:
            self.fields["about"].help_text = _("The texts of the theme are kept with it; others by number: F-12.")


class AgreeForm(forms.Form):
    what = forms.CharField(label=_("What is done"), max_length=500)
    owner = forms.ModelChoiceField(User.objects.none(), label=_("Who does it"))
    day = forms.DateField(
        label=_("Done by the end of"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    measure = forms.ChoiceField(
        label=_("The figure that will show it"), choices=[],
        help_text=_("It is told for as many days before as after. What was before is frozen now."),
    )  # fmt: skip
    window_days = forms.IntegerField(label=_("Days before and after"), min_value=7, max_value=182, initial=28)

    def __init__(self, *args: Any, finding: Finding, at: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Q(team__contract=finding.contract_id) | Q(contract=finding.contract_id)
        grants = RoleGrant.objects.in_force(at).filter(mine)
        people = User.objects.filter(is_active=True, pk__in=grants.values("user")).order_by("name", "pk")
        self.fields["owner"].queryset = people  # type: ignore[attr-defined]  # a model choice field
        choices = [choice for choice in ActionItem.Measure.choices if finding.theme_id or choice[0] != "rate"]
        self.fields["measure"].choices = choices  # type: ignore[attr-defined]  # a choice field


class OneReasonForm(forms.Form):
    reason = Text(label=_("Why"), help_text=_("It stands in the evidence."))


class DoneForm(forms.Form):
    text = Text(label=_("What was done, and how that shows"))
    evidence = FilesField()


class VerdictForm(forms.Form):
    verdict = forms.ChoiceField(
        label=_("Was it done?"), widget=forms.RadioSelect,
        choices=[
            ("yes", _("Yes, the evidence shows it")),
            ("no", _("No: it counts as not done, and the first due time stands")),
        ],
    )  # fmt: skip
    note = Text(label=_("What you looked at and what you found"))


class ProcedureChoiceForm(forms.Form):
    category = forms.ModelChoiceField(
        Category.objects.none(), label=_("Complaints about"), required=False, empty_label=_("Every other complaint"),
        help_text=_("The draft opens next. Once it is published, its update course follows by itself."),
    )  # fmt: skip

    def __init__(self, *args: Any, contract: Contract, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Category.objects.filter(contract=contract, is_active=True).order_by("name", "pk")
        self.fields["category"].queryset = rows  # type: ignore[attr-defined]  # a model choice field
