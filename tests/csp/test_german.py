"""The German that customers read: what is compiled is what was written, and no public page is left half English."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "locale" / "de" / "LC_MESSAGES"
PUBLIC = Path(settings.BASE_DIR) / "templates" / "public"


def _said(text: str) -> str:
    return text.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")


def written() -> dict[str, str]:
    """The entries of django.po, plural ones by their first form."""
    found = {}
    for block in (FOLDER / "django.po").read_text().split("\n\n"):
        parts = dict(re.findall(r'^(msgctxt|msgid|msgstr(?:\[0\])?) "(.*)"$', block, re.MULTILINE))
        if parts.get("msgid"):
            key = f"{parts['msgctxt']}\x04{parts['msgid']}" if "msgctxt" in parts else parts["msgid"]
            found[_said(key)] = _said(parts.get("msgstr") or parts["msgstr[0]"])
    return found


def compiled() -> dict[str, str]:
    with (FOLDER / "django.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # nothing else tells all
    entries = {key if isinstance(key, str) else key[0]: value for key, value in catalogue.items()}
    plurals = {key[0]: catalogue[(key[0], 0)] for key in catalogue if isinstance(key, tuple)}
    return {key: value for key, value in (entries | plurals).items() if key}


def test_what_is_compiled_is_what_was_written() -> None:
    # msgfmt -o locale/de/LC_MESSAGES/django.mo locale/de/LC_MESSAGES/django.po
    assert compiled() == written()


def test_every_word_of_the_public_pages_is_there() -> None:
    known = written()
    missing = []
    for page in sorted(PUBLIC.rglob("*.html")):
        text = page.read_text()
        words = re.findall(r'\{% translate "([^"]+)"', text)
        blocks = re.findall(r"\{% blocktranslate(?! count)[^%]*%\}(.*?)\{% endblocktranslate", text, re.DOTALL)
        blocks += re.findall(r"\{% blocktranslate count[^%]*%\}(.*?)\{% plural %\}", text, re.DOTALL)
        words += [re.sub(r"\{\{ (\w+) \}\}", r"%(\1)s", block) for block in blocks]
        missing += [f"{page.name}: {word}" for word in words if word not in known]
    assert missing == []
