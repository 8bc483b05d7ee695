"""Learning rates that change with the step. A schedule is a function of the step number 0, 1, 2 ..."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class Exponential:
    """``lr * factor ** (step / every)``."""

    lr: float
    factor: float
    every: int = 1

    def __call__(self, step: int) -> float:
        return float(self.lr * self.factor ** (step / self.every))


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from `lr` to `final` over `steps` after a linear `warmup` (Loshchilov and Hutter, 2017, eq. 5)."""

    lr: float
    steps: int
    final: float = 0.0
    warmup: int = 0

    def __call__(self, step: int) -> float:
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        progress = min(1.0, (step - self.warmup) / max(1, self.steps - self.warmup))
        return self.final + (self.lr - self.final) * 0.5 * (1.0 + math.cos(math.pi * progress))
