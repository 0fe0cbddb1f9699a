"""`./run` as a person meets it: one line for each thing that is wrong, and a start that needs no care."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from csp.run import install, lint, place, serve
from csp.run.child import Child
from csp.run.place import Problem

OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "CSP_EMBEDDED",
    "CSP_TEST_TEMPLATE",
    "CSP_DEMO",
    "CSP_SITE_URL",
    "DJANGO_SETTINGS_MODULE",
)


@pytest.fixture
def surroundings() -> Iterator[dict[str, str]]:
    """The environment of a person with a data folder of their own; nothing of this test run's engines."""
    folder = Path(tempfile.mkdtemp(prefix="csp-run-"))
    folder.chmod(0o711)
    plain = {key: value for key, value in os.environ.items() if key not in OURS}
    # An empty one, so that the start measures ours and not the making of the demonstration.
    yield {**plain, "CSP_DATA_DIR": str(folder), "CSP_DEMO": "0"}
    shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "csp.run", *words],
        cwd=place.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    heard = ""
    for line in process.stdout:
        heard += line
        if words in line:
            return heard
    raise AssertionError(f"it ended without saying {words!r}:\n{heard}")


def status_of(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": "localhost"})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.slow
def test_it_starts_survives_a_kill_keeps_its_data_and_stops_cleanly(surroundings: dict[str, str]) -> None:
    port = free_port()
    environment = {**surroundings, "PORT": str(port), "CSP_MAIL_DOOR_PORT": str(free_port())}
    first = start(environment)
    read_until(first, "CSP is ready")
    assert status_of(port) < 500

    # Another one on the same data is told who has it.
    second = start({**environment, "PORT": str(free_port())})
    said, _ = second.communicate(timeout=30)
    assert second.returncode == 1
    assert said.count("\n") == 1
    assert f"process {first.pid}, http://localhost:{port}" in said

    # A command beside it shares its engines, and its standard output carries nothing else.
    ask = "from django.db import connection; print(connection.get_connection_params()['dbname'])"
    beside = subprocess.run(
        [sys.executable, "-m", "csp.run", "manage", "shell", "-v", "0", "-c", ask],
        cwd=place.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert (beside.returncode, beside.stdout) == (0, "csp\n")

    # Its web server is killed, and comes back on the same socket.
    note = json.loads((Path(environment["CSP_DATA_DIR"]) / "run.json").read_text())
    web = next(psutil.Process(int(pid)) for pid in note["children"] if "gunicorn" in psutil.Process(int(pid)).cmdline())
    web.kill()
    read_until(first, "starts again")
    assert status_of(port) < 500

    # It is killed itself, and the next start needs no care. On the same port, with the same data.
    first.kill()
    first.wait()
    assert first.stdout is not None
    first.stdout.close()
    third = start(environment)
    read_until(third, "CSP is ready")
    family = [psutil.Process(third.pid), *psutil.Process(third.pid).children(recursive=True)]
    third.send_signal(signal.SIGINT)
    said, _ = third.communicate(timeout=60)
    assert third.returncode == 0
    assert said.endswith("Stopped.\n")
    assert not [process for process in family if process.is_running() and process.status() != "zombie"]
    for name in ("postgres", "valkey"):
        assert not psutil.pid_exists(int((Path(environment["CSP_DATA_DIR"]) / f"{name}.pid").read_text()))


@pytest.mark.slow
def test_on_somebodys_own_engines_it_starts_as_in_production(surroundings: dict[str, str]) -> None:
    name, url, port = f"own_{os.getpid()}", os.environ["DATABASE_URL"], free_port()
    mine = url.rpartition("/")[0] + f"/{name}" if "?" not in url else url.replace("/csp?", f"/{name}?")
    environment = {
        **surroundings, "DATABASE_URL": mine, "REDIS_URL": os.environ["REDIS_URL"], "CSP_DEMO": "1",
        "PORT": str(port), "CSP_MAIL_DOOR_PORT": str(free_port()),
    }  # fmt: skip
    said, _ = start(environment).communicate(timeout=60)
    assert "Not set: SECRET_KEY, CSP_MASTER_KEY, CSP_SEAL_KEY." in said, "all that is missing, at once"
    for secret in ("SECRET_KEY", "CSP_MASTER_KEY", "CSP_SEAL_KEY"):
        environment[secret] = f"{secret} of a test, which is long enough to be one 0123456789"
    connection = psycopg2.connect(url)
    connection.autocommit = True
    # Migrated already: that `./run` migrates is seen where it starts on nothing.
    connection.cursor().execute(f"create database {name} template {os.environ['CSP_TEST_TEMPLATE']}")
    try:
        running = start(environment)
        heard = read_until(running, "Ctrl-C stops it")
        assert "first_admin" in heard, "a database of one's own is no demonstration's"
        browser = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        browser.request("GET", "/sign-in/", headers={"Host": "localhost"})
        answer = browser.getresponse()
        assert answer.status == 200
        assert re.search(r"/static/csp/css/base\.[0-9a-f]{12}\.css", answer.read().decode())
        browser.close()
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
        assert not (Path(environment["CSP_DATA_DIR"]) / "postgres").exists()
    finally:
        connection.cursor().execute(f"drop database if exists {name} with (force)")
        connection.close()


def test_an_unknown_word_is_told_in_one_line(surroundings: dict[str, str]) -> None:
    said, _ = start(surroundings, "frobnicate").communicate(timeout=30)
    assert said == "./run: it knows no 'frobnicate'; ./run help lists what there is.\n"


def test_a_busy_port_that_was_asked_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(Problem, match=f"port {port} is in use"):
            serve.free_port("PORT", 8000, ("127.0.0.1",))


def test_a_busy_default_port_moves_on_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        port, held = serve.free_port("PORT", taken, ("127.0.0.1",))
        for end in held:
            end.close()
    assert port > taken


@pytest.mark.parametrize("wrong", ["web", "0", "70000", ""])
def test_a_port_that_is_none_is_an_error(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("PORT", wrong)
    with pytest.raises(Problem, match="use a port number"):
        serve.free_port("PORT", 8000, ("127.0.0.1",))


def test_a_child_that_keeps_dying_is_started_with_growing_pauses(tmp_path: Path) -> None:
    child = Child("poor", [sys.executable, "-c", "print('ERROR: no luck'); raise SystemExit(3)"], tmp_path)
    keep = os.open(tmp_path / "keep", os.O_CREAT | os.O_RDWR)
    pauses, alarms = [], []
    for _ in range(3):
        child.start(dict(os.environ), keep)
        assert child.process is not None
        child.process.wait()
        while child.read(lambda name, line: alarms.append((name, line))):
            pass
        assert child.bury() == 3
        pauses.append(round(child.next_start - time.monotonic(), 1))
    os.close(keep)
    assert pauses == [0.5, 1.0, 2.0]
    assert alarms == [("poor", "ERROR: no luck")] * 3
    assert "ERROR: no luck" in child.log_path.read_text()


def test_an_old_python_is_told_in_one_line(tmp_path: Path) -> None:
    shutil.copy(place.ROOT / "run", tmp_path / "run")
    old = tmp_path / "bin" / "python3"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for name in ("dirname", "sh"):
        found = shutil.which(name)
        assert found
        (old.parent / name).symlink_to(found)
    done = subprocess.run(["sh", str(tmp_path / "run")], env={"PATH": str(old.parent)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer" in done.stderr


def test_a_python_without_venv_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\necho 'Error: ensurepip is not available' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        install.make_venv()
    assert not (tmp_path / ".venv").exists()


def test_with_both_addresses_set_the_engines_are_not_even_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://db/csp")
    monkeypatch.setenv("REDIS_URL", "redis://cache/0")
    assert install.wanted("manage") == ["requirements.txt"]
    monkeypatch.delenv("REDIS_URL")
    assert install.wanted("serve") == ["requirements.txt", "requirements-engines.txt"]
    assert install.wanted("test") == ["requirements.txt", "requirements-engines.txt", "requirements-dev.txt"]


def test_who_wants_no_bytecode_beside_sources_has_it_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    install.keep_bytecode_here()
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ
    assert os.environ["PYTHONPYCACHEPREFIX"] == str(place.ROOT / ".venv" / "bytecode")


def test_help_needs_nothing_installed(tmp_path: Path) -> None:
    shutil.copy(place.ROOT / "run", tmp_path / "run")
    done = subprocess.run(["sh", str(tmp_path / "run"), "help"], capture_output=True, text=True, check=True)
    for word in ("manage", "test", "lint", "format", "bench", "chaos", "demo-reset", "PORT", "CSP_DATA_DIR"):
        assert word in done.stdout


def test_lint_refuses_names_that_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "csp").mkdir()
    (tmp_path / "csp" / "helpers.py").touch()
    monkeypatch.setattr(lint, "ROOT", tmp_path)
    assert "csp/helpers.py" in lint.names()


def test_lint_finds_words_that_no_translator_would_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "csp").mkdir()
    page = tmp_path / "templates" / "page.html"
    module = tmp_path / "csp" / "module.py"
    page.write_text(
        '<p title="{% translate "a" %}">{# why #}{% blocktranslate %}Good {{ x }}{% endblocktranslate %} CSP</p>'
    )
    module.write_text('raise Refused(_("No such ticket."))\nlabel=_("Name")\nRefused("code")\n')
    monkeypatch.setattr(lint, "ROOT", tmp_path)
    assert lint.spoken() == ""
    page.write_text('<p>\n{{ name }} wrote to us</p>\n<a aria-label="Close it">x</a>')
    module.write_text('raise Refused(\n    f"No ticket {x}.")\n')
    assert lint.spoken().splitlines() == [
        "templates/page.html:3: not translated: Close it",
        "templates/page.html:2: not translated: wrote to us",
        "csp/module.py:1: not translated: Refused(",
        '    f"No ticket ',
    ]


def test_lint_refuses_a_lock_file_with_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements.txt").write_text("--index-url https://pypi.example/simple\na==1 --hash=sha256:0\n")
    monkeypatch.setattr(lint, "ROOT", tmp_path)
    assert "requirements.txt" in lint.locks()
