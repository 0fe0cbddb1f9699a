"""What open pages ask every two seconds: is anything new? (changes.js) It also says who is here."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from csp import access, clock
from csp.roles import Permission
from tickets import changes, desk
from tickets.models import Ticket
from tickets.queues import View
from tickets.views.door import number_in, person


@require_GET
@access.requires(Permission.SEE_TICKETS)
def ask(request: HttpRequest) -> HttpResponse:
    """204 while nothing changed in the scope since the cursor; otherwise the new cursor and what to do about it."""
    scope, _colon, name = request.GET.get("scope", "").partition(":")
    since, user = request.GET.get("since", ""), person(request)
    if scope == "queue" and name in set(View):
        return _queue(View(name), user, since)
    if scope == "ticket" and (number := number_in(name)) is not None:
        return _ticket(number, user, since)
    if scope == "escalations" and access.may(user, Permission.SEE_ESCALATIONS):
        return _plain(changes.of_escalations(user), since, _("The board changed"))
    if scope == "unsorted" and access.may(user, Permission.SORT_MAIL):
        return _plain(changes.of_unsorted(user), since, _("The unsorted mail changed"))
    return HttpResponseBadRequest()


def _plain(cursor: str, since: str, text: str) -> HttpResponse:
    if cursor == since:
        return HttpResponse(status=204)
    return JsonResponse({"cursor": cursor, "text": text, "refresh": True})


def _queue(view: View, user: Any, since: str) -> HttpResponse:
    cursor = changes.of_queue(view, user, since, at=clock.now())
    if cursor == since:
        return HttpResponse(status=204)
    number = max(1, changes.tickets_since(view, user, since))
    text = ngettext("%(n)d ticket changed", "%(n)d tickets changed", number) % {"n": number}
    return JsonResponse({"cursor": cursor, "text": text, "refresh": True})


def _ticket(number: int, user: Any, since: str) -> HttpResponse:
    """News on one ticket. A message of the customer is held behind a bar: showing it is reading it (clause 3.1)."""
    at = clock.now()
    ticket = Ticket.objects.visible_to(user).filter(pk=number).first()
    if ticket is None:
        return HttpResponseBadRequest()
    if access.may(user, Permission.WORK_TICKETS, team_id=ticket.team_id):
        desk.stay(ticket, by=user, at=at)
    here = "".join(f"-{row.user_id}{'w' if row.is_writing else ''}" for row in desk.others_here(ticket, user, at=at))
    cursor = f"{changes.of_ticket(number)}{here}"
    if cursor == since:
        return HttpResponse(status=204)
    shown = number_in(since.partition("-")[0]) or 0
    is_new = bool(shown) and changes.heard_since(number, shown)
    text = _("The customer wrote") if is_new else _("Something changed")
    return JsonResponse({"cursor": cursor, "text": text, "refresh": True, "hold": is_new})
