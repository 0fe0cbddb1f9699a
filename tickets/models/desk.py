"""What people need at hand while they work: categories, texts, drafts, who else is here."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp.records import Kept, Record


class Category(models.Model):
    """What a ticket is about, in the company's own words."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="categories")
    name = models.CharField(_("name"), max_length=100)
    is_active = models.BooleanField(_("active"), default=True)

    history = HistoricalRecords()
    record = Record(Kept.SETTINGS)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "name"], name="one_category_per_name")]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name


class MailText(models.Model):
    """A text that the product sends to customers, in one language; placeholders are {reference}, {promised} ...

    Which placeholders there are, and when which text is used, is said in tickets.acknowledging.
    """

    class Kind(models.TextChoices):
        ACKNOWLEDGEMENT = "acknowledgement", _("Acknowledgement")
        LATE = "acknowledgement_late", _("Acknowledgement after the promised time")
        SEVERAL = "acknowledgements", _("Acknowledgement of several messages")
        SURVEY = "survey", _("Survey after a resolved matter")

    kind = models.CharField(max_length=20, choices=Kind)
    language = models.CharField(_("language"), max_length=10)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    history = HistoricalRecords()
    record = Record(Kept.SETTINGS)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "language"], name="one_text_per_language")]
        verbose_name = _("text")
        verbose_name_plural = _("texts")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.language})"


class CannedReply(models.Model):
    """An approved answer to what is asked often; placeholders are filled from the ticket."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="canned_replies")
    title = models.CharField(_("title"), max_length=100)
    language = models.CharField(_("language"), max_length=10, default="en-gb")
    body = models.TextField(_("text"))
    written_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    approved_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    history = HistoricalRecords()
    record = Record(Kept.SETTINGS)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="approved_says_by_whom_and_when",
            )
        ]
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")

    def __str__(self) -> str:
        return self.title


class Draft(models.Model):
    """What somebody has begun to write on a ticket, kept on the server; each mode has its own text."""

    class Mode(models.TextChoices):
        REPLY = "reply", _("Reply")
        HOLDING = "holding", _("Holding message")
        NOTE = "note", _("Note")
        CALL = "call", _("Call")

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="drafts")
    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=10, choices=Mode)
    body = models.TextField(blank=True)
    cc = models.CharField(max_length=2000, blank=True)
    saved_at = models.DateTimeField()

    record = Record(Kept.MACHINERY, person="ticket__customer", personal=("body", "cc"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "user", "mode"], name="one_draft_per_mode")]
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.mode}"


class Presence(models.Model):
    """Somebody has this ticket open, and may be writing."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="presences")
    user = models.ForeignKey("csp.User", on_delete=models.CASCADE, related_name="+")
    is_writing = models.BooleanField(default=False)
    seen_at = models.DateTimeField()

    record = Record(Kept.MACHINERY, person="user")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="one_presence_per_person")]
        verbose_name = _("presence")
        verbose_name_plural = _("presences")

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.user_id}"
