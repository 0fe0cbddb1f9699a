"""Tickets handed to a supervisor (clause 3.3), and what handed them up."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class Escalation(models.Model):
    """One time that a ticket was handed up: why, to whom, and what became of it. One open at most for each ticket."""

    class Origin(models.TextChoices):
        PERSON = "person", _("By a person")
        BREACH = "breach", _("By the product, a promise was broken")
        PRECAUTION = "precaution", _("By the product, as a precaution")

    class Decision(models.TextChoices):
        APPROVE = "approve", _("Approved")
        REJECT = "reject", _("Rejected")
        INSTRUCT = "instruct", _("Instructed")
        TAKE_OVER = "take_over", _("Taken over")

    class Outcome(models.TextChoices):
        DECIDED = "decided", _("Decided")
        RETURNED = "returned", _("Handed back")
        CLOSED = "closed", _("Ended with the ticket")

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="escalations")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="escalations")
    origin = models.CharField(max_length=10, choices=Origin)
    reason = models.CharField(_("reason"), max_length=500)
    authority_needed = models.CharField(_("authority needed"), max_length=200, blank=True)
    raised_at = models.DateTimeField()
    raised_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # Whose ticket it was, and who has it again when the supervisor is done with it.
    from_user = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    to_user = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # The target to take it up, and when the next ones are told because nobody has.
    take_up = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    next_rung_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    outcome_note = models.TextField(blank=True)

    record = Record(
        Kept.TICKET, person="ticket__customer", personal=("reason", "outcome_note"), words=("authority_needed",)
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(closed_at__isnull=True), name="one_open_escalation_per_ticket"
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, outcome="", decision="")
                | (Q(closed_at__isnull=False) & ~Q(outcome="")),
                name="a_closed_escalation_has_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True, accepted_by__isnull=True)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="accepted_says_by_whom",
            ),
        ]
        indexes = [
            # the supervisors' queue
            models.Index(fields=["team", "raised_at"], condition=Q(closed_at__isnull=True), name="escalation_open"),
            # what nobody has taken up
            models.Index(fields=["next_rung_at"], condition=Q(next_rung_at__isnull=False), name="escalation_next_rung"),
            models.Index(fields=["team", "-closed_at"], condition=Q(closed_at__isnull=False), name="escalation_done"),
        ]
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")

    def __str__(self) -> str:
        return f"#{self.ticket_id}, {self.raised_at:%Y-%m-%d %H:%M}"


class EscalationRung(models.Model):
    """One time that others were told because nobody had taken an escalation up; without a person, everybody was."""

    escalation = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="rungs")
    number = models.PositiveSmallIntegerField()
    told = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    told_at = models.DateTimeField()

    record = Record(Kept.TICKET)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["escalation", "number"], name="one_escalation_per_rung")]
        verbose_name = _("rung of an escalation")
        verbose_name_plural = _("rungs of escalations")

    def __str__(self) -> str:
        return f"{self.escalation_id}/{self.number}"


class EscalationCause(models.Model):
    """A breach that stands behind an escalation. Each breach that escalates has exactly one."""

    escalation = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="causes")
    breach = models.OneToOneField("csp.Breach", on_delete=models.PROTECT, related_name="escalation_cause")
    added_at = models.DateTimeField()

    record = Record(Kept.TICKET)

    class Meta:
        verbose_name = _("cause of an escalation")
        verbose_name_plural = _("causes of escalations")

    def __str__(self) -> str:
        return f"{self.escalation_id}: {self.breach_id}"
