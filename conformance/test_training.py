"""Whole training runs: every backend walks the path that the reference walks, in every family and every lesson."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
from d2l_conformance import course
from d2l_conformance.bisect import first_parting
from d2l_conformance.case import Array
from d2l_conformance.course import REFERENCE
from d2l_conformance.families import FAMILIES, Family
from d2l_conformance.references import References

from d2l_core import nn, optim
from d2l_core.backend import Backend, use_backend
from d2l_core.lessons import find_lesson, lessons
from d2l_core.optim import schedules
from d2l_core.training import Observer, Trainer

EVERY_FAMILY = pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))


def test_families_use_every_optimiser_and_schedule() -> None:
    """What no family uses would be compared one step at a time only."""
    made = [optimiser for family in FAMILIES.values() for optimiser in course.Course(family).optimisers]
    offered = {
        value for value in vars(optim).values() if isinstance(value, type) and issubclass(value, optim.Optimiser)
    }
    assert {type(optimiser) for optimiser in made} == offered - {optim.Optimiser}
    scheduled = {type(optimiser.lr) for optimiser in made if callable(optimiser.lr)}
    assert scheduled >= {
        value
        for value in vars(schedules).values()
        if getattr(value, "__module__", "") == schedules.__name__ and isinstance(value, type)
    }


@EVERY_FAMILY
def test_family_takes_the_same_path(family: Family, backend: Backend, precision: int, references: References) -> None:
    """Step by step, the losses on this backend are those of the reference; on the reference, to the bit."""
    run = functools.partial(course.losses, family)
    found = run()
    assert found[-len(found) // 4 :, 0].mean() != pytest.approx(found[: len(found) // 4, 0].mean(), rel=1e-3)
    if backend.name == REFERENCE:
        np.testing.assert_array_equal(found, references.losses(family.name, run, precision))
        return
    step = references.first_outside(found, family.name, run, precision)
    assert step is None, explanation(family, family, step)


def explanation(family: Family, suspect: Family, step: int) -> str:
    """Where a run on the active backend parts from the reference."""
    parting = first_parting(family, course.Course(suspect), step + 1)
    cause = parting or "each step agrees where it begins with the reference's state, so that rounding adds up"
    return f"{family.name} leaves the budget at loss {step}: {cause}"


def test_a_run_that_parts_is_explained(references: References) -> None:
    """The message of the test above, for a run in which a layer has another epsilon."""
    family = FAMILIES["convolutional network"]
    suspect = replace(family, model=lambda: family.model().replace("1", nn.BatchNorm(eps=1e-3)))
    with use_backend(REFERENCE, precision=32):
        step = references.first_outside(
            course.losses(suspect), family.name, functools.partial(course.losses, family), 32
        )
        assert step == 0
        found, sound = explanation(family, suspect, step), explanation(family, family, step)
    assert "at loss 0: step 0: the value of the output of 1 is 3.3e-03 off (budget" in found
    assert found.endswith("first in forward order")
    assert sound.endswith("so that rounding adds up")


class Nudge(Observer):
    """Moves each weight of a lesson by one unit in the last place before each step, by the stream of a number."""

    def __init__(self, run: int) -> None:
        self.run = run

    def started(self, trainer: Trainer) -> None:
        course.nudge(trainer.model, self.run, 0)

    def stepped(self, trainer: Trainer) -> None:
        course.nudge(trainer.model, self.run, trainer.step)


def lesson_losses(lesson: str, nudge: int) -> Array:
    """The loss of every step of a lesson's main job at smoke scale on the active backend."""
    _, job = find_lesson(lesson).job()
    return np.asarray(job.run("smoke", 0, observers=[Nudge(nudge)] if nudge else []).history.losses)


@pytest.mark.parametrize("lesson", [name for name, lesson in lessons().items() if lesson.header.main])
def test_lesson_takes_the_same_path(lesson: str, backend: Backend, precision: int, references: References) -> None:
    """Step by step, the loss on this backend is the loss on the reference."""
    run = functools.partial(lesson_losses, lesson)
    step = references.first_outside(run(0), lesson, run, precision)
    assert step is None, f"{lesson} leaves the budget at step {step}"
