"""Bytes at rest: each blob under its own key, each key wrapped by the master key (AES-256-GCM, NIST SP 800-38D)."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from csp.models import Blob, BlobKey

_NONCE = 12


class Unreadable(Exception):
    """The bytes cannot be had: their key was destroyed, or the master key is not the one they were sealed under."""


def seal(key: bytes, plain: bytes, *, bound_to: bytes) -> bytes:
    """Encrypt; the result opens only with the same key and the same `bound_to`."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def unseal(key: bytes, sealed: bytes, *, bound_to: bytes) -> bytes:
    """The reverse of `seal`. Raises Unreadable."""
    try:
        return AESGCM(key).decrypt(bytes(sealed[:_NONCE]), bytes(sealed[_NONCE:]), bound_to)
    except (InvalidTag, ValueError) as error:
        raise Unreadable("The stored bytes do not open with this key.") from error


def store(content: bytes, *, at: dt.datetime) -> Blob:
    """Keep these bytes encrypted. Call it inside the transaction that points at the blob."""
    digest = hashlib.sha256(content).digest()
    key = os.urandom(32)
    blob = Blob.objects.create(
        sha256=digest, size=len(content), sealed=seal(key, content, bound_to=digest), created_at=at
    )
    BlobKey.objects.create(blob=blob, wrapped=seal(settings.MASTER_KEY, key, bound_to=digest))
    return blob


def read(blob: Blob) -> bytes:
    """The plain bytes. Raises Unreadable."""
    key = blob.key
    if key.destroyed_at is not None:
        raise Unreadable("The key of these bytes was destroyed.")
    digest = bytes(blob.sha256)
    return unseal(unseal(settings.MASTER_KEY, bytes(key.wrapped), bound_to=digest), bytes(blob.sealed), bound_to=digest)


def destroy(key: BlobKey, *, at: dt.datetime) -> None:
    """Destroy the key of stored bytes, and the bytes with it; digest and size stay. The caller holds the row's lock."""
    Blob.objects.filter(pk=key.pk).update(sealed=b"")
    key.wrapped, key.destroyed_at = b"", at
    key.save(update_fields=["wrapped", "destroyed_at"])


def seal_secret(text: str) -> bytes:
    """Encrypt a setting such as a mailbox password under the master key."""
    return seal(settings.MASTER_KEY, text.encode(), bound_to=b"setting")


def open_secret(sealed: bytes) -> str:
    """The reverse of `seal_secret`. Raises Unreadable."""
    return unseal(settings.MASTER_KEY, bytes(sealed), bound_to=b"setting").decode()


def keyed_digest(*parts: object) -> str:
    """A keyed digest: the same for the same parts, and nobody without the key finds the parts from it."""
    return hmac.digest(settings.LINK_KEY, "\n".join(map(str, parts)).encode(), hashlib.sha256).hex()
