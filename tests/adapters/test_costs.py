"""What a step of training costs in Python, counted and not timed: the same on every machine.

A number that rises is a regression that students with small models would feel; lower one here when it falls.
"""

import sys

import d2l_backends
import numpy as np
import pytest
from d2l_conformance.conftest import selected_backends

import d2l_core
from d2l_core import nn, optim, random
from d2l_core.backend import current, use_backend
from d2l_core.data import Loader
from d2l_core.nn.functional import cross_entropy
from d2l_core.training import Data, Observer, Trainer

OURS = tuple(str(folder) for package in (d2l_core, d2l_backends) for folder in package.__path__)

CALLS_A_STEP = {"numpy": 400, "torch": 6, "jax": 0, "tensorflow": 0, "mxnet": 18}
"""Most calls of our own Python functions in a step of a 784-16-10 network with SGD."""


class Network(nn.Sequential):
    """Two affine maps."""

    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(16), nn.ReLU(), nn.Linear(10))


class Counter(Observer):
    """Lets the first epoch pass, in which programs are made, and counts in the second."""

    every = None

    def __init__(self):
        self.calls = self.transfers = 0
        self.pieces = []

    def stepped(self, trainer):
        """Note how far the run is."""
        self.pieces.append(trainer.step)

    def count(self, frame, event, argument):
        """A profile function."""
        self.calls += event == "call" and frame.f_code.co_filename.startswith(OURS)


def epoch_costs(steps: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int]:
    """Calls of ours, transfers to the host and pieces of an epoch of so many steps."""
    X = random.normal((steps * 8, 784), "X").astype(np.float32)
    y = (np.arange(steps * 8) % 10).astype(np.int32)
    counter = Counter()
    trainer = Trainer(1, observers=[counter])
    data = Data(Loader((X, y), 8, shuffle=True), Loader((X[:8], y[:8]), 8))
    trainer.fit(Network(), data, loss=cross_entropy, optimiser=lambda model: optim.SGD(model, 0.1))
    backend, to_numpy = current().backend, current().backend.to_numpy

    def counted(x):
        counter.transfers += 1
        return to_numpy(x)

    monkeypatch.setattr("d2l_core.training._pass.PIECE_SECONDS", 1e9)
    monkeypatch.setitem(vars(backend), "to_numpy", counted)
    counter.pieces.clear()
    sys.setprofile(counter.count)
    try:
        for _ in trainer._training.pieces(1):
            counter.pieces.append(0)
    finally:
        sys.setprofile(None)
        monkeypatch.undo()
    return counter.calls, counter.transfers, len(counter.pieces)


@pytest.mark.parametrize("name", selected_backends())
def test_costs_of_a_step(name, monkeypatch):
    """Calls of ours by the step; and an epoch is one piece with one transfer at its end, however long it is."""
    with use_backend(name):
        (few, *others), (many, *same) = (epoch_costs(steps, monkeypatch) for steps in (10, 30))
    assert (many - few) / 20 <= CALLS_A_STEP[name]
    assert same == others
