"""Every component in every state on one page, at a fixed moment; a URLconf that the product does not serve."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

from csp import browser_policy, clock, clockface, horizon
from csp.clockface import ClockFace
from csp.places import Item, Me, NextUp, Section

ZONE = ZoneInfo("Europe/London")
NOW = dt.datetime(2026, 11, 17, 14, 20, tzinfo=dt.UTC)
TERM = dt.timedelta(hours=24)


def face(left: str, verb: str = "Respond", past: str = "Responded", at: dt.datetime = NOW, **more: Any) -> ClockFace:
    """A clock with so much time left (`3:12`, `-2:05`, hours and minutes) of a term of a day, or a longer one."""
    hours, minutes = left.removeprefix("-").split(":")
    distance = dt.timedelta(hours=int(hours), minutes=int(minutes))
    due_at = at - distance if left.startswith("-") else at + distance
    starts_at = more.pop("starts_at", due_at - max(TERM, 1.5 * distance if distance > TERM else TERM))
    return clockface.read(verb=verb, past=past, starts_at=starts_at, due_at=due_at, now=at, zone=ZONE, **more)


class SampleForm(forms.Form):
    """One field of every kind, some of them wrong."""

    subject = forms.CharField(label="Subject", initial="Fridge door seal torn")
    order = forms.CharField(label="Order", required=False, help_text="On the invoice, top right")
    email = forms.EmailField(label="E-mail", error_messages={"invalid": "Add the @ sign, as in name@example.com"})
    procedure = forms.ChoiceField(
        label="Procedure", choices=[("1", "Damage during installation"), ("2", "Late delivery")]
    )
    channel = forms.CharField(label="Channel", disabled=True, required=False, initial="E-mail")
    message = forms.CharField(label="Message", widget=forms.Textarea(attrs={"rows": 2}), required=False)
    survey = forms.BooleanField(label="Send a survey when solved", required=False, initial=True)
    kind = forms.ChoiceField(label="Kind", choices=[("q", "Question"), ("c", "Complaint")], widget=forms.RadioSelect)
    paper = forms.FileField(label="Photos or papers", required=False, help_text="Up to 5 files of 10 MB")


ENDED = [
    face("21:00", met_at=NOW - dt.timedelta(minutes=35)),
    face("-3:10", met_at=NOW),
    face("9:00", void=True),
]
AHEAD = [
    "-2:05",
    "0:41",
    "0:54",
    "1:36",
    "3:12",
    "3:51",
    "4:20",
    "5:48",
    "6:00",
    "6:10",
    "7:24",
    "11:06",
    "19:06",
    "21:05",
]


def context() -> dict[str, Any]:
    """What the page is drawn from."""
    due = [horizon.Due(f"47{n:02}", f"#47{n:02}", face(left)) for n, left in enumerate([*AHEAD, "40:00"])]
    drawn = horizon.horizon(due, now=NOW, zone=ZONE)
    rows = [{"id": item.key, "title": f"Ticket with {item.face.words}", "face": item.face} for item in due[:8]]
    return {
        "may_search": True,
        "at": NOW,
        "organisation": "Lakeside Home",
        "demo": True,
        "me": Me("Maya Lindqvist", "Representative", is_known=True),
        "next_up": NextUp(face("0:41", "Escalate"), "#4790", "Water damage to kitchen floor", "#4790"),
        "nav": [
            Section("", [Item("Queue", "#queue", "inbox", True, "q", True, face("0:41")),
                         Item("Escalations", "#escalations", "chevrons-up", False, "e", True)]),
            Section("Assurance", [Item("Compliance", "#compliance", "shield-check", False, "c", True),
                                  Item("Audits", "#audits", "clipboard-check", False, "a")]),
            Section("People", [Item("Training", "#training", "graduation-cap", False, "t", False, face("384:00"))]),
            Section("Voice of the customer", [Item("The contract", "#contract", "scroll-text", False, "", True)]),
        ],
        "running": [face("21:05"), face("3:12"), face("0:41", "Escalate"), face("-2:05")],
        "ended": ENDED,
        "buttons": [face("288:00", "Review"), face("0:41", "Escalate"), face("-2:00")],
        "audit": face("312:00", "Audit"),
        "record": face("4:20", "Record"),
        "due": due,
        "lanes": [horizon.Lane("Maya Lindqvist", "18 open", drawn), horizon.Lane("Tom Adeyemi", "11 open", drawn)],
        "term": horizon.term(
            starts_at=NOW - dt.timedelta(hours=23, minutes=19), due_at=NOW + dt.timedelta(minutes=41), now=NOW,
            start_label="Received Mon 15:01", due_label="Escalate by 15:01", state=clockface.State.URGENT,
        ),
        "groups": clockface.group_by_due(rows, due=lambda row: row["face"].due_at, now=NOW, zone=ZONE),
        "sample": SampleForm(data={"subject": "", "email": "a.rahman.example.org", "procedure": "1", "kind": "q"}),
    }  # fmt: skip


def styleguide(request: HttpRequest) -> HttpResponse:
    timezone.activate(ZONE)
    if "live" in request.GET:  # clocks that really run, for tests of the scripts
        at = clock.now()
        soon = clockface.read(
            verb="Respond", past="", starts_at=at - TERM, due_at=at + dt.timedelta(seconds=2), now=at, zone=ZONE
        )
        return render(request, "styleguide.html", {**context(), "at": at, "running": [soon]})
    return render(request, "styleguide.html", context())


def public(request: HttpRequest) -> HttpResponse:
    messages.success(request, "Your request has arrived.")
    messages.error(request, "One photo was too large and was left out.")
    return render(request, "404.html", {"organisation": "Lakeside Home"})


def changes(request: HttpRequest) -> HttpResponse:
    if request.GET["since"] == "2":
        return HttpResponse(status=204)
    return JsonResponse({"cursor": "2", "text": "3 new", "refresh": True})


def unmask(request: HttpRequest) -> HttpResponse:
    """Shows what was masked, tells it by a toast; asked a second time it refuses."""
    if request.method != "POST" or not request.headers.get("HX-Request"):
        raise PermissionDenied
    toast = json.dumps({"csp:toast": {"text": "This reading was recorded"}})
    return HttpResponse("<span id='shown'>eleanor@example.com</span>", headers={"HX-Trigger": toast})


def queue(request: HttpRequest) -> HttpResponse:
    """The two frames whose panes scroll on their own."""
    return render(request, "styleguide_panes.html", {**context(), "slim": "slim" in request.GET})


def draft(request: HttpRequest) -> HttpResponse:
    drafts.append(request.POST.dict())
    return HttpResponse(status=204)


def stranger(request: HttpRequest) -> HttpResponse:
    return browser_policy.sandboxed(HttpResponse("<p>Hello"))


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a fault of ours")


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


drafts: list[dict[str, Any]] = []
urlpatterns = [
    path("styleguide/", styleguide),
    path("public/", public),
    path("changes/", changes),
    path("draft/", draft),
    path("unmask/", unmask),
    path("panes/", queue),
    path("stranger/", stranger),
    path("broken/", broken),
    path("forbidden/", forbidden),
    path("search/", styleguide, name="search"),
    path("theme/", styleguide, name="theme"),
    path("sign-out/", styleguide, name="account_logout"),
]
