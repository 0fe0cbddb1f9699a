"""What the database refuses about restrictions of a person's work: rewriting and removing them."""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")


class Migration(migrations.Migration):
    dependencies = [("csp", "0007_seals")]

    operations = [
        _guards.kept("csp_restriction", _guards.differs("user_id", "kind", "cause", "starts_at"), "what was imposed")
    ]
