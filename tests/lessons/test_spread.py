"""Results of backends lie no further apart than rounding alone moves them; and how that is measured."""

import json

import numpy as np
import pytest

from d2l_core import xp
from d2l_core.autodiff import grad
from d2l_core.backend import adapters, load_backend, use_backend
from d2l_core.lessons import _spread, find_lesson, lessons
from d2l_core.lessons._spread import REFERENCE, ROUNDED, moved_by_rounding, spreads
from d2l_core.lessons._verify import read_moved, read_results, record_moved, record_result

LESSONS = lessons()
OTHER = next(name for name in adapters() if name > REFERENCE)


@pytest.mark.parametrize("name", LESSONS)
def test_the_backends_results_of_a_lesson_are_within_the_budget(name):
    lesson = LESSONS[name]
    found = spreads(lesson)
    assert [spread.promise for spread in found] == list(lesson.header.promises["full"]), "not all was calibrated"
    for spread in found:
        assert set(spread.values) == set(adapters()), f"{spread.promise}: {sorted(spread.values)}"
        assert spread.within, f"{spread.promise}: {spread.width:.3g} apart, the budget is {spread.budget:.3g}"


def test_functions_are_moved_by_some_units_and_arithmetic_is_not():
    with use_backend(REFERENCE, precision=32):
        x = xp.asarray(np.linspace(-2.0, 2.0, 401), dtype=xp.float32)
        plain, sums = xp.exp(x), x + 2.0 * x
        with moved_by_rounding(1):
            moved, again, same = xp.exp(x), xp.exp(x), x + 2.0 * x
        after = xp.exp(x)
    apart = np.abs(moved - plain) / np.spacing(plain)
    assert 0 < apart.max() <= 9
    assert (again != moved).any()
    np.testing.assert_array_equal(same, sums)
    np.testing.assert_array_equal(after, plain)


def test_zeros_stay_and_gradients_pass():
    with use_backend(REFERENCE, precision=64), moved_by_rounding(1):
        assert float(xp.sum(xp.zeros(5))) == 0.0
        slope = float(grad(lambda x: xp.exp(x))(xp.asarray(1.0)))
    assert slope == pytest.approx(np.e, rel=1e-14)


def test_integers_stay():
    with use_backend(REFERENCE), moved_by_rounding(1):
        assert int(xp.sum(xp.arange(1000))) == 499500


def test_the_functions_exist():
    assert set(ROUNDED) <= set(vars(load_backend(REFERENCE)))


def test_moved_runs_stand_beside_the_others(tmp_path):
    path = tmp_path / "a.results.json"
    run = {"job": "lesson", "backend": "numpy", "scale": "full", "seed": 0, "precision": 32, "metrics": {"gap": 0.5}}
    record_result(path, run)
    for gaps in ([0.1, 0.3], [0.2]):
        runs = [{"job": "lesson", "number": i, "metrics": {"gap": gap}} for i, gap in enumerate(gaps, 1)]
        record_moved(path, "lesson", runs)
    record_result(path, run | {"backend": OTHER})
    assert [each["backend"] for each in read_results(path)] == ["numpy", OTHER]
    assert [each["metrics"] for each in read_moved(path)] == [{"gap": 0.2}]


def test_a_run_whose_own_check_fails_is_left_out(tmp_path, monkeypatch):
    outcomes = iter([{"gap": 0.1}, AssertionError("not equal to tolerance"), {"gap": 0.3}])

    def measured(*_):
        outcome = next(outcomes)
        if isinstance(outcome, AssertionError):
            raise outcome
        return outcome

    lesson = find_lesson("linear-regression")
    monkeypatch.setattr(type(lesson), "results_path", tmp_path / "a.results.json")
    monkeypatch.setattr(_spread, "metrics_of", measured)
    _spread.calibrate(lesson, ["airfoil", "lesson"])  # of which the lesson promises errors of rounding alone
    assert [(run["number"], run["metrics"]) for run in read_moved(lesson.results_path)] == [
        (1, {"gap": 0.1}),
        (3, {"gap": 0.3}),
    ]


def test_a_result_that_is_too_far_off_is_told(tmp_path):
    lesson = find_lesson("linear-regression")
    path = tmp_path / lesson.results_path.name
    data = json.loads(lesson.results_path.read_text())
    path.write_text(json.dumps(data))
    assert all(spread.within for spread in spreads(lesson, path))
    (run,) = [
        run for run in data["runs"]
        if (run["job"], run["backend"], run["scale"], run["seed"]) == ("airfoil", OTHER, "full", 0)
    ]  # fmt: skip
    run["metrics"]["val_loss"] *= 1.001
    path.write_text(json.dumps(data))
    assert [spread.promise.job for spread in spreads(lesson, path) if not spread.within] == ["airfoil"]
