"""Everything that is kept about feedback."""

from feedback.models.log import Identity, Outcome, Remark
from feedback.models.surveys import StoppedSurveys, Survey, SurveyRule

__all__ = ["Identity", "Outcome", "Remark", "StoppedSurveys", "Survey", "SurveyRule"]
