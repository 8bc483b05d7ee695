"""Shapes that nobody thought of: hypothesis draws them, NumPy says what the result should be."""

from __future__ import annotations

import itertools
import os
from typing import Any

import numpy as np
import pytest
from d2l_conformance import oracle
from d2l_conformance.case import REAL, Array
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from d2l_core import interface as xp
from d2l_core.backend import Backend

PRECISIONS = (32, 64) if os.environ.get("D2L_CONFORMANCE") == "deep" else (32,)
"""Shapes mean the same at both precisions, and a compiler takes its time over each new one."""

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
FILLED = hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4)
BOOLEANS = st.booleans()


def numbers(shape: Any, precision: int, offset: float = 0.0) -> Array:
    """Different numbers with few bits, so that sums and products of a few of them are exact."""
    n = int(np.prod(shape))
    return (((np.arange(n) * 7) % 23 - 11 + offset) / 4).reshape(shape).astype(REAL[precision])


def agree(result: Any, expected: Any) -> None:
    """The tensor is the array: shape, dtype kind, and values exactly or to a few units."""
    got, wanted = xp.to_numpy(result), np.asarray(expected)
    assert got.shape == wanted.shape
    assert got.dtype.kind == wanted.dtype.kind
    if wanted.dtype.kind == "f":
        eps = float(np.finfo(got.dtype).eps)
        np.testing.assert_allclose(got, wanted, rtol=16 * eps, atol=64 * eps)
    else:
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "less"])
@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3, min_side=0))
def test_binary_broadcasts(name: str, backend: Backend, precision: int, shapes: Any) -> None:
    """Binary functions broadcast as NumPy's do, with axes of length zero and one and none at all."""
    a, b = (numbers(shape, precision, i / 2) for i, shape in enumerate(shapes.input_shapes))
    agree(getattr(xp, name)(xp.asarray(a), xp.asarray(b)), getattr(np, name)(a, b))


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3, min_side=1))
def test_where_broadcasts(backend: Backend, precision: int, shapes: Any) -> None:
    """The condition and both choices broadcast together."""
    c, a, b = (numbers(shape, precision, i / 2) for i, shape in enumerate(shapes.input_shapes))
    agree(xp.where(xp.asarray(c > 0), xp.asarray(a), xp.asarray(b)), np.where(c > 0, a, b))


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=1))
def test_gradient_of_broadcast_adds_up(backend: Backend, precision: int, shapes: Any) -> None:
    """What was repeated by broadcasting has its gradients added."""
    a, b = (numbers(shape, precision, i / 2) for i, shape in enumerate(shapes.input_shapes))
    product = xp.differentiate(lambda inputs: (xp.sum(inputs[0] * inputs[1]), None))
    _, (da, db) = product([xp.asarray(a), xp.asarray(b)])
    agree(da, _collected(np.broadcast_to(b, shapes.result_shape), a.shape))
    agree(db, _collected(np.broadcast_to(a, shapes.result_shape), b.shape))


def _collected(full: Array, shape: tuple[int, ...]) -> Array:
    extra = full.ndim - len(shape)
    summed = full.sum(axis=tuple(range(extra)))
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1)
    return summed.sum(axis=stretched, keepdims=True) if stretched else np.asarray(summed)


@st.composite
def shape_and_axes(draw: Any, shapes: Any) -> tuple[tuple[int, ...], Any]:
    """A shape with None, one axis or several, counted from either end."""
    shape = draw(shapes)
    if not shape:
        return shape, None
    axes = draw(st.lists(st.integers(0, len(shape) - 1), unique=True, min_size=1))
    signed = tuple(axis - len(shape) if draw(BOOLEANS) else axis for axis in axes)
    return shape, draw(st.sampled_from([None, signed, signed[0]]))


@pytest.mark.parametrize("name", ["sum", "prod", "any", "all"])
@given(chosen=shape_and_axes(SHAPES), keepdims=BOOLEANS)
def test_reduction(name: str, backend: Backend, precision: int, chosen: Any, keepdims: bool) -> None:
    """Reductions with a neutral element, over any axes and over none at all."""
    shape, axis = chosen
    x = numbers(shape, precision)
    x = x > 0 if name in ("any", "all") else x / 4 + 1 if name == "prod" else x
    agree(
        getattr(xp, name)(xp.asarray(x), axis=axis, keepdims=keepdims),
        getattr(np, name)(x, axis=axis, keepdims=keepdims),
    )


@pytest.mark.parametrize("name", ["mean", "var", "std", "max", "min"])
@given(chosen=shape_and_axes(FILLED), keepdims=BOOLEANS)
def test_reduction_of_something(name: str, backend: Backend, precision: int, chosen: Any, keepdims: bool) -> None:
    """Reductions that need an element."""
    shape, axis = chosen
    x = numbers(shape, precision)
    agree(
        getattr(xp, name)(xp.asarray(x), axis=axis, keepdims=keepdims),
        getattr(np, name)(x, axis=axis, keepdims=keepdims),
    )


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@given(shape=FILLED, data=st.data())
def test_search(name: str, backend: Backend, precision: int, shape: Any, data: Any) -> None:
    """The first of equal elements is found, along any axis."""
    axis = data.draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
    x = np.floor(numbers(shape, precision))
    agree(getattr(xp, name)(xp.asarray(x), axis=axis), getattr(np, name)(x, axis=axis))


@given(shape=SHAPES, data=st.data())
def test_reshape(backend: Backend, precision: int, shape: Any, data: Any) -> None:
    """Any factorisation of the number of elements, with and without -1."""
    x = numbers(shape, precision)
    n = x.size
    first = data.draw(st.sampled_from([d for d in range(1, n + 1) if n % d == 0] or [1]))
    new: tuple[int, ...] = (first, n // first, 1)
    agree(xp.reshape(xp.asarray(x), new), x.reshape(new))
    if n:
        agree(xp.reshape(xp.asarray(x), (-1, first)), x.reshape(-1, first))


@given(shape=SHAPES, data=st.data())
def test_permute_then_use(backend: Backend, precision: int, shape: Any, data: Any) -> None:
    """A permuted tensor, whose memory may be strided, is as good as any: reshaped, added and reduced."""
    x = numbers(shape, precision)
    axes = tuple(data.draw(st.permutations(range(len(shape)))))
    turned, wanted = xp.permute_dims(xp.asarray(x), axes), np.transpose(x, axes)
    agree(turned, wanted)
    agree(xp.reshape(turned, (-1,)) if x.size else turned, wanted.reshape(-1) if x.size else wanted)
    agree(turned + turned, wanted + wanted)
    agree(xp.sum(turned), wanted.sum())


@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=3), data=st.data())
def test_concat_and_stack(backend: Backend, precision: int, shape: Any, data: Any) -> None:
    """Parts of different lengths along any axis; and a new axis anywhere."""
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    lengths = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    parts = []
    for i, length in enumerate(lengths):
        part = list(shape)
        part[axis] = length
        parts.append(numbers(part, precision, i / 4))
    agree(xp.concat([xp.asarray(part) for part in parts], axis=axis), np.concatenate(parts, axis=axis))
    place = data.draw(st.integers(-len(shape) - 1, len(shape)))
    same = [numbers(shape, precision, i / 4) for i in range(len(lengths))]
    agree(xp.stack([xp.asarray(one) for one in same], axis=place), np.stack(same, axis=place))


@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=4), indices=SHAPES, data=st.data())
def test_take(backend: Backend, precision: int, shape: Any, indices: Any, data: Any) -> None:
    """Indices of any shape replace any axis, and their gradients add up where they repeat."""
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = numbers(shape, precision)
    index = (np.arange(int(np.prod(indices))) * 5 % shape[axis]).reshape(indices).astype(np.int32)
    agree(xp.take(xp.asarray(x), xp.asarray(index), axis=axis), np.take(x, index, axis=axis))
    gradient = xp.differentiate(lambda inputs: (xp.sum(xp.take(inputs[0], xp.asarray(index), axis=axis)), None))
    counts = np.bincount(index.reshape(-1), minlength=shape[axis]).astype(REAL[precision])
    spread = [1] * len(shape)
    spread[axis] = -1
    agree(gradient([xp.asarray(x)])[1][0], np.broadcast_to(counts.reshape(spread), shape))


@given(shapes=hnp.mutually_broadcastable_shapes(signature="(m,k),(k,n)->(m,n)", max_dims=2, max_side=3, min_side=1))
def test_matmul_batches(backend: Backend, precision: int, shapes: Any) -> None:
    """The axes before the last two broadcast."""
    a, b = (numbers(shape, precision, i / 2) for i, shape in enumerate(shapes.input_shapes))
    agree(xp.matmul(xp.asarray(a), xp.asarray(b)), np.matmul(a, b))


@st.composite
def geometry(draw: Any, axes: int) -> dict[str, Any]:
    """Extents, window, stride, padding and dilation for which at least one window fits."""
    window = [draw(st.integers(1, 3)) for _ in range(axes)]
    dilation = [draw(st.integers(1, 2)) for _ in range(axes)]
    padding = [draw(st.integers(0, w // 2)) for w in window]
    least = [max(1, d * (w - 1) + 1 - 2 * p) for w, d, p in zip(window, dilation, padding, strict=True)]
    return {
        "spatial": tuple(n + draw(st.integers(0, 4)) for n in least),
        "window": tuple(window),
        "stride": tuple(draw(st.integers(1, 3)) for _ in range(axes)),
        "padding": tuple(padding),
        "dilation": tuple(dilation),
    }


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(data=st.data())
def test_conv_geometry(axes: int, backend: Backend, precision: int, data: Any) -> None:
    """Extents follow the formula, values the definition, the gradient the transposed map."""
    form = data.draw(geometry(axes))
    groups = data.draw(st.sampled_from([1, 2]))
    x = numbers((2, 2, *form["spatial"]), precision)
    weight = numbers((4, 2 // groups, *form["window"]), precision, 0.5)
    options = {key: form[key] for key in ("stride", "padding", "dilation")} | {"groups": groups}
    expected = oracle.conv(x, weight, **options)
    agree(xp.conv(xp.asarray(x), xp.asarray(weight), **options), expected)

    def inner(inputs: list[Any]) -> tuple[Any, None]:
        return xp.sum(xp.conv(inputs[0], inputs[1], **options) * xp.asarray(expected)), None

    (value, _), (dx, dw) = xp.differentiate(inner)([xp.asarray(x), xp.asarray(weight)])
    # The map is linear in each argument, so each gradient times its argument gives the value back.
    scale = float(np.sum(np.square(expected))) + 1.0
    for argument, gradient in ((x, dx), (weight, dw)):
        product = float(np.vdot(argument.astype(np.float64), xp.to_numpy(gradient).astype(np.float64)))
        assert abs(product - float(xp.to_numpy(value))) <= 64 * np.finfo(REAL[precision]).eps * scale


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("name", ["max_pool", "avg_pool"])
@given(data=st.data())
def test_pool_geometry(name: str, axes: int, backend: Backend, precision: int, data: Any) -> None:
    """Extents follow the formula of the convolution without dilation."""
    form = data.draw(geometry(axes))
    spatial = tuple(max(n, w - 2 * p) for n, w, p in zip(form["spatial"], form["window"], form["padding"], strict=True))
    x = numbers((2, 3, *spatial), precision)
    options = {"stride": form["stride"], "padding": form["padding"]}
    agree(
        getattr(xp, name)(xp.asarray(x), form["window"], **options),
        getattr(oracle, name)(x, form["window"], **options),
    )


@given(shape=FILLED)
def test_flattened_indices_agree_with_loops(backend: Backend, precision: int, shape: Any) -> None:
    """Element by element, the tensor holds what the array holds: `asarray` keeps row-major order."""
    x = numbers(shape, precision)
    copied = xp.to_numpy(xp.asarray(np.asfortranarray(x)))
    for index in itertools.product(*(range(n) for n in shape)):
        assert copied[index] == x[index]
