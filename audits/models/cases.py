"""Cases of non-compliance: what was not kept, who reported it, and the clock on its correction (clause 8.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp import access, offices
from csp.contract import CLAUSES
from csp.records import Kept, Record
from csp.roles import Office, Role

if TYPE_CHECKING:
    from csp.models import User


class NonComplianceQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """What this person may see. What was reported in confidence: whoever holds the office that keeps it, only.

        Else a team's supervisors, an auditor of the contract, the offices of clause 8.1, and those who reported it or
        have an action in it.
        """
        held = offices.held_by(user)
        kept = Q(pk__in=[])
        for contract, office in held:
            kept |= Q(in_confidence=True, kept_by=office, contract=contract)
        return self.filter(self._open_to(user, held) | kept)

    def _open_to(self, user: User, held: frozenset[tuple[int, str]]) -> Q:
        scope = access.scope_of(user)
        of_office = {contract for contract, office in held if office in NonCompliance.TOLD}
        return Q(in_confidence=False) & (
            Q(team__in=scope.teams(Role.SUPERVISOR))
            | Q(contract__in=scope.contracts(Role.AUDITOR) | of_office)
            | Q(reported_by=user)
            | Q(pk__in=NonCompliance.objects.filter(actions__owner=user).values("pk"))
        )

    def unfinished(self) -> Self:
        return self.filter(state__in=NonCompliance.UNFINISHED)


class NonCompliance(models.Model):
    """One case: breaches of one clause by one team on one day, or what a person reported; cannot exist unclocked."""

    class State(models.TextChoices):
        OPEN = "open", _("Being corrected")
        IMPLEMENTED = "implemented", _("To be verified")
        VERIFIED = "verified", _("Effect to be checked")
        CLOSED = "closed", _("Closed, corrected")
        DISMISSED = "dismissed", _("Closed, nothing owed")

    UNFINISHED = (State.OPEN, State.IMPLEMENTED, State.VERIFIED)
    # The offices that are told of every case that is not confidential, and may see it.
    TOLD = (Office.COMPANY_REPRESENTATIVE, Office.PARTY_REPRESENTATIVE, Office.COMPLIANCE_OWNER)

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="noncompliances")
    clause = models.CharField(_("clause"), max_length=4)
    day = models.DateField()  # on which it happened, in the contract's zone
    what = models.TextField(_("what happened"), blank=True)
    about = models.CharField(max_length=40, blank=True)  # what a person's report is about, "#4790"
    noticed_at = models.DateTimeField(_("noticed"))
    reported_at = models.DateTimeField(_("reported"))
    # Empty where the product reported it.
    reported_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    in_confidence = models.BooleanField(_("in confidence"), default=False)
    kept_by = models.CharField(max_length=30, choices=Office, blank=True)  # who alone sees it
    # Further breaches of the same clause, team and day join here; until it is corrected.
    collects = models.BooleanField(default=False)
    split_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="splits")
    # The hour within which a person has to report what was noticed; none for the product, which has a figure.
    report = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # The clock of clause 8.1; another one after a rejection (same due time) or a correction without effect.
    correct = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="noncompliance")
    lead = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cause = models.TextField(_("root cause"), blank=True)
    cause_at = models.DateTimeField(null=True, blank=True)
    cause_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # How and when the effect will be judged; set before anything is verified.
    criterion = models.TextField(_("the correction works if"), blank=True)
    check_at = models.DateTimeField(_("checked on"))
    effect = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    closing_note = models.TextField(blank=True)
    # Clause 4.3: not removed before; counted from its closing, written by csp.retention, may only grow.
    kept_from = models.DateTimeField(null=True, blank=True, editable=False)
    keep_until = models.DateTimeField(null=True, blank=True, editable=False)

    objects = NonComplianceQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["kept_from", "keep_until"])
    record = Record(Kept.CASE, person="reported_by", personal=("what", "cause", "criterion", "closing_note"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "clause", "day"],
                condition=Q(collects=True),
                name="one_open_case_per_clause_team_and_day",
            ),
            models.CheckConstraint(
                condition=Q(in_confidence=False, kept_by="") | (Q(in_confidence=True) & ~Q(kept_by="")),
                name="what_is_confidential_is_kept_by_an_office",
            ),
            models.CheckConstraint(
                condition=Q(collects=False) | Q(state="open", in_confidence=False), name="only_an_open_case_collects"
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) ^ Q(state__in=["closed", "dismissed"]),
                name="a_closed_case_says_when",
            ),
            models.CheckConstraint(
                condition=Q(reported_by__isnull=True, report__isnull=True)
                | Q(reported_by__isnull=False, report__isnull=False),
                name="a_persons_report_has_its_hour",
            ),
            # Clause 8.1: at once. A report cannot stand before it was noticed.
            models.CheckConstraint(
                condition=Q(reported_at__gte=models.F("noticed_at")), name="reported_after_it_was_noticed"
            ),
        ]
        indexes = [
            models.Index(fields=["contract", "state", "-id"], name="case_of_contract"),
            models.Index(fields=["team", "state", "-id"], name="case_of_team"),
            # what has had its term
            models.Index(fields=["keep_until"], condition=Q(keep_until__isnull=False), name="case_kept_until"),
        ]  # fmt: skip
        verbose_name = _("non-compliance")
        verbose_name_plural = _("non-compliances")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"NC-{self.pk}"

    @property
    def path(self) -> str:
        return f"/noncompliance/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"noncompliance:{self.pk}"

    @property
    def title(self) -> str:
        """One line that says what it is, without a name."""
        first = self.what.strip().splitlines()[0] if self.what.strip() else ""
        if self.reported_by_id is not None and first:
            return first if len(first) <= 80 else f"{first[:79]}…"
        return _g("%(clause)s not kept") % {"clause": _g(CLAUSES[self.clause].title)}

    @property
    def is_unfinished(self) -> bool:
        return self.state in self.UNFINISHED


class Deviation(models.Model):
    """That a complaint was resolved without a step of its procedure (clause 3.2), and the case that reports it."""

    case = models.ForeignKey(NonCompliance, on_delete=models.PROTECT, related_name="deviations")
    step = models.OneToOneField("tickets.ChecklistStep", on_delete=models.PROTECT, related_name="deviation")
    reported_at = models.DateTimeField()

    record = Record(Kept.CASE)

    class Meta:
        verbose_name = _("deviation from a procedure")
        verbose_name_plural = _("deviations from procedures")

    def __str__(self) -> str:
        return f"{self.case_id}: {self.step_id}"


class Membership(models.Model):
    """A breach's place in a case. Each breach that opens a non-compliance has exactly one; splitting moves it."""

    case = models.ForeignKey(NonCompliance, on_delete=models.PROTECT, related_name="memberships")
    breach = models.OneToOneField("csp.Breach", on_delete=models.PROTECT, related_name="membership")
    reported_at = models.DateTimeField()

    record = Record(Kept.CASE)

    class Meta:
        indexes = [models.Index(fields=["case", "reported_at"], name="membership_of_case")]
        verbose_name = _("breach in a case")
        verbose_name_plural = _("breaches in cases")

    def __str__(self) -> str:
        return f"{self.case_id}: {self.breach_id}"


class EffectCheck(models.Model):
    """One time that somebody independent judged whether a correction had its effect. Written once."""

    case = models.ForeignKey(NonCompliance, on_delete=models.PROTECT, related_name="effect_checks")
    deadline = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")
    criterion = models.TextField()
    effective = models.BooleanField(_("effective"))
    note = models.TextField(_("what was found"))
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    record = Record(Kept.CASE, person="by", personal=("criterion", "note"))

    class Meta:
        verbose_name = _("effectiveness check")
        verbose_name_plural = _("effectiveness checks")

    def __str__(self) -> str:
        return f"{self.case_id}, {self.at:%Y-%m-%d}"
