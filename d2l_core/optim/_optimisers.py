"""Optimisers by rising complexity: each is one rule for one parameter, written once for all backends.

In the formulas p is a parameter, g its gradient, lr the learning rate; all operations are elementwise, and every slot
starts at zero. ``weight_decay`` and ``groups`` are those of `d2l_core.optim.Optimiser`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from d2l_core import composites
from d2l_core import interface as xp
from d2l_core.backend import float_dtype
from d2l_core.interface import Tensor
from d2l_core.nn import Module
from d2l_core.optim._checks import require_below_one, require_not_negative
from d2l_core.optim._optimiser import Group, Optimiser, Shared
from d2l_core.optim.schedules import Schedule


def _running_mean(mean: Tensor, value: Tensor, keep: float) -> Tensor:
    return keep * mean + (1.0 - keep) * value


class SGD(Optimiser):
    """Stochastic gradient descent with momentum (Polyak, 1964).

    ``v = momentum v + g;  p = p - lr v``; Nesterov's form is ``p = p - lr (g + momentum v)`` (Sutskever et al., 2013).

    Raises:
        ValueError: a setting is out of its range, or Nesterov's form is asked for without momentum.
    """

    def __init__(
        self,
        module: Module,
        lr: float | Schedule,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        **shared: Unpack[Shared],
    ):
        require_below_one(momentum=momentum)
        if nesterov and not momentum:
            raise ValueError("Nesterov's form needs momentum; choose one greater than 0 or nesterov=False.")
        self.slot_names = ("velocity",) if momentum else ()
        self.momentum, self.nesterov = momentum, nesterov
        super().__init__(module, lr, **shared)

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        """One step of the formula above."""
        if not self.momentum:
            return (parameter - lr * gradient,)
        velocity = self.momentum * slots[0] + gradient
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return parameter - lr * direction, velocity


class Lion(Optimiser):
    """Evolved sign momentum (Chen et al., 2023, algorithm 2), with decoupled weight decay.

    ``p = p - lr sign(beta1 m + (1 - beta1) g);  m = beta2 m + (1 - beta2) g``.
    Every element moves by lr in each step, so that lr should be three to ten times smaller than for `AdamW`.

    Raises:
        ValueError: a setting is out of its range.
    """

    slot_names = ("momentum",)
    decoupled = True

    def __init__(
        self,
        module: Module,
        lr: float | Schedule = 1e-4,
        *,
        beta1: float = 0.9,
        beta2: float = 0.99,
        **shared: Unpack[Shared],
    ):
        require_below_one(beta1=beta1, beta2=beta2)
        self.beta1, self.beta2 = beta1, beta2
        super().__init__(module, lr, **shared)

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        """One step of the formula above."""
        direction = xp.sign(_running_mean(slots[0], gradient, self.beta1))
        return parameter - lr * direction, _running_mean(slots[0], gradient, self.beta2)


class Adagrad(Optimiser):
    """Adaptive subgradients (Duchi, Hazan and Singer, 2011, figure 1, diagonal matrices).

    ``s = s + g²;  p = p - lr g / (sqrt(s) + eps)``.

    Raises:
        ValueError: a setting is out of its range.
    """

    slot_names = ("squares",)

    def __init__(self, module: Module, lr: float | Schedule = 0.01, *, eps: float = 1e-10, **shared: Unpack[Shared]):
        require_not_negative(eps=eps)
        self.eps = eps
        super().__init__(module, lr, **shared)

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        """One step of the formula above."""
        squares = slots[0] + gradient * gradient
        return parameter - lr * gradient / (xp.sqrt(squares) + self.eps), squares


class RMSprop(Optimiser):
    """RMSprop (Tieleman and Hinton, 2012, lecture 6.5), with momentum and the centred form (Graves, 2013, section 5).

    ``s = rho s + (1 - rho) g²;  v = momentum v + g / (sqrt(s) + eps);  p = p - lr v``. The centred form divides by the
    standard deviation: with ``m = rho m + (1 - rho) g``, the difference ``s - m²`` stands for s under the root. The
    lecture names no epsilon and Graves puts his under the root; here it stands outside, as in PyTorch.

    Raises:
        ValueError: a setting is out of its range.
    """

    def __init__(
        self,
        module: Module,
        lr: float | Schedule = 0.01,
        *,
        rho: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
        centred: bool = False,
        **shared: Unpack[Shared],
    ):
        require_below_one(rho=rho, momentum=momentum)
        require_not_negative(eps=eps)
        self.rho, self.eps, self.momentum, self.centred = rho, eps, momentum, centred
        self.slot_names = ("squares", *(["mean"] if centred else []), *(["velocity"] if momentum else []))
        super().__init__(module, lr, **shared)

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        """One step of the formula above; the variance is kept from falling below zero by rounding."""
        squares = variance = _running_mean(slots[0], gradient * gradient, self.rho)
        written = [squares]
        if self.centred:
            mean = _running_mean(slots[1], gradient, self.rho)
            variance = xp.clip(squares - mean * mean, min=0.0)
            written.append(mean)
        direction = gradient / (xp.sqrt(variance) + self.eps)
        if self.momentum:
            direction = self.momentum * slots[-1] + direction
            written.append(direction)
        return parameter - lr * direction, *written


class Adadelta(Optimiser):
    """Adadelta (Zeiler, 2012, algorithm 1); lr = 1 is the paper's.

    ``s = rho s + (1 - rho) g²;  d = sqrt(u + eps) / sqrt(s + eps) g;  u = rho u + (1 - rho) d²;  p = p - lr d``.
    Epsilon stands under both roots: under the first it starts the movement.

    Raises:
        ValueError: a setting is out of its range.
    """

    slot_names = ("squares", "updates")

    def __init__(
        self,
        module: Module,
        lr: float | Schedule = 1.0,
        *,
        rho: float = 0.95,
        eps: float = 1e-6,
        **shared: Unpack[Shared],
    ):
        require_below_one(rho=rho)
        require_not_negative(eps=eps)
        self.rho, self.eps = rho, eps
        super().__init__(module, lr, **shared)

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        """One step of the formula above."""
        squares = _running_mean(slots[0], gradient * gradient, self.rho)
        update = xp.sqrt(slots[1] + self.eps) / xp.sqrt(squares + self.eps) * gradient
        return parameter - lr * update, squares, _running_mean(slots[1], update * update, self.rho)


class Adam(Optimiser):
    """Adam (Kingma and Ba, 2015, algorithm 1).

    ``m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g²;``
    ``p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)`` at step t = 1, 2, ...
    Epsilon stands outside the root. The corrections ``c = 1 - beta^t`` are computed as ``c = beta c + (1 - beta)``:
    they are then rounded as m and v are, and nothing cancels at the first steps, where float32 would lose two digits.

    Raises:
        ValueError: a setting is out of its range.
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
        **shared: Unpack[Shared],
    ):
        require_below_one(beta1=beta1, beta2=beta2)
        require_not_negative(eps=eps)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        super().__init__(module, lr, **shared)
        self.progress = self.add_slot("progress", (3,))

    def before_update(self) -> None:
        """Advance ``1 - beta1^t``, ``1 - beta2^t`` and t."""
        keep = xp.asarray([self.beta1, self.beta2, 1.0], dtype=float_dtype())
        gain = xp.asarray([1.0 - self.beta1, 1.0 - self.beta2, 1.0], dtype=float_dtype())
        self.progress.value = keep * self.progress.value + gain

    def rules(
        self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], lr: Any, *slots: Sequence[Tensor]
    ) -> Sequence[Sequence[Tensor]]:
        """One step of the formula above."""
        firsts, seconds = slots
        settings = self.progress.value, lr, self.beta1, self.beta2, self.eps
        return composites.adam(parameters, gradients, firsts, seconds, *settings)

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        """`rules` for one parameter."""
        return tuple(column[0] for column in Adam.rules(self, [parameter], [gradient], lr, *[[slot] for slot in slots]))


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019, algorithm 2).

    ``p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) - lr weight_decay p``: the root does not
    divide the decay. The paper scales both terms by a schedule and only the first by a learning rate; here lr is both,
    as in PyTorch.

    Raises:
        ValueError: a setting is out of its range.
    """

    decoupled = True

    def __init__(
        self,
        module: Module,
        lr: float | Schedule = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        groups: Sequence[Group] = (),
    ):
        super().__init__(module, lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay, groups=groups)


class Yogi(Adam):
    """Yogi (Zaheer et al., 2018, algorithm 2): Adam whose v changes by at most ``(1 - beta2) g²``.

    ``v = v - (1 - beta2) sign(v - g²) g²``; all else is as in `Adam`. Its bias corrections, which the paper's algorithm
    leaves out, keep the first steps from being too long.

    Raises:
        ValueError: a setting is out of its range.
    """

    def __init__(
        self,
        module: Module,
        lr: float | Schedule = 0.01,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-3,
        **shared: Unpack[Shared],
    ):
        super().__init__(module, lr, beta1=beta1, beta2=beta2, eps=eps, **shared)

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        """One step of the formula above."""
        square, progress = gradient * gradient, self.progress.value
        first = _running_mean(slots[0], gradient, self.beta1)
        second = slots[1] - (1.0 - self.beta2) * xp.sign(slots[1] - square) * square
        root = xp.sqrt(second / progress[1])
        return parameter - lr / progress[0] * first / (root + self.eps), first, second
