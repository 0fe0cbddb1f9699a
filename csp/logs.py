"""Log lines for machines: one JSON object each, in production. No personal data goes into a log in the first place."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import traceback
from types import TracebackType

from django.db import Error as DatabaseError

_TOKEN = re.compile(r"(?<=/)[^/\s]{25,}")


def discreet(words: str) -> str:
    """Without what could open a door: a long word in a path is a signed token."""
    return _TOKEN.sub("~", words) if "/" in words else words


class Words(logging.Formatter):
    """A line for people. A traceback names the database's error without the row and the statement that it quotes."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = discreet(record.message)
        return super().formatMessage(record)

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        parts: list[str] = []
        error, known = ei[1], set[int]()
        while error is not None and id(error) not in known:
            known.add(id(error))
            where = "".join(traceback.format_tb(error.__traceback__))
            parts.append(f"Traceback (most recent call last):\n{where}{type(error).__qualname__}: {_said(error)}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n\nwhich led to\n\n".join(reversed(parts))


def _said(error: BaseException) -> str:
    """An error's words; of the database's only the first line: what follows are values and statements."""
    words = str(error)
    is_database = isinstance(error, DatabaseError) or type(error).__module__.startswith("psycopg")
    return words.partition("\n")[0] if is_database else words


class Lines(Words):
    """Time, level, logger, words, and the traceback where there is one; as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": discreet(record.getMessage()),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class Expected(logging.Filter):
    """Answers below 500 are the product at work: their lines stay, their tracebacks go."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = None
        return True
