"""Exercises of the lesson on padding and stride: what to fill in, and the checks of it."""

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape
from d2l_core.random import normal


def same_padding(n, k, stride=1, dilation=1):
    """The smallest padding with which an axis gives as many outputs as n / stride, rounded up.

    Args:
        n: pixels along the axis.
        k: weights of the kernel along the axis.
        stride: pixels from one place of the kernel to the next.
        dilation: pixels from one weight to the next.

    Returns:
        Two whole numbers, the pixels before and the pixels behind; if their sum is odd, there is one more behind.
    """
    raise NotImplementedError


def dilate(K, dilation):
    """The kernel with zeros between its weights.

    Args:
        K: a kernel (k, m).
        dilation: pixels from one weight to the next, at least 1.

    Returns:
        A kernel (dilation (k - 1) + 1, dilation (m - 1) + 1) that does without dilation what K does with it.
    """
    raise NotImplementedError


def geometry(layers):
    """What one output of a stack of layers sees, along one axis.

    Args:
        layers: a list of triples (k, stride, dilation), the layer at the picture first.

    Returns:
        Two whole numbers: how many pixels an output sees from the first to the last, and how many pixels of the
        picture two neighbouring outputs lie apart.
    """
    raise NotImplementedError


def _places(n, k, stride, dilation):
    return len(range(0, n - dilation * (k - 1), stride))


def check_same_padding_size(candidate):
    """As many outputs as promised, in many settings."""
    for n in range(1, 12):
        for k, stride, dilation in ((1, 1, 1), (3, 1, 1), (3, 2, 1), (2, 1, 1), (4, 2, 1), (3, 3, 2), (5, 1, 2)):
            before, behind = candidate(n, k, stride, dilation)
            found = _places(n + before + behind, k, stride, dilation)
            assert found == -(-n // stride), (
                f"With n = {n}, k = {k}, stride {stride}, dilation {dilation} there should be {-(-n // stride)} "
                f"outputs, but your padding gives {found}."
            )


def check_same_padding_edges(candidate):
    """Nothing too much, and the odd pixel behind."""
    for setting, expected in (
        ((28, 3, 2, 1), (0, 1)),
        ((27, 3, 2, 1), (1, 1)),
        ((28, 4, 1, 1), (1, 2)),
        ((28, 1, 2, 1), (0, 0)),
        ((10, 3, 1, 4), (4, 4)),
    ):
        found = tuple(candidate(*setting))
        assert found == expected, (
            f"For n, k, stride, dilation = {setting} the padding should be {expected} but is {found}; it is never "
            "negative, and an odd pixel goes behind."
        )


def check_dilate_value(candidate):
    """The same map as a dilated kernel gives."""
    for window, d in (((3, 2), 2), ((2, 3), 3), ((2, 2), 1)):
        K, (k, m) = normal(window, "K"), window
        expected = np.zeros((d * (k - 1) + 1, d * (m - 1) + 1))
        expected[::d, ::d] = K
        found = candidate(xp.asarray(K), d)
        expect_shape(found, expected.shape, "From the first to the last weight there are d (k - 1) + 1 pixels.")
        expect_close(found, expected, "The weights stand d pixels apart, with zeros between them.")


def check_dilate_edges(candidate):
    """A single weight has nothing to be pulled apart."""
    expect_close(candidate(xp.asarray([[5.0]]), 4), np.array([[5.0]]), "A kernel of one weight stays as it is.")


def check_geometry_value(candidate):
    """Stacks whose view was counted."""
    for layers in (
        [],
        [(3, 1, 1)],
        [(3, 1, 1), (3, 1, 1), (3, 1, 1)],
        [(3, 2, 1), (3, 1, 1)],
        [(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1)],
        [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
        [(3, 2, 2), (3, 2, 1), (1, 3, 1)],
    ):
        first, second = {0}, {1}
        for k, stride, dilation in reversed(layers):
            first, second = (
                {place * stride + dilation * u for place in places for u in range(k)} for places in (first, second)
            )
        expected = max(first) - min(first) + 1, min(second) - min(first)
        found = tuple(candidate(layers))
        assert found == expected, (
            f"The stack {layers} sees {expected[0]} pixels with a jump of {expected[1]}, but you found {found}; which "
            "jump counts for a layer, that of its inputs or that of its outputs?"
        )
