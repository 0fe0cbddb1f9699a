"""The loops of clause 8 at once, by workers with connections of their own, and by workers killed in the middle."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connections

from audits import corrective, measures, noncompliance
from audits.models import Measure, Membership, NonCompliance
from csp import deadlines, loops
from csp.models import Breach, Deadline, Notice, Restriction, TrailEntry
from tests import factories as make
from tests.cast import Cast
from tests.kill.killing import kill_again_and_again

AFTER = make.AT + make.DAY + make.SECOND
WORKERS = 4


def at_once(loop: Callable[[], int]) -> list[int]:
    """Run a loop in several workers, started together; what each of them did."""
    done: list[int] = []
    failed: list[BaseException] = []
    start = threading.Barrier(WORKERS)

    def work() -> None:
        try:
            start.wait(10)
            total = 0
            while step := loop():
                total += step
            done.append(total)
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _number in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert failed == []
    return done


def broken(cast: Cast, *, tickets: int) -> None:
    for number in range(tickets):
        team, customer = ((cast.team, cast.carl), (cast.other_team, cast.rhea))[number % 2]
        make.ticket(team=team, customer=customer)
    loops.run_dry(deadlines.sweep, AFTER)


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_give_each_breach_one_place_and_each_team_one_case(cast: Cast) -> None:
    broken(cast, tickets=20)
    done = at_once(lambda: noncompliance.pull(AFTER, limit=3))
    opening = Breach.objects.filter(obligation__in=noncompliance.OPENING)
    assert sum(done) == Membership.objects.count() == opening.count() == 40
    assert NonCompliance.objects.count() == 2
    assert Deadline.objects.filter(obligation="correct").count() == 2
    assert TrailEntry.objects.filter(act="noncompliance.reported").count() == 2


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_propose_one_measure_and_end_one_once(cast: Cast) -> None:
    broken(cast, tickets=2)
    loops.run_dry(noncompliance.pull, AFTER)
    late = AFTER + dt.timedelta(days=7) + make.SECOND
    loops.run_dry(deadlines.sweep, late)
    assert sum(at_once(lambda: corrective.climb(late, limit=1))) == 2
    assert Measure.objects.filter(rule="overdue").count() == 2
    case = NonCompliance.objects.filter(team=cast.team).get()
    measure = measures.propose(
        case, kind=Measure.Kind.OVERSIGHT, aim=Measure.Aim.PERSON, person=cast.rita, reason="x", by=cast.sam, at=AFTER
    )
    measures.hear(measure, by=cast.rita, at=AFTER, statement="")
    second = make.person(name="Sue Second", role="supervisor", team=cast.team)  # type: ignore[arg-type]  # its value
    measures.decide(measure, adopt=True, why="x", by=second, at=AFTER, ends_at=late)
    assert sum(at_once(lambda: measures.end_by_time(late))) == 1
    assert Restriction.objects.get().ends_at == late
    assert TrailEntry.objects.filter(act="measure.ended").count() == 1


def report_and_climb() -> None:
    late = AFTER + dt.timedelta(days=7) + make.SECOND
    while noncompliance.pull(AFTER, limit=2) + deadlines.sweep(late, limit=2) + corrective.climb(late, limit=1):
        pass


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_workers_killed_in_the_middle_leave_each_effect_exactly_once(cast: Cast) -> None:
    days = range(12)
    for day in days:  # a case for each day
        make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT - day * make.DAY, assignee=cast.rita)
    loops.run_dry(deadlines.sweep, AFTER)
    kill_again_and_again(report_and_climb, kills=15, seed=81, longest=0.15)
    for _time in range(2):
        report_and_climb()
        assert Membership.objects.count() == 2 * len(days)
        assert NonCompliance.objects.count() == len(days)
        assert Deadline.objects.filter(obligation="correct", state="breached").count() == len(days)
        assert Measure.objects.filter(rule="overdue").count() == len(days)
        assert Measure.objects.filter(rule="third_breach").count() == 1
        told = Notice.objects.filter(user=cast.sam, kind="case").values_list("key", flat=True)
        assert len(told) == len(set(told)) >= len(days)
