"""Exercises of the lesson on automatic differentiation: fill in the functions, then run `d2l check` on this file."""

from __future__ import annotations

import numpy as np

from d2l_core import xp
from d2l_core.autodiff import grad, value_and_grad
from d2l_core.lessons.checking import expect_close, expect_shape


def straight_through_round(x):
    """x rounded to whole numbers, with the derivative of x itself.

    Args:
        x: a float tensor of any shape.

    Returns:
        A tensor of the same shape.
    """
    raise NotImplementedError


def jacobian_by_columns(f, x):
    """All partial derivatives of f at x, from one product with a unit vector for each element of x.

    Args:
        f: from a tensor (n,) to a tensor (m,).
        x: a tensor (n,).

    Returns:
        A tensor (m, n), with the derivative of the i-th result with respect to the j-th element at [i, j].
    """
    raise NotImplementedError


def squared_slope(f, x):
    """The squared length of the gradient of f at x, which can itself be differentiated with respect to x.

    Args:
        f: from a tensor (n,) to a 0-d tensor.
        x: a tensor (n,).

    Returns:
        A 0-d tensor.
    """
    raise NotImplementedError


def check_straight_through_round_value(candidate):
    x = np.array([[-1.2, 0.4], [2.6, 3.0]])
    found = candidate(xp.asarray(x))
    expect_shape(found, (2, 2), "The result has the shape of x.")
    expect_close(found, np.round(x), "The value should be x rounded to whole numbers.")


def check_straight_through_round_gradient(candidate):
    x = np.array([-1.2, 0.4, 2.6])
    found = grad(lambda x: xp.sum(candidate(x) * candidate(x)))(xp.asarray(x))
    expect_close(
        found,
        2 * np.round(x),
        "Behind the rounding the adjoint must arrive unchanged at x; which part should stop_gradient hold fixed?",
    )


def check_jacobian_by_columns_value(candidate):
    x = np.array([0.5, -1.0, 2.0])
    found = candidate(lambda x: xp.stack([x[0] * x[1], x[1] * x[2] * x[2]]), xp.asarray(x))
    expect_shape(found, (2, 3), "Two results and three variables.")
    expected = np.array([[x[1], x[0], 0.0], [0.0, x[2] ** 2, 2 * x[1] * x[2]]])
    expect_close(found, expected, "Each forward product gives a column, one entry for each result.")


def check_jacobian_by_columns_edges(candidate):
    found = candidate(lambda x: xp.stack([xp.sum(x * x)]), xp.asarray(np.array([3.0])))
    expect_shape(found, (1, 1), "One result and one variable still make a matrix.")
    expect_close(found, np.array([[6.0]]), "The derivative of x² at 3 is 6.")


def check_squared_slope_value(candidate):
    x = np.array([1.0, -2.0])
    found = candidate(lambda x: xp.sum(x * x * x), xp.asarray(x))
    expect_shape(found, (), "The squared length is one number.")
    expect_close(found, np.sum(9 * x**4), "The gradient of the sum of cubes is 3x².")


def check_squared_slope_gradient(candidate):
    x = np.array([1.0, -2.0])
    _, found = value_and_grad(lambda x: candidate(lambda x: xp.sum(x * x * x), x))(xp.asarray(x))
    expect_close(
        found, 36 * x**3, "It should be twice the matrix of second derivatives times the gradient; is x held fixed?"
    )
