"""What the files of every lesson have in common: figures from the record, links to real files, whole references."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest

from d2l_core.lessons import WHOLE, lessons
from d2l_core.lessons._exercises import stub
from d2l_core.lessons._verify import read_results
from d2l_core.lessons.figures import stale, without_markers

LESSONS = lessons()
ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[[^\]]+\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")
REFERENCE = re.compile(r"[^()]+ \(\d{4}[a-z]?\), \*.+?\*.*\.")


def prose(path: Path) -> str:
    """The Markdown cells of a lesson, without the signs of the comments."""
    cells = re.split(r"^# %%", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    marked = [cell.partition("\n")[2] for cell in cells if cell.startswith(" [markdown]")]
    return "\n\n".join(re.sub(r"^# ?", "", cell, flags=re.MULTILINE) for cell in marked)


@pytest.fixture(params=LESSONS)
def lesson(request):
    return LESSONS[request.param]


def test_its_figures_are_those_of_the_record(lesson):
    assert [path.name for path in stale(lesson)] == []


def test_it_promises_something_and_what_it_promises_can_be_measured(lesson):
    promises = lesson.header.promises["full"]
    assert promises
    recorded: dict[str, set[str]] = {WHOLE: set()}
    for run in read_results(lesson.results_path):
        recorded.setdefault(run["job"], set()).update(run["metrics"])
    for promise in promises:
        assert promise.job == WHOLE or promise.job in lesson.jobs()
        assert promise.metric in recorded.get(promise.job, ()), f"{promise} was never measured"


def test_what_it_needs_exists_and_comes_earlier(lesson):
    order = list(LESSONS)
    for name in lesson.header.needs:
        assert name in LESSONS
        assert order.index(name) < order.index(lesson.header.name)


def test_links_lead_to_files(lesson):
    for path in (lesson.path, lesson.companion("solutions")):
        for match in LINK.finditer(prose(path)):
            target = match["target"]
            assert target.startswith(("http://", "https://")) or (path.parent / target).exists(), f"{path}: {target}"


def test_it_has_a_summary_exercises_and_references(lesson):
    text = without_markers(prose(lesson.path))
    for heading in ("Summary", "Exercises", "References"):
        assert re.search(rf"^## {heading}$", text, re.MULTILINE), f"no section {heading}"
    exercises = text.partition("## Exercises\n")[2].partition("## References")[0]
    assert 3 <= len(re.findall(r"^\d\. ", exercises, re.MULTILINE)) <= 6
    assert "★" in exercises


def test_its_references_are_complete(lesson):
    section = prose(lesson.path).partition("## References\n")[2]
    entries = [" ".join(entry.split()) for entry in re.split(r"^- ", section, flags=re.MULTILINE)[1:]]
    assert entries
    for entry in entries:
        assert REFERENCE.fullmatch(entry), f"not of the form 'Authors (year), *Title*, where.': {entry}"


def test_it_has_enough_to_read(lesson):
    assert len(prose(lesson.path).split()) >= 800


def test_the_stub_for_the_reader_has_no_check_and_no_solution(lesson):
    text = stub(lesson)
    tree = ast.parse(text)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert functions
    for node in functions:
        assert not node.name.startswith("check_")
        assert ast.get_docstring(node)
        assert "raise NotImplementedError" in ast.unparse(node)


def test_no_section_is_claimed_twice_and_all_are_planned():
    with (ROOT / "chapters" / "sections.csv").open(encoding="utf-8", newline="") as file:
        planned = {row["section"] for row in csv.DictReader(file)}
    claimed = [section for lesson in LESSONS.values() for section in lesson.header.sections]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) <= planned
