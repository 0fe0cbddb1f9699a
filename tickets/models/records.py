"""What keeps a contact that left no bytes of its own: its transcript or scan, or the reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from csp import access
from csp.records import Kept, Record
from csp.roles import Role

if TYPE_CHECKING:
    from csp.models import User


class ContactRecord(models.Model):
    """The record of one call, visit or letter (clause 4.1), and the clock that it is owed by.

    It is kept in an interaction: the contact itself, or a note that was written later. A reason counts as not kept.
    """

    class Reason(models.TextChoices):
        NOTHING_SAID = "nothing_said", _("Nothing was said")
        NOT_WANTED = "not_wanted", _("The customer did not want it on record")
        FAILED = "failed", _("The recording failed")
        LOST = "lost", _("The paper is not there any more")

    interaction = models.OneToOneField(
        "tickets.Interaction", on_delete=models.PROTECT, related_name="contact_record"
    )  # fmt: skip
    clock = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")
    kept_in = models.ForeignKey(
        "tickets.Interaction", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )  # fmt: skip
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    note = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    record = Record(Kept.TICKET, person="interaction__ticket__customer", personal=("note",))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, kept_in__isnull=True, reason="")
                | (
                    Q(ended_at__isnull=False, ended_by__isnull=False)
                    & (Q(kept_in__isnull=False, reason="") | (Q(kept_in__isnull=True) & ~Q(reason="")))
                ),
                name="a_record_is_kept_or_says_why_not",
            )
        ]
        verbose_name = _("record of a contact")
        verbose_name_plural = _("records of contacts")

    def __str__(self) -> str:
        return str(self.interaction_id)

    @property
    def is_owed(self) -> bool:
        return self.ended_at is None


class CallBack(models.Model):
    """A call that the customer was promised: when, by whom, and what became of it."""

    class Outcome(models.TextChoices):
        DONE = "done", _("Called")
        WITHDRAWN = "withdrawn", _("Not needed any more")

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="call_backs")
    responsible = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True)
    promised_at = models.DateTimeField()
    promised_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    reminded_at = models.DateTimeField(null=True, blank=True)
    missed_at = models.DateTimeField(null=True, blank=True)  # when supervisors were told that nobody had called
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    call = models.ForeignKey("tickets.Interaction", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    record = Record(Kept.TICKET, person="ticket__customer", personal=("note",))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, outcome="")
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(outcome="")),
                name="a_call_back_ends_with_what_became_of_it",
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(ended_at__isnull=True), name="call_back_open"),
            models.Index(fields=["ticket"], condition=Q(ended_at__isnull=True), name="call_back_of_ticket"),
        ]
        verbose_name = _("call-back")
        verbose_name_plural = _("call-backs")

    def __str__(self) -> str:
        return f"{self.ticket_id}, {self.due_at:%Y-%m-%d %H:%M}"


class CallReviewQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """What this person looks at (supervises the team, or is the one named) or said, while still of the team."""
        scope = access.scope_of(user)
        supervised = scope.teams(Role.SUPERVISOR)
        team = "call__interaction__ticket__team__in"
        about = "call__interaction__ticket__about"
        return self.filter(Q(**{f"{about}__isnull": True}) | ~Q(**{about: user.pk})).filter(
            Q(call__interaction__author=user, **{team: scope.teams(Role.REPRESENTATIVE, Role.SUPERVISOR)})
            | Q(restriction__cosigner=user)
            | Q(restriction__cosigner__isnull=True, **{team: supervised})
        )


class CallReview(models.Model):
    """A second person looks at an answer that was given live by somebody whose answers are co-signed (clause 8.2).

    A conversation cannot wait for a signature: it counts, and is looked at afterwards.
    """

    call = models.OneToOneField("tickets.Call", on_delete=models.PROTECT, related_name="review")
    restriction = models.ForeignKey("csp.Restriction", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    agrees = models.BooleanField(null=True, blank=True)
    note = models.TextField(blank=True)

    objects = CallReviewQuerySet.as_manager()
    record = Record(Kept.TICKET, person="call__interaction__ticket__customer", personal=("note",))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True, agrees__isnull=True)
                | Q(decided_at__isnull=False, decided_by__isnull=False, agrees__isnull=False),
                name="a_call_is_reviewed_with_all_its_parts",
            )
        ]
        verbose_name = _("review of a call")
        verbose_name_plural = _("reviews of calls")

    def __str__(self) -> str:
        return str(self.call_id)
