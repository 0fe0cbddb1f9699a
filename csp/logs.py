"""Log lines for machines: one JSON object each, in production. No personal data goes into a log in the first place."""

from __future__ import annotations

import datetime as dt
import json
import logging


class Lines(logging.Formatter):
    """Time, level, logger, words, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
