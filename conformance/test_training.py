"""The training runs of the lessons: every backend walks the path that the NumPy backend walks.

In float64 the losses of all steps agree to ten digits. In float32 they are judged by calibration: the gap between two
backends must stay within ten times the drift that the reference shows when its own weights are moved by one unit in
the last place before the first step, plus what rounding alone does to one loss.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from d2l_conformance.case import Array

from d2l_core import interface as xp
from d2l_core import random
from d2l_core.backend import Backend, use_backend
from d2l_core.lessons import find_lesson, lessons
from d2l_core.training import Observer, Trainer

REFERENCE = "numpy"
FACTOR = 10.0
ROUNDING = 32  # units in the last place of a loss that is a mean over a batch


class Nudge(Observer):
    """Moves each weight by one unit in the last place, up or down at random, before the first step."""

    def started(self, trainer: Trainer) -> None:
        for path, parameter in trainer.model.parameters().items():
            values = xp.to_numpy(parameter.value)
            up = random.uniform(values.shape, "nudge", path) < 0.5
            parameter.assign(np.nextafter(values, np.where(up, np.inf, -np.inf).astype(values.dtype)))


def losses(lesson: str, *observers: Observer) -> Array:
    """The loss of every step of a lesson's main job at smoke scale on the active backend."""
    _, job = find_lesson(lesson).job()
    return np.asarray(job.run("smoke", 0, observers=observers).history.losses)


@functools.cache
def reference(lesson: str, precision: int, nudged: bool = False) -> Array:
    """The same on the reference backend."""
    with use_backend(REFERENCE, precision=precision):
        return losses(lesson, *([Nudge()] if nudged else []))


@pytest.mark.parametrize("lesson", list(lessons()))
def test_lesson_takes_the_same_path(lesson: str, backend: Backend, precision: int) -> None:
    """Step by step, the loss on this backend is the loss on the reference."""
    found, wanted = losses(lesson), reference(lesson, precision)
    assert found.shape == wanted.shape
    if precision == 64:
        np.testing.assert_allclose(found, wanted, rtol=1e-10)
        return
    drift = np.abs(reference(lesson, precision, nudged=True) - wanted)
    rounding = ROUNDING * np.finfo(np.float32).eps * np.abs(wanted)
    budget = FACTOR * np.maximum.accumulate(drift) + rounding
    over = np.flatnonzero(np.abs(found - wanted) > budget)
    assert not over.size, f"{lesson} leaves the budget at step {over[0] + 1}: {found[over[0]]} for {wanted[over[0]]}"
