"""How late a breach is noticed: 10,000 deadlines that fall due within one minute, swept by the real loops every 2 s.

    DATABASE_URL=postgres://... python -m benchmarks.lateness [COUNT]

It works in the database that DATABASE_URL names, which must be a scratch one: what it breaks stays broken. Lateness is
when the breach was written, by the database's clock in the trail, less its due time; it holds the five seconds that the
sweep waits for answers which are still committing, and the beat of two seconds.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import time

import django


def main(count: int) -> None:
    from csp import clock, tasks
    from csp.events import Act
    from csp.models import Breach, Team, TrailEntry
    from tests import factories as make

    team = Team.objects.select_related("contract").order_by("pk")[0]
    address = f"lateness-{time.time_ns()}@northwind.example"
    customer = make.customer(name="Carl Contact", address=address)
    first_due = clock.now() + dt.timedelta(seconds=10)
    receipts = [first_due - make.DAY + dt.timedelta(seconds=60 * index / count) for index in range(count // 2)]
    make.many_tickets(count=count // 2, team=team, customer=customer, received_at=receipts)
    last_due = first_due + dt.timedelta(seconds=60)
    print(f"{count} deadlines fall due in the minute from {first_due:%H:%M:%S} UTC", flush=True)
    rings = 0.0
    while clock.now() < last_due + dt.timedelta(seconds=30):
        started = time.monotonic()
        tasks.keep_time()
        rings = max(rings, time.monotonic() - started)
        time.sleep(max(0.0, tasks.CLOCK_EVERY - (time.monotonic() - started)))
    recorded = {
        int(subject.partition(":")[2]): at
        for subject, at in TrailEntry.objects.filter(act=Act.DEADLINE_BREACHED).values_list("subject", "recorded_at")
    }
    due = Breach.objects.filter(due_at__gte=first_due - dt.timedelta(seconds=1), due_at__lte=last_due)
    late = sorted((recorded[number] - at).total_seconds() for number, at in due.values_list("deadline", "due_at"))
    print(f"{len(late)} breaches; seconds late: p50 {statistics.median(late):.1f}, "
          f"p99 {late[int(len(late) * 0.99) - 1]:.1f}, longest {late[-1]:.1f}; longest ring {rings:.1f} s")  # fmt: skip
    raise SystemExit(len(late) != count or late[int(len(late) * 0.99) - 1] > 15)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csp.settings")
    django.setup()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
