"""Cells of files that spreadsheets open: nothing that somebody wrote is taken for a formula. Pure."""

from __future__ import annotations

import re

# At the beginning, or after what some spreadsheet takes for the end of a cell; full-width signs are read as signs, too.
_FORMULA = re.compile(r"(^(?=\s*[=+\-@＝＋－＠])|(?<=\S)[;,\t\r\n](?=\s*[=+\-@＝＋－＠]))")


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, whatever it cuts lines by: what begins like one is text."""
    return _FORMULA.sub(r"\1'", cell)
