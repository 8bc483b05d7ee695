"""Weight decay: the exercises that a program examines."""

from __future__ import annotations

import numpy as np

from d2l_core import random, xp
from d2l_core.lessons.checking import expect_close, expect_shape


def lasso_step(X, y, w, lr, strength):
    """One step on half the mean squared error plus `strength` times the sum of the absolute weights.

    First descend on the loss alone, then move each weight by ``lr * strength`` towards zero; a weight that would pass
    zero stops there.

    Args:
        X: centred features, a float tensor (n, d).
        y: centred targets, a float tensor (n, 1).
        w: weights, a float tensor (d, 1).
        lr: learning rate, a float.
        strength: of the penalty, a float.

    Returns:
        The new weights (d, 1).
    """
    raise NotImplementedError


def effective_parameters(X, strength):
    """Sum of h / (h + strength) over the eigenvalues h of X' X / n.

    Args:
        X: centred features, a float tensor (n, d); n may be smaller than d.
        strength: of the penalty, a float, not negative. At 0 the result is the rank of X.

    Returns:
        A 0-d tensor or a float.
    """
    raise NotImplementedError


def _example(n=12, d=5):
    X = random.normal((n, d), "weight_decay", "check", "X")
    w = np.array([1.5, -0.8, 0.02, -0.01, 0.0])[:, None][:d]
    return X, X @ np.array([1.2, -0.5, 0.0, 0.0, 0.0])[:, None][:d], w


def _lasso(X, y, w, lr, strength):
    moved = w - lr * X.T @ (X @ w - y) / len(X)
    return np.sign(moved) * np.maximum(np.abs(moved) - lr * strength, 0.0)


def check_lasso_step_value(candidate):
    X, y, w = _example()
    tensors = [xp.asarray(array) for array in (X, y, w)]
    found = candidate(*tensors, 0.1, 0.0)
    expect_shape(found, (5, 1), "The new weights keep the shape of the old ones.")
    hint = "Without penalty the step must be plain descent on half the mean squared error."
    expect_close(found, _lasso(X, y, w, 0.1, 0.0), hint)
    hint = "Descend first, then shrink by lr * strength; use the weights after the descent for the sign."
    expect_close(candidate(*tensors, 0.1, 0.7), _lasso(X, y, w, 0.1, 0.7), hint)


def check_lasso_step_edges(candidate):
    X, y, w = _example()
    found = xp.to_numpy(candidate(xp.asarray(X), xp.asarray(y), xp.asarray(w), 0.05, 4.0))
    hint = "A weight that would pass zero must stop at zero exactly, not close to it."
    expect_close(found == 0.0, _lasso(X, y, w, 0.05, 4.0) == 0.0, hint)
    zero = xp.zeros((5, 1))
    still = candidate(xp.asarray(X), xp.asarray(0.0 * y), zero, 0.1, 0.5)
    expect_close(still, np.zeros((5, 1)), "Weights of zero that the data do not move must stay; is 0 divided by 0?")


def check_effective_parameters_value(candidate):
    for n, d in ((12, 5), (4, 5)):
        X, _, _ = _example(n, d)
        for strength in (0.05, 1.0, 30.0):
            H = X.T @ X / n
            expected = np.trace(np.linalg.solve(H + strength * np.eye(d), H))
            hint = f"For X {(n, d)} and strength {strength} something is off; are the eigenvalues those of X'X / n?"
            expect_close(candidate(xp.asarray(X), strength), expected, hint, rtol=1e-3)


def check_effective_parameters_edges(candidate):
    X, _, _ = _example(4, 5)
    hint = "Without penalty the result is the rank; an eigenvalue that is zero, or zero but for rounding, must count 0."
    expect_close(candidate(xp.asarray(X), 0.0), 4.0, hint, rtol=1e-3)
    twice = np.concatenate([_example()[0]] * 2, axis=1)
    expect_close(candidate(xp.asarray(twice), 0.0), 5.0, hint, rtol=1e-3)
