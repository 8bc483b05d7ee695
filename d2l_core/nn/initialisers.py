"""Initial values of parameters: each draws float64 numbers from the stream called by the parameter's path and the seed.

The fans of a weight (out, in, *window) are ``fan_in = in * window`` and ``fan_out = out * window``, where window is the
number of positions of the kernel.
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
    if len(shape) < 2:
        raise ValueError(
            f"A parameter of shape {shape} has no inputs and outputs to count; "
            "choose Constant, Uniform or Normal for it, or give it at least two axes."
        )
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
    """Uniform in ±gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010, eq. 16).

    Raises:
        ValueError: the parameter has fewer than two axes.
    """

    gain: float = 1.0

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        return Uniform(self.gain * math.sqrt(6.0 / sum(_fans(shape))))(shape, key)


@dataclass(frozen=True)
class XavierNormal:
    """Normal with variance gain² 2 / (fan_in + fan_out) (Glorot and Bengio, 2010, eq. 12).

    Raises:
        ValueError: the parameter has fewer than two axes.
    """

    gain: float = 1.0

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        return Normal(self.gain * math.sqrt(2.0 / sum(_fans(shape))))(shape, key)


def _he_std(shape: tuple[int, ...], slope: float) -> float:
    """Standard deviation that keeps the variance through a rectifier whose slope below zero is `slope`."""
    return math.sqrt(2.0 / ((1.0 + slope * slope) * _fans(shape)[0]))


@dataclass(frozen=True)
class HeUniform:
    """Uniform with mean 0 and variance 2 / ((1 + slope²) fan_in), for rectifiers (He et al., 2015, eq. 10 and 15).

    `slope` is that of the rectifier below zero.

    Raises:
        ValueError: the parameter has fewer than two axes.
    """

    slope: float = 0.0

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        return Uniform(math.sqrt(3.0) * _he_std(shape, self.slope))(shape, key)


@dataclass(frozen=True)
class HeNormal:
    """Normal with mean 0 and variance 2 / ((1 + slope²) fan_in), for rectifiers (He et al., 2015, eq. 10 and 15).

    `slope` is that of the rectifier below zero.

    Raises:
        ValueError: the parameter has fewer than two axes.
    """

    slope: float = 0.0

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        return Normal(_he_std(shape, self.slope))(shape, key)


@dataclass(frozen=True)
class FanInUniform:
    """Uniform in ±1 / sqrt(fan_in) (LeCun et al., 1998); `fan_in` is given where the shape does not tell it.

    Raises:
        ValueError: the parameter has fewer than two axes and `fan_in` is not given.
    """

    fan_in: int | None = None

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        return Uniform(1.0 / math.sqrt(self.fan_in or _fans(shape)[0]))(shape, key)


@dataclass(frozen=True)
class Orthogonal:
    """Rows, or columns where they are fewer, that are orthogonal and of length `gain` (Saxe et al., 2014).

    The parameter is taken as a matrix (out, in * window). A normal matrix is made orthogonal by Gram and Schmidt's
    method, which leaves every orientation equally likely; each row goes through it twice, for one pass loses digits.
    Sums have a fixed order, which a library for linear algebra would not promise.

    Raises:
        ValueError: the parameter has fewer than two axes.
    """

    gain: float = 1.0

    def __call__(self, shape: tuple[int, ...], key: Key) -> Values:
        fan_in, _ = _fans(shape)
        drawn = random.normal((shape[0], fan_in), *key)
        wide = shape[0] <= fan_in
        rows = _orthonormal_rows(drawn if wide else drawn.T.copy())
        return self.gain * (rows if wide else rows.T).reshape(shape)


def _orthonormal_rows(matrix: Values) -> Values:
    rows = np.zeros_like(matrix)
    for i, row in enumerate(matrix):
        for _ in range(2):
            shares = _sum_last(rows[:i] * row)
            row = row - _sum_last(np.ascontiguousarray((shares[:, None] * rows[:i]).T))
            row = row / np.sqrt(_sum_last(row * row))
        rows[i] = row
    return rows


def _sum_last(x: Values) -> Values:
    """Sum over the last axis by adding one half to the other until one number is left: its length fixes the order."""
    n = x.shape[-1]
    if n == 0:
        return np.zeros(x.shape[:-1])
    while n > 1:
        half = n // 2
        rest = x[..., 2 * half : n]
        x = np.concatenate([x[..., :half] + x[..., half : 2 * half], rest], axis=-1)
        n = x.shape[-1]
    return x[..., 0]
