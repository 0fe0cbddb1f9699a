"""Readings of breaches that wait for somebody outside the team: shown by the breach, not by the ticket behind it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from csp import access, assessing, clock
from csp.access import requires
from csp.forms import AssessmentDecisionForm
from csp.roles import Permission
from csp.views import trying

SHOWN = 100


@requires(Permission.DECIDE_ASSESSMENT)
def index(request: HttpRequest) -> HttpResponse:
    """What this person may decide, oldest first."""
    rows = list(assessing.waiting_for(access.person(request))[:SHOWN])
    return render(request, "csp/assessments.html", {"rows": rows, "at": clock.now()})


@requires(Permission.DECIDE_ASSESSMENT)
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them, with the breach that it is about."""
    by, at = access.person(request), clock.now()
    row = get_object_or_404(assessing.waiting_for(by), pk=pk)
    form = AssessmentDecisionForm(request.POST or None)
    if request.method == "POST":
        done = trying.in_form(form, lambda: assessing.decide(row, by=by, at=at, **form.cleaned_data))
        if done is not None:
            messages.success(request, _("Decided."))
            return redirect("assessments")
    return render(request, "csp/assessment.html", {"row": row, "form": form}, status=422 if form.errors else 200)
