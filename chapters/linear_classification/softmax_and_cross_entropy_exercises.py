"""Softmax and cross-entropy: the exercises that a program examines."""

from __future__ import annotations

import numpy as np

from d2l_core import random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons.checking import expect_close, expect_shape


def softplus(x):
    """log(1 + exp(x)) of each element, without overflow and with all digits where it is small.

    Args:
        x: a float tensor of any shape.

    Returns:
        A float tensor of the same shape.
    """
    raise NotImplementedError


def divergence(scores, q):
    """Mean over the rows of the divergence of softmax(scores) from q, the sum of q log(q / p), in nats.

    Args:
        scores: a float tensor (n, k).
        q: rows of probabilities, a float tensor (n, k); where q is 0 the term is 0.

    Returns:
        A 0-d tensor.
    """
    raise NotImplementedError


_POINTS = np.array([[-50.0, -20.0, -3.0, -0.5], [0.0, 0.5, 4.0, 30.0]])


def check_softplus_value(candidate):
    found = candidate(xp.asarray(_POINTS))
    expect_shape(found, (2, 4), "The function works element by element.")
    hint = "Small values lose their digits where 1 is added before the logarithm is taken; is there a log1p?"
    expect_close(found, np.logaddexp(0.0, _POINTS), hint, atol=0.0)


def check_softplus_gradient(candidate):
    points = np.concatenate([_POINTS.ravel(), [-1000.0, 1000.0]])
    _, gradient = value_and_grad(lambda x: xp.sum(candidate(x)))(xp.asarray(points))
    hint = "The derivative is the sigmoid 1 / (1 + exp(-x)), also at 0, where max(x, 0) and |x| have kinks."
    with np.errstate(over="ignore"):
        expected = 1.0 / (1.0 + np.exp(-points))
    expect_close(gradient, expected, hint, atol=1e-7)


def check_softplus_edges(candidate):
    hint = "For large x the exponential overflows; take x itself out of the logarithm first."
    expect_close(candidate(xp.asarray([1000.0, -1000.0])), np.array([1000.0, 0.0]), hint)


def _example():
    scores = random.normal((5, 4), "cross_entropy", "check", "scores", std=2.0)
    q = random.uniform((5, 4), "cross_entropy", "check", "truth", low=0.1)
    q[3] = [0.0, 1.0, 0.0, 0.0]
    q[4, 2] = 0.0
    return scores, q / q.sum(axis=1, keepdims=True)


def _log_p(scores):
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def check_divergence_value(candidate):
    scores, q = _example()
    logs = np.log(np.where(q > 0, q, 1.0))
    expected = (q * (logs - _log_p(scores))).sum(axis=1).mean()
    found = candidate(xp.asarray(scores), xp.asarray(q))
    expect_shape(found, (), "The result is one number, the mean over the rows.")
    expect_close(found, expected, "Sum over the classes, take the mean over the rows, and let zeros in q cost nothing.")
    same = candidate(xp.asarray(np.log(q[:3]) + 7.0), xp.asarray(q[:3]))
    expect_close(same, 0.0, "Where the softmax of the scores is q itself, the divergence is zero.", atol=1e-5)


def check_divergence_gradient(candidate):
    scores, q = _example()
    _, gradient = value_and_grad(lambda s: candidate(s, xp.asarray(q)))(xp.asarray(scores))
    expect_close(gradient, (np.exp(_log_p(scores)) - q) / 5, "The gradient is belief minus truth, over n.", atol=1e-6)


def check_divergence_edges(candidate):
    found = candidate(xp.asarray([[1000.0, 0.0, -1000.0]]), xp.asarray([[0.0, 1.0, 0.0]]))
    expect_close(found, 1000.0, "Use the logarithms of the softmax, not the logarithm of probabilities.")
