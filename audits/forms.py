"""What people type about a failure and its correction, checked before a verb sees it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from audits.measures import LIMITS
from audits.models import CorrectiveAction, Measure, NonCompliance
from csp import access
from csp.contract import CLAUSES
from csp.models import Restriction, Team, User
from tickets.forms import FilesField


def people() -> QuerySet[User]:
    return User.objects.filter(is_active=True).order_by("name", "pk")


class Lines(forms.CharField):
    """Some lines of text."""

    def __init__(self, *, rows: int = 4, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": rows}), max_length=10_000, **kwargs)


class Moment(forms.DateTimeField):
    """A date and a time, in the reader's zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class Day(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def day_ends(day: dt.date, case: NonCompliance) -> dt.datetime:
    """The end of that day where the contract's days are read."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), case.contract.zoneinfo)


class ReportForm(forms.Form):
    """What was not kept: two answers are enough, the rest has good defaults."""

    what = Lines(label=_("What happened"), help_text=_("One sentence is enough. Leave names out where you can."))
    clause = forms.ChoiceField(label=_("Which clause was not kept"))
    team = forms.ModelChoiceField(Team.objects.none(), label=_("Which team"), empty_label=None)
    noticed_at = Moment(label=_("When you noticed"), help_text=_("A report more than an hour later is itself late."))
    about = forms.CharField(label=_("About"), required=False, max_length=40, help_text=_("A ticket, such as #4790."))
    in_confidence = forms.BooleanField(
        label=_("In confidence"), required=False, help_text=_("Only the compliance owner sees it, and not who you are.")
    )
    about_the_owner = forms.BooleanField(
        label=_("It is about the compliance owner"),
        required=False,
        help_text=_("Then only the other party's representative sees it; this implies confidence."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clauses = [(number, f"§{number} {_g(clause.title)}") for number, clause in CLAUSES.items()]
        self.fields["clause"].choices = clauses  # type: ignore[attr-defined]  # a choice field
        teams = Team.objects.filter(is_active=True).order_by("name", "pk")
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]  # a model choice field
        own = access.scope_of(user).grants
        self.fields["team"].initial = next((grant.team_id for grant in own if grant.team_id), None)

    def clean(self) -> dict[str, Any]:
        good = super().clean() or {}
        good["in_confidence"] = bool(good.get("in_confidence") or good.get("about_the_owner"))
        return good


class TextForm(forms.Form):
    """One text. `label` says what it is for."""

    text = Lines(label="")

    def __init__(self, *args: Any, label: str, required: bool = True, hint: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["text"]
        field.label, field.required, field.help_text = label, required, hint


class EffectForm(forms.Form):
    criterion = Lines(label=_("The correction works if"), rows=3)
    day = Day(label=_("Checked after"))


class ActionForm(forms.Form):
    what = forms.CharField(label=_("What is done"), max_length=500)
    kind = forms.ChoiceField(label=_("Kind"), choices=CorrectiveAction.Kind.choices)
    owner = forms.ModelChoiceField(User.objects.none(), label=_("Who does it"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = people()  # type: ignore[attr-defined]  # a model choice field


class LeadForm(forms.Form):
    to = forms.ModelChoiceField(User.objects.none(), label=_("Who leads the correction"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = people()  # type: ignore[attr-defined]  # a model choice field


class SplitForm(forms.Form):
    members = forms.MultipleChoiceField(label=_("A matter of its own"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, case: NonCompliance, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = case.memberships.select_related("breach__deadline").order_by("reported_at", "pk")
        self.fields["members"].choices = [  # type: ignore[attr-defined]  # a choice field
            (str(row.pk), f"{row.breach.deadline.subject_ref}, {_g(row.breach.deadline.rule.verb)}") for row in rows
        ]


class ImplementForm(forms.Form):
    text = Lines(label=_("What was done, and how that shows"))
    evidence = FilesField()


class VerdictForm(forms.Form):
    """Yes or no, with what was found."""

    verdict = forms.ChoiceField(label="", widget=forms.RadioSelect)
    note = Lines(label=_("What you looked at and what you found"))

    def __init__(self, *args: Any, question: str, yes: str, no: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["verdict"]
        field.label, field.choices = question, [("yes", yes), ("no", no)]  # type: ignore[attr-defined]  # a choice


class ProposeForm(forms.Form):
    kind = forms.ChoiceField(label=_("Measure"), choices=Measure.Kind.choices)
    aim = forms.ChoiceField(label=_("Aimed at"), choices=Measure.Aim.choices)
    person = forms.ModelChoiceField(User.objects.none(), label=_("Person"), required=False)
    reason = Lines(label=_("Why"), rows=3, help_text=_("The one concerned reads this and answers to it."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = people()  # type: ignore[attr-defined]  # a model choice field


class DecideForm(forms.Form):
    """Whether a measure is taken, and if so until when and how."""

    verdict = forms.ChoiceField(
        label=_("Decision"),
        widget=forms.RadioSelect,
        choices=[("yes", _("Take the measure")), ("no", _("Do not take it"))],
    )
    why = Lines(label=_("Why"), rows=3, help_text=_("The one concerned reads this."))
    last_day = Day(label=_("Last day"), required=False, help_text=_("It ends by itself after this day."))
    limits = forms.MultipleChoiceField(label=_("Meanwhile"), widget=forms.CheckboxSelectMultiple, required=False)
    course = forms.CharField(label=_("What is trained"), max_length=200, required=False)
    cosigner = forms.ModelChoiceField(
        User.objects.none(), label=_("Who co-signs"), required=False, empty_label=_("The team's supervisors")
    )

    def __init__(self, *args: Any, measure: Measure, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        possible = LIMITS[measure.kind] if measure.person_id is not None else ()
        self.fields["limits"].choices = [  # type: ignore[attr-defined]  # a choice field
            (code.value, Restriction.Kind(code).label) for code in possible
        ]
        self.fields["limits"].initial = [code.value for code in possible[:1]]
        self.fields["cosigner"].queryset = people().exclude(  # type: ignore[attr-defined]  # a model choice field
            pk=measure.person_id or 0
        )
        if len(possible) < 2:
            del self.fields["limits"]
        if Restriction.Kind.COSIGN not in possible:
            del self.fields["cosigner"]
        if measure.kind != Measure.Kind.RETRAINING:
            del self.fields["course"]


class EndForm(forms.Form):
    how = forms.ChoiceField(label=_("How it ends"), widget=forms.RadioSelect)
    note = Lines(label=_("Why"), rows=3)

    def __init__(self, *args: Any, measure: Measure, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = [Measure.Ended.LIFTED]
        if measure.kind == Measure.Kind.RETRAINING:
            ways.insert(0, Measure.Ended.DONE)
        self.fields["how"].choices = [  # type: ignore[attr-defined]  # a choice field
            (way.value, way.label) for way in ways
        ]
        self.fields["how"].initial = ways[0].value
