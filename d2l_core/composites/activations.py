"""Activation functions."""

from __future__ import annotations

import math

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.composites.arrays import logsumexp
from d2l_core.interface import Tensor


@composite("network")
def relu(x: Tensor, /) -> Tensor:
    """max(x, 0), NaN where x is; the gradient at 0 is 0."""
    return xp.where(x <= 0, xp.zeros_like(x), x)


@composite("network")
def sigmoid(x: Tensor, /) -> Tensor:
    """1 / (1 + exp(-x)), in a form that cannot overflow."""
    return 0.5 * (xp.tanh(0.5 * x) + 1.0)


@composite("network")
def leaky_relu(x: Tensor, slope: float = 0.01, /) -> Tensor:
    """x where it is positive, else ``slope * x`` (Maas et al., 2013); the gradient at 0 is `slope`."""
    return xp.where(x > 0, x, slope * x)


@composite("network")
def elu(x: Tensor, alpha: float = 1.0, /) -> Tensor:
    """x where it is positive, else ``alpha * (exp(x) - 1)`` (Clevert et al., 2016)."""
    return xp.where(x > 0, x, alpha * xp.expm1(-relu(-x)))


@composite("network")
def softplus(x: Tensor, /) -> Tensor:
    """log(1 + exp(x)) without overflow, and accurate where it is close to 0."""
    return relu(x) + xp.log1p(xp.exp(-xp.abs(x)))


@composite("network")
def log_sigmoid(x: Tensor, /) -> Tensor:
    """log(1 / (1 + exp(-x))), without overflow or log 0."""
    return -softplus(-x)


@composite("network")
def silu(x: Tensor, /) -> Tensor:
    """x / (1 + exp(-x)), also called swish (Hendrycks and Gimpel, 2016; Ramachandran et al., 2017)."""
    return x * sigmoid(x)


@composite("network")
def gelu(x: Tensor, /) -> Tensor:
    """x times the standard normal distribution function at x, by the error function (Hendrycks and Gimpel, 2016)."""
    return 0.5 * x * (1.0 + xp.erf(x * math.sqrt(0.5)))


@composite("network")
def softmax(x: Tensor, /, *, axis: int = -1) -> Tensor:
    """exp(x) divided by its sum along an axis, without overflow."""
    shifted = xp.exp(x - xp.stop_gradient(xp.max(x, axis=axis, keepdims=True)))
    return shifted / xp.sum(shifted, axis=axis, keepdims=True)


@composite("network")
def log_softmax(x: Tensor, /, *, axis: int = -1) -> Tensor:
    """Logarithm of `softmax`, without overflow or log 0."""
    return x - logsumexp(x, axis=axis, keepdims=True)
