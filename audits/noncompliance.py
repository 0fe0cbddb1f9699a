"""Reporting non-compliance (clause 8.1): by the product for each breach that calls for it, and by anybody.

A case cannot exist without its clock: seven days from the report, by which the correction is implemented. Breaches of
one clause by one team on one day join the open case; after its correction a further one opens a new case. Both
parties' representatives, the team's supervisors and the compliance owner are told in the same transaction.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from django.db import connection, transaction
from django.db.models import Min, QuerySet
from django.utils.translation import gettext as _

from audits import independence, proposals
from audits.models import Membership, NonCompliance
from csp import agreement, batches, deadlines, notices, offices, trail
from csp.access import Refused
from csp.contract import CLAUSES, OBLIGATIONS
from csp.events import Act
from csp.models import Assessment, Breach, Contract, Deadline, Notice, Team, User
from csp.roles import Office

State = NonCompliance.State

BATCH = 200
# The two-second loop looks back this far, which is an index range; the hourly one looks at everything.
RECENT = dt.timedelta(days=2)
OPENING = [code for code, rule in OBLIGATIONS.items() if rule.opens_noncompliance]
# A person has this long from noticing to reporting; the product has REPORT_AT_ONCE, a figure on the board.
REPORT_WITHIN = dt.timedelta(hours=1)
REPORT_AT_ONCE = dt.timedelta(seconds=60)
# By default the effect of a correction is judged this long after the correction was due (policy).
CHECK_AFTER = dt.timedelta(days=30)

Group = tuple[int, int, str, dt.date, int]


def lock(case: NonCompliance) -> NonCompliance:
    """The case as it is now, locked until the transaction ends."""
    rows = NonCompliance.objects.select_for_update(of=("self",)).select_related("contract", "team", "lead", "correct")
    return rows.get(pk=case.pk)


def subject_of(case: NonCompliance) -> deadlines.Subject:
    return deadlines.Subject(
        ref=case.reference,
        path=case.path,
        contract=case.contract,
        team=case.team,
        responsible=case.lead,
        in_confidence=case.in_confidence,
        context=case.trail_subject,
    )


def opened(case: NonCompliance, *, at: dt.datetime, late_after: dt.timedelta | None = None) -> NonCompliance:
    """Store a case with its clock; with `late_after` also with the report's own hour, which this meets."""
    with connection.cursor() as cursor:  # its deadlines name it and are stored first
        cursor.execute("select nextval(pg_get_serial_sequence('audits_noncompliance', 'id'))")
        case.pk = int(cursor.fetchone()[0])
    version = agreement.in_force(case.contract, case.reported_at)
    subject = subject_of(case)
    drafts = [deadlines.draft("correct", subject, version, starts_at=case.reported_at)]
    if late_after is not None:
        subject.responsible = case.reported_by
        due_at = case.noticed_at + late_after
        drafts.append(deadlines.draft("report", subject, version, starts_at=case.noticed_at, due_at=due_at))
    started = deadlines.start(drafts, at=at)
    case.correct = started[0]
    if late_after is not None:
        [case.report] = deadlines.meet(started[1:], at=at, by=case.reported_by or "report", how=case.trail_subject)
    case.criterion = case.criterion or _("No further breach of §%(clause)s in this team until then.") % {
        "clause": case.clause
    }
    case.check_at = case.correct.due_at + CHECK_AFTER
    case.save(force_insert=True)
    return case


def told(case: NonCompliance, at: dt.datetime) -> list[User]:
    """Who must know of a case at once (CLAUSES 8)."""
    rungs = notices.Rungs(at)
    if case.in_confidence:
        return [person for person in offices.holders(case.contract_id, [case.kept_by], at=at).values() if person]
    return [*rungs.supervisors(case.team_id), *rungs.officers(case.contract_id, NonCompliance.TOLD)]


def telling(case: NonCompliance, says: str, to: Iterable[User], *, key: str = "", **facts: object) -> notices.Telling:
    return notices.Telling(
        kind=Notice.Kind.CASE,
        key=f"case:{case.pk}:{key or says}",
        to=to,
        subject_ref=case.reference,
        path=case.path,
        deadline=case.correct,
        facts={"says": says, "clause": case.clause} | facts,
    )


# ---------------------------------------------------------------- by a person


@transaction.atomic
def report(
    *,
    team: Team,
    clause: str,
    what: str,
    noticed_at: dt.datetime,
    by: User,
    at: dt.datetime,
    about: str = "",
    in_confidence: bool = False,
    about_the_owner: bool = False,
) -> NonCompliance:
    """Report that a clause was not kept. More than an hour after it was noticed, the report is itself late.

    In confidence, only the compliance owner sees it; if it is about that owner, only the representative of the other
    party. Raises Refused.
    """
    if clause not in CLAUSES:
        raise Refused(_("Choose the clause that was not kept."))
    if not what.strip():
        raise Refused(_("Say what happened; one sentence is enough."))
    if noticed_at > at:
        raise Refused(_("It cannot have been noticed in the future. Check date and time."))
    contract = team.contract
    kept_by = _keeper(contract, at, about_the_owner=about_the_owner) if in_confidence else None
    case = opened(
        NonCompliance(
            contract=contract,
            team=team,
            clause=clause,
            day=noticed_at.astimezone(contract.zoneinfo).date(),
            what=what.strip(),
            about=about.strip()[:40],
            noticed_at=noticed_at,
            reported_at=at,
            reported_by=by,
            in_confidence=in_confidence,
            kept_by=kept_by or "",
            lead=offices.holders(contract.pk, [kept_by], at=at)[kept_by] if kept_by else None,
        ),
        at=at,
        late_after=REPORT_WITHIN,
    )
    _tell_of_report(case, at)
    # Who asked for confidence stands in the part of the entry that only its salted digest shows.
    trail.record(
        Act.NONCOMPLIANCE_REPORTED,
        case.trail_subject,
        by="confidence" if in_confidence else by,
        at=at,
        facts={
            "clause": clause,
            "team": team.pk,
            "noticed": noticed_at,
            "deadline": case.correct_id,
            "report": case.report_id,
            "in_confidence": in_confidence,
        },
        personal={"what": case.what, "about": case.about, "reported_by": by.pk if in_confidence else None},
    )
    return case


def _keeper(contract: Contract, at: dt.datetime, *, about_the_owner: bool) -> Office:
    """Which office alone sees a confidential report."""
    if not about_the_owner:
        return Office.COMPLIANCE_OWNER
    owner = offices.holders(contract.pk, [Office.COMPLIANCE_OWNER], at=at)[Office.COMPLIANCE_OWNER]
    return Office.COMPANY_REPRESENTATIVE if owner and owner.side == "party" else Office.PARTY_REPRESENTATIVE


def _tell_of_report(case: NonCompliance, at: dt.datetime) -> None:
    people = told(case, at)
    if not case.in_confidence:
        notices.tell(telling(case, "case.reported", people), at=at)
    elif people:
        notices.tell(telling(case, "case.confidence", people), at=at)
    else:
        row = telling(case, "case.unheld", notices.Rungs(at).administrators())
        row.subject_ref = row.path = ""  # they appoint somebody; what was reported is not theirs to see
        notices.tell(row, at=at)


# ---------------------------------------------------------------- by the product


def pull(at: dt.datetime, *, limit: int = BATCH, everything: bool = False) -> int:
    """Report each breach that lacks its place in a case. Returns how many were given one.

    Workers take turns for each team, by the lock of its row; one breach has one place by a unique constraint.
    """
    lacking = Breach.objects.filter(membership__isnull=True, obligation__in=OPENING).order_by("detected_at", "pk")
    if not everything:
        lacking = lacking.filter(detected_at__gte=at - RECENT)
    return batches.work_off(lacking, functools.partial(_pull, at=at), limit=limit)


def pull_all(at: dt.datetime) -> int:
    """As `pull`, over every breach however old."""
    return pull(at, everything=True)


@transaction.atomic(durable=True)
def _pull(lacking: QuerySet[Breach], limit: int, *, at: dt.datetime) -> int:
    found = dict(lacking.values_list("pk", "team")[:limit])
    if not found:
        return 0
    # Not the whole row: tickets and deadlines may go on pointing at the team meanwhile.
    list(Team.objects.filter(pk__in=set(found.values())).select_for_update(no_key=True).order_by("pk"))
    # Another worker may have reported some while we waited for the lock: look again.
    breaches = (
        Breach.objects.filter(pk__in=list(found), membership__isnull=True)
        .select_related("deadline", "contract", "team")
        .order_by("detected_at", "pk")
    )
    groups: dict[Group, list[Breach]] = defaultdict(list)
    for breach in breaches:
        groups[_group(breach)].append(breach)
    return sum(_place(rows, group, at) for group, rows in groups.items())


def _group(breach: Breach) -> Group:
    """What joins breaches to one case: clause, team and day. One of a confidential matter stands alone."""
    day = breach.breached_at.astimezone(breach.contract.zoneinfo).date()
    alone = breach.pk if breach.deadline.in_confidence else 0
    return (breach.contract_id, breach.team_id, breach.deadline.clause, day, alone)


def _place(rows: Sequence[Breach], group: Group, at: dt.datetime) -> int:
    _contract, team, clause, day, alone = group
    first = rows[0]
    case = None
    if not alone:
        case = (
            NonCompliance.objects.select_for_update(of=("self",))
            .select_related("contract", "team", "correct")
            .filter(team=team, clause=clause, day=day, collects=True)
            .first()
        )
    is_new = case is None
    if case is None:
        case = _open_for(first, clause, day, at)
    written = Membership.objects.bulk_create(Membership(case=case, breach=row, reported_at=at) for row in rows)
    refs = ", ".join(dict.fromkeys(row.deadline.subject_ref for row in rows))
    people = told(case, at)
    if case.in_confidence:
        _tell_of_report(case, at)
    elif is_new:
        notices.tell(telling(case, "case.opened", people, refs=refs, count=len(rows)), at=at)
    else:
        key = f"joined:{written[0].pk}"
        notices.tell(telling(case, "case.joined", people, key=key, refs=refs, count=len(rows)), at=at)
    trail.record(
        Act.NONCOMPLIANCE_REPORTED if is_new else Act.NONCOMPLIANCE_JOINED,
        case.trail_subject,
        by="noncompliance",
        at=at,
        facts={
            "clause": clause,
            "team": team,
            "day": str(day),
            "deadline": case.correct_id,
            "breaches": [row.pk for row in rows],
            "detected": first.detected_at,
        },
    )
    proposals.after_joining(case, rows, at=at)
    return len(written)


def _open_for(breach: Breach, clause: str, day: dt.date, at: dt.datetime) -> NonCompliance:
    secret = breach.deadline.in_confidence
    return opened(
        NonCompliance(
            contract=breach.contract,
            team=breach.team,
            clause=clause,
            day=day,
            noticed_at=breach.detected_at,
            reported_at=max(at, breach.detected_at),
            in_confidence=secret,
            kept_by=_keeper_of(breach) if secret else "",
            collects=not secret,
        ),
        at=at,
    )


def _keeper_of(breach: Breach) -> str:
    """The office that keeps the matter whose own deadline was broken."""
    source = NonCompliance.objects.filter(report=breach.deadline).first()
    return source.kept_by if source is not None and source.kept_by else Office.COMPLIANCE_OWNER


# ---------------------------------------------------------------- what a case is


def check_is_open(case: NonCompliance) -> None:
    if case.state != State.OPEN:
        raise Refused(_("This case is not being corrected any more."))


@transaction.atomic
def take_lead(case: NonCompliance, *, to: User, by: User, at: dt.datetime) -> NonCompliance:
    """Say who leads the correction and answers for its clock. Whoever leads does not judge it later."""
    case = lock(case)
    independence.check_may_lead(case, by, at=at)
    check_is_open(case)
    if not to.is_active or not independence.may_lead(case, to, at=at):
        raise Refused(_("%(name)s may not work on this case.") % {"name": to.name})
    before, case.lead = case.lead_id, to
    case.save()
    deadlines.hand_over([case.correct], responsible=to, team=case.team, at=at)
    if to != by:
        due = notices.fact(case.correct.due_at)
        notices.tell(telling(case, "case.lead", [to], key=f"lead:{at.timestamp()}", due=due), at=at)
    trail.record(
        Act.NONCOMPLIANCE_LED, case.trail_subject, by=by, at=at, facts={"from": before, "to": to.pk}
    )  # fmt: skip
    return case


@transaction.atomic
def split(case: NonCompliance, members: Collection[int], *, by: User, at: dt.datetime) -> NonCompliance:
    """Move these of a case's breaches to a case of their own, whose clock runs from the earliest of their reports."""
    case = lock(case)
    independence.check_may_lead(case, by, at=at)
    check_is_open(case)
    rows = list(case.memberships.select_for_update().filter(pk__in=members).select_related("breach__deadline"))
    if not rows:
        raise Refused(_("Choose the breaches that are a matter of their own."))
    if len(rows) == case.memberships.count():
        raise Refused(_("Leave at least one breach in this case."))
    earliest = min(row.reported_at for row in rows)
    fresh = opened(
        NonCompliance(
            contract=case.contract,
            team=case.team,
            clause=case.clause,
            day=case.day,
            noticed_at=min(min(row.breach.detected_at for row in rows), earliest),
            reported_at=earliest,
            in_confidence=case.in_confidence,
            kept_by=case.kept_by,
            split_from=case,
            lead=case.lead,
        ),
        at=at,
    )
    Membership.objects.filter(pk__in=[row.pk for row in rows]).update(case=fresh)
    notices.tell(telling(fresh, "case.split", told(fresh, at), refs=case.reference), at=at)
    facts = {"from": case.pk, "to": fresh.pk, "breaches": [row.breach_id for row in rows], "clock": earliest}
    trail.record_all(
        trail.Entry(Act.NONCOMPLIANCE_SPLIT, one.trail_subject, by=by, at=at, facts=facts) for one in (case, fresh)
    )
    return fresh


@transaction.atomic
def dismiss(case: NonCompliance, *, by: User, at: dt.datetime, reason: str) -> NonCompliance:
    """Close a case as nothing owed: a report that was none, or breaches that were all assessed so. Raises Refused."""
    case = lock(case)
    involved = independence.people_in(case) | {case.reported_by_id or 0}
    independence.check_may_judge(case, by, involved, at)
    check_is_open(case)
    if not reason.strip():
        raise Refused(_("Say why nothing is owed; the reason stands in the evidence."))
    excused = Assessment.objects.filter(agreed=True).exclude(verdict=Assessment.Verdict.STANDS)
    if case.memberships.exclude(breach__in=excused.values("breach")).exists():
        raise Refused(_("A breach stands in this case. A breach is assessed, not dismissed."))
    deadlines.waive(case.correct, by=by, at=at, reason=reason)
    case.state, case.closed_at, case.closed_by, case.closing_note = State.DISMISSED, at, by, reason.strip()
    case.collects = False
    case.save()
    trail.record(
        Act.NONCOMPLIANCE_DISMISSED, case.trail_subject, by=by, at=at, facts={"deadline": case.correct_id},
        personal={"reason": reason},
    )  # fmt: skip
    return case


def seconds_to_report(contract: Contract, since: dt.datetime, until: dt.datetime) -> list[float]:
    """How long the product took from detecting each breach in a period to reporting it: the figure of clause 8.1."""
    rows = Membership.objects.filter(
        breach__contract=contract, breach__detected_at__gte=since, breach__detected_at__lt=until
    ).values_list("reported_at", "breach__detected_at")
    return [(reported - detected).total_seconds() for reported, detected in rows]


def earliest_report(case: NonCompliance) -> dt.datetime:
    """The report from which the case's clock has to run."""
    return case.memberships.aggregate(first=Min("reported_at"))["first"] or case.reported_at


def clocks(case: NonCompliance) -> list[Deadline]:
    """Every deadline that the case has had, oldest first."""
    return list(Deadline.objects.filter(subject_ref=case.reference, path=case.path).order_by("starts_at", "pk"))
