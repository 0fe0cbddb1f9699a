"""Clause 7.2: what feedback shows leads to actions. A finding owes a decision within ten days, an action item a result.

A finding is met by an action item, or by a refusal with a reason of a supervisor who did not write it, which shows as
not acted on. An item is done with evidence and verified by somebody independent; a rejection annuls it, and the first
due time stands. The same figure is told for as many days before as after.
"""

from __future__ import annotations

import datetime as dt

import pytest

from audits import board, periods
from audits.board import Line
from audits.controls import Standing
from csp import loops, shifts
from csp.access import Refused
from csp.models import Breach, Deadline, Notice, TrailEntry, User
from csp.roles import Office, Role
from feedback import effects, improvements, themes
from feedback.models import ActionItem, Effect, Finding, Remark, Work
from tests import factories as make
from tests.cast import Cast
from tests.contract.edges import INSTANTS, NAMES
from tests.contract.refusals import refused
from tests.contract.test_2_3_analysis import LATE, named
from tests.contract.test_4_2_feedback_log import said
from tests.contract.test_8_1_noncompliance import appoint
from tests.tickets.desk import at_nine, browser
from tests.training import training
from tickets import procedures
from tickets.models import Category, ProcedureVersion
from training.models import Assignment, CourseVersion

__all__ = ["at_nine"]
pytestmark = pytest.mark.django_db

AT, DAY, SECOND = make.AT, make.DAY, make.SECOND
Measure, State, Doing = ActionItem.Measure, Deadline.State, ActionItem.State
WORDS = {
    "title": "Nobody says when a delivery moves", "text": "Four customers waited in vain.",
    "recommendation": "Call before the window ends.\nShow the window in the mail.",
}  # fmt: skip


def found(cast: Cast, *, by: User | None = None, at: dt.datetime = AT, **more: object) -> Finding:
    remarks = [] if "theme" in more or "remarks" in more else [said(cast, received_at=at, at=at)]
    fields: dict[str, object] = {"by": by or cast.fay, "at": at, "clause": "3.1", "remarks": remarks, **WORDS}
    return improvements.write(cast.team, **(fields | more))  # type: ignore[arg-type]


def agreed(
    finding: Finding, cast: Cast, *, at: dt.datetime = AT, days: int = 14, measure: Measure = Measure.LATE
) -> ActionItem:
    return improvements.agree(
        finding, what="Call before the window ends", owner=cast.rita, due_at=at + days * DAY, measure=measure,
        by=cast.sam, at=at,
    )  # fmt: skip


def done(item: ActionItem, cast: Cast, *, at: dt.datetime) -> Work:
    return improvements.do(item, text="The list of calls is attached.", by=cast.rita, at=at)


def state_of(deadline: Deadline) -> str:
    deadline.refresh_from_db()
    return deadline.state


# ---------------------------------------------------------------- the finding


@pytest.mark.parametrize("receipt", INSTANTS, ids=NAMES)
def test_a_finding_is_decided_within_ten_days_to_the_second(cast: Cast, receipt: dt.datetime) -> None:
    for late, state in ((0, State.MET), (1, State.MET_LATE)):
        finding = found(cast, at=receipt)
        due = finding.act.due_at
        calendar = (receipt.astimezone(cast.contract.zoneinfo) + dt.timedelta(days=10)).astimezone(dt.UTC)
        assert due == min(receipt + 10 * DAY, calendar), "ten days, read the earlier way"
        agreed(finding, cast, at=due + late * SECOND)
        assert state_of(finding.act) == state
        assert Breach.objects.filter(deadline=finding.act).count() == late
    assert not Notice.objects.filter(kind="case").exists(), "a policy of the company's own"


def test_nobody_deciding_is_a_breach_told_to_the_lead_the_supervisor_and_who_stands_in(cast: Cast) -> None:
    lead = make.person(name="Lea Lead")
    appoint(cast, Office.FEEDBACK_LEAD, lead)
    finding = found(cast)
    due = finding.act.due_at
    shifts.enter(
        cast.sam, starts_at=due - DAY, ends_at=due + DAY, deputy=cast.olga, by=cast.sam, at=due - DAY
    )  # fmt: skip
    for days in (3, 1):
        loops.run_dry(loops.RULES["remind"], due - days * DAY - SECOND)
        before = Notice.objects.filter(kind="reminder", deadline=finding.act).count()
        loops.run_dry(loops.RULES["remind"], due - days * DAY)
        assert Notice.objects.filter(kind="reminder", deadline=finding.act).count() == before + 1
    broken = Breach.objects.filter(deadline=finding.act)
    loops.run_dry(loops.RULES["sweep"], due)
    assert not broken.exists()
    loops.run_dry(loops.RULES["sweep"], due + SECOND)
    assert broken.get().breached_at == due
    told = Notice.objects.filter(kind="breach", deadline=finding.act).values_list("user__name", flat=True)
    assert set(told) == {"Lea Lead", "Sam Supervisor", "Olga Other"}


def test_a_refusal_has_a_reason_of_a_supervisor_who_did_not_write_it(cast: Cast) -> None:
    other = make.person(name="Sara Second", role=Role.SUPERVISOR, team=cast.team)
    finding = found(cast, by=cast.sam)
    with pytest.raises(Refused, match="You wrote this"):
        improvements.refuse(finding, reason="No", by=cast.sam, at=AT)
    for nobody in (cast.rita, cast.fay, cast.olga, cast.vera, cast.adam):
        with pytest.raises(Refused):
            improvements.refuse(finding, reason="No", by=nobody, at=AT)
    with pytest.raises(Refused, match="Say why"):
        improvements.refuse(finding, reason=" ", by=other, at=AT)
    improvements.refuse(finding, reason="The depot closes in May.", by=other, at=AT + DAY)
    finding.refresh_from_db()
    assert (finding.state, state_of(finding.act)) == ("refused", State.MET)
    with pytest.raises(Refused, match="not to act"):
        agreed(finding, cast)
    page = browser(cast.vera).get(finding.path).content.decode()
    assert "Not acted on" in page
    assert "The depot closes in May." in page
    refused("update feedback_findingrefusal set reason = 'x'", saying="does not change")


def test_what_a_finding_rests_on_is_frozen_in_groups_of_five(cast: Cast) -> None:
    theme, remarks = named(cast, count=4)
    finding = found(cast, theme=theme)
    assert finding.evidence["remarks"] == sorted(remark.pk for remark in remarks)
    assert (finding.evidence["count"], finding.evidence["scores"], finding.evidence["mean"]) == (4, 4, None)
    themes.add(theme, [said(cast, words=LATE[4], score=1)], by=cast.fay, at=AT)
    finding.refresh_from_db()
    assert finding.evidence["count"] == 4
    assert found(cast, theme=theme).evidence["mean"] == pytest.approx(1.8)
    refused("update feedback_finding set evidence = '{}'", saying="does not change")
    refused("update feedback_finding set title = 'All is well'", saying="does not change")


def test_a_finding_rests_on_something_that_its_writer_can_see(cast: Cast) -> None:
    with pytest.raises(Refused, match="rests on something"):
        found(cast, remarks=[])
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    there = said(cast, team=cast.other_team)
    remarks, tickets = improvements.named_in(f"#{ticket.pk}", cast.sam)
    assert (remarks, tickets) == ([], [ticket])
    for text in (f"F-{there.pk}", "#999999"):
        with pytest.raises(Refused, match="You see no"):
            improvements.named_in(text, cast.sam)
    with pytest.raises(Refused, match="You see no"):
        improvements.named_in(f"#{ticket.pk}", cast.fay)
    for nobody in (cast.rita, cast.vera, cast.adam):
        with pytest.raises(Refused):
            found(cast, by=nobody)


# ---------------------------------------------------------------- the action item


def test_an_item_is_done_when_it_was_due_and_a_second_later_is_late(cast: Cast) -> None:
    for late, state in ((0, State.MET), (1, State.MET_LATE)):
        item = agreed(found(cast), cast)
        assert (item.deadline.responsible, item.deadline.due_at) == (cast.rita, AT + 14 * DAY)
        assert not item.deadline.is_policy
        done(item, cast, at=item.deadline.due_at + late * SECOND)
        assert state_of(item.deadline) == state


def test_somebody_independent_verifies_within_three_days(cast: Cast) -> None:
    item = agreed(found(cast), cast)
    work = done(item, cast, at=AT + DAY)
    assert work.verify.due_at == AT + 4 * DAY
    for involved in (cast.rita, cast.sam):
        with pytest.raises(Refused):
            improvements.verify(work, accepted=True, note="Seen.", by=involved, at=AT + DAY)
    for nobody in (cast.vera, cast.adam, cast.otto):
        with pytest.raises(Refused, match="feedback team"):
            improvements.verify(work, accepted=True, note="Seen.", by=nobody, at=AT + DAY)
    with pytest.raises(Refused, match="what you looked at"):
        improvements.verify(work, accepted=True, note="", by=cast.fay, at=AT + DAY)
    improvements.verify(work, accepted=True, note="Seen.", by=cast.olga, at=AT + 4 * DAY)
    assert state_of(work.verify) == State.MET
    item.refresh_from_db()
    assert item.state == Doing.VERIFIED
    with pytest.raises(Refused, match="already"):
        improvements.verify(work, accepted=False, note="Seen.", by=cast.fay, at=AT + DAY)


def test_a_rejection_annuls_what_was_done_and_the_first_due_time_stands(cast: Cast) -> None:
    item = agreed(found(cast), cast)
    due = item.deadline.due_at
    work = done(item, cast, at=due - DAY)
    improvements.verify(work, accepted=False, note="No calls were made.", by=cast.fay, at=due - SECOND)
    item.refresh_from_db()
    assert (item.state, item.deadline.state, item.deadline.due_at) == (Doing.PLANNED, State.OPEN, due)
    assert item.deadline.reopens == work.item.deadline
    again = done(item, cast, at=due)
    improvements.verify(again, accepted=False, note="Still none.", by=cast.fay, at=due + SECOND)
    item.refresh_from_db()
    assert item.deadline.state == State.BREACHED, "its time is past, so it is broken at once"
    assert Breach.objects.get().breached_at == due
    assert Notice.objects.filter(facts__says="item.rejected", user=cast.rita).count() == 2


def test_with_every_item_withdrawn_the_finding_owes_its_decision_again(cast: Cast) -> None:
    finding = found(cast)
    item = agreed(finding, cast, at=AT + DAY)
    with pytest.raises(Refused, match="Say why"):
        improvements.withdraw(item, reason="", by=cast.sam, at=AT + DAY)
    improvements.withdraw(item, reason="The depot closes.", by=cast.sam, at=AT + 2 * DAY)
    first = finding.act
    finding.refresh_from_db()
    assert (finding.state, finding.act.reopens, finding.act.due_at) == ("open", first, first.due_at)
    assert state_of(item.deadline) == State.VOID
    with pytest.raises(Refused, match="done already, or"):
        done(item, cast, at=AT + 2 * DAY)


def test_only_supervisors_of_the_team_agree_and_only_what_makes_sense(cast: Cast) -> None:
    finding = found(cast)
    fields = {"what": "Call", "owner": cast.rita, "due_at": AT + DAY, "measure": Measure.LATE, "at": AT}
    for nobody in (cast.rita, cast.fay, cast.olga, cast.vera, cast.adam):
        with pytest.raises(Refused):
            improvements.agree(finding, **fields, by=nobody)  # type: ignore[arg-type]
    left = make.person(name="Lars Left", role=Role.REPRESENTATIVE, team=cast.team, active=False)
    for change, why in (
        ({"due_at": AT}, "next year"), ({"due_at": AT + 400 * DAY}, "next year"), ({"what": " "}, "what is done"),
        ({"owner": left}, "does not work here"), ({"measure": Measure.RATE}, "no theme"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=why):
            improvements.agree(finding, **(fields | change), by=cast.sam)  # type: ignore[arg-type]


# ---------------------------------------------------------------- before and after


def test_the_same_figure_is_told_for_as_many_days_before_as_after(cast: Cast) -> None:
    theme, _remarks = named(cast, count=4)
    days = 28 * DAY
    make.many_tickets(count=10, team=cast.team, customer=cast.carl, received_at=[AT - DAY])
    make.many_tickets(count=7, team=cast.team, customer=cast.carl, received_at=[AT - days - SECOND])
    start = AT + SECOND  # the four remarks came at AT
    item = improvements.agree(
        found(cast, theme=theme, at=start), what="Call", owner=cast.rita, due_at=start + 14 * DAY,
        measure=Measure.RATE, by=cast.sam, at=start,
    )  # fmt: skip
    before = effects.Figure.of_json(item.before)
    assert (before.hits, before.n, before.value) == (4, 10, 40.0)
    assert before.until - before.since == days
    moment = start + 7 * DAY
    work = done(item, cast, at=moment)
    improvements.verify(work, accepted=True, note="Seen.", by=cast.fay, at=moment + DAY)
    make.many_tickets(count=8, team=cast.team, customer=cast.carl, received_at=[moment, moment + days - SECOND])
    make.many_tickets(count=5, team=cast.team, customer=cast.carl, received_at=[moment + days])
    late = said(cast, words=LATE[4], received_at=moment + DAY, at=moment + DAY)
    themes.add(theme, [late], by=cast.fay, at=moment + DAY)
    assert improvements.measure(moment + days - SECOND) == 0, "the days after are not over"
    assert improvements.measure(moment + days) == 1
    assert improvements.measure(moment + days) == 0
    after = effects.Figure.of_json(Effect.objects.get().after)
    assert (after.hits, after.n, after.value) == (1, 8, 12.5)
    assert after.until - after.since == before.until - before.since
    assert effects.is_better(item.measure, after.value - before.value)  # type: ignore[operator]
    page = browser(cast.sam).get(item.path).content.decode()
    assert "40.0" in page
    assert "12.5" in page


def test_a_figure_of_fewer_than_five_is_not_shown(cast: Cast) -> None:
    finding = found(cast)
    for score in (1, 2, 4, 5):
        said(cast, score=score, words="", source=Remark.Source.SURVEY)
    for measure in (Measure.SCORE, Measure.LOW):
        figure = effects.figure(finding, measure, AT, AT + SECOND)
        assert (figure.n, figure.value) == (4, None)
    said(cast, score=3, words="", source=Remark.Source.SURVEY)
    assert effects.figure(finding, Measure.SCORE, AT, AT + SECOND).value == 3.0
    assert effects.figure(finding, Measure.LOW, AT, AT + SECOND).value == 40.0
    assert effects.figure(finding, Measure.LATE, AT, AT + SECOND).value is None


def test_the_share_of_late_answers_is_that_of_the_promises_themselves(cast: Cast) -> None:
    finding = found(cast)
    for hours in (20, 21, 22, 23, 25):
        ticket = make.ticket(team=cast.team, customer=cast.carl)
        make.answer(ticket=ticket, by=cast.rita, at=AT + hours * make.HOUR, accepted_at=AT + hours * make.HOUR)
    figure = effects.figure(finding, Measure.LATE, AT + DAY, AT + DAY + SECOND)
    assert (figure.hits, figure.n, figure.value) == (1, 5, 20.0)


# ---------------------------------------------------------------- it changes a procedure


def test_a_finding_changes_a_procedure_which_brings_its_update_course(cast: Cast) -> None:
    delivery = Category.objects.create(contract=cast.contract, name="Deliveries")
    finding = found(cast)
    with pytest.raises(Refused):
        improvements.change_procedure(finding, delivery, by=cast.fay, at=AT)
    change = improvements.change_procedure(finding, delivery, by=cast.sam, at=AT)
    assert change.version.reason.startswith(finding.reference)
    assert improvements.change_procedure(finding, delivery, by=cast.sam, at=AT) == change, "the draft that there is"
    draft = procedures.draft(
        cast.contract, delivery, title="Deliveries", resolve_days=3, progress_days=1, by=cast.sam, at=AT + DAY,
        text=f"{procedures.STANDARD_TEXT}\nCall before the window ends", reason=change.version.reason,
    )  # fmt: skip
    assert draft == change.version
    procedures.publish(draft, by=cast.sam, at=AT + 2 * DAY, seen=procedures.seal_of(draft))
    training.tick(at=AT + 2 * DAY)
    course = CourseVersion.objects.get(because=f"procedure-version:{draft.pk}")
    assert course.changes.startswith(finding.reference)
    owed = Assignment.objects.owed().filter(version=course, why="update")
    assert set(owed.values_list("user__name", flat=True)) == {
        "Rita Representative", "Sam Supervisor", "Otto Other", "Olga Other",
    }  # fmt: skip
    training.passed(course.course.code, by=cast.rita, at=AT + 3 * DAY)
    training.tick(at=AT + 3 * DAY)
    [link] = improvements.chain_of(finding)
    assert (link.version, link.course, link.passed, link.owed) == (draft, course, 1, 4)
    page = browser(cast.sam).get(finding.path).content.decode()
    assert "1 of 4" in page
    assert ProcedureVersion.objects.filter(pk=draft.pk, published_at__isnull=False).exists()


# ---------------------------------------------------------------- who sees what


@pytest.mark.usefixtures("at_nine")
def test_whoever_has_to_do_it_sees_the_item_and_not_what_customers_said(cast: Cast) -> None:
    theme, _remarks = named(cast)
    finding = found(cast, theme=theme, text="Zanzibar says it four times.")
    item = agreed(finding, cast)
    page = browser(cast.rita).get(item.path).content.decode()
    assert WORDS["title"] in page
    assert "Zanzibar" not in page
    assert browser(cast.rita).get(finding.path).status_code == 404
    for nobody in (cast.otto, cast.olga, cast.adam):
        assert browser(nobody).get(item.path).status_code == 404
        assert browser(nobody).get(finding.path).status_code == 404
    for reader in (cast.sam, cast.fay, cast.vera):
        assert "Zanzibar" in browser(reader).get(finding.path).content.decode()
    done(item, cast, at=AT)
    assert browser(cast.olga).get(item.path).status_code == 200, "somebody independent may verify it"
    assert TrailEntry.objects.filter(context=finding.trail_subject, act="item.done").exists()


@pytest.mark.usefixtures("at_nine")
def test_from_theme_to_verified_on_the_pages(cast: Cast) -> None:
    theme, _remarks = named(cast)
    analyst, supervisor, owner = browser(cast.fay), browser(cast.sam), browser(cast.rita)
    typed = {"team": cast.team.pk, "clause": "3.1", **WORDS}
    assert analyst.post(f"{theme.path}finding/", typed).status_code == 302
    finding = Finding.objects.get()
    assert "To be decided" in supervisor.get(finding.path).content.decode()
    agreement = {
        "what": "Call", "owner": cast.rita.pk, "day": "2025-03-20", "measure": "rate", "window_days": "28",
    }  # fmt: skip
    assert supervisor.post(f"{finding.path}agree/", {**agreement, "day": "2025-03-02"}).status_code == 422
    assert supervisor.post(f"{finding.path}agree/", agreement).status_code == 302
    item = ActionItem.objects.get()
    assert owner.post(f"{item.path}done/", {"text": "Done; see the list."}).status_code == 302
    assert owner.post(f"{item.path}verify/", {"verdict": "yes", "note": "Seen."}).status_code in (403, 422)
    assert analyst.post(f"{item.path}verify/", {"verdict": "yes", "note": "Seen."}).status_code == 302
    item.refresh_from_db()
    assert item.state == Doing.VERIFIED
    for reader in (analyst, supervisor, browser(cast.vera)):
        page = reader.get("/feedback/findings/").content.decode()
        assert finding.reference in page
        assert item.reference in page


# ---------------------------------------------------------------- on the board


def test_the_board_tells_of_findings_and_turns_to_risk_with_them(cast: Cast) -> None:
    for office in Office:
        appoint(cast, office, make.person(name=f"{office.title()} Officer"))

    def line(number: str, at: dt.datetime) -> Line:
        drawn = board.draw(cast.contract, periods.this_month(at, cast.contract.zoneinfo), at)
        return next(one for one in drawn.lines if one.clause.number == number)

    assert "Nothing has been found" in line("7.2", AT).says
    theme, _remarks = named(cast, count=4)
    themes.add(theme, [said(cast, words=LATE[4])], by=cast.fay, at=AT)
    loops.run_dry(loops.RULES["relate"], AT)
    assert loops.run_dry(loops.RULES["recur"], AT) == 1
    assert "1 theme" in line("2.3", AT + 10 * DAY).says
    assert line("2.3", AT + 10 * DAY + SECOND).now is Standing.AT_RISK, "nobody has written up what recurs"
    finding = found(cast, theme=theme)
    assert line("2.3", AT + 10 * DAY + SECOND).now is Standing.KEPT
    assert line("7.2", AT).now is Standing.KEPT
    assert line("7.2", finding.act.due_at).now is Standing.AT_RISK, "it falls due within the hour"
    item = agreed(finding, cast)
    assert "To decide: 0. Actions under way: 1." in line("7.2", AT).says
    loops.run_dry(loops.RULES["sweep"], item.deadline.due_at + SECOND)
    assert line("7.2", item.deadline.due_at + SECOND).now is Standing.BROKEN
    assert line("7.2", item.deadline.due_at + SECOND).figure.broken == 1
