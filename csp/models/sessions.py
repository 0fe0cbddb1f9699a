"""Who is signed in, where and since when."""

from __future__ import annotations

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class Session(AbstractBaseSession):
    """One browser that talks to us. It knows its person, so that all sessions of a person can be ended at once."""

    user = models.ForeignKey("csp.User", on_delete=models.CASCADE, null=True, related_name="sessions")
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    record = Record(Kept.MACHINERY, person="user", personal=("address", "browser"))

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    def __str__(self) -> str:
        return f"{self.user_id or '-'}"
