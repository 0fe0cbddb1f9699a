"""How a ticket ends: cause and resolution, the customer's answer to it (clauses 3.2 and 4.1)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from csp import access, clock
from csp.access import Refused
from csp.roles import Permission
from tickets import forms, lifecycle, resolving
from tickets.models import Resolution, Ticket
from tickets.views.door import Step, face_of, load, path_of, person, take_step

BOTH = require_http_methods(["GET", "POST"])


@BOTH
@access.requires(Permission.WORK_TICKETS)
def resolution(request: HttpRequest, number: int) -> HttpResponse:
    """Write down cause and resolution, and resolve the ticket with it. What was written stays where it lacks more."""
    at, ticket = clock.now(), load(request, number)
    known = resolving.history(ticket)[-1:]  # one that did not hold is where the next begins
    begun = {name: getattr(row, name) for row in known for name in ("cause", "cause_note", "kind", "text", "amount")}
    form = forms.ResolutionForm(request.POST or None, initial=begun | {"then": request.GET.get("to", "")})
    step = Step(
        _("Resolution of %(ref)s") % {"ref": ticket.reference}, _("Save"), form, path_of(ticket),
        text=_("A complaint needs all of it before it is resolved.") if ticket.kind == Ticket.Kind.COMPLAINT else "",
        face=face_of(ticket, at=at), icon="check",
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        then = good.pop("then")
        resolving.write_down(ticket, by=person(request), at=at, **good)
        if not then:
            return _("Written down.")
        try:
            lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=person(request), at=at)
        except Refused as refusal:
            raise Refused(_("Written down, but not resolved yet. %(missing)s") % {"missing": refusal}) from refusal
        return _("Resolved.")

    return take_step(request, step, verb)


@BOTH
@access.requires(Permission.WORK_TICKETS)
def acceptance(request: HttpRequest, number: int) -> HttpResponse:
    """Put on record what the customer said to the resolution."""
    at, ticket = clock.now(), load(request, number)
    row = resolving.current(ticket)
    form = forms.AcceptanceForm(request.POST or None, initial={"answer": row.acceptance if row else ""})
    step = Step(
        _("The customer’s answer on %(ref)s") % {"ref": ticket.reference}, _("Save"), form, path_of(ticket),
        text=_("What the customer said to you about the resolution."),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        answer = Resolution.Acceptance(good["answer"])
        resolving.record_acceptance(ticket, answer, person(request), at)
        return _("On record: %(answer)s.") % {"answer": answer.label}

    return take_step(request, step, verb)
