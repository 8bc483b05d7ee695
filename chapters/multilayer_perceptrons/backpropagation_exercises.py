"""Backpropagation: stubs and checks of the starred exercises."""

import numpy as np

from d2l_core import xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons.checking import expect_close, expect_shape
from d2l_core.random import normal


def residual_backward(X, weight, d_Y):
    """Adjoints of a residual layer Y = X + tanh(X W'), with primitives only.

    Args:
        X: inputs (n, m).
        weight: W, (m, m).
        d_Y: adjoint of the output, (n, m).

    Returns:
        The adjoint of X, (n, m), and that of the weight, (m, m).
    """
    raise NotImplementedError


def _case(n, m, scale=1.0):
    draw = [normal(shape, "backpropagation", i) for i, shape in enumerate(((n, m), (m, m), (n, m)))]
    return [xp.asarray(array, dtype=xp.float_dtype()) for array in (draw[0], scale * draw[1], draw[2])]


def _residual(X, weight, d_Y):
    """A number whose gradients are the adjoints."""
    return xp.sum(d_Y * (X + xp.tanh(xp.matmul(X, xp.matrix_transpose(weight)))))


def check_residual_backward_value(candidate):
    """Both adjoints against automatic differentiation."""
    X, weight, d_Y = _case(5, 3)
    d_X, d_weight = candidate(X, weight, d_Y)
    expect_shape(d_X, (5, 3), "The adjoint of X has the shape of X.")
    expect_shape(d_weight, (3, 3), "The adjoint of the weight has the shape of the weight.")
    _, (right_X, right_weight) = value_and_grad(_residual, wrt=(0, 1))(X, weight, d_Y)
    hint = "X reaches Y in two ways, directly and through tanh: add what comes back by both."
    expect_close(d_X, xp.to_numpy(right_X), hint, rtol=1e-4, atol=1e-5)
    hint = "The weight's adjoint is (adjoint of Z)' X, where the slope of tanh is 1 - tanh(Z)²."
    expect_close(d_weight, xp.to_numpy(right_weight), hint, rtol=1e-4, atol=1e-5)


def check_residual_backward_edges(candidate):
    """A weight of zeros, where only the detour is left; and saturated units."""
    X, weight, d_Y = _case(4, 2, scale=0.0)
    d_X, _ = candidate(X, weight, d_Y)
    expect_close(d_X, xp.to_numpy(d_Y), "With W = 0 the adjoint must pass through unchanged.")
    X, weight, d_Y = _case(4, 2, scale=1e4)
    d_X, d_weight = candidate(X, weight, d_Y)
    finite = all(np.isfinite(xp.to_numpy(part)).all() for part in (d_X, d_weight))
    assert finite, "For very large weights tanh saturates and its slope is 0; the adjoints must stay finite."


def tied_gradient(X, weight):
    """Gradient of the mean of (tanh(X W') W - X)² over all elements, with respect to W, by hand.

    Args:
        X: inputs (n, d).
        weight: W, (m, d), which occurs twice.

    Returns:
        The gradient, (m, d).
    """
    raise NotImplementedError


def _tied_loss(X, weight):
    hidden = xp.tanh(xp.matmul(X, xp.matrix_transpose(weight)))  # (n, m)
    return xp.mean(xp.square(xp.matmul(hidden, weight) - X))


def check_tied_gradient_value(candidate):
    """Against automatic differentiation, for several shapes."""
    for n, d, m in ((6, 5, 3), (2, 4, 7), (1, 1, 1)):
        X, weight = (
            xp.asarray(normal(shape, "tied", n, i), dtype=xp.float_dtype()) for i, shape in enumerate(((n, d), (m, d)))
        )
        found = candidate(X, weight)
        expect_shape(found, (m, d), "The gradient has the shape of the weight.")
        _, right = value_and_grad(_tied_loss, wrt=1)(X, weight)
        hint = "W is used twice: the gradient is the sum of both ways; the mean is over all n d elements."
        expect_close(found, xp.to_numpy(right), hint, rtol=1e-4, atol=1e-5)
