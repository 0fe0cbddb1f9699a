"""What somebody under co-signature told a customer live, looked at afterwards by whoever co-signs (clause 8.2).

Additional oversight lets written answers wait. A conversation cannot wait: the customer is on the line. So it counts,
and is put before a second person at once. Found wrong, the ticket is open and its author is told what to put right.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, notices, restrictions, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Notice, Restriction, User
from csp.roles import Permission
from tickets import oversight, reopening
from tickets.conversation import Direction, Kind, Said, lock, write
from tickets.models import Call, CallReview, Ticket


def ask(root: Ticket, call: Call, *, at: dt.datetime) -> CallReview | None:
    """Put an answering call before a second person, where its author is under oversight. The caller holds the lock."""
    author = call.interaction.author
    limit = oversight.holds_back(restrictions.of(author, at)) if author and call.answers_customer else None
    if limit is None:
        return None
    row = CallReview.objects.create(call=call, restriction=limit, asked_at=at)
    _tell(row, root, "call", oversight.signers(root, limit, at), at, path="/cosign/")
    return row


def check_can_look(row: CallReview, user: User, at: dt.datetime) -> None:
    """Whoever signs this person's answers: the one named, else a supervisor of the team; never the person."""
    said = row.call.interaction
    if said.author_id == user.pk:
        raise Refused(_("Nobody looks at an own answer."))
    named = row.restriction.cosigner
    if named is not None and named.is_active and named.pk != user.pk:
        raise Refused(_("%(name)s looks at these answers.") % {"name": named.name})
    if named is None or not named.is_active:
        access.check(user, Permission.COSIGN, team_id=said.ticket.team_id, at=at)
    if restrictions.of(user, at, Restriction.Kind.COSIGN):
        raise Refused(_("Your own answers wait for a co-signature. Somebody else has to look."))


@transaction.atomic
def decide(row: CallReview, *, by: User, at: dt.datetime, agrees: bool, note: str = "") -> CallReview:
    """A second person's word on what was told live. What it met stays met; what was wrong is to be put right."""
    root = lock(Ticket(pk=row.call.interaction.ticket_id))
    rows = CallReview.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("call__interaction__ticket", "call__interaction__author", "restriction__cosigner").get(
        pk=row.pk
    )
    check_can_look(row, by, at)
    if row.decided_at is not None:
        raise Refused(_("Somebody has looked at this already."))
    if not agrees and not note.strip():
        raise Refused(_("Say what was wrong, so that it can be put right."))
    row.decided_at, row.decided_by, row.agrees, row.note = at, by, agrees, note.strip()
    row.save()
    if not agrees:
        said = Said(kind=Kind.NOTE, direction=Direction.INTERNAL, body=note.strip(), occurred_at=at, author=by)
        write(root, said, at=at)
        if root.state in (Ticket.State.WAITING, Ticket.State.RESOLVED):
            reopening.bring_back(root, at=at, by=by)
            root.save()
        author = row.call.interaction.author
        _tell(row, root, "call_wrong", [author] if author else [], at, path=root.path)
    trail.record(
        Act.CALL_REVIEWED, root.trail_subject, by=by, at=at,
        facts={"interaction": row.call.interaction_id, "agrees": agrees, "restriction": row.restriction_id},
        personal={"note": note},
    )  # fmt: skip
    return row


def _tell(row: CallReview, root: Ticket, says: str, to: list[User], at: dt.datetime, *, path: str) -> None:
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.COSIGN,
            key=f"call_review:{row.pk}:{says}",
            to=to,
            subject_ref=root.reference,
            path=path,
            facts={"says": f"cosign.{says}"},
        ),
        at=at,
    )
