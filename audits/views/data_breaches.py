"""Breaches of personal data: the list with its clocks, one case with its timeline, and its steps (clause 6.1)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from audits.forms import TextForm
from audits.privacy_forms import BreachForm, DescribeForm, NotifyForm, PersonsForm, RiskForm
from audits.views.privacy import tabs
from csp import access, clock, clockface, offices
from csp.access import person, requires, scope_of
from csp.models import DataBreach, DataBreachStep, Team, User
from csp.privacy import breaches, terms
from csp.roles import Permission
from tickets.views.door import Step, local_zone, take_step

PAGE = 50
both = require_http_methods(["GET", "POST"])
ICONS = {
    "aware": "octagon-alert", "forwarded": "send", "written_down": "pencil", "assessed": "scale", "notified": "send",
    "no_risk": "shield-check", "told": "mail", "untold": "phone", "closed": "circle-check",
}  # fmt: skip
TOLD = (DataBreachStep.Kind.TOLD, DataBreachStep.Kind.UNTOLD)


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Open cases by what falls due, then closed ones."""
    user, at = person(request), clock.now()
    rows = breaches.visible_to(user).select_related("notify", "team", "contract")
    context = {
        "at": at,
        "opened": list(rows.filter(closed_at__isnull=True).order_by("notify__due_at", "pk")[: 4 * PAGE]),
        "closed": list(rows.filter(closed_at__isnull=False).order_by("-pk")[:PAGE]),
        "may_record": _may_record(user),
        "tabs": tabs(user, "data_breaches"),
    }
    return render(request, "privacy/breaches.html", context)


def _may_record(user: User) -> bool:
    return bool(scope_of(user).grants or offices.held_by(user))


@requires()
@both
def add(request: HttpRequest) -> HttpResponse:
    """Write one down: the clock runs from awareness, and those who must know are told at once."""
    user, at = person(request), clock.now()
    if not _may_record(user):
        raise PermissionDenied
    contracts = {grant.contract_id for grant in scope_of(user).grants} | {c for c, _office in offices.held_by(user)}
    teams = Team.objects.filter(is_active=True).order_by("name", "pk")
    if not terms.is_administrator(user, at=at):
        teams = teams.filter(Q(contract__in=contracts - {None}))
    own = next((grant.team_id for grant in scope_of(user).grants if grant.team_id), None)
    form = BreachForm(request.POST or None, teams=teams, initial={"aware_at": at, "team": own})
    step = Step(
        title=_("A breach of personal data"), submit=_("Start the clock"), form=form, back=reverse("data_breaches"),
        text=_("Write what you know now. The privacy owner and the administrators are told at once."),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        row = breaches.open_breach(by=user, at=at, **good)
        return _("%(reference)s is due on %(when)s.") % {
            "reference": row.reference, "when": clockface.moment(row.notify.due_at, now=at, zone=local_zone()),
        }  # fmt: skip

    return take_step(request, step, verb)


def _load(request: HttpRequest, pk: int) -> DataBreach:
    rows = breaches.visible_to(person(request)).select_related(
        "contract", "team", "notify", "recorded_by", "decided_by"
    )
    return get_object_or_404(rows, pk=pk)


@requires()
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One case: what is known, what was decided, who was told, and when."""
    user, at, row = person(request), clock.now(), _load(request, pk)
    acts = terms.may_act(user, row.contract_id, at=at)
    steps = row.steps.select_related("by", "message", "customer").order_by("pk")
    told = [step for step in steps if step.kind in TOLD]
    context = {
        "at": at,
        "row": row,
        "acts": acts,
        "steps": [(step, ICONS.get(step.kind, "circle-check")) for step in steps if step.kind not in TOLD],
        "told": [(step, step.customer.name if acts and step.customer else _("Customer %(number)d") % {
            "number": step.customer_id}) for step in told[: 4 * PAGE]],
        "told_count": len(told),
        "by_hand": sum(step.kind == DataBreachStep.Kind.UNTOLD for step in told),
        "todo": _todo(row) if acts and row.closed_at is None else [],
        "may_hold": access.may(user, Permission.PLACE_HOLDS, team_id=row.team_id),
        "late": row.notify.state in ("breached", "met_late"),
    }  # fmt: skip
    return render(request, "privacy/breach.html", context)


@dataclasses.dataclass(frozen=True, slots=True)
class Act:
    title: Any
    submit: Any
    form: Callable[[HttpRequest, DataBreach], forms.BaseForm]
    verb: Callable[[DataBreach, dict[str, Any], User, dt.datetime], str]
    text: Any = ""
    offered: Callable[[DataBreach], bool] = lambda row: True


def _describe(row: DataBreach, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    breaches.describe(row, by=user, at=at, **good)
    return _("Written down.")


def _assess(row: DataBreach, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    breaches.assess(row, by=user, at=at, **good)
    return _("Recorded.")


def _notify(row: DataBreach, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    breaches.notify(row, by=user, at=at, **good)
    return _("Recorded: the authority was notified.")


def _no_risk(row: DataBreach, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    breaches.decide_no_risk(row, reason=good["text"], by=user, at=at)
    return _("Decided.")


def _tell(row: DataBreach, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    written, by_hand = breaches.tell_persons(row, by=user, at=at, **good)
    return _("%(written)d are written to; %(by_hand)d have to be told by hand.") % {
        "written": written, "by_hand": by_hand
    }  # fmt: skip


def _close(row: DataBreach, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    breaches.close(row, words=good["text"], by=user, at=at)
    return _("Closed.")


ACTS: dict[str, Act] = {
    "describe": Act(
        gettext_lazy("What is known by now"), gettext_lazy("Write it down"),
        lambda request, row: DescribeForm(request.POST or None, instance=row), _describe,
    ),
    "assess": Act(
        gettext_lazy("Assess the risk"), gettext_lazy("Record it"),
        lambda request, row: RiskForm(request.POST or None), _assess,
    ),
    "notify": Act(
        gettext_lazy("Notify the authority"), gettext_lazy("Record the notification"),
        lambda request, row: NotifyForm(request.POST or None, initial={"notified_at": clock.now()}), _notify,
        gettext_lazy("You notify it by its own form; here stands that, when and how you did."),
        lambda row: row.decision != DataBreach.Decision.NOTIFIED,
    ),
    "no-risk": Act(
        gettext_lazy("Decide that there is no risk"), gettext_lazy("Decide"),
        lambda request, row: TextForm(request.POST or None, label=_("Why nobody is likely to be at risk")), _no_risk,
        gettext_lazy("The authority can ask for these reasons. Silence is no decision: the clock runs."),
        lambda row: not row.decision,
    ),
    "tell": Act(
        gettext_lazy("Tell the persons concerned"), gettext_lazy("Send"),
        lambda request, row: PersonsForm(request.POST or None), _tell,
        gettext_lazy("One mail to each, with proof of its delivery."),
    ),
    "close": Act(
        gettext_lazy("Close the case"), gettext_lazy("Close"),
        lambda request, row: TextForm(
            request.POST or None, label=_("What was learnt"),
            hint=_("Where nobody was told although the risk is high, say why."),
        ),
        _close, offered=lambda row: bool(row.decision),
    ),
}  # fmt: skip


def _next(row: DataBreach) -> str:
    if row.is_high_risk is None:
        return "assess"
    if not row.decision:
        return "notify"
    if row.is_high_risk and not row.steps.filter(kind__in=TOLD).exists():
        return "tell"
    return "close"


def _todo(row: DataBreach) -> list[dict[str, Any]]:
    first = _next(row)
    names = sorted((name for name, act in ACTS.items() if act.offered(row)), key=lambda name: name != first)
    return [
        {"url": reverse("data_breach_step", args=[row.pk, name]), "label": ACTS[name].title, "first": name == first}
        for name in names
    ]


@requires()
@both
def step(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One step of a case: a form and a verb."""
    user, at, row = person(request), clock.now(), _load(request, pk)
    act = ACTS.get(name)
    if act is None or not act.offered(row):
        raise Http404
    if not terms.may_act(user, row.contract_id, at=at):
        raise PermissionDenied
    face = clockface.of(row.notify, now=at, zone=local_zone())
    form: Any = act.form(request, row)
    asked = Step(title=str(act.title), submit=str(act.submit), form=form, back=row.path, text=str(act.text), face=face)
    return take_step(request, asked, lambda good: act.verb(row, good, user, at))
