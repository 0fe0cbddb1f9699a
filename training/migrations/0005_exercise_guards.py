"""What the database refuses about exercises: changing a published script, what was graded, and removing it."""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")


class Migration(migrations.Migration):
    dependencies = [("training", "0003_standard_courses"), ("csp", "0031_privacy"), ("tickets", "0021_finishes")]

    operations = [
        migrations.RunSQL(
            "create trigger published_stays before insert or update or delete on training_practicescript "
            "for each row execute function training_refuse_published();",
            "drop trigger published_stays on training_practicescript;",
        ),
        _guards.kept(
            "training_practiceattempt",
            _guards.differs("user_id", "version_id", "number", "ticket_id", "started_at")
            + " or "
            + _guards.set_once("follow_up_id", "finished_at", "passed")
            + " or (old.finished_at is not null and old.results is distinct from new.results)",
            "an exercise and its result",
        ),
        _guards.immutable("csp_exercise"),
    ]
