"""`./run manage tick`: what the clock would do, once and by hand; any number may run at once."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from csp import clock, heartbeats, loops, trail


class Command(BaseCommand):
    help = "Runs every loop once, each until it finds nothing to do: the doors now, the rules now or at an instant."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at",
            metavar="INSTANT",
            help="judge the rules at this instant, with its offset: 2026-03-02T09:00:00+00:00. "
            "One that is still to come is for development only.",
        )
        parser.add_argument("--json", action="store_true", help="one object: the instant, and what each loop did")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        at = _instant(options["at"], now) if options["at"] is not None else None
        done: dict[str, int] = {}
        with trail.source("command tick"):
            for name, door in loops.DOORS.items():
                done[name] = loops.run_dry(door, clock.now())
            # Without an instant the rules judge the one after the doors: what just left the building counts.
            judged = at or clock.now()
            for name, rule in loops.RULES.items():
                done[name] = loops.run_dry(rule, judged)
            for name, keeper in loops.RECORD.items():
                done[name] = loops.run_dry(keeper, clock.now())
        heartbeats.beat("tick", at=clock.now(), judged=judged.isoformat())
        if options["json"]:
            self.stdout.write(json.dumps({"at": judged.isoformat(), "done": done}))
            return
        for name, count in done.items():
            self.stdout.write(f"{name:<14}{count}")


def _instant(text: str, now: dt.datetime) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise CommandError(
            f"--at {text!r} is no instant. Write it like 2026-03-02T09:00:00+00:00 or 2026-03-02T09:00:00Z."
        ) from None
    if at.tzinfo is None:
        raise CommandError(
            f"--at {text!r} does not say in which offset. Add Z for UTC or an offset such as +01:00: {text.strip()}Z."
        )
    try:
        at = at.astimezone(dt.UTC)
    except OverflowError:
        raise CommandError(f"--at {text!r} lies outside the calendar.") from None
    if at > now and not settings.DEVELOPMENT:
        raise CommandError(
            "--at lies in the future. Only a development installation may look ahead: here it would record "
            "breaches that have not happened, and breaches are never removed. Leave --at out, or name a time past."
        )
    return at
