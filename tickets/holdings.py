"""What the desk adds when a person asks for all that is held on them (clause 6.1), besides what its models declare."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from csp import vault
from csp.models import Customer
from csp.privacy.held import File, Part, Source, Veil, row_of
from tickets.models import Attachment, InboundMessage, Interaction, Ticket


def _numbers(customer: Customer) -> list[int]:
    return list(Ticket.objects.filter(customer=customer).values_list("pk", flat=True))


def _parts(customer: Customer, veil: Veil) -> Iterator[Part]:
    """Files that came from the person or went to them, their raw mail, and what they said in others' matters."""
    elsewhere = Interaction.objects.filter(customer=customer).exclude(ticket__customer=customer).order_by("pk")
    rows = [row_of(row, veil) for row in elsewhere.defer("search")]
    if rows:
        yield Part("tickets.interaction.elsewhere", _("What you said in matters of others"), rows)
    # Files that somebody else sent stay away: what is in them may be theirs.
    files = Attachment.objects.filter(interaction__ticket__customer=customer).exclude(
        interaction__direction=Interaction.Direction.INTERNAL
    )
    theirs = files.filter(interaction__customer=customer) | files.filter(
        interaction__direction=Interaction.Direction.OUT
    )
    found = list(_files(theirs.select_related("blob__key").order_by("pk")))
    if found:
        yield Part("tickets.attachment.content", _("Files"), [{"name": file.name} for file in found], found)
    own = [value.lower() for value in customer.addresses.filter(kind="mail").values_list("value", flat=True)]
    sources = InboundMessage.objects.filter(ticket__customer=customer, sender_address__in=own)
    mails = []
    for row in sources.select_related("blob__key").order_by("pk"):
        try:
            mails.append(File(f"{row.pk}.eml", vault.read(row.blob)))
        except vault.Unreadable:
            continue
    if mails:
        yield Part(
            "tickets.inboundmessage.source", _("Your mails as they arrived"), [{"name": m.name} for m in mails], mails
        )


def _files(rows: object) -> Iterator[File]:
    for row in rows:  # type: ignore[attr-defined]  # a queryset
        try:
            yield File(row.name, vault.read(row.blob))
        except vault.Unreadable:
            continue


def _others(customer: Customer) -> Iterator[str]:
    """The names of everybody else who wrote in the person's matters, or in whose matters the person wrote."""
    numbers = _numbers(customer)
    beside = Customer.objects.filter(pk__in=Interaction.objects.filter(ticket__in=numbers, customer__isnull=False)
                                     .exclude(customer=customer).values("customer"))  # fmt: skip
    yield from beside.exclude(name="").values_list("name", flat=True)
    hosts = Customer.objects.filter(tickets__in=Interaction.objects.filter(customer=customer).values("ticket"))
    yield from hosts.exclude(pk=customer.pk).exclude(name="").values_list("name", flat=True).distinct()
    senders = Interaction.objects.filter(ticket__in=numbers, direction=Interaction.Direction.IN, customer__isnull=True)
    yield from senders.exclude(sender_name="").values_list("sender_name", flat=True).distinct()


def _contexts(customer: Customer) -> Iterator[str]:
    for number in _numbers(customer):
        yield f"ticket:{number}"


SOURCE = Source(_parts, _others, _contexts)
