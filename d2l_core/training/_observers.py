"""Those who watch a run: each hook is called by the trainer at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from d2l_core.training._trainer import Trainer
    from d2l_core.training.history import Record


class Observer:
    """Does nothing at any moment; subclasses fill in what they need.

    Attributes:
        every: `stepped` is called after each so many steps, at the least; None for whenever it suits. Many steps in one
            piece are faster, since a backend may compile them as a whole.
    """

    every: int | None = 1

    def started(self, trainer: Trainer) -> None:
        """Before the first step; the trainer knows its totals."""

    def stepped(self, trainer: Trainer) -> None:
        """After one or more steps; ``trainer.step`` says how far the run is."""

    def epoch_ended(self, trainer: Trainer, record: Record) -> None:
        """After validation."""

    def ended(self, trainer: Trainer) -> None:
        """After the last epoch or when the run breaks off."""


class EarlyStopping(Observer):
    """Stop when a metric has not improved for `patience` epochs.

    Args:
        monitor: name of the metric.
        patience: epochs without improvement that are borne.
        larger_is_better: as for an accuracy.
    """

    def __init__(self, monitor: str = "val_loss", patience: int = 3, *, larger_is_better: bool = False):
        self.monitor, self.patience, self.sign = monitor, patience, 1.0 if larger_is_better else -1.0

    def epoch_ended(self, trainer: Trainer, record: Record) -> None:
        """Compare the best of the last epochs with the best before them."""
        values = [self.sign * value for value in trainer.history.column(self.monitor)]
        if len(values) > self.patience and max(values[-self.patience :]) <= max(values[: -self.patience]):
            trainer.stop()


class ProgressBar(Observer):
    """A rich progress bar on standard error with the metrics of the last epoch."""

    every = None

    def __init__(self, label: str = "training"):
        self.label = label
        self._bar: Any = None
        self._task: Any = None

    def started(self, trainer: Trainer) -> None:
        """Draw the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[metrics]}"),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(self.label, total=trainer.total_steps, completed=trainer.step, metrics="")
        self._bar.start()

    def stepped(self, trainer: Trainer) -> None:
        """Move on."""
        self._bar.update(self._task, completed=trainer.step)

    def epoch_ended(self, trainer: Trainer, record: Record) -> None:
        """Show the metrics."""
        shown = " ".join(f"{k} {v:.4g}" for k, v in record.items() if k not in ("epoch", "seconds"))
        self._bar.update(self._task, metrics=shown)

    def ended(self, trainer: Trainer) -> None:
        """Leave the last state on the screen."""
        if self._bar is not None:
            self._bar.stop()
