"""The trail: who did what, to what, when; append-only, in the format that seals are made over.

The leaf that is sealed covers every column but `personal` and `salt`. Of these it covers `commitment`, the SHA-256 of
salt and personal text together: while both are there the text is proved, once both are blanked (erasure) nothing can
be learnt from what is left, and every seal still verifies. `recorded_at`, `version` and `leaf` are set by the database
(migration 0002), whatever a program says.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from csp.events import acts
from csp.records import Kept, Record


class TrailEntry(models.Model):
    """One act of one actor on one subject."""

    recorded_at = models.DateTimeField(editable=False)
    at = models.DateTimeField()
    actor = models.CharField(max_length=40)  # "user:7", "customer:12", "system:sweep"
    act = models.CharField(max_length=40, choices=acts)
    subject = models.CharField(max_length=60)  # "ticket:4790", "deadline:81"
    version = models.PositiveIntegerField(editable=False)  # 1, 2, 3 ... without gaps for each subject
    context = models.CharField(max_length=60)  # the larger thing it belongs to; the subject itself where there is none
    source = models.CharField(max_length=40, blank=True)  # "web 203.0.113.7", "task sweep", "command tick"
    facts = models.TextField(default="{}")  # canonical JSON: ids, codes, times, digests; no personal text
    personal = models.TextField(blank=True)  # canonical JSON of what may have to be erased
    salt = models.BinaryField(max_length=32)
    # Where a person's act came from, which goes long before the rest: its proof is the digest `network` in the facts.
    address = models.CharField(max_length=45, blank=True)
    address_salt = models.BinaryField(max_length=32, blank=True, default=b"")
    commitment = models.BinaryField(max_length=32)
    leaf = models.BinaryField(max_length=32, editable=False)

    record = Record(Kept.TRAIL, personal=("personal", "salt", "address", "address_salt"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "version"], name="no_gap_and_no_double")]
        indexes = [
            models.Index(fields=["context", "id"], name="trail_context"),
            models.Index(fields=["actor", "id"], name="trail_actor"),
            # network addresses that have had their time
            models.Index(fields=["at"], condition=~models.Q(address=""), name="trail_addressed"),
        ]
        verbose_name = _("trail entry")
        verbose_name_plural = _("trail")

    def __str__(self) -> str:
        return f"{self.subject} {self.version} {self.act}"


class TrailPending(models.Model):
    """An entry that has no place in the chain yet. Written by the database with the entry, removed by sealing.

    A table rather than a watermark: entries commit in another order than that of their ids.
    """

    entry = models.OneToOneField(TrailEntry, on_delete=models.PROTECT, primary_key=True, related_name="pending")

    record = Record(Kept.MACHINERY)

    class Meta:
        verbose_name = _("entry to be sealed")
        verbose_name_plural = _("entries to be sealed")

    def __str__(self) -> str:
        return str(self.entry_id)


class TrailSeal(models.Model):
    """The place of one entry in the hash chain: SHA-256 over a one byte, the number, the hash before, and the leaf."""

    number = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(TrailEntry, on_delete=models.PROTECT, related_name="seal")
    leaf = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField(db_default=Now(), editable=False)

    record = Record(Kept.TRAIL)

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")

    def __str__(self) -> str:
        return str(self.number)


class EvidenceShape(models.Model):
    """Which columns of one table the marks of its rows cover, as long as the table has these (csp.marking)."""

    relation = models.CharField(max_length=63)
    plain = ArrayField(models.CharField(max_length=63))
    personal = ArrayField(models.CharField(max_length=63), default=list)
    digested = ArrayField(models.CharField(max_length=63), default=list)  # of these the SHA-256: stored bytes are long

    record = Record(Kept.TRAIL)

    class Meta:
        verbose_name = _("columns that are marked")
        verbose_name_plural = _("columns that are marked")

    def __str__(self) -> str:
        return f"{self.relation} {self.pk}"


class EvidenceMark(models.Model):
    """That a row of evidence was written, changed or removed: what it said then, as two digests.

    Written by the database with every such change, whoever makes it; sealing puts marks into the chain in batches.
    A row that does not say what its last mark says was changed behind the product's back. `personal` is salted, so
    that nothing can be learnt from it once the salt is blanked; both are empty for a row that was removed.
    """

    shape = models.ForeignKey(EvidenceShape, on_delete=models.PROTECT, related_name="marks", db_index=False)
    row = models.BigIntegerField()
    plain = models.BinaryField(max_length=32)
    personal = models.BinaryField(max_length=32)
    salt = models.BinaryField(max_length=16)
    recorded_at = models.DateTimeField()
    # The entry of the trail that vouches for this and the marks around it.
    entry = models.ForeignKey(
        TrailEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="marks", db_index=False
    )

    record = Record(Kept.TRAIL, personal=("salt",))

    class Meta:
        indexes = [
            models.Index(fields=["shape", "row", "-id"], name="mark_of_row"),
            models.Index(fields=["id"], condition=models.Q(entry__isnull=True), name="mark_unsealed"),
            models.Index(fields=["entry", "id"], name="mark_of_entry"),
        ]
        verbose_name = _("mark of evidence")
        verbose_name_plural = _("marks of evidence")

    def __str__(self) -> str:
        return str(self.pk)


class TrailCheckpoint(models.Model):
    """The head of the chain at one length, signed; copies are kept outside, where our own database cannot reach."""

    size = models.BigIntegerField(primary_key=True)
    made_at = models.DateTimeField()
    head = models.BinaryField(max_length=32)
    note = models.TextField()

    record = Record(Kept.TRAIL)

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")

    def __str__(self) -> str:
        return str(self.size)
