"""Optimisers: one rule for one parameter each, written once; the base class walks over all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from d2l_core import interface as xp
from d2l_core.backend import float_dtype
from d2l_core.interface import Tensor
from d2l_core.nn import Buffer, Module, Variable
from d2l_core.optim.schedules import Schedule


class Optimiser:
    """Changes the trainable parameters of a module by their gradients.

    Args:
        module: whose parameters are trained; it must be initialised.
        lr: learning rate, or a schedule of it; see `d2l_core.optim.schedules`.

    Attributes:
        slots: the optimiser's own variables by name, such as ``velocity.net.0.weight``.
    """

    slot_names: tuple[str, ...] = ()

    def __init__(self, module: Module, lr: float | Schedule):
        self.parameters = {path: p for path, p in module.parameters().items() if p.trainable}
        self.lr = lr
        self.slots: dict[str, Variable] = {}
        for slot in self.slot_names:
            for path, parameter in self.parameters.items():
                self.slots[f"{slot}.{path}"] = Buffer(np.zeros(parameter.shape))
        for variable in self.slots.values():
            variable.fill(("slot",))

    def rate(self, step: int, total: int) -> float:
        """The learning rate of a step in a run of `total` steps."""
        return self.lr(step, total) if callable(self.lr) else self.lr

    @property
    def scheduled(self) -> bool:
        """Whether the learning rate changes, so that it must be passed to a compiled step."""
        return callable(self.lr)

    def update(self, gradients: dict[str, Tensor], lr: float | Tensor | None = None) -> None:
        """Take one step; `gradients` by the paths of the parameters.

        Args:
            gradients: one for each trainable parameter.
            lr: learning rate of this step; the constant one if None.
        """
        rate = self.rate(0, 1) if lr is None else lr
        self.before_update()
        for path, parameter in self.parameters.items():
            slots = [self.slots[f"{slot}.{path}"] for slot in self.slot_names]
            values = [slot.value for slot in slots]
            parameter.value, *values = self.rule(parameter.value, gradients[path], rate, *values)
            for slot, value in zip(slots, values, strict=True):
                slot.value = value

    def before_update(self) -> None:
        """What happens once for each step, before the parameters are visited; nothing by default."""

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        """New value of one parameter, followed by those of its slots; every optimiser defines it."""
        raise TypeError(f"{type(self).__name__} defines no rule; add a method that computes one step.")


class SGD(Optimiser):
    """Stochastic gradient descent with momentum (Polyak, 1964) and weight decay.

    ``v = momentum v + g + weight_decay p;  p = p - lr v``, with Nesterov's form
    ``p = p - lr (g + momentum v)`` (Sutskever et al., 2013).
    """

    def __init__(
        self,
        module: Module,
        lr: float | Schedule,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        self.slot_names = ("velocity",) if momentum else ()
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        super().__init__(module, lr)

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        """One step of the formula above."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        if not self.momentum:
            return (parameter - lr * gradient,)
        velocity = self.momentum * slots[0] + gradient
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return parameter - lr * direction, velocity


class Adam(Optimiser):
    """Adam (Kingma and Ba, 2015, algorithm 1), with decoupled weight decay as AdamW (Loshchilov and Hutter, 2019).

    ``m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g²;``
    ``p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) - lr weight_decay p``.
    Epsilon stands outside the root.
    """

    slot_names = ("first", "second")

    def __init__(
        self,
        module: Module,
        lr: float | Schedule = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        self.beta1, self.beta2, self.eps, self.weight_decay = beta1, beta2, eps, weight_decay
        super().__init__(module, lr)
        self.powers = self.slots["powers"] = Buffer(np.ones(2))
        self.powers.fill(("slot",))

    def before_update(self) -> None:
        """Advance beta1^t and beta2^t."""
        self.powers.value = self.powers.value * xp.asarray([self.beta1, self.beta2], dtype=float_dtype())

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        """One step of the formula above."""
        first = self.beta1 * slots[0] + (1.0 - self.beta1) * gradient
        second = self.beta2 * slots[1] + (1.0 - self.beta2) * gradient * gradient
        corrected = 1.0 - self.powers.value
        rate = lr / corrected[0]
        step = rate * first / (xp.sqrt(second / corrected[1]) + self.eps)
        if self.weight_decay:
            step = step + lr * self.weight_decay * parameter
        return parameter - step, first, second


def clip_by_norm(gradients: dict[str, Tensor], limit: float) -> dict[str, Tensor]:
    """Gradients scaled down together so that their joint Euclidean norm is at most `limit` (Pascanu et al., 2013)."""
    total = sum_of_squares(gradients.values())
    scale = xp.clip(limit / xp.sqrt(total), max=1.0)
    return {path: gradient * scale for path, gradient in gradients.items()}


def sum_of_squares(tensors: Any) -> Tensor:
    """Sum of the squares of all elements of several tensors, a 0-d tensor."""
    parts = [xp.sum(xp.square(tensor)) for tensor in tensors]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


OptimiserFactory = Callable[[Module], Optimiser]
