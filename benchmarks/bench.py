"""The harness: processes started, their losses compared, turns taken in pairs, and all of it written down.

What `run` returns and ``--json`` writes is an object with these keys. Times are in seconds unless the name says
otherwise.

- ``format``: ``"d2l-bench-1"``; ``date`` (UTC, ISO 8601), ``machine``, ``threads``, ``against`` (``native``, ``keras``
  or ``self``), ``pairs``, ``interrupted``, ``versions`` (of the frameworks, NumPy, Python and d2l-core).
- ``rows``, one for each workload and backend that was measured: ``workload``, ``base`` (its name without parameters),
  ``backend``, ``title`` (the framework's name), ``batch``, ``depth`` (or null), ``steps`` (in an epoch), ``sides``,
  ``best`` (position in ``sides`` of what ours is held against: the other side that is quickest in steady state),
  ``ratio``, ``low``, ``high`` (time of a step, ours over that side's, and its interval of 95 %), ``first_ratio`` (of
  the first step), ``memory_ratio`` (of the peaks; null where the system does not tell).
- ``sides`` of a row, ours first, and last ours with another compiler: ``kind``, ``form``, ``label``, ``turns`` (for one
  epoch, in each turn; turn i of all sides is one round), ``epochs_each`` (epochs in a turn), ``step_us`` (median
  microseconds for a step), ``starts`` (of each process that was started: seconds until the first epoch, and of the
  first epoch) and their medians ``ready`` (import and build) and ``first_epoch``, ``first_step``, ``compile`` (what the
  first epoch took more than others),
  ``peak_bytes``, ``losses`` (of the first epoch), ``difference`` (from our losses, relative), ``break_even``: null, or
  the ``steps`` after which it has made up for its later start ``against`` the label of the other side that starts
  first (``steps`` null: never).
- ``failures``: ``workload``, ``backend`` and the ``sentence`` that says why it, or one of its sides, was not measured.
"""

from __future__ import annotations

import math
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from d2l_benchmarks import _statistics as figures
from d2l_benchmarks._side import AGAINST, KERAS, OURS, Kind, Process, SideFailed, further_forms, other_sides
from d2l_benchmarks.workloads import FIRST_TOLERANCE, WORKLOADS, Workload, workload

import d2l_core
from d2l_core.backend import Adapter, adapters, find_adapter
from d2l_core.compare._worker import machine_class, usable_cores
from d2l_core.errors import BackendError, UsageError

FORMAT = "d2l-bench-1"
TURN_SECONDS = 0.2
ORDERS = 4
SWEEPS = {
    "batch": tuple(f"mlp@batch={2**power}" for power in range(0, 11, 2)),
    "depth": tuple(f"mlp@depth={2**power}" for power in range(5)),
}

Result = dict[str, Any]
Watcher = Callable[[str, int, int], None]
"""Told what is going on, how many rounds of turns are done, and of how many."""


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Attributes:
        against: ``native``, ``keras`` or ``self``.
        pairs: turns of each side.
        warmup: epochs after the first that are not counted.
        starts: processes of each side whose first step is timed.
        threads: of each side; None for all cores.
        compilers: whether ours is also measured with each compiler that the adapter offers; that may take minutes.
        timeout: seconds of silence after which a side counts as hanging.
    """

    against: str = "native"
    pairs: int = 15
    warmup: int = 2
    starts: int = 1
    threads: int | None = None
    compilers: bool = False
    timeout: float = 600.0

    def __post_init__(self) -> None:
        if self.against not in AGAINST:
            raise UsageError(f"There is nothing called {self.against!r} to compare with; choose of: {_words(AGAINST)}.")
        for name, least in (("pairs", 1), ("warmup", 1), ("starts", 1)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} is {getattr(self, name)}; choose at least {least}.")
        if self.threads is not None and not 1 <= self.threads <= usable_cores():
            raise UsageError(f"There are {usable_cores()} cores; choose from 1 to as many threads.")


def run(
    names: Sequence[str] = (),
    backends: Sequence[str] = (),
    settings: Settings | None = None,
    watch: Watcher | None = None,
    keep: Callable[[Result], None] | None = None,
) -> Result:
    """Measure workloads on backends.

    Args:
        names: of workloads; all if empty.
        backends: all installed ones with another side of the kind asked for if empty.
        settings: how to measure.
        watch: told of the progress.
        keep: given all that there is each time a workload is measured, so that a crash loses nothing.

    Returns:
        See the top of this file.

    Raises:
        UsageError: an unknown workload or backend, or one without another side.
        BackendError: a framework that is asked for is not installed.
    """
    settings, watch = settings or Settings(), watch or (lambda what, done, total: None)
    keep = keep or (lambda result: None)
    chosen = [workload(name) for name in names or WORKLOADS]
    found = choose_backends(backends, settings.against)
    result = _frame(found, settings)
    progress = _Progress(watch, len(found) * len(chosen) * settings.pairs)
    try:
        for adapter in found:
            _Cell(chosen[0], adapter, settings, progress).read_files_once()
            for each in chosen:
                _Cell(each, adapter, settings, progress).measure(result)
                progress.cell_done(settings.pairs)
                keep(result)
    except KeyboardInterrupt:
        result["interrupted"] = True
    return result


class _Progress:
    """How many rounds of turns are done."""

    def __init__(self, watch: Watcher, total: int):
        self.watch, self.total, self.before = watch, total, 0

    def tell(self, what: str, rounds: int = 0) -> None:
        """What is going on, and the rounds that are done of this cell."""
        self.watch(what, self.before + rounds, self.total)

    def cell_done(self, rounds: int) -> None:
        """The cell is over, measured or not."""
        self.before += rounds


def sweep(names: Sequence[str]) -> list[str]:
    """The workloads of the sweeps `batch` and `depth`: multilayer perceptrons of several sizes.

    Raises:
        UsageError: there is no such sweep.
    """
    for name in names:
        if name not in SWEEPS:
            raise UsageError(f"There is no sweep {name!r}; choose of: {_words(list(SWEEPS))}.")
    return [each for name in dict.fromkeys(names) for each in SWEEPS[name]]


def choose_backends(names: Sequence[str], against: str) -> list[Adapter]:
    """The adapters to measure; see `run`."""
    if against == KERAS and not _installed("keras"):
        raise UsageError("Keras is not installed here; install with: pip install keras")
    if not names:
        found = [a for a in adapters().values() if not a.missing() and other_sides(a.name, against)]
        if not found:
            raise UsageError(f"No installed backend has anything to be compared with as {against!r}; install one.")
        return found
    found = [find_adapter(name) for name in dict.fromkeys(names)]
    for adapter in found:
        if absent := adapter.missing():
            raise BackendError(
                f"{adapter.title} is not installed here ({_words(absent)}); install with: {adapter.install}"
            )
        if not other_sides(adapter.name, against):
            offers = [kind for kind in AGAINST if other_sides(adapter.name, kind)]
            raise UsageError(f"There is no {against!r} side for {adapter.name}; compare it with: {_words(offers)}.")
    return found


def _installed(module: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(module) is not None


def _words(names: Sequence[str]) -> str:
    return ", ".join(names)


def _frame(found: Sequence[Adapter], settings: Settings) -> Result:
    versions = {adapter.title: adapter.version() or "" for adapter in found}
    if settings.against == KERAS:
        from importlib.metadata import version

        versions["Keras"] = version("keras")
    versions |= {"NumPy": np.__version__, "Python": platform.python_version(), "d2l-core": d2l_core.__version__}
    return {
        "format": FORMAT,
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine_class(),
        "threads": settings.threads or usable_cores(),
        "against": settings.against,
        "pairs": settings.pairs,
        "interrupted": False,
        "versions": versions,
        "rows": [],
        "failures": [],
    }


# ---------------------------------------------------------------- one workload on one backend


class _Cell:
    """The measurement of one workload on one backend."""

    def __init__(self, work: Workload, adapter: Adapter, settings: Settings, progress: _Progress):
        self.work, self.adapter, self.settings, self.tell = work, adapter, settings, progress.tell
        self.others = other_sides(adapter.name, settings.against)
        self.forms = further_forms(adapter, settings.against) if settings.compilers else []
        self.where = f"{work.name} on {adapter.name}"

    def read_files_once(self) -> None:
        """Import both sides once, so that no side pays for reading a framework's files from the disk."""
        with tempfile.TemporaryDirectory() as name, self._processes(Path(name)) as start:
            for side in (OURS, *self.others[:1]):
                self.tell(f"{self.adapter.name}: reading files")
                with _failures_kept([], self.work.name, self.adapter.name):  # they fail again where it counts
                    start(side).kill()

    def measure(self, result: Result) -> None:
        """Add a row to the result, or the reason why there is none."""
        keep = partial(_failures_kept, result["failures"], self.work.name, self.adapter.name)
        with tempfile.TemporaryDirectory() as name, self._processes(Path(name)) as start, keep():
            ours = self._started(start, OURS)
            others = []
            for side in (*self.others, *self.forms):
                with keep():
                    other = self._started(start, side)
                    self._same_mathematics(ours, other)
                    others.append(other)
            if any(other.side.kind != OURS.kind for other in others):
                self._take_turns([ours, *others])
                self._start_again(start, [ours, *others])
                result["rows"].append(self._row([ours, *others]))

    @contextmanager
    def _processes(self, folder: Path) -> Iterator[Callable[[Kind], Process]]:
        from d2l_benchmarks.ours import loader

        arrays = self.work.arrays()
        for i, array in enumerate(arrays):
            np.save(folder / f"array{i}.npy", array)
        np.savez(folder / "weights.npz", **self.work.weights())
        data = loader(self.work, arrays)
        np.save(folder / "orders.npy", np.stack([data.order(epoch) for epoch in range(ORDERS)]))
        threads = self.settings.threads or usable_cores()
        with ExitStack() as open_ones:

            def start(side: Kind) -> Process:
                process = Process(side, self.work.name, folder, self.settings.timeout)
                open_ones.callback(process.kill)
                process.start(self.adapter, self.work.twin, self.work.batch, threads)
                return process

            yield start

    def _started(self, start: Callable[[Kind], Process], side: Kind) -> Process:
        self.tell(f"{self.where}: first epoch, {side.label}")
        return start(side)

    def _same_mathematics(self, ours: Process, other: Process) -> None:
        """Refuse to time two sides that do not compute the same."""
        mine, theirs = ours.first["losses"], other.first["losses"]
        other.first["difference"] = figures.loss_difference(mine, theirs)
        checks = [("in the first epoch", mine, theirs, self.work.tolerance)]
        if len(theirs) == len(mine):
            checks.insert(0, ("before the first update", mine[:1], theirs[:1], FIRST_TOLERANCE))
        for when, a, b, limit in checks:
            if not figures.loss_difference(a, b) <= limit:
                raise SideFailed(
                    f"The losses of {self.where} and of the side {other.side.label!r} differ by "
                    f"{figures.loss_difference(a, b):.1e} (relative) {when}, more than {limit:g}; "
                    f"they do not compute the same, so they are not compared."
                )

    def _take_turns(self, sides: list[Process]) -> None:
        for side in sides:
            self.tell(f"{self.where}: warm-up, {side.side.label}")
            seconds = [side.turn(1) for _ in range(self.settings.warmup)]
            side.epochs_each = max(1, math.ceil(TURN_SECONDS / max(seconds[-1], 1e-6)))
        for i in range(self.settings.pairs):
            for side in sides if i % 2 == 0 else reversed(sides):
                side.turns.append(side.turn(side.epochs_each))
            self.tell(f"{self.where}: round {i + 1}", i + 1)

    def _start_again(self, start: Callable[[Kind], Process], sides: list[Process]) -> None:
        """Start more processes of each side, in turns, for nothing but their first epoch."""
        for i in range(self.settings.starts - 1):
            for side in sides if i % 2 else reversed(sides):
                again = self._started(start, side.side)
                again.kill()
                side.later_starts.append(again.first)

    def _row(self, sides: list[Process]) -> dict[str, Any]:
        entries = [self._side_entry(side) for side in sides]
        ours, others = entries[0], [entry for entry in entries if entry["kind"] != OURS.kind]
        soonest = min(others, key=lambda entry: entry["first_step"])
        for entry in entries:
            entry["break_even"] = None if entry is soonest else self._break_even(entry, soonest)
        best = min(others, key=lambda entry: entry["step_us"])
        peaks = (ours["peak_bytes"], best["peak_bytes"])
        return {
            "workload": self.work.name,
            "base": self.work.twin,
            "backend": self.adapter.name,
            "title": self.adapter.title,
            "batch": self.work.batch,
            "depth": self.work.depth,
            "steps": self.work.steps,
            "sides": entries,
            "best": entries.index(best),
            **figures.paired_ratio(ours["turns"], best["turns"]),
            "first_ratio": ours["first_step"] / best["first_step"],
            "memory_ratio": peaks[0] / peaks[1] if all(peaks) else None,
        }

    def _side_entry(self, process: Process) -> dict[str, Any]:
        last, steps = process.end(), self.work.steps
        epoch = statistics.median(process.turns)
        starts = [(each["ready_seconds"], each["epoch_seconds"]) for each in (process.first, *process.later_starts)]
        ready, first_epoch = (statistics.median(column) for column in zip(*starts, strict=True))
        return {
            "kind": process.side.kind,
            "form": process.side.form,
            "label": process.side.label,
            "turns": process.turns,
            "epochs_each": process.epochs_each,
            "step_us": 1e6 * epoch / steps,
            "starts": starts,
            "ready": ready,
            "first_epoch": first_epoch,
            "first_step": statistics.median(figures.first_step(*each, epoch, steps) for each in starts),
            "compile": max(0.0, first_epoch - epoch),
            "peak_bytes": last["peak_bytes"],
            "losses": process.first["losses"],
            "difference": process.first.get("difference", 0.0),
        }

    @staticmethod
    def _break_even(entry: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        step, other_step = (1e-6 * side["step_us"] for side in (entry, other))
        steps = figures.break_even(entry["first_step"], step, other["first_step"], other_step)
        return {"against": other["label"], "steps": steps}


@contextmanager
def _failures_kept(failures: list[dict[str, str]], work: str, backend: str) -> Iterator[None]:
    """A side that fails is written down, and the rest goes on."""
    try:
        yield
    except SideFailed as error:
        failures.append({"workload": work, "backend": backend, "sentence": str(error)})
