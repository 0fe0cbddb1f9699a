"""Training in the reading room: what was taught, passed and owed. Right answers are opened on the course's own page."""

from __future__ import annotations

from csp.admin import reading
from training import models

reading(models.Course, contract="contract", list_filter=("clause",),
        list_display=("pk", "title", "clause", "repeats", "retired_at"))  # fmt: skip
reading(models.CourseVersion, contract="course__contract",
        list_display=("pk", "course", "number", "published_at", "renew_by"))  # fmt: skip
reading(models.Question, contract="version__course__contract", hidden=("right",),
        list_display=("pk", "version_id", "number"))  # fmt: skip
reading(models.CourseFile, contract="version__course__contract", list_display=("pk", "version_id", "name", "size"))
reading(models.Attempt, contract="version__course__contract", list_filter=("passed",),
        list_display=("pk", "user_id", "version_id", "number", "finished_at", "right", "passed"))  # fmt: skip
reading(models.PracticeAttempt, contract="version__course__contract", list_filter=("passed",),
        list_display=("pk", "user_id", "version_id", "number", "started_at", "finished_at", "passed"))  # fmt: skip
reading(models.MoreAttempts, contract="version__course__contract",
        list_display=("pk", "user_id", "version_id", "by_id", "at"))  # fmt: skip
reading(models.AnswersOpened, contract="version__course__contract",
        list_display=("pk", "version_id", "user_id", "at"))  # fmt: skip
reading(models.Completion, contract="version__course__contract", list_filter=("how",), search_fields=("=code",),
        list_display=("pk", "user_id", "version_id", "how", "passed_at", "recorded_by_id"))  # fmt: skip
reading(models.Proof, contract="completion__version__course__contract",
        list_display=("pk", "completion_id", "size"))  # fmt: skip
reading(models.Gate, contract="contract", list_display=("pk", "number", "published_at", "published_by_id", "ended_at"))
reading(models.Assignment, contract="contract", list_filter=("why", "ended_how"),
        list_display=("pk", "user_id", "course", "why", "starts_at", "restricted_at", "ended_at"))  # fmt: skip
reading(models.Appeal, contract="assignment__contract", list_display=("pk", "assignment_id", "filed_at", "upheld"))
reading(models.Round, contract="contract", list_display=("pk", "number", "conducted_at", "changed"))
reading(models.Attendance, contract="round__contract", list_display=("pk", "round_id", "user_id", "recorded_by_id"))
reading(models.Policy, contract="contract", list_display=("pk", "title", "number", "published_at"))
reading(models.TrainingFile, contract="contract", list_filter=("state",),
        list_display=("pk", "user_id", "state", "closed_at", "keep_until"))  # fmt: skip
reading(
    models.Acknowledgement,
    contract=("version__contract", "policy__contract"),
    list_display=("pk", "user_id", "version_id", "policy_id", "at"),
)
