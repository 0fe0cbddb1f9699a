"""The clock of the contract: deadlines start, are met, waived, handed over, remind, and are swept into breaches.

Only the verbs of the app that owns a subject call these, so that what the subject derives from its deadlines changes in
the same transaction. Every function takes `at=`; none reads a clock. Locks are taken subject first, then deadline.

A deadline met at exactly its due time is met. One that passes it is a breach, dated when it was due, whoever finds out
first: the sweep, or the late meeting itself.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Collection, Iterable, Sequence

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from csp import access, agreement, batches, independence, notices, trail
from csp.contract import OBLIGATIONS
from csp.events import Act
from csp.models import Breach, Contract, Deadline, Notice, Team, User, Version
from csp.roles import Permission

BATCH = 200
# A meeting written in time may still be committing when its due time passes; the sweep waits this long for it.
SETTLING = dt.timedelta(seconds=5)


@dataclasses.dataclass(slots=True)
class Subject:
    """What deadlines are about, as far as the clock needs to know: no personal text."""

    ref: str  # "#4790"
    path: str  # "/tickets/4790/"
    contract: Contract
    team: Team
    responsible: User | None = None
    in_confidence: bool = False
    context: str = ""  # the trail's name for it, "ticket:4790"
    void: str = ""  # a Deadline.Void where nothing is owed about it, whatever it is: an exercise


class AlreadyEnded(access.Refused):
    """The deadline was met, waived or void before."""


def draft(
    code: str,
    subject: Subject,
    version: Version,
    *,
    starts_at: dt.datetime,
    due_at: dt.datetime | None = None,
    void: str = "",
    void_at: dt.datetime | None = None,
    void_by: User | None = None,
) -> Deadline:
    """A deadline not yet stored: of obligation `code`, from `starts_at`, due by the version's term or at `due_at`.

    With `void` (a Deadline.Void) it is stored as owed by nobody: staff-opened and imported tickets.
    """
    rule = OBLIGATIONS[code]
    void = void or subject.void
    due = due_at or agreement.due_at(version, code, starts_at)
    marks = rule.reminder_times(starts_at, due)
    return Deadline(
        contract=subject.contract,
        version=version,
        clause=rule.clause,
        obligation=code,
        is_policy=rule.policy,
        subject_ref=subject.ref,
        path=subject.path,
        context=subject.context,
        team=subject.team,
        responsible=subject.responsible,
        in_confidence=subject.in_confidence,
        starts_at=starts_at,
        due_at=due,
        state=Deadline.State.VOID if void else Deadline.State.OPEN,
        next_reminder_at=marks[0][1] if marks and not void else None,
        voided_at=(void_at or starts_at) if void else None,
        voided_by=void_by,
        void_why=void,
    )


def start(drafts: Sequence[Deadline], *, at: dt.datetime) -> list[Deadline]:
    """Store deadlines. One whose due time is past already is born breached, with all that follows."""
    rows = list(Deadline.objects.bulk_create(drafts))
    late = [row for row in rows if row.state == Deadline.State.OPEN and row.due_at < at]
    if late:
        _record_breaches(late, detected_at=at)
    return rows


def meet(rows: Iterable[Deadline], *, at: dt.datetime, by: trail.Actor, how: str) -> list[Deadline]:
    """The duty was done at `at`. Those already met or void stay as they are. Returns the ones that this met.

    A meeting past the due time records the breach itself where the sweep has not. `rows` may be stale: they are read
    again under lock.
    """
    met, entries = meeting(rows, at=at, by=by, how=how)
    trail.record_all(entries)
    return met


def meeting(
    rows: Iterable[Deadline], *, at: dt.datetime, by: trail.Actor, how: str
) -> tuple[list[Deadline], list[trail.Entry]]:
    """As `meet`, for a caller who records these entries together with its own."""
    ids = [row.pk for row in rows]
    if not ids:
        return [], []
    locked = list(
        Deadline.objects.running()
        .filter(pk__in=ids)
        .select_related("responsible")
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    late = [row for row in locked if row.state == Deadline.State.OPEN and row.due_at < at]
    if late:
        _record_breaches(late, detected_at=at)
    entries = []
    for row in locked:
        kept = row.state == Deadline.State.OPEN
        row.state = Deadline.State.MET if kept else Deadline.State.MET_LATE
        row.met_at, row.met_how, row.next_reminder_at = at, how, None
        row.met_by = by if isinstance(by, User) else None
        entries.append(
            trail.Entry(
                Act.DEADLINE_MET if kept else Act.DEADLINE_MET_LATE,
                f"deadline:{row.pk}",
                by=by,
                at=at,
                context=row.context,
                facts={"clause": row.clause, "obligation": row.obligation, "due": row.due_at, "met": at, "how": how},
            )
        )
    Deadline.objects.bulk_update(locked, ["state", "met_at", "met_by", "met_how", "next_reminder_at"])
    return locked, entries


def reopen(
    row: Deadline, *, at: dt.datetime, by: trail.Actor, reason: str, owed_until: dt.datetime | None = None
) -> Deadline:
    """Open a met duty again with its first due time, because what met it did not arrive. The first record stays.

    Returns the new deadline; breached at once if its time is past, or was at `owed_until`, when something else that
    did arrive met it after all. Reopening twice returns the same one.
    """
    row = Deadline.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
    again = Deadline.objects.filter(reopens=row).first()
    if again is not None:
        return again
    if row.met_at is None:
        return row
    marks = [mark for _label, mark in row.rule.reminder_times(row.starts_at, row.due_at) if mark > at]
    again = Deadline.objects.create(
        contract_id=row.contract_id,
        version_id=row.version_id,
        clause=row.clause,
        obligation=row.obligation,
        is_policy=row.is_policy,
        subject_ref=row.subject_ref,
        path=row.path,
        context=row.context,
        team_id=row.team_id,
        responsible_id=row.responsible_id,
        in_confidence=row.in_confidence,
        starts_at=row.starts_at,
        due_at=row.due_at,
        reopens=row,
        next_reminder_at=marks[0] if marks else None,
    )
    trail.record(
        Act.DEADLINE_REOPENED,
        f"deadline:{again.pk}",
        by=by,
        at=at,
        context=row.context,
        facts={"reopens": row.pk, "due": row.due_at, "obligation": row.obligation, "reason": reason},
    )
    if again.due_at < (owed_until or at):
        _record_breaches([again], detected_at=at)
    return again


# In one statement, because every answer that takes a ticket does it.
_HAND_OVER = """with passing as (
  select d.id, d.team_id, d.responsible_id,
    coalesce((select max(h.until) from csp_held h where h.deadline_id = d.id), d.starts_at) as since
  from csp_deadline d
  where d.id = any(%(numbers)s) and d.met_at is null and d.voided_at is null
    and (d.team_id <> %(team)s or d.responsible_id is distinct from %(who)s::bigint)
), kept as (
  insert into csp_held (deadline_id, team_id, user_id, since, until)
  select id, team_id, responsible_id, since, %(at)s from passing where since < %(at)s
) update csp_deadline d set team_id = %(team)s, responsible_id = %(who)s::bigint from passing p where d.id = p.id"""


def hand_over(
    rows: Iterable[Deadline] | QuerySet[Deadline], *, responsible: User | None, team: Team, at: dt.datetime
) -> None:
    """From now on somebody else answers for what still runs; who did until now is on record, with how long.

    The owner's verb records the assignment in the trail.
    """
    numbers = list(rows.values_list("pk", flat=True)) if isinstance(rows, QuerySet) else [row.pk for row in rows]
    if numbers:
        who = responsible.pk if responsible else None
        with connection.cursor() as cursor:
            cursor.execute(_HAND_OVER, {"numbers": numbers, "team": team.pk, "who": who, "at": at})


def holders(row: Deadline) -> set[int]:
    """Everybody who answers for it, or did at some time, or met it."""
    return {
        pk for pk in (row.responsible_id, row.met_by_id, *row.held.values_list("user", flat=True)) if pk is not None
    }


def check_can_waive(row: Deadline, by: User, at: dt.datetime) -> None:
    """A supervisor who never held it may waive, before it is due, with a reason (ARCHITECTURE, Words)."""
    access.check(by, Permission.WAIVE, team_id=row.team_id, at=at)
    if not row.is_running:
        raise AlreadyEnded(_("This deadline has ended already."))
    if row.state != Deadline.State.OPEN or row.due_at < at:
        raise access.Refused(_("Its time has passed. A breach stays; it can be assessed, not waived."))
    independence.check(by, holders(row), at)


@transaction.atomic
def waive(row: Deadline, *, by: User, at: dt.datetime, reason: str) -> Deadline:
    """End a deadline as not owed, before it is due. Raises Refused."""
    row = Deadline.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
    check_can_waive(row, by, at)
    if not reason.strip():
        raise access.Refused(_("Say why it is not owed; the reason stands in the evidence."))
    row.state, row.voided_at, row.voided_by, row.void_reason = Deadline.State.VOID, at, by, reason.strip()
    row.void_why, row.next_reminder_at = Deadline.Void.WAIVED, None
    row.save(update_fields=["state", "voided_at", "voided_by", "void_why", "void_reason", "next_reminder_at"])
    trail.record(
        Act.DEADLINE_WAIVED,
        f"deadline:{row.pk}",
        by=by,
        at=at,
        context=row.context,
        facts={"clause": row.clause, "obligation": row.obligation, "due": row.due_at},
        personal={"reason": reason},
    )
    return row


def lapse(rows: Iterable[Deadline], *, at: dt.datetime, by: trail.Actor, reason: str) -> list[Deadline]:
    """End as not owed what nobody owes any more, such as the training for a role that ended. Returns those it ended.

    What was broken, or is past due already, stays and runs on.
    """
    locked = list(
        Deadline.objects.open()
        .filter(pk__in=[row.pk for row in rows], due_at__gte=at)
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    for row in locked:
        row.state, row.voided_at, row.void_reason, row.next_reminder_at = Deadline.State.VOID, at, reason, None
        row.void_why = Deadline.Void.LAPSED
    Deadline.objects.bulk_update(locked, ["state", "voided_at", "void_why", "void_reason", "next_reminder_at"])
    trail.record_all(
        trail.Entry(
            Act.DEADLINE_LAPSED,
            f"deadline:{row.pk}",
            by=by,
            at=at,
            context=row.context,
            facts={"clause": row.clause, "obligation": row.obligation, "due": row.due_at, "reason": reason},
        )
        for row in locked
    )
    return locked


# ---------------------------------------------------------------- the loops: every X that lacks its Y


def sweep(at: dt.datetime, *, limit: int = BATCH, spared: Collection[int] = ()) -> int:
    """Turn open deadlines whose due time is before `at` into breaches. Returns how many; call again until none.

    `spared` are the numbers of deadlines that their owner cannot judge yet. Any number of these may run at once, be
    killed at any instant and run again: a batch is one transaction, claimed with SKIP LOCKED, and a deadline has one
    breach at most by a unique constraint.
    """
    return batches.work_off(
        Deadline.objects.due_before(at).exclude(pk__in=spared).order_by("due_at"),
        functools.partial(_sweep, at=at),
        limit=limit,
    )


@transaction.atomic(durable=True)
def _sweep(waiting: QuerySet[Deadline], limit: int, *, at: dt.datetime) -> int:
    rows = list(
        waiting.select_related("responsible").select_for_update(skip_locked=True, of=("self",), no_key=True)[:limit]
    )
    if rows:
        _record_breaches(rows, detected_at=at)
    return len(rows)


def _record_breaches(rows: Sequence[Deadline], *, detected_at: dt.datetime) -> None:
    """Breach, trail and notices for locked, open, overdue deadlines, in the caller's transaction, in bulk."""
    breaches = Breach.objects.bulk_create(
        Breach(
            deadline=row,
            contract_id=row.contract_id,
            team_id=row.team_id,
            responsible_id=row.responsible_id,
            obligation=row.obligation,
            due_at=row.due_at,
            breached_at=row.due_at,
            detected_at=detected_at,
        )
        for row in rows
    )
    for row in rows:
        row.state, row.next_reminder_at = Deadline.State.BREACHED, None
    Deadline.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=Deadline.State.BREACHED, next_reminder_at=None
    )
    rungs = notices.Rungs(detected_at)
    told = {row.pk: list(rungs.told_of_breach(row)) for row in rows}
    notices.tell(
        *(
            notices.Telling(
                kind=Notice.Kind.BREACH,
                key=f"breach:{breach.pk}",
                to=told[row.pk],
                deadline=row,
                subject_ref=row.subject_ref,
                path=row.path,
                facts=_facts(row),
            )
            for row, breach in zip(rows, breaches, strict=True)
        ),
        at=detected_at,
    )
    trail.record_all(
        trail.Entry(
            Act.DEADLINE_BREACHED,
            f"deadline:{row.pk}",
            by="sweep",
            at=detected_at,
            context=row.context,
            facts={
                "clause": row.clause,
                "obligation": row.obligation,
                "due": row.due_at,
                "breach": breach.pk,
                "told": sorted(person.pk for person in told[row.pk]),
            },
            evidence=[breach],
        )
        for row, breach in zip(rows, breaches, strict=True)
    )


def remind(at: dt.datetime, *, limit: int = BATCH) -> int:
    """Tell people that a deadline runs out. After downtime only the latest mark is told. Returns how many."""
    waiting = Deadline.objects.open().filter(next_reminder_at__lte=at).order_by("next_reminder_at")
    return batches.work_off(waiting, functools.partial(_remind, at=at), limit=limit)


@transaction.atomic(durable=True)
def _remind(waiting: QuerySet[Deadline], limit: int, *, at: dt.datetime) -> int:
    rows = list(
        waiting.select_related("responsible").select_for_update(skip_locked=True, of=("self",), no_key=True)[:limit]
    )
    if not rows:
        return 0
    rungs = notices.Rungs(at)
    tellings, entries = [], []
    for row in rows:
        marks = row.rule.reminder_times(row.starts_at, row.due_at)
        passed = [label for label, mark in marks if mark <= at]
        row.next_reminder_at = next((mark for _label, mark in marks if mark > at), None)
        if row.due_at < at or not passed:
            continue  # the sweep has the word
        last = passed[-1]
        tellings.append(
            notices.Telling(
                kind=Notice.Kind.REMINDER,
                key=f"reminder:{row.pk}:{last}",
                to=_reminded(row, rungs, is_first=len(passed) == 1),
                deadline=row,
                subject_ref=row.subject_ref,
                path=row.path,
                facts=_facts(row) | {"mark": last},
            )
        )
        entries.append(
            trail.Entry(
                Act.DEADLINE_REMINDED,
                f"deadline:{row.pk}",
                by="reminders",
                at=at,
                context=row.context,
                facts={"mark": last, "obligation": row.obligation},
            )
        )
    Deadline.objects.bulk_update(rows, ["next_reminder_at"])
    notices.tell(*tellings, at=at)
    trail.record_all(entries)
    return len(rows)


def _reminded(row: Deadline, rungs: notices.Rungs, *, is_first: bool) -> list[User]:
    """The first mark goes to the one responsible alone, where there is somebody; the later ones reach supervisors."""
    if is_first and row.responsible is not None and (row.in_confidence or rungs.at_work(row.responsible)):
        return [row.responsible]
    return rungs.concerned(row)


def _facts(row: Deadline) -> dict[str, str]:
    return {
        "obligation": row.obligation,
        "clause": row.clause,
        "due": notices.fact(row.due_at),
    }
