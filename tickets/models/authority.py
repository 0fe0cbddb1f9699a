"""How much a person may grant a customer alone, and who else agreed to more (clause 3.2)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record
from csp.roles import Role


class AuthorityLimit(models.Model):
    """What people of a role may grant alone: in one category, or in every category that has no limit of its own.

    One in force for each; another amount is another row. No amount says that the category has no limit.
    """

    ROLES = ((Role.REPRESENTATIVE.value, Role.REPRESENTATIVE.label), (Role.SUPERVISOR.value, Role.SUPERVISOR.label))

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="authority_limits")
    category = models.ForeignKey(
        "tickets.Category", on_delete=models.PROTECT, null=True, blank=True, related_name="authority_limits"
    )
    role = models.CharField(_("role"), max_length=20, choices=ROLES)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2, null=True, blank=True)
    set_at = models.DateTimeField()
    set_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    record = Record(Kept.SETTINGS)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "category", "role"], condition=Q(ended_at__isnull=True), nulls_distinct=False,
                name="one_authority_limit_in_force",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0), name="an_authority_limit_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("set_at")), name="an_authority_limit_ends_later"
            ),
        ]  # fmt: skip
        verbose_name = _("authority limit")
        verbose_name_plural = _("authority limits")

    def __str__(self) -> str:
        return f"{self.get_role_display()}: {self.amount}"


class Approval(models.Model):
    """Another person is asked to agree to an amount above the limit of whoever granted it.

    It says which limit that was, so that it can be read when the limits are others. It holds for that amount or less.
    """

    class Decision(models.TextChoices):
        AGREED = "agreed", _("Approved")
        REFUSED = "refused", _("Not approved")
        DROPPED = "dropped", _("No longer needed")

    resolution = models.ForeignKey("tickets.Resolution", on_delete=models.PROTECT, related_name="approvals")
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    limit = models.DecimalField(_("limit"), max_digits=12, decimal_places=2)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(_("reason"), blank=True)

    record = Record(Kept.TICKET, person="resolution__ticket__customer", personal=("reason",))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["resolution"], condition=Q(decided_at__isnull=True), name="one_approval_waits_per_resolution"
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(decision="") & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="an_approval_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(decision="agreed") | ~Q(decided_by=F("asked_by")), name="nobody_approves_an_own_amount"
            ),
            models.CheckConstraint(condition=Q(amount__gt=F("limit")), name="only_more_than_the_limit_is_approved"),
        ]
        indexes = [models.Index(fields=["resolution", "id"], name="approval_of_resolution")]
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")

    def __str__(self) -> str:
        return f"{self.resolution_id}: {self.amount}"

    @property
    def waits(self) -> bool:
        return self.decided_at is None

    @property
    def is_dropped(self) -> bool:
        return self.decision == self.Decision.DROPPED
