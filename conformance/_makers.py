"""Makers of samples that several cases share."""

from __future__ import annotations

from typing import Any

import numpy as np
from d2l_conformance.case import Array, Maker, sample

inf, nan = np.inf, np.nan

SHAPES = ((3, 4), (), (2, 0, 3), (2, 3, 1, 2))


def spread(rng: np.random.Generator, shape: tuple[int, ...], gap: float = 0.1) -> Array:
    """Different numbers in random order, around zero and no two closer than `gap`: no kink is near."""
    n = int(np.prod(shape))
    return np.asarray((rng.permutation(n) - n / 2 + 0.25).reshape(shape) * gap)


def unary(low: float, high: float) -> Maker:
    """One tensor of several ranks, with numbers between two bounds."""

    def make(rng: np.random.Generator) -> Any:
        for shape in SHAPES:
            yield sample(np.asarray(rng.uniform(low, high, shape)))

    return make


def unary_spread(gap: float = 0.1) -> Maker:
    """One tensor of several ranks, numbers apart from each other and from zero."""

    def make(rng: np.random.Generator) -> Any:
        for shape in SHAPES:
            yield sample(spread(rng, shape, gap))

    return make


def binary(low: float, high: float, *, scalars: bool = True) -> Maker:
    """Two tensors that broadcast against each other, or one and a Python number."""

    def make(rng: np.random.Generator) -> Any:
        pairs: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
            ((3, 4), (3, 4)),
            ((3, 4), (4,)),
            ((2, 1, 4), (3, 1)),
            ((), (2, 3)),
            ((), ()),
            ((2, 0), (1, 1)),
        ]
        for first, second in pairs:
            yield sample(np.asarray(rng.uniform(low, high, first)), np.asarray(rng.uniform(low, high, second)))
        if scalars:
            yield sample(rng.uniform(low, high, (2, 3)), 1.75)
            yield sample(1.75, rng.uniform(low, high, (2, 3)))

    return make


def binary_spread(rng: np.random.Generator) -> Any:
    """Two tensors without ties."""
    both = spread(rng, (24,))
    yield sample(both[:12].reshape(3, 4), both[12:].reshape(3, 4))
    yield sample(both[:3].reshape(3, 1), both[3:7])
    yield sample(np.asarray(both[0]), both[1:7].reshape(2, 3))
    yield sample(both[:6].reshape(2, 3), 0.3125)
    yield sample(-0.3125, both[:6].reshape(2, 3))


def values(*numbers: float) -> Maker:
    """One vector of given numbers."""

    def make(rng: np.random.Generator) -> Any:
        yield sample(np.array(numbers, np.float64))

    return make


def every_pair(*numbers: float) -> Maker:
    """All ordered pairs of given numbers."""

    def make(rng: np.random.Generator) -> Any:
        column = np.array(numbers, np.float64)
        first, second = np.meshgrid(column, column, indexing="ij")
        yield sample(first.reshape(-1), second.reshape(-1))

    return make


def comparison(rng: np.random.Generator) -> Any:
    """Pairs with ties, of floats and of integers, and a Python number."""
    a, b = rng.integers(0, 3, (2, 3, 4))
    yield sample(a.astype(np.float64), b.astype(np.float64))
    yield sample(a.astype(np.int32), b[0].astype(np.int32))
    yield sample(a.astype(np.float64), 1.0)
    yield sample(a.astype(np.int64), 1)
    yield sample(np.array(1.0), b.astype(np.float64))


def booleans(rng: np.random.Generator) -> Any:
    """Two boolean tensors that broadcast."""
    yield sample(rng.random((3, 4)) < 0.5, rng.random((3, 4)) < 0.5)
    yield sample(rng.random((3, 1)) < 0.5, rng.random(4) < 0.5)


def reduction(draw: Any, *, empty: bool = True) -> Maker:
    """Every way to name axes, every other one kept, and tensors without axes or elements."""

    def make(rng: np.random.Generator) -> Any:
        x = draw(rng, (2, 3, 4))
        for i, axis in enumerate((None, 0, -1, 1, (0, 2), (-1, -2), (0, 1, 2))):
            yield sample(x, axis=axis, keepdims=i % 2 == 0)
        yield sample(x)
        yield sample(draw(rng, ()))
        yield sample(draw(rng, (1,)), axis=0)
        if empty:
            yield sample(draw(rng, (2, 0, 3)), axis=1)
            yield sample(draw(rng, (2, 0, 3)), axis=0)

    return make


def special_rows(rng: np.random.Generator) -> Any:
    """Rows with NaN, infinities and zeros, reduced along each."""
    rows = np.array(
        [
            [1.0, nan, 2.0],
            [inf, 1.0, 2.0],
            [-inf, 1.0, 2.0],
            [inf, -inf, 0.0],
            [nan, inf, -inf],
            [-inf, -inf, -inf],
            [inf, inf, 1.0],
        ]
    )
    yield sample(rows, axis=-1)
    yield sample(rows[0])


def ordinary(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Normal numbers."""
    return np.asarray(rng.normal(size=shape))


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers between a half and two."""
    return np.asarray(rng.uniform(0.5, 2.0, shape))


def reduced(x: Array, *, axis: Any = None, **_: Any) -> int:
    """Number of elements that a reduction puts together."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return int(np.prod([x.shape[a] for a in axes]))
