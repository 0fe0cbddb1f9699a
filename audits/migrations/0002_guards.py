"""What the database refuses about non-compliance: evidence does not change, cases and measures are not removed."""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")
immutable, kept, differs, set_once = _guards.immutable, _guards.kept, _guards.differs, _guards.set_once


def blanked_only(*columns: str) -> str:
    """Text on record is blanked by an erasure, never replaced."""
    return " or ".join(f"(old.{c} is distinct from new.{c} and new.{c} <> '')" for c in columns)


class Migration(migrations.Migration):
    dependencies = [("audits", "0001_initial"), ("csp", "0011_restrictions_kept")]

    operations = [
        immutable("audits_implementation", "text"),
        immutable("audits_evidencefile", "name"),
        immutable("audits_verification", "note"),
        immutable("audits_effectcheck", "criterion", "note"),
        kept(
            "audits_noncompliance",
            differs(
                "contract_id", "team_id", "clause", "day", "noticed_at", "reported_at", "reported_by_id",
                "in_confidence", "kept_by", "report_id", "split_from_id",
            )
            + " or " + set_once("closed_at") + " or " + blanked_only("what"),
            "what was reported",
        ),
        kept("audits_membership", differs("breach_id", "reported_at"), "what was reported"),
        kept("audits_correctiveaction", differs("case_id", "set_at", "set_by_id", "kind"), "what was set"),
        kept(
            "audits_measure",
            differs("case_id", "kind", "aim", "person_id", "rule", "proposed_at", "proposed_by_id")
            + " or " + set_once("heard_at", "decided_at", "ended_at"),
            "proposal, hearing and decision",
        ),
        kept("audits_appeal", differs("measure_id", "filed_at") + " or " + set_once("decided_at"), "appeal"),
    ]  # fmt: skip
