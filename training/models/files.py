"""The training of somebody who has left, as one thing that has its term (clause 4.3)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from csp.models.retention import PersonalFile
from csp.records import Kept, Record


class TrainingFile(PersonalFile):
    """All that was owed, tried and passed under one contract by somebody who has left."""

    record = Record(Kept.TRAINING, person="user")

    class Meta(PersonalFile.Meta):
        verbose_name = _("training of somebody who has left")
        verbose_name_plural = _("training of people who have left")

    @property
    def reference(self) -> str:
        return f"TF-{self.pk}"

    @property
    def trail_subject(self) -> str:
        return f"training-file:{self.pk}"
