"""Where a training run parts from the reference: the first step, the first tensor, and value, gradient or update.

The reference is followed from the first step. At each step a suspect is given the reference's state and takes one
step, compiled as in training. Where what it leaves behind is out of the budget, the step is taken apart as plain code
on both sides, turn by turn, always from the reference's numbers: the outputs of all modules and the buffers that the
forward pass wrote, in forward order; then the gradients in backward order; then the optimiser, fed with the
reference's gradients. The first tensor out of its budget is named.

The budget of a tensor is ten times the drift that the reference itself shows when the numbers it starts from are moved
by one unit in the last place, plus some roundings of its largest element.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from d2l_conformance._watch import Passes, passes
from d2l_conformance.case import REAL, Array
from d2l_conformance.course import REFERENCE, Course, nudge, nudged
from d2l_conformance.families import Family

from d2l_core import interface as xp
from d2l_core.backend import current, use_backend
from d2l_core.compare._divergence import DRIFT_FACTOR, absolute

ROUNDINGS = 32
"""Units of eps, relative to the largest element: a sum of up to a few hundred terms in another order."""

RUNS = (1, 2)
"""The reference is moved twice; the larger drift counts."""

Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Parting:
    """The first tensor that is out of its budget.

    Attributes:
        step: from 0.
        stage: ``value``, ``gradient``, ``update``, or ``compiled`` where plain code agrees.
        place: which tensor.
        error, budget: largest difference from the reference and what was allowed, over the largest element.
    """

    step: int
    stage: str
    place: str
    error: float
    budget: float

    def __str__(self) -> str:
        what, order = {
            "value": ("the value of", ", first in forward order"),
            "gradient": ("forward agrees; the gradient of", ", first in backward order"),
            "update": ("forward and gradients agree; the optimiser's new value of", ""),
            "compiled": ("as plain code all agrees; compiled, the new value of", ""),
        }[self.stage]
        return f"step {self.step}: {what} {self.place} is {self.error:.1e} off (budget {self.budget:.1e}){order}"


def first_parting(family: Family, suspect: Course, steps: int) -> Parting | None:
    """Where a course on the active backend parts from the reference's course of a family.

    Args:
        family: as the reference trains it.
        suspect: its model has the same paths.
        steps: how many are looked at.

    Returns:
        None if each of these steps agrees where it begins with the reference's state: then differences only add up.
    """
    reference = _Reference(family)
    for step in range(steps):
        before = reference.state
        found = _step(suspect, before, step)
        outside = reference.first_outside(found, _step, before, step)
        if outside is not None:
            return _taken_apart(reference, suspect, before, step) or Parting(step, "compiled", *outside)
        reference.state = reference.found
    return None


class _Reference:
    """The reference's course, and what becomes of it when it is moved by rounding errors.

    Attributes:
        state: before the next step.
        found: what was last computed, unmoved.
    """

    def __init__(self, family: Family):
        self.precision = current().precision
        self.course = self._run(Course, family)
        self.state: Arrays = self._run(self.course.state)
        self.found: Any = None

    def _run(self, function: Any, *args: Any) -> Any:
        with use_backend(REFERENCE, precision=self.precision):
            return function(*args)

    def first_outside(self, found: Arrays, compute: Any, *args: Any, part: str = "") -> tuple[str, float, float] | None:
        """Place, error and budget of the first tensor of `found` that is not what ``compute(course, *args)`` gives."""
        self.found = self._run(compute, self.course, *args)
        moved = [self._run(compute, self.course, *args, run) for run in RUNS]
        parts = [getattr(x, part) if part else x for x in (self.found, *moved)]
        return first_outside(found, parts[0], parts[1:], self.precision)


def first_outside(
    found: Arrays, wanted: Arrays, moved: Sequence[Arrays], precision: int
) -> tuple[str, float, float] | None:
    """Place, relative error and relative budget of the first tensor that is farther off than drift and rounding."""
    for place, array in wanted.items():
        size = float(np.max(np.abs(array), initial=0.0)) or 1.0
        drift = max(_distance(other[place], array) for other in moved)
        budget = DRIFT_FACTOR * drift + ROUNDINGS * float(np.finfo(REAL[precision]).eps) * size
        error = _distance(found[place], array) if place in found else np.inf
        if not error <= budget:
            return place, error / size, budget / size
    return None


def _distance(a: Array, b: Array) -> float:
    if a.shape != b.shape:
        return float("inf")
    return float(np.max(absolute(a.astype(np.float64), b.astype(np.float64)), initial=0.0))


# ---------------------------------------------------------------- a step, whole and in parts


def _start(course: Course, before: Arrays, step: int, run: int) -> None:
    course.load(before)
    if run:
        nudge(course.model, run, step)


def _step(course: Course, before: Arrays, step: int, run: int = 0) -> Arrays:
    """Losses and state after a compiled step."""
    _start(course, before, step, run)
    return {"the loss": np.array(course.take(step)), **course.state()}


def _taken_apart(reference: _Reference, suspect: Course, before: Arrays, step: int) -> Parting | None:
    for turn in range(len(reference.course.family.turns)):
        found = _passes(suspect, before, step, turn)
        for stage, part in (("value", "values"), ("gradient", "gradients")):
            outside = reference.first_outside(getattr(found, part), _passes, before, step, turn, part=part)
            if outside is not None:
                return Parting(step, stage, *outside)
        weights = reference.found.weights
        after = {**before, **_buffers(reference.found.values)}
        outside = reference.first_outside(
            _update(suspect, after, weights, step, turn), _update, after, weights, step, turn
        )
        if outside is not None:
            return Parting(step, "update", *outside)
        before = reference.found
    return None


def _passes(course: Course, before: Arrays, step: int, turn: int, run: int = 0) -> Passes:
    """Forward and backward as plain code; the buffers that were written count as values."""
    batch, work = course.batch(step), course.family.turns[turn]
    seen = passes(
        course.model, work.part, lambda: work.loss(course.model, *batch), lambda: _start(course, before, step, run)
    )
    buffers = {path: v for path, v in course.model.variables().items() if not v.trainable}
    seen.values.update({f"model/{path}": xp.to_numpy(v.value) for path, v in buffers.items()})
    return seen


def _buffers(values: Arrays) -> Arrays:
    return {name: x for name, x in values.items() if name.startswith("model/")}


def _update(course: Course, before: Arrays, weights: Arrays, step: int, turn: int, run: int = 0) -> Arrays:
    """State after the optimiser was given some gradients; its own variables first, since the weights follow them."""
    course.load(before)
    gradients = {path: nudged(x, run, step, path) if run else x for path, x in weights.items()}
    rate = course.rates(step)[turn]
    tensors = {path: xp.asarray(x) for path, x in gradients.items()}
    course.update(course.family.turns[turn], course.optimisers[turn], tensors, rate)
    state = course.state()
    return dict(sorted(state.items(), key=lambda entry: entry[0].startswith("model/")))
