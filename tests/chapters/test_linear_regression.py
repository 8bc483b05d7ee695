"""Linear regression: its jobs train, its parts agree and its checks can fail."""

from __future__ import annotations

import numpy as np
import pytest
from _examining import examine
from d2l_chapters.linear_regression import linear_regression as lesson
from d2l_chapters.linear_regression import linear_regression_solutions as solutions

from d2l_core import nn, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.errors import TrainingDiverged
from d2l_core.nn.functional import squared_error
from d2l_core.random import permutation


@pytest.mark.parametrize("name", lesson.jobs)
def test_every_job_learns(name):
    run = lesson.jobs[name].run("smoke")
    losses = run.history.losses
    assert run.history.final("val_loss") < 0.7 * losses[0]


def test_the_standard_run_reaches_what_the_header_promises():
    for name, bound in (("scratch", 0.0461), ("concise", 0.0156)):
        assert lesson.jobs[name].run("standard", seed=0).history.final("val_loss") <= bound


def test_scratch_and_concise_agree():
    runs = [lesson.jobs[name].run("standard", seed=1) for name in ("scratch", "concise")]
    first, second = (run.history.losses for run in runs)
    assert first[0] > 10.0
    np.testing.assert_allclose(second, first, rtol=1e-3, atol=1e-6)
    scratch, concise = (run.model.state_dict() for run in runs)
    np.testing.assert_allclose(concise["weight"].T, scratch["weight"], rtol=1e-5)


def test_the_loop_by_hand_is_the_trainer():
    model = lesson.LinearRegressionScratch(2).initialise(seed=0)
    losses = lesson.train_by_hand(model, lesson.synthetic("smoke", 0).train, lr=0.03, epochs=1)
    np.testing.assert_allclose(losses, lesson.jobs["scratch"].run("smoke").history.losses, rtol=1e-4)


def test_gradient_by_hand():
    X, y = next(iter(lesson.synthetic("smoke", 3).train.epoch(0)))
    model = lesson.LinearRegressionScratch(2, sigma=1.0).initialise(seed=3)
    _, automatic = value_and_grad(lambda X, y: lesson.mean_squared_error(model(X), y), model)(X, y)
    ours = lesson.gradient_by_hand(X, y, model.weight, model.bias)
    assert {path: tuple(g.shape) for path, g in ours.items()} == {"weight": (2, 1), "bias": (1,)}
    for path, gradient in ours.items():
        np.testing.assert_allclose(xp.to_numpy(gradient), xp.to_numpy(automatic[path]), rtol=1e-4)


def test_shapes():
    model = lesson.LinearRegressionScratch(5).initialise(seed=0)
    X, y = xp.ones((7, 5)), xp.ones((7, 1))
    assert tuple(model(X).shape) == (7, 1)
    assert tuple(lesson.mean_squared_error(model(X), y).shape) == ()


def test_airfoil_is_standardised_by_the_training_part_alone():
    (X_train, y_train), (X_val, y_val) = lesson.airfoil_arrays(permutation(1503, 0, "airfoil"))
    assert (X_train.shape, y_train.shape, X_val.shape, y_val.shape) == (
        (1000, 5),
        (1000, 1),
        (503, 5),
        (503, 1),
    )
    np.testing.assert_allclose(X_train.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(X_train.std(axis=0), 1.0)
    assert np.abs(X_val.mean(axis=0)).max() > 1e-3


def test_descent_on_the_airfoil_data_comes_close_to_the_exact_solution():
    exact = lesson.least_squares_loss(lesson.airfoil_arrays(permutation(1503, 0, "airfoil")))
    run = lesson.jobs["airfoil"].run("standard", seed=0)
    assert run.history.final("val_loss") == pytest.approx(exact, rel=0.03)


def test_a_split_in_file_order_is_harder():
    mixed, in_order = (
        lesson.least_squares_loss(lesson.airfoil_arrays(order))
        for order in (permutation(1503, 0, "airfoil"), np.arange(1503))
    )
    assert in_order > 1.3 * mixed


def test_careless_error_learns_the_mean():
    data = lesson.forgetful("smoke", 0)
    model, history = lesson.train(nn.Linear(1), data, loss=lesson.careless_error)
    targets = data.train.arrays[1]
    assert history.final("val_loss") > 0.9 * targets.var()
    assert float(xp.to_numpy(model.bias)[0]) == pytest.approx(targets.mean(), abs=0.5)
    with pytest.raises(ValueError, match=r"\(32, 1\) and targets \(32,\)"):
        lesson.train(nn.Linear(1), data)


def test_raw_features_diverge():
    raw = lesson.airfoil_arrays(permutation(1503, 0, "airfoil"), standard=False)
    assert lesson.curvature(raw[0][0])[-1] > 1e7
    with pytest.raises(TrainingDiverged, match="smaller learning rate"):
        lesson.train(nn.Linear(1), lesson.loaders(raw, seed=0), epochs=20)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda y_hat, y, delta: squared_error(y_hat, y),
        lambda y_hat, y, delta: xp.mean(xp.clip(xp.abs(y_hat - y), max=delta)),
        lambda y_hat, y, delta: 2.0 * solutions.huber(y_hat, y, delta),
        lambda y_hat, y, delta: solutions.huber(y_hat, y, 1.0),
        lambda y_hat, y, delta: solutions.huber(xp.stop_gradient(y_hat), y, delta) + 0.0 * xp.sum(y_hat),
    ],
)
def test_check_huber_finds_mistakes(wrong):
    with pytest.raises(AssertionError, match="should be"):
        examine("linear-regression", "huber", wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda X: 2.0 * solutions.stable_rate(X),
        lambda X: solutions.stable_rate(X - xp.mean(X, axis=0)),
        lambda X: 0.47,
    ],
)
def test_check_stable_rate_finds_mistakes(wrong):
    with pytest.raises(AssertionError, match="the limit is"):
        examine("linear-regression", "stable_rate", wrong)


def test_more_steps_beat_larger_batches():
    small = lesson.jobs["concise"].run("standard").history.final("val_loss")
    data = lesson.synthetic("standard", 0, batch_size=256)
    _, history = lesson.train(nn.Linear(1), data)
    assert 1000 * small < history.final("val_loss") == pytest.approx(7.5, rel=0.3)


def test_the_figures_can_be_drawn():
    pytest.importorskip("matplotlib").use("Agg")
    run = lesson.jobs["airfoil"].run("smoke")
    assert len(lesson.plot_idea().axes) == 2
    assert len(lesson.plot_descent(lesson.jobs["scratch"].run("smoke").history.losses).axes[0].lines) == 2
    assert len(lesson.plot_airfoil(run).axes) == 2
