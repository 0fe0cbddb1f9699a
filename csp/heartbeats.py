"""Signs of life: what each moving part wrote down last, always by the real clock. Readiness reads them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from csp.models import Heartbeat

# The parts that must move for promises to be kept.
BEAT, WORKER, CLOCK = "beat", "worker", "clock"


def beat(name: str, *, at: dt.datetime, **detail: Any) -> None:
    """Write down that this part is alive; one statement."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, beat_at=at, detail=detail)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["beat_at", "detail"],
    )


def last() -> dict[str, dt.datetime]:
    """When each part last gave a sign."""
    return dict(Heartbeat.objects.values_list("name", "beat_at"))
