"""gettext, remembered by language: a list says the same words fifty times, and each look-up costs as much as a cell.

The functions bear Django's names, so that makemessages finds what is said through them. Pure.
"""

from __future__ import annotations

import functools

from django.utils import translation

REMEMBERED = 4096


class Words:
    """What is said in one language. Who says much at once takes it once: asking which language it is costs, too."""

    def __init__(self) -> None:
        self.gettext = functools.lru_cache(REMEMBERED)(translation.gettext)
        self.ngettext = functools.lru_cache(REMEMBERED)(translation.ngettext)


@functools.cache
def _of(_language: str | None) -> Words:
    return Words()


def active() -> Words:
    """The words of the language that is active now; not to be kept beyond it."""
    return _of(translation.get_language())


def gettext(text: str) -> str:
    return active().gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    return active().ngettext(one, many, number)
