"""Quality audits as pages: the list, the plan, one audit with its sample and findings, its report (clause 6.3)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audits import board, programme, scorecards, scoring
from audits.audit_forms import AccessForm, DrawForm, PlanForm, ScorecardForm, ends
from audits.forms import TextForm
from audits.models import Audit, AuditFinding, Draw, NonCompliance, Scorecard, Scoring
from csp import clock, clockface
from csp.access import Refused, person, requires
from csp.models import Contract, User
from tickets.models import Ticket
from tickets.views.door import Step, local_zone, number_in, take_step, without_names

both = require_http_methods(["GET", "POST"])
State = Audit.State
TONES = {State.PLANNED: "pen", State.RUNNING: "soon", State.CLOSED: "met", State.WITHDRAWN: ""}


def load(request: HttpRequest, pk: int) -> Audit:
    rows = Audit.objects.visible_to(person(request))
    related = ("contract", "scorecard", "auditor", "second", "access", "planned_by", "ended_by")
    return get_object_or_404(rows.select_related(*related), pk=pk)


def load_scores(request: HttpRequest, pk: int) -> Audit:
    """An audit whose scores and findings this person may read; whoever only lets auditors in may not."""
    audit = load(request, pk)
    if not programme.sees_scores(audit, person(request)):
        raise PermissionDenied
    return audit


@dataclasses.dataclass(slots=True)
class Sampled:
    """One draw as a list shows it. `says` is its score or what it waits for; `subject` only where it may be seen."""

    draw: Draw
    subject: str
    group: str
    says: str
    tone: str
    second: str = ""


def sampled(audit: Audit, user: User) -> list[Sampled]:
    """The draws in their order; a score that this person shall not see before signing their own is left out."""
    draws = list(audit.draws.order_by("rank"))
    visible = Ticket.objects.visible_to(user).filter(pk__in=[draw.number for draw in draws]).select_related("customer")
    subjects = {row.pk: without_names(row.subject, row.customer) for row in visible}
    cards: dict[tuple[int, bool], Scoring] = {
        (row.draw_id, row.is_second): row for row in Scoring.objects.filter(draw__audit=audit)
    }
    names = {f"team:{team.pk}": team.name for team in programme.teams_of(audit)}
    names |= {f"channel:{code}": str(label) for code, label in Ticket.Channel.choices}
    return [
        _sampled(draw, subjects.get(draw.number, ""), _named(draw.group, names), cards, audit, user) for draw in draws
    ]


def _named(group: str, names: dict[str, str]) -> str:
    """A group in words: the sample keeps `team:3 channel:mail`, from which anyone can draw it again."""
    return ", ".join(names.get(part, part) for part in group.split())


def is_blind(draw: Draw, audit: Audit, user: User, signed: bool) -> bool:
    """Whether this person scores it too and has not signed: then nobody else's card is shown."""
    return (
        draw.is_twice and not signed and audit.is_unfinished and user.pk in (audit.auditor_id, audit.second_id)
    )  # fmt: skip


def _sampled(
    draw: Draw, subject: str, group: str, cards: dict[tuple[int, bool], Scoring], audit: Audit, user: User
) -> Sampled:  # fmt: skip
    if draw.is_excused:
        return Sampled(draw, subject, group, _("Excused"), "")
    first, second = cards.get((draw.pk, False)), cards.get((draw.pk, True))
    mine = second if audit.second_id == user.pk else first
    signed = mine is not None and mine.scored_at is not None
    if is_blind(draw, audit, user, signed):
        return Sampled(draw, subject, group, _("Scoring") if mine else _("To do"), "pen" if mine else "")
    row = Sampled(draw, subject, group, _("To do"), "")
    if first is not None:
        row.says, row.tone = _("Scoring"), "pen"
        if first.scored_at is not None:
            row.says, row.tone = f"{first.percent}{clockface.NBSP}%", "met" if first.passed else "over"
    if draw.is_twice:
        row.second = f"{second.percent}{clockface.NBSP}%" if second and second.scored_at else _("to do")
    return row


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The audits that one may see, the running ones first; and who may plan another."""
    user, at = person(request), clock.now()
    rows = Audit.objects.visible_to(user).select_related("auditor", "access").order_by("-pk")[:100]
    listed = [
        (audit, TONES[State(audit.state)], scoring.result(audit), _clock(audit, at))
        for audit in sorted(rows, key=lambda one: not one.is_unfinished)
    ]
    mine = [one for one in board.contracts_of(user) if programme.may_plan(one, user, at=at)]
    context = {"at": at, "audits": listed, "may_plan": bool(mine), "cards": bool(mine) or bool(listed)}
    return render(request, "audits/audits.html", context)


def _clock(audit: Audit, at: dt.datetime) -> Any:
    """What runs next: the request for access, else the day by which the audit is to be finished."""
    if not audit.is_unfinished:
        return None
    if audit.access is not None and audit.access.is_running:
        return clockface.of(audit.access, now=at, zone=local_zone())
    return clockface.read(
        verb=_("Audit"), past=_("Audited"), starts_at=audit.planned_at, due_at=audit.ends_at, now=at, zone=local_zone()
    )


@requires()
@both
def plan(request: HttpRequest) -> HttpResponse:
    """Plan an audit."""
    user, at = person(request), clock.now()
    mine = [one for one in board.contracts_of(user) if programme.may_plan(one, user, at=at)]
    if not mine:
        raise PermissionDenied
    asked = number_in(request.GET.get("contract", ""))
    contract = next((one for one in mine if one.pk == asked), mine[0])
    today = at.astimezone(contract.zoneinfo).date()
    first = today.replace(day=1)
    last_month = (first - dt.timedelta(days=1)).replace(day=1)
    initial = {
        "since": last_month, "until": first - dt.timedelta(days=1), "begins_on": today,
        "ends_on": today + dt.timedelta(days=30), "auditor": user.pk,
    }  # fmt: skip
    form = PlanForm(request.POST or None, contract=contract, initial=initial)
    step = Step(
        title=_("Plan an audit"), submit=_("Plan it"), form=form, back=reverse("audits"), icon="clipboard-check"
    )
    made: list[Audit] = []

    def verb(_good: dict[str, Any]) -> str:
        made.append(programme.plan(contract, **form.values(), by=user, at=at))
        step.back = reverse("audit", args=[made[0].pk])
        return _("%(ref)s is planned. Access is asked for on its page.") % {"ref": made[0].reference}

    return take_step(request, step, verb)


@requires()
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One audit: how far it is, its sample, what was found, who was let in."""
    user, at, audit = person(request), clock.now(), load(request, pk)
    return render(request, "audits/audit.html", _page(audit, user, at))


def _page(audit: Audit, user: User, at: dt.datetime) -> dict[str, Any]:
    audits = user.pk in (audit.auditor_id, audit.second_id)
    sees = programme.sees_scores(audit, user)
    rows = sampled(audit, user) if sees else []
    next_draw = next((row.draw for row in rows if audits and _waits_for(row, audit, user)), None)
    return {
        "at": at,
        "audit": audit,
        "tone": TONES[State(audit.state)],
        "clock": _clock(audit, at),
        "teams": programme.teams_of(audit),
        "channels": [Ticket.Channel(code).label for code in audit.channels],
        "population": getattr(audit, "population", None),
        "result": scoring.result(audit),
        "rows": rows,
        "sees": sees,
        "next_draw": next_draw,
        "findings": list(audit.findings.select_related("team", "answer_by").order_by("number")) if sees else [],
        "accesses": list(audit.accesses.select_related("grant__user", "given_by").order_by("pk")),
        "criteria": scoring.by_criterion(audit),
        "agreement": scoring.agreement(audit) if audit.twice_percent else None,
        "left": len(programme.unfinished(audit)),
        "may_request": audit.is_unfinished and audit.requested_at is None and programme.may_request(audit, user),
        "may_give": audit.is_unfinished and audit.requested_at is not None and programme.may_give(audit, user, at=at),
        "may_score": audits and audit.state == State.RUNNING and _let_in(audit, user, at),
        "may_draw": user.pk == audit.auditor_id and audit.state == State.PLANNED and _let_in(audit, user, at),
        "may_close": user.pk == audit.auditor_id and audit.state == State.RUNNING and _let_in(audit, user, at),
        "may_withdraw": audit.state == State.PLANNED and user.pk in (audit.auditor_id, audit.planned_by_id),
    }


def _waits_for(row: Sampled, audit: Audit, user: User) -> bool:
    if row.draw.is_excused or (audit.second_id == user.pk and not row.draw.is_twice):
        return False
    return not row.draw.scorings.filter(scorer=user, scored_at__isnull=False).exists()


def _let_in(audit: Audit, user: User, at: dt.datetime) -> bool:
    try:
        programme.check_audits(audit, user, at=at)
    except Refused:
        return False
    return True


@requires()
@require_GET
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """The audit's report, to be printed: figures, and every exception that a person made."""
    user, at, audit = person(request), clock.now(), load_scores(request, pk)
    context = _page(audit, user, at)
    context["asides"] = [row for row in context["rows"] if row.draw.is_excused]
    cards = Scoring.objects.filter(draw__audit=audit, scored_at__isnull=False, draw__excused_at=None)
    if audit.is_unfinished:
        cards = cards.none()
    context["failed"] = list(
        cards.filter(is_second=False, passed=False).select_related("draw", "scorer").order_by("draw__rank")
    )
    context["cases"] = {
        case.pk: case for case in NonCompliance.objects.visible_to(user).filter(pk__in=_cases(audit)).distinct()
    }
    return render(request, "audits/audit_report.html", context)


def _cases(audit: Audit) -> list[int]:
    found = Scoring.objects.filter(draw__audit=audit).values_list("case_number", flat=True)
    followed = AuditFinding.objects.filter(audit=audit).values_list("case_number", flat=True)
    return [number for number in (*found, *followed) if number]


# ---------------------------------------------------------------- steps


def _step(request: HttpRequest, audit: Audit, form: Any, title: str, submit: str, text: str = "") -> Step:
    back = reverse("audit", args=[audit.pk])
    return Step(title=title, submit=submit, form=form, back=back, text=text, face=_clock(audit, clock.now()))


def _only(holds: bool) -> None:
    if not holds:
        raise PermissionDenied


@requires()
@both
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for access."""
    audit, user, at = load(request, pk), person(request), clock.now()
    _only(programme.may_request(audit, user))
    form = forms.Form(request.POST if request.method == "POST" else None)
    text = _("Administrators and both representatives are told; access is owed within five working days.")
    step = _step(request, audit, form, _("Ask for access"), _("Ask"), text)

    def verb(_good: dict[str, Any]) -> str:
        programme.request_access(audit, by=user, at=at)
        return _("Access is asked for. The clock runs.")

    return take_step(request, step, verb)


@requires()
@both
def let_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Give access, until a day."""
    audit, user, at = load(request, pk), person(request), clock.now()
    _only(programme.may_give(audit, user, at=at))
    initial = {"last_day": audit.ends_at.astimezone(audit.contract.zoneinfo).date() - dt.timedelta(days=1)}
    form = AccessForm(request.POST or None, initial=initial)
    names = ", ".join(one.name for one in programme.scorers(audit))
    text = _("%(names)s can read everything of this contract until then, with customers' names masked. "
             "Nothing can be changed, and every reading is recorded.") % {"names": names}  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        programme.give_access(audit, until=ends(good["last_day"], audit.contract), by=user, at=at)
        return _("Access is given. It ends by itself.")

    return take_step(request, _step(request, audit, form, _("Give access"), _("Give access"), text), verb)


@requires()
@both
def draw(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze the population and draw."""
    audit, user, at = load(request, pk), person(request), clock.now()
    _only(user.pk == audit.auditor_id)
    form = DrawForm(request.POST if request.method == "POST" else None)
    text = _("The population is frozen with its digest, then %(n)d tickets are drawn. This happens once.") % {
        "n": audit.sample_size
    }

    def verb(good: dict[str, Any]) -> str:
        rows = programme.draw(audit, by=user, at=at, seed=good["seed"])
        return _("%(n)d tickets are drawn.") % {"n": len(rows)}

    return take_step(request, _step(request, audit, form, _("Draw the sample"), _("Draw"), text), verb)


@requires()
@both
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """End the audit."""
    audit, user, at = load(request, pk), person(request), clock.now()
    _only(user.pk == audit.auditor_id)
    form = TextForm(request.POST or None, label=_("What the audit came to"))

    def verb(good: dict[str, Any]) -> str:
        programme.close(audit, conclusion=good["text"], by=user, at=at)
        return _("Closed. Findings go on until each is answered and closed.")

    return take_step(request, _step(request, audit, form, _("Close the audit"), _("Close")), verb)


@requires()
@both
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """End an audit that does not take place."""
    audit, user, at = load(request, pk), person(request), clock.now()
    _only(user.pk in (audit.auditor_id, audit.planned_by_id))
    form = TextForm(request.POST or None, label=_("Why it does not take place"))

    def verb(good: dict[str, Any]) -> str:
        programme.withdraw(audit, reason=good["text"], by=user, at=at)
        return _("Withdrawn. The plan stays on record.")

    return take_step(request, _step(request, audit, form, _("Withdraw the audit"), _("Withdraw")), verb)


# ---------------------------------------------------------------- scorecards


def _card_contract(request: HttpRequest) -> Contract:
    """The contract whose card is shown: the one that the address names, else the first of the reader's."""
    user = person(request)
    mine = board.contracts_of(user)
    audited = Audit.objects.visible_to(user).values("contract")
    mine += Contract.objects.filter(pk__in=audited).exclude(pk__in=[one.pk for one in mine]).order_by("pk")
    asked = number_in(request.GET.get("contract", ""))
    found = next((one for one in mine if one.pk == asked), mine[0] if mine else None)
    if found is None:
        raise PermissionDenied
    return found


@requires()
@require_GET
def card(request: HttpRequest) -> HttpResponse:
    """The questions that audits ask, and every version before."""
    contract, user = _card_contract(request), person(request)
    cards = list(
        Scorecard.objects.filter(contract=contract).select_related("published_by").prefetch_related("criteria")
        .order_by("-number")
    )  # fmt: skip
    context = {
        "at": clock.now(), "contract": contract, "cards": cards,
        "standard": [] if cards else scorecards.STANDARD, "may_publish": scorecards.may_publish(contract, user),
    }  # fmt: skip
    return render(request, "audits/scorecard.html", context)


@requires()
@both
def publish_card(request: HttpRequest) -> HttpResponse:
    """Publish the next version of the card."""
    contract, user, at = _card_contract(request), person(request), clock.now()
    _only(scorecards.may_publish(contract, user, at=at))
    last = Scorecard.objects.filter(contract=contract).order_by("-number").first()
    asked: Any = last.criteria.order_by("position") if last is not None else scorecards.STANDARD
    form = ScorecardForm(request.POST or None, initial={"lines": ScorecardForm.written(asked)})
    step = Step(
        title=_("Publish a scorecard"), submit=_("Publish"), form=form,
        back=f"{reverse('scorecard')}?contract={contract.pk}",
        text=_("Audits that are planned keep the version that they were planned with."),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        fresh = scorecards.publish(contract, good["lines"], because=good["because"], by=user, at=at)
        return _("Version %(n)d is published.") % {"n": fresh.number}

    return take_step(request, step, verb)
