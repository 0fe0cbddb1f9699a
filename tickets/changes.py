"""What is new since a page was drawn: one indexed query for each question, asked every two seconds by open pages.

A cursor is opaque to the page. That of a queue is the latest change of its tickets and how many changed shortly before
it: a transaction may commit after another whose change is later, and is not missed that way.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Max, Q

from csp import access
from csp.events import Act
from csp.models import Deadline, KeptFrom, TrailEntry, User
from csp.roles import Role
from tickets import queues
from tickets.models import Escalation, InboundMessage, Ticket
from tickets.queues import View

READING = (Act.TICKET_READ, Act.ATTACHMENT_READ, Act.SOURCE_READ, Act.NAME_SHOWN, Act.MASKS_OPENED)
OVERLAP = dt.timedelta(seconds=5)
JUST_NOW = dt.timedelta(minutes=1)  # where a first cursor begins


def of_queue(view: View, user: User, since: str = "", *, at: dt.datetime) -> str:
    """The cursor of a queue now; the same string while nothing changed since that one."""
    tickets, mine = Ticket.objects.visible_to(user), ""
    if view is View.MINE:
        tickets = tickets.filter(assignee=user)
        mine = f"_{tickets.unfinished().count()}"  # one that was given to somebody else is seen by its absence
    latest, _underscore, rest = since.partition("_")
    try:
        after = dt.datetime.fromisoformat(latest) if latest else None
    except ValueError:
        after = None
    if after is None or after.tzinfo is None:  # a page just drawn: who changed long ago does not matter
        latest, rest = (at - JUST_NOW).isoformat(), "0"
        after = at - JUST_NOW
    newest = tickets.filter(changed_at__gt=after - OVERLAP).order_by("-changed_at")
    moments = list(newest.values_list("changed_at", flat=True)[:200])
    if not moments:
        return f"{latest}_{rest.partition('_')[0]}{mine}"
    recent = sum(moment > moments[0] - OVERLAP for moment in moments)
    return f"{moments[0].isoformat()}_{recent}{mine}"


def of_ticket(number: int) -> int:
    """The last entry in the trail about this ticket, its deadlines and escalations; reading it is no change."""
    entries = TrailEntry.objects.filter(context=f"ticket:{number}").exclude(act__in=READING)
    return entries.order_by("-pk").values_list("pk", flat=True).first() or 0


def of_escalations(user: User) -> str:
    """The cursor of the supervisors' board."""
    teams = sorted(access.scope_of(user).teams(Role.SUPERVISOR) | access.scope_of(user).audited)
    # What is open says it all, and stays small: ending one makes them fewer, and the next one has a higher number.
    theirs = (Q(ticket__about__isnull=True) | ~Q(ticket__about=user.pk)) & ~Q(ticket__origin=Ticket.Origin.PRACTICE)
    standing = Escalation.objects.filter(theirs, team__in=teams, closed_at__isnull=True)
    found = standing.aggregate(standing=Count("pk"), last=Max("pk"), accepted=Max("accepted_at"))
    # what is marked complex and must still reach a supervisor; moving it to another team is a change, too
    coming = Deadline.objects.running().filter(team__in=teams, obligation="escalate")
    kept = KeptFrom.objects.filter(user=user, until__isnull=True)
    coming = coming.exclude(subject_ref__in=kept.values("subject_ref"))
    found |= coming.aggregate(number=Count("pk"), newest=Max("pk"))
    return "_".join(str(value or "") for value in found.values()).replace(" ", "T").replace("+", "")


def of_unsorted(user: User) -> str:
    """The cursor of the mail that waits for this person's ruling."""
    waiting = InboundMessage.objects.visible_to(user).unsorted().order_by()
    found = waiting.aggregate(number=Count("pk"), last=Max("pk"))
    return f"{found['number']}_{found['last'] or 0}"


def tickets_since(view: View, user: User, since: str) -> int:
    """How many tickets of the queue changed after that cursor, for the words on the bar; a hundred at most."""
    latest = since.partition("_")[0]
    try:
        after = dt.datetime.fromisoformat(latest)
    except ValueError:
        return 0
    if after.tzinfo is None:
        return 0
    tickets = Ticket.objects.visible_to(user).filter(changed_at__gt=after)
    if view is View.MINE:
        tickets = tickets.filter(assignee=user)
    return tickets[: queues.COUNTED].count()


def heard_since(number: int, entry: int) -> bool:
    """Whether the customer said something on the ticket after that entry of the trail."""
    return TrailEntry.objects.filter(context=f"ticket:{number}", pk__gt=entry, act=Act.MESSAGE_RECEIVED).exists()
