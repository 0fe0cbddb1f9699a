"""What somebody was told, newest first, with a way to where it happened."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from csp import access, clock, notices
from csp.access import requires
from csp.models import Notice

PAGE = 50


@requires()
def index(request: HttpRequest) -> HttpResponse:
    """The person's notices, unread ones marked."""
    mine = Notice.objects.filter(user=access.person(request))
    rows = mine
    after = request.GET.get("after", "")
    last = mine.filter(pk=after).first() if after.isdecimal() and len(after) < 19 else None
    if last is not None:
        rows = rows.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk))
    found = list(rows.order_by("-created_at", "-pk")[: PAGE + 1])
    shown = found[:PAGE]
    context = {
        "notices": [(row, notices.line(row)) for row in shown],
        "after": shown[-1].pk if len(found) > PAGE else "",
        "unread": mine.filter(read_at__isnull=True).count(),
    }
    return render(request, "csp/notices.html", context)


@requires()
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything read."""
    notices.mark_read(access.person(request), at=clock.now())
    return redirect("notices")


@requires()
@require_POST
def open_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one read and go to what it is about."""
    row = get_object_or_404(Notice, pk=pk, user=access.person(request))
    notices.mark_read(access.person(request), at=clock.now(), only=row)
    return HttpResponseRedirect(row.path) if row.path.startswith("/") else redirect("notices")
