"""`python -m csp.run ...`: one function per word that `./run` understands."""

import os
import sys

from csp.run import place
from csp.run.place import Problem
from csp.run.surroundings import Surroundings, connect, database_name, has_command

# Each migrates nothing (its database is a copy), but holds a Django and perhaps a browser.
MOST_TEST_WORKERS = 4


def serve(arguments: list[str]) -> None:
    from csp.run.serve import Supervisor

    if arguments:
        raise Problem(f"it knows no {arguments[0]!r}; ./run help lists what there is.")
    raise SystemExit(Supervisor().run())


def manage(arguments: list[str]) -> None:
    """Become Django's command line; the loan of the engines goes along and ends with the process."""
    surroundings = Surroundings()
    surroundings.borrow()
    surroundings.environment |= surroundings.of_running()
    if surroundings.loan is not None:
        surroundings.loan.keep_across_exec()
    # A database of one's own is migrated by its owner, on purpose: `./run manage migrate`.
    how = ["-m", "csp.run.manage"] if "postgres" in surroundings.engines else ["manage.py"]
    os.execve(sys.executable, [sys.executable, *how, *(arguments or ["help"])], surroundings.whole())  # noqa: S606


def test(arguments: list[str]) -> None:
    """The plugin csp.run.testing, which pyproject.toml names, brings the engines. The whole suite is shared out."""
    if all(argument.startswith("-") for argument in arguments):
        arguments = [f"-n{min(os.cpu_count() or 1, MOST_TEST_WORKERS)}", "--dist=worksteal", *arguments]
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606


def chaos(arguments: list[str]) -> None:
    os.environ["CSP_CHAOS"] = "1"
    test(["-m", "chaos", "tests", *arguments])


def bench(arguments: list[str]) -> None:
    if not (place.ROOT / "benchmarks" / "__main__.py").exists():
        raise Problem("there are no benchmarks in this checkout.")
    from csp.run.testing import Engines

    engines = Engines()
    try:
        engines.start()
        os.environ.update(engines.environment)
        import subprocess

        code = subprocess.run([sys.executable, "-m", "benchmarks", *arguments], cwd=place.ROOT).returncode
    finally:
        engines.stop()
    raise SystemExit(code)


def lint(arguments: list[str]) -> None:
    from csp.run.lint import lint as check

    raise SystemExit(check(arguments))


def format_(arguments: list[str]) -> None:
    from csp.run.lint import format_code

    raise SystemExit(format_code())


def demo_reset(arguments: list[str]) -> None:
    """Make the demonstration afresh beside the old one, then put it in its place at once: a running ./run goes on."""
    import subprocess

    if os.environ.get("DATABASE_URL"):
        raise Problem("demo-reset touches the embedded demonstration only, and DATABASE_URL is set; unset it.")
    os.environ["CSP_DEMO"] = "1"
    surroundings = Surroundings()
    surroundings.borrow()
    assert surroundings.loan is not None
    name, draft = database_name(), "csp_demo_new"
    with connect(surroundings.loan.sockets).cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {draft} WITH (FORCE)")
        surroundings.use_database(draft)
        made = subprocess.run([sys.executable, "-m", "csp.run.manage"], cwd=place.ROOT, env=surroundings.whole())
        if made.returncode:
            raise Problem("the new demonstration could not be made (see above); the old one is untouched.")
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"ALTER DATABASE {draft} RENAME TO {name}")
    place.say("The demonstration is empty again.")
    if has_command("demo"):
        manage(["demo"])


WORDS = {
    "serve": serve,
    "manage": manage,
    "test": test,
    "lint": lint,
    "format": format_,
    "bench": bench,
    "chaos": chaos,
    "demo-reset": demo_reset,
}


def main() -> None:
    word, *arguments = sys.argv[1:] or ["serve"]
    try:
        if word not in WORDS:
            raise Problem(f"it knows no {word!r}; ./run help lists what there is.")
        WORDS[word](arguments)
    except Problem as problem:
        place.give_up(problem)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
