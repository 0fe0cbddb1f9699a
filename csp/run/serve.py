"""`./run`: web first, then worker, clock, beat and mail door, each started again when it dies, all stopped together."""

import http.client
import os
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

import psutil

from csp.run import place
from csp.run.child import Child
from csp.run.engines import dies_with_parent
from csp.run.place import Problem, say
from csp.run.surroundings import Surroundings, has_command, is_demo

COLOURS = {"web": 32, "worker": 34, "clock": 36, "beat": 35, "door": 33, "sink": 33, "demo": 90}
DOORS = {"door": "CSP_MAIL_DOOR_PORT", "sink": "CSP_SINK_PORT"}
PATIENCE = 12.0  # how long a process may take to end well


def free_port(variable: str, default: int, hosts: tuple[str, ...]) -> tuple[int, list[socket.socket]]:
    """The port VARIABLE names, else the first free one from DEFAULT on, held by open sockets: to bind is to know."""
    wanted = os.environ.get(variable)
    if wanted is not None and not (wanted.isdigit() and 0 < int(wanted) < 65536):
        raise Problem(f"{variable} is {wanted!r}; use a port number.")
    for port in [int(wanted)] if wanted else range(default, default + 100):
        held: list[socket.socket] = []
        try:
            for host in hosts:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                end = socket.socket(family)
                held.append(end)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                end.bind((host, port))
                end.listen(128)
        except PermissionError:
            raise Problem(f"port {port} may not be used by you; choose another with {variable}.") from None
        except OSError:
            for end in held:
                end.close()
            continue
        return port, held
    if wanted:
        raise Problem(f"port {wanted} is in use by another program; choose another with {variable}, or leave it out.")
    raise Problem(f"no free port from {default} on; choose one with {variable}.")


def loopbacks() -> tuple[str, ...]:
    """Both of them where there are two, since a browser may take either for localhost."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return ("127.0.0.1",)
    return ("127.0.0.1", "::1")


def _here() -> str:
    """What a command of another terminal begins with, so that it means this desk and no other."""
    chosen = os.environ.get("CSP_DATA_DIR")
    return f"CSP_DATA_DIR={shlex.quote(str(Path(chosen).expanduser().resolve()))} " if chosen else ""


class Supervisor:
    def __init__(self) -> None:
        self.surroundings = Surroundings()
        # Somebody's own database is never the demonstration's, and its mail goes to a real server.
        self.is_embedded = "postgres" in self.surroundings.engines
        self.is_demo = is_demo() and self.is_embedded
        self.data: Path = self.surroundings.data
        self.logs = self.data / "logs"
        self.note = self.data / "run.json"
        self.children: dict[str, Child] = {}
        self.selector = selectors.DefaultSelector()
        self.stopping = False
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.silenced: dict[str, float] = {}

    # ------------------------------------------------------------ from the first line to the last

    def run(self) -> int:
        self._be_the_only_one()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        wake, woken = socket.socketpair()
        for end in (wake, woken):
            end.setblocking(False)
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(wake, selectors.EVENT_READ)
        try:
            self._choose_addresses()
            self._make_ready()
            self._start_web()
            say(f"The first page answers: {self.address}")
            self._start_the_rest()
            self._await_doors()
            self._greet()
            while not self.stopping:
                self._turn(1.0)
        except InterruptedError:
            pass
        finally:
            self._stop()
        return 0

    def _be_the_only_one(self) -> None:
        """One ./run per data folder; what a killed one left behind ends first."""
        self.lock = place.lock(self.data / "run.lock")
        earlier = place.read_note(self.note)
        if self.lock is None:
            raise Problem(
                f"CSP already runs on this data: process {earlier.get('pid', '?')}, {earlier.get('address', '')}. "
                "Use that one, stop it, or choose another CSP_DATA_DIR."
            )
        until, told = time.monotonic() + PATIENCE, False
        while (family := place.lock(self.data / "children.lock")) is None:
            if not told:
                say("./run: an earlier run was killed; waiting for its processes to end")
                told = True
            if time.monotonic() > until:
                self._end_leftovers(earlier.get("children", {}))
                until += PATIENCE
            time.sleep(0.1)
        self.family = family
        place.write_note(self.note, {"pid": os.getpid()})

    def _end_leftovers(self, children: dict[str, float]) -> None:
        for pid, created in children.items():
            try:
                if abs(psutil.Process(int(pid)).create_time() - created) < 1:
                    os.killpg(int(pid), signal.SIGKILL)
            except (psutil.Error, ProcessLookupError, PermissionError):
                continue

    def _choose_addresses(self) -> None:
        bind = os.environ.get("CSP_BIND")
        hosts = (bind,) if bind else loopbacks()
        self.port, self.listeners = free_port("PORT", 8000, hosts)
        self.address = os.environ.get("CSP_SITE_URL") or f"http://localhost:{self.port}"
        chosen = {"PORT": str(self.port), "CSP_SITE_URL": self.address}
        door, held = free_port("CSP_MAIL_DOOR_PORT", 2525, ("127.0.0.1",))
        chosen["CSP_MAIL_DOOR_PORT"] = str(door)
        if self._uses_sink():
            sink, more = free_port("CSP_SINK_PORT", 2526 if door != 2526 else 2527, ("127.0.0.1",))
            held += more
            chosen |= {"CSP_SINK_PORT": str(sink), "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(sink)}
        for end in held:
            end.close()  # the door and the sink bind for themselves
        self.chosen = chosen
        self.surroundings.environment |= chosen
        place.write_note(self.note, {"pid": os.getpid(), "address": self.address, "environment": chosen})
        if self.port != 8000 and "PORT" not in os.environ:
            say(f"Port 8000 is in use by another program; CSP takes {self.port}.")
        say(f"CSP starts at {self.address} (data in {self.data})")

    def _uses_sink(self) -> bool:
        return self.is_demo and not os.environ.get("EMAIL_HOST") and has_command("demo_sink")

    def _make_ready(self) -> None:
        self._borrow()
        if not self._before("-m", "csp.run.manage"):
            raise Problem("the database could not be brought up to date (see above).")
        if not self.is_embedded:  # there pages name style sheets and scripts by their digests
            if not os.environ.get("CSP_STATIC_ROOT"):
                self.surroundings.environment["CSP_STATIC_ROOT"] = str(self.data / "static")
            if not self._before("manage.py", "collectstatic", "--noinput", "--verbosity", "0"):
                raise Problem("style sheets and scripts could not be gathered (see above).")
        self._stop_if_asked()

    def _before(self, *command: str) -> bool:
        """Run something to its end, in a session of its own: Ctrl-C waits for it rather than breaking into it."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=place.ROOT,
            env=self.surroundings.whole(),
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        return done.returncode == 0

    # ------------------------------------------------------------ the processes

    def _add(self, name: str, *command: str, once: bool = False, pass_fds: tuple[int, ...] = ()) -> Child:
        child = Child(name, [sys.executable, *command], self.logs, once=once, pass_fds=pass_fds)
        self.children[name] = child
        self._start(child)
        return child

    def _start(self, child: Child) -> None:
        child.start(self.surroundings.whole(), self.family)
        self.selector.register(child.output, selectors.EVENT_READ, child)
        alive = {
            c.process.pid: psutil.Process(c.process.pid).create_time() for c in self.children.values() if c.process
        }
        place.write_note(
            self.note, {"pid": os.getpid(), "address": self.address, "environment": self.chosen, "children": alive}
        )

    def _start_web(self) -> None:
        ends = tuple(end.fileno() for end in self.listeners)
        binds = [word for end in ends for word in ("-b", f"fd://{end}")]
        web = self._add("web", "-m", "gunicorn", "-c", "python:csp.run.web", *binds, pass_fds=ends)
        until = time.monotonic() + 90
        while not self._page_answers():
            if time.monotonic() > until or (web.deaths and not web.running and web.deaths > 2):
                raise Problem(f"the site does not answer; {web.log_path} says why.")
            self._turn(0.1)

    def _page_answers(self) -> bool:
        """Ours, since we hold the port; nobody else can answer there."""
        if not self.children["web"].running:
            return False
        connection = http.client.HTTPConnection(self.listeners[0].getsockname()[0], self.port, timeout=1)
        try:
            connection.request("GET", "/health/live", headers={"Host": f"localhost:{self.port}"})
            return connection.getresponse().status < 500
        except OSError:
            return False
        finally:
            connection.close()

    def _start_the_rest(self) -> None:
        celery = ["-m", "celery", "-A", "csp.celery", "--quiet"]
        alone = ["--without-gossip", "--without-mingle"]  # workers have nothing to tell each other
        self._add("worker", *celery, "worker", "-Q", "work", "-c", "2", "-n", "work@%h", "-l", "INFO", *alone)
        self._add("clock", *celery, "worker", "-Q", "clock", "-c", "1", "-n", "clock@%h", "-l", "WARNING", *alone)
        (self.data / "beat").mkdir(mode=0o700, exist_ok=True)
        self._add("beat", *celery, "beat", "-s", str(self.data / "beat" / "schedule"), "--pidfile=", "-l", "WARNING")
        if has_command("mail_door"):
            self._add("door", "manage.py", "mail_door")
        if self._uses_sink():
            self._add("sink", "manage.py", "demo_sink")
        if self.is_demo and has_command("demo"):
            self._add("demo", "manage.py", "demo", once=True)

    def _await_doors(self, patience: float = 20) -> None:
        """A mail that is sent as soon as we invite it must find somebody at the door."""
        waiting = {name: self.chosen[key] for name, key in DOORS.items() if name in self.children}
        until = time.monotonic() + patience
        while waiting and time.monotonic() < until:
            self._turn(0.2)
            for name, port in list(waiting.items()):
                with suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), timeout=1):
                    del waiting[name]

    def _turn(self, timeout: float) -> None:
        """Wait for something to happen, and see to it: words, deaths, restarts, a lost keeper."""
        for key, _ in self.selector.select(timeout):
            if isinstance(key.data, Child):
                if not key.data.read(self._alarm):
                    self.selector.unregister(key.fd)
            elif self.surroundings.loan is not None and key.fileobj is self.surroundings.loan.connection:
                self._borrow_again()
            elif isinstance(key.fileobj, socket.socket):
                key.fileobj.recv(4096)
        self._stop_if_asked()
        for child in self.children.values():
            if child.process is not None and not child.running:
                self._bury(child)
            elif child.process is None and not child.done and time.monotonic() >= child.next_start:
                self.print(child.name, "starts again")
                self._start(child)

    def _bury(self, child: Child) -> None:
        while child.read(self._alarm):
            pass
        if child.output in self.selector.get_map():
            self.selector.unregister(child.output)
        code = child.bury()
        if not child.done and not self.stopping:
            pause = child.next_start - time.monotonic()
            self.print(child.name, f"ended with {code}; starts again in {pause:.1f} s (see {child.log_path})")

    def _borrow(self) -> None:
        self.surroundings.borrow()
        if self.surroundings.loan is not None:
            self.selector.register(self.surroundings.loan.connection, selectors.EVENT_READ)

    def _borrow_again(self) -> None:
        """The keeper is gone, and its engines with it: somebody killed it."""
        assert self.surroundings.loan is not None
        self.selector.unregister(self.surroundings.loan.connection)
        self.surroundings.loan.connection.close()
        self.print("engines", "are gone; starting them again")
        self._borrow()

    # ------------------------------------------------------------ the person

    def print(self, name: str, line: str) -> None:
        label = f"{name:>7}"
        if self.colour:
            label = f"\033[{COLOURS.get(name, 31)}m{label}\033[0m"
        print(f"{label} | {line[:300]}", flush=True)

    def _alarm(self, name: str, line: str) -> None:
        """Show an error once a minute; the log has them all."""
        if self.children[name].once:
            self.print(name, line)
            return
        if time.monotonic() - self.silenced.get(name, -60) >= 60:
            self.silenced[name] = time.monotonic()
            self.print(name, f"{line} (more in {self.children[name].log_path})")

    def _greet(self) -> None:
        lines = ["", f"  CSP is ready: {self.address}"]
        if not self.is_demo:
            first = "./run manage first_admin --email you@example.com --name 'Your Name'"
            lines += ["", "  Nobody can sign in yet? This prints a link for the first administrator:", f"  {first}"]
        elif has_command("demo"):
            signs = subprocess.run(
                [sys.executable, "manage.py", "demo", "--sign-ins"],
                cwd=place.ROOT,
                env=self.surroundings.whole(),
                capture_output=True,
                text=True,
            )
            if signs.returncode == 0 and signs.stdout.strip():
                lines += ["", *(f"  {line}" for line in signs.stdout.rstrip().splitlines())]
        if "door" in self.children:
            door = self.chosen["CSP_MAIL_DOOR_PORT"]
            lines += [
                "",
                "  Send it a mail, from another terminal:",
                r"  printf 'From: you@example.com\nTo: support@example.com\nSubject: Hello\n\nWhen do you open?\n'"
                f" | {_here()}./run manage ingest_mail",
                "  or with any mail program, by SMTP:",
                f"  python3 -c \"import smtplib; smtplib.SMTP('localhost', {door}).sendmail('you@example.com',"
                " ['support@example.com'], 'From: you@example.com\\nTo: support@example.com\\nSubject: Hello\\n\\n"
                "When do you open?')\"",
            ]
        print("\n".join([*lines, "", "  Ctrl-C stops it; the data stays.", ""]), flush=True)

    # ------------------------------------------------------------ the end

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self.stopping:
            for child in self.children.values():
                child.kill(signal.SIGKILL)
        self.stopping = True

    def _stop_if_asked(self) -> None:
        if self.stopping:
            raise InterruptedError

    def _stop(self) -> None:
        self.stopping = True
        if self.children:
            say("Stopping (Ctrl-C again: at once)")
        for child in reversed(self.children.values()):
            child.kill(signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while any(child.running for child in self.children.values()) and time.monotonic() < until:
            for key, _ in self.selector.select(0.1):
                if isinstance(key.data, Child) and not key.data.read(lambda *_: None):
                    self.selector.unregister(key.fd)
                elif isinstance(key.fileobj, socket.socket) and not key.fileobj.recv(4096):
                    self.selector.unregister(key.fileobj)  # the keeper has gone before us
        for child in self.children.values():
            child.kill(signal.SIGKILL)
            if child.process is not None:
                self._bury(child)
        if self.surroundings.loan is not None:
            self.surroundings.loan.give_back()
        self.note.unlink(missing_ok=True)
        if self.children:
            say("Stopped.")
