"""Second derivatives of every differentiable case of the table, against central differences of its gradient.

What is differentiated is a weighted sum of the results and their squares, so that even a function without curvature has
its gradient differentiated. One small sample of each case, in float64; the differences are the reference backend's.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from d2l_conformance import _run
from d2l_conformance.case import Array, Case, Sample, is_array
from d2l_conformance.table import CASES

from d2l_core import dtypes, tree
from d2l_core import interface as xp
from d2l_core.backend import Backend, use_backend

PRECISIONS = (64,)

STEP = 3e-4
ACCURACY = 1e-8
"""Of differences with an error of fourth order: eps / STEP is 1e-12, and the fifth derivatives may be large."""


def _sample(case: Case) -> Sample:
    """The smallest one that has more than one element to differentiate for, if there is any."""
    sizes = []
    for one in _run.differentiable_samples(case, 64):
        arrays = [leaf for leaf in tree.leaves(one.args) if is_array(leaf)]
        size = sum(arrays[position].size for position in _run.differentiated(case, one))
        sizes.append((size < 2, size, one))
    return min(sizes, key=lambda entry: entry[:2])[2]


def _slopes(case: Case, one: Sample, tensors: list[Any], weights: list[Any], inputs: list[Any]) -> list[Any]:
    """Gradient of the weighted sum of ``y + y² / 2`` at other inputs."""
    chosen = _run.differentiated(case, one)

    def curved(inputs: list[Any]) -> tuple[Any, None]:
        replaced = list(tensors)
        for position, value in zip(chosen, inputs, strict=True):
            replaced[position] = value
        results = [y for y in tree.leaves(_run.call(case, one, replaced)) if dtypes.is_floating(y)]
        sums = [xp.sum((y + 0.5 * xp.square(y)) * w) for y, w in zip(results, weights, strict=True)]
        return functools.reduce(xp.add, sums), None

    return list(xp.differentiate(curved)(inputs)[1])


@functools.cache
def _numerical(name: str) -> tuple[list[Array], list[Array]]:
    """A direction, and the change of the gradient along it."""
    case = CASES[name]
    one = _sample(case)
    arrays = [leaf for leaf in tree.leaves(one.args) if is_array(leaf)]
    inputs = [arrays[position] for position in _run.differentiated(case, one)]
    rng = np.random.default_rng(3)
    direction = [np.asarray(rng.uniform(-1, 1, x.shape)) for x in inputs]
    total = [np.zeros(x.shape) for x in inputs]
    with use_backend(_run.REFERENCE, precision=64):
        tensors = _run.tensors_of(one)
        weights = [_run.to_tensor(w) for w in _run.weights_of(case, one, 64)]
        for places, factor in ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12)):
            moved = [xp.asarray(x + places * STEP * v) for x, v in zip(inputs, direction, strict=True)]
            slopes = _run.to_arrays(_slopes(case, one, tensors, weights, moved))
            total = [t + factor / STEP * s for t, s in zip(total, slopes, strict=True)]
    return direction, total


@pytest.mark.parametrize("case", [c for c in CASES.values() if c.differentiable], ids=lambda case: case.name)
def test_hessian_times_vector(case: Case, backend: Backend) -> None:
    """The gradient of the gradient's product with a vector, compiled where the case may be."""
    one = _sample(case)
    direction, expected = _numerical(case.name)
    chosen = _run.differentiated(case, one)
    weights = [_run.to_tensor(weight) for weight in _run.weights_of(case, one, 64)]

    def program(state: list[Any], tensors: list[Any], weights: list[Any], direction: list[Any]) -> Any:
        def along(inputs: list[Any]) -> tuple[Any, None]:
            slopes = _slopes(case, one, tensors, weights, inputs)
            return functools.reduce(xp.add, [xp.sum(s * v) for s, v in zip(slopes, direction, strict=True)]), None

        return state, xp.differentiate(along)([tensors[position] for position in chosen])[1]

    run = xp.compile(program) if case.compiled else program
    _, products = run([xp.zeros(())], _run.tensors_of(one), weights, [xp.asarray(v) for v in direction])
    size = max(float(np.max(np.abs(array), initial=0.0)) for array in expected) or 1.0
    for product, wanted in zip(_run.to_arrays(products), expected, strict=True):
        np.testing.assert_allclose(product, wanted, rtol=0, atol=ACCURACY * size, err_msg=str(one))
