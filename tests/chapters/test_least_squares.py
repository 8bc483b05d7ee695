"""Least squares: the solvers agree with NumPy's, the formulas hold, and what fails in the text really fails."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.linear_regression import least_squares as lesson
from d2l_chapters.linear_regression import least_squares_exercises as exercises
from d2l_chapters.linear_regression import least_squares_solutions as solutions

from d2l_core import random, xp

SOLVERS = (
    lesson.least_squares_scratch,
    lesson.by_qr,
    lesson.by_normal_equations,
    lesson.by_pseudo_inverse,
)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("n", "d"), [(1, 1), (7, 1), (5, 5), (40, 6)])
def test_every_solver_finds_the_nearest_point(solver, n, d):
    X, y = random.normal((n, d), "test", n, d), random.normal((n, 1), "test", n)
    theta = xp.to_numpy(solver(xp.asarray(X), xp.asarray(y)))
    assert theta.shape == (d, 1)
    np.testing.assert_allclose(theta, np.linalg.lstsq(X, y, rcond=None)[0], rtol=2e-3, atol=2e-3)


def test_reflections_make_a_triangle_and_keep_lengths():
    X, y = random.normal((20, 4), "triangle"), random.normal((20, 1), "targets")
    X[0, 0] = -abs(X[0, 0])
    R, c = lesson.triangular(xp.asarray(X), xp.asarray(y))
    R = xp.to_numpy(R)
    np.testing.assert_allclose(np.tril(R, -1), 0.0, atol=1e-5)
    np.testing.assert_allclose(R.T @ R, X.T @ X, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(R.T @ xp.to_numpy(c), X.T @ y, rtol=1e-4, atol=1e-4)


def test_levelling_by_hand():
    X, y = lesson.levelling()
    np.testing.assert_array_equal(X[1], [-1.0, 1.0, 0.0])
    heights = np.linalg.solve([[3, -1, -1], [-1, 3, -1], [-1, -1, 3]], X.T @ y)[:, 0]
    np.testing.assert_allclose(heights, [212.5, 361.225, 458.975])


def test_the_normal_law_is_the_one_for_which_the_mean_is_best():
    readings = random.normal(9, "readings") + 3.0
    grid = np.linspace(0.0, 6.0, 60001)
    best = grid[np.argmax(np.log(lesson.normal_density(readings - grid[:, None], 0.7)).sum(axis=1))]
    assert best == pytest.approx(readings.mean(), abs=1e-4)
    area = lesson.normal_density(np.linspace(-20, 20, 100001), 2.0).sum() * 40 / 100000
    assert area == pytest.approx(1.0, abs=1e-6)


def test_qr_keeps_digits_that_the_normal_equations_lose():
    errors = [np.median(lesson.slope_errors(f, 1000, 7)) for f in (lesson.by_qr, lesson.by_normal_equations)]
    assert errors[0] < 1e-4 < 1e-2 < errors[1]
    assert np.median(lesson.slope_errors(lesson.by_normal_equations, 1, 7)) < 1e-5


def test_minibatch_gradients_are_as_far_off_as_the_formula_says():
    X, y = lesson.standardised_airfoil()
    sizes = (8, 1503)
    measured, predicted = lesson.measured_distances(X, y, sizes, 100), lesson.predicted_distances(X, y, sizes)
    assert measured[0] == pytest.approx(predicted[0], rel=0.15)
    assert predicted[1] == 0.0
    assert measured[1] < 1e-5


def test_one_slip_moves_every_height():
    X, y = lesson.levelling((*lesson.MEASURED[:-1], ("village", "summit", 495.3)))
    heights = xp.to_numpy(lesson.by_qr(xp.asarray(X), xp.asarray(y)))[:, 0]
    np.testing.assert_allclose(heights - [212.5, 361.225, 458.975], [9.0, 9.0, 18.0], atol=1e-3)


def test_an_unknown_too_many():
    X, y = (xp.asarray(array) for array in lesson.levelling_without_zero())
    assert int(xp.linalg.matrix_rank(X)) == 3
    assert abs(float(xp.to_numpy(xp.sum(lesson.by_pseudo_inverse(X, y))))) < 1e-2


def test_planning_before_walking():
    variances = [solutions.variance_of_summit(repeated) for repeated in (None, 5, 0, 1)]
    np.testing.assert_allclose(variances, [1 / 2, 1 / 3, 11 / 24, 1 / 2])


def test_centring_saves_the_digits():
    slope, constant = solutions.centred_line(*(xp.asarray(array) for array in lesson.line_far_away(1000, 3)))
    assert abs(float(xp.to_numpy(slope)[0, 0]) - 2.0) < 0.1
    assert abs(float(xp.to_numpy(constant)[0, 0]) - 3.0) < 100.0


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        ("weighted_least_squares_value", lambda X, y, s: lesson.by_qr(X / s**2, y / s**2)),
        ("weighted_least_squares_value", lambda X, y, s: lesson.by_qr(X, y)),
        ("weighted_least_squares_edges", lambda X, y, s: lesson.by_qr(X * s, y * s)),
        ("least_squares_in_batches_value", lambda batches: lesson.by_qr(*next(iter(batches)))),
        (
            "least_squares_in_batches_digits",
            lambda batches: lesson.by_normal_equations(*map(xp.concat, zip(*batches, strict=True))),
        ),
    ],
)
def test_the_checks_find_mistakes(check, wrong):
    with pytest.raises(AssertionError):
        getattr(exercises, f"check_{check}")(wrong)
