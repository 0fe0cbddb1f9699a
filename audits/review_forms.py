"""What people type in a review, checked before a verb sees it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audits.forms import Day, Lines, Moment
from audits.models import Goal
from csp.models import User


class AssessForm(forms.Form):
    text = Lines(
        label=_("Assessment"),
        rows=6,
        help_text=_("In words, from the evidence and what you have seen. No figure decides it, and none ranks people."),
    )


class CommentForm(forms.Form):
    text = Lines(
        label=_("Your own view"), rows=6, required=False,
        help_text=_("It stands beside the assessment, word for word. You may change it until you sign."),
    )  # fmt: skip


class GoalForm(forms.Form):
    text = forms.CharField(label=_("Goal"), max_length=300)
    due_on = Day(label=_("By"))


class OutcomeForm(forms.Form):
    goal = forms.IntegerField(widget=forms.HiddenInput)
    outcome = forms.ChoiceField(label=_("What became of it"), choices=Goal.Outcome.choices)
    note = forms.CharField(label=_("How that shows"), max_length=300, required=False)


class NumberForm(forms.Form):
    goal = forms.IntegerField(widget=forms.HiddenInput)


class TalkForm(forms.Form):
    held_at = Moment(
        label=_("When you talked"),
        help_text=_("Evidence, goals and assessment are frozen as they stand. After that nothing in them changes."),
    )


class SignForm(forms.Form):
    """The digest of what is on screen, and for the person whether they agree."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    agrees = forms.ChoiceField(
        label=_("Do you agree?"),
        widget=forms.RadioSelect,
        choices=[("yes", _("I agree")), ("no", _("I see it otherwise, as my own view says"))],
        help_text=_("To sign says that you have read it, not that you agree."),
    )

    def __init__(self, *args: Any, as_person: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not as_person:
            del self.fields["agrees"]


class AskForm(forms.Form):
    text = Lines(
        label=_("Why somebody else should hold it"), rows=3,
        help_text=_("Somebody who has no part in it decides, with reasons. You may ask once for each review."),
    )  # fmt: skip


class GiveForm(forms.Form):
    reviewer = forms.ModelChoiceField(
        User.objects.none(), label=_("Who holds it"), required=False, empty_label=_("The present reviewer stays")
    )
    answer = Lines(label=_("Reasons"), rows=3, help_text=_("The person reads them."))

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reviewer"].queryset = User.objects.filter(  # type: ignore[attr-defined]  # a model choice field
            pk__in=[one.pk for one in people]
        ).order_by("name", "pk")
