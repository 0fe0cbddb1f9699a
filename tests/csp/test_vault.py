"""Bytes at rest open with the right keys only, and are never given out altered."""

import hashlib
import os
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as some

from csp import vault
from csp.models import Blob, BlobKey
from csp.vault import Unreadable
from tests.factories import AT

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


@given(plain=some.binary(max_size=300), bound_to=some.binary(max_size=40))
def test_what_was_sealed_comes_back_as_it_was(plain: bytes, bound_to: bytes) -> None:
    sealed = vault.seal(KEY, plain, bound_to=bound_to)
    assert vault.unseal(KEY, sealed, bound_to=bound_to) == plain
    assert len(plain) < 8 or plain not in sealed


def test_the_same_bytes_are_never_sealed_alike() -> None:
    sealed = {vault.seal(KEY, b"the same", bound_to=b"") for _time in range(50)}
    assert len(sealed) == 50
    assert len({each[:12] for each in sealed}) == 50, "a nonce came twice under one key"


@given(plain=some.binary(max_size=60), data=some.data())
def test_one_altered_bit_anywhere_is_found(plain: bytes, data: some.DataObject) -> None:
    sealed = bytearray(vault.seal(KEY, plain, bound_to=b"digest"))
    place = data.draw(some.integers(0, len(sealed) * 8 - 1))
    sealed[place // 8] ^= 1 << place % 8
    with pytest.raises(Unreadable):
        vault.unseal(KEY, bytes(sealed), bound_to=b"digest")


@given(length=some.integers(0, 12 + 5 + 15))
def test_what_is_cut_short_does_not_open(length: int) -> None:
    sealed = vault.seal(KEY, b"whole", bound_to=b"")
    with pytest.raises(Unreadable):
        vault.unseal(KEY, sealed[:length], bound_to=b"")


@pytest.mark.parametrize(
    ("key", "bound_to"), [(OTHER, b"digest"), (KEY, b"another"), (KEY, b""), (b"short", b"digest")]
)
def test_another_key_or_another_place_does_not_open_it(key: bytes, bound_to: bytes) -> None:
    with pytest.raises(Unreadable):
        vault.unseal(key, vault.seal(KEY, b"x", bound_to=b"digest"), bound_to=bound_to)


# ---------------------------------------------------------------- blobs


def stored(content: bytes) -> Blob:
    return Blob.objects.select_related("key").get(pk=vault.store(content, at=AT).pk)


def past_the_product(blob: Blob, wrapped: bytes) -> None:
    """Put another key in its place, which the database refuses to whoever does not silence it."""
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        BlobKey.objects.filter(pk=blob.pk).update(wrapped=wrapped)
        cursor.execute("set local session_replication_role = origin")


@pytest.mark.parametrize("content", [b"", b"\x00", b"From: a\r\n\r\nWords.\n", bytes(range(256)) * 5000])
def test_what_is_kept_comes_back_and_is_named_by_its_digest(db: None, content: bytes) -> None:
    blob = stored(content)
    assert vault.read(blob) == content
    assert (bytes(blob.sha256), blob.size, blob.created_at) == (hashlib.sha256(content).digest(), len(content), AT)


def test_each_has_a_key_of_its_own_even_of_the_same_content(db: None, settings: Any) -> None:
    one, two = stored(b"the same"), stored(b"the same")
    keys = {
        vault.unseal(settings.MASTER_KEY, bytes(each.key.wrapped), bound_to=bytes(each.sha256)) for each in (one, two)
    }
    assert len(keys) == 2
    assert bytes(one.sealed) != bytes(two.sealed)


def test_under_another_master_key_nothing_opens(db: None, settings: Any) -> None:
    blob, secret = stored(b"content"), vault.seal_secret("pass word")
    settings.MASTER_KEY = os.urandom(32)
    with pytest.raises(Unreadable):
        vault.read(blob)
    with pytest.raises(Unreadable):
        vault.open_secret(secret)


def test_a_destroyed_key_is_the_end_of_its_content_and_of_no_other(db: None) -> None:
    gone, stays = stored(b"content"), stored(b"content")
    BlobKey.objects.filter(pk=gone.pk).update(wrapped=b"", destroyed_at=AT)
    gone = Blob.objects.get(pk=gone.pk)
    with pytest.raises(Unreadable, match="destroyed"):
        vault.read(gone)
    assert (gone.size, bytes(gone.sha256)) == (7, hashlib.sha256(b"content").digest())
    assert vault.read(stays) == b"content"


def test_a_key_that_was_destroyed_is_not_used_although_it_still_lies_there(db: None) -> None:
    blob = stored(b"content")
    BlobKey.objects.filter(pk=blob.pk).update(destroyed_at=AT)
    with pytest.raises(Unreadable, match="destroyed"):
        vault.read(Blob.objects.get(pk=blob.pk))


def test_a_key_lost_without_a_word_is_unreadable_too(db: None) -> None:
    blob = stored(b"content")
    past_the_product(blob, b"")
    with pytest.raises(Unreadable):
        vault.read(Blob.objects.get(pk=blob.pk))


@pytest.mark.parametrize("place", [0, 11, 12, -1])
def test_altered_bytes_are_unreadable(db: None, place: int) -> None:
    blob = stored(b"content")
    altered = bytearray(blob.sealed)
    altered[place] ^= 1
    Blob.objects.filter(pk=blob.pk).update(sealed=bytes(altered))
    with pytest.raises(Unreadable):
        vault.read(Blob.objects.get(pk=blob.pk))


def test_the_bytes_of_one_do_not_open_in_the_place_of_another(db: None) -> None:
    one, two = stored(b"one"), stored(b"two")
    Blob.objects.filter(pk=one.pk).update(sealed=bytes(two.sealed))
    past_the_product(one, bytes(two.key.wrapped))
    with pytest.raises(Unreadable):
        vault.read(Blob.objects.get(pk=one.pk))


@given(text=some.text(max_size=50))
def test_secrets_of_settings_come_back(text: str) -> None:
    assert vault.open_secret(vault.seal_secret(text)) == text
