"""The keeper: a small process that holds the engines for as long as anybody uses them.

Whoever needs an engine borrows it: connects to the keeper's socket, says which, and keeps the connection open, even
across `exec`. The connection is the loan; the kernel ends it with its holder, however that dies. The last one out makes
the keeper stop the engines and end. A killed keeper takes its engines with it (they asked the kernel for that), and the
next borrower starts another.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from csp.run import place
from csp.run.engines import Engine, Postgres, Valkey, user_for_engines
from csp.run.place import Problem

ENGINES: dict[str, type[Engine]] = {"postgres": Postgres, "valkey": Valkey}


class Loan:
    """The right to use the engines, held for as long as this connection is open."""

    def __init__(self, connection: socket.socket, sockets: Path) -> None:
        self.connection = connection
        self.sockets = sockets

    def keep_across_exec(self) -> None:
        self.connection.set_inheritable(True)

    def give_back(self) -> None:
        """End the loan, and wait until the engines have stopped if it was the last one."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(60)
            while self.connection.recv(1024):
                pass
        self.connection.close()


def borrow(data: Path, engines: Iterable[str]) -> Loan:
    """The named engines, started if need be."""
    sockets = place.socket_dir(data, user_for_engines().get("user", os.geteuid()))
    address = str(sockets / "keeper")
    until = time.monotonic() + 90
    while time.monotonic() < until:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(address)
            connection.sendall(" ".join(engines).encode() + b"\n")
            answer = connection.makefile("rb").readline()
        except OSError:
            answer = b""
        if answer:
            if problem := json.loads(answer).get("problem"):
                raise Problem(problem)
            return Loan(connection, sockets)
        connection.close()  # none there, or one that is just leaving
        lock = place.lock(data / "keeper.lock")
        if lock is None:
            time.sleep(0.05)
            continue
        _start(data, address, lock)
    raise Problem(f"the engines could not be reached; see {data / 'logs' / 'keeper.log'}.")


def _start(data: Path, address: str, lock: int) -> None:
    """Start a keeper in a session of its own, with the lock and the listening socket already in its hands."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        Path(address).unlink(missing_ok=True)
        listener.bind(address)
        listener.listen(64)
        with (data / "logs" / "keeper.log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "csp.run.keeper", str(data), str(lock), str(listener.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=place.ROOT,
                start_new_session=True,
                pass_fds=[lock, listener.fileno()],
            ).wait()  # it steps out of our hands at once, see main()
    finally:
        os.close(lock)
        listener.close()


class Keeper:
    def __init__(self, data: Path, listener: socket.socket) -> None:
        self.data = data
        self.listener = listener
        self.engines: dict[str, Engine] = {}
        self.users: dict[socket.socket, bytes] = {}
        self.selector = selectors.DefaultSelector()
        self.wake, self.woken = socket.socketpair()
        self.ended = False

    def run(self) -> None:
        for end in (self.wake, self.woken, self.listener):
            end.setblocking(False)
        signal.set_wakeup_fd(self.woken.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "ended", True))
        self.selector.register(self.wake, selectors.EVENT_READ)
        self.selector.register(self.listener, selectors.EVENT_READ)
        last: list[socket.socket] = []
        first_user_until = time.monotonic() + 30
        try:
            while not self.ended:
                for key, _ in self.selector.select(timeout=5):
                    if key.fileobj is self.listener:
                        self._welcome()
                    elif key.fileobj is self.wake:
                        self.wake.recv(4096)
                    elif isinstance(key.fileobj, socket.socket):
                        last += self._listen(key.fileobj)
                self._revive()
                if last and not self.users:
                    break
                for gone in last:
                    gone.close()
                last.clear()
                if not self.users and not self.engines and time.monotonic() > first_user_until:
                    break
        finally:
            # Who connects from now on finds nobody and waits for our lock; who queues is cut off and tries again.
            Path(self.listener.getsockname()).unlink(missing_ok=True)
            self.listener.close()
            for engine in reversed(self.engines.values()):
                engine.stop()

    def _welcome(self) -> None:
        with suppress(BlockingIOError):
            connection, _ = self.listener.accept()
            connection.setblocking(False)
            self.users[connection] = b""
            self.selector.register(connection, selectors.EVENT_READ)

    def _listen(self, connection: socket.socket) -> list[socket.socket]:
        """Hear what a user wants; the connection comes back when its user is leaving."""
        try:
            heard = connection.recv(4096)
        except BlockingIOError:
            return []
        except OSError:
            heard = b""
        if not heard:
            self.selector.unregister(connection)
            del self.users[connection]
            return [connection]
        self.users[connection] += heard
        if self.users[connection].endswith(b"\n"):
            answer = self._provide(self.users[connection].decode().split())
            self.users[connection] = b""
            with suppress(OSError):
                connection.sendall(json.dumps(answer).encode() + b"\n")
        return []

    def _provide(self, names: list[str]) -> dict[str, str]:
        try:
            for name in names:
                if name not in self.engines:
                    engine = ENGINES[name](self.data)
                    engine.start()
                    self.engines[name] = engine
        except (Problem, OSError) as problem:
            return {"problem": str(problem)}
        return {}

    def _revive(self) -> None:
        for engine in self.engines.values():
            if engine.died():
                code = engine.process.returncode if engine.process else None
                say(f"{engine.title} ended with {code}; starting it again")
                try:
                    engine.start()
                except (Problem, OSError) as problem:
                    say(str(problem))
                    time.sleep(1)


def say(line: str) -> None:
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {line}", flush=True)


def main() -> None:
    data, lock, listening = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    if os.fork():
        os._exit(0)  # our starter need not wait for us, nor bury us
    os.set_inheritable(lock, False)
    listener = socket.socket(fileno=listening)
    listener.set_inheritable(False)
    Keeper(data, listener).run()


if __name__ == "__main__":
    main()
