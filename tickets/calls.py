"""Calls and talks in person, as whoever had them writes them down (clauses 3.1 and 4.1).

A call keeps what it keeps at its end. An answered one that answered the customer answers all that the customer had said
until then and its author knew of. What is written down more than a quarter of an hour later meets nothing before a
supervisor who did not write it has confirmed it; confirmed, it counts from the call.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from csp import access, agreement, deadlines, notices, restrictions, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Deadline, Notice, User
from csp.roles import Permission
from tickets import call_backs, call_reviews, complaints, complexity, contact_records, handling, oversight
from tickets.conversation import (
    ANSWERING,
    Direction,
    File,
    Kind,
    Said,
    derive,
    family,
    inbound,
    lock,
    running,
    write,
)
from tickets.delivery import start_follow_up_of_unanswered
from tickets.models import Call, ContactRecord, Interaction, Ticket

LATE = dt.timedelta(minutes=15)
LONGEST = dt.timedelta(hours=12)


@dataclasses.dataclass(frozen=True, slots=True)
class Talk:
    """A call, or a talk in person: who called whom, when, for how long, what was said, and whether that answered.

    `is_transcript`: what was said is written down word for word. `file` is one, `why_none` the listed reason for none;
    without any of these the record is owed within a day.
    """

    direction: Interaction.Direction
    began_at: dt.datetime
    body: str
    length: dt.timedelta = dt.timedelta(0)
    is_answered: bool = True
    answers: bool = False
    number: str = ""
    kind: Interaction.Kind = Kind.CALL
    is_transcript: bool = False
    file: File | None = None
    why_none: str = ""
    basis: str = ""
    is_announced: bool = False
    recording_ref: str = ""

    @property
    def ended_at(self) -> dt.datetime:
        return self.began_at + self.length

    @property
    def received_at(self) -> dt.datetime:
        """A call is received when it begins, a voicemail when it ends (CLAUSES, Receipt)."""
        return self.began_at if self.is_answered else self.ended_at


def check(talk: Talk, at: dt.datetime) -> None:
    """Raise Refused where this cannot have been a call."""
    if talk.direction not in (Direction.IN, Direction.OUT):
        raise Refused(_("Say who called whom."))
    if talk.length < dt.timedelta(0) or talk.length > LONGEST:
        raise Refused(_("A call lasts no longer than twelve hours. How many minutes was it?"))
    if talk.ended_at > at:
        raise Refused(_("This call would end in the time to come. When did it begin, and how long was it?"))
    if talk.answers and not talk.is_answered:
        raise Refused(_("A call that nobody answered answers nothing."))
    if not talk.body.strip() and talk.file is None:
        raise Refused(_("Write down what was said; the record needs it."))
    if talk.kind == Kind.VISIT and (talk.direction != Direction.IN or not talk.is_answered):
        raise Refused(_("Somebody who comes in turns to us, and is met by somebody."))
    if talk.basis and not talk.is_announced:
        raise Refused(_("A recording that was not announced may not be made. Say that it was, or that there is none."))
    if talk.recording_ref.strip() and not talk.basis:
        raise Refused(_("Say on what ground the call was recorded."))


def words(talk: Talk) -> tuple[str, str]:
    """What is written down of a talk, its file's words under one's own; and what is wrong with the file."""
    read = contact_records.words_of(talk.file)
    body = "\n\n".join(filter(None, [talk.body.strip(), read.text]))
    return body or _("The transcript is in the file, which could not be read."), read.problem


@transaction.atomic
def log_call(ticket: Ticket, talk: Talk, *, by: User, at: dt.datetime, seen_until: dt.datetime) -> Interaction:
    """Write a call down on a ticket that exists. What the customer asked in it has a clock like any message.

    `seen_until` is when its author last had the conversation on screen: what came in later is not answered by it.
    """
    root = lock(ticket)
    handling.check_can_work(root, by, at=at)
    check(talk, at)
    said = Said(
        kind=talk.kind,
        direction=talk.direction,
        body=words(talk)[0],
        files=[talk.file] if talk.file else [],
        occurred_at=talk.received_at if talk.direction == Direction.IN else talk.began_at,
        author=by,
        customer=root.customer if talk.direction == Direction.IN else None,
        sender_name=root.customer.name if root.customer and talk.direction == Direction.IN else "",
        duration=talk.length,
    )
    if talk.direction == Direction.IN:
        row = handling.receive(root, said, at=at, by=by)
        root = lock(root)
    else:
        row = write(root, said, at=at)
        Ticket.objects.filter(pk=root.pk).update(last_interaction_at=Greatest("last_interaction_at", Value(at)))
    note_down(root, row, talk, by=by, at=at, seen_until=seen_until)
    trail.record(
        Act.CALL_LOGGED,
        root.trail_subject,
        by=by,
        at=at,
        facts={"interaction": row.pk, "direction": talk.direction, "answered": talk.is_answered,
               "answers": talk.answers, "ended": talk.ended_at},
        evidence=row.parts if talk.direction == Direction.OUT else (),
    )  # fmt: skip
    return row


def note_down(
    root: Ticket, row: Interaction, talk: Talk, *, by: User, at: dt.datetime, seen_until: dt.datetime
) -> Call:
    """Keep what a call was beside its interaction, and let it meet what it meets. The caller holds the lock."""
    call = Call.objects.create(
        interaction=row,
        number=talk.number[:40],
        ended_at=talk.ended_at,
        is_answered=talk.is_answered,
        answers_customer=talk.answers,
        is_typed_late=at - talk.ended_at > LATE and talk.is_answered,
        recording_basis=talk.basis,
        is_announced=talk.is_announced,
        recording_ref=talk.recording_ref.strip()[:100],
    )
    _begin_record(root, row, talk, by=by, at=at)
    if call.counts:
        _keep(root, call, by=by, at=at, seen_until=min(seen_until, at))
    elif any(_could_keep(clock, call) for clock in running(root)):
        notices.tell(
            notices.Telling(
                kind=Notice.Kind.SYSTEM,
                key=f"call:{row.pk}",
                to=[user for user in notices.Rungs(at).supervisors(root.team_id) if user != by],
                subject_ref=root.reference,
                path=root.path,
                facts={"code": "late_call"},
            ),
            at=at,
        )
    call_reviews.ask(root, call, at=at)
    if talk.direction == Direction.OUT and talk.is_answered:
        call_backs.called(root, row, began_at=talk.began_at, by=by, at=at)
    root.refresh_from_db()
    derive(root)
    return call


def _begin_record(root: Ticket, row: Interaction, talk: Talk, *, by: User, at: dt.datetime) -> None:
    """The clock of the call's own record. Where nobody answered there is nothing to keep but that."""
    is_kept = talk.is_transcript or (talk.file is not None and not words(talk)[1])
    reason = "" if is_kept else talk.why_none or ("" if talk.is_answered else ContactRecord.Reason.NOTHING_SAID)
    if talk.direction == Direction.IN and not talk.is_answered and not talk.why_none:
        is_kept, reason = True, ""  # of a voicemail what was left is written down
    contact_records.begin(
        root, row, starts_at=talk.ended_at, by=by, at=at, is_kept=is_kept, reason=reason
    )  # fmt: skip


def _could_keep(clock: Deadline, call: Call) -> bool:
    return clock.obligation == "acknowledge" or (clock.obligation in ANSWERING and call.answers_customer)


def _keep(root: Ticket, call: Call, *, by: User, at: dt.datetime, seen_until: dt.datetime) -> None:
    """Meet at the call's end what it met."""
    if not call.is_answered:
        return
    row = call.interaction
    numbers = family(root)
    spoken = {root.pk, row.ticket_id} | set(
        Ticket.objects.filter(pk__in=numbers, merged_at__lte=seen_until).values_list("pk", flat=True)
    )
    heard = inbound(root, numbers)
    known = [
        each
        for each in heard
        if each == row
        or (each.ticket_id in spoken and each.occurred_at <= call.ended_at and each.recorded_at <= seen_until)
    ]
    met = [clock for clock in running(root, numbers=numbers) if _meets(call, clock, spoken, heard, known)]
    deadlines.meet(met, at=call.ended_at, by=row.author or by, how=f"interaction:{row.pk}")
    if call.answers_customer:
        carried = complexity.carried_by_answer(
            root, complexity.WITHIN, known, by=row.author or by, at=call.ended_at, numbers=numbers
        )
        root.save()
        trail.record_all(carried.entries)
        for number in spoken:
            through = max((each.pk for each in known if each.ticket_id == number), default=0)
            Ticket.objects.filter(pk=number).update(answered_through=Greatest("answered_through", Value(through)))
    root.refresh_from_db()
    still = running(root, *ANSWERING, "escalate", numbers=numbers)
    if root.is_unfinished:
        root.state = Ticket.State.WAITING if call.answers_customer and not still else Ticket.State.OPEN
    author = row.author or by
    if root.assignee_id is None and oversight.may_take(root, restrictions.of(author, at)):
        root.assignee = author
        deadlines.hand_over(running(root, numbers=numbers), responsible=author, team=root.team, at=at)
    root.save()
    if call.answers_customer:
        start_follow_up_of_unanswered(root, numbers, heard, at, by=author)
    complaints.told(root, at=call.ended_at, by=author, how=f"interaction:{row.pk}")
    derive(root)


def _meets(
    call: Call, clock: Deadline, spoken: set[int], heard: Sequence[Interaction], known: Sequence[Interaction]
) -> bool:
    """Whether this answered call does what this clock asks: it is about what was said before and its author knew."""
    number = int(clock.subject_ref.removeprefix("#"))
    asked = [each for each in heard if each.ticket_id == number]
    if clock.obligation == "follow_up":
        asked = [each for each in asked if each.occurred_at == clock.starts_at] or asked
    begun_by = min(asked, key=lambda each: each.pk, default=None)
    if number not in spoken or (begun_by is not None and begun_by not in known) or clock.starts_at > call.ended_at:
        return False
    if clock.obligation == "acknowledge":
        in_this_call = begun_by == call.interaction
        return not in_this_call or agreement.reading(clock.version, "live_call_acknowledges") == "yes"
    return clock.obligation in ANSWERING and call.answers_customer


# ---------------------------------------------------------------- written down late


def check_can_confirm(call: Call, by: User, at: dt.datetime) -> None:
    """A supervisor of the team who did not write it down."""
    access.check(by, Permission.CONFIRM_CALLS, team_id=call.interaction.ticket.team_id, at=at)
    if call.interaction.author_id == by.pk:
        raise Refused(_("You wrote this down yourself. Another supervisor has to confirm it."))
    if not call.waits:
        raise Refused(_("This call needs no confirmation any more."))


@transaction.atomic
def confirm(call: Call, *, by: User, at: dt.datetime, agrees: bool, reason: str) -> Call:
    """A supervisor's word on a call that was written down late. Confirmed, it counts from its end. Raises Refused."""
    root = lock(Ticket(pk=call.interaction.ticket_id))
    call = (
        Call.objects.select_for_update(of=("self",), no_key=True)
        .select_related("interaction__ticket", "interaction__author")
        .get(pk=call.pk)
    )
    check_can_confirm(call, by, at=at)
    if not reason.strip():
        raise Refused(_("Say how you know; the reason stands in the evidence."))
    call.ruled_at, call.ruled_by, call.is_confirmed, call.ruling_reason = at, by, agrees, reason.strip()[:300]
    call.save(update_fields=["ruled_at", "ruled_by", "is_confirmed", "ruling_reason"])
    if call.counts:
        _keep(root, call, by=by, at=at, seen_until=call.interaction.recorded_at)
    trail.record(
        Act.CALL_CONFIRMED,
        root.trail_subject,
        by=by,
        at=at,
        facts={"interaction": call.interaction_id, "agrees": agrees},
        personal={"reason": reason},
    )
    return call
