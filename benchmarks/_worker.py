"""One side of a benchmark in a process of its own: ``python -m d2l_benchmarks._worker``.

It speaks with `d2l_benchmarks._side` in lines of JSON. The first line on standard input says what to train; then it
is told a number of epochs at a time, and 0 for the end. It answers with the event ``first`` after the first epoch,
``turn`` after those asked for, ``end``, or ``failed``. Arrays come through files.

A twin is timed in a process that holds nothing of ours, so nothing of the engine is imported before it is known which
side this is.
"""

from __future__ import annotations

import time

BEGAN = time.perf_counter()

import importlib  # noqa: E402 - the imports belong to what is timed
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import traceback  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, TextIO  # noqa: E402

import numpy as np  # noqa: E402

Spec = dict[str, Any]


class Session:
    """The conversation with the harness.

    Args:
        commands: where it asks for epochs.
        answers: where it is told.
    """

    def __init__(self, commands: TextIO, answers: TextIO):
        self.commands, self.answers = commands, answers
        self.asked, self.left, self.seconds = 0, 1, 0.0

    def tell(self, event: str, **content: Any) -> None:
        """Write one event."""
        self.answers.write(json.dumps({"event": event, **content}) + "\n")
        self.answers.flush()

    def turn(self, ready: float, seconds: float, losses: list[float]) -> bool:
        """Take note of one epoch; when it was the last that was asked for, report and wait for what comes next."""
        self.left, self.seconds = self.left - 1, self.seconds + seconds
        if self.left:
            return True
        if self.asked == 0:
            self.tell("first", ready_seconds=ready - BEGAN, epoch_seconds=seconds, losses=losses)
        else:
            self.tell("turn", seconds=self.seconds / self.asked)
        line = self.commands.readline()
        self.asked = self.left = int(line) if line.strip() else 0
        self.seconds = 0.0
        return self.asked > 0


def train_twin(spec: Spec, session: Session) -> None:
    """Train a side that is written by hand."""
    folder = Path(spec["folder"])
    arrays = tuple(np.load(path) for path in sorted(folder.glob("array*.npy")))
    orders = np.load(folder / "orders.npy")
    with np.load(folder / "weights.npz") as stored:
        weights = {path: stored[path] for path in stored.files}
    module = importlib.import_module(spec["module"])
    epoch: Callable[[Any], list[float]] = module.prepare(spec["twin"], spec["form"], weights, arrays, spec["batch"])
    ready = time.perf_counter()
    shuffle = np.random.default_rng(0)
    index, going = 0, True
    while going:
        order = orders[index % len(orders)]
        began = time.perf_counter()
        shuffle.permutation(len(order))  # a program by hand draws its order too; ours is taken, so that losses agree
        losses = epoch(order)
        going = session.turn(ready, time.perf_counter() - began, [float(loss) for loss in losses])
        index += 1


def train_ours(spec: Spec, session: Session) -> None:
    """Train our side, on the backend that the environment names."""
    from d2l_benchmarks import ours
    from d2l_benchmarks.workloads import workload

    arrays = tuple(np.load(path) for path in sorted(Path(spec["folder"]).glob("array*.npy")))
    ours.train(workload(spec["workload"]), arrays, session.turn)


def peak_memory() -> int | None:
    """The most memory that this process held at any time, in bytes, where the system tells."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def use_cores(count: int) -> None:
    """Keep this process to some of its cores, where the system can: not every framework heeds a variable."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def main() -> int:
    """Do what standard input says; 1 if it failed."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a framework prints must not mix with the events
    session = Session(sys.stdin, answers)
    spec: Spec = json.loads(sys.stdin.readline())
    use_cores(spec["threads"])
    try:
        (train_ours if spec["kind"] in ("ours", "self") else train_twin)(spec, session)
    except Exception as error:  # whatever a framework raises is reported, with its trace on standard error
        traceback.print_exc()
        session.tell("failed", kind=type(error).__name__, message=" ".join(str(error).split())[:400])
        return 1
    session.tell("end", peak_bytes=peak_memory())
    return 0


if __name__ == "__main__":
    sys.exit(main())
