"""The container files, without a container engine: their schemas, and each start command in a clean folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = ("migrate", "web", "worker", "clock", "beat", "door")
# What an operator has to say; everything else has a default in the file.
SAID = {"CSP_SITE_URL": "https://desk.example.com", "EMAIL_HOST": "127.0.0.1"}
BIN = Path(sys.executable).parent


def run(*command: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, **more)


# ---------------------------------------------------------------- the files


def test_the_compose_file_follows_its_schema():
    done = run(
        str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(ROOT / "docker-compose.yml")
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_has_nothing_to_complain_about():
    done = run(str(BIN / "hadolint"), str(ROOT / "Dockerfile"))
    assert done.returncode == 0, done.stdout
    assert not done.stdout.strip(), done.stdout


def test_every_process_is_an_ordinary_user_on_a_read_only_root():
    assert re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.M)[-1].split(":")[0] not in ("0", "root")
    for name in OURS:
        service = COMPOSE["services"][name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "/tmp" in service["tmpfs"], name


def test_nothing_is_open_to_the_network():
    for name, service in COMPOSE["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name
    assert {name for name, service in COMPOSE["services"].items() if service.get("ports")} == {"web", "door"}


def test_secrets_are_files_and_nowhere_else():
    for name, value in COMPOSE["services"]["web"]["environment"].items():
        if any(word in name for word in ("SECRET", "PASSWORD", "_KEY", "DATABASE_URL")):
            assert name.endswith("_FILE"), name
            assert value.removeprefix("/run/secrets/") in COMPOSE["secrets"], name


def test_everything_that_runs_says_whether_it_is_well():
    for name, service in COMPOSE["services"].items():
        assert name == "migrate" or service["healthcheck"]["test"], name


def test_every_setting_reaches_the_containers():
    source = (ROOT / "csp" / "settings.py").read_text()
    read = set(re.findall(r'(?:text|flag|number|words|secret)\(\s*"([A-Z_]+)"', source))
    given = {name.removesuffix("_FILE") for name in COMPOSE["x-csp"]["environment"]}
    given |= {name for service in COMPOSE["services"].values() for name in service.get("environment") or {}}
    of_the_image = {"CSP_DATA_DIR", "CSP_STATIC_ROOT", "CSP_MAIL_DOOR_HOST", "CSP_MAIL_DOOR_PORT"}
    of_a_checkout = {"CSP_EMBEDDED", "CSP_DEMO_DATABASE", "CSP_SINK_PORT"}
    assert not read - given - of_the_image - of_a_checkout


def test_the_image_holds_no_engine_and_no_secret():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".state", ".venv", "secrets", "requirements-engines.*", "tests"} <= set(ignored)


# ---------------------------------------------------------------- the commands


def filled(value: str) -> str:
    """As compose fills a variable: with what the operator said, or the default."""
    return re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda m: SAID.get(m[1], m[2] if ":-" in m[0] else ""), value)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The product as the image has it: what .dockerignore lets through, with its static files made."""
    copy = tmp_path / "srv"
    ignore = shutil.ignore_patterns(
        ".*", "tests", "docs", "benchmarks", "secrets", "staticfiles", "__pycache__", "requirements-*"
    )
    shutil.copytree(ROOT, copy, ignore=ignore)
    return copy


@pytest.fixture
def surroundings(tmp_path: Path, transactional_db: None, valkey_url: str) -> dict[str, str]:
    """The environment of the compose file, with the engines and files of this test."""
    secrets, data = tmp_path / "secrets", tmp_path / "data"
    secrets.mkdir()
    data.mkdir()
    wrapper = connection.settings_dict
    url = f"postgres://{wrapper['USER']}@{wrapper['HOST'].replace('/', '%2F')}/{wrapper['NAME']}"
    words = {"database_url": url, "email_password": ""}
    for name in COMPOSE["secrets"]:
        (secrets / name).write_text(
            words.get(name, f"{name}-of-this-test-which-is-long-enough-for-a-secret-0123456789")
        )
    given = {name: filled(str(value)) for name, value in COMPOSE["services"]["web"]["environment"].items()}
    given = {name: value.replace("/run/secrets", str(secrets)) for name, value in given.items()}
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ
    }
    return kept | given | {
        "REDIS_URL": valkey_url,
        "DJANGO_SETTINGS_MODULE": "csp.settings",
        "CSP_DATA_DIR": str(data),
        "CSP_STATIC_ROOT": str(tmp_path / "static"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPYCACHEPREFIX": sys.pycache_prefix or "",  # the image's libraries come compiled
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }  # fmt: skip


def contents(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


@pytest.mark.slow
def test_each_command_starts_answers_its_check_and_stops_with_production_settings(
    image: Path, surroundings: dict[str, str], tmp_path: Path
):
    before = contents(image)
    made = run("python", "manage.py", "collectstatic", "--noinput", "-v0", cwd=image, env=surroundings)
    assert made.returncode == 0, made.stderr
    checked = run("python", "manage.py", "check", "--deploy", "--fail-level", "WARNING", cwd=image, env=surroundings)
    assert checked.returncode == 0, checked.stderr
    web, door = free_port(), free_port()
    ports = {"0.0.0.0:8000": f"127.0.0.1:{web}", "2525": str(door), "0.0.0.0": "127.0.0.1"}
    surroundings |= {"CSP_WEB_PORT": str(web), "CSP_MAIL_DOOR_PORT": str(door)}
    migrated = run(*COMPOSE["services"]["migrate"]["command"], cwd=image, env=surroundings)
    assert migrated.returncode == 0, migrated.stderr

    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in OURS[1:]:
            command = [ports.get(word, word) for word in COMPOSE["services"][name]["command"]]
            log = (tmp_path / f"{name}.log").open("wb")
            running[name] = subprocess.Popen(
                command, cwd=image, env=surroundings, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
            log.close()
        for name in OURS[1:]:
            _wait_until_well(name, running[name], image, surroundings, tmp_path)
        ended = {name: _stop(process) for name, process in running.items()}
    finally:
        for process in running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    assert set(ended.values()) <= {0, -signal.SIGTERM, 128 + signal.SIGTERM}, ended
    assert contents(image) == before, "something was written into the image, which is read-only"
    # production logs are for machines
    lines = [line for log in tmp_path.glob("*.log") for line in log.read_text().splitlines() if line.startswith("{")]
    assert {json.loads(line)["level"] for line in lines} <= {"INFO", "WARNING"}, lines
    assert lines
    # and a sick process says so
    assert run("python", "-m", "csp.alive", "web", cwd=image, env=surroundings).returncode == 1


def _wait_until_well(
    name: str, process: subprocess.Popen[bytes], image: Path, surroundings: dict[str, str], logs: Path
) -> None:
    check = COMPOSE["services"][name]["healthcheck"]["test"][1:]
    until = time.monotonic() + 90
    while True:
        asked = run(*check, cwd=image, env=surroundings)
        if asked.returncode == 0:
            return
        words = (logs / f"{name}.log").read_text()
        assert process.poll() is None, f"{name} ended: {words[-2000:]}"
        assert time.monotonic() < until, f"{name} is not well: {asked.stderr} {words[-2000:]}"
        time.sleep(0.5)


def _stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(40)
