"""Layers that attend, and the encoding that tells them where a token stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from d2l_core import composites
from d2l_core import interface as xp
from d2l_core.interface import Tensor
from d2l_core.nn._layers import Dropout, Linear
from d2l_core.nn._module import Module
from d2l_core.nn._variable import Parameter
from d2l_core.nn.initialisers import XavierUniform


class MultiHeadAttention(Module):
    """Several attentions side by side, each with its own projections (Vaswani et al., 2017, section 3.2.2).

    Args:
        num_hiddens: features of queries, keys and values once projected, and of the output.
        num_heads: how many attentions; it divides `num_hiddens`.
        dropout: probability with which weights of attention are dropped.
        bias: whether the four projections have one.

    Raises:
        ValueError: `num_heads` does not divide `num_hiddens`.
    """

    def __init__(self, num_hiddens: int, num_heads: int, *, dropout: float = 0.0, bias: bool = False):
        super().__init__()
        if num_hiddens % num_heads:
            raise ValueError(f"{num_hiddens} features cannot be divided among {num_heads} heads of equal size.")
        self.num_hiddens, self.num_heads = num_hiddens, num_heads
        self.query, self.key, self.value, self.output = (Linear(num_hiddens, bias=bias) for _ in range(4))
        self.dropout = Dropout(dropout)

    def attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """What `forward` gives, and the weights (N, heads, Q, K) before dropout."""
        if mask is not None and len(mask.shape) == 3:
            mask = xp.expand_dims(mask, axis=1)
        q, k, v = (self._split(p) for p in (self.query(queries), self.key(keys), self.value(values)))
        seen, weights = composites.attention(q, k, v, mask, self.dropout)
        n, heads, steps, size = seen.shape
        joined = xp.reshape(xp.permute_dims(seen, (0, 2, 1, 3)), (n, steps, heads * size))
        return self.output(joined), weights

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
        """What the queries see.

        Args:
            queries: (N, Q, D_q).
            keys: (N, K, D_k).
            values: (N, K, D_v).
            mask: booleans that broadcast against (N, Q, K), or (N, heads, Q, K); true where a query may look.

        Returns:
            (N, Q, num_hiddens).
        """
        return self.attend(queries, keys, values, mask)[0]

    def _split(self, x: Tensor) -> Tensor:
        n, steps, features = x.shape
        parted = xp.reshape(x, (n, steps, self.num_heads, features // self.num_heads))
        return xp.permute_dims(parted, (0, 2, 1, 3))

    def describe(self) -> str:
        """Sizes."""
        return f"{self.num_hiddens}, {self.num_heads} heads"


class AdditiveAttention(Module):
    """Attention whose score is a small network: ``w' tanh(W_q q + W_k k)`` (Bahdanau, Cho and Bengio, 2015, A.1.2).

    Args:
        num_hiddens: units of that network.
        dropout: probability with which weights of attention are dropped.
    """

    def __init__(self, num_hiddens: int, *, dropout: float = 0.0):
        super().__init__()
        self.query, self.key = Linear(num_hiddens, bias=False), Linear(num_hiddens, bias=False)
        self.weight = Parameter((1, num_hiddens), XavierUniform())
        self.dropout = Dropout(dropout)

    def attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """What `forward` gives, and the weights (N, Q, K) before dropout."""
        pairs = xp.expand_dims(self.query(queries), axis=-2) + xp.expand_dims(self.key(keys), axis=-3)
        scores = xp.squeeze(composites.linear(xp.tanh(pairs), self.weight), -1)
        weights = composites.masked_softmax(scores, mask)
        return xp.matmul(self.dropout(weights), values), weights

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
        """What the queries (N, Q, D_q) see of the values (N, K, V) at the keys (N, K, D_k): (N, Q, V)."""
        return self.attend(queries, keys, values, mask)[0]


class PositionalEncoding(Module):
    """Sines and cosines of the position, added to x (N, T, D) (Vaswani et al., 2017, section 3.5).

    Feature 2 j of position i gets ``sin(i / 10000^(2 j / D))`` and feature 2 j + 1 the cosine of the same angle.

    Args:
        dropout: probability with which elements of the sum are dropped.
    """

    def __init__(self, dropout: float = 0.0):
        super().__init__()
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x with its positions, the first of which is `start`."""
        return self.dropout(x + xp.asarray(encoding(x.shape[1], x.shape[2], start), dtype=x.dtype))


def encoding(steps: int, features: int, start: int = 0) -> np.ndarray[Any, Any]:
    """The table (steps, features) that `PositionalEncoding` adds, in float64."""
    columns = np.arange(features)
    angles = np.arange(start, start + steps)[:, None] / 10000.0 ** ((columns - columns % 2) / features)
    return np.where(columns % 2, np.cos(angles), np.sin(angles))
