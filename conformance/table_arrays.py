"""Cases of the group `arrays`: the functions of the array API standard and the few beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
from d2l_conformance import oracle
from d2l_conformance._makers import (
    binary,
    binary_spread,
    booleans,
    comparison,
    every_pair,
    inf,
    nan,
    ordinary,
    positive,
    reduced,
    reduction,
    special_rows,
    spread,
    unary,
    unary_spread,
    values,
)
from d2l_conformance.case import Array, Bits, Case, Contraction, Maker, Named, Slope, Ulp, sample
from d2l_conformance.oracle_layers import erf

Generator = np.random.Generator
LIBRARY = "The mathematical library promises a few units in the last place."
EXACT = "IEEE 754 asks for the correctly rounded result: half a unit."
HALF = Ulp(0.5, EXACT)
RECIPROCAL = Ulp(2, "A compiler may multiply by the rounded reciprocal of a constant.")
LINEAR = Slope(1, "The gradient is what comes in, moved.")
ADDED = Slope(3, "What was used more than once has its gradients added, in some order.")


# ---------------------------------------------------------------- creation


def _asarray(rng: Generator) -> Any:
    yield sample(1.5)
    yield sample([[1.0, 2.0], [3.0, 4.0]])
    yield sample([1, 2, 3], dtype=Named("float32"))
    yield sample(rng.normal(size=(2, 3)))
    yield sample(np.zeros((0, 2)))
    yield sample([1, 0], dtype=Named("bool"))
    yield sample(rng.normal(size=3), dtype=Named("float32"))


def _borrowed(rng: Generator) -> Any:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(np.array([[1, 2], [3, 4]], np.int32))
    yield sample(np.array(True))
    yield sample(np.zeros((0, 2)))


def _borrowed_wrong(rng: Generator) -> Any:
    yield sample(None)


def _shapes(rng: Generator) -> Any:
    for shape in (3, (2, 3), [2, 1], (), (0, 2)):
        yield sample(shape)
    yield sample((2, 2), dtype=Named("int32"))
    yield sample(2, dtype=Named("bool"))


def _full(rng: Generator) -> Any:
    yield sample((2, 3), 1.5)
    yield sample((), -2.0)
    yield sample(3, 7, dtype=Named("int32"))
    yield sample([2], 7, dtype=Named("float32"))
    yield sample((2, 2), inf)


def _arange(rng: Generator) -> Any:
    yield sample(5)
    yield sample(2, 7)
    yield sample(7, 1, -2)
    yield sample(0)
    yield sample(5, 5)
    yield sample(0.0, 2.0, 0.25)
    yield sample(3.0)
    yield sample(4, dtype=Named("float32"))
    yield sample(4, dtype=Named("int32"))


def _linspace(rng: Generator) -> Any:
    yield sample(0.0, 1.0, 5)
    yield sample(-2, 3, 7)
    yield sample(0.0, 1.0, 4, endpoint=False)
    yield sample(1.0, 1.0, 1)
    yield sample(0.0, 1.0, 0)


def _eye(rng: Generator) -> Any:
    yield sample(3)
    yield sample(2, 4)
    yield sample(3, 4, k=1)
    yield sample(4, 3, k=-2)
    yield sample(2, dtype=Named("int32"))


def _like(rng: Generator, *rest: Any) -> Any:
    yield sample(rng.normal(size=(2, 3)), *rest)
    yield sample(np.zeros(()), *rest)
    yield sample(np.arange(3, dtype=np.int32), *rest)
    yield sample(rng.normal(size=(2, 1)), *rest, dtype=Named("int32"))
    yield sample(np.zeros((0, 2)), *rest)


def _full_like(rng: Generator) -> Any:
    return _like(rng, 3)


CREATION = [
    Case("asarray", np.asarray, _asarray, Bits(), "named"),
    Case("from_dlpack", np.asarray, _borrowed, Bits(), "input", wrong=_borrowed_wrong),
    Case("zeros", np.zeros, _shapes, Bits(), "named"),
    Case("ones", np.ones, _shapes, Bits(), "named"),
    Case("full", np.full, _full, Bits(), "named"),
    Case("arange", np.arange, _arange, Bits(), "oracle"),
    Case("linspace", np.linspace, _linspace, Ulp(2, "start + i step has two roundings.")),
    Case("eye", lambda n, m=None, *, k=0, dtype=float: np.eye(n, m, k, dtype), _eye, Bits(), "named"),
    Case("zeros_like", np.zeros_like, _like, Bits(), "named"),
    Case("ones_like", np.ones_like, _like, Bits(), "named"),
    Case("full_like", np.full_like, _full_like, Bits(), "named"),
]


# ---------------------------------------------------------------- dtypes and shapes


def _astype(rng: Generator) -> Any:
    x = np.array([-2.7, -0.5, 0.0, 0.5, 2.7])
    for name in ("int32", "int64", "float32", "bool"):
        yield sample(x, Named(name))
    yield sample(np.array([0, 1, 255], np.int32), Named("uint8"))
    yield sample(np.array([True, False]), Named("float32"))
    yield sample(np.arange(4, dtype=np.uint8), Named("int32"))
    yield sample(np.zeros(()), Named("int32"))


def _reshape(rng: Generator) -> Any:
    x = rng.normal(size=(2, 3, 4))
    for shape in ((6, 4), (-1,), (2, -1), (4, 3, 2), 24, [3, 8], (1, 2, 3, 4, 1)):
        yield sample(x, shape)
    yield sample(rng.normal(size=(1, 1)), ())
    yield sample(np.array(1.5), (1, 1))
    yield sample(np.zeros((0, 3)), (3, 0))


def _reshape_wrong(rng: Generator) -> Any:
    yield sample(rng.normal(size=(2, 3)), (4, 2))
    yield sample(rng.normal(size=(2, 3)), (-1, 4))


def _permute(rng: Generator) -> Any:
    x = rng.normal(size=(2, 3, 4))
    for axes in ((0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)):
        yield sample(x, axes)
    yield sample(rng.normal(size=(2, 1)), (1, 0))
    yield sample(rng.normal(size=(1, 2, 3, 2)), (0, 2, 3, 1))


def _matrices(rng: Generator) -> Any:
    for shape in ((2, 3), (4, 2, 3), (1, 2, 3, 2), (0, 3)):
        yield sample(rng.normal(size=shape))


def _concat(rng: Generator) -> Any:
    a, b, c = (rng.normal(size=shape) for shape in ((2, 3), (2, 3), (1, 3)))
    yield sample([a, b])
    yield sample([a, c, b], axis=0)
    yield sample((a, b), axis=1)
    yield sample([a, b], axis=-1)
    yield sample([a])
    yield sample([a, np.zeros((0, 3))])


def _concat_wrong(rng: Generator) -> Any:
    yield sample([np.ones((2, 3)), np.ones((2, 4))])


def _stack(rng: Generator) -> Any:
    a, b, c = rng.normal(size=(3, 2, 3))
    for axis in (0, 1, 2, -1, -2):
        yield sample([a, b, c], axis=axis)
    yield sample([a])
    yield sample([np.array(1.0), np.array(2.0)])


def _stack_wrong(rng: Generator) -> Any:
    yield sample([np.ones((2, 3)), np.ones((2, 4))])


def _expand(rng: Generator) -> Any:
    for axis in (0, 1, 2, -1, -2, -3):
        yield sample(rng.normal(size=(2, 3)), axis=axis)
    yield sample(np.array(1.0), axis=0)


def _squeeze(rng: Generator) -> Any:
    x = rng.normal(size=(1, 2, 1, 3))
    for axis in (0, 2, -2, (0, 2), (0, -2), ()):
        yield sample(x, axis)
    yield sample(rng.normal(size=(1, 1)), (0, 1))


def _squeeze_wrong(rng: Generator) -> Any:
    yield sample(np.ones((1, 2)), 1)


def _broadcast(rng: Generator) -> Any:
    yield sample(rng.normal(size=3), (2, 3))
    yield sample(rng.normal(size=(2, 1)), (2, 3))
    yield sample(np.array(2.0), (2, 2))
    yield sample(rng.normal(size=(3, 1, 2)), (2, 3, 4, 2))
    yield sample(rng.normal(size=(2, 3)), (2, 3))


def _broadcast_wrong(rng: Generator) -> Any:
    yield sample(np.ones(3), (2, 4))


def _flip(rng: Generator) -> Any:
    x = rng.normal(size=(2, 3, 2))
    yield sample(x)
    for axis in (0, -1, (0, 2), (-1, 1)):
        yield sample(x, axis=axis)


def _repeat(rng: Generator) -> Any:
    x = rng.normal(size=(2, 3))
    yield sample(x, 2)
    for axis in (0, 1, -1):
        yield sample(x, 3, axis=axis)
    yield sample(x, 1, axis=0)


def _tile(rng: Generator) -> Any:
    x = rng.normal(size=(2, 3))
    for repetitions in ((2, 1), (1, 3), (2, 2), (3,), (2, 1, 2)):
        yield sample(x, repetitions)


def _roll(rng: Generator) -> Any:
    x = rng.normal(size=(3, 4))
    for shift, axis in ((1, 0), (-1, 1), (5, -1), (0, 0), (-7, -2)):
        yield sample(x, shift, axis=axis)


def _pad(rng: Generator) -> Any:
    x = rng.normal(size=(2, 3))
    yield sample(x, [(1, 2), (0, 1)])
    yield sample(x, ((0, 0), (2, 2)), value=-1.5)
    yield sample(x, [(0, 0), (0, 0)])
    yield sample(rng.normal(size=4), [(1, 0)], value=0.5)
    yield sample(rng.normal(size=(1, 2, 2, 2)), [(0, 0), (1, 0), (1, 1), (0, 2)])


def _pad_edges(rng: Generator) -> Any:
    yield sample(np.array([nan, -0.0, 1.0]), [(1, 2)], value=-inf)


def _moves(name: str, function: Any, maker: Maker, gradient: Slope = LINEAR, **rest: Any) -> Case:
    return Case(name, function, maker, Bits(), "input", differentiable=(0,), gradient=gradient, **rest)


SHAPES = [
    Case("astype", lambda x, dtype: x.astype(dtype), _astype, Bits(), "named"),
    _moves("reshape", np.reshape, _reshape, wrong=_reshape_wrong),
    _moves("permute_dims", np.transpose, _permute),
    _moves("matrix_transpose", lambda x: np.swapaxes(x, -1, -2), _matrices),
    _moves("concat", np.concatenate, _concat, wrong=_concat_wrong),
    _moves("stack", np.stack, _stack, wrong=_stack_wrong),
    _moves("expand_dims", np.expand_dims, _expand),
    _moves("squeeze", np.squeeze, _squeeze, wrong=_squeeze_wrong),
    _moves("broadcast_to", np.broadcast_to, _broadcast, ADDED, wrong=_broadcast_wrong),
    _moves("flip", np.flip, _flip),
    _moves("repeat", np.repeat, _repeat, ADDED),
    _moves("tile", np.tile, _tile, ADDED),
    _moves("roll", np.roll, _roll),
    _moves("pad", oracle.pad, _pad, edges=_pad_edges),
]


# ---------------------------------------------------------------- elementwise


def _elementwise(
    name: str,
    function: Any,
    maker: Maker,
    ulp: float,
    *edges: float,
    reason: str = LIBRARY,
    slope: float = 4,
) -> Case:
    return Case(
        name, function, maker, Ulp(ulp, reason) if ulp else Bits(), "input",
        edges=values(*edges) if edges else None, signed_zeros=bool(edges), differentiable=(0,), gradient=Slope(slope),
    )  # fmt: skip


def _flat(name: str, function: Any, edges: Maker) -> Case:
    """A step function: nothing is rounded, and nothing flows back."""
    return Case(name, function, unary_spread(0.3), Bits(), "input", edges=edges, signed_zeros=True)


def _arithmetic(
    name: str, function: Any, maker: Maker, *edges: float, wrong: Maker, tolerance: Ulp = HALF, slope: float = 4
) -> Case:
    return Case(
        name, function, maker, tolerance, "input",
        edges=every_pair(*edges), signed_zeros=True, wrong=wrong, differentiable=(0, 1), gradient=Slope(slope),
    )  # fmt: skip


def _unbroadcastable(rng: Generator) -> Any:
    yield sample(np.ones((2, 3)), np.ones((2, 4)))


def _pow(rng: Generator) -> Any:
    base = rng.uniform(0.5, 2.0, (3, 4))
    yield sample(base, rng.uniform(-2, 2, (3, 4)))
    yield sample(base, rng.uniform(-2, 2, 4))
    for exponent in (2.0, 3.0, 0.5, -1.0, 2):
        yield sample(base, exponent)
    yield sample(2.0, base)
    yield sample(-base, 3.0)


def _clip(rng: Generator) -> Any:
    x = spread(rng, (3, 4))
    yield sample(x, -0.3125, 0.4375)
    yield sample(x, min=-0.3125)
    yield sample(x, max=0.4375)
    yield sample(x, min=-0.3125, max=0.4375)
    yield sample(x)
    yield sample(x, 0, 1)


def _clip_edges(rng: Generator) -> Any:
    yield sample(np.array([-inf, inf, nan, 0.5]), -1.0, 1.0)


def _where(rng: Generator) -> Any:
    a, b = rng.normal(size=(2, 3, 4))
    yield sample(rng.random((3, 4)) < 0.5, a, b)
    yield sample(rng.random((3, 1)) < 0.5, a, b[0])
    yield sample(np.array(True), a, b)
    yield sample(rng.random((3, 4)) < 0.5, a, np.array(0.5))


def _where_edges(rng: Generator) -> Any:
    yield sample(np.array([True, False, True]), np.array([nan, nan, -0.0]), np.array([1.0, inf, 2.0]))


def _not(rng: Generator) -> Any:
    yield sample(rng.random((3, 4)) < 0.5)
    yield sample(np.array(True))


SPECIAL = (0.0, -0.0, 1.0, -1.0, inf, -inf, nan)
TINY = (1e-10, -1e-10, 1e-5, -1e-5)
HALVES = (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)


ELEMENTWISE = [
    _elementwise("abs", np.abs, unary_spread(), 0, *SPECIAL, slope=2),
    _elementwise("negative", np.negative, unary(-3, 3), 0, *SPECIAL, slope=1),
    Case("sign", np.sign, unary_spread(), Bits(), "input", edges=values(0.0, -0.0, 2.5, -3.0, inf, -inf)),
    _elementwise("exp", np.exp, unary(-10, 5), 4, *SPECIAL, 1000.0, -1000.0),
    _elementwise("expm1", np.expm1, unary(-3, 3), 8, *SPECIAL, *TINY),
    _elementwise("erf", erf, unary(-3, 3), 4, *SPECIAL, *TINY),
    _elementwise("log", np.log, unary(0.1, 10), 4, 0.0, -1.0, 1.0, inf, nan),
    _elementwise("log1p", np.log1p, unary(-0.5, 3), 4, *SPECIAL, *TINY, -2.0),
    _elementwise("sqrt", np.sqrt, unary(0.1, 10), 2, *SPECIAL),
    _elementwise("square", np.square, unary(-3, 3), 0.5, *SPECIAL, reason=EXACT, slope=2),
    _elementwise("sin", np.sin, unary(-3, 3), 4, 0.0, -0.0, inf, -inf, nan, slope=2),
    _elementwise("cos", np.cos, unary(-1.5, 1.5), 4, 0.0, -0.0, inf, -inf, nan, slope=2),
    _elementwise("tanh", np.tanh, unary(-4, 4), 8, *SPECIAL, 30.0, -30.0, *TINY, slope=8),
    _flat("floor", np.floor, values(*SPECIAL, *HALVES)),
    _flat("ceil", np.ceil, values(*SPECIAL, *HALVES)),
    _flat("round", np.round, values(*SPECIAL, *HALVES)),
    _arithmetic("add", np.add, binary(-3, 3), *SPECIAL, wrong=_unbroadcastable),
    _arithmetic("subtract", np.subtract, binary(-3, 3), *SPECIAL, wrong=_unbroadcastable),
    _arithmetic("multiply", np.multiply, binary(-3, 3), *SPECIAL, wrong=_unbroadcastable, slope=8),
    _arithmetic("divide", np.divide, binary(0.5, 3), *SPECIAL, wrong=_unbroadcastable, tolerance=RECIPROCAL),
    Case(
        "pow", np.power, _pow, Ulp(4, LIBRARY), "input",
        edges=every_pair(0.0, 1.0, 2.0, inf, nan), wrong=_unbroadcastable, differentiable=(0, 1),
    ),
    Case(
        "maximum", np.maximum, binary_spread, Bits(), "input",
        edges=every_pair(1.0, -1.0, inf, -inf, nan), wrong=_unbroadcastable, differentiable=(0, 1), gradient=ADDED,
    ),
    Case(
        "minimum", np.minimum, binary_spread, Bits(), "input",
        edges=every_pair(1.0, -1.0, inf, -inf, nan), wrong=_unbroadcastable, differentiable=(0, 1), gradient=ADDED,
    ),
    Case(
        "clip", lambda x, min=None, max=None: x if min is max is None else np.clip(x, min, max), _clip, Bits(),
        "input", edges=_clip_edges, differentiable=(0,), gradient=LINEAR,
    ),
    Case(
        "where", np.where, _where, Bits(), "float",
        edges=_where_edges, signed_zeros=True, differentiable=(1, 2), gradient=ADDED,
    ),
    *(
        Case(
            name, function, comparison, Bits(), "bool",
            edges=every_pair(0.0, -0.0, 1.0, inf, -inf, nan), wrong=_unbroadcastable,
        )
        for name, function in (
            ("equal", np.equal), ("not_equal", np.not_equal), ("less", np.less), ("less_equal", np.less_equal),
            ("greater", np.greater), ("greater_equal", np.greater_equal),
        )
    ),
    Case("logical_and", np.logical_and, booleans, Bits(), "bool"),
    Case("logical_or", np.logical_or, booleans, Bits(), "bool"),
    Case("logical_not", np.logical_not, _not, Bits(), "bool"),
    Case("isnan", np.isnan, unary(-3, 3), Bits(), "bool", edges=values(*SPECIAL)),
    Case("isfinite", np.isfinite, unary(-3, 3), Bits(), "bool", edges=values(*SPECIAL)),
]  # fmt: skip


# ---------------------------------------------------------------- reductions, sorting, searching


def _var_edges(rng: Generator) -> Any:
    yield sample(np.array([[1.0, nan, 2.0], [1.0, inf, 2.0], [3.0, 3.0, 3.0]]), axis=-1)
    yield sample(np.array([5.0]))


def _corrected(rng: Generator) -> Any:
    yield from reduction(ordinary, empty=False)(rng)
    x = rng.normal(size=(3, 4))
    for correction in (1, 1.0, 0.5):
        yield sample(x, axis=0, correction=correction)


def _corrected_spread(rng: Generator) -> Any:
    return (one for one in _corrected(rng) if one.args[0].size > 1)


def _var(x: Array, *, correction: float = 0.0, **kwargs: Any) -> Array:
    return np.asarray(np.var(x, ddof=correction, **kwargs))


def _counted(rng: Generator) -> Any:
    yield sample(rng.random((3, 4)) < 0.5)
    yield sample(rng.integers(0, 200, (3, 40)).astype(np.uint8), axis=-1)
    yield sample(rng.integers(-5, 5, (3, 4)).astype(np.int32), axis=0, keepdims=True)


def _sums(rng: Generator) -> Any:
    yield from reduction(ordinary)(rng)
    yield from _counted(rng)


def _products(rng: Generator) -> Any:
    yield from reduction(positive)(rng)
    yield sample(rng.random((3, 4)) < 0.9, axis=0)
    yield sample(rng.integers(-5, 5, (3, 4)).astype(np.int32), axis=-1)


def _truths(rng: Generator) -> Any:
    return reduction(lambda rng, shape: np.asarray(rng.random(shape) < 0.7))(rng)


def _searches(rng: Generator) -> Any:
    x = spread(rng, (2, 3, 4))
    for axis in (None, 0, 1, -1):
        yield sample(x, axis=axis)
        yield sample(x, axis=axis, keepdims=True)
    yield sample(np.array([1.0, 3.0, 3.0, 1.0]))
    yield sample(np.array([[2, 2], [2, 2]], np.int32), axis=0)
    yield sample(np.array(1.0))


def _search_edges(rng: Generator) -> Any:
    yield sample(np.array([[1.0, inf, 2.0], [-inf, 1.0, 2.0]]), axis=-1)


def _cumulative(rng: Generator) -> Any:
    yield sample(rng.normal(size=7))
    yield sample(rng.normal(size=7), axis=0)
    for axis in (0, 1, -1):
        yield sample(rng.normal(size=(2, 3, 4)), axis=axis)
    yield sample(np.zeros((0, 2)), axis=0)
    yield sample(rng.integers(0, 200, 9).astype(np.uint8))
    yield sample(rng.integers(-5, 5, (3, 4)).astype(np.int32), axis=1)


def _sorts(rng: Generator) -> Any:
    x = spread(rng, (3, 4, 2))
    for axis in (0, 1, -1):
        yield sample(x, axis=axis)
        yield sample(x, axis=axis, descending=True)
    yield sample(spread(rng, (5,)))


def _ordering(rng: Generator) -> Any:
    yield from _sorts(rng)
    ties = rng.integers(0, 3, (2, 20)).astype(np.float64)
    yield sample(ties)
    yield sample(ties, descending=True)
    yield sample(rng.integers(0, 3, 20).astype(np.int32))


def _takes(rng: Generator) -> Any:
    x = rng.normal(size=(4, 3, 5))
    for axis, n in ((0, 4), (1, 3), (-1, 5)):
        yield sample(x, rng.integers(0, n, 6).astype(np.int32), axis=axis)
        yield sample(x, rng.integers(0, n, (2, 3)).astype(np.int64), axis=axis)
    yield sample(rng.normal(size=4), np.array([3, 0, 0], np.int64))
    yield sample(x, np.array(2, np.int32), axis=0)
    yield sample(x, np.zeros(0, np.int32), axis=1)


def _takes_along(rng: Generator) -> Any:
    x = rng.normal(size=(3, 4))
    yield sample(x, rng.integers(0, 4, (3, 2)).astype(np.int64))
    yield sample(x, rng.integers(0, 3, (2, 4)).astype(np.int32), axis=0)
    yield sample(x, rng.integers(0, 4, (3, 1)).astype(np.int32), axis=-1)
    yield sample(rng.normal(size=(2, 3, 4)), rng.integers(0, 3, (2, 5, 4)).astype(np.int64), axis=1)


def _reduces(name: str, function: Any, tolerance: Any, maker: Maker, dtype: str = "input", **rest: Any) -> Case:
    return Case(name, function, maker, tolerance, dtype, **{"differentiable": (0,), **rest})


def _nth(x: Array, *, axis: int | None = None) -> int:
    return x.size if axis is None else x.shape[axis]


def _huge_rows(rng: Generator) -> Any:
    yield sample(np.array([[1000.0, 999.0], [-1000.0, -1001.0], [0.0, -inf], [1e30, 0.0], [nan, 1.0]]), axis=-1)


REDUCTIONS = [
    _reduces("sum", np.sum, Contraction(2), _sums, edges=special_rows, terms=reduced, gradient=LINEAR),
    _reduces(
        "mean", np.mean, Contraction(2), reduction(ordinary, empty=False),
        edges=special_rows, terms=reduced, gradient=ADDED,
    ),
    _reduces("var", _var, Ulp(16, "A mean, a sum of squares and a division."), _corrected, edges=_var_edges),
    _reduces(
        "std", lambda x, **kw: np.sqrt(_var(x, **kw)), Ulp(4, "As the variance, and a root."), _corrected_spread,
        edges=_var_edges,
    ),
    _reduces(
        "prod", np.prod, Ulp(16, "One rounding per factor."), _products,
        edges=special_rows, gradient=Slope(8),
    ),
    _reduces("max", np.max, Bits(), reduction(spread, empty=False), edges=special_rows, gradient=LINEAR),
    _reduces("min", np.min, Bits(), reduction(spread, empty=False), edges=special_rows, gradient=LINEAR),
    _reduces("all", np.all, Bits(), _truths, "bool", differentiable=()),
    _reduces("any", np.any, Bits(), _truths, "bool", differentiable=()),
    _reduces("argmax", np.argmax, Bits(), _searches, "integer", edges=_search_edges, differentiable=()),
    _reduces("argmin", np.argmin, Bits(), _searches, "integer", edges=_search_edges, differentiable=()),
    _reduces(
        "cumulative_sum", lambda x, *, axis=None: np.cumsum(x, axis=axis), Contraction(2), _cumulative,
        terms=_nth, gradient=ADDED,
    ),
    _reduces("sort", oracle.sort, Bits(), _sorts, gradient=LINEAR),
    _reduces("argsort", oracle.argsort, Bits(), _ordering, "integer", differentiable=()),
    _reduces("take", lambda x, i, *, axis=None: np.take(x, i, axis=axis or 0), Bits(), _takes, gradient=ADDED),
    _reduces(
        "take_along_axis", lambda x, i, *, axis=-1: np.take_along_axis(x, i.astype(np.int64), axis), Bits(),
        _takes_along, gradient=LINEAR,
    ),
    _reduces(
        "logsumexp", oracle.logsumexp, Ulp(8, "A sum of exponentials, a logarithm and the largest element."),
        reduction(lambda rng, shape: np.asarray(rng.uniform(1, 3, shape)), empty=False),
        edges=_huge_rows, gradient=Slope(8),
    ),
]  # fmt: skip


# ---------------------------------------------------------------- linear algebra


def _matmul(rng: Generator) -> Any:
    pairs: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 2)), ((5, 3, 4), (5, 4, 2)), ((5, 3, 4), (4, 2)),
        ((3, 4), (5, 4, 2)), ((2, 1, 3, 4), (5, 4, 2)), ((5, 3, 4), (4,)), ((17, 64), (64, 9)), ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
    ]  # fmt: skip
    for first, second in pairs:
        yield sample(rng.normal(size=first), rng.normal(size=second))


def _matmul_wrong(rng: Generator) -> Any:
    yield sample(np.ones((2, 3)), np.ones((4, 2)))
    yield sample(np.ones((2, 2, 3)), np.ones((3, 3, 2)))


def _tensordot(rng: Generator) -> Any:
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(3, 4, 5))
    yield sample(a, b)
    yield sample(rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), axes=1)
    yield sample(rng.normal(size=2), rng.normal(size=3), axes=0)
    yield sample(a, rng.normal(size=(4, 2, 6)), axes=([0, 2], [1, 0]))
    yield sample(a, b, axes=((-1,), (1,)))


def _tensordot_terms(a: Array, b: Array, *, axes: Any = 2) -> int:
    shared = range(a.ndim - axes, a.ndim) if isinstance(axes, int) else axes[0]
    return int(np.prod([a.shape[axis] for axis in shared]))


def _einsum(rng: Generator) -> Any:
    yield sample("ij,jk->ik", rng.normal(size=(3, 4)), rng.normal(size=(4, 2)))
    yield sample("bij,bjk->bik", rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 4, 2)))
    yield sample("ij->ji", rng.normal(size=(3, 4)))
    yield sample("ij->i", rng.normal(size=(3, 4)))
    yield sample("i,j->ij", rng.normal(size=3), rng.normal(size=4))
    yield sample("bqd,bkd->bqk", rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 4)))


def _einsum_terms(subscripts: str, *operands: Array) -> int:
    inputs, result = subscripts.split("->")
    letters = zip(inputs.replace(",", ""), (n for x in operands for n in x.shape), strict=True)
    return int(np.prod([n for letter, n in dict(letters).items() if letter not in result]))


ALGEBRA = [
    Case(
        "matmul", np.matmul, _matmul, Contraction(2), "input",
        wrong=_matmul_wrong, differentiable=(0, 1), terms=lambda a, b: a.shape[-1],
    ),
    Case("tensordot", np.tensordot, _tensordot, Contraction(2), "input", differentiable=(0, 1), terms=_tensordot_terms),
    Case("einsum", np.einsum, _einsum, Contraction(2), "input", differentiable=(1, 2), terms=_einsum_terms),
]  # fmt: skip

CASES = [*CREATION, *SHAPES, *ELEMENTWISE, *REDUCTIONS, *ALGEBRA]
