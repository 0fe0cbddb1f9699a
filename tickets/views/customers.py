"""The customer's page: who it is, how they are reached, their tickets; and what changes it (clauses 4.1, 6.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, clock
from csp.access import Refused
from csp.models import Address, Customer, User
from csp.privacy import locking
from csp.roles import Permission
from tickets import customers, disclosure, search
from tickets.customer_forms import AddressForm, ChosenForm, CustomerForm, WhoForm
from tickets.models import Ticket
from tickets.views.door import (
    Step,
    customer_name,
    face_of,
    go,
    is_fragment,
    load,
    masked,
    number_in,
    path_of,
    person,
    refuse,
    take_step,
)
from tickets.views.opening import shown
from tickets.views.queue import rows_of

BOTH = require_http_methods(["GET", "POST"])
PAGE = 25
FOUND = 8


def path_to(customer: int) -> str:
    return reverse("customer", args=[customer])


def _tickets(customer: Customer, user: User) -> Any:
    """The customer's tickets that this person may see, those of whoever was joined into them among them."""
    return Ticket.objects.visible_to(user).real().filter(customer__in=Customer.known_as([customer.pk]))


def _load(request: HttpRequest, pk: int) -> Customer:
    """The customer of a ticket that this person may see; otherwise there is none."""
    row = get_object_or_404(Customer.objects.select_related("joined_into"), pk=pk, erased_at=None)
    if locking.is_locked("customer", row.pk) or not _tickets(row.joined_into or row, person(request)).exists():
        raise Http404
    return row


def _load_to_change(request: HttpRequest, pk: int) -> Customer:
    row = _load(request, pk)
    if not customers.may_change(row, person(request)):
        raise Http404
    return row


@require_GET
@access.requires(Permission.SEE_TICKETS)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    at, user, customer = clock.now(), person(request), _load(request, pk)
    if customer.joined_into_id is not None:
        return HttpResponseRedirect(path_to(customer.joined_into_id))
    served = access.scope_of(user).teams_where(Permission.SEE_CUSTOMER_NAMES)
    tickets = _tickets(customer, user).select_related("customer", "assignee", "team").order_by("-pk")
    through = tickets.filter(team__in=served).first()  # what lets the person know who it is
    may_change = customers.may_change(customer, user)
    is_list = is_fragment(request, "theirs")
    if not may_change and not is_list:
        disclosure.read_customer(customer, by=user, at=at)
    after = number_in(request.GET.get("after", ""))
    rows = list((tickets.filter(pk__lt=after) if after else tickets)[: PAGE + 1])
    lines = rows_of(rows[:PAGE], user, at=at)
    context = {
        "at": at,
        "customer": customer,
        "names": through is not None,
        "name": customer_name(customer, names=through is not None),
        "lines": lines,
        "after": str(rows[PAGE - 1].pk) if len(rows) > PAGE else "",
        "is_later": after is not None,
        "may_change": may_change,
        "may_work": False,
    }
    if through is not None:
        context |= {
            "through": through,
            "addresses": [
                {"row": row, "masked": masked(row.value)}
                for row in customer.addresses.order_by("kind", "-is_primary", "pk")
            ],
            "joined": [
                {"row": row, "may_part": may_change and customers.may_part(row, at=at)}
                for row in customer.joined_from.order_by("-joined_at")
            ],
            "no_surveys": Customer.objects.filter(
                pk__in=Customer.known_as([customer.pk]), stopped_surveys__isnull=False
            ).exists(),
        }
    template = "tickets/customer.html#theirs" if is_list else "tickets/customer.html"
    return render(request, template, context)


# ---------------------------------------------------------------- the record and its addresses


@BOTH
@access.requires(Permission.WORK_TICKETS)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    at, customer = clock.now(), _load_to_change(request, pk)
    step = Step(
        _("Change %(name)s") % {"name": customer}, _("Save"), CustomerForm(request.POST or None, customer=customer),
        path_to(pk),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        customers.change(customer, by=person(request), at=at, **good)
        return _("Saved.")

    return take_step(request, step, verb)


@BOTH
@access.requires(Permission.WORK_TICKETS)
def add_address(request: HttpRequest, pk: int) -> HttpResponse:
    at, user, customer = clock.now(), person(request), _load_to_change(request, pk)
    step = Step(
        _("Another address of %(name)s") % {"name": customer}, _("Add"), AddressForm(request.POST or None), path_to(pk),
        text=_("What comes from there is theirs from now on."), icon="plus",
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        kind = Address.Kind.MAIL if "@" in good["value"] else Address.Kind.PHONE
        try:
            customers.add_address(
                customer, kind=kind, value=good["value"], is_primary=good["is_primary"], by=user, at=at
            )
        except customers.Taken as taken:
            raise Refused(_with_link(taken, user)) from None
        return _("Added.")

    return take_step(request, step, verb)


def _with_link(taken: customers.Taken, user: User) -> str:
    """The refusal with who has the address, for somebody who may know that."""
    if not customers.serves(taken.customer, user):
        return str(taken)
    return format_html('{} <a href="{}">{}</a>', str(taken), path_to(taken.customer.pk), taken.customer)


@require_POST
@access.requires(Permission.WORK_TICKETS)
def make_primary(request: HttpRequest, pk: int, address: int) -> HttpResponse:
    customer = _load_to_change(request, pk)
    row = get_object_or_404(Address, pk=address, customer=customer)
    try:
        customers.make_primary(row, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, path_to(pk))
    return go(request, path_to(pk), _("It is used first from now on."))


@BOTH
@access.requires(Permission.WORK_TICKETS)
def remove_address(request: HttpRequest, pk: int, address: int) -> HttpResponse:
    at, customer = clock.now(), _load_to_change(request, pk)
    row = get_object_or_404(Address, pk=address, customer=customer)
    step = Step(
        _("Remove an address of %(name)s") % {"name": customer}, _("Remove"),
        forms.Form(request.POST if request.method == "POST" else None), path_to(pk),
        text=_("%(address)s is removed. Links to requests that went there stop working.") % {
            "address": masked(row.value)
        },
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        customers.remove_address(row, by=person(request), at=at)
        return _("Removed.")

    return take_step(request, step, verb)


# ---------------------------------------------------------------- choosing one


def _asks(request: HttpRequest) -> bool:
    """Whether a form was sent to be searched with, not to be acted on (without scripts)."""
    return request.method == "POST" and "search" in request.POST


def _found(request: HttpRequest, *, without: int | None) -> list[dict[str, Any]]:
    """Customers who fit what was typed, and the one who was chosen, to choose from."""
    user, words = person(request), request.POST.get("find", "").replace("\x00", "")
    rows = search.customers_like(words, user=user, limit=FOUND) if request.method == "POST" else []
    chosen = number_in(request.POST.get("customer", ""))
    return [shown(row) | {"is_chosen": row.pk == chosen} for row in rows if row.pk != without]


def _choose(
    request: HttpRequest, step: Step, verb: Callable[[dict[str, Any]], str], *, onwards: str, without: int | None
) -> HttpResponse:
    step.finds = True
    step.found = _found(request, without=without)
    if _asks(request):
        step.form = type(step.form)(initial=request.POST.dict())
        template = "tickets/step.html#dialog" if is_fragment(request) else "tickets/step.html"
        return render(request, template, {"step": step, "form": step.form, "in_dialog": is_fragment(request)})
    return take_step(request, step, verb, onwards=onwards)


def _named(customer: Customer, typed: str) -> bool:
    """Whether the person typed one of the customer's addresses in full: they know already who it is."""
    return customer.addresses.filter(value=typed.strip().lower()).exists()


@BOTH
@access.requires(Permission.WORK_TICKETS)
def set_customer(request: HttpRequest, number: int) -> HttpResponse:
    at, user, ticket = clock.now(), person(request), load(request, number)
    step = Step(
        _("Whose ticket %(ref)s is") % {"ref": ticket.reference}, _("Set customer"),
        WhoForm(request.POST or None), path_of(ticket), face=face_of(ticket, at=at), icon="user-round",
        text=_("Answers go to the customer where nobody wrote by mail. The clocks run on."),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        if good["customer"]:
            customer = Customer.objects.filter(pk=good["customer"], erased_at=None).first()
            if customer is None:
                raise Refused(_("This customer cannot be chosen. Search again, or give an address."))
            is_named = _named(customer, good["find"])
            root = customers.set_customer(ticket, customer=customer, by=user, at=at, is_named=is_named)
        else:
            root = customers.set_named(
                ticket, name=good["name"], email=good["email"], phone=good["phone"], by=user, at=at
            )
        return _("%(ref)s is a ticket of %(name)s.") % {"ref": root.reference, "name": root.customer}

    return _choose(request, step, verb, onwards="", without=ticket.customer_id)


@BOTH
@access.requires(Permission.WORK_TICKETS)
def join(request: HttpRequest, pk: int) -> HttpResponse:
    at, user, customer = clock.now(), person(request), _load_to_change(request, pk)
    step = Step(
        _("%(name)s is the same person as") % {"name": customer}, _("Join"), ChosenForm(request.POST or None),
        path_to(pk), icon="git-merge",
        text=_("Addresses and tickets go to the customer you choose. It can be undone for a day."),
    )  # fmt: skip
    chosen = number_in(request.POST.get("customer", ""))

    def verb(good: dict[str, Any]) -> str:
        into = Customer.objects.filter(pk=good["customer"], erased_at=None).first()
        if into is None:
            raise Refused(_("Choose the customer who it is."))
        kept = customers.join(customer, into=into, by=user, at=at)
        return _("Joined. %(name)s has the addresses and tickets of both.") % {"name": kept}

    return _choose(request, step, verb, onwards=path_to(chosen) if chosen else "", without=pk)


@require_POST
@access.requires(Permission.WORK_TICKETS)
def part(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a join back; `pk` is the customer who was joined into another."""
    customer = _load(request, pk)
    back = path_to(customer.joined_into_id or pk)
    try:
        customers.part(customer, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, back)
    return go(request, path_to(pk), _("They are two customers again."))
