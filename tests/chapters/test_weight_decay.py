"""Weight decay: what it shrinks, by how much, and where it harms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from d2l_chapters.linear_regression import weight_decay as lesson
from d2l_chapters.linear_regression import weight_decay_exercises as exercises
from d2l_chapters.linear_regression import weight_decay_solutions as solutions

from d2l_core import optim, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.errors import TrainingDiverged
from d2l_core.training import Trainer


def test_scratch_and_concise_take_the_same_way():
    scratch, concise = (lesson.jobs[name].run("smoke", seed=1) for name in ("scratch", "concise"))
    ours, theirs = (run.model.state_dict() for run in (scratch, concise))
    np.testing.assert_allclose(theirs["weight"].ravel(), ours["weight"].ravel(), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(theirs["bias"], ours["bias"], rtol=1e-4)
    assert scratch.history.final("val_loss") == pytest.approx(concise.history.final("val_loss"), rel=1e-4)
    assert scratch.history.losses[0] > concise.history.losses[0] + 0.02, "the penalty counts in training"


def test_decay_generalises_better_and_fits_worse():
    none, concise = (lesson.jobs[name].run("smoke", seed=0).history for name in ("none", "concise"))
    assert none.final("loss") < 0.2 * concise.final("loss")
    assert concise.final("val_loss") < 0.75 * none.final("val_loss")


@pytest.mark.parametrize(("name", "share"), [("none", 1.0), ("concise", 0.97**40)])
def test_what_the_data_cannot_see_shrinks_by_the_decay_alone(name, share):
    assert lesson.unseen_share(lesson.jobs[name].run("smoke", seed=2), seed=2) == pytest.approx(share, rel=1e-4)


def test_gradient_by_hand():
    X, y = next(iter(lesson.patients("smoke", 3).train.epoch(0)))
    model = lesson.PenalisedRegressionScratch(200, strength=0.7).initialise(seed=3)
    model.train()
    _, automatic = value_and_grad(lambda X, y: lesson.penalised_loss(model(X), y), model)(X, y)
    for path, ours in lesson.gradient_by_hand(X, y, model.weight, model.bias, 0.7).items():
        np.testing.assert_allclose(xp.to_numpy(ours), xp.to_numpy(automatic[path]), rtol=1e-4, atol=1e-6)


def test_ridge_is_a_stationary_point_and_shrinks_along_eigenvectors():
    X, y = lesson.wing_curves(seed=1, degree=1)[0]
    w = xp.to_numpy(lesson.ridge(xp.asarray(X), xp.asarray(y), 0.3))
    np.testing.assert_allclose(X.T @ (X @ w - y) / len(X), -0.3 * w, atol=1e-5)
    h, V = np.linalg.eigh(X.T @ X / len(X))
    plain = np.linalg.lstsq(X, y, rcond=None)[0]
    np.testing.assert_allclose((V.T @ w)[:, 0], h / (h + 0.3) * (V.T @ plain)[:, 0], rtol=1e-3, atol=1e-5)


def test_the_path_is_ridge_for_each_strength():
    X, y = (xp.asarray(array) for array in lesson.wing_curves(seed=2)[0])
    strengths = np.array([0.01, 0.5, 20.0])
    weights, freedom = lesson.ridge_path(X, y, xp.asarray(strengths))
    assert tuple(weights.shape) == (55, 3)
    assert np.all(np.diff(xp.to_numpy(freedom)) < 0)
    for column, strength in zip(xp.to_numpy(weights).T, strengths, strict=True):
        np.testing.assert_allclose(xp.to_numpy(lesson.ridge(X, y, strength))[:, 0], column, rtol=1e-2, atol=1e-4)


def test_products():
    X = np.array([[2.0, 3.0]])
    assert sorted(lesson.products(X)[0]) == [2.0, 3.0, 4.0, 6.0, 8.0, 9.0, 12.0, 18.0, 27.0]


def test_a_penalised_bias_is_pulled_towards_zero():
    predicted, measured = lesson.biased_level(strength=1.0)
    assert predicted == pytest.approx(measured / 2.0, rel=0.05)


def test_a_unit_changes_ridge_but_not_least_squares():
    assert lesson.with_unit(1 / 30, 1e-6) == pytest.approx(lesson.with_unit(1.0, 1e-6), rel=0.02)
    assert lesson.with_unit(1 / 30, 0.1) > 1.3 * lesson.with_unit(1.0, 0.1)


def test_too_strong_a_decay_diverges():
    def diverging(model):
        return lesson.decaying_sgd(model, 300.0)

    job = replace(lesson.jobs["concise"], optimiser=diverging, epochs={"smoke": 60})
    with pytest.raises(TrainingDiverged):
        job.run("smoke")
    Trainer(60).fit(
        lesson.small_linear(),
        lesson.patients("smoke", 0),
        loss=lesson.half_squared_error,
        optimiser=lambda model: lesson.decaying_sgd(model, 100.0),
    )


def test_adam_divides_a_penalty_but_not_a_decay():
    setting = {"lr": 0.05, "weight_decay": 0.05}
    coupled, decoupled = (
        lesson.mean_weights(lambda model, rule=rule: rule(model, **setting), (4.0, 0.25), 500, 100)[-1]
        for rule in (optim.Adam, optim.AdamW)
    )
    np.testing.assert_allclose(decoupled, 0.9975**100, atol=0.1)
    np.testing.assert_allclose(coupled, [np.exp(-0.0625), np.exp(-1.0)], atol=0.1)


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        (exercises.check_lasso_step_value, lambda X, y, w, lr, s: solutions.lasso_step(X, y, w, lr, 2.0 * s)),
        (exercises.check_lasso_step_value, lambda X, y, w, lr, s: w - lr * s * xp.sign(w)),
        (exercises.check_lasso_step_edges, lambda X, y, w, lr, s: solutions.lasso_step(X, y, w, lr, s) + 1e-9),
        (exercises.check_effective_parameters_value, lambda X, s: solutions.effective_parameters(X, s * X.shape[0])),
        (exercises.check_effective_parameters_edges, lambda X, s: float(min(X.shape))),
    ],
)
def test_checks_find_mistakes(check, wrong):
    with pytest.raises(AssertionError, match=r"expected|Expected|shape"):
        check(wrong)
