"""The supervisors' inbox: low scores and remarks, each with its clock (clause 2.2)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from csp import clock, clockface
from csp.access import person, requires, scope_of
from csp.roles import Permission, Role
from feedback import log
from feedback.forms import HandleForm
from feedback.models import Outcome, Remark
from feedback.views.tabs import shell
from tickets.views.door import Step, local_zone, take_step

PAGE = 50


@requires(Permission.HANDLE_FEEDBACK)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What waits, by what falls due; what was seen to lately below."""
    user, at = person(request), clock.now()
    teams = scope_of(user).teams(Role.SUPERVISOR)
    own = Remark.objects.filter(team__in=teams)
    waiting = own.waiting().select_related("team", "inbox").order_by("inbox__due_at", "pk")
    done = Outcome.objects.filter(remark__team__in=teams, remark__inbox__isnull=False)
    context = {
        "at": at,
        "waiting": list(waiting[:PAGE]),
        "more": own.waiting()[PAGE : PAGE + 1].exists(),
        "done": list(done.select_related("remark__team", "by").order_by("-at")[:10]),
        **shell(user, "feedback_inbox"),
    }
    return render(request, "feedback/inbox.html", context)


@requires(Permission.HANDLE_FEEDBACK)
@require_http_methods(["GET", "POST"])
def handle(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what became of one."""
    user, at = person(request), clock.now()
    remark = get_object_or_404(Remark.objects.visible_to(user).select_related("inbox"), pk=pk)
    face = clockface.of(remark.inbox, now=at, zone=local_zone()) if remark.inbox else None
    step = Step(
        title=_("What became of %(reference)s") % {"reference": remark.reference},
        submit=_("Record it"),
        form=HandleForm(request.POST or None),
        back=reverse("remark", args=[pk]),
        text=remark.words[:300],
        face=face,
    )

    def verb(typed: dict[str, Any]) -> str:
        outcome = log.handle(remark, by=user, at=at, **typed)
        if outcome.ticket is not None:
            return _("%(ticket)s was opened, with its clocks from the receipt of the feedback.") % {
                "ticket": outcome.ticket.reference
            }
        return _("Recorded.")

    return take_step(request, step, verb, onwards=reverse("feedback_inbox"))
