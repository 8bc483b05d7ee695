"""Losses and measures: means over a batch, as 0-d tensors."""

from __future__ import annotations

from d2l_core import interface as xp
from d2l_core.backend import float_dtype
from d2l_core.interface import Tensor


def squared_error(y_hat: Tensor, y: Tensor) -> Tensor:
    """Mean of (y_hat - y)²; not halved. Two float tensors of one shape.

    Raises:
        ValueError: the shapes differ; broadcasting would compare every prediction with every target.
    """
    if tuple(y_hat.shape) != tuple(y.shape):
        raise ValueError(
            f"Predictions have shape {tuple(y_hat.shape)} and targets {tuple(y.shape)}; reshape one to the other."
        )
    return xp.mean(xp.square(y_hat - y))


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of rows of `logits` (..., C) whose largest entry is at the integer label (...), a 0-d float."""
    predicted = xp.argmax(logits, axis=-1)
    return xp.mean(xp.astype(predicted == xp.astype(labels, predicted.dtype), float_dtype()))
