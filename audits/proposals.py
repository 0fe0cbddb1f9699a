"""When the product proposes a measure (clause 8.2): published rules, as data. It never decides one."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_noop

from audits.models import EffectCheck, Measure, Membership, NonCompliance, Verification
from csp import notices, trail
from csp.events import Act
from csp.models import Assessment, Breach, Deadline, Notice, User

Kind, Aim = Measure.Kind, Measure.Aim

THIRD = 3
WITHIN = dt.timedelta(days=30)
# How long the one concerned has to say something before a measure may be decided without (policy).
HEARING = dt.timedelta(days=3)


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """One published rule: what has to have happened, and which of the measures it then proposes."""

    code: str
    when: str
    proposes: Measure.Kind


RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in [
        Rule(
            "third_breach",
            gettext_noop("One person did not keep one clause in three matters within thirty days."),
            Kind.RETRAINING,
        ),
        Rule("overdue", gettext_noop("A correction was not implemented within its seven days."), Kind.OVERSIGHT),
        Rule("rejected", gettext_noop("The implementation of a corrective action was rejected."), Kind.OVERSIGHT),
        Rule("no_effect", gettext_noop("A correction had no effect."), Kind.RESPONSIBILITIES),
    ]
}


def by_rule(
    case: NonCompliance,
    code: str,
    *,
    at: dt.datetime,
    person: User | None = None,
    breach: Breach | None = None,
    deadline: Deadline | None = None,
    verification: Verification | None = None,
    effect: EffectCheck | None = None,
    facts: dict[str, object] | None = None,
) -> Measure:
    """Propose what the rule says, for this one cause; at most one proposal for each, by the cause's unique key."""
    return propose(
        Measure(
            case=case,
            kind=RULES[code].proposes,
            aim=Aim.PERSON if person is not None else Aim.TEAM,
            person=person,
            rule=code,
            because_breach=breach,
            because_deadline=deadline,
            because_verification=verification,
            because_effect=effect,
            proposed_at=at,
        ),
        at=at,
        by="rules",
        facts=facts or {},
    )


def propose(measure: Measure, *, at: dt.datetime, by: trail.Actor, facts: dict[str, object]) -> Measure:
    """Store a proposal, ask the one concerned to be heard, and tell those who decide."""
    case = measure.case
    if measure.person is not None:
        measure.answer_by = at + HEARING
    measure.save(force_insert=True)
    told = [person for person in deciders(case, at) if person.pk != measure.person_id]
    tellings = [
        notices.Telling(
            kind=Notice.Kind.MEASURE,
            key=f"measure:{measure.pk}",
            to=told,
            subject_ref=case.reference,
            path=measure.path,
            facts={"says": "measure.proposed"},
        )
    ]
    if measure.person is not None and measure.answer_by is not None:
        tellings.append(
            notices.Telling(
                kind=Notice.Kind.MEASURE,
                key=f"measure:{measure.pk}:hear",
                to=[measure.person],
                subject_ref=str(measure),
                path=measure.path,
                facts={"says": "measure.hear", "due": notices.fact(measure.answer_by)},
            )
        )
    notices.tell(*tellings, at=at)
    trail.record(
        Act.MEASURE_PROPOSED,
        measure.trail_subject,
        by=by,
        at=at,
        context=case.trail_subject,
        facts={
            "kind": measure.kind,
            "aim": measure.aim,
            "person": measure.person_id,
            "rule": measure.rule,
            "breach": measure.because_breach_id,
            "deadline": measure.because_deadline_id,
            "verification": measure.because_verification_id,
            "effect": measure.because_effect_id,
        }
        | facts,
        personal={"reason": measure.reason},
    )
    return measure


def deciders(case: NonCompliance, at: dt.datetime) -> list[User]:
    """Who is told of a proposal: those who may decide it."""
    rungs = notices.Rungs(at)
    offices_told = [case.kept_by] if case.in_confidence else list(NonCompliance.TOLD)
    people = rungs.officers(case.contract_id, offices_told)
    return people if case.in_confidence else [*rungs.supervisors(case.team_id), *people]


def after_joining(case: NonCompliance, joined: Sequence[Breach], *, at: dt.datetime) -> list[Measure]:
    """Apply the rule of the third breach to breaches that have just joined a case."""
    proposed = []
    for person in _responsible(joined):
        for breach in sorted(
            (row for row in joined if row.responsible_id == person.pk), key=lambda row: row.breached_at
        ):
            matters = _matters(person, case.clause, breach.breached_at)
            if len(matters) >= THIRD and not _has_one_already(person, case.clause, breach.breached_at):
                facts: dict[str, object] = {"matters": sorted(matters), "clause": case.clause}
                proposed.append(by_rule(case, "third_breach", at=at, person=person, breach=breach, facts=facts))
                break
    return proposed


def _responsible(joined: Iterable[Breach]) -> list[User]:
    """The people at work here who answered for these breaches."""
    ids = {row.responsible_id for row in joined if row.responsible_id is not None}
    return list(User.objects.filter(pk__in=ids, is_active=True).order_by("pk"))


def _matters(person: User, clause: str, until: dt.datetime) -> set[str]:
    """The matters in which this person did not keep the clause in the thirty days until then.

    Two promises broken on one ticket are one matter; what was assessed as not owed, unreachable or recorded late is
    none.
    """
    excused = Assessment.objects.filter(agreed=True).exclude(verdict=Assessment.Verdict.STANDS).values("breach")
    rows = Membership.objects.filter(
        breach__responsible=person,
        breach__deadline__clause=clause,
        breach__breached_at__gt=until - WITHIN,
        breach__breached_at__lte=until,
    ).exclude(breach__in=excused)
    return set(rows.values_list("breach__deadline__subject_ref", flat=True))


def _has_one_already(person: User, clause: str, until: dt.datetime) -> bool:
    """Whether the rule spoke about this person and clause within those thirty days."""
    return Measure.objects.filter(
        rule="third_breach", person=person, case__clause=clause, because_breach__breached_at__gt=until - WITHIN
    ).exists()
