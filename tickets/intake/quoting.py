"""Which part of a mail's text is new: words, what was quoted, the signature. For the view only; nothing is removed.

    for kind, text in quoting.fold(message.text): ...        # joined, the texts are the text again, to the character

The view shows words and folds the rest. In doubt it is words: a fold that hides an answer is worse than a long page.
Languages are data, in `phrases`. Linear in the length of the text.
"""

import re
from enum import StrEnum
from typing import NamedTuple

from .phrases import ATTRIBUTIONS, FIELDS, FORWARD_SUBJECT, FORWARDED, INLINE, MOBILE, ORIGINAL


class Kind(StrEnum):
    """What a stretch of text is."""

    WORDS = "words"
    QUOTE = "quote"
    SIGNATURE = "signature"


class Stretch(NamedTuple):
    kind: Kind
    text: str


_LONGEST = 400  # characters of a line that are looked at
_SIGNATURE_LINES = 30
_RULERS = 20  # lines of two dashes that are tried as the start of a signature


def is_forward(subject: str) -> bool:
    """Whether a subject says that the message is forwarded."""
    return bool(FORWARD_SUBJECT.match(subject))


def fold(text: str, *, forwarded: bool = False) -> list[Stretch]:
    """The text in stretches of words, quotes and signatures. Forwarded matter is the message itself and stays words."""
    lines = text.split("\n")
    lines = [line + "\n" for line in lines[:-1]] + lines[-1:] if text else []
    kinds = _kinds([line.strip()[:_LONGEST] for line in lines], lines, forwarded=forwarded)
    if not any(kind is Kind.WORDS and line.strip() for kind, line in zip(kinds, lines, strict=True)):
        kinds = [Kind.WORDS] * len(lines)
    folded: list[tuple[Kind, list[str]]] = []
    for kind, line in zip(kinds, lines, strict=True):
        if line and folded and folded[-1][0] is kind:
            folded[-1][1].append(line)
        elif line:
            folded.append((kind, [line]))
    return [Stretch(kind, "".join(some)) for kind, some in folded]


def _kinds(bare: list[str], lines: list[str], *, forwarded: bool) -> list[Kind]:
    kinds: list[Kind] = []
    said = False  # whether words of the sender's own stand above
    at = 0
    next_filled = _next_filled(bare)
    answers_inside = False
    dashes = 0
    while at < len(bare):
        line = bare[at]
        if _is_marked(line):
            kinds.append(Kind.QUOTE)
            at += 1
            continue
        if not line:
            after = next_filled[at]
            inside = kinds and kinds[-1] is Kind.QUOTE
            within = inside and after < len(bare) and _is_marked(bare[after])
            kinds.append(Kind.QUOTE if within else Kind.WORDS if inside or not kinds else kinds[-1])
            at += 1
            continue
        if _says(line, FORWARDED) and (line.startswith(("-", "_", "=")) or line.endswith(":")):
            kinds.extend([Kind.WORDS] * (len(bare) - at))  # marked as forwarded: all that follows was sent on purpose
            break
        if _begins_block(bare, at, next_filled):
            quoted = said and not forwarded and not answers_inside
            kinds.extend([Kind.QUOTE if quoted else Kind.WORDS] * (len(bare) - at))
            break
        if width := _attribution(bare, at):
            after = next_filled[at + width - 1] if at + width - 1 < len(bare) else len(bare)
            if after < len(bare) and _is_marked(bare[after]):
                kinds.extend([Kind.QUOTE] * (after - at))
                at = after
                continue
            introduction = " ".join(bare[at : at + width])
            if (
                said
                and not forwarded
                and not answers_inside
                and after < len(bare)
                and re.search(r"@|\d{1,2}[:.]\d\d", introduction)
            ):
                kinds.extend([Kind.QUOTE] * (len(bare) - at))
                break
        dashes += line == "--"
        if said and dashes <= _RULERS and (length := _signature(bare, lines, at, next_filled)):
            kinds.extend([Kind.SIGNATURE] * length)
            at += length
            continue
        said = True
        answers_inside = answers_inside or bool(INLINE.search(line))
        kinds.append(Kind.WORDS)
        at += 1
    return kinds


def _next_filled(bare: list[str]) -> list[int]:
    """For each line, the next one after it that is not empty (the length of the list if there is none)."""
    found = [len(bare)] * len(bare)
    for at in range(len(bare) - 2, -1, -1):
        found[at] = at + 1 if bare[at + 1] else found[at + 1]
    return found


def _is_marked(line: str) -> bool:
    return line.startswith((">", "&gt;"))


def _says(line: str, phrases: tuple[str, ...]) -> bool:
    low = line.lower()
    return len(low) < 200 and any(phrase in low for phrase in phrases)


def _begins_block(bare: list[str], at: int, next_filled: list[int]) -> bool:
    """Whether an unmarked quote begins here: "-----Original Message-----", or a block of From, Sent, To, Subject."""
    line = bare[at]
    if line.startswith("-") and _says(line, ORIGINAL):
        return True
    if line.startswith("____") and not line.strip("_"):
        at = next_filled[at]
        line = bare[at] if at < len(bare) else ""
    if _field(line) != "from":
        return False
    seen = {_field(some) for some in bare[at : at + 8]}
    return "subject" in seen and len(seen & {"sent", "to"}) > 0


def _field(line: str) -> str | None:
    name, colon, _rest = line.lstrip("*").partition(":")
    return FIELDS.get(name.strip("* \xa0").lower()) if colon else None


def _attribution(bare: list[str], at: int) -> int:
    """How many lines introduce a quote here (up to four, wrapped by some mail program), or 0."""
    joined = ""
    for width in range(1, 5):
        if at + width > len(bare) or not bare[at + width - 1] or len(joined) > _LONGEST:
            return 0
        joined = f"{joined} {bare[at + width - 1]}".strip()
        low = joined.lower()
        if low.endswith((":", ": ", "：")):
            fits = any(low.startswith(start) and verb in low for start, verb in ATTRIBUTIONS if start)
            loose = any(not start and verb in low for start, verb in ATTRIBUTIONS) and bool(re.search(r"\d|@", low))
            return width if fits or loose else 0
        if width == 1 and not low.startswith(tuple(start for start, _verb in ATTRIBUTIONS if start)):
            return 0
    return 0


def _signature(bare: list[str], lines: list[str], at: int, next_filled: list[int]) -> int:
    """How many lines of signature begin here, or 0."""
    line = bare[at]
    if line == "--":
        end = at + 1
        while end < len(bare) and not _is_marked(bare[end]) and end - at <= _SIGNATURE_LINES:
            if bare[end] and (_attribution(bare, end) or _begins_block(bare, end, next_filled)):
                break
            end += 1
        # Without the space that the standard wants it must be short: somebody may have drawn a line.
        most = _SIGNATURE_LINES if lines[at].rstrip("\r\n") == "-- " else 12
        return end - at if end - at <= most else 0
    if len(line) < 120 and line.lower().startswith(MOBILE):
        after = next_filled[at]
        if (
            after == len(bare)
            or _is_marked(bare[after])
            or _attribution(bare, after)
            or _begins_block(bare, after, next_filled)
        ):
            return 1
    return 0
