"""Assurance: non-compliance, its correction, and the measures that follow (clause 8); reviews (7.3)."""

from audits.models.cases import Deviation, EffectCheck, Membership, NonCompliance
from audits.models.correction import CorrectiveAction, EvidenceFile, Implementation, Verification
from audits.models.measures import Appeal, Measure
from audits.models.reviews import AnotherReviewer, Goal, Papers, Review, Signed, Talk

__all__ = [
    "AnotherReviewer",
    "Appeal",
    "CorrectiveAction",
    "Deviation",
    "EffectCheck",
    "EvidenceFile",
    "Goal",
    "Implementation",
    "Measure",
    "Membership",
    "NonCompliance",
    "Papers",
    "Review",
    "Signed",
    "Talk",
    "Verification",
]
