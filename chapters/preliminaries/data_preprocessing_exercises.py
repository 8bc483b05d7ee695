"""The exercises of the lesson on data preprocessing that a program examines."""

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape


def fill_with_median(X):
    """Gaps filled with the median of what is known in their column.

    Args:
        X: a tensor (n, d) with NaN in the gaps; each column has at least one number.

    Returns:
        A tensor (n, d) without NaN. The median of an even number of values is the mean of the two in the middle.
    """
    raise NotImplementedError


def _table():
    return np.array(
        [
            [3.0, np.nan, 5.0, -1.0],
            [np.nan, 2.0, 5.0, np.nan],
            [900.0, np.nan, 7.0, -4.0],
            [1.0, np.nan, 6.0, np.nan],
            [2.0, np.nan, 0.0, -8.0],
        ],
        np.float32,
    )


def check_fill_with_median_value(candidate):
    """Odd and even numbers of known values."""
    X = _table()
    found = candidate(xp.asarray(X))
    expect_shape(found, (5, 4), "Nothing is dropped.")
    expected = np.where(np.isnan(X), np.nanmedian(X, axis=0), X)
    expect_close(found, expected, "Count the known values in each column; the middle is theirs, not that of n.")


def check_fill_with_median_edges(candidate):
    """A table without gaps, and one row."""
    X = np.arange(6, dtype=np.float32).reshape(3, 2)
    expect_close(candidate(xp.asarray(X)), X, "A table without gaps must stay as it is.")
    expect_close(candidate(xp.asarray(X[:1])), X[:1], "A single row has nothing to fill.")


def one_hot_with_rest(training, numbers, num_kinds, least):
    """One-hot columns for the kinds that are frequent in the training data, and one column for all others.

    Args:
        training: a tensor (m,) of integers in [0, num_kinds).
        numbers: a tensor (n,) of such integers.
        num_kinds: how many kinds there are.
        least: a kind is frequent if it occurs at least so many times in `training`.

    Returns:
        A tensor of floats (n, f + 1), where f is the number of frequent kinds: their columns in rising order, then
        the column of the rest.
    """
    raise NotImplementedError


def check_one_hot_with_rest_value(candidate):
    """Frequent kinds 1 and 3 of five."""
    training = np.array([3, 1, 1, 0, 3, 1, 3, 4])
    numbers = np.array([0, 1, 2, 3, 4, 1])
    found = candidate(xp.asarray(training), xp.asarray(numbers), 5, 2)
    expect_shape(found, (6, 3), "Two kinds occur twice or more in the training numbers; one column is for the rest.")
    expected = np.array([[0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float32)
    expect_close(found, expected, "The columns are kind 1, kind 3, the rest; is the column of the rest the last?")


def check_one_hot_with_rest_leak(candidate):
    """What is frequent is decided by the training numbers alone."""
    training, numbers = np.array([0, 0, 1]), np.array([1, 1, 1, 0])
    found = candidate(xp.asarray(training), xp.asarray(numbers), 2, 2)
    expect_shape(found, (4, 2), "Kind 1 is frequent only in the numbers to be coded, which must not count.")
    expect_close(found, [[0, 1], [0, 1], [0, 1], [1, 0]], "Kind 0 has the first column.")


def check_one_hot_with_rest_edges(candidate):
    """No kind frequent enough, and all of them."""
    numbers = np.array([2, 0, 1])
    found = candidate(xp.asarray(numbers), xp.asarray(numbers), 3, 2)
    expect_close(found, np.ones((3, 1)), "If no kind is frequent there is the column of the rest alone.")
    found = candidate(xp.asarray(numbers), xp.asarray(numbers), 3, 1)
    expected = np.concatenate([np.eye(3)[numbers], np.zeros((3, 1))], axis=1)
    expect_close(found, expected, "If all kinds are frequent the column of the rest is there and zero.")
