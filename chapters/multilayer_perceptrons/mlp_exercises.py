"""Multilayer perceptrons and dropout: what the starred exercises ask for, and the checks of an answer."""

import itertools

import numpy as np

from d2l_core import random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons.checking import expect_close
from d2l_core.nn.functional import relu


def leaky_relu(X, slope):
    """Positive elements as they are, the others times `slope`."""
    raise NotImplementedError


_ELEMENTS = random.normal((5, 7), "mlp_solutions", "leaky", std=2.0)


def check_leaky_relu_value(candidate):
    """Values for several slopes."""
    for slope in (0.0, 0.01, 0.3):
        hint = f"With the slope {slope} positive elements should stay and the others should be multiplied by it."
        expect_close(candidate(xp.asarray(_ELEMENTS), slope), np.where(_ELEMENTS > 0, 1.0, slope) * _ELEMENTS, hint)


def check_leaky_relu_gradient(candidate):
    """Gradients for several slopes."""
    for slope in (0.0, 0.01, 0.3):
        _, gradient = value_and_grad(lambda x, s=slope: xp.sum(candidate(x, s)))(xp.asarray(_ELEMENTS))
        hint = f"The gradient should be 1 at positive elements and {slope} at the others."
        expect_close(gradient, np.where(_ELEMENTS > 0, 1.0, slope), hint)


def check_leaky_relu_edges(candidate):
    """A tensor without elements."""
    expect_close(candidate(xp.asarray(np.zeros((0, 3))), 0.1), np.zeros((0, 3)), "Nothing in, nothing out.")


def masked_ensemble(H, weight, bias, p):
    """Normalised geometric mean of the class probabilities (n, k) under all masks of the hidden values H (n, m)."""
    raise NotImplementedError


def check_masked_ensemble_value(candidate):
    """Raise AssertionError with a hint unless `candidate` is the geometric mean over all thinned networks."""
    H = np.maximum(random.normal((3, 5), "mlp_solutions", "hidden"), 0.0)
    weight = random.normal((4, 5), "mlp_solutions", "weight")
    bias = random.normal((4,), "mlp_solutions", "bias")
    logits = H @ weight.T + bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = powers / powers.sum(axis=1, keepdims=True)
    for p in (0.2, 0.5):
        found = xp.to_numpy(candidate(xp.asarray(H), xp.asarray(weight), xp.asarray(bias), p))
        assert found.shape == (3, 4), f"The shape should be (3, 4) but is {found.shape}."
        assert np.allclose(found.sum(axis=1), 1.0, atol=1e-5), "Each row should add up to 1: normalise at the end."
        assert np.allclose(found, expected, atol=1e-5), (
            f"For p = {p} the vote should equal the softmax of the whole network; is every mask weighted by its "
            f"probability, every kept value divided by 1 - p, and the mean geometric?"
        )


def parity_network(n):
    """Weight (n, n), bias (n,) and output (n,) of a network that is 1 for an odd number of switches and else 0."""
    raise NotImplementedError


def check_parity_network_value(candidate):
    """Raise AssertionError with a hint unless `candidate` computes the lamp of every staircase up to six switches."""
    for n in range(1, 7):
        weight, bias, output = candidate(n)
        shapes = tuple(np.shape(array) for array in (weight, bias, output))
        assert shapes == ((n, n), (n,), (n,)), f"For n = {n} the shapes should be {((n, n), (n,), (n,))}, not {shapes}."
        states = np.array(list(itertools.product((0.0, 1.0), repeat=n)))  # (2^n, n)
        sums = xp.matmul(xp.asarray(states), xp.matrix_transpose(xp.asarray(np.asarray(weight)))) + xp.asarray(bias)
        lamps = xp.to_numpy(xp.matmul(relu(sums), xp.asarray(output)))  # (2^n, n) @ (n,) -> (2^n,)
        wrong = np.flatnonzero(np.abs(lamps - states.sum(axis=1) % 2) > 1e-5)
        assert not wrong.size, (
            f"With the switches {states[wrong[0]].astype(int).tolist()} the lamp should be "
            f"{int(states[wrong[0]].sum() % 2)} but is {lamps[wrong[0]]:.3f}."
        )
