"""Normalisation: by the statistics of a batch, of single examples, or of groups of their channels."""

from __future__ import annotations

import math

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.errors import CallError
from d2l_core.interface import Tensor


@composite("network")
def batch_norm_train(x: Tensor, weight: Tensor, bias: Tensor, eps: float, /) -> tuple[Tensor, Tensor, Tensor]:
    """x (N, C, *spatial) normalised per channel by the statistics of this batch (Ioffe and Szegedy, 2015, alg. 1).

    Returns:
        ``weight * (x - mean) / sqrt(var + eps) + bias`` in the shape of x, the mean (C,) and the variance (C,)
        divided by the number of elements (not one less). Nothing flows back through the last two.
    """
    axes = (0, *range(2, len(x.shape)))
    shape = (1, x.shape[1], *(1 for _ in x.shape[2:]))
    mean = xp.mean(x, axis=axes, keepdims=True)
    centred = x - mean
    var = xp.mean(centred * centred, axis=axes, keepdims=True)
    y = centred * (xp.reshape(weight, shape) / xp.sqrt(var + eps)) + xp.reshape(bias, shape)
    return y, xp.stop_gradient(xp.squeeze(mean, axes)), xp.stop_gradient(xp.squeeze(var, axes))


@composite("network")
def batch_norm_infer(x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor, eps: float, /) -> Tensor:
    """x (N, C, *spatial) normalised per channel by given statistics (Ioffe and Szegedy, 2015, alg. 2)."""
    shape = (1, x.shape[1], *(1 for _ in x.shape[2:]))
    scale = weight / xp.sqrt(var + eps)
    return x * xp.reshape(scale, shape) + xp.reshape(bias - mean * scale, shape)


def _standardise(x: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    """By multiplication: where nothing is fused, a division and its gradient take a sixth more time."""
    centred = x - xp.mean(x, axis=axes, keepdims=True)
    return centred * (1.0 / xp.sqrt(xp.mean(centred * centred, axis=axes, keepdims=True) + eps))


@composite("network")
def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float, /) -> Tensor:
    """x normalised over its last axes, as many as `weight` has (Ba, Kiros and Hinton, 2016).

    Args:
        x: floats (..., *shape).
        weight: (*shape), the factor of each element.
        bias: (*shape), what is added to it.
        eps: added to the variance, which is divided by the number of elements.

    Returns:
        ``weight * (x - mean) / sqrt(var + eps) + bias``, of the shape of x.
    """
    axes = tuple(range(-len(weight.shape), 0))
    return _standardise(x, axes, eps) * weight + bias


@composite("network")
def rms_norm(x: Tensor, weight: Tensor, eps: float, /) -> Tensor:
    """``weight * x / sqrt(mean(x²) + eps)`` over the last axes, as many as `weight` has (Zhang and Sennrich, 2019)."""
    axes = tuple(range(-len(weight.shape), 0))
    return x * (1.0 / xp.sqrt(xp.mean(x * x, axis=axes, keepdims=True) + eps)) * weight


@composite("network")
def group_norm(x: Tensor, groups: int, weight: Tensor, bias: Tensor, eps: float, /) -> Tensor:
    """x (N, C, *spatial) normalised in each example over groups of C / groups channels (Wu and He, 2018).

    One group is layer normalisation over channels and space; C groups are instance normalisation (Ulyanov et al.,
    2016). `weight` and `bias` (C,) scale and shift each channel.

    Raises:
        ValueError: if the channels cannot be divided into so many groups.
    """
    n, channels, *spatial = x.shape
    if channels % groups:
        raise CallError(f"{channels} channels cannot be divided into {groups} groups of equal size.")
    grouped = xp.reshape(x, (n, groups, channels // groups * math.prod(spatial)))
    normalised = xp.reshape(_standardise(grouped, (2,), eps), tuple(x.shape))
    per_channel = (channels, *(1 for _ in spatial))
    return normalised * xp.reshape(weight, per_channel) + xp.reshape(bias, per_channel)
