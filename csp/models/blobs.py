"""Stored bytes (mail sources, attachments), each under a key of its own.

Destroying the key destroys the content everywhere, in backups too, while digest and size stay as proof. The keys are a
table of their own so that a backup can leave them out. One key for each blob rather than one for each customer: at
landing nobody knows yet whose message it is, and one content can be destroyed without its neighbours.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from csp.records import Kept, Record


class Blob(models.Model):
    """Encrypted bytes: AES-256-GCM, nonce first, the digest of the plain bytes as associated data."""

    sha256 = models.BinaryField(max_length=32)
    size = models.PositiveBigIntegerField()
    sealed = models.BinaryField()
    created_at = models.DateTimeField()

    record = Record(Kept.TICKET, personal=("sealed",), parts=("csp.blobkey", "csp.maskedsource"))

    class Meta:
        verbose_name = _("stored bytes")
        verbose_name_plural = _("stored bytes")

    def __str__(self) -> str:
        return bytes(self.sha256).hex()[:12]


class BlobKey(models.Model):
    """The key of one blob, wrapped by the master key; `wrapped` is empty once destroyed."""

    blob = models.OneToOneField(Blob, on_delete=models.PROTECT, primary_key=True, related_name="key")
    wrapped = models.BinaryField(max_length=100)
    destroyed_at = models.DateTimeField(null=True, blank=True)

    record = Record(Kept.TICKET, personal=("wrapped",))

    class Meta:
        verbose_name = _("key of stored bytes")
        verbose_name_plural = _("keys of stored bytes")

    def __str__(self) -> str:
        return str(self.blob_id)


class MaskedSource(models.Model):
    """A source in which a card number stood: its masked copy, and when its key is destroyed (csp.privacy.masking)."""

    blob = models.OneToOneField(Blob, on_delete=models.PROTECT, primary_key=True, related_name="masked")
    copy = models.OneToOneField(Blob, on_delete=models.PROTECT, related_name="+")
    found_at = models.DateTimeField()
    destroy_at = models.DateTimeField()

    record = Record(Kept.TICKET)

    class Meta:
        indexes = [models.Index(fields=["destroy_at"], name="masked_source_due")]
        verbose_name = _("masked source")
        verbose_name_plural = _("masked sources")

    def __str__(self) -> str:
        return str(self.blob_id)
