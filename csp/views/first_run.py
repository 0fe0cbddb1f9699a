"""The first days of an installation: what is missing before it can keep its promises."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from csp import clock, places, readiness
from csp.access import requires
from csp.roles import Permission


@requires(Permission.MANAGE_PEOPLE)
def show(request: HttpRequest) -> HttpResponse:
    """Every step, done or not, with a way to do it."""
    steps = readiness.steps(clock.now())
    context = {
        "steps": [(step, places.address(step.url_name)) for step in steps],
        "left": sum(not step.done for step in steps),
        "total": len(steps),
    }
    return render(request, "csp/first_run.html", context)
