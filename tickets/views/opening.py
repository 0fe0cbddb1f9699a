"""A ticket that a person opens: what came by telephone, letter or visit, or our own first word."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from csp import access, clock
from csp.access import Refused
from csp.models import Customer, Team, User
from csp.outbox import BadHeader
from csp.roles import Permission, Role
from tickets import calls, files, forms, opening, search
from tickets.models import Interaction, Ticket
from tickets.views.door import go, is_fragment, masked, number_in, path_of, person


@require_http_methods(["GET", "POST"])
@access.requires(Permission.OPEN_TICKETS)
def new_ticket(request: HttpRequest) -> HttpResponse:
    at, user = clock.now(), person(request)
    own = access.scope_of(user).teams(Role.REPRESENTATIVE, Role.SUPERVISOR)
    teams = Team.objects.filter(pk__in=own, is_active=True).order_by("name")
    bound = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    initial = {"customer": request.GET.get("customer"), "direction": request.GET.get("direction", "contact")}
    form = forms.NewTicketForm(*bound, teams=teams, at=at, initial=initial)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                ticket = open_by(form, user, at)
            except (Refused, BadHeader) as refusal:
                form.add_error(None, str(refusal))
            else:
                return go(request, path_of(ticket), _("%(ref)s is open.") % {"ref": ticket.reference})
        status = 422
    context = {"at": at, "form": form, "chosen": _chosen(form, user)}
    return render(request, "tickets/new.html", context, status=status)


def open_by(form: forms.NewTicketForm, user: User, at: dt.datetime) -> Ticket:
    """The ticket that a valid form describes. Raises Refused, BadHeader."""
    good = form.cleaned_data
    sent = [files.uploaded(upload) for upload in good["files"]]
    customer: Customer | opening.Who | None = opening.Who(good["name"], good["email"], good["phone"])
    if good["customer"]:
        customer = _known(good["customer"], user)
    if customer is None:
        raise Refused(_("This customer cannot be chosen. Search again, or give an address."))
    said = {
        "team": good["team"], "customer": customer, "subject": good["subject"], "body": good["body"],
        "kind": Ticket.Kind(good["kind"]), "priority": Ticket.Priority(good["priority"]), "files": sent,
    }  # fmt: skip
    if good["direction"] == forms.NewTicketForm.OUTBOUND:
        return opening.write_first(**said, by=user, at=at)
    channel = Ticket.Channel(good["channel"] or Ticket.Channel.PHONE)
    return opening.write_down(
        **said, channel=channel, received_at=good["received_at"],
        assignee=user if good["assign_to_me"] else None, by=user, at=at,
        talk=_talk(form, good, at) if channel != Ticket.Channel.LETTER else None,
    )  # fmt: skip


def _talk(form: forms.NewTicketForm, good: dict[str, Any], at: dt.datetime) -> calls.Talk:
    length = dt.timedelta(minutes=good["minutes"] or 0)
    began_at = good["received_at"] if good["received_at"] < at else at - length
    return calls.Talk(
        direction=Interaction.Direction.IN, began_at=began_at, body=good["body"], length=length,
        is_answered=good["is_answered"], answers=good["answers"], number=good["phone"],
        **form.record_of_talk(),
    )  # fmt: skip


def _known(number: int, user: User) -> Customer | None:
    """A customer of whom this person may see a ticket."""
    seen = Ticket.objects.visible_to(user).filter(customer=number)
    return Customer.objects.filter(pk=number, erased_at=None).filter(pk__in=seen.values("customer")).first()


def _chosen(form: forms.NewTicketForm, user: User) -> dict[str, Any] | None:
    number = number_in(str(form["customer"].value() or ""))
    row = _known(number, user) if number is not None else None
    return shown(row) if row else None


def shown(row: Customer) -> dict[str, Any]:
    """A customer to choose, with what tells them from others of that name."""
    return {"row": row, "addresses": ", ".join(masked(address.value) for address in row.addresses.all()[:3])}


@require_GET
@access.requires(Permission.OPEN_TICKETS)
def customers(request: HttpRequest) -> HttpResponse:
    """Customers to choose from, by name or address; a part of the page for a new ticket."""
    query = request.GET.get("find", "").replace("\x00", "")
    rows = search.customers_like(query, user=person(request), limit=8)
    in_form = is_fragment(request)
    context = {"found": [shown(row) for row in rows], "find": query.strip(), "in_form": in_form, "at": clock.now()}
    return render(request, "tickets/customers.html#found" if in_form else "tickets/customers.html", context)
