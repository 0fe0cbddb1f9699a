"""The tabs above every page of the settings; each person sees the ones that are theirs."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.translation import gettext_lazy as _

from csp import access, places
from csp.roles import Permission as P

register = template.Library()

# (name of the address, label, who needs it); an address that is not there yet is left out
TABS: list[tuple[str, Any, tuple[P, ...]]] = [
    ("people", _("People"), (P.MANAGE_PEOPLE,)),
    ("teams", _("Teams"), (P.MANAGE_TEAMS,)),
    ("shifts", _("Shifts"), (P.MANAGE_SHIFTS,)),
    ("offices", _("Offices"), (P.MANAGE_PEOPLE,)),
    ("contract_settings", _("Contract"), (P.MANAGE_TEAMS,)),
    ("mailboxes", _("Mailboxes"), (P.MANAGE_MAILBOXES,)),
    ("categories", _("Categories"), (P.MANAGE_TEXTS,)),
    ("limits", _("Limits"), (P.SET_LIMITS,)),
    ("procedures", _("Procedures"), (P.MANAGE_TEXTS,)),
    ("texts", _("Texts"), (P.MANAGE_TEXTS,)),
    ("canned_replies", _("Canned replies"), (P.WORK_TICKETS, P.APPROVE_CANNED)),
    ("senders", _("Senders"), (P.SORT_MAIL,)),
    ("first_run", _("What is missing"), (P.MANAGE_PEOPLE,)),
]


def tabs_of(request: HttpRequest) -> list[dict[str, Any]]:
    """The tabs that this person may open, with the current one marked."""
    shown = [
        {"label": label, "url": places.address(name)}
        for name, label, needed in TABS
        if any(access.may(request.user, permission) for permission in needed)
    ]
    shown = [tab for tab in shown if tab["url"]]
    for tab in shown:
        tab["current"] = request.path.startswith(tab["url"])
    return shown


@register.inclusion_tag("csp/settings_tabs.html", takes_context=True)
def settings_tabs(context: Context) -> dict[str, Any]:
    return {"tabs": tabs_of(context["request"])}
