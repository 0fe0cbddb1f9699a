"""Where the data of this checkout lies, and the kind of problem that a person is told in one line."""

import fcntl
import hashlib
import json
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]


class Problem(Exception):
    """Something that the person at the terminal can mend; its text is one clear line."""


def say(line: str) -> None:
    """Tell the person; standard output belongs to the commands that we run."""
    print(line, file=sys.stderr, flush=True)


def give_up(problem: Exception) -> NoReturn:
    say(f"./run: {problem}")
    raise SystemExit(1)


def checkout_id() -> str:
    return hashlib.sha256(str(ROOT).encode()).hexdigest()[:10]


def data_dir() -> Path:
    """`.state/` in the checkout; for root elsewhere, since PostgreSQL is then nobody and may not enter /root."""
    chosen = os.environ.get("CSP_DATA_DIR")
    if chosen:
        path = Path(chosen).expanduser().resolve()
    elif os.geteuid() == 0:
        path = Path(f"/var/lib/csp-{checkout_id()}")
    else:
        path = ROOT / ".state"
    try:
        # Root's own files inside are closed one by one; nobody must be able to pass through to the engines' folders.
        path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        (path / "logs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Problem(
            f"the data folder {path} cannot be made ({error.strerror}); choose another with CSP_DATA_DIR."
        ) from None
    if not os.access(path, os.W_OK):
        raise Problem(f"the data folder {path} cannot be written by you; choose another with CSP_DATA_DIR.")
    return path


def socket_dir(data: Path, owner: int) -> Path:
    """A closed folder for Unix sockets. Their paths hold 107 bytes: a long data path moves it to the temp folder."""
    path = data / "sockets"
    if len(os.fsencode(path)) > 80:
        name = f"csp-{os.geteuid()}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
        path = Path(tempfile.gettempdir()) / name
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        raise Problem(f"{path} belongs to somebody else; remove it or set TMPDIR.")
    if found.st_uid != owner:
        os.chown(path, owner, -1)
    path.chmod(0o700)
    return path


def lock(path: Path, *, wait: bool = False) -> int | None:
    """An exclusive lock on PATH, None when somebody holds it. The kernel frees it with its last holder."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def read_note(path: Path) -> dict[str, Any]:
    """What an earlier process wrote down about itself; nothing when there is none or it was cut short."""
    try:
        note = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def write_note(path: Path, note: dict[str, Any]) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(note))
    draft.replace(path)
