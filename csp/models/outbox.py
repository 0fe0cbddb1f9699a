"""Everything that leaves the building, and whether it arrived at the next one."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class OutboundMessage(models.Model):
    """One mail to be sent. At least once, with one stable Message-ID; `accepted_at` is the next server's 250."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting to be sent")
        ACCEPTED = "accepted", _("Accepted by the mail server")
        FAILED = "failed", _("Refused for good")
        BOUNCED = "bounced", _("Returned")
        CANCELLED = "cancelled", _("Taken back")

    class Kind(models.TextChoices):
        ACKNOWLEDGEMENT = "acknowledgement", _("Acknowledgement")
        ANSWER = "answer", _("Answer")
        HOLDING = "holding", _("Holding message")
        SURVEY = "survey", _("Survey")
        NOTICE = "notice", _("Notice to staff")
        ACCOUNT = "account", _("Account mail")
        LINK = "link", _("Links to a customer's requests")
        PRIVACY = "privacy", _("About personal data")

    # What must not be sent twice says so here; also the left part of the Message-ID's seed.
    dedupe_key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=20, choices=Kind)
    mailbox = models.ForeignKey("csp.Mailbox", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    sender = models.CharField(max_length=420)
    envelope_from = models.CharField(max_length=320, blank=True)
    to = ArrayField(models.CharField(max_length=320))
    cc = ArrayField(models.CharField(max_length=320), default=list, blank=True)
    subject = models.CharField(max_length=998)
    body = models.TextField()
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict, blank=True)
    message_id = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True, blank=True)  # the next attempt; empty: as soon as can be
    attempts = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True)  # what the server said, the last time
    # Who does not get it although others do, and what was said of it: refused when it was offered, or returned.
    lost = models.JSONField(default=dict, blank=True)

    record = Record(
        Kept.TICKET, personal=("to", "cc", "subject", "body", "html", "headers", "answer", "lost"), address=("to",),
        parts=("csp.outboundattachment",),
    )  # fmt: skip

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "cancelled", "failed"], accepted_at__isnull=True)
                | Q(state__in=["accepted", "bounced"], accepted_at__isnull=False),
                name="accepted_says_when",
            ),
        ]
        indexes = [
            # what is due, in the order of sending
            models.Index(
                F("not_before").asc(nulls_first=True), "id", condition=Q(state="queued"), name="outbox_queued"
            ),
            # what one address was acknowledged lately
            GinIndex(fields=["to"], condition=Q(kind="acknowledgement"), name="outbox_acknowledged"),
        ]
        verbose_name = _("outgoing message")
        verbose_name_plural = _("outgoing messages")

    def __str__(self) -> str:
        return self.message_id

    @property
    def reached(self) -> list[str]:
        """The addresses in To that it has reached as far as we know: taken outside, and not come back."""
        return [address for address in self.to if address not in self.lost] if self.accepted_at else []


class OutboundAttachment(models.Model):
    """A file that goes with an outgoing message."""

    message = models.ForeignKey(OutboundMessage, on_delete=models.PROTECT, related_name="attachments")
    blob = models.ForeignKey("csp.Blob", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)

    record = Record(Kept.TICKET, personal=("name",))

    class Meta:
        verbose_name = _("attachment of an outgoing message")
        verbose_name_plural = _("attachments of outgoing messages")

    def __str__(self) -> str:
        return self.name
