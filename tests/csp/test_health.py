"""Readiness: machinery only, each reason on its own, and nothing personal in any of them."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client

from csp import clock, heartbeats
from csp.models import Mailbox, OutboundMessage
from csp.views import health
from tests.cast import Cast

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def alive(db: None) -> dt.datetime:
    now = clock.now()
    for part in (heartbeats.BEAT, heartbeats.WORKER, heartbeats.CLOCK):
        heartbeats.beat(part, at=now, frozen=False)
    return now


def reasons(client: Client) -> list[str]:
    response = client.get("/health/ready")
    said = response.json()
    assert response.status_code == (503 if said["reasons"] else 200)
    assert said["ready"] is (not said["reasons"])
    assert "no-store" in response["Cache-Control"]
    return said["reasons"]


def test_live_needs_no_database_and_no_sign_in(client: Client) -> None:
    response = client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "live"})


def test_ready_when_every_part_gave_a_sign_of_life(client: Client, alive: dt.datetime) -> None:
    assert reasons(client) == []


def test_a_fresh_machine_says_which_parts_never_moved(client: Client, db: None) -> None:
    assert [reason.split(":")[0] for reason in reasons(client)] == ["beat", "worker", "clock"]


@pytest.mark.parametrize("part", [heartbeats.BEAT, heartbeats.WORKER, heartbeats.CLOCK])
def test_each_part_may_be_silent_for_a_minute(client: Client, alive: dt.datetime, part: str) -> None:
    heartbeats.beat(part, at=alive - MINUTE + dt.timedelta(seconds=5))
    assert reasons(client) == []
    heartbeats.beat(part, at=alive - MINUTE - dt.timedelta(seconds=1))
    [reason] = reasons(client)
    assert reason.startswith(f"{part}: ")


def test_an_acceptance_that_is_not_acted_on_is_said(client: Client, alive: dt.datetime) -> None:
    heartbeats.beat(heartbeats.CLOCK, at=alive, unsettled_since=(alive - MINUTE).isoformat())
    assert reasons(client) == []
    heartbeats.beat(heartbeats.CLOCK, at=alive, unsettled_since=(alive - 3 * MINUTE).isoformat())
    [reason] = reasons(client)
    assert reason.startswith("settling: ")


def test_a_message_may_wait_for_five_minutes(client: Client, alive: dt.datetime) -> None:
    row = OutboundMessage(
        dedupe_key="a", message_id="<a@desk.example>", kind="answer", sender="d@desk.example",
        to=["c@northwind.example"], subject="Secret subject", body="b", created_at=alive - 4 * MINUTE,
    )  # fmt: skip
    row.save()
    assert reasons(client) == []
    row.created_at = alive - 6 * MINUTE
    row.save()
    [reason] = reasons(client)
    assert reason.startswith("outbox: ")
    assert "Secret" not in reason
    assert "northwind" not in reason
    row.not_before = alive + MINUTE
    row.save()
    assert reasons(client) == [], "one that is not meant to leave yet is not late"
    row.attempts = 3
    row.save()
    assert len(reasons(client)) == 1, "one that was put off is"


def test_a_mailbox_must_be_fetched_every_ten_minutes(client: Client, cast: Cast, alive: dt.datetime) -> None:
    box = Mailbox.objects.create(
        team=cast.team, address="desk@desk.example", name="Desk", fetch=Mailbox.Fetch.PASSWORD, host="imap.example",
        username="desk", cut_over_at=alive, created_at=alive - 60 * MINUTE, fetched_at=alive - 9 * MINUTE,
    )  # fmt: skip
    assert reasons(client) == []
    Mailbox.objects.update(fetched_at=alive - 11 * MINUTE)
    [reason] = reasons(client)
    assert reason.startswith(f"mailbox {box.pk}: ")
    assert "desk.example" not in reason
    Mailbox.objects.update(fetched_at=None)
    assert len(reasons(client)) == 1, "one that was never fetched counts from when it was made"
    Mailbox.objects.update(is_active=False)
    assert reasons(client) == []
    Mailbox.objects.update(is_active=True, fetch=Mailbox.Fetch.NONE)
    assert reasons(client) == []


def test_a_clock_that_jumped_is_told_by_any_part(client: Client, alive: dt.datetime) -> None:
    heartbeats.beat(heartbeats.CLOCK, at=alive, frozen=True)
    [reason] = reasons(client)
    assert reason.startswith("time: ")


def test_migrations_that_wait_are_told_alone(client: Client, alive: dt.datetime, monkeypatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("delete from django_migrations where app = 'tickets'")
    [reason] = reasons(client)
    assert reason.startswith("migrations: ")


def test_a_database_that_is_away_is_a_reason_and_no_error(client: Client, db: None, monkeypatch) -> None:
    from django.db import OperationalError

    def away() -> int:
        raise OperationalError("connection to server at secret-host failed")

    monkeypatch.setattr(health, "_migrations_waiting", away)
    assert reasons(client) == ["database: cannot be reached (OperationalError)"]
