"""What is owed: training of a person, the published rule that makes work wait for it, the round for everyone."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from csp.models import Restriction
from csp.records import Kept, Record
from training.models.courses import Course, CourseVersion
from training.models.records import Completion


class Gate(models.Model):
    """The published rule that work waits for training: how it is limited meanwhile, and how long people have.

    Until one is published nobody's work is limited. A new one ends the one before; nothing in it changes.
    """

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="gates")
    number = models.PositiveIntegerField()
    text = models.TextField(_("the rule in words"))
    restricts = ArrayField(
        models.CharField(max_length=20, choices=Restriction.Kind), verbose_name=_("until it is passed")
    )
    # Somebody new has as long as the contract says (no days); whoever has the role already gets time once.
    days_present = models.PositiveSmallIntegerField(_("days for those who work here already"), default=14)
    published_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    record = Record(Kept.TRAINING)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="one_gate_per_number"),
            models.UniqueConstraint(fields=["contract"], condition=Q(ended_at__isnull=True), name="one_gate_in_force"),
            models.CheckConstraint(condition=Q(restricts__len__gte=1), name="a_gate_limits_something"),
        ]
        verbose_name = _("rule that work waits for training")
        verbose_name_plural = _("rules that work waits for training")

    def __str__(self) -> str:
        return _("Rule %(number)d") % {"number": self.number}

    @property
    def trail_subject(self) -> str:
        return f"gate:{self.pk}"


class AssignmentQuerySet(models.QuerySet[Any]):
    def owed(self) -> Self:
        return self.filter(ended_at__isnull=True)


class Assignment(models.Model):
    """One course that one person owes, for one reason, until it is passed or not owed any more.

    One with no days to it has no deadline: nothing is overdue while the person's work is limited from the first second
    (clauses 5.1 and 5.2). Every other has one.
    """

    class Why(models.TextChoices):
        INITIAL = "initial", _("For the role")
        UPDATE = "update", _("Something is new")
        REFRESHER = "refresher", _("To be refreshed")

    class Ended(models.TextChoices):
        PASSED = "passed", _("Passed")
        NOT_OWED = "not_owed", _("Not owed any more")

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="training_owed")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="assignments")
    why = models.CharField(max_length=10, choices=Why)
    # The least that has to be passed, where something is new; the completion after which it is due again.
    version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    after = models.ForeignKey(Completion, on_delete=models.PROTECT, null=True, blank=True, related_name="refreshers")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    starts_at = models.DateTimeField()
    deadline = models.OneToOneField(
        "csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="training"
    )
    restricted_at = models.DateTimeField(null=True, blank=True)  # since when work is limited for it
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_how = models.CharField(max_length=10, choices=Ended, blank=True)
    completion = models.ForeignKey(Completion, on_delete=models.PROTECT, null=True, blank=True, related_name="settled")

    objects = AssignmentQuerySet.as_manager()
    record = Record(Kept.TRAINING, person="user")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "course"],
                condition=Q(why="initial", ended_at__isnull=True),
                name="one_initial_training_owed",
            ),
            models.UniqueConstraint(
                fields=["user", "version"],
                condition=Q(why="update", ended_at__isnull=True),
                name="one_update_owed_per_version",
            ),
            models.UniqueConstraint(
                fields=["after"], condition=Q(ended_at__isnull=True), name="one_refresher_owed_after_a_completion"
            ),
            models.CheckConstraint(
                condition=Q(why="initial", after__isnull=True)
                | Q(why="update", version__isnull=False, after__isnull=True, deadline__isnull=False)
                | Q(why="refresher", after__isnull=False, deadline__isnull=False),
                name="training_is_owed_for_one_reason",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_how="", completion__isnull=True)
                | Q(ended_at__isnull=False, ended_how="passed", completion__isnull=False)
                | Q(ended_at__isnull=False, ended_how="not_owed", completion__isnull=True),
                name="training_owed_ends_in_one_way",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "course"], condition=Q(ended_at__isnull=True), name="training_owed"),
            # those whose time passed and who are not limited yet
            models.Index(
                fields=["deadline"],
                condition=Q(ended_at__isnull=True, restricted_at__isnull=True),
                name="training_unlimited",
            ),
        ]
        verbose_name = _("training owed")
        verbose_name_plural = _("training owed")

    def __str__(self) -> str:
        return f"{self.course_id}: {self.user_id}"

    @property
    def trail_subject(self) -> str:
        return f"training:{self.pk}"

    @property
    def path(self) -> str:
        return f"/trainings/{self.pk}/"


class Appeal(models.Model):
    """A person says that the rule is wrong in their case; somebody who had no part in it decides."""

    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="appeal")
    text = models.TextField(_("why it is wrong"))
    filed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    upheld = models.BooleanField(_("the appeal is right"), null=True, blank=True)
    answer = models.TextField(_("answer"), blank=True)

    record = Record(Kept.TRAINING, person="assignment__user", personal=("text", "answer"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True, upheld__isnull=True)
                | Q(decided_at__isnull=False, decided_by__isnull=False, upheld__isnull=False),
                name="a_training_appeal_is_decided_by_somebody",
            )
        ]
        verbose_name = _("appeal against waiting for training")
        verbose_name_plural = _("appeals against waiting for training")

    def __str__(self) -> str:
        return str(self.assignment)


class Round(models.Model):
    """The six-monthly round for everyone (clause 5.3): owed, then conducted, even if nothing changed."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="rounds")
    number = models.PositiveIntegerField()
    deadline = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="round")
    conducted_at = models.DateTimeField(null=True, blank=True)
    conducted_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    changed = models.BooleanField(_("something changed"), null=True, blank=True)
    summary = models.TextField(_("what was gone through"), blank=True)

    record = Record(Kept.TRAINING)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="one_round_per_number"),
            models.UniqueConstraint(
                fields=["contract"], condition=Q(conducted_at__isnull=True), name="one_round_to_come"
            ),
            models.CheckConstraint(
                condition=Q(conducted_at__isnull=True, conducted_by__isnull=True, changed__isnull=True)
                | Q(conducted_at__isnull=False, conducted_by__isnull=False, changed__isnull=False),
                name="a_round_is_conducted_by_somebody",
            ),
        ]
        verbose_name = _("round for everyone")
        verbose_name_plural = _("rounds for everyone")

    def __str__(self) -> str:
        return _("Round %(number)d") % {"number": self.number}

    @property
    def trail_subject(self) -> str:
        return f"round:{self.pk}"

    @property
    def path(self) -> str:
        return f"/rounds/{self.pk}/"


class Attendance(models.Model):
    """That a person took part in a round, as somebody else saw."""

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="attendances")
    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    recorded_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    record = Record(Kept.TRAINING, person="user")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["round", "user"], name="one_attendance_per_round"),
            models.CheckConstraint(condition=~Q(recorded_by=F("user")), name="nobody_records_own_presence"),
        ]
        verbose_name = _("attendance")
        verbose_name_plural = _("attendances")

    def __str__(self) -> str:
        return f"{self.round_id}: {self.user_id}"


class Policy(models.Model):
    """One published version of the privacy policy for staff."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="policies")
    number = models.PositiveIntegerField()
    title = models.CharField(_("title"), max_length=200)
    text = models.TextField(_("text"))  # Markdown
    published_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()

    record = Record(Kept.TRAINING)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "number"], name="one_policy_per_number")]
        verbose_name = _("privacy policy")
        verbose_name_plural = _("privacy policies")

    def __str__(self) -> str:
        return _("%(title)s, version %(number)d") % {"title": self.title, "number": self.number}


class Acknowledgement(models.Model):
    """That a person has read one version of the contract, or of the privacy policy: the text with this digest."""

    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="acknowledgements")
    version = models.ForeignKey("csp.Version", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    digest = models.CharField(max_length=64)

    record = Record(Kept.TRAINING, person="user")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(version__isnull=True) ^ Q(policy__isnull=True), name="one_text_is_acknowledged"
            ),
            models.UniqueConstraint(fields=["user", "version"], name="one_acknowledgement_per_version"),
            models.UniqueConstraint(fields=["user", "policy"], name="one_acknowledgement_per_policy"),
        ]
        verbose_name = _("acknowledgement")
        verbose_name_plural = _("acknowledgements")

    def __str__(self) -> str:
        return f"{self.user_id}: {self.version_id or self.policy_id}"
