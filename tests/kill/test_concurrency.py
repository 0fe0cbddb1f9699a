"""Real connections at once: sweeps, ticks, answers around the due second, senders, merges that cross."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from django.db import connection, connections, transaction

from csp import deadlines, loops, notices, outbox
from csp.models import Breach, Deadline, Notice, OutboundMessage
from tests import factories as make
from tests.cast import Cast
from tests.conftest import MailServer
from tests.kill.reconcile import clock_is_whole, trails_with_gaps
from tests.tickets.intake.letters import arrive
from tests.tickets.intake.test_threading import report
from tickets import acknowledging, conversation, escalation, merging
from tickets.handling import Refused
from tickets.intake import taking_in
from tickets.models import Escalation, InboundMessage, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

AFTER = make.AT + make.DAY + make.SECOND


def at_once(*works: Callable[[], object]) -> list[BaseException]:
    """Run these in threads that begin together, each with a connection of its own; returns what they raised."""
    start = threading.Barrier(len(works))
    raised: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            start.wait(10)
            work()
        except BaseException as error:
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return raised


def test_eight_ticks_at_once_break_and_tell_each_promise_once(cast: Cast) -> None:
    make.many_tickets(count=60, team=cast.team, customer=cast.carl, received_at=[make.AT], assignee=cast.rita)

    def tick() -> None:
        for loop in loops.ON_TIME.values():
            loops.run_dry(lambda at: loop(at, limit=25), AFTER)  # type: ignore[call-arg]  # noqa: B023  run at once

    assert at_once(*[tick] * 8) == []
    make.tick(at=AFTER)  # what one of them left because another had locked it
    assert clock_is_whole(tickets=60, people=2) == {}


def test_an_answer_that_races_the_sweep_ends_in_one_way(cast: Cast) -> None:
    due = make.AT + make.DAY
    for offset in (-make.SECOND, make.SECOND * 0, make.SECOND):
        ticket = make.ticket(team=cast.team, customer=cast.carl)
        row = make.answer(ticket=ticket, by=cast.rita, at=make.AT)
        raised = at_once(
            lambda row=row, offset=offset: make.accept(interaction=row, at=due + offset),
            lambda: deadlines.sweep(due + make.SECOND),
            lambda: deadlines.sweep(due + make.SECOND),
        )
        assert raised == []
        clock = Deadline.objects.get(pk=ticket.respond_id)
        assert clock.met_at == due + offset
        has_breach = Breach.objects.filter(deadline=clock).exists()
        assert clock.state == (Deadline.State.MET_LATE if has_breach else Deadline.State.MET)
        if offset > make.SECOND * 0:
            assert has_breach
    assert trails_with_gaps() == 0


def test_pulling_at_once_raises_nothing_and_doubles_nothing_while_people_escalate(cast: Cast) -> None:
    tickets = [make.ticket(team=cast.team, customer=cast.carl) for _number in range(6)]
    deadlines.sweep(AFTER)

    def by_hand(some: Sequence[Ticket]) -> None:
        for ticket in some:
            with contextlib.suppress(Refused):  # it is with a supervisor already
                escalation.escalate(ticket, by=cast.rita, at=AFTER, reason="Now")

    raised = at_once(
        *[lambda: loops.run_dry(escalation.pull, AFTER)] * 3,
        lambda: by_hand(tickets),
        lambda: by_hand(tickets[::-1]),
    )
    assert raised == []
    loops.run_dry(escalation.pull, AFTER)
    assert Escalation.objects.count() == 6
    for row in Escalation.objects.all():
        assert "respond" in {cause.breach.obligation for cause in row.causes.all()}


def test_two_merges_that_cross_end_as_one(cast: Cast) -> None:
    for _time in range(5):
        one = make.ticket(team=cast.team, customer=cast.carl)
        other = make.ticket(team=cast.team, customer=cast.carl)
        raised = at_once(
            lambda one=one, other=other: merging.merge(one, into=other, by=cast.rita, at=make.AT),
            lambda one=one, other=other: merging.merge(other, into=one, by=cast.sam, at=make.AT),
        )
        assert [type(error) for error in raised] == [Refused]
        assert Ticket.objects.filter(pk__in=[one.pk, other.pk], merged_into__isnull=True).count() == 1
    assert trails_with_gaps() == 0


def test_verbs_on_merged_tickets_and_their_root_do_not_wait_in_a_circle(cast: Cast) -> None:
    root = make.ticket(team=cast.team, customer=cast.carl)
    child = make.ticket(team=cast.team, customer=cast.carl)
    stale = Ticket.objects.get(pk=child.pk)
    merging.merge(child, into=root, by=cast.rita, at=make.AT)
    raised = at_once(
        *[lambda ticket=ticket: make.message(ticket=ticket, at=make.AT) for ticket in (root, stale, child, root)],
        lambda: merging.link(root, other=stale, kind="related", by=cast.rita, at=make.AT),
    )
    assert raised == []
    assert root.interactions.count() == 5


def test_a_report_that_returns_one_mail_of_several_tickets_does_not_wait_in_a_circle(cast: Cast) -> None:
    first, second = (make.ticket(team=cast.team, customer=cast.carl) for _number in range(2))
    acknowledging.acknowledge(make.AT)
    sent = OutboundMessage.objects.get(kind=OutboundMessage.Kind.ACKNOWLEDGEMENT)
    last = make.ticket(team=cast.team, customer=cast.carl)
    merging.merge(first, into=last, by=cast.rita, at=make.AT)  # of the mail's first ticket the last one speaks now
    row = arrive(report(sent.message_id), at=make.AT + make.HOUR, take_in=False)
    holds = threading.Event()

    def work_on_both() -> None:
        with transaction.atomic():
            conversation.lock(second)
            holds.set()
            wait_for_a_lock()
            conversation.lock(last)

    def take_in() -> None:
        assert holds.wait(10)
        taking_in.take_in_one(row.pk, make.AT + make.HOUR)

    assert at_once(work_on_both, take_in) == []
    row.refresh_from_db()
    assert row.state == InboundMessage.State.THREADED, "at the first go"


def wait_for_a_lock() -> None:
    """Until another connection waits for a row."""
    for _try in range(200):
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from pg_locks where not granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def test_two_senders_send_one_message_once(cast: Cast, mail_server: MailServer, settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = mail_server.host, mail_server.port
    for number in range(20):
        outbox.post(
            kind=OutboundMessage.Kind.NOTICE, dedupe_key=f"m{number}", to=["a@northwind.example"], subject="s",
            body="b", at=make.AT,
        )  # fmt: skip
    assert at_once(*[lambda: loops.run_dry(outbox.deliver, make.AT)] * 3) == []
    sent = [delivery.message["Message-ID"] for delivery in mail_server.deliveries]
    assert len(sent) == len(set(sent)) == 20
    assert set(OutboundMessage.objects.values_list("state", flat=True)) == {"accepted"}


def test_collectors_at_once_send_one_mail_a_minute(cast: Cast) -> None:
    make.many_tickets(count=5, team=cast.team, customer=cast.carl, received_at=[make.AT], assignee=cast.rita)
    deadlines.sweep(AFTER)
    assert at_once(*[lambda: notices.mail_collected(AFTER)] * 4) == []
    assert OutboundMessage.objects.filter(kind="notice").count() == 2
    assert not Notice.objects.filter(mail__isnull=True).exists()
