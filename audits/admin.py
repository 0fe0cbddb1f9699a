"""Assurance in the reading room: states, clocks, digests, samples. What was reported in confidence is not in it."""

from __future__ import annotations

from django.db.models import Q

from audits import models
from csp.admin import reading
from csp.roles import Permission as P

reading(models.NonCompliance, contract="contract", only=Q(in_confidence=False), list_filter=("state", "clause"),
        list_display=("pk", "clause", "team", "day", "reported_at", "state"))  # fmt: skip
reading(models.Membership, contract="case__contract", only=Q(case__in_confidence=False),
        list_display=("pk", "case_id", "breach_id", "reported_at"))  # fmt: skip
reading(models.CorrectiveAction, contract="case__contract", only=Q(case__in_confidence=False), list_filter=("state",),
        list_display=("pk", "case_id", "kind", "owner_id", "set_at", "state"))  # fmt: skip
reading(models.Implementation, contract="action__case__contract", only=Q(action__case__in_confidence=False),
        list_display=("pk", "action_id", "by_id", "at"))  # fmt: skip
reading(models.Verification, contract="implementation__action__case__contract",
        only=Q(implementation__action__case__in_confidence=False),
        list_display=("pk", "implementation_id", "accepted", "by_id", "at"))  # fmt: skip
reading(models.EffectCheck, contract="case__contract", only=Q(case__in_confidence=False),
        list_display=("pk", "case_id", "effective", "by_id", "at"))  # fmt: skip
reading(models.Measure, contract="case__contract", only=Q(case__in_confidence=False), list_filter=("state", "kind"),
        list_display=("pk", "case_id", "kind", "aim", "state", "ends_at"))  # fmt: skip
reading(models.Appeal, contract="measure__case__contract", only=Q(measure__case__in_confidence=False),
        list_display=("pk", "measure_id", "filed_at", "upheld"))  # fmt: skip
# That a review was held and when, and who signed; of what was said only that there is something.
reading(models.Review, contract="contract", list_filter=("state",),
        list_display=("pk", "user_id", "reviewer_id", "state", "held_at", "closed_at", "closed_how"))  # fmt: skip
reading(models.Signed, contract="review__contract", hidden=("agrees",),
        list_display=("pk", "review_id", "talk", "as_person", "by_id", "at", "digest"))  # fmt: skip

# Quality audits: every reader of the trail sees plans, populations, draws and cards; what was written stays masked.
reading(
    models.Scorecard,
    contract="contract",
    called=("scorecard",),
    list_display=("pk", "contract_id", "number", "published_at"),
)
reading(models.Criterion, contract="scorecard__contract", list_filter=("clause", "is_critical"),
        list_display=("pk", "scorecard_id", "position", "clause", "question", "weight", "is_critical"))  # fmt: skip
reading(models.Audit, contract="contract", list_filter=("state",),
        list_display=("pk", "title", "auditor_id", "since", "until", "sample_size", "state"))  # fmt: skip
reading(models.AuditAccess, readers=(P.MANAGE_PEOPLE, P.SEE_TRAIL), contract="audit__contract",
        list_display=("pk", "audit_id", "grant_id", "given_by_id", "given_at"))  # fmt: skip
reading(models.Population, contract="audit__contract",
        list_display=("pk", "audit_id", "size", "digest", "seed", "frozen_at"))  # fmt: skip
reading(models.Draw, contract="audit__contract", number="number",
        list_display=("pk", "audit_id", "rank", "group", "number", "is_twice", "excused_at"))  # fmt: skip
reading(models.Scoring, contract="draw__audit__contract", number="draw__number", hidden=("draft",),
        list_display=("pk", "draw_id", "scorer_id", "is_second", "scored_at", "percent", "passed"))  # fmt: skip
reading(models.Mark, contract="scoring__draw__audit__contract", number="scoring__draw__number",
        list_display=("pk", "scoring_id", "criterion_id", "answer"))  # fmt: skip
reading(models.AuditFinding, contract="audit__contract", number="draw__number", list_filter=("state", "severity"),
        list_display=("pk", "audit_id", "number", "clause", "severity", "team", "state"))  # fmt: skip
reading(models.Statement, contract="contract", list_display=("pk", "month", "deadline_id"))
reading(models.StatementVersion, contract="statement__contract",
        list_display=("pk", "statement_id", "number", "signed_at", "digest"))  # fmt: skip
