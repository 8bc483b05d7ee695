"""What a run of the public array API test-suite found, held to on every backend; see ``docs/array_api.md``."""

from __future__ import annotations

import numpy as np
import pytest

from d2l_core import xp
from d2l_core.backend import Backend
from d2l_core.errors import CallError


def test_axis_that_cannot_be_inserted(backend: Backend) -> None:
    """`expand_dims` raises what the standard names."""
    x = xp.ones((2, 3))
    for axis in (-4, 3):
        with pytest.raises(IndexError, match=f"an axis at -3 to 2 of a tensor of 2 axes, not at {axis}"):
            xp.expand_dims(x, axis=axis)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32", "float64"])
def test_bounds_that_are_left_out(dtype: str, backend: Backend) -> None:
    """`clip` keeps the dtype with one bound, and without any."""
    x = xp.asarray([1, 5, 9], dtype=getattr(xp, dtype))
    for bounds, wanted in (({}, [1, 5, 9]), ({"min": 4}, [4, 5, 9]), ({"max": 6}, [1, 5, 6])):
        got = xp.clip(x, **bounds)
        assert got.dtype == x.dtype
        np.testing.assert_array_equal(xp.to_numpy(got), wanted)


def test_vectors_of_different_length(backend: Backend) -> None:
    """`vecdot` broadcasts all axes but the one it sums over."""
    one, three = xp.ones((2, 1)), xp.ones((2, 3))
    with pytest.raises(CallError, match="vecdot"):
        xp.vecdot(one, three)
    np.testing.assert_array_equal(xp.to_numpy(xp.vecdot(xp.ones((1, 3)), three)), [3.0, 3.0])


@pytest.mark.parametrize("mode", ["reduced", "complete"])
@pytest.mark.parametrize("rank", [0, 1])
def test_factors_of_dependent_columns(rank: int, mode: str, backend: Backend, precision: int) -> None:
    """`qr` of a matrix without full rank: orthonormal columns and a triangle, in which no zero is negative."""
    x = xp.ones((4, 3)) * float(rank)
    q, r = (xp.to_numpy(one) for one in xp.linalg.qr(x, mode=mode))
    tolerance = 8.0 * np.finfo(q.dtype).eps
    np.testing.assert_allclose(q.T @ q, np.eye(q.shape[-1]), atol=tolerance)
    np.testing.assert_allclose(q @ r, xp.to_numpy(x), atol=tolerance)
    lower = np.tril_indices(r.shape[0], -1, r.shape[1])
    assert not np.any(r[lower])
    assert not np.any(np.signbit(r[lower]))


def test_equations_of_two_dtypes(backend: Backend, precision: int) -> None:
    """`solve` promotes, and a threshold takes the dtype of the matrices."""
    x = xp.asarray([[2.0, 0.0], [0.0, 4.0]], dtype=xp.float32)
    y = xp.asarray([2.0, 4.0], dtype=xp.float64)
    for pair, wanted in (((x, y), [1.0, 1.0]), ((xp.astype(x, xp.float64), xp.astype(y, xp.float32)), [1.0, 1.0])):
        got = xp.linalg.solve(*pair)
        assert got.dtype == y.dtype
        np.testing.assert_array_equal(xp.to_numpy(got), wanted)
    rtol = xp.asarray(0.6, dtype=xp.float64)
    assert int(xp.to_numpy(xp.linalg.matrix_rank(x, rtol=rtol))) == 1
    pseudo = xp.linalg.pinv(x, rtol=rtol)
    assert pseudo.dtype == x.dtype
    np.testing.assert_allclose(xp.to_numpy(pseudo), [[0.0, 0.0], [0.0, 0.25]], atol=1e-7)


def test_filled_with_a_tensor(backend: Backend, precision: int) -> None:
    """`full` and `full_like` take a 0-d tensor for the number, and convert it."""
    x = xp.asarray([3, 4], dtype=xp.int32)
    for got, dtype in (
        (xp.full((2, 3), x[0]), xp.int32),
        (xp.full((2, 3), x[0], dtype=xp.float32), xp.float32),
        (xp.full_like(xp.zeros((2, 3), dtype=xp.uint8), x[0]), xp.uint8),
    ):
        assert got.dtype == dtype
        np.testing.assert_array_equal(xp.to_numpy(got), np.full((2, 3), 3))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_products_of_integers(dtype: str, backend: Backend, precision: int) -> None:
    """`matmul`, `tensordot`, `vecdot` and `outer` of one integer dtype give that dtype; small ones wrap around."""
    numbers = np.array([[1, 2], [3, 4]], dtype)
    x = xp.asarray(numbers, dtype=getattr(xp, dtype))
    for got, wanted in (
        (xp.matmul(x, x), numbers @ numbers),
        (xp.tensordot(x, x, axes=1), numbers @ numbers),
        (xp.tensordot(x, x), np.tensordot(numbers, numbers)),
        (xp.vecdot(x, x), (numbers * numbers).sum(-1)),
        (xp.linalg.outer(x[0], x[1]), np.outer(numbers[0], numbers[1])),
        (xp.matmul(xp.full_like(x, 20), x), np.full_like(numbers, 20) @ numbers),
    ):
        assert got.dtype == x.dtype
        np.testing.assert_array_equal(xp.to_numpy(got), wanted)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_shifts_by_all_bits(dtype: str, backend: Backend, precision: int) -> None:
    """Nothing is left of a number shifted by as many places as it has bits, or more, but a sign to the right."""
    if dtype not in xp.__array_namespace_info__().dtypes():
        return
    bits = 8 * np.dtype(dtype).itemsize
    least = 0 if dtype == "uint8" else -3
    numbers, places = np.array([1, 100, least, 5], dtype), np.array([bits, bits + 1, bits, bits - 1], dtype)
    x, y = (xp.asarray(one, dtype=getattr(xp, dtype)) for one in (numbers, places))
    left, right = np.left_shift(numbers, places), np.right_shift(numbers, places)
    np.testing.assert_array_equal(xp.to_numpy(xp.bitwise_left_shift(x, y)), left)
    np.testing.assert_array_equal(xp.to_numpy(xp.bitwise_right_shift(x, y)), right)
    np.testing.assert_array_equal(xp.to_numpy(xp.bitwise_left_shift(x, bits)), np.zeros(4))


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_large_integers(dtype: str, backend: Backend, precision: int) -> None:
    """Integers that no float of the same width holds are computed exactly."""
    if dtype not in xp.__array_namespace_info__().dtypes():
        return
    odd, root = (2**24 + 1, 4097) if dtype == "int32" else (2**53 + 1, 94906267)
    large, roots = np.array([odd, -odd, 3], dtype), np.array([root, -root, 3], dtype)
    x, y = (xp.asarray(one, dtype=getattr(xp, dtype)) for one in (large, roots))
    for name, got, wanted in (
        ("abs", xp.abs(x), np.abs(large)),
        ("square", xp.square(y), np.square(roots)),
        ("pow", xp.pow(y, 2), np.square(roots)),
        ("pow", xp.pow(y, xp.full_like(y, 2)), np.square(roots)),
        ("multiply", xp.multiply(y, y), np.square(roots)),
        ("remainder", xp.remainder(x, 2), np.remainder(large, 2)),
        ("floor_divide", xp.floor_divide(x, 2), np.floor_divide(large, 2)),
        ("clip", xp.clip(x, -odd, odd), large),
        ("maximum", xp.maximum(x, odd), np.full(3, odd)),
        ("sum", xp.sum(x), np.sum(large)),
    ):
        np.testing.assert_array_equal(xp.to_numpy(got), wanted, err_msg=name)


def test_cross_products_of_two_dtypes(backend: Backend, precision: int) -> None:
    """`cross` promotes."""
    x, y = xp.asarray([1, 2, 3], dtype=xp.uint8), xp.asarray([3, 2, 1], dtype=xp.int32)
    for got in (xp.linalg.cross(x, y), -xp.linalg.cross(y, x)):
        assert got.dtype == xp.int32
        np.testing.assert_array_equal(xp.to_numpy(got), [-4, 8, -4])


@pytest.mark.parametrize("shape", [(0, 0, 0), (2, 3, 0), (0, 3, 2), (2, 0, 2)])
def test_stacks_without_elements(shape: tuple[int, ...], backend: Backend, precision: int) -> None:
    """Products of a stack of matrices, one side of which may be of length zero, with a vector and a matrix."""
    x = xp.ones(shape)
    for other in ((shape[-1],), (shape[-1], 2)):
        got = xp.matmul(x, xp.ones(other))
        np.testing.assert_array_equal(xp.to_numpy(got), np.ones(shape) @ np.ones(other))


def test_reversed_arrays_of_one_element_are_taken(backend: Backend, precision: int) -> None:
    """NumPy keeps their negative stride even in a contiguous copy."""
    for shape in ((1,), (1, 3), (3, 1)):
        array = np.arange(float(np.prod(shape)), dtype=np.float32).reshape(shape)[::-1, ...]
        np.testing.assert_array_equal(xp.to_numpy(xp.asarray(array)), array)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32", "float64"])
def test_dtypes_asked_for_without_a_copy(dtype: str, backend: Backend, precision: int) -> None:
    """`copy=False` converts where it must: NumPy's float64 equals None."""
    if dtype not in xp.__array_namespace_info__().dtypes():
        return
    x, wanted = xp.asarray([True, False]), getattr(xp, dtype)
    got = xp.astype(x, wanted, copy=False)
    assert got.dtype == wanted
    np.testing.assert_array_equal(xp.to_numpy(got), [1, 0])
    with pytest.raises(CallError, match="without a copy"):
        xp.asarray(x, dtype=wanted, copy=False)


_BETWEEN_DOUBLES = 2**53 + 1


@pytest.mark.parametrize("number", [_BETWEEN_DOUBLES, -_BETWEEN_DOUBLES, 2**62 + 1])
@pytest.mark.parametrize(
    "name",
    [
        *("add", "subtract", "multiply", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
        *("maximum", "minimum", "floor_divide", "remainder"),
    ],
)
def test_numbers_that_no_double_holds(name: str, number: int, backend: Backend) -> None:
    """A Python integer takes the dtype of the tensor, not that of a float on the way."""
    if "int64" not in xp.__array_namespace_info__().dtypes():
        return
    host = np.asarray([1, -1] if name == "multiply" else [number // 4, -number, number - 1, number, number + 1, 7])
    host = host % 2**61 if name in ("add", "subtract") else host
    x, function = xp.asarray(host, dtype=xp.int64), getattr(np, name)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(xp.to_numpy(getattr(xp, name)(x, number)), function(host, number))
        np.testing.assert_array_equal(xp.to_numpy(getattr(xp, name)(number, x)), function(number, host))


@pytest.mark.parametrize("correction", [2, 2.0, 2.5, 3])
@pytest.mark.parametrize("name", ["var", "std"])
def test_corrections_that_leave_nothing(name: str, correction: float, backend: Backend, precision: int) -> None:
    """`var` and `std` are NaN where N - correction is zero or less, whatever the elements."""
    for x, axis, shape in (([[1.0, 2.0], [2.0, 2.0]], 1, (2,)), ([[1.0], [3.0]], 1, (2,)), ([1.0, 2.0], None, ())):
        for keepdims in (False, True):
            got = getattr(xp, name)(xp.asarray(x), axis=axis, correction=correction, keepdims=keepdims)
            assert tuple(got.shape) == (shape if not keepdims else (*shape, 1))
            assert got.dtype == xp.asarray(x).dtype
            assert np.all(np.isnan(xp.to_numpy(got)))
    nothing = xp.to_numpy(getattr(xp, name)(xp.zeros((3, 0)), axis=1, correction=correction))
    np.testing.assert_array_equal(nothing, [np.nan] * 3)


@pytest.mark.parametrize(("dtype", "large"), [("float32", 1e30), ("float64", 1e300)])
def test_remainders_of_quotients_that_overflow(dtype: str, large: float, backend: Backend) -> None:
    """`remainder` is exact, and `floor_divide` infinite, in each of many elements."""
    if dtype not in xp.__array_namespace_info__().dtypes():
        return
    x1, x2 = (np.full(19, value, dtype) for value in (-large, 3.0 / large))
    operands = [xp.asarray(x, dtype=getattr(xp, dtype)) for x in (x1, x2)]
    np.testing.assert_array_equal(xp.to_numpy(xp.remainder(*operands)), np.remainder(x1, x2))
    np.testing.assert_array_equal(xp.to_numpy(xp.floor_divide(*operands)), np.full(19, -np.inf, dtype))
