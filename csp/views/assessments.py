"""How breaches are read: what waits for somebody outside the team, and each reading with what shows it.

Shown by the breach, not by the ticket behind it.
"""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from csp import access, assessing, clock, exporting, offices, trail, vault
from csp.access import requires
from csp.events import Act
from csp.forms import AssessmentDecisionForm
from csp.models import AssessmentFile
from csp.roles import Permission
from csp.views import trying

SHOWN = 100


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What this person may decide, oldest first: a supervisor, or a representative of either party."""
    user = access.person(request)
    if not access.may(user, Permission.DECIDE_ASSESSMENT) and not offices.contracts_of(user, *offices.REPRESENTATIVES):
        raise PermissionDenied
    rows = list(assessing.waiting_for(user)[:SHOWN])
    return render(request, "csp/assessments.html", {"rows": rows, "at": clock.now()})


@requires()
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them, with the breach that it is about and what shows it; the form for whoever may decide."""
    by, at = access.person(request), clock.now()
    row = get_object_or_404(assessing.visible_to(by), pk=pk)
    waits = assessing.waiting_for(by).filter(pk=pk).exists()
    if request.method == "POST" and not waits:
        raise PermissionDenied
    form = AssessmentDecisionForm(request.POST or None)
    if request.method == "POST":
        done = trying.in_form(form, lambda: assessing.decide(row, by=by, at=at, **form.cleaned_data))
        if done is not None:
            messages.success(request, _("Decided."))
            return redirect("assessments")
    context = {
        "at": at, "row": row, "form": form if waits else None, "files": list(row.files.order_by("pk")),
        "attempts": list(row.attempts.order_by("at", "pk")),
    }  # fmt: skip
    return render(request, "csp/assessment.html", context, status=422 if waits and form.errors else 200)


@requires()
@require_GET
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """What shows a reading, as a download that no browser runs. Each opening is recorded."""
    user, at = access.person(request), clock.now()
    found = get_object_or_404(
        AssessmentFile.objects.select_related("blob__key").filter(assessment__in=assessing.visible_to(user)), pk=pk
    )
    try:
        content = vault.read(found.blob)
    except vault.Unreadable as error:
        raise Http404 from error
    trail.record(
        Act.ATTACHMENT_READ, f"assessment-file:{found.pk}:{user.pk}", by=user, at=at,
        context=f"assessment:{found.assessment_id}", facts={"file": found.pk},
    )  # fmt: skip
    return exporting.download(content, found.name)
