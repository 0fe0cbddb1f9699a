"""What every view of the desk begins and ends with: who asks, which ticket, one verb, a toast or a sentence."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import dateformat, timezone
from django.utils.http import url_has_allowed_host_and_scheme

from csp import access, clockface
from csp.access import Refused
from csp.contract import OBLIGATIONS
from csp.models import Customer, User
from csp.roles import Permission
from csp.words import active, ngettext
from csp.words import gettext as _
from tickets.models import Escalation, Ticket


def person(request: HttpRequest) -> User:
    """Who is signed in; the guard has made sure that somebody is."""
    return cast(User, request.user)


def load(request: HttpRequest, number: int) -> Ticket:
    """The ticket, if this person may see it; otherwise it does not exist."""
    visible = Ticket.objects.visible_to(person(request))
    return get_object_or_404(visible.select_related("contract", "team", "assignee", "customer"), pk=number)


def number_in(text: str) -> int | None:
    """The number of a row, as an address or a form names it; None for anything that cannot be one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def is_fragment(request: HttpRequest, target: str = "") -> bool:
    """Whether htmx asks for a part of the page (the one with this id)."""
    asked = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"
    return asked and (not target or request.headers.get("HX-Target") == target)


def toast(request: HttpRequest, response: HttpResponse, text: str) -> HttpResponse:
    """Say it at the edge of the page, whichever way the answer travels."""
    if is_fragment(request):
        response["HX-Trigger"] = json.dumps({"csp:toast": {"text": text}})
    else:
        messages.success(request, text)
    return response


def go(request: HttpRequest, url: str, text: str = "", *, undo: str = "") -> HttpResponse:
    """Send the browser on after a change; what was done is said on the page it comes to.

    `undo` is the address that takes it back: a button stands beside the sentence.
    """
    if text:
        messages.success(request, text, extra_tags=undo)
    if is_fragment(request):
        response = HttpResponse(status=200)
        response["HX-Redirect"] = url
        return response
    return HttpResponseRedirect(url)


def refuse(request: HttpRequest, refusal: Refused, url: str) -> HttpResponse:
    """A verb said no to something without a form: its sentence is shown, nothing else changes."""
    if is_fragment(request):
        response = HttpResponse(status=204)
        response["HX-Trigger"] = json.dumps({"csp:toast": {"text": str(refusal)}})
        return response
    messages.error(request, str(refusal))
    return HttpResponseRedirect(url)


def with_what_was_left(summary: str, refused: Sequence[str]) -> str:
    """What was done, how much was left, and why; the first three reasons are enough to act on."""
    if not refused:
        return summary
    left = ngettext("%(n)d was left as it is.", "%(n)d were left as they are.", len(refused)) % {"n": len(refused)}
    return " ".join(filter(None, [summary, left, " ".join(refused[:3])]))


def next_page(request: HttpRequest, otherwise: str) -> str:
    """The address in `next` if it is one of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/")
    return wanted if is_ours else otherwise


def local_zone() -> dt.tzinfo:
    """The reader's zone."""
    return timezone.get_current_timezone()


def path_of(ticket: Ticket) -> str:
    return reverse("ticket", args=[ticket.pk])


@dataclasses.dataclass(slots=True)
class Step:
    """A page, or a dialog over a page, that asks for what one verb needs.

    `face` is the clock of the matter; `text` a sentence above the fields, `quote` what others said, under it.
    """

    title: str
    submit: str
    form: forms.Form
    back: str
    text: str = ""
    quote: str = ""
    face: clockface.ClockFace | None = None
    icon: str = ""
    finds: bool = False  # a customer is looked for, and chosen from what was `found`
    found: list[dict[str, Any]] = dataclasses.field(default_factory=list)


def take_step(
    request: HttpRequest, step: Step, verb: Callable[[dict[str, Any]], str], *, onwards: str = "",
    undo: str | Callable[[], str] = "",
) -> HttpResponse:  # fmt: skip
    """Show the form, or do the verb with what was typed. A refusal comes back above the fields, which keep their text.

    `verb` returns the sentence of the toast, `undo` is the address that takes it back, or gives it once it is done.
    """
    status = 200
    if request.method == "POST":
        if step.form.is_valid():
            try:
                done = verb(step.form.cleaned_data)
            except Refused as refusal:
                step.form.add_error(None, str(refusal))
            else:
                return go(request, onwards or step.back, done, undo=undo if isinstance(undo, str) else undo())
        status = 422
    in_dialog = is_fragment(request)
    template = "tickets/step.html#dialog" if in_dialog else "tickets/step.html"
    return render(request, template, {"step": step, "form": step.form, "in_dialog": in_dialog}, status=status)


# ---------------------------------------------------------------- how things are called


def face_of(ticket: Ticket, *, at: dt.datetime) -> clockface.ClockFace | None:
    """The clock of the ticket's next obligation, as the ticket itself carries it."""
    if not ticket.next_obligation or ticket.next_due_at is None:
        return None
    rule, words = OBLIGATIONS[ticket.next_obligation], active()
    return clockface.read(
        verb=words.gettext(rule.verb),
        past=words.gettext(rule.past),
        starts_at=ticket.next_starts_at or ticket.received_at,
        due_at=ticket.next_due_at,
        now=at,
        zone=local_zone(),
    )


def why(row: Escalation) -> str:
    """A person's own words; of the product, which promise was broken."""
    causes = [cause.breach for cause in row.causes.all()]
    if row.origin == Escalation.Origin.PERSON or not causes:
        return row.reason
    if all(breach.obligation == "triage" for breach in causes):
        return _("As a precaution: nobody has said yet whether it is complex")
    causes = [breach for breach in causes if breach.obligation != "triage"]
    first = min(causes, key=lambda breach: breach.breached_at)
    return _("Promise broken: %(duty)s was due %(when)s") % {
        "duty": _(OBLIGATIONS[first.obligation].verb),
        "when": dateformat.format(timezone.localtime(first.breached_at), "D j M H:i"),
    }


def sees_names(user: User, ticket: Ticket) -> bool:
    """Whether this person serves the customer of this ticket; elsewhere they may read without knowing who it is."""
    return access.may(user, Permission.SEE_CUSTOMER_NAMES, team_id=ticket.team_id)


def customer_name(customer: Customer | None, *, names: bool) -> str:
    """The customer's name, or a number for somebody who may not know who it is."""
    if customer is None:
        return _("Unknown customer")
    if not names:
        return _("Customer %(number)d") % {"number": customer.pk}
    return str(customer)


def masked(address: str) -> str:
    """An address that can be recognised but not read: `e•••••@example.com`, `•••• 4711`."""
    if "@" in address:
        name, _at, domain = address.rpartition("@")
        return f"{name[:1]}•••••@{domain}"
    return f"•••• {address[-3:]}" if len(address) > 6 else "••••"


MASK = "•••••"
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def without_names(text: str, customer: Customer | None, *more: str) -> str:
    """What a customer wrote, or was written, without who it is: names and mail addresses are masked."""
    people = [*more, customer.name] if customer else [*more]
    firms = [customer.organisation] if customer else []
    words = {word for name in people for word in (name, *name.split())}
    words |= {word for name in firms for word in (name, *name.split()[:1])}
    known = sorted((re.escape(word) for word in words if len(word) > 2), key=len, reverse=True)
    text = ADDRESS.sub(MASK, text)
    return re.sub(rf"\b(?:{'|'.join(known)})\b", MASK, text, flags=re.IGNORECASE) if known else text


CHANNEL_ICONS = {
    "mail": "mail", "form": "globe", "phone": "phone", "letter": "file-text", "visit": "user-round", "staff": "send",
}  # fmt: skip
