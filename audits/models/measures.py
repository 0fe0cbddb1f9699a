"""Measures after a failure (clause 8.2): proposed, decided by a person after a hearing, with an end and an appeal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from audits.models.cases import NonCompliance
from csp import offices
from csp.models import Restriction
from csp.records import Kept, Record

if TYPE_CHECKING:
    from csp.models import User


class MeasureQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """Those of the cases that this person sees, those that concern this person, and those a representative decides.

        A representative of a party decides where nobody else is independent, confidential cases included.
        """
        represented = offices.contracts_of(user, *offices.REPRESENTATIVES)
        visible = NonCompliance.objects.visible_to(user)
        return self.filter(Q(case__in=visible) | Q(person=user) | Q(case__contract__in=represented))

    def in_force(self) -> Self:
        return self.filter(state=Measure.State.IN_FORCE)


class Measure(models.Model):
    """One of the three measures, proposed for one reason. Alternatives in no fixed order; none is a termination."""

    class Kind(models.TextChoices):
        RETRAINING = "retraining", _("Retraining")
        OVERSIGHT = "oversight", _("Additional oversight")
        RESPONSIBILITIES = "responsibilities", _("Revision of responsibilities")

    class Aim(models.TextChoices):
        PERSON = "person", _("A person")
        TEAM = "team", _("The team")
        PROCESS = "process", _("A way of working")
        PARTY = "party", _("A party to the contract")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        IN_FORCE = "in_force", _("In force")
        DECLINED = "declined", _("Not taken")
        ENDED = "ended", _("Ended")

    class Heard(models.TextChoices):
        STATEMENT = "statement", _("Made a statement")
        REFUSED = "refused", _("Chose to say nothing")
        NO_ANSWER = "no_answer", _("Did not answer in time")

    class Ended(models.TextChoices):
        TIME = "time", _("Its time was over")
        LIFTED = "lifted", _("Lifted early")
        DONE = "done", _("Retrained")
        APPEAL = "appeal", _("Ended on appeal")

    case = models.ForeignKey(NonCompliance, on_delete=models.PROTECT, related_name="measures")
    kind = models.CharField(_("measure"), max_length=20, choices=Kind)
    aim = models.CharField(_("aimed at"), max_length=10, choices=Aim)
    person = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="measures")
    reason = models.TextField(_("reason"), blank=True)
    # The published rule that proposed it (audits.proposals) and what that rule saw; empty where a person did.
    rule = models.CharField(max_length=20, blank=True)
    because_breach = models.OneToOneField(
        "csp.Breach", on_delete=models.PROTECT, null=True, blank=True, related_name="measure"
    )
    because_deadline = models.OneToOneField(
        "csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="measure"
    )
    because_verification = models.OneToOneField(
        "audits.Verification", on_delete=models.PROTECT, null=True, blank=True, related_name="measure"
    )
    because_effect = models.OneToOneField(
        "audits.EffectCheck", on_delete=models.PROTECT, null=True, blank=True, related_name="measure"
    )
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # The one concerned is heard first: until then nothing can be decided.
    answer_by = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    heard_how = models.CharField(max_length=10, choices=Heard, blank=True)
    statement = models.TextField(_("statement"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PROPOSED)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decision = models.TextField(_("why"), blank=True)
    course = models.CharField(_("what to be trained in"), max_length=200, blank=True)
    restricts = ArrayField(
        models.CharField(max_length=20, choices=Restriction.Kind), verbose_name=_("meanwhile"), default=list, blank=True
    )
    cosigner = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ended_how = models.CharField(max_length=10, choices=Ended, blank=True)
    ending_note = models.TextField(blank=True)

    objects = MeasureQuerySet.as_manager()
    history = HistoricalRecords()
    record = Record(Kept.CASE, person="person", personal=("reason", "statement", "decision", "course", "ending_note"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(aim="person", person__isnull=False, answer_by__isnull=False)
                | (~Q(aim="person") & Q(person__isnull=True, answer_by__isnull=True)),
                name="a_measure_on_a_person_names_and_hears_them",
            ),
            models.CheckConstraint(
                condition=Q(heard_at__isnull=True, heard_how="") | (Q(heard_at__isnull=False) & ~Q(heard_how="")),
                name="heard_says_how",
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(state="proposed") & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="a_person_decides_a_measure",
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True) | Q(heard_at__isnull=False), name="heard_before_it_is_decided"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "declined"], ends_at__isnull=True)
                | Q(state__in=["in_force", "ended"], starts_at__isnull=False, ends_at__gt=F("starts_at")),
                name="a_measure_in_force_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_how="")
                | (Q(ended_at__isnull=False, state="ended") & ~Q(ended_how="")),
                name="an_ended_measure_says_how",
            ),
        ]
        indexes = [
            # those that end by themselves
            models.Index(fields=["ends_at"], condition=Q(state="in_force"), name="measure_in_force"),
            models.Index(fields=["case", "id"], name="measure_of_case"),
            models.Index(fields=["person", "-id"], name="measure_of_person"),
        ]
        verbose_name = _("measure")
        verbose_name_plural = _("measures")

    def __str__(self) -> str:
        return f"M-{self.pk}"

    @property
    def path(self) -> str:
        return f"/measures/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"measure:{self.pk}"


class Appeal(models.Model):
    """The one concerned says that a measure is wrong; somebody independent decides."""

    measure = models.OneToOneField(Measure, on_delete=models.PROTECT, related_name="appeal")
    text = models.TextField(_("why it is wrong"))
    filed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    upheld = models.BooleanField(_("the appeal is right"), null=True, blank=True)
    answer = models.TextField(_("answer"), blank=True)

    record = Record(Kept.CASE, person="measure__person", personal=("text", "answer"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True, upheld__isnull=True)
                | Q(decided_at__isnull=False, decided_by__isnull=False, upheld__isnull=False),
                name="an_appeal_is_decided_by_somebody",
            )
        ]
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")

    def __str__(self) -> str:
        return str(self.measure)
