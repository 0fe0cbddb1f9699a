"""What people type about training, checked before a verb sees it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from csp.models import Contract, Restriction, User
from csp.roles import Role
from tickets.forms import FilesField
from tickets.models import Ticket
from training import gate
from training.models import Course, CourseVersion, PracticeScript
from training.records import Asked


class Lines(forms.CharField):
    """Some lines of text."""

    def __init__(self, *, rows: int = 4, most: int = 10_000, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": rows}), max_length=most, **kwargs)


class Moment(forms.DateTimeField):
    """A date and a time, in the reader's zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class TestForm(forms.Form):
    """The questions of one attempt. A choice is named by its place on this page, which says nothing of the answer."""

    __test__ = False  # pytest collects what is called so

    def __init__(self, *args: Any, asked: list[Asked], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        for number, one in enumerate(asked, start=1):
            choices = [(str(place), text) for place, text in enumerate(one.choices)]
            label = f"{number}. {one.question.text}"
            # What is left open counts as wrong; a test is never refused for it.
            if one.has_one:
                field: forms.Field = forms.ChoiceField(
                    label=label, choices=choices, widget=forms.RadioSelect, required=False
                )
            else:
                field = forms.MultipleChoiceField(
                    label=label, choices=choices, widget=forms.CheckboxSelectMultiple, required=False,
                    help_text=_("Tick all that are right."),
                )  # fmt: skip
            self.fields[f"q{one.question.pk}"] = field
        self.depending = tuple(self.fields)  # every question is asked of everybody

    def ticked(self) -> dict[int, list[int]]:
        found = {}
        for one in self.asked:
            given = self.cleaned_data.get(f"q{one.question.pk}") or []
            found[one.question.pk] = [int(place) for place in ([given] if isinstance(given, str) else given)]
        return found


class CourseForm(forms.Form):
    contract = forms.ModelChoiceField(Contract.objects.none(), label=_("Contract"), empty_label=None)
    title = forms.CharField(label=_("Title"), max_length=120)
    clause = forms.ChoiceField(label=_("Clause"), choices=Course._meta.get_field("clause").choices or [])
    roles = forms.MultipleChoiceField(
        label=_("Required of"), choices=Role.choices, widget=forms.CheckboxSelectMultiple, required=False,
        help_text=_("Nothing ticked: of every staff account."),
    )  # fmt: skip
    repeats = forms.BooleanField(label=_("Repeated every six months"), required=False, initial=True)

    def __init__(self, *args: Any, contracts: list[Contract], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Contract.objects.filter(pk__in=[row.pk for row in contracts])
        self.fields["contract"].queryset = mine  # type: ignore[attr-defined]  # a model choice field


class DraftForm(forms.Form):
    """A draft: material and test. Questions are written as text, which is quick to write and to read."""

    changes = Lines(label=_("What is new"), rows=2, most=2000, required=False)
    material = Lines(
        label=_("Material"), rows=16, most=200_000, required=False,
        help_text=_("Markdown: # heading, **bold**, - list, [text](https://address)."),
    )  # fmt: skip
    minutes = forms.IntegerField(label=_("Minutes it takes"), min_value=1, max_value=600)
    pass_percent = forms.IntegerField(label=_("Pass mark, per cent"), min_value=1, max_value=100)
    attempts = forms.IntegerField(label=_("Attempts"), min_value=1, max_value=20)
    renew_by = Moment(
        label=_("Everybody passes it anew by"), required=False,
        help_text=_("Left empty, whoever passed the version before takes this one with their next refresher."),
    )  # fmt: skip
    questions = Lines(
        label=_("Questions"), rows=16, most=100_000, required=False,
        help_text=_("A question on a line of its own, its choices below: + before a right one, - before a wrong one."),
    )  # fmt: skip
    practice_sender = forms.CharField(
        label=_("Exercise: the customer's name"), max_length=100, required=False,
        help_text=_("Left empty, there is no exercise. Else the course is passed with test and exercise."),
    )  # fmt: skip
    practice_subject = forms.CharField(label=_("Exercise: subject"), max_length=200, required=False)
    practice_message = Lines(label=_("Exercise: what comes in"), required=False)
    practice_follow_up = Lines(
        label=_("Exercise: what the customer writes next"), rows=3, required=False,
        help_text=_("Comes in once the customer was written to, or the case was handed up."),
    )  # fmt: skip
    practice_complex_because = forms.CharField(
        label=_("Exercise: has to be escalated because"), max_length=300, required=False
    )
    practice_must_log = forms.CharField(
        label=_("Exercise: words that have to be logged"), max_length=500, required=False,
        help_text=_("With commas between; each has to stand in a note or the record of a call."),
    )  # fmt: skip
    practice_kind = forms.ChoiceField(
        label=_("Exercise: kind"), choices=[("", _("Not graded")), *Ticket.Kind.choices], required=False
    )
    attachments = FilesField()

    def practice(self) -> dict[str, Any] | None:
        """The exercise as a verb takes it; None where there is none."""
        good = {
            name.removeprefix("practice_"): value
            for name, value in self.cleaned_data.items()
            if name.startswith("practice_")
        }
        if not good["sender"]:
            return None
        good["must_log"] = [word.strip()[:60] for word in good["must_log"].split(",") if word.strip()]
        return good

    def clean_questions(self) -> list[tuple[str, list[str], list[int]]]:
        found: list[tuple[str, list[str], list[int]]] = []
        for number, line in enumerate(self.cleaned_data["questions"].splitlines(), start=1):
            text = line.strip()
            if not text:
                continue
            if text[0] not in "+-":
                found.append((text, [], []))
            elif not found:
                raise ValidationError(
                    _g("Line %(number)d is a choice without a question above it.") % {"number": number}
                )
            else:
                if text[0] == "+":
                    found[-1][2].append(len(found[-1][1]))
                found[-1][1].append(text[1:].strip())
        for asked, choices, right in found:
            short = asked if len(asked) <= 60 else f"{asked[:59]}…"
            if len(choices) < 2 or not right:
                raise ValidationError(
                    _g("“%(asked)s” needs two choices at least, one of them right (+).") % {"asked": short}
                )
            if len(asked) > 500 or any(not one or len(one) > 300 for one in choices):
                raise ValidationError(
                    _g("“%(asked)s”: a question has 500 signs at most, a choice 300.") % {"asked": short}
                )
        return found


def practice_as_typed(version: CourseVersion) -> dict[str, Any]:
    """The exercise as DraftForm shows it."""
    row = PracticeScript.objects.filter(version=version).first()
    if row is None:
        return {}
    names = ("sender", "subject", "message", "follow_up", "complex_because", "kind")
    return {f"practice_{name}": getattr(row, name) for name in names} | {"practice_must_log": ", ".join(row.must_log)}


def questions_as_text(version: CourseVersion) -> str:
    """The questions as DraftForm reads them."""
    return "\n\n".join(
        "\n".join(
            [row.text, *(f"{'+' if place in row.right else '-'} {text}" for place, text in enumerate(row.choices))]
        )
        for row in version.questions.order_by("number")
    )


class EvidenceForm(forms.Form):
    person = forms.ModelChoiceField(User.objects.none(), label=_("Who was trained"))
    course = forms.ModelChoiceField(Course.objects.none(), label=_("In what"))
    passed_at = Moment(label=_("When"))
    note = Lines(label=_("Where, with whom, and how that shows"), rows=3)
    attachments = FilesField()

    def __init__(self, *args: Any, people: QuerySet[User], offered: list[Course], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = people.order_by("name", "pk")  # type: ignore[attr-defined]  # a model choice
        mine = Course.objects.filter(pk__in=[row.pk for row in offered]).order_by("clause", "pk")
        self.fields["course"].queryset = mine  # type: ignore[attr-defined]  # a model choice field


class ReasonForm(forms.Form):
    """One text. `label` says what it is for."""

    text = Lines(label="")

    def __init__(self, *args: Any, label: str, hint: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label, self.fields["text"].help_text = label, hint


class GateForm(forms.Form):
    text = Lines(label=_("The rule in words"), rows=4, most=4000)
    restricts = forms.MultipleChoiceField(
        label=_("Until it is passed"), choices=Restriction.Kind.choices, widget=forms.CheckboxSelectMultiple
    )
    days_present = forms.IntegerField(
        label=_("Days for those who work here already"), min_value=0, max_value=gate.LONGEST, initial=14,
        help_text=_("Somebody new has as long as the contract says: no days."),
    )  # fmt: skip


class AppealForm(forms.Form):
    verdict = forms.ChoiceField(
        label=_("Is the appeal right?"), widget=forms.RadioSelect,
        choices=[("yes", _("Yes: work is free now")), ("no", _("No: it stays"))],
    )  # fmt: skip
    until = Moment(label=_("Passed instead by"), required=False)
    answer = Lines(label=_("Why"), rows=3, help_text=_("The one concerned reads this."))


class RoundForm(forms.Form):
    changed = forms.ChoiceField(
        label=_("Has anything changed since the last round?"), widget=forms.RadioSelect,
        choices=[("yes", _("Yes")), ("no", _("No, and that is recorded"))],
    )  # fmt: skip
    summary = Lines(label=_("What was gone through"), rows=5)
    people = forms.ModelMultipleChoiceField(
        User.objects.none(), label=_("Who took part"), widget=forms.CheckboxSelectMultiple, required=False,
        help_text=_("Nobody records own presence; ask somebody else to add you."),
    )  # fmt: skip

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["people"].queryset = people.order_by("name", "pk")  # type: ignore[attr-defined]  # a model choice


class PolicyForm(forms.Form):
    title = forms.CharField(label=_("Title"), max_length=200, initial=_("Privacy policy for staff"))
    text = Lines(label=_("Text"), rows=12, most=100_000, help_text=_("Markdown."))
