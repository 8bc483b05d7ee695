"""A family in training on the active backend, one step at a time, compiled or as plain code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from d2l_conformance.case import Array
from d2l_conformance.families import STEPS, Family, Turn

from d2l_core import interface as xp
from d2l_core import nn, random
from d2l_core.autodiff import compiled, value_and_grad
from d2l_core.backend import current, use_backend
from d2l_core.interface import Tensor
from d2l_core.nn import Variable
from d2l_core.optim import Optimiser, clip_by_norm

REFERENCE = "numpy"
"""The backend that all others are held against; shapes are learned there, too, where nothing has to be compiled."""


class Course:
    """A model of a family on the active backend with its optimisers, before the first step.

    Attributes:
        model: initialised with seed 0, in training mode.
        optimisers: one for each turn.
        variables: all state by name: ``model/<path>`` and ``optimiser<turn>/<slot>``.
    """

    def __init__(self, family: Family):
        self.family = family
        self.model = _initialised(family)
        self.optimisers: list[Optimiser] = [turn.optimiser(self.model.get(turn.part)) for turn in family.turns]
        self.variables: dict[str, Variable] = {f"model/{path}": v for path, v in self.model.variables().items()}
        for turn, optimiser in enumerate(self.optimisers):
            self.variables |= {f"optimiser{turn}/{slot}": v for slot, v in optimiser.slots.items()}
        self._arrays = family.data()
        self._compiled = compiled(self._turns, list(self.variables.values()))

    # ------------------------------------------------------------ steps

    def batch(self, step: int) -> tuple[Tensor, ...]:
        """The tensors of a step."""
        return tuple(xp.asarray(array[self.family.rows(step)]) for array in self._arrays)

    def rates(self, step: int) -> list[Tensor]:
        """The learning rate of each turn."""
        return [xp.full((), optimiser.rate(step, STEPS)) for optimiser in self.optimisers]

    def take(self, step: int) -> list[float]:
        """Take a step, compiled; the loss of each turn."""
        return [float(xp.to_numpy(loss)) for loss in self._compiled(self.rates(step), *self.batch(step))]

    def _turns(self, rates: list[Tensor], *batch: Tensor) -> list[Tensor]:
        losses = []
        for turn, optimiser, rate in zip(self.family.turns, self.optimisers, rates, strict=True):
            loss, gradients = value_and_grad(turn.loss, self.model.get(turn.part))(self.model, *batch)
            self.update(turn, optimiser, gradients, rate)
            losses.append(loss)
        return losses

    def update(self, turn: Turn, optimiser: Optimiser, gradients: dict[str, Tensor], rate: Tensor) -> None:
        """What follows once the gradients of a turn are known."""
        optimiser.update(gradients if turn.clip_norm is None else clip_by_norm(gradients, turn.clip_norm), rate)

    # ------------------------------------------------------------ state

    def state(self) -> dict[str, Array]:
        """NumPy copies of all variables."""
        return {name: xp.to_numpy(variable.value) for name, variable in self.variables.items()}

    def load(self, state: Mapping[str, Array]) -> None:
        """Take the state of another course of the same family."""
        for name, variable in self.variables.items():
            variable.assign(state[name])


def _initialised(family: Family) -> nn.Module:
    """The family's model with its first values; shapes are learned on the reference."""
    precision = current().precision
    with use_backend(REFERENCE, precision=precision):
        model = family.model().initialise(seed=0).evaluate()
        batch = [xp.asarray(array[family.rows(0)]) for array in family.data()]
        for turn in family.turns:
            turn.loss(model, *batch)
        state = model.state_dict()
    for path, variable in model.variables().items():
        variable.value = xp.asarray(state[path])
    return model.train()


def nudge(model: nn.Module, run: int, step: int) -> None:
    """Move each weight to the next number of its dtype, up or down by the random stream of a run."""
    for path, parameter in model.parameters().items():
        parameter.assign(nudged(xp.to_numpy(parameter.value), run, step, path))


def nudged(values: Array, *key: int | str) -> Array:
    """Each float replaced by its neighbour above or below; zeros stay, whose neighbours are no rounding errors."""
    up = random.uniform(values.shape, "nudge", *key) < 0.5
    moved = np.nextafter(values, np.where(up, np.inf, -np.inf).astype(values.dtype))
    return np.where(values == 0, values, moved)


# ---------------------------------------------------------------- whole runs


def losses(family: Family, moved: int = 0, steps: int = STEPS) -> Array:
    """The losses (steps, turns) of a run on the active backend.

    Args:
        family: what is trained.
        moved: if not 0, all weights move by one unit in the last place before each step, by the stream of this number.
        steps: how many.
    """
    course = Course(family)
    found = []
    for step in range(steps):
        if moved:
            nudge(course.model, moved, step)
        found.append(course.take(step))
    return np.array(found)


def fingerprint(family: Family, steps: int) -> str:
    """SHA-256 of all losses and of what all variables hold after some steps on the active backend."""
    course, sha = Course(family), hashlib.sha256()
    for step in range(steps):
        sha.update(np.array(course.take(step)).tobytes())
    for name, array in course.state().items():
        sha.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()
