"""Correcting a case (clause 8.1): cause, actions, implementation with evidence, verification, effect.

Seven days from the report end with *implemented*. Verification is a clock of its own; a rejection annuls the
implementation, and the first due time stands. An overdue correction climbs its own case and never opens another.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audits import independence, proposals
from audits.models import (
    CorrectiveAction,
    EffectCheck,
    EvidenceFile,
    Implementation,
    Measure,
    NonCompliance,
    Verification,
)
from audits.noncompliance import CHECK_AFTER, check_is_open, lock, subject_of, telling, told
from csp import agreement, batches, deadlines, notices, offices, trail, vault
from csp.access import Refused
from csp.events import Act
from csp.models import Deadline, User

State, Doing = NonCompliance.State, CorrectiveAction.State

# An effect that falls due for judging before its correction was verified is judged this much later (policy).
CHECK_AT_LEAST_AFTER = dt.timedelta(days=7)


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file of evidence before it is stored."""

    name: str
    content_type: str
    content: bytes


@transaction.atomic
def state_cause(case: NonCompliance, *, by: User, at: dt.datetime, text: str) -> NonCompliance:
    """Write down why it happened. It may be put better until the correction is verified; each version is on record."""
    case = lock(case)
    independence.check_may_lead(case, by, at=at)
    if case.state not in (State.OPEN, State.IMPLEMENTED):
        raise Refused(_("The correction has been verified; its cause does not change any more."))
    if not text.strip():
        raise Refused(_("Say why it happened."))
    case.cause, case.cause_by, case.cause_at = text.strip(), by, at
    case.save()
    trail.record(Act.CAUSE_FOUND, case.trail_subject, by=by, at=at, personal={"cause": text.strip()})
    return case


@transaction.atomic
def plan_effect(
    case: NonCompliance, *, by: User, at: dt.datetime, criterion: str, check_at: dt.datetime
) -> NonCompliance:
    """Set by what, and when, the effect will be judged: beforehand, so not once something has been verified."""
    case = lock(case)
    independence.check_may_lead(case, by, at=at)
    if case.state not in (State.OPEN, State.IMPLEMENTED) or case.actions.filter(state=Doing.VERIFIED).exists():
        raise Refused(_("The effect is judged as was set beforehand. It was verified already, so this stands."))
    if not criterion.strip():
        raise Refused(_("Say how it will show that the correction works."))
    if check_at <= max(at, case.correct.due_at):
        raise Refused(_("Choose a date after the correction is due, so that there is an effect to see."))
    case.criterion, case.check_at = criterion.strip(), check_at
    case.save()
    trail.record(
        Act.EFFECT_PLANNED,
        case.trail_subject,
        by=by,
        at=at,
        facts={"check": check_at},
        personal={"criterion": case.criterion},
    )
    return case


@transaction.atomic
def add_action(
    case: NonCompliance, *, kind: CorrectiveAction.Kind, what: str, owner: User, by: User, at: dt.datetime
) -> CorrectiveAction:
    """Say what is done, and who does it until the case's correction is due."""
    case = lock(case)
    independence.check_may_lead(case, by, at=at)
    check_is_open(case)
    if not what.strip():
        raise Refused(_("Say what is done."))
    if not owner.is_active:
        raise Refused(_("%(name)s does not work here any more.") % {"name": owner.name})
    action = CorrectiveAction.objects.create(
        case=case, kind=kind, what=" ".join(what.split())[:500], owner=owner, set_by=by, set_at=at
    )
    if owner != by:
        due = notices.fact(case.correct.due_at)
        notices.tell(telling(case, "action.yours", [owner], key=f"action:{action.pk}", due=due), at=at)
    trail.record(
        Act.ACTION_SET,
        case.trail_subject,
        by=by,
        at=at,
        facts={"action": action.pk, "kind": kind, "owner": owner.pk, "due": case.correct.due_at},
        personal={"what": action.what},
    )
    return action


@transaction.atomic
def withdraw_action(action: CorrectiveAction, *, by: User, at: dt.datetime, reason: str) -> CorrectiveAction:
    """Take back an action that is not going to be done, with the reason. It stays on record."""
    case, action = _lock_action(action)
    independence.check_may_lead(case, by, at=at)
    check_is_open(case)
    if action.state != Doing.PLANNED:
        raise Refused(_("It has been implemented; what was done is not taken back."))
    if not reason.strip():
        raise Refused(_("Say why it is not done; the reason stands in the evidence."))
    action.state, action.withdrawn_because = Doing.WITHDRAWN, reason.strip()[:500]
    action.save()
    trail.record(
        Act.ACTION_WITHDRAWN, case.trail_subject, by=by, at=at, facts={"action": action.pk}, personal={"reason": reason}
    )  # fmt: skip
    _meet_if_all_implemented(case, by, at)
    return action


def _lock_action(action: CorrectiveAction) -> tuple[NonCompliance, CorrectiveAction]:
    case = lock(NonCompliance(pk=action.case_id))
    rows = CorrectiveAction.objects.select_for_update(of=("self",)).select_related("owner")
    return case, rows.get(pk=action.pk)


def may_implement(action: CorrectiveAction, user: User) -> bool:
    return action.owner_id == user.pk or independence.may_lead(action.case, user)


@transaction.atomic
def implement(
    action: CorrectiveAction, *, by: User, at: dt.datetime, text: str, files: Sequence[File] = ()
) -> Implementation:
    """Say that an action is done, with the evidence. The last one meets the seven days of clause 8.1."""
    case, action = _lock_action(action)
    if action.owner_id != by.pk:
        independence.check_may_lead(case, by, at=at)
    if action.state != Doing.PLANNED:
        raise Refused(_("This action has been implemented already."))
    if not text.strip():
        raise Refused(_("Say what was done and how that shows. Without evidence it does not count."))
    version = agreement.in_force(case.contract, at)
    subject = subject_of(case)
    subject.responsible = _judge_asked(case)
    [verify_by] = deadlines.start([deadlines.draft("verify", subject, version, starts_at=at)], at=at)
    row = Implementation.objects.create(action=action, text=text.strip(), by=by, at=at, verify=verify_by)
    stored = [
        EvidenceFile(
            implementation=row,
            blob=vault.store(file.content, at=at),
            name=file.name[:255] or _("Unnamed"),
            content_type=file.content_type[:120],
            size=len(file.content),
        )
        for file in files
    ]
    EvidenceFile.objects.bulk_create(stored)
    action.state = Doing.IMPLEMENTED
    action.save()
    asked = offices.to_tell(case.contract_id, offices.REPRESENTATIVES, at=at) if case.in_confidence else told(case, at)
    judges = [person for person in asked if person.pk not in independence.people_in(case)]
    notices.tell(telling(case, "action.implemented", judges, key=f"implemented:{row.pk}"), at=at)
    trail.record(
        Act.ACTION_IMPLEMENTED,
        case.trail_subject,
        by=by,
        at=at,
        facts={"action": action.pk, "implementation": row.pk, "verify": verify_by.pk, "due": verify_by.due_at},
        evidence=[row, *stored],
    )
    _meet_if_all_implemented(case, by, at)
    return row


def _judge_asked(case: NonCompliance) -> User | None:
    """Nobody in particular: whoever is independent. The keeper of a confidential case, who alone may be told."""
    return case.lead if case.in_confidence else None


def _meet_if_all_implemented(case: NonCompliance, by: User, at: dt.datetime) -> None:
    """Clause 8.1: implemented, when there is an action and none is left to do."""
    states = set(case.actions.exclude(state=Doing.WITHDRAWN).values_list("state", flat=True))
    if case.state != State.OPEN or not states or Doing.PLANNED in states:
        return
    deadlines.meet([case.correct], at=at, by=by, how="implemented")
    case.state, case.collects = State.IMPLEMENTED, False
    case.save()
    _look_verified(case, by, at)


def check_can_verify(row: Implementation, user: User, at: dt.datetime) -> None:
    """Somebody who had no hand in the case and reports to nobody who had."""
    case = row.action.case
    independence.check_may_judge(case, user, independence.people_in(case), at)


@transaction.atomic
def verify(row: Implementation, *, by: User, at: dt.datetime, accepted: bool, note: str) -> Verification:
    """Accept an implementation, or reject it, which annuls it: the first due time stands, and a measure is proposed."""
    case, action = _lock_action(row.action)
    row = Implementation.objects.select_related("action__case", "by", "verify").get(pk=row.pk)
    check_can_verify(row, by, at)
    if Verification.objects.filter(implementation=row).exists():
        raise Refused(_("This has been verified already."))
    if not note.strip():
        raise Refused(_("Say what you looked at and what you found; it stands in the evidence."))
    result = Verification.objects.create(implementation=row, accepted=accepted, note=note.strip(), by=by, at=at)
    deadlines.meet([row.verify], at=at, by=by, how=f"verification:{result.pk}")
    action.state = Doing.VERIFIED if accepted else Doing.PLANNED
    action.save()
    trail.record(
        Act.ACTION_VERIFIED if accepted else Act.ACTION_REJECTED,
        case.trail_subject,
        by=by,
        at=at,
        facts={"action": action.pk, "implementation": row.pk, "accepted": accepted},
        evidence=[result],
    )
    if accepted:
        _look_verified(case, by, at)
    else:
        _annul(case, action, result, by, at)
    return result


def _annul(case: NonCompliance, action: CorrectiveAction, result: Verification, by: User, at: dt.datetime) -> None:
    case.correct = deadlines.reopen(case.correct, at=at, by=by, reason="rejected")
    case.state = State.OPEN
    case.save()
    due = notices.fact(case.correct.due_at)
    people = [action.owner, *told(case, at)]
    notices.tell(telling(case, "action.rejected", people, key=f"rejected:{result.pk}", due=due), at=at)
    doer = result.implementation.by
    proposals.by_rule(case, "rejected", at=at, person=doer if doer.is_active else None, verification=result)


def _look_verified(case: NonCompliance, by: User, at: dt.datetime) -> None:
    """With the last action verified, the clock on the effect starts, due when was set beforehand."""
    states = set(case.actions.exclude(state=Doing.WITHDRAWN).values_list("state", flat=True))
    if case.state != State.IMPLEMENTED or states != {Doing.VERIFIED.value}:
        return
    version = agreement.in_force(case.contract, at)
    due_at = case.check_at if case.check_at > at else at + CHECK_AT_LEAST_AFTER
    subject = subject_of(case)
    subject.responsible = _judge_asked(case)
    [case.effect] = deadlines.start(
        [deadlines.draft("effect", subject, version, starts_at=at, due_at=due_at)], at=at
    )  # fmt: skip
    case.state = State.VERIFIED
    case.save()


@transaction.atomic
def check_effect(case: NonCompliance, *, by: User, at: dt.datetime, effective: bool, note: str) -> EffectCheck:
    """Judge by the criterion set beforehand: effective closes the case, else it opens again for another seven days."""
    case = lock(case)
    if case.state != State.VERIFIED or case.effect is None:
        raise Refused(_("There is no effect to check yet: every action is verified first."))
    independence.check_may_judge(case, by, independence.people_in(case), at)
    if not note.strip():
        raise Refused(_("Say what you looked at and what you found; it stands in the evidence."))
    row = EffectCheck.objects.create(
        case=case, deadline=case.effect, criterion=case.criterion, effective=effective, note=note.strip(), by=by, at=at
    )
    deadlines.meet([case.effect], at=at, by=by, how=f"effect:{row.pk}")
    if effective:
        case.state, case.closed_at, case.closed_by, case.closing_note = State.CLOSED, at, by, note.strip()
    else:
        version = agreement.in_force(case.contract, at)
        [case.correct] = deadlines.start(
            [deadlines.draft("correct", subject_of(case), version, starts_at=at)], at=at
        )  # fmt: skip
        case.state, case.effect, case.check_at = State.OPEN, None, case.correct.due_at + CHECK_AFTER
    case.save()
    trail.record(
        Act.EFFECT_CHECKED,
        case.trail_subject,
        by=by,
        at=at,
        facts={"check": row.pk, "effective": effective, "deadline": None if effective else case.correct_id},
        evidence=[row],
    )
    if not effective:
        notices.tell(telling(case, "case.reopened", told(case, at), key=f"reopened:{row.pk}"), at=at)
        proposals.by_rule(case, "no_effect", at=at, effect=row)
    return row


def climb(at: dt.datetime, *, limit: int = 200) -> int:
    """Propose a measure in each case whose correction is overdue and that lacks it. Returns how many.

    The representatives of both parties were told by the breach itself (csp.contract, `tells`).
    """
    overdue = (Deadline.State.BREACHED, Deadline.State.MET_LATE)
    lacking = NonCompliance.objects.filter(correct__state__in=overdue, correct__measure__isnull=True)
    return batches.work_off(lacking.order_by("correct__due_at"), functools.partial(_climb, at=at), limit=limit)


@transaction.atomic(durable=True)
def _climb(lacking: QuerySet[NonCompliance], limit: int, *, at: dt.datetime) -> int:
    rows = lacking.select_related("contract", "team", "lead", "correct").select_for_update(
        of=("self",), skip_locked=True
    )
    cases = list(rows[:limit])
    # Another worker may have been faster: look again under the locks.
    done = set(
        Measure.objects.filter(because_deadline__noncompliance__in=cases).values_list("because_deadline", flat=True)
    )
    cases = [case for case in cases if case.correct_id not in done]
    for case in cases:
        person = case.lead if case.lead and case.lead.is_active and not case.in_confidence else None
        proposals.by_rule(case, "overdue", at=at, person=person, deadline=case.correct)
    return len(cases)


# ---------------------------------------------------------------- what is mine


def mine(user: User) -> QuerySet[CorrectiveAction]:
    """What this person has to do, by when it is due."""
    rows = CorrectiveAction.objects.filter(owner=user, state=Doing.PLANNED, case__state=State.OPEN)
    return rows.select_related("case__correct", "owner").order_by("case__correct__due_at", "pk")


def to_verify(user: User) -> list[Implementation]:
    """What waits to be verified and this person may judge, by when that is due."""
    rows = (
        Implementation.objects.filter(
            verification__isnull=True, action__case__in=NonCompliance.objects.visible_to(user)
        )
        .select_related("action__case", "action__owner", "by", "verify")
        .order_by("verify__due_at", "pk")
    )
    return [row for row in rows if independence.may_judge(row.action.case, user)]
