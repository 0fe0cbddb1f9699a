"""Erasing a person (clause 6.1): what was ordered, what became of each record, the ledger that outlives a restore."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class ErasureQuerySet(models.QuerySet[Any]):
    def under_way(self) -> Self:
        return self.filter(finished_at__isnull=True)


class Erasure(models.Model):
    """One order to erase a customer. Nothing personal is blanked in the database outside an unfinished one.

    It names the customer by number alone; when it is finished, that number leads to nobody any more.
    """

    class Basis(models.TextChoices):
        """Why: the grounds of article 17(1) GDPR, or what a controller told its processor."""

        NO_LONGER_NEEDED = "no_longer_needed", _("No longer needed for its purpose")
        CONSENT_WITHDRAWN = "consent_withdrawn", _("Consent withdrawn")
        OBJECTION = "objection", _("Objection, and nothing that overrides it")
        UNLAWFUL = "unlawful", _("Processed without a legal basis")
        LEGAL_DUTY = "legal_duty", _("The law demands the erasure")
        CHILD = "child", _("Collected from a child for an online service")
        CONTROLLER = "controller", _("On the controller's instruction")
        EXPIRY = "expiry", _("The reason to keep it locked has ended")

    customer = models.ForeignKey("csp.Customer", on_delete=models.PROTECT, related_name="erasures")
    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    basis = models.CharField(_("basis"), max_length=20, choices=Basis)
    request_ref = models.CharField(_("request"), max_length=40, blank=True)  # of the data subject's request
    # Nobody where the product follows up what a hold, or a lock that has ended, had kept back.
    approved_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField()
    # What an earlier erasure had to leave, and may go now.
    continues = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="continued_by"
    )
    # The last mail to the person, which says what was done; blanked once it has gone.
    farewell = models.OneToOneField(
        "csp.OutboundMessage", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # The line of the ledger that a restored database is brought up to by this (csp.privacy.ledger).
    replays = models.BigIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    removed = models.JSONField(default=dict, blank=True)  # how many rows of which table; numbers only
    certificate = models.TextField(blank=True)  # canonical JSON without personal data
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the certificate, which the trail names too

    objects = ErasureQuerySet.as_manager()
    record = Record(Kept.DISPOSAL)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(finished_at__isnull=True), name="one_erasure_under_way_per_customer"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, certificate="", digest="")
                | (Q(finished_at__isnull=False) & ~Q(certificate="") & ~Q(digest="")),
                name="what_is_erased_has_its_certificate",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=False)
                | Q(continues__isnull=False)
                | Q(basis="expiry")
                | Q(replays__isnull=False),
                name="an_erasure_is_ordered_or_follows_one",
            ),
        ]
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"E-{self.pk}"

    @property
    def path(self) -> str:
        return f"/privacy/erasures/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"erasure:{self.pk}"


class ErasureItem(models.Model):
    """One record of the customer's, or the customer, and what became of it."""

    class Outcome(models.TextChoices):
        ERASED = "erased", _("Erased")
        HELD = "held", _("Held")
        LOCKED = "locked", _("Locked and kept")

    erasure = models.ForeignKey(Erasure, on_delete=models.PROTECT, related_name="items")
    kind = models.CharField(max_length=20)  # as the trail names it: "ticket", "remark", "customer"
    number = models.BigIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    why = models.CharField(max_length=200, blank=True)  # it was not erased
    ended_at = models.DateTimeField(null=True, blank=True)
    rows = models.JSONField(default=dict, blank=True)

    record = Record(Kept.DISPOSAL)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["erasure", "kind", "number"], name="erased_once"),
            models.CheckConstraint(
                condition=Q(outcome="", ended_at__isnull=True) | (~Q(outcome="") & Q(ended_at__isnull=False)),
                name="what_became_of_it_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=["held", "locked"]) | ~Q(why=""), name="what_stays_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["erasure", "id"], condition=Q(outcome=""), name="erasure_to_do"),
        ]
        verbose_name = _("record in an erasure")
        verbose_name_plural = _("records in erasures")

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}"


class ErasureLine(models.Model):
    """One line of the ledger of erasures, chained to the one before; a copy is kept outside of the database.

    A backup brings back what was erased after it was made; the copy outside says what has to go again.
    """

    number = models.BigIntegerField(primary_key=True)
    line = models.TextField()  # canonical JSON, numbers and times only
    hash = models.CharField(max_length=64)

    record = Record(Kept.DISPOSAL)

    class Meta:
        verbose_name = _("line in the ledger of erasures")
        verbose_name_plural = _("lines in the ledger of erasures")

    def __str__(self) -> str:
        return str(self.number)


class KeepingQuerySet(models.QuerySet[Any]):
    def in_force(self, at: dt.datetime) -> Self:
        return self.filter(decided_at__lte=at, expires_at__gt=at).filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at))


class Keeping(models.Model):
    """The controller's decision to lock one class of records instead of erasing it, for a stated reason and time.

    Where none is in force, an erasure erases: the product's default. Written once; ended, never changed.
    """

    class Basis(models.TextChoices):
        """The exceptions of article 17(3) GDPR."""

        LEGAL_DUTY = "legal_duty", _("A legal duty to keep it")
        CLAIMS = "claims", _("Legal claims")
        PUBLIC_INTEREST = "public_interest", _("A task in the public interest")

    class What(models.TextChoices):
        TICKETS = "ticket", _("Tickets and everything said in them")
        FEEDBACK = "remark", _("Feedback and who gave it")

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="keepings")
    what = models.CharField(_("records"), max_length=20, choices=What)
    basis = models.CharField(_("basis"), max_length=20, choices=Basis)
    reason = models.TextField(_("which duty or claim, in words that the customer is told"))
    months = models.PositiveSmallIntegerField(_("months that a record stays locked"))
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    expires_at = models.DateTimeField(_("to be decided anew by"))
    ended_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = KeepingQuerySet.as_manager()
    record = Record(Kept.SETTINGS)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "what"], condition=Q(ended_at__isnull=True), name="one_keeping_of_a_class"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="a_keeping_has_a_reason"),
            models.CheckConstraint(condition=Q(months__gte=1, months__lte=120), name="a_keeping_has_an_end"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("decided_at")), name="a_keeping_is_decided_anew"),
        ]
        verbose_name = _("class of records that is locked and kept")
        verbose_name_plural = _("classes of records that are locked and kept")

    def __str__(self) -> str:
        return f"{self.get_what_display()}: {self.get_basis_display()}"

    @property
    def trail_subject(self) -> str:
        return f"keeping:{self.pk}"


class LockQuerySet(models.QuerySet[Any]):
    def standing(self) -> Self:
        return self.filter(ended_at__isnull=True)


class Lock(models.Model):
    """That a customer's records of one class are stored and nothing else (article 18 GDPR), until when and why.

    Nobody but the privacy owner sees them, and nobody works on them. At its end they are open again, or erased.
    """

    class Then(models.TextChoices):
        UNLOCK = "unlock", _("open again")
        ERASE = "erase", _("erased")

    customer = models.ForeignKey("csp.Customer", on_delete=models.PROTECT, related_name="locks")
    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    what = models.CharField(_("records"), max_length=20, choices=Keeping.What)
    keeping = models.ForeignKey(Keeping, on_delete=models.PROTECT, null=True, blank=True, related_name="locks")
    erasure = models.ForeignKey(Erasure, on_delete=models.PROTECT, null=True, blank=True, related_name="locks")
    request_ref = models.CharField(_("request"), max_length=40, blank=True)
    reason = models.TextField(_("reason"))
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    then = models.CharField(max_length=6, choices=Then)
    told = models.ForeignKey("csp.OutboundMessage", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = LockQuerySet.as_manager()
    record = Record(Kept.DISPOSAL, person="customer", personal=("reason",))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "what"], condition=Q(ended_at__isnull=True), name="locked_once"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("starts_at")), name="a_lock_has_an_end"),
            models.CheckConstraint(condition=~Q(reason=""), name="a_lock_has_a_reason"),
            models.CheckConstraint(
                condition=Q(then="unlock", keeping__isnull=True) | Q(then="erase", keeping__isnull=False),
                name="what_is_kept_instead_is_erased_later",
            ),
        ]
        indexes = [
            # whom every list and page leaves out
            models.Index(fields=["customer", "what"], condition=Q(ended_at__isnull=True), name="lock_standing"),
        ]
        verbose_name = _("lock on a customer's data")
        verbose_name_plural = _("locks on customers' data")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"L-{self.pk}"

    @property
    def trail_subject(self) -> str:
        return f"lock:{self.pk}"


class LockItem(models.Model):
    """One record that a lock is on: a ticket, a remark, the customer's own row."""

    lock = models.ForeignKey(Lock, on_delete=models.PROTECT, related_name="items")
    kind = models.CharField(max_length=20)  # as the trail names it
    number = models.BigIntegerField()

    record = Record(Kept.DISPOSAL)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lock", "kind", "number"], name="a_lock_is_on_it_once")]
        indexes = [models.Index(fields=["kind", "number"], name="lock_item")]
        verbose_name = _("record under a lock")
        verbose_name_plural = _("records under locks")

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}"

    @classmethod
    def standing_on(cls, kind: str, number: str = "pk") -> Exists:
        """Whether a lock is on the row; `number` leads from it to the record's number."""
        return Exists(cls.objects.filter(kind=kind, number=OuterRef(number), lock__ended_at__isnull=True))
