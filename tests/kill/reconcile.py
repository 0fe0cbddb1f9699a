"""What must hold after any number of kills: nothing lost, nothing doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from django.db.models import Count, F, Max, Min

from audits.models import Membership, NonCompliance
from csp.events import Act
from csp.models import Breach, Deadline, Notice, OutboundMessage, TrailEntry
from tests.conftest import Delivery as Sent
from tickets.models import Delivery, Escalation, EscalationCause, InboundMessage, Interaction, Ticket


def clock_is_whole(*, tickets: int, people: int) -> dict[str, int]:
    """Every ticket is due and unanswered: two breaches, one escalation, one notice for each breach and person."""
    breaches = dict(Breach.objects.values_list("deadline").annotate(Count("pk")))
    told = Counter(Notice.objects.filter(kind=Notice.Kind.BREACH).values_list("key", flat=True))
    recorded = Counter(TrailEntry.objects.filter(act=Act.DEADLINE_BREACHED).values_list("subject", flat=True))
    raised = Counter(Escalation.objects.values_list("ticket", flat=True))
    figures = {
        "deadlines still open": Deadline.objects.open().filter(obligation__in=["acknowledge", "respond"]).count(),
        "breaches missing": 2 * tickets - len(breaches),
        "breaches doubled": Breach.objects.count() - len(breaches),
        "notices missing": 2 * tickets * people - sum(told.values()),
        "notices doubled": sum(count > people for count in told.values()),
        "entries missing": 2 * tickets - len(recorded),
        "entries doubled": sum(count > 1 for count in recorded.values()),
        "escalations missing": tickets - len(raised),
        "escalations doubled": sum(count > 1 for count in raised.values()),
        "causes missing": tickets - EscalationCause.objects.count(),
        "places in a case missing": 2 * tickets - Membership.objects.count(),
        "cases doubled": NonCompliance.objects.count() - 1,
        "trails with gaps": trails_with_gaps(),
    }
    return {name: count for name, count in figures.items() if count}


def mail_is_whole(*, promised: Collection[bytes], sent: Sequence[Sent], kills: int) -> dict[str, int]:
    """Every mail that a door took stands in one place, and every acknowledgement left, with few and equal copies.

    `promised` are the digests of what a door said yes to, `sent` what the server outside has taken.
    """
    state = InboundMessage.State
    rows = list(InboundMessage.objects.all())
    said = Counter(Interaction.objects.filter(direction="in").values_list("inbound", flat=True))
    named = Counter(
        Interaction.objects.filter(direction="in").exclude(message_id="").values_list("message_id", flat=True)
    )
    stand = {row.pk for row in rows if row.state in (state.OPENED, state.THREADED, state.PARKED)}
    opened = [row for row in rows if row.state == state.OPENED]
    acknowledged = Counter(
        Interaction.objects.filter(purpose="acknowledgement").values_list("ticket", flat=True)
    )  # fmt: skip
    outbox = dict(OutboundMessage.objects.values_list("message_id", "state"))
    copies: dict[str, list[bytes]] = {}
    for each in sent:
        copies.setdefault(each.message["Message-ID"], []).append(each.content)
    owed = Ticket.objects.filter(pk__in=[row.ticket_id for row in opened])
    figures = {
        "mails lost after a yes": len(set(promised) - {bytes(row.sha256) for row in rows}),
        "mails neither in a ticket nor a copy of one": sum(
            row.pk not in stand and row.duplicate_of_id not in stand for row in rows
        ),
        "mails in no conversation": len(stand - said.keys()),
        "mails in two conversations": sum(count > 1 for count in said.values()),
        "messages said twice": sum(count > 1 for count in named.values()),
        "copies in a conversation": len(said.keys() - stand),
        "tickets missing": len(opened) - owed.count(),
        "tickets from nowhere": Ticket.objects.exclude(pk__in=[row.ticket_id for row in rows]).count(),
        "acknowledgements missing": sum(acknowledged[row.ticket_id] < 1 for row in opened),
        "acknowledgements doubled": sum(count > 1 for count in acknowledged.values()),
        "acknowledgements not settled": Delivery.objects.filter(settled_at__isnull=True).count(),
        "duties to acknowledge left open": owed.filter(acknowledge__met_at__isnull=True).count(),
        "messages not accepted": sum(found != "accepted" for found in outbox.values()),
        "messages accepted and never sent": len(outbox.keys() - copies.keys()),
        "messages sent that nobody posted": len(copies.keys() - outbox.keys()),
        "more copies than kills": max(0, len(sent) - len(copies) - kills),
        "copies that differ": sum(len(set(contents)) > 1 for contents in copies.values()),
        "trails with gaps": trails_with_gaps(),
    }
    return {name: count for name, count in figures.items() if count}


def trails_with_gaps() -> int:
    return (
        TrailEntry.objects.values("subject")
        .annotate(first=Min("version"), last=Max("version"), entries=Count("pk"))
        .exclude(first=1, last=F("entries"))
        .count()
    )
