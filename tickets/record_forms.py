"""What is asked of every talk that somebody writes down: is there a transcript, and was it recorded (clause 4.1)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tickets import files
from tickets.models import Call, ContactRecord

WRITTEN, LATER = "written", "later"


class RecordFields(forms.Form):
    """The record of a talk. A file that is no transcript is kept, so it is no error here: the verb names its line."""

    record = forms.ChoiceField(
        label=_("Transcript"), required=False, initial=LATER,
        choices=[
            (LATER, _("It follows within a day, or is in the file")),
            (WRITTEN, _("What is written above is the transcript")),
            *((each.value, each.label) for each in ContactRecord.Reason if each != ContactRecord.Reason.LOST),
        ],
    )  # fmt: skip
    transcript = forms.FileField(
        label=_("Transcript as a file"), required=False, allow_empty_file=True,
        help_text=_("Plain text, WebVTT or SRT, in UTF-8."),
    )  # fmt: skip
    basis = forms.ChoiceField(label=_("Recording"), required=False, choices=Call.Basis.choices)
    is_announced = forms.BooleanField(label=_("The recording was announced at the start"), required=False)
    recording_ref = forms.CharField(
        label=_("Where the recording is"), required=False, max_length=100,
        help_text=_("Its number in the telephone system."),
    )  # fmt: skip

    def record_of_talk(self) -> dict[str, Any]:
        """The fields as calls.Talk takes them."""
        good = self.cleaned_data
        upload = good["transcript"]
        return {
            "is_transcript": good["record"] == WRITTEN,
            "why_none": good["record"] if good["record"] in ContactRecord.Reason.values else "",
            "file": files.uploaded(upload) if upload is not None else None,
            "basis": good["basis"],
            "is_announced": good["is_announced"],
            "recording_ref": good["recording_ref"],
        }
