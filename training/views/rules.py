"""The rule that work waits for training and the appeals against it; the round for everyone; the privacy policy."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, clock
from csp.access import Refused, person, requires
from csp.models import Contract, Restriction
from csp.roles import Permission
from tickets.views.door import Step, go, refuse, take_step
from training import acknowledging, gate, matrix, requirements, rounds
from training.forms import AppealForm, GateForm, PolicyForm, RoundForm
from training.models import Appeal, Assignment, Gate, Policy, Round

SEES, MANAGES = Permission.SEE_TRAINING, Permission.MANAGE_TRAINING


def _contract(request: HttpRequest) -> Contract:
    """The one that the address names, among one's own; else the first of them."""
    mine = access.contracts_of(person(request))
    wanted = request.GET.get("contract") or request.POST.get("contract")
    found = next((row for row in mine if str(row.pk) == wanted), mine[0] if mine else None)
    if found is None:
        raise Http404
    return found


@requires()
@require_http_methods(["GET", "POST"])
def rule(request: HttpRequest) -> HttpResponse:
    """The rule as published, for everybody; those who manage training publish the next."""
    user, at, contract = person(request), clock.now(), _contract(request)
    now = gate.in_force(contract, at)
    manages = access.may(user, MANAGES, contract_id=contract.pk)
    first = {"text": now.text, "restricts": now.restricts, "days_present": now.days_present} if now else {
        "text": _("Until somebody has passed the courses of their role, a supervisor co-signs their answers."),
        "restricts": [Restriction.Kind.COSIGN],
    }  # fmt: skip
    form = GateForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            gate.publish(contract, by=user, at=at, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, f"{request.path}?contract={contract.pk}", _("Published."))
    waiting = Assignment.objects.owed().filter(contract=contract, restricted_at__isnull=False)
    context = {
        "at": at,
        "contract": contract,
        "rule": now,
        "limits": [Restriction.Kind(code).label for code in now.restricts] if now else [],
        "past": Gate.objects.filter(contract=contract, ended_at__isnull=False).order_by("-number")[:20],
        "form": form if manages else None,
        "limited": waiting.values("user").distinct().count(),
        "appeals": _appeals(request),
        "manages": manages,
        "oversees": access.may(user, SEES),
    }
    return render(request, "training/rule.html", context, status=422 if form.errors else 200)


def _appeals(request: HttpRequest) -> list[Appeal]:
    """The appeals that this person may decide."""
    user, at = person(request), clock.now()
    rows = Appeal.objects.filter(decided_at__isnull=True).select_related(
        "assignment__user", "assignment__course", "assignment__gate", "assignment__contract"
    )
    return [row for row in rows.order_by("filed_at")[:100] if gate.can_decide(row.assignment, user, at)]


@requires(MANAGES)
@require_POST
def end_rule(request: HttpRequest) -> HttpResponse:
    contract = _contract(request)
    back = f"{reverse('training_rule')}?contract={contract.pk}"
    try:
        gate.end(contract, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, back)
    return go(request, back, _("Nobody's work waits for training any more."))


@requires()
@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide an appeal: somebody who had no part in it."""
    user, at = person(request), clock.now()
    rows = Appeal.objects.select_related(
        "assignment__user", "assignment__course", "assignment__gate", "assignment__contract"
    )
    made = get_object_or_404(rows, pk=pk)
    if not gate.can_decide(made.assignment, user, at):
        raise Http404
    step = Step(
        title=_("Decide the appeal"), submit=_("Decide"), form=AppealForm(request.POST or None),
        back=reverse("training_owed", args=[made.assignment_id]),
        text=f"{made.assignment.user.name}, {made.assignment.course}: {made.text}",
    )  # fmt: skip

    def verb(good: dict[str, str]) -> str:
        requirements.decide_appeal(
            made, upheld=good["verdict"] == "yes", answer=good["answer"], by=user, at=at,
            until=good["until"],  # type: ignore[arg-type]  # the form cleans it to a moment
        )  # fmt: skip
        return _("Decided.")

    return take_step(request, step, verb, onwards=reverse("training_rule"))


# ---------------------------------------------------------------- rounds


@requires(SEES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The round to come and those that were."""
    user = person(request)
    rows = Round.objects.filter(contract__in=access.contracts_of(user)).select_related(
        "deadline", "conducted_by", "contract"
    )
    context = {
        "at": clock.now(),
        "coming": rows.filter(conducted_at__isnull=True).order_by("deadline__due_at"),
        "past": rows.filter(conducted_at__isnull=False).order_by("-conducted_at")[:50],
        "manages": access.may(user, MANAGES),
        "oversees": True,
    }
    return render(request, "training/rounds.html", context)


@requires(SEES)
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One round: conduct it, or see how it was; add who took part as well."""
    user, at = person(request), clock.now()
    rows = Round.objects.filter(contract__in=access.contracts_of(user))
    row = get_object_or_404(rows.select_related("deadline", "conducted_by", "contract"), pk=pk)
    there = set(row.attendances.values_list("user", flat=True))
    people = matrix.people_of(user, at).exclude(pk__in=there | {user.pk})
    form = RoundForm(request.POST or None, people=people)
    if row.conducted_at is not None:
        del form.fields["changed"], form.fields["summary"]
    if request.method == "POST" and form.is_valid():
        good = form.cleaned_data
        try:
            if row.conducted_at is None:
                rounds.conduct(
                    row, changed=good["changed"] == "yes", summary=good["summary"], people=good["people"], by=user,
                    at=at,
                )  # fmt: skip
            else:
                rounds.attend(row, good["people"], by=user, at=at)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, request.path, _("Recorded."))
    context = {
        "at": at,
        "row": row,
        "present": row.attendances.select_related("user", "recorded_by").order_by("user__name"),
        "form": form if access.may(user, MANAGES) else None,
        "oversees": True,
    }
    return render(request, "training/round.html", context, status=422 if form.errors else 200)


# ---------------------------------------------------------------- the privacy policy


@requires(MANAGES)
@require_http_methods(["GET", "POST"])
def policy(request: HttpRequest) -> HttpResponse:
    """Publish the privacy policy for staff."""
    user, at, contract = person(request), clock.now(), _contract(request)
    last = Policy.objects.filter(contract=contract).order_by("-number").first()
    form = PolicyForm(request.POST or None, initial={"title": last.title, "text": last.text} if last else {})
    if request.method == "POST" and form.is_valid():
        try:
            acknowledging.publish_policy(contract, by=user, at=at, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, reverse("training"), _("Published. Everybody is asked to read it."))
    context = {
        "at": at, "form": form, "title": _("Privacy policy for staff"), "submit": _("Publish"), "oversees": True,
        "hint": _("A new version is read and acknowledged by everybody anew."),
    }  # fmt: skip
    return render(request, "training/form.html", context, status=422 if form.errors else 200)
