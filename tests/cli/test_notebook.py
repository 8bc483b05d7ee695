"""``d2l notebook``: guards go, strings stay, and what comes out runs from top to bottom."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from d2l_core.errors import D2LError
from d2l_core.lessons import find_lesson, lessons
from d2l_core.lessons._notebook import percent_source, without_guards

from .conftest import Ended, installed_backends

Command = Callable[..., Ended]
LESSON = "linear-regression"

GUARDED = '''\
x = 1
if __name__ == "__main__":
    # why
    text = """first
    second
  third"""
    number = (1 +
      2)

    def f():
        return f"""{
            number}
    kept"""

y = 2
# %% [markdown]
# if __name__ == "__main__":
#     not code
# %%
if "__main__" == __name__: z = "ü"; w = 3
marker = """
if __name__ == "__main__":
    inside
"""
'''
UNWRAPPED = '''\
x = 1
# why
text = """first
    second
  third"""
number = (1 +
  2)

def f():
    return f"""{
            number}
    kept"""

y = 2
# %% [markdown]
# if __name__ == "__main__":
#     not code
# %%
z = "ü"; w = 3
marker = """
if __name__ == "__main__":
    inside
"""
'''


def test_guards_are_removed_and_strings_survive() -> None:
    assert without_guards(GUARDED) == UNWRAPPED
    before: dict[str, object] = {"__name__": "__main__"}
    after: dict[str, object] = {"__name__": "imported"}
    exec(GUARDED, before)  # noqa: S102
    exec(without_guards(GUARDED), after)  # noqa: S102
    for name in ("x", "text", "number", "y", "z", "w", "marker"):
        assert after.get(name) == before[name]
    assert after["f"]() == before["f"]()  # type: ignore[operator]


def test_other_conditions_stay() -> None:
    source = 'if __name__ == "other":\n    x = 1\nif __name__ != "__main__":\n    y = 1\n'
    assert without_guards(source) == source


@pytest.mark.parametrize("source", ['if __name__ == "__main__":\n    x = 1\nelse:\n    y = 1\n', "def f(:\n"])
def test_what_cannot_be_unwrapped_is_named(source: str) -> None:
    with pytest.raises(D2LError, match=r"mend the lesson\.$"):
        without_guards(source, "lesson.py")


@pytest.mark.parametrize("name", list(lessons()))
def test_no_lesson_shows_its_guards_or_its_header(name: str) -> None:
    source = percent_source(find_lesson(name))
    assert "__main__" not in source
    assert "/// lesson" not in source
    assert source.startswith(f"# %% [markdown]\n# # {find_lesson(name).header.title}\n")
    assert source.count(f"# # {find_lesson(name).header.title}\n") == 1
    compile(source, name, "exec")


def test_file_is_not_replaced_unasked(here: Command, tmp_path: Path) -> None:
    path = tmp_path / f"{LESSON}.ipynb"
    path.write_text("mine")
    refused = here("notebook", LESSON)
    assert refused.status == 2
    assert "exists already" in refused.err
    assert path.read_text() == "mine"
    assert here("notebook", LESSON, "--force").status == 0
    written = path.read_text()
    assert json.loads(written)["nbformat"] == 4
    assert here("notebook", LESSON, "-o", "-").out == written


def test_unwritable_place(here: Command) -> None:
    ended = here("notebook", LESSON, "-o", "/dev/null/x.ipynb")
    assert ended.status == 2
    assert "--output /dev/null/x.ipynb cannot be written" in ended.err


def test_without_jupytext(d2l: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jupytext.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ended = d2l("notebook", LESSON)
    assert ended.status == 1
    assert ended.err == 'Error: Notebooks need jupytext; install it with: pip install "d2l-core[notebook]"\n'


@pytest.mark.parametrize("framework", installed_backends())
def test_notebook_runs_from_top_to_bottom(
    here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, framework: str
) -> None:
    monkeypatch.setenv("D2L_BACKEND", framework)
    monkeypatch.setenv("D2L_SCALE", "smoke")
    ended = here("notebook", LESSON, "--execute")
    assert ended.status == 0, ended.err
    cells = [cell for cell in json.loads((tmp_path / f"{LESSON}.ipynb").read_text())["cells"] if "outputs" in cell]
    assert f"cell {len(cells)} of {len(cells)}" in ended.err
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs), "no figure is shown"
    assert framework in str(outputs)


def test_a_cell_that_fails_is_told_in_a_sentence_and_nothing_is_written(
    here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("D2L_BACKEND", "numpy")
    monkeypatch.setenv("D2L_SCALE", "tiny")
    ended = here("notebook", LESSON, "--execute")
    assert ended.status == 1
    assert ended.err.splitlines()[-1].startswith("Error: A cell of the notebook fails with UsageError: ")
    assert not (tmp_path / f"{LESSON}.ipynb").exists()


def test_without_nbclient(d2l: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nbclient.py").write_text("raise ImportError(name='nbclient')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ended = d2l("notebook", LESSON, "--execute")
    assert ended.status == 1
    assert (
        ended.err == 'Error: To execute notebooks needs nbclient; install it with: pip install "d2l-core[notebook]"\n'
    )
