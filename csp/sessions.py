"""Sessions in the database, each with its person (SESSION_ENGINE). Signing in works when Redis is down."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from csp.models import Session

# What a session carries about itself, as plain values; see csp.middleware.SessionLimits.
STARTED, SEEN, ADDRESS, BROWSER = "started", "seen", "address", "browser"


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = super().create_model_instance(data)
        assert isinstance(row, Session)
        user = data.get(SESSION_KEY)
        row.user_id = int(user) if user else None
        row.address = str(data.get(ADDRESS, ""))[:45]
        row.browser = str(data.get(BROWSER, ""))[:200]
        row.started_at = _moment(data.get(STARTED))
        row.seen_at = _moment(data.get(SEEN))
        return row


def _moment(seconds: float | None) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds else None
