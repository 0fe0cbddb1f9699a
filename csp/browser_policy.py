"""What browsers are told about every answer: where its parts may come from, and who may keep a copy.

The settings carry Django 6's names, so that its own middleware can take the first half over. A view that needs another
policy sets the header itself (`sandboxed` for the HTML of a stranger's mail); what is set is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

HEADER = "Content-Security-Policy"

# Nothing of the browser's is used, so nothing is granted, to us or to anything framed.
PERMISSIONS = ", ".join(
    f"{name}=()" for name in ("camera", "display-capture", "geolocation", "microphone", "payment", "serial", "usb")
)

# A stranger's HTML: no script, no form, no link out of the frame, pictures only from its own parts.
SANDBOX = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def build(directives: Mapping[str, Sequence[str]]) -> str:
    """The header's value from SECURE_CSP."""
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())


def sandboxed(response: HttpResponse) -> HttpResponse:
    """Mark an answer as a stranger's HTML, to be shown only in a frame of our own and able to do nothing there."""
    response[HEADER] = SANDBOX
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


class PolicyMiddleware:
    """Sets the policy headers on every answer, errors and static files too, and keeps signed-in pages out of caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.policy = build(settings.SECURE_CSP)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault(HEADER, self.policy)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        # The cookie says it without asking the database; a page for somebody who is only half signed in is private too.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
