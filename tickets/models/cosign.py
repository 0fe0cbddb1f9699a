"""Answers that wait for a second signature, because a restriction of their author says so (clause 8.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from csp import access
from csp.models import LockItem
from csp.records import Kept, Record
from csp.roles import Role

if TYPE_CHECKING:
    from csp.models import User


class CoSignatureQuerySet(models.QuerySet[Any]):
    def waiting(self) -> Self:
        return self.filter(state=CoSignature.State.WAITING)

    def visible_to(self, user: User) -> Self:
        """What this person signs (supervises the team, or is the one named) or wrote, while still of the team."""
        scope = access.scope_of(user)
        supervised = scope.teams(Role.SUPERVISOR)
        rows = self.exclude(LockItem.standing_on("ticket", "ticket"))
        return rows.filter(Q(ticket__about__isnull=True) | ~Q(ticket__about=user.pk)).filter(
            Q(author=user, ticket__team__in=scope.teams(Role.REPRESENTATIVE, Role.SUPERVISOR))
            | Q(restriction__cosigner=user)
            | Q(restriction__cosigner__isnull=True, ticket__team__in=supervised)
        )


class CoSignature(models.Model):
    """One answer that its author may not send alone. Nothing is met while it waits: the customer's clock runs on."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SIGNED = "signed", _("Signed and sent")
        RETURNED = "returned", _("Handed back")
        WITHDRAWN = "withdrawn", _("Taken back by its author")

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="cosignatures")
    author = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    restriction = models.ForeignKey("csp.Restriction", on_delete=models.PROTECT, related_name="+")
    body = models.TextField()
    cc = ArrayField(models.CharField(max_length=320), default=list, blank=True)
    # Of each ticket on the author's screen (merged ones, too) the last customer interaction, as [number, interaction];
    # what came later is not answered by this.
    seen = models.JSONField(default=list)
    then = models.CharField(max_length=10)  # the ticket's state once it is sent
    written_at = models.DateTimeField()
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(blank=True)
    interaction = models.OneToOneField(
        "tickets.Interaction", on_delete=models.PROTECT, null=True, blank=True, related_name="cosignature"
    )

    objects = CoSignatureQuerySet.as_manager()
    record = Record(Kept.TICKET, person="ticket__customer", personal=("body", "cc", "note"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "author"], condition=Q(state="waiting"), name="one_answer_waits_per_author"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(state="waiting") & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="a_cosignature_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(interaction__isnull=True) ^ Q(state="signed"), name="what_is_signed_was_sent"
            ),
            models.CheckConstraint(
                condition=~Q(state="signed") | ~Q(decided_by=models.F("author")), name="nobody_signs_an_own_answer"
            ),
        ]
        indexes = [
            models.Index(fields=["ticket"], condition=Q(state="waiting"), name="cosignature_waiting"),
        ]
        verbose_name = _("answer waiting for a co-signature")
        verbose_name_plural = _("answers waiting for a co-signature")

    def __str__(self) -> str:
        return f"{self.ticket_id}/{self.author_id}"

    @property
    def seen_through(self) -> dict[int, int]:
        return dict(self.seen)


class CoSignatureFile(models.Model):
    """A file that goes with an answer that waits."""

    cosignature = models.ForeignKey(CoSignature, on_delete=models.PROTECT, related_name="files")
    blob = models.ForeignKey("csp.Blob", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    declared_type = models.CharField(max_length=120, blank=True)

    record = Record(Kept.TICKET, person="cosignature__ticket__customer", personal=("name",))

    class Meta:
        verbose_name = _("file of a waiting answer")
        verbose_name_plural = _("files of waiting answers")

    def __str__(self) -> str:
        return self.name
