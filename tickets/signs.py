"""The signs of a case that may need higher authority (clause 3.3): amounts, words of law and danger, a third contact.

Pure, and data first: what is looked for is written down here. A sign proposes; a person decides.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterable
from decimal import Decimal

LOOKED_AT = 20_000  # characters of a message
CONTACTS = 3  # with this contact of the customer on one matter it is time to look up

# Whole words, or the beginnings of words where a star stands; in every language that customers write in.
LEGAL = (
    # English
    "lawyer*", "solicitor*", "barrister*", "attorney*", "legal action", "legal proceedings", "legal adviser*",
    "legal advisor*", "take you to court", "small claims", "in court", "to court", "lawsuit*", "sue you", "suing",
    "ombudsman", "trading standards", "letter before action", "liability", "compensation claim*", "the police",
    "data protection authority", "information commissioner", "consumer protection", "regulator",
    # German
    "anwalt*", "anwält*", "rechtsanwalt*", "rechtsanwält*", "rechtliche schritte", "rechtsweg", "klage", "klagen",
    "verklag*", "vor gericht", "amtsgericht", "mahnbescheid", "strafanzeige", "anzeige erstatten", "polizei",
    "schadensersatz*", "schadenersatz*", "verbraucherzentrale*", "verbraucherschutz*", "schlichtungsstelle*",
    "datenschutzbehörde*", "haftung", "haftbar",
)  # fmt: skip
SAFETY = (
    # English
    "injur*", "wounded", "hurt myself", "burnt", "burned", "burns", "electric shock", "electrocut*", "gas leak*",
    "smell* of gas", "smell* gas", "carbon monoxide", "caught fire", "on fire", "a fire", "smoke came", "sparks",
    "explod*", "explosion", "hospital*", "ambulance", "accident*", "poison*", "dangerous", "unsafe", "choking",
    # German
    "verletz*", "verbrannt*", "verbrannte", "verbrennung*", "stromschlag*", "gasgeruch", "gasleck*", "riecht nach gas",
    "kohlenmonoxid", "feuer gefangen", "brennt", "brand", "rauch", "funken", "explodier*", "explosion*",
    "krankenhaus*", "notarzt", "unfall", "unfälle", "vergift*", "gefährlich*", "lebensgefahr*",
)  # fmt: skip


class Rule(enum.StrEnum):
    """What a proposal rests on."""

    AMOUNT = "amount"
    LEGAL = "legal"
    SAFETY = "safety"
    CONTACTS = "contacts"


@dataclasses.dataclass(frozen=True, slots=True)
class Sign:
    """One sign, with the words in which it was found."""

    rule: Rule
    found: str


_CURRENCY = r"€|£|\$|EUR|GBP|USD|CHF|[Ee]uros?|[Pp]ounds?|[Dd]ollars?"
_NUMBER = r"\d{1,3}(?:[.,'’ \u00a0\u202f]\d{3}){1,5}(?:[.,]\d{1,2})?(?!\d)|\d{1,9}(?:[.,]\d{1,2})?(?!\d)"
_AMOUNT = re.compile(
    rf"(?<![\w.,])(?:(?:{_CURRENCY})\s?(?P<after>{_NUMBER})|(?P<before>{_NUMBER})\s?(?:{_CURRENCY})(?!\w))"
)


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    parts = (re.escape(word).replace(r"\*", r"\w*").replace(r"\ ", r"\s+") for word in words)
    return re.compile(rf"\b(?:{'|'.join(parts)})\b", re.IGNORECASE)


_WORDS = {Rule.LEGAL: _pattern(LEGAL), Rule.SAFETY: _pattern(SAFETY)}


def amounts(text: str) -> list[tuple[Decimal, str]]:
    """Every sum of money, with the words that name it: "€1,840", "1.840,50 EUR", "500 euros"."""
    return [(_value(match["after"] or match["before"]), " ".join(match[0].split())) for match in _AMOUNT.finditer(text)]


def _value(number: str) -> Decimal:
    """A number as people write it in either language; the last mark is a decimal one unless three digits follow it."""
    number = re.sub(r"['’\s]", "", number)
    mark = max(number.rfind("."), number.rfind(","))
    whole, part = (number[:mark], number[mark + 1 :]) if mark >= 0 else (number, "")
    if len(part) == 3:
        whole, part = whole + part, ""
    return Decimal(f"{re.sub('[.,]', '', whole)}.{part or '0'}")


def signs(text: str, *, contacts: int = 1, limit: int | None = None) -> list[Sign]:
    """What in this message, the customer's `contacts`th on the matter, speaks for higher authority."""
    text, found = text[:LOOKED_AT], []
    if limit is not None:
        most = max(amounts(text), default=None)
        if most is not None and most[0] > limit:
            found.append(Sign(Rule.AMOUNT, most[1][:100]))
    for rule, pattern in _WORDS.items():
        match = pattern.search(text)
        if match is not None:
            found.append(Sign(rule, " ".join(match[0].split())[:100]))
    if contacts == CONTACTS:
        found.append(Sign(Rule.CONTACTS, str(contacts)))
    return found
