"""gettext, remembered by language: a list says the same words fifty times, and each look-up costs as much as a cell.

The functions bear Django's names, so that makemessages finds what is said through them. Pure.
"""

from __future__ import annotations

import functools

from django.utils import translation

REMEMBERED = 4096


def gettext(text: str) -> str:
    return _gettext(translation.get_language(), text)


def ngettext(one: str, many: str, number: int) -> str:
    return _ngettext(translation.get_language(), one, many, number)


@functools.lru_cache(REMEMBERED)
def _gettext(_language: str | None, text: str) -> str:
    return translation.gettext(text)


@functools.lru_cache(REMEMBERED)
def _ngettext(_language: str | None, one: str, many: str, number: int) -> str:
    return translation.ngettext(one, many, number)
