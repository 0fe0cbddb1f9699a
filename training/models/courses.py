"""What is taught: courses, their versions, material and the questions of the test."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp.records import Kept, Record
from csp.roles import Role
from tickets.models import Ticket


class CourseQuerySet(models.QuerySet[Any]):
    def offered(self) -> Self:
        return self.filter(retired_at__isnull=True)


class Course(models.Model):
    """One thing that people are trained in, and whom it is required of."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="courses")
    code = models.SlugField(max_length=60)
    title = models.CharField(_("title"), max_length=120)
    clause = models.CharField(
        _("clause"), max_length=4, choices=[("5.1", "§5.1"), ("5.2", "§5.2"), ("5.3", "§5.3"), ("6.1", "§6.1")]
    )
    # Empty: every staff account (clause 5.2).
    roles = ArrayField(
        models.CharField(max_length=20, choices=Role), verbose_name=_("required of"), default=list, blank=True
    )
    repeats = models.BooleanField(_("repeated"), default=True)  # by the contract's term for refreshers
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = CourseQuerySet.as_manager()
    history = HistoricalRecords()
    record = Record(Kept.TRAINING)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "code"], name="one_course_per_code")]
        verbose_name = _("course")
        verbose_name_plural = _("courses")

    def __str__(self) -> str:
        return self.title

    @property
    def trail_subject(self) -> str:
        return f"course:{self.pk}"

    @property
    def path(self) -> str:
        return f"/training/courses/{self.pk}/"


class CourseVersion(models.Model):
    """One wording of a course: material, questions, pass mark. A draft until it is published, then never changed."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    # What was published that this explains ("procedure:12"), where something was; one version for each such thing.
    because = models.CharField(max_length=60, blank=True)
    changes = models.TextField(_("what is new"), blank=True)
    material = models.TextField(_("material"), blank=True)  # Markdown
    minutes = models.PositiveSmallIntegerField(_("minutes it takes"), default=15)
    pass_percent = models.PositiveSmallIntegerField(_("pass mark, per cent"), default=80)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=3)
    # Whoever passed an earlier version passes this one by then (clause 5.3); empty: with their next refresher.
    renew_by = models.DateTimeField(_("to be passed anew by"), null=True, blank=True)
    written_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    written_at = models.DateTimeField()
    published_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)

    record = Record(Kept.TRAINING)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["course", "number"], name="one_course_version_per_number"),
            models.UniqueConstraint(
                fields=["course"], condition=Q(published_at__isnull=True, because=""), name="one_draft_per_course"
            ),
            models.UniqueConstraint(fields=["because"], condition=~Q(because=""), name="one_update_course_for_a_thing"),
            models.CheckConstraint(
                condition=Q(published_by__isnull=True) | Q(published_at__isnull=False), name="published_says_when"
            ),
            models.CheckConstraint(
                condition=Q(pass_percent__gte=1, pass_percent__lte=100, attempts__gte=1), name="a_test_can_be_passed"
            ),
            models.CheckConstraint(
                condition=Q(renew_by__isnull=True) | Q(published_at__isnull=True) | Q(renew_by__gt=F("published_at")),
                name="renewed_after_it_is_published",
            ),
        ]
        verbose_name = _("version of a course")
        verbose_name_plural = _("versions of courses")

    def __str__(self) -> str:
        return _("%(course)s, version %(number)d") % {"course": self.course, "number": self.number}

    @property
    def path(self) -> str:
        return f"/training/{self.pk}/"


class CourseFile(models.Model):
    """A file that belongs to the material."""

    version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, related_name="files")
    blob = models.ForeignKey("csp.Blob", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()

    record = Record(Kept.TRAINING)

    class Meta:
        verbose_name = _("file of a course")
        verbose_name_plural = _("files of courses")

    def __str__(self) -> str:
        return self.name


class Question(models.Model):
    """One question of the test: its choices, and which of them are right (all of these and no other must be ticked)."""

    version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, related_name="questions")
    number = models.PositiveSmallIntegerField()
    text = models.CharField(_("question"), max_length=500)
    choices = ArrayField(models.CharField(max_length=300), verbose_name=_("choices"))
    right = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("right ones"))

    record = Record(Kept.TRAINING)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="one_question_per_number"),
            models.CheckConstraint(
                condition=Q(choices__len__gte=2) & Q(right__len__gte=1), name="a_question_has_choices_and_an_answer"
            ),
        ]
        verbose_name = _("question")
        verbose_name_plural = _("questions")

    def __str__(self) -> str:
        return self.text


class PracticeScript(models.Model):
    """The exercise of a version: what comes in, and what has to be done with it. Who practises does not see this."""

    version = models.OneToOneField(CourseVersion, on_delete=models.PROTECT, related_name="practice")
    sender = models.CharField(_("customer"), max_length=100)
    subject = models.CharField(_("subject"), max_length=200)
    message = models.TextField(_("what the customer writes"))
    # Comes in once the customer was written to, or the case was handed up.
    follow_up = models.TextField(_("what the customer writes next"), blank=True)
    # Why the case is above the authority of whoever practises; empty where it is not.
    complex_because = models.CharField(_("has to be escalated because"), max_length=300, blank=True)
    # Words that have to stand in a note or the record of a call.
    must_log = ArrayField(models.CharField(max_length=60), verbose_name=_("must be logged"), default=list, blank=True)
    kind = models.CharField(_("is"), max_length=10, choices=Ticket.Kind, blank=True)

    record = Record(Kept.TRAINING)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(message="") & ~Q(subject=""), name="an_exercise_begins_with_a_message")
        ]
        verbose_name = _("script of an exercise")
        verbose_name_plural = _("scripts of exercises")

    def __str__(self) -> str:
        return str(self.version_id)
