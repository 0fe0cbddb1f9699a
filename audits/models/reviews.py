"""Reviews of a person's work (clause 7.3): that it was held and when, and, apart from it, what was said.

`Review` is the skeleton, which an auditor sees and which stays as long as the account's other records. `Papers`, with
all that points at them, are confidential and go after a term of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from csp import access, offices
from csp.records import Kept, Record
from csp.roles import Office, Role

if TYPE_CHECKING:
    from csp.models import User


class ReviewQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """Those whose papers this person may read: one's own, those that one holds, those of the office above."""
        above = offices.contracts_of(user, Office.COMPANY_REPRESENTATIVE)
        return self.filter(Q(user=user) | Q(reviewer=user) | Q(contract__in=above))

    def listed_for(self, user: User) -> Self:
        """Those of which this person sees that they are due or were held: also the team's, and an audit's."""
        scope = access.scope_of(user)
        above = offices.contracts_of(user, Office.COMPANY_REPRESENTATIVE)
        return self.filter(
            Q(user=user)
            | Q(reviewer=user)
            | Q(contract__in=above)
            | Q(team__in=scope.teams(Role.SUPERVISOR))
            | Q(contract__in=scope.contracts(Role.AUDITOR))
        )

    def running(self) -> Self:
        return self.filter(state__in=[Review.State.DUE, Review.State.HELD])


class Review(models.Model):
    """One review that somebody is owed, from the last one or from joining, with its clock. No word of what was said."""

    class State(models.TextChoices):
        DUE = "due", _("To be held")
        HELD = "held", _("Held, to be signed")
        CLOSED = "closed", _("Closed")
        NOT_OWED = "not_owed", _("Not owed any more")

    class Closed(models.TextChoices):
        BOTH = "both", _("Signed by both")
        UNANSWERED = "unanswered", _("Signed by the reviewer; the person did not answer in time")

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="reviews")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="+")
    # Nobody where nobody may hold it; then the supervisors, or the administrators, are reminded.
    reviewer = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # The reviewer whom the person asked for and was given: no job puts another in their place.
    is_chosen = models.BooleanField(default=False)
    after = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="next")
    deadline = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="review")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DUE)
    held_at = models.DateTimeField(_("held"), null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_how = models.CharField(max_length=10, choices=Closed, blank=True)

    objects = ReviewQuerySet.as_manager()
    record = Record(Kept.PEOPLE, person="user")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "contract"], condition=Q(state__in=["due", "held"]), name="one_review_to_come"
            ),
            models.CheckConstraint(
                condition=Q(reviewer__isnull=True) | ~Q(reviewer=F("user")), name="nobody_reviews_themselves"
            ),
            models.CheckConstraint(
                condition=Q(state="due", held_at__isnull=True, closed_at__isnull=True, closed_how="")
                | Q(state="held", held_at__isnull=False, closed_at__isnull=True, closed_how="")
                | (Q(state="closed", held_at__isnull=False, closed_at__isnull=False) & ~Q(closed_how=""))
                | Q(state="not_owed", closed_at__isnull=False, closed_how=""),
                name="a_review_is_held_before_it_is_closed",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="review_of_user"),
            models.Index(fields=["reviewer", "-id"], name="review_of_reviewer"),
        ]
        verbose_name = _("review")
        verbose_name_plural = _("reviews")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"PR-{self.pk}"

    @property
    def path(self) -> str:
        return f"/reviews/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"review:{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.DUE, self.State.HELD)


class Papers(models.Model):
    """What a review is made of, in confidence: evidence as it was read last, and the words of both while they write.

    What both sign is a `Talk`, which does not change.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    id = models.BigIntegerField(primary_key=True)  # the review's own number
    review = models.OneToOneField(Review, on_delete=models.PROTECT, related_name="papers")
    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    # Figures with their numbers (audits.appraisal); what they are called and mean stands in the program.
    evidence = models.JSONField(default=dict, blank=True)
    compiled_at = models.DateTimeField(null=True, blank=True)
    assessment = models.TextField(_("assessment"), blank=True)
    comment = models.TextField(_("the person's own view"), blank=True)
    commented_at = models.DateTimeField(null=True, blank=True)
    kept_from = models.DateTimeField(null=True, blank=True, editable=False)
    keep_until = models.DateTimeField(null=True, blank=True, editable=False)

    record = Record(Kept.REVIEW, person="review__user", personal=("evidence", "assessment", "comment"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True) | Q(state="closed", closed_at__isnull=False),
                name="closed_papers_say_when",
            )
        ]
        indexes = [models.Index(fields=["keep_until"], condition=Q(keep_until__isnull=False), name="papers_kept_until")]
        verbose_name = _("papers of a review")
        verbose_name_plural = _("papers of reviews")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"PP-{self.pk}"

    @property
    def trail_subject(self) -> str:
        return f"papers:{self.pk}"

    @property
    def path(self) -> str:
        return f"/reviews/{self.pk}/"


class Goal(models.Model):
    """Something that both want to have reached by a day; looked at again in the next review."""

    class Outcome(models.TextChoices):
        REACHED = "reached", _("Reached")
        PARTLY = "partly", _("Reached in part")
        MISSED = "missed", _("Not reached")
        DROPPED = "dropped", _("No goal any more")

    papers = models.ForeignKey(Papers, on_delete=models.PROTECT, related_name="goals")
    text = models.CharField(_("goal"), max_length=300)
    due_on = models.DateField(_("by"))
    set_at = models.DateTimeField()
    # Taken back before the talk: it was never agreed.
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(_("what became of it"), max_length=10, choices=Outcome, blank=True)
    outcome_note = models.CharField(_("how that shows"), max_length=300, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)

    record = Record(Kept.REVIEW, person="papers__review__user", personal=("text", "outcome_note"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", judged_at__isnull=True) | (~Q(outcome="") & Q(judged_at__isnull=False)),
                name="an_outcome_of_a_goal_is_dated",
            )
        ]
        verbose_name = _("goal")
        verbose_name_plural = _("goals")

    def __str__(self) -> str:
        return f"{self.papers_id}, {self.due_on}"


class Talk(models.Model):
    """One talk, with the evidence, the goals and the assessment as they stood: written once, and known by its digest.

    A second one only where another reviewer was asked for and given.
    """

    papers = models.ForeignKey(Papers, on_delete=models.PROTECT, related_name="talks")
    number = models.PositiveSmallIntegerField()
    reviewer = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    held_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    frozen = models.TextField()  # canonical JSON of all that the two talked about
    digest = models.CharField(max_length=64)  # SHA-256 of it

    record = Record(Kept.REVIEW, person="papers__review__user", personal=("frozen",))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["papers", "number"], name="one_talk_per_number"),
            models.CheckConstraint(condition=Q(held_at__lte=F("recorded_at")), name="a_talk_was_held_already"),
        ]
        verbose_name = _("talk")
        verbose_name_plural = _("talks")

    def __str__(self) -> str:
        return f"{self.papers_id}, {self.number}"


class AnotherReviewer(models.Model):
    """That the person asked for another reviewer, why, and what somebody independent made of it. Once a review."""

    papers = models.OneToOneField(Papers, on_delete=models.PROTECT, related_name="another")
    text = models.TextField(_("why"))
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    granted = models.BooleanField(null=True, blank=True)
    reviewer = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    answer = models.TextField(_("answer"), blank=True)

    record = Record(Kept.REVIEW, person="papers__review__user", personal=("text", "answer"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True, granted__isnull=True)
                | Q(decided_at__isnull=False, decided_by__isnull=False, granted__isnull=False),
                name="another_reviewer_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(granted=True) | Q(reviewer__isnull=False), name="whoever_is_given_is_named"
            ),
        ]
        verbose_name = _("request for another reviewer")
        verbose_name_plural = _("requests for another reviewer")

    def __str__(self) -> str:
        return str(self.papers_id)


class Signed(models.Model):
    """That one of the two has read a talk and says so, signed in again: not that they agree with it.

    It holds digests only, and stays with the review when the papers go.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="signed")
    talk = models.PositiveSmallIntegerField()  # its number
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    as_person = models.BooleanField()  # the one whom it is about; else the reviewer
    agrees = models.BooleanField(null=True, blank=True)  # the person's own; nothing of the reviewer
    at = models.DateTimeField()
    proof = models.CharField(max_length=40)  # by what they signed in again
    digest = models.CharField(max_length=64)  # of the talk and the person's own view, as this one saw them

    record = Record(Kept.PEOPLE, person="review__user")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "talk", "as_person"], name="each_signs_a_talk_once"),
            models.CheckConstraint(
                condition=Q(as_person=True, agrees__isnull=False) | Q(as_person=False, agrees__isnull=True),
                name="the_person_says_whether_they_agree",
            ),
            models.CheckConstraint(condition=~Q(proof=""), name="signed_in_again"),
        ]
        verbose_name = _("signature under a review")
        verbose_name_plural = _("signatures under reviews")

    def __str__(self) -> str:
        return f"{self.review_id}, {self.at:%Y-%m-%d %H:%M}"
