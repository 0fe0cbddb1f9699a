"""Celery's beat, which also says that it is alive. It keeps nothing: what is late is found by the loops."""

from __future__ import annotations

import logging
from typing import Any

from celery.beat import Scheduler
from django.db import DatabaseError, connection

from csp import clock, heartbeats, tasks

log = logging.getLogger(__name__)

SAY_SO_EVERY = 5.0  # seconds


class Beat(Scheduler):  # type: ignore[misc]  # celery comes without types
    """The rings are few and start afresh with the process, so nothing of them is stored."""

    _said_at = 0.0

    def setup_schedule(self) -> None:
        super().setup_schedule()
        self.merge_inplace(tasks.schedule())

    def tick(self, *args: Any, **kwargs: Any) -> float:
        wait: float = super().tick(*args, **kwargs)
        now = clock.now()
        if abs(now.timestamp() - self._said_at) >= SAY_SO_EVERY:
            self._said_at = now.timestamp()
            try:
                heartbeats.beat(heartbeats.BEAT, at=now)
            except DatabaseError:
                log.exception("No sign of life could be written")
                connection.close()
        return min(wait, SAY_SO_EVERY)
