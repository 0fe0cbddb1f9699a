"""Signing, handing back or taking back an answer that waits for a second signature (clause 8.2).

The answer stays its author's, with what the author had on screen: what the customer wrote later is not answered by it
and keeps its own clock. Nothing is met before the first server outside has accepted the mail, as for every answer.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, restrictions, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Restriction, User
from csp.roles import Permission
from tickets import oversight
from tickets.conversation import File, Seen, inbound, lock, unseen
from tickets.handling import NewMessageMeanwhile, respond
from tickets.models import CoSignature, Draft, Interaction, Ticket

State = CoSignature.State


def check_can_sign(row: CoSignature, user: User, at: dt.datetime) -> None:
    """The one named, else a supervisor of the team: never the author, nor somebody whose own answers wait."""
    if row.author_id == user.pk:
        raise Refused(_("Nobody signs an own answer."))
    named = row.restriction.cosigner
    if named is not None and named.is_active and named.pk != user.pk:
        raise Refused(_("%(name)s signs these answers.") % {"name": named.name})
    if named is None or not named.is_active:
        access.check(user, Permission.COSIGN, team_id=row.ticket.team_id, at=at)
    if restrictions.of(user, at, Restriction.Kind.COSIGN):
        raise Refused(_("Your own answers wait for a co-signature. Somebody else has to sign."))


def _lock(row: CoSignature) -> tuple[Ticket, CoSignature]:
    root = lock(Ticket(pk=row.ticket_id))
    rows = CoSignature.objects.select_for_update(of=("self",))
    row = rows.select_related("ticket__team", "author", "restriction__cosigner").get(pk=row.pk)
    if row.state != State.WAITING:
        raise Refused(_("This answer does not wait any more."))
    return root, row


@transaction.atomic
def sign(row: CoSignature, *, by: User, at: dt.datetime, seen_through: Seen, note: str = "") -> Interaction:
    """Sign an answer, which sends it. Raises NewMessageMeanwhile if the customer wrote what the signer has not seen."""
    root, row = _lock(row)
    check_can_sign(row, by, at)
    after_the_author = unseen(inbound(root), row.seen_through)
    missed = unseen(after_the_author, seen_through)
    if missed:
        raise NewMessageMeanwhile(missed)
    files = [
        File(file.name, file.content_type, file.blob, file.declared_type)
        for file in row.files.select_related("blob").order_by("pk")
    ]
    sent = respond(
        root,
        by=row.author,
        at=at,
        body=row.body,
        seen_through=row.seen_through,
        cc=row.cc,
        files=files,
        then=Ticket.State(row.then),
        cosigned=row,
    )
    assert isinstance(sent, Interaction)  # what is signed does not wait again
    row.interaction = sent
    _decided(row, State.SIGNED, by, at, note)
    oversight.tell(row, "signed", [row.author], at)
    trail.record(
        Act.COSIGNED,
        root.trail_subject,
        by=by,
        at=at,
        facts={"cosignature": row.pk, "interaction": sent.pk, "author": row.author_id, "waited_since": row.written_at},
        personal={"note": note},
    )
    return sent


@transaction.atomic
def hand_back(row: CoSignature, *, by: User, at: dt.datetime, note: str) -> CoSignature:
    """Return an answer unsigned, saying what to change. Its author finds the text again as a draft."""
    root, row = _lock(row)
    check_can_sign(row, by, at)
    if not note.strip():
        raise Refused(_("Say what should be different, so that it can be signed the next time."))
    _decided(row, State.RETURNED, by, at, note)
    _as_draft(row, at)
    oversight.tell(row, "returned", [row.author], at)
    trail.record(
        Act.COSIGN_RETURNED, root.trail_subject, by=by, at=at, facts={"cosignature": row.pk}, personal={"note": note}
    )  # fmt: skip
    return row


@transaction.atomic
def take_back(row: CoSignature, *, by: User, at: dt.datetime) -> CoSignature:
    """The author takes an answer back to change it."""
    root, row = _lock(row)
    if row.author_id != by.pk:
        raise Refused(_("Only its author takes an answer back."))
    _decided(row, State.WITHDRAWN, by, at, "")
    _as_draft(row, at)
    trail.record(Act.COSIGN_WITHDRAWN, root.trail_subject, by=by, at=at, facts={"cosignature": row.pk})
    return row


def _decided(row: CoSignature, state: CoSignature.State, by: User, at: dt.datetime, note: str) -> None:
    row.state, row.decided_by, row.decided_at, row.note = state, by, at, note.strip()
    row.save()


def _as_draft(row: CoSignature, at: dt.datetime) -> None:
    """Nothing that was written is lost; a newer draft is kept above it."""
    draft, is_new = Draft.objects.get_or_create(
        ticket=row.ticket,
        user=row.author,
        mode=Draft.Mode.REPLY,
        defaults={"body": row.body, "cc": ", ".join(row.cc), "saved_at": at},
    )
    if not is_new and row.body not in draft.body:
        draft.body = f"{draft.body}\n\n{row.body}".strip()
        draft.saved_at = at
        draft.save()
