"""Finding lessons and opening them."""

from __future__ import annotations

import csv
import functools
import importlib
import importlib.resources
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from d2l_core.errors import UsageError
from d2l_core.lessons._header import Header

if TYPE_CHECKING:
    from d2l_core.lessons._job import Job

CHAPTERS = "d2l_chapters"
COMPANIONS = ("_exercises", "_solutions")

_REPORTS = re.compile(r"^\s*report\(", re.MULTILINE)


@dataclass(frozen=True)
class Lesson:
    """A lesson on disk: its header, and its module once it is opened."""

    header: Header
    module: str
    path: Path

    @property
    def results_path(self) -> Path:
        """Where the recorded results of its runs are kept."""
        return self.path.with_suffix(".results.json")

    @property
    def reports(self) -> bool:
        """Whether it reports figures when it is run from top to bottom."""
        return _REPORTS.search(self.path.read_text(encoding="utf-8")) is not None

    def companion(self, kind: str) -> Path:
        """The file of its ``exercises`` or ``solutions``, which need not exist."""
        return self.path.with_name(f"{self.path.stem}_{kind}.py")

    def open(self) -> ModuleType:
        """Import the lesson: its definitions, nothing is trained."""
        return importlib.import_module(self.module)

    def jobs(self) -> dict[str, Job]:
        """Its training runs by name; none where there is nothing to train."""
        jobs: dict[str, Any] = getattr(self.open(), "jobs", {})
        return jobs

    def job(self, name: str | None = None) -> tuple[str, Job]:
        """One of its jobs with its name, the main one if None; UsageError when there is no such job."""
        jobs, chosen = self.jobs(), name or self.header.main
        if chosen is None:
            own = self.header.name
            raise UsageError(f"{own} trains nothing by itself; run it from top to bottom with: d2l run {own}")
        if chosen not in jobs:
            raise UsageError(f"{self.header.name} has no job {chosen!r}; choose one of: {', '.join(jobs)}.")
        return chosen, jobs[chosen]


def planned_sections() -> list[str]:
    """The sections that the curriculum is to have, in order: those of the book, with and without code."""
    table = importlib.resources.files(CHAPTERS).joinpath("sections.csv").read_text(encoding="utf-8")
    return [row["section"] for row in csv.DictReader(table.splitlines())]


@functools.cache
def lessons() -> dict[str, Lesson]:
    """All lessons by name, in the order of their sections."""
    root = Path(str(importlib.resources.files(CHAPTERS)))
    found = []
    for path in sorted(root.glob("*/*.py")):
        if path.name.startswith("_") or path.parent.name.startswith("_") or path.stem.endswith(COMPANIONS):
            continue
        module = ".".join((CHAPTERS, path.parent.name, path.stem))
        found.append(Lesson(Header.read(path), module, path))
    found.sort(key=lambda lesson: tuple(map(int, lesson.header.sections[0].split("."))))
    return {lesson.header.name: lesson for lesson in found}


def find_lesson(name: str) -> Lesson:
    """The lesson called `name`; UsageError lists the known ones when there is none."""
    try:
        return lessons()[name]
    except KeyError:
        raise UsageError(f"There is no lesson {name!r}; choose one of: {', '.join(lessons())}.") from None
