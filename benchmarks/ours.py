"""Our side: a run of `Trainer.fit` as a user calls it, held up between two epochs."""

from __future__ import annotations

import time
from collections.abc import Callable

from d2l_benchmarks.workloads import Arrays, Workload

from d2l_core.data import Loader
from d2l_core.training import Data, Observer, Trainer
from d2l_core.training.history import Record

STREAM = (0, "shuffle")
MOST_EPOCHS = 10**9

Turn = Callable[[float, float, list[float]], bool]
"""Called after each epoch with the seconds until the first one began (on the clock of `time.perf_counter`), the
seconds of this one and its losses; false ends the run."""


class _Steering(Observer):
    def __init__(self, turn: Turn):
        self.turn, self.began, self.seen = turn, 0.0, 0

    def started(self, trainer: Trainer) -> None:
        """The first epoch begins."""
        self.began = time.perf_counter()

    def epoch_ended(self, trainer: Trainer, record: Record) -> None:
        """Training and validation are over; only the former is timed."""
        losses = trainer.history.losses[self.seen :].tolist()
        self.seen += len(losses)
        if not self.turn(self.began, record["seconds"], losses):
            trainer.stop()


def loader(workload: Workload, arrays: Arrays) -> Loader:
    """The loader of the training data; its `order` tells a twin which example comes when."""
    return Loader(arrays, workload.batch, shuffle=True, stream=STREAM)


def train(workload: Workload, arrays: Arrays, turn: Turn) -> None:
    """Train on the active backend until `turn` says that it is enough; one batch is held out for validation."""
    held_out = Loader([array[: workload.batch] for array in arrays], workload.batch)
    trainer = Trainer(MOST_EPOCHS, seed=0, clip_norm=workload.clip_norm, observers=[_Steering(turn)])
    data = Data(loader(workload, arrays), held_out)
    trainer.fit(workload.model(), data, loss=workload.loss, optimiser=workload.optimiser)
