"""Exercises of the lesson on custom layers: stubs to fill in, and the checks that examine them."""

import numpy as np

from d2l_core import nn, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons.checking import expect_close, expect_shape


class UnitRows(nn.Module):
    """Divides each row by its Euclidean length; a row of zeros stays as it is. It has no parameters."""

    def forward(self, X):
        """X of shape (n, d) to rows of length one, (n, d); gradients are finite everywhere."""
        raise NotImplementedError


def sign_through(x):
    """1 where x >= 0 and -1 elsewhere, in the dtype of x, with a gradient of its own.

    The gradient of the result is passed on unchanged where -1 <= x <= 1, and is zero elsewhere.

    Args:
        x: floats of any shape.
    """
    raise NotImplementedError


def _rows():
    return np.array([[3.0, 4.0, 0.0], [0.5, -0.5, 0.5], [0.0, 0.0, 0.0], [-1e-3, 0.0, 0.0]])


def _tensor(array):
    return xp.asarray(array, dtype=xp.float_dtype())


def check_UnitRows_value(candidate):  # noqa: N802 - the name of the class
    """Lengths one, directions kept, zeros kept."""
    X = _rows()
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    output = candidate()(_tensor(X))
    expect_shape(output, (4, 3), "The shape of the input is kept.")
    expect_close(
        output, X / np.where(lengths > 0, lengths, 1.0), "Each row is divided by its own length, not by that of X."
    )


def check_UnitRows_gradient(candidate):  # noqa: N802
    """Against central differences, and finite in a row of zeros."""
    X, pull = _rows(), np.array([[1.0, 2.0, -1.0]])
    layer = candidate()
    _, gradient = value_and_grad(lambda X: xp.sum(layer(X) * _tensor(pull)))(_tensor(X))
    found = np.asarray(xp.to_numpy(gradient))
    assert np.isfinite(found).all(), (
        "The gradient is not finite: the root has an infinite slope at zero, and where() multiplies it by zero. "
        "Give the root something positive in the rows of zeros."
    )
    for i in (0, 1):
        unit = X[i] / np.linalg.norm(X[i])
        expected = (pull[0] - unit * (unit @ pull[0])) / np.linalg.norm(X[i])
        expect_close(
            found[i], expected, f"The gradient of row {i} is wrong; the length depends on the row, too.", rtol=1e-4
        )


def check_UnitRows_edges(candidate):  # noqa: N802
    """It has no parameters and works within a model."""
    layer = candidate()
    assert not layer.parameters(), "This layer has nothing to learn; it needs no parameters."
    model = nn.Sequential(nn.Linear(4), layer).initialise(_tensor(_rows()), seed=0)
    lengths = np.linalg.norm(xp.to_numpy(model(_tensor(_rows() + 1.0))), axis=1)
    expect_close(lengths, np.ones(4), "Behind an affine map, too, all rows have the length one.")


def check_sign_through_value(candidate):
    """The two values, zero included, in any shape."""
    x = np.array([[-2.0, -0.25, 0.0], [0.25, 1.0, 5.0]])
    output = candidate(_tensor(x))
    expect_close(output, np.array([[-1.0, -1.0, 1.0], [1.0, 1.0, 1.0]]), "The sign of x, and 1 at zero.")
    assert output.dtype == _tensor(x).dtype, "The result should have the dtype of x."


def check_sign_through_gradient(candidate):
    """Passed on between -1 and 1, and nowhere else."""
    x, pull = np.array([-2.0, -0.9, 0.0, 0.3, 1.5]), np.array([1.0, 2.0, 3.0, -4.0, 5.0])
    _, gradient = value_and_grad(lambda x: xp.sum(candidate(x) * _tensor(pull)))(_tensor(x))
    hint = "The incoming gradient is passed on where |x| <= 1 and is zero elsewhere; it is not the derivative of sign."
    expect_close(gradient, np.array([0.0, 2.0, 3.0, -4.0, 0.0]), hint)


def check_sign_through_edges(candidate):
    """At the borders the gradient passes."""
    _, gradient = value_and_grad(lambda x: xp.sum(candidate(x)))(_tensor(np.array([-1.0, 1.0, 1.001])))
    expect_close(gradient, np.array([1.0, 1.0, 0.0]), "The borders -1 and 1 belong to the part where it is passed on.")
