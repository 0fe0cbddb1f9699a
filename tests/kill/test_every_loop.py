"""Every loop that rules alone drive, killed at random over half a year of a living company and run twice.

The company is the demonstration's, small. The same half year passes in two copies of its database: in one undisturbed,
in the other with kills after random claims, and then once more from the start. Both must hold the same in the end.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from django.db.models import Count

from csp import clock, loops, trail
from csp.demo import making
from csp.demo.plan import plan
from tests.kill.killing import kill_again_and_again
from tests.kill.reconcile import trails_with_gaps

LONG = bool(os.environ.get("CSP_CHAOS"))
KILLS = 150 if LONG else 25
SMALL = functools.partial(plan, tickets=40, desk=(41, 24, 78, 150, -41, 9))

# How far on each judgement is: reminders, breaches, the week of a correction, the quiet days of a resolved ticket, a
# month, the six months of a refresher and of a review.
LATER = [dt.timedelta(days=days) for days in (0.9, 1.2, 3, 8, 9, 31, 100, 184, 200)]

# The loops that such a company surely gives something to do. The others are killed beside them, idle.
HAS_WORK = {
    "remind", "sweep", "escalate", "take_up", "report", "climb", "require", "limit_late", "rounds", "statements",
    "reviews", "unsorted", "close", "surveys", "terms", "routine", "retention", "notify",
}  # fmt: skip

# What tells rows of a table apart in a count, where a table has it.
TELLING = ("act", "kind", "state", "obligation", "origin", "outcome", "purpose", "rule", "why", "finished_how")


def pass_half_a_year(start: dt.datetime, reached: Path | None = None) -> None:
    """Run every loop at each instant; with a file at REACHED, from the instant on that an earlier one had come to.

    A clock does not go back when somebody is killed: loops that ran are run again, but at that same instant. What is
    mailed of an instant would else be parted differently, for a mail collects the notices that are there.
    """
    first = int(reached.read_text()) if reached and reached.exists() else 0
    with trail.source("kill test"):
        for number, later in enumerate(LATER[first:], first):
            if reached:
                reached.with_suffix(".new").write_text(str(number))
                reached.with_suffix(".new").replace(reached)
            for loop in loops.RULES.values():
                loops.run_dry(loop, start + later)


def what_stands() -> Counter[tuple[str, ...]]:
    """How many rows of each sort every table of the product has."""
    found: Counter[tuple[str, ...]] = Counter()
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label not in {"csp", "tickets", "feedback", "training", "audits"} or model._meta.proxy:
            continue
        names = {field.name for field in model._meta.concrete_fields} & set(TELLING)
        rows = model._default_manager.order_by().values_list(*sorted(names)).annotate(rows=Count("pk"))
        if names:
            found |= {(model._meta.label, *map(str, row[:-1])): row[-1] for row in rows}
        else:
            found[(model._meta.label,)] = model._default_manager.count()
    return found


class Copy:
    """A second database, with all that stands in the first one now."""

    def __init__(self, name: str) -> None:
        self.name, self.original = name, str(connections["default"].settings_dict["NAME"])
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{self.original}"')

    def enter(self) -> None:
        self._use(self.name)

    def leave(self) -> None:
        self._use(self.original)

    def drop(self) -> None:
        self.leave()
        self._run(f'DROP DATABASE "{self.name}" WITH (FORCE)')

    def _use(self, name: str) -> None:
        connections.close_all()
        connections["default"].settings_dict["NAME"] = name

    def _run(self, statement: str) -> None:
        connections.close_all()
        with connections["default"]._nodb_cursor() as cursor:  # type: ignore[attr-defined]  # Django's own runner's
            cursor.execute(statement)


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killed_again_and_again_every_loop_has_exactly_one_effect(settings: Any, tmp_path: Path) -> None:
    settings.DEMO, settings.ORGANISATION, settings.DATA_DIR = True, "Lakeside Home", tmp_path
    start = clock.now()
    making.make(start, planned=SMALL)

    copy = Copy(f"undisturbed_{os.getpid()}")
    try:
        copy.enter()
        busy = dict.fromkeys(loops.RULES, 0)
        with trail.source("kill test"):
            for later in LATER:
                for name, loop in loops.RULES.items():
                    busy[name] += loops.run_dry(loop, start + later)
        undisturbed = what_stands()
    finally:
        copy.drop()
    assert not {name for name in HAS_WORK if not busy[name]}
    killed_times = kill_again_and_again(
        lambda: pass_half_a_year(start, tmp_path / "reached"), kills=KILLS, seed=4790, longest=0.4, together=1
    )
    assert killed_times >= KILLS // 2
    for _time in range(2):
        pass_half_a_year(start)
        killed = what_stands()
        assert {
            key: (killed[key], undisturbed[key]) for key in killed | undisturbed if killed[key] != undisturbed[key]
        } == {}
    assert trails_with_gaps() == 0
