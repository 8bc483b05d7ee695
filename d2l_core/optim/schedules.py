"""Learning rates that change during a run.

A schedule is a function of the number of the step (0, 1, 2 ...) and of the number of steps of the whole run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Schedule = Callable[[int, int], float]


@dataclass(frozen=True)
class Exponential:
    """``lr * factor ** (step / every)``."""

    lr: float
    factor: float
    every: int = 1

    def __call__(self, step: int, total: int) -> float:
        return float(self.lr * self.factor ** (step / self.every))


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from `lr` to `final` over the run (Loshchilov and Hutter, 2017, eq. 5).

    Attributes:
        lr: the largest rate.
        final: the rate after the last step.
        warmup: number of steps over which the rate first rises linearly to `lr`.
        hold: share of the run during which the rate then stays `lr`.
    """

    lr: float
    final: float = 0.0
    warmup: int = 0
    hold: float = 0.0

    def __call__(self, step: int, total: int) -> float:
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        start = max(self.warmup, self.hold * total)
        progress = min(1.0, max(0.0, (step - start) / max(1.0, total - start)))
        return self.final + (self.lr - self.final) * 0.5 * (1.0 + math.cos(math.pi * progress))
