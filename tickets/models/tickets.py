"""A ticket: one matter of one customer, with the clocks that it cannot exist without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp import access
from csp.models import LockItem
from csp.records import Kept, Record
from csp.roles import Role

if TYPE_CHECKING:
    from csp.models import User


class TicketQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """What this person may see: own teams' tickets, and all teams' of an auditor's contracts."""
        return self.filter(team__in=access.scope_of(user).reads()).not_about(user).not_exercise_of_others(user)

    def workable_by(self, user: User) -> Self:
        """What this person may act on; auditors only read."""
        teams = access.scope_of(user).teams(Role.REPRESENTATIVE, Role.SUPERVISOR)
        return self.filter(team__in=teams).not_about(user).not_exercise_of_others(user)

    def not_about(self, user: User) -> Self:
        """Without the complaints about this person, which are neither to be seen nor worked on, and what is locked."""
        return self.filter(Q(about__isnull=True) | ~Q(about=user.pk)).exclude(LockItem.standing_on("ticket"))

    def not_exercise_of_others(self, user: User) -> Self:
        """Without what others practise on, which is nobody's work (clause 5.2)."""
        return self.filter(~Q(origin=Ticket.Origin.PRACTICE) | Q(opened_by=user.pk))

    def real(self) -> Self:
        """Without exercises."""
        return self.exclude(origin=Ticket.Origin.PRACTICE)

    def unfinished(self) -> Self:
        return self.filter(state__in=Ticket.UNFINISHED)


class Ticket(models.Model):
    """One matter of one customer. Its number is its primary key; people see it as #4790."""

    class State(models.TextChoices):
        NEW = "new", _("New")
        OPEN = "open", _("Open")
        WAITING = "waiting", _("Waiting for the customer")
        RESOLVED = "resolved", _("Resolved")
        CLOSED = "closed", _("Closed")
        MERGED = "merged", _("Merged")

    UNFINISHED = (State.NEW, State.OPEN, State.WAITING)

    class Kind(models.TextChoices):
        UNTYPED = "untyped", _("Not yet typed")
        INQUIRY = "inquiry", _("Inquiry")
        COMPLAINT = "complaint", _("Complaint")
        REQUEST = "request", _("Request")
        FEEDBACK = "feedback", _("Feedback")

    class Priority(models.IntegerChoices):
        LOW = 1, _("Low")
        NORMAL = 2, _("Normal")
        HIGH = 3, _("High")
        URGENT = 4, _("Urgent")

    class Channel(models.TextChoices):
        MAIL = "mail", _("E-mail")
        FORM = "form", _("Contact form")
        PHONE = "phone", _("Telephone")
        LETTER = "letter", _("Letter")
        VISIT = "visit", _("Visit")
        STAFF = "staff", _("Opened by staff")

    class Origin(models.TextChoices):
        CUSTOMER = "customer", _("From the customer")
        STAFF = "staff", _("Outbound first")
        IMPORTED = "imported", _("Imported")
        PRACTICE = "practice", _("Exercise")  # set when it is opened, by whoever practises, and never later

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="tickets")
    mailbox = models.ForeignKey("csp.Mailbox", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    customer = models.ForeignKey(
        "csp.Customer", on_delete=models.PROTECT, null=True, blank=True, related_name="tickets"
    )
    subject = models.CharField(_("subject"), max_length=300)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.UNTYPED)
    category = models.ForeignKey(
        "tickets.Category", on_delete=models.PROTECT, null=True, blank=True, related_name="tickets"
    )
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.NORMAL)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.CUSTOMER)
    language = models.CharField(max_length=10, blank=True)
    # Whom of us a complaint is about (tickets.confidence).
    about = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    parked_reason = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField(_("received"))
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    assignee = models.ForeignKey(
        "csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="assigned_tickets"
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.NEW)
    # The clocks of clause 3.1. A ticket cannot be stored without; where nothing is owed they are void with a reason.
    acknowledge = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")
    respond = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")
    # When the acknowledgement is written by itself; empty once it is, or where a person has to (and why).
    acknowledge_next_at = models.DateTimeField(null=True, blank=True)
    acknowledge_by_hand = models.CharField(max_length=200, blank=True)
    # Until when somebody has decided whether it is complex; a ticket that no customer opened owes no decision.
    triage = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # The clock of clause 3.3, from the moment the ticket is marked complex (starting at receipt).
    escalate = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    complex_reason = models.CharField(max_length=500, blank=True)
    authority_reason = models.CharField(max_length=500, blank=True)  # why whoever decided it themselves might
    # The last of this ticket's own customer interactions that an answer, accepted outside, was written in sight of, or
    # that was ruled to need none; a later one is unanswered.
    answered_through = models.BigIntegerField(default=0)
    # Derived from the running deadlines, in the same transaction; the queue is ordered by them.
    next_obligation = models.CharField(max_length=30, blank=True)
    next_clause = models.CharField(max_length=4, blank=True)
    next_starts_at = models.DateTimeField(null=True, blank=True)
    next_due_at = models.DateTimeField(null=True, blank=True)
    last_interaction_at = models.DateTimeField()
    excerpt = models.CharField(max_length=200, blank=True)  # of what the customer wrote last
    pending_until = models.DateTimeField(null=True, blank=True)
    pending_for = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged_from")
    merged_at = models.DateTimeField(null=True, blank=True)
    link_epoch = models.PositiveIntegerField(default=0)  # customers' links of an earlier one are withdrawn
    # Clause 4.3: not removed before; counted from its closing, written by csp.retention, may only grow.
    kept_from = models.DateTimeField(null=True, blank=True, editable=False)
    keep_until = models.DateTimeField(null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(editable=False)  # set by the database (tickets 0002)
    search = models.GeneratedField(
        expression=SearchVector("subject", config="simple"), output_field=SearchVectorField(), db_persist=True
    )

    objects = TicketQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=[
            "search", "next_obligation", "next_clause", "next_starts_at", "next_due_at", "changed_at", "excerpt",
            "last_interaction_at", "answered_through", "acknowledge_next_at", "kept_from", "keep_until",
        ]
    )  # fmt: skip
    record = Record(
        Kept.TICKET, person="customer", personal=("subject", "excerpt", "complex_reason", "authority_reason"),
        joined_by="merged_into",
    )  # fmt: skip

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False, merged_at__isnull=False)
                | (~Q(state="merged") & Q(merged_into__isnull=True, merged_at__isnull=True)),
                name="merged_says_into_what_and_when",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")), name="not_merged_into_itself"
            ),
            models.CheckConstraint(condition=~Q(state="closed") | Q(closed_at__isnull=False), name="closed_says_when"),
            models.CheckConstraint(
                condition=Q(next_obligation="", next_due_at__isnull=True)
                | (~Q(next_obligation="") & Q(next_due_at__isnull=False)),
                name="the_next_obligation_has_a_due_time",
            ),
        ]
        indexes = [
            # the queues: a team's, a person's and nobody's, by what falls due, keyset-paged
            models.Index(
                "team", F("next_due_at").asc(nulls_last=True), "id",
                condition=Q(state__in=["new", "open", "waiting"]), name="queue_of_team",
            ),
            models.Index(
                "assignee", F("next_due_at").asc(nulls_last=True), "id",
                condition=Q(state__in=["new", "open", "waiting"]), name="queue_of_person",
            ),
            models.Index(
                "team", F("next_due_at").asc(nulls_last=True), "id",
                condition=Q(state__in=["new", "open", "waiting"], assignee__isnull=True), name="queue_of_nobody",
            ),
            # what a filter for one value keeps, which may be rare, and what waits
            *(
                models.Index(
                    "team", value, F("next_due_at").asc(nulls_last=True), "id",
                    condition=Q(state__in=["new", "open", "waiting"]), name=f"queue_by_{value}",
                )
                for value in ("kind", "channel", "priority", "category")
            ),
            models.Index("team", F("next_due_at").asc(nulls_last=True), "id",
                         condition=Q(state="waiting"), name="queue_waiting"),
            # finished ones, newest first
            models.Index("team", F("last_interaction_at").desc(), "id",
                         condition=Q(state__in=["resolved", "closed"]), name="queue_finished"),
            # acknowledgements that are still to be written
            models.Index(fields=["acknowledge_next_at"], condition=Q(acknowledge_next_at__isnull=False),
                         name="ticket_to_acknowledge"),
            # live updates
            models.Index(fields=["team", "changed_at"], name="ticket_changed"),
            models.Index(fields=["assignee", "changed_at"], name="ticket_changed_of_person"),
            # reminders that people set
            models.Index(fields=["pending_until"], condition=Q(pending_until__isnull=False), name="ticket_pending"),
            models.Index(fields=["customer", "-id"], name="ticket_of_customer"),
            # resolved ones that close themselves
            models.Index(fields=["resolved_at"], condition=Q(state="resolved"), name="ticket_to_close"),
            GinIndex(fields=["search"], name="ticket_search"),
            # what has had its term, and what has not got one yet
            models.Index(fields=["keep_until"], condition=Q(keep_until__isnull=False), name="ticket_kept_until"),
            models.Index(fields=["closed_at"],
                         condition=Q(Q(kept_from__isnull=True) | Q(kept_from__lt=F("closed_at")),
                                     state="closed", closed_at__isnull=False),
                         name="ticket_without_term"),
        ]  # fmt: skip
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"#{self.pk}"

    @property
    def path(self) -> str:
        return f"/tickets/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"ticket:{self.pk}"

    @property
    def is_practice(self) -> bool:
        return self.origin == self.Origin.PRACTICE

    @property
    def is_unfinished(self) -> bool:
        return self.state in self.UNFINISHED


class TicketLink(models.Model):
    """Two tickets that have to do with each other, and why."""

    class Kind(models.TextChoices):
        CONTINUES = "continues", _("Continues a closed ticket")
        STRANGER = "stranger", _("Somebody else quoted this ticket's reference")
        RELATED = "related", _("Related")

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="links")
    other = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="linked_from")
    kind = models.CharField(max_length=10, choices=Kind)
    linked_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    linked_at = models.DateTimeField()

    record = Record(Kept.TICKET)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "other", "kind"], name="one_link_of_a_kind"),
            models.CheckConstraint(condition=~Q(ticket=F("other")), name="not_linked_to_itself"),
        ]
        verbose_name = _("link between tickets")
        verbose_name_plural = _("links between tickets")

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind} {self.other_id}"
