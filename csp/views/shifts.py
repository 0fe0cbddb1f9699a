"""The hours of each team, and who is away: for administrators, and for supervisors of their own teams."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from csp import access, clock, shifts
from csp.access import requires
from csp.models import Absence, RoleGrant, ShiftPlan, Team, User
from csp.roles import Permission, Role
from csp.shift_forms import AbsenceForm, ShiftForm
from csp.views import trying

BOTH = require_http_methods(["GET", "POST"])


def _teams(user: User) -> list[Team]:
    """Those whose hours this person sets."""
    rows = Team.objects.filter(is_active=True).select_related("contract").order_by("name", "pk")
    scope = access.scope_of(user)
    if Role.ADMINISTRATOR in scope.roles():
        return list(rows)
    return list(rows.filter(pk__in=scope.teams_where(Permission.MANAGE_SHIFTS)))


def _people(user: User) -> list[User]:
    """Those whose absence this person enters."""
    grants = RoleGrant.objects.in_force(clock.now()).filter(team__in=_teams(user), user__is_active=True)
    return list(User.objects.filter(pk__in=grants.values("user")).order_by("name", "pk"))


@BOTH
@requires(Permission.MANAGE_SHIFTS)
def index(request: HttpRequest) -> HttpResponse:
    """Every team with its hours, who is away or will be, and a form to enter an absence."""
    by, at = access.person(request), clock.now()
    people = _people(by)
    form = AbsenceForm(request.POST or None, people=people)
    if request.method == "POST":
        entered = trying.in_form(form, lambda: shifts.enter(by=by, at=at, **form.cleaned_data))
        if entered is not None:
            messages.success(request, _("The absence of %(name)s is on record.") % {"name": entered.user.name})
            return redirect("shifts")
    absences = Absence.objects.filter(user__in=people, ends_at__gt=at).select_related("user", "deputy")
    plans = {plan.team_id: plan for plan in ShiftPlan.objects.filter(team__in=_teams(by))}
    context = {
        "teams": [(team, plans.get(team.pk)) for team in _teams(by)],
        "absences": absences.order_by("starts_at", "pk"),
        "form": form,
        "at": at,
    }
    return render(request, "csp/shifts.html", context, status=422 if form.errors else 200)


@BOTH
@requires(Permission.MANAGE_SHIFTS)
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """The hours of one team."""
    by, at = access.person(request), clock.now()
    team = get_object_or_404(Team.objects.select_related("contract"), pk=pk, pk__in=[row.pk for row in _teams(by)])
    form = ShiftForm(request.POST or None, calendar=shifts.calendar_of(team))
    if request.method == "POST":
        changed = trying.in_form(form, lambda: shifts.plan(team, by=by, at=at, **form.hours()))
        if changed is not None:
            messages.success(request, _("Saved."))
            return redirect("shifts")
    context = {
        "form": form,
        "heading": _("Hours of %(team)s") % {"team": team},
        "hint": _(
            "Hours of the day in %(zone)s, such as 9:00–12:30, 13:30–17:00; empty is closed. Only targets of the "
            "company count in them: the clocks of the contract run day and night."
        )
        % {"zone": team.contract.zone},
        "submit": _("Save"),
        "back": "..",
        "serves": "3.3",
    }
    return render(request, "csp/form.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Permission.MANAGE_SHIFTS)
def end_absence(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody is back."""
    by = access.person(request)
    row = get_object_or_404(Absence, pk=pk, user__in=_people(by))
    trying.and_say(request, partial(shifts.end, row, by=by, at=clock.now()), _("The absence has ended."))
    return redirect("shifts")
