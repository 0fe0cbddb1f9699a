"""Signs of life of the running parts, and what they could not work on."""

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


class PasswordRequest(models.Model):
    """Somebody asked for a link to set a password. Gone once it is seen to, whether the address is known or not."""

    address = models.CharField(max_length=320)
    asked_at = models.DateTimeField()

    record = Record(Kept.MACHINERY, personal=("address",), address=("address",))

    class Meta:
        verbose_name = _("request for a new password")
        verbose_name_plural = _("requests for new passwords")

    def __str__(self) -> str:
        return str(self.pk)


class Parked(models.Model):
    """Something that a loop fails on, is tried again at every round and holds back nothing else (csp.batches).

    `error` names the kind of fault and where it struck, without its words: these may say what is nobody's business.
    """

    loop = models.CharField(_("step"), max_length=120)
    item = models.CharField(_("record"), max_length=80)
    error = models.CharField(_("fault"), max_length=200)
    since = models.DateTimeField(_("since"))
    last_at = models.DateTimeField(_("last tried"))

    record = Record(Kept.MACHINERY)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["loop", "item"], name="parked_once")]
        indexes = [models.Index(fields=["last_at"], name="parked_last_at")]
        verbose_name = _("record that cannot be worked on")
        verbose_name_plural = _("records that cannot be worked on")

    def __str__(self) -> str:
        return f"{self.loop}: {self.item}"
