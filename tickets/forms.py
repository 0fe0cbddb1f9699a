"""What people type into the desk, checked before a verb sees it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from csp.models import Contract, Team, User
from tickets import steps
from tickets.conversation import spelled
from tickets.models import Category, ChecklistStep, Escalation, Resolution, Ticket
from tickets.queues import Filters
from tickets.record_forms import RecordFields

MOST_COPIES = 20
MOST_FILES = 10
LARGEST_TOGETHER = 20 * 1024 * 1024  # what most mail servers take


def addresses(text: str) -> list[str]:
    """The mail addresses in "a@b.example, c@d.example", each once; a bad one is named. Raises ValidationError."""
    found: list[str] = []
    for part in text.replace(";", ",").replace("\n", ",").split(","):
        value = part.strip().lower()
        if "<" in value and value.endswith(">"):
            value = value[value.rindex("<") + 1 : -1].strip()
        if not value:
            continue
        try:
            validate_email(value)
        except ValidationError as error:
            raise ValidationError(
                gettext("“%(value)s” is not an e-mail address. Separate addresses by commas.") % {"value": value[:100]}
            ) from error
        if value not in found:
            found.append(value)
    if len(found) > MOST_COPIES:
        raise ValidationError(gettext("At most %(most)d addresses can be in copy.") % {"most": MOST_COPIES})
    return found


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class FilesField(forms.FileField):
    """Several files, within what a mail can carry. Cleans to a list."""

    def __init__(self) -> None:
        super().__init__(widget=ManyFilesInput(), required=False, label=_("Files"))

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = [item for item in (data if isinstance(data, list | tuple) else [data]) if item]
        if len(files) > MOST_FILES:
            raise ValidationError(gettext("At most %(most)d files go with one message.") % {"most": MOST_FILES})
        if sum(file.size for file in files) > LARGEST_TOGETHER:
            raise ValidationError(
                gettext("These files are larger than %(most)d MB together. Send a link instead, or fewer files.")
                % {"most": LARGEST_TOGETHER // 1024 // 1024}
            )
        # an empty file is a fact too, and is sent as one
        return files


class QueueForm(forms.Form):
    """The filters of a list; a value that does not exist is left out rather than refused."""

    kind = forms.MultipleChoiceField(choices=Ticket.Kind.choices, required=False, label=_("Kind"))
    channel = forms.MultipleChoiceField(choices=Ticket.Channel.choices, required=False, label=_("Channel"))
    priority = forms.MultipleChoiceField(choices=Ticket.Priority.choices, required=False, label=_("Priority"))
    category = forms.IntegerField(required=False, label=_("Category"), min_value=1, max_value=2**62)
    team = forms.IntegerField(required=False, label=_("Team"), min_value=1, max_value=2**62)
    who = forms.IntegerField(required=False, label=_("Assignee"), min_value=1, max_value=2**62)
    due = forms.ChoiceField(choices=[("4h", _("Due in 4 h"))], required=False)
    attention = forms.BooleanField(required=False, label=_("Waits for us"))
    q = forms.CharField(required=False, max_length=200, strip=True, label=_("Filter this list"))


def filters(query: QueryDict) -> Filters:
    """The filters that an address names."""
    form = QueueForm(query)
    form.is_valid()
    good = form.cleaned_data
    return Filters(
        kinds=tuple(good.get("kind", ())),
        channels=tuple(good.get("channel", ())),
        priorities=tuple(int(value) for value in good.get("priority", ())),
        category=good.get("category"),
        team=good.get("team"),
        assignee=good.get("who"),
        due_soon=good.get("due") == "4h",
        attention=bool(good.get("attention")),
        words=good.get("q", "").replace("\x00", ""),
    )


class SeenField(forms.CharField):
    """What of each ticket was on screen, as conversation.spell() wrote it on the page."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=20_000, required=False, **kwargs)

    def clean(self, value: Any) -> dict[int, int]:
        try:
            return spelled(super().clean(value))
        except ValueError:
            raise forms.ValidationError(
                gettext("Open the ticket again: this page does not say what it shows.")
            ) from None


class ComposerForm(forms.Form):
    """What somebody writes on a ticket. Each kind has its own text, so that a note can never leave as a reply."""

    REPLY, HOLDING, NOTE = "reply", "holding", "note"
    WITHIN, COMPLEX = "within", "complex"

    kind = forms.ChoiceField(choices=[(REPLY, _("Reply")), (HOLDING, _("Holding message")), (NOTE, _("Note"))])
    reply = forms.CharField(required=False, max_length=100_000, strip=False, label=_("Reply to the customer"))
    holding = forms.CharField(required=False, max_length=100_000, strip=False, label=_("Holding message"))
    note = forms.CharField(required=False, max_length=100_000, strip=False, label=_("Internal note"))
    cc = forms.CharField(required=False, max_length=2000, label=_("Cc"))
    files = FilesField()  # type: ignore[assignment]  # Django keeps uploads under this name on the instance
    then = forms.ChoiceField(
        required=False,
        choices=[
            (Ticket.State.WAITING, _("Waiting")),
            (Ticket.State.OPEN, _("Open")),
            (Ticket.State.RESOLVED, _("Resolved")),
        ],
    )
    decision = forms.ChoiceField(
        required=False, choices=[(WITHIN, _("Within my authority")), (COMPLEX, _("Complex: a supervisor decides"))]
    )  # fmt: skip
    why = forms.CharField(required=False, max_length=500, label=_("Why"))
    seen_through = SeenField()

    def clean_cc(self) -> list[str]:
        return addresses(self.cleaned_data["cc"])

    def clean(self) -> dict[str, Any]:
        good = super().clean() or {}
        kind = good.get("kind")
        if kind and kind not in self.errors and not good.get(kind, "").strip():
            self.add_error(kind, gettext("Write something first; nothing was sent."))
        if kind == self.NOTE and good.get("cc"):
            self.add_error("cc", gettext("A note stays inside; it has no copies. Empty this field or choose Reply."))
        return good

    @property
    def body(self) -> str:
        return str(self.cleaned_data[self.cleaned_data["kind"]])


class ReasonForm(forms.Form):
    """One sentence that stands in the evidence."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, label: Any = "", hint: Any = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = label or self.fields["reason"].label
        self.fields["reason"].help_text = hint


class DismissForm(ReasonForm):
    through = forms.IntegerField(min_value=0, max_value=2**62, widget=forms.HiddenInput)


class NoReplyForm(ReasonForm):
    seen_through = SeenField(widget=forms.HiddenInput)


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic for the checker only
    """Somebody out of a few people; an empty choice where it may be nobody."""

    def __init__(self, people: list[User], *, empty_label: Any, **kwargs: Any) -> None:
        rows = User.objects.filter(pk__in=[user.pk for user in people]).order_by("name", "pk")
        super().__init__(rows, empty_label=empty_label, **kwargs)


class AssignForm(forms.Form):
    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"] = PersonField(
            people, empty_label=_("Nobody: back to the team"), required=False, label=_("To")
        )


class AboutForm(forms.Form):
    """Whom of us a complaint is about."""

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["about"] = PersonField(
            people, empty_label=_("No colleague"), required=False, label=_("The complaint is about")
        )


class TeamForm(forms.Form):
    def __init__(self, *args: Any, teams: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"] = forms.ModelChoiceField(teams, label=_("Team"), empty_label=None)


class StateForm(forms.Form):
    state = forms.ChoiceField(
        label=_("State"),
        choices=[(name.value, name.label) for name in (
            Ticket.State.OPEN, Ticket.State.WAITING, Ticket.State.RESOLVED, Ticket.State.CLOSED,
        )],
        widget=forms.RadioSelect,
    )  # fmt: skip
    resolution = forms.CharField(
        label=_("Resolution"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What was found and what was done, for resolved and closed tickets."),
    )  # fmt: skip


class ResolutionForm(forms.Form):
    """What caused a matter, how it was resolved, and whether the ticket is resolved with it."""

    cause = forms.ChoiceField(
        label=_("Root cause"), required=False, choices=[("", _("Not known yet")), *Resolution.Cause.choices]
    )  # fmt: skip
    cause_note = forms.CharField(
        label=_("What caused it"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 2})
    )  # fmt: skip
    kind = forms.ChoiceField(
        label=_("Kind of resolution"), required=False, choices=[("", _("Not decided yet")), *Resolution.Kind.choices]
    )  # fmt: skip
    text = forms.CharField(
        label=_("What was done"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )  # fmt: skip
    amount = forms.DecimalField(
        label=_("What it costs us"), required=False, min_value=0, max_digits=12, decimal_places=2,
        help_text=_("Above your limit another person approves it before the ticket is resolved."),
    )  # fmt: skip
    then = forms.ChoiceField(
        label=_("Then"), required=False,
        choices=[("", _("Only write it down")), (Ticket.State.RESOLVED, _("Resolve the ticket"))],
    )  # fmt: skip


class ApprovalForm(forms.Form):
    agrees = forms.TypedChoiceField(
        label=_("Do you approve the amount?"), coerce=lambda value: value == "yes",
        choices=[("yes", _("Yes")), ("no", _("No"))], widget=forms.RadioSelect,
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Why?"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Needed for a no. Whoever asked reads it."),
    )  # fmt: skip


class FilledStepForm(forms.Form):
    """What has to be filled in before a step of a procedure counts as done."""

    def __init__(self, *args: Any, step: ChecklistStep, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asked = step.fields()
        for number, asked in enumerate(self._asked):
            self.fields[f"f{number}"] = _filled_in(asked, step.values.get(asked.label, ""))

    def values(self) -> dict[str, str]:
        """What was typed, by the words that asked for it."""
        return {asked.label: self.cleaned_data.get(f"f{number}", "") for number, asked in enumerate(self._asked)}


def _filled_in(asked: steps.Field, value: str) -> forms.Field:
    """Text, as it is checked by tickets.steps; the browser helps with what it has a widget for."""
    more: dict[str, Any] = {"label": asked.label, "initial": value}
    if asked.kind is steps.FieldKind.YES_NO:
        return forms.ChoiceField(choices=[("yes", _("Yes")), ("no", _("No"))], widget=forms.RadioSelect, **more)
    widgets = {
        steps.FieldKind.DATE: forms.TextInput(attrs={"type": "date"}),
        steps.FieldKind.AMOUNT: forms.TextInput(attrs={"inputmode": "decimal"}),
    }
    return forms.CharField(max_length=steps.LONGEST_VALUE, widget=widgets.get(asked.kind), **more)


class WaiverForm(forms.Form):
    agrees = forms.TypedChoiceField(
        label=_("May this complaint go without the step?"), coerce=lambda value: value == "yes",
        choices=[("yes", _("Yes, it is left out; that is reported as a deviation")), ("no", _("No, it is needed"))],
        widget=forms.RadioSelect,
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Why?"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Whoever asked reads it."),
    )  # fmt: skip


class AcceptanceForm(forms.Form):
    answer = forms.ChoiceField(
        label=_("Did the customer accept the resolution?"), choices=Resolution.Acceptance.choices,
        widget=forms.RadioSelect,
    )  # fmt: skip


class TypeForm(forms.Form):
    """What a ticket is."""

    subject = forms.CharField(label=_("Subject"), max_length=300)
    kind = forms.ChoiceField(label=_("Kind"), choices=Ticket.Kind.choices)
    priority = forms.TypedChoiceField(label=_("Priority"), choices=Ticket.Priority.choices, coerce=int)

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {
            "subject": ticket.subject, "kind": ticket.kind, "priority": ticket.priority, "category": ticket.category_id,
        }  # fmt: skip
        own = Category.objects.filter(contract=ticket.contract_id, is_active=True).order_by("name")
        self.fields["category"] = forms.ModelChoiceField(
            own, required=False, label=_("Category"), empty_label=_("None")
        )  # fmt: skip


class MomentField(forms.DateTimeField):
    """A date and time in the person's zone."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
        super().__init__(**{"widget": widget} | kwargs)


class PendingForm(forms.Form):
    until = MomentField(
        label=_("Remind me at"), required=False,
        help_text=_("Empty takes the reminder back. No clock of the contract changes."),
    )  # fmt: skip

    def clean_until(self) -> dt.datetime | None:
        until: dt.datetime | None = self.cleaned_data["until"]
        return until


class EscalateForm(ReasonForm):
    authority_needed = forms.CharField(
        label=_("What the supervisor has to decide"), max_length=200, required=False
    )  # fmt: skip

    def __init__(self, *args: Any, supervisors: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"] = PersonField(
            supervisors, empty_label=_("Whoever is first"), required=False, label=_("To")
        )  # fmt: skip


class DecideForm(forms.Form):
    depending = ("note",)  # not asked of whoever takes the case over

    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            (Escalation.Decision.APPROVE, _("Approve")), (Escalation.Decision.REJECT, _("Reject")),
            (Escalation.Decision.INSTRUCT, _("Instruct")), (Escalation.Decision.TAKE_OVER, _("Take over")),
        ],
        widget=forms.RadioSelect,
    )  # fmt: skip
    note = forms.CharField(
        label=_("What you decide, and why"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The representative acts on it."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        good = super().clean() or {}
        if good.get("decision") not in (None, Escalation.Decision.TAKE_OVER) and not good.get("note", "").strip():
            self.add_error("note", _("Say what you decide; the representative acts on it."))
        return good


class ReferenceForm(forms.Form):
    """Another ticket, by its number."""

    other = forms.CharField(label=_("Reference"), max_length=20, help_text=_("For example #4790."))


class NewTicketForm(RecordFields):
    """A contact that did not come by mail, or the first word of ours to a customer."""

    CONTACT, OUTBOUND = "contact", "outbound"

    direction = forms.ChoiceField(
        label=_("Who began?"), widget=forms.RadioSelect, initial=CONTACT,
        choices=[
            (CONTACT, _("The customer turned to us: clocks run from receipt")),
            (OUTBOUND, _("We write first: no clock until the customer answers")),
        ],
    )  # fmt: skip
    channel = forms.ChoiceField(
        label=_("Channel"), required=False, initial=Ticket.Channel.PHONE,
        choices=[(name.value, name.label) for name in (
            Ticket.Channel.PHONE, Ticket.Channel.LETTER, Ticket.Channel.VISIT,
        )],
    )  # fmt: skip
    minutes = forms.IntegerField(label=_("Minutes of the call"), min_value=0, max_value=720, required=False)
    is_answered = forms.BooleanField(label=_("The call was answered"), required=False, initial=True)
    answers = forms.BooleanField(label=_("The call answered the customer"), required=False)
    received_at = MomentField(
        label=_("Received"), required=False,
        help_text=_("When we first had it: the call's start, the letter's stamp. Empty means now."),
    )  # fmt: skip
    customer = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    name = forms.CharField(label=_("Customer's name"), max_length=200, required=False)
    email = forms.EmailField(label=_("E-mail address"), max_length=254, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
    subject = forms.CharField(label=_("Subject"), max_length=300)
    body = forms.CharField(label=_("What was said or written"), max_length=100_000, widget=forms.Textarea)
    kind = forms.ChoiceField(label=_("Kind"), choices=Ticket.Kind.choices, initial=Ticket.Kind.INQUIRY)
    priority = forms.TypedChoiceField(
        label=_("Priority"), choices=Ticket.Priority.choices, coerce=int, initial=Ticket.Priority.NORMAL
    )  # fmt: skip
    assign_to_me = forms.BooleanField(label=_("Assign it to me"), required=False, initial=True)
    files = FilesField()  # type: ignore[assignment]  # Django keeps uploads under this name on the instance

    def __init__(self, *args: Any, teams: Any, at: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at = at
        self.fields["team"] = forms.ModelChoiceField(teams, label=_("Team"), empty_label=None)
        if len(teams) == 1:
            self.initial.setdefault("team", teams[0].pk)

    def clean_received_at(self) -> dt.datetime:
        value: dt.datetime = self.cleaned_data["received_at"] or self._at
        if value > self._at + dt.timedelta(minutes=1):
            raise ValidationError(gettext("This time is still to come. When did we receive it?"))
        if value < self._at - dt.timedelta(days=366):
            raise ValidationError(gettext("This is more than a year ago. Check the date."))
        return min(value, self._at)

    def clean_phone(self) -> str:
        digits = "".join(sign for sign in self.cleaned_data["phone"] if sign.isdigit() or sign == "+")
        if self.cleaned_data["phone"].strip() and len(digits) < 5:
            raise ValidationError(gettext("A telephone number has five digits at least."))
        return digits

    def clean(self) -> dict[str, Any]:
        good = super().clean() or {}
        known = good.get("customer") or good.get("email") or good.get("name") or good.get("phone")
        if not known and not self.errors.keys() & {"email", "phone"}:
            self.add_error("name", gettext("Say who it is: choose a customer, or give a name or an address."))
        if good.get("direction") == self.OUTBOUND and not (good.get("customer") or good.get("email")):
            self.add_error("email", gettext("To write first, give an e-mail address or choose a customer who has one."))
        return good


class RulingForm(ReasonForm):
    """A word on unsorted messages, one or several."""

    field_order = ("verdict", "reason", "also_rule_sender")
    verdict = forms.ChoiceField(choices=[("genuine", _("Genuine")), ("spam", _("Spam"))], label=_("Verdict"))
    also_rule_sender = forms.BooleanField(required=False, label=_("From now on for this sender"))


class SenderForm(ReasonForm):
    """What is known of a sender."""

    field_order = ("pattern", "verdict", "reason")
    pattern = forms.CharField(
        label=_("Address or domain"), max_length=320,
        help_text=_("name@shop.example, or @shop.example for everybody there"),
    )  # fmt: skip
    verdict = forms.ChoiceField(
        label=_("Rule"),
        required=False,
        choices=[("allow", _("Let in")), ("block", _("Put among the unsorted")), ("", _("No rule any more"))],
    )

    def __init__(self, *args: Any, contracts: list[Contract], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Contract.objects.filter(pk__in=[row.pk for row in contracts]).order_by("pk")
        field = forms.ModelChoiceField(rows, label=_("Contract"), empty_label=None, required=len(contracts) != 1)
        if len(contracts) == 1:  # nothing to choose
            field.widget = forms.HiddenInput()
        self.fields["contract"] = field
        self._only = contracts[0] if len(contracts) == 1 else None

    def clean_contract(self) -> Contract:
        contract: Contract | None = self.cleaned_data["contract"] or self._only
        if contract is None:
            raise forms.ValidationError(_("Choose the contract that this is for."))
        return contract


def active_teams(contract: int) -> Any:
    return Team.objects.filter(contract=contract, is_active=True).order_by("name")


def local(value: dt.datetime) -> str:
    """A moment as a date and time field shows it."""
    return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M")


class IdentityForm(forms.Form):
    reason = forms.CharField(
        label=_("Why you have to know"), widget=forms.Textarea(attrs={"rows": 3}), max_length=500,
        help_text=_("It is recorded, and the privacy owner is told."),
    )  # fmt: skip
