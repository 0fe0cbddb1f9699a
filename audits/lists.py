"""The lists of assurance: what lies behind the figures of the board, and every exception that a person made.

One frame for all: a contract, a period by which the rows are chosen, filters, the newest first, page by page by keyset.
A supervisor sees the rows of own teams; an auditor and the offices of clause 8.1 see those of the contract. What is
kept in confidence is counted and shown, but does not say what it is about.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audits.models import NonCompliance
from audits.periods import Period
from csp import access, offices
from csp.contract import OBLIGATIONS, obligations_of
from csp.events import Act
from csp.models import Assessment, Breach, Contract, Deadline, TrailEntry, User
from csp.roles import Permission, Role
from tickets.handling import NEVER_OWED, NO_REPLY
from tickets.models import Call, Ticket

PAGE = 50
EXPORTED_AT_ONCE = 500
Verdict = Assessment.Verdict
Cursor = tuple[dt.datetime, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; all of it lives in the address. `teams` is None where all are open to the reader."""

    contract: Contract
    period: Period
    teams: frozenset[int] | None = None
    clause: str = ""
    obligation: str = ""
    team: int | None = None
    state: str = ""

    @property
    def codes(self) -> list[str]:
        if self.obligation:
            return [self.obligation]
        return [rule.code for rule in obligations_of(self.clause)] if self.clause else list(OBLIGATIONS)

    def of_team(self, field: str) -> Q:
        wanted = Q() if self.teams is None else Q(**{f"{field}__in": self.teams})
        return wanted & Q(**{field: self.team}) if self.team is not None else wanted

    def in_period(self, field: str) -> Q:
        return Q(**{f"{field}__gte": self.period.since, f"{field}__lt": self.period.until})


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One row of any list. `cells` stand under the list's own headings; `clock` is a deadline to draw, if any."""

    cursor: Cursor
    ref: str
    path: str
    clause: str
    team: str
    at: dt.datetime
    cells: tuple[str, ...]
    clock: Deadline | None = None
    url: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class List:
    """One list: how it is called, which states it can be narrowed to, where its rows come from and how one reads."""

    code: str
    title: Any
    about: Any
    serves: tuple[str, ...]
    moment: Any  # the heading of the moment by which rows are chosen and ordered
    headings: tuple[Any, ...]
    states: dict[str, Any]
    pick: Callable[[Filters, Cursor | None, int], Sequence[Any]]
    read: Callable[[Sequence[Any], dt.tzinfo], list[Row]]
    by_clause: bool = True


def said(moment: dt.datetime | None, zone: dt.tzinfo) -> str:
    return dateformat.format(moment.astimezone(zone), "Y-m-d H:i") if moment is not None else ""


def page(one: List, filters: Filters, after: Cursor | None, zone: dt.tzinfo) -> tuple[list[Row], Cursor | None]:
    """A page of a list, and the cursor of the next one if there is more."""
    found = list(one.pick(filters, after, PAGE + 1))
    rows = one.read(found[:PAGE], zone)
    return rows, rows[-1].cursor if len(found) > PAGE else None


def everything(one: List, filters: Filters, zone: dt.tzinfo) -> Iterator[Row]:
    """Every row of a list, some hundreds at a time, however many there are."""
    after: Cursor | None = None
    while True:
        found = list(one.pick(filters, after, EXPORTED_AT_ONCE))
        rows = one.read(found, zone)
        yield from rows
        if len(found) < EXPORTED_AT_ONCE:
            return
        after = rows[-1].cursor


def _top(rows: QuerySet[Any], moment: str, after: Cursor | None, count: int) -> QuerySet[Any]:
    """The newest `count` of these, older than the cursor."""
    if after is not None:
        at, pk = after
        rows = rows.filter(Q(**{f"{moment}__lt": at}) | Q(**{moment: at, "pk__lt": pk}), **{f"{moment}__lte": at})
    return rows.order_by(f"-{moment}", "-pk")[:count]


def _picked(rows: Callable[[Filters], QuerySet[Any]], moment: str) -> Callable[..., Sequence[Any]]:
    def pick(filters: Filters, after: Cursor | None, count: int) -> Sequence[Any]:
        return list(_top(rows(filters).filter(filters.in_period(moment)), moment, after, count))

    return pick


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
    each = [_top(rows.filter(obligation=code), "due_at", after, count).values("pk", "due_at") for code in filters.codes]
    newest = each[0].union(*each[1:], all=True).order_by("-due_at", "-pk")[:count] if each else []
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
    "": ~Q(void_reason__in=NEVER_OWED.values()),
    "never": Q(void_reason__in=NEVER_OWED.values()),
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
            row.voided_by.name if row.voided_by else _("the product"), row.void_reason,
        )
        for row in rows
        if row.voided_at is not None
    ]  # fmt: skip


def _no_replies(filters: Filters) -> QuerySet[Any]:
    rows = Deadline.objects.filter(filters.of_team("team"), contract=filters.contract, met_how=NO_REPLY)
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
            _picked(_breaches, "breached_at"), _breach,
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
            _picked(_assessments, "proposed_at"), _assessment,
        ),
        List(
            "waivers", gettext_lazy("Waivers"),
            gettext_lazy("promises that a supervisor ended as not owed before they were due"), ("3.1",),
            gettext_lazy("Waived"), (_OWED, _DUE, _BY, _WHY),
            {"": gettext_lazy("Waived by a person"), "never": gettext_lazy("Never owed: staff-opened or imported")},
            _picked(_waivers, "voided_at"), _waiver,
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
            _picked(_late_calls, "ended_at"), _late_call, by_clause=False,
        ),
        List(
            "no-reply", gettext_lazy("No reply needed"),
            gettext_lazy("follow-ups of which a person ruled that they ask for nothing"), ("3.1",),
            gettext_lazy("Ruled"), (_OWED, _DUE, _BY, _WHY), {"": _ALL},
            _picked(_no_replies, "met_at"), _no_reply, by_clause=False,
        ),
    ]
}  # fmt: skip


# ---------------------------------------------------------------- who sees which rows


def teams_open_to(user: User, contract: Contract) -> frozenset[int] | None:
    """The teams whose rows this person sees; None for all of the contract's."""
    if contract.pk in access.scope_of(user).contracts(Role.AUDITOR):
        return None
    if contract.pk in offices.contracts_of(user, *NonCompliance.TOLD):
        return None
    return access.scope_of(user).teams(Role.SUPERVISOR)


def may_see(user: User, contract: Contract) -> bool:
    """Whether this person opens what lies behind the figures: supervisors, auditors, the offices of clause 8.1."""
    return access.may(user, Permission.SEE_EVIDENCE, contract_id=contract.pk) or (
        contract.pk in offices.contracts_of(user, *NonCompliance.TOLD)
    )


def open_paths(user: User, rows: Sequence[Row]) -> frozenset[str]:
    """Which of the rows' matters this person may open: tickets and cases as ever."""
    numbers = {
        kind: [int(number) for row in rows for number in [row.path.removeprefix(kind).strip("/")] if number.isdecimal()]
        for kind in ("/tickets/", "/noncompliance/")
    }
    seen: set[str] = set()
    pairs: list[tuple[str, QuerySet[Any]]] = [
        ("/tickets/", Ticket.objects.visible_to(user)), ("/noncompliance/", NonCompliance.objects.visible_to(user))
    ]  # fmt: skip
    for kind, visible in pairs:
        if numbers[kind]:
            seen |= {f"{kind}{pk}/" for pk in visible.filter(pk__in=numbers[kind]).values_list("pk", flat=True)}
    return frozenset(seen)
