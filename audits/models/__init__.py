"""Assurance: non-compliance, correction, measures (clause 8); quality audits (6.3); reviews (7.3)."""

from audits.models.cases import Deviation, EffectCheck, Membership, NonCompliance
from audits.models.correction import CorrectiveAction, EvidenceFile, Implementation, Verification
from audits.models.measures import Appeal, Measure
from audits.models.programme import (
    Audit,
    AuditAccess,
    AuditFinding,
    Criterion,
    Draw,
    Mark,
    Population,
    Scorecard,
    Scoring,
)
from audits.models.reviews import AnotherReviewer, Goal, Papers, Review, Signed, Talk
from audits.models.statements import Statement, StatementVersion

__all__ = [
    "AnotherReviewer",
    "Appeal",
    "Audit",
    "AuditAccess",
    "AuditFinding",
    "CorrectiveAction",
    "Criterion",
    "Deviation",
    "Draw",
    "EffectCheck",
    "EvidenceFile",
    "Goal",
    "Implementation",
    "Mark",
    "Measure",
    "Membership",
    "NonCompliance",
    "Papers",
    "Population",
    "Review",
    "Scorecard",
    "Scoring",
    "Signed",
    "Statement",
    "StatementVersion",
    "Talk",
    "Verification",
]
