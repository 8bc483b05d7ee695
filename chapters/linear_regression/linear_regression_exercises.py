"""Linear regression: what the starred exercises ask for, and the checks of an answer."""

import numpy as np
from d2l_chapters.linear_regression.linear_regression import airfoil, curvature

from d2l_core import xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons.checking import expect_close


def huber(y_hat, y, delta):
    """Mean of Huber's loss of the residuals; a 0-d tensor."""
    raise NotImplementedError


_RESIDUALS = np.array([[-4.0], [-0.5], [0.25], [1.0], [3.0]])


def _huber_of(candidate, delta):
    y_hat, y = xp.asarray(_RESIDUALS + 1.0), xp.asarray(np.ones((5, 1)))
    return value_and_grad(lambda p: candidate(p, y, delta))(y_hat)


def check_huber_value(candidate):
    """The value on both sides of delta."""
    for delta in (0.75, 2.0):
        size = np.abs(_RESIDUALS)
        expected = np.where(size <= delta, 0.5 * size**2, delta * (size - 0.5 * delta)).mean()
        value, _ = _huber_of(candidate, delta)
        expect_close(value, expected, f"For delta = {delta} the loss should be the mean over the batch.")


def check_huber_gradient(candidate):
    """The gradient on both sides of delta."""
    for delta in (0.75, 2.0):
        hint = f"For delta = {delta} the gradient should be the residual limited to plus or minus delta, over n."
        expect_close(_huber_of(candidate, delta)[1], np.clip(_RESIDUALS, -delta, delta) / 5, hint)


def stable_rate(X, steps=200):
    """The learning rate at which full-batch descent on the mean squared error begins to diverge; a float."""
    raise NotImplementedError


def check_stable_rate_value(candidate):
    """Raise AssertionError with a hint unless `candidate` finds the limit for several sets of features."""
    train = airfoil("smoke", 0).train.arrays[0]
    for name, X in (
        ("the airfoil features", train),
        ("doubled features", 2.0 * train),
        ("shifted features", train + 3.0),
    ):
        expected = 2.0 / curvature(X)[-1]
        found = candidate(xp.asarray(X))
        assert np.isclose(found, expected, rtol=1e-3), (
            f"For {name} the limit is {expected:.4f} but you found {found:.4f}; "
            "does H have the factor 2/n and a column for the bias?"
        )
