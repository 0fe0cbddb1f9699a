"""The pytest plugin that gives a test run a PostgreSQL and a Valkey of its own, thrown away at the end.

Two runs never share a thing. Migrating takes longer than all else, so a migrated cluster is kept per state of the
migrations, and each run starts on a copy of it; Django then makes its test database from the template in there. Where
migrations were only added since, the cluster kept before is brought up to date instead of made afresh.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from csp.run import engines, place
from csp.run.place import Problem, say
from csp.run.surroundings import make_database

TEMPLATE = "csp_template"
KEPT = 3
SOURCES = "csp-sources.json"  # in a kept cluster: what it was made from
PREFIX = "csp-test-"


class Engines:
    """Throw-away engines in the temp folder, with a migrated database named TEMPLATE."""

    def __init__(self) -> None:
        self._sweep()
        self.data = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.data.chmod(0o711)
        (self.data / "logs").mkdir()
        lock = place.lock(self.data / "lock")
        assert lock is not None
        self._lock = lock
        self.postgres: engines.Postgres | None = None
        self.valkey: engines.Valkey | None = None
        self.environment: dict[str, str] = {}

    def start(self) -> None:
        sources = migration_sources()
        digest = hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()[:16]
        cached = place.data_dir() / "test-templates" / digest
        self.postgres = engines.Postgres(self.data, throwaway=True)
        known = cached.exists()
        begun = cached if known else earlier(cached.parent, sources)
        if begun is not None:
            subprocess.run(["cp", "-a", str(begun), str(self.postgres.folder())], check=True)
            begun.touch()
        self.postgres.start()
        self.valkey = engines.Valkey(self.data, throwaway=True)
        self.valkey.start()
        self.environment = {
            "DATABASE_URL": self.postgres.url("csp"),
            "REDIS_URL": engines.valkey_url(self.valkey.sockets),
            "CSP_EMBEDDED": "1",
            "CSP_DATA_DIR": str(self.data),
            "CSP_TEST_TEMPLATE": TEMPLATE,
        }
        if not known:
            self._make_template(cached, sources, anew=begun is None)
        make_database(self.postgres.sockets, "csp")

    def _make_template(self, cached: Path, sources: dict[str, str], *, anew: bool) -> None:
        assert self.postgres is not None
        which = "a fresh database" if anew else "the database of the last state on"
        say(f"./run test: migrating {which} (once per state of the migrations)")
        if anew:
            make_database(self.postgres.sockets, TEMPLATE)
        environment = {**os.environ, **self.environment, "DATABASE_URL": self.postgres.url(TEMPLATE)}
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        if subprocess.run(migrate, cwd=place.ROOT, env=environment, stdout=sys.stderr).returncode:
            raise Problem("the migrations fail (see above).")
        self.postgres.stop()  # a copy is only whole when nobody writes
        (self.postgres.folder() / SOURCES).write_text(json.dumps(sources))
        cached.parent.mkdir(mode=0o711, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=cached.parent, prefix="draft-"))
        subprocess.run(["cp", "-a", str(self.postgres.folder()), str(draft / "cluster")], check=True)
        with suppress(OSError):  # another run was quicker, with the same result
            (draft / "cluster").rename(cached)
        shutil.rmtree(draft, ignore_errors=True)
        kept = sorted(cached.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in kept[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
        self.postgres.start()

    def stop(self) -> None:
        for engine in (self.valkey, self.postgres):
            if engine is not None:
                engine.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        os.close(self._lock)

    def _sweep(self) -> None:
        """Remove what killed runs left: their lock is free, or was never taken and is an hour old."""
        for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            try:
                with (left / "lock").open("r+") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(left, ignore_errors=True)
            except OSError:
                continue


def migration_sources() -> dict[str, str]:
    """What a migrated database depends on, each with its digest: our migrations, and others' by the lock files."""
    named = ("requirements.txt", "requirements-engines.txt", "csp/settings.py", "csp/marking.py")
    sources = [place.ROOT / name for name in named]
    sources += sorted([*place.ROOT.glob("*/migrations/**/*"), *place.ROOT.glob("*/models/**/*.py")])
    return {
        str(path.relative_to(place.ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sources
        if path.is_file() and "__pycache__" not in path.parts
    }


def earlier(folder: Path, sources: dict[str, str]) -> Path | None:
    """The latest kept cluster that these sources only add migrations to."""

    def settled(known: dict[str, str]) -> dict[str, str]:
        return {path: digest for path, digest in known.items() if "/models/" not in path}

    ours = settled(sources)
    kept = folder.iterdir() if folder.exists() else ()
    for cluster in sorted(kept, key=lambda path: path.stat().st_mtime, reverse=True):
        with suppress(OSError, ValueError):
            theirs = settled(json.loads((cluster / SOURCES).read_text()))
            added = {path for path in ours if ours[path] != theirs.get(path)}
            if theirs.keys() <= ours.keys() and all(path not in theirs and "/migrations/" in path for path in added):
                return cluster
    return None


def find_chromium() -> str | None:
    """The browser for the journeys: CHROMIUM, or one on the PATH."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if shutil.which(named) else None
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


def install_chromium() -> str | None:
    """Where the machine allows it: root with apt. Nothing is tried elsewhere."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("./run test: installing Chromium for the browser tests (once)")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-yq", "--no-install-recommends", "chromium"]):
            done = subprocess.run(["apt-get", *command], env=quiet, capture_output=True)
            if done.returncode:
                return None
    return find_chromium()


# ---------------------------------------------------------------- the hooks

ENGINES = pytest.StashKey[Engines]()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Before pytest-django reads the settings: start the engines.

    A worker of xdist finds them running; it has a database there, a number in Valkey and a data folder of its own.
    """
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        folder = Path(os.environ["CSP_DATA_DIR"]) / worker
        folder.mkdir(exist_ok=True)
        os.environ["CSP_DATA_DIR"] = str(folder)
        os.environ["REDIS_URL"] = os.environ["REDIS_URL"].replace("db=0", f"db={1 + int(worker.removeprefix('gw'))}")
    elif not os.environ.get("CSP_TEST_TEMPLATE"):
        running = Engines()
        early_config.stash[ENGINES] = running
        early_config.add_cleanup(running.stop)
        try:
            running.start()
        except Problem as problem:
            running.stop()
            raise pytest.UsageError(f"./run test: {problem}") from None
        os.environ.update(running.environment)
    yield


def pytest_configure(config: pytest.Config) -> None:
    for name in ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"):
        os.environ.pop(name, None)  # no test may reach a real mail server


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Browser tests want Chromium: installed where that can be, else skipped with one line, and in CI an error."""
    wanting = [item for item in items if item.get_closest_marker("browser")]
    if not os.environ.get("CSP_CHAOS"):
        wanting = [item for item in wanting if not item.get_closest_marker("chaos")]
    if wanting and not (find_chromium() or install_chromium()):
        reason = "no Chromium here: put one on the PATH or name it with CHROMIUM"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            raise pytest.UsageError(f"browser tests may not be skipped in CI, and there is {reason}")
        for item in wanting:
            item.add_marker(pytest.mark.skip(reason=reason))
