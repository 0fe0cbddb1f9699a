"""Reviews of a person's work (clause 7.3): evidence first, then a talk, the person's own view, and both signatures.

Everybody who works under the contract is reviewed by their supervisor, or who stands in, every six months: a job lets
each owe the next one. The evidence compiles itself (audits.appraisal); what follows from it is said in words by a
person, never by a figure. To sign is to say that one has read it, not that one agrees. Whoever is reviewed may disagree
in writing, and may ask for another reviewer, about which somebody independent decides.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audits import appraisal
from audits.models import AnotherReviewer, Goal, Papers, Review, Signed, Talk
from csp import access, agreement, batches, deadlines, independence, notices, offices, shifts, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Hold, Notice, RoleGrant, Team, User
from csp.models.agreement import Side
from csp.roles import Office, Role

State, Closed, Outcome = Review.State, Review.Closed, Goal.Outcome

# Who does not sign within so many days of being told was heard all the same: the reviewer's signature closes it.
ANSWER = dt.timedelta(days=14)
NOT_OWED = "The person does no work under the contract any more."
REVIEWED = (Role.REPRESENTATIVE, Role.SUPERVISOR, Role.ANALYST)


# ---------------------------------------------------------------- who is reviewed, and by whom


def in_scope(contract: Contract, at: dt.datetime) -> dict[int, list[RoleGrant]]:
    """Everybody of the company who works under the contract at that moment, with the grants by which they do."""
    rows = (
        RoleGrant.objects.in_force(at)
        .filter(Q(team__contract=contract) | Q(contract=contract), role__in=REVIEWED)
        .filter(user__is_active=True, user__side=Side.COMPANY)
        .select_related("team", "user")
        .order_by("starts_at", "pk")
    )
    found: dict[int, list[RoleGrant]] = defaultdict(list)
    for row in rows:
        found[row.user_id].append(row)
    return found


def above(contract: Contract, at: dt.datetime) -> User | None:
    """Who stands above the supervisors: the company's representative."""
    office = Office.COMPANY_REPRESENTATIVE
    return offices.holders(contract.pk, [office], at=at)[office]


def _is_independent(reviewer: User, user: User, at: dt.datetime) -> bool:
    try:
        independence.check(reviewer, {user.pk}, at)
    except Refused:
        return False
    return True


def reviewers_of(user: User, contract: Contract, at: dt.datetime) -> list[User]:
    """Who may review this person, first choice first: their supervisors; of a supervisor the one above.

    With whoever stands in for those who are away; who is there comes before who is not.
    """
    return choosing(at)(user, contract)


def choosing(at: dt.datetime) -> Callable[[User, Contract], list[User]]:
    """`reviewers_of` for many people: what is asked of a contract or of a team is asked once."""
    scope = functools.cache(lambda contract: in_scope(contract, at))
    top = functools.cache(lambda contract: above(contract, at))
    leading = functools.cache(lambda teams: tuple(access.people_with(Role.SUPERVISOR, at=at, teams=teams)))
    away_of = functools.cache(lambda chosen: shifts.away([one.pk for one in chosen], at))
    all_teams = functools.cache(lambda contract: tuple(contract.teams.order_by("pk").values_list("pk", flat=True)))

    def chosen_for(user: User, contract: Contract) -> list[User]:
        grants = scope(contract).get(user.pk, [])
        teams = {row.team_id for row in grants if row.role == Role.REPRESENTATIVE and row.team_id is not None}
        leads = any(row.role == Role.SUPERVISOR for row in grants)
        found = list(leading(tuple(sorted(teams)))) if teams and not leads else []
        found += [one for one in [top(contract)] if one is not None]
        if not [one for one in found if one.pk != user.pk]:
            found = list(leading(all_teams(contract)))
        chosen = [one for one in {one.pk: one for one in found}.values() if _is_independent(one, user, at)]
        away = away_of(tuple(chosen))
        there = [one for one in chosen if one.pk not in away]
        deputies = [row.deputy for row in away.values() if row.deputy is not None and row.deputy.is_active]
        standing_in = [one for one in deputies if _is_independent(one, user, at)]
        return list({one.pk: one for one in [*there, *standing_in, *chosen]}.values())

    return chosen_for


# ---------------------------------------------------------------- the jobs: every person who lacks a review to come


def owe_lacking(at: dt.datetime, *, limit: int = 200) -> int:
    """Let everybody who works under a contract in force, and has no review to come, owe one. Returns how many."""
    lacking = []
    for contract in Contract.objects.filter(versions__in_force_from__lte=at).distinct().order_by("pk"):
        running = set(Review.objects.running().filter(contract=contract).values_list("user", flat=True))
        lacking += [(contract.pk, user) for user in sorted(in_scope(contract, at)) if user not in running]
    return batches.each(lacking, functools.partial(_owe_one, at=at), limit=limit)


@transaction.atomic(durable=True)
def _owe_one(pair: tuple[int, int], *, at: dt.datetime) -> int:
    contract = Contract.objects.get(pk=pair[0])
    user = User.objects.select_for_update(no_key=True).get(pk=pair[1])
    grants = in_scope(contract, at).get(user.pk, [])
    if not grants or Review.objects.running().filter(user=user, contract=contract).exists():
        return 0
    return int(owe(user, contract, grants, at=at) is not None)


def owe(user: User, contract: Contract, grants: Iterable[RoleGrant], *, at: dt.datetime) -> Review | None:
    """Let somebody owe a review from the last one, or from joining, as far as the contract was in force by then.

    The caller holds the person's lock.
    """
    held = list(grants)
    last = Review.objects.filter(user=user, contract=contract, state=State.CLOSED).order_by("-held_at", "-pk").first()
    first = contract.versions.filter(in_force_from__isnull=False).order_by("in_force_from").first()
    mine = [row.team for row in held if row.team is not None]
    team = mine[0] if mine else contract.teams.order_by("-is_active", "pk").first()
    if team is None or first is None or first.in_force_from is None:
        return None
    joined = max(user.joined_at, held[0].starts_at, first.in_force_from)
    starts_at = max(joined, last.held_at) if last is not None and last.held_at is not None else joined
    return start(user, team, starts_at=starts_at, after=last, at=at)


def start(
    user: User, team: Team, *, starts_at: dt.datetime, at: dt.datetime, after: Review | None = None
) -> Review:  # fmt: skip
    """Make the row of a review, with its clock; the caller holds the person's lock."""
    contract = team.contract
    if after is not None and Review.objects.filter(after=after).exists():
        after = None  # what came after it was ended when the person left, and they are back
    with connection.cursor() as cursor:  # its deadline names it and is stored first
        cursor.execute("select nextval(pg_get_serial_sequence('audits_review', 'id'))")
        number = int(cursor.fetchone()[0])
    reviewer = next(iter(reviewers_of(user, contract, at)), None)
    row = Review(pk=number, contract=contract, user=user, team=team, reviewer=reviewer, after=after)
    subject = deadlines.Subject(
        ref=row.reference, path=row.path, contract=contract, team=team, responsible=reviewer, context=row.trail_subject
    )
    draft = deadlines.draft("review", subject, agreement.in_force(contract, starts_at), starts_at=starts_at)
    [row.deadline] = deadlines.start([draft], at=at)
    row.save(force_insert=True)
    Papers.objects.create(pk=row.pk, review=row, contract=contract, opened_at=at)
    trail.record(
        Act.REVIEW_OWED, row.trail_subject, by="reviews", at=at,
        facts={
            "user": user.pk, "reviewer": row.reviewer_id, "since": starts_at, "due": row.deadline.due_at,
            "deadline": row.deadline_id, "after": row.after_id,
        },
    )  # fmt: skip
    return row


def _stays(row: Review) -> bool:
    """Whether its reviewer was chosen by whoever decides about it, and works here still."""
    return row.is_chosen and row.reviewer is not None and row.reviewer.is_active


def pass_on(at: dt.datetime, *, limit: int = 200) -> int:
    """Give reviews whose reviewer may not hold them any more to whoever may. Returns how many."""
    numbers, reviewers = [], choosing(at)
    for row in Review.objects.running().select_related("user", "contract", "reviewer"):
        if _stays(row) or (row.state == State.HELD and row.reviewer is not None and row.reviewer.is_active):
            continue
        mine = [one.pk for one in reviewers(row.user, row.contract)]
        if (row.reviewer_id in mine) if row.reviewer_id else not mine:
            continue
        numbers.append(row.pk)
    return batches.each(numbers, functools.partial(_pass_on_one, at=at), limit=limit)


@transaction.atomic(durable=True)
def _pass_on_one(number: int, *, at: dt.datetime) -> int:
    row = _lock(Review(pk=number))
    if not row.is_open or _stays(row):
        return 0
    may = reviewers_of(row.user, row.contract, at)
    if any(one.pk == row.reviewer_id for one in may) or (not may and row.reviewer_id is None):
        return 0
    _give_to(row, may[0] if may else None, by="reviews", at=at)
    return 1


def _give_to(row: Review, reviewer: User | None, *, by: trail.Actor, at: dt.datetime) -> None:
    before, row.reviewer = row.reviewer_id, reviewer
    row.save(update_fields=["reviewer", "is_chosen", "state", "held_at"])
    deadlines.hand_over([row.deadline], responsible=reviewer, team=row.team, at=at)
    if reviewer is not None:
        _tell(row, "review.yours", [reviewer], at, key=f"yours:{reviewer.pk}", due=notices.fact(row.deadline.due_at))
    trail.record(
        Act.REVIEW_PASSED_ON, row.trail_subject, by=by, at=at, facts={"from": before, "to": row.reviewer_id}
    )  # fmt: skip


def end_unowed(at: dt.datetime, *, limit: int = 200) -> int:
    """End reviews of people who do no work under the contract any more; drafts of them are blanked. How many.

    A draft that is held is blanked once the hold is lifted.
    """
    numbers = []
    for contract in Contract.objects.order_by("pk"):
        here = in_scope(contract, at)
        rows = Review.objects.filter(contract=contract, state=State.DUE).exclude(user__in=list(here))
        numbers += list(rows.order_by("pk").values_list("pk", flat=True))
    done = batches.each(numbers, functools.partial(_end_one, at=at), limit=limit)
    held = Hold.objects.standing().filter(kind=Hold.Kind.PAPERS).values("number")
    drafts = Papers.objects.filter(state=Papers.State.OPEN, review__state=State.NOT_OWED).exclude(pk__in=held)
    return done + batches.each(
        list(drafts.order_by("pk").values_list("pk", flat=True)), functools.partial(_blank_one, at=at), limit=limit
    )


@transaction.atomic(durable=True)
def _end_one(number: int, *, at: dt.datetime) -> int:
    row = _lock(Review(pk=number))
    if row.state != State.DUE or row.user_id in in_scope(row.contract, at):
        return 0
    _forget_draft(row.pk, at)
    row.state, row.closed_at, row.held_at = State.NOT_OWED, at, None
    row.save(update_fields=["state", "closed_at", "held_at"])
    deadlines.lapse([row.deadline], at=at, by="reviews", reason=NOT_OWED)
    trail.record(Act.REVIEW_ENDED, row.trail_subject, by="reviews", at=at, facts={"user": row.user_id})
    return 1


@transaction.atomic(durable=True)
def _blank_one(number: int, *, at: dt.datetime) -> int:
    return _forget_draft(_lock(Review(pk=number)).pk, at)


def _forget_draft(number: int, at: dt.datetime) -> int:
    """No talk was held: what was gathered for one has no purpose any more. What was held stays until its own term."""
    papers = Papers.objects.select_for_update().get(pk=number)  # a hold on it waits here, or we wait for it
    is_held = Hold.objects.standing().filter(kind=Hold.Kind.PAPERS, number=number).exists()
    if papers.state != Papers.State.OPEN or is_held:
        return 0
    papers.evidence, papers.assessment, papers.comment = {}, "", ""
    _close_papers(papers, at)
    return 1


def _close_papers(papers: Papers, at: dt.datetime) -> None:
    papers.state, papers.closed_at = Papers.State.CLOSED, at
    papers.save()


# ---------------------------------------------------------------- before the talk


def _lock(review: Review) -> Review:
    rows = Review.objects.select_for_update(of=("self",)).select_related("user", "contract", "team", "deadline")
    return rows.get(pk=review.pk)


def _check_reviewer(row: Review, by: User, at: dt.datetime) -> None:
    independence.check(by, {row.user_id}, at)
    if row.reviewer_id != by.pk:
        raise Refused(_("Only the reviewer does this."))


def _check_due(row: Review) -> None:
    if row.state == State.HELD:
        raise Refused(_("The talk was held. What was said then does not change; the person may add their own view."))
    if row.state != State.DUE:
        raise Refused(_("This review is over."))


@transaction.atomic
def compile_evidence(review: Review, *, by: User, at: dt.datetime) -> Papers:
    """Read the evidence afresh, up to now. The person is told the first time: they see it before the talk."""
    row = _lock(review)
    _check_reviewer(row, by, at)
    _check_due(row)
    papers = Papers.objects.get(review=row)
    is_first = papers.compiled_at is None
    papers.evidence = appraisal.compile_for(row.user, row.team, since=row.deadline.starts_at, until=at)
    papers.compiled_at = at
    papers.save()
    if is_first:
        _tell(row, "review.compiled", [row.user], at, key="compiled")
    trail.record(
        Act.REVIEW_COMPILED, row.trail_subject, by=by, at=at,
        facts={"since": row.deadline.starts_at, "until": at, "digest": _digest(trail.canonical(papers.evidence))},
    )  # fmt: skip
    return papers


@transaction.atomic
def assess(review: Review, *, text: str, by: User, at: dt.datetime) -> Papers:
    """Write the assessment, in words, after the evidence was read."""
    row = _lock(review)
    _check_reviewer(row, by, at)
    _check_due(row)
    papers = Papers.objects.get(review=row)
    if papers.compiled_at is None:
        raise Refused(_("Evidence first: have it compiled and read it, then say what you think."))
    papers.assessment = text.strip()
    papers.save()
    trail.record(Act.REVIEW_WRITTEN, row.trail_subject, by=by, at=at, facts={"what": "assessment"})
    return papers


@transaction.atomic
def add_goal(review: Review, *, text: str, due_on: dt.date, by: User, at: dt.datetime) -> Goal:
    """Put down a goal until a day to come. Both talk about it; it counts from the talk."""
    row = _lock(review)
    _check_reviewer(row, by, at)
    _check_due(row)
    if not text.strip():
        raise Refused(_("Say what is to be reached."))
    if due_on <= at.astimezone(row.contract.zoneinfo).date():
        raise Refused(_("Choose a day to come."))
    goal = Goal.objects.create(papers_id=row.pk, text=text.strip()[:300], due_on=due_on, set_at=at)
    trail.record(Act.REVIEW_WRITTEN, row.trail_subject, by=by, at=at, facts={"what": "goal", "goal": goal.pk})
    return goal


@transaction.atomic
def withdraw_goal(goal: Goal, *, by: User, at: dt.datetime) -> Goal:
    """Take a goal back before the talk."""
    row = _lock(Review(pk=goal.papers_id))
    _check_reviewer(row, by, at)
    _check_due(row)
    goal = Goal.objects.select_for_update().get(pk=goal.pk)
    if goal.withdrawn_at is None:
        goal.withdrawn_at = at
        goal.save(update_fields=["withdrawn_at"])
        facts = {"what": "goal withdrawn", "goal": goal.pk}
        trail.record(Act.REVIEW_WRITTEN, row.trail_subject, by=by, at=at, facts=facts)
    return goal


def goals_from_before(review: Review) -> QuerySet[Goal]:
    """What was agreed last time, with what became of it."""
    return Goal.objects.filter(papers_id=review.after_id or 0, withdrawn_at__isnull=True).order_by("due_on", "pk")


def goals_of(review: Review) -> QuerySet[Goal]:
    """What is to be reached next."""
    return Goal.objects.filter(papers_id=review.pk, withdrawn_at__isnull=True).order_by("due_on", "pk")


@transaction.atomic
def judge_goal(
    review: Review, goal: Goal, *, outcome: Goal.Outcome, note: str, by: User, at: dt.datetime
) -> Goal:  # fmt: skip
    """Say what became of a goal of last time. It may be said anew until the talk."""
    row = _lock(review)
    _check_reviewer(row, by, at)
    _check_due(row)
    goal = Goal.objects.select_for_update().get(pk=goal.pk)
    if goal.papers_id != row.after_id or goal.withdrawn_at is not None:
        raise Refused(_("This is no goal of the last review."))
    goal.outcome, goal.outcome_note, goal.judged_at = outcome, note.strip()[:300], at
    goal.save(update_fields=["outcome", "outcome_note", "judged_at"])
    facts = {"what": "outcome", "goal": goal.pk, "outcome": outcome}
    trail.record(Act.REVIEW_WRITTEN, row.trail_subject, by=by, at=at, facts=facts)
    return goal


@transaction.atomic
def comment(review: Review, *, text: str, by: User, at: dt.datetime) -> Papers:
    """The person writes their own view: before the talk or after it, until they sign."""
    row = _lock(review)
    if by.pk != row.user_id:
        raise Refused(_("Only the person whom it is about writes this."))
    if not row.is_open:
        raise Refused(_("This review is over."))
    if _signature(row, as_person=True) is not None:
        raise Refused(_("You have signed. What stood there then does not change."))
    papers = Papers.objects.get(review=row)
    papers.comment, papers.commented_at = text.strip(), at
    papers.save()
    if row.reviewer is not None and row.state == State.HELD:
        _tell(row, "review.commented", [row.reviewer], at, key="commented")
    trail.record(Act.REVIEW_COMMENTED, row.trail_subject, by=by, at=at, facts={"digest": _digest(papers.comment)})
    return papers


# ---------------------------------------------------------------- the talk


@transaction.atomic
def hold(review: Review, *, held_at: dt.datetime, by: User, at: dt.datetime) -> Talk:
    """Record that the talk was held: evidence, goals and assessment are frozen as they stand, with their digest."""
    row = _lock(review)
    _check_reviewer(row, by, at)
    _check_due(row)
    papers = Papers.objects.get(review=row)
    if papers.compiled_at is None or not papers.assessment:
        raise Refused(_("First have the evidence compiled, and write your assessment."))
    if held_at > at:
        raise Refused(_("The talk cannot have been in the future. Check date and time."))
    if held_at < row.deadline.starts_at:
        raise Refused(_("That was before the time of this review. Check date and time."))
    if goals_from_before(row).filter(outcome="").exists():
        raise Refused(_("Say first what became of each goal of last time."))
    frozen = trail.canonical(_content(row, papers, by, held_at))
    talk = Talk.objects.create(
        papers=papers, number=papers.talks.count() + 1, reviewer=by, held_at=held_at, recorded_at=at, frozen=frozen,
        digest=_digest(frozen),
    )  # fmt: skip
    row.state, row.held_at = State.HELD, held_at
    row.save(update_fields=["state", "held_at"])
    _tell(row, "review.held", [row.user], at, key=f"held:{talk.number}", due=notices.fact(at + ANSWER))
    trail.record(
        Act.REVIEW_HELD, row.trail_subject, by=by, at=at,
        facts={"held": held_at, "talk": talk.number, "digest": talk.digest}, evidence=[talk],
    )  # fmt: skip
    return talk


def _content(row: Review, papers: Papers, by: User, held_at: dt.datetime) -> dict[str, Any]:
    """All that the two talked about, so that it can be read without the product."""
    return {
        "review": row.reference, "person": row.user_id, "reviewer": by.pk, "held": held_at,
        "since": row.deadline.starts_at, "due": row.deadline.due_at,
        "evidence": papers.evidence, "compiled": papers.compiled_at, "definitions": appraisal.definitions(),
        "goals_before": [
            {"goal": goal.text, "by": str(goal.due_on), "outcome": goal.outcome, "note": goal.outcome_note}
            for goal in goals_from_before(row)
        ],
        "goals": [{"goal": goal.text, "by": str(goal.due_on)} for goal in goals_of(row)],
        "assessment": papers.assessment,
    }  # fmt: skip


def talk_of(review: Review) -> Talk | None:
    """The talk that counts: the last one."""
    return Talk.objects.filter(papers=review.pk).select_related("reviewer").order_by("-number").first()


# ---------------------------------------------------------------- both signatures


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def seen(talk: Talk, papers: Papers) -> str:
    """The digest of what somebody has before them who signs now: the talk, and the person's own view."""
    return _digest(f"{talk.digest}\n{papers.comment}")


def _signature(row: Review, *, as_person: bool) -> Signed | None:
    """Under the talk that counts."""
    talk = talk_of(row)
    rows = Signed.objects.filter(review=row, as_person=as_person)
    return rows.filter(talk=talk.number).first() if talk is not None else None


@transaction.atomic
def sign(
    review: Review, *, digest: str, proof: str, by: User, at: dt.datetime, agrees: bool | None = None
) -> Signed:  # fmt: skip
    """Say that one has read it. `digest` is of what was on screen, `proof` says by what one has signed in again.

    The person signs first, says whether they agree, and if not, why. The reviewer's signature after it closes the
    review; without the person's only when the time to answer is over. Raises Refused.
    """
    row = _lock(review)
    papers, talk = Papers.objects.get(review=row), talk_of(row)
    if row.state != State.HELD or talk is None:
        raise Refused(_("There is nothing to sign: the talk has not been held, or the review is over."))
    if not proof:
        raise Refused(_("Sign in again first; then you sign."))
    if digest != seen(talk, papers):
        raise Refused(_("It has changed since you opened the page. Read it again, then sign."))
    as_person = by.pk == row.user_id
    if as_person:
        _check_person_signs(row, papers, agrees)
    else:
        _check_reviewer_signs(row, talk, by, at)
    signed = Signed.objects.create(
        review=row, talk=talk.number, by=by, as_person=as_person, agrees=agrees if as_person else None, at=at,
        proof=proof[:40], digest=digest,
    )  # fmt: skip
    trail.record(
        Act.REVIEW_SIGNED, row.trail_subject, by=by, at=at,
        facts={"talk": talk.number, "as_person": as_person, "digest": digest, "proof": proof[:40]}, evidence=[signed],
    )  # fmt: skip
    if as_person:
        _tell(row, "review.signed", [row.reviewer] if row.reviewer else [], at, key=f"signed:{talk.number}")
    else:
        _close(row, papers, by, at)
    return signed


def _check_person_signs(row: Review, papers: Papers, agrees: bool | None) -> None:
    if _signature(row, as_person=True) is not None:
        raise Refused(_("You have signed already."))
    if _waiting_for_another(row):
        raise Refused(_("Whether somebody else holds the review is not decided yet. Sign after that."))
    if agrees is None:
        raise Refused(_("Say whether you agree. Signing says only that you have read it."))
    if not agrees and not papers.comment:
        raise Refused(_("Write first what you see otherwise; it stands beside the assessment."))


def _check_reviewer_signs(row: Review, talk: Talk, by: User, at: dt.datetime) -> None:
    _check_reviewer(row, by, at)
    if _waiting_for_another(row):
        raise Refused(_("Whether somebody else holds the review is not decided yet. Sign after that."))
    answer_by = talk.recorded_at + ANSWER
    if _signature(row, as_person=True) is None and at <= answer_by:
        raise Refused(
            _("%(name)s has not signed yet. You sign after that, or after %(due)s.")
            % {"name": row.user.name, "due": notices.moment(answer_by)}
        )


def _waiting_for_another(row: Review) -> bool:
    return AnotherReviewer.objects.filter(papers=row.pk, decided_at__isnull=True).exists()


def _close(row: Review, papers: Papers, by: User, at: dt.datetime) -> None:
    answered = _signature(row, as_person=True) is not None
    row.state, row.closed_at = State.CLOSED, at
    row.closed_how = Closed.BOTH if answered else Closed.UNANSWERED
    row.save(update_fields=["state", "closed_at", "closed_how"])
    _close_papers(papers, at)
    deadlines.meet([row.deadline], at=at, by=by, how="signed" if answered else "not answered")
    _tell(row, "review.closed", [row.user], at, key="closed")
    trail.record(
        Act.REVIEW_CLOSED, row.trail_subject, by=by, at=at, facts={"how": row.closed_how, "held": row.held_at}
    )  # fmt: skip


# ---------------------------------------------------------------- another reviewer


@transaction.atomic
def ask_for_another(review: Review, *, text: str, by: User, at: dt.datetime) -> AnotherReviewer:
    """The person asks that somebody else holds their review; once, until they have signed."""
    row = _lock(review)
    if by.pk != row.user_id:
        raise Refused(_("Only the person whom it is about asks for this."))
    if not row.is_open or _signature(row, as_person=True) is not None:
        raise Refused(_("This review is over, or you have signed it."))
    if AnotherReviewer.objects.filter(papers=row.pk).exists():
        raise Refused(_("You have asked already; it may be done once for each review."))
    if not text.strip():
        raise Refused(_("Say why; whoever decides reads it."))
    asked = AnotherReviewer.objects.create(papers_id=row.pk, text=text.strip(), asked_at=at)
    _tell(row, "review.another", _deciders(row, at), at, key="another")
    trail.record(Act.REVIEWER_ASKED, row.trail_subject, by=by, at=at, facts={"reviewer": row.reviewer_id})
    return asked


def _deciders(row: Review, at: dt.datetime) -> list[User]:
    """Who may decide about another reviewer: the one above; if that is one of the two, the contract's supervisors."""
    top = above(row.contract, at)
    if top is not None and top.pk not in (row.user_id, row.reviewer_id):
        return [top]
    teams = list(row.contract.teams.order_by("pk").values_list("pk", flat=True))
    people = access.people_with(Role.SUPERVISOR, at=at, teams=teams)
    involved = {pk for pk in (row.user_id, row.reviewer_id) if pk is not None}
    return [one for one in people if one.pk not in involved and _is_independent(one, row.user, at)]


def may_decide(review: Review, user: User, at: dt.datetime) -> bool:
    """Whether this person decides about another reviewer."""
    return any(one.pk == user.pk for one in _deciders(review, at))


def others_for(review: Review, at: dt.datetime) -> list[User]:
    """Who may be given: supervisors of the contract and the one above, but for the present reviewer."""
    teams = list(review.contract.teams.order_by("pk").values_list("pk", flat=True))
    people = access.people_with(Role.SUPERVISOR, at=at, teams=teams)
    top = above(review.contract, at)
    found = {one.pk: one for one in [*people, *([top] if top is not None else [])]}
    return [
        one for one in found.values() if one.pk != review.reviewer_id and _is_independent(one, review.user, at)
    ]  # fmt: skip


@transaction.atomic
def decide_another(
    review: Review, *, reviewer: User | None, answer: str, by: User, at: dt.datetime
) -> AnotherReviewer:  # fmt: skip
    """Give the person the reviewer named, or nobody: then the present one stays. Reasons are given either way.

    A talk that was held stays on record; the new reviewer holds another, from evidence of their own. The clock goes on.
    """
    row = _lock(review)
    asked = AnotherReviewer.objects.select_for_update().filter(papers=row.pk).first()
    if asked is None or asked.decided_at is not None:
        raise Refused(_("Nobody has asked for another reviewer, or it is decided."))
    if not may_decide(row, by, at):
        raise Refused(_("Somebody who has no part in it decides this: the company's representative first."))
    if not answer.strip():
        raise Refused(_("Give your reasons; the person reads them."))
    if reviewer is not None and reviewer.pk not in {one.pk for one in others_for(row, at)}:
        raise Refused(_("This person cannot hold it: not the person's own staff, and not the present reviewer."))
    asked.granted, asked.reviewer, asked.answer = reviewer is not None, reviewer, answer.strip()
    asked.decided_at, asked.decided_by = at, by
    asked.save()
    trail.record(
        Act.REVIEWER_DECIDED, row.trail_subject, by=by, at=at,
        facts={"granted": asked.granted, "reviewer": reviewer.pk if reviewer else None},
    )  # fmt: skip
    if reviewer is not None:
        papers = Papers.objects.get(review=row)
        papers.evidence, papers.compiled_at, papers.assessment = {}, None, ""
        papers.save()
        row.state, row.held_at, row.is_chosen = State.DUE, None, True
        _give_to(row, reviewer, by=by, at=at)
    says = "review.another_given" if reviewer is not None else "review.another_refused"
    _tell(row, says, [row.user], at, key="another-decided")
    return asked


# ---------------------------------------------------------------- reading, telling


@transaction.atomic
def record_reading(review: Review, *, by: User, at: dt.datetime) -> None:
    """Write down that somebody read the papers; whoever it was."""
    row = Review.objects.select_for_update(no_key=True).get(pk=review.pk)
    trail.record(Act.REVIEW_READ, row.trail_subject, by=by, at=at)


def _tell(row: Review, says: str, to: Iterable[User], at: dt.datetime, *, key: str, **facts: str) -> None:
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.REVIEW,
            key=f"review:{row.pk}:{key}",
            to=to,
            subject_ref=row.reference,
            path=row.path,
            facts={"says": says} | facts,
        ),
        at=at,
    )
