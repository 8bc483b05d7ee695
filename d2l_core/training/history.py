"""What happened in a run: one record for each epoch and the loss of every step."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, float]


@dataclass
class History:
    """The course of a training run.

    Attributes:
        epochs: one record for each finished epoch: ``epoch`` (1, 2 ...), ``loss`` (mean over the examples seen in
            training), ``val_loss`` and further ``val_...`` metrics, ``seconds`` of training.
        losses: the training loss of every step so far, in order, as float64.
        first_step_seconds: of the very first step, which includes what the backend compiles.
    """

    epochs: list[Record] = field(default_factory=list)
    losses: array[float] = field(default_factory=lambda: array("d"))
    first_step_seconds: float | None = None

    def final(self, name: str) -> float:
        """A metric after the last epoch.

        Raises:
            KeyError: no epoch is finished or no metric has this name.
        """
        if not self.epochs:
            raise KeyError(f"No epoch is finished yet, so there is no final {name}.")
        return self.epochs[-1][name]

    def column(self, name: str) -> list[float]:
        """A metric over the epochs."""
        return [record[name] for record in self.epochs]

    def to_json(self) -> dict[str, Any]:
        """A dict of plain numbers; floats survive exactly."""
        return {"epochs": self.epochs, "losses": self.losses.tolist(), "first_step_seconds": self.first_step_seconds}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> History:
        """The inverse of `to_json`."""
        return cls(list(data["epochs"]), array("d", data["losses"]), data["first_step_seconds"])

    def __repr__(self) -> str:
        last = json.dumps(self.epochs[-1]) if self.epochs else "no epoch yet"
        return f"History({len(self.epochs)} epochs, {len(self.losses)} steps; {last})"

    def plot(self, *names: str) -> Any:
        """Curves of the named metrics over the epochs (all losses and metrics by default), as a matplotlib figure."""
        from d2l_core.training._plot import plot_history

        return plot_history(self, names)
