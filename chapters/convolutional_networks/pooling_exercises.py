"""Exercises of the lesson on pooling: what to fill in, and the checks of it."""

import numpy as np

from d2l_core import xp
from d2l_core.autodiff import grad
from d2l_core.lessons.checking import expect_close, expect_shape
from d2l_core.nn.functional import max_pool
from d2l_core.random import normal, uniform


def max_pool_gradient(X, G, window):
    """Gradient of the input of a max pooling whose windows lie side by side.

    Args:
        X: the input, (n, c, h, w); h and w are multiples of the window, and no two elements of a window are equal.
        G: gradient of the output, (n, c, h / window, w / window).
        window: width of the square window.

    Returns:
        Gradient of the input, (n, c, h, w).
    """
    raise NotImplementedError


def power_pool(X, window, p):
    """The p-th root of the mean p-th power over windows side by side.

    Args:
        X: elements not below zero, (n, c, h, w); h and w are multiples of the window.
        window: width of the square window.
        p: a number of at least 1.

    Returns:
        One number for each window, (n, c, h / window, w / window), finite also for large p.
    """
    raise NotImplementedError


def _blocks(X, window):
    """The windows of an array (n, c, h, w) as rows: (n, c, h', w', window * window)."""
    n, c, h, w = X.shape
    X = X.reshape(n, c, h // window, window, w // window, window).transpose(0, 1, 2, 4, 3, 5)
    return X.reshape(n, c, h // window, w // window, window * window)


def check_max_pool_gradient_value(candidate):
    """The gradient that the engine finds for a weighted sum of the output."""
    for window, size in ((2, (4, 6)), (3, (6, 3))):
        X = normal((2, 3, *size), "X")
        G = normal((2, 3, size[0] // window, size[1] // window), "G")
        weights = xp.asarray(G)
        expected = grad(lambda X, weights=weights, window=window: xp.sum(weights * max_pool(X, window)))(xp.asarray(X))
        found = candidate(xp.asarray(X), weights, window)
        expect_shape(found, X.shape, "The gradient of the input has the shape of the input.")
        hint = "The largest element of each window receives the gradient of the window's output, the others zero."
        expect_close(found, xp.to_numpy(expected), hint)


def check_max_pool_gradient_edges(candidate):
    """Windows of negative elements, and windows of one element."""
    X, G = xp.asarray(-1.0 - uniform((1, 1, 2, 2), "X")), xp.asarray([[[[5.0]]]])
    total = float(xp.to_numpy(xp.sum(candidate(X, G, 2))))
    expect_close(total, 5.0, "In a window of negative elements there is a largest one, too.", rtol=1e-5)
    G = normal((1, 2, 3, 3), "G")
    found = candidate(xp.asarray(normal((1, 2, 3, 3), "X")), xp.asarray(G), 1)
    expect_close(found, G, "With a window of one element the gradient passes unchanged.")


def check_power_pool_value(candidate):
    """Several powers against the formula."""
    X = uniform((2, 2, 4, 6), "X", low=0.1, high=2.0)
    for p in (1.0, 2.0, 5.0):
        expected = np.mean(_blocks(X, 2) ** p, axis=-1) ** (1 / p)
        found = candidate(xp.asarray(X), 2, p)
        expect_shape(found, expected.shape, "There is one number for each window.")
        expect_close(found, expected, f"For p = {p:g}: power, then mean, then root.", rtol=1e-4)


def check_power_pool_edges(candidate):
    """Large powers, large elements, and windows of zeros."""
    X = 100.0 * uniform((1, 1, 4, 4), "large", low=0.5)
    expected = np.max(_blocks(X, 2), axis=-1)
    found = candidate(xp.asarray(X), 2, 200.0)
    hint = "For p = 200 the result is near the largest element; divide by it before you take the power."
    expect_close(found, expected, hint, rtol=0.01)
    expect_close(candidate(xp.zeros((1, 1, 2, 2)), 2, 3.0), np.zeros((1, 1, 1, 1)), "A window of zeros gives zero.")
