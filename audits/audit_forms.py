"""What people type about quality audits, checked before a verb sees it (clause 6.3)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from audits.forms import Day, Lines, people
from audits.models import Audit, AuditFinding, Draw
from audits.scorecards import STANDARD, Asked
from csp.contract import CLAUSES
from csp.models import Contract, Team, User
from tickets.models import Ticket


def clause_choices() -> list[tuple[str, str]]:
    return [(number, f"§{number} {_g(clause.title)}") for number, clause in CLAUSES.items()]


def begins(day: dt.date, contract: Contract) -> dt.datetime:
    """The first instant of that day where the contract's days are read."""
    return dt.datetime.combine(day, dt.time(), contract.zoneinfo)


def ends(day: dt.date, contract: Contract) -> dt.datetime:
    """The instant after the last one of that day."""
    return begins(day + dt.timedelta(days=1), contract)


class PlanForm(forms.Form):
    """The plan of an audit. Days are the contract's own, the last one included."""

    title = forms.CharField(label=_("Title"), max_length=120)
    teams = forms.ModelMultipleChoiceField(Team.objects.none(), label=_("Teams"), widget=forms.CheckboxSelectMultiple)
    clauses = forms.MultipleChoiceField(label=_("Clauses"), widget=forms.CheckboxSelectMultiple)
    channels = forms.MultipleChoiceField(
        label=_("Channels"), widget=forms.CheckboxSelectMultiple, required=False, choices=Ticket.Channel.choices,
        help_text=_("None chosen means all of them."),
    )  # fmt: skip
    since = Day(label=_("Tickets closed from"))
    until = Day(label=_("Tickets closed until"), help_text=_("The sample is drawn when this day is over."))
    sample_size = forms.IntegerField(label=_("Sample size"), min_value=1, max_value=500, initial=25)
    strata = forms.ChoiceField(label=_("Drawn"), choices=Audit.Strata.choices)
    auditor = forms.ModelChoiceField(User.objects.none(), label=_("Auditor"))
    second = forms.ModelChoiceField(
        User.objects.none(), label=_("Second scorer"), required=False, empty_label=_("Nobody")
    )
    twice_percent = forms.IntegerField(
        label=_("Share scored twice, in per cent"), min_value=0, max_value=100, initial=0,
        help_text=_("So that it shows how far two people agree."),
    )  # fmt: skip
    begins_on = Day(label=_("Audit begins"))
    ends_on = Day(label=_("Audit to be finished by"))

    def __init__(self, *args: Any, contract: Contract, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.contract = contract
        known: Any = self.fields
        known["teams"].queryset = Team.objects.filter(contract=contract, is_active=True).order_by("name", "pk")
        asked = {one.clause for one in STANDARD}
        known["clauses"].choices = [pair for pair in clause_choices() if pair[0] in asked or self._asks(pair[0])]
        known["clauses"].initial = sorted(asked)
        known["auditor"].queryset = known["second"].queryset = people()

    def _asks(self, clause: str) -> bool:
        card = self.contract.scorecards.order_by("-number").first()
        return card is not None and card.criteria.filter(clause=clause).exists()

    def values(self) -> dict[str, Any]:
        """What the verb takes."""
        good = dict(self.cleaned_data)
        good["since"], good["until"] = begins(good["since"], self.contract), ends(good["until"], self.contract)
        good["begins_at"] = begins(good.pop("begins_on"), self.contract)
        good["ends_at"] = ends(good.pop("ends_on"), self.contract)
        good["teams"] = list(good["teams"])
        return good


class AccessForm(forms.Form):
    last_day = Day(label=_("Last day"), help_text=_("Access ends by itself after this day, within 90 days from now."))


class DrawForm(forms.Form):
    seed = forms.CharField(
        label=_("Seed"), max_length=64, required=False,
        help_text=_("Empty: the product makes one. Or any word that both sides agreed on beforehand."),
    )  # fmt: skip


class FindingForm(forms.Form):
    team = forms.ModelChoiceField(Team.objects.none(), label=_("Team"), empty_label=None)
    clause = forms.ChoiceField(label=_("Clause"))
    severity = forms.ChoiceField(label=_("Severity"), choices=AuditFinding.Severity.choices)
    text = Lines(label=_("What was found"), help_text=_("The team reads it and answers. Leave customers' names out."))
    draw = forms.ModelChoiceField(
        Draw.objects.none(), label=_("Drawn ticket"), required=False, empty_label=_("The audit as a whole")
    )
    as_case = forms.BooleanField(
        label=_("Report as non-compliance and start a 7-day clock"), required=False,
        help_text=_("Then the finding is closed only when its case is corrected and verified."),
    )  # fmt: skip

    def __init__(self, *args: Any, audit: Audit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known: Any = self.fields
        known["team"].queryset = Team.objects.filter(pk__in=audit.teams).order_by("name", "pk")
        known["clause"].choices = [pair for pair in clause_choices() if pair[0] in audit.clauses]
        known["draw"].queryset = audit.draws.order_by("rank")
        known["draw"].label_from_instance = lambda draw: f"{draw.rank}. #{draw.number}"


class AnswerForm(forms.Form):
    verdict = forms.ChoiceField(
        label=_("Do you accept the finding?"), widget=forms.RadioSelect,
        choices=[("yes", _("Yes")), ("no", _("No, we see it otherwise"))],
    )  # fmt: skip
    text = Lines(label=_("What you do about it, or why you see it otherwise"))


class ScorecardForm(forms.Form):
    """A scorecard as lines of text, so that a long one is changed at once."""

    lines = Lines(
        label=_("Questions"), rows=10,
        help_text=_("A line each: clause | weight | question. “critical” as a fourth part fails the ticket on a no; "
                    "“accuracy” marks the question that shows whether answers are accurate (§3.1)."),
    )  # fmt: skip
    because = forms.CharField(label=_("Why it is changed"), max_length=300)

    def clean_lines(self) -> list[Asked]:
        return [self._read(line) for line in self.cleaned_data["lines"].splitlines() if line.strip()]

    @staticmethod
    def _read(line: str) -> Asked:
        parts = [part.strip() for part in line.split("|")]
        if len(parts) not in (3, 4) or not parts[1].isdecimal() or len(parts[1]) > 3:
            raise forms.ValidationError(_g("This line cannot be read: %(line)s") % {"line": line.strip()[:60]})
        marks = {word.strip(" ,").lower() for word in parts[3].replace(",", " ").split()} if len(parts) == 4 else set()
        if marks - {"critical", "accuracy"}:
            raise forms.ValidationError(_g("This line cannot be read: %(line)s") % {"line": line.strip()[:60]})
        return Asked(parts[0].lstrip("§"), parts[2], int(parts[1]), "critical" in marks, "accuracy" in marks)

    @staticmethod
    def written(asked: Any) -> str:
        """The lines of a card as they would be typed."""
        found = []
        for one in asked:
            marks = " ".join(
                word for word, holds in (("critical", one.is_critical), ("accuracy", one.asks_accuracy)) if holds
            )
            found.append(" | ".join(filter(None, [one.clause, str(one.weight), one.question, marks])))
        return "\n".join(found)
