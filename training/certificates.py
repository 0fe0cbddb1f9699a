"""A certificate as a page to keep: one sheet of PDF with its code. Draws what training.records knows."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import dateformat
from django.utils.translation import gettext as _
from fpdf import FPDF

from training.models import Completion

_FONTS = settings.BASE_DIR / "static" / "csp" / "fonts"
_INK, _MUTED, _PEN = (31, 35, 40), (96, 100, 108), (39, 70, 176)


def pdf(done: Completion, *, address: str, zone: dt.tzinfo) -> bytes:
    """One page; `address` is where the code can be checked."""
    page = FPDF(orientation="landscape", format="A4")
    page.set_title(str(done.version.course))
    page.set_creator("CSP")
    page.set_lang("en-GB")
    page.set_creation_date(done.recorded_at)
    page.add_font("plex", fname=_FONTS / "ibm-plex-sans-latin.woff2")
    page.add_font("plexext", fname=_FONTS / "ibm-plex-sans-latin-ext.woff2")
    page.set_fallback_fonts(["plexext"], exact_match=False)
    page.set_auto_page_break(False)
    page.add_page()
    page.set_draw_color(*_PEN)
    page.set_line_width(0.6)
    page.rect(12, 12, page.w - 24, page.h - 24)
    contract = done.version.course.contract
    lines = [
        (30, 13, _MUTED, contract.company or settings.ORGANISATION),
        (48, 30, _INK, _("Certificate of training")),
        (72, 13, _MUTED, _("This is to certify that")),
        (84, 24, _INK, done.user.name),
        (104, 13, _MUTED, _("has passed") if done.how == Completion.How.TEST else _("has been trained in")),
        (116, 20, _INK, str(done.version.course)),
        (130, 12, _MUTED, _("version %(number)d, under clause %(clause)s of the service contract")
            % {"number": done.version.number, "clause": done.version.course.clause}),
        (142, 12, _MUTED, _("on %(day)s") % {"day": dateformat.format(done.passed_at.astimezone(zone), "j F Y")}),
        (168, 16, _INK, done.code),
        (178, 10, _MUTED, _("Check this code at %(address)s") % {"address": address}),
    ]  # fmt: skip
    for top, size, colour, text in lines:
        page.set_xy(20, top)
        page.set_font("plex", size=size)
        page.set_text_color(*colour)
        page.cell(page.w - 40, size * 0.5, _fitting(page, text, page.w - 40), align="C")
    return bytes(page.output())


def _fitting(page: FPDF, text: str, width: float) -> str:
    while len(text) > 1 and page.get_string_width(text) > width:
        text = f"{text[:-2]}…"
    return text
