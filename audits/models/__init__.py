"""Assurance: non-compliance, its correction, and the measures that follow (clause 8)."""

from audits.models.cases import Deviation, EffectCheck, Membership, NonCompliance
from audits.models.correction import CorrectiveAction, EvidenceFile, Implementation, Verification
from audits.models.measures import Appeal, Measure

__all__ = [
    "Appeal",
    "CorrectiveAction",
    "Deviation",
    "EffectCheck",
    "EvidenceFile",
    "Implementation",
    "Measure",
    "Membership",
    "NonCompliance",
    "Verification",
]
