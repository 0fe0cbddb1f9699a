"""The floor on the same stack: a page that does nothing, and the ideal queue page, served beside ours."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.template import Template, engines
from django.urls import include, path

from tickets.models import Ticket

_ROW = (
    "<tr><td>{{ t.pk }}</td><td>{{ t.subject }}</td><td>{{ t.state }}</td><td>{{ t.kind }}</td><td>{{ t.channel }}</td>"
    "<td>{{ t.excerpt }}</td><td>{{ t.next_obligation }}</td><td>{{ t.next_due_at }}</td></tr>"
)
_made: list[Template] = []


def bare(request: HttpRequest) -> HttpResponse:
    """Thirty kilobytes of text: what Django and its middleware cost."""
    return HttpResponse("x" * 30_000)


bare.guard = "open"  # type: ignore[attr-defined]  # the guard that csp.checks looks for


@login_required
def ideal(request: HttpRequest) -> HttpResponse:
    """Session, person, one indexed query, a template of fifty rows and eight cells."""
    rows = (
        Ticket.objects.filter(assignee=request.user.pk, state__in=["new", "open", "waiting"])
        .order_by(F("next_due_at").asc(nulls_last=True), "pk")
        .only("subject", "state", "kind", "channel", "excerpt", "next_obligation", "next_due_at")[:50]
    )
    if not _made:
        page = f"<!doctype html><title>Ideal</title><table>{{% for t in rows %}}{_ROW}{{% endfor %}}</table>"
        _made.append(engines["django"].from_string(page))
    return HttpResponse(_made[0].render({"rows": rows}, request))


ideal.guard = ()  # type: ignore[attr-defined]  # as above

urlpatterns = [path("bench/bare/", bare), path("bench/ideal/", ideal), path("", include("csp.urls"))]
