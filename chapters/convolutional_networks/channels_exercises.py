"""Exercises of the lesson on channels: what to fill in, and the checks of it."""

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape
from d2l_core.nn.functional import conv
from d2l_core.random import normal


def shuffle(X, groups):
    """Channels in a new order: the first of each group, then the second of each group, and so on.

    Args:
        X: maps (n, c, h, w).
        groups: how many groups of c / groups neighbouring channels there are.

    Returns:
        The same maps in the new order, (n, c, h, w).
    """
    raise NotImplementedError


def merge(K, b, P, a):
    """One convolution for a convolution and another of a single pixel behind it.

    Args:
        K: kernels of the first, (m, c, k, k).
        b: its biases, (m,).
        P: weights of the second, (o, m).
        a: its biases, (o,).

    Returns:
        Kernels (o, c, k, k) and biases (o,).
    """
    raise NotImplementedError


def check_shuffle_value(candidate):
    """Six channels in two groups, and in three."""
    X = np.arange(6.0)[None, :, None, None] + normal((2, 6, 3, 2), "X", std=0.01)
    for groups, order in ((2, (0, 3, 1, 4, 2, 5)), (3, (0, 2, 4, 1, 3, 5))):
        found = candidate(xp.asarray(X), groups)
        expect_shape(found, X.shape, "Shuffling changes no extent.")
        hint = f"In {groups} groups of six channels the new order is {order}, and within a channel nothing moves."
        expect_close(found, X[:, list(order)], hint)


def check_shuffle_edges(candidate):
    """One group, and as many groups as channels, leave everything as it is."""
    X = normal((1, 4, 2, 2), "X")
    for groups in (1, 4):
        expect_close(candidate(xp.asarray(X), groups), X, f"With {groups} groups of 4 channels the order stays.")


def check_merge_value(candidate):
    """The one layer against both."""
    X, K = xp.asarray(normal((2, 3, 6, 5), "X")), xp.asarray(normal((4, 3, 3, 3), "K"))
    b, P, a = (xp.asarray(normal(shape, name)) for shape, name in (((4,), "b"), ((2, 4), "P"), ((2,), "a")))
    kernels, biases = candidate(K, b, P, a)
    expect_shape(kernels, (2, 3, 3, 3), "The merged kernels lead from the first input to the last output.")
    expect_shape(biases, (2,), "There is one bias for each output channel of the second layer.")
    expected = xp.to_numpy(conv(conv(X, K, b), P[:, :, None, None], a))
    hint = "The merged layer must give what both give one after the other; the first bias also passes the second layer."
    expect_close(conv(X, kernels, biases), expected, hint, rtol=1e-4, atol=1e-4)
