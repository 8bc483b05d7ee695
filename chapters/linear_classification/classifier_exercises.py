"""What all classifiers share: the exercises that a program examines."""

from __future__ import annotations

import numpy as np

from d2l_core import random, xp
from d2l_core.lessons.checking import expect_close, expect_shape


def balanced_accuracy(counts):
    """Mean of the recalls of all classes that occur.

    Args:
        counts: a float tensor (k, k); row j, column l for examples of class j that were answered with l. A row may hold
            nothing but zeros.

    Returns:
        A 0-d tensor.
    """
    raise NotImplementedError


def mean_surplus(scores, labels, beta):
    """Derivative with respect to beta of the mean cross-entropy of the scores times beta.

    Args:
        scores: a float tensor (n, k).
        labels: an integer tensor (n,).
        beta: a positive float, one over the temperature.

    Returns:
        A 0-d tensor: the mean over the examples of the expected score, under the softmax of beta times the scores,
        minus the score of the label.
    """
    raise NotImplementedError


def check_balanced_accuracy_value(candidate):
    counts = np.array([[90.0, 8.0, 2.0], [1.0, 3.0, 1.0], [5.0, 0.0, 5.0]])
    found = candidate(xp.asarray(counts))
    expect_shape(found, (), "The result is one number.")
    hint = "Divide each entry of the diagonal by the sum of its row, the examples of the class, and take the mean."
    expect_close(found, (0.9 + 0.6 + 0.5) / 3, hint)


def check_balanced_accuracy_edges(candidate):
    constant = np.array([[990.0, 0.0], [10.0, 0.0]])
    expect_close(candidate(xp.asarray(constant)), 0.5, "A constant answer to two classes must get one half.")
    absent = np.array([[3.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 2.0, 2.0]])
    hint = "A class without examples has no recall; leave it out of sum and count, and do not divide by zero."
    expect_close(candidate(xp.asarray(absent)), (0.75 + 0.5) / 2, hint)


def _loss(scores, labels, beta):
    scaled = beta * scores
    return (np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(labels)), labels]).mean()


def check_mean_surplus_value(candidate):
    scores = random.normal((8, 5), "classifier", "check", std=2.0)
    labels = np.arange(8) % 5
    tensors = xp.asarray(scores), xp.asarray(labels)
    expect_shape(candidate(*tensors, 1.0), (), "The result is one number, the mean over the examples.")
    for beta in (0.3, 1.0, 2.5):
        slope = (_loss(scores, labels, beta + 1e-5) - _loss(scores, labels, beta - 1e-5)) / 2e-5
        hint = f"For beta = {beta}: are the scores themselves left unscaled, and only the probabilities made with beta?"
        expect_close(candidate(*tensors, beta), slope, hint, rtol=1e-4, atol=1e-5)


def check_mean_surplus_edges(candidate):
    scores = xp.asarray([[1000.0, 0.0], [0.0, -1000.0]])
    hint = "Scores of a thousand must not overflow; use a softmax that subtracts the largest."
    expect_close(candidate(scores, xp.asarray(np.array([1, 0])), 1.0), 500.0, hint)
