"""Surveys: who was asked about which matter, who does not want to be asked, and the rule (clause 7.1)."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp.records import Kept, Record


class SurveyRule(models.Model):
    """How customers of a contract are asked. Where there is no row, these defaults hold."""

    contract = models.OneToOneField("csp.Contract", on_delete=models.PROTECT, related_name="survey_rule")
    is_on = models.BooleanField(_("ask after a matter is resolved"), default=True)
    wait_hours = models.PositiveSmallIntegerField(
        _("hours after the resolution"), default=1, validators=[MaxValueValidator(168)]
    )
    cap_days = models.PositiveSmallIntegerField(
        _("days between two surveys to one customer"), default=30, validators=[MaxValueValidator(365)]
    )
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    history = HistoricalRecords()
    record = Record(Kept.SETTINGS)

    class Meta:
        verbose_name = _("survey rule")
        verbose_name_plural = _("survey rules")

    def __str__(self) -> str:
        return str(self.contract_id)


class Survey(models.Model):
    """Whether the customer was asked about a resolved ticket; the product decides it, once, by rule."""

    class Decision(models.TextChoices):
        SENT = "sent", _("Sent")
        STOPPED = "stopped", _("The customer does not want surveys")
        CAPPED = "capped", _("Asked not long ago")
        NO_ADDRESS = "no_address", _("No e-mail address is known")

    ticket = models.OneToOneField("tickets.Ticket", on_delete=models.PROTECT, related_name="survey")
    customer = models.ForeignKey("csp.Customer", on_delete=models.PROTECT, related_name="surveys")
    decision = models.CharField(max_length=10, choices=Decision)
    decided_at = models.DateTimeField()
    message = models.ForeignKey(
        "csp.OutboundMessage", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # A link is good once. Which remark it became is not kept here.
    used_at = models.DateTimeField(null=True, blank=True)

    record = Record(Kept.FEEDBACK, person="customer")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decision="sent", message__isnull=False) | (~Q(decision="sent") & Q(message__isnull=True)),
                name="a_survey_that_was_sent_has_its_mail",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(decision="sent"), name="only_what_was_sent_is_answered"
            ),
        ]
        indexes = [
            # the cap
            models.Index(fields=["customer", "-decided_at"], condition=Q(decision="sent"), name="survey_of_customer"),
        ]
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")

    def __str__(self) -> str:
        return f"#{self.ticket_id}"


class StoppedSurveys(models.Model):
    """A customer who asked not to be asked again."""

    customer = models.OneToOneField("csp.Customer", on_delete=models.PROTECT, related_name="stopped_surveys")
    at = models.DateTimeField()

    record = Record(Kept.FEEDBACK, person="customer")

    class Meta:
        verbose_name = _("customer without surveys")
        verbose_name_plural = _("customers without surveys")

    def __str__(self) -> str:
        return str(self.customer_id)
