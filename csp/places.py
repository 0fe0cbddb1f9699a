"""The places of the product, as navigation shows them: data, so that the whole way through it is on one page.

A place is shown to a person who holds its permission, and only once its address exists. Labels of addresses are plain
names, so naming the page of an app above imports nothing of it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from csp import access, clock, clockface, readiness
from csp.access import scope_of
from csp.clockface import ClockFace
from csp.models import Deadline, User
from csp.roles import Permission, Role

THEMES = ("auto", "light", "dark")


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation: `key` is the letter after G, `on_phone` puts it in the bar at the bottom.

    `clocks` are the obligations that are met there: the nearest that the person answers for shows beside its name.
    """

    url_name: str
    label: Any
    icon: str
    section: Any = ""
    permission: Permission | None = None
    key: str = ""
    on_phone: bool = False
    clocks: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """A place as one request sees it. `face` is the clock of what is due there next, if anything is."""

    label: str
    url: str
    icon: str
    current: bool
    key: str = ""
    on_phone: bool = False
    face: ClockFace | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """Places under one heading; the first section has none."""

    label: str
    items: list[Item]


@dataclasses.dataclass(frozen=True, slots=True)
class NextUp:
    """The obligation that the Next button goes to."""

    face: ClockFace
    reference: str
    subject: str
    url: str


ASSURANCE, PEOPLE, VOICE = _("Assurance"), _("People"), _("Voice of the customer")

PLACES: list[Place] = [
    Place(
        "queue", _("Queue"), "inbox", key="q", on_phone=True, permission=Permission.SEE_TICKETS,
        # The company's own target of saying whether a case is complex is in no list's order, and not here either.
        clocks=("acknowledge", "respond", "follow_up", "escalate", "resolve", "progress_note", "record"),
    ),
    Place(
        "escalations", _("Escalations"), "chevrons-up", key="e", on_phone=True, permission=Permission.SEE_ESCALATIONS,
        clocks=("take_up",),
    ),
    Place("cosign", _("Co-signatures"), "pencil", permission=Permission.WORK_TICKETS),
    Place("unsorted", _("Unsorted"), "mail", permission=Permission.SORT_MAIL),
    Place("customers", _("Customers"), "users", permission=Permission.SEE_TICKETS),
    Place("compliance", _("Compliance"), "shield-check", ASSURANCE, key="c", on_phone=True),
    Place(
        "metrics", _("Metrics"), "trending-up", ASSURANCE, key="m", permission=Permission.SEE_METRICS,
        clocks=("statement",),
    ),
    Place("noncompliances", _("Non-compliance"), "flag", ASSURANCE, clocks=("correct", "effect")),
    Place("report_noncompliance", _("Report a failure"), "octagon-alert", ASSURANCE, key="r"),
    Place("corrective_actions", _("Corrective actions"), "wrench", ASSURANCE, clocks=("verify",)),
    Place("measures", _("Measures"), "scale", ASSURANCE),
    Place("assessments", _("Assessments"), "scale", ASSURANCE, permission=Permission.DECIDE_ASSESSMENT),
    Place(
        "retention", _("Retention"), "lock", ASSURANCE, permission=Permission.SEE_RETENTION, clocks=("hold_review",)
    ),
    Place("privacy", _("Privacy"), "shield", ASSURANCE, clocks=("data_request", "data_breach")),
    Place("audits", _("Audits"), "clipboard-check", ASSURANCE, key="a", clocks=("audit_access", "audit_answer")),
    Place("admin:index", _("Records"), "archive", ASSURANCE, permission=Permission.USE_ADMIN),
    Place(
        "training", _("Training"), "graduation-cap", PEOPLE, key="t",
        clocks=("initial_training", "software_training", "refresher", "round"),
    ),
    Place("reviews", _("Reviews"), "user-round-check", PEOPLE, clocks=("review",)),
    Place("people", _("People and teams"), "id-card", PEOPLE, permission=Permission.MANAGE_PEOPLE),
    Place("settings_home", _("Settings"), "settings", PEOPLE, permission=Permission.SORT_MAIL),
    Place(
        "feedback", _("Feedback"), "message-square-quote", VOICE, key="f", permission=Permission.SEE_FEEDBACK_GROUPS,
        clocks=("feedback_inbox", "finding", "action_item", "verify_item"),
    ),
    Place("contract", _("The contract"), "scroll-text", VOICE, on_phone=True),
]  # fmt: skip


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the frame of every page needs. Nothing is computed before a template asks for it."""
    return {
        "nav": SimpleLazyObject(lambda: sections(request)),
        "unread": SimpleLazyObject(lambda: unread_of(request)),
        "setup_left": SimpleLazyObject(lambda: setup_left(request)),
        "me": SimpleLazyObject(lambda: Me.of(request)),
        "may_search": SimpleLazyObject(lambda: access.may(getattr(request, "user", None), Permission.SEE_TICKETS)),
        "theme": SimpleLazyObject(lambda: theme_of(request)),
        "demo": settings.DEMO,
        "organisation": settings.ORGANISATION,
    }


def unread_of(request: HttpRequest) -> int:
    """How many notices the bell counts; read together with the person (csp.access)."""
    return int(getattr(getattr(request, "user", None), "unread_notices", 0))


def setup_left(request: HttpRequest) -> int:
    """How many things an administrator still has to set up; nothing for everybody else."""
    user = getattr(request, "user", None)
    return len(readiness.missing(clock.now())) if access.may(user, Permission.MANAGE_PEOPLE) else 0


def sections(request: HttpRequest) -> list[Section]:
    """The navigation for whoever asks, in the order of PLACES; the one current place is the nearest above the page."""
    shown = [(place, address(place.url_name)) for place in PLACES if may_see(request, place)]
    shown = [(place, url) for place, url in shown if url]
    user = getattr(request, "user", None)
    nearest = _nearest(user, clock.now()) if isinstance(user, User) else {}
    current = max((url for _place, url in shown if request.path.startswith(url)), key=len, default="")
    found: dict[str, list[Item]] = {}
    for place, url in shown:
        face = min((nearest[code] for code in place.clocks if code in nearest), key=attrgetter("due_at"), default=None)
        item = Item(str(place.label), url, place.icon, url == current, place.key, place.on_phone, face)
        found.setdefault(str(place.section), []).append(item)
    return [Section(label, items) for label, items in found.items()]


def _nearest(user: User, at: dt.datetime) -> dict[str, ClockFace]:
    """By obligation, the clock that runs out next of those that this person answers for; in one statement.

    What is handed up is for any supervisor of the team to accept.
    """
    theirs = Q(responsible=user)
    if teams := scope_of(user).teams(Role.SUPERVISOR):
        theirs |= Q(obligation="take_up", team__in=teams)
    rows = Deadline.objects.running().filter(theirs).order_by("obligation", "due_at", "pk")
    return {
        row.obligation: clockface.of(row, now=at, zone=user.zoneinfo)
        for row in rows.distinct("obligation").only("obligation", "starts_at", "due_at", "met_at", "voided_at", "state")
    }


def may_see(request: HttpRequest, place: Place) -> bool:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return False
    return place.permission is None or user.has_perm(place.permission.value)


def address(url_name: str) -> str:
    """The address of a named page, or nothing where this installation has none."""
    return _address(url_name, get_urlconf(settings.ROOT_URLCONF), get_script_prefix())


@functools.cache
def _address(url_name: str, urlconf: Any, _prefix: str) -> str:
    """Remembered: the frame of every page asks for thirty, and addresses do not change while a process lives."""
    try:
        return reverse(url_name, urlconf=urlconf)
    except NoReverseMatch:
        return ""


def theme_of(request: HttpRequest) -> str:
    """The colour scheme that the person chose: from their account, from this browser, else the system's."""
    chosen = getattr(getattr(request, "user", None), "theme", "") or request.COOKIES.get("theme", "")
    return chosen if chosen in THEMES else "auto"


@dataclasses.dataclass(frozen=True, slots=True)
class Me:
    """Who is signed in, as the card at the foot of the navigation shows it. `single_keys` is off for who asked so."""

    name: str
    role: str
    is_known: bool
    single_keys: bool = True

    @classmethod
    def of(cls, request: HttpRequest) -> Me:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return cls(str(pgettext_lazy("nobody is signed in", "Guest")), "", is_known=False)
        return cls(
            name=user.get_full_name() or user.get_username(),
            role=", ".join(str(role.label) for role in Role if role in scope_of(user).roles()),
            is_known=True,
            single_keys=getattr(user, "shortcuts", True),
        )
