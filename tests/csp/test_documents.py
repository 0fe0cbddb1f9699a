"""What the documents say of commands and variables is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def test_every_variable_that_settings_read_is_in_the_operators_guide():
    source = (ROOT / "csp" / "settings.py").read_text()
    read = set(re.findall(r'(?:text|flag|number|words|secret)\(\s*"([A-Z_]+)"', source))
    named = set(re.findall(r"`([A-Z][A-Z_]{3,})`", (ROOT / "docs" / "operator.md").read_text()))
    assert not read - named


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(path: Path):
    words = re.findall(r"(?:\./run manage|manage\.py) ([a-z_]+)", path.read_text())
    assert not set(words) - set(get_commands())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_linked_exists(path: Path):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", path.read_text())
    missing = {link for link in links if not (path.parent / link).exists()}
    assert missing <= {"docs/screenshots/queue.png"}


def test_there_is_a_guide_for_everybody():
    names = {path.name for path in DOCUMENTS}
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "operator.md", "administrator.md", "user.md"} <= names
