"""How a matter ended: what caused it, what was done, whether the customer took it, and whether it held."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class Resolution(models.Model):
    """One time that a ticket was resolved, or is about to be (clauses 3.2 and 4.1). One in force at most.

    It is written down before the ticket is resolved, and stays when the customer comes back: `undone_at` then says
    since when it did not hold, and the next one is another row.
    """

    class Cause(models.TextChoices):
        PRODUCT = "product", _("Product or part")
        DELIVERY = "delivery", _("Delivery")
        WORK = "work", _("Installation or repair")
        INVOICE = "invoice", _("Invoice or payment")
        INFORMATION = "information", _("Wrong or missing information")
        CONDUCT = "conduct", _("Conduct of a person")
        PROCESS = "process", _("Our way of working")
        SYSTEM = "system", _("Software or telephone")
        THIRD_PARTY = "third_party", _("Somebody else's failure")
        UNFOUNDED = "unfounded", _("Nothing was wrong")
        UNKNOWN = "unknown", _("Could not be found out")

    class Kind(models.TextChoices):
        CORRECTED = "corrected", _("Corrected")
        REPLACED = "replaced", _("Replaced")
        REPAIRED = "repaired", _("Repaired")
        MONEY_BACK = "money_back", _("Money back")
        GOODWILL = "goodwill", _("Goodwill payment")
        EXPLAINED = "explained", _("Explained")
        APOLOGY = "apology", _("Apology")
        REFUSED = "refused", _("Refused with reasons")
        WITHDRAWN = "withdrawn", _("Withdrawn by the customer")

    class Acceptance(models.TextChoices):
        YES = "yes", _("Accepted")
        NO = "no", _("Not accepted")
        NO_ANSWER = "no_answer", _("No answer")

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="resolutions")
    cause = models.CharField(_("root cause"), max_length=20, choices=Cause, blank=True)
    cause_note = models.TextField(_("what caused it"), blank=True)
    kind = models.CharField(_("kind of resolution"), max_length=20, choices=Kind, blank=True)
    text = models.TextField(_("resolution"), blank=True)
    # What it costs the company, which is what authority limits are about.
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2, null=True, blank=True)
    amount_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # The limit of whoever set the amount, where the amount was above it (tickets.authority).
    above = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    acceptance = models.CharField(_("customer's answer"), max_length=10, choices=Acceptance, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    # Who put the answer on record; nobody where the customer did, or nothing came in seven days.
    answer_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        "tickets.Interaction", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    record = Record(Kept.TICKET, person="ticket__customer", personal=("cause_note", "text"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(undone_at__isnull=True), name="one_resolution_in_force_per_ticket"
            ),
            models.CheckConstraint(
                condition=Q(acceptance="", answered_at__isnull=True)
                | (~Q(acceptance="") & Q(answered_at__isnull=False)),
                name="an_answer_to_a_resolution_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True) | Q(resolved_at__isnull=False), name="only_what_resolved_is_undone"
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0), name="an_amount_is_not_negative"
            ),
        ]
        indexes = [models.Index(fields=["ticket", "id"], name="resolution_of_ticket")]
        verbose_name = _("resolution")
        verbose_name_plural = _("resolutions")

    def __str__(self) -> str:
        return f"{self.ticket_id}, {self.recorded_at:%Y-%m-%d %H:%M}"

    @property
    def holds(self) -> bool:
        return self.resolved_at is not None and self.undone_at is None


class Finish(models.Model):
    """One time that a ticket was finished, from `at` until the customer or we opened it again (tickets.finishing)."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="finishes", db_index=False)
    at = models.DateTimeField()
    # nobody where it closed by itself
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)

    record = Record(Kept.TICKET)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(undone_at__isnull=True), name="a_ticket_is_finished_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True) | Q(undone_at__gte=models.F("at")), name="finished_before_undone"
            ),
        ]
        indexes = [
            models.Index(fields=["ticket", "at"], name="finish_of_ticket"),
            # figures for a period
            models.Index(fields=["at"], name="finish_period"),
        ]
        verbose_name = _("time finished")
        verbose_name_plural = _("times finished")

    def __str__(self) -> str:
        return f"{self.ticket_id}, {self.at:%Y-%m-%d %H:%M}"
