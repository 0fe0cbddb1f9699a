"""Quality audits: the plan, the frozen population, the draws, what was found of each, and what follows (clause 6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp import access, offices
from csp.contract import CLAUSES
from csp.records import Kept, Record
from csp.roles import Office, Role

if TYPE_CHECKING:
    from csp.models import User


class Scorecard(models.Model):
    """One version of the questions that every drawn ticket is asked. Written once; a change is the next number."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="scorecards")
    number = models.PositiveIntegerField(_("version"))
    because = models.CharField(_("why it was changed"), max_length=300, blank=True)
    published_at = models.DateTimeField()
    # Empty where the product published the card that every contract begins with.
    published_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    record = Record(Kept.AUDIT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="one_scorecard_of_a_number"),
        ]
        verbose_name = _("scorecard")
        verbose_name_plural = _("scorecards")

    def __str__(self) -> str:
        return f"SC-{self.contract_id}.{self.number}"


class Criterion(models.Model):
    """One question of a scorecard, with the clause that it asks about. `weight` is its share in the score.

    A *no* on a critical one fails the ticket whatever its score; on one that `asks_accuracy` it opens a report (8.1).
    """

    scorecard = models.ForeignKey(Scorecard, on_delete=models.PROTECT, related_name="criteria")
    position = models.PositiveSmallIntegerField()
    clause = models.CharField(_("clause"), max_length=4)
    question = models.CharField(_("question"), max_length=300)
    weight = models.PositiveSmallIntegerField(_("weight"))
    is_critical = models.BooleanField(_("critical"), default=False)
    asks_accuracy = models.BooleanField(_("asks whether the answer was accurate"), default=False)

    record = Record(Kept.AUDIT)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["scorecard", "position"], name="one_criterion_in_a_place"),
            models.CheckConstraint(condition=Q(weight__gte=1, weight__lte=100), name="a_weight_is_one_to_a_hundred"),
        ]
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")

    def __str__(self) -> str:
        return f"{self.scorecard_id}.{self.position}"


class AuditQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """Auditors of the contract, whoever audits or planned it, supervisors of the teams audited, the offices of
        clause 8.1; and administrators, who give access."""
        scope = access.scope_of(user)
        if Role.ADMINISTRATOR in scope.roles():
            return self
        office = offices.contracts_of(user, *Audit.OFFICES)
        return self.filter(
            Q(contract__in=scope.contracts(Role.AUDITOR) | office)
            | Q(auditor=user) | Q(second=user) | Q(planned_by=user)
            | Q(teams__overlap=sorted(scope.teams(Role.SUPERVISOR)))
        )  # fmt: skip


class Audit(models.Model):
    """One quality audit: what it looks at, who audits, and how far it is. Called A-7."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        RUNNING = "running", _("Being scored")
        CLOSED = "closed", _("Closed")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Strata(models.TextChoices):
        """Whether each group has its own share of the sample."""

        NONE = "none", _("From all together")
        TEAM = "team", _("By team")
        CHANNEL = "channel", _("By channel")
        BOTH = "both", _("By team and channel")

    OFFICES = (Office.COMPANY_REPRESENTATIVE, Office.PARTY_REPRESENTATIVE, Office.COMPLIANCE_OWNER)

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="audits")
    title = models.CharField(_("title"), max_length=120)
    # The scope: clauses, teams and channels (none named means every channel), tickets closed in the period.
    clauses = ArrayField(models.CharField(max_length=4))
    teams = ArrayField(models.BigIntegerField())
    channels = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    since = models.DateTimeField(_("closed from"))
    until = models.DateTimeField(_("closed before"))
    sample_size = models.PositiveSmallIntegerField(_("sample size"))
    strata = models.CharField(_("sample drawn"), max_length=7, choices=Strata, default=Strata.NONE)
    twice_percent = models.PositiveSmallIntegerField(_("share scored twice"), default=0)
    scorecard = models.ForeignKey(Scorecard, on_delete=models.PROTECT, related_name="audits")
    auditor = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    begins_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("to be finished by"))
    planned_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    planned_at = models.DateTimeField()
    # The request for access, and its clock (policy); a plan may wait before access is asked for.
    requested_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    access = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.PLANNED)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    conclusion = models.TextField(_("conclusion"), blank=True)

    objects = AuditQuerySet.as_manager()
    history = HistoricalRecords()
    record = Record(Kept.AUDIT, personal=("conclusion",))

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(since__lt=models.F("until")), name="an_audits_period_has_a_length"),
            models.CheckConstraint(condition=Q(begins_at__lt=models.F("ends_at")), name="an_audit_ends_after_it_began"),
            models.CheckConstraint(condition=Q(sample_size__gte=1), name="a_sample_has_somebody_in_it"),
            models.CheckConstraint(
                condition=Q(twice_percent=0) | Q(second__isnull=False), name="what_is_scored_twice_has_two_scorers"
            ),
            models.CheckConstraint(
                condition=Q(second__isnull=True) | ~Q(second=models.F("auditor")), name="nobody_is_their_own_second"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) ^ Q(state__in=["closed", "withdrawn"]),
                name="an_ended_audit_says_when",
            ),
            models.CheckConstraint(
                condition=Q(requested_at__isnull=True, access__isnull=True)
                | Q(requested_at__isnull=False, access__isnull=False),
                name="a_request_for_access_has_its_clock",
            ),
        ]
        indexes = [models.Index(fields=["contract", "-id"], name="audit_of_contract")]
        verbose_name = _("quality audit")
        verbose_name_plural = _("quality audits")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"A-{self.pk}"

    @property
    def path(self) -> str:
        return f"/audits/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"audit:{self.pk}"

    @property
    def is_unfinished(self) -> bool:
        return self.state in (self.State.PLANNED, self.State.RUNNING)


class AuditAccess(models.Model):
    """That somebody was let in to audit, and by whom: a dated role over the audit's contract. Written once."""

    audit = models.ForeignKey(Audit, on_delete=models.PROTECT, related_name="accesses")
    grant = models.OneToOneField("csp.RoleGrant", on_delete=models.PROTECT, related_name="+")
    given_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()

    record = Record(Kept.AUDIT, person="grant__user")

    class Meta:
        verbose_name = _("access for an audit")
        verbose_name_plural = _("access for audits")

    def __str__(self) -> str:
        return f"{self.audit_id}: {self.grant_id}"


class Population(models.Model):
    """What a sample is drawn from: every ticket that the query found, as it stood then, with seed and digest.

    `members` are pairs of a ticket's number and its group. The seed was made after they were frozen. Written once, so
    that anybody can draw the same sample again (audits.sampling).
    """

    audit = models.OneToOneField(Audit, on_delete=models.PROTECT, related_name="population")
    query = models.JSONField()
    members = models.JSONField()
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    seed = models.CharField(max_length=64)
    frozen_at = models.DateTimeField()
    frozen_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")

    record = Record(Kept.AUDIT)

    class Meta:
        verbose_name = _("population of an audit")
        verbose_name_plural = _("populations of audits")

    def __str__(self) -> str:
        return f"{self.audit_id}: {self.size}"


class Draw(models.Model):
    """One ticket that was drawn. It stays on record when another is drawn for it, or it is excused, with the reason.

    The ticket is named by its number: a record that has had its term goes, the draw of it stays.
    """

    audit = models.ForeignKey(Audit, on_delete=models.PROTECT, related_name="draws")
    rank = models.PositiveIntegerField()  # in the audit, in the order of drawing
    group = models.CharField(max_length=60, blank=True)
    group_rank = models.PositiveIntegerField()  # its place in the shuffled group
    number = models.BigIntegerField(_("ticket"))
    is_twice = models.BooleanField(_("scored twice"), default=False)
    drawn_at = models.DateTimeField()
    drawn_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    excused_at = models.DateTimeField(null=True, blank=True)
    excused_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    excused_because = models.CharField(_("why it is not scored"), max_length=300, blank=True)

    history = HistoricalRecords()
    record = Record(Kept.AUDIT, personal=("excused_because",))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["audit", "rank"], name="one_draw_of_a_rank"),
            models.UniqueConstraint(fields=["audit", "number"], name="a_ticket_is_drawn_once"),
            models.CheckConstraint(
                condition=Q(excused_at__isnull=True, excused_by__isnull=True)
                | Q(excused_at__isnull=False, excused_by__isnull=False),
                name="an_excuse_says_who_and_when",
            ),
        ]
        verbose_name = _("draw")
        verbose_name_plural = _("draws")

    def __str__(self) -> str:
        return f"{self.audit_id}.{self.rank}: #{self.number}"

    @property
    def path(self) -> str:
        return f"/audits/{self.audit_id}/draws/{self.rank}/"

    @property
    def is_excused(self) -> bool:
        return self.excused_at is not None


class Scoring(models.Model):
    """One person's card of one draw: a draft on the server until it is signed, and from then on unchanged."""

    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="scorings")
    scorer = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    is_second = models.BooleanField(_("second scoring"), default=False)
    draft = models.JSONField(default=dict, blank=True)
    saved_at = models.DateTimeField()
    scored_at = models.DateTimeField(null=True, blank=True)
    percent = models.PositiveSmallIntegerField(null=True, blank=True)  # of the weight of what applied
    passed = models.BooleanField(null=True, blank=True)  # no critical criterion failed
    case_number = models.BigIntegerField(null=True, blank=True)  # the report that a "no" on accuracy opened

    record = Record(Kept.AUDIT, person="scorer", personal=("draft",))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draw", "is_second"], name="one_scoring_of_a_kind"),
            models.UniqueConstraint(fields=["draw", "scorer"], name="nobody_scores_twice"),
            models.CheckConstraint(
                condition=Q(scored_at__isnull=True, percent__isnull=True, passed__isnull=True)
                | Q(scored_at__isnull=False, percent__isnull=False, passed__isnull=False),
                name="a_signed_card_has_its_score",
            ),
        ]
        verbose_name = _("scoring")
        verbose_name_plural = _("scorings")

    def __str__(self) -> str:
        return f"{self.draw_id} / {self.scorer_id}"


class Mark(models.Model):
    """The answer to one criterion on a signed card, with what was seen and where. Written once."""

    class Answer(models.TextChoices):
        YES = "yes", _("Yes")
        NO = "no", _("No")
        NOT_APPLICABLE = "na", _("N/A")

    scoring = models.ForeignKey(Scoring, on_delete=models.PROTECT, related_name="marks")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="+")
    answer = models.CharField(max_length=3, choices=Answer)
    comment = models.TextField(blank=True)
    interaction = models.BigIntegerField(null=True, blank=True)  # the number of the one that it is about

    record = Record(Kept.AUDIT, person="scoring__scorer", personal=("comment",))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scoring", "criterion"], name="one_mark_for_a_criterion"),
        ]
        verbose_name = _("mark")
        verbose_name_plural = _("marks")

    def __str__(self) -> str:
        return f"{self.scoring_id}.{self.criterion_id}: {self.answer}"


class AuditFinding(models.Model):
    """What an audit found, with severity and clause; the team answers it, the auditor closes it."""

    class Severity(models.TextChoices):
        NOTE = "note", _("Observation")
        MINOR = "minor", _("Minor")
        MAJOR = "major", _("Major")

    class State(models.TextChoices):
        OPEN = "open", _("Waits for an answer")
        ANSWERED = "answered", _("Answered")
        CLOSED = "closed", _("Closed")

    audit = models.ForeignKey(Audit, on_delete=models.PROTECT, related_name="findings")
    number = models.PositiveSmallIntegerField()
    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, null=True, blank=True, related_name="findings")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="+")
    clause = models.CharField(_("clause"), max_length=4)
    severity = models.CharField(_("severity"), max_length=5, choices=Severity)
    text = models.TextField(_("what was found"))
    found_at = models.DateTimeField()
    found_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    # A finding cannot exist without the clock on its answer (policy).
    answer_by = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")
    accepted = models.BooleanField(_("accepted"), null=True, blank=True)
    answer = models.TextField(_("answer"), blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    case_number = models.BigIntegerField(null=True, blank=True)  # the non-compliance that follows it up
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    closing_note = models.TextField(_("why it is closed"), blank=True)

    history = HistoricalRecords()
    record = Record(Kept.AUDIT, person="found_by", personal=("text", "answer", "closing_note"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["audit", "number"], name="one_finding_of_a_number"),
            models.CheckConstraint(
                condition=Q(state="open", answered_at__isnull=True) | ~Q(state="open") & Q(answered_at__isnull=False),
                name="an_answered_finding_says_when",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) ^ Q(state="closed"), name="a_closed_finding_says_when"
            ),
        ]
        verbose_name = _("finding of an audit")
        verbose_name_plural = _("findings of audits")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"A-{self.audit_id}.{self.number}"

    @property
    def path(self) -> str:
        return f"/audits/{self.audit_id}/findings/{self.number}/"

    @property
    def title(self) -> str:
        first = self.text.strip().splitlines()[0] if self.text.strip() else str(CLAUSES[self.clause].title)
        return first if len(first) <= 80 else f"{first[:79]}…"
