"""Generalisation: the exercises that a program checks."""

import numpy as np

from d2l_core import random, xp
from d2l_core.lessons.checking import expect_close


def expected_errors(X, sigma):
    """Expected mean squared errors of least squares whose law is a weighted sum of the features.

    Args:
        X: tensor (n, p); its columns may depend on one another, and p may be larger than n.
        sigma: standard deviation of the independent errors, a Python number.

    Returns:
        The expected error on the training examples, and that on new targets at the same places: two Python floats.
    """
    raise NotImplementedError


def group_folds(groups, k):
    """Folds for cross-validation in which all examples of a group are held out together.

    The numbers of the examples in any two folds should not differ by more than the size of the largest group.

    Args:
        groups: integer array (n,), the group of each example, in any order.
        k: number of folds, not more than there are groups.

    Returns:
        A list of k pairs of integer arrays, the numbers of the training examples and of those held out, none empty.
    """
    raise NotImplementedError


def _simulated(X, sigma, sets=4000):
    """Both errors, averaged over many sets of normal errors, in float64."""
    n = len(X)
    hat = X @ np.linalg.pinv(X)
    old = random.normal((n, sets), "exercise", "errors", std=sigma)
    new = random.normal((n, sets), "exercise", "new errors", std=sigma)
    return np.mean((old - hat @ old) ** 2), np.mean((new - hat @ old) ** 2)


def _expect_errors(candidate, X, sigma, hint, rtol):
    train, same = candidate(xp.asarray(X), sigma)
    wanted = _simulated(X, sigma)
    expect_close(float(train), wanted[0], f"{hint} This is the training error.", rtol=rtol, atol=1e-6)
    expect_close(float(same), wanted[1], f"{hint} This is the error on new targets.", rtol=rtol, atol=1e-6)


def check_expected_errors_value(candidate):
    X = random.normal((20, 6), "exercise", "X")
    _expect_errors(candidate, X, 0.5, "Six independent columns of twenty rows soak up six twentieths.", rtol=0.03)
    train, same = (float(value) for value in candidate(xp.asarray(X), 2.0))
    expect_close((same + train) / 2, 4.0, "The mean of the two errors is the variance of the noise.", rtol=1e-4)
    expect_close(same - train, 2 * 4.0 * 6 / 20, "The gap is twice the variance times p over n.", rtol=1e-4)


def check_expected_errors_edges(candidate):
    X = random.normal((12, 3), "exercise", "few")
    X = np.hstack((X, X[:, :1] + X[:, 1:2], np.zeros((12, 1))))
    _expect_errors(candidate, X, 1.0, "Columns that depend on others soak up nothing; count the rank.", rtol=0.05)
    wide = random.normal((4, 9), "exercise", "wide")
    train, same = (float(value) for value in candidate(xp.asarray(wide), 1.0))
    expect_close(train, 0.0, "With more columns than rows every training error can be made zero.", atol=1e-5)
    expect_close(same, 2.0, "A model that repeats the noise of the training doubles the error.", rtol=1e-4)


def _check_folds(candidate, groups, k):
    found = candidate(groups, k)
    assert len(found) == k, f"There should be {k} folds, not {len(found)}."
    for kept, held in found:
        assert min(len(kept), len(held)) > 0, "Neither part of a fold may be empty."
        both = np.sort(np.concatenate((kept, held)))
        assert np.array_equal(both, np.arange(len(groups))), "In each fold, every example is either kept or held out."
        shared = set(groups[np.asarray(kept)].tolist()) & set(groups[np.asarray(held)].tolist())
        assert not shared, f"Group {min(shared)} has examples on both sides of a fold."
    everything = np.sort(np.concatenate([held for _, held in found]))
    assert np.array_equal(everything, np.arange(len(groups))), "Every example must be held out exactly once."
    return [len(held) for _, held in found]


def check_group_folds_value(candidate):
    groups = np.array([3, 1, 3, 2, 1, 5, 2, 3, 5, 4])
    _check_folds(candidate, groups, 2)
    _check_folds(candidate, groups, 5)


def check_group_folds_edges(candidate):
    _check_folds(candidate, np.array([7, 7, 7, -1]), 2)
    _check_folds(candidate, np.arange(6), 3)


def check_group_folds_sizes(candidate):
    for case in range(5):
        counts = 1 + (random.uniform(15, "exercise", "counts", case) * 12).astype(int)
        groups = random.permutation(15, "exercise", "names", case).repeat(counts)
        sizes = _check_folds(candidate, groups, 4)
        assert max(sizes) - min(sizes) <= counts.max(), (
            f"The folds hold {sizes} examples; give each group to the fold that has the fewest so far."
        )
