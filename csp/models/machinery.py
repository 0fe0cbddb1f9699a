"""Signs of life of the running parts."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class Heartbeat(models.Model):
    """When one moving part of the product last did its work, by the real clock."""

    name = models.CharField(max_length=60, primary_key=True)
    beat_at = models.DateTimeField()
    detail = models.JSONField(default=dict, blank=True)

    record = Record(Kept.MACHINERY)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name
