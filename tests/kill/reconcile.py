"""What must hold after any number of kills: nothing lost, nothing doubled."""

from __future__ import annotations

from collections import Counter

from django.db.models import Count, F, Max, Min

from audits.models import Membership, NonCompliance
from csp.events import Act
from csp.models import Breach, Deadline, Notice, TrailEntry
from tickets.models import Escalation, EscalationCause


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


def trails_with_gaps() -> int:
    return (
        TrailEntry.objects.values("subject")
        .annotate(first=Min("version"), last=Max("version"), entries=Count("pk"))
        .exclude(first=1, last=F("entries"))
        .count()
    )
