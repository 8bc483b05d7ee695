"""A training run that is broken off on one backend and goes on on another, by its checkpoint alone."""

from __future__ import annotations

import functools
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from d2l_conformance import bisect
from d2l_conformance.case import Array
from d2l_conformance.course import REFERENCE, nudge
from d2l_conformance.families import FAMILIES
from d2l_conformance.references import first_outside

from d2l_core import interface as xp
from d2l_core import nn, optim
from d2l_core.backend import use_backend
from d2l_core.data import Loader
from d2l_core.nn.functional import cross_entropy
from d2l_core.training import Checkpoint, Data, Observer, Trainer

EPOCHS, BATCH, BROKEN_AT = 2, 8, 6
"""Two epochs of four steps; the sixth step is the last one that is saved."""

OPTIMISERS: dict[int, optim.OptimiserFactory] = {
    32: lambda model: optim.Adam(model, optim.schedules.Cosine(0.01, warmup=2)),
    64: lambda model: optim.SGD(model, 0.05, momentum=0.9, weight_decay=1e-3),
}
"""By precision, so that both kinds of state travel without doubling the runs."""


def network() -> nn.Module:
    """A convolutional network with all kinds of state: weights, running statistics, the counter of a dropout."""
    return nn.Sequential(
        nn.Conv2d(4, 3, bias=False), nn.BatchNorm(), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(4),
    )  # fmt: skip


def data() -> Data:
    """Small images, shuffled for training."""
    images, labels = FAMILIES["convolutional network"].data()
    train = Loader((images[:32], labels[:32]), BATCH, shuffle=True, stream=(3, "shuffle"))
    return Data(train, Loader((images[32:], labels[32:]), 32))


class _PowerCutError(Exception):
    """Ends a run as a crash would."""


class _Break(Observer):
    def stepped(self, trainer: Trainer) -> None:
        if trainer.step > BROKEN_AT:
            raise _PowerCutError


@dataclass
class Resumed(Observer):
    """What a resumed run starts from and what becomes of it.

    Attributes:
        moved: if not 0, all weights move by one unit in the last place before each step, by the stream of this number.
        state: variables of the model as loaded.
        slots: variables of the optimiser as loaded.
        predictions: of the validation data, before the first further step.
        losses: all of the run, those from before the break first.
    """

    moved: int = 0

    def __post_init__(self) -> None:
        self.state: dict[str, Array] = {}
        self.slots: dict[str, Array] = {}
        self.predictions = self.losses = np.zeros(0)

    def started(self, trainer: Trainer) -> None:
        self.state = trainer.model.state_dict()
        self.slots = {name: xp.to_numpy(slot.value) for name, slot in trainer.optimiser.slots.items()}
        self.stepped(trainer)
        (images, _), *_ = trainer.data.val.epoch(0)
        self.predictions = xp.to_numpy(trainer.model.evaluate()(images))

    def stepped(self, trainer: Trainer) -> None:
        if self.moved:
            nudge(trainer.model, self.moved, trainer.step)

    def ended(self, trainer: Trainer) -> None:
        self.losses = np.array(trainer.history.losses)


def begin(path: Path, precision: int) -> None:
    """Train on the active backend until the run breaks off; its last checkpoint is `path`."""
    trainer = Trainer(EPOCHS, seed=3, checkpoint=path, checkpoint_seconds=0.0, observers=[_Break()])
    try:
        trainer.fit(network(), data(), loss=cross_entropy, optimiser=OPTIMISERS[precision])
    except _PowerCutError:
        return
    raise AssertionError("The run was to break off.")


def go_on(path: Path, precision: int, moved: int = 0) -> Resumed:
    """Resume from `path`, which stays as it is, on the active backend."""
    seen = Resumed(moved)
    with tempfile.TemporaryDirectory() as folder:
        own = shutil.copyfile(path, Path(folder, "run.safetensors"))
        trainer = Trainer(EPOCHS, seed=3, checkpoint=own, resume=True, observers=[seen])
        trainer.fit(network(), data(), loss=cross_entropy, optimiser=OPTIMISERS[precision])
    return seen


@functools.cache
def _by_reference(path: Path, precision: int, moved: int) -> Resumed:
    with use_backend(REFERENCE, precision=precision):
        return go_on(path, precision, moved)


def check_resumed(path: Path, precision: int) -> None:
    """Go on from `path` on the active backend as the reference does.

    What is read is what was written, to the bit. Predictions keep within the budget of
    `d2l_conformance.bisect.first_outside`, the losses of further steps within that of
    `d2l_conformance.references.first_outside`.
    """
    saved, seen = Checkpoint.load(path), go_on(path, precision)
    for written, read in ((saved.model, seen.state), (saved.optimiser, seen.slots)):
        assert written.keys() == read.keys()
        for name, array in read.items():
            np.testing.assert_array_equal(array, written[name], err_msg=name, strict=True)
    assert seen.losses.shape == (saved.state["step"] + 2,)
    wanted, moved = (_by_reference(path, precision, run) for run in (0, 1))
    predictions = [{"predictions": each.predictions} for each in (seen, wanted, moved)]
    assert bisect.first_outside(*predictions[:2], predictions[2:], precision) is None
    assert first_outside(seen.losses, wanted.losses, [moved.losses] if precision == 32 else []) is None
