"""The second look at "no reply needed": a share of these rulings is checked by somebody else (clause 3.1).

draw(root, met, by=, at=, reason=)      a ruling has met these clocks: kept, and some of them marked
to_check(user)                          what this supervisor may look at and has not ruled
review(ruling, by=, at=, agrees=)       who disagrees opens the follow-up's clock again, with its first due time
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from csp import access, deadlines, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Deadline, User
from csp.roles import Permission
from tickets import reopening
from tickets.conversation import Purpose, derive, inbound, lock
from tickets.models import Call, NoReplyRuling, SpokenTo, Ticket

SAMPLED = 5  # one ruling in so many is checked by somebody else


def draw(root: Ticket, met: Iterable[Deadline], *, by: User, at: dt.datetime, reason: str) -> None:
    """Keep a ruling, one row for each clock that it met. The caller holds the lock and records it."""
    NoReplyRuling.objects.bulk_create(
        NoReplyRuling(
            ticket_id=int(row.subject_ref[1:]), deadline=row, reason=reason.strip(), ruled_by=by, ruled_at=at,
            is_sampled=_is_drawn(row),
        )
        for row in met
    )  # fmt: skip


def _is_drawn(row: Deadline) -> bool:
    """Whether somebody else checks this one: always the same, and nobody can tell beforehand."""
    drawn = hmac.digest(settings.LINK_KEY, f"no-reply:{row.pk}".encode(), hashlib.sha256)
    return drawn[0] % SAMPLED == 0


def to_check(user: User) -> QuerySet[NoReplyRuling]:
    """The drawn rulings of others that wait for this person's eyes, the oldest first."""
    teams = access.scope_of(user).teams_where(Permission.REVIEW_SORTING)
    theirs = Ticket.objects.visible_to(user).filter(team__in=teams)
    waiting = NoReplyRuling.objects.filter(ticket__in=theirs, is_sampled=True, reviewed_at__isnull=True)
    return waiting.exclude(ruled_by=user).select_related("ticket", "ruled_by").order_by("pk")


@transaction.atomic
def review(ruling: NoReplyRuling, *, by: User, at: dt.datetime, agrees: bool) -> NoReplyRuling:
    """The second look at a drawn ruling. Whoever disagrees opens the clock again, breached if its time is past.

    Where the customer was answered meanwhile all the same, that meets it. Raises Refused.
    """
    root = lock(Ticket(pk=ruling.ticket_id))
    access.check(by, Permission.REVIEW_SORTING, team_id=root.team_id, at=at)
    row = NoReplyRuling.objects.select_for_update(of=("self",)).select_related("deadline").get(pk=ruling.pk)
    if row.ruled_by_id == by.pk:
        raise Refused(_("You ruled on this yourself. Somebody else has to check it."))
    if row.reviewed_at is not None:
        raise Refused(_("This ruling has been checked already."))
    if not row.is_sampled:
        raise Refused(_("This ruling was not drawn to be checked."))
    row.reviewed_by, row.reviewed_at, row.review_agrees = by, at, agrees
    row.save(update_fields=["reviewed_by", "reviewed_at", "review_agrees"])
    again = None if agrees else _owed_again(root, row, at=at, by=by)
    trail.record(
        Act.NO_REPLY_REVIEWED, root.trail_subject, by=by, at=at,
        facts={"ruling": row.pk, "agrees": agrees, "reopened": again.pk if again else None},
    )  # fmt: skip
    return row


def _owed_again(root: Ticket, row: NoReplyRuling, *, at: dt.datetime, by: User) -> Deadline:
    asked = [each for each in inbound(root, [row.ticket_id]) if each.occurred_at >= row.deadline.starts_at]
    first = min((each.pk for each in asked), default=0)
    answered_at = _answered_at(row, first)
    again = deadlines.reopen(row.deadline, at=at, by=by, reason="overruled", owed_until=answered_at)
    if answered_at is not None:
        deadlines.meet([again], at=answered_at, by=by, how="answered all the same")
    else:
        Ticket.objects.filter(pk=row.ticket_id, answered_through__gte=first).update(answered_through=max(first - 1, 0))
        root.refresh_from_db(fields=["answered_through"])
        if not root.is_unfinished or root.state == Ticket.State.WAITING:
            reopening.bring_back(root, at=at, by=by)
            root.save()
    derive(root)
    return again


def _answered_at(row: NoReplyRuling, first: int) -> dt.datetime | None:
    """When the customer was answered after the ruling, by a mail that was accepted outside, or by a call."""
    mails = SpokenTo.objects.filter(
        ticket=row.ticket_id, through__gte=first, interaction__purpose=Purpose.ANSWER,
        interaction__recorded_at__gte=row.ruled_at, interaction__delivery__settled_at__isnull=False,
        interaction__delivery__message__accepted_at__isnull=False, interaction__delivery__bounced_at__isnull=True,
    ).values_list("interaction__delivery__message__accepted_at", flat=True)  # fmt: skip
    calls = Call.objects.filter(
        interaction__ticket=row.ticket_id, answers_customer=True, ended_at__gte=row.ruled_at
    )  # fmt: skip
    answered = [accepted_at for accepted_at in mails if accepted_at is not None]
    return min([*answered, *(call.ended_at for call in calls if call.counts)], default=None)
