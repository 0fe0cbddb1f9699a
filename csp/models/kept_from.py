"""Matters that are kept from one person, because they are about that person (clause 3.2)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class KeptFrom(models.Model):
    """That one person neither sees a matter nor hears of it. The app that owns the matter writes it; csp honours it.

    The matter is named as deadlines name it, and as the trail does.
    """

    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    subject_ref = models.CharField(max_length=40)  # "#4790"
    context = models.CharField(max_length=60)  # "ticket:4790"
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    record = Record(Kept.TICKET, person="user")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "subject_ref"], condition=Q(until__isnull=True), name="kept_once_from_one_person"
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")), name="kept_from_then_until_later"
            ),
        ]
        indexes = [models.Index(fields=["subject_ref"], condition=Q(until__isnull=True), name="kept_from_by_subject")]
        verbose_name = _("matter kept from a person")
        verbose_name_plural = _("matters kept from people")

    def __str__(self) -> str:
        return self.subject_ref


class Exercise(models.Model):
    """That a matter is one person's exercise: nobody else is told of it, and nothing of it leaves the house (5.2)."""

    subject_ref = models.CharField(max_length=40, unique=True)
    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")

    record = Record(Kept.TRAINING, person="user")

    class Meta:
        verbose_name = _("exercise")
        verbose_name_plural = _("exercises")

    def __str__(self) -> str:
        return self.subject_ref
