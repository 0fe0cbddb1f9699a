"""What was said: immutable interactions, their files, and the way of each outgoing one to the outside."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Left
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class Interaction(models.Model):
    """One contact or note. Written once; a correction is a new one. The database refuses changes (tickets 0002)."""

    class Kind(models.TextChoices):
        MAIL = "mail", _("E-mail")
        FORM = "form", _("Contact form")
        CALL = "call", _("Call")
        LETTER = "letter", _("Letter")
        VISIT = "visit", _("Visit")
        NOTE = "note", _("Note")

    class Direction(models.TextChoices):
        IN = "in", _("From the customer")
        OUT = "out", _("To the customer")
        INTERNAL = "internal", _("Internal")

    class Purpose(models.TextChoices):
        """What an outgoing interaction is for; only an answer meets the duty to respond."""

        NONE = "", _("None")
        ACKNOWLEDGEMENT = "acknowledgement", _("Automatic acknowledgement")
        ANSWER = "answer", _("Answers the customer")
        HOLDING = "holding", _("Holding message")
        AUTOMATIC = "automatic", _("Automatic message")  # inbound: an automatic reply or a returned mail

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="interactions")
    kind = models.CharField(max_length=10, choices=Kind)
    direction = models.CharField(max_length=10, choices=Direction)
    purpose = models.CharField(max_length=20, choices=Purpose, default=Purpose.NONE, blank=True)
    author = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    customer = models.ForeignKey("csp.Customer", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    sender_name = models.CharField(max_length=300, blank=True)
    sender_address = models.CharField(max_length=320, blank=True)
    to = ArrayField(models.CharField(max_length=320), default=list, blank=True)
    cc = ArrayField(models.CharField(max_length=320), default=list, blank=True)
    subject = models.CharField(max_length=998, blank=True)
    body = models.TextField(blank=True)
    html = models.TextField(blank=True)  # as sent; made safe each time it is shown
    message_id = models.CharField(max_length=998, blank=True)
    occurred_at = models.DateTimeField()  # receipt for what came in, writing for what went out
    recorded_at = models.DateTimeField()
    duration = models.DurationField(null=True, blank=True)  # of a call
    # of the first hundred thousand characters: a search vector holds a megabyte at most
    search = models.GeneratedField(
        expression=SearchVector(Left("body", 100_000), config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    # The last customer interaction that the author had on screen when writing (clause 3.1, follow-ups).
    seen_through = models.BigIntegerField(default=0)
    inbound = models.OneToOneField(
        "tickets.InboundMessage", on_delete=models.PROTECT, null=True, blank=True, related_name="interaction"
    )
    # The clock that this unanswered customer message started.
    follow_up = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    # What was stored with this when it was written, itself first: what the trail vouches for; not a column.
    parts: list[models.Model]

    record = Record(
        Kept.TICKET,
        person="ticket__customer",
        personal=("sender_name", "sender_address", "to", "cc", "subject", "body", "html", "message_id"),
        copied=("ticket__excerpt",),
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(kind="note") | Q(direction="internal"), name="a_note_stays_inside"),
            models.CheckConstraint(
                condition=Q(direction="out") | Q(purpose__in=["", "automatic"]), name="only_what_goes_out_has_a_purpose"
            ),
        ]
        indexes = [
            models.Index(fields=["ticket", "id"], name="interaction_of_ticket"),
            # threading by References
            models.Index(fields=["message_id"], condition=~Q(message_id=""), name="interaction_message_id"),
            GinIndex(fields=["search"], name="interaction_search"),
        ]
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")

    def __str__(self) -> str:
        return f"{self.ticket_id}/{self.pk}"


class Attachment(models.Model):
    """A file that came or went with an interaction."""

    interaction = models.ForeignKey(Interaction, on_delete=models.PROTECT, related_name="attachments")
    blob = models.ForeignKey("csp.Blob", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)  # by content, not by what the sender said
    declared_type = models.CharField(max_length=120, blank=True)
    content_id = models.CharField(max_length=255, blank=True)  # of an inline image
    size = models.PositiveBigIntegerField()

    record = Record(Kept.TICKET, person="interaction__ticket__customer", personal=("name",))

    class Meta:
        indexes = [models.Index(fields=["interaction"], name="attachment_of_interaction")]
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        return self.name


class SpokenTo(models.Model):
    """That an outgoing interaction speaks to a ticket: to all that its customer said there, up to one interaction.

    Written with it, from what its author had on screen, and never changed: a merge or its undoing makes no answer
    speak to more, or to less.
    """

    # the constraint below is its index
    interaction = models.ForeignKey(Interaction, on_delete=models.PROTECT, related_name="speaks_to", db_index=False)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="spoken_to")
    through = models.BigIntegerField()  # the ticket's last customer interaction on screen; 0 where there was none

    record = Record(Kept.TICKET)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["interaction", "ticket"], name="an_interaction_speaks_to_a_ticket_once"),
        ]
        verbose_name = _("ticket spoken to")
        verbose_name_plural = _("tickets spoken to")

    def __str__(self) -> str:
        return f"{self.interaction_id} to {self.ticket_id}"


class Delivery(models.Model):
    """The way of one outgoing interaction: its message in the outbox, and whether its acceptance has been acted on."""

    interaction = models.OneToOneField(Interaction, on_delete=models.PROTECT, related_name="delivery")
    # one mail may answer, or acknowledge, several tickets of one customer
    message = models.ForeignKey("csp.OutboundMessage", on_delete=models.PROTECT, related_name="+")
    # The acceptance has met what it meets; empty while the message waits. A bounce only adds `bounced_at`.
    settled_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    bounce_status = models.CharField(max_length=100, blank=True)

    record = Record(Kept.TICKET)

    class Meta:
        indexes = [models.Index(fields=["message"], condition=Q(settled_at__isnull=True), name="delivery_unsettled")]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return str(self.message_id)
