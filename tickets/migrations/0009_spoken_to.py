"""What each outgoing interaction speaks to, and what the author of a waiting answer had on screen, ticket by ticket."""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0008_calls")]

    operations = [_guards.immutable("tickets_spokento")]
