"""The clock is killed in the middle of its work, again and again, and each promise is broken once and told once."""

from __future__ import annotations

import os

import pytest

from audits import noncompliance
from csp import deadlines, loops, trail
from csp.models import Breach
from tests import factories as make
from tests.cast import Cast
from tests.kill.killing import kill_again_and_again
from tests.kill.reconcile import clock_is_whole
from tickets import escalation

LONG = bool(os.environ.get("CSP_CHAOS"))
TICKETS = 4_000 if LONG else 1_000
KILLS = 200 if LONG else 30
# Small batches, so that kills fall before, between and after many commits.
BATCH = 20

AFTER = make.AT + make.DAY + make.SECOND


def keep_time() -> None:
    with trail.source("kill test"):
        while (
            deadlines.sweep(AFTER, limit=BATCH)
            + escalation.pull(AFTER, limit=BATCH)
            + noncompliance.pull(AFTER, limit=BATCH)
        ):
            pass


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_clocks_killed_after_their_first_claim_break_each_promise_exactly_once(cast: Cast) -> None:
    make.many_tickets(count=TICKETS, team=cast.team, customer=cast.carl, received_at=[make.AT], assignee=cast.rita)
    killed = kill_again_and_again(keep_time, kills=KILLS, seed=4790, longest=0.15)
    assert killed >= KILLS
    assert 0 < Breach.objects.count() < 2 * TICKETS, "the kills fell before the first commit, or after all of the work"
    for _time in range(2):
        for loop in loops.ON_TIME.values():
            loops.run_dry(loop, AFTER)
        assert clock_is_whole(tickets=TICKETS, people=2) == {}
