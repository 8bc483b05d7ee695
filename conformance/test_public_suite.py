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
    lower = np.tril_indices(*(r.shape[0], -1, r.shape[1]))
    assert not np.any(r[lower]) and not np.any(np.signbit(r[lower]))
