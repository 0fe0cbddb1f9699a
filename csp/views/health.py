"""Whether the machinery runs, for those who watch machines: no sign-in, no personal data, no promise of ours.

Overdue promises stand on pages. A red answer here means that the product cannot keep any.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from csp import batches, clock, heartbeats
from csp.access import open_to_all
from csp.models import Heartbeat, Mailbox, OutboundMessage

SILENT_AFTER = dt.timedelta(seconds=60)
UNSENT_AFTER = dt.timedelta(minutes=5)
UNSETTLED_AFTER = dt.timedelta(minutes=2)
UNFETCHED_AFTER = dt.timedelta(minutes=10)

PARTS = {
    heartbeats.BEAT: "beat: nothing rings; start `celery -A csp.celery beat`",
    heartbeats.WORKER: "worker: nobody takes in and sends mail; start a Celery worker on the queue work",
    heartbeats.CLOCK: "clock: nobody watches the deadlines; start a Celery worker on the queue clock",
}


@open_to_all
@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "live"})


@open_to_all
@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Whether every part that promises hang on does its work; 503 with the reasons where one does not."""
    try:
        reasons = list(_reasons(clock.now()))
    except DatabaseError as error:
        # The class of the error, not its words: these may name hosts and accounts.
        reasons = [f"database: cannot be reached ({type(error).__name__})"]
        connection.close()
    return JsonResponse({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)


def _reasons(now: dt.datetime) -> Iterator[str]:
    connection.ensure_connection()
    waiting = _migrations_waiting()
    if waiting:
        yield f"migrations: {waiting} not applied; run `manage.py migrate`"
        return  # tables may be missing
    signs = {row.name: row for row in Heartbeat.objects.all()}
    for part, words in PARTS.items():
        sign = signs.get(part)
        if sign is None:
            yield f"{words} (no sign of life yet)"
        elif now - sign.beat_at > SILENT_AFTER:
            yield f"{words} (silent for {_seconds(now - sign.beat_at)})"
    if clock.is_frozen() or any(sign.detail.get("frozen") for sign in signs.values()):
        yield "time: the wall clock jumped and is not believed; look at the time server"
    unsettled = signs[heartbeats.CLOCK].detail.get("unsettled_since") if heartbeats.CLOCK in signs else None
    if unsettled and now - dt.datetime.fromisoformat(unsettled) > UNSETTLED_AFTER:
        yield (
            f"settling: what a mail kept, accepted at {unsettled}, could not be written down; "
            "the clocks of its ticket are not judged; look at the log of the clock"
        )
    stuck = batches.parked(now)
    if first := stuck.first():
        yield (
            f"parked: {stuck.count()} cannot be worked on, first {first.loop} on {first.item} ({first.error}); "
            "look at the log of the worker"
        )
    oldest = (
        OutboundMessage.objects.filter(state=OutboundMessage.State.QUEUED, created_at__lt=now - UNSENT_AFTER)
        .exclude(attempts=0, not_before__gt=now)  # one that is not meant to leave yet
        .order_by("created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    if oldest is not None:
        yield f"outbox: a message waits for {_seconds(now - oldest)}; look at the mail server"
    fetching = Mailbox.objects.filter(is_active=True).exclude(fetch=Mailbox.Fetch.NONE)
    for number, fetched_at, created_at in fetching.values_list("pk", "fetched_at", "created_at"):
        if now - (fetched_at or created_at) > UNFETCHED_AFTER:
            yield f"mailbox {number}: not fetched for {_seconds(now - (fetched_at or created_at))}"


def _migrations_waiting() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _seconds(length: dt.timedelta) -> str:
    return f"{int(length.total_seconds())} s"
