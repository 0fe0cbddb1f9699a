"""The signs of a case that may need higher authority: sums as people write them, words in both languages."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets import signs
from tickets.signs import Rule


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("You owe me €1,840.", "1840"), ("es sind 1.840,50 EUR", "1840.50"), ("£ 500 please", "500"),
        ("500 euros", "500"), ("12,5 Euro", "12.5"), ("1 200 €", "1200"), ("CHF 1'250.00", "1250.00"),
        ("$1,000,000", "1000000"), ("1.234.567,89 €", "1234567.89"), ("€3.500", "3500"),
    ],
)  # fmt: skip
def test_a_sum_is_read_as_it_is_meant(text: str, value: str) -> None:
    assert [amount for amount, _words in signs.amounts(text)] == [Decimal(value)]


@pytest.mark.parametrize("text", ["order 4711", "call 0800 1234567", "EUROPE 2026", "at 12.30", "€", "v1.840", "#5000"])
def test_what_is_no_sum_is_none(text: str) -> None:
    assert signs.amounts(text) == []


@given(st.integers(1, 999_999_999), st.sampled_from(["€{}", "{} EUR", "£{}", "{} euros"]), st.sampled_from([",", "."]))
def test_a_whole_sum_with_thousands_marks_is_read_back(number: int, frame: str, mark: str) -> None:
    assert [amount for amount, _words in signs.amounts(frame.format(f"{number:,}".replace(",", mark)))] == [number]


@given(st.text(max_size=400))
def test_no_text_is_too_strange(text: str) -> None:
    signs.signs(text, limit=0)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("My lawyer will write to you.", Rule.LEGAL), ("I shall take you\nto court", Rule.LEGAL),
        ("Ich gehe zum Rechtsanwalt.", Rule.LEGAL), ("Das melde ich der Verbraucherzentrale!", Rule.LEGAL),
        ("The cable gave me an ELECTRIC SHOCK", Rule.SAFETY), ("my son was injured", Rule.SAFETY),
        ("In der Küche ist Gasgeruch", Rule.SAFETY), ("Er hat sich verletzt", Rule.SAFETY),
    ],
)  # fmt: skip
def test_words_of_law_and_danger_are_found_in_both_languages(text: str, rule: Rule) -> None:
    assert [sign.rule for sign in signs.signs(text)] == [rule]


@pytest.mark.parametrize(
    "text", ["Please use the courtyard entrance", "The regulators of the heater", "Wann kommt mein Sofa?", "burnish it"]
)
def test_words_that_only_look_like_it_are_none(text: str) -> None:
    assert signs.signs(text) == []


def test_an_amount_counts_above_the_limit_and_only_with_one() -> None:
    assert signs.signs("€500", limit=500) == []
    assert signs.signs("€500.01 and €20", limit=500) == [signs.Sign(Rule.AMOUNT, "€500.01")]
    assert signs.signs("€9000", limit=None) == []


def test_the_third_contact_counts_and_no_other() -> None:
    assert [len(signs.signs("Hello?", contacts=number)) for number in (1, 2, 3, 4)] == [0, 0, 1, 0]
