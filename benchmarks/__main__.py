"""``python -m benchmarks [WORKLOAD ...] [--backend B] [--pairs N] [--json FILE]``.

Both sides take the same steps in turns, a chunk each, so that the noise of the machine hits both. What is reported is
the median of the ratios of neighbouring chunks with a bootstrap interval of 95 %. Below 1 we are faster. Before
anything is timed, the losses of both sides are compared: they must be doing the same mathematics.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import statistics
import sys
import time
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import ours
from benchmarks.workloads import LR, WORKLOADS, Workload
from d2l_core.backend import adapters, use_backend
from d2l_core.random import uniform

CHUNK_SECONDS = 0.2


def measure(workload: Workload, backend: str, pairs: int) -> dict[str, object]:
    """Time both sides of one workload on one backend; the figures of one row."""
    twin = importlib.import_module(f"benchmarks.twins.{backend}")
    batches = workload.batches(8)
    with use_backend(backend):
        weights, our_run = ours.prepare(workload, batches)
        their_run = twin.prepare(workload.name, weights, batches, LR)
        np.testing.assert_allclose(our_run(8), their_run(8), rtol=1e-4)
        steps = max(1, round(CHUNK_SECONDS / (_seconds(their_run, 8) / 8)))
        ratios, our_times = [], []
        for _ in range(pairs):
            theirs, mine = _seconds(their_run, steps), _seconds(our_run, steps)
            ratios.append(mine / theirs)
            our_times.append(mine / steps)
    low, high = _interval(ratios)
    return {
        "workload": workload.name,
        "backend": backend,
        "batch": workload.batch,
        "step_us": 1e6 * statistics.median(our_times),
        "ratio": statistics.median(ratios),
        "low": low,
        "high": high,
        "pairs": pairs,
    }


def _seconds(run: ours.Run, steps: int) -> float:
    began = time.perf_counter()
    run(steps)
    return time.perf_counter() - began


def _interval(ratios: list[float]) -> tuple[float, float]:
    picks = (uniform((1000, len(ratios)), "bootstrap") * len(ratios)).astype(np.int64)
    medians = np.median(np.asarray(ratios)[picks], axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return float(low), float(high)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(WORKLOADS)))
@click.option("--backend", "chosen", multiple=True, help="One with a twin; all installed ones by default.")
@click.option("--pairs", default=15, show_default=True, help="Pairs of chunks.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the figures to a file.")
def main(names: tuple[str, ...], chosen: tuple[str, ...], pairs: int, file: Path | None) -> None:
    """Our training step against the same step written by hand."""
    twins = [a.name for a in adapters().values() if importlib.util.find_spec(f"benchmarks.twins.{a.name}")]
    backends = chosen or [name for name in twins if not adapters()[name].missing()]
    unknown = [name for name in backends if name not in twins]
    if unknown:
        raise click.UsageError(f"There is no twin for {', '.join(unknown)}; choose of: {', '.join(twins)}.")
    rows = []
    console = Console(file=sys.stderr)
    for name in names or WORKLOADS:
        for backend in backends:
            with console.status(f"{name} on {backend}"):
                rows.append(measure(WORKLOADS[name], backend, pairs))
    table = Table("workload", "backend", "batch", "µs a step", "ours / by hand", "95 % interval")
    for row in rows:
        interval = f"{row['low']:.2f} to {row['high']:.2f}"
        figures = (f"{row['step_us']:.0f}", f"{row['ratio']:.2f}", interval)
        table.add_row(str(row["workload"]), str(row["backend"]), str(row["batch"]), *figures)
    Console().print(table)
    if file is not None:
        file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
