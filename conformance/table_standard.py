"""Cases of the group `arrays`, continued: what the standard has beyond the functions that every lesson uses."""

from __future__ import annotations

from typing import Any

import numpy as np
from d2l_conformance import oracle
from d2l_conformance._makers import (
    binary,
    booleans,
    every_pair,
    inf,
    nan,
    positive,
    reduction,
    spread,
    unary,
    unary_spread,
    values,
)
from d2l_conformance.case import Array, Bits, Case, Contraction, Maker, Named, Scaled, Slope, Ulp, sample
from d2l_conformance.table_arrays import ADDED, LIBRARY, LINEAR, SPECIAL, TINY

Generator = np.random.Generator
ANGLES = Ulp(4, LIBRARY)
ESTIMATED = "Vector code may refine the processor's estimate of a reciprocal."
TWO_STEPS = Ulp(4, "A logarithm and a division by a rounded constant.")


# ---------------------------------------------------------------- creation and manipulation


def _shapes(rng: Generator) -> Any:
    for shape in (3, (2, 3), (), (0, 2)):
        yield sample(shape)
    yield sample((2, 2), dtype=Named("int32"))


def _like(rng: Generator) -> Any:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(np.arange(3, dtype=np.int32))
    yield sample(rng.normal(size=(2, 3)), dtype=Named("int32"))


def _grids(rng: Generator) -> Any:
    x, y, z = rng.normal(size=3), rng.normal(size=4), rng.normal(size=2)
    for indexing in ("xy", "ij"):
        yield sample(x, y, indexing=indexing)
        yield sample(x, y, z, indexing=indexing)
    yield sample(x)


def _grid_wrong(rng: Generator) -> Any:
    yield sample(np.ones(2), np.ones(3), indexing="ji")


def _triangles(rng: Generator) -> Any:
    for k in (0, 1, -2, 5):
        yield sample(rng.normal(size=(3, 4)), k=k)
    yield sample(rng.normal(size=(2, 3, 4)))
    yield sample(rng.integers(1, 9, (3, 4)).astype(np.int32))


def _triangle_edges(rng: Generator) -> Any:
    yield sample(np.array([[nan, inf], [-inf, nan]]))


def _moves(rng: Generator) -> Any:
    x = rng.normal(size=(2, 3, 4))
    for source, destination in ((0, -1), (-1, 0), (1, 1), ((0, 1), (2, 0)), ((2, -3), (0, 1)), ((), ())):
        yield sample(x, source, destination)


def _moves_wrong(rng: Generator) -> Any:
    yield sample(np.ones((2, 3)), (0, 0), (0, 1))
    yield sample(np.ones((2, 3)), (0, 1), 0)
    yield sample(np.ones((2, 3)), 2, 0)


def _unstacks(rng: Generator) -> Any:
    for axis in (0, 1, -1):
        yield sample(rng.normal(size=(2, 3, 4)), axis=axis)
    yield sample(rng.normal(size=3))


def _together(rng: Generator) -> Any:
    yield sample(rng.normal(size=(3, 1)), rng.normal(size=4))
    yield sample(rng.normal(size=(3, 4)), rng.normal(size=4), np.array(2.0))
    yield sample(rng.normal(size=(3, 4)))


def _apart(rng: Generator) -> Any:
    yield sample(np.ones((2, 3)), np.ones((2, 4)))


def _unstack(x: Array, axis: int = 0) -> list[Array]:
    return [np.take(x, i, axis) for i in range(x.shape[axis])]


MANIPULATION = [
    Case("empty", np.zeros, _shapes, Bits(), "named"),
    Case("empty_like", np.zeros_like, _like, Bits(), "named"),
    Case(
        "meshgrid", np.meshgrid, _grids, Bits(), "input",
        wrong=_grid_wrong, differentiable=(0, 1, 2), gradient=ADDED,
    ),
    Case(
        "tril", np.tril, _triangles, Bits(), "input", edges=_triangle_edges, differentiable=(0,), gradient=LINEAR,
    ),
    Case(
        "triu", np.triu, _triangles, Bits(), "input", edges=_triangle_edges, differentiable=(0,), gradient=LINEAR,
    ),
    Case(
        "moveaxis", np.moveaxis, _moves, Bits(), "input", wrong=_moves_wrong, differentiable=(0,), gradient=LINEAR,
    ),
    Case("unstack", _unstack, _unstacks, Bits(), "input", differentiable=(0,), gradient=LINEAR),
    Case(
        "broadcast_arrays", np.broadcast_arrays, _together, Bits(), "input",
        wrong=_apart, differentiable=(0, 1, 2), gradient=ADDED,
    ),
]  # fmt: skip


# ---------------------------------------------------------------- elementwise


def _smooth(name: str, function: Any, maker: Maker, *edges: float, tolerance: Any = ANGLES, slope: float = 4) -> Case:
    return Case(
        name, function, maker, tolerance, "input",
        edges=values(*edges), signed_zeros=True, differentiable=(0,), gradient=Slope(slope),
    )  # fmt: skip


def _integer_pairs(rng: Generator) -> Any:
    for kind in (np.int32, np.int64):
        yield sample(rng.integers(-9, 9, (3, 4)).astype(kind), rng.integers(1, 5, (3, 4)).astype(kind))
    yield sample(rng.integers(-9, 9, (3, 4)).astype(np.int32), rng.integers(-5, 0, 4).astype(np.int32))
    yield sample(rng.integers(0, 200, (3, 4)).astype(np.uint8), rng.integers(1, 9, (3, 4)).astype(np.uint8))
    yield sample(rng.integers(-9, 9, (3, 4)).astype(np.int32), 3)


def _shift_pairs(rng: Generator) -> Any:
    places = rng.integers(0, 8, (3, 4))
    for kind in (np.int32, np.uint8):
        yield sample(rng.integers(0, 200, (3, 4)).astype(kind), places.astype(kind))
    yield sample(rng.integers(-200, 200, (3, 4)).astype(np.int64), places[0].astype(np.int64))
    yield sample(rng.integers(-200, 200, (3, 4)).astype(np.int32), 3)
    yield sample(np.array([1, -1], np.int32), np.array([31, 31], np.int32))


def _bits(rng: Generator) -> Any:
    yield from _integer_pairs(rng)
    yield from booleans(rng)


def _inverted(rng: Generator) -> Any:
    for kind in (np.int32, np.int64, np.uint8):
        yield sample(rng.integers(0, 200, (3, 4)).astype(kind))
    yield sample(rng.random((3, 4)) < 0.5)


def _quotients(rng: Generator) -> Any:
    yield sample(rng.uniform(-9, 9, (3, 4)), rng.uniform(0.5, 2, (3, 4)))
    yield sample(rng.uniform(-9, 9, (3, 4)), -rng.uniform(0.5, 2, 4))
    yield sample(rng.uniform(-9, 9, (2, 3)), 1.75)
    yield sample(1.75, rng.uniform(0.5, 3, (2, 3)))
    yield from _integer_pairs(rng)


def _one_ten_times(rng: Generator) -> Any:
    yield from every_pair(*SPECIAL, 0.1, -2.5)(rng)


def _floor_divide(x1: Any, x2: Any) -> Array:
    whole = np.asarray(np.floor_divide(x1, x2))
    if whole.dtype.kind != "f":
        return whole
    return np.where(np.isinf(x1) & np.isfinite(x2), np.divide(x1, x2), whole)


def _next(function: Any, x1: Any, x2: Any) -> list[Any]:
    """What the next float is by definition: on the right side, reversible, and with nothing in between."""
    y = function(x1, x2)
    middle = (y + x1) / 2
    return [y > x1, y < x1, function(y, x1) == x1, (middle - y) * (middle - x1) == 0, y == x2]


def _near(rng: Generator) -> Any:
    yield sample(rng.normal(size=(3, 4)), rng.normal(size=(3, 4)))
    yield sample(rng.normal(size=(3, 4)), rng.normal(size=4))
    yield sample(rng.normal(size=(3, 4)), 0.5)
    yield sample(np.ones(2), np.ones(2))


ELEMENTWISE = [
    _smooth("tan", np.tan, unary(-1.2, 1.2), 0.0, -0.0, inf, -inf, nan),
    _smooth("asin", np.arcsin, unary(-0.9, 0.9), *SPECIAL, *TINY),
    _smooth("acos", np.arccos, unary(-0.9, 0.9), *SPECIAL, 2.0),
    _smooth("atan", np.arctan, unary(-3, 3), *SPECIAL, *TINY),
    _smooth("sinh", np.sinh, unary(-3, 3), *SPECIAL, *TINY),
    _smooth("cosh", np.cosh, unary(-3, 3), *SPECIAL),
    _smooth("asinh", np.arcsinh, unary(-3, 3), *SPECIAL, *TINY),
    _smooth("acosh", np.arccosh, unary(1.2, 5), 1.0, 0.5, -1.0, inf, -inf, nan),
    _smooth("atanh", np.arctanh, unary(-0.9, 0.9), *SPECIAL, *TINY, 2.0),
    _smooth("log2", np.log2, unary(0.1, 10), 0.0, -1.0, 1.0, 8.0, inf, nan, tolerance=TWO_STEPS),
    _smooth("log10", np.log10, unary(0.1, 10), 0.0, -1.0, 1.0, inf, nan, tolerance=TWO_STEPS),
    _smooth("positive", np.positive, unary(-3, 3), *SPECIAL, tolerance=Bits(), slope=1),
    _smooth("reciprocal", lambda x: 1.0 / x, unary(0.5, 3), *SPECIAL, tolerance=Ulp(2, ESTIMATED)),
    Case(
        "trunc", np.trunc, unary_spread(0.3), Bits(), "input",
        edges=values(*SPECIAL, -2.5, -0.5, 0.5, 2.5), signed_zeros=True,
    ),
    Case("signbit", np.signbit, unary(-3, 3), Bits(), "bool", edges=values(*SPECIAL, -nan)),
    Case("isinf", np.isinf, unary(-3, 3), Bits(), "bool", edges=values(*SPECIAL)),
    Case("logical_xor", np.logical_xor, booleans, Bits(), "bool"),
    Case(
        "atan2", np.arctan2, binary(-3, 3), ANGLES, "input",
        edges=every_pair(*SPECIAL), signed_zeros=True, wrong=_apart, differentiable=(0, 1), gradient=Slope(8),
    ),
    Case(
        "logaddexp", np.logaddexp, binary(0.5, 3), Ulp(4, "An exponential, a logarithm and a sum."), "input",
        edges=every_pair(0.0, 1.0, -1.0, 1000.0, -1000.0, inf, -inf, nan), wrong=_apart, differentiable=(0, 1),
    ),
    Case(
        "hypot", np.hypot, binary(0.5, 3), Ulp(4, "Two quotients, their squares, a root and a product."), "input",
        edges=every_pair(*SPECIAL, 1e30, 1e-30), signed_zeros=True, wrong=_apart, differentiable=(0, 1),
    ),
    Case(
        "copysign", np.copysign, binary(-3, 3), Bits(), "input",
        edges=every_pair(*SPECIAL), signed_zeros=True, wrong=_apart, differentiable=(0,), gradient=Slope(2),
    ),
    Case(
        "remainder", np.remainder, _quotients, Ulp(1, "The remainder of the sizes is exact; adding x2 rounds."),
        "input", edges=_one_ten_times, signed_zeros=True, wrong=_apart, differentiable=(0, 1), gradient=Slope(2),
    ),
    Case(
        "modulo", np.remainder, _quotients, Ulp(1, "The remainder of the sizes is exact; adding x2 rounds."),
        "input", wrong=_apart, differentiable=(0, 1), gradient=Slope(2),
    ),
    Case(
        "floor_divide", _floor_divide, _quotients, Bits(), "input",
        edges=_one_ten_times, signed_zeros=True, wrong=_apart,
    ),
    Case("integer_quotient", np.floor_divide, _integer_pairs, Bits(), "input"),
    Case("nextafter", np.nextafter, _near, Bits(), "bool", edges=every_pair(1.0, -1.0, inf, nan), call=_next),
    Case("bitwise_and", np.bitwise_and, _bits, Bits(), "input"),
    Case("bitwise_or", np.bitwise_or, _bits, Bits(), "input"),
    Case("bitwise_xor", np.bitwise_xor, _bits, Bits(), "input"),
    Case("bitwise_invert", np.invert, _inverted, Bits(), "input"),
    Case("bitwise_left_shift", np.left_shift, _shift_pairs, Bits(), "input"),
    Case("bitwise_right_shift", np.right_shift, _shift_pairs, Bits(), "input"),
]  # fmt: skip


# ---------------------------------------------------------------- statistics, searching, updates


def _some_zeros(rng: Generator, shape: tuple[int, ...]) -> Array:
    return np.asarray(rng.integers(0, 3, shape).astype(np.float64))


def _count(rng: Generator) -> Any:
    yield from reduction(_some_zeros)(rng)
    yield sample(rng.random((3, 4)) < 0.5, axis=0)
    yield sample(rng.integers(0, 3, (3, 4)).astype(np.int32))


def _differences(rng: Generator) -> Any:
    x = rng.normal(size=(3, 4))
    yield sample(x)
    yield sample(x, axis=0)
    for n in (0, 2, 5):
        yield sample(x, n=n)
    yield sample(x, rng.normal(size=(3, 1)))
    yield sample(x, rng.normal(size=(1, 4)), rng.normal(size=(2, 4)), axis=0)
    yield sample(rng.integers(-9, 9, (3, 4)).astype(np.int32))


def _diff_wrong(rng: Generator) -> Any:
    yield sample(np.ones(3), n=-1)


def _diff_of(function: Any, x: Any, *ends: Any, **options: Any) -> Any:
    return function(x, **dict(zip(("prepend", "append"), ends, strict=False)), **options)


def _running(rng: Generator) -> Any:
    x = positive(rng, (3, 4))
    for axis in (0, 1, -1):
        yield sample(x, axis=axis)
    yield sample(x, axis=1, include_initial=True)
    yield sample(x[0])
    yield sample(np.array([2.0, 0.0, 3.0, 0.0, 1.5]))
    yield sample(rng.integers(-3, 3, (3, 4)).astype(np.int32), axis=1)
    yield sample(np.zeros((0, 2)), axis=0)


def _running_wrong(rng: Generator) -> Any:
    yield sample(np.ones((2, 3)))


def _running_edges(rng: Generator) -> Any:
    yield sample(np.array([2.0, inf, -1.0, 0.0, 3.0]))


def _cumulative_prod(x: Array, *, axis: int = 0, include_initial: bool = False) -> Array:
    products = np.cumprod(x, axis=axis)
    if include_initial:
        products = np.concatenate([np.ones_like(np.take(products, [0], axis)), products], axis=axis)
    return products


def _sparse(rng: Generator) -> Any:
    yield sample(_some_zeros(rng, (3, 4)))
    yield sample(_some_zeros(rng, (7,)))
    yield sample(rng.random((2, 3, 4)) < 0.5)
    yield sample(np.zeros((2, 2)))


def _sparse_wrong(rng: Generator) -> Any:
    yield sample(np.array(1.0))


def _ordered(rng: Generator) -> Any:
    x = np.sort(rng.integers(0, 9, 11)).astype(np.float64)
    for side in ("left", "right"):
        yield sample(x, rng.integers(-1, 10, (3, 4)).astype(np.float64), side=side)
        yield sample(x.astype(np.int32), np.arange(-1, 10).astype(np.int32), side=side)
    yield sample(x, np.array(4.0))
    mixed = rng.permutation(x)
    yield sample(mixed, rng.uniform(0, 9, 5), sorter=np.argsort(mixed, kind="stable"))
    yield sample(x, np.array([-inf, inf]))


def _ordered_wrong(rng: Generator) -> Any:
    yield sample(np.ones(3), np.ones(2), side="middle")


def _largest(rng: Generator) -> Any:
    x = spread(rng, (3, 4))
    for k, axis in ((2, -1), (1, 0), (3, 0), (4, 1)):
        yield sample(x, k, axis=axis)
    yield sample(spread(rng, (5,)), 3)


def _largest_edges(rng: Generator) -> Any:
    yield sample(np.array([[1.0, 3.0, 3.0, 1.0], [inf, -inf, inf, 0.0]]), 3)
    yield sample(np.array([2, 7, 2, 7], np.int32), 4)


def _largest_wrong(rng: Generator) -> Any:
    yield sample(np.ones((2, 3)), 4)


def _changes(rng: Generator) -> Any:
    x = rng.normal(size=(4, 3, 5))
    for axis, n in ((0, 4), (1, 3), (-1, 5)):
        shape = list(x.shape)
        shape[axis] = 6
        yield sample(x, rng.integers(0, n, 6).astype(np.int32), rng.normal(size=shape), axis=axis)
    yield sample(rng.normal(size=5), np.array([3, 0], np.int64), rng.normal(size=2))
    yield sample(np.arange(5, dtype=np.int32), np.array([3, 0], np.int64), np.array([7, 8], np.int32))


def _empty_change(rng: Generator) -> Any:
    yield sample(np.array([1.0, nan, -0.0]), np.array([1, 1], np.int32), np.array([-0.0, inf]))


def _update(x: Array, indices: Array, values: Array, *, axis: int = 0) -> Array:
    changed = np.moveaxis(x, axis, 0).copy()
    for index, value in zip(indices, np.moveaxis(values, axis, 0), strict=True):
        changed[index] = value
    return np.moveaxis(changed, 0, axis)


def _add(x: Array, indices: Array, values: Array, *, axis: int = 0) -> Array:
    changed = np.moveaxis(x, axis, 0).copy()
    for index, value in zip(indices, np.moveaxis(values, axis, 0), strict=True):
        changed[index] += value
    return np.moveaxis(changed, 0, axis)


def _dots(rng: Generator) -> Any:
    a, b = rng.normal(size=(2, 3, 4))
    yield sample(a, b)
    yield sample(a, b, axis=-2)
    yield sample(a, b[0])
    yield sample(a[0], b[0])
    yield sample(rng.integers(-9, 9, (3, 4)).astype(np.int32), rng.integers(-9, 9, (3, 4)).astype(np.int32))


def _vecdot(a: Array, b: Array, *, axis: int = -1) -> Array:
    return np.asarray(np.sum(a * b, axis=axis, dtype=np.result_type(a, b)))


SEARCHING = [
    Case("count_nonzero", lambda x, **kw: np.asarray(np.count_nonzero(x, **kw)), _count, Bits(), "integer"),
    Case(
        "diff", np.diff, _differences, Scaled(2), "input",
        wrong=_diff_wrong, differentiable=(0, 1, 2), gradient=Slope(2), call=_diff_of,
    ),
    Case(
        "cumulative_prod", _cumulative_prod, _running, Ulp(4, "One rounding per factor."), "oracle",
        edges=_running_edges, wrong=_running_wrong, differentiable=(0,), gradient=Slope(4),
    ),
    Case("nonzero", np.nonzero, _sparse, Bits(), "integer", wrong=_sparse_wrong, compiled=False),
    Case("searchsorted", np.searchsorted, _ordered, Bits(), "integer", wrong=_ordered_wrong),
    Case(
        "top_k", oracle.top_k, _largest, Bits(), "oracle",
        edges=_largest_edges, wrong=_largest_wrong, differentiable=(0,), gradient=LINEAR,
    ),
    Case(
        "index_update", _update, _changes, Bits(), "input",
        edges=_empty_change, signed_zeros=True, differentiable=(0, 2), gradient=LINEAR,
    ),
    Case(
        "index_add", _add, _changes, Scaled(2, "What falls on one place is added in some order."), "input",
        edges=_empty_change, differentiable=(0, 2), gradient=LINEAR,
    ),
    Case(
        "vecdot", _vecdot, _dots, Contraction(2), "input",
        wrong=_apart, differentiable=(0, 1), terms=lambda a, b, *, axis=-1: a.shape[axis],
    ),
]  # fmt: skip

CASES = [*MANIPULATION, *ELEMENTWISE, *SEARCHING]
