"""What holds for every lesson on the active backend: it runs from top to bottom, and so do its solutions."""

from __future__ import annotations

import importlib
import math
import runpy

import pytest

from d2l_core.lessons import WHOLE, lessons, run_whole
from d2l_core.lessons._exercises import check_functions, has_exercises

LESSONS = lessons()
EXAMINED = [name for name, lesson in LESSONS.items() if has_exercises(lesson)]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Lessons may write files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("D2L_SCALE", "smoke")
    monkeypatch.setenv("MPLBACKEND", "agg")


@pytest.mark.parametrize("name", LESSONS)
def test_it_runs_from_top_to_bottom(name):
    figures = run_whole(LESSONS[name], "smoke")
    promised = {p.metric for made in LESSONS[name].header.promises.values() for p in made if p.job == WHOLE}
    assert promised <= figures.keys()
    assert all(math.isfinite(figures[metric]) for metric in promised)


@pytest.mark.parametrize("name", LESSONS)
def test_its_solutions_run(name):
    runpy.run_path(str(LESSONS[name].companion("solutions")), run_name="__main__")


@pytest.mark.parametrize("name", EXAMINED)
def test_each_check_accepts_the_solution_and_refuses_the_stub(name):
    lesson = LESSONS[name]
    exercises = importlib.import_module(f"{lesson.module}_exercises")
    solutions = importlib.import_module(f"{lesson.module}_solutions")
    checks = check_functions(lesson)
    assert checks
    for function, aspects in checks.items():
        assert aspects, f"nothing checks {function}"
        for check in aspects.values():
            check(getattr(solutions, function))
            with pytest.raises((NotImplementedError, AssertionError)):
                check(getattr(exercises, function))
