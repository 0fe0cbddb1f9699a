"""Measures (clause 8.2): a person decides after hearing the one concerned; each executes, ends, and can be appealed.

Retraining and oversight let answers wait for a co-signature, a revision of responsibilities keeps complaints or new
tickets away; all by rows of csp.Restriction, which desk and assignment honour. No measure ever delays an escalation, an
acknowledgement or a holding message.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audits import independence, proposals
from audits.models import Appeal, Measure, NonCompliance
from audits.noncompliance import lock as lock_case
from csp import batches, notices, restrictions, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Notice, Restriction, User

Kind, Aim, State, Heard, Ended = Measure.Kind, Measure.Aim, Measure.State, Measure.Heard, Measure.Ended
Limit = Restriction.Kind

# What each measure may do to a person's work while it is in force; the first is what it does unless told otherwise.
LIMITS: dict[str, tuple[Restriction.Kind, ...]] = {
    Kind.RETRAINING: (Limit.COSIGN,),
    Kind.OVERSIGHT: (Limit.COSIGN,),
    Kind.RESPONSIBILITIES: (Limit.NO_COMPLAINTS, Limit.NO_NEW_TICKETS),
}
# No measure on a person lasts longer than this without a new decision (policy).
LONGEST = dt.timedelta(days=92)


def lock(measure: Measure) -> Measure:
    rows = Measure.objects.select_for_update(of=("self",)).select_related("case__team", "case__contract", "person")
    return rows.get(pk=measure.pk)


@transaction.atomic
def propose(
    case: NonCompliance, *, kind: Measure.Kind, aim: Measure.Aim, reason: str, by: User, at: dt.datetime,
    person: User | None = None,
) -> Measure:  # fmt: skip
    """Propose a measure by hand. Somebody else decides."""
    case = lock_case(case)
    independence.check_may_lead(case, by, at=at)
    if not reason.strip():
        raise Refused(_("Say why; the one concerned reads it and answers to it."))
    if (aim == Aim.PERSON) != (person is not None):
        raise Refused(_("Name the person whom it concerns, or aim it at the team, a way of working or a party."))
    measure = Measure(
        case=case, kind=kind, aim=aim, person=person, reason=reason.strip(), proposed_at=at, proposed_by=by
    )
    return proposals.propose(measure, at=at, by=by, facts={})


@transaction.atomic
def hear(measure: Measure, *, by: User, at: dt.datetime, statement: str) -> Measure:
    """Record what the one concerned says; without a word, that they chose to say nothing.

    For a measure that is aimed at no one person, somebody who may decide writes down who was heard and what they said.
    """
    measure = lock(measure)
    if measure.person_id is not None and measure.person_id != by.pk:
        raise Refused(_("Only the person concerned makes this statement."))
    if measure.person_id is None:
        if not independence.may_decide(measure, by, at=at):
            raise Refused(_("A supervisor of the team, a representative or the compliance owner writes this down."))
        if not statement.strip():
            raise Refused(_("Write down who was heard and what they said."))
    if measure.state != State.PROPOSED:
        raise Refused(_("This has been decided already. You may appeal."))
    if measure.heard_at is not None:
        raise Refused(_("What was said is on record already."))
    measure.statement = statement.strip()
    measure.heard_how = Heard.STATEMENT if measure.statement else Heard.REFUSED
    measure.heard_at = at
    measure.save()
    _tell(measure, "measure.heard", _deciders(measure, at), at, key="heard")
    trail.record(
        Act.MEASURE_HEARD,
        measure.trail_subject,
        by=by,
        at=at,
        context=measure.case.trail_subject,
        facts={"how": measure.heard_how},
        personal={"statement": measure.statement},
    )
    return measure


def check_can_be_decided(measure: Measure, at: dt.datetime) -> None:
    """Only after the one concerned was heard, refused, or let the stated time go by."""
    if measure.state != State.PROPOSED:
        raise Refused(_("This has been decided already."))
    if measure.heard_at is not None:
        return
    if measure.answer_by is None:
        raise Refused(_("First write down who was heard and what they said."))
    if at <= measure.answer_by:
        raise Refused(
            _("%(name)s has not been heard yet. It can be decided after a statement, or after %(due)s.")
            % {"name": measure.person, "due": notices.moment(measure.answer_by)}
        )


@transaction.atomic
def decide(
    measure: Measure,
    *,
    adopt: bool,
    why: str,
    by: User,
    at: dt.datetime,
    ends_at: dt.datetime | None = None,
    limits: Sequence[Restriction.Kind] = (),
    course: str = "",
    cosigner: User | None = None,
) -> Measure:
    """Take the measure, or not. Taken, it is in force from now until its end, and ends by itself. Raises Refused."""
    measure = lock(measure)
    independence.check_may_decide(measure, by, at)
    check_can_be_decided(measure, at)
    if not why.strip():
        raise Refused(_("Say why; the one concerned reads it, and the reason stands in the evidence."))
    if measure.heard_at is None:
        measure.heard_at, measure.heard_how = at, Heard.NO_ANSWER
    measure.decided_at, measure.decided_by, measure.decision = at, by, why.strip()
    if adopt:
        _put_in_force(measure, at, ends_at, limits, course, cosigner)
    else:
        measure.state = State.DECLINED
    measure.save()
    if adopt and measure.person is not None and measure.ends_at is not None:
        restrictions.impose(
            measure.person,
            [Limit(code) for code in measure.restricts],
            clause="8.2",
            cause=measure.trail_subject,
            path=measure.path,
            starts_at=at,
            ends_at=measure.ends_at,
            by=by,
            at=at,
            cosigner=measure.cosigner,
        )
    until = notices.fact(measure.ends_at) if measure.ends_at else ""
    says = "measure.adopted" if adopt else "measure.declined"
    _tell(measure, says, [measure.person] if measure.person else [], at, key="decided", due=until)
    trail.record(
        Act.MEASURE_DECIDED,
        measure.trail_subject,
        by=by,
        at=at,
        context=measure.case.trail_subject,
        facts={
            "adopted": adopt,
            "heard": measure.heard_how,
            "limits": list(measure.restricts),
            "from": measure.starts_at,
            "until": measure.ends_at,
        },
        personal={"why": why, "course": measure.course},
    )
    return measure


def _put_in_force(
    measure: Measure,
    at: dt.datetime,
    ends_at: dt.datetime | None,
    limits: Sequence[Restriction.Kind],
    course: str,
    cosigner: User | None,
) -> None:
    if ends_at is None or ends_at <= at:
        raise Refused(_("Say until when; every measure has an end."))
    if ends_at > at + LONGEST:
        raise Refused(_("At most %(days)d days; then somebody decides anew.") % {"days": LONGEST.days})
    if measure.kind == Kind.RETRAINING and not course.strip():
        raise Refused(_("Say what is trained; the measure ends when that is passed."))
    measure.state, measure.starts_at, measure.ends_at = State.IN_FORCE, at, ends_at
    measure.course = course.strip()[:200]
    if measure.person is None:
        return
    possible = LIMITS[measure.kind]
    chosen = list(dict.fromkeys(limits)) or [possible[0]]
    if any(code not in possible for code in chosen):
        raise Refused(_("This measure does not limit work in that way."))
    if cosigner is not None:
        _check_cosigner(measure, cosigner)
    measure.restricts = [Limit(code).value for code in chosen]
    measure.cosigner = cosigner if Limit.COSIGN in chosen else None


def _check_cosigner(measure: Measure, cosigner: User) -> None:
    if cosigner.pk == measure.person_id or not cosigner.is_active:
        raise Refused(_("Somebody else co-signs, and works here."))


@transaction.atomic
def end(measure: Measure, *, how: Measure.Ended, by: User, at: dt.datetime, note: str) -> Measure:
    """End a measure before its time: lifted, or the training was passed. Nobody ends one on own work."""
    measure = lock(measure)
    if how not in (Ended.LIFTED, Ended.DONE):
        raise Refused(_("A measure is lifted, or ended as done."))
    if how == Ended.DONE and measure.kind != Kind.RETRAINING:
        raise Refused(_("Only retraining is passed."))
    independence.check_may_decide(measure, by, at)
    if measure.state != State.IN_FORCE:
        raise Refused(_("This measure is not in force."))
    if not note.strip():
        raise Refused(_("Say why it ends; the reason stands in the evidence."))
    return _end(measure, how, by, at, note)


def _end(measure: Measure, how: Measure.Ended, by: trail.Actor, at: dt.datetime, note: str = "") -> Measure:
    measure.state, measure.ended_at, measure.ended_how, measure.ending_note = State.ENDED, at, how, note.strip()
    measure.ended_by = by if isinstance(by, User) else None
    measure.save()
    restrictions.end(measure.trail_subject, by=by, at=at, why=how)
    _tell(measure, "measure.ended", [measure.person] if measure.person else [], at, key="ended")
    trail.record(
        Act.MEASURE_ENDED,
        measure.trail_subject,
        by=by,
        at=at,
        context=measure.case.trail_subject,
        facts={"how": how, "until": measure.ends_at},
        personal={"note": note},
    )
    return measure


def end_by_time(at: dt.datetime, *, limit: int = 200) -> int:
    """Say of each measure whose time is over that it ended. Its limits ended by themselves. Returns how many."""
    over = Measure.objects.in_force().filter(ends_at__lte=at).order_by("ends_at")
    return batches.work_off(over, functools.partial(_end_those, at=at), limit=limit)


@transaction.atomic(durable=True)
def _end_those(over: QuerySet[Measure], limit: int, *, at: dt.datetime) -> int:
    rows = over.select_related("case", "person").select_for_update(of=("self",), skip_locked=True)
    ended = [_end(row, Ended.TIME, "measures", at) for row in rows[:limit]]
    return len(ended)


@transaction.atomic
def appeal(measure: Measure, *, by: User, at: dt.datetime, text: str) -> Appeal:
    """Say that a measure is wrong. It stays in force until somebody independent has decided."""
    measure = lock(measure)
    if measure.person_id != by.pk:
        raise Refused(_("Only the person concerned appeals."))
    if measure.state != State.IN_FORCE:
        raise Refused(_("This measure is not in force."))
    if Appeal.objects.filter(measure=measure).exists():
        raise Refused(_("You have appealed already; it may be done once."))
    if not text.strip():
        raise Refused(_("Say why it is wrong."))
    row = Appeal.objects.create(measure=measure, text=text.strip(), filed_at=at)
    people = [person for person in _deciders(measure, at) if person.pk != measure.decided_by_id]
    _tell(measure, "measure.appealed", people, at, key="appeal")
    trail.record(
        Act.MEASURE_APPEALED,
        measure.trail_subject,
        by=by,
        at=at,
        context=measure.case.trail_subject,
        personal={"text": text},
    )
    return row


@transaction.atomic
def decide_appeal(row: Appeal, *, upheld: bool, answer: str, by: User, at: dt.datetime) -> Appeal:
    """Decide an appeal: neither the one concerned, nor who proposed or decided the measure. Upheld, it ends at once."""
    measure = lock(row.measure)
    row = Appeal.objects.select_for_update().get(pk=row.pk)
    independence.check_may_decide(measure, by, at, measure.decided_by_id)
    if row.decided_at is not None:
        raise Refused(_("This appeal has been decided already."))
    if not answer.strip():
        raise Refused(_("Give your reasons; the one concerned reads them."))
    row.upheld, row.answer, row.decided_at, row.decided_by = upheld, answer.strip(), at, by
    row.save()
    _tell(measure, "measure.appeal_decided", [measure.person] if measure.person else [], at, key="appeal-decided")
    trail.record(
        Act.APPEAL_DECIDED,
        measure.trail_subject,
        by=by,
        at=at,
        context=measure.case.trail_subject,
        facts={"upheld": upheld},
        personal={"answer": answer},
    )
    if upheld and measure.state == State.IN_FORCE:
        _end(measure, Ended.APPEAL, by, at, answer)
    return row


def _deciders(measure: Measure, at: dt.datetime) -> list[User]:
    return [person for person in proposals.deciders(measure.case, at) if person.pk != measure.person_id]


def _tell(measure: Measure, says: str, to: Sequence[User], at: dt.datetime, *, key: str, **facts: str) -> None:
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.MEASURE,
            key=f"measure:{measure.pk}:{key}",
            to=to,
            subject_ref=str(measure),
            path=measure.path,
            facts={"says": says} | facts,
        ),
        at=at,
    )
