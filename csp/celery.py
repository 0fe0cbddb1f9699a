"""The Celery application. Beat is the doorbell, the database is the truth: losing every message loses no duty.

Two queues, each with a worker process of its own: `clock` for the sweep and what must be on time, `work` for all else.
"""

import os
import sys
from pathlib import Path
from urllib.parse import parse_qs

from celery import Celery
from django.conf import settings
from kombu.entity import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csp.settings")


def broker(url: str) -> str:
    """Celery's own spelling of a Redis address on a Unix socket."""
    if not url.startswith("unix://"):
        return url
    path, _, query = url.removeprefix("unix://").partition("?")
    return f"redis+socket://{path}?virtual_host={parse_qs(query).get('db', ['0'])[0]}"


def pool() -> str:
    """Prefork, which keeps time limits; it needs shared memory, which some containers lack."""
    shared_memory = Path("/dev") / "shm"
    return "threads" if sys.platform == "linux" and not os.access(shared_memory, os.W_OK) else "prefork"


app = Celery("csp")
app.conf.update(
    broker_url=broker(settings.REDIS_URL),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # a worker waits for Redis for as long as it takes
    broker_transport_options={"visibility_timeout": 3600},  # longer than any task may run
    task_publish_retry=False,  # a nudge that cannot be given is left out: a page never waits for Redis
    accept_content=["json"],
    task_serializer="json",
    result_serializer="json",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_soft_time_limit=240,
    task_time_limit=300,
    task_queues=[Queue("work"), Queue("clock")],
    task_default_queue="work",
    task_create_missing_queues=False,  # a misspelt queue is an error, not a task that nobody takes
    timezone="UTC",
    enable_utc=True,
    worker_pool=pool(),
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_send_task_events=False,
    beat_scheduler="csp.beat:Beat",  # the rings themselves stand in csp.tasks
)
app.autodiscover_tasks()
