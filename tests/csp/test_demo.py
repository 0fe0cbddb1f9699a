"""The demonstration: made by the product's own verbs, with the stated shares, on its own database alone."""

from __future__ import annotations

import datetime as dt
import functools
import json
import smtplib
import socket
from collections import Counter
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from audits import programme, scoring, statements
from audits.models import Audit, NonCompliance, Review, StatementVersion
from csp import assessing, clock, loops
from csp.demo import company, making, post, ruling, seldom
from csp.demo.matters import matters
from csp.demo.plan import DESK, FIRST, SHARES, TICKETS, plan
from csp.models import (
    Assessment,
    Breach,
    Customer,
    DataRequest,
    Deadline,
    Erasure,
    Hold,
    Lock,
    TrailEntry,
    User,
)
from csp.roles import Role
from feedback import improvements
from feedback.models import Effect, Finding, Recurrence, Remark, Survey, Theme
from tests.cast import Cast
from tickets import cover as tickets_cover
from tickets.models import (
    Approval,
    AuthorityLimit,
    Escalation,
    InboundMessage,
    Interaction,
    Resolution,
    Ticket,
)
from training.models import Completion, PracticeAttempt

NOW = dt.datetime(2026, 6, 10, 14, 20, tzinfo=dt.UTC)
SMALL = functools.partial(plan, tickets=40, desk=(41, 24, 78, 150, -41, 9))


@pytest.fixture
def demonstration(settings, tmp_path: Path):
    settings.DEMO = True
    settings.ORGANISATION = "Lakeside Home"
    settings.DATA_DIR = tmp_path


# ---------------------------------------------------------------- the plan, which is pure


def test_there_are_many_matters_in_two_languages():
    found = Counter(matter.language for matter in matters())
    assert found["en"] >= 55
    assert found["de"] >= 10
    assert {matter.team for matter in matters()} == set(company.TEAMS)
    assert all(matter.has("answer") for matter in matters())


def test_the_plan_has_the_stated_shares():
    planned = plan(NOW)
    outcomes: Counter[str] = Counter()
    for story in planned.history:
        outcomes[story.outcome] += story.tickets
    outcomes["breached"] += sum(1 for due in DESK if due < 0)
    del outcomes["today"]
    assert outcomes.total() == TICKETS
    assert {name: count / TICKETS for name, count in outcomes.items()} == pytest.approx(SHARES, abs=0.002)


def test_the_plan_is_the_same_each_time_and_speaks_of_the_past():
    first, again = plan(NOW), plan(NOW)
    assert [(s.key, s.subject, s.text, s.received_at) for s in first.history] == [
        (s.key, s.subject, s.text, s.received_at) for s in again.history
    ]
    assert all(story.received_at < NOW for story in (*first.history, *first.desk))
    assert not any("{" in story.subject + story.text for story in (*first.history, *first.desk))


def test_the_first_page_has_work_for_every_hour():
    due = DESK[:FIRST]
    assert any(minutes < 0 for minutes in due)
    assert any(0 <= minutes <= 60 for minutes in due)
    assert any(60 < minutes <= 240 for minutes in due)
    assert any(minutes > 240 for minutes in due)


# ---------------------------------------------------------------- made


@pytest.mark.slow
def test_it_is_made_with_the_stated_shares_and_goes_on_after_a_kill(db, demonstration, monkeypatch: pytest.MonkeyPatch):
    at = clock.now()
    real, told = making.tell, 0

    class Killed(BaseException):
        pass

    def dies_in_the_middle(*args):
        nonlocal told
        told += 1
        if told == 13:
            raise Killed
        real(*args)

    monkeypatch.setattr(making, "tell", dies_in_the_middle)
    with pytest.raises(Killed):
        making.make(at, planned=SMALL)
    monkeypatch.setattr(making, "tell", real)
    assert Ticket.objects.exists()

    lines: list[str] = []
    making.make(at + dt.timedelta(hours=5), planned=SMALL, say=lines.append)
    making.make(at + dt.timedelta(hours=6), planned=SMALL, say=lines.append)
    assert lines[-1] == "The demonstration is complete."
    assert making.age(at + dt.timedelta(hours=30)) == dt.timedelta(hours=30)

    planned = SMALL(at)
    keys = InboundMessage.objects.filter(message_id__startswith="<first.")
    assert keys.count() == len(planned.desk) + len(planned.history) - 1  # whoever was erased has none any more
    old = Ticket.objects.filter(received_at__lt=at - dt.timedelta(days=1)).exclude(origin=Ticket.Origin.PRACTICE)
    states = Counter(old.values_list("respond__state", flat=True))
    assert states.total() == 40
    assert states == {
        Deadline.State.MET: 37,
        Deadline.State.MET_LATE: round(SHARES["late"] * 40),
        Deadline.State.BREACHED: round(SHARES["breached"] * 40),
    }
    # what was broken stands in the evidence as the product itself would have put it there
    loops.run_dry(loops.RULES["escalate"], clock.now())  # what came due meanwhile, the clock finds by itself
    broken = Deadline.objects.filter(state__in=["breached", "met_late"], subject_ref__startswith="#")
    for row in broken.exclude(obligation="take_up").select_related("breach"):  # that one climbs instead
        assert row.breach.breached_at == row.due_at
        assert row.breach.escalation_cause.escalation.ticket_id
    assert Escalation.objects.filter(closed_at__isnull=True).exists()
    # each was reported in the same minute, and what is old enough has been corrected in time and judged
    for case in NonCompliance.objects.all():
        assert case.reported_at - case.noticed_at < dt.timedelta(minutes=1)
        assert case.reported_at > at - dt.timedelta(days=10) or case.state in ("verified", "closed"), case.state
    assert not Breach.objects.filter(obligation__in=["correct", "verify", "effect"]).exists()
    assert not Deadline.objects.filter(state="open", due_at__lt=at).exists()
    # one quality audit is finished, with every draw accounted for, and one is being scored
    finished, running = Audit.objects.order_by("state")
    assert (finished.state, running.state) == (Audit.State.CLOSED, Audit.State.RUNNING)
    assert not programme.unfinished(finished)
    assert scoring.result(finished).scored >= 3
    assert programme.unfinished(running)
    # whoever was written to has an acknowledgement, and everything was written before the present
    assert Interaction.objects.filter(purpose="acknowledgement").count() >= 40
    assert not Interaction.objects.filter(recorded_at__gt=at).exists()
    assert InboundMessage.objects.filter(state=InboundMessage.State.UNSORTED).count() >= 4
    assert set(Ticket.objects.values_list("contract__company", flat=True)) == {"Lakeside Home"}
    # customers were asked and have spoken; what was said was seen to in time, found, and acted on
    assert Survey.objects.filter(used_at__isnull=False).exists()
    assert Remark.objects.waiting().exists()
    assert not Breach.objects.filter(obligation__in=["feedback_inbox", "finding", "action_item"]).exists()
    assert Theme.objects.standing().count() == 5
    assert Counter(Finding.objects.values_list("state", flat=True)) == {"acted": 2, "open": 1, "refused": 1}
    assert Effect.objects.count() == Recurrence.objects.filter(group__isnull=False).count() == 1
    [link] = improvements.chain_of(Finding.objects.get(title__startswith="Nobody tells"))
    assert 0 < link.passed < link.owed
    assert Counter(Review.objects.values_list("state", flat=True)) == {"due": 7, "held": 1, "closed": 1}
    for check in (amounts, a_colleague, holds, readings, cover, the_months, exercises, forgotten, locked):
        check(at)


# ---------------------------------------------------------------- what happens once: counted in what was made above


def amounts(at: dt.datetime) -> None:
    rows = Approval.objects.order_by("asked_at")
    assert [(row.decision, row.amount, row.limit) for row in rows] == [
        (Approval.Decision.AGREED, 180, 50), (Approval.Decision.REFUSED, 400, 50),
    ]  # fmt: skip
    assert all(row.decided_by != row.asked_by for row in rows)
    granted = Resolution.objects.filter(amount__isnull=False, resolved_at__isnull=False)
    assert sorted(granted.values_list("amount", flat=True)) == [50, 180]
    in_force = AuthorityLimit.objects.filter(ended_at__isnull=True).values_list("role", "amount")
    assert set(in_force) == {(Role.REPRESENTATIVE, 80), (Role.SUPERVISOR, 500)}


def a_colleague(at: dt.datetime) -> None:
    [ticket] = Ticket.objects.filter(about__isnull=False)
    beth = User.objects.get(name="Beth Calloway")
    assert (ticket.about, ticket.state) == (beth, Ticket.State.CLOSED)
    assert ticket not in Ticket.objects.visible_to(beth)
    assert ticket in Ticket.objects.visible_to(User.objects.get(name="Noor Haddad"))


def holds(at: dt.datetime) -> None:
    [standing] = Hold.objects.standing()
    assert standing.number == Ticket.objects.get(about__isnull=False).pk
    assert Hold.objects.filter(lifted_at__isnull=False).count() == 1


def readings(at: dt.datetime) -> None:
    rows = Assessment.objects.order_by("pk")
    assert [(row.verdict, row.agreed) for row in rows] == [
        ("recorded_late", True), ("not_owed", False), ("unreachable", None),
    ]  # fmt: skip
    others = User.objects.filter(grants__role=Role.SUPERVISOR).exclude(grants__team=rows[2].breach.team)
    assert [list(assessing.waiting_for(user)) for user in others] == [[rows[2]]] * 2
    assert rows[0].files.exists()


def cover(at: dt.datetime) -> None:
    ticket = ruling.told(seldom.UNCOVERED)
    rota = tickets_cover.Rota([ticket.team_id], at=at)
    assert rota.is_uncovered(ticket)
    assert rota.proposed(ticket, {}) not in (None, ticket.assignee)


def the_months(at: dt.datetime) -> None:
    """Whoever counts a signed month again finds what was signed, whatever happened since."""
    versions = StatementVersion.objects.select_related("statement__contract", "statement__deadline")
    assert versions.filter(number=1).count() >= 2
    assert versions.filter(number=2).count() == 1
    for version in versions:
        assert statements.again(version).differs == []
        assert version.number == 2 or version.statement.deadline.state == Deadline.State.MET
    assert sum(json.loads(one.document)["figures"]["all"]["received"] for one in versions.filter(number=1)) > 20


def exercises(at: dt.datetime) -> None:
    rows = PracticeAttempt.objects.order_by("started_at").values_list("user__name", "passed")
    assert list(rows) == [
        ("Noor Haddad", True), ("Owen Pryce", False), ("Owen Pryce", True), ("Mara Oduya", None),
    ]  # fmt: skip
    passed = Completion.objects.filter(version__practice__isnull=False, how=Completion.How.TEST)
    assert set(passed.values_list("user__name", flat=True)) == {"Noor Haddad", "Owen Pryce"}


def forgotten(at: dt.datetime) -> None:
    [erasure] = Erasure.objects.all()
    request = DataRequest.objects.get(kind=DataRequest.Kind.ERASURE, state=DataRequest.State.ANSWERED)
    assert request.reference == erasure.request_ref
    assert erasure.certificate
    assert erasure.finished_at < at - dt.timedelta(days=10)
    assert not Customer.objects.filter(name__contains="Fenwick").exists()
    assert not Interaction.objects.filter(body__contains="Isolde").exists()


def locked(at: dt.datetime) -> None:
    assert set(Lock.objects.standing().values_list("customer__name", flat=True)) == {"Gregory Ashdown"}
    assert not Ticket.objects.visible_to(User.objects.get(name="Jun Takeda")).filter(subject__contains="paid late")
    assert TrailEntry.objects.filter(act="lock.read").count() == 1
    # What becomes of a deadline is recorded under the name of the thing that it is about.
    about = set(Deadline.objects.values_list("context", flat=True))
    recorded = TrailEntry.objects.filter(subject__in=about).values_list("subject", flat=True)
    assert about == set(recorded)


def test_first_there_is_enough_for_the_first_page(db, demonstration):
    making.make(clock.now(), page_only=True, planned=SMALL)
    assert Ticket.objects.unfinished().count() == 6
    assert Ticket.objects.unfinished().filter(assignee__email="idris@lakeside.example").exists()
    assert User.objects.count() == len(company.PEOPLE)


@pytest.mark.parametrize("role", Role)
def test_there_is_somebody_for_every_role_who_can_sign_in(db, demonstration, role: Role):
    company.make(clock.now(), {"Repair"})
    person = next(person for person in company.PEOPLE if person.role == role)
    assert person.email in company.sign_ins()
    assert company.PASSWORD in company.sign_ins()
    assert User.objects.get(email=person.email).check_password(company.PASSWORD)


def test_it_is_refused_on_another_database(db, settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="not the demonstration's database"):
        call_command("demo")
    assert not User.objects.exists()


def test_it_is_refused_beside_somebodys_own_work(cast: Cast, demonstration):
    with pytest.raises(CommandError, match="people or tickets already"):
        call_command("demo")


# ---------------------------------------------------------------- what customers received


def test_the_sink_keeps_what_is_sent_and_the_page_shows_it_as_words(cast: Cast, demonstration, client: Client):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sink = Controller(post.Sink(), hostname="127.0.0.1", port=port)
    sink.start()
    try:
        with smtplib.SMTP("127.0.0.1", port) as server:
            for number, words in enumerate(["We have your message.", "<script>alert(1)</script> & more"], start=1):
                refers = "References: <1@desk.example>\r\n" if number > 1 else ""
                server.sendmail(
                    "desk@example.com",
                    ["carl@example.net"],
                    f"From: Desk <desk@example.com>\r\nTo: carl@example.net\r\nSubject: Hello <b>{number}</b>\r\n"
                    f"Message-ID: <{number}@desk.example>\r\n{refers}\r\n{words}\r\n",
                )
    finally:
        sink.stop(no_assert=True)
    assert len(post.received()) == 2
    client.force_login(cast.rita, backend="csp.access.TableBackend")
    answer = client.get("/demo/post/", {"mailbox": "carl@example.net"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "We have your message." in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    assert "<script>alert" not in page
    assert page.count("<article") == 2
    assert page.count('<section class="card pad stack" aria-label="Hello') == 1  # one thread
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_the_page_is_nowhere_but_in_the_demonstration(cast: Cast, client: Client):
    client.force_login(cast.rita, backend="csp.access.TableBackend")
    with override_settings(DEMO=False):
        assert client.get("/demo/post/").status_code == 404


def test_the_page_wants_a_sign_in(db, demonstration, client: Client):
    assert client.get("/demo/post/").status_code == 302
