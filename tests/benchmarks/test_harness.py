"""Whole measurements of a tiny workload, and what is said where nothing can be measured."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import d2l_benchmarks
import pytest
from _command import Ended, here
from d2l_benchmarks import bench
from d2l_benchmarks._side import AGAINST, NATIVE, OURS, SELF, Kind, Process, SideFailed, other_sides
from d2l_benchmarks.bench import Settings, choose_backends, run, sweep
from d2l_benchmarks.workloads import workload

from d2l_core.backend import adapters, find_adapter
from d2l_core.errors import BackendError, UsageError

__all__ = ["here"]

QUICK, LAYER_ABOVE = "mlp@batch=8", AGAINST[1]
TWINS = [name for name, adapter in adapters().items() if not adapter.missing() and other_sides(name, NATIVE)]


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "TURN_SECONDS", 0.001)


@pytest.fixture
def twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Take a module of one's own, with this body of `prepare`, for the twin of every backend."""

    def install(body: str) -> None:
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        (tmp_path / "own_twin.py").write_text(
            f"import os, sys, time\ndef prepare(name, form, weights, arrays, batch):\n{lines}\n"
        )
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
        monkeypatch.setattr(bench, "other_sides", lambda name, against: [Kind(NATIVE, "own", "own_twin")])

    return install


def test_a_side_against_itself(here: Callable[..., Ended], tmp_path: Path) -> None:
    words = ("linear_regression", "--backend", "numpy", "--against", "self")
    words += ("--pairs", 2, "--starts", 2, "--threads", 1)
    ended = here("bench", *words, "--json", "a.json", "--html", "a.html")
    assert ended.status == 0, ended.err
    result = json.loads((tmp_path / "a.json").read_text())
    (row,) = result["rows"]
    assert (row["workload"], row["backend"], row["batch"], row["best"]) == ("linear_regression", "numpy", 32, 1)
    mine, again = row["sides"]
    assert mine["losses"] == again["losses"]
    assert len(mine["losses"]) == row["steps"]
    assert mine["losses"][-1] < mine["losses"][0]
    assert [len(side["turns"]) for side in row["sides"]] == [2, 2]
    assert [len(side["starts"]) for side in row["sides"]] == [2, 2]
    assert 0 < row["low"] <= row["ratio"] <= row["high"]
    assert all(side["first_step"] >= side["ready"] > 0 for side in row["sides"])
    assert "ours again" in ended.out
    assert "round 2" in ended.err
    assert "linear_regression, numpy" in (tmp_path / "a.html").read_text()


def test_further_forms_of_ours_are_never_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are sides with a break-even of their own; a compiler that is not there is a failure with its sentence."""
    monkeypatch.setattr(bench, "other_sides", lambda name, against: [Kind(SELF)])
    monkeypatch.setattr(bench, "further_forms", lambda adapter, against: [Kind("ours"), Kind("ours", "cobol")])
    settings = bench.Settings(pairs=1, warmup=1, threads=1, compilers=True)
    result = bench.run([QUICK], ["numpy"], settings)
    (row,) = result["rows"]
    assert [side["label"] for side in row["sides"]] == ["ours", "ours again", "ours"]
    assert row["best"] == 1
    assert row["sides"][2]["break_even"]["against"] == "ours again"
    assert ["no compiler 'cobol'" in failure["sentence"] for failure in result["failures"]] == [True]


@pytest.mark.parametrize("name", TWINS[:1])
def test_against_a_twin(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = other_sides(name, NATIVE)[:1]
    monkeypatch.setattr(bench, "other_sides", lambda backend, against: first)
    monkeypatch.setattr(bench, "further_forms", lambda adapter, against: [Kind("ours", "not asked for")])
    seen: list[tuple[str, int, int]] = []
    result = run([QUICK], [name], Settings(pairs=2, threads=1), lambda *progress: seen.append(progress))
    assert result["failures"] == []
    (row,) = result["rows"]
    assert row["sides"][1]["form"] == first[0].form
    assert row["sides"][1]["difference"] <= 1e-4
    assert row["sides"][1]["losses"] != [0.0] * row["steps"]
    assert seen[-1][1:] == (2, 2)
    assert find_adapter(name).title in result["versions"]


@pytest.mark.parametrize(
    ("losses", "when"),
    [
        ([1.0, 1.0, 1.0], "5.0e-01 (relative) before the first update, more than 1e-05"),
        ([2.0, 2.0, 1.5], "2.5e-01 (relative) in the first epoch, more than 0.0001"),
        ([1.8], "1.0e-01 (relative) in the first epoch, more than 0.0001"),
        ([2.0, 2.0], "inf (relative) in the first epoch"),
        ([2.0, 2.00001, 2.0], None),
        ([2.00001], None),
    ],
)
def test_other_mathematics_is_not_timed(tmp_path: Path, losses: list[float], when: str | None) -> None:
    cell = bench._Cell(workload(QUICK), find_adapter("numpy"), Settings(), bench._Progress(lambda *progress: None, 1))
    mine, theirs = (Process(side, QUICK, tmp_path, 1.0) for side in (OURS, Kind(NATIVE, "own", "own_twin")))
    mine.first, theirs.first = {"losses": [2.0, 2.0, 2.0]}, {"losses": losses}
    if when is None:
        cell._same_mathematics(mine, theirs)
        return
    with pytest.raises(SideFailed) as refused:
        cell._same_mathematics(mine, theirs)
    assert when in str(refused.value)
    assert str(refused.value).endswith("they do not compute the same, so they are not compared.")


def test_a_refused_pair_has_no_figures(twin: Callable[[str], None]) -> None:
    twin("return lambda order: [1.0] * (len(order) // batch)")
    result = run([QUICK], ["numpy"], Settings(pairs=1, threads=1))
    assert result["rows"] == []
    (failure,) = result["failures"]
    assert "so they are not compared." in failure["sentence"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            "assert 'd2l_core' not in sys.modules\nraise ImportError('no such library.')",
            "ImportError: no such library.",
        ),
        ("sys.stderr.write('out of luck')\nsys.stderr.flush()\nos._exit(3)", "died with status 3: out of luck."),
    ],
)
def test_a_side_that_fails_says_why(twin: Callable[[str], None], body: str, sentence: str) -> None:
    twin(body)
    (failure,) = run([QUICK], ["numpy"], Settings(pairs=1, threads=1))["failures"]
    assert failure["sentence"].endswith(sentence)


def test_an_interrupted_benchmark_leaves_nothing_running(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Process] = []

    def noted(*arguments: Any) -> Process:
        started.append(Process(*arguments))
        return started[-1]

    def watch(what: str, done: int, total: int) -> None:
        if "warm-up" in what:
            raise KeyboardInterrupt

    monkeypatch.setattr(bench, "Process", noted)
    result = run([QUICK], ["numpy"], Settings(against="self", pairs=1, threads=1), watch)
    assert result["interrupted"]
    assert result["rows"] == []
    assert len(started) == 4
    for process in started:
        assert process._popen is not None
        assert process._popen.poll() is not None


def test_a_benchmark_that_is_killed_keeps_what_it_measured(tmp_path: Path) -> None:
    words = ["linear_regression", QUICK, "--backend", "numpy", "--against", "self", "--pairs", "1", "--threads", "1"]
    command = [sys.executable, "-m", "d2l_core", "bench", *words, "--json", "a.json"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stderr is not None
        next(line for line in process.stderr if QUICK in line)
        process.kill()
    (row,) = json.loads((tmp_path / "a.json").read_text())["rows"]
    assert row["workload"] == "linear_regression"


def test_python_may_keep_what_it_compiles(twin: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    twin("raise RuntimeError(f'compiled files: {not sys.dont_write_bytecode}')")
    (failure,) = run([QUICK], ["numpy"], Settings(pairs=1, threads=1))["failures"]
    assert failure["sentence"].endswith("compiled files: True.")


def test_a_silent_side_is_ended(tmp_path: Path) -> None:
    process = Process(OURS, QUICK, tmp_path, timeout=0.05)
    with pytest.raises(SideFailed, match=r"was silent for 0\.05 s and was ended"):
        process.start(find_adapter("numpy"), "mlp", 8, 1)
    assert process._popen is not None
    assert process._popen.returncode != 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("perceptron",), "There is no workload 'perceptron'; choose of: "),
        (("--backend", "abacus"), "There is no backend 'abacus'; choose one of: "),
        (("--against", "time"), "There is nothing called 'time' to compare with; choose of: native, "),
        (("--backend", "numpy"), "There is no 'native' side for numpy; compare it with: self."),
        (("--pairs", "0"), "0 is not in the range x>=1"),
        (("--threads", "4096"), "choose from 1 to as many threads."),
        (("--sweep", "width"), "There is no sweep 'width'; choose of: batch, depth."),
        (("--json", "."), "--json . is a folder; name a file."),
    ],
)
def test_wrong_words(here: Callable[..., Ended], words: Sequence[str], sentence: str) -> None:
    ended = here("bench", *words)
    assert ended.status == 2
    assert sentence in ended.err
    assert ended.err.count("\n") == 1


def test_a_framework_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = find_adapter("numpy")
    monkeypatch.setattr(type(adapter), "missing", lambda self: ["nonesuch"])
    with pytest.raises(BackendError, match=r"is not installed here \(nonesuch\); install with: "):
        choose_backends(["numpy"], "self")
    with pytest.raises(UsageError, match="No installed backend has anything to be compared with"):
        choose_backends([], "self")


def test_the_layer_above_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_installed", lambda module: False)
    with pytest.raises(UsageError, match="is not installed here; install with: pip install"):
        choose_backends([], LAYER_ABOVE)


def test_sweeps() -> None:
    assert sweep(["depth"])[0] == "mlp@depth=1"
    assert sweep(["batch"])[-1] == "mlp@batch=1024"


def test_twins_import_nothing_of_ours() -> None:
    folder = Path(d2l_benchmarks.__file__).parent
    above = {side.module for name in adapters() for side in other_sides(name, LAYER_ABOVE)}
    files = [*folder.glob("twins/*.py"), *(folder / f"{module.rpartition('.')[2]}.py" for module in above)]
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith(("d2l", "."))], file.name
