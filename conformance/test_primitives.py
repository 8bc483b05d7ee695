"""Every case of the table on every backend and precision: value, dtype, shape, gradient, eagerly and compiled."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from d2l_conformance import _run
from d2l_conformance._observed import Observed, largest, read
from d2l_conformance.case import REAL, Array, Case, Named, Sample, is_array
from d2l_conformance.table import CASES, GROUPS

from d2l_core import interface as xp
from d2l_core import tree
from d2l_core.backend import Backend
from d2l_core.interface import contract

EAGER_STRIDE = 1 if os.environ.get("D2L_CONFORMANCE") == "deep" else 3
"""Compiled, every sample is differentiated; eagerly some are in the quick profile: compilers take each op apart."""

EVERY_CASE = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
COMPILED = pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.compiled],
    ids=[c.name for c in CASES.values() if c.compiled],
)
DIFFERENTIABLE = pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.differentiable],
    ids=[n for n, c in CASES.items() if c.differentiable],
)


# ---------------------------------------------------------------- the table itself


def test_table_covers_the_contract() -> None:
    """Nothing in the contract is without a case, and no case is about something else."""
    promised = {name for name, primitive in contract().items() if primitive.group in GROUPS}
    assert set(CASES) == promised


@EVERY_CASE
def test_case_has_samples(case: Case) -> None:
    """A case without samples, or a gradient without a sample for it, would pass on any backend."""
    made = [one for maker in (case.samples, case.edges, case.wrong) for one in case.make(maker, 64)]
    assert case.make(case.samples, 64)
    assert not any(isinstance(leaf, np.generic) for one in made for leaf in tree.leaves(one.args)), "use an array"
    assert bool(case.differentiable) == bool(_run.differentiable_samples(case, 64))


@EVERY_CASE
def test_tolerance_is_tight(case: Case) -> None:
    """No tolerance is more than ten times the largest error on record, nor below it."""
    record = read()
    assert case.name in record, f"no record of {case.name}; run with --record"
    seen = largest(record, case.name, "value")
    assert seen <= case.tolerance.limit <= max(10 * seen, case.tolerance.FINEST)
    if case.differentiable:
        seen = largest(record, case.name, "gradient")
        assert seen <= case.gradient.limit <= max(10 * seen, case.gradient.FINEST)


# ---------------------------------------------------------------- values


@EVERY_CASE
def test_value(case: Case, backend: Backend, precision: int, observed: Observed) -> None:
    """Each sample's result is the oracle's, within the tolerance, in the dtype and shape of the rule."""
    for one in case.make(case.samples, precision):
        tensors = _run.tensors_of(one)
        before = _run.to_arrays(tensors)
        result = _run.call(case, one, tensors)
        error = judge(case, one, _run.to_arrays(result), before, precision)
        observed.note(case.name, "value", precision, backend.name, error)
        assert error <= case.tolerance.limit, f"{case.name}({one}) is {error:.3g} units off"
        for array, tensor in zip(before, tensors, strict=True):
            np.testing.assert_array_equal(xp.to_numpy(tensor), array, err_msg=f"{case.name}({one}) changed its input")


@EVERY_CASE
def test_special_values(case: Case, backend: Backend, precision: int) -> None:
    """NaN, infinities, huge numbers and signed zeros come out as the oracle has them."""
    for one in case.make(case.edges, precision):
        tensors = _run.tensors_of(one)
        results = _run.to_arrays(_run.call(case, one, tensors))
        error = judge(case, one, results, _run.to_arrays(tensors), precision)
        assert error <= max(case.tolerance.limit, 1.0), f"{case.name}({one}) gives {results} for {one.args}"
        if case.signed_zeros:
            for got, wanted in zip(results, tree.leaves(case.expected(one)), strict=True):
                zero = np.asarray(wanted) == 0
                np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(wanted[zero]), err_msg=str(one.args))


@COMPILED
def test_compiled(case: Case, backend: Backend, precision: int, observed: Observed) -> None:
    """One compiled function that computes all samples of a case and their gradients agrees with the oracle."""
    made = case.make(case.samples, precision)
    smooth = _run.differentiable_samples(case, precision) if case.differentiable else []
    weights = [[_run.to_tensor(w) for w in _run.weights_of(case, one, precision)] for one in smooth]

    def program(state: list[Any], tensors: list[list[Any]], bent: list[Any]) -> Any:
        results = [_run.call(case, one, some) for one, some in zip(made, tensors, strict=True)]
        slopes = [_run.gradients(case, one, *both) for one, both in zip(smooth, bent, strict=True)]
        return state, results, slopes

    arguments = [_run.tensors_of(one) for one in made]
    bent = [(_run.tensors_of(one), some) for one, some in zip(smooth, weights, strict=True)]
    _, results, slopes = xp.compile(program)([xp.zeros(())], arguments, bent)
    for one, tensors, result in zip(made, arguments, results, strict=True):
        error = judge(case, one, _run.to_arrays(result), _run.to_arrays(tensors), precision)
        observed.note(case.name, "value", precision, backend.name, error)
        assert error <= case.tolerance.limit, f"compiled {case.name}({one}) is {error:.3g} units off"
    judge_gradients(case, [_run.to_arrays(slope) for slope in slopes], precision, backend, observed)


def judge(case: Case, one: Sample, results: list[Array], inputs: list[Array], precision: int) -> float:
    """The error of a result in units, once its number, shapes and dtypes are what they should be."""
    expected = tree.leaves(case.expected(one))
    assert len(results) == len(expected), f"{case.name}({one}) gives {len(results)} tensors"
    worst = 0.0
    for got, wanted in zip(results, expected, strict=True):
        assert got.shape == np.shape(wanted), f"{case.name}({one}) has shape {got.shape}, not {np.shape(wanted)}"
        rule = dtypes_allowed(case, one, np.asarray(wanted), inputs, precision)
        assert got.dtype.name in rule, f"{case.name}({one}) is {got.dtype}, not {' or '.join(rule)}"
        worst = max(worst, case.tolerance.error(got, np.asarray(wanted), lambda: case.magnitude(one)))
    return worst


def dtypes_allowed(case: Case, one: Sample, wanted: Array, inputs: list[Array], precision: int) -> tuple[str, ...]:
    """The dtypes that the case's rule allows for a result."""
    integers, real = ("int32", "int64"), (REAL[precision].name,)
    named = [leaf.name for leaf in (*one.args, *one.kwargs.values()) if isinstance(leaf, Named)]
    if named:
        return integers if named[0] == "int64" and precision == 32 else (named[0],)
    if case.dtype == "integer":
        return integers
    if case.dtype == "bool":
        return ("bool",)
    small = inputs and inputs[0].dtype.kind in "biu" and case.name in ("sum", "prod", "cumulative_sum")
    if case.dtype == "oracle" or small or (case.dtype == "named" and not inputs):
        return {"b": ("bool",), "i": integers, "u": integers, "f": real}[wanted.dtype.kind]
    if case.dtype in ("input", "named") and inputs:
        return (inputs[0].dtype.name,)
    return real


# ---------------------------------------------------------------- gradients


@DIFFERENTIABLE
def test_gradient(case: Case, backend: Backend, precision: int, observed: Observed) -> None:
    """Gradients agree with central differences of the oracle and with the reference backend's own."""
    found = []
    for one in _run.differentiable_samples(case, precision)[::EAGER_STRIDE]:
        weights = [_run.to_tensor(weight) for weight in _run.weights_of(case, one, precision)]
        found.append(_run.to_arrays(_run.gradients(case, one, _run.tensors_of(one), weights)))
    judge_gradients(case, found, precision, backend, observed, EAGER_STRIDE)


def judge_gradients(
    case: Case, found: list[list[Array]], precision: int, backend: Backend, observed: Observed, stride: int = 1
) -> None:
    """Hold the gradients of every `stride`-th sample against both references."""
    if not case.differentiable:
        return
    samples = _run.differentiable_samples(case, precision)[::stride]
    numerical = _run.numerical_slopes(case.name, precision)[::stride]
    reference = _run.reference_gradients(case.name, precision)[::stride]
    for one, grads, (directions, slopes), own in zip(samples, found, numerical, reference, strict=True):
        arrays = [leaf for leaf in tree.leaves(one.args) if is_array(leaf)]
        inputs = [arrays[position] for position in _run.differentiated(case, one)]
        for grad, x in zip(grads, inputs, strict=True):
            assert (grad.shape, grad.dtype) == (x.shape, x.dtype), f"gradient of {case.name}({one})"
        along = np.array([sum(np.vdot(v, g) for v, g in zip(way, grads, strict=True)) for way in directions])
        elements = sum(grad.size for grad in grads)
        assert case.gradient.accepts(along, slopes, elements, REAL[precision]), (
            f"gradient of {case.name}({one}) along random directions is {along}, by central differences {slopes}"
        )
        error = 0.0
        for grad, other in zip(grads, own, strict=True):
            error = max(error, case.gradient.error(grad, other, lambda: (1, 0.0)))
        observed.note(case.name, "gradient", precision, backend.name, error)
        assert error <= case.gradient.limit, f"gradient of {case.name}({one}) is {error:.3g} units off"
