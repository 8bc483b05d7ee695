"""Softmax regression: what the starred exercises ask for, and the checks of an answer."""

import numpy as np

from d2l_core import random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons.checking import expect_close


def _examples(n=6, k=4):
    logits = random.normal((n, k), "softmax_regression_solutions", "logits", std=3.0)
    return logits, np.arange(n, dtype=np.int32) % k


def smoothed_loss(logits, labels, epsilon):
    """Mean cross-entropy between smoothed labels and softmax(logits); logits (n, k), labels (n,)."""
    raise NotImplementedError


def _smoothed(candidate, scale, epsilon):
    """Value, gradient and what both should be."""
    logits, labels = _examples()
    o = scale * logits
    log_p = o - o.max(axis=1, keepdims=True)
    log_p = log_p - np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    q = (1.0 - epsilon) * np.eye(logits.shape[1])[labels] + epsilon / logits.shape[1]
    targets = xp.asarray(labels)
    value, gradient = value_and_grad(lambda x: candidate(x, targets, epsilon))(xp.asarray(o))
    return value, gradient, -(q * log_p).sum(axis=1).mean(), (np.exp(log_p) - q) / len(labels)


def check_smoothed_loss_value(candidate):
    """The loss for several degrees of smoothing."""
    for epsilon in (0.0, 0.1, 0.4):
        value, _, expected, _ = _smoothed(candidate, 1.0, epsilon)
        hint = f"With epsilon = {epsilon} it should be the mean over rows of - sum q log p."
        expect_close(value, expected, hint, rtol=1e-4)


def check_smoothed_loss_gradient(candidate):
    """The gradient for several degrees of smoothing."""
    for epsilon in (0.0, 0.1, 0.4):
        _, gradient, _, expected = _smoothed(candidate, 1.0, epsilon)
        expect_close(gradient, expected, f"With epsilon = {epsilon} the gradient should be (p - q) / n.", atol=1e-5)


def check_smoothed_loss_edges(candidate):
    """Large logits."""
    value, gradient, expected, slope = _smoothed(candidate, 300.0, 0.1)
    hint = "With logits of several hundred the loss should stay right; compute the log of the softmax as one function."
    expect_close(value, expected, hint, rtol=1e-4)
    expect_close(gradient, slope, hint, atol=1e-5)


def top_k_accuracy(logits, labels, k):
    """Share of rows of logits (n, c) whose label (n,) is among the k largest entries."""
    raise NotImplementedError


def check_top_k_accuracy_value(candidate):
    """Raise AssertionError with a hint unless `candidate` counts labels among the k largest logits."""
    logits, labels = _examples(n=40, k=5)
    ranked = np.argsort(-logits, axis=1)
    for k in (1, 2, 5):
        expected = np.mean([label in row[:k] for label, row in zip(labels, ranked, strict=True)])
        found = float(xp.to_numpy(candidate(xp.asarray(logits), xp.asarray(labels), k)))
        assert np.isclose(found, expected), f"For k = {k} the share should be {expected:.3f} but is {found:.3f}."
