"""Steps of optimisers of which some framework has a form that visits all parameters once."""

from __future__ import annotations

from collections.abc import Sequence

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.interface import Tensor


@composite("network")
def adam(
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    firsts: Sequence[Tensor],
    seconds: Sequence[Tensor],
    progress: Tensor,
    lr: float | Tensor,
    beta1: float,
    beta2: float,
    eps: float,
    /,
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], tuple[Tensor, ...]]:
    """A step of Adam (Kingma and Ba, 2015, algorithm 1) for several parameters, with epsilon outside the root.

    ``m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g²;``
    ``p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)``

    Args:
        parameters: each p, floats of any shape.
        gradients: g of each, of its shape.
        firsts: m of each before the step, of its shape.
        seconds: v of each before the step, of its shape.
        progress: floats (3,), the corrections ``1 - beta1^t`` and ``1 - beta2^t`` and the number t of the step.
        lr: the learning rate, a number or a 0-d tensor.
        beta1, beta2, eps: as in the formula.

    Returns:
        All p, all m and all v after the step.

    Raises:
        ValueError: there are more of the one than of the other.
    """
    rate, correction = lr / progress[0], progress[1]
    after: tuple[list[Tensor], list[Tensor], list[Tensor]] = [], [], []
    for parameter, gradient, first, second in zip(parameters, gradients, firsts, seconds, strict=True):
        first = beta1 * first + (1.0 - beta1) * gradient
        second = beta2 * second + (1.0 - beta2) * (gradient * gradient)
        root = xp.sqrt(second / correction)
        moved = parameter - rate * first / (root + eps)
        for column, value in zip(after, (moved, first, second), strict=True):
            column.append(value)
    return tuple(after[0]), tuple(after[1]), tuple(after[2])
