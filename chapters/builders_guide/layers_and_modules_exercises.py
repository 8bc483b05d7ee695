"""Exercises of the lesson on layers and modules: stubs to fill in, and the checks that examine them."""

import numpy as np

from d2l_core import nn, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons.checking import expect_close, expect_shape


class Parallel(nn.Module):
    """Gives one input to several branches and joins their outputs along the last axis.

    Args:
        branches: one or more modules from (n, d) to (n, m_1), (n, m_2) ...; all their parameters belong to this module.
    """

    def __init__(self, *branches):
        raise NotImplementedError

    def forward(self, X):
        """The joined outputs: (n, d) to (n, m_1 + m_2 + ...)."""
        raise NotImplementedError


def call_counts(model, X):
    """How often each module is called while ``model(X)`` is computed.

    Args:
        model: an initialised module.
        X: its input.

    Returns:
        A dictionary from the path of every module of the tree (``""`` for the model itself), in the order of
        ``model.named_modules()``, to a number of calls, 0 included. A module that sits in several places stands there
        once, under its first path. The model has no more hooks afterwards than before.
    """
    raise NotImplementedError


def _branches():
    """Two affine maps of three inputs and an input for them, with known numbers."""
    first, second = nn.Linear(2, 3).initialise(seed=1), nn.Linear(4, 3).initialise(seed=2)
    return first, second, xp.asarray(np.linspace(-1.0, 1.0, 15).reshape(5, 3), dtype=xp.float_dtype())


def check_Parallel_value(candidate):  # noqa: N802 - the name of the class
    """The outputs stand side by side, in the order of the branches."""
    first, second, X = _branches()
    output = candidate(first, second)(X)
    expect_shape(output, (5, 6), "Branches of 2 and 4 outputs make rows of 6 numbers; join along the last axis.")
    expected = np.concatenate([xp.to_numpy(first(X)), xp.to_numpy(second(X))], axis=1)
    expect_close(output, expected, "Each branch gets the input itself, and the first branch comes first.")


def check_Parallel_gradient(candidate):  # noqa: N802
    """The parameters of all branches are found and differentiated, those of a repeated branch once."""
    first, second, X = _branches()
    model = candidate(first, second)
    assert len(model.parameters()) == 4, (
        f"The tree shows {len(model.parameters())} parameters where two affine maps have 4; "
        "keep the branches in a container that the tree sees."
    )
    model(X)
    _, gradients = value_and_grad(lambda X: xp.sum(model(X)), model)(X)
    for gradient in gradients.values():
        rows = np.asarray(xp.to_numpy(gradient))
        assert np.abs(rows).max() > 0.0, "A parameter gets the gradient zero; does its branch reach the output?"
    assert len(candidate(first, first).parameters()) == 2, "One branch given twice has its two parameters once."


def check_Parallel_edges(candidate):  # noqa: N802
    """A single branch, and branches that have yet to learn their sizes."""
    first, _, X = _branches()
    expect_close(candidate(first)(X), xp.to_numpy(first(X)), "With a single branch the output is that of the branch.")
    model = candidate(nn.Linear(2), nn.Sequential(nn.Linear(7), nn.Tanh(), nn.Linear(1))).initialise(X, seed=0)
    expect_shape(model(X), (5, 3), "Branches may be any modules, also such as learn their sizes from the first input.")


def check_call_counts_value(candidate):
    """A shared layer is counted at each call."""
    shared = nn.Linear(3, 3)
    model = nn.Sequential(shared, nn.Tanh(), shared, nn.Sequential(shared, nn.Tanh()))
    X = xp.ones((2, 3))
    found = dict(candidate(model.initialise(X, seed=0), X))
    assert found.get("0") == 3, f"The layer '0' sits in three places and is called 3 times, not {found.get('0')}."
    expected = {"": 1, "0": 3, "1": 1, "3": 1, "3.1": 1}
    assert found == expected, f"The counts should be {expected}, but are {found}."


class _WithSpare(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.spare = nn.Linear(2, 2), nn.Linear(2, 2)

    def forward(self, X):
        return self.used(X)


def check_call_counts_edges(candidate):
    """A part that is never called counts 0, and no hook is left behind."""
    X = xp.ones((1, 2))
    model = _WithSpare().initialise(X, seed=0)
    found = dict(candidate(model, X))
    assert found.get("spare") == 0, "A module of the tree that is not called belongs into the dictionary with 0."
    once = dict(found)
    model(X)
    assert dict(found) == once, "A call of the model after yours has been counted; remove the hooks when you are done."
    assert dict(candidate(model, X)) == once, "A second count differs from the first; remove the hooks of the first."
