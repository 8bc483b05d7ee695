"""Every function of the standard with every dtype it takes, mixed ones included, on tensors of zero axes and elements.

NumPy computes what should come out, in the dtype that the standard's table of promotion gives.
"""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from d2l_conformance.case import Array
from d2l_conformance.standard import (
    ANSWERS,
    BINARY_DTYPES,
    EVERY,
    FLOATS,
    INTEGERS,
    NUMERIC,
    UNARY_DTYPES,
    promoted,
)

from d2l_core import xp
from d2l_core.backend import Backend

PRECISIONS = (64,)
"""Where every dtype is present on every backend."""

RANGES = {"acos": 8, "asin": 8, "atanh": 8}
"""What a function's operand is divided by, so that it is defined."""


def numbers(dtype: str, shape: tuple[int, ...] = (3,), start: int = 1) -> Array:
    """Small positive numbers, or both truth values."""
    n = np.arange(int(np.prod(shape))).reshape(shape) % 5 + start
    return n % 2 == 0 if dtype == "bool" else n.astype(dtype)


def tensor(array: Array) -> Any:
    """A tensor of the array's own dtype."""
    return xp.asarray(array, dtype=getattr(xp, array.dtype.name))


def judge(got: Any, wanted: Any, dtype: str, label: str) -> None:
    """A tensor of the backend with the dtype, the shape and, to rounding, the elements that are wanted."""
    assert xp.is_tensor(got), label
    array, wanted = xp.to_numpy(got), np.asarray(wanted)
    assert array.dtype.name == dtype, f"{label} is {array.dtype}, not {dtype}"
    assert array.shape == wanted.shape, f"{label} has shape {array.shape}, not {wanted.shape}"
    eps = float(np.finfo(dtype).eps) if dtype in FLOATS else 0.0
    np.testing.assert_allclose(array.astype(float), wanted.astype(float), rtol=8 * eps, atol=8 * eps, err_msg=label)


def computed(name: str, *operands: Any) -> Any:
    """The function in NumPy, which warns of what the tests ask for."""
    with np.errstate(all="ignore"):
        return getattr(np, name)(*operands)


# ---------------------------------------------------------------- elementwise


@pytest.mark.parametrize("name", UNARY_DTYPES)
def test_unary(name: str, backend: Backend) -> None:
    """One tensor of each dtype; of the last one without axes and without elements too."""
    *_, last = dtypes = UNARY_DTYPES[name]
    for dtype, shape in (*((one, (3,)) for one in dtypes), (last, ()), (last, (0, 2))):
        x = numbers(dtype, shape)
        x = (x / RANGES[name]).astype(dtype) if name in RANGES else x
        result = "bool" if name in ANSWERS else dtype
        judge(getattr(xp, name)(tensor(x)), computed(name, x), result, f"{name} of {dtype}{list(shape)}")


def pairs(dtypes: tuple[str, ...]) -> Any:
    """Dtypes that promote, with shapes: mixed ones with a tensor without axes, which must count as any other."""
    for one, other in itertools.product(dtypes, repeat=2):
        if one == other:
            yield one, other, (3,), (3,)
        elif promoted(one, other):
            yield one, other, *(((3,), ()) if one < other else ((), (3,)))
    yield dtypes[-1], dtypes[-1], (), ()
    yield dtypes[-1], dtypes[0] if promoted(dtypes[-1], dtypes[0]) else dtypes[-1], (0, 2), (2,)


@pytest.mark.parametrize("name", BINARY_DTYPES)
def test_binary(name: str, backend: Backend) -> None:
    """Two tensors of each pair of dtypes that promote, and one beside a Python number."""
    function = getattr(xp, name)
    dtypes = BINARY_DTYPES[name]
    for one, other, first, second in pairs(dtypes):
        common = promoted(one, other)
        x, y = numbers(one, first), numbers(other, second, 2)
        wanted = computed(name, x.astype(common), y.astype(common))
        result = "bool" if name in ANSWERS else common
        judge(function(tensor(x), tensor(y)), wanted, result, f"{name} of {one}{first} and {other}{second}")
    for dtype in dtypes:
        x, result = numbers(dtype), "bool" if name in ANSWERS else dtype
        number = True if dtype == "bool" else 2 if dtype in INTEGERS else 1.5
        same = np.asarray(number, dtype)
        judge(function(tensor(x), number), computed(name, x, same), result, f"{name} of {dtype} and {number}")
        judge(function(number, tensor(x)), computed(name, same, x), result, f"{name} of {number} and {dtype}")


# ---------------------------------------------------------------- functions of several tensors


def test_promotion_of_others(backend: Backend) -> None:
    """What joins, chooses or multiplies tensors promotes them as arithmetic does."""
    for one, other in itertools.permutations(EVERY, 2):
        common = promoted(one, other)
        if common is None:
            continue
        x, y = numbers(one, (2, 2)), numbers(other, (2, 2), 2)
        a, b = tensor(x), tensor(y)
        chosen = np.array([[True, False], [False, True]])
        x, y = x.astype(common), y.astype(common)
        judge(xp.concat([a, b]), np.concatenate([x, y]), common, "concat")
        judge(xp.stack([a, b]), np.stack([x, y]), common, "stack")
        judge(xp.where(tensor(chosen), a, b), np.where(chosen, x, y), common, "where")
        judge(xp.matmul(a, b), x @ y, common, f"matmul of {one} and {other}")
        judge(xp.tensordot(a, b, axes=1), x @ y, common, f"tensordot of {one} and {other}")
        judge(xp.vecdot(a, b), np.sum(x * y, -1), common, f"vecdot of {one} and {other}")
        judge(xp.linalg.outer(a[0], b[0]), np.outer(x[0], y[0]), common, f"outer of {one} and {other}")
    for dtype, number in (("bool", True), ("uint8", 2), ("int32", 2), ("float32", 1.5), ("float64", 2)):
        x = numbers(dtype)
        wanted = np.where(x > 1, x, np.asarray(number, dtype))
        judge(xp.where(tensor(x > 1), tensor(x), number), wanted, dtype, f"where of {dtype} and a number")
        judge(xp.where(tensor(x <= 1), number, tensor(x)), wanted, dtype, f"where of a number and {dtype}")


# ---------------------------------------------------------------- functions that move elements


@pytest.mark.parametrize("dtype", EVERY)
def test_manipulation(dtype: str, backend: Backend) -> None:
    """Elements of any dtype are moved, picked and counted."""
    x = numbers(dtype, (2, 3))
    a = tensor(x)
    places = np.array([1, 0, 1])
    moved = {
        "reshape": (xp.reshape(a, (3, 2)), x.reshape(3, 2)),
        "permute_dims": (xp.permute_dims(a, (1, 0)), x.T),
        "matrix_transpose": (xp.matrix_transpose(a), x.T),
        "moveaxis": (xp.moveaxis(a, 0, 1), x.T),
        "concat": (xp.concat([a, a], axis=1), np.concatenate([x, x], 1)),
        "stack": (xp.stack([a, a], axis=1), np.stack([x, x], 1)),
        "unstack": (xp.unstack(a, axis=1)[2], x[:, 2]),
        "unstack into 0-d": (xp.unstack(a[0])[2], x[0, 2]),
        "expand_dims": (xp.expand_dims(a, axis=1), x[:, None]),
        "squeeze": (xp.squeeze(xp.expand_dims(a, axis=0), 0), x),
        "broadcast_to": (xp.broadcast_to(a, (2, 2, 3)), np.broadcast_to(x, (2, 2, 3))),
        "broadcast_arrays": (xp.broadcast_arrays(a, a[0])[1], np.broadcast_to(x[0], (2, 3))),
        "flip": (xp.flip(a, axis=1), x[:, ::-1]),
        "repeat": (xp.repeat(a, 2, axis=0), np.repeat(x, 2, 0)),
        "tile": (xp.tile(a, (2, 1)), np.tile(x, (2, 1))),
        "roll": (xp.roll(a, 1, axis=1), np.roll(x, 1, 1)),
        "meshgrid": (xp.meshgrid(a[0], a[1])[1], np.meshgrid(x[0], x[1])[1]),
        "tril": (xp.tril(a), np.tril(x)),
        "triu": (xp.triu(a, k=1), np.triu(x, 1)),
        "take": (xp.take(a, xp.asarray(places), axis=1), x[:, places]),
        "take_along_axis": (
            xp.take_along_axis(a, xp.asarray(places[:, None] + [[0, 0]])[:2], axis=1),
            np.take_along_axis(x, (places[:, None] + [[0, 0]])[:2], 1),
        ),
        "where": (xp.where(a == a, a, a), x),
        "full_like": (xp.full_like(a, dtype == "bool" or 1), np.full_like(x, True if dtype == "bool" else 1)),
        "zeros_like": (xp.zeros_like(a), np.zeros_like(x)),
        "ones_like": (xp.ones_like(a), np.ones_like(x)),
        "diagonal": (xp.linalg.diagonal(a), np.diagonal(x)),
        "asarray": (xp.asarray(x.tolist(), dtype=getattr(xp, dtype)), x),
    }
    for name, (got, wanted) in moved.items():
        judge(got, wanted, dtype, f"{name} of {dtype}")
    for name, got, wanted in (
        ("all", xp.all(a, axis=0), x.all(0)),
        ("any", xp.any(a, axis=1), x.any(1)),
        ("count_nonzero", xp.count_nonzero(a, axis=0) == 1, np.count_nonzero(x, axis=0) == 1),
        ("nonzero", xp.nonzero(a)[1] == 1, np.nonzero(x)[1] == 1),
    ):
        judge(got, wanted, "bool", f"{name} of {dtype}")


@pytest.mark.parametrize("dtype", NUMERIC)
def test_order_and_sums(dtype: str, backend: Backend) -> None:
    """Numbers of any dtype are compared and added."""
    x = numbers(dtype, (2, 3))[:, ::-1].copy()
    a, widest = tensor(x), "int64" if dtype in INTEGERS else dtype
    for name, got, wanted, result in (
        ("sort", xp.sort(a), np.sort(x), dtype),
        ("sort down", xp.sort(a, axis=0, descending=True), np.sort(x, 0)[::-1], dtype),
        ("argsort", xp.argsort(a), np.argsort(x), "int64"),
        ("argmax", xp.argmax(a, axis=1), x.argmax(1), "int64"),
        ("argmin", xp.argmin(a), x.argmin(), "int64"),
        ("max", xp.max(a, axis=0), x.max(0), dtype),
        ("min", xp.min(a), x.min(), dtype),
        ("sum", xp.sum(a), x.sum(), widest),
        ("sum of rows", xp.sum(a, axis=1, keepdims=True), x.sum(1, keepdims=True), widest),
        ("prod", xp.prod(a, axis=0), x.prod(0), widest),
        ("cumulative_sum", xp.cumulative_sum(a, axis=1), x.cumsum(1), widest),
        ("cumulative_prod", xp.cumulative_prod(a, axis=1), x.cumprod(1), widest),
        ("diff", xp.diff(a), np.diff(x), dtype),
        ("clip", xp.clip(a, 2, 4), np.clip(x, 2, 4), dtype),
        ("trace", xp.linalg.trace(a), np.trace(x), widest),
        ("cross", xp.linalg.cross(a, xp.flip(a)), np.cross(x, np.flip(x)), dtype),
        ("searchsorted", xp.searchsorted(xp.sort(a[0]), a[1]), np.searchsorted(np.sort(x[0]), x[1]), "int64"),
    ):
        judge(got, wanted, result, f"{name} of {dtype}")


# ---------------------------------------------------------------- no axes, no elements


def test_tensors_without_axes(backend: Backend) -> None:
    """What takes a 0-d tensor gives a tensor of the standard's shape."""
    x = np.array(0.5)
    a = tensor(x)
    same = ["mean", "sum", "prod", "max", "min", "var", "std"]
    for name in same:
        judge(getattr(xp, name)(a), getattr(np, name)(x), "float64", f"{name} of a 0-d tensor")
        judge(getattr(xp, name)(a, axis=(), keepdims=True), getattr(np, name)(x), "float64", f"{name} over no axes")
    for name, got, wanted in (
        ("reshape", xp.reshape(a, (1, 1)), x.reshape(1, 1)),
        ("flatten", xp.reshape(a, (-1,)), x.reshape(-1)),
        ("permute_dims", xp.permute_dims(a, ()), x),
        ("expand_dims", xp.expand_dims(a, axis=-1), x[None]),
        ("squeeze", xp.squeeze(a, ()), x),
        ("broadcast_to", xp.broadcast_to(a, (2, 2)), np.full((2, 2), 0.5)),
        ("broadcast_to ()", xp.broadcast_to(a, ()), x),
        ("broadcast_arrays", xp.broadcast_arrays(a, a)[0], x),
        ("flip", xp.flip(a), x),
        ("roll", xp.roll(a, 3), x),
        ("stack", xp.stack([a, a]), np.stack([x, x])),
        ("concat", xp.concat([a, a], axis=None), np.stack([x, x])),
        ("repeat", xp.repeat(a, 2), np.repeat(x, 2)),
        ("tile", xp.tile(a, (2,)), np.tile(x, 2)),
        ("tile ()", xp.tile(a, ()), x),
        ("clip", xp.clip(a, 1.0, 2.0), np.array(1.0)),
        ("where", xp.where(xp.equal(a, 0.5), a, a), x),
        ("take", xp.take(xp.reshape(a, (1,)), xp.asarray(0), axis=0), x),
        ("zeros_like", xp.zeros_like(a), np.zeros(())),
        ("full", xp.full((), 0.5), x),
        ("tensordot", xp.tensordot(a, a, axes=0), x * x),
        ("vector_norm", xp.linalg.vector_norm(a), x),
        ("searchsorted", xp.astype(xp.searchsorted(xp.reshape(a, (1,)), a), xp.float64), np.array(0.0)),
        ("count_nonzero", xp.astype(xp.count_nonzero(a), xp.float64), np.array(1.0)),
        ("argmax", xp.astype(xp.argmax(a), xp.float64), np.array(0.0)),
        ("meshgrid", xp.meshgrid(xp.reshape(a, (1,)))[0], x[None]),
        ("matmul", xp.matmul(xp.reshape(a, (1,)), xp.reshape(a, (1,))), x * x),
        ("vecdot", xp.vecdot(xp.reshape(a, (1,)), xp.reshape(a, (1,))), x * x),
    ):
        judge(got, wanted, "float64", f"{name} of a 0-d tensor")
    judge(xp.all(a), np.array(True), "bool", "all of a 0-d tensor")
    judge(xp.any(a), np.array(True), "bool", "any of a 0-d tensor")


def test_numbers_of_one_matrix(backend: Backend) -> None:
    """What linear algebra makes of a single matrix is a 0-d tensor."""
    x = np.array([[2.0, 1.0], [1.0, 3.0]])
    a, linalg = tensor(x), xp.linalg
    for name, got, wanted in (
        ("det", linalg.det(a), 5.0),
        ("logabsdet", linalg.slogdet(a).logabsdet, np.log(5.0)),
        ("sign", linalg.slogdet(a).sign, 1.0),
        ("trace", linalg.trace(a), 5.0),
        ("matrix_norm", linalg.matrix_norm(a), np.sqrt(15.0)),
        ("matrix_norm 1", linalg.matrix_norm(a, ord=1), 4.0),
        ("matrix_norm 2", linalg.matrix_norm(a, ord=2), (5 + np.sqrt(5.0)) / 2),
        ("vector_norm", linalg.vector_norm(a[0], ord=3), 9.0 ** (1 / 3)),
        ("vecdot", linalg.vecdot(a[0], a[1]), 5.0),
        ("matmul", linalg.matmul(a[0], a[1]), 5.0),
        ("tensordot", linalg.tensordot(a, a), 15.0),
        ("rank", xp.astype(linalg.matrix_rank(a), xp.float64), 2.0),
    ):
        judge(got, wanted, "float64", name)


def test_tensors_without_elements(backend: Backend) -> None:
    """What takes a tensor of shape (0, 2) gives one of the standard's shape."""
    x = np.zeros((0, 2))
    a, none = tensor(x), xp.asarray(np.zeros(0, np.int64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mean of nothing is NaN, and some frameworks warn
        got = {
            "reshape": (xp.reshape(a, (2, 0)), (2, 0)),
            "permute_dims": (xp.permute_dims(a, (1, 0)), (2, 0)),
            "matrix_transpose": (xp.matrix_transpose(a), (2, 0)),
            "moveaxis": (xp.moveaxis(a, 0, 1), (2, 0)),
            "concat": (xp.concat([a, a]), (0, 2)),
            "concat with elements": (xp.concat([a, xp.ones((1, 2))]), (1, 2)),
            "stack": (xp.stack([a, a], axis=1), (0, 2, 2)),
            "unstack": (xp.unstack(a, axis=1)[1], (0,)),
            "expand_dims": (xp.expand_dims(a, axis=1), (0, 1, 2)),
            "squeeze": (xp.squeeze(xp.expand_dims(a, axis=1), 1), (0, 2)),
            "broadcast_to": (xp.broadcast_to(a, (3, 0, 2)), (3, 0, 2)),
            "broadcast_arrays": (xp.broadcast_arrays(a, xp.ones(2))[1], (0, 2)),
            "flip": (xp.flip(a), (0, 2)),
            "flip 0": (xp.flip(a, axis=0), (0, 2)),
            "repeat": (xp.repeat(a, 2, axis=1), (0, 4)),
            "repeat all": (xp.repeat(a, 2), (0,)),
            "repeat never": (xp.repeat(xp.ones((2, 2)), 0, axis=0), (0, 2)),
            "tile": (xp.tile(a, (2, 2)), (0, 4)),
            "tile never": (xp.tile(xp.ones((2, 2)), (0, 1)), (0, 2)),
            "roll": (xp.roll(a, 1, axis=0), (0, 2)),
            "roll all": (xp.roll(a, 1), (0, 2)),
            "tril": (xp.tril(a), (0, 2)),
            "triu": (xp.triu(a), (0, 2)),
            "take": (xp.take(a, none, axis=0), (0, 2)),
            "take nothing": (xp.take(xp.ones((2, 2)), none, axis=1), (2, 0)),
            "take_along_axis": (xp.take_along_axis(a, xp.astype(a, xp.int64), axis=1), (0, 2)),
            "where": (xp.where(xp.equal(a, a), a, 1.0), (0, 2)),
            "clip": (xp.clip(a, 0.0, 1.0), (0, 2)),
            "sort": (xp.sort(a), (0, 2)),
            "sort 0": (xp.sort(a, axis=0, descending=True), (0, 2)),
            "sum": (xp.sum(a, axis=0), (2,)),
            "sum of rows": (xp.sum(a, axis=1), (0,)),
            "prod": (xp.prod(a, axis=0, keepdims=True), (1, 2)),
            "mean": (xp.mean(a, axis=1), (0,)),
            "var": (xp.var(a, axis=1), (0,)),
            "std": (xp.std(a, axis=1, keepdims=True), (0, 1)),
            "max": (xp.max(a, axis=1), (0,)),
            "min": (xp.min(a, axis=1, keepdims=True), (0, 1)),
            "cumulative_sum": (xp.cumulative_sum(a, axis=0), (0, 2)),
            "cumulative_sum with start": (xp.cumulative_sum(a, axis=0, include_initial=True), (1, 2)),
            "cumulative_prod": (xp.cumulative_prod(a, axis=0, include_initial=True), (1, 2)),
            "diff": (xp.diff(a, axis=0), (0, 2)),
            "meshgrid": (xp.meshgrid(xp.zeros(0), xp.ones(2))[0], (2, 0)),
            "matmul": (xp.matmul(xp.matrix_transpose(a), a), (2, 2)),
            "matmul without rows": (xp.matmul(a, xp.ones((2, 3))), (0, 3)),
            "tensordot": (xp.tensordot(a, a, axes=2), ()),
            "vecdot": (xp.vecdot(a, a), (0,)),
            "vecdot of nothing": (xp.vecdot(a, a, axis=-2), (2,)),
            "full": (xp.full((0, 2), 1.5), (0, 2)),
            "arange": (xp.arange(0.0), (0,)),
            "linspace": (xp.linspace(0.0, 1.0, 0), (0,)),
            "eye": (xp.eye(0, 2), (0, 2)),
        }
    for name, (result, shape) in got.items():
        wanted = np.ones(shape) if name in ("prod", "cumulative_prod", "concat with elements") else np.zeros(shape)
        judge(result, wanted, "float64", f"{name} without elements")
    for name, found, shape in (
        ("argsort", xp.argsort(a), (0, 2)),
        ("argmax", xp.argmax(a, axis=1), (0,)),
        ("argmin", xp.argmin(a, axis=1, keepdims=True), (0, 1)),
        ("count_nonzero", xp.count_nonzero(a, axis=0), (2,)),
        ("nonzero", xp.nonzero(a)[0], (0,)),
        ("searchsorted", xp.searchsorted(xp.ones(2), xp.zeros((0,))), (0,)),
        ("searchsorted in nothing", xp.searchsorted(xp.zeros(0), xp.ones(2)), (2,)),
    ):
        judge(found, np.zeros(shape), "int64", f"{name} without elements")
    judge(xp.all(a, axis=0), np.ones(2, bool), "bool", "all")
    judge(xp.any(a, axis=0), np.zeros(2, bool), "bool", "any")


def stacks() -> dict[str, Any]:
    """Every function of `linalg` on a stack of no matrices of shape (3, 2) or (2, 2), and what it should give."""
    linalg = xp.linalg
    return {
        "cholesky": (lambda x, s: linalg.cholesky(s), (0, 2, 2)),
        "cross": (lambda x, s: linalg.cross(x, x, axis=-2), (0, 3, 2)),
        "det": (lambda x, s: linalg.det(s), (0,)),
        "diagonal": (lambda x, s: linalg.diagonal(x), (0, 2)),
        "eigh": (lambda x, s: linalg.eigh(s).eigenvectors, (0, 2, 2)),
        "eigvalsh": (lambda x, s: linalg.eigvalsh(s), (0, 2)),
        "inv": (lambda x, s: linalg.inv(s), (0, 2, 2)),
        "matmul": (lambda x, s: linalg.matmul(x, s), (0, 3, 2)),
        "matrix_norm": (lambda x, s: linalg.matrix_norm(x), (0,)),
        "matrix_norm nuc": (lambda x, s: linalg.matrix_norm(x, ord="nuc"), (0,)),
        "matrix_norm 1": (lambda x, s: linalg.matrix_norm(x, ord=1, keepdims=True), (0, 1, 1)),
        "matrix_power": (lambda x, s: linalg.matrix_power(s, 3), (0, 2, 2)),
        "matrix_power -1": (lambda x, s: linalg.matrix_power(s, -1), (0, 2, 2)),
        "matrix_transpose": (lambda x, s: linalg.matrix_transpose(x), (0, 2, 3)),
        "pinv": (lambda x, s: linalg.pinv(x), (0, 2, 3)),
        "qr": (lambda x, s: linalg.qr(x).R, (0, 2, 2)),
        "qr complete": (lambda x, s: linalg.qr(x, mode="complete").Q, (0, 3, 3)),
        "slogdet": (lambda x, s: linalg.slogdet(s).logabsdet, (0,)),
        "solve": (lambda x, s: linalg.solve(s, s), (0, 2, 2)),
        "svd": (lambda x, s: linalg.svd(x, full_matrices=False).U, (0, 3, 2)),
        "svd full": (lambda x, s: linalg.svd(x).U, (0, 3, 3)),
        "svdvals": (lambda x, s: linalg.svdvals(x), (0, 2)),
        "tensordot": (lambda x, s: linalg.tensordot(x, s, axes=((0, 2), (0, 1))), (3, 2)),
        "trace": (lambda x, s: linalg.trace(s), (0,)),
        "vecdot": (lambda x, s: linalg.vecdot(x, x), (0, 3)),
        "vector_norm": (lambda x, s: linalg.vector_norm(x, axis=-1), (0, 3)),
        "vector_norm of nothing": (lambda x, s: linalg.vector_norm(x), ()),
    }


@pytest.mark.parametrize("name", stacks())
def test_stacks_of_no_matrices(name: str, backend: Backend) -> None:
    """Values and gradients of linear algebra where there is nothing to compute."""
    function, shape = stacks()[name]
    inputs = [xp.zeros((0, 3, 2)), xp.zeros((0, 2, 2))]
    judge(function(*inputs), np.zeros(shape), "float64", name)
    _, gradients = xp.differentiate(lambda xs: (xp.sum(function(*xs)), None))(inputs)
    for one, gradient in zip(inputs, gradients, strict=True):
        judge(gradient, np.zeros(tuple(one.shape)), "float64", f"gradient of {name}")
    if name == "matmul":
        judge(xp.linalg.matrix_rank(inputs[0]), np.zeros(0), "int64", "matrix_rank")


def test_matrices_without_elements(backend: Backend) -> None:
    """Matrices of no rows or no columns: their determinant is one and their rank zero, bases are complete."""
    linalg = xp.linalg
    none, low, high = xp.zeros((2, 0, 0)), xp.zeros((2, 0, 3)), xp.zeros((2, 3, 0))
    for name, got, wanted in (
        ("det", linalg.det(none), np.ones(2)),
        ("logabsdet", linalg.slogdet(none).logabsdet, np.zeros(2)),
        ("cholesky", linalg.cholesky(none), np.zeros((2, 0, 0))),
        ("eigh", linalg.eigh(none).eigenvectors, np.zeros((2, 0, 0))),
        ("eigvalsh", linalg.eigvalsh(none), np.zeros((2, 0))),
        ("inv", linalg.inv(none), np.zeros((2, 0, 0))),
        ("solve", linalg.solve(none, low), np.zeros((2, 0, 3))),
        ("matrix_power", linalg.matrix_power(none, 2), np.zeros((2, 0, 0))),
        ("trace", linalg.trace(low), np.zeros(2)),
        ("diagonal", linalg.diagonal(high, offset=-1), np.zeros((2, 0))),
        ("svd", linalg.svd(low).U, np.zeros((2, 0, 0))),
        ("svd values", linalg.svd(high).S, np.zeros((2, 0))),
        ("svdvals", linalg.svdvals(low), np.zeros((2, 0))),
        ("qr", linalg.qr(high).Q, np.zeros((2, 3, 0))),
        ("pinv", linalg.pinv(low), np.zeros((2, 3, 0))),
        ("rank", xp.astype(linalg.matrix_rank(high), xp.float64), np.zeros(2)),
        ("matrix_norm", linalg.matrix_norm(low), np.zeros(2)),
        ("vector_norm", linalg.vector_norm(high, axis=-1), np.zeros((2, 3))),
    ):
        judge(got, wanted, "float64", name)
    for basis in (linalg.svd(high).U, linalg.qr(high, mode="complete").Q):
        products = xp.matmul(basis, xp.matrix_transpose(basis))
        judge(products, np.broadcast_to(np.eye(3), (2, 3, 3)), "float64", "a completed basis")
