"""Celery as the doorbell: what must hold for every entry that anybody adds."""

import pytest

from csp import tasks
from csp.celery import app, broker


@pytest.mark.parametrize(
    ("address", "celerys"),
    [
        ("unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock?virtual_host=0"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("rediss://:secret@cache/1", "rediss://:secret@cache/1"),
    ],
)
def test_celery_is_told_the_address_in_its_own_spelling(address: str, celerys: str) -> None:
    assert broker(address) == celerys


def test_messages_are_json_and_never_pickle() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"


def test_every_entry_of_the_schedule_expires_and_goes_to_a_queue_with_a_worker() -> None:
    """Else a stopped worker finds thousands of stale nudges, or a nudge waits where nobody listens."""
    app.loader.import_default_modules()
    assert app.conf.beat_scheduler == "csp.beat:Beat"
    for name, entry in tasks.schedule().items():
        assert entry["options"]["expires"] > 0, name
        assert entry["options"].get("queue", "work") in {"work", "clock"}, name
        assert entry["task"] in app.tasks, name
