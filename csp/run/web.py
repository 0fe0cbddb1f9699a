"""gunicorn's settings, the same in development and in production: `gunicorn -c python:csp.run.web csp.wsgi`."""

import os
import re
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

wsgi_app = "csp.wsgi"
preload_app = True  # one import for all workers, and a site that cannot start says so at once
worker_class = "gthread"
workers = int(os.environ.get("CSP_WEB_WORKERS", "2"))
threads = int(os.environ.get("CSP_WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 8
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
accesslog = "-"
access_log_format = "%(m)s %(U)s %(s)s %(B)s bytes %(M)s ms"  # no address of a person, no query string
control_socket_disable = True


class DiscreetLogger(Logger):  # type: ignore[misc]  # gunicorn comes without types
    """An access log without what could open a door: a long word in a path is a signed token."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        atoms["U"] = re.sub(r"[^/]{25,}", "~", atoms["U"] or "")
        return atoms


logger_class = DiscreetLogger


def pre_fork(server: Any, worker: Any) -> None:
    """A connection opened while loading must not be shared by the workers."""
    from django.db import connections

    connections.close_all()
