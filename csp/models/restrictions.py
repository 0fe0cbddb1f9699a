"""What a person may do only in part for a while: the one place where lower apps find what an upper one decided."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from csp.models.people import DatedQuerySet
from csp.records import Kept, Record


class Restriction(models.Model):
    """One limit on one person's work, from one cause, for a time. Desk, API and assignment honour it.

    It never delays an escalation, an acknowledgement or a holding message (clause 3.3). Nothing has to run for it to
    end: after `ends_at` it is not in force.
    """

    class Kind(models.TextChoices):
        COSIGN = "cosign", _("Answers wait for a co-signature")
        NO_COMPLAINTS = "no_complaints", _("No complaints")
        NO_NEW_TICKETS = "no_new_tickets", _("No new tickets")

    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="restrictions")
    kind = models.CharField(_("restriction"), max_length=20, choices=Kind)
    clause = models.CharField(_("clause"), max_length=4)
    # What imposed it ("measure:12") and where that is shown and appealed against; no personal text.
    cause = models.CharField(max_length=40)
    path = models.CharField(max_length=120)
    # Who co-signs; the supervisors of the ticket's team where nobody is named.
    cosigner = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    starts_at = models.DateTimeField()
    # Without an end only where an event ends it (a course passed); a measure always has one.
    ends_at = models.DateTimeField(null=True, blank=True)
    imposed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = DatedQuerySet.as_manager()
    record = Record(Kept.PEOPLE, person="user")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "cause"], name="one_restriction_of_a_kind_per_cause"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")),
                name="a_restriction_ends_after_it_began",
            ),
            models.CheckConstraint(
                condition=Q(cosigner__isnull=True) | (Q(kind="cosign") & ~Q(cosigner=F("user"))),
                name="a_cosigner_is_somebody_else",
            ),
        ]
        indexes = [models.Index(fields=["user", "kind"], name="restriction_of_user")]
        verbose_name = _("restriction of a person's work")
        verbose_name_plural = _("restrictions of people's work")

    def __str__(self) -> str:
        return f"{self.user}: {self.get_kind_display()}"
