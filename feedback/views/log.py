"""The feedback log as analysts, supervisors and auditors read it, and what representatives see of it (clause 4.2)."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import QuerySet
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, clock
from csp.access import Refused, contracts_of, person, requires, scope_of
from csp.exporting import Format, Recipient, Taking, as_file, only
from csp.models import Contract, Team, User
from csp.roles import Permission as P
from csp.roles import Role
from feedback import exporting, groups, importing, log, surveys
from feedback.forms import EntryForm, ImportForm, ReasonForm, RuleForm
from feedback.models import Outcome, Remark, Theme
from feedback.views.tabs import shell
from tickets.models import Ticket
from tickets.views.door import Step, go, local_zone, number_in, refuse, take_step

PAGE = 50
LARGEST = 5_000_000


def _teams(request: HttpRequest) -> Any:
    """The teams whose feedback this person enters or imports."""
    scope = scope_of(person(request))
    mine = scope.teams(Role.REPRESENTATIVE, Role.SUPERVISOR)
    teams = Team.objects.filter(is_active=True)
    return teams.filter(pk__in=mine) | teams.filter(contract__in=scope.contracts(Role.ANALYST))


def _narrowed(request: HttpRequest) -> tuple[QuerySet[Remark], dict[str, str]]:
    """The remarks that this person may read, narrowed by the address, newest first; and to what."""
    asked = request.GET
    score, source = asked.get("score", ""), asked.get("source", "")
    words = asked.get("q", "").replace("\x00", "").strip()[:200]
    rows = Remark.objects.visible_to(person(request)).order_by("-pk")
    if score == "low":
        rows = rows.filter(score__lte=3)
    elif score == "high":
        rows = rows.filter(score__gte=4)
    if source in Remark.Source.values:
        rows = rows.filter(source=source)
    if words:
        rows = rows.filter(search=SearchQuery(words, config="simple", search_type="websearch"))
    return rows, {"score": score, "source": source, "q": words}


@requires(P.SEE_FEEDBACK, P.SEE_FEEDBACK_GROUPS)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The log, newest first; whoever may not read it is sent to the figures."""
    user = person(request)
    if not access.may(user, P.SEE_FEEDBACK):
        return redirect("feedback_groups")
    rows, narrowed = _narrowed(request)
    rows = rows.select_related("team", "inbox", "outcome")
    asked = request.GET
    score, source, words = narrowed["score"], narrowed["source"], narrowed["q"]
    if (after := number_in(asked.get("after", ""))) is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: PAGE + 1])
    context = {
        "remarks": found[:PAGE],
        "after": found[PAGE - 1].pk if len(found) > PAGE else "",
        "score": score,
        "source": source,
        "sources": Remark.Source.choices,
        "q": words,
        "may_export": access.may(user, P.EXPORT_FEEDBACK),
        **shell(user, "feedback"),
    }
    return render(request, "feedback/log.html", context)


@requires(P.EXPORT_FEEDBACK, P.SEE_FEEDBACK_GROUPS)
@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """The log as it is narrowed, for the feedback team and auditors; for others the figures of whole groups."""
    user, at, zone = person(request), clock.now(), local_zone()
    if access.may(user, P.EXPORT_FEEDBACK):
        found, narrowed = _narrowed(request)
        mine = scope_of(user).contracts(Role.ANALYST, Role.AUDITOR)
        found = found.filter(contract__in=mine)
        try:
            to = Recipient.read(request.POST.get("recipient", ""))
        except Refused as refusal:
            return refuse(request, refusal, f"{reverse('feedback')}?{request.GET.urlencode()}")
        taking = Taking(user, "feedback.remark", Format.CSV, narrowed, only(mine), to)
        heads, rows, name = exporting.heads(), lambda: exporting.rows(found, zone), "feedback"
    else:
        teams = list(_watched(user))
        taking = Taking(user, "feedback.groups", Format.CSV, narrowed={})
        heads, rows, name = exporting.group_heads(), lambda: exporting.group_rows(teams), "feedback-figures"
    return as_file(taking, heads, rows, name=f"{name}-{at:%Y-%m-%d}", at=at)


def _watched(user: User) -> QuerySet[Team]:
    """The teams in which this person works or which they watch."""
    scope = scope_of(user)
    teams = Team.objects.filter(pk__in=scope.teams(Role.REPRESENTATIVE, Role.SUPERVISOR)) | Team.objects.filter(
        contract__in=scope.contracts(Role.ANALYST, Role.AUDITOR)
    )
    return teams.order_by("name", "pk")


@requires(P.SEE_FEEDBACK_GROUPS)
@require_GET
def groups_page(request: HttpRequest) -> HttpResponse:
    """Figures of complete groups of five, for each team that this person works in or watches."""
    user = person(request)
    found = [(team, groups.of_team(team)) for team in _watched(user)[:PAGE]]
    return render(
        request, "feedback/groups.html", {"teams": found, "size": groups.FIVE, **shell(user, "feedback_groups")}
    )


@requires(P.SEE_FEEDBACK)
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One remark, what became of it, and who looked."""
    user = person(request)
    rows = Remark.objects.visible_to(user).select_related("team", "inbox", "outcome__by", "outcome__ticket")
    remark = get_object_or_404(rows, pk=pk)
    outcome: Outcome | None = getattr(remark, "outcome", None)
    ticket = outcome.ticket if outcome else None
    context = {
        "remark": remark,
        "outcome": outcome,
        "ticket": ticket if ticket and Ticket.objects.visible_to(user).filter(pk=ticket.pk).exists() else None,
        "may_handle": log.can_handle(remark, user) and remark.inbox is not None and outcome is None,
        "may_hold": access.may(user, P.PLACE_HOLDS, team_id=remark.team_id),
        "may_open": access.may(user, P.OPEN_IDENTITIES, team_id=remark.team_id) and hasattr(remark, "identity"),
        "themes": list(Theme.objects.visible_to(user).filter(
            texts__remark=remark, texts__removed_at__isnull=True).order_by("name", "pk")),
        "may_sort": access.may(user, P.SORT_THEMES, contract_id=remark.contract_id),
        "at": clock.now(),
    }  # fmt: skip
    return render(request, "feedback/remark.html", context)


@requires(P.OPEN_IDENTITIES)
@never_cache
@require_http_methods(["GET", "POST"])
def who(request: HttpRequest, pk: int) -> HttpResponse:
    """Who said it: shown once, for a reason."""
    user, at = person(request), clock.now()
    remark = get_object_or_404(Remark.objects.visible_to(user), pk=pk)
    form = ReasonForm(request.POST or None)
    context: dict[str, Any] = {"remark": remark, "form": form}
    if request.method == "POST" and form.is_valid():
        try:
            context["who"], context["words"] = log.open_identity(
                remark, reason=form.cleaned_data["reason"], by=user, at=at
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return render(request, "feedback/who.html", context, status=422 if form.errors else 200)


@requires(P.ENTER_FEEDBACK)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Feedback that came by telephone or on paper."""
    user, at = person(request), clock.now()
    form = EntryForm(request.POST or None, teams=_teams(request).order_by("name", "pk"), initial={"received_at": at})
    onwards = reverse("feedback")
    step = Step(title=_("Log feedback"), submit=_("Put it in the log"), form=form, back=onwards)

    def verb(typed: dict[str, Any]) -> str:
        who_said = log.Who(name=typed.pop("name").strip(), address=typed.pop("address").strip().lower())
        remark, _new = log.record(by=user, at=at, who=who_said, soon="", **typed)
        return _("Logged as %(reference)s.") % {"reference": remark.reference}

    return take_step(request, step, verb)


@requires(P.IMPORT_FEEDBACK)
@require_http_methods(["GET", "POST"])
def bring_in(request: HttpRequest) -> HttpResponse:
    """Feedback out of a file: all lines, or what is wrong with which."""
    user, at = person(request), clock.now()
    form = ImportForm(request.POST or None, request.FILES or None)
    problems: list[importing.Problem] = []
    good: list[importing.Row] = []
    if request.method == "POST" and form.is_valid():
        contract = next(c for c in contracts_of(user) if access.may(user, P.IMPORT_FEEDBACK, contract_id=c.pk))
        teams = Team.objects.filter(contract=contract, is_active=True).order_by("pk")
        file = form.cleaned_data["file"]
        try:
            if file.size > LARGEST:
                raise Refused(_("The file is larger than 5 MB. Cut it in pieces."))
            good, problems = importing.read(file.read(), teams, zone=local_zone(), at=at)
            if not problems:
                new = importing.bring_in(good, contract, by=user, at=at)
                said = ngettext("%(count)d remark is in the log.", "%(count)d remarks are in the log.", new)
                if len(good) > new:
                    said += " " + _("The others were there before.")
                return go(request, reverse("feedback"), said % {"count": new})
        except Refused as refusal:
            form.add_error("file", str(refusal))
    context = {"form": form, "problems": problems[:200], "left_out": max(len(problems) - 200, 0), "good": len(good)}
    return render(request, "feedback/import.html", context, status=422 if form.errors or problems else 200)


@requires(P.MANAGE_SURVEYS)
@require_http_methods(["GET", "POST"])
def survey_rule(request: HttpRequest) -> HttpResponse:
    """Whether, when and how often customers are asked."""
    user, at = person(request), clock.now()
    contract: Contract = next(c for c in contracts_of(user) if access.may(user, P.MANAGE_SURVEYS, contract_id=c.pk))
    form = RuleForm(
        request.POST or None,
        initial=model_to_dict(surveys.rule_of(contract), fields=["is_on", "wait_hours", "cap_days"]),
    )
    step = Step(
        title=_("Survey after a resolved matter"),
        submit=_("Save the rule"),
        form=form,
        back=reverse("feedback"),
        text=_("The product asks by this rule alone; nobody chooses who is asked. The text is under Settings, Texts."),
    )

    def verb(typed: dict[str, Any]) -> str:
        surveys.change_rule(contract, by=user, at=at, **typed)
        return _("Saved.")

    return take_step(request, step, verb)
