"""Correcting what is held on a person because they asked for it, and passing it on to whoever was given it."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from csp import trail
from csp.access import Refused
from csp.events import Act
from csp.models import Address, Customer, DataRequest, DataRequestStep, User
from csp.privacy import recipients, requests


@transaction.atomic
def correct(
    request: DataRequest, *, name: str, organisation: str, by: User, at: dt.datetime, wrong_address: int | None = None,
    right_address: str = "",
) -> DataRequest:  # fmt: skip
    """Change the customer's record as asked, and tell the recipients. What was said stays as it was said.

    `wrong_address` is the number of the row that is wrong; with no right one it is removed. Raises Refused.
    """
    row = requests.for_change(request, by, at=at)
    if row.kind != DataRequest.Kind.RECTIFICATION:
        raise Refused(_("This request does not ask for a correction."))
    requests.check_proven(row)
    assert row.customer is not None
    customer = Customer.objects.select_for_update(no_key=True).get(pk=row.customer.pk)
    changed: dict[str, tuple[str, str]] = {}
    for field, value in (("name", name.strip()), ("organisation", organisation.strip())):
        if getattr(customer, field) != value:
            changed[field] = (getattr(customer, field), value)
            setattr(customer, field, value)
    if changed:
        customer.save()
    before = _correct_address(customer, wrong_address, right_address, at=at)
    if before is not None:
        changed["address"] = before
        if row.address == before[0].lower():
            row.address = before[1] or requests.mail_of(customer)
            row.save(update_fields=["address"])
    if not changed:
        raise Refused(_("Nothing was changed. Write down what is right."))
    trail.record(
        Act.CUSTOMER_CHANGED, f"customer:{customer.pk}", by=by, at=at,
        facts={"fields": sorted(changed), "request": row.reference},
        personal={field: f"{old} → {new}" for field, (old, new) in changed.items()},
    )  # fmt: skip
    requests.mark_done(row, DataRequestStep.Kind.CORRECTED, by=by, at=at, facts={"fields": sorted(changed)})
    lines = [f"{old or '–'} → {new or '–'}" for old, new in changed.values()]
    recipients.pass_on(
        row, "\n".join([_("The person asked us to correct it. Please do the same:"), *lines]), by=by, at=at
    )
    return row


def _correct_address(
    customer: Customer, wrong: int | None, right: str, *, at: dt.datetime
) -> tuple[str, str] | None:  # fmt: skip
    """Change, add or remove one address; returns (before, after), or None where nothing was asked."""
    right = right.strip().lower()
    if right and "@" not in right:
        right = "".join(letter for letter in right if letter.isdigit() or letter == "+")
    kind = Address.Kind.MAIL if "@" in right else Address.Kind.PHONE
    if kind == Address.Kind.MAIL:
        try:
            validate_email(right)
        except ValidationError:
            raise Refused(_("This address cannot be written to. Check its letters.")) from None
    if wrong is None and not right:
        return None
    row = customer.addresses.filter(pk=wrong).first() if wrong is not None else None
    if wrong is not None and row is None:
        raise Refused(_("This is no address of the customer."))
    try:
        with transaction.atomic():
            if row is None:
                first = not customer.addresses.filter(kind=kind, is_primary=True).exists()
                Address.objects.create(customer=customer, kind=kind, value=right, is_primary=first, created_at=at)
                return "", right
            old = row.value
            if not right:
                row.delete()
                return old, ""
            if row.kind != kind:
                raise Refused(_("A mail address is corrected by a mail address, a number by a number."))
            row.value, row.bounced_at = right, None
            row.save()
            return old, right
    except IntegrityError:
        raise Refused(_("Another customer has this address. Find out whose it is first.")) from None
