"""Clause 3.2: complaints are resolved along a standard procedure, and closed with cause, resolution and proof."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from audits.models import Deviation
from csp.events import Act
from csp.models import Breach, Contract, Deadline, Notice, TrailEntry, User
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.tickets.desk import browser
from tickets import (
    checklists,
    closing,
    complaints,
    escalation,
    handling,
    lifecycle,
    merging,
    procedures,
    resolving,
    steps,
)  # fmt: skip
from tickets.closing import NotFinished
from tickets.handling import Refused
from tickets.models import Category, Checklist, Escalation, Procedure, ProcedureVersion, Resolution, Ticket

AT, SECOND, DAY, HOUR = make.AT, make.SECOND, make.DAY, make.HOUR
State, Kind, Acceptance = Ticket.State, Ticket.Kind, Resolution.Acceptance
SAID = {"cause": "work", "cause_note": "Not tested.", "kind": "corrected", "text": "Tightened and dried."}


def complaint(cast: Cast, **more: object) -> Ticket:
    """A complaint that Rita has and has answered an hour after its receipt."""
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita, kind=Kind.COMPLAINT, **more)
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    return Ticket.objects.get(pk=ticket.pk)


def lacking(ticket: Ticket, to: State = State.CLOSED) -> list[str]:
    return [row.name for row in closing.missing(Ticket.objects.get(pk=ticket.pk), to)]


FILLED = {"text": "R 12", "date": "2025-03-02", "amount": "120.50", "yes/no": "no"}


def do_steps(ticket: Ticket, by: User, at: dt.datetime) -> None:
    for step in checklists.steps_of(ticket):
        checklists.tick(step, by=by, at=at, values={label: FILLED[kind] for label, kind in step.asked})


def clock(ticket: Ticket, obligation: str = "resolve") -> Deadline:
    return make.clocks(ticket=ticket, obligation=obligation)[-1]


def resolve(ticket: Ticket, by: object, at: dt.datetime) -> Ticket:
    do_steps(ticket, by if isinstance(by, User) else ticket.assignee, at)
    return lifecycle.change_state(ticket, to=State.RESOLVED, by=by, at=at)


# ---------------------------------------------------------------- what closing needs


def test_a_complaint_is_resolved_with_cause_and_resolution_and_closed_with_the_customers_answer(cast: Cast) -> None:
    ticket = complaint(cast)
    assert lacking(ticket) == ["cause", "resolution", "steps", "acceptance"]
    with pytest.raises(NotFinished, match=r"root cause.*how the complaint was resolved.*6 steps") as refusal:
        lifecycle.change_state(ticket, to=State.RESOLVED, by=cast.rita, at=AT + 2 * HOUR)
    assert [row.url_name for row in refusal.value.missing] == ["resolution", "resolution", ""]
    do_steps(ticket, cast.rita, AT + 2 * HOUR)
    resolving.write_down(ticket, by=cast.rita, at=AT + 2 * HOUR, **{**SAID, "cause_note": " "})
    assert lacking(ticket, State.RESOLVED) == ["cause"]  # a choice without its words is none
    resolving.write_down(ticket, by=cast.rita, at=AT + 2 * HOUR, **SAID, amount=Decimal("120.50"))
    resolve(ticket, cast.rita, AT + 3 * HOUR)
    with pytest.raises(NotFinished, match="accepted the resolution"):
        lifecycle.change_state(ticket, to=State.CLOSED, by=cast.rita, at=AT + 4 * HOUR)
    resolving.record_acceptance(ticket, Acceptance.YES, cast.rita, AT + 4 * HOUR)
    lifecycle.change_state(ticket, to=State.CLOSED, by=cast.rita, at=AT + 5 * HOUR)
    row = Resolution.objects.get(ticket=ticket)
    assert (row.resolved_at, row.resolved_by, row.amount) == (AT + 3 * HOUR, cast.rita, Decimal("120.50"))
    assert (row.acceptance, row.answered_at, row.answer_by) == ("yes", AT + 4 * HOUR, cast.rita)
    acts = TrailEntry.objects.filter(subject=ticket.trail_subject).values_list("act", flat=True)
    assert {Act.RESOLUTION_WRITTEN, Act.RESOLUTION_ANSWERED, Act.TICKET_STATE} <= set(acts)
    with pytest.raises(Refused, match="closed"):
        resolving.write_down(ticket, by=cast.rita, at=AT + 6 * HOUR, **SAID)


def test_an_inquiry_needs_an_answer_only(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    assert lacking(ticket) == ["answer"]
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    assert lacking(ticket) == []
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    assert not Resolution.objects.exists()
    lifecycle.change_state(ticket, to=State.CLOSED, by=cast.rita, at=AT + 3 * HOUR, resolution="Explained.")
    assert Resolution.objects.get().text == "Explained."


def test_an_answer_that_resolves_leaves_a_complaint_open_that_lacks_something(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, kind=Kind.COMPLAINT)
    words = {"by": cast.rita, "body": "Done.", "seen_through": make.on_screen(ticket=ticket), "then": State.RESOLVED}
    handling.respond(ticket, at=AT + HOUR, **words)
    assert Ticket.objects.get(pk=ticket.pk).state == State.OPEN
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    do_steps(ticket, cast.rita, AT + HOUR)
    handling.respond(ticket, at=AT + 2 * HOUR, **words)
    assert Ticket.objects.get(pk=ticket.pk).state == State.RESOLVED
    assert Resolution.objects.get().resolved_at == AT + 2 * HOUR


@pytest.mark.parametrize(("after", "closed"), [(7 * DAY - SECOND, False), (7 * DAY, True)])
def test_after_seven_quiet_days_no_answer_is_the_customers_answer(
    cast: Cast, after: dt.timedelta, closed: bool
) -> None:
    ticket = complaint(cast)
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    lifecycle.close_resolved(AT + 2 * HOUR + after)
    row = Resolution.objects.get()
    assert (row.acceptance, row.answer_by) == (("no_answer", None) if closed else ("", None))
    assert (Ticket.objects.get(pk=ticket.pk).state == State.CLOSED) is closed


# ---------------------------------------------------------------- whether it held


def test_a_customer_who_comes_back_shows_that_it_did_not_hold(cast: Cast) -> None:
    ticket = complaint(cast)
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    again = make.message(ticket=ticket, at=AT + 9 * HOUR, body="It leaks again.")
    row = Resolution.objects.get()
    assert (row.undone_at, row.undone_by, row.holds) == (AT + 9 * HOUR, again, False)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.next_obligation) == (State.OPEN, "follow_up")
    assert lacking(ticket) == ["answer", "cause", "resolution", "acceptance"]  # the earlier one counts no more
    make.answer(ticket=ticket, by=cast.rita, at=AT + 10 * HOUR, accepted_at=AT + 10 * HOUR)
    resolving.write_down(ticket, by=cast.rita, at=AT + 11 * HOUR, **{**SAID, "text": "A new seal."})
    resolve(ticket, cast.rita, AT + 11 * HOUR)
    assert [each.holds for each in resolving.history(ticket)] == [False, True]
    page = browser(cast.rita).get(ticket.path).content.decode()
    assert "Did not hold" in page
    assert "A new seal." in page
    refused(f"update tickets_resolution set text = 'x' where id = {row.pk}", saying="does not change")
    refused("delete from tickets_resolution", saying="by disposal only")
    refused("update tickets_resolution set undone_at = null, undone_by_id = null", saying="one_resolution_in_force")


def test_thanks_that_need_no_reply_leave_the_resolution_in_force(cast: Cast) -> None:
    ticket = complaint(cast)
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    make.message(ticket=ticket, at=AT + 9 * HOUR, body="Thank you!")
    ruling = {"by": cast.rita, "reason": "Thanks only.", "seen_through": make.on_screen(ticket=ticket)}
    handling.no_reply_needed(ticket, at=AT + 10 * HOUR, **ruling)
    assert Resolution.objects.get().holds
    ticket.refresh_from_db()
    assert (ticket.state, ticket.resolved_at) == (State.RESOLVED, AT + 10 * HOUR)  # seven quiet days from here
    # not where something was answered meanwhile
    make.message(ticket=ticket, at=AT + 11 * HOUR, body="One more question.")
    make.answer(ticket=ticket, by=cast.rita, at=AT + 12 * HOUR, accepted_at=AT + 12 * HOUR)
    make.message(ticket=ticket, at=AT + 13 * HOUR, body="Thanks again.")
    ruling["seen_through"] = make.on_screen(ticket=ticket)
    handling.no_reply_needed(ticket, at=AT + 14 * HOUR, **ruling)
    assert not Resolution.objects.get().holds


def test_a_customers_own_no_opens_the_ticket_and_a_no_told_to_us_stands_on_record(cast: Cast) -> None:
    ticket = complaint(cast)
    with pytest.raises(Refused, match="no resolution yet"):
        resolving.record_acceptance(ticket, Acceptance.YES, cast.carl, AT + HOUR)
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    resolving.record_acceptance(ticket, Acceptance.NO, cast.rita, AT + 3 * HOUR)
    assert Ticket.objects.get(pk=ticket.pk).state == State.RESOLVED
    handling.not_settled(ticket, by=cast.carl, address="carl@northwind.example", at=AT + 4 * HOUR)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.resolved_at) == (State.OPEN, None)
    [waits] = [clock for clock in make.clocks(ticket=ticket, obligation="follow_up") if clock.is_running]
    assert (waits.starts_at, waits.due_at) == (AT + 4 * HOUR, AT + 4 * HOUR + make.DAY)
    again = [clock for clock in make.clocks(ticket=ticket, obligation="resolve") if clock.is_running]
    assert [clock.starts_at for clock in again] == [AT + 4 * HOUR]
    assert not Resolution.objects.get().holds
    assert cast.rita.notices.filter(path=ticket.path).count() == 1
    with pytest.raises(Refused, match="role"):
        resolving.record_acceptance(ticket, Acceptance.YES, cast.otto, AT + 5 * HOUR)


def test_the_pages_say_what_is_missing_and_keep_what_was_typed(cast: Cast) -> None:
    ticket = complaint(cast)
    client = browser(cast.rita)
    do_steps(ticket, cast.rita, AT + HOUR)
    page = client.get(ticket.path).content.decode()
    assert "Say what caused the complaint" in page
    typed = {**SAID, "cause_note": "", "then": "resolved"}
    answer = client.post(f"{ticket.path}resolution/", typed)
    assert answer.status_code == 422
    assert "Written down, but not resolved yet" in answer.content.decode()
    assert Resolution.objects.get().text == SAID["text"]
    assert client.post(f"{ticket.path}resolution/", {**typed, "amount": "-1"}).status_code == 422
    assert client.post(f"{ticket.path}resolution/", {**SAID, "then": "resolved"}).status_code == 302
    assert client.post(f"{ticket.path}acceptance/", {"answer": "perhaps"}).status_code == 422
    assert client.post(f"{ticket.path}acceptance/", {"answer": "yes"}).status_code == 302
    assert Resolution.objects.get().acceptance == "yes"
    assert browser(cast.otto).get(f"{ticket.path}resolution/").status_code == 404


# ---------------------------------------------------------------- the procedure

DAMAGE = """Make the site safe
Read the fitter's report §4.1
- Number of the report
- Day of the visit (date)
- Estimate (amount)
- Water still running (yes/no)
Settle it in writing"""
WORDS = some.text("abyzÄß9", min_size=1, max_size=8)


def published(cast: Cast, category: Category | None, at: dt.datetime, **more: object) -> ProcedureVersion:
    said = {"title": "Damage", "text": DAMAGE, "resolve_days": 2, "progress_days": 1} | more
    row = procedures.draft(cast.contract, category, by=cast.adam, at=at, **said)
    return procedures.publish(row, by=cast.sam, at=at, seen=procedures.seal_of(row))


ASKED = some.lists(some.tuples(WORDS, some.sampled_from(list(steps.FieldKind))), max_size=3)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.lists(some.tuples(WORDS, some.sampled_from(["", "3.3", "10"]), ASKED), min_size=1, max_size=5))
def test_a_procedure_reads_as_it_is_spelled(parts: list[tuple[str, str, list[tuple[str, steps.FieldKind]]]]) -> None:
    made = [
        steps.Step(
            title, clause, tuple(steps.Field(*pair) for pair in {k.casefold(): (k, v) for k, v in asked}.values())
        )
        for title, clause, asked in {
            title.casefold(): (title, clause, asked) for title, clause, asked in parts
        }.values()
    ]
    assert steps.read(steps.spell(made)) == made


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at least one step"), ("- Number", "Line 1"), ("One\n-  ", "Line 2"), ("One\n- A\n- a (date)", "Line 3"),
        ("One\n\none §3.3", "Line 3"), ("§3.3", "Line 1"), ("x" * 201, "Line 1"),
        ("\n".join(map(str, range(31))), "30 steps"), ("One\n" + "\n".join(f"- {n}" for n in range(7)), "Line 8"),
    ],
)  # fmt: skip
def test_a_procedure_that_cannot_be_read_names_its_line(text: str, says: str) -> None:
    with pytest.raises(steps.Unreadable, match=says):
        steps.read(text)


def test_a_contract_always_has_a_procedure(cast: Cast) -> None:
    assert Procedure.objects.get().versions.get().number == 0  # by the migration
    other = Contract.objects.create(created_at=make.SINCE)
    assert procedures.in_force(other, None, AT).text == procedures.STANDARD_TEXT
    assert procedures.in_force(cast.contract, None, AT).text == procedures.STANDARD_TEXT
    assert steps.spell(steps.read(procedures.STANDARD_TEXT)) == procedures.STANDARD_TEXT


def test_a_procedure_is_published_by_a_supervisor_who_saw_what_changes_and_never_changes_again(cast: Cast) -> None:
    said = {"title": "Standard", "text": DAMAGE, "resolve_days": 5, "progress_days": 3}
    with pytest.raises(Refused, match="role"):
        procedures.draft(cast.contract, None, by=cast.rita, at=AT, **said)
    with pytest.raises(Refused, match="Line 1"):
        procedures.draft(cast.contract, None, by=cast.adam, at=AT, **{**said, "text": "- x"})
    row = procedures.draft(cast.contract, None, by=cast.adam, at=AT, **said)
    seen = procedures.seal_of(row)
    with pytest.raises(Refused, match="role"):
        procedures.publish(row, by=cast.adam, at=AT, seen=seen)
    assert procedures.draft(cast.contract, None, by=cast.sam, at=AT, **{**said, "resolve_days": 4}).pk == row.pk
    with pytest.raises(Refused, match="changed since"):
        procedures.publish(row, by=cast.sam, at=AT, seen=seen)
    row.refresh_from_db()
    lines = procedures.changes(procedures.latest(row.procedure), row)
    assert ("+", "Resolved within 4 days") in [(line.sign, line.text) for line in lines]
    assert ("-", "Find the cause") in [(line.sign, line.text) for line in lines]
    procedures.publish(row, by=cast.sam, at=AT + HOUR, seen=procedures.seal_of(row))
    with pytest.raises(Refused, match="published already"):
        procedures.publish(row, by=cast.sam, at=AT, seen=procedures.seal_of(row))
    refused(f"update tickets_procedureversion set text = 'x' where id = {row.pk}", saying="does not change")
    refused("delete from tickets_procedureversion", saying="by disposal only")
    assert procedures.draft(cast.contract, None, by=cast.sam, at=AT + HOUR, **said).number == row.number + 1
    acts = set(TrailEntry.objects.filter(subject=f"procedure:{row.procedure_id}").values_list("act", flat=True))
    assert acts == {Act.PROCEDURE_DRAFTED, Act.PROCEDURE_PUBLISHED}


@pytest.mark.parametrize(
    ("after", "title"), [(-SECOND, "Standard resolution"), (SECOND * 0, "Damage"), (SECOND, "Damage")]
)
def test_a_complaint_has_the_version_that_was_in_force_at_its_receipt(
    cast: Cast, after: dt.timedelta, title: str
) -> None:
    category = Category.objects.create(contract=cast.contract, name="Damage")
    published(cast, category, AT)
    ticket = make.ticket(
        team=cast.team, customer=cast.carl, kind=Kind.COMPLAINT, category=category, received_at=AT + after, at=AT + HOUR
    )
    row = complaints.checklist_of(ticket)
    assert row.version.title == title
    published(cast, category, AT + 2 * HOUR, text="Something else")  # changes nothing for who is here
    assert len(checklists.steps_of(ticket)) == (6 if title.startswith("Standard") else 3)


def test_a_step_is_done_with_what_has_to_be_filled_in(cast: Cast) -> None:
    published(cast, None, AT - DAY)
    ticket = complaint(cast)
    first, report, last = checklists.steps_of(ticket)
    checklists.tick(first, by=cast.rita, at=AT + HOUR, values={})
    good = {label: FILLED[kind] for label, kind in report.asked} | {"Estimate": "120.5"}
    for label, wrong in (("Number of the report", " "), ("Day of the visit", "Monday"), ("Estimate", "a lot"),
                         ("Estimate", "-1"), ("Estimate", "NaN"), ("Water still running", "perhaps")):  # fmt: skip
        with pytest.raises(Refused, match=label):
            checklists.tick(report, by=cast.rita, at=AT + HOUR, values={**good, label: wrong})
    with pytest.raises(Refused, match="role"):
        checklists.tick(report, by=cast.otto, at=AT + HOUR, values=good)
    checklists.tick(report, by=cast.rita, at=AT + HOUR, values=good)
    report.refresh_from_db()
    assert report.values == {**good, "Estimate": "120.50"}
    checklists.untick(report, by=cast.rita, at=AT + 2 * HOUR)
    assert [row.is_settled for row in checklists.steps_of(ticket)] == [True, False, False]
    client = browser(cast.rita)
    there = f"{ticket.path}steps/{report.pk}/fill-in/"
    wrong = client.post(there, {"f0": "R 12", "f1": "Monday", "f2": "3", "f3": "no"})
    assert (wrong.status_code, "R 12" in wrong.content.decode()) == (422, True)
    assert client.post(there, {"f0": "R 12", "f1": "2025-03-02", "f2": "3", "f3": "no"}).status_code == 302
    assert client.post(f"{ticket.path}steps/{last.pk}/", {"done": "1"}).status_code == 302  # without scripts
    assert lacking(ticket) == ["cause", "resolution", "acceptance"]
    part = client.post(f"{ticket.path}steps/{last.pk}/", {}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert f'id="step-{last.pk}"' in part
    assert not checklists.steps_of(ticket)[2].is_settled


def test_a_step_is_left_out_with_a_reason_and_another_persons_word(cast: Cast) -> None:
    ticket = complaint(cast)
    step, other, *_rest = checklists.steps_of(ticket)
    with pytest.raises(Refused, match="Say why"):
        checklists.ask_waiver(step, by=cast.rita, at=AT + HOUR, reason=" ")
    checklists.ask_waiver(step, by=cast.rita, at=AT + HOUR, reason="The customer asks for nothing.")
    assert cast.sam.notices.filter(kind=Notice.Kind.APPROVAL).count() == 1
    step.refresh_from_db()
    assert not step.is_settled
    for person, says in ((cast.rita, "role"), (cast.olga, "role")):
        with pytest.raises(Refused, match=says):
            checklists.decide_waiver(step, by=person, at=AT + HOUR, agrees=True)
    checklists.ask_waiver(other, by=cast.sam, at=AT + HOUR, reason="No order.")
    with pytest.raises(Refused, match="your own"):
        checklists.decide_waiver(other, by=cast.sam, at=AT + HOUR, agrees=True)
    with pytest.raises(Refused, match="Say why"):
        checklists.decide_waiver(step, by=cast.sam, at=AT + HOUR, agrees=False)
    client = browser(cast.sam)
    there = f"{ticket.path}steps/{step.pk}/waiver/"
    assert "asks for nothing" in client.get(there).content.decode()
    assert client.post(there, {"agrees": "no"}).status_code == 422
    checklists.decide_waiver(step, by=cast.sam, at=AT + HOUR, agrees=True)
    step.refresh_from_db()
    assert (step.is_settled, step.waived_by, step.asked_by) == (True, cast.sam, cast.rita)
    for _again in range(2):
        make.tick(at=AT + 2 * HOUR)
    case = Deviation.objects.get(step=step).case
    assert (case.clause, case.team, case.correct.due_at) == ("3.2", cast.team, AT + 2 * HOUR + 7 * DAY)
    assert cast.sam.notices.filter(kind=Notice.Kind.CASE, path=case.path).count() == 1
    assert step.title in browser(cast.sam).get(case.path).content.decode()
    rows = browser(cast.sam).post("/compliance/left-out/export/?period=2025-03")
    assert "asks for nothing" in b"".join(rows.streaming_content).decode()
    with pytest.raises(Refused, match="stays on record"):
        checklists.tick(step, by=cast.rita, at=AT + 2 * HOUR, values={})
    refused(f"update tickets_checkliststep set waive_reason = 'x' where id = {step.pk}", saying="does not change")
    own = f"update tickets_checkliststep set waived_at = now(), waived_by_id = asked_by_id where id = {other.pk}"
    refused(own, saying="nobody_approves")


# ---------------------------------------------------------------- the clocks


@pytest.mark.parametrize(
    ("after", "state"), [(2 * DAY - SECOND, "met"), (2 * DAY, "met"), (2 * DAY + SECOND, "met_late")]
)  # fmt: skip
def test_the_second_decides_whether_it_was_resolved_in_time(cast: Cast, after: dt.timedelta, state: str) -> None:
    published(cast, None, AT - DAY)
    ticket = complaint(cast)
    row = clock(ticket)
    assert (row.starts_at, row.due_at, row.is_policy) == (AT, AT + 2 * DAY, True)
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    resolve(ticket, cast.rita, AT + after)
    row.refresh_from_db()
    assert (row.state, row.met_at) == (state, AT + after)
    ticket.refresh_from_db()
    assert ticket.next_obligation == ""


def test_what_is_not_resolved_in_time_goes_up_once_and_is_no_breach_of_a_clause(cast: Cast) -> None:
    published(cast, None, AT - DAY)
    ticket = complaint(cast)
    make.tick(at=AT + 2 * DAY)
    assert not Breach.objects.filter(obligation="resolve").exists()
    for _again in range(2):
        make.tick(at=AT + 2 * DAY + SECOND)
    breach = Breach.objects.get(obligation="resolve")
    assert breach.breached_at == AT + 2 * DAY
    assert Escalation.objects.get(ticket=ticket).causes.filter(breach=breach).exists()
    assert not hasattr(breach, "membership")  # a policy of the company, not the contract
    assert cast.sam.notices.filter(kind=Notice.Kind.BREACH, deadline=breach.deadline).count() == 1


def test_a_note_is_owed_from_the_last_word_to_the_customer(cast: Cast) -> None:
    published(cast, None, AT - DAY)  # every day
    ticket = complaint(cast)  # answered after an hour
    first, second = make.clocks(ticket=ticket, obligation="progress_note")
    assert (first.starts_at, first.state, first.met_at) == (AT, "met", AT + HOUR)
    assert (second.starts_at, second.due_at, second.state) == (AT + HOUR, AT + HOUR + DAY, "open")
    written = make.answer(ticket=ticket, by=cast.rita, at=AT + DAY, purpose="holding")
    second.refresh_from_db()
    assert second.is_running  # written is not told
    make.accept(interaction=written, at=AT + HOUR + DAY)
    second.refresh_from_db()
    assert (second.state, second.met_at) == ("met", AT + HOUR + DAY)
    third = clock(ticket, "progress_note")
    make.tick(at=third.due_at + SECOND)
    third.refresh_from_db()
    assert third.state == "breached"
    assert not Breach.objects.filter(deadline=third, escalation_cause__isnull=False).exists()
    late = make.answer(ticket=ticket, by=cast.rita, at=third.due_at + HOUR, accepted_at=third.due_at + HOUR)
    third.refresh_from_db()
    assert (third.state, third.met_how) == ("met_late", f"interaction:{late.pk}")
    resolving.write_down(ticket, by=cast.rita, at=third.due_at + HOUR, **SAID)
    resolve(ticket, cast.rita, third.due_at + 2 * HOUR)
    assert clock(ticket, "progress_note").state == "void"


def test_a_customer_who_comes_back_has_it_resolved_again_from_then(cast: Cast) -> None:
    published(cast, None, AT - DAY)
    ticket = complaint(cast)
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    back = AT + 4 * DAY
    make.message(ticket=ticket, at=back, body="It leaks again.")
    assert (clock(ticket).starts_at, clock(ticket).due_at) == (back, back + 2 * DAY)
    ruling = {"by": cast.rita, "reason": "Sent twice.", "seen_through": make.on_screen(ticket=ticket)}
    handling.no_reply_needed(ticket, at=back + HOUR, **ruling)
    assert (clock(ticket).state, Ticket.objects.get(pk=ticket.pk).state) == ("void", State.RESOLVED)
    lifecycle.change_state(ticket, to=State.OPEN, by=cast.rita, at=back + 2 * HOUR)
    # opened again by ourselves, it was never resolved: the first due time stands, and is past
    again = Deadline.objects.get(obligation="resolve", reopens__isnull=False)
    assert (again.due_at, again.state, again.reopens.state) == (AT + 2 * DAY, "breached", "met")


# ---------------------------------------------------------------- what is a complaint


def test_what_turns_out_a_complaint_is_one_since_its_receipt(cast: Cast) -> None:
    published(cast, None, AT - DAY)
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    lifecycle.retype(ticket, by=cast.rita, at=AT + 3 * DAY, kind=Kind.COMPLAINT)
    row = clock(ticket)
    assert (row.starts_at, row.due_at, row.state) == (AT, AT + 2 * DAY, "breached")  # born so
    assert row.breach.detected_at == AT + 3 * DAY
    note = clock(ticket, "progress_note")
    assert (note.starts_at, note.state) == (AT + HOUR, "breached")
    assert len(checklists.steps_of(ticket)) == 3


def test_only_a_supervisor_of_the_team_who_does_not_work_on_it_unmakes_a_complaint(cast: Cast) -> None:
    ticket = complaint(cast)
    for person in (cast.rita, cast.olga):
        with pytest.raises(Refused):
            lifecycle.retype(ticket, by=person, at=AT + 2 * HOUR, kind=Kind.INQUIRY)
    Ticket.objects.filter(pk=ticket.pk).update(assignee=cast.sam)
    with pytest.raises(Refused, match="does not work on it"):
        lifecycle.retype(ticket, by=cast.sam, at=AT + 2 * HOUR, kind=Kind.INQUIRY)
    Ticket.objects.filter(pk=ticket.pk).update(assignee=cast.rita)
    lifecycle.retype(ticket, by=cast.sam, at=AT + 2 * HOUR, kind=Kind.INQUIRY)
    assert [clock(ticket, code).state for code in complaints.CLOCKS] == ["void", "void"]
    assert Checklist.objects.get().ended_at == AT + 2 * HOUR
    assert lacking(ticket) == []
    lifecycle.retype(ticket, by=cast.rita, at=AT + 3 * HOUR, kind=Kind.COMPLAINT)
    assert [each.ended_at for each in Checklist.objects.order_by("pk")] == [AT + 2 * HOUR, None]


def test_another_category_brings_its_own_procedure_and_time(cast: Cast) -> None:
    category = Category.objects.create(contract=cast.contract, name="Damage")
    published(cast, category, AT - DAY)
    ticket = complaint(cast)
    assert clock(ticket).due_at == AT + 5 * DAY
    lifecycle.retype(ticket, by=cast.rita, at=AT + 2 * HOUR, category=category)
    assert [row.state for row in make.clocks(ticket=ticket, obligation="resolve")] == ["void", "open"]
    assert (clock(ticket).due_at, len(checklists.steps_of(ticket))) == (AT + 2 * DAY, 3)
    lifecycle.retype(ticket, by=cast.rita, at=AT + 3 * HOUR, subject="Another word changes nothing")
    assert Checklist.objects.count() == 2
    with pytest.raises(Refused, match="more time"):
        lifecycle.retype(ticket, by=cast.rita, at=AT + 4 * HOUR, clear_category=True)
    lifecycle.retype(ticket, by=cast.sam, at=AT + 4 * HOUR, clear_category=True)
    assert clock(ticket).due_at == AT + 5 * DAY


def test_a_complaint_merged_into_an_inquiry_stays_one(cast: Cast) -> None:
    one = complaint(cast)
    other = make.ticket(team=cast.team, customer=cast.carl, received_at=AT + HOUR, assignee=cast.rita)
    merging.merge(one, into=other, by=cast.rita, at=AT + 2 * HOUR)
    other.refresh_from_db()
    assert other.kind == Kind.COMPLAINT
    assert clock(one).is_running
    assert not make.clocks(ticket=other, obligation="resolve")  # one duty, with the earliest receipt
    assert "steps" in lacking(other)


def test_complaints_from_before_there_were_procedures_get_one(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    Ticket.objects.filter(pk=ticket.pk).update(kind=Kind.COMPLAINT)
    assert "steps" in lacking(ticket)
    assert [complaints.begin_lacking(AT + HOUR) for _again in range(2)] == [1, 0]
    assert clock(ticket).due_at == AT + 5 * DAY
    refused(
        "insert into tickets_checklist (ticket_id, version_id, received_at, began_at)"
        " select ticket_id, version_id, received_at, began_at from tickets_checklist",
        saying="one_checklist_per_ticket",
    )


def test_nothing_of_a_complaint_stands_in_the_way_of_an_escalation(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, kind=Kind.COMPLAINT)
    escalation.escalate(ticket, by=cast.rita, at=AT + HOUR, reason="Above my limit")
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR, purpose="holding")
    assert not any(row.is_settled for row in checklists.steps_of(ticket))


def test_the_settings_show_what_publishing_changes_and_keep_what_was_typed(cast: Cast) -> None:
    category = Category.objects.create(contract=cast.contract, name="Damage")
    sam, adam = browser(cast.sam), browser(cast.adam)
    there = f"/settings/procedures/for/{category.pk}/"
    assert "Find the cause" in adam.get(there).content.decode()  # the standard is where one begins
    typed = {"title": "Damage", "text": "- x", "resolve_days": 2, "progress_days": 1, "reason": "=Water"}
    wrong = adam.post(there, typed)
    assert (wrong.status_code, "Line 1" in wrong.content.decode(), "=Water" in wrong.content.decode()) == (
        422,
        True,
        True,
    )
    made = adam.post(there, {**typed, "text": DAMAGE})
    row = ProcedureVersion.objects.get(title="Damage")
    assert made["Location"] == f"/settings/procedures/versions/{row.pk}/"
    shown = sam.get(made["Location"]).content.decode()
    assert "<del class" in shown
    assert "<ins>Make the site safe</ins>" in shown
    assert adam.post(f"{made['Location']}publish/", {"seen": procedures.seal_of(row)}).status_code == 403
    sam.post(f"{made['Location']}publish/", {"seen": "something else"})
    row.refresh_from_db()
    assert row.published_at is None
    sam.post(f"{made['Location']}publish/", {"seen": procedures.seal_of(row)})
    row.refresh_from_db()
    assert row.published_by == cast.sam
    assert "Damage, version 1" in sam.get("/settings/procedures/").content.decode()
    assert browser(cast.rita).get("/settings/procedures/").status_code == 403


def test_the_register_lists_complaints_for_supervisors_and_auditors_without_names(cast: Cast) -> None:
    ticket = complaint(cast, subject="=cmd()")
    other = make.ticket(team=cast.other_team, customer=cast.rhea, kind=Kind.COMPLAINT)
    resolving.write_down(ticket, by=cast.rita, at=AT + HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    there = "/compliance/complaints/?period=2025-03"
    sam, vera = (browser(person).get(there).content.decode() for person in (cast.sam, cast.vera))
    assert (ticket.reference in sam, other.reference in sam) == (True, False)
    assert (ticket.reference in vera, other.reference in vera) == (True, True)
    assert "Installation or repair" in vera
    assert "6 of 6" in vera
    for text in (sam, vera):
        assert cast.carl.name not in text
    assert ticket.reference not in browser(cast.sam).get(f"{there}&state=open").content.decode()
    assert other.reference in browser(cast.vera).get(f"{there}&state=open").content.decode()
    assert browser(cast.rita).get(there).status_code == 403
    answer = browser(cast.vera).post("/compliance/complaints/export/?period=2025-03")
    assert ticket.reference in b"".join(answer.streaming_content).decode()
    assert TrailEntry.objects.filter(act=Act.EXPORTED, context="export:list.complaints", actor=f"user:{cast.vera.pk}")


# ---------------------------------------------------------------- open again, whatever opened it


@pytest.mark.parametrize("purpose", ["answer", "holding"])
@pytest.mark.parametrize("end", [State.RESOLVED, State.CLOSED])
def test_writing_to_the_customer_after_the_end_takes_the_resolution_back(cast: Cast, end: State, purpose: str) -> None:
    ticket = complaint(cast)
    resolving.write_down(ticket, by=cast.rita, at=AT + 2 * HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    if end == State.CLOSED:
        resolving.record_acceptance(ticket, Acceptance.YES, by=cast.rita, at=AT + 3 * HOUR)
        lifecycle.change_state(ticket, to=State.CLOSED, by=cast.rita, at=AT + 3 * HOUR)
    first = clock(ticket)
    make.answer(ticket=ticket, by=cast.rita, at=AT + 4 * HOUR, purpose=purpose)
    ticket.refresh_from_db()
    again = clock(ticket)
    assert ticket.is_unfinished
    assert resolving.current(ticket) is None
    assert (again.reopens, again.due_at, again.is_running) == (first, AT + 5 * DAY, True)
    assert clock(ticket, "progress_note").is_running
    assert TrailEntry.objects.filter(act=Act.RESOLUTION_UNDONE, subject=ticket.trail_subject).count() == 1


def test_an_answer_that_resolves_and_does_not_arrive_resolved_nothing(cast: Cast) -> None:
    ticket = complaint(cast)
    resolving.write_down(ticket, by=cast.rita, at=AT + 2 * HOUR, **SAID)
    do_steps(ticket, cast.rita, AT + 2 * HOUR)
    said = handling.respond(
        ticket, by=cast.rita, at=AT + 2 * HOUR, body="Done.", seen_through=make.on_screen(ticket=ticket),
        then=State.RESOLVED,
    )  # fmt: skip
    assert Ticket.objects.get(pk=ticket.pk).state == State.RESOLVED
    make.refuse(interaction=said, at=AT + 3 * HOUR)
    assert Ticket.objects.get(pk=ticket.pk).state == State.OPEN
    assert resolving.current(ticket) is None
    assert (clock(ticket).is_running, clock(ticket).due_at) == (True, AT + 5 * DAY)


def test_what_is_marked_complex_after_its_end_is_to_be_resolved_again(cast: Cast) -> None:
    ticket = complaint(cast)
    resolving.write_down(ticket, by=cast.rita, at=AT + 2 * HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    escalation.escalate(ticket, by=cast.rita, at=AT + 3 * HOUR, reason="It is about a lawsuit")
    assert Ticket.objects.get(pk=ticket.pk).state == State.OPEN
    assert clock(ticket).is_running
    assert resolving.current(ticket) is None


def test_what_is_merged_into_a_resolved_complaint_opens_it_with_its_clock(cast: Cast) -> None:
    ticket = complaint(cast)
    resolving.write_down(ticket, by=cast.rita, at=AT + 2 * HOUR, **SAID)
    resolve(ticket, cast.rita, AT + 2 * HOUR)
    new = make.ticket(team=cast.team, customer=cast.carl, received_at=AT + 3 * HOUR)
    merging.merge(new, into=ticket, by=cast.rita, at=AT + 4 * HOUR)
    assert Ticket.objects.get(pk=ticket.pk).state == State.OPEN
    assert clock(ticket).is_running
    assert resolving.current(ticket) is None
    assert Ticket.objects.get(pk=ticket.pk).next_obligation == "respond"


# ---------------------------------------------------------------- merged, and separated again


def test_a_complaint_counts_from_the_earliest_receipt_of_what_was_merged(cast: Cast) -> None:
    early = make.ticket(team=cast.team, customer=cast.carl, received_at=AT)
    late = make.ticket(team=cast.team, customer=cast.carl, received_at=AT + 5 * HOUR, assignee=cast.rita)
    merging.merge(early, into=late, by=cast.rita, at=AT + 6 * HOUR)
    lifecycle.retype(late, by=cast.rita, at=AT + 6 * HOUR, kind=Kind.COMPLAINT)
    assert (clock(late).starts_at, clock(late).due_at) == (AT, AT + 5 * DAY)
    assert Checklist.objects.get(ticket=late).received_at == AT


def test_separating_a_complaint_leaves_the_other_as_it_was(cast: Cast) -> None:
    one = complaint(cast)
    category = Category.objects.create(contract=cast.contract, name="Damage")
    Ticket.objects.filter(pk=one.pk).update(category=category)
    other = make.ticket(team=cast.team, customer=cast.carl, received_at=AT + HOUR, assignee=cast.rita)
    merging.merge(one, into=other, by=cast.rita, at=AT + 2 * HOUR)
    merging.unmerge(one, by=cast.rita, at=AT + 3 * HOUR)
    other.refresh_from_db()
    assert (other.kind, other.category) == (Kind.UNTYPED, None)
    assert complaints.checklist_of(other) is None
    assert not [row for row in make.clocks(ticket=other) if row.obligation in complaints.CLOCKS and row.is_running]
    assert clock(one).is_running
    assert complaints.checklist_of(one) is not None
