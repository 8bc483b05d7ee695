"""The exercises of the lesson on data manipulation that a program examines."""

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape


def patches(images, size):
    """Images cut into square pieces, without a loop.

    Args:
        images: a tensor (n, h, w).
        size: side of a piece; it divides h and w.

    Returns:
        A tensor (n, h / size, w / size, size, size): the piece in row r and column c of image i is [i, r, c].
    """
    raise NotImplementedError


def _pieces(images, size):
    n, h, w = images.shape
    expected = np.zeros((n, h // size, w // size, size, size), images.dtype)
    for r in range(h // size):
        for c in range(w // size):
            expected[:, r, c] = images[:, r * size : (r + 1) * size, c * size : (c + 1) * size]
    return expected


def check_patches_value(candidate):
    """Square images."""
    images = np.arange(2 * 6 * 6, dtype=np.float32).reshape(2, 6, 6)
    found = candidate(xp.asarray(images), 3)
    expect_shape(found, (2, 2, 2, 3, 3), "Each axis of length 6 is split into 2 pieces of length 3.")
    expect_close(
        found, _pieces(images, 3), "A reshape alone gives stripes; split the axes, then exchange the two in the middle."
    )


def check_patches_edges(candidate):
    """Images that are not square, and pieces of one pixel."""
    images = np.arange(3 * 4 * 8, dtype=np.float32).reshape(3, 4, 8)
    for size in (1, 2, 4):
        found = candidate(xp.asarray(images), size)
        expect_close(found, _pieces(images, size), f"For images (3, 4, 8) and size {size}, are h and w exchanged?")


def moving_average(x, width):
    """Means of all windows of neighbours, without a loop and at a cost that does not depend on the width.

    Args:
        x: a tensor (n,).
        width: length of a window, from 1 to n.

    Returns:
        A tensor (n - width + 1,); element i is the mean of x[i], ..., x[i + width - 1].
    """
    raise NotImplementedError


def check_moving_average_value(candidate):
    """A short vector."""
    x = np.array([4.0, 1.0, -2.0, 6.0, 3.0, 3.0, -1.0], np.float32)
    found = candidate(xp.asarray(x), 3)
    expect_shape(found, (5,), "Seven elements have five windows of three.")
    expected = np.convolve(x, np.ones(3) / 3, mode="valid")
    expect_close(found, expected, "The sum of a window is a difference of two cumulative sums.", atol=1e-5)


def check_moving_average_edges(candidate):
    """Windows of one element and of all."""
    x = np.array([2.0, -5.0, 7.0, 0.5], np.float32)
    expect_close(
        candidate(xp.asarray(x), 1), x, "With width 1 the result is x itself, its first element too.", atol=1e-5
    )
    expect_close(
        candidate(xp.asarray(x), 4), [x.mean()], "With width n one mean remains; is the empty sum missing?", atol=1e-5
    )


def squared_distances(X, Y):
    """Squared Euclidean distances between all rows of two matrices, without a loop.

    Args:
        X: a tensor (m, d).
        Y: a tensor (n, d).

    Returns:
        A tensor (m, n); element (i, j) is the sum of the squares of X[i] - Y[j].
    """
    raise NotImplementedError


def _points():
    X = np.array([[0.0, 1.0, 2.0], [3.0, -1.0, 0.5]], np.float32)
    Y = np.array([[1.0, 1.0, 1.0], [0.0, 1.0, 2.0], [-2.0, 0.0, 4.0], [3.0, 3.0, -3.0]], np.float32)
    return X, Y


def check_squared_distances_value(candidate):
    """Two points against four."""
    X, Y = _points()
    found = candidate(xp.asarray(X), xp.asarray(Y))
    expect_shape(found, (2, 4), "There is one row for each row of X and one column for each row of Y.")
    expected = ((X[:, None, :] - Y[None, :, :]) ** 2).sum(axis=2)
    expect_close(found, expected, "Sum the squares over the last axis; no root.", atol=1e-4)


def check_squared_distances_edges(candidate):
    """As many points on either side, and points with one coordinate."""
    X, _ = _points()
    found = candidate(xp.asarray(X), xp.asarray(X))
    expected = ((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2)
    expect_close(
        found, expected, "Between the rows of X itself the diagonal is zero, and only the diagonal.", atol=1e-4
    )
    found = candidate(xp.asarray(X[:, :1]), xp.asarray(X[:, :1]))
    expect_close(found, (X[:, :1] - X[:, :1].T) ** 2, "With one coordinate something is stretched wrongly.", atol=1e-4)
