"""Standard resolution procedures (clause 3.2): their versions, and each complaint's own checklist."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record
from tickets import steps


class Procedure(models.Model):
    """How complaints of one category are resolved; without a category, all that have no procedure of their own."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="procedures")
    category = models.ForeignKey(
        "tickets.Category", on_delete=models.PROTECT, null=True, blank=True, related_name="procedures"
    )
    created_at = models.DateTimeField()

    record = Record(Kept.SETTINGS)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "category"], nulls_distinct=False, name="one_procedure_per_category"
            )
        ]
        verbose_name = _("procedure")
        verbose_name_plural = _("procedures")

    def __str__(self) -> str:
        return str(self.category or _("Every other complaint"))


class ProcedureVersion(models.Model):
    """One wording of a procedure. A draft until a supervisor publishes it; then it never changes again."""

    procedure = models.ForeignKey(Procedure, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(_("title"), max_length=200)
    text = models.TextField(_("steps"))  # as tickets.steps reads it
    resolve_days = models.PositiveSmallIntegerField(
        _("days to resolve"), validators=[MinValueValidator(1), MaxValueValidator(90)]
    )
    progress_days = models.PositiveSmallIntegerField(
        _("days between progress notes"), validators=[MinValueValidator(1), MaxValueValidator(30)]
    )
    reason = models.CharField(_("what changes, and why"), max_length=500, blank=True)
    drafted_at = models.DateTimeField()
    drafted_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    record = Record(Kept.SETTINGS)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["procedure", "number"], name="one_procedure_version_per_number"),
            models.UniqueConstraint(
                fields=["procedure"], condition=Q(published_at__isnull=True), name="one_draft_per_procedure"
            ),
            # number 0 comes with the product
            models.CheckConstraint(
                condition=Q(published_at__isnull=True, published_by__isnull=True)
                | Q(published_at__isnull=False, published_by__isnull=False)
                | Q(published_at__isnull=False, number=0),
                name="a_procedure_is_published_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(resolve_days__gte=1, progress_days__gte=1), name="a_procedure_leaves_a_day_at_least"
            ),
        ]
        verbose_name = _("version of a procedure")
        verbose_name_plural = _("versions of procedures")

    def __str__(self) -> str:
        return f"{self.title}, {self.number}"

    def steps(self) -> list[steps.Step]:
        return steps.read(self.text)


class Checklist(models.Model):
    """That a ticket is a complaint, under one version of a procedure: its steps and its clocks of clause 3.2.

    One at a time for each ticket. Another category ends it and begins another; so does what turns out to be none.
    """

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="checklists")
    version = models.ForeignKey(ProcedureVersion, on_delete=models.PROTECT, related_name="checklists")
    received_at = models.DateTimeField()  # from when clause 3.2 counts
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    # The clocks that run, or ran last; earlier ones are found by the ticket. None where the customer never asked.
    resolve = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    progress = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    record = Record(Kept.TICKET)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(ended_at__isnull=True), name="one_checklist_per_ticket"
            )
        ]
        verbose_name = _("checklist of a complaint")
        verbose_name_plural = _("checklists of complaints")

    def __str__(self) -> str:
        return f"{self.ticket_id}, {self.began_at:%Y-%m-%d %H:%M}"


class ChecklistStep(models.Model):
    """One step of one complaint: done by somebody, or waived with a reason that another person approved."""

    checklist = models.ForeignKey(Checklist, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    clause = models.CharField(max_length=4, blank=True)
    asked = models.JSONField(default=list, blank=True)  # what has to be filled in, as [label, kind]
    values = models.JSONField(default=dict, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    waive_reason = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    asked_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    waived_at = models.DateTimeField(null=True, blank=True)
    waived_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    record = Record(Kept.TICKET, person="checklist__ticket__customer", personal=("values", "waive_reason"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["checklist", "position"], name="one_step_per_position"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False, waived_at__isnull=True),
                name="a_step_is_done_by_somebody_or_waived",
            ),
            models.CheckConstraint(
                condition=Q(asked_at__isnull=True, asked_by__isnull=True, waived_at__isnull=True)
                | Q(asked_at__isnull=False, asked_by__isnull=False),
                name="a_waiver_is_asked_for",
            ),
            models.CheckConstraint(
                condition=Q(waived_at__isnull=True, waived_by__isnull=True)
                | (Q(waived_at__isnull=False, waived_by__isnull=False) & ~Q(waived_by=F("asked_by"))),
                name="nobody_approves_an_own_waiver",
            ),
        ]
        indexes = [
            # waivers that wait for a supervisor, and those that are a deviation to be reported
            models.Index(
                fields=["asked_at"], condition=Q(asked_at__isnull=False, waived_at__isnull=True), name="step_to_waive"
            ),
            models.Index(fields=["waived_at"], condition=Q(waived_at__isnull=False), name="step_waived"),
        ]
        verbose_name = _("step of a complaint")
        verbose_name_plural = _("steps of complaints")

    def __str__(self) -> str:
        return self.title

    @property
    def is_settled(self) -> bool:
        return self.done_at is not None or self.waived_at is not None

    @property
    def waits(self) -> bool:
        """For a supervisor's word on its waiver."""
        return self.asked_at is not None and self.waived_at is None

    def fields(self) -> Sequence[steps.Field]:
        return [steps.Field(label, steps.FieldKind(kind)) for label, kind in self.asked]
