"""One supervised process: started, its words read into its log, started again with growing pauses when it dies."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from csp.run import place
from csp.run.engines import dies_with_parent

LOG_LIMIT = 10_000_000
ALARMS = ("ERROR", "CRITICAL", "Traceback (most recent call last)")
LONGEST_PAUSE = 30.0


class Child:
    def __init__(
        self, name: str, command: list[str], logs: Path, *, once: bool = False, pass_fds: tuple[int, ...] = ()
    ) -> None:
        self.name = name
        self.command = command
        self.once = once  # a job that is done when it ends well
        self.pass_fds = pass_fds
        self.log_path = logs / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths = 0
        self.started = 0.0
        self.next_start = 0.0
        self.done = False
        self._rest = b""

    def start(self, environment: dict[str, str], keep: int) -> None:
        """KEEP is the lock that says: a process of this ./run still lives."""
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_LIMIT:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        self.process = subprocess.Popen(
            self.command,
            cwd=place.ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
            pass_fds=(*self.pass_fds, keep),
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self.started = time.monotonic()
        self.log(f"-- started as {self.process.pid}")

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def output(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def log(self, line: str) -> None:
        with self.log_path.open("a", encoding="utf-8", errors="replace") as log:
            log.write(line + "\n")

    def read(self, alarm: Callable[[str, str], None]) -> bool:
        """Move what it said into its log; ALARM tells a person now. False when it has said its last."""
        try:
            heard = os.read(self.output, 65536)
        except BlockingIOError:
            return True
        *lines, self._rest = (self._rest + heard).split(b"\n")
        if not heard and self._rest:
            lines.append(self._rest)
            self._rest = b""
        for raw in lines:
            line = raw.decode(errors="replace").rstrip()
            self.log(line)
            if any(word in line for word in ALARMS) or (self.once and line):
                alarm(self.name, line)
        return bool(heard)

    def bury(self) -> int:
        """After its death: end what it left behind, and say when to try again."""
        assert self.process is not None
        assert self.process.stdout is not None
        code = self.process.wait()
        self.kill(signal.SIGKILL)
        self.process.stdout.close()
        self.process = None
        if time.monotonic() - self.started > 30:
            self.deaths = 0
        self.done = self.once and code == 0
        self.next_start = time.monotonic() + min(LONGEST_PAUSE, 0.5 * 2**self.deaths)
        self.deaths += 1
        self.log(f"-- ended with {code}")
        return code

    def kill(self, number: signal.Signals) -> None:
        """Signal the process alone to end well, its whole group to end now."""
        if self.process is None:
            return
        try:
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            elif self.process.poll() is None:
                self.process.send_signal(number)
        except ProcessLookupError:
            pass
