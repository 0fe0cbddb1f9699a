"""What people type about hours and absences, checked before a verb sees it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from csp import servicetime
from csp.models import User
from csp.servicetime import Calendar, Day, NotHours


def _hours(text: str) -> Day:
    try:
        return servicetime.parse(text)
    except NotHours as error:
        raise ValidationError(
            gettext("“%(part)s” is no stretch of hours. Write for example 9:00–12:30, 13:30–17:00.")
            % {"part": str(error)[:50]}
        ) from error


class HoursField(forms.CharField):
    def clean(self, value: Any) -> Day:
        return _hours(super().clean(value))


class ShiftForm(forms.Form):
    """A week, the days that differ, and whose public holidays are free."""

    def __init__(self, *args: Any, calendar: Calendar, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weekday, name in WEEKDAYS.items():
            self.fields[f"day{weekday}"] = HoursField(
                label=name, required=False, max_length=100, initial=servicetime.spell(calendar.week.get(weekday, ()))
            )
        self.fields["exceptions"] = forms.CharField(
            label=_("Days that differ"), required=False, max_length=5000,
            widget=forms.Textarea(attrs={"rows": 4}),
            help_text=_("One on each line, with its hours, or without where it is closed: 2026-12-24 9:00–12:00"),
            initial="\n".join(
                f"{day} {servicetime.spell(hours)}".strip() for day, hours in sorted(calendar.exceptions.items())
            ),
        )  # fmt: skip
        self.fields["country"] = forms.CharField(
            label=_("Public holidays of"), required=False, max_length=2, initial=calendar.country,
            help_text=_("A country in two letters, such as GB. Empty: holidays are like other days."),
        )  # fmt: skip
        self.fields["subdivision"] = forms.CharField(
            label=_("Part of the country"), required=False, max_length=10, initial=calendar.subdivision,
            help_text=_("Such as ENG, or BY."),
        )  # fmt: skip

    def clean_exceptions(self) -> dict[dt.date, Day]:
        found = {}
        for line in filter(None, map(str.strip, self.cleaned_data["exceptions"].splitlines())):
            day, _space, hours = line.partition(" ")
            try:
                found[dt.date.fromisoformat(day)] = _hours(hours.strip())
            except ValueError as error:
                raise ValidationError(
                    gettext("“%(line)s” does not begin with a date such as 2026-12-24.") % {"line": line[:50]}
                ) from error
        return found

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()

    def clean_subdivision(self) -> str:
        return str(self.cleaned_data["subdivision"]).upper()

    def hours(self) -> dict[str, Any]:
        """What the verb takes."""
        good = self.cleaned_data
        return {
            "week": {weekday: good[f"day{weekday}"] for weekday in WEEKDAYS},
            **{name: good[name] for name in ("exceptions", "country", "subdivision")},
        }


class MomentField(forms.DateTimeField):
    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
        super().__init__(widget=widget, **kwargs)


class AbsenceForm(forms.Form):
    """Who is away, from when until when, and who stands in."""

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = User.objects.filter(pk__in=[user.pk for user in people]).order_by("name", "pk")
        self.fields["user"] = forms.ModelChoiceField(rows, label=_("Who is away"))
        self.fields["starts_at"] = MomentField(label=_("From"))
        self.fields["ends_at"] = MomentField(label=_("Until"))
        self.fields["deputy"] = forms.ModelChoiceField(
            rows, label=_("Who stands in"), required=False, empty_label=_("Nobody in particular")
        )
