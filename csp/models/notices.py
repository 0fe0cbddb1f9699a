"""What people inside are told."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class Notice(models.Model):
    """One thing that one person is told: on the page at once, by mail collected per minute."""

    class Kind(models.TextChoices):
        BREACH = "breach", _("Promise broken")
        REMINDER = "reminder", _("Running out")
        ESCALATION = "escalation", _("Escalated")
        ASSIGNED = "assigned", _("Assigned")
        RETURNED = "returned", _("Handed back")
        REPLY = "reply", _("Customer wrote")
        DELIVERY = "delivery", _("Not delivered")
        PENDING = "pending", _("Reminder")
        CASE = "case", _("Non-compliance")
        MEASURE = "measure", _("Measure")
        COSIGN = "cosign", _("Waits for a co-signature")
        FEEDBACK = "feedback", _("Feedback")
        TRAINING = "training", _("Training")
        APPROVAL = "approval", _("Approvals")
        REVIEW = "review", _("Review")
        PRIVACY = "privacy", _("Data protection")
        AUDIT = "audit", _("Quality audits")
        SYSTEM = "system", _("Needs an administrator")

    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=12, choices=Kind)
    # The same thing is told to the same person once, whoever finds it first and however often.
    key = models.CharField(max_length=80)
    deadline = models.ForeignKey("csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    subject_ref = models.CharField(max_length=40, blank=True)
    path = models.CharField(max_length=120, blank=True)
    # Parameters of the sentence that the page and the mail say (csp.notices); no personal text.
    facts = models.JSONField(default=dict, blank=True)
    words = models.CharField(max_length=500, blank=True)  # what somebody said to this person, word for word
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    by_mail = models.BooleanField(default=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    mail = models.ForeignKey(
        "csp.OutboundMessage", on_delete=models.PROTECT, null=True, blank=True, related_name="notices"
    )

    record = Record(Kept.MACHINERY, person="user", personal=("words",), refers="subject_ref")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_notice_per_person_and_thing")]
        indexes = [
            # the collector of mails
            models.Index(
                fields=["created_at"], condition=Q(mail__isnull=True, by_mail=True), name="notice_to_be_mailed"
            ),
            # who had a mail just now
            models.Index(fields=["user", "mailed_at"], condition=Q(mailed_at__isnull=False), name="notice_mailed"),
            # the page, newest first
            models.Index(fields=["user", "-created_at", "-id"], name="notice_of_user"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="notice_unread"),
        ]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")

    def __str__(self) -> str:
        return self.key
