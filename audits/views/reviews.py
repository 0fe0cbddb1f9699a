"""Reviews: whose are due, one of them with evidence, goals, words and signatures (clause 7.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from audits import appraisal, reviews
from audits.models import AnotherReviewer, Goal, Papers, Review, Signed
from audits.review_forms import (
    AskForm,
    AssessForm,
    CommentForm,
    GiveForm,
    GoalForm,
    NumberForm,
    OutcomeForm,
    SignForm,
    TalkForm,
)
from csp import access, clock
from csp.access import Refused, person, requires
from csp.models import User
from csp.roles import Permission
from tickets.views.door import go

State = Review.State
PAGE = 100

Forms = dict[str, forms.Form]


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """One's own reviews, those that one holds or sees by their clocks, and those that are over."""
    user, at = person(request), clock.now()
    rows = Review.objects.select_related("user", "reviewer", "team", "deadline")
    others = rows.listed_for(user).exclude(user=user).distinct()
    running = others.running()
    context = {
        "at": at,
        "mine": rows.filter(user=user).order_by("-pk")[:PAGE],
        "running": running.order_by("deadline__due_at", "pk")[:PAGE],
        "count": running.count(),
        "late": running.filter(deadline__due_at__lt=at).count(),
        "past": others.filter(state=State.CLOSED).order_by("-held_at", "-pk")[:PAGE],
        "readable": set(Review.objects.visible_to(user).values_list("pk", flat=True)),
    }
    return render(request, "audits/reviews.html", context)


def load(request: HttpRequest, pk: int) -> Review:
    """The review, for whoever may read its papers; for nobody else there is one at this address to do anything with."""
    rows = Review.objects.visible_to(person(request))
    return get_object_or_404(
        rows.select_related("user", "reviewer", "team", "deadline", "contract", "after").distinct(), pk=pk
    )


@requires()
@never_cache
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The review; of it only that it is due or was held, for whoever may know no more. Reading it is recorded."""
    user, at = person(request), clock.now()
    if not Review.objects.visible_to(user).filter(pk=pk).exists():
        rows = Review.objects.listed_for(user).select_related("user", "reviewer", "team", "deadline").distinct()
        review = get_object_or_404(rows, pk=pk)
        signed = list(Signed.objects.filter(review=review).select_related("by").order_by("at"))
        papers = Papers.objects.filter(review=review).only("keep_until").first()
        context = {
            "at": at, "review": review, "signed": signed, "papers": papers, "may_hold": _may_hold(review, papers, user),
        }  # fmt: skip
        return render(request, "audits/review_outside.html", context)
    review = load(request, pk)
    reviews.record_reading(review, by=user, at=at)
    return _page(request, review)


def _may_hold(review: Review, papers: Papers | None, user: User) -> bool:
    """Whether this person may keep from disposal what was said; nobody does of the own work."""
    may = access.may(user, Permission.PLACE_HOLDS, team_id=review.team_id)
    return papers is not None and review.user_id != user.pk and may


def _page(
    request: HttpRequest, review: Review, *, tried: tuple[str, forms.Form] | None = None, status: int = 200
) -> HttpResponse:
    """One review, and the form of whatever this person can do about it."""
    user, at = person(request), clock.now()
    papers = Papers.objects.filter(review=review).first()  # none once they had their time
    talk = reviews.talk_of(review) if papers is not None else None
    another = AnotherReviewer.objects.filter(papers=review.pk).select_related("reviewer", "decided_by").first()
    offered = _offered(review, papers, another, user) if papers is not None else {}
    if tried is not None:
        offered[tried[0]] = tried[1]
    for name, form in offered.items():
        form.auto_id = f"{name}-%s"  # several forms on one page have fields of the same name
    before = list(reviews.goals_from_before(review)) if papers is not None else []
    evidence = papers.evidence if papers is not None else {}
    is_mine = review.user_id == user.pk
    context = {
        "at": at,
        "review": review,
        "papers": papers,
        "may_hold": _may_hold(review, papers, user),
        "talk": talk,
        "is_mine": is_mine,
        "is_reviewer": review.reviewer_id == user.pk,
        "evidence": evidence,
        "period": appraisal.period(evidence),
        "lines": appraisal.lines(evidence),
        "broken": appraisal.broken(evidence),
        "mean": appraisal.mean(evidence),
        "before": [
            (goal, OutcomeForm(initial={"goal": goal.pk, "outcome": goal.outcome, "note": goal.outcome_note},
                               auto_id=f"outcome-{goal.pk}-%s"))
            for goal in before
        ],
        "goals": list(reviews.goals_of(review)) if papers is not None else [],
        # Before the talk the person sees the evidence, not yet the words: those are said first, then read.
        "shows_assessment": papers is not None and (not is_mine or review.state != State.DUE),
        "signed": list(Signed.objects.filter(review=review).select_related("by").order_by("at")),
        "another": another,
        "forms": offered,
        "earlier": Review.objects.filter(user=review.user, contract=review.contract, pk__lt=review.pk)
        .exclude(state=State.NOT_OWED).order_by("-pk")[:12],
        "answer_days": reviews.ANSWER.days,
    }  # fmt: skip
    return render(request, "audits/review.html", context, status=status)


def _offered(review: Review, papers: Papers, another: AnotherReviewer | None, user: User) -> Forms:
    """What this person can do now; a verb still says no to what it must not do."""
    found: Forms = {}
    at = clock.now()
    is_mine, holds = review.user_id == user.pk, review.reviewer_id == user.pk
    if review.state == State.DUE and holds:
        found["compile"] = forms.Form()
        found["goal"] = GoalForm()
        found["outcome"] = forms.Form()  # one for each goal, made beside it
        if papers.compiled_at is not None:
            found["assess"] = AssessForm(initial={"text": papers.assessment})
        if papers.assessment:
            found["talk"] = TalkForm(initial={"held_at": at})
    talk = reviews.talk_of(review)
    signed = {row.as_person for row in Signed.objects.filter(review=review, talk=talk.number if talk else 0)}
    if is_mine and review.is_open and True not in signed:
        found["comment"] = CommentForm(initial={"text": papers.comment})
        if another is None:
            found["ask"] = AskForm()
    if review.state == State.HELD and talk is not None and (is_mine or holds) and is_mine not in signed:
        found["sign"] = SignForm(as_person=is_mine, initial={"digest": reviews.seen(talk, papers)})
    if another is not None and another.decided_at is None and reviews.may_decide(review, user, at):
        found["decide"] = GiveForm(people=reviews.others_for(review, at))
    return found


def _try(
    request: HttpRequest, review: Review, name: str, form: forms.Form, verb: Callable[[dict[str, Any]], object],
    said: str,
) -> HttpResponse:  # fmt: skip
    """Do the verb with what was typed; a refusal comes back above the form, which keeps its text."""
    if form.is_valid():
        try:
            verb(form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, reverse("review", args=[review.pk]), said)
    return _page(request, review, tried=(name, form), status=422)


def _goal(pk: int) -> Goal:
    return get_object_or_404(Goal, pk=pk)


@requires()
@require_POST
def step(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """One thing done in a review, but for signing it."""
    review, user, at = load(request, pk), person(request), clock.now()
    data = request.POST

    def outcome(good: dict[str, Any]) -> object:
        return reviews.judge_goal(
            review, _goal(good["goal"]), outcome=Goal.Outcome(good["outcome"]), note=good["note"], by=user, at=at
        )

    steps: dict[str, tuple[forms.Form, Callable[[dict[str, Any]], object], str]] = {
        "compile": (forms.Form(data), lambda _good: reviews.compile_evidence(review, by=user, at=at), _("Compiled.")),
        "assess": (
            AssessForm(data), lambda good: reviews.assess(review, text=good["text"], by=user, at=at), _("Saved."),
        ),
        "goal": (GoalForm(data), lambda good: reviews.add_goal(review, by=user, at=at, **good), _("Saved.")),
        "withdraw": (
            NumberForm(data), lambda good: reviews.withdraw_goal(_goal_of(review, good["goal"]), by=user, at=at),
            _("Taken back."),
        ),
        "outcome": (OutcomeForm(data), outcome, _("Saved.")),
        "talk": (
            TalkForm(data), lambda good: reviews.hold(review, held_at=good["held_at"], by=user, at=at),
            _("Recorded. It waits for both signatures."),
        ),
        "comment": (
            CommentForm(data), lambda good: reviews.comment(review, text=good["text"], by=user, at=at), _("Saved."),
        ),
        "ask": (
            AskForm(data), lambda good: reviews.ask_for_another(review, text=good["text"], by=user, at=at),
            _("Asked. Somebody independent decides."),
        ),
        "decide": (
            GiveForm(data, people=reviews.others_for(review, at)),
            lambda good: reviews.decide_another(review, by=user, at=at, **good), _("Decided."),
        ),
    }  # fmt: skip
    if what not in steps:
        raise Http404
    form, verb, said = steps[what]
    return _try(request, review, what, form, verb, said)


def _goal_of(review: Review, pk: int) -> Goal:
    return get_object_or_404(Goal, pk=pk, papers=review.pk)


@requires()
@require_POST
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign it, freshly signed in: who did that longer ago than some minutes is asked first, and comes back here."""
    review, user, at = load(request, pk), person(request), clock.now()
    raise_if_reauthentication_required(request, app="account")
    as_person = review.user_id == user.pk
    form = SignForm(request.POST, as_person=as_person)

    def verb(good: dict[str, Any]) -> object:
        agrees = good["agrees"] == "yes" if as_person else None
        return reviews.sign(review, digest=good["digest"], proof=_proof(request), agrees=agrees, by=user, at=at)

    return _try(request, review, "sign", form, verb, _("Signed."))


def _proof(request: HttpRequest) -> str:
    """By what this person signed in again last: "password", or the kind of second factor."""
    fresh = [row for row in get_authentication_records(request, request.user) if row.get("reauthenticated")]
    return str(fresh[-1].get("type") or fresh[-1].get("method", "")) if fresh else ""
