"""Processes that are killed in the middle of their work, forked from this warmed one.

A child runs what it is given, with connections of its own, and says so by one byte at each claim; SIGKILL comes
a moment after such a sign. Moments are drawn from a seed, so that a run can be had again.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connections

Work = Callable[[], None]


class Child:
    """One forked process at work."""

    def __init__(self, work: Work) -> None:
        connections.close_all()
        self.signs, writing = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns of threads beside a fork; ours are servers of the tests, which the child only talks to.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.close(self.signs)
                with _signs_at_claims(writing):
                    work()
                code = 0
            finally:
                os._exit(code)  # nothing of the parent's is torn down here
        os.close(writing)

    def claims(self, timeout: float = 20) -> bool:
        """Wait for the next sign; False when the work ended without one."""
        ready, _, _ = select.select([self.signs], [], [], timeout)
        assert ready, "the child neither claimed anything nor ended"
        return os.read(self.signs, 1) != b""

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> int:
        """Wait for its end; returns the exit code, or minus the signal that killed it."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.signs)
        return os.waitstatus_to_exitcode(status)


@contextlib.contextmanager
def _signs_at_claims(pipe: int) -> Iterator[None]:
    """Say so on the pipe whenever a statement has locked rows for this process."""

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if "FOR NO KEY UPDATE" in sql or "FOR UPDATE" in sql:
            with contextlib.suppress(BlockingIOError):
                os.write(pipe, b".")
        return result

    os.set_blocking(pipe, False)
    with connections["default"].execute_wrapper(watch):
        yield


def kill_again_and_again(work: Work, *, kills: int, seed: int, longest: float, together: int = 2) -> int:
    """Start children at this work and kill each a moment after its first claim, until so many were; returns how many.

    Ends earlier when the work is done. `together` are at it at once.
    """
    moments = random.Random(seed)
    killed = 0
    children: list[Child] = []
    try:
        while killed < kills:
            while len(children) < together:
                children.append(Child(work))
            child = children.pop(0)
            if child.claims():
                time.sleep(moments.random() * longest)
                child.kill()
            code = child.end()
            if code == 0:
                break
            assert code == -signal.SIGKILL, "a child failed by itself"
            killed += 1
    finally:
        for child in children:
            child.kill()
            killed += child.end() == -signal.SIGKILL
    return killed
