"""Numerical stability: stubs and checks of the starred exercises."""

import math

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape
from d2l_core.random import normal


def gain_for(activation):
    """The gain g for which weights of the variance g² / fan_in keep the second moment at 1.

    Args:
        activation: from a tensor to a tensor of the same shape.

    Returns:
        1 / sqrt(E[activation(z)²]) for a standard normal z, a float, right to three digits.
    """
    raise NotImplementedError


def check_gain_for_value(candidate):
    """Activations whose gain is known."""
    zero = xp.zeros((1,))
    known = {
        "the identity": (lambda z: z, 1.0),
        "the ReLU": (lambda z: xp.where(z > 0, z, zero), math.sqrt(2.0)),
        "the absolute value": (xp.abs, 1.0),
        "a ReLU with the slope 0.5 below zero": (lambda z: xp.where(z > 0, z, 0.5 * z), math.sqrt(1.6)),
        "tanh": (xp.tanh, 1.5925),
    }
    for name, (activation, gain) in known.items():
        hint = f"For {name} the gain is wrong: is it the second moment (not the variance), and its square root?"
        expect_close(float(candidate(activation)), gain, hint, rtol=5e-3)


def check_gain_for_edges(candidate):
    """An activation that is large far out, where normal numbers are rare but count."""
    hint = "For z³ the second moment is 15, most of it beyond |z| = 2: the range or the sample is too small."
    expect_close(float(candidate(lambda z: z * z * z)), 1.0 / math.sqrt(15.0), hint, rtol=1e-2)


def unit_scaled(weights, X, activation):
    """Weights scaled such that the sums of every layer have the second moment 1 on a batch.

    Args:
        weights: list of tensors (out, in), the first layer first.
        X: a batch of inputs (n, in of the first layer).
        activation: applied to the sums of each layer before they go to the next.

    Returns:
        A list of tensors of the same shapes, each a positive multiple of the given one.
    """
    raise NotImplementedError


def _network():
    sizes = ((7, 5), (4, 7), (6, 4))
    weights = [
        xp.asarray(normal(size, "unit", i, std=0.1 + 3.0 * i), dtype=xp.float_dtype()) for i, size in enumerate(sizes)
    ]
    return weights, xp.asarray(normal((20, 5), "unit", "X", mean=0.5), dtype=xp.float_dtype())


def check_unit_scaled_value(candidate):
    """The second moment of each layer's sums with the new weights."""
    weights, X = _network()
    found = candidate(weights, X, xp.tanh)
    assert len(found) == len(weights), "There is one scaled weight for each weight."
    H = X
    for i, (new, old) in enumerate(zip(found, weights, strict=True)):
        expect_shape(new, tuple(old.shape), f"Weight {i} must keep its shape.")
        Z = xp.matmul(H, xp.matrix_transpose(new))
        moment = float(np.mean(np.square(xp.to_numpy(Z))))
        hint = f"The mean square of the sums of layer {i} should be 1: feed it what the *scaled* layers before it give."
        expect_close(moment, 1.0, hint, rtol=1e-3)
        H = xp.tanh(Z)


def check_unit_scaled_edges(candidate):
    """Each new weight is a multiple of the old one, and the old ones stay as they were."""
    weights, X = _network()
    before = [np.array(xp.to_numpy(weight)) for weight in weights]
    found = candidate(weights, X, xp.tanh)
    for new, old, weight in zip(found, before, weights, strict=True):
        ratio = xp.to_numpy(new) / old
        assert ratio.min() > 0.0, "Divide a weight by a positive number."
        assert np.ptp(ratio) < 1e-3 * ratio.max(), "Divide all elements of a weight by the same number."
        expect_close(weight, old, "Return new tensors and leave the given ones alone.")
