"""Tags that draw time: clock, clock_button, nav_time, horizon, lanes, term. Built into every template."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from html import escape
from typing import Any

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.safestring import SafeString

from csp import clock as door_clock
from csp import clockface
from csp.clockface import ClockFace, Timed
from csp.horizon import Due, Horizon, Lane, Term
from csp.horizon import horizon as lay_out
from csp.markup import vouched
from csp.words import gettext

register = template.Library()


def at_of(context: Context) -> dt.datetime:
    """The moment a page is about: the `at` that its view read, or the trusted clock where a view needs none."""
    at: dt.datetime | None = context.get("at")
    return at if at is not None else door_clock.now()


@register.simple_tag
def clock_data(face: ClockFace) -> SafeString:
    """The attributes from which scripts keep a running clock true; nothing for one that has ended."""
    if not face.is_running:
        return vouched("")
    due, soon, urgent = (_utc(at) for at in (face.due_at, face.soon_at, face.urgent_at))
    return vouched(
        f'data-due="{due}" data-soon="{soon}" data-urgent="{urgent}" '
        f'data-when="{escape(face.when)}" data-verb-is="{escape(face.verb)}"'
    )


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")


def face_of(context: Context, subject: ClockFace | Timed | None) -> ClockFace | None:
    """A face as it is, or that of a deadline row at the page's moment in the reader's zone."""
    if subject is None or isinstance(subject, ClockFace):
        return subject
    return clockface.of(subject, now=at_of(context), zone=timezone.get_current_timezone())


# A list draws fifty of these, so they are written here and not by a template: that is most of what a page costs.
_RINGS = {
    "over": '<circle class="solid" cx="8" cy="8" r="8"/><path class="cut" d="M8 4.2v4.6M8 11.6v.1"/>',
    "met": '<circle class="solid" cx="8" cy="8" r="8"/><path class="cut" d="m4.6 8.2 2.3 2.3 4.5-4.7"/>',
    "late": '<circle cx="8" cy="8" r="6.9" stroke-dasharray="3 2"/><path d="m4.9 8.2 2.2 2.1 4-4.2"/>',
    "void": '<circle cx="8" cy="8" r="6.9" stroke-dasharray="2 2.34" opacity=".6"/><path d="M5.4 8h5.2"/>',
}
_RUNNING_RING = (
    '<circle class="t" cx="8" cy="8" r="6.9"/><circle class="v" cx="8" cy="8" r="6.9" pathLength="100" '
    'stroke-dasharray="%d 100" transform="rotate(-90 8 8)"/>'
)


@register.simple_tag
def ring(face: ClockFace) -> SafeString:
    """The ring of a clock, told apart by shape as well as by colour."""
    inside = _RINGS.get(face.state) or _RUNNING_RING % face.dash
    return vouched(f'<svg class="clock__ring" viewBox="0 0 16 16" aria-hidden="true">{inside}</svg>')


@register.simple_tag(takes_context=True)
def clock(context: Context, subject: ClockFace | Timed | None, variant: str = "chip", size: str = "") -> SafeString:
    """`subject` a ClockFace or a Deadline; `variant` chip, bare, col, plain; `size` lg. None draws nothing."""
    face = face_of(context, subject)
    if face is None:
        return vouched("")
    return drawn(face, variant, size, zone=timezone.get_current_timezone())


def drawn(face: ClockFace, variant: str, size: str = "", *, zone: dt.tzinfo) -> SafeString:
    """The markup of one clock, for the tag and for lists that are written in Python."""
    css = "clock" + (f" clock--{variant}" if variant != "plain" else "") + (f" clock--{size}" if size else "")
    words = escape(face.words)
    if face.is_running:
        due = face.due_at.astimezone(zone).isoformat()
        time = f'<time datetime="{due}" aria-hidden="true" title="{escape(face.when)}">{words}</time>'
    else:
        time = f'<b aria-hidden="true">{words}</b>'
    return vouched(
        f'<span class="{escape(css)}" data-state="{face.state}" {clock_data(face)}>{ring(face)}'
        f'<span data-head>{escape(face.head)}</span><span class="clock__dot" aria-hidden="true">·</span>{time}'
        f'<span class="vh" data-said>, {escape(face.said)}</span></span>'
    )


@register.inclusion_tag("components/clock_button.html", takes_context=True)
def clock_button(
    context: Context,
    subject: ClockFace | Timed,
    href: str = "",
    key: str = "",
    label: str = "",
    dialog: str = "",
    name: str = "",
    value: str = "",
) -> dict[str, Any]:
    """The next obligation as the primary button: a link if `href`, else the submit button of the form around it.

    `label` replaces the verb ("Escalate to Ruth"), `key` is its shortcut, `dialog` the id of a dialog it opens.
    """
    face = face_of(context, subject)
    return {
        "face": face,
        "href": href,
        "key": key,
        "label": label or (face.verb if face else ""),
        "dialog": dialog,
        "name": name,
        "value": value,
    }


@register.inclusion_tag("components/nav_time.html")
def nav_time(face: ClockFace | None) -> dict[str, Any]:
    """The time alone, as navigation shows it beside a place."""
    return {"face": face}


@register.inclusion_tag("components/horizon.html", takes_context=True)
def horizon(context: Context, items: Iterable[Due], label: str = "") -> dict[str, Any]:
    """`items` are csp.horizon.Due, `label` names the figure; the sentence for screen readers tells what is drawn."""
    laid = lay_out(items, now=at_of(context), zone=timezone.get_current_timezone())
    pins = "".join(
        f'<circle class="pin" data-state="{pin.state}" data-pin="{escape(pin.key)}" cx="{pin.x}%" cy="{pin.y}" '
        'r="6.5"/>'
        for pin in laid.pins
    )
    return {
        "horizon": laid,
        "pins": vouched(pins),
        "label": label or gettext("The next 24 hours"),
        "sentence": _sentence(laid),
    }


@register.inclusion_tag("components/lanes.html")
def lanes(people: Iterable[Lane]) -> dict[str, Any]:
    """`people` are csp.horizon.Lane: the same axis, a line for each person."""
    lines = list(people)
    rows = [{"lane": lane, "sentence": f"{lane.name}: {_sentence(lane.horizon)}"} for lane in lines]
    return {"rows": rows, "ticks": lines[0].horizon.ticks if lines else []}


@register.inclusion_tag("components/term.html")
def term(line: Term, sentence: str) -> dict[str, Any]:
    """`line` from csp.horizon.term; `sentence` says in words what it shows."""
    return {"term": line, "sentence": sentence}


@register.simple_tag(takes_context=True)
def now_iso(context: Context) -> str:
    """The server's time at rendering, from which scripts count on: the clock of a visitor's machine may be wrong."""
    return at_of(context).astimezone(dt.UTC).isoformat(timespec="seconds")


@register.simple_tag
def script_words() -> str:
    """Every word that scripts say, in the reader's language, for the meta element that carries them."""
    running = {state.value: text for state, text in clockface.sentences().items()}
    words = {
        "units": {unit: str(text) for unit, text in clockface.UNITS.items()},
        "days_only_from": clockface.DAYS_ONLY_FROM.days,
        "overdue": gettext("Overdue"),
        "said": running,
        "none": gettext("less than a minute"),
        "undo": gettext("Undo"),
        "offline": gettext("No connection. Nothing was sent, your text is kept."),
        "conflict": gettext("Someone changed this first. Review the change, then send again."),
        "forbidden": gettext("You may not do that. Nothing was changed."),
        "failed": gettext("That did not work. Nothing was changed. Try again in a minute."),
        "signed_out": gettext("You are signed out. Copy unsaved text, then sign in again."),
        "draft_kept": gettext("Draft kept %(time)s"),
        "draft_lost": gettext("Draft not kept: no connection. Your text stays here."),
        "urgent_now": gettext("Less than an hour left: %(verb)s, due %(when)s"),
        "clause_here": gettext("Clause of this page"),
        "list_down": gettext("Down the list"),
        "list_up": gettext("Up the list"),
        "list_select": gettext("Select"),
    }
    return json.dumps(words, ensure_ascii=False)


def _sentence(drawn: Horizon) -> str:
    if not drawn.total:
        return gettext("Nothing is due.")
    return gettext(
        "%(shown)d of %(total)d fall due within 24 hours or are overdue: %(overdue)d overdue, "
        "%(hour)d within the hour, %(four)d within 4 hours, %(rest)d later."
    ) % {
        "shown": drawn.shown,
        "total": drawn.total,
        "overdue": drawn.overdue,
        "hour": drawn.within_the_hour,
        "four": drawn.within_four_hours,
        "rest": drawn.rest,
    }
