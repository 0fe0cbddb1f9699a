"""Tags for everything that is not time: icon, clause, pill, avatar, field and the rest. Built into every template."""

from __future__ import annotations

import functools
from typing import Any
from urllib.parse import urlencode

from django import forms, template
from django.forms import BoundField
from django.template import Context
from django.templatetags.static import static
from django.utils.html import escape
from django.utils.safestring import SafeString

from csp import places
from csp.contract import CLAUSES
from csp.markup import vouched
from csp.words import gettext

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """A Lucide icon from the sprite; `size` s or l. Without `label` it is hidden from screen readers."""
    return _drawn(name, size, label)


@functools.lru_cache(1024)
def _drawn(name: str, size: str, label: str) -> SafeString:
    """Remembered: there are a hundred on a page, of a dozen kinds."""
    css = f"i i--{size}" if size else "i"
    use = f'<use href="{static("csp/icons/sprite.svg")}#i-{escape(name)}"/>'
    if label:
        return vouched(f'<svg class="{css}" role="img" aria-label="{escape(label)}">{use}</svg>')
    return vouched(f'<svg class="{css}" aria-hidden="true">{use}</svg>')


@register.simple_tag
def address(url_name: str) -> str:
    """The address of a named page, or an empty string where there is none; with `as` it decides whether to link."""
    return places.address(url_name)


@register.simple_tag
def clause(number: str, state: str = "") -> SafeString:
    """`§3.1` as a link to the clause; `state` soon or over where it is at risk or broken. Unknown ones are an error."""
    name = gettext("Clause %(number)s, %(title)s") % {"number": number, "title": gettext(CLAUSES[number].title)}
    return _clause(number, name, f"{places.address('contract') or '/contract/'}#c{number}", state)


@functools.lru_cache(1024)
def _clause(number: str, name: str, url: str, state: str) -> SafeString:
    name = escape(name)
    mark = f' data-state="{escape(state)}"' if state else ""
    return vouched(f'<a class="clause" href="{url}" aria-label="{name}" title="{name}"{mark}>§{number}</a>')


@register.simple_tag
def pill(text: str, tone: str = "", icon: str = "") -> SafeString:
    """A state that is not about time; `tone` pen, met, soon, over or note. At most three in a row."""
    mark = f' data-tone="{escape(tone)}"' if tone else ""
    return vouched(f'<span class="pill"{mark}>{_icon(icon, "s") if icon else ""}{escape(text)}</span>')


_icon = icon  # for tags whose own parameter bears the name


@register.simple_tag
def avatar(name: str, kind: str = "staff", size: str = "", presence: str = "", said: bool = True) -> SafeString:
    """Initials of `name`; `kind` staff (round) or customer (square); `size` l or xl; `presence` on or away.

    An empty name is nobody. `said=False` where the name stands beside it.
    """
    presence_word = {"on": gettext("here"), "away": gettext("away")}.get(presence, "")
    words = [name or gettext("Nobody"), gettext("customer") if kind == "customer" else "", presence_word]
    css = "av av--none" if not name else "av av--cust" if kind == "customer" else "av"
    css += f" av--{size}" if size else ""
    mark = f' data-on="{escape(presence)}"' if presence else ""
    spoken = f'<span class="vh">{escape(", ".join(filter(None, words)))}</span>' if said else ""
    return vouched(
        f'<span class="{escape(css)}"{mark}><span aria-hidden="true">{escape(initials(name))}</span>{spoken}</span>'
    )


def initials(name: str) -> str:
    """First and last initial: Eleanor Jane Whitfield is EW; a question mark for nobody."""
    words = [part for part in name.split() if part[0].isalnum()]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper() if words else "?"


@register.inclusion_tag("components/mask.html", takes_context=True)
def mask(context: Context, masked: str, url: str = "", label: str = "") -> dict[str, Any]:
    """Personal data hidden until asked for. `url` takes a POST that records the reading and answers with the value."""
    return {"masked": masked, "url": url, "label": label, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("components/banner.html")
def banner(text: str, tone: str = "", icon: str = "", href: str = "", action: str = "") -> dict[str, Any]:
    """A message that stays; `tone` pen, soon, over or met; `action` is the text of a link to `href`."""
    return {"text": text, "tone": tone, "icon": icon or BANNER_ICONS.get(tone, ""), "href": href, "action": action}


BANNER_ICONS = {"soon": "triangle-alert", "over": "circle-alert", "met": "circle-check"}


@register.inclusion_tag("components/empty.html")
def empty(title: str, text: str = "", icon: str = "circle-check", href: str = "", action: str = "") -> dict[str, Any]:
    """What a list says when there is nothing in it: what is next and when, and a way there."""
    return {"title": title, "text": text, "icon": icon, "href": href, "action": action}


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(
    context: Context, summary: str = "", after: str = "", before: str = "", target: str = "", label: str = ""
) -> dict[str, Any]:
    """Links of a keyset-paged list: `after` and `before` are cursors, kept with the filters in the address.

    `summary` is the text beside them; `target` a selector that htmx swaps.
    """
    request = context.get("request")
    kept = [(key, value) for key, value in _query(request) if key not in {"after", "before"}]
    return {
        "summary": summary,
        "next": f"?{urlencode([*kept, ('after', after)])}" if after else "",
        "previous": f"?{urlencode([*kept, ('before', before)])}" if before else "",
        "target": target,
        "label": label or gettext("Pages"),
    }


def _query(request: Any) -> list[tuple[str, str]]:
    return [(key, value) for key, values in request.GET.lists() for value in values] if request is not None else []


@register.inclusion_tag("components/changes.html")
def changes(url: str, cursor: str, target: str, auto: bool = False) -> dict[str, Any]:
    """Keeps a list fresh: polls `url?since=cursor`; news comes behind a bar, or straight into `target` if `auto`."""
    return {"url": url, "cursor": cursor, "target": target, "auto": auto}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, label: str = "", hint: str = "", icon: str = "", small: bool = False) -> dict[str, Any]:
    """One form field with label, hint and errors tied to it. `{{ form.name.as_field_group }}` draws the same.

    `label` and `hint` replace the form's own, `icon` goes inside a one-line box, `small` for filter bars.
    """
    widget = bound.field.widget
    kind = _kind(widget)
    css = {"textarea": "textarea", "line": "input input--s" if small else "input"}.get(kind, "")
    attrs: dict[str, str | bool] = (
        {"class": " ".join(filter(None, [widget.attrs.get("class", ""), css]))} if css else {}
    )
    if hint and not bound.help_text and not bound.errors:
        attrs["aria-describedby"] = f"{bound.auto_id}_helptext"
    elif hint and not bound.help_text:
        attrs["aria-describedby"] = f"{bound.auto_id}_helptext {bound.auto_id}_error"
    if not bound.field.required:
        attrs["aria-required"] = "false"
    return {
        "field": bound,
        "kind": kind,
        "control": bound.as_widget(attrs=attrs),
        "label": label or bound.label,
        "hint": hint or bound.help_text,
        "icon": icon,
    }


def _kind(widget: forms.Widget) -> str:
    if widget.is_hidden:
        return "hidden"
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "choices"
    if isinstance(widget, forms.CheckboxInput):
        return "choice"
    if isinstance(widget, forms.Select) and not isinstance(widget, forms.SelectMultiple):
        return "select"
    return "textarea" if isinstance(widget, forms.Textarea) else "line"


@register.inclusion_tag("components/errors.html")
def error_summary(form: forms.BaseForm) -> dict[str, Any]:
    """All problems of a form above it, each a link to its field; draws nothing for a form without errors."""
    found = [
        {"label": bound.label, "target": bound.id_for_label or bound.auto_id, "errors": bound.errors}
        for bound in form
        if bound.errors
    ]
    general = form.non_field_errors()
    return {"fields": found, "general": general, "count": sum(len(entry["errors"]) for entry in found) + len(general)}
