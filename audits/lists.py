"""The lists of assurance: what lies behind the figures of the board, and every exception that a person made.

What is kept in confidence is counted and listed, but does not say what it is about.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audits.listing import Cursor, Filters, List, Row, picked, said, top
from csp.events import Act
from csp.models import Assessment, Breach, Deadline, TrailEntry
from tickets.models import Call, Checklist, ChecklistStep, Escalation, Resolution, Ticket

Verdict = Assessment.Verdict


# ---------------------------------------------------------------- what fell due, and what broke


ENDED = Q(state="met", reopened_as__isnull=True) | Q(breach__isnull=False)
PROMISES: dict[str, Q] = {
    "": ~Q(state="void"),
    "ended": ENDED,
    "kept": Q(state="met", reopened_as__isnull=True),
    "broken": Q(breach__isnull=False),
    "running": Q(met_at__isnull=True, voided_at__isnull=True),
    "overdue": Q(state="breached"),
}


def _promises(filters: Filters, after: Cursor | None, count: int) -> Sequence[Any]:
    """The newest of each obligation by its index, then the newest of those: not a sort of the whole period."""
    rows = Deadline.objects.filter(
        PROMISES[filters.state], filters.in_period("due_at"), filters.of_team("team"), contract=filters.contract
    )
    each = [top(rows.filter(obligation=code), "due_at", after, count).values("pk", "due_at") for code in filters.codes]
    if not each:
        return []
    newest = each[0]
    if len(each) > 1:
        newest = newest.union(*each[1:], all=True).order_by("-due_at", "-pk")[:count]
    numbers = [row["pk"] for row in newest]
    found = Deadline.objects.select_related("team", "breach__assessment").in_bulk(numbers)
    return [found[number] for number in numbers]


def _promise(rows: Sequence[Deadline], zone: dt.tzinfo) -> list[Row]:
    return [
        _of_deadline(
            row, row.due_at, row.pk, zone, said(row.met_at, zone), _reading(getattr(row, "breach", None)), clock=row
        )
        for row in rows
    ]


def _of_deadline(
    row: Deadline, at: dt.datetime, pk: int, zone: dt.tzinfo, *cells: str, clock: Deadline | None = None, url: str = ""
) -> Row:
    hidden = row.in_confidence
    return Row(
        cursor=(at, pk),
        ref=_("in confidence") if hidden else row.subject_ref,
        path="" if hidden else row.path,
        clause=row.clause,
        team=row.team.name,
        at=at,
        cells=(_(row.rule.verb), *(("",) * len(cells) if hidden else cells)),
        clock=clock,
        url="" if hidden else url,
    )


def _reading(breach: Breach | None) -> str:
    if breach is None:
        return ""
    row = getattr(breach, "assessment", None)
    if row is None or row.agreed is False:
        return str(Verdict.STANDS.label)
    return str(row.get_verdict_display()) if row.agreed else _("proposed: %(verdict)s") % {
        "verdict": row.get_verdict_display()
    }  # fmt: skip


def _verdict(verdict: str) -> Q:
    return Q(assessment__agreed=True, assessment__verdict=verdict)


EXCUSED = (Verdict.NOT_OWED, Verdict.RECORDED_LATE, Verdict.UNREACHABLE)
BREACHES: dict[str, Q] = {
    "": Q(),
    "stands": ~Q(assessment__agreed=True, assessment__verdict__in=EXCUSED),
    "open": Q(deadline__state="breached"),
    "proposed": Q(assessment__isnull=False, assessment__agreed__isnull=True),
    **{verdict.value: _verdict(verdict.value) for verdict in EXCUSED},
}


def _breaches(filters: Filters) -> QuerySet[Any]:
    rows = Breach.objects.filter(BREACHES[filters.state], filters.of_team("team"), contract=filters.contract)
    if filters.clause or filters.obligation:
        rows = rows.filter(obligation__in=filters.codes)
    return rows.select_related("deadline__team", "assessment")


def _breach(rows: Sequence[Breach], zone: dt.tzinfo) -> list[Row]:
    return [
        _of_deadline(
            row.deadline, row.breached_at, row.pk, zone, said(row.detected_at, zone), said(row.deadline.met_at, zone),
            _reading(row), clock=row.deadline, url=f"/noncompliance/of/{row.deadline_id}/",
        )
        for row in rows
    ]  # fmt: skip


# ---------------------------------------------------------------- every exception that a person made


ASSESSMENTS: dict[str, Q] = {
    "": Q(),
    "waiting": Q(decided_at__isnull=True),
    "agreed": Q(agreed=True),
    "disagreed": Q(agreed=False),
}


def _assessments(filters: Filters) -> QuerySet[Any]:
    rows = Assessment.objects.filter(
        ASSESSMENTS[filters.state], filters.of_team("breach__team"), breach__contract=filters.contract
    )
    if filters.clause or filters.obligation:
        rows = rows.filter(breach__obligation__in=filters.codes)
    return rows.select_related("breach__deadline__team", "proposed_by", "decided_by")


def _assessment(rows: Sequence[Assessment], zone: dt.tzinfo) -> list[Row]:
    decided = {None: _("waits"), True: _("agreed"), False: _("disagreed")}
    return [
        _of_deadline(
            row.breach.deadline, row.proposed_at, row.pk, zone, str(row.get_verdict_display()), row.reason,
            row.proposed_by.name, decided[row.agreed], row.decided_by.name if row.decided_by else "",
            url=f"/assessments/{row.pk}/",
        )
        for row in rows
    ]  # fmt: skip


WAIVERS: dict[str, Q] = {
    "": Q(void_why__in=[Deadline.Void.WAIVED, Deadline.Void.LAPSED]),
    "never": Q(void_why__in=[Deadline.Void.OUTBOUND, Deadline.Void.IMPORTED]),
}


def _waivers(filters: Filters) -> QuerySet[Any]:
    rows = Deadline.objects.filter(
        WAIVERS[filters.state], filters.of_team("team"), contract=filters.contract, voided_at__isnull=False
    )
    if filters.clause or filters.obligation:
        rows = rows.filter(obligation__in=filters.codes)
    return rows.select_related("team", "voided_by")


def _waiver(rows: Sequence[Deadline], zone: dt.tzinfo) -> list[Row]:
    return [
        _of_deadline(
            row, row.voided_at, row.pk, zone, said(row.due_at, zone),
            row.voided_by.name if row.voided_by else _("the product"), row.void_reason or row.get_void_why_display(),
        )
        for row in rows
        if row.voided_at is not None
    ]  # fmt: skip


def _no_replies(filters: Filters) -> QuerySet[Any]:
    rows = Deadline.objects.filter(filters.of_team("team"), contract=filters.contract, met_how=Deadline.NO_REPLY)
    return rows.select_related("team", "met_by")


def _no_reply(rows: Sequence[Deadline], zone: dt.tzinfo) -> list[Row]:
    reasons = _reasons(rows)
    return [
        _of_deadline(
            row, row.met_at, row.pk, zone, said(row.due_at, zone), row.met_by.name if row.met_by else "",
            reasons.get(row.pk, ""), clock=row,
        )
        for row in rows
        if row.met_at is not None
    ]  # fmt: skip


def _reasons(rows: Sequence[Deadline]) -> dict[int, str]:
    """Why no reply was needed, by deadline: it stands in the trail, with the act."""
    contexts = {f"ticket:{row.subject_ref.removeprefix('#')}" for row in rows}
    found: dict[int, str] = {}
    entries = TrailEntry.objects.filter(context__in=contexts, act=Act.NO_REPLY_NEEDED)
    for entry in entries:
        words = json.loads(entry.personal or "{}")  # blanked by an erasure
        for number in json.loads(entry.facts).get("deadlines", []):
            found[number] = words.get("reason", "")
    return found


PRECAUTIONS: dict[str, Q] = {"": Q(), "open": Q(closed_at__isnull=True), "ended": Q(closed_at__isnull=False)}
CALLS: dict[str, Q] = {
    "": Q(),
    "waiting": Q(ruled_at__isnull=True),
    "confirmed": Q(is_confirmed=True),
    "refused": Q(is_confirmed=False),
}


def _late_calls(filters: Filters) -> QuerySet[Any]:
    rows = Call.objects.filter(
        CALLS[filters.state], filters.of_team("interaction__ticket__team"), is_typed_late=True,
        interaction__ticket__contract=filters.contract,
    )  # fmt: skip
    return rows.select_related("interaction__ticket__team", "interaction__author", "ruled_by")


def _late_call(rows: Sequence[Call], zone: dt.tzinfo) -> list[Row]:
    ruled = {None: _("waits"), True: _("confirmed"), False: _("not confirmed")}
    return [
        Row(
            cursor=(row.ended_at, row.pk),
            ref=row.interaction.ticket.reference,
            path=row.interaction.ticket.path,
            clause="4.1",
            team=row.interaction.ticket.team.name,
            at=row.ended_at,
            cells=(
                said(row.interaction.recorded_at, zone),
                row.interaction.author.name if row.interaction.author else "",
                ruled[row.is_confirmed],
                row.ruled_by.name if row.ruled_by else "",
                row.ruling_reason,
            ),
        )
        for row in rows
    ]


def _precautions(filters: Filters) -> QuerySet[Any]:
    rows = Escalation.objects.filter(
        PRECAUTIONS[filters.state],
        filters.of_team("team"),
        origin=Escalation.Origin.PRECAUTION,
        ticket__contract=filters.contract,
    )
    return rows.select_related("ticket", "team", "accepted_by", "closed_by")


def _precaution(rows: Sequence[Escalation], zone: dt.tzinfo) -> list[Row]:
    return [
        Row(
            cursor=(row.raised_at, row.pk),
            ref=row.ticket.reference,
            path=row.ticket.path,
            clause="3.3",
            team=row.team.name,
            at=row.raised_at,
            cells=(
                row.reason,
                row.accepted_by.name if row.accepted_by else "",
                str(row.get_decision_display() or row.get_outcome_display()) if row.closed_at else _("open"),
                said(row.closed_at, zone),
            ),
        )
        for row in rows
    ]


# ---------------------------------------------------------------- complaints


OPEN_ONES = ("new", "open", "waiting")
COMPLAINTS: dict[str, Q] = {
    "": Q(),
    "open": Q(state__in=OPEN_ONES),
    "overdue": Q(state__in=OPEN_ONES, checklists__ended_at__isnull=True, checklists__resolve__state="breached"),
    "resolved": Q(state__in=("resolved", "closed")),
    **{
        answer.value: Q(resolutions__undone_at__isnull=True, resolutions__acceptance=answer.value)
        for answer in Resolution.Acceptance
    },
    "did_not_hold": Q(resolutions__undone_at__isnull=False),
}


def _complaints(filters: Filters) -> QuerySet[Any]:
    """The register: every complaint that speaks for itself, by its receipt."""
    numbers = Ticket.objects.real().filter(
        COMPLAINTS[filters.state], filters.of_team("team"), contract=filters.contract
    )
    numbers = numbers.filter(kind=Ticket.Kind.COMPLAINT).exclude(state=Ticket.State.MERGED)
    rows = Ticket.objects.filter(pk__in=numbers.values("pk")).select_related("team", "category", "assignee")
    newest = Resolution.objects.order_by("-pk")
    steps = ChecklistStep.objects.select_related("checklist__resolve").filter(checklist__ended_at__isnull=True)
    return rows.prefetch_related(
        Prefetch("resolutions", newest), Prefetch("checklists", Checklist.objects.filter(ended_at__isnull=True)),
        Prefetch("checklists__steps", steps), "checklists__resolve",
    )  # fmt: skip


def _complaint(rows: Sequence[Ticket], zone: dt.tzinfo) -> list[Row]:
    found = []
    for row in rows:
        last = next(iter(row.resolutions.all()), None)
        checklist = next(iter(row.checklists.all()), None)
        steps = list(checklist.steps.all()) if checklist else []
        settled = sum(step.is_settled for step in steps)
        found.append(
            Row(
                cursor=(row.received_at, row.pk),
                ref=row.reference,
                path=row.path,
                clause="3.2",
                team=row.team.name,
                at=row.received_at,
                cells=(
                    row.category.name if row.category else "",
                    str(row.get_state_display()),
                    _("%(n)d of %(of)d") % {"n": settled, "of": len(steps)},
                    str(last.get_cause_display()) if last else "",
                    str(last.get_kind_display()) if last else "",
                    said(last.resolved_at, zone) if last else "",
                    _("did not hold")
                    if last and last.undone_at
                    else str(last.get_acceptance_display())
                    if last
                    else "",
                ),
                clock=checklist.resolve if checklist else None,
            )
        )
    return found


def _left_out(filters: Filters) -> QuerySet[Any]:
    rows = ChecklistStep.objects.filter(
        filters.of_team("checklist__ticket__team"),
        checklist__ticket__contract=filters.contract,
        waived_at__isnull=False,
    )
    return rows.select_related("checklist__ticket__team", "asked_by", "waived_by")


def _left_out_step(rows: Sequence[ChecklistStep], zone: dt.tzinfo) -> list[Row]:
    return [
        Row(
            cursor=(row.waived_at, row.pk),
            ref=row.checklist.ticket.reference,
            path=row.checklist.ticket.path,
            clause="3.2",
            team=row.checklist.ticket.team.name,
            at=row.waived_at,
            cells=(
                row.title,
                row.asked_by.name if row.asked_by else "",
                row.waived_by.name if row.waived_by else "",
                row.waive_reason,
            ),
        )
        for row in rows
        if row.waived_at is not None
    ]


_ALL = gettext_lazy("All")
_OWED = gettext_lazy("Owed")
_DUE = gettext_lazy("Due")
_BY = gettext_lazy("By")
_WHY = gettext_lazy("Why")

LISTS: dict[str, List] = {
    one.code: one
    for one in [
        List(
            "promises", gettext_lazy("Promises"), gettext_lazy("what fell due in the period"), ("6.2",), _DUE,
            (_OWED, gettext_lazy("Met"), gettext_lazy("Reading")),
            {
                "": _ALL, "ended": gettext_lazy("Kept or broken"), "kept": gettext_lazy("Kept in time"),
                "broken": gettext_lazy("Broken"), "running": gettext_lazy("Running"),
                "overdue": gettext_lazy("Overdue now"),
            },
            _promises, _promise,
        ),
        List(
            "breaches", gettext_lazy("Breaches"), gettext_lazy("what was not met when it was due"), ("8.1",), _DUE,
            (_OWED, gettext_lazy("Noticed"), gettext_lazy("Met late"), gettext_lazy("Reading")),
            {
                "": _ALL, "stands": gettext_lazy("Stands"), "open": gettext_lazy("Still not done"),
                "proposed": gettext_lazy("Reading proposed"), "not_owed": gettext_lazy("Not owed"),
                "recorded_late": gettext_lazy("Recorded late"), "unreachable": gettext_lazy("Unreachable"),
            },
            picked(_breaches, "breached_at"), _breach,
        ),
        List(
            "assessments", gettext_lazy("Assessments"),
            gettext_lazy("how breaches are read: proposed by one, decided by another outside the team"), ("8.1",),
            gettext_lazy("Proposed"),
            (_OWED, gettext_lazy("Reading"), _WHY, _BY, gettext_lazy("Decision"), gettext_lazy("Decided by")),
            {
                "": _ALL, "waiting": gettext_lazy("Waiting"), "agreed": gettext_lazy("Agreed"),
                "disagreed": gettext_lazy("Disagreed"),
            },
            picked(_assessments, "proposed_at"), _assessment,
        ),
        List(
            "waivers", gettext_lazy("Waivers"),
            gettext_lazy("promises that a supervisor ended as not owed before they were due"), ("3.1",),
            gettext_lazy("Waived"), (_OWED, _DUE, _BY, _WHY),
            {"": gettext_lazy("Waived by a person"), "never": gettext_lazy("Never owed: staff-opened or imported")},
            picked(_waivers, "voided_at"), _waiver,
        ),
        List(
            "complaints", gettext_lazy("Complaints"),
            gettext_lazy("every complaint that was received in the period, and what became of it"), ("3.2",),
            gettext_lazy("Received"),
            (
                gettext_lazy("Category"), gettext_lazy("State"), gettext_lazy("Steps"), gettext_lazy("Root cause"),
                gettext_lazy("Resolution"), gettext_lazy("Resolved"), gettext_lazy("Customer’s answer"),
            ),
            {
                "": _ALL, "open": gettext_lazy("Open"), "overdue": gettext_lazy("Overdue"),
                "resolved": gettext_lazy("Resolved"), "yes": gettext_lazy("Accepted"),
                "no": gettext_lazy("Not accepted"), "no_answer": gettext_lazy("No answer"),
                "did_not_hold": gettext_lazy("Did not hold"),
            },
            picked(_complaints, "received_at"), _complaint, by_clause=False,
        ),
        List(
            "left-out", gettext_lazy("Steps left out"),
            gettext_lazy("steps of a complaint’s procedure that a supervisor let go"), ("3.2",),
            gettext_lazy("Left out"),
            (gettext_lazy("Step"), gettext_lazy("Asked by"), gettext_lazy("Approved by"), _WHY), {"": _ALL},
            picked(_left_out, "waived_at"), _left_out_step, by_clause=False,
        ),
        List(
            "backdated", gettext_lazy("Back-dated"),
            gettext_lazy("contacts written down more than a quarter of an hour after they happened"), ("4.1",),
            gettext_lazy("Happened"),
            (gettext_lazy("Written down"), _BY, gettext_lazy("Word"), gettext_lazy("Ruled by"), _WHY),
            {
                "": _ALL, "waiting": gettext_lazy("Waiting"), "confirmed": gettext_lazy("Confirmed"),
                "refused": gettext_lazy("Not confirmed"),
            },
            picked(_late_calls, "ended_at"), _late_call, by_clause=False,
        ),
        List(
            "precautionary", gettext_lazy("Precautionary"),
            gettext_lazy("handed up because nobody had decided whether they are complex; never counted as decided"),
            ("3.3",), gettext_lazy("Handed up"),
            (_WHY, gettext_lazy("Accepted by"), gettext_lazy("Outcome"), gettext_lazy("Ended")),
            {"": _ALL, "open": gettext_lazy("Open"), "ended": gettext_lazy("Ended")},
            picked(_precautions, "raised_at"), _precaution, by_clause=False,
        ),
        List(
            "no-reply", gettext_lazy("No reply needed"),
            gettext_lazy("follow-ups of which a person ruled that they ask for nothing"), ("3.1",),
            gettext_lazy("Ruled"), (_OWED, _DUE, _BY, _WHY), {"": _ALL},
            picked(_no_replies, "met_at"), _no_reply, by_clause=False,
        ),
    ]
}  # fmt: skip
