"""Running a case on the active backend: tensors in, NumPy arrays out, values and gradients."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from d2l_conformance.case import REAL, Array, Case, Named, Sample, float_positions, is_array
from d2l_conformance.oracle import directional_derivative
from d2l_conformance.table import CASES

from d2l_core import dtypes, tree
from d2l_core import interface as xp
from d2l_core.backend import current, use_backend

REFERENCE = "numpy"
"""The backend whose own gradient is the second opinion."""

DIRECTIONS = 3
SEED_OF_WEIGHTS, SEED_OF_DIRECTIONS = 1, 2


# ---------------------------------------------------------------- tensors


def to_tensor(leaf: Any) -> Any:
    """A leaf of a sample as the active backend takes it."""
    backend = current().backend
    if is_array(leaf):
        return xp.asarray(leaf, dtype=getattr(backend, leaf.dtype.name))
    return getattr(backend, leaf.name) if isinstance(leaf, Named) else leaf


def to_arrays(result: Any) -> list[Array]:
    """The tensors of a result as NumPy arrays."""
    return [xp.to_numpy(leaf) for leaf in tree.leaves(result)]


def call(case: Case, one: Sample, tensors: list[Any]) -> Any:
    """The case's function on a sample whose arrays are replaced by tensors, in order."""
    supply = iter(tensors)
    args = tree.map(lambda leaf: next(supply) if is_array(leaf) else to_tensor(leaf), one.args)
    return case.call(case.function, *args, **{key: to_tensor(value) for key, value in one.kwargs.items()})


def tensors_of(one: Sample) -> list[Any]:
    """The tensors of a sample, in order."""
    return [to_tensor(leaf) for leaf in tree.leaves(one.args) if is_array(leaf)]


# ---------------------------------------------------------------- gradients


def weights_of(case: Case, one: Sample, precision: int) -> list[Array]:
    """Fixed weights for the float results, whose weighted sum is what is differentiated."""
    rng = np.random.default_rng(SEED_OF_WEIGHTS)
    results = [result for result in tree.leaves(case.expected(one)) if np.asarray(result).dtype.kind == "f"]
    return [rng.uniform(0.5, 1.5, np.shape(result)).astype(REAL[precision]) for result in results]


def differentiated(case: Case, one: Sample) -> list[int]:
    """Positions among the tensors of a sample of those that have a gradient."""
    is_tensor = [is_array(leaf) for leaf in tree.leaves(one.args)]
    return [sum(is_tensor[:position]) for position in float_positions(case, one)]


def gradients(case: Case, one: Sample, tensors: list[Any], weights: list[Any]) -> list[Any]:
    """Gradient of the weighted sum of the results, for each tensor that has one."""
    chosen = differentiated(case, one)

    def weighted(inputs: list[Any]) -> tuple[Any, None]:
        replaced = list(tensors)
        for position, value in zip(chosen, inputs, strict=True):
            replaced[position] = value
        results = [result for result in tree.leaves(call(case, one, replaced)) if dtypes.is_floating(result)]
        sums = [xp.sum(result * weight) for result, weight in zip(results, weights, strict=True)]
        return functools.reduce(xp.add, sums), None

    return xp.differentiate(weighted)([tensors[position] for position in chosen])[1]


def differentiable_samples(case: Case, precision: int) -> list[Sample]:
    """The samples with a float tensor to differentiate for, and a result that has elements."""
    made = case.make(case.samples, precision)
    return [one for one in made if differentiated(case, one) and _has_elements(case.expected(one))]


def _has_elements(result: Any) -> bool:
    return all(np.size(leaf) for leaf in tree.leaves(result))


@functools.cache
def numerical_slopes(name: str, precision: int) -> list[tuple[list[list[Array]], Array]]:
    """For each sample: random directions, and the oracle's derivatives along them."""
    case = CASES[name]
    return [_slopes_of(case, one, precision) for one in differentiable_samples(case, precision)]


def _slopes_of(case: Case, one: Sample, precision: int) -> tuple[list[list[Array]], Array]:
    rng = np.random.default_rng(SEED_OF_DIRECTIONS)
    arrays = [leaf for leaf in tree.leaves(one.args) if is_array(leaf)]
    chosen = differentiated(case, one)
    weights = [weight.astype(np.float64) for weight in weights_of(case, one, precision)]

    def weighted(inputs: list[Array]) -> float:
        replaced = list(arrays)
        for position, value in zip(chosen, inputs, strict=True):
            replaced[position] = value
        supply = iter(replaced)
        args = tree.map(lambda leaf: next(supply) if is_array(leaf) else leaf, one.args)
        leaves = tree.leaves(case.expected(Sample(args, one.kwargs)))
        results = [leaf for leaf in leaves if np.asarray(leaf).dtype.kind == "f"]
        return float(sum(np.sum(r * w) for r, w in zip(results[: _flowing(case)], weights, strict=False)))

    inputs = [arrays[position].astype(np.float64) for position in chosen]
    directions = [[rng.choice([-1.0, 1.0], x.shape) for x in inputs] for _ in range(DIRECTIONS)]
    return directions, np.array([directional_derivative(weighted, inputs, way) for way in directions])


def _flowing(case: Case) -> int | None:
    """How many of the results anything flows back through: of batch normalisation only the first."""
    return 1 if case.name == "batch_norm_train" else None


@functools.cache
def reference_gradients(name: str, precision: int) -> list[list[Array]]:
    """The reference backend's gradients in float64 of the samples as rounded to a precision."""
    case = CASES[name]
    found = []
    with use_backend(REFERENCE, precision=64):
        for one in differentiable_samples(case, precision):
            arrays = [leaf for leaf in tree.leaves(one.args) if is_array(leaf)]
            wide = [xp.asarray(x.astype(np.float64) if x.dtype.kind == "f" else x) for x in arrays]
            weights = [xp.asarray(w.astype(np.float64)) for w in weights_of(case, one, precision)]
            found.append(to_arrays(gradients(case, one, wide, weights)))
    return found
