"""Our side: the compiled step of the engine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.workloads import LR, Workload
from d2l_core import nn, optim, xp
from d2l_core.autodiff import compiled, value_and_grad
from d2l_core.nn.functional import cross_entropy

Run = Callable[[int], list[float]]


def prepare(workload: Workload, batches: list[tuple[np.ndarray, np.ndarray]]) -> tuple[dict[str, np.ndarray], Run]:
    """The initial weights by path, and a function that takes some steps and returns their losses."""
    tensors = [(xp.asarray(X), xp.asarray(y)) for X, y in batches]
    model: nn.Module = workload.model().initialise(tensors[0][0], seed=0)
    weights = model.state_dict()
    optimiser = optim.SGD(model, LR)
    gradient_of = value_and_grad(lambda X, y: cross_entropy(model(X), y), model)

    def step(X, y):  # type: ignore[no-untyped-def]
        value, gradients = gradient_of(X, y)
        optimiser.update(gradients)
        return value

    train = compiled(step, list(model.variables().values()))

    def run(steps: int) -> list[float]:
        losses = [train(*tensors[i % len(tensors)]) for i in range(steps)]
        return xp.to_numpy(xp.stack(losses)).tolist()

    return weights, run
