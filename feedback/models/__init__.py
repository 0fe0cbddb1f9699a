"""Everything that is kept about feedback."""

from feedback.models.improvements import (
    ActionItem,
    Effect,
    Finding,
    FindingRefusal,
    ProcedureChange,
    Work,
    WorkCheck,
    WorkFile,
)
from feedback.models.log import Identity, Outcome, Remark
from feedback.models.surveys import StoppedSurveys, Survey, SurveyRule
from feedback.models.themes import Group, Recurrence, Text, Theme, ThemeRule, ThemeText

__all__ = [
    "ActionItem",
    "Effect",
    "Finding",
    "FindingRefusal",
    "Group",
    "Identity",
    "Outcome",
    "ProcedureChange",
    "Recurrence",
    "Remark",
    "StoppedSurveys",
    "Survey",
    "SurveyRule",
    "Text",
    "Theme",
    "ThemeRule",
    "ThemeText",
    "Work",
    "WorkCheck",
    "WorkFile",
]
