"""`./run lint` and `./run format`: every gate that needs no running engine, each told in one line, failures in full."""

import gzip
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from csp.run import untranslated
from csp.run.place import ROOT, Problem

APPS = ("csp", "tickets", "feedback", "training", "audits")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "services", "common", "misc"}
STYLE_SHEET_LIMIT = 16 * 1024

Complaint = str  # empty when all is well


def tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def run(*command: str, **environment: str) -> Complaint:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout + f"(exit code {done.returncode})" if done.returncode else ""


def manage(*command: str, **environment: str) -> Complaint:
    return run(sys.executable, "manage.py", *command, **environment)


def development() -> dict[str, str]:
    """Enough of an environment to load the settings; nothing connects anywhere."""
    data = Path(tempfile.gettempdir()) / f"csp-lint-{os.geteuid()}"
    data.mkdir(mode=0o700, exist_ok=True)
    return {"CSP_EMBEDDED": "1", "CSP_DATA_DIR": str(data), "DATABASE_URL": "postgres://csp@localhost:1/csp"}


def production() -> dict[str, str]:
    """What an operator would set; every secret that the settings ask for is long enough and worth nothing."""
    secrets = re.findall(r'secret\("(\w+)"\)', (ROOT / "csp" / "settings.py").read_text())
    return {
        **{name: f"lint-{name}-0123456789abcdefghijklmnopqrstuvwxyz-0123456789" for name in secrets},
        "CSP_EMBEDDED": "0",
        "CSP_SITE_URL": "https://desk.example.org",
        "DATABASE_URL": "postgres://csp@localhost:1/csp",
        "REDIS_URL": "redis://localhost:1/0",
    }


def files(pattern: str, *folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).glob(pattern))


def templates() -> list[str]:
    return [str(path) for path in [*files("**/*.html", "templates"), *files("templates/**/*.html", *APPS)]]


# ---------------------------------------------------------------- the gates


def style() -> Complaint:
    return run(tool("ruff"), "check", ".")


def layout() -> Complaint:
    return run(tool("ruff"), "format", "--check", ".")


def types() -> Complaint:
    return run(tool("mypy"), **development())


def imports() -> Complaint:
    return run(tool("lint-imports"), **development())


def names() -> Complaint:
    """A module is named for its work; these names say nothing of it."""
    bad = [path.relative_to(ROOT) for path in files("**/*", *APPS, "tests") if path.stem in FORBIDDEN_NAMES]
    return "".join(f"{path}: name it for what it does\n" for path in bad)


def checks() -> Complaint:
    return manage("check", "--fail-level", "WARNING", **development())


def deploy() -> Complaint:
    return manage("check", "--deploy", "--fail-level", "WARNING", **production())


def migrations() -> Complaint:
    # It would like to compare with a database, and warns that there is none.
    ignore = {"PYTHONWARNINGS": "ignore::RuntimeWarning"}
    return manage("makemigrations", "--check", "--dry-run", **development(), **ignore)


def template_style() -> Complaint:
    found = templates()
    return run(tool("djade"), "--check", "--target-version", "5.2", *found) if found else ""


def security() -> Complaint:
    return run(tool("bandit"), "-q", "-ll", "-c", "pyproject.toml", "-r", *APPS)


def style_sheets() -> Complaint:
    sizes = {path: len(gzip.compress(path.read_bytes(), 9)) for path in files("**/*.css", "static/csp")}
    if sum(sizes.values()) <= STYLE_SHEET_LIMIT:
        return ""
    listed = "".join(f"{size:>7} {path.relative_to(ROOT)}\n" for path, size in sizes.items())
    return f"{listed}{sum(sizes.values()):>7} bytes compressed, {STYLE_SHEET_LIMIT} are allowed\n"


def spoken() -> Complaint:
    """Every word that a person sees goes through gettext."""
    found = []
    for path in [*files("**/*.html", "templates"), *files("**/*.txt", "templates")]:
        if "styleguide" not in path.name:  # drawn by tests alone
            found += [(path, line, said) for line, said in untranslated.in_template(path.read_text())]
    for path in files("**/*.py", *APPS):
        if not {"migrations", "run", "management"} & set(path.parts):  # an operator's words are English
            found += [(path, line, said) for line, said in untranslated.in_python(path.read_text())]
    return "".join(f"{path.relative_to(ROOT)}:{line}: not translated: {said}\n" for path, line, said in found)


def locks() -> Complaint:
    """A lock file names hashes, never the address of somebody's registry."""
    bad = [
        path.name
        for path in ROOT.glob("requirements*.txt")
        if "://" in path.read_text() or "--hash" not in path.read_text()
    ]
    return "".join(
        f"{name}: compile it with --generate-hashes --no-emit-index-url --no-emit-find-links\n" for name in bad
    )


def script() -> Complaint:
    return run("sh", "-n", "run") + run("bash", "-n", ".ci/run")


GATES: dict[str, Callable[[], Complaint]] = {
    "style": style,
    "layout": layout,
    "names": names,
    "locks": locks,
    "scripts": script,
    "style-sheets": style_sheets,
    "templates": template_style,
    "words": spoken,
    "checks": checks,
    "deploy": deploy,
    "migrations": migrations,
    "imports": imports,
    "security": security,
    "types": types,
}


def lint(chosen: list[str]) -> int:
    if unknown := set(chosen) - set(GATES):
        raise Problem(f"lint knows no {', '.join(sorted(unknown))}; there are {', '.join(GATES)}.")
    failed = []
    for name in chosen or GATES:
        began = time.monotonic()
        complaint = GATES[name]()
        print(f"{'FAILED' if complaint else 'ok':>6}  {name} ({time.monotonic() - began:.1f} s)", flush=True)
        if complaint:
            failed.append(name)
            print(complaint.rstrip(), flush=True)
    print(f"lint: {', '.join(failed)} failed" if failed else "lint: all is well", flush=True)
    return 1 if failed else 0


def format_code() -> int:
    commands = [(tool("ruff"), "check", "--fix", "--quiet", "."), (tool("ruff"), "format", ".")]
    if found := templates():
        commands.append((tool("djade"), "--target-version", "5.2", *found))
    codes = [subprocess.run(command, cwd=ROOT).returncode for command in commands]
    return max(codes[:2])  # djade says 1 when it changed something
