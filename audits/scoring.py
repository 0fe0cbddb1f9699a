"""Scoring drawn tickets (clause 6.3): a draft on the server, a signed card, a second one to see whether two agree.

A *no* on a critical criterion fails the ticket whatever its score. A *no* on accuracy opens a report of non-compliance
(8.1) in the same transaction. Nobody scores own work, and whoever scores second does not see the first card before
their own is signed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from audits import independence, noncompliance, programme
from audits.models import Audit, Criterion, Draw, Mark, NonCompliance, Scoring
from csp import trail
from csp.access import Refused
from csp.events import Act
from csp.models import User
from tickets.conversation import family
from tickets.models import Interaction, Ticket

Answer = Mark.Answer
LONGEST_COMMENT = 2000


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What is on the card about one criterion; `interaction` is the number of the contact that it is about."""

    answer: str = ""
    comment: str = ""
    interaction: int | None = None


def ticket_of(draw: Draw, user: User) -> Ticket | None:
    """The drawn ticket, if this person may see it and it is still on record."""
    return Ticket.objects.visible_to(user).select_related("contract", "team", "customer").filter(pk=draw.number).first()


def is_second(draw: Draw, user: User) -> bool:
    return draw.audit.second_id == user.pk


def scoring_of(draw: Draw, user: User) -> Scoring | None:
    return draw.scorings.filter(scorer=user).first()


def check_can_score(draw: Draw, user: User, at: dt.datetime) -> Ticket:
    """Raise Refused unless this person may score this draw now. Returns the ticket."""
    audit = draw.audit
    programme.check_is_open(audit)
    programme.check_audits(audit, user, at=at)
    if draw.is_excused:
        raise Refused(_("This draw is excused: %(why)s") % {"why": draw.excused_because})
    if is_second(draw, user) and not draw.is_twice:
        raise Refused(_("This draw is scored once. You score those that are marked."))
    ticket = ticket_of(draw, user)
    if ticket is None:
        raise Refused(_("This ticket is not on record any more. Draw another one, or excuse the draw."))
    independence.check_may_score(ticket, user, at)
    signed = scoring_of(draw, user)
    if signed is not None and signed.scored_at is not None:
        raise Refused(_("You have signed this card. It stays as it is."))
    return ticket


@transaction.atomic
def read(draw: Draw, *, by: User, at: dt.datetime) -> None:
    """Record that a drawn ticket was read for an audit."""
    audit = programme.lock(draw.audit)
    trail.record(Act.AUDIT_READ, audit.trail_subject, by=by, at=at, facts={"rank": draw.rank, "ticket": draw.number})


def _clean(criteria: Iterable[Criterion], said: Mapping[int, Said]) -> dict[int, Said]:
    """What was said about these criteria, and nothing else."""
    found = {}
    for criterion in criteria:
        one = said.get(criterion.pk, Said())
        answer = one.answer if one.answer in Answer.values else ""
        found[criterion.pk] = Said(answer, one.comment.strip()[:LONGEST_COMMENT], one.interaction)
    return found


@transaction.atomic
def keep_draft(draw: Draw, said: Mapping[int, Said], *, by: User, at: dt.datetime) -> Scoring:
    """Keep what stands on the card so far. Raises Refused."""
    draw = _locked(draw)
    check_can_score(draw, by, at)
    row = _row(draw, by, at)
    cards = _clean(programme.criteria_of(draw.audit), said)
    row.draft = {str(pk): dataclasses.asdict(one) for pk, one in cards.items() if one != Said()}
    row.saved_at = at
    row.save()
    return row


def _locked(draw: Draw) -> Draw:
    rows = Draw.objects.select_for_update(of=("self",)).select_related(
        "audit__contract", "audit__scorecard", "audit__auditor", "audit__second"
    )
    return rows.get(pk=draw.pk)


def _row(draw: Draw, by: User, at: dt.datetime) -> Scoring:
    """This person's card of the draw. The caller holds the lock of the draw."""
    second = is_second(draw, by)
    found = draw.scorings.filter(is_second=second).first()
    return found or Scoring.objects.create(draw=draw, scorer=by, is_second=second, saved_at=at)


def draft_of(scoring: Scoring | None) -> dict[int, Said]:
    if scoring is None:
        return {}
    return {int(pk): Said(**one) for pk, one in scoring.draft.items()}


def percent(criteria: Iterable[Criterion], answers: Mapping[int, str]) -> int | None:
    """The share of *yes* in the weight of what applied, in whole per cent, rounded half up; None if nothing did."""
    weights = {one.pk: one.weight for one in criteria}
    applied = sum(weight for pk, weight in weights.items() if answers[pk] != Answer.NOT_APPLICABLE)
    if not applied:
        return None
    kept = sum(weight for pk, weight in weights.items() if answers[pk] == Answer.YES)
    return (200 * kept + applied) // (2 * applied)


@transaction.atomic
def sign(draw: Draw, said: Mapping[int, Said], *, by: User, at: dt.datetime) -> Scoring:
    """Sign the card: every question answered, each *no* with what was seen. Raises Refused."""
    draw = _locked(draw)
    ticket = check_can_score(draw, by, at)
    criteria = programme.criteria_of(draw.audit)
    cards = _clean(criteria, said)
    for criterion in criteria:
        one = cards[criterion.pk]
        if not one.answer:
            raise Refused(_("Answer every question; this one is open: %(question)s") % {"question": criterion.question})
        if one.answer == Answer.NO and len(one.comment) < 5:
            raise Refused(_("Say what you saw: %(question)s") % {"question": criterion.question})
    pointed = {one.interaction for one in cards.values() if one.interaction is not None}
    known = Interaction.objects.filter(ticket__in=family(ticket), pk__in=pointed).values_list("pk", flat=True)
    if pointed - set(known):
        raise Refused(_("A contact that you point at is not of this ticket."))
    score = percent(criteria, {pk: one.answer for pk, one in cards.items()})
    if score is None:
        raise Refused(_("Nothing on the card applied. Excuse the draw, with the reason."))
    failed = [one for one in criteria if one.is_critical and cards[one.pk].answer == Answer.NO]
    row = _row(draw, by, at)
    row.draft, row.saved_at, row.scored_at, row.percent, row.passed = {}, at, at, score, not failed
    inaccurate = [one for one in criteria if one.asks_accuracy and cards[one.pk].answer == Answer.NO]
    if inaccurate and not draw.scorings.filter(case_number__isnull=False).exists():
        row.case_number = _report(draw, ticket, inaccurate[0], cards[inaccurate[0].pk], by=by, at=at).pk
    row.save()
    marks = Mark.objects.bulk_create(
        Mark(scoring=row, criterion_id=pk, answer=one.answer, comment=one.comment, interaction=one.interaction)
        for pk, one in cards.items()
    )
    audit = programme.lock(draw.audit)
    trail.record(
        Act.AUDIT_SCORED, audit.trail_subject, by=by, at=at,
        facts={
            "rank": draw.rank, "ticket": draw.number, "second": row.is_second, "percent": score, "passed": not failed,
            "failed": [one.position for one in failed], "case": row.case_number,
        },
        evidence=[row, *marks],
    )  # fmt: skip
    return row


def _report(draw: Draw, ticket: Ticket, criterion: Criterion, one: Said, *, by: User, at: dt.datetime) -> NonCompliance:
    """A *no* on accuracy is a failure of 3.1 that nobody's clock shows; about a colleague, in confidence."""
    what = _("Quality audit %(ref)s, draw %(rank)d: %(question)s No. %(comment)s") % {
        "ref": draw.audit.reference, "rank": draw.rank, "question": criterion.question, "comment": one.comment,
    }  # fmt: skip
    return noncompliance.report(
        team=ticket.team, clause=criterion.clause, what=what, noticed_at=at, by=by, at=at, about=ticket.reference,
        in_confidence=ticket.about_id is not None,
    )  # fmt: skip


# ---------------------------------------------------------------- figures


@dataclasses.dataclass(frozen=True, slots=True)
class Agreement:
    """How far two people agree who scored the same tickets: of `pairs` of answers, `same` are the same."""

    draws: int
    pairs: int
    same: int
    differ: tuple[tuple[int, Criterion, str, str], ...] = ()  # rank, criterion, the first answer, the second

    @property
    def percent(self) -> int | None:
        return (200 * self.same + self.pairs) // (2 * self.pairs) if self.pairs else None


def agreement(audit: Audit) -> Agreement:
    """Over the draws on which both cards are signed."""
    both: dict[int, dict[bool, dict[Criterion, str]]] = {}
    marks = Mark.objects.filter(
        scoring__draw__audit=audit, scoring__scored_at__isnull=False, scoring__draw__is_twice=True
    )
    for mark in marks.select_related("scoring__draw", "criterion").order_by(
        "scoring__draw__rank", "criterion__position"
    ):
        cards = both.setdefault(mark.scoring.draw.rank, {})
        cards.setdefault(mark.scoring.is_second, {})[mark.criterion] = mark.answer
    pairs = same = draws = 0
    differ = []
    for rank, cards in both.items():
        if len(cards) < 2:
            continue
        draws += 1
        for criterion, first in cards[False].items():
            second = cards[True][criterion]
            pairs += 1
            same += first == second
            if first != second:
                differ.append((rank, criterion, str(Answer(first).label), str(Answer(second).label)))
    return Agreement(draws, pairs, same, tuple(differ))


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What an audit came to so far. Of its draws: scored, excused, left; of those scored: passed and the mean score."""

    drawn: int
    scored: int
    excused: int
    passed: int
    percent: int | None

    @property
    def due(self) -> int:
        """How many are to be scored."""
        return self.drawn - self.excused


def result(audit: Audit) -> Result:
    """By the first card of each draw; a second one is for comparison only."""
    draws = list(audit.draws.values_list("pk", "excused_at"))
    rows = Scoring.objects.filter(draw__audit=audit, is_second=False, scored_at__isnull=False, draw__excused_at=None)
    scores = [(score or 0, bool(passed)) for score, passed in rows.values_list("percent", "passed")]
    total = sum(score for score, _passed in scores)
    mean = (2 * total + len(scores)) // (2 * len(scores)) if scores else None
    excused = sum(at is not None for _pk, at in draws)
    return Result(len(draws), len(scores), excused, sum(passed for _score, passed in scores), mean)


def progress(audits: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Of each of these audits how many draws are scored, and how many are to be; in one statement."""
    signed = Count("scorings", filter=Q(scorings__is_second=False, scorings__scored_at__isnull=False))
    rows = Draw.objects.filter(audit__in=list(audits), excused_at=None).order_by().values("audit")
    return {pk: (done, drawn) for pk, done, drawn in rows.annotate(done=signed, drawn=Count("pk", distinct=True))
            .values_list("audit", "done", "drawn")}  # fmt: skip


def by_criterion(audit: Audit) -> list[tuple[Criterion, dict[str, int]]]:
    """How often each question was answered how, by the first cards."""
    criteria = programme.criteria_of(audit)
    found: dict[int, dict[str, int]] = {one.pk: dict.fromkeys(Answer.values, 0) for one in criteria}
    marks = Mark.objects.filter(
        scoring__draw__audit=audit, scoring__is_second=False, scoring__draw__excused_at=None
    ).values_list("criterion", "answer")  # fmt: skip
    for criterion, answer in marks:
        found[criterion][answer] += 1
    return [(one, found[one.pk]) for one in criteria]
