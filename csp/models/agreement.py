"""The contract itself: who agreed, which version is in force, how its open points are read, who signed."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp.contract import ALTERNATIVES, READINGS
from csp.records import Kept, Record


class Contract(models.Model):
    """One agreement between the company and a party; every ticket, team and deadline belongs to one."""

    company = models.CharField(_("company"), max_length=200, blank=True)
    party = models.CharField(_("party"), max_length=200, blank=True)
    zone = models.CharField(_("time zone"), max_length=64, default="Europe/London")
    privacy_url = models.URLField(_("privacy notice"), blank=True)
    # Above this sum in a message the product proposes that a case is complex (clause 3.3); empty: it never does.
    complex_above = models.PositiveIntegerField(_("propose as complex above"), null=True, blank=True, default=500)
    created_at = models.DateTimeField()

    history = HistoricalRecords()
    record = Record(Kept.CONTRACT)

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")

    def __str__(self) -> str:
        return " – ".join(filter(None, (self.company, self.party))) or str(_("Contract without names"))

    @property
    def zoneinfo(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


class Version(models.Model):
    """One wording of a contract with its terms; in force between two dates, signed by both parties or marked unsigned.

    `terms` maps an obligation's code to {"hours"|"days"|"months": number} where it differs from csp.contract.
    """

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    terms = models.JSONField(default=dict, blank=True)
    in_force_from = models.DateTimeField(null=True, blank=True)
    in_force_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    record = Record(Kept.CONTRACT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="one_version_per_number"),
            models.UniqueConstraint(
                fields=["contract"],
                condition=models.Q(in_force_from__isnull=False, in_force_until__isnull=True),
                name="one_version_in_force",
            ),
            models.CheckConstraint(
                condition=models.Q(in_force_until__isnull=True)
                | models.Q(in_force_from__isnull=False, in_force_until__gte=models.F("in_force_from")),
                name="a_version_ends_after_it_began",
            ),
        ]
        verbose_name = _("contract version")
        verbose_name_plural = _("contract versions")

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"

    @property
    def is_signed(self) -> bool:
        return len({signature.side for signature in self.signatures.all()}) == len(Side)


class Reading(models.Model):
    """How one open point of the contract is read in one version."""

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="readings")
    key = models.CharField(max_length=60)
    value = models.CharField(max_length=200)

    record = Record(Kept.CONTRACT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="one_reading_per_point")]
        verbose_name = _("reading")
        verbose_name_plural = _("readings")

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises ValidationError for a reading that no clock would follow: what is signed must be what is done."""
        if self.key not in READINGS:
            raise ValidationError(_("There is no open point “%(key)s”.") % {"key": self.key})
        default = self.version.contract.zone if self.key == "zone" else READINGS[self.key][0]
        possible = (default, *ALTERNATIVES.get(self.key, ()))
        if self.key != "complex" and self.value not in possible:
            raise ValidationError(
                _("“%(key)s” cannot be read as “%(value)s”, only as: %(possible)s.")
                % {"key": self.key, "value": self.value, "possible": ", ".join(possible)}
            )
        super().save(*args, **kwargs)


class Side(models.TextChoices):
    """Which of the two parties somebody belongs to."""

    COMPANY = "company", _("Company")
    PARTY = "party", _("Party")


class Signature(models.Model):
    """One side's signature under the exact bytes of one version (clause 10)."""

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="signatures")
    side = models.CharField(max_length=10, choices=Side)
    signed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)

    record = Record(Kept.CONTRACT, person="signed_by", personal=("name",))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "side"], name="one_signature_per_side")]
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")

    def __str__(self) -> str:
        return f"{self.get_side_display()}, {self.signed_at:%Y-%m-%d}"
