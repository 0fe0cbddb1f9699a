"""Make .venv and keep it at the locked versions, then hand over to the command in it.

Runs on whichever Python `./run` found, so it uses the standard library alone. uv installs in two seconds what takes pip
twenty; pip brings uv, and does the work itself where uv cannot be had.
"""

import ast
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NOTE = VENV / "csp-installed.json"
NEED_DEVELOPMENT = {"test", "lint", "format", "bench", "chaos"}


def wanted(command: str) -> list[str]:
    """The lock files that COMMAND needs, smallest first."""
    files = ["requirements.txt"]
    if command in NEED_DEVELOPMENT or not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        files.append("requirements-engines.txt")
    if command in NEED_DEVELOPMENT:
        files.append("requirements-dev.txt")
    return files


def works() -> bool:
    """Whether .venv holds a Python of today (an upgrade of the system can leave one that starts no more)."""
    if Path(sys.prefix).resolve() == VENV.resolve():
        return True
    try:
        check = [str(PYTHON), "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"]
        return subprocess.run(check, capture_output=True).returncode == 0
    except OSError:
        return False


def make_venv() -> None:
    if VENV.is_symlink():
        sys.exit("./run: .venv is a link to an environment that does not work; remove the link.")
    if VENV.exists():
        print("./run: .venv does not start any more; making it afresh", file=sys.stderr)
        shutil.rmtree(VENV)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        if "ensurepip" in made.stdout + made.stderr or "No module named venv" in made.stderr:
            sys.exit("./run: this Python lacks its venv module (on Debian and Ubuntu: apt install python3-venv).")
        sys.exit(f"./run: .venv could not be made: {(made.stderr or made.stdout).strip().splitlines()[-1]}")


def index_for_uv() -> dict[str, str]:
    """pip's own settings (a company's mirror, a certificate) in the words of uv, which does not read them."""
    listed = subprocess.run([str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    found: dict[str, str] = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        found[name.rpartition(".")[2]] = str(ast.literal_eval(value))
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE",
    }
    settings = {
        names[key]: ",".join(v.split()) if key == "find-links" else v for key, v in found.items() if key in names
    }
    if "UV_INDEX" in settings:
        settings["UV_INDEX_STRATEGY"] = (
            "unsafe-best-match"  # as pip does; the hashes in the lock guard against a wrong file
        )
    return settings


def install(files: list[str]) -> None:
    pip = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
        "--require-hashes",
    ]
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "-q", "--python", str(PYTHON), "--no-build", "--require-hashes"]
    environment = {**index_for_uv(), **os.environ, "VIRTUAL_ENV": str(VENV)}
    has_uv = subprocess.run([*pip, "-r", "requirements-uv.txt"], cwd=ROOT, capture_output=True).returncode == 0
    for name in files:
        print(f"./run: installing {name} (once)", file=sys.stderr, flush=True)
        if has_uv and subprocess.run([*uv, "-r", name], cwd=ROOT, env=environment, capture_output=True).returncode == 0:
            continue
        if subprocess.run([*pip, "-r", name], cwd=ROOT, stdout=sys.stderr).returncode:
            sys.exit(f"./run: {name} could not be installed (see above). Is there a way to the package index?")


def installed() -> dict[str, str]:
    """The digest of each lock file that is in .venv whole."""
    return json.loads(NOTE.read_text()) if NOTE.exists() else {}


def make_ready(command: str) -> None:
    """One at a time per environment; a killed install is simply done again, since a file is noted after it is in."""
    if not works():
        with open(ROOT / ".venv.lock", "w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not works():
                make_venv()
    sums = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in wanted(command)}

    def missing() -> list[str]:
        return [name for name, digest in sums.items() if installed().get(name) != digest]

    if not missing():
        return
    with open(VENV / "csp-installed.lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if files := missing():
            install(files)
            draft = NOTE.with_suffix(".new")
            draft.write_text(json.dumps({**installed(), **{name: sums[name] for name in files}}))
            draft.replace(NOTE)


def keep_bytecode_here() -> None:
    """Who asks Python to write no bytecode beside its sources finds none there, but ours is kept, in .venv.

    Compiling Django and all else takes five seconds, and the product is a dozen processes.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "bytecode"))


def main() -> None:
    arguments = sys.argv[1:]
    os.chdir(ROOT)
    make_ready(arguments[0] if arguments else "serve")
    keep_bytecode_here()
    os.execv(PYTHON, [str(PYTHON), "-m", "csp.run", *arguments])  # noqa: S606


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
