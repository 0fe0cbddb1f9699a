"""Somebody is away: what they hold, what of it their deputy may have, and one click to hand it over (clause 3.3)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from csp import access, clock, clockface, shifts
from csp.access import Refused
from csp.models import Absence, User
from csp.roles import Permission
from tickets import standing_in
from tickets.standing_in import Item, Moved
from tickets.views.door import (
    customer_name,
    face_of,
    go,
    number_in,
    person,
    refuse,
    sees_names,
    with_what_was_left,
)

SHOWN = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One thing that somebody holds, as the page draws it."""

    item: Item
    name: str
    face: clockface.ClockFace | None


def banner(absence: Absence, reader: User) -> dict[str, str]:
    """That somebody is away, with the way to all that they hold."""
    is_mine = absence.user == reader
    return {
        "text": shifts.sentence(absence, reader),
        "href": reverse("away", args=[absence.pk]),
        "action": _("What you hold") if is_mine else _("What they hold"),
    }


def of_people(numbers: Iterable[int], reader: User, at: dt.datetime) -> list[dict[str, str]]:
    """The banners about those of these people who are away, as far as the reader may see what they hold."""
    numbers = list(dict.fromkeys(numbers))
    found = shifts.away(numbers, at)
    return [banner(found[pk], reader) for pk in numbers if pk in found and standing_in.may_see(found[pk], reader, at)]


def _load(request: HttpRequest, number: int, at: dt.datetime) -> Absence:
    absence = Absence.objects.select_related("user", "deputy").filter(pk=number).first()
    if absence is None or not standing_in.may_see(absence, person(request), at):
        raise Http404
    return absence


@require_http_methods(["GET", "POST"])
@access.requires(Permission.BULK_WORK)
def away(request: HttpRequest, number: int) -> HttpResponse:
    """All that somebody who is away holds: what goes to the deputy, and what stays and why; POST hands it over."""
    at, user = clock.now(), person(request)
    absence = _load(request, number, at)
    if request.method == "POST":
        return _hand_over(request, absence, user, at)
    held = standing_in.look(absence, by=user, at=at)
    deputy_away = shifts.away([absence.deputy_id], at).get(absence.deputy_id) if absence.deputy_id else None
    deputy = absence.deputy.name if absence.deputy else ""
    context = {
        "absence": absence,
        "is_now": absence.starts_at <= at < absence.ends_at,
        "said": shifts.sentence(absence, user),
        "deputy_away": shifts.sentence(deputy_away, user) if deputy_away else "",
        "may_enter": access.may(user, Permission.MANAGE_SHIFTS),
        # what stays stands first: it is short, and what somebody has to see to
        "parts": [
            part
            for part in (
                _part("stays", _("Stays, and why"), held.stays, "", user, at),
                _part("goes", _("Goes to %(name)s") % {"name": deputy}, held.goes, _("Nothing can go."), user, at),
            )
            if part["lines"] or (deputy and part["name"] == "goes")
        ],
        "goes": len(held.goes),
    }
    return render(request, "tickets/away.html", context)


def _part(name: str, title: str, items: list[Item], empty: str, user: User, at: dt.datetime) -> dict[str, Any]:
    return {
        "name": name, "title": title, "lines": _lines(items, user, at), "count": len(items), "empty": empty,
    }  # fmt: skip


def _lines(items: list[Item], user: User, at: dt.datetime) -> list[Line]:
    return [
        Line(
            item, customer_name(item.ticket.customer, names=sees_names(user, item.ticket)), face_of(item.ticket, at=at)
        )
        for item in items[:SHOWN]
    ]


def _hand_over(request: HttpRequest, absence: Absence, user: User, at: dt.datetime) -> HttpResponse:
    back = reverse("away", args=[absence.pk])
    to = User.objects.filter(pk=number_in(request.POST.get("to", "")) or 0).first()
    try:
        moved = standing_in.hand_over(absence, to=to, by=user, at=at)
    except Refused as refusal:
        return refuse(request, refusal, back)
    if not moved:
        return refuse(request, Refused(_summary("", moved) or _("Nothing can go.")), back)
    words = {"what": _what(moved), "name": to.name if to else ""}
    undo = reverse("undo_away", args=[absence.pk, moved.version])
    return go(request, back, _summary(_("Handed over to %(name)s: %(what)s.") % words, moved), undo=undo)


@require_POST
@access.requires(Permission.BULK_WORK)
def undo(request: HttpRequest, number: int, version: int) -> HttpResponse:
    """Take one's own handing over back in one click; what was moved, accepted or decided since stays where it is."""
    at = clock.now()
    absence = _load(request, number, at)
    back = reverse("away", args=[absence.pk])
    try:
        moved = standing_in.take_back(absence, version=version, by=person(request), at=at)
    except Refused as refusal:
        return refuse(request, refusal, back)
    if not moved:
        return refuse(request, Refused(_summary("", moved)), back)
    words = {"what": _what(moved), "name": absence.user.name}
    return go(request, back, _summary(_("Undone, back with %(name)s: %(what)s.") % words, moved))


def _what(moved: Moved) -> str:
    tickets = ngettext("%(n)d ticket", "%(n)d tickets", moved.tickets) % {"n": moved.tickets}
    rows = ngettext("%(n)d escalation", "%(n)d escalations", moved.escalations) % {"n": moved.escalations}
    return ", ".join(([tickets] if moved.tickets else []) + ([rows] if moved.escalations else []))


def _summary(done: str, moved: Moved) -> str:
    return with_what_was_left(done, moved.left)
