"""The monthly statement of every figure (clause 6.2): owed at a month's end, frozen, signed, counted again by anyone.

What is frozen is what was known at the instant of signing. `again` counts the month anew as known at that instant, so
that late answers, reopenings and rulings that came afterwards change nothing; where a digit differs all the same,
something on record was changed. A correction is a new version that says why. Persons stand in none: the statement goes
to both parties, and a person's figures are for reviews (clause 7.3).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audits import figures, metrics, periods
from audits.metrics import Measures, Scope, Scores
from audits.models import Statement, StatementVersion
from audits.periods import Period
from csp import access, agreement, batches, deadlines, notices, trail
from csp.access import Refused
from csp.contract import OBLIGATIONS
from csp.events import Act
from csp.models import Contract, Notice, Team, User
from csp.roles import Permission, Role
from tickets.models import Category

FORMAT = 1
DIMENSIONS = ("team", "channel", "category")


# ---------------------------------------------------------------- the loop: every month that lacks its statement


def make_due(at: dt.datetime, *, limit: int = 200) -> int:
    """Let each month of a contract in force that is over and has no statement owe one. Returns how many.

    The first one is of a month whose statement can still be in time; from then on none is left out.
    """
    contracts = Contract.objects.filter(versions__in_force_from__lte=at).order_by("pk").distinct()
    numbers = list(contracts.values_list("pk", flat=True))
    return batches.each(numbers, functools.partial(_make_one, at=at), limit=limit)


@transaction.atomic(durable=True)
def _make_one(number: int, *, at: dt.datetime) -> int:
    contract = Contract.objects.select_for_update(no_key=True).get(pk=number)
    zone = contract.zoneinfo
    last = Statement.objects.filter(contract=contract).order_by("-month").first()
    over = periods.before(periods.this_month(at, zone), zone)
    period = periods.after(periods.read(last.code, at, zone), zone) if last is not None else over
    first = contract.versions.filter(in_force_from__isnull=False).order_by("in_force_from").first()
    team = contract.teams.order_by("-is_active", "pk").first()
    if team is None or first is None or period.until > at:
        return 0
    assert first.in_force_from is not None
    version = agreement.in_force(contract, period.until)
    due_at = agreement.due_at(version, "statement", period.until)
    if last is None and (first.in_force_from >= period.until or due_at < at):
        return 0
    with connection.cursor() as cursor:  # its deadline names it and is stored first
        cursor.execute("select nextval(pg_get_serial_sequence('audits_statement', 'id'))")
        row = Statement(pk=int(cursor.fetchone()[0]), contract=contract, month=_month(period, contract))
    subject = deadlines.Subject(
        ref=row.reference, path=row.path, contract=contract, team=team, context=row.trail_subject
    )
    draft = deadlines.draft("statement", subject, version, starts_at=period.until, due_at=due_at)
    [row.deadline] = deadlines.start([draft], at=at)
    row.save(force_insert=True)
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.CASE,
            key=f"statement:{row.pk}",
            to=access.people_with(Role.SUPERVISOR, at=at, teams=contract.teams.values_list("pk", flat=True)),
            subject_ref=row.reference,
            path=row.path,
            deadline=row.deadline,
            facts={"says": "statement.owed", "month": row.code},
        ),
        at=at,
    )
    trail.record(
        Act.STATEMENT_OWED, row.trail_subject, by="statements", at=at,
        facts={"month": row.code, "deadline": row.deadline_id}, evidence=[row],
    )  # fmt: skip
    return 1


def _month(period: Period, contract: Contract) -> dt.date:
    return period.since.astimezone(contract.zoneinfo).date()


# ---------------------------------------------------------------- what it says


_BY_OBLIGATION = """
select d.obligation, count(*) filter (where d.state = 'met' and b.id is null and not came_back.yes), count(b.id),
  count(*) filter (where a.verdict = 'not_owed'), count(*) filter (where a.verdict = 'recorded_late'),
  count(*) filter (where a.verdict = 'unreachable')
from csp_deadline d
left join csp_breach b on b.deadline_id = d.id and b.detected_at <= %(as_of)s
left join csp_assessment a on a.breach_id = b.id and a.agreed and a.decided_at <= %(as_of)s
cross join lateral (select exists (select from csp_deadline again join csp_trailentry e
    on e.subject = 'deadline:' || again.id and e.act = 'deadline.reopened' and e.at <= %(as_of)s
  where again.reopens_id = d.id)) came_back(yes)
where d.contract_id = %(contract)s and d.obligation = any(%(codes)s) and d.due_at >= %(since)s
  and d.due_at < %(until)s and d.voided_at is null
  and (d.reopens_id is null or exists (select from csp_trailentry e where e.subject = 'deadline:' || d.id
    and e.act = 'deadline.reopened' and e.at <= %(as_of)s))
group by d.obligation"""


def promises(scope: Scope) -> dict[str, Any]:
    """What fell due under each obligation: kept and broken, raw, and what the agreed readings of breaches are."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_OBLIGATION, scope.values | {"codes": list(OBLIGATIONS)})
        return {
            code: {
                "clause": OBLIGATIONS[code].clause, "kept": kept, "broken": broken, "not_owed": not_owed,
                "recorded_late": late, "unreachable": unreachable,
            }
            for code, kept, broken, not_owed, late, unreachable in cursor.fetchall() if kept or broken
        }  # fmt: skip


def _plain(one: Measures) -> dict[str, Any]:
    found = dataclasses.asdict(one)
    for name in metrics.PROMISES:  # what runs on is of no month that is over; what is proposed is no reading yet
        for transient in ("running", "proposed"):
            del found[name]["figure"][transient]
    return found


def figures_of(scope: Scope) -> dict[str, Any]:
    """Every figure of the month as plain whole numbers; lengths in seconds."""
    found = metrics.compute(scope, DIMENSIONS)
    scores = metrics.feedback(scope)
    return {
        "promises": promises(scope),
        "all": _plain(found[""][None]),
        **{f"by_{name}": {str(key): _plain(one) for key, one in found[name].items()} for name in DIMENSIONS},
        "feedback": {str(team): list(one.counts) for team, one in scores.items()},
    }


def _scope(statement: Statement, as_of: dt.datetime) -> Scope:
    period = periods.read(statement.code, as_of, statement.contract.zoneinfo)
    return Scope(statement.contract, period, as_of, dated=True)


def names(contract: Contract) -> dict[str, dict[str, str]]:
    """How teams and categories are called now; a document keeps them as they were."""
    teams = Team.objects.filter(contract=contract).values_list("pk", "name")
    categories = Category.objects.filter(contract=contract).values_list("pk", "name")
    return {
        "team": {str(pk): name for pk, name in teams},
        "category": {str(pk): name for pk, name in categories},
    }


def names_in(version: StatementVersion) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(version.document)["names"]
    return found


def compose(statement: Statement, as_of: dt.datetime) -> dict[str, Any]:
    """The whole document as known at that instant."""
    scope, contract = _scope(statement, as_of), statement.contract
    return {
        "format": FORMAT,
        "statement": statement.pk,
        "contract": contract.pk,
        "month": statement.code,
        "zone": contract.zone,
        "since": scope.period.since,
        "until": scope.period.until,
        "as_of": as_of,
        "names": names(contract),
        "figures": figures_of(scope),
    }


# ---------------------------------------------------------------- freezing and signing


def check_can_sign(statement: Statement, by: User, at: dt.datetime) -> None:
    """A supervisor under the contract, once the month is over."""
    access.check(by, Permission.SIGN_STATEMENTS, contract_id=statement.contract_id, at=at)
    if at < statement.deadline.starts_at:
        raise Refused(_("The month is not over yet."))


@transaction.atomic
def sign(
    statement: Statement, *, by: User, at: dt.datetime, comment: str = "", reason: str = "", last: int = 0
) -> StatementVersion:
    """Freeze every figure as known now, and sign it. Raises Refused.

    `last` is the number of the version that was on screen, 0 for none. A further version is a correction and says why.
    """
    rows = Statement.objects.select_for_update(of=("self",), no_key=True).select_related("contract", "deadline")
    row = rows.get(pk=statement.pk)
    check_can_sign(row, by, at)
    before = row.versions.order_by("-number").first()
    if (before.number if before else 0) != last:
        raise Refused(_("Somebody has just signed this statement. Look at it again."))
    if before is not None and not reason.strip():
        raise Refused(_("Say why it is corrected; the reason stands in the evidence."))
    document = trail.canonical(compose(row, at))
    version = StatementVersion.objects.create(
        statement=row, number=last + 1, signed_at=at, signed_by=by, document=document, digest=digest(document),
        comment=comment.strip(), reason=reason.strip() if before else "",
    )  # fmt: skip
    deadlines.meet([row.deadline], at=at, by=by, how="signed")
    trail.record(
        Act.STATEMENT_SIGNED, row.trail_subject, by=by, at=at,
        facts={"month": row.code, "number": version.number, "sha256": version.digest},
        personal={"comment": version.comment, "reason": version.reason}, evidence=[version],
    )  # fmt: skip
    return version


def digest(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()


# ---------------------------------------------------------------- counting it again


@dataclasses.dataclass(frozen=True, slots=True)
class Again:
    """What counting a frozen month anew gave, and where that differs from what was signed."""

    figures: dict[str, Any]
    differs: list[str]  # "all.received: signed 12, now 13"
    is_intact: bool  # the document still has its digest

    @property
    def is_equal(self) -> bool:
        return self.is_intact and not self.differs


def again(version: StatementVersion) -> Again:
    """Count the month as it was known when this was signed."""
    counted = json.loads(trail.canonical(figures_of(_scope(version.statement, version.signed_at))))
    signed = json.loads(version.document)["figures"]
    return Again(counted, list(_differences(signed, counted)), digest(version.document) == version.digest)


def _differences(signed: Any, counted: Any, path: str = "") -> Iterator[str]:
    if isinstance(signed, dict) and isinstance(counted, dict):
        for name in sorted(signed.keys() | counted.keys()):
            yield from _differences(signed.get(name), counted.get(name), f"{path}.{name}" if path else name)
    elif signed != counted:
        yield f"{path}: signed {json.dumps(signed)}, now {json.dumps(counted)}"


def read(version: StatementVersion) -> tuple[Measures, dict[str, dict[str, Measures]], Scores, dict[str, Any]]:
    """A frozen document as figures: of all, of each part by dimension, of the surveys, and under each obligation."""
    found = json.loads(version.document)["figures"]
    scores = sum((Scores(tuple(counts)) for counts in found["feedback"].values()), Scores())
    parts = {name: {key: _measures(one) for key, one in found[f"by_{name}"].items()} for name in DIMENSIONS}
    return _measures(found["all"]), parts, scores, found["promises"]


def _measures(plain: dict[str, Any]) -> Measures:
    def times(one: dict[str, Any]) -> metrics.Times:
        return metrics.Times(one["count"], one["half"], one["most"], tuple(one["parts"]))

    rest: dict[str, Any] = {name: value for name, value in plain.items() if name not in metrics.PARTS}
    rest |= {
        name: metrics.Promise(
            figures.Figure(**plain[name]["figure"]), times(plain[name]["raw"]), times(plain[name]["assessed"])
        )
        for name in metrics.PROMISES
    }
    return Measures(**rest, finished=times(plain["finished"]))
