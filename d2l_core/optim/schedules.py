"""Learning rates that change during a run.

A schedule is a function of the number of the step (0, 1, 2 ...) and of the number of steps of the whole run. It is
computed on the host in float64; a compiled step takes the rate as a tensor, so that no step is compiled twice and every
backend is given the same number.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from d2l_core.optim._checks import require_not_negative, require_positive, require_share

Schedule = Callable[[int, int], float]


def _progress(step: float, total: float) -> float:
    """The share of the run that is over, kept within 0 and 1."""
    return min(1.0, max(0.0, step / max(1.0, total)))


@dataclass(frozen=True)
class Constant:
    """The same rate at every step.

    Raises:
        ValueError: `lr` is negative.
    """

    lr: float

    def __post_init__(self) -> None:
        require_not_negative(lr=self.lr)

    def __call__(self, step: int, total: int) -> float:
        return self.lr


@dataclass(frozen=True)
class Step:
    """``lr * factor ** floor(step / every)``: the rate is multiplied by `factor` after every so many steps.

    Raises:
        ValueError: `lr` or `factor` is negative, or `every` is not positive.
    """

    lr: float
    factor: float
    every: int

    def __post_init__(self) -> None:
        require_not_negative(lr=self.lr, factor=self.factor)
        require_positive(every=self.every)

    def __call__(self, step: int, total: int) -> float:
        return float(self.lr * self.factor ** (step // self.every))


@dataclass(frozen=True)
class MultiStep:
    """``lr * factor ** n``, where n counts the milestones up to and including the step.

    Raises:
        ValueError: `lr` or `factor` is negative, or the milestones do not rise.
    """

    lr: float
    factor: float
    milestones: tuple[int, ...]

    def __post_init__(self) -> None:
        require_not_negative(lr=self.lr, factor=self.factor)
        object.__setattr__(self, "milestones", tuple(self.milestones))
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"The milestones {self.milestones} do not rise; give the steps in order, each once.")

    def __call__(self, step: int, total: int) -> float:
        return float(self.lr * self.factor ** bisect.bisect_right(self.milestones, step))


@dataclass(frozen=True)
class Exponential:
    """``lr * factor ** (step / every)``.

    Raises:
        ValueError: `lr` or `factor` is negative, or `every` is not positive.
    """

    lr: float
    factor: float
    every: int = 1

    def __post_init__(self) -> None:
        require_not_negative(lr=self.lr, factor=self.factor)
        require_positive(every=self.every)

    def __call__(self, step: int, total: int) -> float:
        return float(self.lr * self.factor ** (step / self.every))


@dataclass(frozen=True)
class Polynomial:
    """``final + (lr - final) (1 - step / total) ** power``: a straight line with power 1.

    Raises:
        ValueError: `lr` or `final` is negative, or `power` is not positive.
    """

    lr: float
    final: float = 0.0
    power: float = 1.0

    def __post_init__(self) -> None:
        require_not_negative(lr=self.lr, final=self.final)
        require_positive(power=self.power)

    def __call__(self, step: int, total: int) -> float:
        return float(self.final + (self.lr - self.final) * (1.0 - _progress(step, total)) ** self.power)


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from `lr` to `final` over the run (Loshchilov and Hutter, 2017, eq. 5).

    Attributes:
        lr: the largest rate.
        final: the rate after the last step.
        warmup: number of steps over which the rate first rises linearly to `lr`; see `Warmup` for other schedules.
        hold: share of the run during which the rate then stays `lr`.

    Raises:
        ValueError: a rate or `warmup` is negative, or `hold` is no share.
    """

    lr: float
    final: float = 0.0
    warmup: int = 0
    hold: float = 0.0

    def __post_init__(self) -> None:
        require_not_negative(lr=self.lr, final=self.final, warmup=self.warmup)
        require_share(hold=self.hold)

    def __call__(self, step: int, total: int) -> float:
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        start = max(self.warmup, self.hold * total)
        progress = _progress(step - start, total - start)
        return self.final + (self.lr - self.final) * 0.5 * (1.0 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class Warmup:
    """Another schedule after a linear rise to its first rate (Goyal et al., 2017, section 2.2).

    Step s of the first `steps` has the share (s + 1) / steps of that rate, so that the last of them already has all of
    it. The other schedule then runs over the rest of the steps as over a run of its own.

    Attributes:
        schedule: what follows the rise.
        steps: length of the rise; 0 for none.

    Raises:
        ValueError: `steps` is negative.
    """

    schedule: Schedule
    steps: int

    def __post_init__(self) -> None:
        require_not_negative(steps=self.steps)

    def __call__(self, step: int, total: int) -> float:
        rest = max(1, total - self.steps)
        if step < self.steps:
            return self.schedule(0, rest) * (step + 1) / self.steps
        return self.schedule(step - self.steps, rest)


@dataclass(frozen=True)
class OneCycle:
    """One rise and fall, then a fall to almost nothing, all in straight lines (Smith and Topin, 2018, section 3).

    From ``lr / start_divisor`` to `lr` in the first half of the cycle, back in the second, and to
    ``lr / (start_divisor final_divisor)`` during the rest of the run. Momentum is left alone.

    Attributes:
        lr: the largest rate.
        start_divisor: how many times smaller the first rate is.
        final_divisor: how many times smaller still the rate after the last step is.
        cycle: share of the run that the rise and fall take.

    Raises:
        ValueError: `lr` is negative, a divisor is not positive, or `cycle` is no share.
    """

    lr: float
    start_divisor: float = 25.0
    final_divisor: float = 1e4
    cycle: float = 0.9

    def __post_init__(self) -> None:
        require_not_negative(lr=self.lr)
        require_positive(start_divisor=self.start_divisor, final_divisor=self.final_divisor, cycle=self.cycle)
        require_share(cycle=self.cycle)

    def __call__(self, step: int, total: int) -> float:
        low = self.lr / self.start_divisor
        knots, rates = [0.0, self.cycle / 2, self.cycle], [low, self.lr, low]
        if self.cycle < 1.0:
            knots, rates = [*knots, 1.0], [*rates, low / self.final_divisor]
        return float(np.interp(_progress(step, total), knots, rates))
