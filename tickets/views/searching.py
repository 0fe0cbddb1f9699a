"""Search: a reference jumps, words look into subjects and conversations, names and addresses find customers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET

from csp import access, clock
from csp.models import User
from csp.roles import Permission
from tickets import search
from tickets.conversation import visible_number
from tickets.views.door import is_fragment, path_of, person
from tickets.views.opening import shown
from tickets.views.queue import rows_of

IN_PALETTE = 6


@require_GET
@access.requires(Permission.SEE_TICKETS)
def results(request: HttpRequest) -> HttpResponse:
    at, user = clock.now(), person(request)
    query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    ticket = visible_number(user, query)
    if ticket is not None:
        return HttpResponseRedirect(path_of(ticket))
    found = search.search(query, user=user) if query else search.Found()
    context = {
        "at": at,
        "query": query,
        "found": found,
        "customers": _shown(found, user),
        "lines": rows_of(found.tickets, user, at=at, seen=False),
        "limit": search.LIMIT,
        "may_work": False,
    }
    template = "tickets/search.html#found" if is_fragment(request, "found") else "tickets/search.html"
    return render(request, template, context)


def _shown(found: search.Found, user: User) -> list[dict[str, Any]]:
    """The customers that were found, as far as the person may open their page."""
    return [shown(row) for row in search.with_page(found.customers, user=user)]


@require_GET
@access.requires(Permission.SEE_TICKETS)
def palette(request: HttpRequest) -> HttpResponse:
    """The first few answers for the palette (Ctrl K), as list items."""
    at, user = clock.now(), person(request)
    query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    found = search.Found()
    if len(query) > 1 or query.isdigit():
        ticket = visible_number(user, query)
        found = search.Found([ticket]) if ticket is not None else search.search(query, user=user, limit=IN_PALETTE)
    tickets = found.tickets
    lines = rows_of(tickets, user, at=at, seen=False) if tickets else []
    people = _shown(found, user)[:3]
    context = {"at": at, "lines": lines, "customers": people, "query": query, "may_work": False}
    return render(request, "tickets/palette.html", context)
