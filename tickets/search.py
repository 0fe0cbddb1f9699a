"""Finding tickets and customers by reference, words, name or address; always within what the person may see."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db import OperationalError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from csp import access
from csp.models import Address, Customer, LockItem, User
from csp.roles import Permission
from tickets.models import Interaction, Ticket

LIMIT = 50
PATIENCE = dt.timedelta(seconds=3)
_WORD = re.compile(r"[\w'’.@+-]+")
_LONGEST = 200  # characters of a query that are read
_MOST = 12  # words of it


def number_in(query: str) -> int | None:
    """The number in "#4790" or "4790"; None for anything else."""
    digits = query.strip().removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and 0 < len(digits) < 19 else None


def tsquery(words: str) -> str:
    """Every word, the last one as the beginning of one, for to_tsquery; empty where there is no word."""
    found = [word.replace("'", "''") for word in _WORD.findall(words[:_LONGEST]) if re.search(r"\w", word)][:_MOST]
    if not found:
        return ""
    return " & ".join([f"'{word}'" for word in found[:-1]] + [f"'{found[-1]}':*"])


@dataclasses.dataclass(slots=True)
class Found:
    """What a search brought: tickets, newest matter first, and customers; `is_cut` where there is more than shown."""

    tickets: list[Ticket] = dataclasses.field(default_factory=list)
    customers: list[Customer] = dataclasses.field(default_factory=list)
    is_cut: bool = False
    took_too_long: bool = False


def search(query: str, *, user: User, limit: int = LIMIT) -> Found:
    """Tickets whose subject or conversation says this, whose customer is called so; never outside the person's scope.

    Stops after three seconds: a query that is too wide says so and holds nobody up.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("set local statement_timeout = %s", [int(PATIENCE.total_seconds() * 1000)])
            return _search(query, user, limit)
    except OperationalError:
        return Found(took_too_long=True)


def _search(query: str, user: User, limit: int) -> Found:
    found = Found()
    served = access.scope_of(user).teams_where(Permission.SEE_CUSTOMER_NAMES)
    if served:
        found.customers = list(customers_like(query, user=user, limit=10))
    visible = Ticket.objects.visible_to(user).order_by("-pk")
    numbers: list[QuerySet[Any]] = []  # each an index read of its own; an "or" of them would look at every ticket
    if said := tsquery(query):
        asked = SearchQuery(said, config="simple", search_type="raw")
        numbers.append(visible.filter(search=asked).values("pk")[: limit + 1])
        heard = Interaction.objects.filter(search=asked, ticket__in=visible.order_by()).order_by("-ticket")
        numbers.append(heard.values("ticket").distinct()[: limit + 1])
    if found.customers:
        theirs = visible.filter(team__in=served, customer__in=[customer.pk for customer in found.customers])
        numbers.append(theirs.values("pk")[: limit + 1])
    number = number_in(query)
    if number is not None:
        numbers.append(visible.filter(pk=number).values("pk"))
    if not numbers:
        return found
    matches = numbers[0].union(*numbers[1:], all=True) if len(numbers) > 1 else numbers[0]
    rows = Ticket.objects.visible_to(user).filter(pk__in=matches).select_related("customer", "assignee", "team")
    found.tickets = list(rows.order_by("-last_interaction_at", "-pk")[: limit + 1])
    found.is_cut = len(found.tickets) > limit
    del found.tickets[limit:]
    return found


def customers_like(query: str, *, user: User, limit: int) -> list[Customer]:
    """Customers of whose tickets in the own teams this person may see one, by name, organisation or address.

    A whole address finds the customer whoever serves them: whoever types it knows it already, and a new ticket must not
    make a second customer of one. Nobody who is locked is found (article 18 GDPR).
    """
    words = query.strip()[:_LONGEST]
    if len(words) < 2:
        return []
    served = access.scope_of(user).teams_where(Permission.SEE_CUSTOMER_NAMES)
    named = Customer.objects.filter(Q(name__icontains=words) | Q(organisation__icontains=words)).values("pk")
    addresses = Address.objects.filter(kind__in=Address.Kind.values)
    begins = addresses.filter(value__startswith=words.lower()).values("customer")
    mine = Customer.objects.filter(
        Exists(Ticket.objects.visible_to(user).real().filter(customer=OuterRef("pk"), team__in=served)),
        pk__in=named.union(begins, all=True),
    )
    exact = addresses.filter(value=words.lower()).values("customer")
    rows = Customer.objects.filter(
        ~LockItem.standing_on("customer"), pk__in=mine.values("pk").union(exact, all=True), erased_at=None
    )
    return list(rows.prefetch_related("addresses").order_by("name", "pk")[:limit])


def with_page(rows: list[Customer], *, user: User) -> list[Customer]:
    """Those of these customers of whom this person may see a ticket, and so the page."""
    seen = Ticket.objects.visible_to(user).real().filter(customer__in=[row.pk for row in rows]) if rows else None
    mine = set(seen.values_list("customer", flat=True)) if seen is not None else set()
    return [row for row in rows if row.pk in mine]
