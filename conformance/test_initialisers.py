"""Initial values: their statistics, their exact bits, and the same bits in the parameters of every backend."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from d2l_conformance.case import REAL

from d2l_core import interface as xp
from d2l_core import nn
from d2l_core.backend import Backend
from d2l_core.nn import initialisers as init

KEY = ("init", "0.weight", 5)
LINEAR, KERNEL = (200, 300), (40, 30, 5, 3)
FIRST_BITS = {
    "Uniform": "-0x1.9366a1cd6f432p-4",
    "Normal": "-0x1.15bde1c670d2ap-8",
    "XavierUniform": "-0x1.373b05bae5fc0p-2",
    "XavierNormal": "-0x1.cfef5ba0fe295p-3",
    "HeUniform": "-0x1.db699b65d5696p-2",
    "HeNormal": "-0x1.6256116612dd8p-2",
    "FanInUniform": "-0x1.842c364687856p-3",
    "Orthogonal": "-0x1.0e3f86dd7a9d7p-1",
}

UNIFORM = [
    (init.Uniform(0.3), LINEAR, 0.3),
    (init.XavierUniform(), LINEAR, math.sqrt(6 / 500)),
    (init.XavierUniform(gain=2.0), KERNEL, 2 * math.sqrt(6 / (70 * 15))),
    (init.HeUniform(), LINEAR, math.sqrt(6 / 300)),
    (init.HeUniform(slope=0.5), KERNEL, math.sqrt(6 / (1.25 * 450))),
    (init.FanInUniform(), KERNEL, 1 / math.sqrt(450)),
    (init.FanInUniform(fan_in=9), (10_000,), 1 / 3),
]
NORMAL = [
    (init.Normal(0.02), LINEAR, 0.02),
    (init.XavierNormal(), LINEAR, math.sqrt(2 / 500)),
    (init.XavierNormal(gain=2.0), KERNEL, 2 * math.sqrt(2 / (70 * 15))),
    (init.HeNormal(), LINEAR, math.sqrt(2 / 300)),
    (init.HeNormal(slope=0.5), KERNEL, math.sqrt(2 / (1.25 * 450))),
]
ALL = [init.Constant(0.7), init.Orthogonal(), *(case[0] for case in (*UNIFORM, *NORMAL) if case[1] != (10_000,))]


@pytest.mark.parametrize(("initialiser", "shape", "bound"), UNIFORM, ids=[repr(case[0]) for case in UNIFORM])
def test_uniform_within_its_bound(initialiser: Any, shape: tuple[int, ...], bound: float) -> None:
    """Range, mean and variance; the fourth moment of the uniform gives the spread of the variance."""
    x = initialiser(shape, KEY) / bound
    n = x.size
    assert x.shape == shape
    assert x.dtype == np.float64
    assert -1 <= x.min() < -1 + 20 / n
    assert 1 - 20 / n < x.max() < 1
    assert abs(np.mean(x)) < 4 * math.sqrt(1 / 3 / n)
    assert abs(np.mean(x * x) - 1 / 3) < 4 * math.sqrt((1 / 5 - 1 / 9) / n)


@pytest.mark.parametrize(("initialiser", "shape", "std"), NORMAL, ids=[repr(case[0]) for case in NORMAL])
def test_normal_with_its_deviation(initialiser: Any, shape: tuple[int, ...], std: float) -> None:
    """Four moments, each within four standard errors."""
    x = initialiser(shape, KEY) / std
    assert x.shape == shape
    for power, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(x**power) - expected) < 4 * math.sqrt(variance / x.size)


@pytest.mark.parametrize("shape", [(30, 30), (12, 40), (40, 12), (8, 3, 3, 3), (5, 1), (1, 1)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    """The smaller of the two Gram matrices is gain² times the identity."""
    matrix = init.Orthogonal(gain=1.5)(shape, KEY).reshape(shape[0], -1)
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(gram, 2.25 * np.eye(len(gram)), atol=1e-14)


def test_orthogonal_has_every_orientation() -> None:
    """The angle of the first row of 2 x 2 matrices is uniform, and half of them are reflections."""
    matrices = np.stack([init.Orthogonal()((2, 2), ("turn", i)) for i in range(2000)])
    counts = np.histogram(np.arctan2(matrices[:, 0, 1], matrices[:, 0, 0]), bins=8, range=(-np.pi, np.pi))[0]
    assert float(np.sum((counts - 250) ** 2 / 250)) < 7 + 5 * math.sqrt(2 * 7)
    reflections = int(np.sum(np.linalg.det(matrices) < 0))
    assert abs(reflections - 1000) < 4 * math.sqrt(500)


@pytest.mark.parametrize("initialiser", ALL, ids=repr)
def test_every_backend_gets_the_same_bits(initialiser: Any, backend: Backend, precision: int) -> None:
    """A layer's weight is what the initialiser draws for its path and the seed, rounded once to the default float."""
    layer = nn.Sequential(nn.Linear(6, weight_init=initialiser))
    layer.initialise(xp.zeros((2, 4)), seed=5)
    weight = layer.state_dict()["0.weight"]
    assert weight.dtype == REAL[precision]
    np.testing.assert_array_equal(weight, initialiser((6, 4), KEY).astype(REAL[precision]))


@pytest.mark.parametrize("name", FIRST_BITS)
def test_bits_are_pinned(name: str) -> None:
    """The first number of each, now and for ever."""
    settings = {"Uniform": (0.3,)}.get(name, ())
    first = getattr(init, name)(*settings)((4, 3), KEY).ravel()[0].hex()
    assert first == FIRST_BITS[name], f"{name} begins with {first}"


@pytest.mark.parametrize(
    "initialiser",
    [
        init.XavierUniform(),
        init.XavierNormal(),
        init.HeUniform(),
        init.HeNormal(),
        init.FanInUniform(),
        init.Orthogonal(),
    ],
    ids=repr,
)
def test_a_vector_has_no_fan(initialiser: Any) -> None:
    """What counts inputs and outputs says so where there are none."""
    with pytest.raises(ValueError, match=r"shape \(3,\) has no inputs and outputs to count; choose Constant"):
        initialiser((3,), KEY)
