"""Who has a ticket: assigned to a person, given back, moved to another team. Its clocks run on."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from csp import access, batches, deadlines, notices, trail
from csp.access import AlreadySo, Refused
from csp.events import Act
from csp.models import Notice, Restriction, RoleGrant, Team, TrailEntry, User
from csp.roles import TABLE, Permission
from tickets import escalation, oversight
from tickets.conversation import family, lock, running
from tickets.handling import check_can_work
from tickets.models import Ticket
from tickets.reach import check_is_real

State = Ticket.State


def check_can_be_assigned(ticket: Ticket, to: User, at: dt.datetime) -> None:
    if ticket.about_id == to.pk:
        raise Refused(_("%(name)s cannot work on this ticket. Choose somebody else.") % {"name": to.name})
    if not to.is_active:
        raise Refused(_("%(name)s does not work here any more.") % {"name": to.name})
    if not access.may(to, Permission.WORK_TICKETS, team_id=ticket.team_id, at=at):
        raise Refused(_("%(name)s does not belong to %(team)s.") % {"name": to.name, "team": ticket.team})


def check_can_take(ticket: Ticket, to: User, at: dt.datetime, *, limits: Sequence[Restriction] | None = None) -> None:
    """Raise Refused where anything keeps this ticket from this person; `limits` are their restrictions, if known."""
    check_is_real(ticket)
    check_can_be_assigned(ticket, to, at=at)
    oversight.check_can_be_given(ticket, to, at, limits=limits)


@transaction.atomic
def assign(ticket: Ticket, *, to: User | None, by: trail.Actor, at: dt.datetime) -> Ticket:
    """Give the ticket to somebody of its team, or back to the team (None). What still runs is theirs from now on.

    Raises Refused, and AlreadySo where it is theirs already.
    """
    root = lock(ticket)
    if isinstance(by, User):
        check_can_work(root, by, at=at)
    if root.assignee == to:
        raise AlreadySo(_already_with(root))
    if isinstance(by, User) and to != by and root.assignee_id not in (None, by.pk):
        access.check(by, Permission.ASSIGN_OTHERS, team_id=root.team_id, at=at)
    if to is not None:
        check_can_be_assigned(root, to, at=at)
    return _give(root, to=to, by=by, at=at)


def _already_with(root: Ticket) -> str:
    """Why an assignment would change nothing."""
    if root.assignee is None:
        return _("%(ref)s is with its team already. Nothing was changed.") % {"ref": root.reference}
    words = {"ref": root.reference, "name": root.assignee.name}
    return _("%(ref)s is with %(name)s already. Nothing was changed.") % words


def _give(root: Ticket, *, to: User | None, by: trail.Actor, at: dt.datetime, **facts: Any) -> Ticket:
    check_is_real(root)
    if to is not None:
        oversight.check_can_be_given(root, to, at)
    before = root.assignee_id
    root.assignee = to
    if root.state == State.NEW and to is not None:
        root.state = State.OPEN
    root.save()
    deadlines.hand_over(running(root), responsible=to, team=root.team, at=at)
    if to is not None and to != by:
        notices.tell(
            notices.Telling(
                kind=Notice.Kind.ASSIGNED,
                key=f"assigned:{root.pk}:{at.timestamp()}",
                to=[to],
                subject_ref=root.reference,
                path=root.path,
            ),
            at=at,
        )
    trail.record(
        Act.TICKET_ASSIGNED,
        root.trail_subject,
        by=by,
        at=at,
        facts={"from": before, "to": to.pk if to else None, "team": root.team_id, **facts},
    )
    return root


@transaction.atomic
def undo(ticket: Ticket, *, by: User, at: dt.datetime, done_at: dt.datetime | None = None) -> Ticket:
    """Take one's own latest assignment back: the ticket goes to whoever had it. Refused where anybody moved it since.

    With `done_at` only the one of that instant: whoever has assigned it once more does not undo that instead.
    An assignment more, which names the one that it undoes; nothing is removed.
    """
    root = lock(ticket)
    check_can_work(root, by, at=at)
    moves = TrailEntry.objects.filter(subject=root.trail_subject, act__in=[Act.TICKET_ASSIGNED, Act.TICKET_TEAM])
    last = moves.order_by("-version").first()
    facts = json.loads(last.facts) if last is not None else {}
    done_at = done_at or (last.at if last is not None else None)
    is_own = last is not None and last.act == Act.TICKET_ASSIGNED and last.actor == trail.name_of(by)
    if last is None or not is_own or "undoes" in facts or facts["to"] != root.assignee_id or last.at != done_at:
        raise Refused(_("Somebody has moved %(ref)s since. Nothing was undone.") % {"ref": root.reference})
    before = User.objects.filter(pk=facts["from"] or 0).first()
    if before is not None:
        check_can_be_assigned(root, before, at=at)
    return _give(root, to=before, by=by, at=at, undoes=last.pk)


@transaction.atomic
def move(ticket: Ticket, *, team: Team, by: User, at: dt.datetime) -> Ticket:
    """Hand the ticket to another team under the same contract; nobody is assigned there yet, the clocks run on.

    Raises Refused, and AlreadySo where it is that team's already.
    """
    root = lock(ticket)
    check_can_work(root, by, at=at)
    check_is_real(root)
    if team.contract_id != root.contract_id or not team.is_active:
        raise Refused(_("A ticket moves only between active teams of its contract."))
    if team.pk == root.team_id:
        words = {"ref": root.reference, "team": root.team}
        raise AlreadySo(_("%(ref)s is with %(team)s already. Nothing was changed.") % words)
    before = root.team_id
    root.team, root.assignee = team, None
    root.save()
    for each in Ticket.objects.filter(pk__in=family(root)).exclude(pk=root.pk):
        each.team = team  # what speaks through it goes along, and the team that gave it away reads neither
        each.save()
    deadlines.hand_over(running(root), responsible=None, team=team, at=at)
    escalation.follow_the_ticket(root, by=by, at=at)
    trail.record(
        Act.TICKET_TEAM, root.trail_subject, by=by, at=at, facts={"from": before, "to": team.pk}
    )  # fmt: skip
    return root


def return_orphaned(at: dt.datetime, *, limit: int = 200) -> int:
    """Give open tickets of people who left, or whose role in the team has ended, back to it. Returns how many."""
    numbers = list(_orphaned(at).order_by("pk").values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_return_one, at=at), limit=limit)


def _orphaned(at: dt.datetime) -> QuerySet[Ticket]:
    works = RoleGrant.objects.in_force(at).filter(
        user=OuterRef("assignee"), team=OuterRef("team"), role__in=TABLE[Permission.WORK_TICKETS]
    )
    unfinished = Ticket.objects.unfinished().filter(assignee__isnull=False)
    return unfinished.filter(Q(assignee__is_active=False) | ~Exists(works))


@transaction.atomic(durable=True)
def _return_one(number: int, *, at: dt.datetime) -> int:
    root = lock(Ticket(pk=number))
    if not _orphaned(at).filter(pk=root.pk).exists():
        return 0  # somebody gave it to another person meanwhile
    assign(root, to=None, by="people", at=at)
    return 1
