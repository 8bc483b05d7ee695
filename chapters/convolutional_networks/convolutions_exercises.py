"""Exercises of the lesson on convolutions: what to fill in, and the checks of it."""

import numpy as np

from d2l_core import xp
from d2l_core.autodiff import grad
from d2l_core.lessons.checking import expect_close, expect_shape
from d2l_core.random import normal


def compose(K, M):
    """The kernel that does in one cross-correlation what K and then M do in two.

    Args:
        K: a kernel (k, m).
        M: a kernel (p, q).

    Returns:
        A kernel (k + p - 1, m + q - 1).
    """
    raise NotImplementedError


def separate(K):
    """A column and a row whose cross-correlations, one after the other, are that with K.

    Args:
        K: a kernel (k, m) of rank one, not zero.

    Returns:
        The column (k, 1) and the row (1, m).
    """
    raise NotImplementedError


def picture_gradient(G, K):
    """Gradient of the picture in a cross-correlation without padding.

    Args:
        G: gradient of the map, (h - k + 1, w - m + 1).
        K: the kernel (k, m).

    Returns:
        Gradient of the picture, (h, w).
    """
    raise NotImplementedError


def _map(X, K):
    """Cross-correlation on the host: X (h, w) and K (k, m)."""
    windows = np.lib.stride_tricks.sliding_window_view(X, K.shape)  # (h', w', k, m)
    return np.einsum("ijkl,kl->ij", windows, K)


def check_compose_value(candidate):
    """One cross-correlation gives what two give."""
    X, K, M = normal((9, 10), "X"), normal((3, 2), "K"), normal((2, 4), "M")
    found = candidate(xp.asarray(K), xp.asarray(M))
    expect_shape(found, (4, 5), "The kernel of both has one row and one column less than the two have together.")
    expect_close(
        xp.asarray(_map(X, xp.to_numpy(found))),
        _map(_map(X, K), M),
        "With your kernel the map is not that of K and then M; is one of them turned, or counted from another corner?",
        rtol=1e-4,
        atol=1e-4,
    )


def check_compose_edges(candidate):
    """Kernels of a single weight, which only multiply."""
    K = normal((2, 3), "K")
    one = xp.asarray([[-2.0]])
    expect_close(candidate(xp.asarray(K), one), -2.0 * K, "A second kernel of the single weight -2 multiplies by -2.")
    expect_close(candidate(one, xp.asarray(K)), -2.0 * K, "A first kernel of the single weight -2 multiplies by -2.")


def check_separate_value(candidate):
    """Column times row is the kernel."""
    K = np.outer([1.0, 2.0, 1.0], [-1.0, 0.0, 1.0, 3.0])
    column, row = candidate(xp.asarray(K))
    expect_shape(column, (3, 1), "The first result is a column with as many weights as K has rows.")
    expect_shape(row, (1, 4), "The second result is a row with as many weights as K has columns.")
    expect_close(xp.matmul(column, row), K, "Column times row must give K again.")


def check_separate_edges(candidate):
    """A kernel with a zero in the corner, where dividing by the first weight fails."""
    K = np.outer([0.0, 1.0, -3.0], [0.0, 2.0])
    column, row = candidate(xp.asarray(K))
    expect_close(xp.matmul(column, row), K, "The first row and the first column of a kernel may be zero.")


def check_picture_gradient_value(candidate):
    """The gradient that the engine finds for a weighted sum of the map."""
    X, K, G = normal((6, 7), "X"), normal((3, 2), "K"), normal((4, 6), "G")
    kernel, weights = xp.asarray(K), xp.asarray(G)

    def total(X):
        rows = [
            xp.stack([xp.sum(X[i : i + 3, j : j + 2] * kernel) for j in range(6)])  # (6,)
            for i in range(4)
        ]
        return xp.sum(xp.stack(rows) * weights)  # (4, 6) -> ()

    found = candidate(weights, kernel)
    expect_shape(found, (6, 7), "The gradient has the shape of the picture, which is larger than that of the map.")
    hint = "A pixel gets K[u, v] times the gradient of the output u rows above and v columns left of it."
    expect_close(found, xp.to_numpy(grad(total)(xp.asarray(X))), hint, rtol=1e-4, atol=1e-5)
