"""The outcome of a run: a table for people, JSON for programs, and whether the lesson kept its promises."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any

import click

import d2l_core
from d2l_core.backend import Context
from d2l_core.cli._output import print_table
from d2l_core.lessons import Lesson, Promise, Run

# Enough to tell two neighbouring numbers of that width apart.
_DIGITS = {32: 9, 64: 17}


@dataclass(frozen=True)
class Results:
    """Finished jobs of a lesson on one backend."""

    lesson: Lesson
    context: Context
    scale: str
    seed: int
    epochs: int | None
    runs: dict[str, Run]

    def metrics(self, job: str) -> dict[str, float]:
        """The numbers of the last epoch."""
        return {k: v for k, v in self.runs[job].history.epochs[-1].items() if k not in ("epoch", "seconds")}

    def promises(self) -> list[tuple[Promise, float]]:
        """Each promise of this scale on a job that was run, with the value that was reached."""
        made = self.lesson.header.promises[self.scale]
        return [(p, self.runs[p.job].history.final(p.metric)) for p in made if p.job in self.runs]

    def to_json(self) -> dict[str, Any]:
        """Everything: versions, settings, each loss of each step."""
        backend = self.context.backend
        return {
            "lesson": self.lesson.header.name,
            "backend": backend.name,
            "device": self.context.device,
            "precision": self.context.precision,
            "scale": self.scale,
            "seed": self.seed,
            "versions": _versions(backend.adapter.title, backend.adapter.version()),
            "platform": platform.platform(),
            "jobs": {job: {"metrics": self.metrics(job), **run.history.to_json()} for job, run in self.runs.items()},
            "promises": [
                {"promise": str(promise), "value": value, "kept": promise.holds(value)}
                for promise, value in self.promises()
            ],
        }

    def print(self, *, err: bool = False) -> None:
        """The last epoch of each job, and the promises."""
        digits = _DIGITS[self.context.precision]
        names = list(dict.fromkeys(name for job in self.runs for name in self.metrics(job)))
        rows = []
        for job, run in self.runs.items():
            values = self.metrics(job)
            seconds = sum(record["seconds"] for record in run.history.epochs)
            cells = (f"{values[name]:.{digits}g}" if name in values else "-" for name in names)
            rows.append((job, str(len(run.history.epochs)), *cells, f"{seconds:.2f}"))
        print_table(("job", "epochs", *names, "seconds"), rows, err=err)
        for promise, value in self.promises():
            state = "kept" if promise.holds(value) else "NOT kept"
            click.echo(f"Promise {state}: {promise} (reached {value:.{digits}g})", err=err)
        if self.epochs is not None and self.promises():
            click.echo("The promises are meant for the lesson's own number of epochs.", err=err)


def _versions(title: str, version: str | None) -> dict[str, str | None]:
    import numpy

    own = {"d2l-core": d2l_core.__version__, "Python": platform.python_version(), "NumPy": numpy.__version__}
    return own | {title: version}
