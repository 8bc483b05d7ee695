"""A fault put in on purpose is named: its step, its layer, and whether value, gradient or update parts first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from d2l_conformance.bisect import first_parting
from d2l_conformance.course import REFERENCE, Course
from d2l_conformance.families import FAMILIES, Family

from d2l_core import composites, nn, optim
from d2l_core import interface as xp
from d2l_core.backend import Backend, use_backend
from d2l_core.interface import Tensor
from d2l_core.optim import schedules

PERCEPTRON, CONVOLUTIONAL = FAMILIES["perceptron with dropout"], FAMILIES["convolutional network"]


class LateDropout(nn.Dropout):
    """Wrong by a tenth of a percent from the call number 3 on, compiled or not."""

    def forward(self, x: Tensor) -> Tensor:
        late = xp.astype(xp.reshape(self.calls, ()) >= 3, x.dtype)
        return super().forward(x) * (1.0 + 1e-3 * late)


class Blind(nn.Linear):
    """Keeps the gradient from its weight."""

    def forward(self, x: Tensor) -> Tensor:
        return composites.linear(x, xp.stop_gradient(self.weight), self.bias if self.has_bias else None)


class Deaf(nn.Linear):
    """Lets no gradient through."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(xp.stop_gradient(x))


class Uncorrected(optim.Adam):
    """Has its bias corrections move at the wrong pace."""

    def before_update(self) -> None:
        self.progress.value = 0.9 * self.progress.value + 0.1


class WrongEpsilon(optim.Adam):
    """Has epsilon under the root."""

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        _, first, second = super().rule(parameter, gradient, lr, *slots)
        progress = self.progress.value
        return parameter - lr / progress[0] * first / xp.sqrt(second / progress[1] + 1e-6), first, second


def with_layer(family: Family, path: str, layer: Callable[[], nn.Module]) -> Family:
    """The family with another layer at a path."""
    return replace(family, model=lambda: family.model().replace(path, layer()))


def with_optimiser(family: Family, optimiser: optim.OptimiserFactory) -> Family:
    """The family with another optimiser in its first turn."""
    return replace(family, turns=(replace(family.turns[0], optimiser=optimiser), *family.turns[1:]))


RATE = CONVOLUTIONAL.turns[0].optimiser(nn.Linear(1, 1).initialise()).lr

FAULTS: dict[str, tuple[Family, Family, tuple[int, str, str]]] = {
    "epsilon of a normalisation": (
        CONVOLUTIONAL, with_layer(CONVOLUTIONAL, "1", lambda: nn.BatchNorm(eps=2e-5)),
        (0, "value", "the output of 1"),
    ),
    "momentum of a normalisation": (
        CONVOLUTIONAL, with_layer(CONVOLUTIONAL, "1", lambda: nn.BatchNorm(momentum=0.11)),
        (0, "value", "model/1.running_mean"),
    ),
    "a value from a later step on": (
        PERCEPTRON, with_layer(PERCEPTRON, "2", lambda: LateDropout(0.5)), (3, "value", "the output of 2"),
    ),
    "no gradient of a weight": (
        PERCEPTRON, with_layer(PERCEPTRON, "3", lambda: Blind(16)), (0, "gradient", "3.weight"),
    ),
    "no gradient through a layer": (
        PERCEPTRON, with_layer(PERCEPTRON, "3", lambda: Deaf(16)), (0, "gradient", "the input of 3"),
    ),
    "bias correction": (
        CONVOLUTIONAL, with_optimiser(CONVOLUTIONAL, lambda m: Uncorrected(m, RATE)),
        (0, "update", "optimiser0/progress"),
    ),
    "epsilon of an optimiser": (
        CONVOLUTIONAL, with_optimiser(CONVOLUTIONAL, lambda m: WrongEpsilon(m, RATE)),
        (0, "update", "model/0.weight"),
    ),
    "a rate from a later step on": (
        PERCEPTRON, with_optimiser(PERCEPTRON, lambda m: optim.SGD(
            m, schedules.MultiStep(0.1, 0.9, (4,)), momentum=0.9, weight_decay=1e-3,
            groups=[optim.Group(optim.biases_and_norms, weight_decay=0.0, lr_scale=2.0)])),
        (4, "update", "model/0.weight"),
    ),
    "the discriminator's turn": (
        FAMILIES["adversarial pair"],
        with_layer(FAMILIES["adversarial pair"], "discriminator.2", lambda: Blind(1)),
        (0, "gradient", "discriminator.2.weight"),
    ),
    "one module called in a loop": (
        FAMILIES["attention between sequences"],
        with_layer(FAMILIES["attention between sequences"], "attention.key", lambda: Blind(8, bias=False)),
        (0, "gradient", "attention.key.weight"),
    ),
}  # fmt: skip


@pytest.fixture(params=[32, 64])
def width(request: pytest.FixtureRequest) -> Iterator[int]:
    """Both precisions of the reference."""
    with use_backend(REFERENCE, precision=request.param):
        yield request.param


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_fault_is_named(fault: str, width: int) -> None:
    """Step, stage and place, at both precisions."""
    family, faulty, expected = FAULTS[fault]
    parting = first_parting(family, Course(faulty), 6)
    assert parting is not None
    assert (parting.step, parting.stage, parting.place) == expected
    assert parting.error > parting.budget
    assert str(parting).startswith(f"step {expected[0]}: ")


def test_a_fault_of_compilation_is_named(width: int) -> None:
    """What parts only in compiled code is said to."""
    suspect = Course(PERCEPTRON)
    honest = suspect.take

    def take(step: int) -> list[float]:
        losses = honest(step)
        suspect.variables["model/3.bias"].value = suspect.variables["model/3.bias"].value * 1.001
        return losses

    suspect.take = take  # type: ignore[method-assign]
    parting = first_parting(PERCEPTRON, suspect, 3)
    assert parting is not None
    assert (parting.stage, parting.place) == ("compiled", "model/3.bias")


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_the_reference_agrees_with_itself(family: Family, width: int) -> None:
    """No parting where there is none."""
    assert first_parting(family, Course(family), 2) is None


def test_a_backend_agrees_until_a_fault_is_put_in(backend: Backend) -> None:
    """On every backend: nothing is found in sound steps, and a gradient that is missing is."""
    small = replace(PERCEPTRON, model=lambda: nn.Sequential(nn.Linear(5), nn.Tanh(), nn.Linear(4)))
    assert first_parting(small, Course(small), 3) is None
    parting = first_parting(small, Course(with_layer(small, "2", lambda: Blind(4))), 3)
    assert parting is not None
    assert (parting.step, parting.stage, parting.place) == (0, "gradient", "2.weight")
    assert "forward agrees; the gradient of 2.weight is 1.0e+00 off" in str(parting)
