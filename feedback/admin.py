"""Feedback in the reading room: the log without identities, and what became of each remark."""

from __future__ import annotations

from csp.admin import reading
from feedback import models

reading(models.Remark, contract="contract", list_filter=("source", "level", "score"),
        list_display=("pk", "source", "level", "team", "received_at", "score"))  # fmt: skip
reading(models.Outcome, contract="remark__contract", list_filter=("kind",),
        list_display=("pk", "remark_id", "kind", "by_id", "at"))  # fmt: skip
reading(models.Survey, contract="ticket__contract", list_filter=("decision",),
        list_display=("pk", "ticket_id", "decision", "decided_at"))  # fmt: skip
reading(models.Theme, contract="contract", list_filter=("clause",),
        list_display=("pk", "clause", "team", "made_at", "made_by_id", "merged_into_id", "dismissed_at"))  # fmt: skip
reading(models.ThemeText, contract="theme__contract",
        list_display=("pk", "theme_id", "remark_id", "added_at", "added_by_id", "removed_at"))  # fmt: skip
reading(models.Recurrence, contract="contract",
        list_display=("pk", "theme_id", "group_id", "at", "remarks", "tickets"))  # fmt: skip
reading(models.SurveyRule, contract="contract", list_display=("pk", "contract_id", "is_on", "wait_hours", "cap_days"))
reading(models.ThemeRule, contract="contract")
reading(models.Finding, contract="contract", list_filter=("state", "clause"),
        list_display=("pk", "state", "clause", "team", "written_at", "written_by_id"))  # fmt: skip
reading(models.FindingRefusal, contract="finding__contract", list_display=("pk", "finding_id", "by_id", "at"))
reading(models.ActionItem, contract="finding__contract", list_filter=("state", "measure"),
        list_display=("pk", "finding_id", "state", "measure", "owner_id", "agreed_at"))  # fmt: skip
reading(models.Work, contract="item__finding__contract", list_display=("pk", "item_id", "by_id", "at"))
reading(models.WorkCheck, contract="work__item__finding__contract",
        list_display=("pk", "work_id", "accepted", "by_id", "at"))  # fmt: skip
reading(models.Effect, contract="item__finding__contract", list_display=("pk", "item_id", "at"))
reading(models.ProcedureChange, contract="finding__contract",
        list_display=("pk", "finding_id", "version_id", "by_id", "at"))  # fmt: skip
