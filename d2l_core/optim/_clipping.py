"""Gradients kept within bounds before an optimiser sees them."""

from __future__ import annotations

from collections.abc import Iterable

from d2l_core import interface as xp
from d2l_core.interface import Tensor
from d2l_core.optim._checks import require_positive


def clip_by_norm(gradients: dict[str, Tensor], limit: float) -> dict[str, Tensor]:
    """Gradients scaled down together so that their joint Euclidean norm is at most `limit` (Pascanu et al., 2013).

    Raises:
        ValueError: `limit` is not greater than 0.
    """
    require_positive(limit=limit)
    total = sum_of_squares(gradients.values())
    scale = xp.clip(limit / xp.sqrt(total), max=1.0)
    return {path: gradient * scale for path, gradient in gradients.items()}


def clip_by_value(gradients: dict[str, Tensor], limit: float) -> dict[str, Tensor]:
    """Gradients with each element moved into [-limit, limit]; NaN stays NaN.

    The joint gradient may turn, which scaling by `clip_by_norm` avoids.

    Raises:
        ValueError: `limit` is not greater than 0.
    """
    require_positive(limit=limit)
    return {path: xp.clip(gradient, min=-limit, max=limit) for path, gradient in gradients.items()}


def sum_of_squares(tensors: Iterable[Tensor]) -> Tensor:
    """Sum of the squares of all elements of several tensors, a 0-d tensor."""
    parts = [xp.sum(xp.square(tensor)) for tensor in tensors]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
