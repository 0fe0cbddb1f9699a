"""`tick` and `obligations`, as an operator uses them."""

import datetime as dt
import json

import pytest
from django.core.management import CommandError, call_command

from csp.models import Breach, Heartbeat, TrailEntry
from tests import factories as make
from tests.cast import Cast


def printed(capsys, *arguments: str):
    call_command(*arguments)
    return json.loads(capsys.readouterr().out)


def test_a_tick_after_a_day_breaks_what_nobody_answered_and_the_next_finds_nothing(cast: Cast, capsys) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    at = (make.AT + make.DAY + make.SECOND).isoformat()
    first = printed(capsys, "tick", "--json", "--at", at)
    assert dt.datetime.fromisoformat(first["at"]) == make.AT + make.DAY + make.SECOND
    assert {"settle", "remind", "sweep", "escalate", "notify"} <= set(first["done"])
    assert first["done"]["sweep"] == 3
    assert first["done"]["escalate"] == 2
    again = printed(capsys, "tick", "--json", "--at", at)
    # but for the mails that were tried again in vain: that changes their rows, and the marks of these are sealed
    assert {name: count for name, count in again["done"].items() if count and name != "seal"} == {}
    assert TrailEntry.objects.filter(source="command tick").exists()


def test_a_tick_prints_one_line_for_each_loop_and_gives_a_sign_of_life_by_the_real_clock(cast: Cast, capsys) -> None:
    call_command("tick", "--at", make.AT.isoformat())
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith("sweep")] == [["sweep", "0"]]
    assert Heartbeat.objects.get(name="tick").beat_at > make.AT + make.DAY


@pytest.mark.parametrize("text", ["tomorrow", "2025-13-01T00:00:00Z", "", "24h"])
def test_an_instant_that_is_none_is_refused_with_an_example(db, text: str) -> None:
    with pytest.raises(CommandError, match="2026-03-02T09:00:00"):
        call_command("tick", "--at", text)


def test_an_instant_without_an_offset_is_refused(db) -> None:
    with pytest.raises(CommandError, match="offset"):
        call_command("tick", "--at", "2025-03-04T09:00:00")


def test_the_future_is_for_development_only(cast: Cast, settings) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    settings.DEVELOPMENT = False
    with pytest.raises(CommandError, match="future"):
        call_command("tick", "--at", "2999-01-01T00:00:00Z")
    assert not Breach.objects.exists()
    settings.DEVELOPMENT = True
    call_command("tick", "--at", "2999-01-01T00:00:00Z", "--json")
    assert Breach.objects.filter(obligation__in=["acknowledge", "respond"]).count() == 2


def test_obligations_are_listed_with_exactly_these_keys(cast: Cast, capsys) -> None:
    first = make.ticket(team=cast.team, customer=cast.carl)
    second = make.ticket(team=cast.team, customer=cast.rhea, received_at=make.AT + make.HOUR)
    make.answer(ticket=second, by=cast.rita, at=make.AT + 2 * make.HOUR, accepted_at=make.AT + 2 * make.HOUR)
    make.tick(at=make.AT + make.DAY + make.SECOND)
    make.answer(
        ticket=first, by=cast.rita, at=make.AT + 25 * make.HOUR, accepted_at=make.AT + 25 * make.HOUR
    )  # fmt: skip
    every = printed(capsys, "obligations", "--json")
    # two promises and a precaution for each ticket, and one correction for what was broken
    assert [row["clause"] for row in every].count("3.1") == 4
    assert len(every) == 8  # and the clock of what was handed up
    assert {tuple(row) for row in every} == {
        ("clause", "obligation", "subject", "due", "state", "breached_at", "met_at")
    }  # fmt: skip
    breached = printed(capsys, "obligations", "--json", "--breached")
    assert {(row["obligation"], row["subject"], row["state"]) for row in breached} == {
        ("acknowledge", first.reference, "met_late"),
        ("respond", first.reference, "met_late"),
        ("triage", first.reference, "met_late"),
    }
    due = (make.AT + make.DAY).isoformat()
    assert {(row["due"], row["breached_at"]) for row in breached if row["clause"] == "3.1"} == {(due, due)}
    opened = printed(capsys, "obligations", "--json", "--open")
    assert {row["obligation"] for row in opened} == {"correct", "take_up"}
    of_second = printed(capsys, "obligations", "--json", "--subject", second.reference)
    assert {row["subject"] for row in of_second} == {second.reference}
    assert printed(capsys, "obligations", "--json", "--subject", str(second.pk)) == of_second
    assert printed(capsys, "obligations", "--json", "--subject", "#0") == []


def test_obligations_are_a_table_for_people(cast: Cast, capsys) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    call_command("obligations", "--open")
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["subject", "clause"]
    assert len(rows) == 3
    assert all(row.startswith(ticket.reference) for row in rows)
