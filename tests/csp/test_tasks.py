"""What beat rings for: every loop has a ring, a failing one stops no other, signs of life are written."""

import datetime as dt
import logging
import time

import pytest
from django.db import connections

from csp import clock, heartbeats, loops, tasks
from csp.beat import Beat
from csp.celery import app
from csp.deadlines import SETTLING
from csp.models import Heartbeat


def test_every_loop_is_rung_for() -> None:
    rung = set(loops.ON_TIME.values()) | set(tasks.WORK.values())
    assert rung == set(loops.ON_TIME.values()) | set(loops.RULES.values()) | set(loops.DOORS.values()) | set(
        loops.RECORD.values()
    )


def test_the_clock_rings_every_two_seconds_on_a_queue_of_its_own() -> None:
    entry = tasks.schedule()["clock"]
    assert entry == {"task": "csp.clock", "schedule": 2, "options": {"queue": "clock", "expires": 2}}


def test_a_failing_loop_is_logged_once_and_the_next_one_runs(db: None, monkeypatch, caplog) -> None:
    ran = []

    def fails(at: dt.datetime) -> int:
        raise RuntimeError("poisoned")

    def works(at: dt.datetime) -> int:
        ran.append(at)
        return 0

    monkeypatch.setattr(loops, "ON_TIME", {"settle": fails, "sweep": works})
    with caplog.at_level(logging.ERROR):
        tasks.keep_time()
    assert len(ran) == 1
    assert [record.message for record in caplog.records] == ["The loop settle failed; it runs again at the next ring"]
    assert Heartbeat.objects.filter(name=heartbeats.CLOCK).exists()


def test_the_sweep_alone_judges_a_moment_ago(db: None, monkeypatch) -> None:
    seen = {}

    def remember(name: str):
        return lambda at: seen.update({name: at}) or 0

    monkeypatch.setattr(loops, "ON_TIME", {name: remember(name) for name in ("settle", "sweep", "escalate")})
    before = clock.now()
    tasks.keep_time()
    after = clock.now()
    assert before <= seen["settle"] <= after
    assert before <= seen["escalate"] <= after
    assert before - SETTLING <= seen["sweep"] <= after - SETTLING


def test_a_loop_runs_until_it_finds_nothing(db: None, monkeypatch) -> None:
    left = [3, 2, 0, 5]
    monkeypatch.setitem(tasks.WORK, "notify", lambda at: left.pop(0))
    tasks.work("notify")
    assert left == [5]
    assert Heartbeat.objects.filter(name=heartbeats.WORKER).exists()


def test_a_loop_makes_room_for_others_after_a_while(db: None, monkeypatch) -> None:
    monkeypatch.setattr(tasks, "PATIENCE", 0.05)
    monkeypatch.setitem(tasks.WORK, "notify", lambda at: time.sleep(0.01) or 1)
    tasks.work("notify")  # comes back


def test_one_loop_is_not_run_by_two_workers_at_once(db: None, monkeypatch) -> None:
    ran = []
    monkeypatch.setitem(tasks.WORK, "notify", lambda at: ran.append(at) or 0)
    other = connections["default"].copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(hashtext('csp.work'), hashtext('notify'))")
        tasks.work("notify")
        assert ran == []
    finally:
        other.close()  # whoever held it is gone, and so is the lock
    for _attempt in range(100):
        tasks.work("notify")
        if ran:
            break
        time.sleep(0.02)
    assert len(ran) == 1


def test_beat_rings_for_the_schedule_and_says_that_it_is_alive(db: None, valkey_url: str) -> None:
    app.loader.import_default_modules()
    scheduler = Beat(app, lazy=False)
    assert set(tasks.schedule()) <= set(scheduler.schedule)
    wait = scheduler.tick()
    assert 0 <= wait <= 5
    assert Heartbeat.objects.get(name=heartbeats.BEAT).beat_at <= clock.now()


@pytest.mark.django_db
def test_a_sign_of_life_replaces_the_one_before(django_assert_num_queries) -> None:
    now = clock.now()
    heartbeats.beat("x", at=now - dt.timedelta(hours=1), frozen=True)
    with django_assert_num_queries(1):
        heartbeats.beat("x", at=now, frozen=False)
    row = Heartbeat.objects.get(name="x")
    assert (row.beat_at, row.detail) == (now, {"frozen": False})


def test_every_cadence_names_a_loop() -> None:
    """A name that nobody bears would ring at the slow default instead."""
    assert set(tasks.EVERY) <= set(tasks.WORK)
