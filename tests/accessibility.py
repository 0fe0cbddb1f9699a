"""What a page may not do to anybody: stand in the way of assistive technology, lack contrast, be wider than the window.

A page is loaded once and looked at in light, dark and as wide as a phone. Where pages are kept for a person to look at,
CSP_SCREENSHOTS names the folder.
"""

from __future__ import annotations

import os
import re
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# name, colours, width and height, and what axe is asked: between light and dark only colours differ.
Look = tuple[str, Literal["light", "dark"], int, int, dict[str, Any]]
EVERYTHING: dict[str, Any] = {"resultTypes": ["violations"]}
COLOURED = ["color-contrast", "link-in-text-block"]
COLOURS: dict[str, Any] = {**EVERYTHING, "runOnly": {"type": "rule", "values": COLOURED}}
LOOKS: list[Look] = [
    ("light", "light", 1440, 900, EVERYTHING),
    ("dark", "dark", 1440, 900, COLOURS),
    ("phone", "light", 390, 844, EVERYTHING),
]

# What sticks out of the page to the right, but for what scrolls in a frame of its own.
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [document.documentElement, ...document.querySelectorAll("main *")]
        .filter((one) => one.scrollWidth > innerWidth || one.getBoundingClientRect().right > innerWidth + 1)
        .filter((one) => !one.closest(".scroll, .tabs"))
        .map((one) => one.outerHTML.slice(0, 160))"""

# Colours fade over, in no time for whoever wants no motion; what is measured on the way is neither look.
SETTLED = """() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)))"""
ASK = "(asked) => axe.run(asked).then((result) => result.violations)"


def obstacles(page: Page, path: str) -> list[str]:
    """Everything at PATH that stands in somebody's way, one line each; none is an empty list."""
    page.emulate_media(reduced_motion="reduce")
    answer = page.goto(path)
    if answer is None or answer.status != 200:
        return [f"{path}: {answer.status if answer else 'no answer'}"]
    page.evaluate(Axe().axe_script)
    found: list[str] = []
    for look, scheme, width, height, asked in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(SETTLED)
        found += [
            f"{path} ({look}): {problem['id']}: {problem['nodes'][0]['html'][:200]}"
            for problem in page.evaluate(ASK, asked)
        ]
        found += [f"{path} ({look}): wider than the window: {one}" for one in page.evaluate(TOO_WIDE)]
        if folder := os.environ.get("CSP_SCREENSHOTS"):
            name = re.sub(r"\W+", "-", path).strip("-") or "home"
            page.screenshot(path=f"{folder}/{name}-{look}.png", full_page=True)
    return found
