"""Comparisons with real worker processes, also such as die, hang or are interrupted."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from d2l_core import UsageError, adapters
from d2l_core.backend import GROUPS
from d2l_core.compare import compare
from d2l_core.compare._report import load

from .conftest import LESSON

LONG = 100_000  # epochs that no test waits for


class Watch:
    """Keeps all events and acts on the first epoch of one worker."""

    def __init__(self, name="", act=None):
        self.events, self.pids = [], {}
        self.name, self.act = name, act

    def __call__(self, name, event):
        self.events.append((name, event["event"]))
        if event["event"] == "launched":
            self.pids[name] = event["pid"]
        if event["event"] == "epoch" and name == self.name and self.act:
            act, self.act = self.act, None
            act(self.pids[name])


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def without_times(data):
    data = json.loads(json.dumps(data))
    del data["date"]
    for worker in data["workers"]:
        del worker["times"]
        worker["environment"].pop("peak_memory_bytes")
        for record in worker["epochs"]:
            del record["seconds"]
    if data["calibration"]:
        del data["calibration"]
    for pair in data["pairs"]:
        del pair["verdict"]
    return data


@pytest.fixture(scope="module")
def finished(tmp_path_factory, oracle, other):
    """A comparison of two workers that went well, with what was seen of it."""
    watch = Watch()
    out = tmp_path_factory.mktemp("finished")
    return compare(LESSON, [oracle, other], scale="smoke", out=out, observer=watch), watch


def test_all_is_well(finished):
    comparison, _ = finished
    assert comparison.ok
    assert not comparison.failures
    assert not comparison.skipped
    assert len(comparison.verdicts) == 1


def test_results_hold_the_runs(finished):
    comparison, _ = finished
    data = comparison.data
    assert load(comparison.results) == data
    assert data["format"] == "d2l-compare-1"
    for worker in data["workers"]:
        assert len(worker["losses"]) == worker["total_steps"] > 10
        assert worker["epochs"][-1]["val_loss"] < worker["losses"][0]
        assert worker["environment"]["python"].startswith("3.")
        assert worker["environment"]["precision"] == 32
        assert 0.0 < worker["times"]["step"] <= worker["times"]["epoch"] <= worker["times"]["total"]


def test_pairs_start_alike_and_stay_within_the_budget(finished):
    (pair,) = finished[0].data["pairs"]
    assert pair["same_start"] is True
    assert pair["verdict"]["within"] is True
    assert pair["losses"]["relative"]["value"] < 1e-3
    assert pair["metrics"]["val_loss"]["relative"] < 1e-5


def test_each_layer_is_compared(finished):
    (pair,) = finished[0].data["pairs"]
    assert set(pair["activations"]) == {"(output)"}
    assert set(pair["gradients"]) == {"weight", "bias"}
    assert max(entry["relative"] for entry in pair["gradients"].values()) < 1e-5


def test_step_zero_is_that_of_the_lesson(finished, oracle):
    comparison, _ = finished
    tensors = load_file(comparison.results.parent / oracle / "step0.safetensors")
    assert set(tensors) == {"activation:(output)", "gradient:weight", "gradient:bias"}
    assert tensors["activation:(output)"].shape == (32, 1)
    assert tensors["gradient:weight"].any()


def test_calibration_moved_the_weights(finished):
    calibrated = finished[0].data["calibration"]
    assert len(calibrated["runs"]) == 2
    assert calibrated["runs"][0] != calibrated["runs"][1]
    assert 0.0 < max(calibrated["drift"]) < 1e-3


def test_the_observer_hears_of_every_worker(finished, oracle):
    _, watch = finished
    kinds = [kind for name, kind in watch.events if name == oracle]
    assert kinds[:4] == ["queued", "launched", "loaded", "started"]
    assert kinds[-2:] == ["done", "ended"]
    assert sum("1 ulp" in name for name, kind in watch.events if kind == "ended") == 2
    assert not any(map(alive, watch.pids.values()))


def test_the_same_question_has_the_same_answer(finished, tmp_path, oracle, other):
    again = compare(LESSON, [oracle, other], scale="smoke", out=tmp_path)
    assert without_times(again.data) == without_times(finished[0].data)


def test_one_backend_twice_side_by_side_in_double_precision(tmp_path, oracle):
    comparison = compare(LESSON, [oracle, oracle], "scratch", "smoke", 1, 64, out=tmp_path, jobs=2)
    assert comparison.ok
    names = [worker["name"] for worker in comparison.data["workers"]]
    assert names == [oracle, f"{oracle}-2"]
    assert comparison.data["pairs"][0]["losses"]["first_difference"] is None
    assert "last bit" in comparison.verdicts[0]


def test_an_interpreter_that_does_not_exist(tmp_path, oracle, other, monkeypatch):
    if other == oracle:
        chosen, well = [oracle], 0
    else:
        chosen, well = [oracle, other], 1
    monkeypatch.setenv(f"D2L_PYTHON_{chosen[-1].upper()}", str(tmp_path / "nowhere" / "python"))
    comparison = compare(LESSON, chosen, scale="smoke", out=tmp_path / "out")
    assert not comparison.ok
    assert "cannot be started" in comparison.failures[chosen[-1]]
    statuses = [worker["status"] for worker in comparison.data["workers"]]
    assert statuses == ["done"] * well + ["died"]
    assert "cannot be started" in comparison.report.read_text(encoding="utf-8")


def test_an_interpreter_without_the_engine(tmp_path, oracle, monkeypatch):
    lost = tmp_path / "python"
    lost.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    lost.chmod(0o755)
    monkeypatch.setenv(f"D2L_PYTHON_{oracle.upper()}", str(lost))
    comparison = compare(LESSON, [oracle], scale="smoke", out=tmp_path / "out")
    (worker,) = comparison.data["workers"]
    assert worker["status"] == "died"
    assert f"D2L_PYTHON_{oracle.upper()}" in worker["message"]
    assert any("d2l_core" in line or "module" in line.lower() for line in worker["last_words"])


def test_a_worker_that_is_killed_leaves_the_rest_standing(tmp_path, oracle):
    def kill(pid):
        os.kill(pid, signal.SIGKILL)

    watch = Watch(f"{oracle}-2", kill)
    # The first of two runs as long as the second would never end, so it is the second that has company.
    comparison = compare(LESSON, [oracle, oracle], scale="smoke", out=tmp_path, observer=watch, epochs=60)
    first, second = comparison.data["workers"]
    assert first["status"] == "done"
    assert second["status"] == "died"
    assert "SIGKILL" in second["message"]
    assert 0 < len(second["losses"]) < len(first["losses"])
    (pair,) = comparison.data["pairs"]
    assert pair["losses"]["steps"] == len(second["losses"])
    assert pair["losses"]["first_difference"] is None
    assert pair["activations"] is None
    assert not comparison.ok


def test_a_worker_that_hangs_is_ended(tmp_path, oracle):
    def stop(pid):
        os.kill(pid, signal.SIGSTOP)

    watch = Watch(oracle, stop)
    comparison = compare(LESSON, [oracle], scale="smoke", out=tmp_path, observer=watch, epochs=LONG, timeout=25)
    (worker,) = comparison.data["workers"]
    assert worker["status"] == "hung"
    assert "silent for 25 s" in comparison.failures[oracle]
    assert worker["losses"]
    assert not alive(watch.pids[oracle])


@pytest.fixture
def listening():
    """A test process that was started in the background, or that runs tests beside others, is deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
def test_control_c_ends_the_workers_and_still_reports(tmp_path, oracle):
    watch = Watch(oracle, lambda pid: signal.raise_signal(signal.SIGINT))
    comparison = compare(LESSON, [oracle, oracle], scale="smoke", out=tmp_path, observer=watch, epochs=LONG)
    assert comparison.interrupted
    assert not comparison.ok
    assert [worker["status"] for worker in comparison.data["workers"]] == ["interrupted", "interrupted"]
    assert not alive(watch.pids[oracle])
    assert load(comparison.results)["interrupted"] is True
    assert "interrupted" in comparison.report.read_text(encoding="utf-8")


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """Registers a third party's adapter whose module `arrays` has this content, in this process and in workers."""

    def register(name, arrays, requires="()"):
        root = tmp_path / "site"
        package = root / f"{name}_backend"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(
            "from d2l_core.backend import Adapter\n"
            f"adapter = Adapter({name!r}, 'Foreign', __name__, {requires}, {name!r}, 'pip install {name}', 50)\n"
        )
        for group in GROUPS:
            (package / f"{group}.py").write_text(arrays if group == "arrays" else "")
        info = root / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[d2l.backends]\n{name} = {package.name}:adapter\n")
        monkeypatch.syspath_prepend(root)
        monkeypatch.setenv("PYTHONPATH", str(root))
        adapters.cache_clear()

    yield register
    adapters.cache_clear()


def test_a_backend_that_does_not_import(tmp_path, foreign):
    foreign("brokenwing", "print('noise on standard output')\nraise OSError('libwing.so: no such file')\n")
    comparison = compare(LESSON, ["brokenwing"], scale="smoke", out=tmp_path / "out")
    (worker,) = comparison.data["workers"]
    assert worker["status"] == "failed"
    assert "libwing.so" in worker["message"]
    assert "pip install brokenwing" in worker["message"]
    assert "noise on standard output" in (tmp_path / "out" / "brokenwing" / "stderr.txt").read_text()
    report = comparison.report.read_text(encoding="utf-8")
    assert "libwing.so" in report
    assert "No framework finished" in report


def test_a_backend_that_is_not_installed(tmp_path, foreign):
    foreign("ghostwing", "", requires="('no_such_module_anywhere',)")
    comparison = compare(LESSON, ["ghostwing"], scale="smoke", out=tmp_path / "out")
    assert comparison.skipped == comparison.failures
    assert "pip install ghostwing" in comparison.skipped["ghostwing"]
    assert not comparison.ok


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lesson": "no-such-lesson"}, "no lesson"),
        ({"job": "no-such-job"}, "no job"),
        ({"scale": "huge"}, "no scale"),
        ({"backends": ["no-such-backend"]}, "no backend"),
        ({"backends": []}, "No backend"),
        ({"precision": 16}, "Precision"),
        ({"jobs": 0}, "at least 1"),
        ({"timeout": 0}, "more than 0"),
        ({"epochs": 0}, "at least 1"),
    ],
)
def test_wrong_questions_start_nothing(tmp_path, changes, words):
    out = tmp_path / "out"
    with pytest.raises(UsageError, match=words):
        compare(**{"lesson": LESSON, "out": out, **changes})
    assert not Path(out).exists()
