"""The training loop, written once for every model and backend."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import numpy.typing as npt

from d2l_core import interface
from d2l_core.autodiff import value_and_grad
from d2l_core.backend import current
from d2l_core.data import Loader
from d2l_core.errors import CheckpointError, TrainingDiverged, UsageError
from d2l_core.interface import Tensor
from d2l_core.nn import Module
from d2l_core.optim import Optimiser, OptimiserFactory, clip_by_norm, clip_by_value
from d2l_core.training._observers import Observer
from d2l_core.training._pass import Pass
from d2l_core.training.checkpoint import Checkpoint
from d2l_core.training.history import History, Record

Loss = Callable[[Any, Any], Tensor]
"""``loss(output, target)`` -> 0-d tensor: the mean over the batch."""

Derived = Callable[[Record], float]


@dataclass(frozen=True)
class Data:
    """A training and a validation loader; each batch is ``(*inputs, target)``."""

    train: Loader
    val: Loader


class Trainer:
    """Trains a model by minimising a loss over minibatches.

    Args:
        epochs: passes over the training data.
        seed: of the initial values and of dropout; the loader has its own stream.
        clip_norm: limit of the joint norm of all gradients.
        clip_value: limit of the size of each element of a gradient, applied before that of the norm.
        checkpoint: file that is written after each epoch, every `checkpoint_seconds`, and when the run is interrupted.
        checkpoint_seconds: how often within an epoch.
        resume: go on from the file `checkpoint`.
        observers: progress bars, early stopping and the like.

    Attributes:
        model, data, optimiser: what is being trained, on what and by what, once `fit` has begun.
        history: the course of the run.
        step: number of steps taken.
        total_steps: number of steps of the whole run.
    """

    def __init__(
        self,
        epochs: int,
        *,
        seed: int = 0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        checkpoint: str | Path | None = None,
        checkpoint_seconds: float = 30.0,
        resume: bool = False,
        observers: Sequence[Observer] = (),
    ):
        if epochs < 1:
            raise UsageError(f"A run has {epochs} epochs; choose at least 1.")
        if resume and checkpoint is None:
            raise UsageError("To resume, name the checkpoint file.")
        self.epochs, self.seed, self.clip_norm, self.clip_value = epochs, seed, clip_norm, clip_value
        self.checkpoint = Path(checkpoint) if checkpoint is not None else None
        self.checkpoint_seconds, self.resume, self.observers = checkpoint_seconds, resume, tuple(observers)
        self.history = History()
        self.step = self.total_steps = 0
        self._stopped = self._interrupted = False

    def stop(self) -> None:
        """End the run after this epoch."""
        self._stopped = True

    def fit(
        self,
        model: Module,
        data: Data,
        *,
        loss: Loss,
        optimiser: OptimiserFactory,
        metrics: Mapping[str, Loss] | None = None,
        derived: Mapping[str, Derived] | None = None,
    ) -> History:
        """Train `model` on ``data.train`` and validate it on ``data.val`` after each epoch.

        Args:
            model: takes the inputs of a batch.
            data: the loaders.
            loss: of the model's output and the target; a mean over the batch.
            optimiser: makes the optimiser for the initialised model.
            metrics: further means over a batch, reported as ``val_<name>``.
            derived: numbers computed from the record of an epoch, such as a perplexity from ``val_loss``.

        Returns:
            The history, also kept in ``self.history``.

        Raises:
            TrainingDiverged: a loss became NaN or infinite; the checkpoint is from before.
            CheckpointError: the checkpoint to resume from does not fit.
            KeyboardInterrupt: after the checkpoint was written.
        """
        self._prepare(model, data, loss, optimiser, metrics or {})
        start_epoch, start_batch = self._restore() if self.resume else (0, 0)
        try:
            with self._catch_interrupt():
                for observer in self.observers:
                    observer.started(self)
                for epoch in range(start_epoch, self.epochs):
                    if self._stopped:
                        break
                    self._run_epoch(epoch, start_batch, derived or {})
                    start_batch = 0
        finally:
            for observer in self.observers:
                observer.ended(self)
        return self.history

    # ------------------------------------------------------------ one epoch

    def _run_epoch(self, epoch: int, start: int, derived: Mapping[str, Derived]) -> None:
        began = time.perf_counter()
        self.model.train()
        saved = time.monotonic()
        batch = start
        for count, losses in self._training.pieces(epoch, start, self._rates(start), self._steps_unwatched):
            if self.step == 0:
                self.history.first_step_seconds = time.perf_counter() - began
            batch += count
            self.step += count
            self._remember(losses)
            for observer in self.observers:
                observer.stepped(self)
            due = self.checkpoint is not None and time.monotonic() - saved > self.checkpoint_seconds
            if self._interrupted or due:
                self._save(epoch, batch)
                saved = time.monotonic()
            if self._interrupted:
                raise KeyboardInterrupt
        seconds = time.perf_counter() - began
        record: Record = {
            "epoch": epoch + 1,
            "loss": self._epoch_loss(),
            **self._validate(),
            "seconds": seconds,
        }
        record |= {name: compute(record) for name, compute in derived.items()}
        self.history.epochs.append(record)
        for observer in self.observers:
            observer.epoch_ended(self, record)
        self._save(epoch + 1, 0)

    def _rates(self, start: int) -> list[float] | None:
        """The learning rate of each step of the epoch that goes on with batch `start`, if it follows a schedule."""
        if not self.optimiser.scheduled:
            return None
        first = self.step - start
        return [self.optimiser.rate(first + i, self.total_steps) for i in range(len(self.data.train))]

    def _steps_unwatched(self) -> int | None:
        """How many steps can be taken before an observer wants to see the state, or a checkpoint is due."""
        watchers = [o for o in self.observers if type(o).stepped is not Observer.stepped and o.every is not None]
        if self.checkpoint is not None and self.checkpoint_seconds == 0:
            return 1
        return min((o.every - self.step % o.every for o in watchers if o.every), default=None)

    def _remember(self, losses: npt.NDArray[Any]) -> None:
        """Add the losses of the last steps to the history, and end the run if one is not finite."""
        values = losses.astype(np.float64)
        first = len(self.history.losses)
        self.history.losses.frombytes(values.tobytes())
        finite = np.isfinite(values)
        if not finite.all():
            bad = int(finite.argmin())
            step = first + bad
            epoch, batch = divmod(step, len(self.data.train))
            kept = f" The state before is in {self.checkpoint}." if self.checkpoint and self.checkpoint.exists() else ""
            raise TrainingDiverged(
                f"The loss became {values[bad]} at batch {batch + 1} of epoch {epoch + 1} (step {step + 1}); "
                f"try a smaller learning rate, gradient clipping or other initial values.{kept}"
            )

    def _epoch_loss(self) -> float:
        """Mean over the examples of the epoch that just ended: batches weigh by their size."""
        sizes = _batch_sizes(self.data.train)
        return float(np.average(self.history.losses[-len(sizes) :], weights=sizes))

    def _validate(self) -> Record:
        self.model.evaluate()
        sizes = _batch_sizes(self.data.val)
        columns = self._validation.whole()
        return {f"val_{name}": float(np.average(x.astype(np.float64), weights=sizes)) for name, x in columns.items()}

    # ------------------------------------------------------------ before the first step

    def _prepare(
        self,
        model: Module,
        data: Data,
        loss: Loss,
        optimiser: OptimiserFactory,
        metrics: Mapping[str, Loss],
    ) -> None:
        inputs = data.train.example()[:-1]
        model.initialise(*inputs, seed=self.seed)
        self.model, self.data, self._metrics = model, data, metrics
        self.optimiser: Optimiser = optimiser(model)
        self.total_steps = self.epochs * len(data.train)
        gradient_of = value_and_grad(lambda *batch: loss(model(*batch[:-1]), batch[-1]), model)

        def train_step(batch: tuple[Tensor, ...], rate: Tensor | None) -> Tensor:
            value, gradients = gradient_of(*batch)
            if self.clip_value is not None:
                gradients = clip_by_value(gradients, self.clip_value)
            if self.clip_norm is not None:
                gradients = clip_by_norm(gradients, self.clip_norm)
            self.optimiser.update(gradients, rate)
            return value

        def eval_step(batch: tuple[Tensor, ...], rate: Tensor | None) -> dict[str, Tensor]:
            output, target = model(*batch[:-1]), batch[-1]
            return {"loss": loss(output, target), **{name: f(output, target) for name, f in metrics.items()}}

        variables = list(model.variables().values())
        self._training = Pass(train_step, [*variables, *self.optimiser.slots.values()], data.train)
        self._validation = Pass(eval_step, variables, data.val)

    # ------------------------------------------------------------ checkpoints and interruption

    def _settings(self) -> dict[str, Any]:
        """What must be the same for a run to be the same run; epochs may differ unless the learning rate knows them."""
        return {
            "seed": self.seed,
            "precision": current().precision,
            "steps_per_epoch": len(self.data.train),
            "clip_norm": self.clip_norm,
            "clip_value": self.clip_value,
            "model": type(self.model).__name__,
            "optimiser": type(self.optimiser).__name__,
            "scheduled_steps": self.total_steps if self.optimiser.scheduled else None,
        }

    def _save(self, epoch: int, batch: int) -> None:
        if self.checkpoint is None:
            return
        state = {
            "epoch": epoch,
            "batch": batch,
            "step": self.step,
            "history": self.history.to_json(),
            "settings": self._settings(),
        }
        slots = {name: interface.to_numpy(v.value) for name, v in self.optimiser.slots.items()}
        Checkpoint(self.model.state_dict(), slots, state).save(self.checkpoint)

    def _restore(self) -> tuple[int, int]:
        assert self.checkpoint is not None
        saved = Checkpoint.load(self.checkpoint)
        for name, here in self._settings().items():
            there = saved.state["settings"].get(name)
            if there != here:
                raise CheckpointError(
                    f"The checkpoint {self.checkpoint} is of another run: {name} is {there} there and {here} here; "
                    f"resume with the same settings or start anew."
                )
        self.model.load_state_dict(saved.model)
        if saved.optimiser.keys() != self.optimiser.slots.keys():
            raise CheckpointError(f"The checkpoint {self.checkpoint} is of another optimiser; start anew.")
        for name, array in saved.optimiser.items():
            self.optimiser.slots[name].assign(array)
        self.history = History.from_json(saved.state["history"])
        self.step = saved.state["step"]
        return saved.state["epoch"], saved.state["batch"]

    @contextmanager
    def _catch_interrupt(self) -> Iterator[None]:
        """Let the first Ctrl-C wait for the end of the step, so that the state it saves is whole."""
        if self.checkpoint is None or threading.current_thread() is not threading.main_thread():
            yield
            return

        def note(signum: int, frame: FrameType | None) -> None:
            self._interrupted = True
            signal.signal(signal.SIGINT, before)

        before = signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def _batch_sizes(loader: Loader) -> list[int]:
    n, size = loader.num_examples, loader.batch_size
    sizes = [size] * (n // size)
    return sizes if loader.drop_last or math.fmod(n, size) == 0 else [*sizes, n % size]
