"""Working on a ticket together: who has it open, who is writing, what was begun and not sent, approved texts."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from django.db import connection
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from csp import access
from csp.models import RoleGrant, User
from csp.roles import Permission, Role
from tickets.models import CannedReply, Draft, Presence, Ticket

STILL_HERE = dt.timedelta(seconds=45)  # a hidden page says that it is there every thirty
STILL_WRITING = dt.timedelta(seconds=30)
TOLD_OFTEN_ENOUGH = dt.timedelta(seconds=8)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def people_of(teams: Iterable[int], *, at: dt.datetime) -> list[User]:
    """Everybody who works in these teams now, by name."""
    grants = RoleGrant.objects.in_force(at).filter(
        team__in=list(teams), role__in=[Role.REPRESENTATIVE, Role.SUPERVISOR], user__is_active=True
    )
    return list(User.objects.filter(pk__in=grants.values("user")).order_by("name", "pk"))


# ---------------------------------------------------------------- who is here


# bulk_create says the same in three statements.
ARRIVE = """
    insert into tickets_presence (ticket_id, user_id, is_writing, seen_at) values (%s, %s, %s, %s)
    on conflict (ticket_id, user_id) do update set is_writing = excluded.is_writing, seen_at = excluded.seen_at
"""


def arrive(ticket: Ticket, *, by: User, at: dt.datetime, is_writing: bool = False) -> None:
    """Note that somebody has the ticket open now; one statement, whether or not they had it open before."""
    with connection.cursor() as cursor:
        cursor.execute(ARRIVE, [ticket.pk, by.pk, is_writing, at])


def stay(ticket: Ticket, *, by: User, at: dt.datetime) -> None:
    """Keep somebody's presence alive; writes only when the last word is some seconds old."""
    known = Presence.objects.filter(ticket=ticket, user=by)
    typing = Draft.objects.filter(ticket=OuterRef("ticket"), user=OuterRef("user"), saved_at__gt=at - STILL_WRITING)
    fresh = known.filter(seen_at__lte=at - TOLD_OFTEN_ENOUGH).update(seen_at=at, is_writing=Exists(typing))
    if not fresh and not known.exists():
        arrive(ticket, by=by, at=at)


def others_here(ticket: Ticket, user: User, *, at: dt.datetime) -> QuerySet[Presence]:
    """Who else has the ticket open, writers first."""
    rows = Presence.objects.filter(ticket=ticket.pk, seen_at__gt=at - STILL_HERE).exclude(user=user)
    return rows.select_related("user").order_by("-is_writing", "user__name")


# ---------------------------------------------------------------- drafts


def keep_draft(ticket: Ticket, *, by: User, mode: Draft.Mode, body: str, cc: str, at: dt.datetime) -> None:
    """Keep what somebody has begun to write; an empty text is no draft. Raises Refused."""
    access.check(by, Permission.WORK_TICKETS, team_id=ticket.team_id, at=at)
    if body.strip():
        row = Draft(ticket=ticket, user=by, mode=mode, body=body[:100_000], cc=cc[:2000], saved_at=at)
        Draft.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["ticket", "user", "mode"],
            update_fields=["body", "cc", "saved_at"],
        )
    else:
        Draft.objects.filter(ticket=ticket, user=by, mode=mode).delete()


def drafts_of(ticket: Ticket, user: User) -> dict[str, Draft]:
    """What this person has begun to write on the ticket, by mode."""
    return {row.mode: row for row in Draft.objects.filter(ticket=ticket, user=user)}


# ---------------------------------------------------------------- approved texts


def canned(ticket: Ticket) -> QuerySet[CannedReply]:
    """The approved replies of the ticket's contract, those in the customer's language first."""
    rows = CannedReply.objects.filter(contract=ticket.contract_id, is_active=True, approved_at__isnull=False)
    own = Q(language__startswith=(ticket.language or "en")[:2])
    return rows.annotate(own=ExpressionWrapper(own, output_field=BooleanField())).order_by("-own", "title", "pk")


def fill(text: str, ticket: Ticket, user: User) -> str:
    """Put the ticket's facts in the place of {customer}, {reference}, {subject}, {me} and {team}; others stay."""
    known = {
        "customer": ticket.customer.name if ticket.customer else "",
        "reference": ticket.reference,
        "subject": ticket.subject,
        "me": user.name,
        "team": ticket.team.name,
    }
    return _PLACEHOLDER.sub(lambda match: known.get(match[1], match[0]), text)
