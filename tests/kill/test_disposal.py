"""Disposal killed at work, done by many at once, and while holds are placed: each record goes once, or stays."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from audits import retention
from csp import disposing, holding, trail, verifying
from csp.access import Refused
from csp.events import Act
from csp.models import Deadline, Disposal, DisposalItem, Hold, TrailEntry
from tests import factories as make
from tests.cast import Cast
from tests.contract.test_4_3_retention import CLOSED, KEPT
from tests.kill.killing import kill_again_and_again
from tests.kill.reconcile import trails_with_gaps
from tests.kill.test_concurrency import at_once
from tickets.models import Ticket

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

LONG = bool(os.environ.get("CSP_CHAOS"))
TICKETS = 8_000 if LONG else 1_000
KILLS = 200 if LONG else 14
AT = KEPT + make.DAY


def closed(cast: Cast, count: int) -> list[int]:
    make.many_tickets(count=count, team=cast.team, customer=cast.carl, received_at=[CLOSED - make.DAY])
    Ticket.objects.update(state="closed", closed_at=CLOSED, next_obligation="", next_due_at=None)
    while retention.set_terms(CLOSED):
        pass
    assert not Ticket.objects.exclude(keep_until=KEPT).exists()
    return list(Ticket.objects.order_by("pk").values_list("pk", flat=True))


def approved(cast: Cast) -> Disposal:
    row = disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=AT)
    return disposing.approve(row, by=cast.sam, at=AT)


@pytest.mark.chaos
def test_killed_again_and_again_each_record_goes_once_and_held_ones_stay(
    cast: Cast, settings: Any, tmp_path: Path
) -> None:
    numbers = closed(cast, TICKETS)
    row = approved(cast)
    held = set(numbers[:: TICKETS // 10])
    for number in held:
        holding.place(Ticket.objects.get(pk=number), team=cast.team, by=cast.sam, at=AT, reason="A claim")

    def work() -> None:
        with trail.source("kill test"):
            while disposing.carry_out(retention.ROOTS, AT, limit=10):
                pass

    for seed in range(8):  # on a slow machine lives are longer, so that something is done between the kills
        kill_again_and_again(work, kills=KILLS, seed=seed, longest=0.5 * (seed + 1))
        if row.items.exclude(outcome="").exists():
            break
    assert 0 < row.items.exclude(outcome="").count() < TICKETS, "the kills fell before the first commit, or after all"
    for _time in range(2):
        while retention.carry_out(AT):
            pass
        assert set(Ticket.objects.values_list("pk", flat=True)) == held
        assert Deadline.objects.filter(obligation="respond").count() == len(held)
        assert row.items.filter(outcome="disposed").count() == TICKETS - len(held)
        assert TrailEntry.objects.filter(act=Act.DISPOSED, subject__startswith="ticket:").count() == TICKETS - len(held)
        assert TrailEntry.objects.filter(act=Act.DISPOSAL_FINISHED).count() == 1
        row.refresh_from_db()
        assert json.loads(row.certificate)["records"] == {"disposed": TICKETS - len(held), "spared": len(held)}
    assert trails_with_gaps() == 0
    settings.CHECKPOINT_DIR = tmp_path  # of this trail there are no checkpoints
    with connection.cursor() as cursor:
        cursor.execute("select csp_trail_seal(1000000)")
    latest = TrailEntry.objects.latest("recorded_at").recorded_at
    assert [str(one) for one in verifying.verify(latest)][:5] == []


def test_workers_at_once_and_holds_placed_meanwhile_end_in_one_way_for_each_record(cast: Cast) -> None:
    numbers = closed(cast, 60)
    row = approved(cast)

    def hold(some: list[int]) -> None:
        for number in some:
            ticket = Ticket.objects.filter(pk=number).first()
            with contextlib.suppress(Refused):  # it went before
                if ticket is not None:
                    holding.place(ticket, team=cast.team, by=cast.sam, at=AT, reason="A claim")

    def work() -> None:
        while disposing.carry_out(retention.ROOTS, AT, limit=3):
            pass

    raised = at_once(work, work, work, lambda: hold(numbers[::-1]), lambda: hold(numbers[::2]))
    assert raised == []
    work()
    held = set(Hold.objects.standing().values_list("number", flat=True))
    assert set(Ticket.objects.values_list("pk", flat=True)) == held, "a held record went, or one went by half"
    assert set(row.items.filter(outcome="spared").values_list("number", flat=True)) == held
    assert not DisposalItem.objects.filter(outcome="").exists()
    assert trails_with_gaps() == 0
    # nor does a hold on the customer meet a half-gone ticket
    more = closed(cast, 20)
    fresh = [number for number in more if number not in held]
    if fresh:
        approved(cast)
        assert at_once(
            work, lambda: holding.place(cast.carl, team=cast.team, by=cast.sam, at=AT, reason="A claim")
        ) == []  # fmt: skip
        work()
        cast.carl.refresh_from_db()
        left = Ticket.objects.filter(pk__in=fresh).count()
        assert left in range(len(fresh) + 1)
        assert cast.carl.erased_at is None
