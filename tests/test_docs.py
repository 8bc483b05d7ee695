"""Pages in docs/ that go with the lessons: the bibliography is current, and links lead to files."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")


def bibliography():
    spec = importlib.util.spec_from_file_location("bibliography", ROOT / "tools" / "bibliography.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_bibliography_is_that_of_the_lessons():
    made = bibliography().page()
    assert made.count("\n- ") >= 20
    assert (ROOT / "docs" / "bibliography.md").read_text(encoding="utf-8") == made


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files(page):
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        target = match["target"]
        assert target.startswith(("http://", "https://")) or (page.parent / target).exists(), target
