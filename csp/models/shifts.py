"""When somebody is on shift: the hours of a team, and who is away until when."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp.models.people import DatedQuerySet
from csp.records import Kept, Record


class ShiftPlan(models.Model):
    """The hours in which a team is there, in the contract's zone; a team without a plan is always there.

    `week` maps a weekday ("0" is Monday) to its hours in minutes of the day, `exceptions` a date to the hours of it.
    """

    team = models.OneToOneField("csp.Team", on_delete=models.PROTECT, related_name="shift_plan")
    week = models.JSONField(default=dict)
    exceptions = models.JSONField(default=dict, blank=True)
    country = models.CharField(max_length=2, blank=True)
    subdivision = models.CharField(max_length=10, blank=True)

    history = HistoricalRecords()
    record = Record(Kept.PEOPLE)

    class Meta:
        verbose_name = _("shift plan")
        verbose_name_plural = _("shift plans")

    def __str__(self) -> str:
        return str(self.team)


class Absence(models.Model):
    """One time that somebody is away, and who stands in. Why is nobody's business and is not asked."""

    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="absences")
    deputy = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    entered_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    objects = DatedQuerySet.as_manager()
    record = Record(Kept.PEOPLE, person="user")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="an_absence_ends_after_it_began"),
            models.CheckConstraint(
                condition=Q(deputy__isnull=True) | ~Q(deputy=F("user")), name="who_stands_in_is_somebody_else"
            ),
        ]
        indexes = [models.Index(fields=["user", "ends_at"], name="absence_of_user")]
        verbose_name = _("absence")
        verbose_name_plural = _("absences")

    def __str__(self) -> str:
        return f"{self.user}: {self.starts_at:%Y-%m-%d} – {self.ends_at:%Y-%m-%d}"
