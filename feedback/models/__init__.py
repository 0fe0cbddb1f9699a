"""Everything that is kept about feedback."""

from feedback.models.log import Identity, Outcome, Remark
from feedback.models.surveys import StoppedSurveys, Survey, SurveyRule
from feedback.models.themes import Group, Recurrence, Text, Theme, ThemeRule, ThemeText

__all__ = [
    "Group",
    "Identity",
    "Outcome",
    "Recurrence",
    "Remark",
    "StoppedSurveys",
    "Survey",
    "SurveyRule",
    "Text",
    "Theme",
    "ThemeRule",
    "ThemeText",
]
