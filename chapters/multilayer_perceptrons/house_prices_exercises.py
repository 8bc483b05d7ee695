"""Predicting house prices: exercises, and what examines them."""

import numpy as np

from d2l_core import xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons.checking import expect_close, expect_shape


def standardise_with_gaps(reference, X):
    """Columns shifted and scaled by what is present in a reference; gaps become zero.

    Args:
        reference: training features (n, d), NaN where a number is missing.
        X: features (m, d), NaN where a number is missing.

    Returns:
        A tensor (m, d) without NaN: (X - mean) / deviation, where mean and deviation (divided by the count, not by the
        count less one) are those of the numbers present in a column of the reference. It is 0 where X has a gap, and
        in columns whose deviation is 0.
    """
    raise NotImplementedError


def leave_one_out_loss(X, y, strength):
    """Mean squared error of ridge regression on rows that were left out, one at a time, without a loop.

    Args:
        X: features (n, d).
        y: targets (n, 1).
        strength: of the penalty, a positive float; the matrix is X'X + n strength I, also when a row is left out.

    Returns:
        A 0-d tensor.
    """
    raise NotImplementedError


_GAPS = np.array([[1.0, 10.0, 5.0], [3.0, np.nan, 5.0], [np.nan, 14.0, 5.0], [2.0, 18.0, np.nan]])


def check_standardise_with_gaps_value(candidate):
    """Numbers that are present."""
    X = np.array([[4.0, 10.0, 5.0], [2.0, 14.0, 5.0]])
    mean, deviation = np.nanmean(_GAPS, axis=0), np.array([np.std([1, 3, 2]), np.std([10, 14, 18]), 1.0])
    found = candidate(xp.asarray(_GAPS), xp.asarray(X))
    expect_shape(found, (2, 3), "The result has the shape of X.")
    expect_close(
        found, (X - mean) / deviation, "Mean and deviation come from the numbers present in the reference.", 1e-4, 1e-5
    )


def check_standardise_with_gaps_edges(candidate):
    """Gaps, and a column that never varies."""
    X = np.array([[np.nan, np.nan, np.nan], [1.0, 18.0, 7.0]])
    found = xp.to_numpy(candidate(xp.asarray(_GAPS), xp.asarray(X)))
    assert np.isfinite(found).all(), "The result must be finite; 0 * NaN is NaN, so select instead of multiplying."
    expect_close(found[0], np.zeros(3), "A gap becomes 0, the mean of the column.", 1e-5, 1e-6)
    expect_close(found[1, 2:], np.zeros(1), "A column with the deviation 0 in the reference becomes 0.")


def check_standardise_with_gaps_gradient(candidate):
    """The slope of the result with respect to X."""
    X = np.array([[4.0, np.nan, 5.0], [np.nan, 14.0, 5.0]])
    _, gradient = value_and_grad(lambda X: xp.sum(candidate(xp.asarray(_GAPS), X)))(xp.asarray(X))
    slopes = np.array([[1 / np.std([1, 3, 2]), 0, 0], [0, 1 / np.std([10, 14, 18]), 0]])
    expect_close(
        gradient,
        slopes,
        "The slope is 1 / deviation, and 0 at gaps; replace NaN before the arithmetic, not only after it.",
        1e-4,
        1e-5,
    )


def _leaving_out(X, y, strength):
    n, d = X.shape
    errors = []
    for i in range(n):
        kept = np.arange(n) != i
        matrix = X[kept].T @ X[kept] + n * strength * np.eye(d)
        errors.append(X[i] @ np.linalg.solve(matrix, X[kept].T @ y[kept]) - y[i])
    return float(np.mean(np.square(errors)))


def check_leave_one_out_loss_value(candidate):
    """Compared with n fits, each without one row."""
    X = np.sin(np.arange(36.0) ** 2).reshape(12, 3)
    y = np.cos(np.arange(12.0))[:, None]
    for strength in (0.05, 0.5):
        found = candidate(xp.asarray(X), xp.asarray(y), strength)
        expect_shape(found, (), "The loss is one number.")
        expect_close(
            found,
            _leaving_out(X, y, strength),
            f"For strength {strength}: divide each residual by 1 - H[i, i] before you square it.",
            1e-3,
        )


def check_leave_one_out_loss_edges(candidate):
    """More features than rows, where the training error is nearly zero and the other is not."""
    X = np.cos(np.arange(40.0) ** 2).reshape(5, 8)
    y = np.arange(5.0)[:, None]
    expect_close(
        candidate(xp.asarray(X), xp.asarray(y), 0.1),
        _leaving_out(X, y, 0.1),
        "With more features than rows; is the matrix X'X + n strength I?",
        2e-3,
    )
