"""A wrong call ends in the same error with the same sentence on every backend, and never in a result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from d2l_conformance import _run
from d2l_conformance.case import Case, Sample
from d2l_conformance.table import CASES
from d2l_conformance.table_wrong import WRONG

from d2l_core import interface as xp
from d2l_core.backend import Backend, use_backend
from d2l_core.errors import CallError, UsageError

REFERENCE = "numpy"
EXPLAINED = [case for case in CASES.values() if xp.contract()[case.name].group in ("arrays", "linalg", "network")]
PRECISIONS = (32,)
FAR = 7
"""An axis that no sample has."""
TOO_LONG = 11
"""A length that no sample has."""


def first_tensors(case: Case) -> Sample:
    """The first sample that has a tensor with an axis."""
    made = case.make(case.samples, 32)
    return next((one for one in made if any(getattr(x, "ndim", 0) for x in one.args)), made[0])


def misfits(case: Case) -> list[Sample]:
    """The first sample with a second tensor that is too long."""
    one = first_tensors(case)
    places = [i for i, arg in enumerate(one.args) if isinstance(arg, np.ndarray)]
    if len(places) < 2:
        return []
    args, shape = list(one.args), one.args[places[1]].shape
    args[places[1]] = np.ones((*shape[:-1], TOO_LONG), one.args[places[1]].dtype)
    return [Sample(tuple(args), one.kwargs)]


def wrong_calls(case: Case) -> Iterator[Callable[[], Any]]:
    """Those of the tables, or else a misfit, and those that a signature alone suggests."""
    made = case.make(case.wrong, 32) or ([] if case.name in WRONG else misfits(case))
    for one in made:
        yield lambda one=one: _run.call(case, one, _run.tensors_of(one))  # type: ignore[misc]
    for one in [one.at(32) for one in WRONG.get(case.name, [])]:
        yield lambda one=one: case.function(*(_run.to_tensor(arg) for arg in one.args), **one.kwargs)  # type: ignore[misc]
    parameters = inspect.signature(case.function).parameters.values()
    one = first_tensors(case)
    given = [_run.to_tensor(arg) for arg in one.args]
    if any(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in parameters):
        yield lambda: case.function()
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        yield lambda: case.function(*given, **one.kwargs, no_such_option=1)
    if any(p.name == "axis" for p in parameters) and not isinstance(one.kwargs.get("axis"), tuple):
        yield lambda: case.function(*given, **one.kwargs | {"axis": FAR})
        yield lambda: case.function(*given, **one.kwargs | {"axis": -1 - FAR})


def sentences(case: Case) -> list[str]:
    """What each wrong call says; a result in its place is a failure that names the call."""
    said = []
    for number, call in enumerate(wrong_calls(case)):
        try:
            result = [_run.to_arrays(part) for part in [call()]]
        except (CallError, UsageError) as error:
            said.append(str(error))
        else:
            said.append(f"wrong call {number} of {case.name} gives {result}")
    return said


@pytest.mark.parametrize("case", EXPLAINED, ids=[case.name for case in EXPLAINED])
def test_wrong_call(case: Case, backend: Backend) -> None:
    """The error is a CallError on every backend, the sentence the reference's, and it names the function."""
    with use_backend(REFERENCE, precision=32):
        wanted = sentences(case)
    with use_backend(backend.name, precision=32):
        assert sentences(case) == wanted
    assert len(wanted) > 1
    assert not [sentence for sentence in wanted if sentence.startswith("wrong call")]


def test_functions_are_in_the_contract() -> None:
    """A misspelt name in the table of wrong calls would call nothing."""
    assert set(WRONG) <= {case.name for case in EXPLAINED}
