"""Whether one process of CSP does its work, for a container's health check: `python -m csp.alive web|worker|...`.

It must be cheap enough to be asked every few seconds, so it loads neither Django nor the product. `web` is asked for
its page, `door` for its greeting; the others wrote a sign of life into the database lately (csp.heartbeats).
"""

from __future__ import annotations

import http.client
import os
import smtplib
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

SILENT_AFTER = 60  # seconds; csp.views.health says the same


def setting(name: str, default: str = "") -> str:
    """As csp.settings.text reads it."""
    path = os.environ.get(f"{name}_FILE")
    return Path(path).read_text().strip() if path else os.environ.get(name) or default


def web() -> str:
    """Why the web server is not well; empty if it is."""
    host = urlsplit(setting("CSP_SITE_URL", "http://localhost:8000")).hostname or "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", int(setting("CSP_WEB_PORT", "8000")), timeout=4)
    try:
        connection.request("GET", "/health/live", headers={"Host": host})
        status = connection.getresponse().status
    finally:
        connection.close()
    return "" if status == 200 else f"it answers {status}"


def door() -> str:
    """Why the mail door is not well; empty if it is."""
    with smtplib.SMTP("127.0.0.1", int(setting("CSP_MAIL_DOOR_PORT", "2525")), timeout=4) as server:
        code, _words = server.noop()
    return "" if code == 250 else f"it answers {code}"


def of_heartbeat(name: str) -> str:
    """Why the process that writes this sign of life is not well; empty if it is."""
    import psycopg2

    connection = psycopg2.connect(setting("DATABASE_URL"), connect_timeout=4)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select extract(epoch from clock_timestamp() - beat_at) from csp_heartbeat where name = %s", [name]
            )
            row = cursor.fetchone()
    finally:
        connection.close()
    if row is None:
        return "no sign of life yet"
    return "" if row[0] <= SILENT_AFTER else f"silent for {int(row[0])} s"


PARTS: dict[str, Callable[[], str]] = {
    "web": web,
    "door": door,
    "worker": lambda: of_heartbeat("worker"),
    "clock": lambda: of_heartbeat("clock"),
    "beat": lambda: of_heartbeat("beat"),
}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in PARTS:
        print(f"usage: python -m csp.alive {'|'.join(PARTS)}", file=sys.stderr)
        return 2
    try:
        wrong = PARTS[arguments[0]]()
    except Exception as error:  # whatever it is, it is not well
        wrong = f"{type(error).__name__}"
    if wrong:
        print(f"{arguments[0]}: {wrong}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
