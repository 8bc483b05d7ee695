"""Pictures made larger, smaller, or of a size asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.errors import CallError
from d2l_core.interface import Shape, Tensor

Matrix = NDArray[np.float64]

_METHODS = ("nearest", "linear")


def _each(value: Shape, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


@composite("network")
def conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    /,
    *,
    stride: Shape = 1,
    padding: Shape = 0,
    output_padding: Shape = 0,
    dilation: Shape = 1,
    groups: int = 1,
) -> Tensor:
    """The map whose matrix is the transpose of `conv`'s (Dumoulin and Visin, 2016, chapter 4), plus bias (C_out,).

    Args:
        x: (N, C_in, *spatial), one to three spatial axes.
        weight: (C_in, C_out / groups, *window).
        bias: (C_out,) or None.
        stride: by how much the picture grows.
        padding: what `conv` would have added on both sides is cut off here.
        output_padding: rows added at the far end, less than the stride: `conv` maps several sizes to one.
        dilation: distance of the window's elements.
        groups: of channels that do not mix.

    Returns:
        (N, C_out, *spatial'), each extent ``(n - 1) stride - 2 padding + dilation (window - 1) + output_padding + 1``.
    """
    rank = len(weight.shape) - 2
    strides, paddings, extras, dilations = (_each(v, rank) for v in (stride, padding, output_padding, dilation))
    window = weight.shape[2:]
    before = [d * (k - 1) - p for d, k, p in zip(dilations, window, paddings, strict=True)]
    after = [b + extra for b, extra in zip(before, extras, strict=True)]
    spaced = _resized_by(_spaced(x, strides), before, after)
    return xp.conv(spaced, _turned(weight, groups), bias, dilation=dilations, groups=groups)


def _spaced(x: Tensor, strides: tuple[int, ...]) -> Tensor:
    """x (N, C, *spatial) with stride - 1 zeros between neighbours."""
    if all(s == 1 for s in strides):
        return x
    n, channels, *spatial = x.shape
    apart = xp.reshape(x, (n, channels, *(m for size in spatial for m in (size, 1))))
    widths = [(0, 0), (0, 0), *(pair for s in strides for pair in ((0, 0), (0, s - 1)))]
    grown = tuple(size * s for size, s in zip(spatial, strides, strict=True))
    filled = xp.reshape(xp.pad(apart, widths), (n, channels, *grown))
    return _resized_by(filled, [0] * len(strides), [1 - s for s in strides])


def _resized_by(x: Tensor, before: Sequence[int], after: Sequence[int]) -> Tensor:
    """Zeros added at the ends of the spatial axes, or elements cut off where the number is negative."""
    cut = tuple(slice(max(-b, 0), n - max(-a, 0)) for n, b, a in zip(x.shape[2:], before, after, strict=True))
    if any(b < 0 or a < 0 for b, a in zip(before, after, strict=True)):
        x = x[(slice(None), slice(None), *cut)]
    return xp.pad(x, [(0, 0), (0, 0), *((max(b, 0), max(a, 0)) for b, a in zip(before, after, strict=True))])


def _turned(weight: Tensor, groups: int) -> Tensor:
    """(C_in, C_out / groups, *window) to (C_out, C_in / groups, *window), the window turned by half a turn."""
    channels, out, *window = weight.shape
    split = xp.reshape(weight, (groups, channels // groups, out, *window))
    axes = (0, 2, 1, *range(3, len(window) + 3))
    merged = xp.reshape(xp.permute_dims(split, axes), (groups * out, channels // groups, *window))
    return xp.flip(merged, axis=tuple(range(2, len(window) + 2)))


@composite("network")
def adaptive_avg_pool(x: Tensor, size: Shape, /) -> Tensor:
    """x (N, C, *spatial) averaged to `size`: cell i of m covers ``floor(i n / m)`` to ``ceil((i + 1) n / m)`` of n."""
    return _mapped(x, [_averages(n, m) for n, m in zip(x.shape[2:], _each(size, len(x.shape) - 2), strict=True)])


def _averages(n: int, m: int) -> Matrix:
    matrix = np.zeros((m, n))
    for i, (start, stop) in enumerate(_cells(n, m)):
        matrix[i, start:stop] = 1.0 / (stop - start)
    return matrix


def _cells(n: int, m: int) -> list[tuple[int, int]]:
    return [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]


def _mapped(x: Tensor, matrices: Sequence[Matrix]) -> Tensor:
    """One matrix (m, n) applied to each spatial axis."""
    for axis, matrix in enumerate(matrices, start=2):
        moved = xp.tensordot(x, xp.asarray(matrix, dtype=x.dtype), axes=((axis,), (1,)))
        last = len(x.shape) - 1
        x = xp.permute_dims(moved, (*range(axis), last, *range(axis, last)))
    return x


@composite("network")
def adaptive_max_pool(x: Tensor, size: Shape, /) -> Tensor:
    """x (N, C, *spatial) reduced to the largest element of each of `size` cells, those of `adaptive_avg_pool`."""
    for axis, m in enumerate(_each(size, len(x.shape) - 2), start=2):
        before = (slice(None),) * axis
        cells = [xp.max(x[(*before, slice(*cell))], axis=axis) for cell in _cells(x.shape[axis], m)]
        x = xp.stack(cells, axis=axis)
    return x


@composite("network")
def resize(x: Tensor, size: Shape, /, *, method: str = "linear") -> Tensor:
    """x (N, C, *spatial) at another resolution; pixels are squares, and their centres are what is matched.

    Args:
        x: floats, one to three spatial axes.
        size: of the result.
        method: ``nearest`` or ``linear`` (in each dimension; beyond the outermost centres their values go on).

    Raises:
        ValueError: another method.
    """
    if method not in _METHODS:
        raise CallError(f"The method {method!r} is unknown; choose one of: {', '.join(_METHODS)}.")
    target = _each(size, len(x.shape) - 2)
    if method == "linear":
        return _mapped(x, [_between(n, m) for n, m in zip(x.shape[2:], target, strict=True)])
    for axis, m in enumerate(target, start=2):
        x = xp.take(x, xp.asarray(np.arange(m) * x.shape[axis] // m), axis=axis)
    return x


def _between(n: int, m: int) -> Matrix:
    places = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0.0, n - 1.0)
    left = np.minimum(places.astype(int), max(n - 2, 0))
    matrix = np.zeros((m, n))
    matrix[np.arange(m), left] = 1.0 - (places - left)
    matrix[np.arange(m), np.minimum(left + 1, n - 1)] += places - left
    return matrix


@composite("network")
def global_avg_pool(x: Tensor, /) -> Tensor:
    """Mean over all spatial axes: (N, C, *spatial) to (N, C) (Lin, Chen and Yan, 2014)."""
    return xp.mean(x, axis=tuple(range(2, len(x.shape))))
