"""Measures: which are proposed and in force, one of them with hearing, decision and appeal (clause 8.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audits import independence, measures, proposals
from audits.forms import DecideForm, EndForm, TextForm, VerdictForm, day_ends
from audits.models import Appeal, Measure, NonCompliance
from csp import clock
from csp.access import Refused, person, requires
from csp.models import Restriction, User
from tickets.views.door import go

State = Measure.State
PAGE = 100


def load(request: HttpRequest, pk: int) -> Measure:
    rows = Measure.objects.visible_to(person(request))
    return get_object_or_404(
        rows.select_related(
            "case__contract", "case__team", "person", "proposed_by", "decided_by", "cosigner", "ended_by"
        ).distinct(),
        pk=pk,
    )


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What limits my work, what is proposed or in force where I have a say, and the rules by which it is proposed."""
    user, at = person(request), clock.now()
    visible = Measure.objects.visible_to(user).select_related("case", "person").distinct()
    context = {
        "at": at,
        "mine": Restriction.objects.in_force(at).filter(user=user).order_by("ends_at", "pk"),
        "open": visible.filter(state__in=[State.PROPOSED, State.IN_FORCE]).order_by("state", "pk")[:PAGE],
        "past": visible.filter(state__in=[State.DECLINED, State.ENDED]).order_by("-pk")[:PAGE],
        "rules": [(rule.when, Measure.Kind(rule.proposes).label) for rule in proposals.RULES.values()],
        "hearing_days": proposals.HEARING.days,
    }
    return render(request, "audits/measures.html", context)


@requires()
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, load(request, pk))


def _page(
    request: HttpRequest, measure: Measure, *, tried: tuple[str, forms.Form] | None = None, status: int = 200
) -> HttpResponse:
    """One measure, and the form of whatever this person can do about it."""
    user, at = person(request), clock.now()
    appeal = Appeal.objects.filter(measure=measure).select_related("decided_by").first()
    offered = _offered(measure, appeal, user)
    if tried is not None:
        offered[tried[0]] = tried[1]
    context = {
        "at": at,
        "measure": measure,
        "case": measure.case,
        "sees_case": NonCompliance.objects.visible_to(user).filter(pk=measure.case_id).exists(),
        "is_mine": measure.person_id == user.pk,
        "rule": proposals.RULES.get(measure.rule),
        "limits": [Restriction.Kind(code).label for code in measure.restricts],
        "appeal": appeal,
        "forms": offered,
        "waits_for": measure.answer_by if measure.state == State.PROPOSED and measure.heard_at is None else None,
    }
    return render(request, "audits/measure.html", context, status=status)


def _offered(measure: Measure, appeal: Appeal | None, user: User) -> dict[str, forms.Form]:
    """What this person can do now; a verb still says no to what it must not do."""
    found: dict[str, forms.Form] = {}
    is_mine = measure.person_id == user.pk
    decides = independence.may_decide(measure, user) and not is_mine
    heard = measure.heard_at is not None
    if measure.state == State.PROPOSED and not heard and (is_mine or (measure.person_id is None and decides)):
        found["hear"] = _hear_form(measure)
    if measure.state == State.PROPOSED and decides and measure.proposed_by_id != user.pk:
        found["decide"] = DecideForm(measure=measure)
    if measure.state == State.IN_FORCE and decides and measure.proposed_by_id != user.pk:
        found["end"] = EndForm(measure=measure)
    if measure.state == State.IN_FORCE and is_mine and appeal is None:
        found["appeal"] = _appeal_form()
    waits = appeal is not None and appeal.decided_at is None
    if waits and decides and user.pk not in (measure.decided_by_id, measure.proposed_by_id):
        found["decide_appeal"] = _appeal_verdict()
    return found


def _hear_form(measure: Measure, data: object = None) -> TextForm:
    if measure.person_id is None:
        return TextForm(data, label=_("Who was heard, and what they said"))
    hint = _("Left empty, it is recorded that you chose to say nothing.")
    return TextForm(data, label=_("What you say to this"), hint=hint, required=False)


def _appeal_form(data: object = None) -> TextForm:
    hint = _("It stays in force until somebody who had no part in it has decided.")
    return TextForm(data, label=_("Why it is wrong"), hint=hint)


def _appeal_verdict(data: object = None) -> VerdictForm:
    return VerdictForm(
        data, question=_("Is the appeal right?"), yes=_("Yes: the measure ends now"), no=_("No: it stays")
    )


def _try(
    request: HttpRequest,
    measure: Measure,
    name: str,
    form: forms.Form,
    verb: Callable[[dict[str, Any]], object],
    said: str,
) -> HttpResponse:
    """Do the verb with what was typed; a refusal comes back above the form, which keeps its text."""
    if form.is_valid():
        try:
            verb(form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, reverse("measure", args=[measure.pk]), said)
    return _page(request, measure, tried=(name, form), status=422)


@requires()
@require_POST
def hear(request: HttpRequest, pk: int) -> HttpResponse:
    """The one concerned says something, or nothing."""
    measure, user, at = load(request, pk), person(request), clock.now()
    return _try(
        request, measure, "hear", _hear_form(measure, request.POST),
        lambda good: measures.hear(measure, by=user, at=at, statement=good["text"]), _("Recorded."),
    )  # fmt: skip


@requires()
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the measure, or not."""
    measure, user, at = load(request, pk), person(request), clock.now()

    def verb(good: dict[str, Any]) -> object:
        return measures.decide(
            measure,
            adopt=good["verdict"] == "yes",
            why=good["why"],
            by=user,
            at=at,
            ends_at=day_ends(good["last_day"], measure.case) if good["last_day"] else None,
            limits=[Restriction.Kind(code) for code in good.get("limits", [])],
            course=good.get("course", ""),
            cosigner=good.get("cosigner"),
        )

    return _try(request, measure, "decide", DecideForm(request.POST, measure=measure), verb, _("Decided."))


@requires()
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Lift a measure before its time, or end it because the training was passed."""
    measure, user, at = load(request, pk), person(request), clock.now()
    return _try(
        request, measure, "end", EndForm(request.POST, measure=measure),
        lambda good: measures.end(measure, how=Measure.Ended(good["how"]), by=user, at=at, note=good["note"]),
        _("Ended."),
    )  # fmt: skip


@requires()
@require_POST
def appeal(request: HttpRequest, pk: int) -> HttpResponse:
    """The one concerned says that it is wrong."""
    measure, user, at = load(request, pk), person(request), clock.now()
    return _try(
        request, measure, "appeal", _appeal_form(request.POST),
        lambda good: measures.appeal(measure, by=user, at=at, text=good["text"]), _("Your appeal is on its way."),
    )  # fmt: skip


@requires()
@require_POST
def decide_appeal(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody who had no part in it decides the appeal."""
    measure, user, at = load(request, pk), person(request), clock.now()
    row = get_object_or_404(Appeal, measure=measure)
    return _try(
        request, measure, "decide_appeal", _appeal_verdict(request.POST),
        lambda good: measures.decide_appeal(
            row, upheld=good["verdict"] == "yes", answer=good["note"], by=user, at=at
        ),
        _("Decided."),
    )  # fmt: skip
