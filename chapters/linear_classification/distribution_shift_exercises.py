"""Distribution shift: exercises, and what examines them."""

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape


def effective_size_from_logs(log_weights):
    """Kish's effective sample size, computed without leaving the logarithm.

    Args:
        log_weights: natural logarithms (n,) of the weights, of any size.

    Returns:
        A 0-d tensor, the squared sum of the weights over the sum of their squares; between 1 and n.
    """
    raise NotImplementedError


def soft_label_weights(source_probabilities, source_labels, target_probabilities):
    """Weights q(y) / p(y) of the classes from probabilities instead of counted answers.

    Args:
        source_probabilities: what a classifier says of labelled source examples (n, k).
        source_labels: their labels (n,), integers.
        target_probabilities: what it says of target examples (m, k).

    Returns:
        The weights (k,) that solve mu = C w, where C[i, j] is the mean over the source of p(i | x) [y = j] and mu[i]
        the mean over the target of p(i | x).
    """
    raise NotImplementedError


def check_effective_size_from_logs_value(candidate):
    """Moderate weights, compared with the definition."""
    logs = np.array([0.0, 1.0, -2.0, 0.5, 0.5])
    weights = np.exp(logs)
    found = candidate(xp.asarray(logs))
    expect_shape(found, (), "The effective size is one number.")
    expect_close(found, weights.sum() ** 2 / (weights**2).sum(), "It is the squared sum over the sum of squares.", 1e-4)
    expect_close(candidate(xp.zeros((7,))), 7.0, "Seven equal weights are worth seven examples.", 1e-4)


def check_effective_size_from_logs_edges(candidate):
    """Weights that no float holds."""
    for shift in (1000.0, -1000.0):
        expect_close(
            candidate(xp.asarray([shift, shift, shift - 2000.0])),
            2.0,
            f"Two equal weights of e^{shift:.0f} and a negligible one are worth two examples; subtract before you exp.",
            1e-4,
        )


def _classifier(n, k=3):
    """Probabilities (n, k) that depend on the label, and labels (n,)."""
    labels = np.arange(n) % k
    logits = 1.5 * np.eye(k)[labels] + 0.3 * np.sin(np.arange(n * k)).reshape(n, k)
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True), labels


def check_soft_label_weights_value(candidate):
    """A target made of the source's own examples, so that the weights are known."""
    p, labels = _classifier(30)
    wanted = np.array([0.5, 1.0, 1.5])
    target = np.concatenate([np.repeat(p[labels == j], count, axis=0) for j, count in enumerate((1, 2, 3))])
    found = candidate(xp.asarray(p), xp.asarray(labels.astype(np.int32)), xp.asarray(target))
    expect_shape(found, (3,), "There is one weight for each class.")
    expect_close(
        found, wanted, "Classes that occur half, just and one and a half times as often have these weights.", 1e-3, 1e-3
    )


def check_soft_label_weights_edges(candidate):
    """A source whose classes are not equally frequent."""
    p, labels = _classifier(30)
    kept = np.flatnonzero((labels != 0) | (np.arange(30) < 9))
    p, labels = p[kept], labels[kept]
    found = candidate(xp.asarray(p), xp.asarray(labels.astype(np.int32)), xp.asarray(p))
    expect_close(
        found,
        np.ones(3),
        "Where the target is the source all weights are 1; C holds joint shares, not shares within a class.",
        1e-3,
        1e-3,
    )
