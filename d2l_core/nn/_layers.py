"""Layers, in the order of rising complexity. Sizes of inputs may be left out: the first input tells them."""

from __future__ import annotations

import math

import numpy as np

from d2l_core import composites
from d2l_core import interface as xp
from d2l_core.interface import Tensor
from d2l_core.nn._containers import Function
from d2l_core.nn._module import Module
from d2l_core.nn._variable import Buffer, Initialiser, Parameter
from d2l_core.nn.initialisers import Constant, Normal, XavierUniform
from d2l_core.random import key_of


class ReLU(Function):
    """max(x, 0)."""

    def __init__(self) -> None:
        super().__init__(composites.relu)


class Sigmoid(Function):
    """1 / (1 + exp(-x))."""

    def __init__(self) -> None:
        super().__init__(composites.sigmoid)


class Tanh(Function):
    """Hyperbolic tangent."""

    def __init__(self) -> None:
        super().__init__(xp.tanh)


class Flatten(Module):
    """(N, ...) to (N, product of the rest)."""

    def forward(self, x: Tensor) -> Tensor:
        """Rows of all features."""
        return xp.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


class Linear(Module):
    """x W' + b with W (out, in) and b (out,): (..., in) to (..., out).

    Args:
        out_features: size of the output.
        in_features: size of the input; told by the first input if None.
        bias: whether there is one.
        weight_init: Xavier uniform by default.
        bias_init: zero by default.
    """

    def __init__(
        self,
        out_features: int,
        in_features: int | None = None,
        *,
        bias: bool = True,
        weight_init: Initialiser | None = None,
        bias_init: Initialiser | None = None,
    ):
        super().__init__()
        self.out_features, self.in_features, self.has_bias = out_features, in_features, bias
        self.weight_init, self.bias_init = weight_init or XavierUniform(), bias_init or Constant(0.0)
        if in_features is not None:
            self._create(in_features)

    def _create(self, in_features: int) -> None:
        self.in_features = in_features
        self.weight = Parameter((self.out_features, in_features), self.weight_init)
        if self.has_bias:
            self.bias = Parameter((self.out_features,), self.bias_init)

    def build(self, x: Tensor) -> None:
        """Create the weight for inputs like x."""
        if self.in_features is None:
            self._create(x.shape[-1])

    def forward(self, x: Tensor) -> Tensor:
        """The affine map of the last axis."""
        return composites.linear(x, self.weight, self.bias if self.has_bias else None)

    def describe(self) -> str:
        """Sizes."""
        return f"{self.in_features} -> {self.out_features}"


class Dropout(Module):
    """Zero each element with probability `p` in training and scale the rest by 1 / (1 - p); see `composites.dropout`.

    Which elements are zeroed follows from the seed, the layer's path and the number of training calls so far,
    which a buffer counts; it is the same on every backend.
    """

    _counters = ("calls",)

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0.0 <= p < 1.0:
            raise ValueError(f"The dropout probability is {p}; choose it in [0, 1).")
        self.p = p
        self.calls: Tensor = Buffer(np.zeros(1, np.int32))

    def forward(self, x: Tensor) -> Tensor:
        """x itself in evaluation."""
        if not self.training or self.p == 0.0:
            return x
        counter = xp.reshape(self.calls, ())
        self.calls = self.calls + 1
        return composites.dropout(x, self.p, key_of("dropout", self.path, self.seed), counter)

    def describe(self) -> str:
        """The probability."""
        return f"p={self.p}"


class BatchNorm(Module):
    """Batch normalisation of (N, C, *spatial) per channel (Ioffe and Szegedy, 2015).

    In training, by the mean and the variance (divided by the count m) of the batch; the running statistics move by
    ``running = (1 - momentum) running + momentum batch``, the variance with the unbiased m / (m - 1) (alg. 2).
    In evaluation, by the running statistics.
    """

    def __init__(self, channels: int | None = None, *, eps: float = 1e-5, momentum: float = 0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.channels = channels
        if channels is not None:
            self._create(channels)

    def _create(self, channels: int) -> None:
        self.channels = channels
        self.weight = Parameter((channels,), Constant(1.0))
        self.bias = Parameter((channels,), Constant(0.0))
        self.running_mean: Tensor = Buffer((channels,), Constant(0.0))
        self.running_var: Tensor = Buffer((channels,), Constant(1.0))

    def build(self, x: Tensor) -> None:
        """Create the statistics for inputs like x."""
        if self.channels is None:
            self._create(x.shape[1])

    def forward(self, x: Tensor) -> Tensor:
        """x normalised, scaled and shifted."""
        if not self.training:
            return composites.batch_norm_infer(x, self.weight, self.bias, self.running_mean, self.running_var, self.eps)
        y, mean, var = composites.batch_norm_train(x, self.weight, self.bias, self.eps)
        count = math.prod(x.shape) // x.shape[1]
        m = self.momentum
        self.running_mean = (1.0 - m) * self.running_mean + m * mean
        self.running_var = (1.0 - m) * self.running_var + (m * count / max(count - 1, 1)) * var
        return y

    def describe(self) -> str:
        """Sizes."""
        return f"{self.channels}"


class Embedding(Module):
    """Rows of a table (num_embeddings, dim) at integer indices: (...) to (..., dim)."""

    def __init__(self, num_embeddings: int, dim: int, *, weight_init: Initialiser | None = None):
        super().__init__()
        self.weight = Parameter((num_embeddings, dim), weight_init or Normal(1.0))

    def forward(self, indices: Tensor) -> Tensor:
        """The rows."""
        return composites.embedding(indices, self.weight)
