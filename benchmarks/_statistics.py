"""From seconds to figures: medians, ratios with their intervals, and when a slow start has paid for itself."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import numpy as np

from d2l_core.random import uniform

RESAMPLES = 2000


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Where the median of such values lies with 95 % confidence, by the percentile bootstrap (Efron, 1979).

    The resamples are always the same, so that the same values give the same interval.
    """
    picks = (uniform((RESAMPLES, len(values)), "bootstrap") * len(values)).astype(np.int64)
    low, high = np.quantile(np.median(np.asarray(values)[picks], axis=1), [0.025, 0.975])
    return float(low), float(high)


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """``ratio``, the median of the quotients of neighbouring turns, and its interval, ``low`` to ``high``."""
    quotients = [a / b for a, b in zip(ours, theirs, strict=True)]
    low, high = interval(quotients)
    return {"ratio": statistics.median(quotients), "low": low, "high": high}


def break_even(start: float, step: float, other_start: float, other_step: float) -> float | None:
    """After how many steps a form has made up for its later start against another; None if it never does.

    Args:
        start: seconds until its first step is done.
        step: seconds of each further step.
        other_start, other_step: of the form it is held against.
    """
    if start <= other_start:
        return 0.0
    return (start - other_start) / (other_step - step) if step < other_step else None


def first_step(ready: float, first_epoch: float, epoch: float, steps: int) -> float:
    """Seconds until the first step is done, by what the first epoch took more than another one does.

    Where an epoch is compiled as a whole there is no first step to stop the clock at; this means the same on all
    sides. An epoch is never taken to have begun before everything was imported and built.
    """
    return ready + max(first_epoch - epoch * (steps - 1) / steps, 0.0)


def loss_difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The largest relative difference of the losses of an epoch; of its means, if one side tells no more.

    Infinite if one of them is not a number or if they are not of the same steps.
    """
    if len(theirs) == 1 != len(ours):
        ours = [statistics.fmean(ours)]
    if len(ours) != len(theirs) or not all(map(math.isfinite, (*ours, *theirs))):
        return math.inf
    return max(abs(a - b) / max(abs(a), abs(b), 1e-30) for a, b in zip(ours, theirs, strict=True))


def geometric_mean(ratios: Sequence[float]) -> float:
    """The mean of ratios that gives the same weight to twice and to half."""
    return math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
