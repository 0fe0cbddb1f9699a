"""What the database refuses about reviews: changing what was talked about and signed, and removing it before its time."""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")
_disposal = importlib.import_module("csp.migrations.0028_disposal_guards")
immutable, kept, differs, set_once = _guards.immutable, _guards.kept, _guards.differs, _guards.set_once

# The words of closed papers may be blanked by an erasure, and otherwise stay.
CLOSED = (
    "(old.state = 'closed' and (new.state <> 'closed' or "
    + differs("evidence", "assessment", "comment", "closed_at")
    + ") and coalesce(current_setting('csp.erasure', true), '') = '')"
)


class Migration(migrations.Migration):
    dependencies = [("audits", "0004_keep_until"), ("csp", "0028_disposal_guards")]

    operations = [
        kept(
            "audits_review",
            differs("contract_id", "user_id", "team_id", "after_id", "deadline_id") + " or " + set_once("closed_at"),
            "whose review it is",
        ),
        kept(
            "audits_papers", differs("id", "review_id", "contract_id", "opened_at") + " or " + CLOSED, "what was closed"
        ),
        _disposal.keep_term("audits_papers", "papers", "closed"),
        kept("audits_goal", differs("papers_id", "due_on", "set_at") + " or " + set_once("withdrawn_at"), "a goal"),
        immutable("audits_talk", "frozen"),
        kept(
            "audits_anotherreviewer",
            differs("papers_id", "asked_at")
            + " or "
            + set_once("decided_at", "decided_by_id", "granted", "reviewer_id"),
            "what was asked and decided",
        ),
        immutable("audits_signed"),
    ]
