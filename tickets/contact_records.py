"""That a contact is on record (clause 4.1): its transcript or scan, or the reason why there is none, within a day.

    begin(root, row, ...)         the clock of a contact that was written down; met at once where the record came along
    keep(record, ...)             the transcript or scan, later: a note with the file, for a contact never changes
    explain(record, ...)          the listed reason why there is none; it counts as not kept

A file that is no transcript is kept all the same, and the sentence names the line; the clock runs on.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from csp import agreement, deadlines, trail
from csp.access import Refused
from csp.events import Act
from csp.models import User
from tickets import transcripts
from tickets.conversation import Direction, File, Kind, Said, derive, lock, subject_of, write
from tickets.models import ContactRecord, Interaction, Ticket
from tickets.reach import check_can_work

Reason = ContactRecord.Reason


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """What came of a transcript's file: its words, or the sentence that says what is wrong with it."""

    text: str = ""
    problem: str = ""


def words_of(file: File | None) -> Words:
    if file is None:
        return Words()
    assert isinstance(file.content, bytes)
    try:
        return Words(transcripts.read(file.name, file.content))
    except transcripts.NotATranscript as problem:
        return Words(problem=str(problem))


def begin(
    root: Ticket, row: Interaction, *, starts_at: dt.datetime, by: User, at: dt.datetime, is_kept: bool,
    reason: str = "",
) -> ContactRecord:  # fmt: skip
    """Start the clock of a contact's record, and meet it where the record is there. The caller holds the lock."""
    version = agreement.in_force(root.contract, starts_at)
    [clock] = deadlines.start(
        [deadlines.draft("record", subject_of(root, row.ticket_id), version, starts_at=starts_at)], at=at
    )
    record = ContactRecord.objects.create(interaction=row, clock=clock)
    if is_kept:
        _end(record, at=at, by=by, kept_in=row)
    elif reason:
        _end(record, at=at, by=by, reason=reason)
    return record


def _end(
    record: ContactRecord, *, at: dt.datetime, by: User, kept_in: Interaction | None = None, reason: str = "",
    note: str = "",
) -> None:  # fmt: skip
    record.kept_in, record.reason, record.note = kept_in, reason, note.strip()[:300]
    record.ended_at, record.ended_by = at, by
    record.save()
    how = f"interaction:{kept_in.pk}" if kept_in else f"reason:{reason}"
    deadlines.meet([record.clock], at=at, by=by, how=how)


def _lock(record: ContactRecord, by: User, at: dt.datetime) -> tuple[Ticket, ContactRecord]:
    root = lock(Ticket(pk=record.interaction.ticket_id))
    check_can_work(root, by, at=at)
    rows = ContactRecord.objects.select_for_update(of=("self",), no_key=True).select_related("interaction", "clock")
    record = rows.get(pk=record.pk)
    if not record.is_owed:
        raise Refused(_("The record of this contact is on file already."))
    return root, record


@transaction.atomic
def keep(
    record: ContactRecord, *, by: User, at: dt.datetime, body: str = "", file: File | None = None
) -> tuple[Interaction, str]:
    """Put the transcript or scan on file as a note, which keeps the file whatever is in it.

    Returns the note, and what is wrong with the file, in a sentence; then the record is still owed. Raises Refused.
    """
    root, record = _lock(record, by, at=at)
    contact = record.interaction
    is_talk = contact.kind != Kind.LETTER
    words = words_of(file) if is_talk else Words()
    if not body.strip() and file is None:
        raise Refused(
            _("Write down what was said, or choose a file.") if is_talk else _("Choose the scan of the letter.")
        )
    if not is_talk and file is None:
        raise Refused(_("Choose the scan of the letter."))
    title = _("Transcript") if is_talk else _("Scan")
    text = "\n\n".join(filter(None, [title, body.strip(), words.text, words.problem]))
    row = write(
        root,
        Said(kind=Kind.NOTE, direction=Direction.INTERNAL, body=text, occurred_at=at, author=by,
             files=[file] if file else []),
        at=at,
    )  # fmt: skip
    is_kept = not words.problem or bool(body.strip())
    if is_kept:
        _end(record, at=at, by=by, kept_in=row)
    root.refresh_from_db()
    derive(root)
    trail.record(
        Act.RECORD_KEPT if is_kept else Act.NOTE_WRITTEN, root.trail_subject, by=by, at=at,
        facts={"interaction": row.pk, "contact": contact.pk, "deadline": record.clock_id}, evidence=row.parts,
    )  # fmt: skip
    return row, words.problem


@transaction.atomic
def explain(record: ContactRecord, *, by: User, at: dt.datetime, reason: str, note: str = "") -> ContactRecord:
    """Say why there is no record of a contact, by one of the listed reasons. Raises Refused."""
    root, record = _lock(record, by, at=at)
    if reason not in Reason.values:
        raise Refused(_("Choose one of the listed reasons."))
    if reason != Reason.NOTHING_SAID and not note.strip():
        raise Refused(_("Say in a sentence how that came about; it stands in the evidence."))
    _end(record, at=at, by=by, reason=reason, note=note)
    root.refresh_from_db()
    derive(root)
    trail.record(
        Act.RECORD_MISSING, root.trail_subject, by=by, at=at,
        facts={"contact": record.interaction_id, "deadline": record.clock_id, "reason": reason},
        personal={"note": note},
    )  # fmt: skip
    return record
