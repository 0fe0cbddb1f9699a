"""What the feedback log adds when a person asks for all that is held on them (clause 6.1)."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from csp import vault
from csp.models import Customer
from csp.privacy.held import Part, Source, Veil, row_of
from feedback import log
from feedback.models import Identity


def identities_of(customer: Customer) -> QuerySet[Identity]:
    """The remarks of this customer, found without opening any other. Anonymous ones are nobody's, and stay so."""
    who = bytes.fromhex(log.digest("customer", customer.pk))
    return Identity.objects.filter(who=who).select_related("remark", "blob__key").order_by("pk")


def _parts(customer: Customer, veil: Veil) -> Iterator[Part]:
    rows = []
    for identity in identities_of(customer):
        row = row_of(identity.remark, veil)
        try:
            row["words"] = veil.hide(log.words_of(identity))
        except vault.Unreadable:
            row.pop("words", None)
        rows.append(row)
    if rows:
        yield Part("feedback.remark", _("What you said about the service"), rows)


def _contexts(customer: Customer) -> Iterator[str]:
    for number in identities_of(customer).values_list("remark", flat=True):
        yield f"remark:{number}"


SOURCE = Source(_parts, contexts=_contexts)
