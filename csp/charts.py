"""The geometry of charts: a distribution with its limit, and columns of parts. Pure.

Across everything is a percentage and down everything is a pixel, so a drawing needs no style and its text never
scales. Colours are names of the style sheet: a, b, c for kinds, o for what lies past a limit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

MARK_WORDS = 40  # percent of a distribution that the words of a mark may take, in the narrowest place it is drawn
TOP, HEIGHT = 22, 126  # of the bars of a distribution: under the labels of its marks, above those of its axis
LEAST = 1.5  # a bar of one among thousands can still be seen
STACK_TOP, STACK_HEIGHT = 16, 114
KINDS = "abc"


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle: across in per cent, down in pixels."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclasses.dataclass(frozen=True, slots=True)
class Label:
    """A text at a place across; `anchor` as SVG names it, `y` in pixels where that is not the axis."""

    x: float
    text: str
    anchor: str = "middle"
    y: float = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Histogram:
    """A distribution: bars of equal width, the limit between two of them, marks above."""

    bars: list[Bar]
    ticks: list[Label]
    limit_x: float
    limit: str
    marks: list[Label]
    base: int = TOP + HEIGHT
    middle: int = TOP + HEIGHT // 2
    top: int = TOP


@dataclasses.dataclass(frozen=True, slots=True)
class Columns:
    """Columns of parts, each with its total above and, now and then, its name below."""

    bars: list[Bar]
    totals: list[Label]
    names: list[Label]
    base: int = STACK_TOP + STACK_HEIGHT
    middle: int = STACK_TOP + STACK_HEIGHT // 2


def histogram(
    counts: Sequence[int], *, limit: int, limit_label: str, ticks: Sequence[tuple[float, str]],
    marks: Sequence[tuple[float, str]] = (),
) -> Histogram:  # fmt: skip
    """Bars of `counts`; those from number `limit` on lie past it. `ticks` and `marks` are (place in bars, text)."""
    step = 100 / len(counts)
    tallest = max(max(counts), 1)
    bars = []
    for place, count in enumerate(counts):
        height = max(HEIGHT * count / tallest, LEAST) if count else 0
        kind = "o" if place >= limit else "a"
        bars.append(Bar(kind, _at(place * step + step * 0.1), _at(TOP + HEIGHT - height), _at(step * 0.8), _at(height)))
    return Histogram(
        bars=[bar for bar in bars if bar.height],
        ticks=[Label(_at(place * step), text, "middle" if place else "start") for place, text in ticks],
        limit_x=_at(limit * step),
        limit=limit_label,
        marks=_apart([Label(_at(min(place, len(counts)) * step), text, "start") for place, text in marks]),
    )


def _apart(marks: list[Label]) -> list[Label]:
    """Marks beyond the middle are written to their left; one whose words would run into the last, a line lower."""
    drawn: list[Label] = []
    taken = 0.0  # where the words of the upper line end
    for mark in marks:
        anchor = "end" if mark.x > 55 else "start"
        begins = mark.x - MARK_WORDS if anchor == "end" else mark.x
        y = 29 if drawn and begins < taken else 13
        if y == 13:
            taken = begins + MARK_WORDS
        drawn.append(Label(mark.x, mark.text, anchor, y))
    return drawn


def columns(parts: Sequence[Sequence[int]], names: Sequence[str], *, every: int = 3) -> Columns:
    """A column for each of `parts` (at most three numbers from the bottom up); every third has its name below."""
    step = 100 / max(len(parts), 1)
    width = step * 0.52
    tallest = max((sum(column) for column in parts), default=0) or 1
    bars, totals, below = [], [], []
    for place, column in enumerate(parts):
        x, middle, y = place * step + (step - width) / 2, place * step + step / 2, float(STACK_TOP + STACK_HEIGHT)
        for kind, count in zip(KINDS, column, strict=False):
            if count:
                height = STACK_HEIGHT * count / tallest
                y -= height
                gap = 1 if height > 4 else 0
                bars.append(Bar(kind, _at(x), _at(y), _at(width), _at(height - gap)))
        if sum(column):
            totals.append(Label(_at(middle), str(sum(column)), y=_at(y - 5)))
        if place % every == 0 or place == len(parts) - 1:
            below.append(Label(_at(middle), names[place]))
    return Columns(bars, totals, below)


def _at(number: float) -> float:
    return round(number, 2)


def spark(counts: Sequence[float], tallest: float = 0) -> str:
    """The points of a line without axes, in a box of 100 by 24, for `polyline`; the top is `tallest` or the highest."""
    tallest, step = tallest or max([*counts, 1]), 100 / max(len(counts) - 1, 1)
    return " ".join(f"{_at(place * step)},{_at(22 - 20 * count / tallest)}" for place, count in enumerate(counts))
