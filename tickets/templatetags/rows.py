"""The lines of a list of tickets. A page has fifty, so they are written here and not by a template."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from django import template
from django.db import models
from django.template import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from csp.markup import vouched
from csp.models import User
from csp.templatetags.clocks import drawn
from csp.templatetags.components import avatar, clause, icon, pill
from csp.words import Words, active, gettext
from tickets.models import Ticket

if TYPE_CHECKING:
    from tickets.views.queue import Row

register = template.Library()

MOST_SEEN = 2  # colleagues who look at it now


@functools.cache
def labels(_words: Words, choices: type[models.TextChoices]) -> dict[str, str]:
    return {value: escape(str(label)) for value, label in choices.choices}


@register.simple_tag(takes_context=True)
def rows(context: Context, lines: Iterable[Row]) -> SafeString:
    """`lines` are tickets.views.queue.Row; `may_work` of the context gives each a box to mark it with."""
    zone, me = timezone.get_current_timezone(), context["request"].user.pk
    channels, states = (labels(active(), each) for each in (Ticket.Channel, Ticket.State))
    select = escape(gettext("Select ticket %(ref)s")) if context.get("may_work") else ""
    checked = " checked" if context.get("marked") else ""
    before, _zero, after = reverse("ticket", args=[0]).partition("0")
    peek_before, _zero, peek_after = reverse("peek", args=[0]).partition("0")
    clauses = functools.cache(clause)
    uncovered = f"{pill(gettext('Due before anyone is on shift'), 'soon')} "
    parts = []
    for line in lines:
        ticket, number = line.ticket, line.ticket.pk
        box = "<span></span>"
        if select:
            label = select % {"ref": f"#{number}"}
            box = f'<input type="checkbox" name="t" value="{number}" form="bulk" aria-label="{label}"{checked}>'
        gap = uncovered if line.is_uncovered else ""
        mark = clauses(ticket.next_clause) if ticket.next_clause else "<span></span>"
        clock = (
            drawn(line.face, "col", zone=zone)
            if line.face
            else f'<span class="clock clock--col muted"><span>{states[ticket.state]}</span></span>'
        )
        parts.append(
            f'<li class="row"{" data-unread" if line.is_unread else ""} data-pin-for="{number}">{box}{icon(line.icon)}'
            f'<span class="row__id">#{number}</span><div class="row__main">'
            f'<a class="row__t" href="{before}{number}{after}" hx-get="{peek_before}{number}{peek_after}" '
            f'hx-target="#peek" hx-trigger="focus">{escape(ticket.subject)}</a>'
            f'<div class="row__s">{gap}<b>{escape(line.name)}</b> · '
            f'<span class="vh">{channels[ticket.channel]}. </span>{escape(ticket.excerpt)}</div></div>'
            f'<span class="row__who">{_who(line, me)}</span>{mark}{clock}</li>'
        )
    return vouched("".join(parts))


def _who(line: Row, me: int) -> str:
    """Who looks at it now; else whose it is, where it is somebody else's."""
    if line.others:
        return "".join(_looking(person) for person in line.others[:MOST_SEEN])
    assignee = line.ticket.assignee
    return avatar(assignee.name) if assignee is not None and assignee.pk != me else ""


def _looking(person: User) -> str:
    said = escape(gettext("%(name)s is looking at this") % {"name": person.name})
    return (
        f'<span class="av" data-on="on" title="{escape(person.name)}"><span aria-hidden="true">'
        f'{escape(person.initials)}</span><span class="vh">{said}</span></span>'
    )
