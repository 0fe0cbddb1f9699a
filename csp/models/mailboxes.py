"""The mail addresses at which customers reach the company."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp.records import Kept, Record


class Mailbox(models.Model):
    """One address of the company: whose team answers it, and how its mail is fetched if it is not delivered to us."""

    class Fetch(models.TextChoices):
        NONE = "none", _("Delivered to our own mail door")
        PASSWORD = "password", _("IMAP with a password")
        XOAUTH2 = "xoauth2", _("IMAP with an access token")
        RENEWED = "renewed", _("IMAP with a token that is renewed (OAuth)")

    class Security(models.TextChoices):
        TLS = "tls", _("TLS from the start (port 993)")
        STARTTLS = "starttls", _("STARTTLS (port 143)")
        NONE = "none", _("Not encrypted (only on this machine)")

    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="mailboxes", verbose_name=_("team"))
    address = models.EmailField(_("address"), max_length=254)
    name = models.CharField(_("name that customers see"), max_length=100)
    is_active = models.BooleanField(_("active"), default=True)
    is_default = models.BooleanField(_("sends what no other mailbox sends"), default=False)
    # "desk+t4790.k3v...@": then replies find their ticket even where a mail program drops the references.
    takes_tags = models.BooleanField(_("mail to name+tag@ arrives here, too"), default=False)
    fetch = models.CharField(_("how mail arrives"), max_length=10, choices=Fetch, default=Fetch.NONE)
    host = models.CharField(_("IMAP server"), max_length=200, blank=True)
    port = models.PositiveIntegerField(_("port"), null=True, blank=True)
    security = models.CharField(_("encryption"), max_length=10, choices=Security, default=Security.TLS)
    username = models.CharField(_("user name"), max_length=200, blank=True)
    # The password, access token or refresh token, encrypted under the master key; never shown again.
    sealed_secret = models.BinaryField(null=True, blank=True)
    # Where a refresh token is changed for an access token, and as which client (csp.oauth).
    token_url = models.URLField(_("address of the token server"), max_length=500, blank=True)
    client_id = models.CharField(_("client ID"), max_length=200, blank=True)
    sealed_client_secret = models.BinaryField(null=True, blank=True)
    sealed_access = models.BinaryField(null=True, blank=True)
    access_until = models.DateTimeField(null=True, blank=True)
    folder = models.CharField(_("folder"), max_length=200, default="INBOX")
    # Mail received before this instant is stored as imported: no acknowledgement, no clock (CLAUSES 3.1).
    cut_over_at = models.DateTimeField(_("cut-over"))
    created_at = models.DateTimeField()
    # Its first message, by whatever door. From then on the cut-over stands: it decided about mail that is here.
    first_mail_at = models.DateTimeField(null=True, blank=True)
    # the fetcher's own
    uid_validity = models.BigIntegerField(null=True, blank=True)
    last_uid = models.BigIntegerField(default=0)
    fetched_at = models.DateTimeField(null=True, blank=True)
    fetch_error = models.CharField(max_length=500, blank=True)

    history = HistoricalRecords(
        excluded_fields=[
            "sealed_secret",
            "sealed_client_secret",
            "sealed_access",
            "access_until",
            "first_mail_at",
            "uid_validity",
            "last_uid",
            "fetched_at",
            "fetch_error",
        ]
    )
    record = Record(Kept.SETTINGS)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("address"), name="one_mailbox_per_address"),
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_mailbox"),
            models.CheckConstraint(
                condition=Q(fetch="none") | (~Q(host="") & ~Q(username="")), name="fetching_needs_a_server_and_a_name"
            ),
            models.CheckConstraint(
                condition=~Q(fetch="renewed") | (~Q(token_url="") & ~Q(client_id="")),
                name="renewing_needs_a_token_server_and_a_client",
            ),
        ]
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")

    def __str__(self) -> str:
        return self.address
