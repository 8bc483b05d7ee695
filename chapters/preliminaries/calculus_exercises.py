"""Exercises of the lesson on calculus: fill in the functions, then run `d2l check` on this file."""

from __future__ import annotations

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape


def richardson(f, x, h):
    """The derivative of f at x from central differences with the steps h and h / 2, without the error of order h².

    Args:
        f: works element by element.
        x: a tensor of any shape.
        h: a Python number, the larger of the two steps.

    Returns:
        A tensor of the shape of x.
    """
    raise NotImplementedError


def second_difference(f, x, h):
    """The second derivative of f at x from the values at x - h, x and x + h.

    Args:
        f: works element by element.
        x: a tensor of any shape.
        h: a Python number.

    Returns:
        A tensor of the shape of x.
    """
    raise NotImplementedError


def check_richardson_value(candidate):
    x = np.array([0.5, 1.0, 1.5])
    found = candidate(lambda t: t * t * t, xp.asarray(x), 0.25)
    expect_shape(found, (3,), "One derivative for each element of x.")
    expect_close(
        found, 3 * x**2, "A cubic has an error of order h² only, so its derivative should come out exactly.", rtol=1e-4
    )


def check_richardson_order(candidate):
    def fifth(t):
        return t * t * t * t * t

    found = candidate(fifth, xp.asarray(0.0), 1.0)
    expect_close(
        found,
        -0.25,
        "For t⁵ at 0 the central differences are 1 for h = 1 and 1/16 for h/2; the combination (4 b - a) / 3 is -1/4.",
        rtol=1e-4,
    )


def check_richardson_edges(candidate):
    found = candidate(lambda t: 2.0 * t, xp.asarray(np.ones((2, 3))), 0.5)
    expect_shape(found, (2, 3), "x may have any shape.")
    expect_close(found, np.full((2, 3), 2.0), "The weights of the two differences must add up to one.")


def check_second_difference_value(candidate):
    x = np.array([0.5, 1.0, 1.5])
    found = candidate(lambda t: t * t * t, xp.asarray(x), 0.25)
    expect_shape(found, (3,), "One second derivative for each element of x.")
    expect_close(found, 6 * x, "For a cubic the three values give 6x exactly; is the sum divided by h²?", rtol=1e-4)


def check_second_difference_edges(candidate):
    found = candidate(lambda t: 3.0 * t + 1.0, xp.asarray(np.ones((2, 2))), 0.5)
    expect_close(
        found, np.zeros((2, 2)), "A straight line has no curvature; is the middle value taken twice?", atol=1e-5
    )
    found = candidate(lambda t: t * t * t * t, xp.asarray(0.0), 0.5)
    expect_close(found, 0.5, "For t⁴ at 0 the estimate is 2h², not zero; only three values may be used.", rtol=1e-4)
