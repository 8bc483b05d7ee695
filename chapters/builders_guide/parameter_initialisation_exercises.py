"""Initial values of parameters: stubs and checks of the starred exercises."""

import numpy as np

from d2l_core import nn, xp
from d2l_core.lessons.checking import expect_close, expect_shape
from d2l_core.random import normal


def truncated_normal(shape, key, std):
    """Normal numbers without tails: those beyond two standard deviations are drawn again.

    Args:
        shape: of the result.
        key: tuple of integers and strings that names the random stream, as in ``random.normal(shape, *key)``.
        std: standard deviation of the result, after the tails are gone.

    Returns:
        A NumPy array of float64.
    """
    raise NotImplementedError


def check_truncated_normal_value(candidate):
    """Standard deviation, mean and bounds of many draws."""
    for std in (1.0, 0.02):
        values = candidate((400, 250), ("check", "truncated"), std)
        expect_shape(values, (400, 250), "The shape is the one asked for.")
        hint = "Cutting the tails makes a normal distribution narrower (0.8796 of 1): scale the result up again."
        expect_close(float(np.std(values)), std, hint, rtol=0.01, atol=0.0)
        expect_close(float(np.mean(values)) / std, 0.0, "The mean should be zero; are both tails cut?", atol=0.015)
        reach = float(np.abs(values).max()) / std
        assert reach <= 2.0 / 0.8796 + 1e-3, (
            f"The largest number is {reach:.2f} standard deviations; 2.27 is the limit."
        )
        assert reach > 2.2, "Nothing lies near the limit: are the numbers really normal, cut at two deviations?"


def check_truncated_normal_stream(candidate):
    """The same key gives the same numbers and another key others; no number is set to the limit itself."""
    first, again = (candidate((50, 40), ("check", 1), 1.0) for _ in range(2))
    other = candidate((50, 40), ("check", 2), 1.0)
    assert np.array_equal(first, again), "The same key must give the same numbers: use no generator with a state."
    assert not np.array_equal(first, other), "Another key must give other numbers."
    assert len(np.unique(first)) == first.size, "Draw numbers in the tails again instead of clipping them to the limit."


def dirac(shape, key):
    """A kernel that copies input channel i to output channel i.

    Args:
        shape: (out, in, height, width), height and width odd.
        key: of the random stream; not needed.

    Returns:
        A NumPy array of float64.
    """
    raise NotImplementedError


def check_dirac_value(candidate):
    """A convolution with equal numbers of channels gives back what it gets."""
    for size in (1, 3, 5):
        layer = nn.Conv2d(3, size, padding=size // 2, weight_init=candidate)
        X = xp.asarray(normal((2, 3, 6, 7), "dirac", size), dtype=xp.float_dtype())
        expect_close(layer(X), xp.to_numpy(X), f"With a {size} by {size} kernel the output should be the input.")


def check_dirac_edges(candidate):
    """More outputs than inputs, and fewer; a window that is not square."""
    for out, channels in ((4, 2), (2, 4)):
        values = np.asarray(candidate((out, channels, 3, 1), ("check",)))
        expect_shape(values, (out, channels, 3, 1), "The shape is the one asked for.")
        expected = np.zeros((out, channels, 3, 1))
        for i in range(min(out, channels)):
            expected[i, i, 1, 0] = 1.0
        expect_close(values, expected, "Only min(out, in) channels can be copied; the others are zero.")
