"""The contract board: how every clause stands, for a period and at this moment (clause 6.2, DESIGN 4 "Truth").

For a period a clause is *broken* if any breach of it fell due then, met late or not; a missed target of the company's
own puts it *at risk*. At this moment it is *broken* while anything under it is overdue, *at risk* if a clock runs out
within the hour, or a target is overdue, or a control says so. What nothing measures is *not measured*.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter

from django.utils.translation import gettext as _

from audits import controls, figures, periods
from audits.controls import Finding, Standing, worst
from audits.figures import Answers, Figure, Live
from audits.periods import Period
from csp import access, agreement, offices
from csp.contract import CLAUSES, Clause, Obligation, obligations_of
from csp.models import Contract, User, Version
from csp.roles import Office

NOTHING = Live()


@dataclasses.dataclass(frozen=True, slots=True)
class Owed:
    """One obligation under a clause, as it fell due in the period and as it stands."""

    rule: Obligation
    figure: Figure
    live: Live


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One clause on the board. Clause 3.1 has two: in time, and accurate (`part`)."""

    clause: Clause
    owed: tuple[Owed, ...]
    finding: Finding | None
    part: str = ""

    @property
    def key(self) -> str:
        return f"{self.clause.number}-{self.part}" if self.part else self.clause.number

    @property
    def figure(self) -> Figure:
        """What the contract itself asks under this clause; the company's own targets where it asks nothing timed."""
        duties = [one for one in self.owed if not one.rule.policy] or self.owed
        return sum((one.figure for one in duties), Figure())

    @property
    def in_period(self) -> Standing:
        if any(one.figure.broken and not one.rule.policy for one in self.owed):
            return Standing.BROKEN
        if any(one.figure.broken for one in self.owed):
            return Standing.AT_RISK
        return Standing.KEPT if any(one.figure.owed for one in self.owed) else Standing.NONE

    @property
    def now(self) -> Standing:
        clocks = [_standing(one) for one in self.owed if one.rule.enforced or one.live.due_at]
        return worst(*clocks, *([self.finding.standing] if self.finding else []))

    @property
    def has_clocks(self) -> bool:
        """Whether the product starts any clock under the clause, or did."""
        return any(one.rule.enforced or one.live.due_at or one.figure.owed for one in self.owed)

    @property
    def next(self) -> Owed | None:
        """What runs under the clause and is due first, be it long overdue."""
        running = [(one.live.due_at, place) for place, one in enumerate(self.owed) if one.live.due_at is not None]
        return self.owed[min(running)[1]] if running else None

    @property
    def says(self) -> str:
        """What the control found, or why there is nothing to find."""
        if self.finding is not None:
            return self.finding.says
        return "" if self.has_clocks else _("The product does not start these clocks yet.")


def _standing(one: Owed) -> Standing:
    if one.live.overdue:
        return Standing.AT_RISK if one.rule.policy else Standing.BROKEN
    return Standing.AT_RISK if one.live.soon else Standing.KEPT


@dataclasses.dataclass(frozen=True, slots=True)
class Board:
    """The whole of it, for one contract, period and moment."""

    contract: Contract
    version: Version
    period: Period
    lines: list[Line]
    vacant: list[Office]
    answers: Answers
    weeks: dict[dt.date, Counter[str]]
    kept: dict[str, dict[dt.date, Figure]]  # by clause, of the same weeks

    @property
    def counts(self) -> Counter[Standing]:
        return Counter(line.now for line in self.lines)

    @property
    def figure(self) -> Figure:
        """Everything that the contract asked in the period, the company's own targets apart."""
        duties = (one.figure for line in self.lines for one in line.owed if not one.rule.policy)
        return sum(duties, Figure())

    @property
    def is_red(self) -> bool:
        """An empty office turns the board red: then reports reach nobody, and nothing here can be relied on."""
        return bool(self.vacant) or self.counts[Standing.BROKEN] > 0


def lines(
    fell_due: dict[str, Figure], live: dict[str, Live], found: dict[str, Finding]
) -> list[Line]:  # fmt: skip
    """A line for each of the 26 clauses, in their order; two for 3.1."""
    drawn = []
    for number, clause in CLAUSES.items():
        owed = tuple(
            Owed(rule, fell_due.get(rule.code, Figure()), live.get(rule.code, NOTHING))
            for rule in obligations_of(number)
        )
        drawn.append(Line(clause, owed, found.get(number)))
        if number == "3.1":
            drawn.append(Line(clause, (), found.get(controls.ACCURATE), part="accurate"))
    return drawn


def draw(contract: Contract, period: Period, at: dt.datetime) -> Board:
    """The board, in a number of statements that does not depend on how much there is."""
    version = agreement.in_force(contract, at)
    found, seen = controls.look(contract, version, period, at)
    fell_due = figures.fell_due(contract, period)
    weeks = periods.weeks_until(period, contract.zoneinfo)
    return Board(
        contract=contract,
        version=version,
        period=period,
        lines=lines(fell_due, figures.live(contract, at), found),
        vacant=seen.vacant,
        answers=figures.answers(contract, period, fell_due.get("respond", Figure()).broken),
        weeks=figures.breaches_by_week(contract, weeks),
        kept=figures.kept_by_week(contract, weeks),
    )


def standing(contract: Contract, version: Version, at: dt.datetime) -> list[Line]:
    """How each clause stands at this moment, without any figure of a period."""
    found, _seen = controls.look(contract, version, periods.this_month(at, contract.zoneinfo), at)
    return lines({}, figures.live(contract, at), found)


# ---------------------------------------------------------------- who may see


def contracts_of(user: User) -> list[Contract]:
    """The contracts whose board somebody sees: those that one works under, and those that one holds an office in."""
    mine = {contract.pk: contract for contract in access.contracts_of(user)}
    others = {contract for contract, _office in offices.held_by(user)} - set(mine)
    if others:
        mine |= {contract.pk: contract for contract in Contract.objects.filter(pk__in=others)}
    return [mine[number] for number in sorted(mine)]
