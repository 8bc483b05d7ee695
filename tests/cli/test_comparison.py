"""``d2l compare`` and ``d2l verify``: what they print, write and answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from d2l_core.backend import adapters
from d2l_core.lessons import Lesson

from .conftest import Ended

Command = Callable[..., Ended]
LESSON = "linear-regression"
SMALL = (LESSON, "--scale", "smoke", "--job", "concise")


def test_compare_one_backend_with_itself(here: Command, tmp_path: Path) -> None:
    ended = here("compare", *SMALL, "--backends", "numpy,numpy", "--out", "found")
    assert ended.status == 0, ended.err
    data = json.loads((tmp_path / "found" / "results.json").read_text())
    assert [worker["status"] for worker in data["workers"]] == ["done", "done"]
    assert f"{data['workers'][0]['epochs'][-1]['val_loss']:.9g}" in ended.out
    assert "numpy and numpy-2 have the same loss to the last bit" in ended.out
    assert "Report:  found/report.html" in ended.out
    assert (tmp_path / "found" / "report.html").is_file()


def test_compare_with_a_worker_that_fails(d2l: Command, register: Callable[..., str], tmp_path: Path) -> None:
    register("broken", "raise ImportError('half installed')")
    ended = d2l("compare", *SMALL, "--backends", "numpy,broken", "--out", "found")
    assert ended.status == 1
    assert "broken: Broken is installed but does not import (ImportError: half installed)" in ended.err
    assert "Traceback" not in ended.err
    statuses = {w["name"]: w["status"] for w in json.loads((tmp_path / "found/results.json").read_text())["workers"]}
    assert statuses == {"numpy": "done", "broken": "failed"}


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the results of a verification go instead of beside the lesson."""
    path = tmp_path / "recorded.json"
    monkeypatch.setattr(Lesson, "results_path", path)
    return path


def test_verify_records_and_judges(here: Command, recorded: Path) -> None:
    words = ("verify", LESSON, "--job", "concise", "--backend", "numpy", "--seeds", "0,1")
    ended = here(*words)
    assert ended.status == 0, ended.err
    assert "NOT kept" not in ended.out
    assert "kept" in ended.out
    runs = json.loads(recorded.read_text())["runs"]
    assert [(run["backend"], run["seed"], run["scale"]) for run in runs] == [("numpy", 0, "full"), ("numpy", 1, "full")]
    for run in runs:  # as if the lesson had been made worse
        run["metrics"]["val_loss"] = 1e9
    recorded.write_text(json.dumps({"format": "d2l-results-1", "runs": runs}))
    worse = here("verify", LESSON, "--job", "concise", "--backend", "numpy", "--seeds", "0")
    assert worse.status == 1
    assert "NOT kept" in worse.out


def test_verify_tells_how_far_backends_lie_apart(here: Command, recorded: Path) -> None:
    words = ("verify", LESSON, "--job", "airfoil", "--seeds", "0")
    first = here(*words, "--backend", "numpy")
    assert first.status == 0, first.err
    assert "airfoil moved 3" in first.err
    assert "1 backends" not in first.out
    data = json.loads(recorded.read_text())
    assert [run["number"] for run in data["moved"]] == [1, 2, 3]
    (run,) = data["runs"]
    other = next(name for name in adapters() if name != run["backend"])
    data["runs"].append(run | {"backend": other, "metrics": run["metrics"] | {"val_loss": 0.5}})
    recorded.write_text(json.dumps(data))
    ended = here(*words, "--backend", "numpy")
    assert ended.status == 1
    assert "on 2 backends" in ended.out
    assert "NOT within" in ended.out


def test_verify_without_promises(here: Command, recorded: Path) -> None:
    ended = here("verify", LESSON, "--scale", "smoke", "--backend", "numpy", "--seeds", "0")
    assert ended.status == 0
    assert "promises nothing at scale smoke" in ended.out
    assert recorded.exists()


def test_verify_stops_before_the_work_on_a_broken_backend(d2l: Command, register: Callable[..., str]) -> None:
    register("absent", requires=("no_such_framework",))
    ended = d2l("verify", LESSON, "--backend", "numpy,absent")
    assert ended.status == 1
    assert ended.err.startswith("Error: The absent backend needs no_such_framework")
