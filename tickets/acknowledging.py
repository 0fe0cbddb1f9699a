"""The acknowledgement of clause 3.1: every message that came from a customer is told its number and the promised time.

    acknowledge(at)    every ticket whose acknowledgement is still to be written; never raises

It goes to the address that wrote, in the customer's language, once an hour to one address: what comes within the hour
waits for one mail that names all its references. It carries nothing that the sender wrote, no subject, and no name
until a person has written to this customer: mail with a forged sender must not make us carry words to a stranger.
What is written meets nothing; the duty is met when the first server outside accepts the mail (tickets.delivery).

The texts are MailText rows. Their placeholders: {reference} the number or numbers, {promised} date, time and offset by
which a person answers, {list} each number with its promised time, {name} (empty for strangers), {team}, {company},
{privacy} the address of the privacy notice, {link} the
customer's link to the request (its line is left out where there is none; {list} has each link under its number).
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import logging
import re
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection, models, transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils import translation
from django.utils.translation import gettext as _

from csp import clockface, outbox, trail
from csp.events import Act
from csp.models import Mailbox, OutboundMessage
from tickets import handling, request_links
from tickets.conversation import Direction, Kind, Purpose, Said, lock, recipients, write
from tickets.intake import references, threading
from tickets.intake.facts import bare
from tickets.intake.phrases import NOREPLY
from tickets.models import Delivery, Interaction, MailText, Ticket

log = logging.getLogger(__name__)

ACTOR = "acknowledgements"
ONCE_IN = dt.timedelta(hours=1)
TOGETHER = 50  # tickets that one mail names at most; more are named in the next
AGAIN_IN = dt.timedelta(minutes=5)  # after a failure of our own
# A promise that falls due while the mail is still on its way is none.
ON_ITS_WAY = dt.timedelta(minutes=15)


def acknowledge(at: dt.datetime, *, limit: int = 200) -> int:
    """Write every acknowledgement that is due. Returns how many tickets were seen to. `at` is the real time."""
    due = _waiting().filter(acknowledge_next_at__lte=at).order_by("acknowledge_next_at", "pk")
    done = 0
    try:
        for ticket in list(due[:limit]):
            done += _acknowledge_one(ticket, at)
    except DatabaseError:
        log.exception("Acknowledgements could not be written; they are tried again")
    return done


def _acknowledge_one(ticket: Ticket, at: dt.datetime) -> int:
    try:
        return _write_for(ticket, at)
    except Exception:  # one that cannot be written never stops the others; its clock runs, and a person sees it
        log.exception("The acknowledgement of ticket %s could not be written", ticket.pk)
        Ticket.objects.filter(pk=ticket.pk, acknowledge_next_at__isnull=False).update(acknowledge_next_at=at + AGAIN_IN)
        return 1


@transaction.atomic(durable=True)
def _write_for(ticket: Ticket, at: dt.datetime) -> int:
    address = _address(ticket)
    with connection.cursor() as cursor:  # two tickets of one address at once: the second sees what the first wrote
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 31))", [address])
    last = (
        OutboundMessage.objects.filter(
            kind=OutboundMessage.Kind.ACKNOWLEDGEMENT, to__contains=[address], created_at__gt=at - ONCE_IN
        )
        .order_by("-created_at")
        .first()
    )
    roots = {ticket.pk: lock(ticket)}
    for other in _others(ticket, address) if last is None else ():  # each waits on by itself for the next mail
        # Somebody may be at it; waiting for a second lock could be waiting in a circle. It is named in the next mail.
        with contextlib.suppress(Ticket.DoesNotExist):
            roots[other.pk] = lock(other, if_free=True)
    # Read under the locks: what was written, answered or waived meanwhile is left out.
    still = {row.pk: row for row in _whole().filter(pk__in=roots).order_by("pk")}
    mine = still.get(ticket.pk)
    if mine is None or mine.acknowledge_next_at is None or mine.acknowledge_next_at > at:
        return 0  # written by another process meanwhile
    together = [(row, roots[row.pk]) for row in still.values()]
    for each, _root in together:
        if not each.acknowledge.is_running:
            _leave(each)  # a person's answer came first, or it is not owed
    together = [pair for pair in together if pair[0].acknowledge.is_running]
    reason = _why_not(address)
    if reason:
        for each, _root in together:
            _leave(each, reason)
        return 1
    if last is not None:
        Ticket.objects.filter(pk__in=[each.pk for each, _root in together]).update(
            acknowledge_next_at=last.created_at + ONCE_IN
        )
    elif together:
        _send(together, address, at)
    return 1


def _others(ticket: Ticket, address: str) -> list[Ticket]:
    """The other tickets of the same address and mailbox that wait."""
    if ticket.customer_id is None:
        return []
    rows = _waiting().filter(customer=ticket.customer_id, mailbox=ticket.mailbox_id).exclude(pk=ticket.pk)
    return [row for row in rows.order_by("pk")[:TOGETHER] if _address(row) == address]


# What a customer wrote first on a ticket, and may expect an answer to.
_FIRST = (
    Interaction.objects.filter(ticket=OuterRef("pk"), direction=Direction.IN)
    .exclude(purpose=Purpose.AUTOMATIC)
    .order_by("pk")
)


def _waiting() -> models.QuerySet[Ticket]:
    """The tickets whose acknowledgement is still to be written, as far as it takes to see which go together."""
    rows = Ticket.objects.filter(acknowledge_next_at__isnull=False).only("customer", "mailbox")
    return rows.annotate(wrote=Subquery(_FIRST.values("sender_address")[:1]))


def _whole() -> models.QuerySet[Ticket]:
    """The same with all that their mail says."""
    known = Interaction.objects.filter(
        ticket__customer=OuterRef("customer"), direction=Direction.OUT, author__isnull=False
    )
    return (
        Ticket.objects.filter(acknowledge_next_at__isnull=False)
        .select_related("acknowledge", "respond", "customer", "team", "mailbox", "contract")
        .annotate(heard=Subquery(_FIRST.values("message_id")[:1]), is_known=Exists(known))
    )


def _leave(ticket: Ticket, reason: str = "") -> None:
    """No acknowledgement is written by itself any more; where a reason is given the duty stays with a person."""
    Ticket.objects.filter(pk=ticket.pk).update(
        acknowledge_next_at=None, acknowledge_by_hand=reason or ticket.acknowledge_by_hand
    )


def _address(ticket: Ticket) -> str:
    """Who wrote it; for what came by letter or telephone, the customer's address."""
    wrote: str | None = ticket.wrote  # type: ignore[attr-defined]  # what _waiting() adds
    return wrote.lower() if wrote else (recipients(ticket, []) or [""])[0]


def _why_not(address: str) -> str:
    """Why no machine should write there; empty if it may."""
    if not re.fullmatch(r"[^@\s<>\"]+@[^@\s<>\"]+", address) or not address.isprintable():
        return _("No e-mail address is known that an acknowledgement could go to.")
    if NOREPLY.match(address):
        return _("This address takes no answers.")
    if Mailbox.objects.filter(address__iexact=bare(address)).exists():
        return _("This is one of our own addresses.")
    return ""


# ---------------------------------------------------------------- the mail


def _send(together: Sequence[tuple[Ticket, Ticket]], address: str, at: dt.datetime) -> None:
    """One mail for all of these, an interaction in each, and the outbox."""
    first = together[0][0]
    links = {root.pk: request_links.url_for(root, [address], at=at) for _ticket, root in together}
    words = compose([ticket for ticket, _root in together], at, {each.pk: links[root.pk] for each, root in together})
    kept = request_links.hidden(words.body, list(links.values()))
    key = f"acknowledgement:{first.pk}"
    heard = [str(ticket.heard) for ticket, _root in together if ticket.heard]  # type: ignore[attr-defined]  # of _whole()
    headers = {
        "Auto-Submitted": "auto-replied",  # RFC 3834: no machine shall answer this
        "X-Auto-Response-Suppress": "All",
        references.MARK_HEADER: references.mark(outbox.message_id(key), keys=threading.KEYS),
        **handling.thread_headers(heard),
    }
    rows = [
        write(
            ticket,
            Said(
                kind=Kind.MAIL,
                direction=Direction.OUT,
                purpose=Purpose.ACKNOWLEDGEMENT,
                body=kept,
                occurred_at=at,
                to=[address],
                subject=words.subject,
                speaks_to={ticket.pk: 0},
            ),
            at=at,
        )
        for ticket, _root in together
    ]
    message = outbox.post(
        kind=OutboundMessage.Kind.ACKNOWLEDGEMENT,
        dedupe_key=key,
        to=[address],
        subject=words.subject,
        body=words.body,
        mailbox=first.mailbox,
        reply_to=threading.reply_to(first, address) if len(together) == 1 else "",
        headers=headers,
        at=at,
    )
    Delivery.objects.bulk_create(Delivery(interaction=row, message=message) for row in rows)
    for ticket, _root in together:
        _leave(ticket)
    by_root = {root.pk: root for _ticket, root in together}
    for root in by_root.values():
        theirs = [row for row, (_t, its_root) in zip(rows, together, strict=True) if its_root.pk == root.pk]
        trail.record(
            Act.ACKNOWLEDGED,
            root.trail_subject,
            by=ACTOR,
            at=at,
            facts={"interactions": [row.pk for row in theirs], "message": message.pk, "together": len(together)},
            evidence=[part for row in theirs for part in row.parts],
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    subject: str
    body: str


def compose(tickets: Sequence[Ticket], at: dt.datetime, links: Mapping[int, str]) -> Words:
    """The acknowledgement of these tickets of one customer, in their language; each with the customer's link."""
    first = tickets[0]
    language = (first.customer.language if first.customer else "") or first.language
    promised = {ticket.pk: _promised(ticket, at) for ticket in tickets}
    if len(tickets) > 1:
        kind = MailText.Kind.SEVERAL
    else:
        kind = MailText.Kind.ACKNOWLEDGEMENT if promised[first.pk] else MailText.Kind.LATE
    text = text_for(kind, language)
    # British, like the rest of the product, where the text is only "English"
    with translation.override("en-gb" if text.language == "en" else text.language):
        when = {
            number: clockface.exact(moment, zone_of(first)) if moment else "" for number, moment in promised.items()
        }
    values = {
        "reference": ", ".join(ticket.reference for ticket in tickets),
        "promised": when[first.pk],
        "list": "\n".join(
            "\n".join(filter(None, [": ".join(filter(None, [ticket.reference, when[ticket.pk]])), links[ticket.pk]]))
            for ticket in tickets
        ),
        "link": links[first.pk],
        "name": first.customer.name if first.customer and first.is_known else "",  # type: ignore[attr-defined]  # of _whole()
        "team": first.mailbox.name if first.mailbox else first.team.name,
        "company": first.contract.company,
        "privacy": first.contract.privacy_url,
    }
    return Words(fill(text.subject, values)[:300], fill(text.body, values).strip() + "\n")


def text_for(kind: MailText.Kind, language: str) -> MailText:
    """The text in this language, else in English, else in any. Raises MailText.DoesNotExist."""
    rows = {row.language.split("-")[0].lower(): row for row in MailText.objects.filter(kind=kind).order_by("pk")}
    found = rows.get(language.split("-")[0].lower()) or rows.get("en") or next(iter(rows.values()), None)
    if found is None:
        raise MailText.DoesNotExist(f"There is no text of the kind {kind}. Write one under Texts.")
    return found


def _promised(ticket: Ticket, at: dt.datetime) -> dt.datetime | None:
    """When a person answers by, where that is still to come."""
    due: dt.datetime = ticket.respond.due_at
    return due if ticket.respond.is_running and due > at + ON_ITS_WAY else None


def zone_of(ticket: Ticket) -> ZoneInfo:
    """The zone in which this customer is told times: their own where we know it, else the contract's."""
    if ticket.customer is not None and ticket.customer.zone:
        return ZoneInfo(ticket.customer.zone)
    zone: ZoneInfo = ticket.contract.zoneinfo
    return zone


def fill(template: str, values: dict[str, str]) -> str:
    """Placeholders replaced by plain words in one pass: what is put in is never read as a placeholder itself."""
    if not values["name"]:
        template = re.sub(r"[ \t]*\{name\}", "", template)
    if not values["link"]:
        template = re.sub(r"[^\n]*\{link\}[^\n]*\n?", "", template)
    found = re.sub(r"\{(\w+)\}", lambda match: values.get(match.group(1), match.group()), template)
    return re.sub(r"\n{3,}", "\n\n", found)
