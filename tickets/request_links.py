"""The link by which a customer opens the page of a request, without an account (clause 4.1).

    url(ticket, address, at)       the link for one mail address, signed, good for ninety days
    read(token, at)                who holds it and for which ticket; raises NotGood
    withdraw(ticket, by=, at=, reason=)    every link to this ticket that is out stops working
    ask(address, ...), send_asked(at)      "send me my link": a row at once, the mail by a loop

A link is made for one address and speaks for that one alone. It is sent to that address and shown nowhere else, so that
whoever holds it has been reached there. It says what it is for: a link or token made for anything else opens nothing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
import hmac
from collections.abc import Sequence

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from csp import access, batches, outbox, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Address, OutboundMessage, User
from csp.roles import Permission
from tickets.conversation import family, lock
from tickets.intake import threading
from tickets.models import LinkRequest, Ticket

LIFE = dt.timedelta(days=90)
AGAIN_IN = dt.timedelta(hours=1)  # one mail with links to one address
TOGETHER = 20  # tickets that one such mail names, the newest

_signer = Signer(key=settings.LINK_KEY, salt="csp.request-link.1")


class NotGood(Exception):
    """This link opens nothing: made up, made for something else, over, withdrawn, or no longer this person's."""


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """A link that is good: the ticket that speaks for the one it names, and the address that holds it."""

    ticket: Ticket
    address: Address
    token: str


def address_of(value: str) -> Address | None:
    rows = Address.objects.filter(kind=Address.Kind.MAIL, value=value.strip().lower())
    return rows.select_related("customer").first()


def token(ticket: Ticket, address: Address, *, at: dt.datetime) -> str:
    return _signer.sign_object([ticket.pk, ticket.link_epoch, address.pk, int((at + LIFE).timestamp())])


def url(ticket: Ticket, address: Address, *, at: dt.datetime, language: str = "") -> str:
    asked = f"?lang={language}" if language in dict(settings.LANGUAGES) else ""
    return f"{settings.SITE_URL}{reverse('request', args=[token(ticket, address, at=at)])}{asked}"


def url_for(ticket: Ticket, to: Sequence[str], *, at: dt.datetime) -> str:
    """The link that a mail to these may carry: to one address of ours to know, or none at all."""
    address = address_of(to[0]) if len(to) == 1 else None
    return url(ticket, address, at=at, language=language_of(ticket)) if address else ""


def language_of(ticket: Ticket) -> str:
    return (ticket.customer.language if ticket.customer else "") or ticket.language


def read(token: str, at: dt.datetime) -> Link:
    """Who holds this link, and for which ticket. Changes nothing. Raises NotGood."""
    try:
        number, epoch, holder, until = map(int, _signer.unsign_object(token))
    except (BadSignature, ValueError, TypeError):
        raise NotGood from None
    ticket = Ticket.objects.filter(pk=number).first()
    address = Address.objects.select_related("customer").filter(pk=holder, kind=Address.Kind.MAIL).first()
    if ticket is None or address is None or at.timestamp() > until or ticket.link_epoch != epoch:
        raise NotGood
    rows = Ticket.objects.select_related("customer", "contract", "team", "mailbox", "acknowledge", "respond")
    root = rows.get(pk=threading.root(ticket).pk)
    is_theirs = root.customer_id == address.customer_id or address.value.lower() in threading.participants(root)
    if not is_theirs or address.customer.erased_at is not None:
        raise NotGood
    return Link(root, address, token)


def footer(ticket: Ticket, to: Sequence[str], *, at: dt.datetime) -> str:
    """What stands under a mail to a customer: where the request stands. Empty where no link may be sent."""
    link = url_for(ticket, to, at=at)
    if not link:
        return ""
    with translation.override(language_of(ticket) or "en-gb"):
        return "\n\n" + _("Where your request stands, and a place to add something:") + f"\n{link}"


def hidden(text: str, links: Sequence[str]) -> str:
    """What is kept of a mail in the conversation: with the links named, not shown. Staff need none of them."""
    for link in filter(None, links):
        text = text.replace(link, f"{settings.SITE_URL}{reverse('request_link')}…")
    return text


@transaction.atomic
def withdraw(ticket: Ticket, *, by: User, at: dt.datetime, reason: str) -> Ticket:
    """Every link to this ticket that is out stops working; the next mail carries a new one. Raises Refused."""
    root = lock(ticket)
    access.check(by, Permission.WORK_TICKETS, team_id=root.team_id, at=at)
    if not reason.strip():
        raise Refused(_("Say why; the reason stands in the evidence."))
    Ticket.objects.filter(pk__in=family(root)).update(link_epoch=F("link_epoch") + 1)
    root.refresh_from_db(fields=["link_epoch"])
    trail.record(Act.LINKS_WITHDRAWN, root.trail_subject, by=by, at=at, personal={"reason": reason})
    return root


# ---------------------------------------------------------------- "send me my link"


def ask(address: str, *, language: str, at: dt.datetime) -> None:
    """Write down that somebody asked. The same is done for every address, so that nobody learns which are known."""
    LinkRequest.objects.create(address=address.strip().lower()[:320], language=language[:10], asked_at=at)


def send_asked(at: dt.datetime, *, limit: int = 200) -> int:
    """Mail the links that were asked for. Returns how many requests were seen to."""
    return batches.work_off(LinkRequest.objects.order_by("pk"), functools.partial(_send_asked, at=at), limit=limit)


@transaction.atomic(durable=True)
def _send_asked(waiting: QuerySet[LinkRequest], limit: int, *, at: dt.datetime) -> int:
    rows = list(waiting.select_for_update(skip_locked=True)[:limit])
    for row in rows:
        address = address_of(row.address)
        if address is not None and address.customer.erased_at is None:
            _mail(address, row, at)
        row.delete()
    return len(rows)


def _mail(address: Address, row: LinkRequest, at: dt.datetime) -> None:
    rows = Ticket.objects.filter(customer=address.customer_id, last_interaction_at__gt=at - LIFE)
    tickets = list(rows.exclude(state=Ticket.State.MERGED).select_related("mailbox", "contract").order_by("-pk"))
    if not tickets:
        return
    since = int(row.asked_at.timestamp() // AGAIN_IN.total_seconds())
    seal = hmac.new(settings.LINK_KEY, f"links:{address.pk}:{since}".encode(), hashlib.sha256).hexdigest()[:40]
    if OutboundMessage.objects.filter(dedupe_key=f"links:{seal}").exists():
        return
    with translation.override(row.language or address.customer.language or "en-gb"):
        lines = [
            f"{ticket.reference}\n{url(ticket, address, at=at, language=row.language)}" for ticket in tickets[:TOGETHER]
        ]
        message = outbox.post(
            kind=OutboundMessage.Kind.LINK,
            dedupe_key=f"links:{seal}",
            to=[address.value],
            subject=_("Your requests"),
            body="\n\n".join(
                [
                    _("Hello,"),
                    _("somebody, we hope you, asked for the links to your requests. Each opens one of them:"),
                    *lines,
                    _("Keep them to yourself: whoever has a link can read that request. They work for ninety days."),
                    tickets[0].contract.company,
                ]
            ).strip()
            + "\n",
            mailbox=tickets[0].mailbox,
            headers={"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"},
            at=at,
        )
    trail.record(
        Act.LINKS_SENT, f"customer:{address.customer_id}", by="links", at=at,
        facts={"message": message.pk, "tickets": [ticket.pk for ticket in tickets[:TOGETHER]]},
    )  # fmt: skip
