"""What a call says besides what was said: whether it was answered, and whether it answered the customer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class Call(models.Model):
    """The other half of an interaction that was a call, or a talk in person (clauses 3.1 and 4.1).

    One that was typed more than a quarter of an hour after it ended meets nothing before a supervisor has confirmed it.
    """

    class Basis(models.TextChoices):
        """On what ground a call was recorded; none without having been announced."""

        NONE = "", _("Not recorded")
        CONSENT = "consent", _("Recorded: the customer agreed")
        CONTRACT = "contract", _("Recorded: the contract needs it")
        LAW = "law", _("Recorded: the law asks for it")

    interaction = models.OneToOneField("tickets.Interaction", on_delete=models.PROTECT, related_name="call")
    number = models.CharField(_("telephone number"), max_length=40, blank=True)
    ended_at = models.DateTimeField()
    is_answered = models.BooleanField(_("answered"))
    answers_customer = models.BooleanField(_("answers the customer"))
    is_typed_late = models.BooleanField(default=False)
    recording_basis = models.CharField(_("recording"), max_length=10, choices=Basis, blank=True)
    is_announced = models.BooleanField(_("announced at the start"), default=False)
    recording_ref = models.CharField(_("where the recording is"), max_length=100, blank=True)
    ruled_at = models.DateTimeField(null=True, blank=True)
    ruled_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    is_confirmed = models.BooleanField(null=True, blank=True)
    ruling_reason = models.CharField(max_length=300, blank=True)

    record = Record(
        Kept.TICKET,
        person="interaction__ticket__customer",
        personal=("number", "recording_ref"),
        words=("ruling_reason",),
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ruled_at__isnull=True, ruled_by__isnull=True, is_confirmed__isnull=True)
                | Q(ruled_at__isnull=False, ruled_by__isnull=False, is_confirmed__isnull=False, is_typed_late=True),
                name="a_late_call_is_ruled_with_all_its_parts",
            ),
            models.CheckConstraint(
                condition=Q(recording_basis="", recording_ref="") | (~Q(recording_basis="") & Q(is_announced=True)),
                name="what_is_recorded_was_announced",
            ),
            models.CheckConstraint(
                condition=Q(is_answered=True) | Q(answers_customer=False), name="only_an_answered_call_answers"
            ),
        ]
        verbose_name = _("call")
        verbose_name_plural = _("calls")

    def __str__(self) -> str:
        return f"{self.interaction_id}, {self.ended_at:%Y-%m-%d %H:%M}"

    @property
    def counts(self) -> bool:
        """Whether it may meet a clause."""
        return not self.is_typed_late or bool(self.is_confirmed)

    @property
    def waits(self) -> bool:
        """For a supervisor's word."""
        return self.is_typed_late and self.ruled_at is None
