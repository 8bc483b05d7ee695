"""Jobs: the training runs of a lesson, described so that the lesson, the command line and a comparison run the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from d2l_core.errors import UsageError
from d2l_core.lessons._header import SCALES
from d2l_core.nn import Module
from d2l_core.optim import OptimiserFactory
from d2l_core.training import Data, History, Trainer
from d2l_core.training._trainer import Derived, Loss


@dataclass(frozen=True)
class Run:
    """A finished job: the trained model, the data it saw and the course of the training."""

    model: Module
    data: Data
    history: History


@dataclass(frozen=True)
class Job:
    """One training run.

    Attributes:
        model: makes the untrained model.
        data: makes the loaders for a scale and a seed.
        loss: of output and target, a mean over the batch.
        optimiser: makes the optimiser for an initialised model.
        epochs: by scale.
        metrics: further means over a batch.
        derived: numbers computed from the record of an epoch.
        clip_norm: limit of the joint norm of the gradients.
        headline: the metric that sums the run up.
    """

    model: Callable[[], Module]
    data: Callable[[str, int], Data]
    loss: Loss
    optimiser: OptimiserFactory
    epochs: Mapping[str, int]
    metrics: Mapping[str, Loss] = field(default_factory=dict)
    derived: Mapping[str, Derived] = field(default_factory=dict)
    clip_norm: float | None = None
    headline: str = "val_loss"

    def run(self, scale: str | None = None, seed: int = 0, **trainer: Any) -> Run:
        """Train on the active backend.

        Args:
            scale: ``smoke``, ``standard`` or ``full``; ``D2L_SCALE`` or ``standard`` if None.
            seed: of initial values, shuffling and dropout.
            trainer: further arguments of `d2l_core.training.Trainer`; ``epochs`` overrides the scale's.

        Raises:
            UsageError: there is no such scale.
        """
        scale = checked_scale(scale or os.environ.get("D2L_SCALE") or "standard")
        settings = {"epochs": self.epochs[scale], "seed": seed, "clip_norm": self.clip_norm} | trainer
        model, data = self.model(), self.data(scale, seed)
        history = Trainer(**settings).fit(
            model,
            data,
            loss=self.loss,
            optimiser=self.optimiser,
            metrics=self.metrics,
            derived=self.derived,
        )
        return Run(model, data, history)


def checked_scale(scale: str) -> str:
    """`scale` itself, or a UsageError that lists the known ones."""
    if scale not in SCALES:
        raise UsageError(f"There is no scale {scale!r}; choose one of: {', '.join(SCALES)}.")
    return scale
