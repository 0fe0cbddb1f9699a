"""Access tokens of mailboxes: changed for the stored refresh token before they end (RFC 6749, section 6)."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from csp import vault
from csp.models import Mailbox

TIMEOUT = 10.0
_EARLY = dt.timedelta(minutes=2)  # a token that ends within so much is renewed: signing in takes time, too
_USUAL = 3600  # seconds that a token lasts where the server does not say
_MOST = 256 * 1024  # bytes of an answer


class NotRenewed(Exception):
    """The token server gave no access token; the message says how to mend it."""


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a secret goes to the address that an administrator wrote down, and to no other."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def access_token(mailbox: Mailbox, at: dt.datetime, *, anew: bool = False) -> str:
    """A token that opens this mailbox now; `anew` where the one that is kept was refused.

    A refresh token that comes with it replaces the stored one (RFC 6749, section 6). Two who ask at once get the same
    token: the second waits for the first. Raises NotRenewed, and vault.Unreadable.
    """
    refused = bytes(mailbox.sealed_access) if anew and mailbox.sealed_access else None
    with transaction.atomic():
        row = Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
        kept = bytes(row.sealed_access) if row.sealed_access else None
        if kept and kept != refused and row.access_until is not None and row.access_until - _EARLY > at:
            mailbox.sealed_access = kept
            return vault.open_secret(kept)
        said = _ask(row)
        token = said.get("access_token")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise NotRenewed(_("The token server answered without an access token. Check its address."))
        row.sealed_access, row.access_until = vault.seal_secret(token), at + _lifetime(said.get("expires_in"))
        fields = ["sealed_access", "access_until"]
        if isinstance(said.get("refresh_token"), str) and said["refresh_token"]:
            row.sealed_secret = vault.seal_secret(said["refresh_token"])
            fields.append("sealed_secret")
        Mailbox.objects.filter(pk=row.pk).update(**{name: getattr(row, name) for name in fields})
    mailbox.sealed_access, mailbox.sealed_secret = row.sealed_access, row.sealed_secret
    return token


def _lifetime(said: Any) -> dt.timedelta:
    try:
        return dt.timedelta(seconds=min(max(int(said), 0), 24 * _USUAL))
    except (TypeError, ValueError):
        return dt.timedelta(seconds=_USUAL)


def _ask(row: Mailbox) -> dict[str, Any]:
    secret = vault.open_secret(bytes(row.sealed_secret)) if row.sealed_secret else ""
    form = {"grant_type": "refresh_token", "refresh_token": secret, "client_id": row.client_id}
    if row.sealed_client_secret:
        form["client_secret"] = vault.open_secret(bytes(row.sealed_client_secret))
    request = urllib.request.Request(  # noqa: S310  # the scheme was checked when it was saved
        row.token_url, urllib.parse.urlencode(form).encode(), {"Accept": "application/json"}
    )
    server = urllib.parse.urlsplit(row.token_url).netloc
    try:
        with urllib.request.build_opener(_Straight).open(request, timeout=TIMEOUT) as answer:
            said = json.loads(answer.read(_MOST))
    except urllib.error.HTTPError as error:
        with error:
            why = _reason(error.read(_MOST))
        raise NotRenewed(
            _("The token server %(server)s refused (%(why)s). Allow access again and enter the new token.")
            % {"server": server, "why": why or error.code}
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = str(getattr(error, "reason", error))[:120]
        raise NotRenewed(
            _("The token server %(server)s does not answer (%(why)s). Check its address.")
            % {"server": server, "why": why or type(error).__name__}
        ) from None
    if not isinstance(said, dict):
        raise NotRenewed(_("The token server answered without an access token. Check its address."))
    return said


def _reason(body: bytes) -> str:
    """The error code of RFC 6749, section 5.2, such as invalid_grant; nothing else of what a stranger says."""
    try:
        said = json.loads(body)["error"]
    except (ValueError, TypeError, KeyError):
        return ""
    return said if isinstance(said, str) and said.isascii() and said.replace("_", "").isalnum() else ""
