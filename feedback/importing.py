"""Feedback out of a file (clause 7.1): comma-separated values, each line one remark, wrong lines named and none lost.

The first line names the columns: `received` (date and time), `score` (1 to 5), `words`, `source`, `team`, `name`,
`address`. `received` and one of `score` and `words` are needed. Bringing the same file in again records nothing twice.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from csp import access, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Team, User
from csp.roles import Permission
from feedback import log
from feedback.models import Remark

COLUMNS = ("received", "score", "words", "source", "team", "name", "address")
MOST = 5_000
SOURCES = {Remark.Source.PHONE, Remark.Source.PAPER, Remark.Source.REVIEW, Remark.Source.IMPORT}


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One good line."""

    line: int
    received_at: dt.datetime
    score: int | None
    words: str
    source: Remark.Source
    team: Team
    name: str
    address: str


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one line, and how to mend it."""

    line: int
    text: str


def read(content: bytes, teams: Iterable[Team], *, zone: dt.tzinfo, at: dt.datetime) -> tuple[list[Row], list[Problem]]:
    """The good lines of a file, and what is wrong with the others. Raises Refused where it is no such file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Refused(
            _("The file is not UTF-8: look at line %(line)d. Save it as “CSV UTF-8”.") % {"line": line}
        ) from None
    if "\x00" in text:
        raise Refused(_("This is not a text file."))
    sample = text[:4000]
    delimiter = ";" if sample.partition("\n")[0].count(";") > sample.partition("\n")[0].count(",") else ","
    lines = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        head = [name.strip().lower() for name in next(lines, [])]
        unknown = [name for name in head if name and name not in COLUMNS]
        if "received" not in head or unknown:
            raise Refused(
                _("The first line names the columns, of these: %(columns)s. “received” is needed.")
                % {"columns": ", ".join(COLUMNS)}
            )
        known = {team.name.strip().lower(): team for team in teams}
        good: list[Row] = []
        bad: list[Problem] = []
        for values in lines:
            if not any(value.strip() for value in values):
                continue
            if len(good) + len(bad) >= MOST:
                raise Refused(_("A file has %(most)d lines at most. Cut it in pieces.") % {"most": MOST})
            cells = dict(zip(head, (value.strip() for value in values), strict=False))
            try:
                good.append(_row(lines.line_num, cells, known, zone=zone, at=at))
            except Refused as refusal:
                bad.append(Problem(lines.line_num, str(refusal)))
    except csv.Error as error:
        raise Refused(
            _("Line %(line)d cannot be read: %(error)s.") % {"line": lines.line_num, "error": error}
        ) from None
    return good, bad


def _row(line: int, cells: dict[str, str], teams: dict[str, Team], *, zone: dt.tzinfo, at: dt.datetime) -> Row:
    received = cells.get("received", "")
    try:
        moment = parse_datetime(received)
        day = None if moment else parse_date(received)
    except ValueError:
        moment = day = None
    if moment is None and day is not None:
        moment = dt.datetime.combine(day, dt.time(12), zone)
    if moment is None:
        raise Refused(_("“received” is no date. Write it as 2026-11-23 or 2026-11-23 10:05."))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if moment > at:
        raise Refused(_("“received” lies in the future."))
    score = cells.get("score", "")
    if score and score not in {"1", "2", "3", "4", "5"}:
        raise Refused(_("“score” is a number from 1 to 5, or empty."))
    if not score and not cells.get("words"):
        raise Refused(_("There is neither a score nor a word."))
    source = cells.get("source", "").lower() or Remark.Source.IMPORT
    if source not in SOURCES:
        raise Refused(_("“source” is one of %(known)s, or empty.") % {"known": ", ".join(sorted(SOURCES))})
    team = teams.get(cells.get("team", "").lower()) if cells.get("team") else next(iter(teams.values()), None)
    if team is None:
        raise Refused(_("There is no team of this name: %(name)s.") % {"name": cells.get("team", "")})
    return Row(
        line, moment, int(score) if score else None, cells.get("words", ""), Remark.Source(source), team,
        cells.get("name", "")[:200], cells.get("address", "")[:320],
    )  # fmt: skip


@transaction.atomic
def bring_in(rows: Sequence[Row], contract: Contract, *, by: User, at: dt.datetime) -> int:
    """Record all of these, or none. Returns how many were new. Raises Refused."""
    access.check(by, Permission.IMPORT_FEEDBACK, contract_id=contract.pk, at=at)
    new = 0
    for row in rows:
        parts = (row.received_at.isoformat(), row.score, row.words, row.team.pk, row.name, row.address)
        _remark, is_new = log.record(
            team=row.team,
            source=row.source,
            received_at=row.received_at,
            at=at,
            score=row.score,
            words=row.words,
            who=log.Who(name=row.name, address=row.address),
            once=log.digest("import", contract.pk, *parts),
            by=by,
        )
        new += is_new
    facts = {"lines": len(rows), "new": new}
    trail.record(Act.FEEDBACK_IMPORTED, f"feedback-import:{contract.pk}", by=by, at=at, facts=facts)
    return new
