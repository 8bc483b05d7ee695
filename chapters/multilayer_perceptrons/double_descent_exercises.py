"""Generalisation in deep learning: stubs and checks of the starred exercises."""

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape
from d2l_core.random import normal


def ridge(X, y, strength):
    """Weights that minimise |X b - y|² + strength |b|², by a linear system with the smaller of n and p unknowns.

    Args:
        X: features (n, p).
        y: targets (n, 1).
        strength: a positive number.

    Returns:
        The weights, (p, 1).
    """
    raise NotImplementedError


def _problem(n, p):
    X, y = normal((n, p), "ridge", n, "X"), normal((n, 1), "ridge", n, "y")
    return X, y, xp.asarray(X, dtype=xp.float_dtype()), xp.asarray(y, dtype=xp.float_dtype())


def check_ridge_value(candidate):
    """Against the normal equations in float64, with more and with fewer features than examples."""
    for n, p in ((12, 4), (4, 12), (6, 6)):
        X, y, X_here, y_here = _problem(n, p)
        for strength in (0.1, 3.0):
            exact = np.linalg.solve(X.T @ X + strength * np.eye(p), X.T @ y)
            found = candidate(X_here, y_here, strength)
            expect_shape(found, (p, 1), f"There is one weight for each of the {p} features.")
            hint = f"Wrong for n = {n}, p = {p}: (X'X + sI)⁻¹X'y equals X'(XX' + sI)⁻¹y."
            expect_close(found, exact, hint, rtol=1e-3, atol=1e-4)


def check_ridge_edges(candidate):
    """Very strong and very weak penalties."""
    X, y, X_here, y_here = _problem(5, 9)
    hint = "For a huge strength the weights tend to X'y / strength."
    expect_close(1e6 * candidate(X_here, y_here, 1e6), X.T @ y, hint, rtol=1e-3, atol=1e-3)
    hint = "For a tiny strength the weights tend to the least-squares solution of the smallest norm."
    expect_close(candidate(X_here, y_here, 1e-5), np.linalg.pinv(X) @ y, hint, rtol=1e-2, atol=1e-3)


def leave_one_out(X, y):
    """Share of the examples whose nearest other example has the same label.

    Args:
        X: features (n, d).
        y: integer labels (n,).

    Returns:
        A float between 0 and 1.
    """
    raise NotImplementedError


def check_leave_one_out_value(candidate):
    """Against a slow double loop."""
    for n, d in ((30, 2), (12, 5)):
        points = normal((n, d), "leave one out", n)
        labels = (points[:, 0] > 0).astype(np.int32)
        right = 0
        for i in range(n):
            distances = [np.inf if i == j else float(np.sum((points[i] - points[j]) ** 2)) for j in range(n)]
            right += int(labels[int(np.argmin(distances))] == labels[i])
        found = candidate(xp.asarray(points, dtype=xp.float_dtype()), xp.asarray(labels))
        hint = "Each example must look for its nearest neighbour among the others, itself excluded."
        expect_close(float(found), right / n, hint, atol=1e-6)


def check_leave_one_out_edges(candidate):
    """Pairs of near neighbours with unlike labels: none is right, though each is its own nearest point."""
    points = np.array([[0.0], [0.1], [10.0], [10.1]])
    X, y = xp.asarray(points, dtype=xp.float_dtype()), xp.asarray(np.array([0, 1, 0, 1], dtype=np.int32))
    expect_close(float(candidate(X, y)), 0.0, "Here every nearest other example has the other label.")
