"""Somebody is away: all that they hold goes to their deputy in one act, and back in one (clause 3.3).

What may not go stays, and the page says why before anything moves. Nobody's clock notices any of it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from csp import access, restrictions, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Absence, Restriction, RoleGrant, TrailEntry, User
from csp.roles import Permission, Role
from tickets import assignment, handing_on
from tickets.conversation import lock_all
from tickets.models import Escalation, Ticket

BATCH = 50  # tickets that are locked at a time: the colleagues of the deputy go on working meanwhile


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """One thing that somebody holds: a ticket, or what stands before them as a supervisor. `why_not` keeps it there."""

    ticket: Ticket
    row: Escalation | None = None
    why_not: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """All that somebody who is away holds in the sight of whoever looks, sorted by whether it may go."""

    goes: list[Item]
    stays: list[Item]


@dataclasses.dataclass(slots=True)
class Moved:
    """What one act has moved; `left` says of the rest why not. `version` names the act, to take it back."""

    tickets: int = 0
    escalations: int = 0
    left: list[str] = dataclasses.field(default_factory=list)
    version: int = 0

    def __bool__(self) -> bool:
        return bool(self.tickets or self.escalations)


# ---------------------------------------------------------------- who is away


def away_from(user: User, at: dt.datetime) -> list[Absence]:
    """Who of the teams that this person supervises is away now, by name; each with the absence that lasts longest."""
    teams = access.scope_of(user, at=at).teams(Role.SUPERVISOR)
    theirs = RoleGrant.objects.in_force(at).filter(team__in=teams).values("user")
    rows = Absence.objects.in_force(at).filter(user__in=theirs, user__is_active=True).exclude(user=user)
    last = {row.user_id: row for row in rows.select_related("user", "deputy").order_by("ends_at", "pk")}
    return sorted(last.values(), key=lambda row: (row.user.name, row.user_id))


def may_see(absence: Absence, user: User, at: dt.datetime) -> bool:
    """Whether this person may look at what the other one holds: one's own, or of a team that one supervises."""
    theirs = access.scope_of(absence.user, at=at).teams_where(Permission.WORK_TICKETS)
    return user == absence.user or bool(_teams(user, at) & theirs)


def _teams(user: User, at: dt.datetime) -> frozenset[int]:
    """Those whose tickets this person may take from one and give to another."""
    return access.scope_of(user, at=at).teams_where(Permission.ASSIGN_OTHERS)


# ---------------------------------------------------------------- what they hold


def tickets_of(absence: Absence, by: User, at: dt.datetime) -> QuerySet[Ticket]:
    """Their unfinished tickets that this person may give to somebody else, by what falls due."""
    rows = Ticket.objects.workable_by(by).unfinished().real().filter(assignee=absence.user)
    if by != absence.user:
        rows = rows.filter(team__in=_teams(by, at))
    return rows.select_related("team", "customer", "assignee").order_by(F("next_due_at").asc(nulls_last=True), "pk")


def escalations_of(absence: Absence, by: User, at: dt.datetime) -> QuerySet[Escalation]:
    """What stands before them, or is in their hand, and this person might decide as well."""
    theirs = Q(accepted_by=absence.user) | Q(accepted_by__isnull=True, to_user=absence.user)
    rows = Escalation.objects.filter(theirs, closed_at__isnull=True, ticket__in=Ticket.objects.visible_to(by).real())
    rows = rows.filter(team__in=access.scope_of(by, at=at).teams_where(Permission.DECIDE_ESCALATIONS))
    return rows.select_related("ticket__team", "ticket__customer", "take_up").order_by("raised_at", "pk")


def look(absence: Absence, *, by: User, at: dt.datetime) -> Held:
    """What would go to the deputy, and what would stay and why. Changes nothing."""
    limits = restrictions.of(absence.deputy, at) if absence.deputy else []
    held = [Item(ticket, None, _why_not(absence, ticket, None, limits, at)) for ticket in tickets_of(absence, by, at)]
    held += [
        Item(row.ticket, row, _why_not(absence, row.ticket, row, limits, at)) for row in escalations_of(absence, by, at)
    ]
    return Held([item for item in held if not item.why_not], [item for item in held if item.why_not])


def _why_not(
    absence: Absence, ticket: Ticket, row: Escalation | None, limits: Sequence[Restriction], at: dt.datetime
) -> str:
    """Why the deputy may not have it; empty where nothing speaks against it."""
    if absence.deputy is None:
        return _("Nobody stands in.")
    try:
        if row is not None:
            handing_on.check_can_have(row, ticket, absence.deputy, at=at)
        else:
            assignment.check_can_take(ticket, absence.deputy, at, limits=limits)
    except Refused as refusal:
        return str(refusal)
    return ""


# ---------------------------------------------------------------- moving it


def hand_over(absence: Absence, *, to: User | None, by: User, at: dt.datetime) -> Moved:
    """Give all that may go to the deputy `to`, whom the page named. Raises Refused.

    In batches of their own transactions: whoever is interrupted has whole batches done, presses again for the rest, and
    takes each press back in one act.
    """
    absence = Absence.objects.select_related("user", "deputy").get(pk=absence.pk)
    if not may_see(absence, by, at):
        raise Refused(_("Your role does not allow this. Ask a supervisor or an administrator."))
    if not absence.starts_at <= at < absence.ends_at:
        raise Refused(_("%(name)s is not away at the moment. Nothing was changed.") % {"name": absence.user.name})
    if to is None or absence.deputy != to:
        raise Refused(_("Somebody else stands in by now. Look at the page again."))
    held, moved = look(absence, by=by, at=at), Moved()
    moved.left += [_left(item) for item in held.stays]
    first = _last_version(absence) + 1
    rows: dict[int, list[Item]] = {}
    for item in held.goes:
        rows.setdefault(item.ticket.pk, []).append(item)
    for numbers in _batches(rows):
        _hand_over_some(absence, [item for number in numbers for item in rows[number]], to, moved, by=by, at=at)
    if moved:
        entries = _entries(absence, by, first).filter(at=at)
        moved.version = entries[0].version
    return moved


def _left(item: Item) -> str:
    return f"{item.ticket.reference}: {item.why_not}"


def _batches(numbers: Iterable[int]) -> list[list[int]]:
    ordered = sorted(numbers)
    return [ordered[first : first + BATCH] for first in range(0, len(ordered), BATCH)]


@transaction.atomic(durable=True)
def _hand_over_some(
    absence: Absence, items: Sequence[Item], to: User, moved: Moved, *, by: User, at: dt.datetime
) -> None:
    roots = lock_all(item.ticket.pk for item in items)
    tickets, escalations = [], []
    for item in items:
        try:
            if item.row is not None:
                handing_on.hand_on(item.row, of=absence.user, to=to, by=by, at=at)
                escalations.append(item.row.pk)
            elif roots[item.ticket.pk].pk != item.ticket.pk or roots[item.ticket.pk].assignee_id != absence.user_id:
                raise Refused(_("Somebody has moved %(ref)s since.") % {"ref": item.ticket.reference})
            else:
                assignment.assign(item.ticket, to=to, by=by, at=at)
                tickets.append(item.ticket.pk)
        except Refused as refusal:
            moved.left.append(_left(dataclasses.replace(item, why_not=str(refusal))))
    if tickets or escalations:
        _record(Act.WORK_HANDED_ON, absence, tickets, escalations, by=by, at=at, to=to.pk)
    moved.tickets += len(tickets)
    moved.escalations += len(escalations)


def take_back(absence: Absence, *, version: int, by: User, at: dt.datetime) -> Moved:
    """Undo one's own handing over: each ticket and escalation goes back to who was away, but what was moved since."""
    entries = list(_entries(absence, by, version))
    moved = Moved()
    if not entries or entries[0].version != version:
        raise Refused(_("There is nothing to undo."))
    for entry in entries:
        if entry.at == entries[0].at:
            _take_some_back(absence, entry, moved, by=by, at=at)
    return moved


@transaction.atomic(durable=True)
def _take_some_back(absence: Absence, entry: TrailEntry, moved: Moved, *, by: User, at: dt.datetime) -> None:
    facts = json.loads(entry.facts)
    rows = list(Escalation.objects.filter(pk__in=facts["escalations"]).order_by("ticket", "pk"))
    lock_all({*facts["tickets"], *(row.ticket_id for row in rows)})
    tickets, escalations = [], []
    for number in facts["tickets"]:
        try:
            assignment.undo(Ticket(pk=number), by=by, at=at, done_at=entry.at)
            tickets.append(number)
        except Refused as refusal:
            moved.left.append(str(refusal))
    for row in rows:
        try:
            handing_on.undo(row, done_at=entry.at, by=by, at=at)
            escalations.append(row.pk)
        except Refused as refusal:
            moved.left.append(str(refusal))
    if tickets or escalations:
        _record(Act.WORK_TAKEN_BACK, absence, tickets, escalations, by=by, at=at, undoes=entry.pk)
    moved.tickets += len(tickets)
    moved.escalations += len(escalations)


def _record(
    act: Act, absence: Absence, tickets: list[int], escalations: list[int], *, by: User, at: dt.datetime, **more: int
) -> None:
    facts = {"absence": absence.pk, "tickets": tickets, "escalations": escalations, **more}
    trail.record(act, f"user:{absence.user_id}", by=by, at=at, facts=facts)


def _entries(absence: Absence, by: User, since: int) -> QuerySet[TrailEntry]:
    """What this person has handed over of that one's work from this entry on, a row for each batch."""
    rows = TrailEntry.objects.filter(subject=f"user:{absence.user_id}", version__gte=since, act=Act.WORK_HANDED_ON)
    return rows.filter(actor=trail.name_of(by)).order_by("version")


def _last_version(absence: Absence) -> int:
    last = TrailEntry.objects.filter(subject=f"user:{absence.user_id}").order_by("-version").first()
    return last.version if last is not None else 0
