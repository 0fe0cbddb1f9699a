"""The monthly statement (clause 6.2): owed for every month, frozen and signed, corrected by a new version."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import dateformat
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class Statement(models.Model):
    """That the figures of one month are to be stated, with the clock on it."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="statements")
    month = models.DateField(_("month"))  # its first day
    deadline = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")

    record = Record(Kept.CONTRACT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "month"], name="one_statement_of_a_month"),
            models.CheckConstraint(condition=Q(month__day=1), name="a_month_begins_on_its_first_day"),
        ]
        verbose_name = _("monthly statement")
        verbose_name_plural = _("monthly statements")

    def __str__(self) -> str:
        return _g("Statement of %(month)s") % {"month": dateformat.format(self.month, "F Y")}

    @property
    def reference(self) -> str:
        return f"S-{self.pk}"

    @property
    def path(self) -> str:
        return f"/statements/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"statement:{self.pk}"

    @property
    def code(self) -> str:
        """The month as addresses name it."""
        return f"{self.month:%Y-%m}"


class StatementVersion(models.Model):
    """Every figure of the month as known when it was signed, byte for byte, with its digest. Written once."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    signed_at = models.DateTimeField(_("frozen and signed"))  # what was known then is what it says
    signed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    document = models.TextField()  # canonical JSON (csp.trail.canonical)
    digest = models.CharField(max_length=64)  # SHA-256 of the document in UTF-8, in hexadecimal
    comment = models.TextField(_("comment"), blank=True)
    reason = models.TextField(_("why it is corrected"), blank=True)

    record = Record(Kept.CONTRACT, person="signed_by", personal=("comment", "reason"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["statement", "number"], name="one_version_of_a_statement_by_number"),
            models.CheckConstraint(condition=Q(number__gte=1), name="versions_of_statements_count_from_one"),
        ]
        verbose_name = _("version of a monthly statement")
        verbose_name_plural = _("versions of monthly statements")

    def __str__(self) -> str:
        return f"{self.statement_id}/{self.number}"
