"""Clause 6.2: the figures of the contract are exact, raw and assessed, and anybody can recompute them.

A figure is about what fell due in a period, in the contract's zone, whenever it was met. For a period a clause is
broken if any breach of it fell due then, met late or not; at this moment it is broken while anything is overdue.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from audits import board, controls, figures, listing, lists, periods
from audits.board import Board, Line
from audits.controls import Standing
from audits.figures import Figure
from audits.periods import Period
from csp import assessing, deadlines
from csp.contract import CLAUSES, OBLIGATIONS, obligations_of
from csp.models import Assessment, Attempt, Breach, User
from csp.roles import Office
from tests import factories as make
from tests.cast import Cast
from tests.contract.test_8_1_noncompliance import appoint, officers
from tests.factories import AT, DAY, HOUR, SECOND
from tickets import handling

__all__ = ["officers"]
Verdict = Assessment.Verdict
MARCH = "2025-03"


def month(cast: Cast, code: str = MARCH, at: dt.datetime = AT) -> Period:
    return periods.read(code, at, cast.contract.zoneinfo)


def drawn(cast: Cast, at: dt.datetime, code: str = MARCH) -> Board:
    return board.draw(cast.contract, month(cast, code, at), at)


def line(drawing: Board, key: str) -> Line:
    return next(one for one in drawing.lines if one.key == key)


def ruled(breach: Breach, cast: Cast, verdict: Assessment.Verdict, *, agreed: bool = True) -> None:
    start = breach.deadline.starts_at
    row = assessing.propose(
        breach, by=cast.rita, at=AT + 3 * DAY, verdict=verdict, reason="Look at the log",
        files=[assessing.File("log.txt", "text/plain", b"10:00 answered")],
        attempts=[assessing.Tried(Attempt.Channel.PHONE, start), assessing.Tried(Attempt.Channel.MAIL, start)],
    )  # fmt: skip
    assessing.decide(row, by=cast.olga, at=AT + 3 * DAY, agreed=agreed, reason="I looked")


# ---------------------------------------------------------------- the board is whole


def test_the_board_and_the_command_list_the_same_26_clauses(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("contract")
    printed = [text.split()[0] for text in capsys.readouterr().out.splitlines() if text and text[0] != " "]
    shown = [one.clause.number for one in drawn(cast, AT).lines if not one.part]
    assert shown == printed == list(CLAUSES)
    assert len(shown) == 26


def test_every_clause_has_an_obligation_or_a_control_and_says_which() -> None:
    """A clause with neither a clock that runs nor a control is named as not measured, with the reason."""
    for number, clause in CLAUSES.items():
        assert clause.control
        assert obligations_of(number) or number in controls.CONTROLS or number in controls.UNMEASURED, number
    assert not set(controls.CONTROLS) & set(controls.UNMEASURED)
    assert set(controls.CONTROLS) | set(controls.UNMEASURED) <= set(CLAUSES)


@pytest.mark.parametrize("number", ["3.1", "3.2", "3.3", "4.1", "4.3", "6.2", "6.3", "8.1", "8.2"])
def test_a_clause_that_is_enforced_has_a_test_file_of_its_own(number: str) -> None:
    found = list(Path(__file__).parent.glob(f"test_{number.replace('.', '_')}_*.py"))
    assert any("def test_" in file.read_text() for file in found), number


def test_clause_3_1_stands_twice_and_accurate_is_not_evidenced(cast: Cast) -> None:
    drawing = drawn(cast, AT)
    assert [one.key for one in drawing.lines if one.clause.number == "3.1"] == ["3.1", "3.1-accurate"]
    accurate = line(drawing, "3.1-accurate")
    assert accurate.now is Standing.NONE
    assert "Not evidenced" in accurate.says


# ---------------------------------------------------------------- for a period


def test_what_was_met_in_time_is_kept_and_one_second_later_is_broken_although_met(cast: Cast) -> None:
    on_time = make.ticket(team=cast.team, customer=cast.carl)
    late = make.ticket(team=cast.team, customer=cast.rhea)
    deadlines.meet([on_time.respond], at=AT + DAY, by=cast.rita, how="interaction:1")
    deadlines.meet([late.respond], at=AT + DAY + SECOND, by=cast.rita, how="interaction:2")
    found = figures.fell_due(cast.contract, month(cast))
    assert (found["respond"].kept, found["respond"].broken) == (1, 1)
    drawing = drawn(cast, AT + 2 * DAY)
    assert line(drawing, "3.1").in_period is Standing.BROKEN, "met late or not"


def test_thirteen_weeks_show_what_was_kept_in_each_and_not_what_came_back(cast: Cast) -> None:
    earlier, now, back = (
        make.ticket(team=cast.team, customer=cast.carl, received_at=at) for at in (AT - 7 * DAY, AT, AT)
    )
    for ticket, at in ((earlier, AT - 6 * DAY + SECOND), (now, AT + HOUR), (back, AT + HOUR)):
        deadlines.meet([ticket.respond], at=at, by=cast.rita, how="interaction:1")
    deadlines.reopen(back.respond, at=AT + 2 * HOUR, by="mail", reason="it came back")
    weeks = drawn(cast, AT + 2 * DAY).kept["3.1"]
    due = [(ticket.respond.due_at.date() - dt.timedelta(ticket.respond.due_at.weekday())) for ticket in (earlier, now)]
    assert [(weeks[week].kept, weeks[week].broken) for week in due] == [(0, 1), (1, 0)]


@pytest.mark.parametrize(
    ("due", "code"),
    [
        # London, winter: midnight is midnight. Summer: the month begins an hour earlier in UTC.
        (dt.datetime(2025, 2, 28, 23, 59, 59, tzinfo=dt.UTC), "2025-02"),
        (dt.datetime(2025, 3, 1, tzinfo=dt.UTC), MARCH),
        (dt.datetime(2025, 3, 31, 22, 59, 59, tzinfo=dt.UTC), MARCH),
        (dt.datetime(2025, 3, 31, 23, tzinfo=dt.UTC), "2025-04"),
    ],
)
def test_a_promise_is_of_the_month_in_which_it_fell_due_in_the_contracts_zone(
    cast: Cast, due: dt.datetime, code: str
) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=due - DAY)
    assert ticket.respond.due_at == due
    make.tick(at=due + SECOND)
    for name in ("2025-02", MARCH, "2025-04"):
        found = figures.fell_due(cast.contract, month(cast, name))
        assert found.get("respond", Figure()).broken == (1 if name == code else 0), name


def test_raw_and_assessed_agree_with_sql_written_for_this_test(cast: Cast) -> None:
    """Five breaches: one stands, one each is not owed, recorded late, unreachable, and disagreed; one promise kept."""
    tickets = [make.ticket(team=cast.team, customer=cast.carl, received_at=AT + n * SECOND) for n in range(6)]
    deadlines.meet([tickets[5].respond], at=AT + HOUR, by=cast.rita, how="interaction:1")
    deadlines.meet([one.acknowledge for one in tickets], at=AT + HOUR, by="acknowledge", how="message:1")
    make.tick(at=AT + DAY + HOUR)
    breaches = [Breach.objects.get(deadline=one.respond) for one in tickets[:5]]
    for breach, verdict in zip(
        breaches[1:4], (Verdict.NOT_OWED, Verdict.RECORDED_LATE, Verdict.UNREACHABLE), strict=True
    ):
        ruled(breach, cast, verdict)
    ruled(breaches[4], cast, Verdict.NOT_OWED, agreed=False)
    figure = figures.fell_due(cast.contract, month(cast))["respond"]
    assert (figure.kept, figure.broken, figure.owed) == (1, 5, 6)
    assert (figure.kept_as_assessed, figure.broken_as_assessed, figure.owed_as_assessed) == (2, 2, 4)
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) filter (where b.id is null), count(b.id) from csp_deadline d"
            " left join csp_breach b on b.deadline_id = d.id where d.obligation = 'respond' and d.voided_at is null"
            " and (d.due_at at time zone 'Europe/London')::date between '2025-03-01' and '2025-03-31'"
        )
        assert cursor.fetchone() == (figure.kept, figure.broken)
    assert line(drawn(cast, AT + 4 * DAY), "3.1").in_period is Standing.BROKEN, "an assessment changes no fact"


def test_a_met_duty_that_came_back_is_counted_once(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    deadlines.meet([ticket.respond], at=AT + HOUR, by=cast.rita, how="interaction:1")
    again = deadlines.reopen(ticket.respond, at=AT + 2 * HOUR, by="bounce", reason="bounce")
    found = figures.fell_due(cast.contract, month(cast))["respond"]
    assert (found.kept, found.broken, found.running) == (0, 0, 1)
    deadlines.meet([again], at=AT + 3 * HOUR, by=cast.rita, how="interaction:2")
    found = figures.fell_due(cast.contract, month(cast))["respond"]
    assert (found.kept, found.broken, found.running) == (1, 0, 0)


def test_what_was_waived_is_in_no_figure(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    deadlines.waive(ticket.respond, by=cast.sam, at=AT + HOUR, reason="A test of ours")
    assert "respond" not in figures.fell_due(cast.contract, month(cast)) or not (
        figures.fell_due(cast.contract, month(cast))["respond"].owed
    )


def test_nothing_of_another_contract_is_counted(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    make.tick(at=AT + DAY + SECOND)
    other = type(cast.contract).objects.create(company="Elsewhere", created_at=AT)
    assert figures.fell_due(other, month(cast)) == {}
    assert figures.live(other, AT + 2 * DAY) == {}


def test_a_share_is_never_rounded_up_to_all() -> None:
    assert figures.share(9999, 10_000) == 99.9
    assert figures.share(1, 1) == 100.0
    assert figures.share(0, 0) is None


# ---------------------------------------------------------------- at this moment


@pytest.mark.parametrize(
    ("after", "standing"),
    [
        (DAY - HOUR - SECOND, Standing.KEPT),
        (DAY - HOUR + SECOND, Standing.AT_RISK),
        (DAY, Standing.AT_RISK),  # met at exactly due is met, so at that instant nothing is overdue
        (DAY + SECOND, Standing.BROKEN),
    ],
)
def test_a_clause_is_at_risk_within_the_hour_and_broken_while_overdue(
    cast: Cast, after: dt.timedelta, standing: Standing
) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    assert line(drawn(cast, AT + after), "3.1").now is standing


def test_met_late_it_is_kept_again_now_and_broken_for_the_period(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    deadlines.meet([ticket.acknowledge, ticket.respond], at=AT + DAY + SECOND, by=cast.rita, how="interaction:1")
    found = line(drawn(cast, AT + DAY + HOUR), "3.1")
    assert (found.now, found.in_period) == (Standing.KEPT, Standing.BROKEN)


def test_a_missed_target_of_the_company_is_at_risk_and_never_broken(cast: Cast) -> None:
    about = deadlines.Subject(ref="NC-1", path="/noncompliance/1/", contract=cast.contract, team=cast.team)
    [row] = deadlines.start([deadlines.draft("verify", about, cast.version, starts_at=AT)], at=AT)
    assert row.is_policy
    assert OBLIGATIONS["verify"].policy
    make.tick(at=row.due_at + SECOND)
    found = line(drawn(cast, row.due_at + HOUR), "8.1")
    assert found.in_period is Standing.AT_RISK
    assert [one.figure.broken for one in found.owed if one.rule.code == "verify"] == [1]


def test_an_empty_office_turns_the_board_red(cast: Cast, officers: dict[str, User]) -> None:
    appoint(cast, Office.PRIVACY_OWNER, cast.adam)
    drawing = drawn(cast, AT)
    assert drawing.vacant == [Office.FEEDBACK_LEAD]
    assert drawing.is_red
    assert line(drawing, "2.3").now is Standing.BROKEN
    assert "feedback lead" in line(drawing, "2.3").says
    lead = appoint(cast, Office.FEEDBACK_LEAD, cast.fay)
    assert line(drawn(cast, AT), "2.3").now is Standing.KEPT
    assert not drawn(cast, AT).is_red
    lead.user.is_active, lead.user.left_at = False, AT
    lead.user.save()
    assert drawn(cast, AT).is_red, "an office held by somebody who has left is empty"


def test_a_team_without_a_supervisor_breaks_2_2(cast: Cast) -> None:
    assert line(drawn(cast, AT), "2.2").now is Standing.KEPT
    cast.olga.grants.update(ends_at=AT)
    found = line(drawn(cast, AT), "2.2")
    assert found.now is Standing.BROKEN
    assert "Second desk" in found.says


# ---------------------------------------------------------------- distribution and weeks


def test_an_answer_at_exactly_24_hours_stands_left_of_the_line(cast: Cast) -> None:
    for after, customer in ((DAY, cast.carl), (DAY + SECOND, cast.rhea), (90 * dt.timedelta(minutes=1), cast.carl)):
        ticket = make.ticket(team=cast.team, customer=customer, received_at=AT + HOUR if after < DAY else AT)
        deadlines.meet([ticket.respond], at=ticket.respond.starts_at + after, by=cast.rita, how="interaction:1")
    found = drawn(cast, AT + 2 * DAY).answers
    hours = found.by_hour(30)
    assert (hours[23], hours[24], hours[1], sum(hours)) == (1, 1, 1, 3)
    assert (found.count, found.late) == (3, 1)
    assert found.half == DAY


def test_an_answer_that_came_back_is_no_answer(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    deadlines.meet([ticket.respond], at=AT + HOUR, by=cast.rita, how="interaction:1")
    deadlines.reopen(ticket.respond, at=AT + 2 * HOUR, by="bounce", reason="bounce")
    assert drawn(cast, AT + 3 * HOUR).answers.count == 0


def test_breaches_are_counted_by_the_week_in_which_they_fell_due(cast: Cast) -> None:
    # a Sunday's last second in London, and the Monday after it
    for due in (dt.datetime(2025, 3, 9, 23, 59, 59, tzinfo=dt.UTC), dt.datetime(2025, 3, 10, tzinfo=dt.UTC)):
        ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=due - DAY)
        deadlines.meet([ticket.acknowledge], at=due - HOUR, by="acknowledge", how="message:1")
    make.tick(at=dt.datetime(2025, 3, 10, 1, tzinfo=dt.UTC))
    weeks = drawn(cast, dt.datetime(2025, 3, 10, 1, tzinfo=dt.UTC)).weeks
    assert len(weeks) == periods.WEEKS
    assert weeks[dt.date(2025, 3, 3)]["3.1"] == 1
    assert weeks[dt.date(2025, 3, 10)]["3.1"] == 1
    assert sum(week.total() for week in weeks.values()) == 2


# ---------------------------------------------------------------- the figure is the number of rows behind it


def test_the_rows_behind_a_figure_are_as_many_as_it_says(cast: Cast) -> None:
    for number in range(4):
        ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=AT + number * SECOND)
        if number:
            deadlines.meet([ticket.respond], at=AT + HOUR, by=cast.rita, how="interaction:1")
    handling.open_ticket(
        team=cast.team, subject="We call you", channel="phone", received_at=AT, at=AT, by=cast.rita,
        customer=cast.carl, origin="staff",
    )  # fmt: skip
    make.tick(at=AT + DAY + HOUR)
    drawing = drawn(cast, AT + 2 * DAY)
    figure = line(drawing, "3.1").figure
    assert (figure.kept, figure.broken) == (3, 5)
    for state, count in (("ended", 8), ("kept", 3), ("broken", 5), ("running", 5), ("overdue", 5)):
        filters = listing.Filters(cast.contract, drawing.period, clause="3.1", state=state)
        assert len(list(listing.everything(lists.LISTS["promises"], filters, dt.UTC))) == count, state
    filters = listing.Filters(cast.contract, drawing.period, clause="3.1")
    assert len(list(listing.everything(lists.LISTS["breaches"], filters, dt.UTC))) == figure.broken
