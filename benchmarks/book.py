"""Seconds for an epoch over Fashion-MNIST with the book's own package and with ours, in turns, on PyTorch.

``python -m d2l_benchmarks.book`` needs ``pip install d2l==1.0.3`` with a torchvision that goes with the PyTorch
installed, and the full data set in both places: ``../data`` from the current folder, where the package looks and
downloads to, and wherever `d2l_core.data` finds it. Each turn is a process of its own.

Theirs is the package's `Trainer` with its own data loader (four workers) on its own models, drawing switched off; ours
is what ``d2l run`` does at full scale. Both have the batch size and the learning rate of our jobs. Validation is left
out of an epoch, and so is the first epoch of a process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

JOBS = {"softmax-regression": ("concise", 256), "lenet": ("lenet", 128)}
RATE = 0.1
SIDES = ("theirs", "ours")


def theirs(lesson: str, epochs: int) -> list[float]:
    """Seconds for each epoch of the book's package."""
    from d2l import torch as d2l

    class Timed(d2l.Trainer):  # type: ignore[misc]
        def fit_epoch(self) -> None:
            began = time.perf_counter()
            super().fit_epoch()
            seconds.append(time.perf_counter() - began)

    seconds: list[float] = []
    model = d2l.SoftmaxRegression(10, lr=RATE) if lesson == "softmax-regression" else d2l.LeNet(lr=RATE)
    model.board.display = False
    data = d2l.FashionMNIST(batch_size=JOBS[lesson][1])
    data.val_dataloader = lambda: None
    Timed(max_epochs=epochs).fit(model, data)
    return seconds


def ours(lesson: str, epochs: int) -> list[float]:
    """Seconds for each epoch of ours."""
    from d2l_core import use_backend
    from d2l_core.lessons import find_lesson

    with use_backend("torch"):
        _, job = find_lesson(lesson).job(JOBS[lesson][0])
        run = job.run("full", epochs=epochs)
    return [record["seconds"] for record in run.history.epochs]


def turn(side: str, lesson: str, epochs: int) -> float:
    """Median of the epochs of one process, without the first."""
    words = [sys.executable, "-m", "d2l_benchmarks.book", "--side", side, "--epochs", str(epochs + 1), lesson]
    variables = os.environ | {"MPLBACKEND": "Agg"}
    done = subprocess.run(words, env=variables, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - our own
    seconds: list[float] = json.loads(done.stdout.splitlines()[-1])
    return statistics.median(seconds[1:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m d2l_benchmarks.book", description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help=f"of: {', '.join(JOBS)}; both if none is given")
    parser.add_argument("--pairs", type=int, default=5, help="turns of each side")
    parser.add_argument("--epochs", type=int, default=2, help="that count in a turn")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.lessons) - set(JOBS):
        parser.error(f"there is nothing to compare for {', '.join(unknown)}; choose of: {', '.join(JOBS)}")
    if options.side:
        print(json.dumps((ours if options.side == "ours" else theirs)(options.lessons[0], options.epochs)))
        return
    for lesson in options.lessons or JOBS:
        found: dict[str, list[float]] = {side: [] for side in SIDES}
        for i in range(options.pairs):
            for side in SIDES if i % 2 == 0 else reversed(SIDES):
                found[side].append(turn(side, lesson, options.epochs))
        ratio = statistics.median(a / b for a, b in zip(*found.values(), strict=True))
        a, b = (statistics.median(seconds) for seconds in found.values())
        print(f"{lesson}: theirs {a:.2f} s, ours {b:.2f} s an epoch, {ratio:.1f} times as quick", flush=True)


if __name__ == "__main__":
    main()
