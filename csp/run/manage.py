"""`./run manage ...`: bring the database up to date when it is behind, then be Django's own command line.

`python -m csp.run.manage` alone only brings the database up to date. Standard output belongs to the command.
"""

import os
import sys
from contextlib import redirect_stdout

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command, execute_from_command_line
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

# They work on the code or on the migrations themselves, and must work while the migrations are wrong.
LEAVE_ALONE = {
    *("check", "diffsettings", "help", "version", "--help", "--version", "-h"),
    *("makemessages", "compilemessages"),
    *("makemigrations", "migrate", "optimizemigration", "showmigrations", "sqlmigrate", "squashmigrations"),
    "restore",  # which wants the database empty
}
ONE_AT_A_TIME = 0x435350  # an advisory lock of our own: "CSP"


def is_behind() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def migrate_if_needed() -> None:
    if not is_behind():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
        try:
            if is_behind():
                print("./run: bringing the database up to date", file=sys.stderr, flush=True)
                with redirect_stdout(sys.stderr):
                    call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ONE_AT_A_TIME])


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csp.settings")
    arguments = sys.argv[1:]
    if not arguments or arguments[0] not in LEAVE_ALONE:
        try:
            django.setup()
            migrate_if_needed()
        except (ImproperlyConfigured, OperationalError) as error:
            sys.exit(f"./run: {' '.join(str(error).split())}")
        connection.close()
    if arguments:
        execute_from_command_line(["./run manage", *arguments])


if __name__ == "__main__":
    main()
