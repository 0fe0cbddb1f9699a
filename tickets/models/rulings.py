"""What a person ruled about a message, and the second look at it (clause 3.1)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class NoReplyRuling(models.Model):
    """A person's word that a follow-up asks for nothing, which met its clock; a share is checked by another person."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="no_replies")
    deadline = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    ruled_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    ruled_at = models.DateTimeField()
    is_sampled = models.BooleanField(default=False)
    reviewed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_agrees = models.BooleanField(null=True, blank=True)

    record = Record(Kept.TICKET, person="ticket__customer", words=("reason",))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True, reviewed_at__isnull=True, review_agrees__isnull=True)
                | Q(reviewed_by__isnull=False, reviewed_at__isnull=False, review_agrees__isnull=False),
                name="a_second_look_has_all_its_parts",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("ruled_by")),
                name="nobody_reviews_an_own_no_reply",
            ),
        ]
        indexes = [
            # what supervisors still have to look at
            models.Index(
                fields=["ticket"], condition=Q(is_sampled=True, reviewed_at__isnull=True), name="no_reply_to_check"
            ),
        ]
        verbose_name = _("ruling that no reply is needed")
        verbose_name_plural = _("rulings that no reply is needed")

    def __str__(self) -> str:
        return f"#{self.ticket_id}: {self.deadline_id}"
