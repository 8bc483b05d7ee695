"""Steps of optimisers of which some framework has a form that visits the parameter once."""

from __future__ import annotations

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.interface import Tensor


@composite("network")
def adam(
    parameter: Tensor,
    gradient: Tensor,
    first: Tensor,
    second: Tensor,
    progress: Tensor,
    lr: float | Tensor,
    beta1: float,
    beta2: float,
    eps: float,
    /,
) -> tuple[Tensor, Tensor, Tensor]:
    """A step of Adam (Kingma and Ba, 2015, algorithm 1), with epsilon outside the root.

    ``m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g²;``
    ``p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)``

    Args:
        parameter: p, floats of any shape.
        gradient: g, of that shape.
        first: m before the step, of that shape.
        second: v before the step, of that shape.
        progress: floats (3,), the corrections ``1 - beta1^t`` and ``1 - beta2^t`` and the number t of the step.
        lr: the learning rate, a number or a 0-d tensor.
        beta1, beta2, eps: as in the formula.

    Returns:
        p, m and v after the step.
    """
    first = beta1 * first + (1.0 - beta1) * gradient
    second = beta2 * second + (1.0 - beta2) * (gradient * gradient)
    root = xp.sqrt(second / progress[1])
    return parameter - lr / progress[0] * first / (root + eps), first, second
