"""Clause 6.1: a card's number stands in no text that people read, and its source is gone within a day.

Until then the bytes are as they came, for whoever has to look into it; a masked copy and the digest stay for good.
"""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp import sealing, vault, verifying
from csp.models import BlobKey, ErasureLine, MaskedSource, PrivacyTerms, TrailEntry
from csp.privacy import masking
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine
from tests.tickets.intake.letters import arrive, letter, mailbox
from tickets import disclosure, handling
from tickets.models import InboundMessage, Interaction, Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]
AT, DAY, SECOND = make.AT, make.DAY, make.SECOND
CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("My card is 4111111111111111.", "My card is •••• 1111."),
        ("4111 1111 1111 1111", "•••• 1111"),
        ("4111-1111-1111-1111", "•••• 1111"),
        ("Amex 378282246310005, please", "Amex •••• 0005, please"),
        ("4111111111111112", "4111111111111112"),  # the check digit does not fit
        ("order 411111111111", "order 411111111111"),  # too short
        ("+44 20 7946 0958 and 2025-03-03", "+44 20 7946 0958 and 2025-03-03"),
        ("x4111111111111111", "x4111111111111111"),
        ("1111 1111 1111 1117", "1111 1111 1111 1117"),  # no card begins so
    ],
)
def test_what_is_a_card_is_masked_but_for_its_last_four(said: str, shown: str) -> None:
    assert masking.mask(said) == shown
    assert masking.has_card(said) == (said != shown)


def _with_check_digit(digits: str) -> str:
    return next(f"{digits}{last}" for last in range(10) if masking.is_card(f"{digits}{last}"))


@given(st.from_regex(r"[2-6]\d{11,17}", fullmatch=True), st.text(alphabet="ab \n,", max_size=20))
def test_every_number_that_fits_is_found_in_any_text_and_masking_twice_is_masking_once(
    digits: str, around: str
) -> None:
    card = _with_check_digit(digits)
    text = f"{around} {card} {around}"
    masked = masking.mask(text)
    assert card not in masked
    assert masking.mask(masked) == masked


def test_patterns_of_a_contract_are_digits_and_letters_and_must_name_enough() -> None:
    patterns = masking.read_patterns("AB-######\n\n@@ ## ##\nAB-######")
    assert patterns == ["AB-######", "@@ ## ##"]
    assert masking.mask("ab-123456 and QQ 12 34, not AB-1234567", patterns) == "•••• and ••••, not AB-1234567"
    for bad in ("##", "a", "@@@", "#" * 41):
        with pytest.raises(ValueError, match=bad[:2]):
            masking.read_patterns(bad)


def test_a_card_in_a_mail_is_masked_everywhere_and_its_source_gone_a_day_later(cast: Cast) -> None:
    mailbox(cast.team)
    raw = letter(f"Charge {CARD} again.", subject=f"Card {CARD}")
    row = arrive(raw, at=AT)
    ticket = row.ticket
    said = ticket.interactions.filter(direction="in").get()
    for text in (ticket.subject, ticket.excerpt, said.body, said.subject, row.subject, row.excerpt):
        assert "4111" not in text
    assert "•••• 1111" in said.body
    assert vault.read(row.blob) == raw, "for a day it can be looked into"
    shown = disclosure.open_source(ticket, row, by=cast.rita, at=AT)
    assert b"4111" not in shown
    assert "•••• 1111" in shown.decode()

    masked = MaskedSource.objects.get()
    assert masked.destroy_at == AT + DAY
    assert masking.destroy_keys(AT + DAY - SECOND) == 0
    assert masking.destroy_keys(AT + DAY) == 1
    assert masking.destroy_keys(AT + DAY) == 0
    row = InboundMessage.objects.select_related("blob__key").get(pk=row.pk)
    with pytest.raises(vault.Unreadable):
        vault.read(row.blob)
    assert bytes(row.blob.sealed) == b""
    assert bytes(row.blob.sha256) == bytes(row.sha256) == hashlib.sha256(raw).digest()
    assert disclosure.open_source(ticket, row, by=cast.rita, at=AT + DAY) == shown
    assert '"key"' in ErasureLine.objects.get().line
    assert TrailEntry.objects.filter(act="key.destroyed").count() == 1
    sealing.seal(AT + DAY)
    assert not list(verifying.chain())


def test_a_card_in_a_note_a_call_or_a_form_is_masked_and_an_answer_is_sent_as_written(cast: Cast) -> None:
    PrivacyTerms.objects.create(contract=cast.contract, mask_patterns=["AB-######"], changed_at=AT)
    ticket = make.ticket(team=cast.team, customer=cast.carl, subject=f"AB-123456 {CARD}", body=f"{CARD} AB-123456")
    handling.note(ticket, by=cast.rita, at=AT, body=f"He said {CARD}")
    make.message(ticket=ticket, at=AT + SECOND, body=f"And {CARD}")
    make.answer(ticket=ticket, by=cast.rita, at=AT + 2 * SECOND, body=f"Not to us: {CARD}")
    ticket.refresh_from_db()
    assert ticket.subject == "•••• •••• 1111"
    heard = Interaction.objects.filter(ticket=ticket).exclude(direction="out").values_list("body", flat=True)
    assert sorted(heard) == ["And •••• 1111", "He said •••• 1111", "•••• 1111 ••••"]
    assert CARD in Interaction.objects.get(direction="out", author=cast.rita).body
    assert Ticket.objects.get(pk=ticket.pk).excerpt == "And •••• 1111"


def test_a_mail_without_a_card_keeps_its_source(cast: Cast) -> None:
    mailbox(cast.team)
    arrive(letter("Call me at +44 20 7946 0958."), at=AT)
    assert not MaskedSource.objects.exists()
    assert masking.destroy_keys(AT + 400 * DAY) == 0
    assert not BlobKey.objects.filter(destroyed_at__isnull=False).exists()
