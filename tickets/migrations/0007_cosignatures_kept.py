"""What the database refuses about answers that waited for a co-signature: rewriting their decision, removing them."""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0003_texts"), ("csp", "0007_seals")]

    operations = [
        _guards.kept(
            "tickets_cosignature",
            _guards.set_once("decided_at", "interaction_id")
            + " or "
            + _guards.differs("ticket_id", "author_id", "restriction_id", "seen", "written_at")
            + " or (old.body is distinct from new.body and new.body <> '')",
            "what was written and decided",
        ),
        _guards.kept("tickets_cosignaturefile", _guards.differs("cosignature_id", "blob_id"), "file"),
    ]
