"""What customers ask of their own pages without being signed in."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class LinkRequest(models.Model):
    """Somebody asked for links to the requests of a mail address. Gone once it is seen to, whether known or not."""

    address = models.CharField(max_length=320)
    language = models.CharField(max_length=10, blank=True)
    asked_at = models.DateTimeField()

    record = Record(Kept.MACHINERY, personal=("address",), address=("address",))

    class Meta:
        verbose_name = _("request for a link")
        verbose_name_plural = _("requests for links")

    def __str__(self) -> str:
        return str(self.pk)
