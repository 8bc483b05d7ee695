"""Array functions composed of primitives once, for all backends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from d2l_core import _standard
from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.axes import chosen, position, positions
from d2l_core.dtypes import is_bool, is_floating
from d2l_core.errors import CallError
from d2l_core.interface import Axis, DType, Shape, Tensor

__all__ = [
    "broadcast_arrays",
    "copysign",
    "count_nonzero",
    "cumulative_prod",
    "diff",
    "empty",
    "empty_like",
    "floor_divide",
    "hypot",
    "index_update",
    "isinf",
    "log2",
    "log10",
    "logaddexp",
    "logical_xor",
    "logsumexp",
    "meshgrid",
    "moveaxis",
    "nonzero",
    "positive",
    "reciprocal",
    "remainder",
    "searchsorted",
    "top_k",
    "tril",
    "triu",
    "trunc",
    "unstack",
    "vecdot",
]

_LN_2, _LN_10 = math.log(2.0), math.log(10.0)


def _rank(x: Tensor) -> int:
    return len(x.shape)


def _along(axis: int, start: int | None, stop: int | None) -> tuple[slice, ...]:
    """The index of a range along one axis, counted from the front."""
    return (*(slice(None),) * axis, slice(start, stop))


def _default_integer() -> DType:
    return xp.arange(1).dtype


# ---------------------------------------------------------------- creation


@composite("arrays")
def empty(shape: Shape, *, dtype: DType = None, device: Any = None) -> Tensor:
    """A tensor of `shape` whose elements mean nothing yet, of the default float unless `dtype` is given.

    They are zeros: memory that nobody has written to would make runs differ.
    """
    return xp.zeros(shape, dtype=dtype, device=device)


@composite("arrays")
def empty_like(x: Tensor, /, *, dtype: DType = None, device: Any = None) -> Tensor:
    """`empty` in the shape of `x`, and in its dtype unless given."""
    return xp.zeros_like(x, dtype=dtype, device=device)


@composite("arrays")
def meshgrid(*arrays: Tensor, indexing: str = "xy") -> list[Tensor]:
    """Coordinates of a grid: one tensor for each of the one-dimensional `arrays`, all of the shape of the grid.

    With ``indexing="ij"`` array i varies along axis i; with ``"xy"`` the first two axes are swapped, as in an image.
    ValueError for another word.
    """
    if indexing not in ("xy", "ij"):
        raise CallError(f"meshgrid knows the indexing 'xy' and 'ij', not {indexing!r}.")
    rank = len(arrays)
    axes = list(range(rank))
    if indexing == "xy" and rank > 1:
        axes[:2] = [1, 0]
    grid = [1] * rank
    for axis, x in zip(axes, arrays, strict=True):
        grid[axis] = x.shape[0]
    columns = [[-1 if a == axis else 1 for a in range(rank)] for axis in axes]
    shape = tuple(grid)
    return [xp.broadcast_to(xp.reshape(x, column), shape) for x, column in zip(arrays, columns, strict=True)]


def _diagonals(x: Tensor) -> Tensor:
    """On which diagonal each element of the last two axes lies: 0 on the main one, positive above."""
    rows, columns = xp.arange(x.shape[-2]), xp.arange(x.shape[-1])
    return xp.expand_dims(columns, axis=0) - xp.expand_dims(rows, axis=1)


@composite("arrays")
def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """`x` (..., M, N) with zeros above the k-th diagonal of each matrix."""
    return xp.where(_diagonals(x) <= k, x, xp.zeros_like(x))


@composite("arrays")
def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """`x` (..., M, N) with zeros below the k-th diagonal of each matrix."""
    return xp.where(_diagonals(x) >= k, x, xp.zeros_like(x))


# ---------------------------------------------------------------- manipulation


@composite("arrays")
def moveaxis(x: Tensor, source: int | tuple[int, ...], destination: int | tuple[int, ...], /) -> Tensor:
    """Axes `source` moved to the places `destination`, the others in their old order.

    ValueError if there are not as many places as axes, or one is named twice.
    """
    rank = _rank(x)
    moved, places = (positions(axes, rank) for axes in (source, destination))
    if len(moved) != len(places) or len(set(moved)) != len(moved) or len(set(places)) != len(places):
        raise CallError(f"moveaxis needs different axes and as many different places, not {source} and {destination}.")
    order = [axis for axis in range(rank) if axis not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        order.insert(place, axis)
    return xp.permute_dims(x, tuple(order))


@composite("arrays")
def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices of `x` along an axis, which they lose."""
    x = moveaxis(x, axis, 0)
    return tuple([x[i, ...] for i in range(x.shape[0])])


@composite("arrays")
def broadcast_arrays(*arrays: Tensor) -> list[Tensor]:
    """Tensors repeated to their common shape by the broadcasting rule; ValueError if there is none."""
    shape = np.broadcast_shapes(*(tuple(x.shape) for x in arrays))
    return [xp.broadcast_to(x, shape) for x in arrays]


# ---------------------------------------------------------------- elementwise


@composite("arrays")
def positive(x: Tensor, /) -> Tensor:
    """+x, which is x."""
    return x


@composite("arrays")
def reciprocal(x: Tensor, /) -> Tensor:
    """1 / x of floats."""
    return xp.divide(1.0, x)


@composite("arrays")
def log2(x: Tensor, /) -> Tensor:
    """Logarithm to base 2; -inf at 0, NaN below."""
    return xp.divide(xp.log(x), _LN_2)


@composite("arrays")
def log10(x: Tensor, /) -> Tensor:
    """Logarithm to base 10; -inf at 0, NaN below."""
    return xp.divide(xp.log(x), _LN_10)


@composite("arrays")
def logaddexp(x1: Tensor | float, x2: Tensor | float, /) -> Tensor:
    """log(exp(x1) + exp(x2)) without overflow, accurate where one is much smaller."""
    x1, x2 = _standard.tensors(x1, x2)
    # At a tie `maximum` and `minimum` give their gradient to different sides, or share it: half for each either way.
    larger, smaller = xp.maximum(x1, x2), xp.minimum(x2, x1)
    shift = xp.where(xp.isfinite(larger), larger, xp.zeros_like(larger))
    return xp.add(larger, xp.log1p(xp.exp(smaller - shift)))


@composite("arrays")
def hypot(x1: Tensor | float, x2: Tensor | float, /) -> Tensor:
    """sqrt(x1² + x2²) without overflow; infinite if one is, even beside NaN. The gradient at the origin is zero."""
    x1, x2 = _standard.tensors(x1, x2)
    size = xp.stop_gradient(xp.maximum(xp.abs(x1), xp.abs(x2)))
    usable = xp.logical_and(size > 0, xp.isfinite(size))
    scale = xp.where(usable, size, xp.ones_like(size))
    squares = xp.square(x1 / scale) + xp.square(x2 / scale)
    zero = size == 0
    length = scale * xp.sqrt(xp.where(zero, xp.ones_like(squares), squares))
    length = xp.where(zero, xp.zeros_like(length), length)
    infinite = xp.logical_or(isinf(x1), isinf(x2))
    return xp.where(infinite, xp.full_like(length, math.inf), length)


@composite("arrays")
def trunc(x: Tensor, /) -> Tensor:
    """Nearest integer towards zero, in the dtype of x."""
    return xp.where(x < 0, xp.ceil(x), xp.floor(x)) if is_floating(x) else x


@composite("arrays")
def copysign(x1: Tensor | float, x2: Tensor | float, /) -> Tensor:
    """The size of x1 with the sign of x2, which zeros and NaN have too; nothing flows back to x2."""
    x1, x2 = _standard.tensors(x1, x2)
    turned = xp.not_equal(xp.signbit(x1), xp.signbit(x2))
    x1, turned = broadcast_arrays(x1, turned)
    return xp.where(turned, -x1, x1)


@composite("arrays")
def isinf(x: Tensor, /) -> Tensor:
    """True where x is infinite."""
    return xp.equal(xp.abs(x), math.inf) if is_floating(x) else xp.not_equal(x, x)


@composite("arrays")
def logical_xor(x1: Tensor, x2: Tensor, /) -> Tensor:
    """One of two boolean tensors but not both."""
    return xp.not_equal(x1, x2)


@composite("arrays")
def remainder(x1: Tensor | float, x2: Tensor | float, /) -> Tensor:
    """What is left of x1 after `floor_divide` by x2, with the sign of x2, zeros included.

    Of floats, NaN if x1 is infinite or x2 zero. For finite x1 and infinite x2 it is x1, or x2 if the signs differ.
    Gradient: 1 and ``-floor(x1 / x2)``.
    """
    x1, x2 = _standard.tensors(x1, x2)
    if not is_floating(x1):
        return xp.modulo(x1, x2)
    x1, x2 = broadcast_arrays(x1, x2)
    ordinary = xp.logical_and(xp.isfinite(x1), xp.logical_and(xp.isfinite(x2), x2 != 0))
    rest = xp.modulo(_or_one(x1, ordinary), _or_one(x2, ordinary))
    rest = xp.where(rest == 0, copysign(rest, xp.stop_gradient(x2)), rest)
    beyond = xp.where(x1 == 0, copysign(x1, x2), xp.where(_opposite(x1, x2), x2, x1))
    defined = xp.logical_and(xp.isfinite(x1), isinf(x2))
    return xp.where(ordinary, rest, xp.where(defined, beyond, xp.full_like(x1, math.nan)))


def _or_one(x: Tensor, usable: Tensor) -> Tensor:
    return xp.where(usable, x, xp.ones_like(x))


def _opposite(x1: Tensor, x2: Tensor) -> Tensor:
    return xp.not_equal(x1 < 0, x2 < 0)


@composite("arrays")
def floor_divide(x1: Tensor | float, x2: Tensor | float, /) -> Tensor:
    """Greatest integer not above the quotient x1 / x2.

    Of floats it is exact, so that 1.0 // 0.1 is 9: the float nearest to 0.1 goes nine times into one. The quotient of
    an infinity, or by zero, is that of `divide`; a finite x1 divided by an infinity gives zero, or -1 if the signs
    differ. Nothing flows back. Integers divided by zero give an error or a number, as the framework has it.
    """
    x1, x2 = _standard.tensors(x1, x2)
    if not is_floating(x1):
        return xp.integer_quotient(x1, x2)
    x1, x2 = broadcast_arrays(xp.stop_gradient(x1), xp.stop_gradient(x2))
    quotient = x1 / x2
    ordinary = xp.logical_and(xp.isfinite(x1), xp.logical_and(xp.isfinite(x2), x2 != 0))
    divisor = _or_one(x2, ordinary)
    dividend = _or_one(x1, ordinary)
    whole = xp.round((dividend - xp.modulo(dividend, divisor)) / divisor)
    whole = xp.where(whole == 0, copysign(whole, quotient), whole)
    below = xp.logical_and(xp.logical_and(isinf(x2), xp.isfinite(x1)), xp.logical_and(x1 != 0, _opposite(x1, x2)))
    return xp.where(ordinary, whole, xp.where(below, xp.full_like(x1, -1.0), quotient))


# ---------------------------------------------------------------- statistics and searching


@composite("arrays")
def logsumexp(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) without overflow, by subtracting the largest element first."""
    largest = xp.stop_gradient(xp.max(x, axis=axis, keepdims=True))
    total = xp.log(xp.sum(xp.exp(x - largest), axis=axis, keepdims=True)) + largest
    if keepdims:
        return total
    axes = tuple(range(len(x.shape))) if axis is None else axis
    return xp.squeeze(total, axes)


@composite("arrays")
def count_nonzero(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """How many elements are not zero (NaN is not), in the default integer."""
    return xp.sum(x if is_bool(x) else x != 0, axis=axis, keepdims=keepdims)


@composite("arrays")
def diff(
    x: Tensor,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """The n-th differences of neighbours along an axis, each time one fewer.

    `prepend` and `append`, of the shape of x but for that axis, are joined to it first. ValueError for negative n.
    """
    if n < 0:
        raise CallError(f"diff takes differences n times, and n is {n}.")
    axis = position(axis, _rank(x))
    parts = [part for part in (prepend, x, append) if part is not None]
    x = xp.concat(parts, axis=axis) if len(parts) > 1 else x
    for _ in range(min(n, x.shape[axis])):
        x = x[_along(axis, 1, None)] - x[_along(axis, None, -1)]
    return x


@composite("arrays")
def cumulative_prod(
    x: Tensor, /, *, axis: int | None = None, dtype: DType = None, include_initial: bool = False
) -> Tensor:
    """Running product along an axis, which may be left out for one-dimensional x.

    Floats keep their dtype and integers become the default integer, unless `dtype` is given. With `include_initial`
    the empty product, 1, comes first. The gradient holds at zeros too. By doubling (Hillis and Steele, "Data parallel
    algorithms", 1986), so that an element has as many roundings as its position has binary digits.
    """
    axis = chosen(axis, _rank(x))
    if dtype is None and not is_floating(x):
        dtype = _default_integer()
    x = x if dtype is None else xp.astype(x, dtype)
    step = 1
    while step < x.shape[axis]:
        x = x * _shifted(x, axis, step, x.shape[axis] - step)
        step *= 2
    return _shifted(x, axis, 1, x.shape[axis]) if include_initial else x


def _shifted(x: Tensor, axis: int, step: int, kept: int) -> Tensor:
    """The first elements along an axis, behind as many ones as `step` says."""
    shape = (*x.shape[:axis], step, *x.shape[axis + 1 :])
    return xp.concat([xp.ones(shape, dtype=x.dtype), x[_along(axis, None, kept)]], axis=axis)


@composite("arrays")
def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """Where x is not zero: one integer vector for each axis, in row-major order.

    The length depends on the values, so it cannot stand inside a compiled function. ValueError for a 0-d tensor.
    """
    if not _rank(x):
        raise CallError("nonzero needs a tensor with at least one dimension; use xp.reshape(x, (1,)).")
    return tuple([xp.asarray(found.astype(np.int64)) for found in np.nonzero(xp.to_numpy(x))])


@composite("arrays")
def searchsorted(x1: Tensor, x2: Tensor, /, *, side: str = "left", sorter: Tensor | None = None) -> Tensor:
    """Where the elements of x2 (...) would have to be put into the sorted vector x1 (N,) to keep its order.

    With ``side="left"`` before equal elements, with ``"right"`` after them. `sorter` (N,) are integers that sort x1
    first. Neither may hold NaN. Returns integers (...) in [0, N]. ValueError for another side. By binary search.
    """
    if side not in ("left", "right"):
        raise CallError(f"searchsorted knows the sides 'left' and 'right', not {side!r}.")
    if sorter is not None:
        x1 = xp.take(x1, sorter, axis=0)
    length = x1.shape[0]
    found = xp.zeros(tuple(x2.shape), dtype=_default_integer())
    for digit in reversed(range(length.bit_length())):
        ahead = found + (1 << digit)
        probed = xp.take(x1, xp.minimum(ahead, length) - 1, axis=0)
        before = xp.less(probed, x2) if side == "left" else xp.less_equal(probed, x2)
        found = xp.where(xp.logical_and(ahead <= length, before), ahead, found)
    return found


@composite("arrays")
def top_k(x: Tensor, k: int, /, *, axis: int = -1) -> tuple[Tensor, Tensor]:
    """*Extension.* The k largest elements along an axis, the largest first, and their indices.

    Of equal elements the one with the lower index comes first. ValueError if the axis has fewer than k elements.
    """
    axis = position(axis, _rank(x))
    if not 0 <= k <= x.shape[axis]:
        raise CallError(f"top_k cannot find {k} elements along an axis of length {x.shape[axis]}.")
    indices = xp.argsort(x, axis=axis, descending=True)[_along(axis, None, k)]
    return xp.take_along_axis(x, indices, axis=axis), indices


# ---------------------------------------------------------------- functional update and products


@composite("arrays")
def index_update(x: Tensor, indices: Tensor, values: Tensor, /, *, axis: int = 0) -> Tensor:
    """*Extension.* `x` with its slices at integer `indices` (K,) along an axis replaced by those of `values`.

    `values` has the shape of x but for that axis, where it has K slices. Where an index repeats, the last slice counts.
    Negative indices count from the end. Use `index_add` to add them up instead.
    """
    axis = position(axis, _rank(x))
    length, count = x.shape[axis], indices.shape[0]
    if not count:
        return x
    places = xp.arange(length, dtype=indices.dtype)
    wrapped = xp.where(indices < 0, indices + length, indices)
    hits = xp.expand_dims(wrapped, axis=1) == xp.expand_dims(places, axis=0)
    newcomers = xp.expand_dims(xp.arange(count, dtype=indices.dtype) + length, axis=1)
    candidates = xp.where(hits, xp.broadcast_to(newcomers, (count, length)), xp.zeros_like(newcomers))
    sources = xp.maximum(xp.max(candidates, axis=0), places)
    return xp.take(xp.concat([x, values], axis=axis), sources, axis=axis)


@composite("arrays")
def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Sum of the products of the elements along an axis, counted from the end and of one length; others broadcast."""
    products = xp.multiply(x1, x2)
    return xp.astype(xp.sum(products, axis=axis), products.dtype)
