"""Attention: which values to look at, and what is seen."""

from __future__ import annotations

import math
from collections.abc import Callable

from d2l_core import dtypes
from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.composites.activations import softmax
from d2l_core.interface import Tensor


@composite("network")
def masked_softmax(scores: Tensor, mask: Tensor | None = None, /) -> Tensor:
    """Softmax over the last axis among the positions where `mask` is true; the others get exactly 0.

    A row without a true position is all zeros, and so is its gradient.

    Args:
        scores: floats (..., K).
        mask: booleans that broadcast against `scores`, or None for all.
    """
    if mask is None:
        return softmax(scores, axis=-1)
    mask = xp.broadcast_to(mask, tuple(scores.shape))
    lowest = xp.full_like(scores, dtypes.finfo(scores).min)  # finite: a row of nothing else is no NaN
    return xp.where(mask, softmax(xp.where(mask, scores, lowest), axis=-1), xp.zeros_like(scores))


@composite("network")
def attention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    mask: Tensor | None = None,
    dropout: Callable[[Tensor], Tensor] | None = None,
    /,
) -> tuple[Tensor, Tensor]:
    """Scaled dot-product attention (Vaswani et al., 2017, eq. 1): ``softmax(Q K' / sqrt(D)) V``.

    Args:
        queries: (..., Q, D).
        keys: (..., K, D).
        values: (..., K, V).
        mask: booleans that broadcast against (..., Q, K), true where a query may look; None for everywhere.
        dropout: applied to the weights before they meet the values, or None.

    Returns:
        What each query sees (..., Q, V), and the weights (..., Q, K) before dropout.
    """
    scores = xp.matmul(queries, xp.matrix_transpose(keys)) * (1.0 / math.sqrt(queries.shape[-1]))
    weights = masked_softmax(scores, mask)
    return xp.matmul(weights if dropout is None else dropout(weights), values), weights


@composite("network")
def length_mask(lengths: Tensor, size: int, /) -> Tensor:
    """True at the positions before each length: integers (...) to booleans (..., size)."""
    return xp.arange(size, dtype=lengths.dtype) < xp.expand_dims(lengths, axis=-1)


@composite("network")
def causal_mask(size: int, /) -> Tensor:
    """Booleans (size, size), true where the column is not after the row: no position looks ahead."""
    steps = xp.arange(size)
    return xp.expand_dims(steps, axis=0) <= xp.expand_dims(steps, axis=1)
