"""Teams, and the names in the contract's record. For administrators."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from csp import access, clock, teams
from csp.access import requires
from csp.forms import ContractForm, NewTeamForm, TeamForm
from csp.models import Contract, Team
from csp.roles import Permission, Role
from csp.views import trying

guarded = requires(Permission.MANAGE_TEAMS)


@guarded
def index(request: HttpRequest) -> HttpResponse:
    """Every team with its people; a team without a supervisor stands out, for its overdue work goes to nobody."""
    now = Q(grants__user__is_active=True, grants__ends_at__isnull=True)
    rows = Team.objects.select_related("contract").annotate(
        people=Count("grants", filter=now & Q(grants__role=Role.REPRESENTATIVE), distinct=True),
        supervisors=Count("grants", filter=now & Q(grants__role=Role.SUPERVISOR), distinct=True),
    )
    return render(request, "csp/teams.html", {"teams": rows.order_by("-is_active", "name", "pk")})


@guarded
def add(request: HttpRequest) -> HttpResponse:
    """A new team."""
    form = NewTeamForm(request.POST or None)
    by, at = access.person(request), clock.now()
    if request.method == "POST":
        team = trying.in_form(form, lambda: teams.add(by=by, at=at, **form.cleaned_data))
        if team is not None:
            messages.success(request, _("The team %(name)s is there. Now give people roles in it.") % {"name": team})
            return redirect("teams")
    context = {"form": form, "heading": _("Add a team"), "submit": _("Add the team"), "back": ".."}
    return render(request, "csp/form.html", context, status=422 if form.errors else 200)


@guarded
def team(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a team, or let it rest."""
    row = get_object_or_404(Team, pk=pk)
    form = TeamForm(request.POST or None, initial={name: getattr(row, name) for name in TeamForm.base_fields})
    by, at = access.person(request), clock.now()
    if request.method == "POST":
        changed = trying.in_form(form, lambda: teams.change(row, by=by, at=at, **form.cleaned_data))
        if changed is not None:
            messages.success(request, _("Saved."))
            return redirect("teams")
    context = {"form": form, "heading": row.name, "submit": _("Save"), "back": ".."}
    return render(request, "csp/form.html", context, status=422 if form.errors else 200)


@guarded
def contract(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The names in the contract's record; with several contracts, a list of them first."""
    if pk is None:
        found = list(Contract.objects.order_by("pk")[:2])
        if len(found) > 1:
            return render(request, "csp/contracts.html", {"contracts": Contract.objects.order_by("pk")})
        row = found[0]
    else:
        row = get_object_or_404(Contract, pk=pk)
    form = ContractForm(request.POST or None, initial={name: getattr(row, name) for name in teams.CONTRACT_FIELDS})
    by, at = access.person(request), clock.now()
    if request.method == "POST":
        changed = trying.in_form(form, lambda: teams.change_contract(row, form.cleaned_data, by=by, at=at))
        if changed is not None:
            messages.success(request, _("Saved."))
            return redirect("contract_settings")
    context = {
        "form": form,
        "heading": _("The contract's record"),
        "hint": _("Names and addresses only. What the contract promises changes by a new version that both sign."),
        "submit": _("Save"),
        "back": "..",
    }
    return render(request, "csp/form.html", context, status=422 if form.errors else 200)
