"""Training: what is taught, who passed what, what is owed, and the rule that makes work wait for it (clause 5)."""

from training.models.courses import Course, CourseFile, CourseVersion, PracticeScript, Question
from training.models.files import TrainingFile
from training.models.records import AnswersOpened, Attempt, Completion, MoreAttempts, PracticeAttempt, Proof
from training.models.requirements import Acknowledgement, Appeal, Assignment, Attendance, Gate, Policy, Round

__all__ = [
    "Acknowledgement",
    "AnswersOpened",
    "Appeal",
    "Assignment",
    "Attempt",
    "Attendance",
    "Completion",
    "Course",
    "CourseFile",
    "CourseVersion",
    "Gate",
    "MoreAttempts",
    "Policy",
    "PracticeAttempt",
    "PracticeScript",
    "Proof",
    "Question",
    "Round",
    "TrainingFile",
]
