"""bfloat16 where a framework has it: the numbers and the gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from d2l_conformance import oracle
from d2l_conformance.case import Array
from d2l_conformance.limits import limited

from d2l_core import composites
from d2l_core import interface as xp
from d2l_core import xp as namespace
from d2l_core.backend import Backend, use_backend

BITS = 8
"""Of the significand, the first one included."""


def rounded(x: Array) -> Array:
    """The nearest number of bfloat16, halves to even, as float64."""
    significand, exponent = np.frexp(np.asarray(x, np.float64))
    return np.ldexp(np.rint(np.ldexp(significand, BITS)), exponent - BITS)


def spacing(x: Array) -> Array:
    """The unit in the last place at x, which is at least that of the smallest normal number."""
    return np.ldexp(1.0, np.maximum(np.frexp(np.asarray(x, np.float64))[1], -125) - BITS)


RNG = np.random.default_rng(16)
FEW, ROW = rounded(RNG.normal(size=(3, 4))), rounded(RNG.normal(size=4))
IMAGES, KERNELS = rounded(RNG.normal(size=(2, 3, 5, 6))), rounded(RNG.normal(size=(4, 3, 3, 2)))
VOLUMES, CUBES = rounded(RNG.normal(size=(1, 2, 3, 4, 3))), rounded(RNG.normal(size=(2, 2, 2, 2, 2)))
WIDE, TALL = rounded(RNG.normal(size=(5, 64))), rounded(RNG.normal(size=(64, 3)))

Function = Callable[..., Any]

EXACT: dict[str, tuple[Function, Function, tuple[Array, ...]]] = {
    "add": (xp.add, np.add, (FEW, ROW)),
    "multiply": (xp.multiply, np.multiply, (FEW, ROW)),
    "divide": (xp.divide, np.divide, (FEW, ROW)),
    "sqrt": (xp.sqrt, np.sqrt, (np.abs(FEW),)),
    "exp": (xp.exp, np.exp, (FEW,)),
    "log": (xp.log, np.log, (np.abs(FEW),)),
    "tanh": (xp.tanh, np.tanh, (FEW,)),
    "abs": (xp.abs, np.abs, (FEW,)),
    "maximum": (xp.maximum, np.maximum, (FEW, ROW)),
    "relu": (composites.relu, oracle.relu, (FEW,)),
    "max": (lambda x: xp.max(x, axis=1), lambda x: np.max(x, axis=1), (FEW,)),
    "softmax": (composites.softmax, oracle.softmax, (FEW,)),
    "max_pool": (lambda x: xp.max_pool(x, 2), lambda x: oracle.max_pool(x, 2), (IMAGES,)),
}
"""Functions whose result has one rounding an element, but for those below."""

ROUNDINGS = {"softmax": 3.0}
"""An exponential, a sum and a division may be rounded each."""

SUMS: dict[str, tuple[Function, Function, tuple[Array, ...]]] = {
    "sum": (lambda x: xp.sum(x, axis=1), lambda x: np.sum(x, axis=1), (WIDE,)),
    "mean": (lambda x: xp.mean(x, axis=1), lambda x: np.mean(x, axis=1), (WIDE,)),
    "matmul": (xp.matmul, np.matmul, (WIDE, TALL)),
    "conv": (lambda *a: xp.conv(*a, padding=1), lambda *a: oracle.conv(*a, padding=1), (IMAGES, KERNELS, ROW)),
    "conv of volumes": (xp.conv, oracle.conv, (VOLUMES, CUBES)),
    "avg_pool": (lambda x: xp.avg_pool(x, 2), lambda x: oracle.avg_pool(x, 2), (IMAGES,)),
    "avg_pool of volumes": (lambda x: xp.avg_pool(x, 2), lambda x: oracle.avg_pool(x, 2), (VOLUMES,)),
}
"""Functions that add up products: judged by the sum of the absolute values, as their terms may cancel."""


def narrow(*arrays: Array) -> list[Any]:
    """Tensors of bfloat16."""
    return [namespace.asarray(x, dtype=namespace.bfloat16) for x in arrays]


def check(tensor: Any, expected: Array, unit: Array, limit: float) -> None:
    """The tensor is bfloat16 and within `limit` units of the oracle."""
    assert tensor.dtype == namespace.bfloat16
    got = xp.to_numpy(tensor)
    assert got.dtype == np.float32
    assert got.shape == expected.shape
    assert np.max(np.abs(got - expected) / unit) <= limit


@pytest.mark.parametrize("name", EXACT)
@limited("bfloat16")
def test_elementwise_value(backend: Backend, name: str) -> None:
    """Within one unit in the last place of the function in float64 for each rounding."""
    function, wanted, arrays = EXACT[name]
    expected = np.asarray(wanted(*arrays), np.float64)
    check(function(*narrow(*arrays)), expected, spacing(expected), ROUNDINGS.get(name, 1.0))


@pytest.mark.parametrize("name", SUMS)
@limited("bfloat16")
def test_sum(backend: Backend, name: str) -> None:
    """Sums of up to 64 terms are kept in more than bfloat16: within a unit of the sum of absolute values."""
    function, wanted, arrays = SUMS[name]
    size = np.asarray(wanted(*(np.abs(x) for x in arrays)))
    check(function(*narrow(*arrays)), np.asarray(wanted(*arrays)), spacing(size), 1.0)


SLOPES: dict[str, tuple[Function, tuple[Array, ...]]] = {
    "matmul": (xp.matmul, (WIDE, TALL)),
    "linear": (composites.linear, (FEW, rounded(RNG.normal(size=(5, 4))), rounded(RNG.normal(size=5)))),
    "conv": (lambda *a: xp.conv(*a, padding=1, stride=2), (IMAGES, KERNELS, ROW)),
    "conv of volumes": (xp.conv, (VOLUMES, CUBES)),
    "tanh": (xp.tanh, (FEW,)),
    "relu": (composites.relu, (FEW,)),
    "max_pool": (lambda x: xp.max_pool(x, 2), (IMAGES,)),
    "mean": (lambda x: xp.mean(x, axis=1), (WIDE,)),
}


def gradients(function: Function, inputs: list[Any], weight: Any) -> list[Any]:
    """Of the sum of the results times a weight."""
    return list(xp.differentiate(lambda x: (xp.sum(function(*x) * weight), None))(inputs)[1])


@pytest.mark.parametrize("name", SLOPES)
@limited("bfloat16")
def test_slope(backend: Backend, name: str) -> None:
    """Gradients are bfloat16 too, within a few units of the largest."""
    function, arrays = SLOPES[name]
    with use_backend("numpy", precision=64):
        shape = function(*arrays).shape
        weight = rounded(np.random.default_rng(1).uniform(0.5, 1.5, shape))
        expected = gradients(function, [xp.asarray(x) for x in arrays], weight)
    found = gradients(function, narrow(*arrays), *narrow(weight))
    for gradient, wanted in zip(found, expected, strict=True):
        check(gradient, np.asarray(wanted), spacing(np.max(np.abs(wanted))), 4.0)


@limited("bfloat16")
def test_conversion(backend: Backend) -> None:
    """Halves go to even, overflow to infinity, NaN stays; and back nothing is lost."""
    bfloat16 = namespace.bfloat16
    x = np.array([1.0, 1.00390625, 1.01171875, -1e-40, 3.4e38, np.inf, np.nan, 0.1], np.float32)
    expected = np.array([1.0, 1.0, 1.015625, -1e-40, np.inf, np.inf, np.nan, 0.10009765625], np.float32)
    got = xp.to_numpy(namespace.astype(namespace.asarray(x), bfloat16))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-41)
    same = namespace.astype(namespace.asarray(got, dtype=bfloat16), namespace.float32)
    np.testing.assert_array_equal(xp.to_numpy(same), got)
    assert xp.to_numpy(namespace.astype(namespace.asarray([2.5, -3.0], dtype=bfloat16), namespace.int32)).tolist() == [
        2,
        -3,
    ]


@limited("bfloat16")
def test_dtype(backend: Backend) -> None:
    """It is a real float with limits of its own, and any other float is wider."""
    bfloat16 = namespace.bfloat16
    info = namespace.finfo(bfloat16)
    assert (info.bits, info.eps, info.smallest_normal) == (16, 2.0**-7, 2.0**-126)
    top = namespace.astype(namespace.asarray([info.max, 3.4e38]), bfloat16)
    assert np.isfinite(xp.to_numpy(top)).tolist() == [True, False]
    assert info.min == -info.max
    assert namespace.isdtype(bfloat16, "real floating")
    assert namespace.isdtype(bfloat16, "numeric")
    assert namespace.result_type(bfloat16, namespace.float32) == namespace.float32
    assert namespace.result_type(bfloat16, 2.5) == bfloat16
    assert namespace.can_cast(bfloat16, namespace.float64)
    assert not namespace.can_cast(namespace.float32, bfloat16)
    one = namespace.ones(2, dtype=bfloat16)
    assert (one + 0.5).dtype == bfloat16
    assert namespace.add(one, namespace.ones(2, dtype=namespace.float32)).dtype == namespace.float32


def test_absence_is_an_attribute_that_is_not_there(backend: Backend) -> None:
    """Code may ask for it; a backend has it or says so among its limits."""
    assert hasattr(namespace, "bfloat16") is ("bfloat16" not in backend.adapter.limits)
    assert hasattr(backend, "bfloat16") is hasattr(namespace, "bfloat16")
