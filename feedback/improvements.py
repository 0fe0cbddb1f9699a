"""Acting on feedback (clause 7.2): a finding owes a decision, an action item owes a result, and both have clocks.

A finding is met by an action item, or by a refusal with a reason, by a supervisor who did not write it; that shows as
not acted on. An action item is done with evidence, then verified by somebody independent. A rejection annuls it, and
the first due time stands. What it changed is measured over as many days before as after.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection, models, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from csp import access, agreement, batches, deadlines, independence, notices, offices, trail, vault
from csp.access import Refused
from csp.contract import CLAUSES
from csp.events import Act
from csp.models import Deadline, Notice, Team, User
from csp.roles import Office, Permission, Role
from feedback import effects, themes
from feedback.models import (
    ActionItem,
    Effect,
    Finding,
    FindingRefusal,
    ProcedureChange,
    Remark,
    Theme,
    Work,
    WorkCheck,
    WorkFile,
)
from tickets import procedures
from tickets.models import Category, Procedure, ProcedureVersion, Ticket
from training import updates
from training.models import Assignment, CourseVersion

ACTOR = "feedback"
LONGEST = dt.timedelta(days=366)
FIVE = effects.FIVE
State, Doing = Finding.State, ActionItem.State
_REFERENCE = re.compile(r"(F-|#)(\d{1,18})")


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file of evidence before it is stored."""

    name: str
    content_type: str
    content: bytes


def _next_number(model: type[models.Model]) -> int:
    """A number for a row that is about to be stored: its deadline names it and is stored first."""
    with connection.cursor() as cursor:
        cursor.execute("select nextval(pg_get_serial_sequence(%s, 'id'))", [model._meta.db_table])
        return int(cursor.fetchone()[0])


def lock(finding: Finding) -> Finding:
    rows = Finding.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("contract", "team__contract", "theme", "act", "written_by").get(pk=finding.pk)


def _lock_item(item: ActionItem) -> tuple[Finding, ActionItem]:
    finding = lock(Finding(pk=item.finding_id))
    rows = ActionItem.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("owner", "deadline", "agreed_by").get(pk=item.pk)
    row.finding = finding
    return finding, row


def subject_of(finding: Finding) -> deadlines.Subject:
    return deadlines.Subject(
        ref=finding.reference, path=finding.path, contract=finding.contract, team=finding.team,
        context=finding.trail_subject,
    )  # fmt: skip


def _telling(
    row: Finding | ActionItem, says: str, to: Iterable[User], *, key: str, due: dt.datetime | None = None
) -> notices.Telling:
    return notices.Telling(
        kind=Notice.Kind.FEEDBACK,
        key=key,
        to=to,
        subject_ref=row.reference,
        path=row.path,
        facts={"says": says} | ({"due": notices.fact(due)} if due is not None else {}),
    )


def _supervisors(finding: Finding, at: dt.datetime) -> list[User]:
    return notices.Rungs(at).supervisors(finding.team_id)


# ---------------------------------------------------------------- findings


def evidence_of(theme: Theme | None, remarks: Collection[Remark], tickets: Collection[Ticket]) -> dict[str, Any]:
    """What a finding rests on, frozen: numbers of remarks and tickets, how many, and how they scored.

    The mean is left out of fewer than five scores. Of tickets that the product found alike it is how many of which
    category, and no number: whoever writes findings need not see tickets.
    """
    found = {remark.pk: remark for remark in remarks}
    alike: list[tuple[str, int]] = []
    if theme is not None:
        found |= {remark.pk: remark for remark in themes.remarks_of(theme)}
        alike = themes.by_category(themes.ticket_texts_of(theme))
    moments = sorted(remark.received_at for remark in found.values())
    scores = [remark.score for remark in found.values() if remark.score is not None]
    return {
        "remarks": sorted(found),
        "count": len(found),
        "since": notices.fact(moments[0]) if moments else None,
        "until": notices.fact(moments[-1]) if moments else None,
        "scores": len(scores),
        "mean": round(sum(scores) / len(scores), 4) if len(scores) >= FIVE else None,
        "tickets": sorted(ticket.pk for ticket in tickets),
        "alike": sum(count for _name, count in alike),
        "categories": [[name, count] for name, count in alike],
    }


def named_in(text: str, user: User) -> tuple[list[Remark], list[Ticket]]:
    """The remarks (F-12) and tickets (#4790) that a text names. Raises Refused for one that this person cannot see."""
    numbers: dict[str, list[int]] = {"F-": [], "#": []}
    for kind, number in _REFERENCE.findall(text):
        numbers[kind].append(int(number))
    remarks = list(Remark.objects.visible_to(user).filter(pk__in=numbers["F-"]))
    tickets = list(Ticket.objects.visible_to(user).filter(pk__in=numbers["#"]))
    known = {*(f"F-{remark.pk}" for remark in remarks), *(f"#{ticket.pk}" for ticket in tickets)}
    for kind, number in _REFERENCE.findall(text):
        if f"{kind}{int(number)}" not in known:
            raise Refused(_("You see no %(reference)s. Check the number.") % {"reference": f"{kind}{number}"})
    return remarks, tickets


@transaction.atomic
def write(
    team: Team, *, title: str, text: str, recommendation: str, clause: str = "", theme: Theme | None = None,
    remarks: Collection[Remark] = (), tickets: Collection[Ticket] = (), by: User, at: dt.datetime,
) -> Finding:  # fmt: skip
    """Write down a finding about a team's work, out of a theme or by hand; its supervisors owe a decision.

    Raises Refused.
    """
    access.check(by, Permission.WRITE_FINDINGS, contract_id=team.contract_id, at=at)
    title = " ".join(title.split())[:200]
    if not title or not text.strip():
        raise Refused(_("Say in a sentence what you found, and below it what it rests on."))
    if not recommendation.strip():
        raise Refused(_("Say what should be done about it; one recommendation a line."))
    if clause and clause not in CLAUSES:
        raise Refused(_("There is no such clause."))
    if theme is not None:
        theme = themes.lock(theme)
        if theme.contract_id != team.contract_id or not theme.is_standing:
            raise Refused(_("This theme was merged or dismissed meanwhile."))
    evidence = evidence_of(theme, remarks, tickets)
    if not evidence["count"] and not evidence["tickets"] and not evidence["alike"]:
        raise Refused(_("A finding rests on something: choose a theme, or name remarks (F-12) or tickets (#4790)."))
    finding = Finding(
        pk=_next_number(Finding), contract=team.contract, team=team, theme=theme, clause=clause, title=title,
        text=text.strip(), recommendation=recommendation.strip(), evidence=evidence, written_by=by, written_at=at,
    )  # fmt: skip
    version = agreement.in_force(team.contract, at)
    [finding.act] = deadlines.start([deadlines.draft("finding", subject_of(finding), version, starts_at=at)], at=at)
    finding.save(force_insert=True)
    due = finding.act.due_at
    told = [person for person in _supervisors(finding, at) if person != by]
    notices.tell(_telling(finding, "finding.written", told, key=f"finding:{finding.pk}", due=due), at=at)
    trail.record(
        Act.FINDING_WRITTEN,
        finding.trail_subject,
        by=by,
        at=at,
        facts={"team": team.pk, "theme": theme.pk if theme else None, "clause": clause, "due": due,
               "count": evidence["count"], "alike": evidence["alike"]},
        evidence=[finding],
    )  # fmt: skip
    return finding


def can_decide(finding: Finding, user: User, *, at: dt.datetime | None = None) -> bool:
    return access.may(user, Permission.DECIDE_FINDINGS, team_id=finding.team_id, at=at)


def check_can_refuse(finding: Finding, user: User, at: dt.datetime) -> None:
    access.check(user, Permission.DECIDE_FINDINGS, team_id=finding.team_id, at=at)
    if finding.state != State.OPEN:
        raise Refused(_("This finding was decided already."))
    if finding.written_by_id == user.pk:
        raise Refused(_("You wrote this finding. Another supervisor decides not to act on it."))


@transaction.atomic
def refuse(finding: Finding, *, reason: str, by: User, at: dt.datetime) -> FindingRefusal:
    """Decide not to act on a finding, which shows as that. Raises Refused."""
    row = lock(finding)
    check_can_refuse(row, by, at=at)
    if not reason.strip():
        raise Refused(_("Say why nothing is done; the reason stands in the evidence."))
    refusal = FindingRefusal.objects.create(finding=row, reason=reason.strip(), by=by, at=at)
    row.state = State.REFUSED
    row.save()
    deadlines.meet([row.act], at=at, by=by, how=f"refused:{refusal.pk}")
    people = [row.written_by, *themes.team_of(row.contract, at)]
    notices.tell(_telling(row, "finding.refused", people, key=f"finding-refused:{row.pk}"), at=at)
    trail.record(Act.FINDING_REFUSED, row.trail_subject, by=by, at=at, evidence=[refusal])
    return refusal


# ---------------------------------------------------------------- action items


@transaction.atomic
def agree(
    finding: Finding, *, what: str, owner: User, due_at: dt.datetime, measure: ActionItem.Measure,
    window_days: int = 28, by: User, at: dt.datetime,
) -> ActionItem:  # fmt: skip
    """Agree who does what until when, and by which figure it will show. It meets the finding. Raises Refused."""
    row = lock(finding)
    access.check(by, Permission.DECIDE_FINDINGS, team_id=row.team_id, at=at)
    if row.state == State.REFUSED:
        raise Refused(_("It was decided not to act on this finding. A new finding can be written."))
    if not what.strip():
        raise Refused(_("Say what is done."))
    if not owner.is_active or not access.scope_of(owner, at).grants:
        raise Refused(_("%(name)s does not work here any more.") % {"name": owner.name})
    if not at < due_at <= at + LONGEST:
        raise Refused(_("Choose a day within the next year until which it is done."))
    if measure == ActionItem.Measure.RATE and row.theme is None:
        raise Refused(_("This finding has no theme whose remarks could be counted. Choose another figure."))
    version = agreement.in_force(row.contract, at)
    item = ActionItem(
        pk=_next_number(ActionItem), finding=row, what=" ".join(what.split())[:500], owner=owner, agreed_by=by,
        agreed_at=at, measure=measure, window_days=window_days,
        before=effects.before(row, measure, window_days, at).to_json(),
    )  # fmt: skip
    subject = deadlines.Subject(
        ref=item.reference, path=item.path, contract=row.contract, team=row.team, responsible=owner,
        context=row.trail_subject,
    )  # fmt: skip
    [item.deadline] = deadlines.start(
        [deadlines.draft("action_item", subject, version, starts_at=at, due_at=due_at)], at=at
    )
    item.save(force_insert=True)
    if row.state == State.OPEN:
        deadlines.meet([row.act], at=at, by=by, how=f"item:{item.pk}")
        row.state = State.ACTED
        row.save()
    if owner != by:
        notices.tell(_telling(item, "item.yours", [owner], key=f"item:{item.pk}", due=due_at), at=at)
    trail.record(
        Act.ITEM_AGREED,
        item.trail_subject,
        by=by,
        at=at,
        context=row.trail_subject,
        facts={"finding": row.pk, "owner": owner.pk, "due": due_at, "measure": measure, "days": window_days,
               "before": item.before},
        evidence=[item],
    )  # fmt: skip
    return item


@transaction.atomic
def withdraw(item: ActionItem, *, reason: str, by: User, at: dt.datetime) -> ActionItem:
    """Take back what is not going to be done. With no other item left, the finding owes its decision again, from its
    first due time. Raises Refused.
    """
    finding, row = _lock_item(item)
    access.check(by, Permission.DECIDE_FINDINGS, team_id=finding.team_id, at=at)
    if row.state != Doing.PLANNED:
        raise Refused(_("It was done; what was done is not taken back."))
    if not reason.strip():
        raise Refused(_("Say why it is not done; the reason stands in the evidence."))
    row.state, row.withdrawn_because = Doing.WITHDRAWN, reason.strip()[:500]
    row.save()
    # Past its due time it was broken, and ends late; before, nobody owes it any more.
    if not deadlines.lapse([row.deadline], at=at, by=by, reason="withdrawn"):
        deadlines.meet([row.deadline], at=at, by=by, how="withdrawn")
    trail.record(
        Act.ITEM_WITHDRAWN, row.trail_subject, by=by, at=at, context=finding.trail_subject,
        facts={"finding": finding.pk}, personal={"reason": reason.strip()},
    )  # fmt: skip
    if not finding.items.exclude(state=Doing.WITHDRAWN).exists():
        finding.act = deadlines.reopen(finding.act, at=at, by=by, reason="withdrawn")
        finding.state = State.OPEN
        finding.save()
    return row


def may_do(item: ActionItem, user: User) -> bool:
    return item.owner_id == user.pk or can_decide(item.finding, user)


@transaction.atomic
def do(item: ActionItem, *, text: str, files: Sequence[File] = (), by: User, at: dt.datetime) -> Work:
    """Say that an action item is done, with the evidence, which meets its clock until somebody rejects it.

    Raises Refused.
    """
    finding, row = _lock_item(item)
    if row.owner_id != by.pk:
        access.check(by, Permission.DECIDE_FINDINGS, team_id=finding.team_id, at=at)
    if row.state != Doing.PLANNED:
        raise Refused(_("This was done already, or is not going to be done."))
    if not text.strip():
        raise Refused(_("Say what was done and how that shows. Without evidence it does not count."))
    version = agreement.in_force(finding.contract, at)
    subject = deadlines.Subject(
        ref=row.reference, path=row.path, contract=finding.contract, team=finding.team, context=finding.trail_subject
    )
    [verify] = deadlines.start([deadlines.draft("verify_item", subject, version, starts_at=at)], at=at)
    work = Work.objects.create(item=row, text=text.strip(), by=by, at=at, verify=verify)
    stored = [
        WorkFile(
            work=work, blob=vault.store(file.content, at=at), name=file.name[:255] or _("Unnamed"),
            content_type=file.content_type[:120], size=len(file.content),
        )
        for file in files
    ]  # fmt: skip
    WorkFile.objects.bulk_create(stored)
    row.state = Doing.DONE
    row.save()
    deadlines.meet([row.deadline], at=at, by=by, how=f"done:{work.pk}")
    involved = people_in(row)
    judges = [person for person in judges_of(finding, at) if person.pk not in involved]
    notices.tell(_telling(row, "item.done", judges, key=f"item-done:{work.pk}"), at=at)
    trail.record(
        Act.ITEM_DONE, row.trail_subject, by=by, at=at, context=finding.trail_subject,
        facts={"work": work.pk, "verify": verify.pk, "due": verify.due_at}, evidence=[work, *stored],
    )  # fmt: skip
    return work


def people_in(item: ActionItem) -> set[int]:
    """Whose own work it is: who agreed it, who owns it, who ever did it."""
    return {item.owner_id, item.agreed_by_id, *item.works.values_list("by", flat=True)}


def judges_of(finding: Finding, at: dt.datetime) -> list[User]:
    """Who verifies: supervisors of the contract, analysts, the feedback lead."""
    teams = Team.objects.filter(contract=finding.contract_id, is_active=True).values_list("pk", flat=True)
    return [
        *access.people_with(Role.SUPERVISOR, at=at, teams=teams),
        *themes.team_of(finding.contract, at),
    ]  # fmt: skip


def may_judge(finding: Finding, user: User, *, at: dt.datetime | None = None) -> bool:
    return access.may(
        user, Permission.WRITE_FINDINGS, contract_id=finding.contract_id, at=at
    ) or finding.contract_id in offices.contracts_of(user, Office.FEEDBACK_LEAD, at=at)


def check_can_verify(work: Work, user: User, at: dt.datetime) -> None:
    """Somebody of the feedback team or a supervisor, who had no hand in it and reports to nobody who had."""
    if not may_judge(work.item.finding, user, at=at):
        raise Refused(_("A supervisor or somebody of the feedback team verifies this."))
    independence.check(user, people_in(work.item), at)


@transaction.atomic
def verify(work: Work, *, accepted: bool, note: str, by: User, at: dt.datetime) -> WorkCheck:
    """Accept what was done, or reject it, which annuls it: the first due time stands. Raises Refused."""
    finding, item = _lock_item(work.item)
    row = Work.objects.select_related("verify", "by").get(pk=work.pk)
    row.item = item
    check_can_verify(row, by, at)
    if WorkCheck.objects.filter(work=row).exists():
        raise Refused(_("This has been verified already."))
    if not note.strip():
        raise Refused(_("Say what you looked at and what you found; it stands in the evidence."))
    check = WorkCheck.objects.create(work=row, accepted=accepted, note=note.strip(), by=by, at=at)
    deadlines.meet([row.verify], at=at, by=by, how=f"verification:{check.pk}")
    if not accepted:
        item.deadline = deadlines.reopen(item.deadline, at=at, by=by, reason="rejected")
    item.state = Doing.VERIFIED if accepted else Doing.PLANNED
    item.save()
    trail.record(
        Act.ITEM_VERIFIED if accepted else Act.ITEM_REJECTED, item.trail_subject, by=by, at=at,
        context=finding.trail_subject, facts={"work": row.pk, "accepted": accepted}, evidence=[check],
    )  # fmt: skip
    if not accepted:
        people = [item.owner, *_supervisors(finding, at)]
        due = item.deadline.due_at
        notices.tell(_telling(item, "item.rejected", people, key=f"item-rejected:{check.pk}", due=due), at=at)
    return check


# ---------------------------------------------------------------- what it changed


def done_at(item: ActionItem) -> dt.datetime | None:
    """When what was verified was done."""
    work = item.works.filter(check_made__accepted=True).order_by("-pk").first()
    return work.at if work is not None else None


def measure(at: dt.datetime, *, limit: int = 50) -> int:
    """Freeze the figure after of every verified item whose days after are over and that lacks it. Returns how many."""
    waiting = ActionItem.objects.filter(state=Doing.VERIFIED, effect__isnull=True).order_by("pk")
    found = [
        item.pk
        for item in waiting.only("pk", "window_days")
        if (moment := done_at(item)) is not None and moment + dt.timedelta(days=item.window_days) <= at
    ]
    return batches.each(found[:limit], functools.partial(_measure, at=at), limit=limit)


@transaction.atomic(durable=True)
def _measure(number: int, *, at: dt.datetime) -> int:
    rows = ActionItem.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    row = rows.select_related("finding__contract", "finding__theme", "finding__written_by").filter(pk=number).first()
    if row is None or Effect.objects.filter(item=row).exists():
        return 0
    moment = done_at(row)
    if moment is None:
        return 0
    figure = effects.after(row, moment, at)
    effect = Effect.objects.create(item=row, after=figure.to_json(), at=at)
    people = [row.finding.written_by, *_supervisors(row.finding, at)]
    notices.tell(_telling(row, "item.effect", people, key=f"effect:{row.pk}"), at=at)
    trail.record(
        Act.ITEM_EFFECT, row.trail_subject, by=ACTOR, at=at, context=row.finding.trail_subject,
        facts={"before": row.before, "after": effect.after}, evidence=[effect],
    )  # fmt: skip
    return 1


# ---------------------------------------------------------------- a procedure changes


@transaction.atomic
def change_procedure(finding: Finding, category: Category | None, *, by: User, at: dt.datetime) -> ProcedureChange:
    """Begin the next version of a procedure because of a finding, or take the draft that there is. Raises Refused.

    What is published later brings its update course (training.updates).
    """
    row = lock(finding)
    access.check(by, Permission.DECIDE_FINDINGS, team_id=row.team_id, at=at)
    if row.state == State.REFUSED:
        raise Refused(_("It was decided not to act on this finding."))
    version = ProcedureVersion.objects.filter(
        procedure__contract=row.contract_id, procedure__category=category, published_at__isnull=True
    ).first()
    if version is None:
        version = _draft(row, category, by=by, at=at)
    change, is_new = ProcedureChange.objects.get_or_create(
        finding=row, version=version, defaults={"by": by, "at": at}
    )  # fmt: skip
    if is_new:
        trail.record(
            Act.FINDING_PROCEDURE, row.trail_subject, by=by, at=at,
            facts={"procedure": version.procedure_id, "version": version.pk}, evidence=[change],
        )  # fmt: skip
    return change


def _draft(finding: Finding, category: Category | None, *, by: User, at: dt.datetime) -> ProcedureVersion:
    own = Procedure.objects.filter(contract=finding.contract_id, category=category).first()
    begun = (procedures.latest(own) if own is not None else None) or procedures.latest(
        procedures.default_of(finding.contract)
    )
    assert begun is not None  # there is always a standard
    return procedures.draft(
        finding.contract, category, title=begun.title, text=begun.text, resolve_days=begun.resolve_days,
        progress_days=begun.progress_days, reason=f"{finding.reference}: {finding.title}"[:500], by=by, at=at,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """How far one changed procedure has come: its version, its update course, who owed that and who passed it."""

    version: ProcedureVersion
    course: CourseVersion | None
    passed: int
    owed: int


def chain_of(finding: Finding) -> list[Link]:
    """What a finding changed, as far as it has come: procedure, course, people."""
    changes = finding.procedure_changes.select_related("version__procedure__category", "version__published_by")
    found = []
    for change in changes.order_by("pk"):
        course = (
            CourseVersion.objects.filter(because=updates.because_of(change.version)).select_related("course").first()
        )
        owed = Assignment.objects.filter(version=course, why=Assignment.Why.UPDATE).exclude(ended_how="not_owed")
        people = dict(owed.values_list("user", "ended_how")) if course is not None else {}
        passed = sum(how == Assignment.Ended.PASSED for how in people.values())
        found.append(Link(change.version, course, passed, len(people)))
    return found


# ---------------------------------------------------------------- what is owed


def duties_of(theme_numbers: Iterable[int]) -> dict[int, Deadline]:
    """For each theme, what is owed because of it: what runs and is due first, else what was met last."""
    found: dict[int, Deadline] = {}
    rows = (
        Finding.objects.filter(theme__in=list(theme_numbers)).select_related("act").prefetch_related("items__deadline")
    )
    for finding in rows:
        for deadline in (finding.act, *(item.deadline for item in finding.items.all())):
            number = finding.theme_id
            assert number is not None
            held = found.get(number)
            if deadline.voided_at is None and (held is None or _rank(deadline) < _rank(held)):
                found[number] = deadline
    return found


def _rank(deadline: Deadline) -> tuple[bool, float]:
    ended = deadline.met_at is not None
    return ended, -deadline.met_at.timestamp() if deadline.met_at else deadline.due_at.timestamp()


def mine(user: User) -> QuerySet[ActionItem]:
    """What this person has to do, by when it is due."""
    rows = ActionItem.objects.filter(owner=user, state=Doing.PLANNED)
    return rows.select_related("finding", "deadline", "owner").order_by("deadline__due_at", "pk")
