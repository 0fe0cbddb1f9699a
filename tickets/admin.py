"""Tickets and mail in the reading room: clocks, states and digests. Words and identities are masked (csp.admin)."""

from __future__ import annotations

from csp import belonging
from csp.admin import reading
from csp.roles import Permission as P
from tickets import models

TEXTS = (P.MANAGE_TEXTS,)

reading(models.Ticket, opens=True, number="id", contract="contract", list_filter=("state", "kind", "channel"),
        list_display=("pk", "kind", "state", "team", "assignee_id", "received_at"))  # fmt: skip
reading(models.Interaction, opens=True, number="ticket", contract="ticket__contract", list_filter=("kind", "direction"),
        list_display=("pk", "ticket_id", "kind", "direction", "occurred_at"))  # fmt: skip
reading(models.InboundMessage, number="ticket", contract=belonging.Of("ticket", otherwise="mailbox__team"),
        list_filter=("state", "door"),
        list_display=("pk", "door", "state", "received_at", "landed_at", "ticket_id"))  # fmt: skip
reading(models.Ruling, number="inbound__ticket",
        contract=belonging.Of("inbound__ticket", otherwise="inbound__mailbox__team"),
        list_display=("pk", "inbound_id", "verdict", "ruled_at", "undone_at"))  # fmt: skip
reading(models.Escalation, opens=True, number="ticket", contract="ticket__contract",
        list_display=("pk", "ticket_id", "team"))  # fmt: skip
reading(models.Resolution, opens=True, number="ticket", contract="ticket__contract",
        list_filter=("cause", "kind", "acceptance"),
        list_display=("pk", "ticket_id", "cause", "kind", "acceptance", "resolved_at", "undone_at"))  # fmt: skip
reading(models.Finish, number="ticket", contract="ticket__contract",
        list_display=("pk", "ticket_id", "at", "undone_at"))  # fmt: skip
reading(models.Approval, number="resolution__ticket", contract="resolution__ticket__contract",
        list_display=("pk", "resolution_id", "amount", "limit", "asked_at", "decision", "decided_at"))  # fmt: skip
reading(models.AuthorityLimit, readers=(*TEXTS, P.SEE_TRAIL), contract="contract", called=("authority",),
        list_display=("pk", "category", "role", "amount", "set_at", "ended_at"))  # fmt: skip
reading(
    models.Procedure,
    readers=(*TEXTS, P.SEE_TRAIL),
    contract="contract",
    called=("procedure",),
    list_display=("pk", "category"),
)
reading(models.ProcedureVersion, readers=(*TEXTS, P.SEE_TRAIL), contract="procedure__contract",
        list_display=("procedure", "number", "title", "resolve_days", "published_at"))  # fmt: skip
reading(models.Checklist, number="ticket", contract="ticket__contract",
        list_display=("pk", "ticket_id", "version", "received_at", "ended_at"))  # fmt: skip
reading(models.ChecklistStep, opens=True, number="checklist__ticket", contract="checklist__ticket__contract",
        list_display=("pk", "checklist_id", "position", "title", "done_at", "waived_at"))  # fmt: skip
reading(
    models.Category,
    readers=(*TEXTS, P.SEE_TRAIL),
    contract="contract",
    called=("category",),
    list_display=("name", "is_active"),
)
reading(models.MailText, readers=(*TEXTS, P.SEE_TRAIL), list_display=("kind", "language", "changed_at"))
reading(models.CannedReply, readers=(*TEXTS, P.SEE_TRAIL), contract="contract", called=("canned",),
        list_display=("title", "language", "written_at", "approved_at", "is_active"))  # fmt: skip
reading(models.SenderRule, contract="contract", list_display=("pk", "verdict", "created_at", "is_active"))
