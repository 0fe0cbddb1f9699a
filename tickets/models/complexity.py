"""Proposals that a ticket needs higher authority, and what a person made of them (clause 3.3)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class ComplexityProposal(models.Model):
    """One sign, in one message of the customer, that a case is complex. Proposed by rule, decided by a person."""

    class Rule(models.TextChoices):
        AMOUNT = "amount", _("Amount above the limit")
        LEGAL = "legal", _("Words of law")
        SAFETY = "safety", _("Words of danger")
        CONTACTS = "contacts", _("Third contact on the matter")

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="proposals")
    interaction = models.ForeignKey("tickets.Interaction", on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=10, choices=Rule)
    found = models.CharField(max_length=100)
    proposed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    accepted = models.BooleanField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    record = Record(Kept.TICKET, person="ticket__customer", personal=("found", "reason"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["interaction", "rule"], name="one_proposal_of_a_rule_per_message"),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True, accepted__isnull=True)
                | Q(decided_at__isnull=False, decided_by__isnull=False, accepted__isnull=False),
                name="a_proposal_is_decided_by_somebody",
            ),
        ]
        indexes = [
            # what the ticket shows
            models.Index(fields=["ticket"], condition=Q(decided_at__isnull=True), name="complexity_proposed"),
        ]
        verbose_name = _("proposal that a case is complex")
        verbose_name_plural = _("proposals that cases are complex")

    def __str__(self) -> str:
        return f"#{self.ticket_id}: {self.rule}"
