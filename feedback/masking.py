"""Names and numbers out of free text, before it stands in the log (clause 4.2). Pure.

Masking errs on the side of hiding: a number of six digits that is no telephone number is hidden as well. What cannot
be known from the text alone, such as a neighbour's name, stays; nobody but analysts, supervisors and auditors reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "•••"

_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
# Six digits and more, however they are grouped: telephone, card, account and order numbers.
_NUMBER = re.compile(r"(?<![\w•])[+(]?\d(?:[ ()/.\-]{0,2}\d){5,29}(?!\w)")
# An account number in its international form: letters and digits in fours.
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
# "my name is Ada Lovelace", "ich heiße Ada Lovelace"
_SAID = re.compile(
    r"(?i:\b(?:my name is|i am called|mein name ist|ich hei(?:ß|ss)e))\s+(\w[\w'’-]*(?:\s+[A-ZÄÖÜ][\w'’-]*){0,2})"
)
_SHORTEST = 3


def mask(text: str, names: Iterable[str] = ()) -> str:
    """The text without addresses, numbers and these names, each word of a name for itself, whatever its case."""
    text = _ADDRESS.sub(MASK, text)
    text = _IBAN.sub(MASK, text)
    text = _NUMBER.sub(MASK, text)
    text = _SAID.sub(lambda found: found[0][: found.start(1) - found.start()] + MASK, text)
    words = sorted({word for name in names for word in re.findall(r"\w[\w'’-]*", name) if len(word) >= _SHORTEST})
    if words:
        either = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        text = re.sub(rf"(?i)(?<!\w)(?:{either})(?:['’]?s)?(?!\w)", MASK, text)
    return text
