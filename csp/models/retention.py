"""What keeps records longer than their term, and what removes them after it: holds, disposals, certificates."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class PersonalFile(models.Model):
    """What is kept of somebody who has left, as one thing with a term. It has ended for as long as they are away."""

    class State(models.TextChoices):
        OPEN = "open", _("Back at work")
        CLOSED = "closed", _("Left")

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.CLOSED)
    opened_at = models.DateTimeField()  # left for the first time
    closed_at = models.DateTimeField(null=True, blank=True)  # left last
    kept_from = models.DateTimeField(null=True, blank=True, editable=False)
    keep_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["user", "contract"], name="one_%(class)s_of_a_person"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True) | Q(state="closed", closed_at__isnull=False),
                name="closed_%(class)s_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["keep_until"], condition=Q(keep_until__isnull=False), name="%(class)s_kept_until"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}/{self.contract_id}"


class StaffFile(PersonalFile):
    """The account of somebody who has left."""

    record = Record(Kept.PEOPLE, person="user")

    class Meta(PersonalFile.Meta):
        verbose_name = _("account of somebody who has left")
        verbose_name_plural = _("accounts of people who have left")

    @property
    def reference(self) -> str:
        return f"SF-{self.pk}"

    @property
    def trail_subject(self) -> str:
        return f"staff:{self.pk}"


class HoldQuerySet(models.QuerySet[Any]):
    def standing(self) -> Self:
        return self.filter(lifted_at__isnull=True)


class Hold(models.Model):
    """That one record, or one customer's tickets, are not disposed of, whatever their term says, and why."""

    class Kind(models.TextChoices):
        TICKET = "ticket", _("One ticket")
        CUSTOMER = "customer", _("All tickets of one customer")
        CASE = "noncompliance", _("One case of non-compliance, with the tickets in it")
        PAPERS = "papers", _("What was said in one review")
        REMARK = "remark", _("One remark of the feedback log, with who said it")
        DATA_REQUEST = "data-request", _("One data-subject request")
        DATA_BREACH = "data-breach", _("One personal-data breach")
        USER = "user", _("One person of ours: account and training")

    PREFIXES: ClassVar[dict[str, str]] = {
        Kind.TICKET: "#", Kind.CASE: "NC-", Kind.PAPERS: "PP-", Kind.REMARK: "F-", Kind.DATA_REQUEST: "DR-",
        Kind.DATA_BREACH: "PB-",
    }  # fmt: skip

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("what is held"), max_length=20, choices=Kind)
    number = models.BigIntegerField()
    reason = models.TextField(_("reason"))
    placed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    # A hold cannot exist without the clock on its review; each review starts the next.
    review = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")
    lifted_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_because = models.TextField(blank=True)

    objects = HoldQuerySet.as_manager()
    record = Record(Kept.DISPOSAL, personal=("reason", "lifted_because"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lifted_because="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lifted_because="")),
                name="a_hold_is_lifted_by_somebody_with_a_reason",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="a_hold_has_a_reason"),
        ]
        indexes = [
            # what disposal asks, and the database itself before it lets go of a record
            models.Index(fields=["kind", "number"], condition=Q(lifted_at__isnull=True), name="hold_standing"),
        ]
        verbose_name = _("hold")
        verbose_name_plural = _("holds")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"H-{self.pk}"

    @property
    def path(self) -> str:
        return f"/holds/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"hold:{self.pk}"

    @property
    def subject(self) -> str:
        """What it holds, as the trail names it."""
        return f"{self.kind}:{self.number}"

    @property
    def says(self) -> str:
        """What it holds, as people name it."""
        prefix = self.PREFIXES.get(self.kind)
        if prefix:
            return f"{prefix}{self.number}"
        return f"{_('Person') if self.kind == self.Kind.USER else _('Customer')} {self.number}"


class Disposal(models.Model):
    """One removal of records whose term is over. Nothing leaves the database outside an unfinished, approved one.

    A routine one needs nobody: it takes only what has no minimum (spam, addresses, working state).
    """

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    is_routine = models.BooleanField(default=False)
    judged_at = models.DateTimeField()  # what had its term behind it then
    listed = models.CharField(max_length=64, blank=True)  # digest of the list that the second person approves
    proposed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    declined_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)  # carried out, or declined
    removed = models.JSONField(default=dict, blank=True)  # how many rows of which table; numbers only
    certificate = models.TextField(blank=True)  # canonical JSON without personal data
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the certificate, which the trail names too

    record = Record(Kept.DISPOSAL)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_routine=True, proposed_by__isnull=True, approved_by__isnull=True, contract__isnull=True)
                | Q(is_routine=False, proposed_by__isnull=False, contract__isnull=False),
                name="only_routine_needs_nobody",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_at__isnull=False, approved_by__isnull=False, declined_by__isnull=True),
                name="approved_says_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("proposed_by")),
                name="a_second_person_approves_a_disposal",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | ~Q(certificate="") | Q(declined_by__isnull=False),
                name="what_is_carried_out_has_its_certificate",
            ),
            models.UniqueConstraint(
                fields=["contract"],
                condition=Q(finished_at__isnull=True, is_routine=False),
                name="one_disposal_under_way_per_contract",
            ),
            models.UniqueConstraint(
                fields=["is_routine"],
                condition=Q(finished_at__isnull=True, is_routine=True),
                name="one_routine_under_way",
            ),
        ]
        verbose_name = _("disposal")
        verbose_name_plural = _("disposals")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"D-{self.pk}"

    @property
    def path(self) -> str:
        return f"/retention/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"disposal:{self.pk}"


class DisposalItem(models.Model):
    """One record on the list of a disposal: under which rule, and what became of it."""

    class Outcome(models.TextChoices):
        DISPOSED = "disposed", _("Disposed of")
        SPARED = "spared", _("Spared")

    disposal = models.ForeignKey(Disposal, on_delete=models.PROTECT, related_name="items")
    kind = models.CharField(max_length=20)  # of which root (csp.retention): "ticket", "noncompliance"
    number = models.BigIntegerField()
    kept_from = models.DateTimeField()
    keep_until = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    why = models.CharField(max_length=200, blank=True)  # it was spared
    ended_at = models.DateTimeField(null=True, blank=True)
    rows = models.JSONField(default=dict, blank=True)

    record = Record(Kept.DISPOSAL)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["disposal", "kind", "number"], name="listed_once"),
            models.CheckConstraint(
                condition=Q(outcome="", ended_at__isnull=True) | (~Q(outcome="") & Q(ended_at__isnull=False)),
                name="an_outcome_says_when",
            ),
        ]
        indexes = [
            # what is still to be done
            models.Index(fields=["disposal", "kind", "number"], condition=Q(outcome=""), name="item_to_do"),
        ]
        verbose_name = _("record on the list of a disposal")
        verbose_name_plural = _("records on the lists of disposals")

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}"
