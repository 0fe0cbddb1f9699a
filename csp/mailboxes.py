"""The addresses at which customers reach the company, and how mail is fetched. Secrets go in and never come out."""

from __future__ import annotations

import datetime as dt
import ipaddress
import urllib.parse
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, trail, vault
from csp.access import Refused
from csp.events import Act
from csp.models import Mailbox, User
from csp.roles import Permission

FIELDS = (
    "team", "address", "name", "is_active", "is_default", "takes_tags", "fetch", "host", "port", "security",
    "username", "token_url", "client_id", "folder", "cut_over_at",
)  # fmt: skip


@transaction.atomic
def add(values: Mapping[str, Any], *, secret: str = "", client_secret: str = "", by: User, at: dt.datetime) -> Mailbox:
    """Set up a mailbox. Mail received before its cut-over is kept without acknowledgement or clock."""
    access.check(by, Permission.MANAGE_MAILBOXES, at=at)
    return _write(Mailbox(created_at=at), values, Secrets(secret, client_secret), by=by, at=at)


@transaction.atomic
def change(
    mailbox: Mailbox, values: Mapping[str, Any], *, secret: str = "", client_secret: str = "", by: User, at: dt.datetime
) -> Mailbox:
    """Change how a mailbox works; an empty `secret` keeps the one that is stored, while the server stays the same."""
    access.check(by, Permission.MANAGE_MAILBOXES, at=at)
    mailbox = Mailbox.objects.select_for_update().get(pk=mailbox.pk)
    is_in_use = mailbox.first_mail_at is not None or mailbox.fetched_at is not None
    if values["cut_over_at"] != mailbox.cut_over_at and is_in_use:
        raise Refused(_("Mail has come here already: its cut-over stands. It decides which mail has a clock."))
    return _write(mailbox, values, Secrets(secret, client_secret), by=by, at=at)


def mail_came(mailbox: Mailbox | None, at: dt.datetime) -> None:
    """A message is this mailbox's: from the first one on, its cut-over stands."""
    if mailbox is not None and mailbox.first_mail_at is None:
        Mailbox.objects.filter(pk=mailbox.pk, first_mail_at=None).update(first_mail_at=at)
        mailbox.first_mail_at = at


class Secrets(NamedTuple):
    """What opens a mailbox, as somebody enters it: password or token, and what the token server knows our client by."""

    secret: str
    client: str


def _write(mailbox: Mailbox, values: Mapping[str, Any], given: Secrets, *, by: User, at: dt.datetime) -> Mailbox:
    _check(mailbox, values, given.secret, at)
    changed = [name for name in FIELDS if name in values and getattr(mailbox, name, None) != values[name]] \
        if mailbox.pk else list(FIELDS)  # fmt: skip
    where = (mailbox.host, mailbox.username, mailbox.folder)
    if _is_elsewhere(mailbox, values):
        # nobody gets to know a stored secret by naming a server of their own
        mailbox.sealed_secret = mailbox.sealed_client_secret = mailbox.sealed_access = None
    for name in FIELDS:
        setattr(mailbox, name, values[name])
    if mailbox.pk and where != (mailbox.host, mailbox.username, mailbox.folder):
        mailbox.uid_validity, mailbox.last_uid = None, 0  # another place: what was counted there means nothing here
    if given.secret:
        mailbox.sealed_secret, mailbox.sealed_access = vault.seal_secret(given.secret), None
        changed.append("secret")
    if given.client:
        mailbox.sealed_client_secret = vault.seal_secret(given.client)
        changed.append("client_secret")
    if mailbox.is_default:
        for other in Mailbox.objects.select_for_update().filter(is_default=True).exclude(pk=mailbox.pk):
            other.is_default = False
            other.save()
    mailbox.save()
    trail.record(
        Act.SETTING_CHANGED, f"mailbox:{mailbox.pk}", by=by, at=at,
        facts={"fields": sorted(changed), "team": mailbox.team_id, "active": mailbox.is_active,
               "cut_over_at": mailbox.cut_over_at},
    )  # fmt: skip
    return mailbox


def _is_elsewhere(mailbox: Mailbox, values: Mapping[str, Any]) -> bool:
    """Whether these values name another server, or another way of talking to it, than the mailbox has."""
    return any(getattr(mailbox, name) != values[name] for name in ("host", "port", "security", "token_url"))


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"


def _check_token_server(values: Mapping[str, Any]) -> None:
    if not values["token_url"] or not values["client_id"]:
        raise Refused(_("To renew the token, the address of the token server and the client ID are needed."))
    where = urllib.parse.urlsplit(values["token_url"])
    if where.scheme != "https" and not (settings.DEVELOPMENT and _is_this_machine(where.hostname or "")):
        raise Refused(_("The address of the token server begins with https://, so that nobody reads the token."))


def _check(mailbox: Mailbox, values: Mapping[str, Any], secret: str, at: dt.datetime) -> None:
    if values["cut_over_at"] > at:
        raise Refused(_("The cut-over is still to come. What customers write until then would have no clock."))
    same = Mailbox.objects.filter(address__iexact=values["address"])
    if (same.exclude(pk=mailbox.pk) if mailbox.pk else same).exists():
        raise Refused(_("There is a mailbox with this address already."))
    if values["fetch"] != Mailbox.Fetch.NONE:
        if not values["host"] or not values["username"]:
            raise Refused(_("To fetch mail, the IMAP server and the user name are needed."))
        if values["security"] == Mailbox.Security.NONE and not _is_this_machine(values["host"]):
            raise Refused(_("Without encryption the password could be read on the way. Use TLS for another machine."))
        if values["fetch"] == Mailbox.Fetch.RENEWED:
            _check_token_server(values)
        if not secret and mailbox.sealed_secret and _is_elsewhere(mailbox, values):
            raise Refused(_("Give the password or access token again: the stored one is for the other server only."))
        if not secret and not mailbox.sealed_secret:
            raise Refused(_("To fetch mail, the password or access token is needed."))
    if not values["team"].is_active:
        raise Refused(_("This team rests. Choose one that takes in work."))
    if values["is_default"] and not values["is_active"]:
        raise Refused(_("A mailbox that rests sends nothing. Choose another to send what no other sends."))
