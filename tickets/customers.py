"""Customers and their addresses."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from csp.models import Address, Customer


def find_customer(address: str) -> Customer | None:
    """The customer whom a mail address belongs to."""
    row = (
        Address.objects.filter(kind=Address.Kind.MAIL, value=address.strip().lower()).select_related("customer").first()
    )
    return row.customer if row else None


def customer_for(address: str, name: str, *, at: dt.datetime, language: str = "") -> Customer:
    """The customer with this mail address; a new one where nobody has it yet."""
    value = address.strip().lower()
    found = find_customer(value)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            customer = Customer.objects.create(name=name.strip()[:200], language=language, created_at=at)
            Address.objects.create(
                customer=customer, kind=Address.Kind.MAIL, value=value, is_primary=True, created_at=at
            )
    except IntegrityError:  # somebody else met this customer in the same instant
        return Address.objects.select_related("customer").get(kind=Address.Kind.MAIL, value=value).customer
    return customer
