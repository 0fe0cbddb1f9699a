"""What feedback leads to: findings, what is done about them, and what that changed (clause 7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp import access, offices
from csp.records import Kept, Record
from csp.roles import Office, Role

if TYPE_CHECKING:
    from csp.models import User


class FindingQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """Of a contract to analysts, auditors and the feedback lead; of their teams to supervisors; one's own."""
        scope = access.scope_of(user)
        whole = scope.contracts(Role.ANALYST, Role.AUDITOR) | offices.contracts_of(user, Office.FEEDBACK_LEAD)
        return self.filter(Q(contract__in=whole) | Q(team__in=scope.teams(Role.SUPERVISOR)) | Q(written_by=user.pk))


class Finding(models.Model):
    """What the feedback team, or a supervisor, concludes from feedback. It owes a decision.

    What it rests on is frozen with it: the numbers of remarks and tickets, how many, how they scored.
    """

    class State(models.TextChoices):
        OPEN = "open", _("To be decided")
        ACTED = "acted", _("Acted on")
        REFUSED = "refused", _("Not acted on")

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="findings")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="findings")
    theme = models.ForeignKey(
        "feedback.Theme", on_delete=models.PROTECT, null=True, blank=True, related_name="findings"
    )  # fmt: skip
    clause = models.CharField(_("clause"), max_length=4, blank=True)
    title = models.CharField(_("in a sentence"), max_length=200)
    text = models.TextField(_("what was found"))
    recommendation = models.TextField(_("what should be done"))  # one recommendation a line
    evidence = models.JSONField()
    written_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    # The clock of the decision. Where every action was withdrawn the duty opens again, and this is the new one.
    act = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="finding")

    objects = FindingQuerySet.as_manager()
    history = HistoricalRecords()
    record = Record(Kept.FEEDBACK, person="written_by", personal=("title", "text", "recommendation"))

    class Meta:
        indexes = [
            models.Index(fields=["contract", "-id"], name="finding_of_contract"),
            models.Index(fields=["theme"], name="finding_of_theme"),
        ]
        verbose_name = _("finding")
        verbose_name_plural = _("findings")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"FD-{self.pk}"

    @property
    def path(self) -> str:
        return f"/feedback/findings/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"finding:{self.pk}"

    @property
    def recommendations(self) -> list[str]:
        return [line.strip() for line in self.recommendation.splitlines() if line.strip()]


class FindingRefusal(models.Model):
    """Why nothing is done about a finding, by a supervisor who did not write it. Written once."""

    finding = models.OneToOneField(Finding, on_delete=models.PROTECT, related_name="refusal")
    reason = models.TextField(_("reason"))
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    record = Record(Kept.FEEDBACK, person="by", personal=("reason",))

    class Meta:
        verbose_name = _("finding not acted on")
        verbose_name_plural = _("findings not acted on")

    def __str__(self) -> str:
        return str(self.finding_id)


class ActionItemQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """One's own, those of findings that one sees, and, to verify them, those done in one's contracts."""
        supervised = access.scope_of(user).contracts(Role.SUPERVISOR)
        return self.filter(
            Q(owner=user.pk)
            | Q(finding__in=Finding.objects.visible_to(user))
            | Q(finding__contract__in=supervised, state__in=[ActionItem.State.DONE, ActionItem.State.VERIFIED])
        )


class ActionItem(models.Model):
    """One thing that somebody does about a finding, and the figure by which it will show."""

    class State(models.TextChoices):
        PLANNED = "planned", _("To be done")
        DONE = "done", _("To be verified")
        VERIFIED = "verified", _("Verified")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Measure(models.TextChoices):
        RATE = "rate", _("Remarks of the theme per 100 tickets")
        LATE = "late", _("Share of answers that were late")
        SCORE = "score", _("Mean score of surveys")
        LOW = "low", _("Share of low scores")

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="items")
    what = models.CharField(_("what is done"), max_length=500)
    owner = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    agreed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField()
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.PLANNED)
    withdrawn_because = models.CharField(max_length=500, blank=True)
    # A rejected verification opens the duty again with its first due time, and this is the new one.
    deadline = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="action_item")
    # Chosen when it is agreed: the figure, over so many days before and as many after. What was before is frozen.
    measure = models.CharField(_("figure"), max_length=5, choices=Measure)
    window_days = models.PositiveSmallIntegerField(
        _("days before and after"), default=28, validators=[MinValueValidator(7), MaxValueValidator(182)]
    )
    before = models.JSONField()

    objects = ActionItemQuerySet.as_manager()
    history = HistoricalRecords()
    record = Record(Kept.FEEDBACK, person="owner", personal=("what", "withdrawn_because"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | ~Q(withdrawn_because=""), name="withdrawing_an_item_needs_a_reason"
            )
        ]
        indexes = [
            models.Index(fields=["owner"], condition=Q(state="planned"), name="action_item_to_do"),
            models.Index(fields=["finding", "id"], name="action_item_of_finding"),
        ]
        verbose_name = _("action item")
        verbose_name_plural = _("action items")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"AI-{self.pk}"

    @property
    def path(self) -> str:
        return f"/feedback/actions/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"item:{self.pk}"


class Work(models.Model):
    """One time that an action item was said to be done, with evidence. Written once; a rejection stands beside it."""

    item = models.ForeignKey(ActionItem, on_delete=models.PROTECT, related_name="works")
    text = models.TextField(_("what was done, and how that shows"))
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    verify = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")

    record = Record(Kept.FEEDBACK, person="by", personal=("text",))

    class Meta:
        indexes = [models.Index(fields=["item", "id"], name="work_of_item")]
        verbose_name = _("work on an action item")
        verbose_name_plural = _("work on action items")

    def __str__(self) -> str:
        return f"{self.item_id}, {self.at:%Y-%m-%d}"


class WorkFile(models.Model):
    """A file that shows that an action item was done."""

    work = models.ForeignKey(Work, on_delete=models.PROTECT, related_name="files")
    blob = models.ForeignKey("csp.Blob", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()

    record = Record(Kept.FEEDBACK, person="work__by", personal=("name",))

    class Meta:
        verbose_name = _("file of an action item")
        verbose_name_plural = _("files of action items")

    def __str__(self) -> str:
        return self.name


class WorkCheck(models.Model):
    """Somebody independent looked at the evidence and accepted or rejected it. Written once."""

    work = models.OneToOneField(Work, on_delete=models.PROTECT, related_name="check_made")
    accepted = models.BooleanField(_("accepted"))
    note = models.TextField(_("what was found"))
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    record = Record(Kept.FEEDBACK, person="by", personal=("note",))

    class Meta:
        verbose_name = _("verification of an action item")
        verbose_name_plural = _("verifications of action items")

    def __str__(self) -> str:
        return f"{self.work_id}: {self.accepted}"


class Effect(models.Model):
    """The figure of an action item over as many days after as before, once these are over. Written once."""

    item = models.OneToOneField(ActionItem, on_delete=models.PROTECT, related_name="effect")
    after = models.JSONField()
    at = models.DateTimeField()

    record = Record(Kept.FEEDBACK)

    class Meta:
        verbose_name = _("effect of an action item")
        verbose_name_plural = _("effects of action items")

    def __str__(self) -> str:
        return str(self.item_id)


class ProcedureChange(models.Model):
    """That a version of a procedure was drafted because of a finding; its update course follows its publication."""

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="procedure_changes")
    version = models.ForeignKey("tickets.ProcedureVersion", on_delete=models.PROTECT, related_name="because_of")
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    record = Record(Kept.FEEDBACK)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["finding", "version"], name="a_finding_changes_a_version_once")
        ]  # fmt: skip
        verbose_name = _("procedure changed by a finding")
        verbose_name_plural = _("procedures changed by findings")

    def __str__(self) -> str:
        return f"{self.finding_id}: {self.version_id}"
