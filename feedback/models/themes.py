"""What many customers say alike: texts beside each other, the themes that analysts make of them (clauses 2.3, 7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp import access
from csp.records import Kept, Record
from csp.roles import Role

if TYPE_CHECKING:
    from csp.models import User


class ThemeRule(models.Model):
    """From when on something recurs, for a contract. Where there is no row, these defaults hold."""

    contract = models.OneToOneField("csp.Contract", on_delete=models.PROTECT, related_name="theme_rule")
    recurs_texts = models.PositiveSmallIntegerField(
        _("texts that are alike"), default=5, validators=[MinValueValidator(2), MaxValueValidator(1000)]
    )
    recurs_days = models.PositiveSmallIntegerField(
        _("within days"), default=28, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    history = HistoricalRecords()
    record = Record(Kept.SETTINGS)

    class Meta:
        verbose_name = _("rule for recurring issues")
        verbose_name_plural = _("rules for recurring issues")

    def __str__(self) -> str:
        return str(self.contract_id)


class ThemeQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """Themes of a contract to its analysts, auditors and supervisors; of one team, to that team's supervisors."""
        scope = access.scope_of(user)
        return self.filter(
            Q(contract__in=scope.contracts(Role.ANALYST, Role.AUDITOR))
            | Q(contract__in=scope.contracts(Role.SUPERVISOR), team__isnull=True)
            | Q(team__in=scope.teams(Role.SUPERVISOR))
        )

    def standing(self) -> Self:
        """Neither merged into another nor dismissed."""
        return self.filter(merged_into__isnull=True, dismissed_at__isnull=True)


class Theme(models.Model):
    """One thing that customers keep saying, named by an analyst."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="themes")
    name = models.CharField(_("name"), max_length=120)
    clause = models.CharField(_("clause"), max_length=4, blank=True)
    # None: it concerns the whole desk.
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, null=True, blank=True, related_name="themes")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    # Both are undone by taking them away again; the trail has each time.
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")
    dismissed_at = models.DateTimeField(null=True, blank=True)
    split_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="split_off")

    objects = ThemeQuerySet.as_manager()
    history = HistoricalRecords()
    record = Record(Kept.FEEDBACK, personal=("name",))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(dismissed_at__isnull=True),
                name="a_theme_is_merged_or_dismissed",
            ),
        ]
        indexes = [models.Index(fields=["contract", "-id"], name="theme_of_contract")]
        verbose_name = _("theme")
        verbose_name_plural = _("themes")

    def __str__(self) -> str:
        return self.name

    @property
    def reference(self) -> str:
        return f"T-{self.pk}"

    @property
    def path(self) -> str:
        return f"/feedback/themes/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"theme:{self.pk}"

    @property
    def is_standing(self) -> bool:
        return self.merged_into_id is None and self.dismissed_at is None


class ThemeText(models.Model):
    """That a remark speaks of a theme, from when until when."""

    theme = models.ForeignKey(Theme, on_delete=models.PROTECT, related_name="texts")
    remark = models.ForeignKey("feedback.Remark", on_delete=models.PROTECT, related_name="in_themes")
    added_at = models.DateTimeField()
    added_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    record = Record(Kept.FEEDBACK)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["theme", "remark"], condition=Q(removed_at__isnull=True), name="a_remark_is_once_in_a_theme"
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True, removed_by__isnull=True)
                | Q(removed_at__isnull=False, removed_by__isnull=False),
                name="a_remark_is_taken_out_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["remark"], condition=Q(removed_at__isnull=True), name="themes_of_remark")]
        verbose_name = _("remark in a theme")
        verbose_name_plural = _("remarks in themes")

    def __str__(self) -> str:
        return f"{self.theme_id}: {self.remark_id}"


class Group(models.Model):
    """Texts that the product finds alike: a suggestion, until an analyst makes it part of a theme or dismisses it."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    theme = models.ForeignKey(Theme, on_delete=models.PROTECT, null=True, blank=True, related_name="groups")
    opened_at = models.DateTimeField()
    dismissed_at = models.DateTimeField(null=True, blank=True)
    dismissed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    record = Record(Kept.FEEDBACK)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(dismissed_at__isnull=True, dismissed_by__isnull=True)
                | Q(dismissed_at__isnull=False, dismissed_by__isnull=False),
                name="a_group_is_dismissed_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["contract", "-id"], name="group_of_contract")]
        verbose_name = _("texts that are alike")
        verbose_name_plural = _("texts that are alike")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"G-{self.pk}"

    @property
    def trail_subject(self) -> str:
        return f"group:{self.pk}"


class Text(models.Model):
    """Where a remark, or what a ticket says, has its place among texts that are alike. No words of its own.

    It is found again from the words whenever it is lost, so it is working state.
    """

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="+")
    remark = models.OneToOneField(
        "feedback.Remark", on_delete=models.PROTECT, null=True, blank=True, related_name="place"
    )
    ticket = models.OneToOneField(
        "tickets.Ticket", on_delete=models.PROTECT, null=True, blank=True, related_name="place"
    )
    at = models.DateTimeField()  # received
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="texts")
    # What others are compared with, unless an analyst has made a theme of the group: then every text of it.
    is_first = models.BooleanField(default=False)
    # How like its group it was, 0 to 1.
    closeness = models.FloatField(null=True, blank=True)
    # Of a ticket: whether cause and resolution were read, too.
    is_whole = models.BooleanField(default=True)

    record = Record(Kept.MACHINERY)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(remark__isnull=False, ticket__isnull=True) | Q(remark__isnull=True, ticket__isnull=False),
                name="a_text_is_a_remark_or_a_ticket",
            ),
        ]
        indexes = [
            models.Index(fields=["group", "at"], name="text_of_group"),
            models.Index(fields=["contract", "at"], name="text_of_contract"),
            models.Index(fields=["ticket"], condition=Q(is_whole=False), name="text_to_read_again"),
        ]
        verbose_name = _("place of a text")
        verbose_name_plural = _("places of texts")

    def __str__(self) -> str:
        return f"{self.group_id}: {self.remark_id or self.ticket_id}"


class Recurrence(models.Model):
    """That something recurred by the rule, told once. Written once."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    theme = models.OneToOneField(Theme, on_delete=models.PROTECT, null=True, blank=True, related_name="recurrence")
    group = models.OneToOneField(Group, on_delete=models.PROTECT, null=True, blank=True, related_name="recurrence")
    since = models.DateTimeField()
    at = models.DateTimeField()
    remarks = models.PositiveIntegerField()
    tickets = models.PositiveIntegerField()
    # The rule as it was.
    recurs_texts = models.PositiveSmallIntegerField()
    recurs_days = models.PositiveSmallIntegerField()

    record = Record(Kept.FEEDBACK)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(theme__isnull=False, group__isnull=True) | Q(theme__isnull=True, group__isnull=False),
                name="a_theme_or_a_group_recurs",
            ),
        ]
        verbose_name = _("recurring issue")
        verbose_name_plural = _("recurring issues")

    def __str__(self) -> str:
        return f"{self.theme_id or self.group_id}: {self.at:%Y-%m-%d}"

    @property
    def count(self) -> int:
        return self.remarks + self.tickets
