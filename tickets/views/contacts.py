"""Contacts that did not come by mail: calls, written down and confirmed; and the customer's own link to a request."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from csp import access, clock, clockface
from csp.models import Address
from csp.roles import Permission
from tickets import calls, forms, request_links
from tickets.conversation import family
from tickets.forms import CallForm, ConfirmCallForm
from tickets.models import Call, Ticket
from tickets.views.door import Step, face_of, load, local_zone, path_of, person, take_step


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def call(request: HttpRequest, number: int) -> HttpResponse:
    """Write down a call with the customer of this ticket."""
    at, ticket = clock.now(), load(request, number)
    form = CallForm(request.POST or None, at=at, initial={"number": _phone(ticket)})
    step = Step(
        title=_("Log a call on %(ref)s") % {"ref": ticket.reference},
        submit=_("Log call"),
        form=form,
        back=path_of(ticket),
        text=_("Later than a quarter of an hour after the call, a supervisor has to confirm it before it counts."),
        face=face_of(ticket, at=at),
        icon="phone",
    )

    def verb(good: dict[str, Any]) -> str:
        calls.log_call(ticket, form.talk(), by=person(request), at=at, seen_until=good["seen_until"])
        return _("The call is on record.")

    return take_step(request, step, verb)


def _phone(ticket: Ticket) -> str:
    if ticket.customer_id is None:
        return ""
    known = Address.objects.filter(customer=ticket.customer_id, kind=Address.Kind.PHONE)
    return known.order_by("-is_primary", "pk").values_list("value", flat=True).first() or ""


@require_http_methods(["GET", "POST"])
@access.requires(Permission.CONFIRM_CALLS)
def confirm_call(request: HttpRequest, number: int, interaction: int) -> HttpResponse:
    """A supervisor's word on a call that was written down late."""
    at, ticket = clock.now(), load(request, number)
    rows = Call.objects.filter(interaction__ticket__in=family(ticket)).select_related("interaction__author")
    row = get_object_or_404(rows, interaction=interaction)
    form = ConfirmCallForm(request.POST or None, label=_("How do you know?"))
    said = row.interaction
    step = Step(
        title=_("A call written down late on %(ref)s") % {"ref": ticket.reference},
        submit=_("Say so"),
        form=form,
        back=path_of(ticket),
        text=_("%(name)s wrote down %(typed)s that a call ended %(ended)s. Look at the telephone system's record.") % {
            "name": said.author.name if said.author else "",
            "typed": clockface.moment(said.recorded_at, now=at, zone=local_zone()),
            "ended": clockface.moment(row.ended_at, now=at, zone=local_zone()),
        },
        icon="phone",
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        calls.confirm(row, by=person(request), at=at, agrees=good["agrees"], reason=good["reason"])
        return _("Confirmed: the call counts.") if good["agrees"] else _("The call meets nothing.")

    return take_step(request, step, verb)


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def withdraw_links(request: HttpRequest, number: int) -> HttpResponse:
    """Let every link to this request that customers have stop working."""
    at, ticket = clock.now(), load(request, number)
    form = forms.ReasonForm(request.POST or None, label=_("Why?"))
    step = Step(
        title=_("Withdraw the links to %(ref)s") % {"ref": ticket.reference},
        submit=_("Withdraw"),
        form=form,
        back=path_of(ticket),
        text=_("No link that was mailed opens this request any more. The next mail carries a new one."),
        icon="ban",
    )

    def verb(good: dict[str, Any]) -> str:
        request_links.withdraw(ticket, by=person(request), at=at, reason=good["reason"])
        return _("The links are withdrawn.")

    return take_step(request, step, verb)
