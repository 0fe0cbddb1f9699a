"""Restrictions of a person's work as the desk honours them (clause 8.2): what may be given to whom, what waits.

Nothing here touches an escalation, an acknowledgement or a holding message: those are never delayed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _

from csp import access, notices, restrictions, trail, vault
from csp.events import Act
from csp.models import Blob, Notice, Restriction, User
from csp.restrictions import Restricted
from csp.roles import Role
from tickets.conversation import File, Seen
from tickets.models import CoSignature, CoSignatureFile, Draft, Ticket

Kind = Restriction.Kind


def check_can_be_given(
    ticket: Ticket, to: User, at: dt.datetime, *, limits: Sequence[Restriction] | None = None
) -> None:
    """Raise Restricted where a restriction keeps this ticket from this person; `limits` are theirs, if known."""
    limits = restrictions.of(to, at) if limits is None else limits
    if any(row.kind == Kind.NO_NEW_TICKETS for row in limits):
        raise Restricted(_("%(name)s takes no new tickets at the moment. Choose somebody else.") % {"name": to.name})
    if not may_take(ticket, limits):
        raise Restricted(_("%(name)s takes no complaints at the moment. Choose somebody else.") % {"name": to.name})


def may_take(ticket: Ticket, limits: Sequence[Restriction]) -> bool:
    """Whether somebody with these restrictions takes up this ticket by answering it."""
    kinds = {row.kind for row in limits}
    return not (Kind.NO_NEW_TICKETS in kinds or (Kind.NO_COMPLAINTS in kinds and ticket.kind == Ticket.Kind.COMPLAINT))


def holds_back(limits: Sequence[Restriction]) -> Restriction | None:
    """That one of somebody's restrictions because of which answers wait for a co-signature, if there is one."""
    return next((row for row in limits if row.kind == Kind.COSIGN), None)


def signers(ticket: Ticket, restriction: Restriction, at: dt.datetime) -> list[User]:
    """Who may sign: the one named while at work here, else the supervisors of the ticket's team."""
    if restriction.cosigner is not None and restriction.cosigner.is_active:
        return [restriction.cosigner]
    people = access.people_with(Role.SUPERVISOR, at=at, teams=[ticket.team_id])
    others = [person for person in people if person.pk not in (restriction.user_id, ticket.about_id)]
    return others or notices.Rungs(at).administrators()


def hold(
    ticket: Ticket,
    restriction: Restriction,
    *,
    by: User,
    at: dt.datetime,
    body: str,
    seen_through: Seen,
    cc: Sequence[str],
    files: Sequence[File],
    then: Ticket.State,
) -> CoSignature:
    """Let an answer wait for its co-signature instead of leaving. The caller holds the ticket's lock."""
    if CoSignature.objects.waiting().filter(ticket=ticket, author=by).exists():
        raise Restricted(_("An answer of yours waits here for a co-signature already. Take it back to change it."))
    row = CoSignature.objects.create(
        ticket=ticket,
        author=by,
        restriction=restriction,
        body=body,
        cc=list(cc),
        seen=sorted(seen_through.items()),
        then=then,
        written_at=at,
    )
    CoSignatureFile.objects.bulk_create(
        CoSignatureFile(
            cosignature=row,
            blob=file.content if isinstance(file.content, Blob) else vault.store(file.content, at=at),
            name=file.name[:255],
            content_type=file.content_type[:120],
            declared_type=file.declared_type[:120],
        )
        for file in files
    )
    Draft.objects.filter(ticket=ticket, user=by, mode=Draft.Mode.REPLY).delete()
    tell(row, "waiting", signers(ticket, restriction, at), at)
    trail.record(
        Act.COSIGN_ASKED,
        ticket.trail_subject,
        by=by,
        at=at,
        facts={"cosignature": row.pk, "restriction": restriction.pk, "seen_through": seen_through},
        personal={"body": body},
    )
    return row


def tell(row: CoSignature, says: str, to: Sequence[User], at: dt.datetime) -> None:
    """Tell signers or author what became of an answer that waits."""
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.COSIGN,
            key=f"cosign:{row.pk}:{says}",
            to=to,
            subject_ref=row.ticket.reference,
            path="/cosign/" if says == "waiting" else row.ticket.path,
            facts={"says": f"cosign.{says}"},
        ),
        at=at,
    )
