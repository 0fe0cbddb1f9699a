"""What the frame of every page asks the desk for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from csp import access, clock
from csp.models import User
from csp.places import NextUp
from csp.roles import Permission
from tickets import queues
from tickets.views.door import face_of


def next_up(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the obligation that the Next button goes to; looked up only where a page draws it."""
    return {"next_up": SimpleLazyObject(lambda: _next_up(request))}


def _next_up(request: HttpRequest) -> NextUp | None:
    user = getattr(request, "user", None)
    if not isinstance(user, User):  # nobody is signed in
        return None
    if not access.may(user, Permission.WORK_TICKETS):
        return None
    at = clock.now()
    ticket = queues.next_for(user, at=at)
    face = face_of(ticket, at=at) if ticket is not None else None
    if ticket is None or face is None:
        return None
    return NextUp(face, ticket.reference, ticket.subject, reverse("go_next"))
