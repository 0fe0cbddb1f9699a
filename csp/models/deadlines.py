"""Deadlines and what became of them: the rows that the contract's clock is made of."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from csp.contract import OBLIGATIONS, Obligation
from csp.records import Kept, Record

# How a follow-up was met of which a person ruled so; other values name what met it, "interaction:7".
_NO_REPLY = "no reply needed"


class DeadlineQuerySet(models.QuerySet[Any]):
    def running(self) -> Self:
        """Neither met nor void; breached ones keep running until they are met late."""
        return self.filter(met_at__isnull=True, voided_at__isnull=True)

    def open(self) -> Self:
        """Running and not breached."""
        return self.filter(state=Deadline.State.OPEN)

    def due_before(self, at: dt.datetime) -> Self:
        """Open although `at` is already past the due time: met at exactly due is met, so the comparison is strict."""
        return self.open().filter(due_at__lt=at)


class Deadline(models.Model):
    """One obligation that has fallen due on somebody: from when, until when, and how it ended.

    It knows no app: what it is about is `subject_ref` and `path`, without personal text; the thing that owes it points
    here by a foreign key of its own.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        MET = "met", _("Met")
        BREACHED = "breached", _("Breached")
        MET_LATE = "met_late", _("Breached, met late")
        VOID = "void", _("Void")

    class Void(models.TextChoices):
        """Why nothing is owed: by whose word, or by what kind of ticket from the start."""

        WAIVED = "waived", _("Waived by a person")
        LAPSED = "lapsed", _("Nobody owes it any more")
        OUTBOUND = "outbound", _("We wrote first: nothing was asked yet")
        IMPORTED = "imported", _("Imported: received before the cut-over")
        PRACTICE = "practice", _("Practice: an exercise, nothing is owed")

    NO_REPLY = _NO_REPLY

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="deadlines")
    version = models.ForeignKey("csp.Version", on_delete=models.PROTECT, related_name="deadlines")
    clause = models.CharField(_("clause"), max_length=4)
    obligation = models.CharField(_("obligation"), max_length=30)
    is_policy = models.BooleanField(_("policy"), default=False)
    subject_ref = models.CharField(_("subject"), max_length=40)
    path = models.CharField(max_length=120)
    # The trail's name of what it is about, "ticket:4790", under which all that becomes of it is recorded.
    context = models.CharField(max_length=60, blank=True)
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="deadlines")
    responsible = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # Of a matter kept in confidence (clause 8.1): only the one responsible is told of it.
    in_confidence = models.BooleanField(default=False)
    starts_at = models.DateTimeField()
    due_at = models.DateTimeField()
    # A duty that opened again (a bounce) has its first due time; the first record stays and is named here.
    reopens = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reopened_as")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    next_reminder_at = models.DateTimeField(null=True, blank=True)
    met_at = models.DateTimeField(null=True, blank=True)
    met_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    met_how = models.CharField(max_length=40, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    void_why = models.CharField(max_length=10, choices=Void, blank=True)
    void_reason = models.CharField(max_length=500, blank=True)  # in a person's words, or those of what ended it

    objects = DeadlineQuerySet.as_manager()
    record = Record(
        Kept.TICKET,
        words=("void_reason",),
        refers="subject_ref",
        parts=("csp.breach", "csp.held", "csp.notice", "csp.deadline"),
    )

    class Meta:
        constraints = [
            # Breach points at (id, due_at), so that a breach cannot be dated otherwise than when it was due.
            models.UniqueConstraint(fields=["id", "due_at"], name="a_deadline_has_one_due_time"),
            models.CheckConstraint(condition=Q(due_at__gte=F("starts_at")), name="due_after_it_started"),
            models.CheckConstraint(
                condition=(
                    Q(state="open", met_at__isnull=True, voided_at__isnull=True)
                    | Q(state="met", met_at__isnull=False, met_at__lte=F("due_at"), voided_at__isnull=True)
                    | Q(state="breached", met_at__isnull=True, voided_at__isnull=True, next_reminder_at__isnull=True)
                    # usually past due; in time only where acceptance became known after the breach was recorded
                    | Q(state="met_late", met_at__isnull=False, voided_at__isnull=True)
                    | Q(state="void", met_at__isnull=True, voided_at__isnull=False)
                ),
                name="a_deadline_ends_in_one_way",
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, void_why="") | (Q(voided_at__isnull=False) & ~Q(void_why="")),
                name="void_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(void_why__in=["waived", "lapsed"]) | ~Q(void_reason=""), name="void_needs_a_reason"
            ),
        ]
        indexes = [
            # the sweep: open and past due
            models.Index(fields=["due_at"], condition=Q(state="open"), name="deadline_open_due"),
            # the reminders
            models.Index(
                fields=["next_reminder_at"], condition=Q(next_reminder_at__isnull=False), name="deadline_reminder"
            ),
            # acknowledgements that have not left yet
            models.Index(
                fields=["starts_at"],
                condition=Q(state="open", obligation="acknowledge"),
                name="deadline_unacknowledged",
            ),
            # what must still reach a supervisor: their board, which asks every two seconds whether it changed
            models.Index(
                fields=["team", "due_at"],
                condition=Q(obligation="escalate", met_at__isnull=True, voided_at__isnull=True),
                name="deadline_to_escalate",
            ),
            # a subject's obligations, and the command that lists them
            models.Index(fields=["subject_ref"], name="deadline_subject"),
            # figures for a period
            models.Index(fields=["contract", "obligation", "due_at"], name="deadline_period"),
            # how each clause stands at this moment: the next one due, and what is overdue
            models.Index(
                fields=["contract", "obligation", "due_at"],
                condition=Q(met_at__isnull=True, voided_at__isnull=True),
                name="deadline_running",
            ),
            # what a person answers for, next: the navigation of every page
            models.Index(
                fields=["responsible", "obligation", "due_at"],
                condition=Q(met_at__isnull=True, voided_at__isnull=True),
                name="deadline_of_person",
            ),
            # the lists of what was waived, and of what needed no reply
            models.Index(fields=["contract", "voided_at"], condition=Q(voided_at__isnull=False), name="deadline_void"),
            models.Index(fields=["contract", "met_at"], condition=Q(met_how=_NO_REPLY), name="deadline_no_reply"),
        ]
        verbose_name = _("deadline")
        verbose_name_plural = _("deadlines")

    def __str__(self) -> str:
        return f"{self.clause} {self.obligation} {self.subject_ref}"

    @property
    def rule(self) -> Obligation:
        return OBLIGATIONS[self.obligation]

    @property
    def is_running(self) -> bool:
        return self.met_at is None and self.voided_at is None


class Held(models.Model):
    """That somebody answered for a deadline until it went to somebody else. Who answers now stands on the deadline."""

    deadline = models.ForeignKey(Deadline, on_delete=models.PROTECT, related_name="held")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="+")
    # nobody yet, while it stood with the team
    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()

    record = Record(Kept.TICKET)

    class Meta:
        indexes = [models.Index(fields=["deadline", "until"], name="held_of_deadline")]
        constraints = [models.CheckConstraint(condition=Q(until__gte=F("since")), name="held_from_then_until_later")]
        verbose_name = _("time held")
        verbose_name_plural = _("times held")

    def __str__(self) -> str:
        return f"{self.deadline_id}: {self.user_id or self.team_id}"


class Breach(models.Model):
    """The fact that a deadline was not met when it was due. Written once, dated when due, never changed or removed."""

    deadline = models.OneToOneField(Deadline, on_delete=models.PROTECT, related_name="breach")
    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="+")
    responsible = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    obligation = models.CharField(max_length=30)
    due_at = models.DateTimeField()
    breached_at = models.DateTimeField()
    detected_at = models.DateTimeField()

    record = Record(Kept.TICKET)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(breached_at=F("due_at")), name="breached_when_it_was_due"),
            models.CheckConstraint(condition=Q(detected_at__gt=F("breached_at")), name="detected_after_it_was_due"),
        ]
        indexes = [
            models.Index(fields=["contract", "breached_at"], name="breach_period"),
            # those who pull what follows from a breach
            models.Index(fields=["detected_at"], name="breach_detected"),
        ]
        verbose_name = _("breach")
        verbose_name_plural = _("breaches")

    def __str__(self) -> str:
        return f"{self.obligation} {self.breached_at:%Y-%m-%d %H:%M}"


class Assessment(models.Model):
    """The one annotation that a breach may get: proposed by one person, decided by another outside the team."""

    class Verdict(models.TextChoices):
        STANDS = "stands", _("Stands")
        NOT_OWED = "not_owed", _("Not owed: spam, a test, or not ours")
        RECORDED_LATE = "recorded_late", _("Met in time, recorded late")
        UNREACHABLE = "unreachable", _("Customer could not be reached")

    breach = models.OneToOneField(Breach, on_delete=models.PROTECT, related_name="assessment")
    verdict = models.CharField(max_length=20, choices=Verdict)
    reason = models.TextField()
    proposed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    agreed = models.BooleanField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)

    record = Record(Kept.TICKET, words=("reason", "decision_reason"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True, decided_at__isnull=True, agreed__isnull=True)
                | Q(decided_by__isnull=False, decided_at__isnull=False, agreed__isnull=False),
                name="a_decision_has_all_its_parts",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
                name="nobody_decides_an_own_proposal",
            ),
        ]
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")

    def __str__(self) -> str:
        return f"{self.breach}: {self.get_verdict_display()}"


class AssessmentFile(models.Model):
    """A file that shows why a breach is to be read so: a telephone record, a sent mail."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="files")
    blob = models.ForeignKey("csp.Blob", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()

    record = Record(Kept.TICKET, person="assessment__proposed_by", personal=("name",))

    class Meta:
        verbose_name = _("file of an assessment")
        verbose_name_plural = _("files of assessments")

    def __str__(self) -> str:
        return self.name


class Attempt(models.Model):
    """One time that somebody tried to reach the customer before the promise was due, and by which channel."""

    class Channel(models.TextChoices):
        PHONE = "phone", _("Telephone")
        MAIL = "mail", _("E-mail")
        LETTER = "letter", _("Letter")
        VISIT = "visit", _("Visit")

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="attempts")
    channel = models.CharField(max_length=10, choices=Channel)
    at = models.DateTimeField()
    # Of two attempts by one channel: no other way to the customer was known.
    is_only_way = models.BooleanField(default=False)

    record = Record(Kept.TICKET)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assessment", "channel", "at"], name="one_attempt_at_a_moment"),
        ]
        verbose_name = _("attempt to reach a customer")
        verbose_name_plural = _("attempts to reach customers")

    def __str__(self) -> str:
        return f"{self.get_channel_display()}, {self.at:%Y-%m-%d %H:%M}"
