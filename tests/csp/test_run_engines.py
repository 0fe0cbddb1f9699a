"""The private engines and their keeper: shared, stopped by the last one out, and unharmed by any kill."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from csp.run import engines, keeper, place
from csp.run.place import Problem
from csp.run.surroundings import connect, make_database

BOTH = ["postgres", "valkey"]


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that the user nobody may enter too (pytest's own is closed to him)."""
    folder = Path(tempfile.mkdtemp(prefix="csp-keeper-"))
    folder.chmod(0o711)
    (folder / "logs").mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def pid_of(data: Path, name: str) -> int:
    return int((data / f"{name}.pid").read_text())


def keeper_of(data: Path) -> psutil.Process:
    keepers = [
        parent for parent in psutil.Process(pid_of(data, "postgres")).parents() if "csp.run.keeper" in parent.cmdline()
    ]
    return keepers[0]


def until(what: Callable[[], bool], timeout: float = 15) -> None:
    end = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def works(loan: keeper.Loan) -> bool:
    try:
        with connect(loan.sockets).cursor() as cursor:
            cursor.execute("SELECT 1")
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(str(loan.sockets / "valkey.sock"))
            end.sendall(b"PING\r\n")
            return end.recv(16).startswith(b"+PONG")
    except Exception:
        return False


def test_borrowers_share_the_engines_and_the_last_one_out_stops_them(data: Path) -> None:
    first = keeper.borrow(data, BOTH)
    second = keeper.borrow(data, ["postgres"])
    pids = [pid_of(data, name) for name in BOTH]
    first.give_back()
    assert works(second)
    assert pids == [pid_of(data, name) for name in BOTH]
    second.give_back()
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)


def test_a_borrower_that_is_killed_gives_back(data: Path) -> None:
    code = (
        "import sys,time; from pathlib import Path; from csp.run import keeper; "
        "loan = keeper.borrow(Path(sys.argv[1]), ['postgres']); print('has it', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(data)], stdout=subprocess.PIPE, cwd=place.ROOT) as borrower:
        assert borrower.stdout is not None
        assert borrower.stdout.readline() == b"has it\n"
        server = psutil.Process(pid_of(data, "postgres"))
        borrower.kill()
        until(lambda: not server.is_running())


def test_a_killed_engine_comes_back_with_what_was_committed(data: Path) -> None:
    loan = keeper.borrow(data, BOTH)
    make_database(loan.sockets, "kept")
    with connect(loan.sockets, "kept").cursor() as cursor:
        cursor.execute("CREATE TABLE promise (words text)")
        cursor.execute("INSERT INTO promise VALUES ('kept')")
    for name in BOTH:
        old = pid_of(data, name)
        os.kill(old, signal.SIGKILL)
        until(lambda old=old, name=name: pid_of(data, name) != old and works(loan))  # type: ignore[misc]
    with connect(loan.sockets, "kept").cursor() as cursor:
        cursor.execute("SELECT words FROM promise")
        assert cursor.fetchall() == [("kept",)]
    loan.give_back()


def test_a_killed_keeper_takes_its_engines_along_and_the_next_borrower_starts_anew(data: Path) -> None:
    loan = keeper.borrow(data, BOTH)
    servers = [psutil.Process(pid_of(data, name)) for name in BOTH]
    keeper_of(data).kill()
    again = keeper.borrow(data, BOTH)
    assert works(again)
    assert not any(server.is_running() and server.status() != "zombie" for server in servers)
    loan.connection.close()
    again.give_back()


def test_a_pid_file_that_names_somebody_else_harms_nobody(data: Path) -> None:
    """The lock is held by a process that is still dying; the pid in the file has been given to another since."""
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], cwd="/")
    holding = os.open(data / "postgres.lock", os.O_RDWR | os.O_CREAT)
    hold = (
        "import fcntl, sys, time; fcntl.flock(int(sys.argv[1]), fcntl.LOCK_EX); "
        "print('held', flush=True); time.sleep(1.5)"
    )
    dying = subprocess.Popen(
        [sys.executable, "-c", hold, str(holding)], pass_fds=[holding], stdout=subprocess.PIPE, cwd="/"
    )
    os.close(holding)
    assert dying.stdout is not None
    assert dying.stdout.readline() == b"held\n"
    (data / "postgres.pid").write_text(str(innocent.pid))
    loan = keeper.borrow(data, ["postgres"])
    assert innocent.poll() is None
    loan.give_back()
    innocent.kill()
    for process in (innocent, dying):
        process.wait()
    dying.stdout.close()


def test_a_killed_initdb_is_begun_again(data: Path) -> None:
    server = engines.Postgres(data, throwaway=True)
    half = server.folder().with_suffix(".new")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server.start()
    assert server.answers()
    server.stop()


def test_a_long_data_path_moves_the_sockets(data: Path) -> None:
    deep = data / ("d" * 60) / ("e" * 60)
    (deep / "logs").mkdir(parents=True)
    server = engines.Postgres(deep, throwaway=True)
    server.start()
    assert len(str(server.sockets)) < 80
    assert server.answers()
    server.stop()
    server.sockets.rmdir()


def test_an_engine_that_cannot_start_says_so_in_one_line(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines.Postgres, "command", lambda self: [str(self.bin / "postgres"), "-D", "/nowhere"])
    with pytest.raises(Problem, match="PostgreSQL did not start"):
        engines.Postgres(data, throwaway=True).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the engines to nobody")
def test_a_closed_folder_is_named_before_nobody_stumbles_over_it(data: Path) -> None:
    (data / "closed" / "logs").mkdir(parents=True)
    (data / "closed").chmod(0o700)
    with pytest.raises(Problem, match=r"nobody, who may not enter .*closed"):
        engines.Postgres(data / "closed")
