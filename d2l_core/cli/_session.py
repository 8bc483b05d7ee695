"""The jobs of one ``d2l run``: where their state is kept, what is said meanwhile, how they are resumed."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from d2l_core._paths import cache_dir
from d2l_core.backend import Context, adapters, current, default_name
from d2l_core.cli._output import Interrupted, folder_problem
from d2l_core.cli._results import Results
from d2l_core.errors import CheckpointError
from d2l_core.lessons import Lesson, Run
from d2l_core.training import Checkpoint, Observer, ProgressBar, Trainer
from d2l_core.training.history import Record

NOT_METRICS = ("epoch", "seconds")


def choose_backend(wanted: str | None) -> tuple[str, str]:
    """The backend of a run and why it is this one."""
    import os

    if wanted:
        return wanted, "--backend"
    name = default_name()
    if os.environ.get("D2L_BACKEND"):
        return name, "D2L_BACKEND"
    # The adapter of the lowest priority needs nothing but what this package brings along.
    return name, "no framework installed" if name == list(adapters())[-1] else "first installed framework"


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line, as far as it is needed to ask for it again."""

    job: str | None
    scale: str
    seed: int
    device: str | None
    epochs: int | None
    json_file: str | None
    checkpoint: Path | None
    resume: bool


@dataclass
class Session:
    """The jobs of a lesson on the active backend, one after the other."""

    lesson: Lesson
    jobs: tuple[str, ...]
    options: Options
    context: Context
    runs: dict[str, Run]
    keeps: bool

    @classmethod
    def start(cls, lesson: Lesson, jobs: tuple[str, ...], options: Options) -> Session:
        """A session on the active backend.

        Raises:
            CheckpointError: there is nothing to resume.
        """
        problem = None if options.checkpoint is not None else folder_problem(_folder())
        if problem:
            click.echo(
                f"Note: the state of this run cannot be kept ({problem}), so a break would lose it; "
                "set D2L_HOME to a folder that you can write.",
                err=True,
            )
        session = cls(lesson, jobs, options, current(), {}, keeps=problem is None)
        if options.resume and not any(session.checkpoint(job).exists() for job in jobs):
            where = options.checkpoint or f"{_folder()} for {', '.join(jobs)}"
            raise CheckpointError(f"There is no unfinished run to resume in {where}; run without --resume.")
        return session

    def title(self) -> str:
        """What is run on what."""
        backend, c = self.context.backend, self.context
        version = backend.adapter.version() or ""
        return (
            f"{self.lesson.header.title} at scale {self.options.scale}, seed {self.options.seed}, "
            f"on {backend.name}: {backend.adapter.title} {version}, {c.device}, {c.precision} bits"
        )

    def run(self) -> None:
        """Train each job, or go on with it.

        Raises:
            Interrupted: after Ctrl-C; the state is kept.
        """
        for job in self.jobs:
            path = self.checkpoint(job)
            resume = self.options.resume and path.exists()
            if not resume:
                self._set_aside(job)
            try:
                self.runs[job] = self._train(job, resume)
            except KeyboardInterrupt:
                raise Interrupted(self._farewell()) from None

    def _train(self, job: str, resume: bool) -> Run:
        settings: dict[str, Any] = {"epochs": self.options.epochs} if self.options.epochs else {}
        if self.keeps:
            settings |= {"checkpoint": self.checkpoint(job), "resume": resume}
        watcher = ProgressBar(job) if sys.stderr.isatty() else EpochLines(job)
        _, described = self.lesson.job(job)
        return described.run(self.options.scale, self.options.seed, observers=[watcher], **settings)

    # ------------------------------------------------------------ files

    def checkpoint(self, job: str) -> Path:
        """Where the state of a job is kept."""
        if self.options.checkpoint is not None:
            return self.options.checkpoint
        o, c = self.options, self.context
        words = (self.lesson.header.name, job, c.backend.name, c.precision, o.scale, o.seed)
        return _folder() / ("-".join(map(str, words)) + ".safetensors")

    def remove_own_checkpoints(self) -> None:
        """After a success: only a file that the user named stays."""
        if self.options.checkpoint is None and self.keeps:
            for job in self.jobs:
                self.checkpoint(job).unlink(missing_ok=True)
                _aside(self.checkpoint(job)).unlink(missing_ok=True)

    def _set_aside(self, job: str) -> None:
        """Keep what an earlier run left, and say how to go on with that one."""
        path = self.checkpoint(job)
        if self.options.checkpoint is not None or not path.exists():
            return
        try:
            state = Checkpoint.load(path).state
        except CheckpointError:
            return  # nothing can go on from a damaged file
        if state["step"] == len(state["history"]["losses"]) and state["batch"] == 0 and self._complete(job, state):
            return
        kept = _aside(path)
        path.replace(kept)
        other = replace(self, jobs=(job,), options=replace(self.options, job=job, checkpoint=kept))
        click.echo(
            f"Note: an unfinished run of {job} ({state['step']} steps) is kept until this one has succeeded; "
            f"to go on with it instead: {other.resume_command()}",
            err=True,
        )

    def _complete(self, job: str, state: dict[str, Any]) -> bool:
        _, described = self.lesson.job(job)
        return bool(state["epoch"] >= (self.options.epochs or described.epochs[self.options.scale]))

    # ------------------------------------------------------------ after Ctrl-C

    def resume_command(self) -> str:
        """The command that goes on from the state on disk."""
        o, c = self.options, self.context
        words: list[object] = ["d2l", "run", self.lesson.header.name]
        pairs = (
            ("--job", o.job),
            ("--backend", c.backend.name),
            ("--scale", o.scale),
            ("--seed", o.seed),
            ("--precision", c.precision),
            ("--device", o.device),
            ("--epochs", o.epochs),
            ("--json", o.json_file),
            ("--checkpoint", o.checkpoint),
        )
        words += [word for option, value in pairs if value is not None for word in (option, value)]
        return shlex.join(map(str, [*words, "--resume"]))

    def _farewell(self) -> str:
        if not any(self.checkpoint(job).exists() for job in self.jobs):
            return "Interrupted before anything could be saved; start the run again."
        return f"Interrupted; everything so far is saved, go on with: {self.resume_command()}"

    def results(self) -> Results:
        """The outcome of the jobs that were run."""
        return Results(self.lesson, self.context, self.options.scale, self.options.seed, self.options.epochs, self.runs)


class EpochLines(Observer):
    """One line on standard error for each epoch, where there is no terminal for a bar."""

    def __init__(self, label: str):
        self.label = label

    def epoch_ended(self, trainer: Trainer, record: Record) -> None:
        """Write the metrics."""
        shown = "  ".join(f"{name} {value:.6g}" for name, value in record.items() if name not in NOT_METRICS)
        epoch = f"epoch {record['epoch']:.0f}/{trainer.epochs}"
        click.echo(f"{self.label}: {epoch}  {shown}  {record['seconds']:.2f} s", err=True)


def _folder() -> Path:
    return cache_dir() / "runs"


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.before{path.suffix}")
