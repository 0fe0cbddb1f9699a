"""Whether sealing keeps up: 500 entries a second are written for some seconds while the sealer runs beside them.

    DATABASE_URL=postgres://... python -m benchmarks.sealing [SECONDS [PER_SECOND]]

It works in the database that DATABASE_URL names, which must be a scratch one. Each entry comes with a changed row of
evidence, whose mark is sealed too. It fails if an entry waits longer than ten seconds, the sealer's beat, and says how
many entries a second the sealer takes when it works off a heap.
"""

from __future__ import annotations

import os
import sys
import threading
import time

import django

BATCH = 50


def main(seconds: int, per_second: int) -> None:
    from django.db import connection, transaction

    from csp import clock, sealing, trail
    from csp.events import Act
    from csp.models import TrailPending

    def write(start: int, count: int) -> None:
        at = clock.now()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "insert into csp_customer (name, organisation, language, zone, note, created_at) "
                "select 'bench', '', '', '', '', now() from generate_series(1, %s)",
                [count],
            )
            trail.record_all(
                trail.Entry(Act.CUSTOMER_CHANGED, f"bench:{time.time_ns()}:{number}", by="bench", at=at)
                for number in range(start, start + count)
            )

    def seal_all() -> int:
        total = 0
        while done := sealing.seal(clock.now()):
            total += done
        return total

    seal_all()
    stop, longest = threading.Event(), [0.0]

    def sealer() -> None:
        while not stop.is_set():
            with connection.cursor() as cursor:
                cursor.execute(
                    "select coalesce(extract(epoch from clock_timestamp() - min(e.recorded_at)), 0) "
                    "from csp_trailpending p join csp_trailentry e on e.id = p.entry_id"
                )
                longest[0] = max(longest[0], float(cursor.fetchone()[0]))
            seal_all()
            time.sleep(0.5)
        connection.close()

    beside = threading.Thread(target=sealer)
    beside.start()
    began = time.monotonic()
    for number in range(0, seconds * per_second, BATCH):
        write(number, BATCH)
        time.sleep(max(0.0, (number + BATCH) / per_second - (time.monotonic() - began)))
    took = time.monotonic() - began
    stop.set()
    beside.join()
    waiting = TrailPending.objects.count()
    count = seconds * per_second
    print(f"{count} entries in {took:.1f} s ({count / took:.0f}/s); longest wait for a seal "
          f"{longest[0]:.1f} s, {waiting} waiting at the end", flush=True)  # fmt: skip
    seal_all()
    for number in range(0, 10_000, BATCH):
        write(number, BATCH)
    began = time.monotonic()
    rate = seal_all() / (time.monotonic() - began)
    print(f"a heap of 10,000 is sealed at {rate:.0f} entries a second")
    raise SystemExit(longest[0] > 10 or waiting > 10 * per_second or rate < per_second)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csp.settings")
    django.setup()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, int(sys.argv[2]) if len(sys.argv) > 2 else 500)
