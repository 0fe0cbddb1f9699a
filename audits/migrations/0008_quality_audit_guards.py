"""What the database refuses about quality audits: another plan, population, draw, mark or finding than was recorded."""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")
immutable, kept, differs, set_once = _guards.immutable, _guards.kept, _guards.differs, _guards.set_once


def fixed(*columns: str) -> str:
    """Text on record is blanked by an erasure, never replaced."""
    return " or ".join(f"(old.{c} <> '' and new.{c} <> '' and old.{c} <> new.{c})" for c in columns)


class Migration(migrations.Migration):
    dependencies = [("audits", "0006_review_guards"), ("csp", "0031_privacy")]

    operations = [
        immutable("audits_scorecard"),
        immutable("audits_criterion"),
        immutable("audits_auditaccess"),
        immutable("audits_population"),
        immutable("audits_mark", "comment"),
        kept(
            "audits_audit",
            differs(
                "contract_id", "title", "clauses", "teams", "channels", "since", "until", "sample_size", "strata",
                "twice_percent", "scorecard_id", "auditor_id", "second_id", "begins_at", "ends_at", "planned_by_id",
                "planned_at",
            )
            + " or " + set_once("requested_at", "requested_by_id", "access_id", "ended_at", "ended_by_id")
            + " or " + fixed("conclusion") + " or (old.ended_at is not null and old.state <> new.state)",
            "its plan and how it ended",
        ),
        kept(
            "audits_draw",
            differs(
                "audit_id", "rank", '"group"', "group_rank", "number", "is_twice", "drawn_at", "drawn_by_id",
                "replaces_id",
            )
            + " or " + set_once("excused_at", "excused_by_id") + " or " + fixed("excused_because"),
            "what was drawn",
        ),
        kept(
            "audits_scoring",
            differs("draw_id", "scorer_id", "is_second")
            + " or " + set_once("scored_at", "percent", "passed", "case_number")
            + " or (old.scored_at is not null and new.draft <> '{}'::jsonb)",
            "the signed card",
        ),
        kept(
            "audits_auditfinding",
            differs(
                "audit_id", "number", "draw_id", "team_id", "clause", "severity", "found_at", "found_by_id",
                "answer_by_id",
            )
            + " or "
            + set_once("accepted", "answered_at", "answered_by_id", "case_number", "closed_at", "closed_by_id")
            + " or " + fixed("text", "answer", "closing_note"),
            "finding and answer",
        ),
    ]  # fmt: skip
