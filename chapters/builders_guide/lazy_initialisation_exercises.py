"""Exercises of the lesson on lazy initialisation: stubs to fill in, and the checks that examine them."""

import numpy as np

from d2l_core import nn, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons.checking import expect_close, expect_shape


class Scale(nn.Module):
    """Multiplies each feature by a number of its own and adds another: (..., d) to (..., d).

    Its parameters `weight`, ones at first, and `bias`, zeros at first, have the shape (d,) and do not exist before the
    first input, which tells d.
    """

    def build(self, X):
        """Create the parameters for inputs like X (..., d)."""
        raise NotImplementedError

    def forward(self, X):
        """X weight + bias, for each feature."""
        raise NotImplementedError


def parameter_shapes(model, X):
    """The shapes that the parameters of a model have for inputs like X.

    Args:
        model: a module that may have yet to learn its sizes; it stays as it is, without weights if it has none.
        X: an example input; only its shape and dtype matter.

    Returns:
        A dictionary from the path of each parameter to its shape, a tuple of ints.
    """
    raise NotImplementedError


def _tensor(array):
    return xp.asarray(array, dtype=xp.float_dtype())


def check_Scale_value(candidate):  # noqa: N802 - the name of the class
    """At first the identity; afterwards what the parameters say."""
    X = np.arange(12.0).reshape(4, 3)
    layer = candidate()
    expect_close(layer(_tensor(X)), X, "With ones and zeros the output is the input.")
    layer.load_state_dict({"weight": np.array([1.0, -2.0, 0.5]), "bias": np.array([0.0, 1.0, 10.0])})
    expected = X * np.array([1.0, -2.0, 0.5]) + np.array([0.0, 1.0, 10.0])
    expect_close(layer(_tensor(X)), expected, "Feature j is multiplied by weight[j] and shifted by bias[j].")


def check_Scale_gradient(candidate):  # noqa: N802
    """Both parameters are found and differentiated."""
    X = np.arange(12.0).reshape(4, 3)
    layer = candidate()
    assert not layer.parameters(), "Before the first input there should be no parameters; create them in build."
    layer.initialise(_tensor(X[:1]), seed=0)
    assert set(layer.parameters()) == {"weight", "bias"}, (
        f"The parameters should be 'weight' and 'bias', but are {sorted(layer.parameters())}; assign nn.Parameter."
    )
    _, gradients = value_and_grad(lambda X: xp.sum(layer(X)), layer)(_tensor(X))
    expect_close(gradients["weight"], X.sum(axis=0), "The gradient of the weight is the sum of the features.")
    expect_close(gradients["bias"], np.full(3, 4.0), "The gradient of the bias counts the rows.")


def check_Scale_edges(candidate):  # noqa: N802
    """Inputs with more axes, and a place within a model."""
    model = nn.Sequential(nn.Linear(6), candidate(), nn.Linear(2))
    output = model(_tensor(np.ones((2, 5, 4))))
    expect_shape(output, (2, 5, 2), "The features are the last axis, however many there are before.")
    expect_shape(model.get("1.weight").value, (6,), "The last axis of the first input tells the number of features.")


def check_parameter_shapes_value(candidate):
    """A model that has yet to learn its sizes."""
    model = nn.Sequential(nn.Conv2d(3, 2), nn.Flatten(), nn.Linear(4))
    found = dict(candidate(model, xp.zeros((2, 1, 5, 5))))
    expected = {"0.weight": (3, 1, 2, 2), "0.bias": (3,), "2.weight": (4, 48), "2.bias": (4,)}
    assert {path: tuple(shape) for path, shape in found.items()} == expected, (
        f"The shapes should be {expected}, but are {found}."
    )


def check_parameter_shapes_effects(candidate):
    """The model stays without weights, ready for inputs of another size."""
    model = nn.Sequential(nn.Linear(3), nn.Tanh(), nn.Linear(1))
    candidate(model, xp.zeros((2, 7)))
    assert not model.parameters(), "The model has weights now; ask a copy instead (clone)."
    expect_shape(model(xp.zeros((2, 9))), (2, 1), "Afterwards the model should still take inputs of any size.")


def check_parameter_shapes_edges(candidate):
    """A model that has its weights already keeps them."""
    model = nn.Linear(2).initialise(xp.ones((1, 3)), seed=5)
    before = model.state_dict()
    found = dict(candidate(model, xp.ones((1, 3))))
    assert tuple(found.get("weight", ())) == (2, 3), "For a model with weights these are the shapes that it has."
    expect_close(model.weight, before["weight"], "The weights of the model have changed; leave them as they are.")
