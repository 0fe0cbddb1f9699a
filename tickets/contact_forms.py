"""What people type in of contacts that did not come by mail: calls, visits, letters, and calls that were promised."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from csp.models import User
from tickets.calls import Talk
from tickets.forms import FilesField, MomentField, PersonField, ReasonForm
from tickets.models import ContactRecord, Interaction
from tickets.record_forms import RecordFields


class CallForm(RecordFields):
    """A call with the customer of a ticket, or their visit."""

    OUT, IN, VISIT = "out", "in", "visit"

    direction = forms.ChoiceField(
        label=_("Who called?"), widget=forms.RadioSelect, initial=OUT,
        choices=[
            (OUT, _("We called the customer")), (IN, _("The customer called")), (VISIT, _("The customer came in")),
        ],
    )  # fmt: skip
    began_at = MomentField(label=_("Began"), required=False, help_text=_("Empty means just now."))
    minutes = forms.IntegerField(label=_("Minutes"), min_value=0, max_value=720, initial=0)
    is_answered = forms.BooleanField(label=_("It was answered"), required=False, initial=True)
    answers = forms.BooleanField(
        label=_("It answers the customer"), required=False,
        help_text=_("All that they had asked until then. Otherwise the clock runs on."),
    )  # fmt: skip
    number = forms.CharField(label=_("Telephone number"), max_length=40, required=False)
    body = forms.CharField(
        label=_("What was said"), max_length=100_000, required=False, widget=forms.Textarea(attrs={"rows": 5})
    )  # fmt: skip
    seen_until = forms.DateTimeField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, at: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at = at
        self.initial.setdefault("seen_until", at.isoformat())
        self.order_fields(
            ["direction", "began_at", "minutes", "is_answered", "answers", "number", "body", "record", "transcript"]
        )

    def talk(self) -> Talk:
        """The call, as its verb takes it."""
        good = self.cleaned_data
        length = dt.timedelta(minutes=good["minutes"])
        return Talk(
            direction=Interaction.Direction.OUT if good["direction"] == self.OUT else Interaction.Direction.IN,
            began_at=good["began_at"] or self._at - length,
            body=good["body"],
            length=length,
            is_answered=good["is_answered"],
            answers=good["answers"],
            number=good["number"],
            kind=Interaction.Kind.VISIT if good["direction"] == self.VISIT else Interaction.Kind.CALL,
            **self.record_of_talk(),
        )


class ConfirmCallForm(ReasonForm):
    field_order = ("agrees", "reason")
    agrees = forms.TypedChoiceField(
        label=_("Was it so?"), coerce=lambda value: value == "yes", widget=forms.RadioSelect,
        choices=[("yes", _("Yes: it counts from the call")), ("no", _("No: it meets nothing"))],
    )  # fmt: skip


class LetterForm(forms.Form):
    """A letter of the customer of a ticket."""

    received_at = MomentField(label=_("Stamped"), help_text=_("When we first had it: the clock runs from then."))
    body = forms.CharField(
        label=_("What it says"), max_length=100_000, required=False, widget=forms.Textarea(attrs={"rows": 5})
    )  # fmt: skip
    files = FilesField()  # type: ignore[assignment]  # Django keeps uploads under this name on the instance

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["files"].label = _("Scan")
        self.fields["files"].help_text = _("Without one it is owed within a day of the stamp.")


class KeepForm(forms.Form):
    """The transcript or scan of a contact, later; or the reason why there is none."""

    body = forms.CharField(
        label=_("Word for word"), max_length=100_000, required=False, widget=forms.Textarea(attrs={"rows": 6})
    )  # fmt: skip
    file = forms.FileField(label=_("File"), required=False, allow_empty_file=True)
    reason = forms.ChoiceField(
        label=_("Or why there is none"), required=False,
        choices=[("", _("There is one")), *ContactRecord.Reason.choices],
    )  # fmt: skip
    note = forms.CharField(label=_("How that came about"), required=False, max_length=300)

    def __init__(self, *args: Any, is_talk: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_talk:
            self.fields["file"].help_text = _("Plain text, WebVTT or SRT, in UTF-8.")
        else:
            del self.fields["body"]
            self.fields["file"].label = _("Scan")


class CallBackForm(forms.Form):
    """A call that the customer is promised."""

    due_at = MomentField(label=_("When"))
    note = forms.CharField(label=_("About what"), required=False, max_length=300)

    def __init__(self, *args: Any, people: list[User], me: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["responsible"] = PersonField(people, empty_label=None, label=_("Who calls"), initial=me.pk)


class ReviewForm(forms.Form):
    """A word on what was told live."""

    agrees = forms.TypedChoiceField(
        label=_("Was it right?"), coerce=lambda value: value == "yes", widget=forms.RadioSelect,
        choices=[("yes", _("Yes")), ("no", _("No: it has to be put right"))],
    )  # fmt: skip
    note = forms.CharField(
        label=_("What was wrong"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )  # fmt: skip
