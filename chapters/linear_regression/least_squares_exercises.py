"""Least squares: the exercises that a program checks."""

import numpy as np

from d2l_core import random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons.checking import expect_close, expect_shape


def weighted_least_squares(X, y, sigma):
    """The most probable unknowns if measurement i has normal errors of standard deviation sigma_i.

    Args:
        X: tensor (n, d) with independent columns.
        y: tensor (n, 1).
        sigma: tensor (n, 1) of positive numbers.

    Returns:
        Tensor (d, 1).
    """
    raise NotImplementedError


def least_squares_in_batches(batches):
    """The least-squares solution for examples that arrive a minibatch at a time.

    Args:
        batches: an iterable of pairs X (B, d), y (B, 1) of tensors. B may differ from batch to batch; the first batch
            has at least d rows, later ones may have a single row.

    Returns:
        Tensor (d, 1), the same as for all rows together.
    """
    raise NotImplementedError


def _problem(n, d, number):
    """Random X (n, d) and y (n, 1) in float64."""
    return random.normal((n, d), "exercise", number, "X"), random.normal((n, 1), "exercise", number, "y")


def _solution(X, y):
    return np.linalg.lstsq(X, y, rcond=None)[0]


def check_weighted_least_squares_value(candidate):
    X, y = _problem(30, 3, 0)
    sigma = np.exp(random.normal((30, 1), "exercise", 0, "sigma"))
    found = candidate(*map(xp.asarray, (X, y, sigma)))
    expect_shape(found, (3, 1), "There is one unknown for each column of X.")
    expect_close(
        found,
        _solution(X / sigma, y / sigma),
        "Each residual counts in units of its own deviation: divide the row and its measurement by sigma, not by "
        "its square or its root.",
        rtol=1e-3,
        atol=1e-4,
    )


def check_weighted_least_squares_edges(candidate):
    X, y = _problem(12, 2, 1)
    found = candidate(xp.asarray(X), xp.asarray(y), xp.asarray(np.full((12, 1), 0.25)))
    expect_close(found, _solution(X, y), "Equal deviations must give plain least squares.", rtol=1e-3, atol=1e-4)
    sigma = np.where(np.arange(12)[:, None] < 2, 1e-3, 1e3)
    found = candidate(*map(xp.asarray, (X, y, sigma)))
    expect_close(
        found,
        np.linalg.solve(X[:2], y[:2]),
        "Two measurements a million times better than the rest decide alone about two unknowns.",
        rtol=1e-2,
        atol=1e-3,
    )


def check_weighted_least_squares_gradient(candidate):
    X, y = _problem(20, 2, 2)
    sigma = np.exp(0.5 * random.normal((20, 1), "exercise", 2, "sigma"))
    _, gradient = value_and_grad(lambda y: xp.sum(candidate(xp.asarray(X), y, xp.asarray(sigma))))(xp.asarray(y))
    influence = np.linalg.pinv(X / sigma).sum(axis=0)[:, None] / sigma
    expect_close(
        gradient, influence, "The solution must depend on y through differentiable primitives.", rtol=1e-3, atol=1e-4
    )


def check_least_squares_in_batches_value(candidate):
    X, y = _problem(100, 4, 3)
    pairs = ((xp.asarray(X[i : i + 20]), xp.asarray(y[i : i + 20])) for i in range(0, 100, 20))
    found = candidate(pairs)
    expect_shape(found, (4, 1), "There is one unknown for each column of X.")
    expect_close(found, _solution(X, y), "All batches must count, each row alike.", rtol=1e-3, atol=1e-4)


def check_least_squares_in_batches_edges(candidate):
    X, y = _problem(33, 3, 4)
    pairs = [(xp.asarray(X[i:j]), xp.asarray(y[i:j])) for i, j in ((0, 16), (16, 32), (32, 33))]
    expect_close(
        candidate(iter(pairs)), _solution(X, y), "A last batch of one row counts as one row.", rtol=1e-3, atol=1e-4
    )
    expect_close(
        candidate(iter(pairs[:1])),
        _solution(X[:16], y[:16]),
        "A single batch is a whole problem.",
        rtol=1e-3,
        atol=1e-4,
    )


def check_least_squares_in_batches_digits(candidate):
    for distance in (1200.0, 1600.0, 2000.0):
        x = np.linspace(-1.7, 1.7, 64)[:, None] + distance
        X = np.hstack((x, np.ones((64, 1)))).astype(np.float32)
        y = (3.0 + 2.0 * x).astype(np.float32)
        exact = _solution(X.astype(np.float64), y.astype(np.float64))[0, 0]
        tensors = [xp.asarray(array, dtype=xp.float32) for array in (X, y)]
        found = candidate(iter([tuple(tensor[i : i + 16] for tensor in tensors) for i in range(0, 64, 16)]))
        expect_close(
            float(xp.to_numpy(found)[0, 0]),
            exact,
            "With nearly parallel columns digits get lost; keep the triangle R, not the products X'X.",
            rtol=2e-3,
        )
