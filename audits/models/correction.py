"""What is done about a case: actions, the evidence that they were done, and who checked it (clause 8.1)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from audits.models.cases import NonCompliance
from csp.records import Kept, Record


class CorrectiveAction(models.Model):
    """One thing that somebody does so that it is put right, or does not happen again; due with its case."""

    class Kind(models.TextChoices):
        CORRECTIVE = "corrective", _("Corrective: puts right what happened")
        PREVENTIVE = "preventive", _("Preventive: keeps it from happening again")

    class State(models.TextChoices):
        PLANNED = "planned", _("To be done")
        IMPLEMENTED = "implemented", _("To be verified")
        VERIFIED = "verified", _("Verified")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    case = models.ForeignKey(NonCompliance, on_delete=models.PROTECT, related_name="actions")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    what = models.CharField(_("what is done"), max_length=500)
    owner = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    set_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PLANNED)
    withdrawn_because = models.CharField(max_length=500, blank=True)

    history = HistoricalRecords()
    record = Record(Kept.CASE, person="owner", personal=("what", "withdrawn_because"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | ~Q(withdrawn_because=""), name="withdrawing_needs_a_reason"
            )
        ]
        indexes = [
            # what is mine to do
            models.Index(fields=["owner"], condition=Q(state="planned"), name="action_to_do"),
            models.Index(fields=["case", "id"], name="action_of_case"),
        ]
        verbose_name = _("corrective action")
        verbose_name_plural = _("corrective actions")

    def __str__(self) -> str:
        return f"CA-{self.pk}"


class Implementation(models.Model):
    """One time that an action was said to be done, with evidence. Written once; a rejection is a row beside it."""

    action = models.ForeignKey(CorrectiveAction, on_delete=models.PROTECT, related_name="implementations")
    text = models.TextField(_("what was done, and how that shows"))
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    # An implementation cannot exist without the clock on its verification.
    verify = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")

    record = Record(Kept.CASE, person="by", personal=("text",))

    class Meta:
        indexes = [models.Index(fields=["action", "id"], name="implementation_of_action")]
        verbose_name = _("implementation")
        verbose_name_plural = _("implementations")

    def __str__(self) -> str:
        return f"{self.action_id}, {self.at:%Y-%m-%d}"


class EvidenceFile(models.Model):
    """A file that shows that an action was done."""

    implementation = models.ForeignKey(Implementation, on_delete=models.PROTECT, related_name="files")
    blob = models.ForeignKey("csp.Blob", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()

    record = Record(Kept.CASE, person="implementation__by", personal=("name",))

    class Meta:
        verbose_name = _("file of evidence")
        verbose_name_plural = _("files of evidence")

    def __str__(self) -> str:
        return self.name


class Verification(models.Model):
    """Somebody independent looked at the evidence and accepted or rejected it. Written once."""

    implementation = models.OneToOneField(Implementation, on_delete=models.PROTECT, related_name="verification")
    accepted = models.BooleanField(_("accepted"))
    note = models.TextField(_("what was found"))
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    record = Record(Kept.CASE, person="by", personal=("note",))

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")

    def __str__(self) -> str:
        return f"{self.implementation_id}: {self.accepted}"
