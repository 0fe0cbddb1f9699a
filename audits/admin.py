"""Non-compliance in the reading room: states, clocks and digests. What was reported in confidence is not in it."""

from __future__ import annotations

from django.db.models import Q

from audits import models
from csp.admin import reading

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
