"""The work of the desk: tickets, what was said in them, the mail they came from, and what waits for a person."""

from tickets.models.authority import Approval, AuthorityLimit
from tickets.models.calls import Call
from tickets.models.complexity import ComplexityProposal
from tickets.models.cosign import CoSignature, CoSignatureFile
from tickets.models.desk import CannedReply, Category, Draft, MailText, Presence
from tickets.models.escalations import Escalation, EscalationCause, EscalationRung
from tickets.models.inbound import InboundMessage, Ruling, SenderRule
from tickets.models.interactions import Attachment, Delivery, Interaction, SpokenTo
from tickets.models.links import LinkRequest
from tickets.models.procedures import Checklist, ChecklistStep, Procedure, ProcedureVersion
from tickets.models.records import CallBack, CallReview, ContactRecord
from tickets.models.resolutions import Finish, Resolution
from tickets.models.rulings import NoReplyRuling
from tickets.models.tickets import Ticket, TicketLink

__all__ = [
    "Approval",
    "Attachment",
    "AuthorityLimit",
    "Call",
    "CallBack",
    "CallReview",
    "CannedReply",
    "Category",
    "Checklist",
    "ChecklistStep",
    "CoSignature",
    "CoSignatureFile",
    "ComplexityProposal",
    "ContactRecord",
    "Delivery",
    "Draft",
    "Escalation",
    "EscalationCause",
    "EscalationRung",
    "Finish",
    "InboundMessage",
    "Interaction",
    "LinkRequest",
    "MailText",
    "NoReplyRuling",
    "Presence",
    "Procedure",
    "ProcedureVersion",
    "Resolution",
    "Ruling",
    "SenderRule",
    "SpokenTo",
    "Ticket",
    "TicketLink",
]
