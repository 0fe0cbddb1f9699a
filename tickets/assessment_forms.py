"""What somebody types who says how a breach is to be read, and what shows it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from csp.assessing import Tried
from csp.models import Assessment, Attempt
from tickets.forms import FilesField, MomentField, ReasonForm


class AssessmentForm(ReasonForm):
    """How a breach is to be read, and what shows it."""

    field_order = ("verdict", "reason", "shown_by", "channel_1", "at_1", "channel_2", "at_2", "only_way")
    verdict = forms.ChoiceField(label=_("Verdict"), choices=Assessment.Verdict.choices, widget=forms.RadioSelect)
    shown_by = FilesField()
    channel_1 = forms.ChoiceField(
        label=_("First attempt to reach the customer"), required=False, choices=[("", "–"), *Attempt.Channel.choices]
    )
    at_1 = MomentField(label=_("When was the first?"), required=False)
    channel_2 = forms.ChoiceField(
        label=_("Second attempt"), required=False, choices=[("", "–"), *Attempt.Channel.choices]
    )
    at_2 = MomentField(label=_("When was the second?"), required=False)
    only_way = forms.BooleanField(label=_("No other way to the customer was known"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shown_by"].help_text = _("What was met in time and recorded late needs a file that shows it.")
        self.fields["channel_1"].help_text = _("For a customer who could not be reached: two attempts, two channels.")

    @property
    def tried(self) -> list[Tried]:
        """The attempts that were filled in."""
        good = self.cleaned_data
        pairs = [(good.get(f"channel_{number}"), good.get(f"at_{number}")) for number in (1, 2)]
        return [Tried(Attempt.Channel(channel), at) for channel, at in pairs if channel and at]
