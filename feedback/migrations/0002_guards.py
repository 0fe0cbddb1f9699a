"""What the database refuses about feedback: what was said does not change, and nothing is removed."""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")
immutable, kept, differs, set_once = _guards.immutable, _guards.kept, _guards.differs, _guards.set_once


class Migration(migrations.Migration):
    dependencies = [("feedback", "0001_initial"), ("csp", "0016_marks"), ("tickets", "0011_survey_texts")]

    operations = [
        immutable("feedback_remark", "words"),
        immutable("feedback_outcome", "reason"),
        kept("feedback_identity", differs("remark_id", "blob_id"), "whose words they are"),
        kept(
            "feedback_survey",
            differs("ticket_id", "customer_id", "decision", "decided_at", "message_id") + " or " + set_once("used_at"),
            "who was asked",
        ),
    ]
