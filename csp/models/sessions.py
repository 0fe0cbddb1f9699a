"""Who is signed in, where and since when."""

from __future__ import annotations

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from csp.records import Kept, Record

# What a browser calls itself, the more particular name first: each claims to be the older ones, too.
BROWSERS = [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")]
SYSTEMS = [
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
]  # fmt: skip


class Session(AbstractBaseSession):
    """One browser that talks to us. It knows its person, so that all sessions of a person can be ended at once."""

    user = models.ForeignKey("csp.User", on_delete=models.CASCADE, null=True, related_name="sessions")
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    record = Record(Kept.MACHINERY, person="user", personal=("address", "browser"))

    class Meta:
        verbose_name = gettext_lazy("session")
        verbose_name_plural = gettext_lazy("sessions")

    def __str__(self) -> str:
        return f"{self.user_id or '-'}"

    @property
    def device(self) -> str:
        """Browser and system in two words, as people call them; of one that nobody knows what it says of itself."""
        browser, system = (
            next((name for mark, name in known if mark in self.browser), "") for known in (BROWSERS, SYSTEMS)
        )
        if not browser or not system:
            return self.browser
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
