"""Every lesson as a notebook, run in a Jupyter kernel from top to bottom: ``nox -s notebooks``."""

import json
import os

import pytest

from d2l_core.lessons import lessons
from d2l_core.lessons._notebook import executed, notebook_json

LESSONS = lessons()


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Lessons may write files; a scale that is set already stays."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("D2L_SCALE", os.environ.get("D2L_SCALE", "smoke"))


@pytest.mark.parametrize("name", LESSONS)
def test_it_runs_and_shows_something(name):
    cells = [
        cell for cell in json.loads(executed(notebook_json(LESSONS[name])))["cells"] if cell["cell_type"] == "code"
    ]
    assert all(cell["execution_count"] for cell in cells)
    outputs = [output for cell in cells for output in cell["outputs"]]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert kinds & {"image/png", "image/svg+xml"}, "no figure is shown"
    errors = "".join("".join(output.get("text", "")) for output in outputs if output.get("name") == "stderr")
    assert "Traceback" not in errors
