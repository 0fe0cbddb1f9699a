"""What the processes of CSP find in their environment: which engines, which database, which addresses."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import errors, sql

from csp.run import engines, keeper, place
from csp.run.place import Problem


def is_demo() -> bool:
    return os.environ.get("CSP_DEMO", "1").lower() not in {"0", "false", "no", "off", ""}


def embedded() -> list[str]:
    """The engines that nobody named an address for."""
    return [name for name, url in (("postgres", "DATABASE_URL"), ("valkey", "REDIS_URL")) if not os.environ.get(url)]


def database_name() -> str:
    """The demonstration is a database of its own, so that removing it can touch nothing else."""
    return "csp_demo" if is_demo() else "csp"


def has_command(name: str) -> bool:
    """Whether Django would know the command NAME, without loading Django."""
    return any(place.ROOT.glob(f"*/management/commands/{name}.py"))


def connect(sockets: Path, database: str = "postgres") -> Any:
    connection = psycopg2.connect(host=str(sockets), user="csp", dbname=database)
    connection.autocommit = True
    return connection


def make_database(sockets: Path, name: str) -> None:
    with connect(sockets).cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            with suppress(errors.DuplicateDatabase, errors.UniqueViolation):  # somebody made it this very moment
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


class Surroundings:
    """The borrowed engines and the environment that tells Django of them."""

    def __init__(self) -> None:
        self.data = place.data_dir()
        self.engines = embedded()
        self.loan: keeper.Loan | None = None
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "csp.settings",
            "CSP_DATA_DIR": str(self.data),
            "PYTHONUNBUFFERED": "1",
        }

    def borrow(self) -> None:
        """Nothing when both engines are somebody else's."""
        if not self.engines:
            return
        self.loan = keeper.borrow(self.data, self.engines)
        if "valkey" in self.engines:
            self.environment["REDIS_URL"] = engines.valkey_url(self.loan.sockets)
        if "postgres" in self.engines:
            self.environment["CSP_EMBEDDED"] = "1"
            self.use_database(database_name())

    def use_database(self, name: str) -> None:
        if self.loan is None:
            raise Problem("this works on the embedded engines only; unset DATABASE_URL.")
        make_database(self.loan.sockets, name)
        self.environment["DATABASE_URL"] = engines.postgres_url(self.loan.sockets, name)
        if name.startswith("csp_demo"):
            self.environment["CSP_DEMO_DATABASE"] = "1"

    def of_running(self) -> dict[str, str]:
        """What a `./run` on the same data chose for itself (ports that had to move), for a command beside it."""
        holder = place.lock(self.data / "run.lock")
        if holder is not None:
            os.close(holder)
            return {}
        chosen = place.read_note(self.data / "run.json").get("environment", {})
        return {key: value for key, value in chosen.items() if key not in os.environ}

    def whole(self) -> dict[str, str]:
        return {**os.environ, **self.environment}
