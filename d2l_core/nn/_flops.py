"""Floating-point operations of layers, counted by formula.

The convention: a multiplication followed by an addition is two operations, and a bias is the first summand, so that
an inner product of length k takes 2k with a bias or without. A function of single elements takes one operation for
each, whatever it costs; a window of k elements that is averaged or searched takes k. Moving, copying and looking up
take none. Counts are of the forward pass in evaluation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from d2l_core.nn._attention import MultiHeadAttention
from d2l_core.nn._convolution import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    GlobalAvgPool,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from d2l_core.nn._layers import (
    BatchNorm,
    Dropout,
    Embedding,
    Flatten,
    Linear,
    ReLU,
    Sigmoid,
    Tanh,
)
from d2l_core.nn._module import Module
from d2l_core.nn._normalisation import GroupNorm, LayerNorm, RMSNorm
from d2l_core.nn._recurrent import GRU, LSTM, RNN, Recurrent

Count = Callable[[Any, tuple[Any, ...], Any], int]
"""``count(layer, inputs, output)``: the operations of one call."""

C = TypeVar("C", bound=Count)

_COUNTS: dict[type[Module], Count] = {}


def counts_flops(*kinds: type[Module]) -> Callable[[C], C]:
    """Decorate ``count(layer, inputs, output) -> int`` as the number of operations of these types of layer.

    It holds for their subclasses too, unless they have a count of their own, and stands for all that is below them.
    """

    def register(count: C) -> C:
        _COUNTS.update(dict.fromkeys(kinds, count))
        return count

    return register


def flops_of(layer: Module, inputs: tuple[Any, ...], output: Any) -> int | None:
    """Operations of one call, or None for a type of layer without a count."""
    count = _count_for(layer)
    return None if count is None else count(layer, inputs, output)


def has_count(layer: Module) -> bool:
    """Whether a formula is known for this type of layer."""
    return _count_for(layer) is not None


def _count_for(layer: Module) -> Count | None:
    return next((_COUNTS[kind] for kind in type(layer).__mro__ if kind in _COUNTS), None)


def _size(x: Any) -> int:
    return math.prod(x.shape)


@counts_flops(Linear)
def _linear(layer: Linear, inputs: tuple[Any, ...], output: Any) -> int:
    """2 in for each output."""
    in_features: int = inputs[0].shape[-1]
    return 2 * in_features * _size(output)


@counts_flops(Conv1d, Conv2d, Conv3d)
def _conv(layer: Conv2d, inputs: tuple[Any, ...], output: Any) -> int:
    """2 (C_in / groups) * window for each output."""
    channels: int = inputs[0].shape[1] // layer.groups
    return 2 * channels * math.prod(layer.window) * _size(output)


@counts_flops(ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)
def _transposed(layer: ConvTranspose2d, inputs: tuple[Any, ...], output: Any) -> int:
    """2 (C_out / groups) * window for each input."""
    return 2 * (layer.out_channels // layer.groups) * math.prod(layer.window) * _size(inputs[0])


@counts_flops(MaxPool1d, MaxPool2d, MaxPool3d, AvgPool1d, AvgPool2d, AvgPool3d)
def _pool(layer: MaxPool2d, inputs: tuple[Any, ...], output: Any) -> int:
    """The size of the window for each output."""
    window = layer.window
    return (window**layer.axes if isinstance(window, int) else math.prod(window)) * _size(output)


@counts_flops(AdaptiveAvgPool, AdaptiveMaxPool)
def _adaptive_pool(layer: AdaptiveAvgPool, inputs: tuple[Any, ...], output: Any) -> int:
    """The size of each cell."""
    n, channels, *spatial = inputs[0].shape
    extents = zip(spatial, output.shape[2:], strict=True)
    sizes = [sum(-(-(i + 1) * n // m) - i * n // m for i in range(m)) for n, m in extents]
    return int(n * channels * math.prod(sizes))


@counts_flops(GlobalAvgPool)
def _global_pool(layer: GlobalAvgPool, inputs: tuple[Any, ...], output: Any) -> int:
    """1 for each input."""
    return _size(inputs[0])


@counts_flops(BatchNorm)
def _affine(layer: BatchNorm, inputs: tuple[Any, ...], output: Any) -> int:
    """2 for each output: scale and shift, into which evaluation folds the statistics."""
    return 2 * _size(output)


@counts_flops(ReLU, Sigmoid, Tanh)
def _elementwise(layer: Module, inputs: tuple[Any, ...], output: Any) -> int:
    """1 for each output."""
    return _size(output)


@counts_flops(Dropout, Flatten, Embedding)
def _nothing(layer: Module, inputs: tuple[Any, ...], output: Any) -> int:
    """None: nothing is computed in evaluation."""
    return 0


_BESIDE_PRODUCTS = {RNN: 1, GRU: 8, LSTM: 9}
"""Operations for each step and hidden unit besides the products with the weights."""


@counts_flops(RNN, GRU, LSTM)
def _recurrent(layer: Recurrent, inputs: tuple[Any, ...], output: Any) -> int:
    """For each step and hidden unit 2 (I + H) a gate, and what the gates do: one for each function and product."""
    num_inputs: int = inputs[0].shape[-1]
    beside = next(_BESIDE_PRODUCTS[kind] for kind in type(layer).__mro__ if kind in _BESIDE_PRODUCTS)
    return (2 * layer.gates * (num_inputs + layer.num_hiddens) + beside) * _size(output[0])


@counts_flops(LayerNorm, GroupNorm)
def _standardised(layer: Module, inputs: tuple[Any, ...], output: Any) -> int:
    """7 for each output: mean 1, difference 1, variance 2, quotient 1, scale and shift 2."""
    return 7 * _size(output)


@counts_flops(RMSNorm)
def _rms_norm(layer: RMSNorm, inputs: tuple[Any, ...], output: Any) -> int:
    """4 for each output: mean square 2, quotient 1, scale 1."""
    return 4 * _size(output)


@counts_flops(MultiHeadAttention)
def _attention(layer: MultiHeadAttention, inputs: tuple[Any, ...], output: Any) -> int:
    """Four projections; for each pair of query and key 4 a feature (score and value), and 5 a head for the softmax."""
    queries, keys, values = inputs[:3]
    size = layer.num_hiddens
    projections = 2 * size * (_size(queries) + _size(keys) + _size(values) + _size(output))
    pairs = _size(output) // size * int(keys.shape[1])
    return projections + pairs * (4 * size + 5 * layer.num_heads)
