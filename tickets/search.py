"""Finding tickets and customers by reference, words, name or address; always within what the person may see."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

from django.contrib.postgres.search import SearchQuery
from django.db import OperationalError, connection, transaction
from django.db.models import Q

from csp import access
from csp.models import Address, Customer, User
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
    said = tsquery(query)
    matches = Q(pk__in=[])
    if said:
        asked = SearchQuery(said, config="simple", search_type="raw")
        # two index reads of tickets and interactions, joined by number
        in_subject = Ticket.objects.visible_to(user).filter(search=asked).order_by("-pk").values("pk")[: limit + 1]
        heard = Interaction.objects.filter(search=asked)
        in_words = heard.filter(ticket__in=Ticket.objects.visible_to(user)).order_by("-ticket").values("ticket")
        matches |= Q(pk__in=in_subject) | Q(pk__in=in_words.distinct()[: limit + 1])
    if found.customers:
        matches |= Q(team__in=served, customer__in=[customer.pk for customer in found.customers])
    number = number_in(query)
    if number is not None:
        matches |= Q(pk=number)
    rows = Ticket.objects.visible_to(user).filter(matches).select_related("customer", "assignee", "team")
    found.tickets = list(rows.order_by("-last_interaction_at", "-pk")[: limit + 1])
    found.is_cut = len(found.tickets) > limit
    del found.tickets[limit:]
    return found


def customers_like(query: str, *, user: User, limit: int) -> list[Customer]:
    """Customers whom this person's teams serve, by name, organisation or address.

    A whole address finds the customer whoever serves them: whoever types it knows it already, and a new ticket must not
    make a second customer of one.
    """
    words = query.strip()[:_LONGEST]
    if len(words) < 2:
        return []
    served = access.scope_of(user).teams_where(Permission.SEE_CUSTOMER_NAMES)
    mine = Customer.objects.filter(tickets__team__in=served)
    by_name = (
        Q(name__icontains=words) | Q(organisation__icontains=words) | Q(addresses__value__startswith=words.lower())
    )
    exact = Address.objects.filter(value=words.lower()).values("customer")
    rows = Customer.objects.filter(Q(pk__in=mine.filter(by_name).values("pk")) | Q(pk__in=exact), erased_at=None)
    return list(rows.prefetch_related("addresses").order_by("name", "pk")[:limit])
