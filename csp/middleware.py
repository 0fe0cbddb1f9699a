"""What surrounds every request: where it came from, how long a session lasts, whose language and zone it is in."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from csp import clock, sessions, signin, trail
from csp.models import User
from csp.privacy import ledger

Next = Callable[[HttpRequest], HttpResponseBase]

# A session is written at most this often for being used.
WRITE_EVERY = 300

# What somebody who still has to enrol a second factor may open.
ENROLMENT = frozenset(
    {
        "mfa_index",
        "mfa_activate_totp",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_download_recovery_codes",
        "account_reauthenticate",
        "mfa_reauthenticate",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
        "mfa_reauthenticate_webauthn",
        "account_logout",
        "theme",
    }
)


def address_of(request: HttpRequest) -> str:
    """The network address of whoever asks: the socket's, or what our own proxies say (CSP_PROXIES counts them)."""
    if settings.PROXIES:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= settings.PROXIES:
            return hops[-settings.PROXIES][:45]
    return request.META.get("REMOTE_ADDR") or "127.0.0.1"  # a Unix socket has none, and ends on this machine


class ErasedAgain:
    """Nobody is let in while a restored database lacks erasures that its ledger has; the worker makes up for them.

    Once a process has seen that none is lacking it asks no more: nobody restores beneath a running product.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response
        self.is_certain = False

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not self.is_certain and not request.path.startswith("/health/"):
            if ledger.is_behind():
                words = _("Erasures are being repeated after a restore. Try again in a minute.")
                return HttpResponse(
                    words, status=503, headers={"Retry-After": "60"}, content_type="text/plain; charset=utf-8"
                )
            self.is_certain = True
        return self.get_response(request)


class SourceMiddleware:
    """Names the door and the address for everything that is recorded while the request is answered."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.address = address_of(request)  # type: ignore[attr-defined]  # ours, read by csp.adapters
        with trail.source("web", request.address):  # type: ignore[attr-defined]  # as above
            return self.get_response(request)


class BodyLimit:
    """Refuses more bytes than any form of ours takes, before anything is read of them."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        said = request.META.get("CONTENT_LENGTH") or "0"
        if said.isascii() and said.isdigit() and int(said) > settings.LARGEST_BODY:
            return render(request, "413.html", {"megabytes": settings.LARGEST_BODY // 1024 // 1024}, status=413)
        return self.get_response(request)


class SessionLimits:
    """Ends a session after long idleness and, used or not, after a working day. Drafts are kept on the server."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            now = clock.now()
            because = self._over(request, now.timestamp())
            if because:
                signin.signed_out(request.user, at=now, because=because)
                logout(request)
                messages.info(request, _("You were signed out after a long time. Nothing that was saved is lost."))
        return self.get_response(request)

    def _over(self, request: HttpRequest, now: float) -> str:
        session = request.session
        started = session.get(sessions.STARTED)
        if started is None:
            session[sessions.STARTED] = session[sessions.SEEN] = now
            session[sessions.ADDRESS] = request.address  # type: ignore[attr-defined]  # see SourceMiddleware
            session[sessions.BROWSER] = request.headers.get("User-Agent", "")[:200]
            return ""
        seen = session.get(sessions.SEEN, started)
        if now - started > settings.SESSION_LONGEST.total_seconds():
            return "longest"
        if now - seen > settings.SESSION_IDLE.total_seconds():
            return "idle"
        # A page that asks by itself what is new (JSON) is nobody's hand at work.
        if now - seen > WRITE_EVERY and request.headers.get("Accept") != "application/json":
            session[sessions.SEEN] = now
        return ""


class PersonMiddleware:
    """The person's language and zone for the length of the request, and the second factor where it is required."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if not isinstance(user, User):
            return self.get_response(request)
        translation.activate(user.language)
        request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(user.zoneinfo):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponseBase | None:
        if not settings.REQUIRE_SECOND_FACTOR or not isinstance(request.user, User):
            return None
        name = request.resolver_match.url_name if request.resolver_match else None
        if name in ENROLMENT or signin.has_second_factor(request.user):
            return None
        return HttpResponseRedirect(resolve_url("mfa_activate_totp"))


def too_many_tries(request: HttpRequest, *_details: object) -> HttpResponse:
    """The answer of django-axes once an address has tried too often: the same for accounts that do not exist."""
    return render(request, "account/locked.html", {"minutes": settings.LOCK_OUT_MINUTES}, status=429)
