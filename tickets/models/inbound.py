"""Mail as it arrived: landed raw first, understood later, never dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp import access
from csp.models import LockItem, Mailbox, Team
from csp.records import Kept, Record
from csp.roles import Role

if TYPE_CHECKING:
    from csp.models import User


class InboundQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """The mail of one's own teams' mailboxes; what reached none of them is for the team that takes such mail."""
        teams = access.scope_of(user).teams(Role.REPRESENTATIVE, Role.SUPERVISOR)
        stray = Team.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True).first()
        default = Mailbox.objects.filter(is_default=True, is_active=True).values_list("team", flat=True).first()
        theirs = Q(mailbox__team__in=teams)
        if (default or stray) in teams:
            theirs |= Q(mailbox__isnull=True)
        rows = self.filter(theirs).exclude(LockItem.standing_on("ticket", "ticket"))
        return rows.filter(Q(ticket__about__isnull=True) | ~Q(ticket__about=user.pk))

    def unsorted(self) -> Self:
        """What waits for a ruling, the oldest receipt first."""
        return self.filter(state=InboundMessage.State.UNSORTED).order_by("received_at", "pk")


class InboundMessage(models.Model):
    """The bytes of one message and every receipt time that is known of it."""

    class Door(models.TextChoices):
        IMAP = "imap", _("Fetched from a mailbox")
        SMTP = "smtp", _("Delivered to the mail door")
        COMMAND = "command", _("Given on the command line")
        FORM = "form", _("Contact form")

    class State(models.TextChoices):
        LANDED = "landed", _("Not yet read")
        OPENED = "opened", _("Opened a ticket")
        THREADED = "threaded", _("Joined a ticket")
        DUPLICATE = "duplicate", _("A copy of an earlier one")
        UNSORTED = "unsorted", _("Waits for a ruling")
        SPAM = "spam", _("Ruled spam")
        PARKED = "parked", _("Could not be read; parked in a ticket")
        IGNORED = "ignored", _("Automatic; kept, nothing owed")
        IMPORTED = "imported", _("From before the cut-over")

    door = models.CharField(max_length=10, choices=Door)
    mailbox = models.ForeignKey("csp.Mailbox", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    uid_validity = models.BigIntegerField(null=True, blank=True)
    uid = models.BigIntegerField(null=True, blank=True)
    envelope_from = models.CharField(max_length=320, blank=True)
    envelope_to = models.TextField(blank=True)  # every recipient that the door accepted, with ", " between
    blob = models.OneToOneField("csp.Blob", on_delete=models.PROTECT, related_name="+")
    sha256 = models.BinaryField(max_length=32, unique=True)
    size = models.PositiveBigIntegerField()
    landed_at = models.DateTimeField()  # when we wrote it down
    accepted_at = models.DateTimeField(null=True, blank=True)  # when our own door said 250
    internal_date = models.DateTimeField(null=True, blank=True)  # what the IMAP server says
    hop_at = models.DateTimeField(null=True, blank=True)  # topmost Received of a host we trust
    received_at = models.DateTimeField()  # receipt: the earliest credible of these (CLAUSES, Receipt)
    gap = models.DurationField(null=True, blank=True)  # between receipt and landing, where over five minutes
    state = models.CharField(max_length=10, choices=State, default=State.LANDED)
    reason = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=998, blank=True)
    content_key = models.BinaryField(max_length=32, null=True, blank=True)  # of sender, date, subject, words and files
    sender_address = models.CharField(max_length=320, blank=True)
    sender_name = models.CharField(max_length=300, blank=True)
    subject = models.CharField(max_length=998, blank=True)
    excerpt = models.CharField(max_length=300, blank=True)
    flags = models.JSONField(default=list, blank=True)  # "same Message-ID, other content", "reply-to differs" ...
    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.PROTECT, null=True, blank=True, related_name="sources"
    )
    duplicate_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="copies")

    # Whether the landing that returned this row wrote it, or found it there; not a column.
    is_new = False

    objects = InboundQuerySet.as_manager()
    record = Record(
        Kept.TICKET, person="ticket__customer",
        personal=("envelope_from", "message_id", "sender_address", "sender_name", "subject", "excerpt"),
        address=("sender_address", "envelope_from"), parts=("tickets.inboundmessage", "tickets.ruling"),
    )  # fmt: skip

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "uid_validity", "uid"], condition=Q(uid__isnull=False), name="fetched_once"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["opened", "threaded", "parked", "imported"]) | Q(ticket__isnull=False),
                name="what_was_taken_in_stands_in_a_ticket",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(state="landed"), name="inbound_to_read"),
            models.Index(fields=["received_at"], condition=Q(state="unsorted"), name="inbound_unsorted"),
            models.Index(fields=["message_id"], condition=~Q(message_id=""), name="inbound_message_id"),
            # how much somebody has written within the hour
            models.Index(fields=["sender_address", "received_at"], name="inbound_of_sender"),
        ]
        verbose_name = _("incoming message")
        verbose_name_plural = _("incoming messages")

    def __str__(self) -> str:
        return f"{self.door} {self.pk}"

    @property
    def trail_subject(self) -> str:
        return f"mail:{self.pk}"


class Ruling(models.Model):
    """A person's word on an unsorted message: genuine or spam, with a reason; a share is checked by another person."""

    class Verdict(models.TextChoices):
        GENUINE = "genuine", _("Genuine")
        SPAM = "spam", _("Spam")

    inbound = models.ForeignKey(InboundMessage, on_delete=models.PROTECT, related_name="rulings")
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.CharField(max_length=300)
    ruled_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    ruled_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    is_sampled = models.BooleanField(default=False)
    reviewed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_agrees = models.BooleanField(null=True, blank=True)

    record = Record(Kept.SPAM, words=("reason",))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["inbound"], condition=Q(undone_at__isnull=True), name="one_standing_ruling"
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=models.F("ruled_by")),
                name="nobody_reviews_an_own_ruling",
            ),
        ]
        verbose_name = _("ruling")
        verbose_name_plural = _("rulings")

    def __str__(self) -> str:
        return f"{self.inbound_id} {self.verdict}"


class SenderRule(models.Model):
    """What is known of a sender under one contract: always let in, or always unsorted. Never a reason to drop mail."""

    class Verdict(models.TextChoices):
        ALLOW = "allow", _("Let in")
        BLOCK = "block", _("Put among the unsorted")

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    pattern = models.CharField(_("address or domain"), max_length=320)  # "a@b.example" or "@b.example"
    verdict = models.CharField(max_length=5, choices=Verdict)
    reason = models.CharField(_("reason"), max_length=300)
    created_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    is_active = models.BooleanField(default=True)

    history = HistoricalRecords()
    record = Record(Kept.SETTINGS, personal=("pattern",), words=("reason",), address=("pattern",))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "contract", Lower("pattern"), condition=Q(is_active=True), name="one_rule_per_sender"
            )
        ]
        verbose_name = _("rule for a sender")
        verbose_name_plural = _("rules for senders")

    def __str__(self) -> str:
        return f"{self.pattern}: {self.get_verdict_display()}"

    @property
    def trail_subject(self) -> str:
        return f"sender:{self.pk}"
