"""Who was trained: attempts at a test, what was passed and how it shows."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record
from training.models.courses import CourseVersion


class Attempt(models.Model):
    """One time that a person took the test of a version. The order of questions and choices follows from the seed."""

    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="attempts")
    version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, related_name="taken")
    number = models.PositiveSmallIntegerField()
    seed = models.BigIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    answers = models.JSONField(null=True, blank=True)  # {question: [choices, as the version numbers them]}
    right = models.PositiveSmallIntegerField(null=True, blank=True)
    out_of = models.PositiveSmallIntegerField(null=True, blank=True)
    passed = models.BooleanField(null=True, blank=True)

    record = Record(Kept.TRAINING, person="user", personal=("answers",))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "version", "number"], name="one_attempt_per_number"),
            models.UniqueConstraint(
                fields=["user", "version"], condition=Q(finished_at__isnull=True), name="one_open_attempt"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, passed__isnull=True, right__isnull=True, out_of__isnull=True)
                | Q(finished_at__isnull=False, passed__isnull=False, right__isnull=False, out_of__isnull=False),
                name="a_finished_attempt_is_graded",
            ),
        ]
        verbose_name = _("attempt at a test")
        verbose_name_plural = _("attempts at tests")

    def __str__(self) -> str:
        return f"{self.version_id}, {self.number}"

    @property
    def trail_subject(self) -> str:
        return f"attempt:{self.pk}"


class MoreAttempts(models.Model):
    """Somebody went through it with a person who had used up all attempts, and let them try again."""

    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=500)

    record = Record(Kept.TRAINING, person="user", personal=("reason",))

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(by=F("user")), name="nobody_gives_themselves_more_attempts")]
        indexes = [models.Index(fields=["user", "version"], name="more_attempts_of_user")]
        verbose_name = _("further attempts")
        verbose_name_plural = _("further attempts")

    def __str__(self) -> str:
        return f"{self.version_id}: {self.user_id}"


class AnswersOpened(models.Model):
    """That somebody has seen the right answers of a version. The test of it is not theirs to take from then on."""

    version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, related_name="opened_by")
    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    record = Record(Kept.TRAINING, person="user")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "user"], name="answers_opened_once")]
        verbose_name = _("answers opened")
        verbose_name_plural = _("answers opened")

    def __str__(self) -> str:
        return f"{self.version_id}: {self.user_id}"


class PracticeAttempt(models.Model):
    """One time that somebody works the exercise of a version, as a ticket of their own; graded when it is handed in."""

    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="practice_attempts")
    version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, related_name="practice_attempts")
    number = models.PositiveSmallIntegerField(_("attempt"))
    ticket = models.OneToOneField("tickets.Ticket", on_delete=models.PROTECT, related_name="practice")
    started_at = models.DateTimeField()
    # The interaction by which the customer wrote again, once they did.
    follow_up = models.OneToOneField(
        "tickets.Interaction", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    # [{"code", "passed", "seen"}]: each criterion with what was seen of it; codes, numbers and times only.
    results = models.JSONField(default=list, blank=True)
    passed = models.BooleanField(null=True, blank=True)

    record = Record(Kept.TRAINING, person="user")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "version", "number"], name="one_exercise_per_number"),
            models.UniqueConstraint(
                fields=["user", "version"], condition=Q(finished_at__isnull=True), name="one_exercise_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, passed__isnull=True)
                | Q(finished_at__isnull=False, passed__isnull=False),
                name="a_finished_exercise_is_graded",
            ),
        ]
        indexes = [
            # those in which the customer may still write again
            models.Index(fields=["version"], condition=Q(finished_at__isnull=True, follow_up__isnull=True),
                         name="exercise_to_follow_up"),
        ]  # fmt: skip
        verbose_name = _("attempt at an exercise")
        verbose_name_plural = _("attempts at exercises")

    def __str__(self) -> str:
        return f"{self.version_id}, {self.number}"

    @property
    def path(self) -> str:
        return f"/training/practice/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"practice:{self.pk}"


class Completion(models.Model):
    """That a person passed a version of a course: by its test, or by evidence that somebody else recorded."""

    class How(models.TextChoices):
        TEST = "test", _("Test passed")
        EVIDENCE = "evidence", _("Attended, with evidence")

    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="completions")
    version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, related_name="completions")
    how = models.CharField(_("how"), max_length=10, choices=How)
    attempt = models.OneToOneField(Attempt, on_delete=models.PROTECT, null=True, blank=True, related_name="completion")
    passed_at = models.DateTimeField(_("passed"))
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(_("where, with whom, and how that shows"), blank=True)
    code = models.CharField(_("code of the certificate"), max_length=24, unique=True)

    record = Record(Kept.TRAINING, person="user", personal=("note",))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(how="test", attempt__isnull=False, recorded_by__isnull=True)
                | Q(how="evidence", attempt__isnull=True, recorded_by__isnull=False),
                name="passed_by_a_test_or_by_evidence",
            ),
            models.CheckConstraint(
                condition=Q(recorded_by__isnull=True) | ~Q(recorded_by=F("user")),
                name="nobody_records_own_attendance",
            ),
            models.CheckConstraint(condition=Q(passed_at__lte=F("recorded_at")), name="passed_before_it_is_recorded"),
        ]
        indexes = [
            # who has what, and since when: the matrix and what follows from it
            models.Index(fields=["user", "version", "-passed_at"], name="completion_of_user"),
        ]
        verbose_name = _("training passed")
        verbose_name_plural = _("training passed")

    def __str__(self) -> str:
        return f"{self.version_id}: {self.user_id}"

    @property
    def trail_subject(self) -> str:
        return f"completion:{self.pk}"


class Proof(models.Model):
    """A file that shows that somebody attended."""

    completion = models.ForeignKey(Completion, on_delete=models.PROTECT, related_name="files")
    blob = models.ForeignKey("csp.Blob", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()

    record = Record(Kept.TRAINING, person="completion__user", personal=("name",))

    class Meta:
        verbose_name = _("proof of attendance")
        verbose_name_plural = _("proofs of attendance")

    def __str__(self) -> str:
        return self.name
