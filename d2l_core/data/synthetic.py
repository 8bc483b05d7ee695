"""Data made from a known law, so that what was learned can be compared with the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from d2l_core import random

__all__ = ["linear_data"]


def linear_data(
    weight: Sequence[float], bias: float, n: int, *, noise: float = 0.01, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standard normal features X (n, d) and targets ``y = X w + b + noise`` (n, 1) with normal noise.

    Args:
        weight: the d true weights.
        bias: the true offset.
        n: number of examples.
        noise: standard deviation of the noise.
        seed: of the random stream.
    """
    w = np.asarray(weight, dtype=np.float64)
    X = random.normal((n, len(w)), "linear_data", seed, "features")
    y = (X * w).sum(axis=1, keepdims=True) + bias + random.normal((n, 1), "linear_data", seed, "noise", std=noise)
    return X, y
