"""Customers and their addresses."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from csp.models import Address, Customer


def find_address(address: str) -> Address | None:
    """This mail address, with the customer whom it belongs to, if we know it."""
    value = address.strip().lower()
    if not value:
        return None
    return Address.objects.filter(kind=Address.Kind.MAIL, value=value).select_related("customer").first()


def customer_for(address: str, name: str, *, at: dt.datetime, language: str = "") -> Customer:
    """The customer with this mail address; a new one where nobody has it yet."""
    found = find_address(address)
    return found.customer if found is not None else new_customer(address, name, at=at, language=language)


def new_customer(address: str, name: str, *, at: dt.datetime, language: str = "") -> Customer:
    """A customer whom we have not met before, with this mail address."""
    value = address.strip().lower()
    try:
        with transaction.atomic():
            customer = Customer.objects.create(name=name.strip()[:200], language=language, created_at=at)
            Address.objects.create(
                customer=customer, kind=Address.Kind.MAIL, value=value, is_primary=True, created_at=at
            )
    except IntegrityError:  # somebody else met this customer in the same instant
        return Address.objects.select_related("customer").get(kind=Address.Kind.MAIL, value=value).customer
    return customer
