"""What was audited: one audit that is finished, with its finding answered and closed, and one that is being scored."""

from __future__ import annotations

import contextlib
import datetime as dt

from django.db import transaction

from audits import audit_findings, programme, scoring
from audits.models import Audit, AuditFinding, Draw, NonCompliance
from csp import access, trail
from csp.access import Refused
from csp.contract import CLAUSES
from csp.demo.company import PEOPLE, Company
from csp.demo.correcting import correct
from csp.models import User
from tickets.models import Ticket

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
ASKED = ("3.1", "3.2", "3.3", "4.1", "6.1", "5.1")
Severity = AuditFinding.Severity

# clause -> what the auditor saw, by the rank of the draw
SEEN = {
    2: {"4.1": "The second call left no trace: neither transcript nor summary."},
    5: {"3.1": "The answer names the spare part of another model; the customer wrote again for the right one."},
    7: {"5.1": "Two sentences of the answer are about the shop's rules and none about the customer's trouble."},
}
KIND = "Says what happens next and by when."


def audit(firm: Company, anchor: dt.datetime) -> None:
    """Make both, in one transaction; found again later."""
    if Audit.objects.exists() or not Ticket.objects.filter(state=Ticket.State.CLOSED).exists():
        return
    whole = transaction.atomic()
    whole._from_testcase = True  # type: ignore[attr-defined]  # as csp.demo.past.tell says
    with whole, trail.source("demonstration"):
        people = User.objects.in_bulk([person.email for person in PEOPLE], field_name="email")
        _finished(firm, people, anchor)
        _running(firm, people, anchor)


def _as_of(user: User, at: dt.datetime) -> User:
    """Somebody on that day: what they may do is read for it."""
    user.held_cache = None
    access.scope_of(user, at)
    return user


def _begun(
    firm: Company, people: dict[str, User], *, title: str, since: dt.datetime, until: dt.datetime, size: int,
    at: dt.datetime,
) -> Audit:  # fmt: skip
    """Planned by the auditor, let in by the administrator two days later, with the analyst as second scorer."""
    tomas, fiona, ada = (people[f"{name}@lakeside.example"] for name in ("tomas", "fiona", "ada"))
    row = programme.plan(
        firm.contract, title=title, clauses=[number for number in CLAUSES if number in ASKED],
        teams=list(firm.teams.values()), since=since, until=until, sample_size=size, strata=Audit.Strata.TEAM,
        twice_percent=25, auditor=tomas, second=fiona, begins_at=at, ends_at=at + 30 * DAY, by=_as_of(tomas, at), at=at,
    )  # fmt: skip
    programme.request_access(row, by=tomas, at=at + HOUR)
    programme.give_access(row, until=at + 30 * DAY, by=_as_of(ada, at), at=at + 2 * DAY)
    return row


def _card(row: Audit, draw: Draw, *, well: bool = False) -> dict[int, scoring.Said]:
    seen = {} if well else SEEN.get(draw.rank, {})
    ticket = Ticket.objects.get(pk=draw.number)
    contact = ticket.interactions.order_by("-pk").values_list("pk", flat=True).first()
    said = {}
    for one in programme.criteria_of(row):
        if one.clause in seen:
            said[one.pk] = scoring.Said("no", seen[one.clause], contact)
        elif (one.clause == "3.2" and ticket.kind != Ticket.Kind.COMPLAINT) or (
            one.clause == "3.3" and ticket.escalate_id is None
        ):
            said[one.pk] = scoring.Said("na")
        else:
            said[one.pk] = scoring.Said("yes", KIND if one.clause == "3.1" else "", contact)
    return said


def _sign(row: Audit, draw: Draw, by: User, at: dt.datetime, *, well: bool = False) -> None:
    draw = Draw.objects.select_related("audit").get(pk=draw.pk)
    try:
        scoring.sign(draw, _card(row, draw, well=well), by=_as_of(by, at), at=at)
    except Refused as refusal:
        if by == row.auditor:
            programme.excuse(draw, reason=str(refusal), by=by, at=at)


def _finished(firm: Company, people: dict[str, User], anchor: dt.datetime) -> None:
    at = anchor - 34 * DAY
    row = _begun(
        firm, people, title="Quality audit, first weeks", since=anchor - 90 * DAY, until=at - DAY, size=9, at=at
    )
    if not programme.members_of(row):
        programme.withdraw(row, reason="Nothing was closed in that time.", by=row.auditor, at=at + 2 * DAY)
        return
    tomas, fiona = people["tomas@lakeside.example"], people["fiona@lakeside.example"]
    draws = programme.draw(row, by=_as_of(tomas, at + 3 * DAY), at=at + 3 * DAY, seed="20261101")
    with contextlib.suppress(Refused):  # where everything in the group has been drawn
        programme.redraw(
            draws[-1], reason="The mail is in a language that neither of us reads.", by=tomas, at=at + 3 * DAY + HOUR
        )
    for number, draw in enumerate(row.draws.filter(excused_at__isnull=True).order_by("rank")):
        when = at + 4 * DAY + number * 2 * HOUR
        _sign(row, draw, tomas, when)
        if draw.is_twice and not Draw.objects.get(pk=draw.pk).is_excused:
            _sign(row, draw, fiona, when + HOUR, well=number == 1)
    for draw in programme.unfinished(row):
        programme.excuse(draw, reason="The second scorer had worked on it.", by=_as_of(tomas, at), at=at + 6 * DAY)
    for number, case in enumerate(NonCompliance.objects.filter(reported_by=tomas)):
        team = next(key for key, one in firm.teams.items() if one.pk == case.team_id)
        judge = next(one for key, one in firm.supervisors.items() if key != team)
        correct(
            case, lead=_as_of(firm.supervisors[team], anchor), owner=firm.representatives[team][0],
            judge=_as_of(judge, anchor), until=anchor, number=number,
        )  # fmt: skip
    found = at + 6 * DAY
    finding = audit_findings.record(
        row, team=firm.teams["orders"], clause="4.1", severity=Severity.MAJOR, draw=row.draws.filter(rank=2).first(),
        text="Second calls leave no trace in the record. What was promised in them cannot be shown.",
        by=_as_of(tomas, found), at=found,
    )  # fmt: skip
    audit_findings.answer(
        finding, accepted=True, text="Right. Every call is logged at once now; shift leads look at it daily.",
        by=_as_of(firm.supervisors["orders"], found), at=found + 3 * DAY,
    )  # fmt: skip
    audit_findings.close(
        finding,
        note="Ten calls of the last week looked at: all on record.",
        by=_as_of(tomas, found),
        at=found + 9 * DAY,
    )
    programme.close(
        row, conclusion="Customers were served well and told what happens next. Calls have to be logged better.",
        by=_as_of(tomas, found), at=found + DAY,
    )  # fmt: skip


def _running(firm: Company, people: dict[str, User], anchor: dt.datetime) -> None:
    at = anchor - 5 * DAY
    row = _begun(firm, people, title="Quality audit, this quarter", since=anchor - 35 * DAY, until=at, size=12, at=at)
    if not programme.members_of(row):
        return
    tomas = people["tomas@lakeside.example"]
    when = anchor - 2 * DAY
    draws = programme.draw(row, by=_as_of(tomas, when), at=when, seed="20261115")
    for number, draw in enumerate(draws[:4]):
        _sign(row, draw, tomas, when + (1 + number) * HOUR, well=draw.rank == 5)
    if len(draws) > 4:
        draw = Draw.objects.select_related("audit").get(pk=draws[4].pk)
        begun = dict(list(_card(row, draw, well=True).items())[:3])
        scoring.keep_draft(draw, begun, by=_as_of(tomas, when), at=when + 6 * HOUR)
    audit_findings.record(
        row, team=firm.teams["repairs"], clause="3.2", severity=Severity.MINOR, draw=draws[0],
        text="The serial number is asked for after the appointment is made, against the order of the procedure.",
        by=_as_of(tomas, when), at=when + 8 * HOUR,
    )  # fmt: skip
