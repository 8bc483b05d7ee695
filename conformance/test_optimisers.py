"""Our optimisers over a hundred steps against the written formulas in float64, eagerly and in compiled steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from d2l_conformance.case import REAL
from d2l_conformance.formulas import OPTIMISERS, OptimiserCase, Valley, descend

from d2l_core import interface as xp
from d2l_core import nn, optim
from d2l_core.autodiff import compiled
from d2l_core.backend import Backend, float_dtype

OPERATIONS = 8
CASES = pytest.mark.parametrize("case", OPTIMISERS, ids=[case.name for case in OPTIMISERS])


def start(valley: Valley, real: np.dtype[Any]) -> nn.Module:
    """A module that holds the parameters of the valley."""
    module = nn.Module()
    for name, value in zip("ab", valley.start, strict=True):
        setattr(module, name, nn.Parameter(value.astype(real)))
    return module.initialise(seed=0)


def tensors(gradients: list[Any]) -> dict[str, Any]:
    """Gradients by the names of the parameters."""
    return {name: xp.asarray(g, dtype=float_dtype()) for name, g in zip("ab", gradients, strict=True)}


def errors(module: nn.Module, valley: Valley, real: np.dtype[Any]) -> float:
    """The largest error as a share of what rounding may do.

    In each of n steps a parameter is rounded at most twice, by the step and by a decoupled decay, each time by half a
    unit in the last place of its size; and each move carries the relative errors of the few operations that made it,
    which add up over the path walked.
    """
    eps, n, worst = float(np.finfo(real).eps), len(valley.gradients), 0.0
    rows = zip(module.state_dict().values(), valley.end, valley.size, valley.path, strict=True)
    for found, wanted, size, path in rows:
        assert found.dtype == real
        budget = eps * (n * size + OPERATIONS * path)
        worst = max(worst, float(np.max(np.abs(found - wanted) / budget)))
    return worst


def agree(case: OptimiserCase, module: nn.Module, valley: Valley, real: np.dtype[Any]) -> None:
    """The parameters are where the formula ends, as far as rounding allows."""
    share = errors(module, valley, real)
    assert share < 1, f"{case.name} ({case.kind}) ends {share:.3g} times as far from its formula as rounding may do"


@CASES
def test_optimiser_is_the_formula(case: OptimiserCase, backend: Backend, precision: int) -> None:
    """Eagerly, at a constant rate."""
    real = REAL[precision]
    valley = descend(case, real)
    module = start(valley, real)
    optimiser = getattr(optim, case.kind)(module, **case.options)
    for gradients in valley.gradients:
        optimiser.update(tensors(gradients))
    agree(case, module, valley, real)


@CASES
def test_compiled_step_follows_the_schedule(case: OptimiserCase, backend: Backend, precision: int) -> None:
    """The rate of each step enters as a tensor, so that one compiled step serves all."""
    real = REAL[precision]
    valley = descend(case, real, scheduled=True)
    module = start(valley, real)
    settings = {name: value for name, value in case.options.items() if name != "lr"}
    optimiser = getattr(optim, case.kind)(module, optim.schedules.Polynomial(case.options["lr"], final=0.0), **settings)
    assert optimiser.scheduled
    step = compiled(
        lambda gradients, rate: optimiser.update(gradients, rate),
        [*module.variables().values(), *optimiser.slots.values()],
    )
    for gradients, rate in zip(valley.gradients, valley.rates, strict=True):
        step(tensors(gradients), xp.full((), rate))
    agree(case, module, valley, real)
