"""The page about the array API standard says what is so."""

import importlib.util
from pathlib import Path

import pytest
from d2l_conformance.tensor_object import answers

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "array_api.md").read_text(encoding="utf-8")
PRECISIONS = (64,)


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("array_api_page", ROOT / "tools" / "array_api_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_lists_are_those_of_the_suite(writer):
    assert writer.replaced(PAGE, "declared", writer.declared()) == PAGE


def test_a_page_without_the_part_is_named(writer):
    with pytest.raises(SystemExit, match="no part 'weather'"):
        writer.replaced(PAGE, "weather", "")


def test_table_holds_the_answers_of_each_backend(backend):
    rows = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    column = rows[0].index(backend.adapter.title) + 1
    assert {row[0]: row[column] == "yes" for row in rows[1:]} == answers()
