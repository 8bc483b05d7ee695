"""Exercises of the lesson on the way from dense layers to convolutions: what to fill in, and the checks of it."""

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape
from d2l_core.random import normal


def circulant(K, h, w):
    """The matrix of the circular cross-correlation with a kernel.

    Args:
        K: a kernel (k, m), not larger than the picture.
        h: rows of the picture.
        w: columns of the picture.

    Returns:
        A matrix (h w, h w). Times a flat picture it gives the flat output with
        ``Y[i, j] = sum of K[u, v] * X[(i + u) % h, (j + v) % w]``.
    """
    raise NotImplementedError


def toeplitz_average(W):
    """The matrix closest to W among those that are constant along every diagonal.

    Args:
        W: a matrix (n, n).

    Returns:
        A matrix (n, n) whose element [i, j] depends on j - i alone, with the least sum of squared differences to W.
    """
    raise NotImplementedError


def check_circulant_value(candidate):
    """A random picture through the matrix."""
    for (h, w), window in (((4, 5), (3, 2)), ((3, 3), (3, 3)), ((2, 6), (1, 1))):
        X, K = normal((h, w), "X"), normal(window, "K")
        expected = sum(K[u, v] * np.roll(X, (-u, -v), axis=(0, 1)) for u in range(window[0]) for v in range(window[1]))
        matrix = candidate(xp.asarray(K), h, w)
        expect_shape(matrix, (h * w, h * w), "The matrix has a row for each output and a column for each pixel.")
        expect_close(
            xp.matmul(matrix, xp.asarray(X.reshape(h * w, 1))),
            expected.reshape(h * w, 1),
            "Times a flat picture the matrix must give the cross-correlation with indices modulo h and w.",
            rtol=1e-4,
            atol=1e-5,
        )


def check_circulant_weights(candidate):
    """The kernel's weights, and zeros."""
    matrix = xp.to_numpy(candidate(xp.asarray([[2.0, 3.0]]), 2, 4))
    assert np.all(np.sort(matrix, axis=1)[:, -3:] == (0.0, 2.0, 3.0)), (
        "Each row holds every weight of the kernel once and is zero elsewhere."
    )


def check_toeplitz_average_value(candidate):
    """A small matrix that can be averaged in the head."""
    W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 12.0]])
    expected = np.array([[6.0, 4.0, 3.0], [6.0, 6.0, 4.0], [7.0, 6.0, 6.0]])
    found = candidate(xp.asarray(W))
    expect_shape(found, (3, 3), "The result has the shape of W.")
    expect_close(found, expected, "Each element is the mean of its diagonal, over as many elements as this one has.")


def check_toeplitz_average_edges(candidate):
    """What is constant along its diagonals already must stay."""
    W = sum(value * np.eye(5, k=k) for k, value in ((-4, 1.0), (-1, 2.0), (0, -3.0), (3, 0.5)))
    expect_close(candidate(xp.asarray(W)), W, "A matrix that is constant along its diagonals must not change.")
    expect_close(candidate(xp.asarray([[4.0]])), np.array([[4.0]]), "A matrix of one element must not change.")
