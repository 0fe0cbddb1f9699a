"""The feedback log (clause 4.2): what was said, apart from who said it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from csp import access
from csp.models import LockItem
from csp.records import Kept, Record
from csp.roles import Role

if TYPE_CHECKING:
    from csp.models import User


class RemarkQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """The log without identities: of a contract to analysts and auditors, of their teams to supervisors."""
        scope = access.scope_of(user)
        return self.exclude(LockItem.standing_on("remark")).filter(
            Q(contract__in=scope.contracts(Role.ANALYST, Role.AUDITOR)) | Q(team__in=scope.teams(Role.SUPERVISOR))
        )

    def waiting(self) -> Self:
        """What a supervisor still has to see."""
        return self.filter(inbox__isnull=False, outcome__isnull=True)


class Remark(models.Model):
    """One thing that somebody said about the service. Written once; names and numbers in the words are masked."""

    class Source(models.TextChoices):
        SURVEY = "survey", _("Survey")
        FORM = "form", _("Feedback form")
        PHONE = "phone", _("Telephone")
        PAPER = "paper", _("On paper")
        REVIEW = "review", _("Public review")
        IMPORT = "import", _("Imported")

    class Level(models.TextChoices):
        """How well it is known who said it."""

        CONFIDENTIAL = "confidential", _("Confidential")
        ANONYMOUS = "anonymous", _("Anonymous")

    class Soon(models.TextChoices):
        YES = "yes", _("Soon enough")
        SLOW = "slow", _("It was slow")
        NO = "no", _("Too late")

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="remarks")
    source = models.CharField(_("source"), max_length=8, choices=Source)
    level = models.CharField(_("confidentiality"), max_length=12, choices=Level)
    received_at = models.DateTimeField(_("received"))
    recorded_at = models.DateTimeField()
    # Who typed it in, where a person of ours did.
    recorded_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    score = models.PositiveSmallIntegerField(_("score"), null=True, blank=True)
    soon = models.CharField(_("answered soon enough"), max_length=4, choices=Soon, blank=True)
    words = models.TextField(_("words"), blank=True)
    wants_answer = models.BooleanField(_("expects an answer"), default=False)
    # What makes it only one, however often it is sent: of a survey, a form or a line of a file. A keyed digest.
    once = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    # The clock of clause 2.2, for what a supervisor has to see.
    inbox = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # Written when it is counted, which changes nothing of what was said.
    kept_from = models.DateTimeField(null=True, blank=True, editable=False)
    keep_until = models.DateTimeField(null=True, blank=True, editable=False)
    search = models.GeneratedField(
        expression=SearchVector("words", config="simple"), output_field=SearchVectorField(), db_persist=True
    )

    objects = RemarkQuerySet.as_manager()
    record = Record(
        Kept.FEEDBACK, personal=("words",), parts=("feedback.identity", "feedback.outcome")
    )  # fmt: skip

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(score__isnull=True) | Q(score__gte=1, score__lte=5), name="a_score_is_one_to_five"
            ),
            models.CheckConstraint(
                condition=Q(level="confidential") | Q(wants_answer=False), name="nobody_answers_the_anonymous"
            ),
        ]
        indexes = [
            # the log of a contract and of a team, newest first
            models.Index(fields=["contract", "-id"], name="remark_of_contract"),
            models.Index(fields=["team", "-id"], name="remark_of_team"),
            GinIndex(fields=["search"], name="remark_search"),
            models.Index(fields=["keep_until"], condition=Q(keep_until__isnull=False), name="remark_kept_until"),
        ]
        verbose_name = _("remark")
        verbose_name_plural = _("remarks")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"F-{self.pk}"

    @property
    def path(self) -> str:
        return f"/feedback/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"remark:{self.pk}"

    @property
    def is_low(self) -> bool:
        return self.score is not None and self.score <= 2


class Identity(models.Model):
    """Who said a remark, and their words as they were: encrypted under a key of its own, opened only with a reason.

    An anonymous remark has none.
    """

    remark = models.OneToOneField(Remark, on_delete=models.PROTECT, primary_key=True, related_name="identity")
    blob = models.OneToOneField("csp.Blob", on_delete=models.PROTECT, related_name="+")
    # A keyed digest of the customer's number, or of the address where none is known, so that an erasure finds it
    # (clause 6.1); no way back.
    who = models.BinaryField(max_length=32, null=True, blank=True)

    record = Record(Kept.FEEDBACK, personal=("who",), who="who")

    class Meta:
        indexes = [models.Index(fields=["who"], condition=Q(who__isnull=False), name="identity_of")]
        verbose_name = _("identity behind a remark")
        verbose_name_plural = _("identities behind remarks")

    def __str__(self) -> str:
        return str(self.remark_id)


class Outcome(models.Model):
    """What became of a remark that a supervisor had to see. Written once."""

    class Kind(models.TextChoices):
        CALLED_BACK = "called_back", _("Called back")
        COMPLAINT = "complaint", _("Complaint opened")
        ANSWERED = "answered", _("Answered as a ticket")
        COACHED = "coached", _("Coached")
        THANKED = "thanked", _("Thanked")
        NO_ACTION = "no_action", _("No action")

    remark = models.OneToOneField(Remark, on_delete=models.PROTECT, related_name="outcome")
    kind = models.CharField(_("what was done"), max_length=12, choices=Kind)
    reason = models.TextField(_("reason"), blank=True)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    record = Record(Kept.FEEDBACK, personal=("reason",))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind__in=["complaint", "answered"]) | Q(ticket__isnull=False),
                name="what_became_a_ticket_names_it",
            ),
            models.CheckConstraint(
                condition=~Q(kind="no_action") | ~Q(reason=""), name="no_action_has_a_reason"
            ),
        ]  # fmt: skip
        verbose_name = _("outcome of a remark")
        verbose_name_plural = _("outcomes of remarks")

    def __str__(self) -> str:
        return f"{self.remark_id}: {self.kind}"
