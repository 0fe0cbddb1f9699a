"""Tags of a conversation (entry, event, fold, composer_mode) and the heading of a due list. Built into templates."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString

from csp.clockface import Band, moment
from csp.markup import vouched
from csp.templatetags.clocks import at_of
from csp.templatetags.components import clause as draw_clause
from csp.templatetags.components import icon, initials
from csp.words import gettext

register = template.Library()

CUSTOMER_KINDS = {"in", "call"}


def _when(context: Context, at: dt.datetime | None) -> str:
    """The time of day today, the date as well before."""
    if at is None:
        return ""
    zone = timezone.get_current_timezone()
    now = at_of(context)
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else moment(at, now=now, zone=zone)


@register.simple_block_tag(takes_context=True)
def entry(
    context: Context,
    content: SafeString,
    kind: str,
    who: str,
    *,
    name: str = "",
    how: str = "",
    at: dt.datetime | None = None,
    pill: str = "",
    tone: str = "soon",
    clause: str = "",
    ref: str = "",
    lang: str = "",
) -> SafeString:
    """One interaction: `kind` in, out, note or call; the text stands between the tags.

    `who` is the bold name ("You"), `name` whose initials are drawn if another's, `how` what was done, `at` when,
    `pill` and `clause` a remark in the head, `ref` the id of the element, `lang` the language of the text.
    """
    # A conversation has many of these, so they are written here and not by a template.
    is_customer = " av--cust" if kind in CUSTOMER_KINDS else ""
    head = f"<b>{conditional_escape(who)}</b> {conditional_escape(how)}"
    if kind == "call":
        head = icon("phone-incoming", "s") + head
    if kind == "note":
        inside = escape(gettext("Internal, the customer cannot see this"))
        head += f'<span class="pill" data-tone="note">{icon("lock", "s")}{inside}</span>'
    if pill:
        head += f'<span class="pill" data-tone="{escape(tone)}">{conditional_escape(pill)}</span>'
    if clause:
        head += draw_clause(clause)
    if at is not None:
        moment_of = at.astimezone(timezone.get_current_timezone()).isoformat()
        head += f'<time datetime="{moment_of}">{escape(_when(context, at))}</time>'
    return vouched(
        f'<article class="entry" data-kind="{escape(kind)}"' + (f' id="{escape(ref)}"' if ref else "") + ">"
        f'<span class="av{is_customer}" aria-hidden="true">{escape(initials(name or who))}</span>'
        f'<div class="entry__c"><header class="entry__h">{head}</header>'
        '<div class="entry__b"'
        + (f' lang="{escape(lang)}"' if lang else "")
        + f">{conditional_escape(content)}</div></div></article>"
    )


@register.inclusion_tag("components/event.html", takes_context=True)
def event(
    context: Context, icon: str, what: str, detail: str = "", clause: str = "", at: dt.datetime | None = None
) -> dict[str, Any]:
    """One line between the entries: what happened, by what, under which clause, when."""
    return {"icon": icon, "what": what, "detail": detail, "clause": clause, "at": at, "when": _when(context, at)}


@register.simple_block_tag
def fold(content: SafeString, summary: str, open: bool = False) -> SafeString:
    """Long text folded under its summary: quoted text, a whole transcript."""
    return render_to_string("components/fold.html", {"content": content, "summary": summary, "open": open})


@register.inclusion_tag("components/composer_mode.html")
def composer_mode(kind: str, label: str, icon: str, checked: bool = False, key: str = "") -> dict[str, Any]:
    """One kind of writing in a composer; its texts are the [data-for=kind] elements of the form."""
    return {"kind": kind, "label": label, "icon": icon, "checked": checked, "key": key}


@register.inclusion_tag("components/group_head.html")
def group_head(band: Band, count: int) -> dict[str, Any]:
    """The heading of one group of a due list, coloured only where time is short or gone."""
    return {"band": band, "count": count}
