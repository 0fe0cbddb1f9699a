"""What a quality audit found (clause 6.3): written down with its clause, answered by the team, closed by the auditor.

A finding starts the company's own clock on its answer. It may be followed up by a case of non-compliance (8.1), whose
corrective actions are then done and verified as ever; such a finding is not closed before its case is corrected.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from audits import noncompliance, programme
from audits.models import Audit, AuditFinding, Draw, NonCompliance
from csp import access, agreement, deadlines, notices, trail
from csp.access import Refused
from csp.contract import CLAUSES
from csp.events import Act
from csp.models import Team, User
from csp.roles import Permission
from tickets.models import Ticket

State, Severity = AuditFinding.State, AuditFinding.Severity


def lock(finding: AuditFinding) -> AuditFinding:
    rows = AuditFinding.objects.select_for_update(of=("self",))
    return rows.select_related(
        "audit__contract", "audit__auditor", "audit__second", "team", "answer_by", "draw", "found_by"
    ).get(pk=finding.pk)


@transaction.atomic
def record(
    audit: Audit,
    *,
    team: Team,
    clause: str,
    severity: str,
    text: str,
    by: User,
    at: dt.datetime,
    draw: Draw | None = None,
    as_case: bool = False,
) -> AuditFinding:
    """Write down a finding; with `as_case` a non-compliance is reported with it. Raises Refused."""
    audit = programme.lock(audit)
    programme.check_is_open(audit)
    programme.check_audits(audit, by, at=at)
    if clause not in CLAUSES:
        raise Refused(_("Choose the clause that the finding is about."))
    if severity not in Severity.values:
        raise Refused(_("Say how severe it is."))
    if team.pk not in audit.teams:
        raise Refused(_("The finding is about a team that is audited."))
    if len(text.strip()) < 5:
        raise Refused(_("Say what you found."))
    if draw is not None and draw.audit_id != audit.pk:
        raise Refused(_("This ticket was not drawn in this audit."))
    with connection.cursor() as cursor:  # its clock names it and is stored first
        cursor.execute("select nextval(pg_get_serial_sequence('audits_auditfinding', 'id'))")
        pk = int(cursor.fetchone()[0])
    number = (audit.findings.aggregate(last=Max("number"))["last"] or 0) + 1
    finding = AuditFinding(
        pk=pk, audit=audit, number=number, draw=draw, team=team, clause=clause, severity=severity, text=text.strip(),
        found_at=at, found_by=by,
    )  # fmt: skip
    subject = deadlines.Subject(
        ref=finding.reference, path=finding.path, contract=audit.contract, team=team, context=audit.trail_subject
    )
    version = agreement.in_force(audit.contract, at)
    [finding.answer_by] = deadlines.start([deadlines.draft("audit_answer", subject, version, starts_at=at)], at=at)
    finding.save(force_insert=True)
    trail.record(
        Act.AUDIT_FOUND, audit.trail_subject, by=by, at=at,
        facts={
            "finding": number, "clause": clause, "severity": severity, "team": team.pk,
            "draw": draw.rank if draw else None, "deadline": finding.answer_by_id,
        },
        personal={"text": finding.text}, evidence=[finding],
    )  # fmt: skip
    _tell(
        finding, "audit.finding", notices.Rungs(at).supervisors(team.pk), at, due=notices.fact(finding.answer_by.due_at)
    )
    if as_case:
        follow_up(finding, by=by, at=at)
    return lock(finding)


def _tell(finding: AuditFinding, says: str, to: list[User], at: dt.datetime, **facts: object) -> None:
    row = programme.telling(finding.audit, says, to, key=f"{says}:{finding.number}", **facts)
    row.subject_ref, row.path, row.deadline = finding.reference, finding.path, finding.answer_by
    notices.tell(row, at=at)


def may_answer(finding: AuditFinding, user: User, *, at: dt.datetime | None = None) -> bool:
    """A supervisor of the team that was audited."""
    return access.may(user, Permission.ANSWER_AUDITS, team_id=finding.team_id, at=at)


@transaction.atomic
def answer(finding: AuditFinding, *, accepted: bool, text: str, by: User, at: dt.datetime) -> AuditFinding:
    """What the audited say to it: accepted or not, and why. Once; meets the clock. Raises Refused."""
    finding = lock(finding)
    if not may_answer(finding, by, at=at):
        raise Refused(_("A supervisor of the team that was audited answers."))
    if finding.state != State.OPEN:
        raise Refused(_("This finding has been answered."))
    if len(text.strip()) < 5:
        raise Refused(_("Say what you do about it, or why you see it otherwise."))
    finding.accepted, finding.answer, finding.answered_at, finding.answered_by = accepted, text.strip(), at, by
    finding.state = State.ANSWERED
    finding.save()
    deadlines.meet([finding.answer_by], at=at, by=by, how=finding.audit.trail_subject)
    trail.record(
        Act.AUDIT_ANSWERED, finding.audit.trail_subject, by=by, at=at,
        facts={"finding": finding.number, "accepted": accepted}, personal={"answer": finding.answer},
        evidence=[finding],
    )  # fmt: skip
    _tell(finding, "audit.answered", programme.scorers(finding.audit), at)
    return finding


def case_of(finding: AuditFinding) -> NonCompliance | None:
    return NonCompliance.objects.filter(pk=finding.case_number).first() if finding.case_number else None


@transaction.atomic
def follow_up(finding: AuditFinding, *, by: User, at: dt.datetime) -> NonCompliance:
    """Report a non-compliance for the finding; its seven days run from now. Raises Refused."""
    finding = lock(finding)
    programme.check_audits(finding.audit, by, at=at)
    if finding.state == State.CLOSED:
        raise Refused(_("This finding is closed."))
    if finding.case_number is not None:
        raise Refused(_("This finding is followed up already."))
    number = finding.draw.number if finding.draw else None
    about = Ticket.objects.filter(pk=number, about__isnull=False).exists() if number else False
    case = noncompliance.report(
        team=finding.team, clause=finding.clause, what=f"{finding.reference}: {finding.text}", noticed_at=at, by=by,
        at=at, about=f"#{number}" if number else finding.audit.reference, in_confidence=about,
    )  # fmt: skip
    finding.case_number = case.pk
    finding.save()
    trail.record(
        Act.AUDIT_FOLLOWED_UP, finding.audit.trail_subject, by=by, at=at,
        facts={"finding": finding.number, "case": case.pk},
    )  # fmt: skip
    return case


@transaction.atomic
def close(finding: AuditFinding, *, note: str, by: User, at: dt.datetime) -> AuditFinding:
    """The auditor, or another one of the contract, is content: answered, and where there is a case, corrected."""
    finding = lock(finding)
    if not access.may(by, Permission.AUDIT, contract_id=finding.audit.contract_id, at=at):
        raise Refused(_("An auditor of the contract closes a finding."))
    if finding.state != State.ANSWERED:
        raise Refused(_("A finding is closed once it has been answered."))
    case = case_of(finding)
    if case is not None and case.state in (NonCompliance.State.OPEN, NonCompliance.State.IMPLEMENTED):
        raise Refused(_("%(ref)s is not corrected and verified yet.") % {"ref": case.reference})
    if len(note.strip()) < 5:
        raise Refused(_("Say what you looked at before you closed it."))
    finding.state, finding.closed_at, finding.closed_by, finding.closing_note = State.CLOSED, at, by, note.strip()
    finding.save()
    trail.record(
        Act.AUDIT_FINDING_CLOSED, finding.audit.trail_subject, by=by, at=at, facts={"finding": finding.number},
        personal={"note": finding.closing_note}, evidence=[finding],
    )  # fmt: skip
    return finding
