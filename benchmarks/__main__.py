"""`./run bench [SIZE ...]`: pages and jobs at 10,000 and 100,000 tickets, as ratios against the floor of the same run.

`--only WORD` measures those whose name holds the word (several words: any of them), beside the same floor.

`./run bench sealing` and `./run bench lateness` run one of the other benchmarks on an empty database.

CPU is this process's own plus its database backend's, per request; wall times are given beside it and are noisy. What
is compared is measured in turns, A B A B, and the median is quoted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import dj_database_url
import psycopg2

ROUNDS = 40


ALONE = ("sealing", "lateness")  # each on an empty, migrated database


def main() -> None:
    if sys.argv[1:2] and sys.argv[1] in ALONE:
        environment = {**os.environ, "DATABASE_URL": _database(f"bench_{sys.argv[1]}")}
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], env=environment, check=True)
        command = [sys.executable, "-m", f"benchmarks.{sys.argv[1]}", *sys.argv[2:]]
        raise SystemExit(subprocess.run(command, env=environment).returncode)
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", action="append", default=[], metavar="WORD")
    asked = parser.parse_args()
    for size in asked.sizes:
        own = _database(f"bench_{size}")
        environment = {**os.environ, "DATABASE_URL": own, "CSP_BENCH_SIZE": str(size)}
        code = subprocess.run(
            [sys.executable, "-m", "benchmarks.measure", str(size), str(asked.rounds), *asked.only], env=environment
        ).returncode
        if code:
            raise SystemExit(code)


def _database(name: str) -> str:
    """A fresh database on the run's own engine; its URL."""
    url = os.environ["DATABASE_URL"]
    settings = dj_database_url.parse(url)
    connection = psycopg2.connect(
        host=settings["HOST"], port=settings["PORT"] or None, user=settings["USER"], dbname=settings["NAME"]
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'drop database if exists "{name}"')
        cursor.execute(f'create database "{name}"')
    connection.close()
    return url.rsplit("/", 1)[0] + f"/{name}"


if __name__ == "__main__":
    main()
