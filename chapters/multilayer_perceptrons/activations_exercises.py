"""Exercises of the lesson on activation functions: fill in the functions, then run `d2l check` on this file."""

from __future__ import annotations

import numpy as np

from d2l_core import xp
from d2l_core.autodiff import grad
from d2l_core.lessons.checking import expect_close, expect_shape


def swish(Z, beta=1.0):
    """z times the sigmoid of beta z, for every element.

    Args:
        Z: a tensor of any shape.
        beta: a positive Python number.

    Returns:
        A tensor of the shape of Z.
    """
    raise NotImplementedError


def maxout(X, weight, bias):
    """Units that take the largest of several weighted sums.

    Args:
        X: n inputs, a tensor (n, d).
        weight: of p sums for each of m units, a tensor (p, m, d).
        bias: a tensor (p, m).

    Returns:
        A tensor (n, m): for each input and unit the largest of its p sums.
    """
    raise NotImplementedError


def _logistic(z):
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def check_swish_value(candidate):
    z = np.array([[-3.0, -0.5], [0.0, 2.0]])
    for beta in (1.0, 2.5):
        found = candidate(xp.asarray(z), beta)
        expect_shape(found, (2, 2), "The result has the shape of Z.")
        expect_close(found, z * _logistic(beta * z), f"For beta = {beta} it should be z times the sigmoid of beta z.")


def check_swish_gradient(candidate):
    z, beta = np.array([-3.0, -0.5, 0.0, 2.0]), 1.5
    found = grad(lambda z: xp.sum(candidate(z, beta)))(xp.asarray(z))
    s = _logistic(beta * z)
    expect_close(found, s + beta * z * s * (1 - s), "By the product rule the slope is s + beta z s (1 - s).")


def check_swish_edges(candidate):
    z = np.array([-200.0, 200.0])
    expect_close(candidate(xp.asarray(z)), [0.0, 200.0], "Far out it is 0 on the left and z on the right.")
    found = grad(lambda z: xp.sum(candidate(z)))(xp.asarray(z))
    expect_close(found, [0.0, 1.0], "Far out the slope must be 0 and 1; where does an exponential overflow?")


def _layer():
    X = np.array([[1.0, 2.0], [-1.0, 0.5], [0.0, -3.0]])
    weight = np.array([[[1.0, 0.0], [0.5, 0.5]], [[-1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [1.0, -1.0]]])
    bias = np.array([[0.0, 0.1], [0.0, -0.1], [0.5, 0.0]])
    return X, weight, bias


def check_maxout_value(candidate):
    X, weight, bias = _layer()
    found = candidate(*(xp.asarray(array) for array in (X, weight, bias)))
    expect_shape(found, (3, 2), "One number for each input and unit.")
    sums = np.einsum("nd,pmd->pnm", X, weight) + bias[:, None, :]
    expect_close(found, sums.max(axis=0), "The largest of the p sums of each unit; is the bias added before?")


def check_maxout_absolute_value(candidate):
    weight, bias = np.array([[[1.0]], [[-1.0]]]), np.zeros((2, 1))
    x = np.array([[-2.0], [0.5], [3.0]])
    found = candidate(*(xp.asarray(array) for array in (x, weight, bias)))
    expect_close(found, np.abs(x), "The larger of x and -x is the absolute value.")


def check_maxout_gradient(candidate):
    X, weight, bias = _layer()
    found = grad(lambda X: xp.sum(candidate(X, xp.asarray(weight), xp.asarray(bias))))(xp.asarray(X))
    best = (np.einsum("nd,pmd->pnm", X, weight) + bias[:, None, :]).argmax(axis=0)  # (n, m)
    expected = np.stack([weight[best[i], np.arange(2)].sum(axis=0) for i in range(3)])
    expect_close(found, expected, "The gradient passes through the largest sum of each unit alone.")
