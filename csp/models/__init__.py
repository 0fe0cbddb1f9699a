"""The platform's rows: people, the agreement, deadlines, the trail, the outbox and stored bytes."""

from csp.models.agreement import Contract, Reading, Signature, Version
from csp.models.api import ApiAnswer, ApiToken
from csp.models.blobs import Blob, BlobKey, MaskedSource
from csp.models.deadlines import Assessment, AssessmentFile, Attempt, Breach, Deadline, Held
from csp.models.erasure import Erasure, ErasureItem, ErasureLine, Keeping, Lock, LockItem
from csp.models.kept_from import Exercise, KeptFrom
from csp.models.machinery import Heartbeat, Parked, PasswordRequest
from csp.models.mailboxes import Mailbox
from csp.models.notices import Notice
from csp.models.outbox import OutboundAttachment, OutboundMessage
from csp.models.people import Address, Appointment, Customer, RoleGrant, Team, User
from csp.models.privacy import (
    ContractEnd,
    DataBreach,
    DataBreachStep,
    DataPackage,
    DataRecipient,
    DataRequest,
    DataRequestStep,
    Export,
    NoticeSeen,
    PrivacyNotice,
    PrivacyTerms,
    Processing,
)
from csp.models.restrictions import Restriction
from csp.models.retention import Disposal, DisposalItem, Hold, StaffFile
from csp.models.sessions import Session
from csp.models.shifts import Absence, ShiftPlan
from csp.models.trail import EvidenceMark, EvidenceShape, TrailCheckpoint, TrailEntry, TrailPending, TrailSeal

__all__ = [
    "Absence",
    "Address",
    "ApiAnswer",
    "ApiToken",
    "Appointment",
    "Assessment",
    "AssessmentFile",
    "Attempt",
    "Blob",
    "BlobKey",
    "Breach",
    "Contract",
    "ContractEnd",
    "Customer",
    "DataBreach",
    "DataBreachStep",
    "DataPackage",
    "DataRecipient",
    "DataRequest",
    "DataRequestStep",
    "Deadline",
    "Disposal",
    "DisposalItem",
    "Erasure",
    "ErasureItem",
    "ErasureLine",
    "EvidenceMark",
    "EvidenceShape",
    "Exercise",
    "Export",
    "Heartbeat",
    "Held",
    "Hold",
    "Keeping",
    "KeptFrom",
    "Lock",
    "LockItem",
    "Mailbox",
    "MaskedSource",
    "Notice",
    "NoticeSeen",
    "OutboundAttachment",
    "OutboundMessage",
    "Parked",
    "PasswordRequest",
    "PrivacyNotice",
    "PrivacyTerms",
    "Processing",
    "Reading",
    "Restriction",
    "RoleGrant",
    "Session",
    "ShiftPlan",
    "Signature",
    "StaffFile",
    "Team",
    "TrailCheckpoint",
    "TrailEntry",
    "TrailPending",
    "TrailSeal",
    "User",
    "Version",
]
