"""Generalisation in classification: exercises, and what examines them."""

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape


def wilson_bounds(wrong, n, z):
    """Wilson's interval for the error of several models or tests.

    Args:
        wrong: numbers of errors (m,), floats.
        n: sizes of the test sets (m,), floats.
        z: half-width in standard deviations, such as 1.96.

    Returns:
        A tensor (m, 2): the lower and the upper end for each.
    """
    raise NotImplementedError


def paired_difference(right_a, right_b):
    """The difference of two accuracies on the same examples and its standard error.

    Args:
        right_a: 1 where the first model is right and 0 where it is wrong (n,), floats.
        right_b: the same for the second model (n,).

    Returns:
        A tensor (2,): the accuracy of the first minus that of the second, and the standard error of this difference.
    """
    raise NotImplementedError


def check_wilson_bounds_value(candidate):
    """Ends of the interval solve the quadratic equation."""
    wrong, n, z = np.array([21.0, 28.0, 3.0]), np.array([1000.0, 1000.0, 10.0]), 1.96
    found = candidate(xp.asarray(wrong), xp.asarray(n), z)
    expect_shape(found, (3, 2), "There is one row for each test, with a lower and an upper end.")
    ends = xp.to_numpy(found)
    assert (ends[:, 0] < ends[:, 1]).all(), "The lower end comes first."
    for share, size, row in zip(wrong / n, n, ends, strict=True):
        roots = np.sort(np.roots([1 + z**2 / size, -2 * share - z**2 / size, share**2]))
        expect_close(row, roots, "The ends satisfy (share - e)^2 = z^2 e (1 - e) / n.", 1e-4)


def check_wilson_bounds_edges(candidate):
    """A test without errors, and one with nothing else."""
    ends = xp.to_numpy(candidate(xp.asarray([0.0, 50.0]), xp.asarray([50.0, 50.0]), 2.0))
    expect_close(ends[0], np.array([0.0, 4 / 54]), "No error in 50 does not mean that the error is zero.", 1e-4, 1e-5)
    expect_close(ends[1], np.array([50 / 54, 1.0]), "All wrong is the mirror image of none wrong.", 1e-4, 1e-5)


def check_paired_difference_value(candidate):
    """Compared with the standard deviation of the differences."""
    a = np.array([1, 1, 1, 1, 0, 0, 1, 1, 0, 1], dtype=float)
    b = np.array([1, 0, 1, 0, 0, 1, 1, 0, 0, 1], dtype=float)
    found = candidate(xp.asarray(a), xp.asarray(b))
    expect_shape(found, (2,), "The result holds two numbers, the difference and its standard error.")
    difference = a - b
    expect_close(
        found,
        np.array([difference.mean(), difference.std() / np.sqrt(10)]),
        "Only examples on which the models disagree count; the standard error has n below the root.",
        1e-4,
    )


def check_paired_difference_edges(candidate):
    """Models that always agree, and a pair that never does."""
    a = np.array([1.0, 0.0, 1.0, 1.0])
    expect_close(
        candidate(xp.asarray(a), xp.asarray(a)), np.zeros(2), "A model does not differ from itself, with certainty."
    )
    expect_close(
        candidate(xp.asarray(a), xp.asarray(1.0 - a)),
        np.array([0.5, np.sqrt(3) / 4]),
        "If they never agree, each difference is 1 or -1, and its square is 1.",
        1e-4,
    )
