"""Initial values of parameters: each draws float64 numbers from the stream called by the parameter's path and the seed.

The fan of a weight (out, in, *window) is ``fan_in = in * window`` and ``fan_out = out * window``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from d2l_core import random

Key = tuple[int | str, ...]
Values = NDArray[np.float64]


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


@dataclass(frozen=True)
class Constant:
    """The same number everywhere."""

    number: float = 0.0

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        return np.full(shape, self.number)


@dataclass(frozen=True)
class Normal:
    """Normal with mean 0 and standard deviation `std`."""

    std: float = 0.01

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        return random.normal(shape, *key, std=self.std)


@dataclass(frozen=True)
class Uniform:
    """Uniform in [-bound, bound)."""

    bound: float

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        return random.uniform(shape, *key, low=-self.bound, high=self.bound)


@dataclass(frozen=True)
class XavierUniform:
    """Uniform in ±sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010, eq. 16)."""

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        return Uniform(math.sqrt(6.0 / sum(_fans(shape))))(shape, key)


@dataclass(frozen=True)
class HeNormal:
    """Normal with variance 2 / fan_in (He et al., 2015, eq. 10)."""

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        return Normal(math.sqrt(2.0 / _fans(shape)[0]))(shape, key)


@dataclass(frozen=True)
class FanInUniform:
    """Uniform in ±1 / sqrt(fan_in) (LeCun et al., 1998); `fan_in` is given where the shape does not tell it."""

    fan_in: int | None = None

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        return Uniform(1.0 / math.sqrt(self.fan_in or _fans(shape)[0]))(shape, key)
