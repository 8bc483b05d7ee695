"""``d2l exercise`` and ``d2l check``: a student's path from the stub to the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from d2l_core.lessons import lessons
from d2l_core.lessons._exercises import has_exercises, solutions, stub
from d2l_core.lessons.figures import without_markers

from .conftest import Ended, installed_backends

Command = Callable[..., Ended]
NAME = "linear-regression"


def written(tmp_path: Path, replace: dict[str, str]) -> Path:
    """A reader's file with some lines replaced."""
    text = stub(lessons()[NAME])
    for old, new in replace.items():
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_stub_is_written_once_and_never_over_a_file(d2l: Command, tmp_path: Path):
    ended = d2l("exercise", NAME)
    assert ended.status == 0, ended.err
    file = tmp_path / "linear_regression_exercise.py"
    assert "def huber(" in file.read_text(encoding="utf-8")
    file.write_text("mine")
    again = d2l("exercise", NAME)
    assert again.status == 2
    assert "stays as it is" in again.err
    assert file.read_text() == "mine"


def test_solutions_are_shown_when_asked_for(d2l: Command, tmp_path: Path):
    ended = d2l("exercise", NAME, "--solutions", "--out", "answers.py")
    assert ended.status == 0, ended.err
    written = (tmp_path / "answers.py").read_text(encoding="utf-8")
    assert written.endswith(without_markers(lessons()[NAME].companion("solutions").read_text(encoding="utf-8")))


def test_solutions_are_shown_without_the_markers_of_their_figures(tmp_path: Path):
    lesson = replace(lessons()[NAME], path=tmp_path / "mine.py")
    lesson.companion("solutions").write_text("# It is 0.75<!--lesson.x-->.\n")
    assert solutions(lesson) == f"# exercises of the lesson {NAME}\n# It is 0.75.\n"


def test_an_untouched_stub_is_open_on_every_backend(d2l: Command, tmp_path: Path):
    ended = d2l("check", written(tmp_path, {}), "--json")
    assert ended.status == 1, ended.err
    answers = json.loads(ended.out)
    assert list(answers) == installed_backends()
    for verdicts in answers.values():
        assert verdicts
        assert {verdict["problem"] for verdict in verdicts} == {"Not written yet."}


def test_a_right_answer_is_right_on_every_backend(d2l: Command, tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text(solutions(lessons()[NAME]), encoding="utf-8")
    ended = d2l("check", file)
    assert ended.status == 0, ended.out + ended.err
    assert f"All is right on {', '.join(installed_backends())}" in ended.out


def test_a_wrong_answer_is_told_in_words(d2l: Command, tmp_path: Path):
    file = written(tmp_path, {"    raise NotImplementedError": "    return xp.mean((y_hat - y) ** 2)"})
    ended = d2l("check", file, "--backend", "numpy")
    assert ended.status == 1
    assert "huber, value: " in ended.out
    assert "Expected" in ended.out


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1 / 0", "ZeroDivisionError"),
        ("import os; os._exit(3)", "status 3"),
        ("return xp.no_such_function(y)", "Line "),
    ],
)
def test_a_program_that_breaks_is_told_in_words(d2l: Command, tmp_path: Path, body: str, message: str):
    ended = d2l("check", written(tmp_path, {"    raise NotImplementedError": f"    {body}"}), "--backend", "numpy")
    assert ended.status == 1
    assert message in ended.out
    assert "Traceback" not in ended.out + ended.err


def test_a_file_that_does_not_parse_names_the_line(d2l: Command, tmp_path: Path):
    ended = d2l("check", written(tmp_path, {"    raise NotImplementedError": "    return ("}), "--backend", "numpy")
    assert ended.status == 1
    assert "SyntaxError" in ended.out
    assert "Line " in ended.out


def test_a_wrong_file_is_told(d2l: Command, tmp_path: Path):
    assert "There is no file" in d2l("check", tmp_path / "none.py").err
    (tmp_path / "other.py").write_text("x = 1\n")
    assert "does not say to which lesson" in d2l("check", tmp_path / "other.py").err


def test_every_lesson_has_something_to_check():
    assert [name for name, lesson in lessons().items() if not has_exercises(lesson)] == []
